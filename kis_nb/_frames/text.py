"""How figures and one-line texts about a balance are written, wherever they are shown.

HTML repr, charts, dashboard, command line and file names all take their texts from here. Importing
this module does not load polars.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

from kis_nb._account import Account
from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin

Figure: TypeAlias = Decimal | int | None
# Between the parts of a line: account · codes · time.
SEPARATOR = " · "


class _Rows(Protocol):
    @property
    def height(self) -> int: ...


class Described(Protocol):
    """What the texts say about a balance. `kis_nb.Balance` has all of it; see its attributes."""

    @property
    def account(self) -> Account: ...
    @property
    def mgna_dvsn(self) -> Margin: ...
    @property
    def excc_stat_cd(self) -> Basis: ...
    @property
    def as_of(self) -> datetime: ...
    @property
    def pages(self) -> int: ...
    @property
    def positions(self) -> _Rows: ...
    @property
    def demo(self) -> bool: ...


def exact(value: Figure) -> str:
    """A figure with thousands separators: ``-1,237,500``, ``309.10``; null is ``–``.

    No digit is lost. Zeros at the end of the decimals are cut off, down to two decimals.
    """
    if value is None:
        return "–"
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    if "." in text:
        whole, fraction = text.split(".")
        text = f"{whole}.{fraction.rstrip('0').ljust(2, '0')}"
    return text


def signed(value: Figure) -> str:
    """As `exact`, with a plus before a figure above 0: ``+1,237,500``."""
    return f"+{exact(value)}" if value is not None and value > 0 else exact(value)


def arrowed(value: Figure) -> str:
    """As `signed`, with an arrow in front: not every reader can tell the colours apart."""
    return f"{_ARROWS[tone(value)]}{signed(value)}"


_ARROWS = {"up": "▲ ", "down": "▼ ", "flat": "", "": ""}


def tone(value: Figure) -> str:
    """Which colour a profit or loss has: ``up``, ``down`` or ``flat`` (0); blank for null."""
    return "" if value is None else "up" if value > 0 else "down" if value < 0 else "flat"


def count(number: int, noun: str) -> str:
    """``1 row``, ``20 rows``, ``1,200 rows``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def moment(at: datetime, *, seconds: bool = True) -> str:
    """``2026-11-22 23:15:04 KST``, of a time in Seoul; `seconds` may be left out."""
    return f"{at:%Y-%m-%d %H:%M:%S} KST" if seconds else f"{at:%Y-%m-%d %H:%M} KST"


def status_line(balance: Described, lang: Lang | None = None) -> str:
    """One line on a balance: what `status_words` says, and DEMO in the demo.

    Args:
        balance, lang: as of `status_words`.
    """
    words = status_words(balance, lang)
    return SEPARATOR.join([*words, "DEMO"] if balance.demo else words)


def status_words(balance: Described, lang: Lang | None = None) -> list[str]:
    """What the status line says of a balance: account (masked), codes, rows, pages, time.

    Args:
        balance: the balance.
        lang: adds the word for each code in this language (``MGNA_DVSN=01 Initial``). Without it
            the line is the same in both languages.
    """
    return [
        balance.account.masked,
        *(
            code.query if lang is None else f"{code.query} {code.label(lang)}"
            for code in (balance.mgna_dvsn, balance.excc_stat_cd)
        ),
        count(balance.positions.height, "row"),
        count(balance.pages, "page"),
        f"as of {moment(balance.as_of)}",
    ]


def file_name(balance: Described) -> str:
    """A name for a file of this balance, without an ending; every system allows its characters."""
    account = balance.account.masked.replace("*", "x")
    demo = "-DEMO" if balance.demo else ""
    return (
        f"kis-{account}-{balance.mgna_dvsn}-{balance.excc_stat_cd}"
        f"-{balance.as_of:%Y%m%d-%H%M%S}{demo}"
    )
