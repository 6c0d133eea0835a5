"""The rows that charts over time share: nights, labels of the time axis, moments, gaps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from kis_nb._chart_rows.heading import head_fields
from kis_nb._chart_rows.history_series import POINTS, Series, moment_id, span_text
from kis_nb._chart_rows.style import Style
from kis_nb._chart_rows.trading_time import TradingTime
from kis_nb._frames.text import count, moment
from kis_nb._seoul import KST
from kis_nb._widgets.vega_spec import Row

# How many parts of the reduced time are a gap.
_GAP = 2.5
SOURCES = {
    "snapshot": ("기록", "recorded"),
    "settlement": ("정산", "settlement"),
}
NO_HISTORY = ("기록이 없습니다", "No history yet")


def time_rows(series: Series, style: Style, when: Sequence[str] = ()) -> list[Row]:
    """The rows for nights and time labels; the first has the heading.

    Args:
        series: not empty.
        style: of the chart.
        when: what the heading says after the span.
    """
    times = [point["as_of"] for point in series.points]
    axis = TradingTime(times[0], times[-1])
    ticks = axis.ticks(style.lang)
    nights = axis.nights()
    rows: list[Row] = [
        {"kind": "tick", "x": tick.x, "text": tick.text, "order": at, "ticks": len(ticks)}
        for at, tick in enumerate(ticks)
    ]
    rows += [
        {"kind": "night", "x": night.begins, "end": night.ends, "nights": len(axis.days)}
        for night in nights
    ]
    recorded, settled = (series.counts.get(name, 0) for name in SOURCES)
    parts = []
    if recorded:
        parts.append(style.word(f"기록 {recorded:,}", f"{recorded:,} recorded"))
    if settled:
        parts.append(style.word(f"정산 {settled:,}", count(settled, "settlement")))
    if series.points[0] is not series.points[-1] and max(segments(series)) > 0:
        parts.append(style.word("점선: 기록 없음", "dotted: nothing recorded"))
    head = head_fields((series.label, span_text(times[0], times[-1])), (*parts, *when))
    head |= {"demo": "DEMO" if series.demo else "", "own": [], "before": 38.0, "after": 0.0}
    return [{"kind": "head"} | head, *rows]


def segments(series: Series) -> list[int]:
    """The number of the stretch that each moment is in.

    A gap that is narrower than two moments of the reduced time can be is not told apart from none.
    """
    points = series.points
    axis = TradingTime(points[0]["as_of"], points[-1]["as_of"])
    numbers = [0]
    for before, point in pairwise(points):
        wide = axis.x(point["as_of"]) - axis.x(before["as_of"]) > _GAP * axis.width / POINTS
        numbers.append(numbers[-1] + (wide and point["segment"] != before["segment"]))
    return numbers


def point_rows(series: Series, style: Style) -> list[Row]:
    """A row for each moment, with its place and the words that a hover shows, but no figure.

    A moment after a gap has ``from``, where the moment before it is.
    """
    points = series.points
    axis = TradingTime(points[0]["as_of"], points[-1]["as_of"])
    places = [axis.x(point["as_of"]) for point in points]
    edges = [places[0], *((a + b) / 2 for a, b in pairwise(places)), places[-1]]
    if len(points) == 1:
        edges = [places[0] - 0.5, places[0] + 0.5]
    rows: list[Row] = []
    stretch = segments(series)
    for at, point in enumerate(points):
        settled = point["source"] == "settlement"
        beside = [stretch[one] for one in (at - 1, at + 1) if 0 <= one < len(points)]
        rows.append(
            {
                "kind": "point",
                "id": moment_id(point["as_of"]),
                "x": places[at],
                "left": edges[at],
                "right": edges[at + 1],
                "segment": stretch[at],
                "settled": settled,
                "alone": stretch[at] not in beside,
                "days": len(axis.days),
                "at": moment(point["as_of"].astimezone(KST)),
                "source": style.word(*SOURCES["settlement" if settled else "snapshot"]),
                "from": places[at - 1] if at and stretch[at] != stretch[at - 1] else None,
            }
        )
    return rows


def empty_rows(style: Style, note: tuple[str, str] = NO_HISTORY) -> list[Row]:
    """The one row of a chart without moments: it says so."""
    text = style.word(*note)
    return [{"kind": "note", "note": text, "aria": text}]


def short_moment(at: datetime) -> str:
    """``2026-11-23 02:14:05``, of Seoul's time, below a heading that says so."""
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M:%S}"
