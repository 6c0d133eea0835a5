"""Profit and loss by position, by kind, and realized against unrealized. Right wing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb._chartview import Row
from kis_nb._exact import exactly
from kis_nb.charts._bars import bar, design, keyed
from kis_nb.charts._look import Look, exact, first

if TYPE_CHECKING:
    from kis_nb._balance import Balance

By: TypeAlias = Literal["position", "kind", "realized"]

_TIPS = (
    "shtn_pdno",
    "cblc_qty",
    "excc_unpr",
    "ccld_avg_unpr1",
    "idx_clpr",
    "pchs_amt",
    "evlu_amt",
    "evlu_pfls_amt",
    "trad_pfls_amt",
)

PNL = design("pnl", ("평가손익 · 매매손익", "Profit and loss"), _TIPS)

_SUMS: dict[str, tuple[str, ...]] = {
    "kind": ("futr_evlu_pfls_amt", "futr_trad_pfls_amt", "opt_evlu_pfls_amt", "opt_trad_pfls_amt"),
    "realized": ("evlu_pfls_amt_smtl", "trad_pfls_amt_smtl"),
}


@exactly
def rows(balance: Balance, look: Look, *, by: By = "position", top: int = 20) -> list[Row]:
    """The bars, largest first. Never empty: an account without positions says so."""
    if by == "position":
        bars = _positions(balance, look, top)
        what = look.field("evlu_pfls_amt")
    elif by in _SUMS:
        bars = _sums(balance, look, by)
        what = ""
    else:
        raise ValueError(f"by takes 'position', 'kind' or 'realized'; got {by!r}")
    return first(keyed(bars), balance, look, what)


def _positions(balance: Balance, look: Look, top: int) -> list[Row]:
    if top < 1:
        raise ValueError(f"top takes a count from 1; got {top}")
    held = list(balance.positions.iter_rows(named=True))
    if not held:
        return [bar("", None, figure=" ", note=look.word("보유 포지션 없음", "No open positions"))]
    known = [row for row in held if row["evlu_pfls_amt"] is not None]
    unknown = [row for row in held if row["evlu_pfls_amt"] is None]
    known.sort(key=lambda row: abs(row["evlu_pfls_amt"]), reverse=True)
    # One bar is not worth folding: it would take the same room as itself.
    shown = known if len(known) <= top + 1 else known[:top]
    bars = [_position(row, look) for row in shown]
    if rest := known[len(shown) :]:
        total = sum((row["evlu_pfls_amt"] for row in rest), Decimal(0))
        name = look.word(f"나머지 {len(rest):,}종목 합계", f"Sum of the other {len(rest):,}")
        bars.append(bar(name, total, tip={"evlu_pfls_amt": exact(total, sign=True)}))
    missing = look.word("손익 값이 오지 않음", "no P&L was sent")
    if len(unknown) > 5:
        names = ", ".join(_name(row, look) for row in unknown)
        name = look.word(f"값 없음 {len(unknown):,}종목", f"{len(unknown):,} without a value")
        bars.append(bar(name, None, note=missing, tip={"shtn_pdno": names}))
    else:
        bars += [_position(row, look, note=missing) for row in unknown]
    return bars


def _name(row: dict[str, Any], look: Look) -> str:
    name = (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()
    return " ".join(filter(None, (name, look.side(row["side"]))))


def _position(row: dict[str, Any], look: Look, *, note: str = "") -> Row:
    tip = {name: exact(row[name]) for name in _TIPS if name not in ("shtn_pdno", "evlu_pfls_amt")}
    tip["shtn_pdno"] = row["shtn_pdno"] or ""
    tip["evlu_pfls_amt"] = exact(row["evlu_pfls_amt"], sign=True)
    tip["trad_pfls_amt"] = exact(row["trad_pfls_amt"], sign=True)
    return bar(_name(row, look), row["evlu_pfls_amt"], tip=tip, id=row["pdno"], note=note)


def _sums(balance: Balance, look: Look, by: str) -> list[Row]:
    summary = balance.summary.row(0, named=True)
    missing = look.word("값이 오지 않음", "no value was sent")
    bars = [
        bar(look.field(name), summary[name], note=missing if summary[name] is None else "")
        for name in _SUMS[by]
    ]
    if by == "realized":
        parts = [summary[name] for name in _SUMS[by]]
        total = None if None in parts else sum(parts, Decimal(0))
        name = look.word("평가 + 매매손익", "Unrealized + realized")
        bars.append(bar(name, total, note=missing if total is None else ""))
    return bars
