"""When a recorder pulls: the exchange's night sessions, and ticks at whole intervals.

Times of the exchange are Seoul's; moments are seconds since 1970, of the clock that can be set.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from kis_nb._frames.calendar import is_trading_day
from kis_nb._seoul import KST

OPENS = time(18)
ENDS = time(6)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when a recorder pulls, in seconds since 1970."""

    opens: float
    ends: float


def _at(day: date, hour: time) -> float:
    return datetime.combine(day, hour, KST).timestamp()


def night_at_or_after(moment: float) -> Period:
    """The night session that a moment is in, else the next one.

    A session begins at 18:00 of a trading day and ends at 06:00 of the next day. On the evening
    before some long holidays there is none; the exchange announces them, and no calendar here knows
    them.
    """
    day = datetime.fromtimestamp(moment, KST).date() - _DAY
    while not is_trading_day(day) or _at(day + _DAY, ENDS) <= moment:
        day += _DAY
    return Period(_at(day, OPENS), _at(day + _DAY, ENDS))


def period(moment: float, until: time | datetime | None) -> Period:
    """From when to when to pull, for a recorder that is started at a moment.

    Args:
        moment: the start.
        until: the end; None is the end of the session. A time of day is the first such time after
            the opening, or after the start if the session is under way. On a trading day before the
            session it is one of that day, if it is still to come: then the day is recorded.

    Returns:
        The period. It has begun when the start is within it.

    Raises:
        ValueError: `until` is over already, or has no time zone.
    """
    night = night_at_or_after(moment)
    if until is None:
        return night
    if isinstance(until, datetime):
        if until.tzinfo is None:
            raise ValueError("until has no time zone: give a datetime with one, or a time of day")
        ends = until.timestamp()
        if ends <= moment:
            raise ValueError("until is over already")
        return Period(min(night.opens, moment) if ends <= night.opens else night.opens, ends)
    today = datetime.fromtimestamp(moment, KST).date()
    ends = _at(today, until)
    if moment < ends <= night.opens and is_trading_day(today):
        return Period(moment, ends)
    begin = datetime.fromtimestamp(max(moment, night.opens), KST)
    ends = _at(begin.date(), until)
    if ends <= begin.timestamp():
        ends = _at(begin.date() + _DAY, until)
    return Period(night.opens, ends)


class Ticks:
    """The moments of the pulls: whole intervals from midnight in Seoul.

    What was missed is not caught up on, and the clock may be set: the next tick is worked out from
    the time that it is, never from the one before.

    Args:
        every: seconds between two ticks.
        start: a moment; the intervals are counted from the midnight before it.
    """

    def __init__(self, every: float, start: float) -> None:
        self.every = every
        midnight = datetime.fromtimestamp(start, KST).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        self._base = midnight.timestamp()

    def at_or_before(self, moment: float) -> float:
        """The last tick."""
        return self._base + math.floor((moment - self._base) / self.every) * self.every

    def after(self, moment: float, since: float = math.inf) -> float:
        """The next tick.

        Args:
            moment: now.
            since: seconds since the last pull began, by a clock that nobody sets. A tick that would
                follow it within half an interval is left out: the clock was set back a little.
        """
        following = self.at_or_before(moment) + self.every
        close = following - moment + since < self.every / 2
        return following + self.every if close else following
