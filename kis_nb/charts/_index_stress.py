"""What a move of the index would leave of an account's excess margin: two lines and the call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import altair as alt

from kis_nb._codes import Basis
from kis_nb._frames.account_frames import one_view_each, state_at
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.index_stress import Move
from kis_nb._frames.moments import same_moment
from kis_nb._frames.report_labels import cell_text
from kis_nb._frames.text import exact, moment
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._chart import Chart, ChartKind, compose
from kis_nb.charts._heading import add_heading, head_fields, heading
from kis_nb.charts._labels import geometry
from kis_nb.charts._style import Style

_LANE = 16
_LINES = {"held": ("시간가치 유지", "Time value kept"), "worst": ("최악", "Worst")}


@exactly
def rows(
    balances: Balance | Balances,
    style: Style,
    *,
    account: str | None = None,
    moves: Iterable[Move],
) -> list[Row]:
    """The rows of the chart: a point for each move and line.

    Args:
        balances: pulls of one account or of several.
        style: language and colours.
        account: the masked label of the account that is shown; the tightest when left out.
        moves: of the index, in per cent.

    Raises:
        ValueError: no balance, no such account, no move, or a move that is no number.
    """
    several = balances if isinstance(balances, Balances) else Balances([balances])
    if not several:
        raise ValueError("index_stress needs a balance")
    bases = {one.excc_stat_cd for one in several}
    basis = bases.pop() if len(bases) == 1 else Basis.SETTLEMENT
    used = one_view_each(several, None, basis)
    stress = several.index_stress(moves, excc_stat_cd=basis)
    if not stress.height:
        raise ValueError("index_stress needs a move")
    known = set(stress["account"])
    equity = several.equity()
    equity = equity.filter(equity["account"].is_in(known))
    chosen = equity["account"][0] if account is None else account
    shown = stress.filter(account=chosen).sort("index_move").rows(named=True)
    if not shown:
        listed = ", ".join(sorted(known))
        raise ValueError(f"account takes the label of one that was pulled ({listed})")
    of = next(one for one in used if several.labels[one.account] == chosen)
    state = state_at(of, several, equity.filter(account=chosen).row(0, named=True))
    points = [point for line in _LINES for point in _points(line, shown, style)] or _nothing(style)
    level = next((row["index_level"] for row in shown if not row["index_move"]), None)
    left = shown[0]["left_out"]
    # On which side of the line at 0 there is space for its name.
    points[0]["above"] = all((point["excess"] or 0) >= 0 for point in points)
    add_heading(points, of, style)
    margin_at = state["margin_as_of"]
    old = margin_at is not None and not same_moment(margin_at, of.as_of)
    settled = state["current_equity"] is None and points[0]["excess"] is not None
    points[0] |= head_fields(
        (chosen, moment(of.as_of)),
        (
            style.word("정산 자산 기준", "equity at settlement") if settled else "",
            style.word(f"증거금 {margin_at:%H:%M:%S}", f"margin of {margin_at:%H:%M:%S}")
            if old
            else "",
            style.word(f"지수 {exact(level)}", f"index {exact(level)}") if level else "",
            style.word(f"{len(left):,}종목 제외", f"{len(left):,} left out") if left else "",
        ),
    )
    return points


def _points(line: str, shown: list[dict[str, Any]], style: Style) -> list[Row]:
    """The points of one line; none when the excess margin is not known."""
    if shown[0][f"excess_{line}"] is None:
        return []
    name = style.word(*_LINES[line])
    points: list[Row] = []
    for row in shown:
        excess, move = (
            exact(row[f"excess_{line}"]),
            cell_text("index_move", row["index_move"], "en"),
        )
        points.append(
            {
                "move": geometry(row["index_move"]),
                "excess": geometry(row[f"excess_{line}"]),
                "line": line,
                "name": name,
                "by": move,
                "level": exact(row["index_level"]),
                "figure": excess,
                "pnl": cell_text("pnl_held", row[f"pnl_{line}"], "en"),
                "aria": f"{name} {move}: {excess}",
            }
        )
    listed = [points[0], *(one for one in points[1:-1] if not one["move"]), points[-1]]
    points[0]["legend"] = f"{name}  " + " · ".join(
        f"{one['by']}: {one['figure']}" for one in listed
    )
    return points


def _nothing(style: Style) -> list[Row]:
    note = style.word("여유증거금을 알 수 없음", "The excess margin is not known")
    return [{"move": 0.0, "excess": None, "line": "held", "note": note, "aria": note}]


def _build(data: Any, style: Style) -> Chart:
    base = alt.Chart(data)
    lines, colors = list(_LINES), ["cash", "alert"]
    x = alt.X(
        "move:Q",
        title=style.word("KOSPI 200 변동", "Move of the KOSPI 200"),
        axis=style.axis(grid=False, labelExpr="(datum.value > 0 ? '+' : '') + datum.label + '%'"),
        scale=alt.Scale(nice=False, zero=False, padding=8),
    )
    y = alt.Y(
        "excess:Q",
        title=None,
        axis=style.money_axis(tickCount=5),
        # The figures are written above the lines, so that no line crosses them.
        scale=alt.Scale(zero=True, nice=True, range=[alt.ExprRef(f"height - {_LANE}"), 3 * _LANE]),
    )
    color = alt.Color(
        "line:N",
        legend=None,
        scale=alt.Scale(domain=lines, range=[style[name] for name in colors]),
    )
    # Not by colour alone: what is worst is dashed too.
    dash = alt.StrokeDash(
        "line:N", legend=None, scale=alt.Scale(domain=lines, range=[[1, 0], [6, 4]])
    )
    tooltip = [
        alt.Tooltip("name:N", title=" "),
        alt.Tooltip("by:N", title=style.word("지수 변동", "Index move")),
        alt.Tooltip("level:N", title=style.word("지수", "Index")),
        alt.Tooltip("figure:N", title=style.word("여유증거금", "Excess margin")),
        alt.Tooltip("pnl:N", title=style.word("손익", "P&L")),
    ]
    drawn = base.transform_filter("isValid(datum.excess)")
    curves = drawn.mark_line(strokeWidth=2, aria=False).encode(
        x=x, y=y, color=color, strokeDash=dash
    )
    marks = drawn.mark_point(filled=True, size=40, opacity=1).encode(
        x=x, y=y, color=color, tooltip=tooltip, description=alt.Description("aria:N")
    )
    call = base.mark_rule(color=style["alert"], strokeWidth=1.5, aria=False).encode(y=alt.datum(0))
    label: dict[str, Any] = {"fontSize": 11, "aria": False}
    call_text = (
        base.transform_filter("isValid(datum.head)")
        .mark_text(
            align="right",
            baseline="middle",
            dx=-4,
            dy=alt.ExprRef("datum.above ? 9 : -9"),
            color=style["alert"],
            **label,
        )
        .encode(
            x=alt.value("width"),
            y=alt.datum(0),
            text=alt.value(style.word("0 아래는 마진콜", "Margin call below 0")),
        )
    )
    # The exact figures of both ends and of no move, with a sample of their line.
    legend = base.transform_filter("isValid(datum.legend)")
    lane = alt.value(alt.ExprRef(f"datum.line == 'held' ? {_LANE / 2} : {_LANE * 1.5}"))
    samples = legend.mark_text(align="left", baseline="middle", fontWeight="bold", **label).encode(
        x=alt.value(4),
        y=lane,
        color=color,
        text=alt.value(alt.ExprRef("datum.line == 'held' ? '━━' : '╍╍'")),
    )
    texts = legend.mark_text(
        align="left",
        baseline="middle",
        color=style["ink"],
        limit=alt.ExprRef("width - 36"),
        fontSize=11,
    ).encode(
        x=alt.value(32),
        y=lane,
        text="legend:N",
        tooltip="legend:N",
        description=alt.Description("legend:N"),
    )
    note = (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(80),
            text="note:N",
            description=alt.Description("aria:N"),
        )
    )
    return compose(
        [call, curves, marks, samples, texts, call_text, note, *heading(data, style)], height=260
    )


INDEX_STRESS = ChartKind(
    "index_stress",
    ("지수가 움직이면 남는 여유증거금", "Excess margin after a move of the index"),
    _build,
)
