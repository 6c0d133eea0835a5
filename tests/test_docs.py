"""The pages for developers: what docs/architecture.md and CONTRIBUTING.md name is there, and every
module of the package is named.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.documents import TOP, code, headings, prose

PACKAGE = TOP / "kis_nb"
ARCHITECTURE = TOP / "docs/architecture.md"
CONTRIBUTING = TOP / "CONTRIBUTING.md"
SOURCES = TOP / "docs/sources.md"

each_page = pytest.mark.parametrize(
    "page", [ARCHITECTURE, CONTRIBUTING], ids=lambda page: page.name
)


def section(page: Path, title: str) -> str:
    """The text below a heading, up to the next one of its level."""
    text = page.read_text(encoding="utf-8")
    level, rest = re.split(rf"^(#+) {re.escape(title)}\n", text, maxsplit=1, flags=re.MULTILINE)[1:]
    return re.split(rf"^#{{1,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def test_every_module_is_named() -> None:
    """Each module has a line in the tables of architecture.md; a package's ``__init__`` says in its
    docstring what the package is for.
    """
    rows = set(re.findall(r"^\| `([\w/.]+)` \| \S", prose(ARCHITECTURE), re.MULTILINE))
    modules = {
        str(path.relative_to(PACKAGE))
        for kind in ("*.py", "*.js", "*.css", "*.csv")
        for path in PACKAGE.rglob(kind)
        if path.name != "__init__.py" and "node_modules" not in path.parts
    }
    assert not modules - rows


@each_page
def test_every_file_named_is_there(page: Path) -> None:
    """A path is from the top of the repository, from ``kis_nb/``, or a module's name there."""
    for name in code(page):
        path, _, test = name.partition("::")
        looks_like_a_path = re.fullmatch(r"[\w.*/-]+(/|\.(py|md|csv|js|css|toml|txt|ipynb))", path)
        # Made by the build, or a name that the reader chooses.
        if not looks_like_a_path or path.endswith("vega.js") or "NAME" in path:
            continue
        places = [top / path for top in (TOP, PACKAGE) if (top / path).exists()]
        assert places, f"{page.name}: {name}"
        if test:
            tree = ast.parse(places[0].read_text(encoding="utf-8"))
            there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
            assert test in there, f"{page.name}: {name}"


def test_every_page_cited_is_there() -> None:
    """A Markdown file that package or tests name exists, and so does a section of sources.md."""
    sections = [heading.lstrip("# ") for heading in headings(SOURCES)]
    for folder in (PACKAGE, TOP / "tests"):
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.csv")]):
            text = re.sub(r"\n *#? *", " ", path.read_text("utf-8"))
            for name in re.findall(r"[\w-]+(?:\.ko)?\.md\b", text):
                assert (TOP / "docs" / name).exists() or (TOP / name).exists(), f"{path}: {name}"
            for title in re.findall(r'sources\.md, "([^"]+)"', text):
                assert title in sections, f"{path}: {title}"


def test_the_layers_are_those_of_the_linter() -> None:
    """The list in architecture.md is the contract in pyproject.toml, line for line."""
    settings = tomllib.loads((TOP / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    (shown,) = re.findall(
        r"^```text\n(.*?)^```$",
        section(ARCHITECTURE, "Who may import whom"),
        re.MULTILINE | re.DOTALL,
    )
    assert shown.splitlines() == layers


def test_every_promise_has_a_test() -> None:
    """Under each promise at least one test is listed."""
    promises = section(ARCHITECTURE, "Promises, and the tests that hold them").split("\n### ")[1:]
    assert len(promises) == 7
    for promise in promises:
        assert "\n- `tests/" in promise, promise.splitlines()[0]


def test_the_sizes_are_about_right() -> None:
    """The counts of lines are within a fifth of what they say."""
    said = re.search(
        r"has ([\d,]+) lines of Python .*?; the tests have ([\d,]+)",
        ARCHITECTURE.read_text("utf-8"),
    )
    assert said is not None
    for figure, folder in zip(said.groups(), (PACKAGE, TOP / "tests"), strict=True):
        lines = sum(len(path.read_text("utf-8").splitlines()) for path in folder.rglob("*.py"))
        assert lines == pytest.approx(int(figure.replace(",", "")), rel=0.2)


def test_contributing_names_targets_that_there_are() -> None:
    """Each ``make`` target named is one, and each step of ``make test`` is named."""
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    lines = re.findall(
        r"^```sh\n(.*?)^```$", CONTRIBUTING.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    named = set(
        re.findall(r"^make +([a-z-]+)", "\n".join([*code(CONTRIBUTING), *lines]), re.MULTILINE)
    )
    assert named <= targets
    (steps,) = re.findall(r"^test: (.*?) ##", makefile, re.MULTILINE)
    assert set(steps.split()) <= named
