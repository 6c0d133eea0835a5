"""Equity through time, and below it the drawdown from its highest point."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from kis_nb._chart_rows import history_points
from kis_nb._chart_rows.history_series import (
    Series,
    When,
    joined_series,
    one_account,
    summary_of,
    within,
)
from kis_nb._chart_rows.labels import geometry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact, signed
from kis_nb._widgets.vega_spec import Row


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
        return history_points.empty_rows(style)
    whole = of.points[-1].get("foreign_included")
    without = style.word("외화 제외", "without foreign currency") if whole is False else ""
    made = history_points.time_rows(of, style, (without,))
    points = history_points.point_rows(of, style)
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
        reached = history_points.short_moment(low["as_of"])
        word = style.word("최대 낙폭", "Deepest drawdown")
        made[0]["deepest"] = (
            f"{word} {exact(low['drawdown'])} · {reached}"
            if low["drawdown"]
            else style.word("낙폭 없음", "No drawdown")
        )
        for row, point in zip(points, of.points, strict=True):
            row["low"] = bool(low["drawdown"]) and point["as_of"] == low["as_of"]
    return [*made, *points]
