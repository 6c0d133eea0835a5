"""Two functions timed alternately, so that a busy machine slows both; the result is their ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

HEAD = f"{'':<58}{'kis_nb':>9}{'baseline':>10}{'ratio':>9}{'reach':>9}"


def milliseconds(work: Callable[[], object]) -> float:
    """The time that one run takes."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def compare(
    title: str,
    ours: Callable[[], object],
    bare: Callable[[], object],
    *,
    reach: str,
    rounds: int = 21,
) -> float:
    """Time both alternately; print the medians in ms and the median ratio of neighbouring runs."""
    for warm_up in (bare, ours):
        warm_up()
    pairs = [(milliseconds(ours), milliseconds(bare)) for _ in range(rounds)]
    mine, base = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    line(title, mine, base, ratio, reach)
    return ratio


def line(title: str, mine: float, base: float, ratio: float, reach: str) -> None:
    """One line of the table."""
    print(f"{title:<58}{mine:>9.1f}{base:>10.1f}{ratio:>9.2f}{reach:>9}", flush=True)
