"""Profit and loss by product, of one account or of several together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from kis_nb._chart_rows.bars import bar, keyed
from kis_nb._chart_rows.heading import head_fields
from kis_nb._chart_rows.style import Style
from kis_nb._codes import Basis
from kis_nb._frames.account_frames import one_view_each
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.moments import moments
from kis_nb._frames.report_labels import cell_text
from kis_nb._frames.text import count, exact, signed
from kis_nb._frames.words import NO_POSITIONS, NO_PRICE
from kis_nb._widgets.vega_spec import Row

# How many accounts the heading names that the chart leaves out.
_NAMED = 2
TIPS = ("positions", "contracts", "unpriced", "market_value", "unrealized", "realized")


@exactly
def rows(balances: Balance | Balances, style: Style, *, top: int = 20) -> list[Row]:
    """The rows of the chart: unrealized and realized P&L of each product, the largest first.

    Never empty: without positions there is one row with a note.

    Raises:
        ValueError: `top` is below 1, or there is no balance.
    """
    if top < 1:
        raise ValueError(f"top takes a count from 1; got {top}")
    several = balances if isinstance(balances, Balances) else Balances([balances])
    if not several:
        raise ValueError("pnl needs a balance")
    bases = {one.excc_stat_cd for one in several}
    basis = bases.pop() if len(bases) == 1 else Basis.SETTLEMENT
    used = one_view_each(several, None, basis)
    groups = several.pnl("product", excc_stat_cd=basis).rows(named=True)
    known = [row for row in groups if row["total"] is not None]
    # A sum of one group would take the same space as the group itself.
    shown = known if len(known) <= top + 1 else known[:top]
    bars = [_bar(row, style) for row in shown]
    if rest := known[len(shown) :]:
        name = style.word(f"나머지 {len(rest):,}개 합계", f"Sum of the other {len(rest):,}")
        bars.append(bar(name, sum((row["total"] for row in rest), Decimal(0))))
    bars += [_bar(row, style) for row in groups[len(known) :]]
    if not bars:
        bars = [bar("", None, figure=" ", note=style.word(*NO_POSITIONS))]
    what = style.word("평가 + 매매손익", "Unrealized + realized")
    result = keyed(bars, used[0], style, what)
    who = style.word(f"{len(used):,}개 계좌", count(len(used), "account"))
    if len(used) == 1:
        who = several.labels[used[0].account]
    # The margin code, which changes no profit, is left out.
    result[0] |= head_fields(
        (who, basis.label_with_code(style.lang), _left_out(several, used, style)),
        (moments(one.as_of for one in used), what),
    )
    if any(one.demo for one in several):
        result[0]["demo"] = "DEMO"
    return result


def _left_out(several: Balances, used: Sequence[Balance], style: Style) -> str:
    """Which accounts have pulls, but none on the basis shown; blank without any."""
    there = {one.account for one in used}
    without = [
        several.labels[account]
        for account in dict.fromkeys(one.account for one in several)
        if account not in there
    ]
    if not without:
        return ""
    listed = ", ".join(without[:_NAMED])
    more = len(without) - _NAMED
    if more > 0:
        listed += style.word(f" 외 {more:,}개", f" and {more:,} more")
    return style.word(f"{listed} 제외", f"without {listed}")


def _bar(row: Mapping[str, Any], style: Style) -> Row:
    kind = cell_text("kind", row["kind"], style.lang) if row["kind"] else ""
    unknown = style.word("상품 불명", "product unknown")
    product = cell_text("product", row["product"], style.lang) if row["product"] else unknown
    name = " ".join(filter(None, (product, kind)))
    none = style.word(*NO_PRICE)
    missing = row["total"] is None
    if row["unpriced"] and not missing:
        name += f" ({none} {row['unpriced']:,})"
    tip = {one: exact(row[one]) for one in TIPS[:4]}
    tip |= {one: signed(row[one]) for one in TIPS[4:]}
    note = none if row["unpriced"] else style.word("손익 값이 오지 않음", "no P&L was sent")
    return bar(name, row["total"], tip=tip, note=note if missing else "")


def only_one(balances: Balance | Balances, what: str) -> tuple[Balance, str]:
    """The one balance that a chart of a single account shows, and its account's label.

    Raises:
        ValueError: there are several, or there is none.
    """
    several = balances if isinstance(balances, Balances) else Balances([balances])
    if len(several) != 1:
        raise ValueError(f"{what} shows one balance; got {len(several)}")
    return several[0], several.labels[several[0].account]
