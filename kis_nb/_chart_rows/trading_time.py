"""The time axis of history: Korean trading time, in which closed hours take almost no width.

A line over a weekend would be a slope that nobody measured, and a gap as wide as the weekend would
leave a chart of nights mostly blank. So the night (18:00 to 06:00) and the day session (08:45 to
15:45) have a width in proportion to their length, and each closed time between them a fifth of an
hour at most. What is shown in a closed time, a pull on a Sunday, keeps its order.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from kis_nb._frames.calendar import is_trading_day, trading_date
from kis_nb._seoul import KST

_DAY = timedelta(days=1)
_NIGHT = time(18)
_NIGHT_LENGTH = timedelta(hours=12)
_OPENS, _CLOSES = time(8, 45), time(15, 45)
# The most hours of width that a closed time takes, and the most trading days whose hours are named.
_CLOSED = 0.2
_DAYS_OF_HOURS = 1.4
_WEEKDAYS = {"ko": "월화수목금토일", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
# How much of a whole day the first one must be to have a label.
_ROOM = 0.8
# Steps between the ticks of a night, in minutes.
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 180)
_MOST_TICKS = 14


class Tick(NamedTuple):
    """A label on the axis: where, and what."""

    x: float
    text: str


class Night(NamedTuple):
    """One night session, from 18:00 to 06:00, as the axis shows it."""

    begins: float
    ends: float


def previous_trading_day(day: date) -> date:
    """The last trading day before this day."""
    day -= _DAY
    while not is_trading_day(day):
        day -= _DAY
    return day


def night_begins(day: date) -> datetime:
    """When the night of this trading day begins: 18:00 of the trading day before it."""
    return datetime.combine(previous_trading_day(day), _NIGHT, KST)


class TradingTime:
    """Moments as positions on an axis, in hours from the first one.

    Args:
        first, last: what the axis has to show.
    """

    def __init__(self, first: datetime, last: datetime) -> None:
        self.first, self.last = first.astimezone(KST), last.astimezone(KST)
        self.days = self._days()
        self._times: list[datetime] = []
        self._places: list[float] = []
        place = 0.0
        for day in self.days:
            night = night_begins(day)
            for begins, ends in (
                (night, night + _NIGHT_LENGTH),
                (datetime.combine(day, _OPENS, KST), datetime.combine(day, _CLOSES, KST)),
            ):
                if self._times:
                    place += min(_CLOSED, _hours(begins - self._times[-1]))
                self._times.append(begins)
                self._places.append(place)
                place += _hours(ends - begins)
                self._times.append(ends)
                self._places.append(place)
        self._origin = self._place(self.first)

    def _days(self) -> list[date]:
        day, end = trading_date(self.first), trading_date(self.last)
        days = []
        while day <= end:
            if is_trading_day(day):
                days.append(day)
            day += _DAY
        return days

    def _place(self, at: datetime) -> float:
        after = bisect_right(self._times, at)
        if after == 0:
            return self._places[0] - min(_CLOSED, _hours(self._times[0] - at))
        if after == len(self._times):
            return self._places[-1] + min(_CLOSED, _hours(at - self._times[-1]))
        before = after - 1
        span = self._times[after] - self._times[before]
        share = (at - self._times[before]) / span
        return self._places[before] + share * (self._places[after] - self._places[before])

    def x(self, at: datetime) -> float:
        """Where a moment is, in hours of trading time after the first."""
        return self._place(at.astimezone(KST)) - self._origin

    @property
    def width(self) -> float:
        """Where the last moment is."""
        return self.x(self.last)

    def nights(self) -> list[Night]:
        """The nights, each cut to what the axis shows."""
        found = []
        for day in self.days:
            begins = night_begins(day)
            left = max(self.x(begins), 0.0)
            right = min(self.x(begins + _NIGHT_LENGTH), self.width)
            if right > left:
                found.append(Night(left, right))
        return found

    def ticks(self, lang: str) -> list[Tick]:
        """Labels: hours of one night, days of some weeks, months of a longer time."""
        if len(self.days) <= _DAYS_OF_HOURS or self.width <= _hours(_NIGHT_LENGTH):
            return self._hours()
        words = _WEEKDAYS[lang]
        named = self.days if len(self.days) <= 3 * _MOST_TICKS else _first_of_months(self.days)
        ticks = []
        for day in named:
            x = max(self.x(night_begins(day)), 0.0)
            if len(self.days) > 3 * _MOST_TICKS:
                ticks.append(Tick(x, f"{day:%Y-%m}"))
            elif lang == "ko":
                ticks.append(Tick(x, f"{day:%m/%d} {words[day.weekday()]}"))
            else:
                ticks.append(Tick(x, f"{words[day.weekday()]} {day:%m/%d}"))
        # Of the first day often the closing alone is there: its label would be under the next one.
        if len(ticks) > 2 and ticks[1].x - ticks[0].x < _ROOM * (ticks[2].x - ticks[1].x):
            del ticks[0]
        return ticks

    def _hours(self) -> list[Tick]:
        span = (self.last - self.first).total_seconds() / 60
        step = next((one for one in _STEPS if span / one <= _MOST_TICKS), _STEPS[-1])
        begins = self.first.replace(hour=0, minute=0, second=0, microsecond=0)
        number = -(-(self.first - begins) // timedelta(minutes=step))
        ticks, at = [], begins + number * timedelta(minutes=step)
        while at <= self.last:
            ticks.append(Tick(self.x(at), f"{at:%H:%M}"))
            at += timedelta(minutes=step)
        return ticks


def _hours(span: timedelta) -> float:
    return span.total_seconds() / 3600


def _first_of_months(days: Sequence[date]) -> list[date]:
    found: list[date] = []
    for day in days:
        if not found or (day.year, day.month) != (found[-1].year, found[-1].month):
            found.append(day)
    return found
