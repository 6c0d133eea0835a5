"""An account's equity, its maintenance margin, and the excess of the one over the other.

The dashboard's card and the margin chart both take their figures from here, so that they cannot
contradict each other. All amounts are `Decimal` won; None is not known, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, TypeAlias

from kis_nb._codes import Margin
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.equity_estimate import estimate_equity, summary_figure
from kis_nb._frames.moments import same_moment

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

Source: TypeAlias = Literal["sent", "estimate"]


@dataclass(frozen=True, slots=True)
class Equity:
    """Equity and excess margin in won.

    Attributes:
        reported_equity: ``prsm_dpast``, KIS's equity, marked at settlement.
        current_equity: equity at the moment of the pull: ``prsm_dpast_amt`` where it is sent, else
            an estimate.
        source: ``sent`` for ``prsm_dpast_amt``; ``estimate`` for ``prsm_dpast`` plus the futures'
            P&L since settlement; None when `current_equity` is not known.
        maintenance_margin: ``mgna_tota`` of a pull with MGNA_DVSN 02, or ``mmga_tot_amt`` above 0
            as the old TR sends it.
        maintenance_as_of: when the pull that it is of was made; None without one.
        excess_margin: `reported_equity` less `maintenance_margin`. Below 0 the equity does not
            cover the maintenance margin.
        excess_margin_now: `current_equity` less `maintenance_margin`.
    """

    reported_equity: Decimal | None
    current_equity: Decimal | None
    source: Source | None
    maintenance_margin: Decimal | None
    maintenance_as_of: datetime | None
    excess_margin: Decimal | None
    excess_margin_now: Decimal | None


@exactly
def equity(balance: Balance, others: Iterable[Balance] = ()) -> Equity:
    """The equity of a balance, with other views of the account for what the balance cannot tell.

    Args:
        balance: the pull that is shown.
        others: more pulls. One of the same account with MGNA_DVSN 02 gives the maintenance margin,
            and one of the same account and moment with EXCC_STAT_CD 1 the P&L since settlement.
    """
    same_account = [balance, *(one for one in others if one.account == balance.account)]
    reported = summary_figure(balance.summary, "prsm_dpast")
    current = summary_figure(balance.summary, "prsm_dpast_amt")
    source: Source | None = None if current is None else "sent"
    if current is None:
        for one in same_account:
            if same_moment(one.as_of, balance.as_of):
                current = estimate_equity(one.positions, one.summary, one.excc_stat_cd)
                if current is not None:
                    source = "estimate"
                    break
    maintenance, maintenance_as_of = _maintenance_margin(same_account)
    return Equity(
        reported_equity=reported,
        current_equity=current,
        source=source,
        maintenance_margin=maintenance,
        maintenance_as_of=maintenance_as_of,
        excess_margin=_difference(reported, maintenance),
        excess_margin_now=_difference(current, maintenance),
    )


def _maintenance_margin(
    balances: Iterable[Balance],
) -> tuple[Decimal | None, datetime | None]:
    """The margin, and when the pull that it is of was made."""
    shown, *others = balances
    # The pull that is shown first, then the latest of the same basis: card and chart take the same.
    others.sort(key=lambda one: (one.excc_stat_cd is shown.excc_stat_cd, one.as_of), reverse=True)
    ordered = [shown, *others]
    for one in ordered:
        if one.mgna_dvsn is Margin.MAINTENANCE:
            margin = summary_figure(one.summary, "mgna_tota")
            return margin, None if margin is None else one.as_of
    # The new TR does not use the field: a 0 in it means nothing.
    for one in ordered:
        margin = summary_figure(one.summary, "mmga_tot_amt")
        if margin is not None and margin > 0:
            return margin, one.as_of
    return None, None


def _difference(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if whole is None or part is None else whole - part
