"""The command ``risk``: estimates of what an account gains or loses when prices move."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from kis_nb._choices import Lang
from kis_nb._cli import arguments, export
from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._risk.risk import Risk

Format: TypeAlias = Literal["table", "csv", "json"]
_FORMATS: tuple[Format, ...] = ("table", "csv", "json")
_ENDINGS: dict[str, Format] = {".csv": "csv", ".json": "json", ".txt": "table"}
BLOCKS = ("answers", "positions", "totals", "scenarios", "margin-call")


def add_risk_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``risk``."""
    parser.add_argument(
        "account",
        metavar="ACCOUNT",
        nargs="?",
        help="12345678-03, or the name or masked label of a configured account; may be left out "
        "when there is one, and in the demo",
    )
    parser.add_argument(
        "--underlying",
        metavar="NAME",
        help='"KOSPI 200", "KOSDAQ 150" or "USD/KRW"; default: the one with the largest notional',
    )
    parser.add_argument(
        "--spot",
        type=_percent,
        metavar="PERCENT",
        help="one scenario in place of the grid: the price moves by so much; -3 is 3 %% lower",
    )
    parser.add_argument(
        "--vol",
        type=_percent,
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


def _percent(text: str) -> float:
    """Read a relative move in per cent, as a fraction."""
    if not re.fullmatch(r"[+-]?[0-9]{1,4}(\.[0-9]{1,4})?", text, re.ASCII):
        raise argparse.ArgumentTypeError("a move is a number of per cent, like -3 or 2.5")
    share = float(Decimal(text) / 100)
    if share <= -1:
        raise argparse.ArgumentTypeError("a move is above -100 per cent: nothing falls below 0")
    return share


def show(args: argparse.Namespace, lang: Lang) -> int:
    """Estimate an account's risk and print it, or write it to a file.

    Raises:
        UsageProblem: the arguments contradict each other, or name no account or underlying.
        FileExistsError: the file exists, and ``--force`` was not given.
        ConfigError: QuantLib is not installed.
    """
    form = export.chosen_format(args.format, args.output, _ENDINGS)
    # Checked before the pull, which takes a while; `save` checks again.
    if args.output and args.output.exists() and not args.force:
        raise FileExistsError(errno.EEXIST, "is there already", str(args.output))
    if importlib.util.find_spec("QuantLib") is None:
        install = f'{sys.executable} -m pip install "kis_nb[risk]"'
        raise ConfigError(f"kis-nb risk needs QuantLib; install with: {install}")
    from kis_nb._cli.risk_table import exported
    from kis_nb._connect import connect  # loads polars and requests

    block = args.block or ("positions" if form == "csv" else None)
    # Not `demo=args.demo`: without the option KIS_NB_DEMO decides.
    with connect(demo=True) if args.demo else connect() as client:
        # KIS's Greeks take a call for each option that is held: only where they are shown.
        risk = _risk(
            client, args.account, greeks=block == "positions" or (form == "json" and block is None)
        )
        if args.underlying is not None and args.underlying not in risk.underlyings:
            known = ", ".join(risk.underlyings) or "none"
            raise arguments.UsageProblem(f"no position is of that underlying; there are: {known}")
        move = None if args.spot is args.vol is None else (args.spot or 0.0, args.vol or 0.0)
        # Within the client: margin by component and rates are asked for when they are first needed.
        content = exported(
            risk, form, block=block, underlying=args.underlying, move=move, lang=lang
        ).encode()
    if risk.demo and form == "csv":  # the other formats hold it
        sys.stderr.write("kis-nb: DEMO: these accounts are invented\n")
    if args.output:
        export.save(args.output, content, overwrite=args.force)
    else:
        # As bytes: a file or pipe gets UTF-8 and the same line ends whatever the locale says.
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
    return 0


def _risk(client: Client, account: str | None, *, greeks: bool) -> Risk:
    from kis_nb._risk.risk import risk

    try:
        balance = client.balance(client.accounts[0] if account is None and client.demo else account)
    except ValueError as error:
        raise arguments.UsageProblem(str(error)) from None
    return risk(balance, client=client, option_quotes=greeks)
