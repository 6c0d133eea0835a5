"""What the command line and the magic both take, read by a parser that repeats nothing private.

Under the faces `_cli` and `_magic`: imports `_fields`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from kis_nb._codes import Basis, Margin

# Words that an error may repeat: an option, a command, a small number. An account number or a key
# that slipped onto the line must not end in a terminal's log or a saved notebook.
_HARMLESS = re.compile(r"-{0,2}[a-z][a-z-]{0,20}|-?[0-9]{1,6}")
_SECRET = re.compile(r"--?[a-z-]*(key|secret|token|password|pwd)", re.IGNORECASE)


class UsageProblem(Exception):
    """The line cannot be understood; the message says why and may be shown."""


class Parser(argparse.ArgumentParser):
    """argparse that raises `UsageProblem` instead of printing and leaving."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Called by argparse when an argument does not fit."""
        raise UsageProblem(f"{message} (see {self.prog} --help)")

    def read(self, argv: Sequence[str]) -> argparse.Namespace:
        """As `parse_args`.

        Raises:
            UsageProblem: an argument does not fit. The message repeats no word that could be an
                account number or a secret.
        """
        try:
            return self.parse_args(argv)
        except UsageProblem as problem:
            said = str(problem)
        if any(_SECRET.match(word) for word in argv):
            said = (
                "keys, secrets and tokens are never given here, where others can read them; "
                "put them in the environment or in a file"
            )
        raise UsageProblem(_without(said, argv))


def _without(message: str, argv: Sequence[str]) -> str:
    """The message, with what could be private replaced by an ellipsis."""
    parts = {part for word in argv for part in (word, *word.split("=", 1))}
    # argparse quotes with repr(), which escapes some characters.
    parts |= {repr(part)[1:-1] for part in parts}
    for part in sorted(parts, key=len, reverse=True):
        if part and not _HARMLESS.fullmatch(part):
            message = message.replace(part, "…")
    return message


def add_account(parser: argparse.ArgumentParser) -> None:
    """The arguments that say whose: account, or the demo."""
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        nargs="?",
        help="12345678-03, or the masked label of a configured account; all when left out",
    )
    _add_demo(parser)


def add_pull(parser: argparse.ArgumentParser) -> None:
    """The arguments that say what to pull: account, both codes, and the demo."""
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        nargs="?",
        help="12345678-03, or the name or masked label of a configured account; may be left out "
        "when there is one, and in the demo",
    )
    for option, code, default in (
        ("--mgna-dvsn", Margin, Margin.INITIAL),
        ("--excc-stat-cd", Basis, Basis.SETTLEMENT),
    ):
        meanings = ", ".join(
            f"{member.value} {member.label('en').lower()} {member.label('ko')}" for member in code
        )
        parser.add_argument(
            option,
            choices=[member.value for member in code],
            default=default.value,
            help=f"{code.__doc__.split(':')[0] if code.__doc__ else ''}: {meanings} "
            f"(default {default.value})",
        )
    _add_demo(parser)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--demo", action="store_true", help="the embedded broker's invented account, no key needed"
    )


def port(text: str) -> int:
    """A TCP port; 0 lets the system choose."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or int(text) > 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return int(text)
