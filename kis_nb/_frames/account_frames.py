"""The frames of `Balances` that have a row an account: which pulls they take, and the equity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from decimal import ROUND_FLOOR, Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.equity import equity
from kis_nb._frames.equity_estimate import summary_figure
from kis_nb._frames.moments import same_moment
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
    "initial_as_of": _MOMENT,
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
        margin: the MGNA_DVSN wanted; None takes a pull with 01 before one of the same moment with
            02.
        basis: the EXCC_STAT_CD wanted.

    Returns:
        In the order of the accounts, the latest pull of each. An account without such a pull is not
        among them.

    Raises:
        ValueError: there are balances, but none of this view.
    """
    chosen: dict[Account, list[Balance]] = {}
    for one in balances:
        if one.excc_stat_cd is basis and (margin is None or one.mgna_dvsn is margin):
            chosen.setdefault(one.account, []).append(one)
    if balances and not chosen:
        view = " ".join(code.query for code in (margin, basis) if code is not None)
        raise ValueError(f"no balance of these is of {view}: pull it, or choose other codes")
    return [_preferred(pulls) for pulls in chosen.values()]


def _preferred(pulls: Sequence[Balance]) -> Balance:
    """Of the pulls of the latest moment one with MGNA_DVSN 01, then the latest."""
    latest = max(one.as_of for one in pulls)
    recent = [one for one in pulls if same_moment(one.as_of, latest)]
    return max(recent, key=lambda one: (one.mgna_dvsn is Margin.INITIAL, one.as_of))


@exactly
def equity_frame(balances: Iterable[Balance], labels: Mapping[Account, str]) -> pl.DataFrame:
    """The frame of `Balances.equity`, which describes its columns.

    Args:
        balances: every pull.
        labels: of the accounts.
    """
    by_account: dict[Account, list[Balance]] = {}
    for one in balances:
        by_account.setdefault(one.account, []).append(one)
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


def state_at(
    balance: Balance, balances: Iterable[Balance], row: Mapping[str, Any]
) -> Mapping[str, Any]:
    """A row of `equity_frame` with equity and excess margin of the moment of one of its pulls.

    Args:
        balance: the pull, whose positions stand beside these figures.
        balances: every pull.
        row: of the pull's account; it is returned as it is when it is of the same moment.
    """
    if same_moment(balance.as_of, row["as_of"]):
        return row
    own = equity(balance, balances)
    return {**row, **asdict(own), "as_of": balance.as_of, "margin_as_of": own.maintenance_as_of}


def _tightness(row: dict[str, Any]) -> tuple[bool, bool, bool, Decimal]:
    """The sort key: margin calls, then excess margins below 0, then what has the least equity for
    its margin, then unknown.
    """
    percent, excess = row["equity_percent"], latest_excess(row)
    short = excess is not None and excess < 0
    if short and percent is None:
        # An equity below 0 without a margin to measure it against.
        percent = Decimal("-Infinity")
    return not row["margin_call"], not short, percent is None, percent or Decimal(0)


def _row(label: str, pulls: Sequence[Balance]) -> dict[str, Any]:
    # The margin chart shows the latest pull too: its figures are these.
    shown = max(pulls, key=lambda one: one.as_of)
    own = equity(shown, pulls)
    initial = [one for one in pulls if one.mgna_dvsn is Margin.INITIAL]
    # Of the same basis if there is one, then the latest.
    initial.sort(key=lambda one: (one.excc_stat_cd is shown.excc_stat_cd, one.as_of))
    calls = [
        summary_figure(one.summary, "add_mgna_tota")
        for one in pulls
        if same_moment(one.as_of, shown.as_of)
    ]
    return {
        "account": label,
        "as_of": shown.as_of,
        "reported_equity": own.reported_equity,
        "current_equity": own.current_equity,
        "source": own.source,
        "initial_margin": summary_figure(initial[-1].summary, "mgna_tota") if initial else None,
        "initial_as_of": initial[-1].as_of if initial else None,
        "maintenance_margin": own.maintenance_margin,
        "margin_as_of": own.maintenance_as_of,
        "excess_margin": own.excess_margin,
        "excess_margin_now": own.excess_margin_now,
        "equity_percent": _percent(
            own.reported_equity if own.current_equity is None else own.current_equity,
            own.maintenance_margin,
        ),
        "margin_call": max((call for call in calls if call is not None), default=None),
    }


def _percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """To two decimals, rounded down, so that what is short of a limit is below it when written too.

    None when there is no margin to measure against.
    """
    if part is None or not whole:
        return None
    return (100 * part / whole).quantize(Decimal("0.01"), ROUND_FLOOR)
