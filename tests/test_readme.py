"""READMEs and guides: their code and commands are run, and what they name exists. A shell line for
which there is no rule fails.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import inspect
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

import kis_nb
from kis_nb._cli.parser import build_parser
from tests.documents import TOP, code, headings, prose

# Each page in English and in Korean.
PAIRS = [
    (TOP / "README.md", TOP / "README.ko.md"),
    (TOP / "docs/guide.md", TOP / "docs/guide.ko.md"),
    (TOP / "docs/history.md", TOP / "docs/history.ko.md"),
    (TOP / "docs/risk.md", TOP / "docs/risk.ko.md"),
]
# What a user reads, in each language.
LANGUAGES = list(zip(*PAIRS, strict=True))
DOCUMENTS = sorted([*TOP.glob("*.md"), *TOP.glob("docs/*.md")])
# For the whole of a page's Python, and for a command to end: reached by a hang only.
LIMIT = 120

each_page = pytest.mark.parametrize(
    "page", [page for pair in PAIRS for page in pair], ids=lambda path: path.name
)
each_pair = pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].name)
each_language = pytest.mark.parametrize("pages", LANGUAGES, ids=["en", "ko"])
each_document = pytest.mark.parametrize("page", DOCUMENTS, ids=lambda path: path.name)


class Block(NamedTuple):
    """A fenced block: the language after the fence, and the text inside."""

    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a file, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(*found.groups())
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def commands(page: Path) -> list[str]:
    """The shell lines of a file; in ``console`` blocks those after a ``$``."""
    lines: list[str] = []
    for language, text in blocks(page):
        if language == "sh":
            lines += [line for line in text.splitlines() if line and not line.startswith("#")]
        elif language == "console":
            lines += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    return lines


def environment(home: Path) -> dict[str, str]:
    """A newcomer's: no key of the developer's, the venv's commands, an empty home."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("KIS_", "JUPYTER"))}
    return own | {
        "BROWSER": "true",  # the command, which opens nothing
        "HOME": str(home),
        "KIS_NB_CACHE_DIR": str(home / "cache"),
        "KIS_NB_DEMO": "1",
        "PATH": sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"],
        "PYTHONUTF8": "1",
    }


def made_targets() -> set[str]:
    """The Makefile's targets for people: those that ``make help`` lists."""
    return set(re.findall(r"^([a-z-]+):.*## ", (TOP / "Makefile").read_text("utf-8"), re.MULTILINE))


def subcommands() -> set[str]:
    """The command line's own."""
    actions = build_parser()._actions
    (choices,) = [a.choices for a in actions if isinstance(a, argparse._SubParsersAction)]
    return set(choices)


# One namespace for the whole file; IPython runs it, so that a block may use a magic.
RUNNER = """
import sys
from IPython.core.interactiveshell import InteractiveShell

shell = InteractiveShell.instance()
for block in sys.stdin.read().split("\\0"):
    shell.run_cell(block).raise_error()
"""


@each_page
def test_python_runs(page: Path, tmp_path: Path) -> None:
    """A page's Python blocks run in order on the embedded broker, without a key."""
    cells = [text for language, text in blocks(page) if language in {"python", "ipython"}]
    assert cells, "a page without code"
    run = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input="\0".join(cells),
        env=environment(tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    # IPython prints a traceback where Python would write one to stderr.
    assert "Traceback" not in run.stdout + run.stderr


@each_pair
def test_commands_work(pair: tuple[Path, Path], tmp_path: Path) -> None:
    """Every shell line obeys the rule for its kind, in order, in one empty folder; the Korean page
    has the same lines.
    """
    lines, korean = ([shlex.split(line, comments=True) for line in commands(page)] for page in pair)
    assert korean == lines
    assert lines, "a page without commands"
    own = environment(tmp_path)
    for line in commands(pair[0]):
        words = shlex.split(line, comments=True)
        match words:
            case ["make", *targets]:
                check_make(targets)
            case ["kis-nb", "demo" | "serve", *_]:
                check_server(words, own, tmp_path)
            case ["kis-nb", "record", *_]:
                check_server(words, own, tmp_path, r"18:00:00|06:00:00")
            case ["kis-nb", *_]:
                check_command(line, own, tmp_path)
            case ["export", *settings]:
                check_settings(settings)
            case ["pip" | "python" | "python3", *_] if "install" in words:
                check_install(words[words.index("install") + 1 :])
            case _:
                pytest.fail(f"tests/test_readme.py has no rule for: {line}")


def check_make(targets: list[str]) -> None:
    """Targets for people, which make can plan to the end."""
    names = [word for word in targets if "=" not in word]
    assert set(names) <= made_targets()
    run = subprocess.run(
        ["make", "-n", *targets], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def check_command(line: str, own: dict[str, str], folder: Path) -> None:
    """A command that ends, and ends well. Through the shell: it may be piped."""
    run = subprocess.run(
        ["sh", "-c", line],
        env=own,
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 0, f"{line}\n{run.stdout}{run.stderr}"
    said = re.sub(r"^kis-nb: cell \d+ of \d+\n", "", run.stderr, flags=re.MULTILINE)  # progress
    said = re.sub(r"^kis-nb: \S+: filled .*\n", "", said, flags=re.MULTILINE)
    # Nor a CSV of estimates for what is left out of them.
    said = re.sub(r"^kis-nb: [0-9,]+( left out: |종목 제외: ).*\n", "", said, flags=re.MULTILINE)
    # A CSV has no place for the mark that its figures are invented.
    assert said in {"", "kis-nb: DEMO: these accounts are invented\n"}, run.stderr


def check_server(
    words: list[str], own: dict[str, str], folder: Path, said: str = r"http://127\.0\.0\.1:\d+"
) -> None:
    """A command that runs until it is interrupted: it says where it is, or when it pulls, and ends
    when told to.
    """
    with subprocess.Popen(
        words,
        env=own,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as process:
        # Ends the reading below if the line never comes.
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            seen = read_until(said, process.stdout)
            assert seen[-1:] != [""], "".join(seen)
            process.send_signal(signal.SIGINT)
            rest = process.stdout.read()
            assert process.wait() in {0, 128 + signal.SIGINT}, "".join(seen) + rest
        finally:
            watchdog.cancel()
            process.kill()


def read_until(pattern: str, lines: Iterator[str]) -> list[str]:
    """Lines up to the first that has the pattern; "" at the end when none had."""
    seen: list[str] = []
    for line in lines:
        seen.append(line)
        if re.search(pattern, line):
            return seen
    return [*seen, ""]


def check_settings(settings: list[str]) -> None:
    """Environment variables that the package reads."""
    source = "".join(path.read_text("utf-8") for path in (TOP / "kis_nb").rglob("*.py"))
    for setting in settings:
        # A second account's variables are the first one's with a number.
        name = re.sub(r"_[2-9]$", "", setting.partition("=")[0])
        assert f'"{name}"' in source, f"nothing in kis_nb reads {name}"


def check_install(words: list[str]) -> None:
    """Our own distribution, from an index or from here, with extras that it has."""
    for word in words:
        if word.startswith("-"):
            continue
        wanted = Requirement(re.sub(r"^\.(?=\[|$)", "kis_nb", word))
        assert wanted.name == "kis_nb"
        assert wanted.extras <= extras()


def extras() -> set[str]:
    """The extras of the installed distribution."""
    text = importlib.metadata.distribution("kis_nb").read_text("METADATA")
    assert text is not None
    return set(Metadata.from_email(text, validate=False).provides_extra or ())


@each_page
def test_languages_are_known(page: Path) -> None:
    """A block in a language that is not run here would be a claim that nothing checks."""
    assert {block.language for block in blocks(page)} <= {"python", "ipython", "sh", "console"}


@each_document
def test_links_lead_somewhere(page: Path) -> None:
    """Links and pictures are relative and exist, and so do the headings that links point to."""
    text = prose(page)
    targets = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        assert not re.match(r"https?:|mailto:|/", target), f"{page.name}: {target}"
        path, _, heading = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name}: {target}"
        if heading:
            assert heading in anchors(file), f"{page.name}: {target}"


def anchors(page: Path) -> set[str]:
    """The headings of a Markdown file as GitHub links to them."""
    titles = [heading.lstrip("# ") for heading in headings(page)]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_document
def test_a_page_has_one_title(page: Path) -> None:
    """One first-level heading, before all others: the site takes it for the page's name."""
    levels = [heading.split()[0] for heading in headings(page)]
    assert levels[0] == "#"
    assert levels.count("#") == 1


@each_language
def test_names_every_target_and_command(pages: tuple[Path, ...]) -> None:
    """README and guide name every target and every subcommand, and each that they name exists."""
    # In code only: "make the call" is English.
    lines = "\n".join(line for page in pages for line in [*code(page), *commands(page)])
    targets = set(re.findall(r"^make +([a-z-]+)", lines, re.MULTILINE))
    assert targets == made_targets() - {"help"}
    named = set(re.findall(r"^kis-nb +([a-z]+)", lines, re.MULTILINE))
    assert named == subcommands()


@each_page
def test_names_in_prose_exist(page: Path) -> None:
    """Every ``kis_nb.name`` and every environment variable in the prose is one that there is."""
    for name in re.findall(r"\bkis_nb\.(\w+)", "\n".join(code(page))):
        assert name in kis_nb.__all__, f"{page.name}: kis_nb.{name}"
    check_settings([name for name in code(page) if re.fullmatch(r"KIS_[A-Z_]+", name)])


@each_language
def test_the_guide_lists_every_error_and_chart(pages: tuple[Path, ...]) -> None:
    """The tables of errors and templates and the list of charts are whole."""
    guide = prose(pages[1])
    errors = {name for name in kis_nb.__all__ if name.endswith("Error") or name == "Cancelled"}
    templates = {path.stem for path in (TOP / "notebooks").glob("*.ipynb")}
    listed = set(re.findall(r"^\| `(\w+)` \|", guide, re.MULTILINE))
    assert listed == errors - {"KisError"} | templates
    (line,) = re.findall(r"^`kis_nb\.charts`.*?[.다]", guide, re.MULTILINE)
    charts = {
        name for name in kis_nb.charts.__all__ if inspect.isfunction(getattr(kis_nb.charts, name))
    }
    assert set(re.findall(r"`(\w+)`", line)) == charts - {"left_out"}


@each_pair
def test_both_languages_show_the_same(pair: tuple[Path, Path]) -> None:
    """The Korean page has the English one's blocks, commands, and headings of each level."""
    english, korean = pair
    assert [b.language for b in blocks(korean)] == [b.language for b in blocks(english)]
    assert [shlex.split(line, comments=True) for line in commands(korean)] == [
        shlex.split(line, comments=True) for line in commands(english)
    ]
    levels, same = ([heading.split()[0] for heading in headings(page)] for page in pair)
    assert levels == same


def test_the_readme_stays_short() -> None:
    """What a user needs in two minutes: the rest belongs in the guide."""
    for page in PAIRS[0]:
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 80, page.name
