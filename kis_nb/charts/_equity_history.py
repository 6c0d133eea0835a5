"""The spec of equity through time, and below it the drawdown from its highest point."""

from __future__ import annotations

from typing import Any, cast

import altair as alt

from kis_nb._chart_rows.style import Style
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._axes import money_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading

# Where equity ends and drawdown begins, as shares of the height.
_EQUITY_ENDS, _DRAWDOWN_BEGINS = 0.62, 0.74


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    points = base.transform_filter("datum.kind == 'point'")
    gaps = base.transform_filter("isValid(datum.from)")
    x = axes.x_axis()
    money = money_axis(style, tickCount=4, orient="left")
    y = alt.Y(
        "equity:Q",
        title=None,
        axis=money,
        scale=alt.Scale(
            zero=False,
            nice=False,
            padding=4,
            range=[alt.ExprRef(f"height * {_EQUITY_ENDS}"), axes.LANE + 6],
        ),
    )
    line = points.mark_line(strokeWidth=1.5, color=style["cash"], aria=False).encode(
        x=x, y=y, detail="segment:N"
    )
    dotted: dict[str, Any] = {"strokeWidth": 1, "strokeDash": [2, 2], "aria": False}
    carried = gaps.mark_rule(color=style["cash"], **dotted)
    level = carried.encode(x=alt.X("from:Q", axis=None), x2="x:Q", y=alt.Y("equity_from:Q"))
    step = carried.encode(x=x, y=alt.Y("equity_from:Q"), y2="equity:Q")
    marks = axes.settled_marks(base, style, y)

    down = alt.Y(
        "drawdown:Q",
        title=None,
        stack=None,
        axis=money_axis(style, tickCount=2, orient="left"),
        scale=alt.Scale(
            zero=True,
            nice=True,
            range=[alt.ExprRef("height"), alt.ExprRef(f"height * {_DRAWDOWN_BEGINS}")],
        ),
    )
    area = points.mark_area(
        color=style["alert"],
        opacity=0.35,
        line={"color": style["alert"], "strokeWidth": 1},
        aria=False,
    ).encode(x=x, y=down, detail="segment:N")
    held = gaps.mark_rect(color=style["alert"], opacity=0.12, aria=False).encode(
        x=alt.X("from:Q", axis=None), x2="x:Q", y=alt.Y("drawdown_from:Q"), y2=alt.datum(0)
    )
    trough = (
        base.transform_filter("datum.low == true")
        .mark_point(shape="triangle-up", filled=True, size=60, opacity=1, color=style["alert"])
        .encode(x=x, y=alt.Y("drawdown:Q"), description=alt.Description("aria:N"))
    )
    tips = [
        alt.Tooltip("equity_text:N", title=style.word("자산", "Equity")),
        alt.Tooltip("drawdown_text:N", title=style.word("낙폭", "Drawdown")),
    ]
    upper = alt.layer(line, level, step, marks)
    lower = alt.layer(area, held, trough)
    chart = compose(
        cast(
            "list[alt.Chart]",
            [
                *axes.behind(base, style),
                upper,
                lower,
                axes.lane_text(base, style, "legend", alt.value(axes.LANE / 2)),
                axes.lane_text(
                    base,
                    style,
                    "deepest",
                    alt.value(alt.ExprRef(f"height * {(_EQUITY_ENDS + _DRAWDOWN_BEGINS) / 2}")),
                ),
                axes.hover(base, style, tips),
                axes.note_text(base, style),
                *heading(data, style),
            ],
        ),
        height=300,
    )
    return cast("Chart", chart.resolve_scale(y="independent"))


EQUITY_HISTORY = ChartKind("equity_history", ("자산과 낙폭", "Equity and drawdown"), _build)
