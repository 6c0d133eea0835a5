"""Unrealized P&L over the underlying's level: now, at the end of the night and at an expiry."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from kis_nb._risk.grid import SPOTS, VOLS
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._estimates import (
    AT_SPOT,
    AT_VOL,
    LANE,
    SPOT_PARAM,
    VOL_PARAM,
    call_note,
    lacking,
    line_text,
    percent,
    points,
    risk_heading,
    short_won,
    shown_underlying,
    with_sliders,
    won,
)
from kis_nb.charts._heading import heading
from kis_nb.charts._style import Style

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

# The lines, from the front to the back: name, colour, width, dashes and a sample.
_MOMENTS: dict[str, tuple[tuple[str, str], str, float, list[int], str]] = {
    "now": (("지금", "Now"), "ink", 2.5, [1, 0], "━━"),
    "night": (("야간 마감", "Night end"), "cash", 1.8, [7, 3], "╍╍"),
    "expiry": (("만기", "Expiry"), "foreign", 1.8, [2, 2], "┅┅"),
}
# Strikes that get a point of their own, so that the corner of the line at expiry is drawn.
_CORNERS = 24
# Lines over the plot: margin call, its estimate, the three lines, the marks' names. Under it: the
# level now and the chosen one, then break-evens.
_TOP, _BOTTOM = 4 * LANE + 2, 2 * LANE + 2


def rows(
    risk: Risk,
    style: Style,
    *,
    underlying: str | None = None,
    expiry: date | str | None = None,
) -> list[Row]:
    """The rows of the chart: points of the lines at every volatility, then the levels to mark.

    Args:
        risk: estimates of one account.
        style: language and colours.
        underlying, expiry: see `kis_nb.charts.risk_curve`.

    Returns:
        Never empty: with nothing that can be priced, one row with a note.

    Raises:
        ValueError: an underlying or an expiry that is not known.
    """
    shown = shown_underlying(risk, underlying)
    note = lacking(risk, shown, style)
    if note or shown is None:
        return risk_heading([{"level": 0.0, "note": note, "aria": note}], risk, style, shown)
    level = risk.level(shown)
    assert level is not None  # it is priced
    ends = risk.curve(underlying=shown, expiry=expiry, spot=0.0).filter(moment="expiry")["at"]
    day = ends[0].date() if len(ends) else None
    spots = _spots(risk, shown, day, level)
    made: list[Row] = []
    for vol in VOLS:
        curve = risk.curve(underlying=shown, expiry=day, vol=vol, spot=spots)
        made += _points(curve, round(vol, 4), style)
    made[0] |= _range(made)
    low, high = made[0]["least"], made[0]["most"]
    now = f"{style.word('현재', 'Now')} {points(level)}"
    marks: list[Row] = [{"level": level, "now_level": level, "name": now}]
    marks += _break_evens(risk, shown, day, (low, high), style)
    marks += _calls(risk, shown, made[0], style)
    made += marks
    at = style.word(f"만기 {day}", f"expiry {day}") if day else ""
    return risk_heading(made, risk, style, shown, at)


def _spots(risk: Risk, underlying: str, day: date | None, level: float) -> list[float]:
    """The moves to draw: those of the sliders, and the strikes that expire till then, if few."""
    held = risk.positions.filter(pl.col("expiry") <= day, underlying=underlying)
    strikes = {strike / level - 1 for strike in held["strike"].drop_nulls()}
    known = {round(spot, 4) for spot in SPOTS}
    # One beside a slider's step is that step: a slider chooses one point.
    inner = {
        spot
        for spot in strikes
        if SPOTS[0] < spot < SPOTS[-1] and min(abs(spot - one) for one in known) > 0.0003
    }
    return sorted(known | inner if len(inner) <= _CORNERS else known)


def _points(curve: pl.DataFrame, vol: float, style: Style) -> list[Row]:
    """A row a level, with the P&L at each moment."""
    made: dict[float, Row] = {}
    for one in curve.iter_rows(named=True):
        spot = one["spot"]
        row = made.setdefault(spot, {"spot": round(spot, 4), "vol": vol, "level": one["level"]})
        row["where"] = f"{points(one['level'])} ({percent(spot)})"
        if (value := one["unrealized"]) is not None:
            row[one["moment"]] = value
            row[f"{one['moment']}_won"] = won(value)
            row[f"{one['moment']}_short"] = short_won(value, style)
    return [made[spot] for spot in sorted(made)]


def _range(made: list[Row]) -> Row:
    """The least and the largest of levels and figures, at whatever volatility: axes stay as they
    are while a slider is moved.
    """
    values = [row[name] for row in made for name in _MOMENTS if name in row]
    levels = [row["level"] for row in made]
    bottom, top = min(0.0, *values), max(0.0, *values)
    space = (top - bottom) / 30
    return {
        "least": min(levels),
        "most": max(levels),
        "bottom": bottom - space,
        "top": top + space,
    }


def _break_evens(
    risk: Risk, underlying: str, day: date | None, shown: tuple[float, float], style: Style
) -> list[Row]:
    """A mark at each break-even at the expiry, and a line that lists them all."""
    found = risk.break_evens(underlying=underlying, expiry=day)
    word = style.word("만기 손익분기", "Break-even at expiry")
    made: list[Row] = [
        {"level": level, "zero": 0.0, "name": f"{word} {points(level)}"}
        for level in found
        if shown[0] <= level <= shown[1]
    ]
    listed = ", ".join(points(level) for level in found) or style.word("없음", "none")
    return [*made, {"zeros": f"{word} {listed}"}]


def _calls(risk: Risk, underlying: str, first: Row, style: Style) -> list[Row]:
    """Where the margin call comes: a line of text each for the margin held and the estimate of it,
    and a mark at each level that is shown.
    """
    found = risk.margin_call(underlying=underlying).rows(named=True)
    made: list[Row] = []
    for field, margin, name in (
        ("held", "held", style.word("마진콜", "Margin call")),
        ("again", "re-estimated", style.word("증거금도 재추정하면", "With margin re-estimated")),
    ):
        parts: list[str] = []
        for one in found:
            if one["margin"] != margin:
                continue
            arrow = "▼" if one["side"] == "below" else "▲"
            if one["level"] is None:
                parts.append(f"{arrow} {call_note(one['note'], style)}")
                continue
            where = f"{points(one['level'])} ({percent(one['spot'])})"
            parts.append(f"{arrow} {where}")
            if first["least"] <= one["level"] <= first["most"]:
                made.append(
                    {
                        "level": one["level"],
                        "called": field,
                        "side": one["side"],
                        "name": f"{name} {where}",
                        "mark": f"{arrow} {name}",
                    }
                )
        if len({part[2:] for part in parts}) == 1:
            parts = [parts[0][2:]]
        made.append({field: f"{name}: {' · '.join(parts)}"})
    return made


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    drawn = base.transform_filter(f"isValid(datum.vol) && {AT_VOL}")
    x = alt.X(
        "level:Q",
        title=style.word("기초자산 수준", "Level of the underlying"),
        axis=style.axis(
            grid=False, format=",~f", tickCount=alt.ExprRef("max(3, floor(width / 90))")
        ),
        scale=alt.Scale(zero=False, nice=False),
    )
    scale = alt.Scale(nice=False, zero=True, range=[alt.ExprRef(f"height - {_BOTTOM}"), _TOP])
    axis = style.money_axis(tickCount=5)

    def y(field: str) -> alt.Y:
        return alt.Y(f"{field}:Q", title=None, axis=axis, scale=scale)

    # Draws nothing, and keeps the axis as wide as the curves at every volatility need it.
    frame = (
        base.transform_filter("isValid(datum.top)")
        .mark_rule(opacity=0, aria=False)
        .encode(x=x, y=y("bottom"), y2="top:Q")
    )
    sided = drawn.transform_filter("isValid(datum.now)").transform_calculate(
        up="max(datum.now, 0)", down="min(datum.now, 0)"
    )
    areas = [
        sided.mark_area(opacity=0.14, color=style[side], aria=False).encode(
            x=x, y=y(side), y2=alt.datum(0)
        )
        for side in ("up", "down")
    ]
    # Of the first row alone: every row would draw it anew.
    zero = base.transform_filter("isValid(datum.head)")
    zero = zero.mark_rule(color=style["soft"], aria=False).encode(y=alt.datum(0))
    lines = [
        drawn.transform_filter(f"isValid(datum.{name})")
        .mark_line(color=style[color], strokeWidth=width, strokeDash=dash, aria=False)
        .encode(x=x, y=y(name))
        for name, (_, color, width, dash, _sample) in reversed(_MOMENTS.items())
    ]
    tooltip = [
        alt.Tooltip("where:N", title=style.word("기초자산", "Underlying")),
        *(
            alt.Tooltip(f"{name}_won:N", title=style.word(*words))
            for name, (words, *_) in _MOMENTS.items()
        ),
    ]
    hover = drawn.mark_rule(strokeWidth=9, opacity=0.001, color=style["ink"], aria=False).encode(
        x=x, tooltip=tooltip
    )
    return with_sliders(
        compose(
            [
                frame,
                *areas,
                zero,
                *lines,
                *_rules(base, style, x),
                hover,
                *_marks(base, style, x),
                *_legend(base, style),
                line_text(
                    base, style, "held", 0, color=style["alert"], fontSize=13, fontWeight="bold"
                ),
                line_text(base, style, "again", 1, color=style["soft"]),
                axes.note_text(base, style),
                *heading(data, style),
            ],
            height=300,
        )
    )


def _rules(base: alt.Chart, style: Style, x: alt.X) -> list[alt.Chart]:
    """Lines up at the level now, at the chosen one and where a margin call comes."""
    span = {"y": alt.value(_TOP), "y2": alt.value(alt.ExprRef(f"height - {_BOTTOM}"))}
    at = {"x": x, "tooltip": "name:N", **span}
    now = base.transform_filter("isValid(datum.now_level)")
    held = base.transform_filter("datum.called == 'held'")
    again = base.transform_filter("datum.called == 'again'")
    chosen = base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL}")
    return [
        now.mark_rule(color=style["ink"], strokeDash=[5, 3]).encode(
            **at, description=alt.Description("name:N")
        ),
        held.mark_rule(color=style["alert"], strokeWidth=2).encode(
            **at, description=alt.Description("name:N")
        ),
        again.mark_rule(color=style["alert"], strokeWidth=0.8, strokeDash=[2, 3]).encode(
            **at, description=alt.Description("name:N")
        ),
        chosen.transform_filter(f"abs({SPOT_PARAM}) > 0.0001")
        .mark_rule(color=style["cash"], strokeWidth=1.5, aria=False)
        .encode(x=x, **span),
    ]


def _marks(base: alt.Chart, style: Style, x: alt.X) -> list[alt.Chart]:
    """Break-evens, and the texts at the rules: margin calls above, the level under the plot."""
    text: dict[str, Any] = {"fontSize": 11, "fontWeight": "bold", "aria": False}
    here = "scale('x', datum.level)"
    below = "datum.side == 'below'"
    left = f"({below} ? {here} > 70 : {here} > width - 70)"
    calls = (
        base.transform_filter("datum.called == 'held'")
        .mark_text(
            align=alt.ExprRef(f"{left} ? 'right' : 'left'"),
            dx=alt.ExprRef(f"{left} ? -3 : 3"),
            baseline="middle",
            color=style["alert"],
            **text,
        )
        .encode(x=x, y=alt.value(3.5 * LANE), text="mark:N")
    )
    side = f"{here} < 110 ? 'left' : {here} > width - 110 ? 'right' : 'center'"
    moved = f"abs({SPOT_PARAM}) > 0.0001"
    turn = style.word("변동성", "volatility")
    vol = f"' · {turn} ' + format({VOL_PARAM} * 100, '+.0f') + ' %'"
    vol = f"(abs({VOL_PARAM}) > 0.0001 ? {vol} : '')"
    feet = [
        rows.mark_text(
            align=alt.ExprRef(side), baseline="middle", color=style[color], **text
        ).encode(
            x=x,
            y=alt.value(alt.ExprRef(f"height - {1.5 * LANE}")),
            text=alt.value(alt.ExprRef(f"datum.{field} + {vol}")),
        )
        for rows, field, color in (
            (base.transform_filter(f"isValid(datum.now_level) && !({moved})"), "name", "ink"),
            (
                base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL} && {moved}"),
                "where",
                "cash",
            ),
        )
    ]
    diamond: dict[str, Any] = {
        "shape": "diamond",
        "filled": True,
        "size": 56,
        "opacity": 1,
        "fill": style["foreign"],
    }
    zeros = (
        base.transform_filter("isValid(datum.zero)")
        .mark_point(**diamond)
        .encode(
            x=x,
            y=alt.Y("zero:Q"),
            tooltip="name:N",
            description=alt.Description("name:N"),
        )
    )
    listed = (
        base.transform_filter("isValid(datum.zeros)")
        .mark_text(
            align="left",
            baseline="middle",
            fontSize=11,
            color=style["soft"],
            limit=alt.ExprRef("width - 16"),
        )
        .encode(
            x=alt.value(12),
            y=alt.value(alt.ExprRef(f"height - {LANE / 2}")),
            text="zeros:N",
            tooltip="zeros:N",
            description=alt.Description("zeros:N"),
        )
    )
    sample = (
        base.transform_filter("isValid(datum.zeros)")
        .mark_point(**diamond, aria=False)
        .encode(x=alt.value(5), y=alt.value(alt.ExprRef(f"height - {LANE / 2}")))
    )
    return [zeros, calls, *feet, sample, listed]


def _legend(base: alt.Chart, style: Style) -> list[alt.Chart]:
    """A sample of each line with its name and its P&L at the chosen point."""
    at = base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL}")
    made: list[alt.Chart] = []
    for number, (name, (words, color, _width, _dash, sample)) in enumerate(_MOMENTS.items()):
        start = f"width * {number} / 3"
        shown = at.transform_filter(f"isValid(datum.{name})")
        text: dict[str, Any] = {"align": "left", "baseline": "middle", "fontSize": 11}
        lane = alt.value(2.5 * LANE)
        made.append(
            shown.mark_text(color=style[color], fontWeight="bold", aria=False, **text).encode(
                x=alt.value(alt.ExprRef(start)), y=lane, text=alt.value(sample)
            )
        )
        figure = f"(width > 700 ? datum.{name}_won : datum.{name}_short)"
        made.append(
            shown.mark_text(color=style["ink"], **text).encode(
                x=alt.value(alt.ExprRef(f"{start} + 26")),
                y=lane,
                text=alt.value(alt.ExprRef(f"'{style.word(*words)} ' + {figure}")),
                description=alt.Description(f"{name}_won:N"),
                tooltip=f"{name}_won:N",
            )
        )
    return made


RISK_CURVE = ChartKind(
    "risk_curve", ("기초자산별 평가손익 (추정)", "Unrealized P&L by level (estimate)"), _build
)
