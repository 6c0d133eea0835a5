"""The spec of unrealized P&L over the underlying's level: three lines and their marks."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.estimates import label, moment_word
from kis_nb._chart_rows.style import Style
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._estimates import AT_VOL, axis_title, line_text, with_sliders
from kis_nb.charts._heading import heading
from kis_nb.charts._risk_curve_marks import BOTTOM, MOMENTS, TOP, legend, marks, rules


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    drawn = base.transform_filter(f"isValid(datum.vol) && {AT_VOL}")
    x = alt.X(
        "level:Q",
        title=None,  # see `axis_title`
        axis=quiet_axis(
            style,
            grid=False,
            format=",~f",
            tickCount=alt.ExprRef("max(3, floor(width / 90))"),
            description=label("level", style),
        ),
        scale=alt.Scale(zero=False, nice=False),
    )
    scale = alt.Scale(nice=False, zero=True, range=[alt.ExprRef(f"height - {BOTTOM}"), TOP])
    axis = money_axis(style, tickCount=5)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=axis, scale=scale)

    # Draws nothing, and keeps the axis as wide as the curves at every volatility need it.
    frame = (
        base.transform_filter("isValid(datum.top)")
        .mark_rule(opacity=0, aria=False)
        .encode(x=x, y=y("bottom"), y2="top:Q")
    )
    sided = drawn.transform_filter("isValid(datum.now)").transform_calculate(
        up="max(datum.now, 0)", down="min(datum.now, 0)"
    )
    areas = [
        sided.mark_area(opacity=0.14, color=style[side], aria=False).encode(
            x=x, y=y(side), y2=alt.datum(0)
        )
        for side in ("up", "down")
    ]
    # Of the first row alone: every row would draw it anew.
    zero = base.transform_filter("isValid(datum.head)")
    zero = zero.mark_rule(color=style["soft"], aria=False).encode(y=alt.datum(0))
    lines = [
        drawn.transform_filter(f"isValid(datum.{name})")
        .mark_line(color=style[color], strokeWidth=width, strokeDash=dash, aria=False)
        .encode(x=x, y=y(name))
        for name, (color, width, dash, _sample, _start) in reversed(MOMENTS.items())
    ]
    tooltip = [
        alt.Tooltip("where:N", title=label("level", style)),
        *(
            alt.Tooltip(
                f"{name}_won:N",
                title=f"{moment_word(name, style, first=True)} ({style.word('원', 'won')})",
            )
            for name in MOMENTS
        ),
    ]
    hover = drawn.mark_rule(strokeWidth=9, opacity=0.001, color=style["ink"], aria=False).encode(
        x=x, tooltip=tooltip
    )
    first: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold"}
    return with_sliders(
        compose(
            [
                frame,
                *areas,
                zero,
                *lines,
                *rules(base, style, x),
                hover,
                *marks(base, style, x),
                *legend(base, style),
                line_text(base, style, "held", 0, color=style["alert"], **first),
                line_text(base, style, "plain", 0, **first),
                line_text(base, style, "again", 1, color=style["soft"]),
                axes.note_text(base, style),
                axis_title(base, style),
                *heading(data, style),
            ],
            height=300,
        )
    )


RISK_CURVE = ChartKind(
    "risk_curve",
    ("기준가에 따른 평가손익 (추정, 원)", "Unrealized P&L by level (estimate, won)"),
    _build,
)
