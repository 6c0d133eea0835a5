"""The command ``risk``: estimates of what an account gains or loses when prices move."""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from kis_nb._choices import Lang
from kis_nb._cli import arguments, export
from kis_nb._cli.connecting import connected
from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._risk.risk import Risk

Format: TypeAlias = Literal["table", "csv", "json"]
_FORMATS: tuple[Format, ...] = ("table", "csv", "json")
_ENDINGS: dict[str, Format] = {".csv": "csv", ".json": "json", ".txt": "table"}
BLOCKS = ("answers", "positions", "totals", "scenarios", "margin-call", "margin-components")
# Per cent, the most that the library takes.
_FARTHEST = 1000


def add_risk_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``risk``."""
    arguments.add_one_account_argument(parser)
    parser.add_argument(
        "--underlying",
        metavar="NAME",
        help='"KOSPI 200", "KOSDAQ 150" or "USD/KRW"; default: the one with the largest notional, '
        "and all in positions and totals",
    )
    parser.add_argument(
        "--spot",
        type=_percent(falls_to_0=False),
        metavar="PERCENT",
        help="one scenario in place of the grid: the price moves by so much; -3 is 3 %% lower",
    )
    parser.add_argument(
        "--vol",
        type=_percent(falls_to_0=True),
        metavar="PERCENT",
        help="and each implied volatility by so much of itself; 20 turns 15 %% into 18 %%",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, help="default: from the ending of FILE, else table"
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="write here, not to stdout")
    parser.add_argument("--force", action="store_true", help="overwrite FILE")
    parser.add_argument(
        "--block", choices=BLOCKS, help="only this one (csv holds one; default: positions)"
    )
    arguments.add_demo_argument(parser)
    parser.add_argument("--lang", choices=("ko", "en"), help="default: as the terminal's")


def _percent(*, falls_to_0: bool) -> Callable[[str], float]:
    """Reads a relative move in per cent, as a fraction.

    Args:
        falls_to_0: whether -100 is one: for a volatility, not for a price.
    """

    def read(text: str) -> float:
        if not re.fullmatch(r"[+-]?[0-9]{1,6}(\.[0-9]{1,4})?", text, re.ASCII):
            raise argparse.ArgumentTypeError("a move is a number of per cent, like -3 or 2.5")
        percent = Decimal(text)
        if percent < -100 or percent > _FARTHEST or (percent == -100 and not falls_to_0):
            least = "from" if falls_to_0 else "above"
            raise argparse.ArgumentTypeError(
                f"a move is {least} -100 per cent and at most {_FARTHEST}"
            )
        return float(percent / 100)

    return read


def show(args: argparse.Namespace, lang: Lang) -> int:
    """Estimate an account's risk and print it, or write it to a file.

    Raises:
        UsageProblem: the arguments contradict each other, or name no account or underlying.
        OSError: the file exists and ``--force`` was not given, or its folder does not exist.
        ConfigError: QuantLib is not installed.
    """
    form = export.chosen_format(args.format, args.output, _ENDINGS)
    # Checked before the pull, which takes a while; `save` checks again.
    if args.output:
        export.check_target(args.output, overwrite=args.force)
    block = args.block or ("positions" if form == "csv" else None)
    move = None if args.spot is args.vol is None else (args.spot or 0.0, args.vol or 0.0)
    if move is not None and block not in (None, "scenarios"):
        raise arguments.UsageProblem(
            f"--spot and --vol are of scenarios and change nothing in {block}: add --block "
            "scenarios, or leave them out"
        )
    if importlib.util.find_spec("QuantLib") is None:
        install = f'{sys.executable} -m pip install "kis_nb[risk]"'
        raise ConfigError(f"kis-nb risk needs QuantLib; install with: {install}")
    from kis_nb._cli.risk_table import exported

    with connected("risk", demo=args.demo) as client:
        # KIS's Greeks take a call for each option that is held: only where they are shown.
        risk = _risk(
            client, args.account, greeks=block == "positions" or (form == "json" and block is None)
        )
        underlying = None if args.underlying is None else _underlying(args.underlying, risk)
        # Within the client: margin rates and margin by component, which a margin call and
        # margin-components take, are asked for here.
        content = exported(
            risk, form, block=block, underlying=underlying, move=move, lang=lang
        ).encode()
    if form == "csv":  # the other formats hold all of this
        notes = ["DEMO: these accounts are invented"] if risk.demo else []
        for note in [*notes, *risk.summary_lines(lang)]:
            sys.stderr.write(f"kis-nb: {' '.join(note.split())}\n")
    if args.output:
        export.save(args.output, content, overwrite=args.force)
    else:
        # As bytes: a file or pipe gets UTF-8 and the same line ends whatever the locale says.
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    return 0


def _underlying(text: str, risk: Risk) -> str:
    """The underlying that is meant: small letters, no blanks and its Korean name will do.

    Raises:
        UsageProblem: no position on it is priced.
    """
    from kis_nb._risk.answers import name_of

    for known in risk.underlyings:
        if _letters(text) in (_letters(known), _letters(name_of(known, "ko"))):
            return known
    listed = ", ".join(risk.underlyings) or "none"
    raise arguments.UsageProblem(f"no position is of that underlying; there are: {listed}")


def _letters(text: str) -> str:
    return "".join(text.split()).casefold()


def _risk(client: Client, account: str | None, *, greeks: bool) -> Risk:
    from kis_nb._risk.risk import risk

    try:
        balance = client.balance(client.accounts[0] if account is None and client.demo else account)
    except ValueError as error:
        raise arguments.UsageProblem(str(error)) from None
    return risk(balance, client=client, option_quotes=greeks)
