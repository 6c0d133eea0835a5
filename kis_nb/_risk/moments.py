"""When trading in a contract ends, and which moment a scenario is of.

Index products end at 15:20 on their last trading day, the US dollar's at 11:30; the night session
ends at 06:00 of the day after a trading day's evening (docs/sources.md, "Contract terms" and
"Trading hours").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, TypeAlias

from kis_nb._frames.calendar import is_trading_day
from kis_nb._seoul import KST

At: TypeAlias = str | date | datetime

_INDEX_ENDS = time(15, 20)
_ENDS = {"USD/KRW": time(11, 30)}
_NIGHT_ENDS = time(6)
_DAY = timedelta(days=1)
_YEAR = timedelta(days=365)


def end_of_trading(underlying: str, day: date) -> datetime:
    """When trading ends on a contract's last trading day."""
    return datetime.combine(day, _ENDS.get(underlying, _INDEX_ENDS), KST)


def years(begin: datetime, end: datetime) -> float:
    """The time between two moments in years of 365 days; 0 when the second is not later."""
    return max((end - begin) / _YEAR, 0.0)


def night_end(moment: datetime) -> datetime:
    """When the night session that is open, or else the next one, ends."""
    day = moment.astimezone(KST).date() - _DAY
    while True:
        end = datetime.combine(day + _DAY, _NIGHT_ENDS, KST)
        if end > moment and is_trading_day(day):
            return end
        day += _DAY


def read_moments(
    at: At | Sequence[At] | None, now: datetime, underlying: str, expiries: Sequence[date]
) -> list[datetime]:
    """The moments that scenarios are asked for, in order, each once.

    Args:
        at: "now", "night" (the end of the night session), a day (the end of trading on it, also as
            text like 2026-12-10), a time, or several of these; None for now, night, and the end of
            each expiry.
        now: the moment of the balance, and the earliest.
        underlying: whose end of trading a day means.
        expiries: of the positions.

    Raises:
        ValueError: none of these, or a moment before `now`.
    """
    if at is None:
        at = ["now", "night", *expiries]
    asked: list[Any] = list(at) if isinstance(at, (list, tuple)) else [at]
    if not asked:
        raise ValueError("at takes one moment or several")
    found = [_read(one, now, underlying) for one in asked]
    early = next((one for one in found if one < now), None)
    if early is not None:
        raise ValueError(
            f"at takes moments from that of the balance on ({now:%Y-%m-%d %H:%M:%S} KST); "
            f"got {early:%Y-%m-%d %H:%M:%S}"
        )
    return sorted(set(found))


def _read(at: At, now: datetime, underlying: str) -> datetime:
    if isinstance(at, datetime):
        return at.replace(tzinfo=KST) if at.tzinfo is None else at.astimezone(KST)
    if isinstance(at, date):
        if not is_trading_day(at):
            raise ValueError(f"at takes a trading day; the exchange is closed on {at}")
        return end_of_trading(underlying, at)
    if at == "now":
        return now
    if at == "night":
        return night_end(now)
    try:
        read = date.fromisoformat(at) if len(at) in (8, 10) else datetime.fromisoformat(at)
    except (TypeError, ValueError):
        read = None
    if read is None:
        raise ValueError(f'at takes "now", "night", a day like 2026-12-10, or a time; got {at!r}')
    return _read(read, now, underlying)
