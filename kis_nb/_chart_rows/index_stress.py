"""What a move of the index would leave of an account's excess margin: two lines and the call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kis_nb._chart_rows.heading import add_heading, head_fields
from kis_nb._chart_rows.labels import geometry
from kis_nb._chart_rows.style import Style
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

LINES = {"held": ("시간가치 유지", "Time value kept"), "worst": ("최악", "Worst")}


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
    points = [point for line in LINES for point in _points(line, shown, style)] or _nothing(style)
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
    name = style.word(*LINES[line])
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
