"""The commands ``record`` and ``history``: keep a night, and look at what is kept."""

from __future__ import annotations

import argparse
import re
import sys
import threading
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._cli import arguments
from kis_nb._cli.connecting import connected
from kis_nb._cli.signals import on_termination

if TYPE_CHECKING:
    from kis_nb._history.history import History

_BOTH = {"mgna_dvsn": ("01", "02"), "excc_stat_cd": ("1", "2")}


def add_record_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``record``."""
    parser.add_argument(
        "accounts",
        metavar="ACCOUNT",
        nargs="*",
        help="12345678-03, or the name or masked label of a configured account; all when left out",
    )
    parser.add_argument(
        "--to", type=Path, metavar="PATH", required=True, help="the folder to keep them in"
    )
    parser.add_argument(
        "--every", type=_seconds, default=60, metavar="SECONDS", help="between two pulls (60)"
    )
    parser.add_argument(
        "--until",
        type=_time,
        metavar="HH:MM",
        help="Seoul time; the end of the night session, 06:00, when left out",
    )
    for option, default, codes, names in (
        (
            "--mgna-dvsn",
            "02",
            _BOTH["mgna_dvsn"],
            "MGNA_DVSN: 01 initial 개시, 02 maintenance 유지",
        ),
        ("--excc-stat-cd", "1", _BOTH["excc_stat_cd"], "EXCC_STAT_CD: 1 정산, 2 본정산"),
    ):
        parser.add_argument(
            option,
            choices=(*codes, "both"),
            default=default,
            help=f"{names} (default {default})",
        )
    arguments.add_demo_argument(parser)
    parser.add_argument("--lang", choices=("ko", "en"), help="default: as the terminal's")


def add_history_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``history``."""
    parser.add_argument("path", metavar="PATH", help="the folder, or a URL like s3://bucket/prefix")
    parser.add_argument(
        "--account", help="one only: its number, or what the columns account or account_label have"
    )
    parser.add_argument("--since", type=_date, metavar="DATE", help="trading day, 2026-11-23")
    parser.add_argument("--until", type=_date, metavar="DATE", help="trading day, included")
    parser.add_argument(
        "--fill-from",
        type=_date,
        metavar="DATE",
        help="first fill days that were not recorded, from this one on",
    )
    parser.add_argument("--format", choices=("table", "csv", "json"), default="table")
    arguments.add_demo_argument(parser)
    parser.add_argument("--lang", choices=("ko", "en"), help="default: as the terminal's")


def _seconds(text: str) -> int:
    """Read the interval."""
    if not re.fullmatch(r"[0-9]{1,5}", text, re.ASCII) or not 1 <= int(text) <= 86_400:
        raise argparse.ArgumentTypeError("an interval is 1 to 86400 seconds")
    return int(text)


def _time(text: str) -> time:
    """Read a time of day."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text, re.ASCII):
        raise argparse.ArgumentTypeError("a time is like 06:00")
    return time.fromisoformat(text)


def _date(text: str) -> date:
    """Read a day."""
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007 (a day has no zone)
    except ValueError:
        raise argparse.ArgumentTypeError("a day is like 2026-11-23") from None


def record(args: argparse.Namespace, lang: Lang) -> int:
    """Record a night until it ends or a termination signal comes; 0 either way.

    Raises:
        UsageProblem: an account does not fit, or there is none.
        HistoryError: the folder cannot be written, or keeps other accounts.
    """
    from kis_nb._history.history import history
    from kis_nb._history.record_lines import StreamLines

    stop = threading.Event()
    with (
        connected("record --to PATH", demo=args.demo) as client,
        on_termination(lambda *_: stop.set()),
    ):
        if client.demo:
            sys.stderr.write("kis-nb: DEMO: these accounts are invented\n")
        try:
            history(args.to).record(
                client,
                args.every,
                until=args.until,
                accounts=args.accounts or None,
                mgna_dvsn=_codes("mgna_dvsn", args.mgna_dvsn),
                excc_stat_cd=_codes("excc_stat_cd", args.excc_stat_cd),
                lang=lang,
                lines=StreamLines(sys.stdout, client.clock),
                stop=stop,
            )
        except ValueError as error:
            raise arguments.UsageProblem(str(error)) from None
    return 0


def _codes(name: str, given: str) -> tuple[str, ...]:
    return _BOTH[name] if given == "both" else (given,)


def show(args: argparse.Namespace, lang: Lang) -> int:
    """Print what a history has, a line for each account and trading day.

    With ``--fill-from`` days that were not recorded are filled first; 1 when one failed.

    Raises:
        UsageProblem: the account does not fit.
        HistoryError: the history cannot be read.
    """
    from kis_nb._cli.history_table import day_rows, printed
    from kis_nb._history.history import history

    kept = history(args.path)
    code = 0
    if args.fill_from:
        code = _fill(args, kept, lang)
    rows = kept.asked(
        "summary",
        lambda: day_rows(kept.summary(account=args.account, start=args.since, end=args.until)),
        args.since,
        args.until,
    )
    if args.format != "table" and rows["demo"].any():
        sys.stderr.write("kis-nb: DEMO: these accounts are invented\n")
    sys.stdout.flush()
    sys.stdout.buffer.write(printed(rows, args.format, lang).encode())
    return code


def _fill(args: argparse.Namespace, kept: History, lang: Lang) -> int:
    """Fill days, and say how many; 1 when one failed."""
    from kis_nb._cli.history_table import filled_lines

    with connected("history PATH --fill-from DAY", demo=args.demo) as client:
        try:
            result = kept.backfill(
                client,
                args.fill_from,
                args.until,
                accounts=args.account,
                progress=sys.stderr.isatty(),
            )
        except ValueError as error:
            raise arguments.UsageProblem(str(error)) from None
    for line in filled_lines(result, lang):
        sys.stderr.write(f"kis-nb: {line}\n")
    return int(result["failed"].sum() > 0)
