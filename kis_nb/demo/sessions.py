"""When the demo's market trades: sessions, settlements, trading days.

A trading day is that of KIS's books (docs/sources.md, "The account's days"): from 18:00 in Seoul to
18:00, its night first, with the settlement at 15:45. Moments are epoch seconds. Simpler than on the
exchange: the demo keeps Seoul's hours only, and knows holidays for some years
(`kis_nb.demo.closed_days`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate

from kis_nb.demo.closed_days import CLOSED_DAYS

DAY = 86_400
KST = 9 * 3_600  # seconds ahead of UTC; Seoul has no summer time
_WEEK = 7 * DAY
_CLOSE = 15 * 3_600 + 45 * 60  # the day session's end, when the settlement price is set
_EVENING = 18 * 3_600  # the night session's beginning, and the trading day's
_SATURDAY, _ONE = 5, timedelta(days=1)
_EPOCH = date(1970, 1, 1).toordinal()
_SINCE_MONDAY = 3 * DAY  # 1970-01-01 was a Thursday
_CLOSED_IN_ORDER = sorted(day.toordinal() - _EPOCH for day in CLOSED_DAYS)
_CLOSED = frozenset(_CLOSED_IN_ORDER)


def _at(hours: int, minutes: int = 0) -> int:
    return hours * 3_600 + minutes * 60


# A weekday's sessions as (start, end, pace) in seconds from midnight in Seoul: by day 08:45 to
# 15:45, by night 18:00 to 06:00 (docs/sources.md, "Trading hours"). The pace, invented, is how
# quickly prices move: the opening and the close are busier than noon, New York's opening is busier
# than the small hours.
_HOURS = (
    (_at(8, 45), _at(9, 30), 3),
    (_at(9, 30), _at(14, 30), 2),
    (_at(14, 30), _CLOSE, 3),
    (_at(18), _at(22, 30), 1),
    (_at(22, 30), _at(26), 2),
    (_at(26), _at(30), 1),
)
_SESSIONS = [
    (day * DAY + start, day * DAY + end, pace) for day in range(5) for start, end, pace in _HOURS
]
_STARTS = [start for start, _, _ in _SESSIONS]
_PACED = [0, *accumulate((end - start) * pace for start, end, pace in _SESSIONS)]


def kst_date(moment: int) -> date:
    """The Korean calendar date of a moment in epoch seconds."""
    return date.fromordinal(_EPOCH + (moment + KST) // DAY)


def at_seoul(day: date, seconds: int) -> int:
    """Epoch seconds of a time of day in Seoul."""
    return (day.toordinal() - _EPOCH) * DAY + seconds - KST


def is_open(day: date) -> bool:
    """Whether the exchange trades on this day."""
    return day.weekday() < _SATURDAY and day not in CLOSED_DAYS


@lru_cache(maxsize=1_024)
def open_before(day: date) -> date:
    """The last trading day before a date."""
    day -= _ONE
    while not is_open(day):
        day -= _ONE
    return day


def open_from(day: date) -> date:
    """The first trading day at or after a date."""
    while not is_open(day):
        day += _ONE
    return day


@lru_cache(maxsize=1_024)
def open_after(day: date) -> date:
    """The first trading day after a date."""
    return open_from(day + _ONE)


@lru_cache(maxsize=1_024)
def opens_at(day: date) -> int:
    """When a trading day begins: at 18:00 on the one before."""
    return at_seoul(open_before(day), _EVENING)


def settles_at(day: date) -> int:
    """When the settlement prices of a trading day are set: at 15:45."""
    return at_seoul(day, _CLOSE)


def settled_at(moment: int) -> int:
    """When the last settlement was."""
    last = kst_date(moment - _CLOSE)
    return settles_at(last if is_open(last) else open_before(last))


def trading_day(moment: int) -> date:
    """The date of the trading day at a moment."""
    return open_from(kst_date(moment + DAY - _EVENING))


def in_day_session(moment: int) -> bool:
    """Whether the last session to begin was a day's: from 08:45 to 18:00 on a trading day."""
    second = (moment + KST) % DAY
    return is_open(kst_date(moment)) and _HOURS[0][0] <= second < _EVENING


def _in_week(moment: int) -> tuple[int, int, int]:
    """The week's number, the second in it, and which session began last (-1: none this week)."""
    week, second = divmod(moment + KST + _SINCE_MONDAY, _WEEK)
    return week, second, bisect_right(_STARTS, second) - 1


def _opened(moment: int) -> int:
    """The number, from 1970-01-01, of the day whose 08:45 was last."""
    return (moment + KST - _HOURS[0][0]) // DAY


def _opening(number: int) -> int:
    """08:45 of a day by its number."""
    return number * DAY + _HOURS[0][0] - KST


def _session_end(moment: int) -> int:
    """`last_traded` of a calendar without holidays."""
    _, second, session = _in_week(moment)
    if session < 0:  # Monday before 08:45: the last session is Friday's night, ended on Saturday
        return moment - second - _WEEK + _SESSIONS[-1][1]
    return moment - max(second - _SESSIONS[session][1], 0)


@lru_cache(maxsize=4_096)
def last_traded(moment: int) -> int:
    """The moment itself during a session, else the end of the last one.

    Prices do not move between sessions, over the weekend or on a holiday and in its evening: they
    are those of the session's last second.
    """
    last = _session_end(moment)
    while (number := _opened(last)) in _CLOSED:
        last = _session_end(_opening(number) - 1)
    return last


@lru_cache(maxsize=4_096)
def paced(moment: int) -> int:
    """Seconds of trading up to a moment, times the pace: none pass between sessions."""
    number = _opened(moment)
    week, second, session = _in_week(_opening(number) if number in _CLOSED else moment)
    seconds = week * _PACED[-1] - bisect_left(_CLOSED_IN_ORDER, number) * _PACED[-1] // 5
    if session >= 0:
        start, end, pace = _SESSIONS[session]
        seconds += _PACED[session] + (min(second, end) - start) * pace
    return seconds
