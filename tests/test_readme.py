"""What the READMEs show is run, and what they name is there. A line without a rule fails."""

from __future__ import annotations

import argparse
import importlib.metadata
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

from kis_nb._cli.parser import build_parser

TOP = Path(__file__).parents[1]
READMES = [TOP / "README.md", TOP / "README.ko.md"]
# For the whole of a README's Python, and for a command to end: reached by a hang only.
LIMIT = 120

each_readme = pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)


class Block(NamedTuple):
    """A fenced block: the language after the fence, and the text inside."""

    language: str
    text: str


def blocks(readme: Path) -> list[Block]:
    """The fenced blocks of a file, in order."""
    text = readme.read_text(encoding="utf-8")
    return [
        Block(*found.groups())
        for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    ]


def commands(readme: Path) -> list[str]:
    """The shell lines of a file; in ``console`` blocks those after a ``$``."""
    lines: list[str] = []
    for language, text in blocks(readme):
        if language == "sh":
            lines += [line for line in text.splitlines() if line and not line.startswith("#")]
        elif language == "console":
            lines += [line[2:] for line in text.splitlines() if line.startswith("$ ")]
    return lines


def prose(readme: Path) -> str:
    """A file without its fenced blocks."""
    return re.sub(
        r"^```.*?^```$", "", readme.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
    )


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


@each_readme
def test_python_runs(readme: Path, tmp_path: Path) -> None:
    """The Python blocks run in order on the embedded broker, without a key."""
    code = [text for language, text in blocks(readme) if language in {"python", "ipython"}]
    assert code, "a README without code"
    run = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input="\0".join(code),
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


def test_commands_work(tmp_path: Path) -> None:
    """Every shell line obeys the rule for its kind, in order, in one empty folder; the Korean page
    has the same lines.
    """
    lines, korean = (
        [shlex.split(line, comments=True) for line in commands(readme)] for readme in READMES
    )
    assert korean == lines
    assert lines, "a README without commands"
    own = environment(tmp_path)
    for line in commands(READMES[0]):
        words = shlex.split(line, comments=True)
        match words:
            case ["make", *targets]:
                check_make(targets)
            case ["kis-nb", "demo" | "serve", *_]:
                check_server(words, own, tmp_path)
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
    # A CSV has no place for the mark that its figures are invented.
    assert run.stderr in {"", "kis-nb: DEMO: these accounts are invented\n"}, run.stderr


def check_server(words: list[str], own: dict[str, str], folder: Path) -> None:
    """A command that runs until it is interrupted: it says where it is, and ends when told to."""
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
            seen = read_until(r"http://127\.0\.0\.1:\d+", process.stdout)
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


@each_readme
def test_languages_are_known(readme: Path) -> None:
    """A block in a language that is not run here would be a claim that nothing checks."""
    assert {block.language for block in blocks(readme)} <= {"python", "ipython", "sh", "console"}


@each_readme
def test_links_lead_somewhere(readme: Path) -> None:
    """Relative links and pictures exist, and so do the headings that links point to."""
    text = prose(readme)
    targets = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
    for target in targets:
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, heading = target.partition("#")
        file = readme.parent / path if path else readme
        assert file.exists(), f"{readme.name}: {target}"
        if heading:
            assert heading in anchors(file), f"{readme.name}: {target}"


def anchors(file: Path) -> set[str]:
    """The headings of a Markdown file as GitHub links to them."""
    headings = re.findall(r"^#+ +(.*?) *$", prose(file), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


@each_readme
def test_names_every_target_and_command(readme: Path) -> None:
    """Every target and every subcommand is named, and every one that is named exists."""
    # In code only: "make the call" is English.
    code = "\n".join([*re.findall(r"`([^`\n]+)`", prose(readme)), *commands(readme)])
    targets = set(re.findall(r"^make +([a-z-]+)", code, re.MULTILINE))
    assert targets == made_targets() - {"help"}
    named = set(re.findall(r"^kis-nb +([a-z]+)", code, re.MULTILINE))
    assert named == subcommands()


def test_both_languages_show_the_same() -> None:
    """The Korean file has the English one's blocks and commands."""
    english, korean = READMES
    assert [b.language for b in blocks(korean)] == [b.language for b in blocks(english)]
    assert [shlex.split(line, comments=True) for line in commands(korean)] == [
        shlex.split(line, comments=True) for line in commands(english)
    ]
