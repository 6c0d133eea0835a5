"""When the demo's market trades: sessions, settlements, trading days.

A trading day goes from one settlement (15:45 in Seoul) to the next, so a night session belongs to
the trading day in which it ends. Moments are epoch seconds. Two things are simpler than on the
exchange: the demo has no holidays, and it keeps Seoul's hours only.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date, timedelta
from functools import lru_cache
from itertools import accumulate

DAY = 86_400
KST = 9 * 3_600  # seconds ahead of UTC; Seoul has no summer time
_WEEK = 7 * DAY
_CLOSE = 15 * 3_600 + 45 * 60  # the day session's end, when the settlement price is set
_EPOCH = date(1970, 1, 1).toordinal()
_SINCE_MONDAY = 3 * DAY  # 1970-01-01 was a Thursday


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


def settled_at(moment: int) -> int:
    """Epoch seconds of the last settlement: 15:45 in Seoul, Monday to Friday."""
    last = moment - (moment + KST - _CLOSE) % DAY
    return last - max(kst_date(last).weekday() - 4, 0) * DAY


def trading_day(moment: int) -> date:
    """The date of the trading day at a moment: from one settlement to the next one's date."""
    following = kst_date(settled_at(moment)) + timedelta(days=1)
    return following + timedelta(
        days=(7 - following.weekday()) % 7 if following.weekday() > 4 else 0
    )


def _in_week(moment: int) -> tuple[int, int, int]:
    """The week's number, the second in it, and which session began last (-1: none this week)."""
    week, second = divmod(moment + KST + _SINCE_MONDAY, _WEEK)
    return week, second, bisect_right(_STARTS, second) - 1


@lru_cache(maxsize=4_096)
def last_traded(moment: int) -> int:
    """The moment itself during a session, else the end of the last one.

    Prices do not move between sessions or over the weekend: they are those of the session's last
    second.
    """
    _, second, session = _in_week(moment)
    if session < 0:  # Monday before 08:45: the last session is Friday's night, ended on Saturday
        return moment - second - _WEEK + _SESSIONS[-1][1]
    return moment - max(second - _SESSIONS[session][1], 0)


@lru_cache(maxsize=4_096)
def paced(moment: int) -> int:
    """Seconds of trading up to a moment, times the pace: none pass between sessions."""
    week, second, session = _in_week(moment)
    seconds = week * _PACED[-1]
    if session >= 0:
        start, end, pace = _SESSIONS[session]
        seconds += _PACED[session] + (min(second, end) - start) * pace
    return seconds
