"""A stretch of time split by what was being done in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from tests.bench.probe import Segment

# Phases in which a thread only waits.
WAITS = frozenset({"wire"})


def split(
    segments: Iterable[Segment], begin: float, end: float, waits: frozenset[str] = WAITS
) -> dict[str, float]:
    """Seconds by phase between two moments, of one or several threads.

    Where several threads are at work at once, each counts for its part: two halves, three thirds. A
    wait counts only while no thread works. The sum is at most ``end - begin``; what is missing is
    time in which nothing recorded went on.
    """
    inside = [(max(a, begin), min(b, end), phase) for a, b, phase, _ in segments]
    inside = [(a, b, phase) for a, b, phase in inside if a < b]
    edges = sorted(
        (moment, step, phase) for a, b, phase in inside for moment, step in ((a, 1), (b, -1))
    )
    at_once: dict[str, int] = defaultdict(int)
    spent: dict[str, float] = defaultdict(float)
    before = begin
    for moment, step, phase in edges:
        active = {name: count for name, count in at_once.items() if count}
        working = {name: count for name, count in active.items() if name not in waits} or active
        for name, count in working.items():
            spent[name] += (moment - before) * count / sum(working.values())
        before = moment
        at_once[phase] += step
    return dict(spent)
