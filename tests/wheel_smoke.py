"""Run by the Python of an empty environment into which only the wheel was installed.

Not a pytest file: pytest is not there, and must not be. Run it with ``-I``, so that the checkout
cannot lend the wheel what it lacks.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
from contextlib import closing
from pathlib import Path

NAMES = (
    "quickstart",
    "dashboard",
    "four_views",
    "history",
    "margin_monitor",
    "night_report",
    "research",
    "risk",
)
TEMPLATES = {f"{name}.ipynb" for name in NAMES}
COMMAND = Path(sysconfig.get_path("scripts"), "kis-nb")


def check_import() -> Path:
    """The package comes from the environment and loads nothing heavy."""
    import kis_nb

    assert kis_nb.__file__ is not None
    package = Path(kis_nb.__file__).parent
    assert package.is_relative_to(sys.prefix), package
    assert kis_nb.__version__ == importlib.metadata.version("kis_nb")
    heavy = {"polars", "altair", "ipywidgets", "requests"} & sys.modules.keys()
    assert not heavy, f"import kis_nb loads {sorted(heavy)}"
    return package


def check_contents(package: Path) -> None:
    """The wheel holds the types' marker, Vega, the templates; and pulled in no tool of ours."""
    assert (package / "py.typed").is_file()
    assert (package / "_widgets" / "static" / "vega.js").stat().st_size > 100_000
    for file in ("charts/chart.js", "panels/head.js", "panels/dashboard.css", "shared/page.js"):
        assert (package / "_widgets" / "static" / file).is_file(), file
    template = Path(sys.prefix, "share", "jupyter", "nbconvert", "templates", "kis_nb")
    for folder in (template, package / "_cli" / "report" / "template" / "kis_nb"):
        assert {file.name for file in folder.iterdir()} >= {"conf.json", "index.html.j2"}, folder
    for folder in (
        package / "notebooks",
        Path(sys.prefix, "share", "jupyter", "notebook_templates", "kis_nb"),
    ):
        found = {file.name for file in folder.iterdir()}
        assert found >= TEMPLATES, f"{folder}: {found}"
        assert not [name for name in found if not name.endswith(".ipynb")], f"{folder}: {found}"
    for tool in (
        "vl_convert",
        "hatchling",
        "pytest",
        "jupyterlab",
        "pandas",
        "papermill",
        "nbconvert",
    ):
        assert importlib.util.find_spec(tool) is None, f"the wheel brought {tool} along"


def check_pull() -> None:
    """Every demo account comes over real HTTP, and its figures add up."""
    import kis_nb

    with closing(kis_nb.connect(demo=True)) as client:
        rows = []
        for account in client.accounts:
            balance = client.balance(account)
            assert balance.demo
            summary = balance.summary.row(0, named=True)
            for total, part in (
                ("evlu_pfls_amt_smtl", "evlu_pfls_amt"),
                ("trad_pfls_amt_smtl", "trad_pfls_amt"),
            ):
                assert balance.positions[part].sum() == summary[total], total
            rows.append(balance.positions.height)
    # Documented: an account with more than one page, one with a handful, one empty.
    assert max(rows) > 20, rows
    assert min(rows) == 0, rows


def check_dashboard() -> None:
    """The dashboard's charts have their specs in the wheel, and need no Altair."""
    import kis_nb

    with closing(kis_nb.connect(demo=True)) as client:
        kis_nb.show(client.balance(client.accounts[0])).close()
    assert "altair" not in sys.modules, "the dashboard loads Altair"


def check_extra() -> None:
    """What needs an extra can be named without it, and says which one it needs when used."""
    import kis_nb

    with closing(kis_nb.connect(demo=True)) as client:
        said = ""
        try:
            kis_nb.risk(client.balance(client.accounts[0]))
        except ImportError as error:
            said = str(error)
    assert "kis_nb[risk]" in said, "the wheel brought QuantLib along"


def check_command(folder: Path) -> None:
    """The command is installed, pulls, and copies a template."""
    balance = run("balance", "--demo", "--format", "json")
    assert json.loads(balance), balance
    assert "*****" in run("balance", "--demo")
    run("new", "quickstart", str(folder / "mine.ipynb"))
    assert json.loads((folder / "mine.ipynb").read_text(encoding="utf-8"))["cells"]


def run(*arguments: str) -> str:
    """The output of a ``kis-nb`` command that must succeed."""
    done = subprocess.run(
        [COMMAND, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, f"kis-nb {' '.join(arguments)}: {done.stderr}"
    return done.stdout


def main() -> None:
    """Every check, in an environment without a key and with a token store of its own."""
    for name in [name for name in os.environ if name.startswith("KIS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as folder:
        os.environ["KIS_NB_CACHE_DIR"] = folder
        package = check_import()
        check_contents(package)
        check_pull()
        check_dashboard()
        check_extra()
        check_command(Path(folder))
    print(f"wheel: kis_nb {importlib.metadata.version('kis_nb')} works alone")


if __name__ == "__main__":
    main()
