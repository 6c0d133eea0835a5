"""Equity above the margin that holds the positions, through time: the room before a margin call."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import altair as alt
import narwhals as nw

from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact
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
from kis_nb.charts._trading_time import TradingTime

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
        return axes.empty_rows(style, _NO_MARGIN if room.account else axes.NO_HISTORY)
    made = axes.time_rows(room, style)
    points = axes.point_rows(room, style)
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
        reached = axes.short_moment(low["as_of"])
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
    stretch = axes.segments(replace(initial, points=shown))
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


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    points = base.transform_filter("datum.kind == 'point'")
    gaps = base.transform_filter("isValid(datum.from)")
    x = axes.x_axis()

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=None,
            axis=style.money_axis(tickCount=5),
            scale=alt.Scale(
                zero=False, nice=False, padding=6, range=[alt.ExprRef("height"), 2 * axes.LANE + 8]
            ),
        )

    # Where equity is below the margin, what is short has the colour of an alarm.
    between = points.transform_calculate(
        above="max(datum.equity, datum.maintenance)", below="min(datum.equity, datum.maintenance)"
    )
    areas = [
        between.mark_area(color=style[color], opacity=opacity, aria=False).encode(
            x=x, y=y("maintenance"), y2=f"{side}:Q", detail="segment:N"
        )
        for side, color, opacity in (("above", "excess", 0.7), ("below", "alert", 0.45))
    ]
    dotted: dict[str, Any] = {"strokeWidth": 1, "strokeDash": [2, 2], "aria": False}
    lines = []
    for field, color, width in (("maintenance", "alert", 2.0), ("equity", "cash", 1.5)):
        lines.append(
            points.mark_line(strokeWidth=width, color=style[color], aria=False).encode(
                x=x, y=y(field), detail="segment:N"
            )
        )
        carried = gaps.mark_rule(color=style[color], **dotted)
        lines += [
            carried.encode(x=alt.X("from:Q", axis=None), x2="x:Q", y=alt.Y(f"{field}_from:Q")),
            carried.encode(x=x, y=alt.Y(f"{field}_from:Q"), y2=f"{field}:Q"),
        ]
    first = base.transform_filter("datum.kind == 'initial'")
    lines.append(
        first.mark_line(
            strokeWidth=1, color=style["foreign"], strokeDash=[6, 3], aria=False
        ).encode(x=x, y=y("initial"), detail="segment:N")
    )
    carried = first.transform_filter("isValid(datum.begins)").mark_rule(
        color=style["foreign"], **dotted
    )
    lines += [
        carried.encode(x=alt.X("begins:Q", axis=None), x2="x:Q", y=alt.Y("initial_from:Q")),
        carried.encode(x=x, y=alt.Y("initial_from:Q"), y2="initial:Q"),
    ]
    lowest = base.transform_filter("datum.low == true")
    lines += [
        lowest.mark_rule(color=style["alert"], strokeWidth=2, aria=False).encode(
            x=x, y=alt.Y("maintenance:Q"), y2="equity:Q"
        ),
        lowest.mark_point(
            shape="triangle-down", filled=True, size=60, opacity=1, color=style["alert"]
        ).encode(x=x, y=alt.Y("equity:Q"), description=alt.Description("aria:N")),
    ]
    lines.append(axes.settled_marks(base, style, y("equity")))
    tips = [
        alt.Tooltip("room_text:N", title=style.word("여유", "Room")),
        alt.Tooltip("equity_text:N", title=style.word("자산", "Equity")),
        alt.Tooltip("maintenance_text:N", title=style.word("유지증거금", "Maintenance margin")),
    ]
    return compose(
        [
            *axes.behind(base, style),
            *areas,
            *lines,
            axes.lane_text(base, style, "lowest", alt.value(axes.LANE / 2)),
            axes.lane_text(base, style, "legend", alt.value(axes.LANE * 1.5)),
            axes.hover(base, style, tips),
            axes.note_text(base, style),
            *heading(data, style),
        ],
        height=260,
    )


MARGIN_HISTORY = ChartKind(
    "margin_history", ("마진콜까지 여유", "Room before a margin call"), _build
)
