"""Every notebook in notebooks/ is a clean template, runs, and lets no secret out when saved."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import localcontext
from pathlib import Path
from typing import Any

import nbformat
import polars as pl
import pytest

from kis_nb._frames.equity import equity
from tests.leaks import noted, watch_kernels

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
SHIPPED = {"quickstart", "dashboard", "four_views", "margin_monitor", "research"}

# Any account number in full, whoever's it is: 8 digits, a hyphen, 2 digits.
ACCOUNT = re.compile(r"(?<![0-9])[0-9]{8}-[0-9]{2}(?![0-9])")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    """The notebook as nbformat sees it, checked against its schema."""
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    return book


def test_templates_are_there() -> None:
    """The glob found the notebooks, so that the tests below are not about nothing."""
    assert {path.stem for path in NOTEBOOKS} == SHIPPED


@every_notebook
def test_has_parameters(path: Path) -> None:
    """One code cell is tagged for papermill, and it starts on the embedded broker."""
    tagged = [c for c in read(path).cells if "parameters" in c.metadata.get("tags", [])]
    assert [cell.cell_type for cell in tagged] == ["code"]
    values: dict[str, Any] = {}
    exec(tagged[0].source, values)  # noqa: S102 - our own template: what it sets is the test
    assert values["demo"] is True


@every_notebook
def test_names_its_kernel(path: Path) -> None:
    """The kernel is the one that every Jupyter has."""
    assert read(path).metadata.kernelspec.name == "python3"


@every_notebook
def test_stores_nothing(path: Path) -> None:
    """No output, no execution count and no widget state was committed with it."""
    book = read(path)
    assert "widgets" not in book.metadata
    for cell in book.cells:
        if cell.cell_type == "code":
            assert cell.outputs == []
            assert cell.execution_count is None


@every_notebook
def test_runs_and_leaks_nothing(path: Path, tmp_path: Path) -> None:
    """Executed from top to bottom on the embedded broker: no error, and neither key, secret, token
    nor account number in what is saved and printed, however it is spelt.
    """
    watch_kernels(tmp_path / "ipython")
    saved = tmp_path / path.name
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("KIS_", "JUPYTER"))}
    run = subprocess.run(
        [sys.executable, "-m", "papermill", path, saved, "-p", "demo", "True", "-k", "python3"],
        env=environment
        | {
            "HOME": str(tmp_path),
            "IPYTHONDIR": str(tmp_path / "ipython"),
            "KIS_NB_CACHE_DIR": str(tmp_path / "cache"),
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr

    for cell in read(saved).cells:
        if cell.cell_type == "code":
            assert cell.execution_count is not None
            assert not [o for o in cell.outputs if o.output_type == "error"]
            # A warning in a template would be the first thing that a newcomer reads.
            assert not [o for o in cell.outputs if o.get("name") == "stderr"]

    text = saved.read_text(encoding="utf-8")
    # Papermill keeps the widgets' state, as JupyterLab does when one has it do so.
    assert ("jupyter.widget-state+json" in text) is ("jupyter.widget-view+json" in text)
    search = noted(tmp_path)
    for found, where in ((text, "the notebook"), (run.stdout, "stdout"), (run.stderr, "stderr")):
        search.look(found, where)
    assert not ACCOUNT.search(text)


@pytest.mark.usefixtures("own_environment")
def test_the_margin_monitor_agrees_with_the_package() -> None:
    """The template spells out equity and excess margin: its figures are those of dashboard and
    charts, for every account of the embedded broker.
    """
    (path,) = (each for each in NOTEBOOKS if each.stem == "margin_monitor")
    values: dict[str, Any] = {}
    with localcontext(), pl.Config():
        for cell in read(path).cells:
            if cell.cell_type == "code":
                exec(cell.source, values)  # noqa: S102 - our own template
            if "states" in values:
                break
    assert len(values["pulls"]) > 1
    for balance, state in zip(values["pulls"], values["states"], strict=True):
        expected = equity(balance)
        assert state["equity"] == expected.reported_equity
        assert state["excess_margin"] == expected.excess_margin
        assert (state["equity_now"], state["from"]) == (expected.current_equity, expected.source)
        assert state["excess_margin_now"] == expected.excess_margin_now
    values["client"].close()
