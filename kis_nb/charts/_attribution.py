"""The spec of a waterfall from one moment's equity to another's."""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from kis_nb._chart_rows.labels import SEPARATOR
from kis_nb._chart_rows.style import Style
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)

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

    left = lines(orient="left", labelExpr=f"split(datum.label, '{SEPARATOR}')[0]", labelLimit=240)
    right = lines(
        orient="right",
        labelExpr=f"split(datum.label, '{SEPARATOR}')[1]",
        labelLimit=260,
        labelPadding=8,
    )
    # Not from 0: a night's changes are small beside the equity, whose marks have no length.
    scale = alt.Scale(nice=False, zero=False, padding=12)
    x = alt.X("value:Q", title=None, axis=money_axis(style), scale=scale, stack=None)
    tones = {"up": "up", "down": "down", "flat": "grey", "plain": "ink"}
    tones |= {"flow": "cash", "unexplained": "foreign"}
    color = alt.Color(
        "tone:N",
        legend=None,
        scale=alt.Scale(domain=list(tones), range=[style[one] for one in tones.values()]),
    )
    tooltip = [
        alt.Tooltip("name:N", title=style.word("항목", "Item")),
        alt.Tooltip("figure:N", title=style.word("금액", "Amount")),
    ]
    named = {"tooltip": tooltip, "description": alt.Description("aria:N")}
    anchor = base.mark_point(size=1, opacity=0, aria=False).encode(x=x, y=left)
    changes = (
        base.transform_filter("datum.kind == 'change'")
        .mark_bar(cornerRadius=1)
        .encode(x=alt.X("from:Q", axis=None), x2="value:Q", y=right, color=color, **named)
    )
    # A change of 0 has no bar; its place is a thin mark.
    levels = (
        base.transform_filter("datum.kind == 'level' || datum.from == datum.value")
        .mark_tick(orient="vertical", thickness=3, opacity=1)
        .encode(
            x=x,
            y=alt.Y("key:N", sort=None, axis=None),
            color=color,
            size=alt.value(alt.ExprRef("datum.kind == 'level' ? 18 : 10")),
            **named,
        )
    )
    # Each line's end is the next one's beginning: a mark from its middle to the next one's.
    links = (
        base.transform_filter("datum.link == true")
        .mark_tick(orient="vertical", thickness=1, size=24, yOffset=12, opacity=1, aria=False)
        .encode(x=x, y=alt.Y("key:N", sort=None, axis=None), color=alt.value(style["soft"]))
    )
    chart = compose(
        [anchor, links, changes, levels, axes.note_text(base, style), *heading(data, style)],
        step=24,
    )
    return cast("Chart", chart.resolve_axis(y="independent"))


ATTRIBUTION = ChartKind("attribution", ("자산이 변한 까닭", "Why equity changed"), _build)
