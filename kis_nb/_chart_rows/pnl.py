"""Profit and loss: by position, by kind, or realized and unrealized."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from kis_nb._chart_rows.bars import bar, keyed
from kis_nb._chart_rows.style import Style
from kis_nb._choices import check_choice
from kis_nb._frames.columns import PROFIT_COLUMNS, chosen
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.text import exact, signed
from kis_nb._frames.words import NO_POSITIONS, NO_PRICE
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

By: TypeAlias = Literal["position", "kind", "realized"]

TIPS = chosen("prdt_name", "side", "lqd_psbl_qty")

_SUMS: dict[str, tuple[str, ...]] = {
    "kind": ("futr_evlu_pfls_amt", "futr_trad_pfls_amt", "opt_evlu_pfls_amt", "opt_trad_pfls_amt"),
    "realized": ("evlu_pfls_amt_smtl", "trad_pfls_amt_smtl"),
}


@exactly
def rows(
    balance: Balance, style: Style, *, by: By = "position", top: int = 20, account: str = ""
) -> list[Row]:
    """The rows of the chart, largest P&L first; see `kis_nb.charts.pnl` for the arguments, and
    `kis_nb._chart_rows.heading.add_heading` for `account`.

    Never empty: an account without positions has one row with a note.
    """
    check_choice("by", by, get_args(By))
    if by == "position":
        bars = _positions(balance, style, top)
        title = style.field("evlu_pfls_amt")
    else:
        bars = _sums(balance, style, by)
        title = ""
    return keyed(bars, balance, style, title, account=account)


def _positions(balance: Balance, style: Style, top: int) -> list[Row]:
    if top < 1:
        raise ValueError(f"top takes a count from 1; got {top}")
    held = list(balance.positions.iter_rows(named=True))
    if not held:
        return [bar("", None, figure=" ", note=style.word(*NO_POSITIONS))]
    # A 0 of a position without a price is no P&L.
    unpriced = [row for row in held if is_unpriced(row)]
    held = [row for row in held if not is_unpriced(row)]
    known = [row for row in held if row["evlu_pfls_amt"] is not None]
    unknown = [row for row in held if row["evlu_pfls_amt"] is None]
    known.sort(key=lambda row: abs(row["evlu_pfls_amt"]), reverse=True)
    # A sum of one position would take the same space as the position itself.
    shown = known if len(known) <= top + 1 else known[:top]
    bars = [_position(row, style) for row in shown]
    if rest := known[len(shown) :]:
        total = sum((row["evlu_pfls_amt"] for row in rest), Decimal(0))
        name = style.word(f"나머지 {len(rest):,}종목 합계", f"Sum of the other {len(rest):,}")
        bars.append(bar(name, total, tip={"evlu_pfls_amt": signed(total)}))
    bars += _without(unpriced, style, style.word(*NO_PRICE))
    bars += _without(unknown, style, style.word("손익 값이 오지 않음", "no P&L was sent"))
    return bars


def _without(held: list[dict[str, Any]], style: Style, note: str) -> list[Row]:
    """Rows for positions without a P&L: one for each, or one with their count beyond five."""
    if len(held) > 5:
        names = ", ".join(_name(row, style) for row in held)
        name = style.word(f"값 없음 {len(held):,}종목", f"{len(held):,} without a value")
        return [bar(name, None, note=note, tip={"shtn_pdno": names})]
    return [_position(row, style, note=note) for row in held]


def _name(row: dict[str, Any], style: Style) -> str:
    name = (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()
    return " ".join(filter(None, (name, style.side(row["side"]))))


def _position(row: dict[str, Any], style: Style, *, note: str = "") -> Row:
    tip = {name: exact(row[name]) for name in TIPS if name != "shtn_pdno"}
    tip |= {name: signed(row[name]) for name in PROFIT_COLUMNS}
    tip["shtn_pdno"] = row["shtn_pdno"] or ""
    pnl = row["evlu_pfls_amt"]
    if note:  # no P&L is known, so none is drawn or listed
        pnl = None
        tip |= dict.fromkeys(("evlu_amt", "evlu_pfls_amt"), exact(None))
    return bar(_name(row, style), pnl, tip=tip, id=row["pdno"], note=note)


def _sums(balance: Balance, style: Style, by: str) -> list[Row]:
    summary = balance.summary.row(0, named=True)
    missing = style.word("값이 오지 않음", "no value was sent")
    bars = [
        bar(style.field(name), summary[name], note=missing if summary[name] is None else "")
        for name in _SUMS[by]
    ]
    if by == "realized":
        parts = [summary[name] for name in _SUMS[by]]
        total = None if None in parts else sum(parts, Decimal(0))
        name = style.word("평가 + 매매손익", "Unrealized + realized")
        bars.append(bar(name, total, note=missing if total is None else ""))
    lacking = sum(is_unpriced(row) for row in balance.positions.iter_rows(named=True))
    if lacking:
        name = style.word(
            f"{lacking:,}종목 가격 없음 제외", f"Without {lacking:,} that have no price"
        )
        bars.append(bar(name, None, figure=" ", note=style.word(*NO_PRICE)))
    return bars
