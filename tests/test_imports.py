"""What an import loads, and which libraries the package declares.

Which module may import which is held by import-linter (`make lint`).
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PACKAGE = Path(__file__).parents[1] / "kis_nb"


def _modules(package: Path) -> dict[str, Path]:
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        found[".".join(part for part in parts if part != "__init__")] = path
    return found


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs: what stands under ``if TYPE_CHECKING`` is left out."""
    for child in ast.iter_child_nodes(node):
        if _is_for_types(child):
            assert isinstance(child, ast.If)
            for branch in child.orelse:
                yield branch
                yield from _statements(branch)
        else:
            yield child
            yield from _statements(child)


def _names(node: ast.AST, package: list[str]) -> Iterator[str]:
    """Absolute dotted names that this node imports, seen from inside ``package``."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        start = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*start, *([node.module] if node.module else [])])
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(
        ("import_module", "__import__")
    ):
        first = node.args[0] if node.args else None
        # A name that is worked out cannot be checked, so it may not be ours to import.
        yield str(first.value) if isinstance(first, ast.Constant) else "kis_nb"


# Modules of distributions that a declared one promises to bring.
BROUGHT = {
    "IPython": "ipywidgets",
    "comm": "ipywidgets",
    "traitlets": "ipywidgets",
    "urllib3": "requests",
}
# Of the extras `lab`, `pictures` and `report`, imported once these were found; and what charts wait
# for when another thread is importing it, never otherwise.
REPORT = {
    "bleach",
    "bs4",
    "jupyter_client",
    "nbclient",
    "nbconvert",
    "nbformat",
    "papermill",
    "vl_convert",
}
OPTIONAL = REPORT | {
    "duckdb",
    "ipykernel",
    "numpy",
    "obstore",
    "pandas",
    "pyarrow",
    "pyspark",
    "QuantLib",
}


def test_every_library_is_declared() -> None:
    """What the package imports from outside is among its runtime dependencies, and no others are.

    The test environment holds far more than a user's, so a missing one would not show here.
    """
    modules = {
        name.split(".")[0]
        for path in _modules(PACKAGE).values()
        for node in _statements(ast.parse(path.read_text(encoding="utf-8")))
        for name in _names(node, ["kis_nb"])
    }
    outside = modules - sys.stdlib_module_names - OPTIONAL - {"kis_nb"}
    homes = importlib.metadata.packages_distributions()
    used = {BROUGHT.get(module) or homes[module][0].lower() for module in outside}
    wanted = map(Requirement, importlib.metadata.requires("kis_nb") or [])
    declared = {r.name.lower() for r in wanted if not r.marker or r.marker.evaluate({"extra": ""})}
    assert used == declared


HEAVY = ("polars", "requests", "altair", "ipywidgets", "holidays")


def _loaded(code: str, tmp_path: Path) -> set[str]:
    """Which heavy packages a fresh interpreter has loaded after running ``code``."""
    report = f"\nimport json, sys\nprint(json.dumps([m for m in {HEAVY!r} if m in sys.modules]))"
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KIS_")}
    run = subprocess.run(
        [sys.executable, "-c", code + report],
        env=environment | {"KIS_NB_CACHE_DIR": str(tmp_path)},
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


PULL = "import kis_nb\nb = kis_nb.connect(demo=True).balances().positions\n"
# Every chart of every tab is drawn.
TABS = """
import tempfile, threading, kis_nb
from kis_nb._widgets.chart_view import ChartView
wanted = {
    *("pnl", "margin", "views", "book", "payoff", "equity_history", "margin_history"),
    *("attribution", "risk_curve", "scenarios", "margin_components"),
}
drawn, changed, draw = set(), threading.Condition(), ChartView.draw
def noted(view, *args, **more):
    draw(view, *args, **more)
    with changed:
        drawn.add(view.name)
        changed.notify_all()
ChartView.draw = noted
def until(count):
    with changed:
        assert changed.wait_for(lambda: len(drawn) >= count, 60), drawn
client = kis_nb.connect(demo=True)
with tempfile.TemporaryDirectory() as folder:
    board = kis_nb.dashboard(client, history=folder)
    until(5)
    board._controls["tab"].value = "history"
    until(8)
    board._controls["tab"].value = "risk"
    until(11)
    assert drawn == wanted, drawn
    board.close()
client.close()
"""


@pytest.mark.parametrize(
    ("code", "loads", "spares"),
    [
        ("import kis_nb", set(), set(HEAVY)),
        ("import kis_nb; kis_nb.KisError, kis_nb.Margin, kis_nb.Account", set(), set(HEAVY)),
        (PULL, {"polars", "requests"}, {"altair", "ipywidgets", "holidays"}),
        ("import kis_nb; kis_nb.charts.pnl", {"altair"}, {"requests"}),
        ("import kis_nb; kis_nb.Dashboard", {"ipywidgets"}, {"altair"}),
        (TABS, {"ipywidgets", "polars"}, {"altair"}),
        ("import kis_nb._cli.main", set(), set(HEAVY)),
        ("import kis_nb._frames.text, kis_nb._frames.columns", set(), set(HEAVY)),
    ],
)
def test_what_an_import_loads(tmp_path: Path, code: str, loads: set[str], spares: set[str]) -> None:
    """Nothing heavy at import; a pull brings what a pull needs; charts and widgets the rest."""
    loaded = _loaded(code, tmp_path)
    assert loaded >= loads
    assert not loaded & spares
