"""The demo's market: when it trades, and an underlying's level at any moment.

Imports the standard library only. Levels are integers, in millionths, and a function of seed and
time alone, so a fixed clock fixes every figure, and yesterday's settlement can be asked for as
easily as now.

Hours are those of products.md: the day session 08:45 to 15:45, the night session 18:00 to 06:00 on
the evenings of Monday to Friday, which belongs to the trading day it ends in. Two things are
simpler than on the exchange: this market knows no holidays, and it keeps Seoul's hours only.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate

DAY = 86_400
_KST = 9 * 3_600
_WEEK = 7 * DAY
_CLOSE = 15 * 3_600 + 45 * 60  # the day session's end, when the settlement price is set
_EPOCH = date(1970, 1, 1).toordinal()
_SINCE_MONDAY = 3 * DAY  # 1970-01-01 was a Thursday


def _at(hours: int, minutes: int = 0) -> int:
    return hours * 3_600 + minutes * 60


# A trading day's hours as (start, end, pace), counted from midnight in Seoul of the day whose
# evening the night session begins in. The pace is how quickly the market lives then, ours: the
# opening and the close are busier than noon, New York's opening than the small hours.
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
    return date.fromordinal(_EPOCH + (moment + _KST) // DAY)


def at_seoul(day: date, seconds: int) -> int:
    """Epoch seconds of a time of day in Seoul."""
    return (day.toordinal() - _EPOCH) * DAY + seconds - _KST


def settled_at(moment: int) -> int:
    """Epoch seconds of the last settlement: 15:45 in Seoul, Monday to Friday."""
    last = moment - (moment + _KST - _CLOSE) % DAY
    return last - max(kst_date(last).weekday() - 4, 0) * DAY


def trading_day(moment: int) -> date:
    """The date of the trading day at a moment: from one settlement to the next one's date."""
    following = kst_date(settled_at(moment)) + timedelta(days=1)
    return following + timedelta(
        days=(7 - following.weekday()) % 7 if following.weekday() > 4 else 0
    )


def _in_week(moment: int) -> tuple[int, int, int]:
    """The week's number, the second in it, and which session began last (-1: none this week)."""
    week, second = divmod(moment + _KST + _SINCE_MONDAY, _WEEK)
    return week, second, bisect_right(_STARTS, second) - 1


@lru_cache(maxsize=4_096)
def last_traded(moment: int) -> int:
    """The moment itself while a session is on, else the end of the last one.

    The market stands still between sessions and over the weekend: every price is then that of the
    session's last second.
    """
    _, second, session = _in_week(moment)
    if session < 0:  # Monday before 08:45: the last session is Friday's night, ended on Saturday
        return moment - second - _WEEK + _SESSIONS[-1][1]
    return moment - max(second - _SESSIONS[session][1], 0)


@lru_cache(maxsize=4_096)
def paced(moment: int) -> int:
    """Seconds that the market has lived through: none between sessions, more in busy hours."""
    week, second, session = _in_week(moment)
    lived = week * _PACED[-1]
    if session >= 0:
        start, end, pace = _SESSIONS[session]
        lived += _PACED[session] + (min(second, end) - start) * pace
    return lived


@dataclass(frozen=True, slots=True)
class Underlying:
    """What a contract's price follows: a level it stays near, and how much it swings.

    `code` and `label` are how the master file names it.
    """

    name: str
    level: int  # millionths
    swing: int  # per cent of the KOSPI 200's
    code: str
    label: str


K200 = Underlying("KOSPI 200", 1_003_000_000, 100, "2001", "KOSPI200")
KQ150 = Underlying("KOSDAQ 150", 1_480_000_000, 140, "3003", "KSQ150")
USD = Underlying("USD/KRW", 1_440_000_000, 35, "USD", "USD")


class Levels:
    """Levels from a seed: layers of smooth noise, slow and wide to quick and small.

    Each layer hashes the numbers of the two fixed time steps around the moment and goes smoothly
    from one to the other, so any moment costs the same and the level stays near its home: within
    7 % for the KOSPI 200, 10 % for the KOSDAQ 150, 3 % for the dollar. Time is the market's own
    (`paced`): it stands still between sessions, and a second counts for more in busy hours.
    """

    # (seconds a step, greatest swing in millionths)
    _LAYERS = (
        (20 * DAY, 45_000),
        (2 * DAY, 14_000),
        (5 * 3_600, 6_000),
        (2_400, 2_000),
        (240, 700),
        (3, 150),
    )
    _SMOOTH = 1_000_000

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # Many rows share an underlying and a moment. Bounded, since a demo may run for days.
        self.level = lru_cache(maxsize=8_192)(self._level)

    def _level(self, underlying: Underlying, moment: int) -> int:
        """The underlying's level at a moment (epoch seconds), in millionths."""
        lived, swing = paced(moment), 0
        for step, size in self._LAYERS:
            index, inside = divmod(lived, step)
            at = inside * self._SMOOTH // step
            ease = at * at * (3 * self._SMOOTH - 2 * at) // self._SMOOTH**2
            here, there = (
                self._noise(underlying, step, index),
                self._noise(underlying, step, index + 1),
            )
            swing += (here * (self._SMOOTH - ease) + there * ease) * size // self._SMOOTH
        # `swing` is in millionths of a millionth here; only integers, so no platform rounds it.
        return underlying.level + underlying.level * swing * underlying.swing // (100 * 10**12)

    def _noise(self, underlying: Underlying, step: int, index: int) -> int:
        text = f"{self.seed}|{underlying.name}|{step}|{index}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest()) % 2_000_001 - 1_000_000
