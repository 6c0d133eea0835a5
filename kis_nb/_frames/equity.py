"""An account's equity as KIS tells it, its equity at this moment, and the room over maintenance.

Imports `_exact`, `_fields` and `_products`. The room card and the margin chart both take their
figures from here, so that they cannot contradict each other. All amounts are `Decimal` won; None
is not known, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from kis_nb._codes import Basis, Margin
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.products import is_unpriced, kind_of

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

Source: TypeAlias = Literal["sent", "estimate"]

# Two pulls this far apart at most tell about one moment. The dashboard marks what is further apart,
# so this must not be longer than its `_SAME`: the estimate has no mark of its own.
SAME_MOMENT = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity and the room before a margin call, in won.

    Attributes:
        told: ``prsm_dpast``, KIS's equity, marked at settlement.
        now: equity of this moment: ``prsm_dpast_amt`` where it is sent, else an estimate.
        source: ``sent`` for ``prsm_dpast_amt``; ``estimate`` for ``prsm_dpast`` with the futures'
            P&L since settlement added; None when `now` is not known.
        maintenance: the maintenance margin, ``mgna_tota`` of a pull with MGNA_DVSN 02, or
            ``mmga_tot_amt`` above 0 as the old TR sends it.
        room: `told` less `maintenance`; below 0 the equity is short of it.
        room_now: `now` less `maintenance`.
    """

    told: Decimal | None
    now: Decimal | None
    source: Source | None
    maintenance: Decimal | None
    room: Decimal | None
    room_now: Decimal | None


@exactly
def equity(balance: Balance, others: Iterable[Balance] = ()) -> Equity:
    """The equity of a balance.

    Args:
        balance: the pull on show.
        others: more pulls; one of the same account tells the maintenance margin (MGNA_DVSN 02), and
            one of the same account and moment the P&L since settlement (EXCC_STAT_CD 1).
    """
    same = [balance, *(one for one in others if one.account == balance.account)]
    told = _figure(balance, "prsm_dpast")
    now = _figure(balance, "prsm_dpast_amt")
    source: Source | None = None if now is None else "sent"
    if now is None:
        near = (one for one in same if abs(one.as_of - balance.as_of) <= SAME_MOMENT)
        now = next((found for one in near if (found := estimate(one)) is not None), None)
        source = None if now is None else "estimate"
    need = _maintenance(same)
    return Equity(told, now, source, need, _less(told, need), _less(now, need))


@exactly
def estimate(balance: Balance) -> Decimal | None:
    """``prsm_dpast`` with the futures' P&L since settlement (``futr_evlu_pfls_amt``) added.

    None unless the pull has EXCC_STAT_CD 1: with 2 the P&L counts from the fills. None as well when
    a figure was not sent, or a future that is held has no price yet, so its P&L is not in the sum.
    """
    if balance.excc_stat_cd is not Basis.SETTLEMENT:
        return None
    told, since = _figure(balance, "prsm_dpast"), _figure(balance, "futr_evlu_pfls_amt")
    if told is None or since is None:
        return None
    for row in balance.positions.iter_rows(named=True):
        if is_unpriced(row) and kind_of(row["shtn_pdno"], row["prdt_name"]) not in ("call", "put"):
            return None
    return told + since


def _maintenance(balances: Iterable[Balance]) -> Decimal | None:
    shown, *others = balances
    # The pull on show first, then one of the same basis: card and chart take the same.
    others.sort(key=lambda one: one.excc_stat_cd is not shown.excc_stat_cd)
    listed = [shown, *others]
    for one in listed:
        if one.mgna_dvsn is Margin.MAINTENANCE:
            return _figure(one, "mgna_tota")
    # The new TR does not use the field: a 0 in it says nothing.
    return next(
        (need for one in listed if (need := _figure(one, "mmga_tot_amt")) and need > 0), None
    )


def _figure(balance: Balance, name: str) -> Decimal | None:
    if name not in balance.summary.columns:
        return None
    value: Decimal | None = balance.summary.get_column(name)[0]
    return value


def _less(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if whole is None or part is None else whole - part
