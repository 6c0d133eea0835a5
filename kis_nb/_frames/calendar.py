"""The Korea Exchange's trading days, and the last trading day of a contract.

A weekday is a trading day unless it is a public holiday (`holidays` knows the elections and the
substitute days, and what the law changed in 2026), 1 May or the year's last weekday. A day that the
government makes a holiday at short notice is known once `holidays` is updated.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import cache

from kis_nb._frames.product_lines import MONDAY, PRODUCT_LINES, THURSDAY
from kis_nb._seoul import KST

_DAY = timedelta(days=1)
_SATURDAY = 5
# The day session opens, and ends with the settlement.
_OPENS, _SETTLES = time(8, 45), time(15, 45)
# The night session opens, and with it the next trading day begins.
_NIGHT = time(18)


@cache
def _closed(year: int) -> frozenset[date]:
    """The weekdays of a year on which the exchange is closed."""
    # Here because a pull needs no calendar, and this takes a third of a second to load.
    from holidays import country_holidays

    days = {*country_holidays("KR", years=year, expand=False), date(year, 5, 1)}
    last = date(year, 12, 31)
    while last.weekday() >= _SATURDAY:
        last -= _DAY
    return frozenset(days | {last})


def is_trading_day(day: date) -> bool:
    """Whether the exchange holds its day session on this day."""
    return day.weekday() < _SATURDAY and day not in _closed(day.year)


def _nearest(day: date, step: timedelta) -> date:
    """This day if it is a trading day, else the nearest one in the direction of the step."""
    while not is_trading_day(day):
        day += step
    return day


def last_opening(moment: float) -> float:
    """When the last day session at or before a moment opened; both in epoch seconds."""
    now = datetime.fromtimestamp(moment, KST)
    today = now.date() if now.time() >= _OPENS else now.date() - _DAY
    return datetime.combine(_nearest(today, -_DAY), _OPENS, KST).timestamp()


def trading_date(moment: datetime) -> date:
    """The trading day that a moment belongs to: from 18:00 of the evening before to its own 18:00.

    A night belongs to the trading day in which it ends. Friday's night, Saturday, Sunday and a
    holiday belong to the trading day that follows.

    Args:
        moment: aware, in any time zone.
    """
    now = moment.astimezone(KST)
    return _nearest(now.date() + _DAY if now.time() >= _NIGHT else now.date(), _DAY)


def last_settlement_day(moment: datetime) -> date:
    """The trading day of the last settlement (15:45) at or before a moment; the moment is aware."""
    now = moment.astimezone(KST)
    return _nearest(now.date() if now.time() >= _SETTLES else now.date() - _DAY, -_DAY)


def _nth(year: int, month: int, weekday: int, n: int) -> date | None:
    """The n-th of these weekdays in a month; None when the month has fewer."""
    first = date(year, month, 1)
    day = first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))
    return day if n > 0 and day.month == month else None


def last_trading_day(product: str, term: str) -> date | None:
    """When a contract trades for the last time.

    Index products: the second Thursday of the month; weeklies: that Thursday or Monday; US dollar:
    the third Monday. On a holiday the trading day before it, a Monday weekly's the one after.

    Args:
        product: a name in `kis_nb._frames.product_lines`.
        term: ``202612``, or a weekly's ``2609W4``.

    Returns:
        None when the rules give no day: the product is not known, it has no such term, the month
        has no such week, the week is 0, or it is the second week of a Thursday weekly, which the
        monthly contract replaces.
    """
    line = PRODUCT_LINES.get(product)
    if line is None or ("W" in term) != line.weekly:
        return None
    if line.nth is not None:
        day = _nth(int(term[:4]), int(term[4:]), line.weekday, line.nth)
    else:
        n = int(term[5:])
        if line.weekday == THURSDAY and n == 2:
            return None
        day = _nth(2000 + int(term[:2]), int(term[2:4]), line.weekday, n)
    after = line.weekly and line.weekday == MONDAY
    return None if day is None else _nearest(day, _DAY if after else -_DAY)
