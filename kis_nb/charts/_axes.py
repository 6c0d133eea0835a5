"""Axes without lines and ticks, in the chart's colours."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style


def quiet_axis(style: Style, **more: Any) -> alt.Axis:
    """An axis without line and ticks. Its colours are set here and not in a config, because a chart
    with a config cannot be layered.
    """
    usual: dict[str, Any] = {
        "labelColor": style["soft"],
        "titleColor": style["soft"],
        "titleFontWeight": "normal",
        "gridColor": style["line"],
        "domain": False,
        "ticks": False,
        "labelFontSize": 11,
    }
    return alt.Axis(**(usual | more))


def money_axis(style: Style, **more: Any) -> alt.Axis:
    """An axis of won, labelled in 억 and 만 or in M and B, at round figures only."""
    steps = style.word("1e12조 1e8억 1e4만", "1e12T 1e9B 1e6M 1e3k").split()
    label = "format(datum.value, ',')"
    for step in reversed(steps):
        size, unit = step[:-1], step[-1]
        short = f"format(datum.value / {size}, ',.4~r') + '{unit}'"
        label = f"abs(datum.value) >= {size} ? {short} : {label}"
    count = alt.ExprRef("max(2, min(7, floor(width / 110)))")
    return quiet_axis(style, **({"labelExpr": label, "tickCount": count} | more))
