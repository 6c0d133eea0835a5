"""Which times count as one moment, and how the times of several pulls are written.

Importing this module does not load polars.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from kis_nb._frames.text import moment

# Two pulls at most this far apart count as one moment. The dashboard marks what is further apart by
# the same measure: the estimate has no mark of its own.
SAME_MOMENT = timedelta(seconds=5)


def same_moment(one: datetime, other: datetime) -> bool:
    """Whether two pulls count as one moment."""
    return abs(one - other) <= SAME_MOMENT


def moments(times: Iterable[datetime]) -> str:
    """The time of pulls: the last one's, and the first one's before it if they are no one moment.

    ``2026-11-22 22:45:04 – 23:15:04 KST``; the second date is written when it is another.

    Args:
        times: of the pulls, in Seoul; at least one.
    """
    known = sorted(times)
    first, last = known[0], known[-1]
    if same_moment(first, last):
        return moment(last)
    end = f"{last:%H:%M:%S} KST" if first.date() == last.date() else moment(last)
    return f"{first:%Y-%m-%d %H:%M:%S} – {end}"
