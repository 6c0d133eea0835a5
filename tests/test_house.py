"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TOP = Path(__file__).parents[1]
TESTS = sorted((TOP / "tests").rglob("test_*.py"))
MODULES = sorted((TOP / "kis_nb").rglob("*.py"))


def test_every_test_says_what_it_proves() -> None:
    """Each test has a docstring: it is what a reader of a failure reads first."""
    silent = [
        f"{path.relative_to(TOP)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert not silent, "\n".join(silent)


def test_no_test_can_be_skipped() -> None:
    """A test that may not run proves nothing on the machine where it does not."""
    ways = re.compile(r"mark\.(skip|xfail)|pytest\.(skip|xfail|importorskip)\(|unittest\.skip")
    found = [
        f"{path.relative_to(TOP)}: {hit[0]}"
        for path in [*TESTS, *(TOP / "tests").rglob("conftest.py")]
        if (hit := ways.search(path.read_text(encoding="utf-8")))
    ]
    assert not found, "\n".join(found)


def test_modules_stay_readable() -> None:
    """One subject per module: none is over 400 lines."""
    long = {
        path.name: lines
        for path in MODULES
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_nothing_points_at_one_machine() -> None:
    """No file of ours names the checkout's own place, which means nothing elsewhere."""
    files = [TOP / "Makefile", TOP / "pyproject.toml", *TOP.glob("*.md"), *TOP.glob(".ci/*")]
    for path in [*files, *MODULES, *(TOP / "tests").rglob("*.py"), *TOP.glob("notebooks/*")]:
        if path.is_file():
            assert f"{TOP}/" not in path.read_text(encoding="utf-8"), path
