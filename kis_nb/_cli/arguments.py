"""The parser and the arguments that the command line and the ``%kis`` magic share.

Its errors repeat nothing that could be an account number or a secret.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from kis_nb._codes import Basis, Margin

# Words that an error may repeat: an option, a command, a small number. An account number or a key
# that was typed by mistake must not get into a terminal's log or a saved notebook.
_HARMLESS = re.compile(r"-{0,2}[a-z][a-z-]{0,20}|-?[0-9]{1,6}")
_SECRET = re.compile(r"--?[a-z-]*(key|secret|token|password|pwd)", re.IGNORECASE)


class UsageProblem(Exception):
    """The line cannot be understood. The message says why, and may be shown."""


class Parser(argparse.ArgumentParser):
    """An `argparse.ArgumentParser` that raises `UsageProblem` instead of printing and exiting.

    Args:
        hint: where help is, for errors; ``see PROG --help`` when left out.
        **options: as of `argparse.ArgumentParser`.
    """

    def __init__(self, *, hint: str = "", **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)
        self._hint = hint or f"see {self.prog} --help"

    def error(self, message: str) -> NoReturn:
        """Called by argparse when an argument does not fit."""
        raise UsageProblem(f"{message} ({self._hint})")

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """Parse the words of a line, like `parse_args`.

        Raises:
            UsageProblem: an argument does not fit. The message repeats no word that could be an
                account number or a secret.
        """
        try:
            return self.parse_args(argv)
        except UsageProblem as problem:
            message = str(problem)
        if any(_SECRET.match(word) for word in argv):
            message = (
                "keys, secrets and tokens are never given here, where others can read them; "
                "put them in the environment or in a file"
            )
        raise UsageProblem(_redacted(message, argv))


def _redacted(message: str, argv: Sequence[str]) -> str:
    """The message, with words of the line that could be private replaced by an ellipsis."""
    parts = {part for word in argv for part in (word, *word.split("=", 1))}
    # argparse quotes with repr(), which escapes some characters.
    parts |= {repr(part)[1:-1] for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        if part and not _HARMLESS.fullmatch(part):
            message = message.replace(part, "…")
    return message


def add_account_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that choose accounts: one, or the demo's."""
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        nargs="?",
        help="12345678-03, or the masked label of a configured account; all when left out",
    )
    add_demo_argument(parser)


def add_one_account_argument(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names the one account that a command is about."""
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        nargs="?",
        help="12345678-03, or the name or masked label of a configured account; may be left out "
        "when there is one, and in the demo",
    )


def add_pull_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what to pull: account, both codes, and the demo."""
    add_one_account_argument(parser)
    for option, name, code, default in (
        ("--mgna-dvsn", "MGNA_DVSN, 증거금구분", Margin, Margin.INITIAL),
        ("--excc-stat-cd", "EXCC_STAT_CD, 정산상태코드", Basis, Basis.SETTLEMENT),
    ):
        meanings = ", ".join(
            f"{member.value} {member.label('en').lower()} {member.label('ko')}" for member in code
        )
        parser.add_argument(
            option,
            choices=[member.value for member in code],
            default=default.value,
            help=f"{name}: {meanings} (default {default.value})",
        )
    add_demo_argument(parser)


def add_demo_argument(parser: argparse.ArgumentParser) -> None:
    """Add the option that chooses the embedded broker."""
    parser.add_argument(
        "--demo", action="store_true", help="the embedded broker's invented account, no key needed"
    )


def port(text: str) -> int:
    """Read a TCP port; 0 lets the system choose."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
