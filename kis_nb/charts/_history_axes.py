"""What the specs over time share: nights, labels of the time axis, gaps, and what a hover says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style

# Height of a line of text in the plot.
LANE = 16
# Pixels that a night must have to be shaded, a settlement to be a mark, and a label to be written.
_NIGHT_PIXELS, _MARK_PIXELS, _LABEL_PIXELS = 4, 7, 74


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
