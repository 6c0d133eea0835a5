"""The spec of equity above the margin that holds the positions, through time."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._axes import money_axis
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import heading


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    points = base.transform_filter("datum.kind == 'point'")
    gaps = base.transform_filter("isValid(datum.from)")
    x = axes.x_axis()

    def y(field: str) -> alt.Y:
        return alt.Y(
            f"{field}:Q",
            title=None,
            axis=money_axis(style, tickCount=5),
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
