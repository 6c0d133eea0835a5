"""Profit and loss over moves of the underlying and of its volatility, as a heat map."""

from __future__ import annotations

from datetime import date, datetime
from math import sqrt
from typing import TYPE_CHECKING, Any

import altair as alt

from kis_nb._frames.estimate_text import level_text, move_text, signed_won
from kis_nb._frames.words import UNDERLYINGS
from kis_nb._risk.grid import HEADLINE, VOLS
from kis_nb._widgets.text_width import text_width
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._estimates import (
    AT_SPOT,
    AT_VOL,
    LANE,
    SAME_SPOT,
    SAME_VOL,
    SPOT_PARAM,
    axis_title,
    call_note,
    label,
    lacking,
    line_text,
    moment_word,
    risk_heading,
    short_won,
    shown_underlying,
    unit,
    when,
    with_sliders,
)
from kis_nb.charts._heading import heading
from kis_nb.charts._style import Style

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

# Columns with a figure in each cell, in hundredths of a per cent: the odd per cents, so that the
# outer ones have space at both sides.
_FROM, _EVERY = 100, 200
_SIZE = 10
# Opacity of the colours, from the smallest P&L to the largest: figures are read on all of them.
_FAINT, _STRONG = 0.04, 0.5
_TOP, _BOTTOM = 3 * LANE + 4, LANE


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
    widest = max(text_width(row["figure"], _SIZE) for row in made)
    longest = max(text_width(row["short"], _SIZE) for row in made if "short" in row)
    crossed = [(edge["x"], edge["y"]) for edge in edges if edge["x"] == edge["x2"]]
    for row in made:
        if "short" in row:
            row["need"], row["need_short"] = widest + 8, longest + 4
            row["crossed"] = any(
                low == row["low"] and abs(at - row["spot"]) < _EVERY / 20_000 for at, low in crossed
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
    if (round(spot * 10_000) - _FROM) % _EVERY == 0:
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


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    cells = base.transform_filter("isValid(datum.pnl)")
    sign = "(datum.value > 0 ? '+' : '') + format(datum.value * 100, '.0f') + ' %'"
    # Without a count, Vega leaves out every other one of the values where the axis is short.
    every = {"tickCount": 99}
    x = alt.X(
        "left:Q",
        title=None,  # see `axis_title`
        axis=style.axis(
            grid=False,
            values=[(_FROM + _EVERY * number) / 10_000 for number in range(-5, 5)],
            **every,
            labelExpr=sign,
            description=label("spot", style),
        ),
        scale=alt.Scale(nice=False, zero=False),
    )
    y = alt.Y(
        "low:Q",
        title=label("vol", style),
        axis=style.axis(
            grid=False,
            values=list(VOLS),
            **every,
            labelOverlap=False,
            labelExpr=sign,
            # The title keeps off the labels, also where they are measured in another font.
            minExtent=46,
        ),
        scale=alt.Scale(nice=False, zero=False, range=[alt.ExprRef(f"height - {_BOTTOM}"), _TOP]),
    )
    tooltip = [
        alt.Tooltip("figure:N", title=style.word("손익 (추정, 원)", "P&L (estimate, won)")),
        alt.Tooltip("move:N", title=label("spot", style)),
        alt.Tooltip("level:N", title=label("level", style)),
        alt.Tooltip("vol_name:N", title=label("vol", style)),
    ]
    area: dict[str, Any] = {"x": x, "x2": "right:Q", "y": y, "y2": "high:Q"}
    # The strength is the opacity: on a page colours are CSS variables, which Vega cannot mix.
    heat = cells.mark_rect(aria=False, stroke=None).encode(
        **area,
        fill=alt.Fill(
            "side:N",
            legend=None,
            scale=alt.Scale(domain=["up", "down"], range=[style["up"], style["down"]]),
        ),
        fillOpacity=alt.FillOpacity("shade:Q", scale=None),
        tooltip=tooltip,
    )
    edges = (
        base.transform_filter("isValid(datum.y2)")
        .mark_rule(color=style["alert"], strokeWidth=2, aria=False)
        .encode(x=alt.X("x:Q"), x2="x2:Q", y=alt.Y("y:Q"), y2="y2:Q")
    )
    # The exact figure where it fits between the columns that have one.
    fits = f"width * {_EVERY / 10_000} / (domain('x')[1] - domain('x')[0])"
    written = cells.transform_filter("isValid(datum.short)").transform_calculate(
        middle="(datum.low + datum.high) / 2"
    )
    place = {"x": alt.X("spot:Q"), "y": alt.Y("middle:Q")}
    # The figures next to the outlined cell make room for it, and one that it would cross is left
    # out; that of the cell itself is in the first line.
    away = f"(datum.spot - {SPOT_PARAM})"
    covered = f"({AT_VOL} && abs({away}) < 0.0075)"
    exact = f"({fits} > datum.need)"
    text = alt.value(alt.ExprRef(f"{covered} ? '' : {exact} ? datum.figure : datum.short"))
    room = f"abs(scale('x', datum.spot) - scale('x', {SPOT_PARAM}))"
    cell = "(scale('x', datum.right) - scale('x', datum.left)) / 2"
    lacks = f"({exact} ? datum.need : datum.need_short) / 2 - ({room} - {cell})"
    beside = f"({AT_VOL} && abs({away}) < 0.0125 && !{covered})"
    shift = f"{beside} ? ({away} > 0 ? 1 : -1) * max(0, {lacks}) : 0"
    look: dict[str, Any] = {"fontSize": _SIZE, "dx": alt.ExprRef(shift)}
    # A figure that the line of the margin call crosses stays legible.
    halo = (
        written.transform_filter("datum.crossed")
        .mark_text(stroke=style["paper"], strokeWidth=4, strokeJoin="round", aria=False, **look)
        .encode(**place, text=text)
    )
    # A picture's text for screen readers has what points, lines and bars say.
    spoken: dict[str, Any] = {"ariaRoleDescription": "point"}
    # The figure of the first line is bold.
    weight = alt.ExprRef(f"datum.asked && {SAME_SPOT} && {SAME_VOL} ? 'bold' : 'normal'")
    figures = written.mark_text(color=style["ink"], fontWeight=weight, **look, **spoken).encode(
        **place, text=text, tooltip=tooltip, description=alt.Description("told:N")
    )
    feet = (
        cells.transform_filter("isValid(datum.foot)")
        .mark_text(fontSize=_SIZE, color=style["soft"], aria=False)
        .encode(x=alt.X("spot:Q"), y=alt.value(alt.ExprRef("height - 6")), text="foot:N")
    )
    chosen = cells.transform_filter(f"{AT_SPOT} && {AT_VOL}")
    outline = chosen.mark_rect(
        fill=None, stroke=style["ink"], strokeWidth=2, aria=False, tooltip=None
    ).encode(**area)
    # In place of the scenario asked for, the one that the sliders choose.
    answer: dict[str, Any] = {"fontSize": 13, "fontWeight": "bold"}
    unmoved = base.transform_filter(f"{SAME_SPOT} && {SAME_VOL}")
    slid = f"!({SAME_SPOT} && {SAME_VOL})"
    moved = chosen.transform_filter(slid)
    # A sample of the outline, before the line that says what it is of.
    indent: dict[str, Any] = {"dx": 14, "limit": alt.ExprRef("width - 22")}
    sample = (
        base.transform_filter("isValid(datum.range)")
        .mark_point(
            shape="square", filled=False, size=70, stroke=style["ink"], opacity=1, aria=False
        )
        .encode(x=alt.value(10), y=alt.value(alt.ExprRef(f"{LANE} * ({slid} ? 0.5 : 1.5)")))
    )
    return with_sliders(
        compose(
            [
                heat,
                edges,
                outline,
                halo,
                figures,
                feet,
                line_text(unmoved, style, "answer", 0, color=style["ink"], **answer),
                line_text(moved, style, "told", 0, color=style["ink"], **answer, **indent),
                sample,
                line_text(unmoved, style, "now_range", 1, color=style["soft"], **indent),
                line_text(base.transform_filter(slid), style, "range", 1, color=style["soft"]),
                line_text(base, style, "edge", 2, color=style["alert"]),
                line_text(base, style, "plain", 2, color=style["soft"]),
                axes.note_text(base, style),
                axis_title(base, style),
                *heading(data, style),
            ],
            height=300,
        )
    )


SCENARIOS = ChartKind(
    "scenarios", ("시나리오별 손익 (추정, 원)", "P&L by scenario (estimate, won)"), _build
)
