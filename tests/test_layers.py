"""The rooms of the package: which module may import which, and what an import loads.

The map below is the design. A module that is not on it fails the tests until it is given a room.
"""

from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.requirements import Requirement

PACKAGE = Path(__file__).parents[1] / "kis_nb"


class Room(NamedTuple):
    """Where a module stands: a wing ("both" belongs to neither) and a floor, counted upwards."""

    wing: str
    floor: int


ROOMS: Mapping[str, Room] = {
    # The ground serves all.
    "_errors": Room("ground", 0),
    "_exact": Room("ground", 0),
    "_fields": Room("ground", 0),
    "_accounts": Room("ground", 1),
    # How it arrives: bytes.
    "_deadline": Room("left", 0),
    "_config": Room("left", 1),
    "_http": Room("left", 1),
    "_keys": Room("left", 2),
    "_sources": Room("left", 3),
    "_recovery": Room("left", 0),
    "_rate_limit": Room("left", 2),
    "_token_store": Room("left", 2),
    "_auth": Room("left", 3),
    "_gateway": Room("left", 4),
    "_paging": Room("left", 5),
    # What it means: frames.
    "_calendar": Room("right", 0),
    "_product_text": Room("right", 0),
    "_products": Room("right", 1),
    "_chartview": Room("right", 2),
    "_listing": Room("right", 2),
    "_product_frame": Room("right", 2),
    "_pages": Room("right", 2),
    "_frames": Room("right", 3),
    "_completeness": Room("right", 4),
    "_reconcile": Room("right", 4),
    "_equity": Room("right", 2),
    "_balance": Room("right", 5),
    "charts": Room("right", 6),
    # Where the wings meet.
    "_pool": Room("both", 9),
    "_master": Room("both", 9),
    "_pull": Room("both", 10),
    "_client": Room("both", 11),
    "_oneline": Room("both", 12),
    # Under the faces: what they are made of, no face itself.
    "_board": Room("both", 21),
    "_args": Room("both", 21),
    "_export": Room("both", 23),
    "_report": Room("both", 22),
    "_check": Room("both", 23),
    "_board._jobs": Room("both", 21),
    "_board._known": Room("both", 21),
    "_lab": Room("both", 21),
    "_board._panel": Room("both", 21),
    "_board._pulls": Room("both", 22),
    "_board._selection": Room("both", 21),
    "_board._shelf": Room("both", 21),
    "_board._state": Room("both", 21),
    "_board._words": Room("both", 21),
    "_board._xlsx": Room("both", 21),
    "_board._feed": Room("both", 23),
    "_board._figures": Room("both", 22),
    "_board._controls": Room("both", 24),
    "_board._situation": Room("both", 23),
    "_board._tables": Room("both", 23),
    "_board._picture": Room("both", 24),
    "_board._save": Room("both", 24),
    "_board._gallery": Room("both", 25),
    "_board._screen": Room("both", 25),
    "_cli": Room("both", 26),
    "_dashboard": Room("both", 26),
    "_magic": Room("both", 26),
    # The package's top hands out names from everywhere, lazily.
    "": Room("both", 40),
}
# A face may use the package as its users do; below, that would be a way round the floors.
TOP_IS_KNOWN_BY = {"_cli", "_dashboard", "_magic"}
# The embedded broker stands outside: it knows the glossary and itself, and few know it.
DEMO = "demo"
DEMO_KNOWS = {"_fields"}
DEMO_IS_KNOWN_BY = {"_client", "_cli"}


class Import(NamedTuple):
    """One import statement of ours, both ends as names inside the package ("" is its top)."""

    source: str
    target: str
    line: int


def _room(module: str) -> str:
    """The room's name: the modules of a subpackage share one, unless they have their own."""
    return module if module in ROOMS else module.partition(".")[0]


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


def _imports(package: Path) -> list[Import]:
    modules = _modules(package)
    found = []
    for source, path in modules.items():
        inside = ["kis_nb", *source.split(".")] if source else ["kis_nb"]
        home = inside if path.name == "__init__.py" else inside[:-1]
        for node in _statements(ast.parse(path.read_text(encoding="utf-8"))):
            for name in _names(node, home):
                if name.split(".")[0] != "kis_nb":
                    continue
                target = ".".join(name.split(".")[1:])
                # `from kis_nb._x import name`: the module is the longest part that is one.
                while target not in modules:
                    target = target.rpartition(".")[0]
                found.append(Import(source, target, getattr(node, "lineno", 0)))
    return found


def _objection(source: str, target: str) -> str | None:
    """Why room ``source`` may not import room ``target``, or None when it may."""
    if source in {"", target}:
        return None
    if target == "":
        known = source in TOP_IS_KNOWN_BY
        return None if known else "only a face imports the package's top: name the module instead"
    if source == DEMO:
        known = target in DEMO_KNOWS
        return None if known else "the embedded broker knows _fields and nothing else of ours"
    if target == DEMO:
        known = source in DEMO_IS_KNOWN_BY
        return None if known else "only _client, _cli and tests know the embedded broker"
    if not {source, target} <= ROOMS.keys():
        return "one of the two has no room yet"
    here, there = ROOMS[source], ROOMS[target]
    if there.floor >= here.floor:
        return f"floor {there.floor} is not below floor {here.floor}"
    if here.wing != "both" and there.wing not in {here.wing, "ground"}:
        return f"the {here.wing} wing does not know the {there.wing} wing"
    return None


def _broken(package: Path) -> list[str]:
    return [
        f"kis_nb/{(source or '__init__').replace('.', '/')}.py:{line} imports"
        f" {target or 'kis_nb'}: {objection}"
        for source, target, line in _imports(package)
        if (objection := _objection(_room(source), _room(target)))
    ]


def test_every_module_has_a_room() -> None:
    """A new module needs a place in the map before anything else is said about it."""
    homeless = {_room(name) for name in _modules(PACKAGE)} - ROOMS.keys() - {DEMO}
    assert not homeless, f"give these a room in ROOMS (tests/test_layers.py): {homeless}"


def test_imports_go_down_and_stay_in_their_wing() -> None:
    """Every import that runs obeys the rooms."""
    broken = _broken(PACKAGE)
    assert not broken, "\n".join(broken)


def test_no_import_cycle() -> None:
    """The module graph has no cycle, the package's lazy top left out."""
    graph: dict[str, set[str]] = {}
    for source, target, _ in _imports(PACKAGE):
        # A submodule and its own package's __init__ always load each other.
        if source and target != source and not source.startswith(f"{target}."):
            graph.setdefault(source, set()).add(target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))


@pytest.mark.parametrize(
    ("module", "text", "reason"),
    [
        ("_config", "from kis_nb._auth import Store", "not below"),
        ("_config", "def f():\n    from . import _http", "not below"),
        ("_gateway", "import kis_nb._balance", "not below"),
        ("_paging", "from kis_nb._frames import decode", "left wing does not know the right"),
        ("_balance", "from ._http import Wire", "right wing does not know the left"),
        ("_balance", "from kis_nb import connect", "only a face imports"),
        ("_balance", "import importlib\nimportlib.import_module(name)", "only a face imports"),
        ("charts", "__import__('kis_nb.demo')", "only _client, _cli"),
        ("_fields", "from ._errors import KisError", "not below"),
        ("demo.book", "from kis_nb._errors import KisError", "knows _fields and nothing else"),
    ],
)
def test_a_broken_rule_is_seen(tmp_path: Path, module: str, text: str, reason: str) -> None:
    """The check itself: each rule, broken in an otherwise empty package, is reported."""
    for name in [*ROOMS, DEMO, "demo.book"]:
        package = name in {"", DEMO}
        path = tmp_path.joinpath(*name.split("."), *(["__init__"] if package else []))
        path = path.with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text if name == module else "", encoding="utf-8")
    (report,) = _broken(tmp_path)
    assert reason in report
    assert module.replace(".", "/") in report


def test_imports_for_types_are_free(tmp_path: Path) -> None:
    """What only the type checker imports is not held to the floors."""
    (tmp_path / "__init__.py").write_text("", encoding="utf-8")
    (tmp_path / "_balance.py").write_text("", encoding="utf-8")
    (tmp_path / "_errors.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from kis_nb._balance import Balance\n",
        encoding="utf-8",
    )
    assert _imports(tmp_path) == []


# Modules of distributions that a declared one promises to bring.
BROUGHT = {"IPython": "ipywidgets", "traitlets": "ipywidgets", "urllib3": "requests"}
# Of the extra `lab`, imported once JupyterLab was found; and what charts wait for when another
# thread is importing it, never otherwise.
OPTIONAL = {"ipykernel", "numpy", "pandas", "pyarrow"}


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


@pytest.mark.parametrize(
    ("code", "loads", "spares"),
    [
        ("import kis_nb", set(), set(HEAVY)),
        ("import kis_nb; kis_nb.KisError, kis_nb.Margin, kis_nb.Account", set(), set(HEAVY)),
        (PULL, {"polars", "requests"}, {"altair", "ipywidgets", "holidays"}),
        ("import kis_nb; kis_nb.charts.pnl", {"altair"}, {"requests"}),
        ("import kis_nb; kis_nb.dashboard", {"ipywidgets"}, set()),
        ("import kis_nb._cli", set(), set(HEAVY)),
    ],
)
def test_what_an_import_loads(tmp_path: Path, code: str, loads: set[str], spares: set[str]) -> None:
    """Nothing heavy at import; a pull brings what a pull needs; charts and widgets the rest."""
    loaded = _loaded(code, tmp_path)
    assert loaded >= loads
    assert not loaded & spares
