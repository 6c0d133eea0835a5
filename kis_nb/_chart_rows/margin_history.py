"""Equity above the margin that holds the positions, through time: the room before a margin call."""

from __future__ import annotations

from dataclasses import replace
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
from kis_nb._chart_rows.trading_time import TradingTime
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact
from kis_nb._widgets.vega_spec import Row

_NO_MARGIN = (
    "유지증거금(MGNA_DVSN 02) 기록이 없습니다",
    "No maintenance margin (MGNA_DVSN 02) in the history",
)


def series(given: Any, account: str | None, start: When, end: When) -> tuple[Series, Series]:
    """One account's room before a margin call, and its initial margin, each read and reduced.

    Args:
        given: a history, or a native frame of its summary rows.
        account, start, end: as of `kis_nb.charts.margin_history`.

    Raises:
        ValueError: as of `one_account`, or a `start` or `end` that is no time.
    """
    from kis_nb import analysis

    summary = within(summary_of(given), start, end)
    summary, *who = one_account(summary, account, given)
    of = (who[0], who[1])
    made = nw.from_native(analysis.margin(summary.to_native())).lazy()
    room = joined_series(made, summary, of, value="room", least="room")
    initial = summary.select("account", "as_of", "date", "initial_margin")
    first = joined_series(initial, summary, of, value="initial_margin", least="initial_margin")
    return room, first


@exactly
def rows(of: tuple[Series, Series], style: Style) -> list[Row]:
    """The rows of the chart: nights and time labels, a row a moment, and the initial margin's."""
    room, initial = of
    if not room.points:
        return history_points.empty_rows(
            style, _NO_MARGIN if room.account else history_points.NO_HISTORY
        )
    made = history_points.time_rows(room, style)
    points = history_points.point_rows(room, style)
    low = room.marked
    for at, (row, point) in enumerate(zip(points, room.points, strict=True)):
        row |= {
            "equity": geometry(point["equity"]),
            "maintenance": geometry(point["maintenance_margin"]),
            "equity_text": exact(point["equity"]),
            "maintenance_text": exact(point["maintenance_margin"]),
            "room_text": exact(point["room"]),
            "low": low is not None and point["as_of"] == low["as_of"],
            "aria": f"{row['at']}: {exact(point['room'])}",
        }
        if row["from"] is not None:
            before = room.points[at - 1]
            row["equity_from"] = geometry(before["equity"])
            row["maintenance_from"] = geometry(before["maintenance_margin"])
    last = room.points[-1]
    equity, held = style.word("자산", "Equity"), style.word("유지증거금", "maintenance")
    made[0]["legend"] = (
        f"{equity} {exact(last['equity'])} · {held} {exact(last['maintenance_margin'])}"
    )
    before_end = [one for one in initial.points if one["as_of"] <= last["as_of"]]
    if before_end:
        word = style.word("개시증거금 (점선)", "initial (dashed)")
        made[0]["legend"] += f" · {word} {exact(before_end[-1]['initial_margin'])}"
    if low is not None:
        word = style.word("최소 여유", "Lowest room")
        alarm = style.word(" ⚠ 마진콜", " ⚠ margin call") if low["room"] < 0 else ""
        reached = history_points.short_moment(low["as_of"])
        made[0]["lowest"] = f"{word} {exact(low['room'])} · {reached}{alarm}"
    return [*made, *points, *_initial_rows(room, initial)]


def _initial_rows(room: Series, initial: Series) -> list[Row]:
    """The initial margin within the time that the chart shows."""
    first, last = room.points[0]["as_of"], room.points[-1]["as_of"]
    axis = TradingTime(first, last)
    shown = [one for one in initial.points if first <= one["as_of"] <= last]
    made: list[Row] = []
    if not shown:
        return made
    stretch = history_points.segments(replace(initial, points=shown))
    for at, point in enumerate(shown):
        gap = at > 0 and stretch[at] != stretch[at - 1]
        made.append(
            {
                "kind": "initial",
                "x": axis.x(point["as_of"]),
                "initial": geometry(point["initial_margin"]),
                "segment": stretch[at],
                "begins": axis.x(shown[at - 1]["as_of"]) if gap else None,
                "initial_from": geometry(shown[at - 1]["initial_margin"]) if gap else None,
            }
        )
    return made
