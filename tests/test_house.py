"""House rules that no linter knows."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import kis_nb
import kis_nb.analysis
import kis_nb.charts

# The headed parts of a public docstring.
PARTS = ("Args", "Attributes", "Returns", "Raises")
# IPython calls these, nobody else.
HOOKS = {"load_ipython_extension", "unload_ipython_extension"}
TOP = Path(__file__).parents[1]
TESTS = sorted((TOP / "tests").rglob("test_*.py"))
MODULES = sorted((TOP / "kis_nb").rglob("*.py"))
STATIC = TOP / "kis_nb" / "_widgets" / "static"


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
    written = [path for path in STATIC.rglob("*.*") if path.suffix in (".js", ".css")]
    long = {
        path.name: lines
        for path in [*MODULES, *written]
        if path.name != "vega.js"  # made by the build
        and (lines := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long


def test_nothing_points_at_one_machine() -> None:
    """No file of ours names the checkout's own place, which means nothing elsewhere."""
    files = [TOP / "Makefile", TOP / "pyproject.toml", *TOP.glob("*.md"), *TOP.glob(".ci/*")]
    for path in [*files, *MODULES, *(TOP / "tests").rglob("*.py"), *TOP.glob("notebooks/*")]:
        if path.is_file():
            assert f"{TOP}/" not in path.read_text(encoding="utf-8"), path


def _public() -> Iterator[tuple[str, Any]]:
    """Every public name of `kis_nb`, its analysis and charts, and the classes' public methods."""
    for module in (kis_nb, kis_nb.analysis, kis_nb.charts):
        for name in module.__all__:
            thing = getattr(module, name)
            if isinstance(thing, ModuleType) or name in HOOKS:
                continue
            yield f"{module.__name__}.{name}", thing
            if not inspect.isclass(thing):
                continue
            for method, value in vars(thing).items():
                called = getattr(value, "__func__", value)
                if not method.startswith("_") and inspect.isfunction(called):
                    yield f"{module.__name__}.{name}.{method}", called


def _missing_parts(thing: Any) -> list[str]:
    """What a public docstring lacks of its four parts."""
    text = inspect.cleandoc(thing.__doc__ or "")
    if not text:
        return ["a docstring"]
    parts = {part for part in PARTS if re.search(rf"^{part}:", text, re.MULTILINE)}
    if inspect.isclass(thing):
        return [] if parts & {"Attributes", "Args"} else ["Attributes: or Args:"]
    signature = inspect.signature(thing)
    missing: list[str] = []
    if [name for name in signature.parameters if name not in {"self", "cls"}]:
        missing += {"Args"} - parts
    if signature.return_annotation not in {"None", None, "NoReturn"}:
        missing += {"Returns"} - parts
    if "Raises" not in parts and "othing is raised" not in text:
        missing.append("Raises")
    return [f"{part}:" for part in missing]


def test_public_names_say_their_four_parts() -> None:
    """A public docstring says what it is, what goes in, what comes out, and what fails.

    A function or method has a summary line; ``Args:`` when it takes arguments; ``Returns:`` when it
    returns something (shapes, units, what null means); ``Raises:``, or a sentence with the words
    "Nothing is raised". A class has ``Attributes:`` or ``Args:``. What calls KIS names the TR id
    and the path. IPython's hooks and modules are left out.
    """
    calls = {"kis_nb.Client.balance", "kis_nb.Client.balances", "kis_nb.balance"}
    about = {"kis_nb.Balance", "kis_nb.fields"}
    for name, thing in _public():
        if name in calls | about:
            assert "CTFN6118R" in thing.__doc__, f"{name} does not name the TR id"
            assert "/inquire-ngt-balance" in thing.__doc__, f"{name} does not name the path"
    lacking = {name: missing for name, thing in _public() if (missing := _missing_parts(thing))}
    assert not lacking, "\n".join(f"{name} lacks {', '.join(m)}" for name, m in lacking.items())
