"""The spec of the payoff: a curve over the underlying's level, with marks and notes."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.payoff import LABELS
from kis_nb._chart_rows.style import Style
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading

_LANE = 15
_TOP = (LABELS + 1) * _LANE + 6
# Space below the curve for two lines of notes.
_NOTE = 14
_BOTTOM = 2 * _NOTE + 6


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    x = alt.X(
        "level:Q",
        title=style.word("만기 때 기초자산", "Underlying at expiry"),
        axis=quiet_axis(
            style, grid=False, format=",~f", tickCount=alt.ExprRef("max(3, floor(width / 90))")
        ),
        scale=alt.Scale(zero=False, nice=False),
    )
    # Labels are drawn above the curve and notes below it, so neither crosses it.
    scale = alt.Scale(nice=True, range=[alt.ExprRef(f"height - {_BOTTOM}"), _TOP])
    y = alt.Y("value:Q", title=None, axis=money_axis(style, tickCount=6), scale=scale)
    tooltip = [
        alt.Tooltip("index:N", title=style.word("만기 때 기초자산", "Underlying at expiry")),
        alt.Tooltip("figure:N", title=style.word("만기 손익", "P&L at expiry")),
        alt.Tooltip("text:N", title=" "),
        alt.Tooltip("today:N", title=" "),
    ]
    areas = [
        base.mark_area(opacity=0.18, color=style[side], aria=False).encode(
            x=x, y=alt.Y(f"{side}:Q"), y2=alt.datum(0)
        )
        for side in ("up", "down")
    ]
    line = base.mark_line(color=style["ink"], strokeWidth=2, aria=False).encode(x=x, y=y)
    zero = base.mark_rule(color=style["soft"], aria=False).encode(y=alt.datum(0))
    now = base.transform_filter("isValid(datum.today)")
    today = now.mark_rule(color=style["alert"], strokeDash=[5, 3], strokeWidth=1.5).encode(
        x=x,
        y=alt.value(_TOP),
        y2=alt.value(alt.ExprRef(f"height - {_BOTTOM}")),
        description=alt.Description("today:N"),
        tooltip=tooltip,
    )
    right = "scale('x', datum.level) > width / 2"
    label: dict[str, Any] = {
        "align": alt.ExprRef(f"{right} ? 'right' : 'left'"),
        "baseline": "top",
        "fontSize": 11,
        "color": style["ink"],
        "aria": False,
    }
    today_text = now.mark_text(fontWeight="bold", **label).encode(
        x=x, y=alt.value(2), text="today:N"
    )
    marked = base.transform_filter("isValid(datum.mark)")
    marks = marked.mark_point(filled=True, size=46, opacity=1, fill=style["ink"]).encode(
        x=x,
        y=y,
        shape=alt.Shape(
            "mark:N",
            legend=None,
            scale=alt.Scale(domain=["strike", "zero"], range=["circle", "diamond"]),
        ),
        tooltip=tooltip,
        description=alt.Description("aria:N"),
    )
    zeros = (
        base.transform_filter("isValid(datum.lane)")
        .mark_text(**label)
        .encode(x=x, y=alt.value(alt.ExprRef(f"2 + {_LANE} * datum.lane")), text="text:N")
    )
    # Broad rules that nobody sees, for the tooltip at any place under the pointer.
    hover = base.mark_rule(strokeWidth=9, opacity=0.001, color=style["ink"], aria=False).encode(
        x=x, tooltip=tooltip
    )
    notes = (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(100),
            text="note:N",
            description=alt.Description("aria:N"),
        )
    )
    # Inside the plot and cut to its width: outside, it would make the plot smaller.
    left = (
        base.transform_filter("isValid(datum.left)")
        .mark_text(
            align="left",
            baseline="bottom",
            fontSize=11,
            color=style["soft"],
            limit=alt.ExprRef("width - 12"),
        )
        .encode(
            x=alt.value(6),
            y=alt.value(alt.ExprRef(f"height - {_NOTE} * datum.line")),
            text="left:N",
            tooltip="left:N",
            description=alt.Description("left:N"),
        )
    )
    front = [today, hover, marks, zeros, today_text, notes, left]
    return compose([*areas, zero, line, *front, *heading(data, style)], height=340)


PAYOFF = ChartKind("payoff", ("만기 손익 곡선", "Payoff at expiry"), _build)
