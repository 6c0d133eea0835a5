"""Equity through time, and below it the drawdown from its highest point."""

from __future__ import annotations

from typing import Any, cast

import altair as alt
import narwhals as nw

from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact, signed
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading
from kis_nb.charts._history_series import (
    Series,
    When,
    joined_series,
    one_account,
    summary_of,
    within,
)
from kis_nb.charts._labels import geometry
from kis_nb.charts._style import Style

# Where equity ends and drawdown begins, as shares of the height.
_EQUITY_ENDS, _DRAWDOWN_BEGINS = 0.62, 0.74


def series(given: Any, account: str | None, start: When, end: When) -> Series:
    """One account's equity, read and reduced.

    Args:
        given: a history, or a native frame of its summary rows.
        account, start, end: as of `kis_nb.charts.equity`.

    Raises:
        ValueError: as of `one_account`, or a `start` or `end` that is no time.
    """
    from kis_nb import analysis

    summary = within(summary_of(given), start, end)
    summary, *who = one_account(summary, account, given)
    made = nw.from_native(analysis.equity(summary.to_native())).lazy()
    return joined_series(made, summary, (who[0], who[1]), value="equity", least="drawdown")


@exactly
def rows(of: Series, style: Style) -> list[Row]:
    """The rows of the chart: nights and time labels, then a row a moment."""
    if not of.points:
        return axes.empty_rows(style)
    whole = of.points[-1].get("foreign_included")
    without = style.word("외화 제외", "without foreign currency") if whole is False else ""
    made = axes.time_rows(of, style, (without,))
    points = axes.point_rows(of, style)
    for at, (row, point) in enumerate(zip(points, of.points, strict=True)):
        row |= {
            "equity": geometry(point["equity"]),
            "drawdown": geometry(point["drawdown"]),
            "equity_text": exact(point["equity"]),
            "drawdown_text": exact(point["drawdown"]),
            "aria": f"{row['at']}: {exact(point['equity'])} ({exact(point['drawdown'])})",
        }
        if row["from"] is not None:
            row["equity_from"] = geometry(of.points[at - 1]["equity"])
            row["drawdown_from"] = geometry(of.points[at - 1]["drawdown"])
    first, last, low = of.points[0], of.points[-1], of.marked
    change = signed(last["equity"] - first["equity"])
    name = style.word("자산", "Equity")
    made[0]["legend"] = f"{name} {exact(first['equity'])} → {exact(last['equity'])} ({change})"
    if low is not None:
        reached = axes.short_moment(low["as_of"])
        word = style.word("최대 낙폭", "Deepest drawdown")
        made[0]["deepest"] = (
            f"{word} {exact(low['drawdown'])} · {reached}"
            if low["drawdown"]
            else style.word("낙폭 없음", "No drawdown")
        )
        for row, point in zip(points, of.points, strict=True):
            row["low"] = bool(low["drawdown"]) and point["as_of"] == low["as_of"]
    return [*made, *points]


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    points = base.transform_filter("datum.kind == 'point'")
    gaps = base.transform_filter("isValid(datum.from)")
    x = axes.x_axis()
    money = style.money_axis(tickCount=4, orient="left")
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
        axis=style.money_axis(tickCount=2, orient="left"),
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
