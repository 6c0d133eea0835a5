"""The spec of a heat map: P&L over moves of the underlying and of its volatility."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.estimates import label
from kis_nb._chart_rows.scenarios import EVERY, FIRST, SIZE
from kis_nb._chart_rows.style import Style
from kis_nb._risk.grid import VOLS
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._axes import quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._estimates import (
    AT_SPOT,
    AT_VOL,
    LANE,
    SAME_SPOT,
    SAME_VOL,
    SPOT_PARAM,
    axis_title,
    line_text,
    with_sliders,
)
from kis_nb.charts._heading import heading

_TOP, _BOTTOM = 3 * LANE + 4, LANE


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    cells = base.transform_filter("isValid(datum.pnl)")
    sign = "(datum.value > 0 ? '+' : '') + format(datum.value * 100, '.0f') + ' %'"
    # Without a count, Vega leaves out every other one of the values where the axis is short.
    every = {"tickCount": 99}
    x = alt.X(
        "left:Q",
        title=None,  # see `axis_title`
        axis=quiet_axis(
            style,
            grid=False,
            values=[(FIRST + EVERY * number) / 10_000 for number in range(-5, 5)],
            **every,
            labelExpr=sign,
            description=label("spot", style),
        ),
        scale=alt.Scale(nice=False, zero=False),
    )
    y = alt.Y(
        "low:Q",
        title=label("vol", style),
        axis=quiet_axis(
            style,
            grid=False,
            values=list(VOLS),
            **every,
            labelOverlap=False,
            labelExpr=sign,
            # The title keeps off the labels, also where they are measured in another font.
            minExtent=46,
        ),
        scale=alt.Scale(nice=False, zero=False, range=[alt.ExprRef(f"height - {_BOTTOM}"), _TOP]),
    )
    tooltip = [
        alt.Tooltip("figure:N", title=style.word("손익 (추정, 원)", "P&L (estimate, won)")),
        alt.Tooltip("move:N", title=label("spot", style)),
        alt.Tooltip("level:N", title=label("level", style)),
        alt.Tooltip("vol_name:N", title=label("vol", style)),
    ]
    area: dict[str, Any] = {"x": x, "x2": "right:Q", "y": y, "y2": "high:Q"}
    # The strength is the opacity: on a page colours are CSS variables, which Vega cannot mix.
    heat = cells.mark_rect(aria=False, stroke=None).encode(
        **area,
        fill=alt.Fill(
            "side:N",
            legend=None,
            scale=alt.Scale(domain=["up", "down"], range=[style["up"], style["down"]]),
        ),
        fillOpacity=alt.FillOpacity("shade:Q", scale=None),
        tooltip=tooltip,
    )
    edges = (
        base.transform_filter("isValid(datum.y2)")
        .mark_rule(color=style["alert"], strokeWidth=2, aria=False)
        .encode(x=alt.X("x:Q"), x2="x2:Q", y=alt.Y("y:Q"), y2="y2:Q")
    )
    # The exact figure where it fits between the columns that have one.
    fits = f"width * {EVERY / 10_000} / (domain('x')[1] - domain('x')[0])"
    written = cells.transform_filter("isValid(datum.short)").transform_calculate(
        middle="(datum.low + datum.high) / 2"
    )
    place = {"x": alt.X("spot:Q"), "y": alt.Y("middle:Q")}
    # The figures next to the outlined cell make room for it, and one that it would cross is left
    # out; that of the cell itself is in the first line.
    away = f"(datum.spot - {SPOT_PARAM})"
    covered = f"({AT_VOL} && abs({away}) < 0.0075)"
    exact = f"({fits} > datum.need)"
    text = alt.value(alt.ExprRef(f"{covered} ? '' : {exact} ? datum.figure : datum.short"))
    room = f"abs(scale('x', datum.spot) - scale('x', {SPOT_PARAM}))"
    cell = "(scale('x', datum.right) - scale('x', datum.left)) / 2"
    lacks = f"({exact} ? datum.need : datum.need_short) / 2 - ({room} - {cell})"
    beside = f"({AT_VOL} && abs({away}) < 0.0125 && !{covered})"
    shift = f"{beside} ? ({away} > 0 ? 1 : -1) * max(0, {lacks}) : 0"
    look: dict[str, Any] = {"fontSize": SIZE, "dx": alt.ExprRef(shift)}
    # A figure that the line of the margin call crosses stays legible.
    halo = (
        written.transform_filter("datum.crossed")
        .mark_text(stroke=style["paper"], strokeWidth=4, strokeJoin="round", aria=False, **look)
        .encode(**place, text=text)
    )
    # A picture's text for screen readers has what points, lines and bars say.
    spoken: dict[str, Any] = {"ariaRoleDescription": "point"}
    # The figure of the first line is bold.
    weight = alt.ExprRef(f"datum.asked && {SAME_SPOT} && {SAME_VOL} ? 'bold' : 'normal'")
    figures = written.mark_text(color=style["ink"], fontWeight=weight, **look, **spoken).encode(
        **place, text=text, tooltip=tooltip, description=alt.Description("told:N")
    )
    feet = (
        cells.transform_filter("isValid(datum.foot)")
        .mark_text(fontSize=SIZE, color=style["soft"], aria=False)
        .encode(x=alt.X("spot:Q"), y=alt.value(alt.ExprRef("height - 6")), text="foot:N")
    )
    chosen = cells.transform_filter(f"{AT_SPOT} && {AT_VOL}")
    outline = chosen.mark_rect(
        fill=None, stroke=style["ink"], strokeWidth=2, aria=False, tooltip=None
    ).encode(**area)
    # In place of the scenario asked for, the one that the sliders choose.
    answer: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold"}
    unmoved = base.transform_filter(f"{SAME_SPOT} && {SAME_VOL}")
    slid = f"!({SAME_SPOT} && {SAME_VOL})"
    moved = chosen.transform_filter(slid)
    # A sample of the outline, before the line that says what it is of.
    indent: dict[str, Any] = {"dx": 14, "limit": alt.ExprRef("width - 22")}
    sample = (
        base.transform_filter("isValid(datum.range)")
        .mark_point(
            shape="square", filled=False, size=70, stroke=style["ink"], opacity=1, aria=False
        )
        .encode(x=alt.value(10), y=alt.value(alt.ExprRef(f"{LANE} * ({slid} ? 0.5 : 1.5)")))
    )
    return with_sliders(
        compose(
            [
                heat,
                edges,
                outline,
                halo,
                figures,
                feet,
                line_text(unmoved, style, "answer", 0, color=style["ink"], **answer),
                line_text(moved, style, "told", 0, color=style["ink"], **answer, **indent),
                sample,
                line_text(unmoved, style, "now_range", 1, color=style["soft"], **indent),
                line_text(base.transform_filter(slid), style, "range", 1, color=style["soft"]),
                line_text(base, style, "edge", 2, color=style["alert"]),
                line_text(base, style, "plain", 2, color=style["soft"]),
                axes.note_text(base, style),
                axis_title(base, style),
                *heading(data, style),
            ],
            height=300,
        )
    )


SCENARIOS = ChartKind(
    "scenarios", ("시나리오별 손익 (추정, 원)", "P&L by scenario (estimate, won)"), _build
)
