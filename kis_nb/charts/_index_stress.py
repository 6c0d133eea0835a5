"""The spec of two lines over a move of the index, and the line of the margin call."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.index_stress import LINES
from kis_nb._chart_rows.style import Style
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading

_LANE = 16


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    lines, colors = list(LINES), ["cash", "alert"]
    x = alt.X(
        "move:Q",
        title=style.word("KOSPI 200 변동", "Move of the KOSPI 200"),
        axis=quiet_axis(
            style, grid=False, labelExpr="(datum.value > 0 ? '+' : '') + datum.label + '%'"
        ),
        scale=alt.Scale(nice=False, zero=False, padding=8),
    )
    y = alt.Y(
        "excess:Q",
        title=None,
        axis=money_axis(style, tickCount=5),
        # The figures are written above the lines, so that no line crosses them.
        scale=alt.Scale(zero=True, nice=True, range=[alt.ExprRef(f"height - {_LANE}"), 3 * _LANE]),
    )
    color = alt.Color(
        "line:N",
        legend=None,
        scale=alt.Scale(domain=lines, range=[style[name] for name in colors]),
    )
    # Not by colour alone: what is worst is dashed too.
    dash = alt.StrokeDash(
        "line:N", legend=None, scale=alt.Scale(domain=lines, range=[[1, 0], [6, 4]])
    )
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("by:N", title=style.word("지수 변동", "Index move")),
        alt.Tooltip("level:N", title=style.word("지수", "Index")),
        alt.Tooltip("figure:N", title=style.word("여유증거금", "Excess margin")),
        alt.Tooltip("pnl:N", title=style.word("손익", "P&L")),
    ]
    drawn = base.transform_filter("isValid(datum.excess)")
    curves = drawn.mark_line(strokeWidth=2, aria=False).encode(
        x=x, y=y, color=color, strokeDash=dash
    )
    marks = drawn.mark_point(filled=True, size=40, opacity=1).encode(
        x=x, y=y, color=color, tooltip=tooltip, description=alt.Description("aria:N")
    )
    call = base.mark_rule(color=style["alert"], strokeWidth=1.5, aria=False).encode(y=alt.datum(0))
    label: dict[str, Any] = {"fontSize": 11, "aria": False}
    call_text = (
        base.transform_filter("isValid(datum.head)")
        .mark_text(
            align="right",
            baseline="middle",
            dx=-4,
            dy=alt.ExprRef("datum.above ? 9 : -9"),
            color=style["alert"],
            **label,
        )
        .encode(
            x=alt.value("width"),
            y=alt.datum(0),
            text=alt.value(style.word("0 아래는 마진콜", "Margin call below 0")),
        )
    )
    # The exact figures of both ends and of no move, with a sample of their line.
    legend = base.transform_filter("isValid(datum.legend)")
    lane = alt.value(alt.ExprRef(f"datum.line == 'held' ? {_LANE / 2} : {_LANE * 1.5}"))
    samples = legend.mark_text(align="left", baseline="middle", fontWeight="bold", **label).encode(
        x=alt.value(4),
        y=lane,
        color=color,
        text=alt.value(alt.ExprRef("datum.line == 'held' ? '━━' : '╍╍'")),
    )
    texts = legend.mark_text(
        align="left",
        baseline="middle",
        color=style["ink"],
        limit=alt.ExprRef("width - 36"),
        fontSize=11,
    ).encode(
        x=alt.value(32),
        y=lane,
        text="legend:N",
        tooltip="legend:N",
        description=alt.Description("legend:N"),
    )
    note = (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(80),
            text="note:N",
            description=alt.Description("aria:N"),
        )
    )
    return compose(
        [call, curves, marks, samples, texts, call_text, note, *heading(data, style)], height=260
    )


INDEX_STRESS = ChartKind(
    "index_stress",
    ("지수가 움직이면 남는 여유증거금", "Excess margin after a move of the index"),
    _build,
)
