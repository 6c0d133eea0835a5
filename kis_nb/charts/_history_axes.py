"""What the charts over time share: nights, labels of the time axis, gaps, and what a hover says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import altair as alt

from kis_nb._frames.text import count, moment
from kis_nb._seoul import KST
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._heading import head_fields
from kis_nb.charts._history_series import POINTS, Series, moment_id, span_text
from kis_nb.charts._style import Style
from kis_nb.charts._trading_time import TradingTime

# Height of a line of text in the plot.
LANE = 16
# How many parts of the reduced time are a gap.
_GAP = 2.5
# Pixels that a night must have to be shaded, a settlement to be a mark, and a label to be written.
_NIGHT_PIXELS, _MARK_PIXELS, _LABEL_PIXELS = 4, 7, 74
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


def x_axis() -> alt.X:
    """Trading time; the labels are rows of their own."""
    scale = alt.Scale(nice=False, zero=False, padding=2)
    return alt.X("x:Q", axis=None, scale=scale)


def behind(base: alt.Chart, style: Style) -> list[alt.Chart]:
    """The layers at the back: nights, and the labels of the time axis with their lines."""
    nights = (
        base.transform_filter("datum.kind == 'night'")
        .mark_rect(color=style["soft"], aria=False)
        .encode(
            x=x_axis(),
            x2="end:Q",
            # Stripes of a pixel or two would be a pattern and no nights.
            opacity=alt.value(alt.ExprRef(f"width / datum.nights > {_NIGHT_PIXELS} ? 0.1 : 0")),
        )
    )
    some = f"datum.order % ceil(datum.ticks * {_LABEL_PIXELS} / max(width, 1)) == 0"
    ticks = base.transform_filter("datum.kind == 'tick'")
    lines = ticks.mark_rule(color=style["line"], strokeWidth=1, aria=False).encode(
        x=x_axis(), opacity=alt.value(alt.ExprRef(f"{some} ? 1 : 0"))
    )
    labels = ticks.mark_text(
        align="left", baseline="top", fontSize=11, color=style["soft"], aria=False
    ).encode(
        x=x_axis(),
        y=alt.value(alt.ExprRef("height + 4")),
        # The last label may not stick out of the chart.
        text=alt.value(
            alt.ExprRef(f"{some} && scale('x', datum.x) < width - 40 ? datum.text : ''")
        ),
    )
    return [nights, lines, labels]


def hover(base: alt.Chart, style: Style, tips: Sequence[alt.Tooltip]) -> alt.Chart:
    """The layer at the front: a strip for each moment, which says its figures and can be picked."""
    points = base.transform_filter("datum.kind == 'point'")
    over = alt.selection_point(
        name="over", on="pointerover", clear="pointerout", fields=["id"], empty=False
    )
    picked = "length(picked) > 0 && indexof(picked, datum.id) >= 0"
    made: alt.Chart = (
        points.mark_rect(color=style["cash"], cursor="crosshair")
        .encode(
            x=alt.X("left:Q", axis=None),
            x2="right:Q",
            opacity=alt.when(picked)
            .then(alt.value(0.22))
            .when(over)
            .then(alt.value(0.14))
            .otherwise(alt.value(0)),
            tooltip=[
                alt.Tooltip("at:N", title=style.word("시각", "Time")),
                *tips,
                alt.Tooltip("source:N", title=style.word("출처", "Source")),
            ],
            description=alt.Description("aria:N"),
        )
        .add_params(over)
    )
    return made


def settled_marks(base: alt.Chart, style: Style, y: alt.Y) -> alt.Chart:
    """The layer of hollow diamonds at settlements, and of dots at moments that no line reaches."""
    points = base.transform_filter("datum.kind == 'point' && (datum.settled || datum.alone)")
    wide = f"width / datum.days > {_MARK_PIXELS}"
    made: alt.Chart = points.mark_point(filled=False, opacity=1, aria=False).encode(
        x=x_axis(),
        y=y,
        color=alt.value(style["cash"]),
        shape=alt.value(alt.ExprRef("datum.settled ? 'diamond' : 'circle'")),
        # Where marks would touch, the line alone is drawn, and a dot where there is none.
        size=alt.value(alt.ExprRef(f"{wide} ? (datum.settled ? 36 : 10) : (datum.alone ? 3 : 0)")),
    )
    return made


def note_text(base: alt.Chart, style: Style) -> alt.Chart:
    """The layer with the sentence of a chart that has nothing to draw."""
    made: alt.Chart = (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(alt.ExprRef("height / 2")),
            text="note:N",
            description=alt.Description("aria:N"),
        )
    )
    return made


def lane_text(base: alt.Chart, style: Style, field: str, y: Any, **look: Any) -> alt.Chart:
    """A line of text in the plot, of the row that has this field; `look` is of the mark."""
    usual: dict[str, Any] = {
        "align": "left",
        "baseline": "middle",
        "fontSize": 11,
        "color": style["ink"],
        "limit": alt.ExprRef("width - 8"),
    }
    made: alt.Chart = (
        base.transform_filter(f"isValid(datum.{field})")
        .mark_text(**(usual | look))
        .encode(
            x=alt.value(4),
            y=y,
            text=f"{field}:N",
            tooltip=f"{field}:N",
            description=alt.Description(f"{field}:N"),
        )
    )
    return made


def short_moment(at: datetime) -> str:
    """``2026-11-23 02:14:05``, of Seoul's time, below a heading that says so."""
    return f"{at.astimezone(KST):%Y-%m-%d %H:%M:%S}"
