"""Profit and loss over moves of the underlying and of its volatility, as a heat map."""

from __future__ import annotations

from datetime import date, datetime
from math import sqrt
from typing import TYPE_CHECKING, Any

from kis_nb._chart_rows.estimates import (
    call_note,
    label,
    lacking,
    moment_word,
    risk_heading,
    short_won,
    shown_underlying,
    unit,
    when,
)
from kis_nb._chart_rows.style import Style
from kis_nb._frames.estimate_text import level_text, move_text, signed_won
from kis_nb._frames.words import UNDERLYINGS
from kis_nb._risk.grid import HEADLINE
from kis_nb._widgets.text_width import text_width
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

# Columns with a figure in each cell, in hundredths of a per cent: the odd per cents, so that the
# outer ones have space at both sides.
FIRST, EVERY = 100, 200
SIZE = 10
# Opacity of the colours, from the smallest P&L to the largest: figures are read on all of them.
_FAINT, _STRONG = 0.04, 0.5


def rows(
    risk: Risk,
    style: Style,
    *,
    underlying: str | None = None,
    at: str | date | datetime = "now",
) -> list[Row]:
    """The rows of the chart: cells, then the pieces of the line around the margin call.

    Args:
        risk: estimates of one account.
        style: language and colours.
        underlying, at: see `kis_nb.charts.scenarios`.

    Returns:
        Never empty: with nothing that can be priced, one row with a note.

    Raises:
        ValueError: an underlying that is not known, or `at` stands for several moments or none.
    """
    shown = shown_underlying(risk, underlying)
    note = lacking(risk, shown, style)
    if note or shown is None:
        return risk_heading(
            [{"spot": 0.0, "vol": 0.0, "note": note, "aria": note}], risk, style, shown
        )
    frame = risk.scenarios(at=at, underlying=shown)
    moments = frame["at"].unique().to_list()
    if len(moments) != 1:
        raise ValueError(f"at takes one moment; got {at!r}, which stands for {len(moments)}")
    cells = frame.rows(named=True)
    spots = sorted({round(cell["spot"], 4) for cell in cells})
    vols = sorted({round(cell["vol"], 4) for cell in cells})
    halves = _step(spots) / 2, _step(vols) / 2
    most = max(abs(cell["pnl"]) for cell in cells) or 1.0
    call, note = _call(risk, shown, style)
    name = style.word(*UNDERLYINGS[shown])
    made = [_cell(cell, name, most, halves, style) for cell in cells]
    for row in made:
        row["call"] = call is not None and row["pnl"] < call
        if row["vol"] == vols[0] and "short" in row:
            row["foot"] = row["level"]
    edges = _edges(made)
    widest = max(text_width(row["figure"], SIZE) for row in made)
    longest = max(text_width(row["short"], SIZE) for row in made if "short" in row)
    crossed = [(edge["x"], edge["y"]) for edge in edges if edge["x"] == edge["x2"]]
    for row in made:
        if "short" in row:
            row["need"], row["need_short"] = widest + 8, longest + 4
            row["crossed"] = any(
                low == row["low"] and abs(at - row["spot"]) < EVERY / 20_000 for at, low in crossed
            )
    made[0] |= _lines(made, style)
    under = f"{label('level', style).lower()} ({unit(shown, style)})"
    made[0]["axis"] = f"{label('spot', style)} · {style.word('위 줄:', 'upper line:')} {under}"
    made[0] |= _call_line(made, edges, call, note, style)
    return risk_heading([*made, *edges], risk, style, shown, when(at, moments[0], style))


def _call(risk: Risk, underlying: str, style: Style) -> tuple[float | None, str]:
    """The P&L below which there is a margin call with the margin held, and what to say of it.

    It is the same loss whichever way the underlying moves, and at any volatility.
    """
    one = risk.margin_call(underlying=underlying).filter(margin="held").row(0, named=True)
    note = "" if one["note"] is None else call_note(one["note"], style)
    if one["equity"] is None or one["required"] is None:
        return None, note
    now = one["equity"] - (one["pnl"] or 0.0)
    return one["required"] - now, note if now < one["required"] else ""


def _call_line(
    made: list[Row], edges: list[Row], call: float | None, note: str, style: Style
) -> Row:
    """What the line of the margin call means, or why there is none."""
    field = "edge" if edges or made[0]["call"] else "plain"
    if edges:
        where = style.word(
            "선을 넘어 손실이 더 크면 마진콜", "Margin call beyond the line, at larger losses"
        )
    elif made[0]["call"]:
        where = style.word("전 구간 마진콜", "Margin call everywhere here")
    elif call is not None:
        where = style.word("이 범위에 마진콜 없음", "No margin call within this range")
    else:
        return {field: f"{style.word('마진콜 경계 없음', 'No line of a margin call')}: {note}"}
    held = style.word("증거금 그대로", "margin as held")
    return {field: " · ".join(filter(None, (note, f"{where} ({held})")))}


def _step(values: list[float]) -> float:
    """The distance between two neighbours of a grid."""
    return (values[-1] - values[0]) / (len(values) - 1) if len(values) > 1 else 0.01


def _cell(
    cell: dict[str, Any], name: str, most: float, halves: tuple[float, float], style: Style
) -> Row:
    """The row of one cell, with a figure to write into it when its column has one."""
    spot, vol, pnl = round(cell["spot"], 4), round(cell["vol"], 4), float(cell["pnl"])
    width, height = halves
    row: Row = {
        "spot": spot,
        "vol": vol,
        "left": round(spot - width, 5),
        "right": round(spot + width, 5),
        "low": round(vol - height, 5),
        "high": round(vol + height, 5),
        "pnl": pnl,
        "side": "up" if pnl > 0 else "down",
        # The square root: a tenth of the largest P&L is still told from none.
        "shade": round(_FAINT + (_STRONG - _FAINT) * sqrt(abs(pnl) / most), 3) if pnl else 0.0,
        "figure": signed_won(pnl),
        "move": move_text(spot),
        "vol_name": move_text(vol),
        "level": level_text(cell["level"]),
    }
    pnl_of = style.word(f"추정 손익 {row['figure']}원", f"estimated P&L {row['figure']} won")
    vol_name = style.word("변동성", "volatility")
    row["told"] = f"{name} {row['move']}, {vol_name} {row['vol_name']}: {pnl_of}"
    if (round(spot * 10_000) - FIRST) % EVERY == 0:
        row["short"] = short_won(pnl, style)
    return row


def _lines(made: list[Row], style: Style) -> Row:
    """What is written over the map: the scenario asked for, and the worst and the best."""
    worst, best = min(made, key=lambda row: row["pnl"]), max(made, key=lambda row: row["pnl"])
    asked = next((row for row in made if (row["spot"], row["vol"]) == HEADLINE), worst)
    vol_name = style.word("변동성", "vol.")

    def short(row: Row) -> str:
        amount = short_won(row["pnl"], style) + style.word("원", " won")
        return f"{amount} ({row['move']}, {vol_name} {row['vol_name']})"

    asked["asked"] = True
    low, high = style.word("최저", "Lowest"), style.word("최고", "Highest")
    text = f"{low} {short(worst)} · {high} {short(best)}"
    # What the outline is of, while no slider is moved: not of the scenario that was asked for.
    now = f"{moment_word('now', style, first=True)} · {text}"
    return {"answer": asked["told"], "range": text, "now_range": now}


def _edges(cells: list[Row]) -> list[Row]:
    """The sides of cells between those with a margin call and those without."""
    by_place = {(row["left"], row["low"]): row for row in cells}
    edges: list[Row] = []
    for row in cells:
        beside = by_place.get((row["right"], row["low"]))
        above = by_place.get((row["left"], row["high"]))
        if beside is not None and beside["call"] != row["call"]:
            edges.append(
                {"x": row["right"], "x2": row["right"], "y": row["low"], "y2": row["high"]}
            )
        if above is not None and above["call"] != row["call"]:
            edges.append(
                {"x": row["left"], "x2": row["right"], "y": row["high"], "y2": row["high"]}
            )
    return edges
