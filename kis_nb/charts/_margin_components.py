"""The spec of margin by component: bars of KIS's figures, with marks at our estimates."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style
from kis_nb.charts._bars import bar_chart
from kis_nb.charts._chart import Chart, ChartKind

_BARS = bar_chart(
    "margin_components",
    ("증거금 구성 (CTFN7107R, 원)", "Margin by component (CTFN7107R, won)"),
    (
        ("reported", "KIS (원)", "KIS (won)"),
        ("estimated", "추정 (원)", "Estimate (won)"),
        ("gap", "차이 (추정 − KIS, 원)", "Gap (estimate − KIS, won)"),
        ("component", "필드", "Field"),
    ),
)


def _build(data: Any, style: Style) -> Chart:
    chart = _BARS.build(data, style)
    ticks = (
        alt.Chart(data)
        .transform_filter("isValid(datum.tick)")
        .mark_tick(orient="vertical", thickness=2, size=22, opacity=1, color=style["ink"])
        .encode(
            x=alt.X("tick:Q"),
            y=alt.Y("key:N", sort=None, axis=None),
            tooltip=[alt.Tooltip("estimated:N", title=style.word("추정 (원)", "Estimate (won)"))],
            description=alt.Description("aria:N"),
        )
    )
    # Before the heading's layers, which are last.
    chart.layer.insert(3, ticks)
    return chart


MARGIN_COMPONENTS = ChartKind(_BARS.name, _BARS.title, _build)
