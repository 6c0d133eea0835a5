"""The spec of stacked bars: deposit, margin, equity, and where a margin call begins."""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from kis_nb._chart_rows.labels import SEPARATOR
from kis_nb._chart_rows.style import Style
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    parts = ["cash", "foreign", "substitute", "held", "excess", "alert"]
    colors = [*parts[:3], "grey", *parts[4:]]

    def lines(**axis: Any) -> alt.Y:
        quiet = quiet_axis(
            style,
            labelColor=style["ink"],
            labelFontSize=12,
            labelOverlap=False,
            title=None,
            grid=False,
            **axis,
        )
        scale = alt.Scale(paddingInner=0.3, paddingOuter=0.2)
        return alt.Y("key:N", sort=None, axis=quiet, scale=scale)

    left = lines(orient="left", labelExpr=f"split(datum.label, '{SEPARATOR}')[0]", labelLimit=230)
    right = lines(
        orient="right",
        labelExpr=f"split(datum.label, '{SEPARATOR}')[1]",
        labelLimit=260,
        labelPadding=8,
    )
    x = alt.X("start:Q", title=None, axis=money_axis(style), scale=alt.Scale(nice=True, zero=True))
    tooltip = [
        alt.Tooltip("name:N", title=style.word("항목", "Item")),
        alt.Tooltip("amount:N", title=style.word("금액", "Amount")),
    ]
    bars = base.mark_bar(stroke=style["soft"], strokeWidth=0.5).encode(
        x=x,
        x2="end:Q",
        y=left,
        color=alt.Color(
            "part:N",
            legend=None,
            scale=alt.Scale(domain=parts, range=[style[name] for name in colors]),
        ),
        # A shortfall is dashed too: not every reader can see the red.
        strokeDash=alt.condition("datum.part == 'alert'", alt.value([4, 3]), alt.value([1, 0])),
        fillOpacity=alt.condition("datum.part == 'alert'", alt.value(0.75), alt.value(1)),
        tooltip=tooltip,
        description=alt.Description("aria:N"),
    )
    # Name and figure when both fit into the segment, the name when only that fits.
    width = "abs(scale('x', datum.end) - scale('x', datum.start)) - 12"
    both = "datum.name + '  ' + datum.amount"
    wide = "6.6 * length({0}) + 3.4 * length(replace({0}, /[^\\u3131-\\ud7a3]/g, ''))"
    inside = base.mark_text(align="left", baseline="middle", dx=6, fontSize=11, aria=False).encode(
        x=x,
        y=right,
        text=alt.value(
            alt.ExprRef(
                f"{width} > {wide.format(f'({both})')} ? {both}"
                f" : {width} > {wide.format('datum.name')} ? datum.name : ''"
            )
        ),
        color=alt.condition(
            "datum.part == 'excess'", alt.value(style["ink"]), alt.value(style["paper"])
        ),
    )
    # On the lines of equity and of the call alone: one rule down the whole chart would cross the
    # names inside the other bars.
    rule = (
        base.transform_filter("isValid(datum.call)")
        .mark_tick(orient="vertical", thickness=3, size=36, opacity=1, color=style["alert"])
        .encode(
            x=alt.X("call:Q"),
            y=alt.Y("key:N", sort=None, axis=None),
            description=alt.Description("aria:N"),
            tooltip=tooltip,
        )
    )
    chart = compose([bars, inside, rule, *heading(data, style)], step=40)
    return cast("Chart", chart.resolve_axis(y="independent"))


MARGIN = ChartKind("margin", ("예탁금과 증거금", "Deposit and margin"), _build)
