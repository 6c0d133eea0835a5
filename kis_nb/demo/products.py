"""The demo's products: contract terms as on the exchange, and which contracts each has.

Names and multipliers are those of docs/sources.md, "Codes and names", ticks and last trading days
those of "Contract terms" there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from kis_nb.demo.sessions import is_open, open_after, open_before
from kis_nb.demo.underlyings import K200, KQ150, USD, Underlying

Kind = Literal["F", "C", "P", "S"]  # future, call, put, calendar spread

_INDEX_ENDS = 15 * 3_600 + 20 * 60
_DOLLAR_ENDS = 11 * 3_600 + 30 * 60
_MONDAY, _THURSDAY = 0, 3


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A product of the exchange, such as the KOSPI 200 mini option.

    Attributes:
        code: the two characters of a contract's code after its kind.
        names: how a contract's name begins, by the contract's kind.
        groups: the master file's character for the kind, by the contract's kind.
        underlying: what its prices follow.
        multiplier: won per point.
        ticks: the tick below a price, that price, the tick from there up; hundredths of a point.
        margin: initial margin, in ten-thousandths of the contract's value (of the underlying's for
            options and spreads).
        fee: millionths of the traded amount.
        nth, weekday: the last trading day is the `nth` `weekday` (0 Monday) of the contract month;
            `nth` 0 is a weekly series, named by the week of its own last day.
        listed: how many contract months (weeks) trade at once.
        step: months between two of them.
        ends: when trading ends on the last day, in seconds from midnight.
        strikes: in hundredths of a point; empty for a future.
    """

    code: str
    names: tuple[tuple[Kind, str], ...]
    groups: tuple[tuple[Kind, str], ...]
    underlying: Underlying
    multiplier: int
    ticks: tuple[int, int, int]
    margin: int
    fee: int
    nth: int
    weekday: int
    listed: int
    step: int = 1
    ends: int = _INDEX_ENDS
    strikes: range = range(0)

    def rule_day(self, year: int, month: int, week: int) -> date:
        """The last trading day by the weekday rule alone, which knows no holidays."""
        first = date(year, month, 1)
        ahead = (self.weekday - first.weekday()) % 7 + 7 * ((week or self.nth) - 1)
        return first + timedelta(days=ahead)

    def last_day(self, year: int, month: int, week: int = 0) -> date:
        """Last trading day of a contract month, or of one of its weeks (from 1).

        A holiday moves it to the trading day before, a Monday weekly's to the one after.
        """
        return _last_day(self, year, month, week)

    def number(self, year: int, month: int, week: int = 0) -> int:
        """The term's number: one more for each term of the product."""
        months = year * 12 + month - 1
        if self.nth:
            return months // self.step
        weeks = self.rule_day(year, month, week).toordinal() // 7
        # No weekly of Thursday ends in a month's second week.
        return weeks - (months + (week > 2)) * (self.weekday == _THURSDAY)

    def terms(self, today: date) -> Iterator[tuple[int, int, int]]:
        """(year, month, week) of the contracts that trade on `today` or later, nearest first."""
        # A Monday weekly that a holiday moved may end in the month after its own.
        early = today - timedelta(days=10)
        index = early.year * 12 + early.month - 1
        while True:
            year, month = index // 12, index % 12 + 1
            weeks = range(1, 6) if not self.nth else [0] if month % self.step == 0 else []
            for week in weeks:
                # The second Thursday is the monthly option's; a fifth week may be the next month's.
                monthly = self.weekday == _THURSDAY and week == 2
                if (
                    not monthly
                    and self.rule_day(year, month, week).month == month
                    and self.last_day(year, month, week) >= today
                ):
                    yield year, month, week
            index += 1


@lru_cache(maxsize=8_192)
def _last_day(product: Product, year: int, month: int, week: int) -> date:
    day = product.rule_day(year, month, week)
    if is_open(day):
        return day
    return open_after(day) if week and product.weekday == _MONDAY else open_before(day)


def _futures(
    code: str,
    name: str,
    group: str,
    underlying: Underlying,
    multiplier: int,
    *,
    tick: int,
    margin: int,
    fee: int = 30,
    step: int = 3,
    listed: int = 4,
) -> Product:
    dollar = underlying is USD
    nth, weekday, ends = (3, _MONDAY, _DOLLAR_ENDS) if dollar else (2, _THURSDAY, _INDEX_ENDS)
    named: tuple[tuple[Kind, str], ...] = (("F", name),)
    grouped: tuple[tuple[Kind, str], ...] = (("F", group),)
    return Product(
        code, named, grouped, underlying, multiplier, (tick, 0, tick), margin, fee, nth, weekday,
        listed, step, ends,
    )  # fmt: skip


def _options(
    code: str,
    names: tuple[str, str],
    groups: str,
    underlying: Underlying,
    multiplier: int,
    ticks: tuple[int, int, int],
    strikes: range,
    *,
    listed: int,
    weekly: int | None = None,
) -> Product:
    # Half the futures' rate on the underlying's value; `Instrument.margin` adds the premium.
    margin = 600 if underlying is K200 else 750
    nth, weekday = (2, _THURSDAY) if weekly is None else (0, weekly)
    named: tuple[tuple[Kind, str], ...] = (("C", names[0]), ("P", names[1]))
    grouped: tuple[tuple[Kind, str], ...] = (("C", groups[0]), ("P", groups[1]))
    return Product(
        code, named, grouped, underlying, multiplier, ticks, margin, 1_500, nth, weekday, listed,
        strikes=strikes,
    )  # fmt: skip


_SMALL = (1, 1_000, 5)  # 0.01 below 10 points, else 0.05
_KOSDAQ = (10, 5_000, 50)
# 2.5 points apart as on the exchange for the KOSPI 200; the KOSDAQ 150's 10 are invented.
_MONTHLY = range(60_000, 140_000 + 1, 250)
_NEAR = range(85_000, 115_000 + 1, 250)
_KOSDAQ_STRIKES = range(110_000, 186_000 + 1, 1_000)

FUTURES = (
    _futures("01", "F", "1", K200, 250_000, tick=5, margin=1_200),
    _futures("05", "미니F", "B", K200, 50_000, tick=2, margin=1_200, step=1, listed=6),
    _futures("06", "코스닥150F", "3", KQ150, 10_000, tick=10, margin=1_500),
    _futures("75", "미국달러 F", "1", USD, 10_000, tick=10, margin=450, fee=20, step=1, listed=12),
)
OPTIONS = (
    _options("01", ("C", "P"), "56", K200, 250_000, _SMALL, _MONTHLY, listed=11),
    _options(
        "09", ("위클리C", "위클리P"), "LM", K200, 250_000, _SMALL, _NEAR,
        listed=4, weekly=_THURSDAY,
    ),
    _options(
        "AF", ("위클리M C", "위클리M P"), "NO", K200, 250_000, _SMALL, _NEAR,
        listed=4, weekly=_MONDAY,
    ),
    _options("05", ("미니C", "미니P"), "DE", K200, 50_000, _SMALL, _NEAR, listed=6),
    _options(
        "06", ("코스닥150C", "코스닥150P"), "JK", KQ150, 10_000, _KOSDAQ, _KOSDAQ_STRIKES,
        listed=6,
    ),
    _options(
        "AJ", ("코스닥위클리C", "코스닥위클리P"), "PQ", KQ150, 10_000, _KOSDAQ, _KOSDAQ_STRIKES,
        listed=4, weekly=_THURSDAY,
    ),
    _options(
        "AK", ("코스닥위클리M C", "코스닥위클리M P"), "RS", KQ150, 10_000, _KOSDAQ,
        _KOSDAQ_STRIKES, listed=4, weekly=_MONDAY,
    ),
)  # fmt: skip
# Two months of the KOSPI 200 future, the far one bought, the near one sold. The tick is invented.
SPREADS = Product(
    "01", (("S", "SP"),), (("S", "2"),), K200, 250_000, (5, 0, 5), 150, 30, 2, _THURSDAY, 3, 3
)
