"""The frames of `Balances` that have a row an account: which pulls they take, and the equity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._account import Account, account_labels
from kis_nb._codes import Basis, Margin
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.equity import equity
from kis_nb._frames.equity_estimate import summary_figure
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_WON = pl.Decimal(38, 0)
_MOMENT = pl.Datetime("us", KST.key)
EQUITY_COLUMNS: dict[str, Any] = {
    "account": pl.String,
    "as_of": _MOMENT,
    "reported_equity": _WON,
    "current_equity": _WON,
    "source": pl.Enum(["sent", "estimate"]),
    "initial_margin": _WON,
    "maintenance_margin": _WON,
    "margin_as_of": _MOMENT,
    "excess_margin": _WON,
    "excess_margin_now": _WON,
    "equity_percent": pl.Decimal(38, 2),
    "margin_call": _WON,
}


def one_view_each(
    balances: Sequence[Balance], margin: Margin | None, basis: Basis
) -> list[Balance]:
    """One pull for each account, so that no position is counted twice.

    Args:
        balances: pulls of any accounts and views.
        margin: the MGNA_DVSN wanted; None takes a pull with 01 before one with 02.
        basis: the EXCC_STAT_CD wanted.

    Returns:
        In the order of the accounts. Of several pulls of one view the latest. An account without
        such a pull is not among them.

    Raises:
        ValueError: there are balances, but none of this view.
    """
    chosen: dict[Account, Balance] = {}
    for one in balances:
        if one.excc_stat_cd is not basis or (margin is not None and one.mgna_dvsn is not margin):
            continue
        before = chosen.get(one.account)
        if before is None or _preferred(one) > _preferred(before):
            chosen[one.account] = one
    if balances and not chosen:
        view = " ".join(code.query for code in (margin, basis) if code is not None)
        raise ValueError(f"no balance of these is of {view}: pull it, or choose other codes")
    return list(chosen.values())


def _preferred(balance: Balance) -> tuple[bool, Any]:
    return balance.mgna_dvsn is Margin.INITIAL, balance.as_of


@exactly
def equity_frame(balances: Iterable[Balance]) -> pl.DataFrame:
    """The frame of `Balances.equity`, which describes its columns."""
    by_account: dict[Account, list[Balance]] = {}
    for one in balances:
        by_account.setdefault(one.account, []).append(one)
    labels = account_labels(by_account)
    rows = [_row(labels[account], pulls) for account, pulls in by_account.items()]
    rows.sort(key=_tightness)
    return pl.DataFrame(rows, schema=EQUITY_COLUMNS, orient="row")


def latest_excess(row: Mapping[str, Any]) -> Decimal | None:
    """The excess margin of this moment; where it is not known, that of KIS's equity at settlement.

    Args:
        row: of `equity_frame`.
    """
    now: Decimal | None = row["excess_margin_now"]
    reported: Decimal | None = row["excess_margin"]
    return reported if now is None else now


def _tightness(row: dict[str, Any]) -> tuple[bool, bool, Decimal]:
    """The sort key: margin calls, then what has the least equity for its margin, then unknown."""
    percent = row["equity_percent"]
    return not row["margin_call"], percent is None, percent or Decimal(0)


def _row(label: str, pulls: Sequence[Balance]) -> dict[str, Any]:
    # The margin chart shows the latest pull too: its figures are these.
    shown = max(pulls, key=lambda one: one.as_of)
    own = equity(shown, pulls)
    initial = [one for one in pulls if one.mgna_dvsn is Margin.INITIAL]
    # Of the same basis if there is one, then the latest.
    initial.sort(key=lambda one: (one.excc_stat_cd is shown.excc_stat_cd, one.as_of))
    moments = [one.as_of for one in initial[-1:]]
    if own.maintenance_as_of is not None:
        moments.append(own.maintenance_as_of)
    calls = [summary_figure(one.summary, "add_mgna_tota") for one in pulls]
    return {
        "account": label,
        "as_of": shown.as_of,
        "reported_equity": own.reported_equity,
        "current_equity": own.current_equity,
        "source": own.source,
        "initial_margin": summary_figure(initial[-1].summary, "mgna_tota") if initial else None,
        "maintenance_margin": own.maintenance_margin,
        "margin_as_of": min(moments, default=None),
        "excess_margin": own.excess_margin,
        "excess_margin_now": own.excess_margin_now,
        "equity_percent": _percent(
            own.reported_equity if own.current_equity is None else own.current_equity,
            own.maintenance_margin,
        ),
        "margin_call": max((call for call in calls if call is not None), default=None),
    }


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """To two decimals; None when there is no margin to measure against."""
    if part is None or not whole:
        return None
    return (100 * part / whole).quantize(Decimal("0.01"))
