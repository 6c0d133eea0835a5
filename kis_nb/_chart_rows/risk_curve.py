"""Unrealized P&L over the underlying's level: now, at the end of the night and at an expiry."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._chart_rows.estimates import (
    call_note,
    label,
    lacking,
    moment_word,
    risk_heading,
    short_won,
    shown_underlying,
    unit,
)
from kis_nb._chart_rows.style import Style
from kis_nb._frames.estimate_text import level_text, move_text, signed_won
from kis_nb._risk.grid import SPOTS, VOLS
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

# So many strikes get points of their own, for the corners of the line at expiry. With more of them
# the line has no sharp corner, and every point is priced at each volatility and moment.
_CORNERS = 12
# The moments of the lines, as in `Risk.curve`.
_MOMENTS = ("now", "night", "expiry")


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
    made[0]["axis"] = f"{label('level', style)} ({unit(shown, style)})"
    low, high = made[0]["least"], made[0]["most"]
    now = f"{style.word('현재', 'Now')} {level_text(level)}"
    levels: list[Row] = [{"level": level, "now_level": level, "name": now}]
    levels += _break_evens(risk, shown, day, (low, high), style)
    levels += _calls(risk, shown, made[0], style)
    made += levels
    night = f"{moment_word('night', style)} {risk.night_end:%m-%d %H:%M}"
    end = style.word(f"만기 {day}", f"expiry {day}") if day else ""
    return risk_heading(made, risk, style, shown, night, end)


def _spots(risk: Risk, underlying: str, day: date | None, level: float) -> list[float]:
    """The moves to draw: those of the sliders, and the strikes that expire till then, if few."""
    held = risk.positions.filter(underlying=underlying)
    held = held.head(0) if day is None else held.filter(pl.col("expiry") <= day)
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
        row["where"] = f"{level_text(one['level'])} ({move_text(spot)})"
        if (value := one["unrealized"]) is not None:
            row[one["moment"]] = value
            row[f"{one['moment']}_won"] = signed_won(value)
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
        {"level": level, "zero": 0.0, "name": f"{word} {level_text(level)}"}
        for level in found
        if shown[0] <= level <= shown[1]
    ]
    listed = ", ".join(level_text(level) for level in found) or style.word("없음", "none")
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
            where = f"{level_text(one['level'])} ({move_text(one['spot'])})"
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
        text = f"{name}: {' · '.join(parts)}"
        made.append({field if field == "again" or _alarms(found) else "plain": text})
    return made


def _alarms(found: list[dict[str, Any]]) -> bool:
    """Whether a margin call is there already, or comes at some level."""
    held = [one for one in found if one["margin"] == "held" and one["required"] is not None]
    return any(one["level"] is not None or one["equity"] < one["required"] for one in held)
