"""The account's money: `output2` worked out from deposits, the day's trades and margin.

Lowest floor of `kis_nb.demo`: imports the standard library only. The rules are those that the
published example obeys, and plain ones of ours where it says nothing; each stands at its line.
Amounts are whole won in int.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Requirement(NamedTuple):
    """Margin asked for, in cash and in substitute securities."""

    cash: int
    substitute: int

    @property
    def total(self) -> int:
        """Both together."""
        return self.cash + self.substitute

    @classmethod
    def split(cls, total: int, substitute_deposit: int) -> Requirement:
        """Substitute securities cover half of it at most, and no more than there are."""
        substitute = min(substitute_deposit, total // 2)
        return cls(total - substitute, substitute)


class Sides(NamedTuple):
    """An amount of the futures and of the options."""

    futures: int = 0
    options: int = 0

    @property
    def total(self) -> int:
        """Both together."""
        return self.futures + self.options


_NONE = Requirement(0, 0)
_NOTHING = Sides()


@dataclass(frozen=True, slots=True)
class Marks:
    """The open positions at one moment, on one basis of EXCC_STAT_CD.

    `option_value` is bought less sold options and `since` the futures' P&L since settlement, both
    at the moment's prices and the same on either basis.
    """

    cost: int = 0
    value: int = 0
    profit: Sides = _NOTHING
    option_value: int = 0
    since: int = 0


@dataclass(frozen=True, slots=True)
class Funds:
    """What an account has and owes. `foreign` is in hundredths of a won, all else in won.

    `premiums` is the day's premiums received less paid; `day` and `renewal` the variation on the
    day's trades and on carried futures; `traded` the amount of the day's trades.
    """

    cash: int = 0
    foreign: int = 0
    substitute: int = 0
    premiums: int = 0
    day: int = 0
    renewal: int = 0
    fee: int = 0
    traded: int = 0
    realized: Sides = _NOTHING
    initial: Requirement = _NONE
    maintenance: Requirement = _NONE

    @property
    def next_day(self) -> int:
        """Tomorrow's cash, nxdy_dnca: today's with premiums, variation and fees settled.

        ``dnca_cash`` + ``rnwl_dfpa`` in the published night answer and in the sibling's, which hold
        no trade of the day (live-facts f, products.md); the day's own flows come in likewise.
        """
        return self.cash + self.premiums + self.day + self.renewal - self.fee

    @property
    def next_deposit(self) -> int:
        """All of tomorrow's deposits, nxdy_dncl_amt: as tot_dncl_amt is of today's (ours)."""
        return self.next_day + self.foreign // 100 + self.substitute

    def equity(self, option_value: int) -> int:
        """Deposits and options, the futures marked at settlement (prsm_dpast).

        ``nxdy_dncl_amt`` plus the market value of the long option in the published sibling
        (products.md), without the futures' P&L since settlement (wire.md; the night example holds
        -1,237,500 of it and leaves it out, live-facts f). That a sold option counts against it is
        ours: no answer with one is at hand.
        """
        return self.next_deposit + option_value

    def call(self, option_value: int) -> int:
        """A margin call: once equity is under maintenance, all that is short of initial margin.

        The same under either code of MGNA_DVSN: a call is a fact, not a way of looking.
        """
        equity = self.equity(option_value)
        return self.initial.total - equity if equity < self.maintenance.total else 0


def summary(funds: Funds, marks: Marks, *, maintenance: bool) -> dict[str, str]:
    """`output2`, all that either TR sends, as wire text."""
    asked = funds.maintenance if maintenance else funds.initial
    equity, call = funds.equity(marks.option_value), funds.call(marks.option_value)
    # Substitute margin that the substitutes do not cover falls on the cash.
    uncovered = max(asked.substitute - funds.substitute, 0)
    # dnca_cash - mgna_tota in the published night answer (wire.md) and, to the won, in the day
    # capture: unrealized P&L is not in it (live-facts f).
    free_cash = 0 if call else max(funds.cash - asked.cash - uncovered, 0)
    free_substitute = 0 if call else max(funds.substitute - asked.substitute, 0)
    amounts = {
        "dnca_cash": funds.cash,
        "dnca_sbst": funds.substitute,
        # A whole-won field: the foreign deposit's fraction of a won is dropped.
        "tot_dncl_amt": funds.cash + funds.foreign // 100 + funds.substitute,
        # Sent by the new TR (live-facts a); what it counts is its Korean name, all that was traded.
        "tot_ccld_amt": funds.traded,
        "cash_mgna": asked.cash,
        "sbst_mgna": asked.substitute,
        "mgna_tota": asked.total,
        "opt_dfpa": funds.premiums,
        "thdt_dfpa": funds.day,
        "rnwl_dfpa": funds.renewal,
        "fee": funds.fee,
        "nxdy_dnca": funds.next_day,
        "nxdy_dncl_amt": funds.next_deposit,
        "prsm_dpast": equity,
        # Cash, unrealized P&L and fees on a day capture, to the won (live-facts f); that it holds
        # the P&L since settlement at night too is likely, not proven (the same table's last "=>").
        "prsm_dpast_amt": equity + marks.since,
        "pprt_ord_psbl_cash": free_cash,
        # At least half of a call has to come in cash.
        "add_mgna_cash": call - call // 2,
        "add_mgna_tota": call,
        "futr_trad_pfls_amt": funds.realized.futures,
        "opt_trad_pfls_amt": funds.realized.options,
        "futr_evlu_pfls_amt": marks.profit.futures,
        "opt_evlu_pfls_amt": marks.profit.options,
        "trad_pfls_amt_smtl": funds.realized.total,
        "evlu_pfls_amt_smtl": marks.profit.total,
        # As in the published night answer; the day sibling's holds rnwl_dfpa besides (products.md).
        "wdrw_psbl_tot_amt": free_cash + free_substitute,
        "ord_psbl_cash": free_cash,
        "ord_psbl_sbst": free_substitute,
        "ord_psbl_tota": free_cash + free_substitute,
        # Not used: the published answer of the old TR has 0 beside a margin of 242,776,940.
        "mmga_tot_amt": 0,
        "mmga_cash_amt": 0,
        "isfc_amt": 0,
        "pchs_amt_smtl": marks.cost,
        "evlu_amt_smtl": marks.value,
    }
    wire = {name: str(amount) for name, amount in amounts.items()}
    won, part = divmod(funds.foreign, 100)
    wire["frcr_dncl_amt"] = f"{won}.{part:02d}" if part else str(won)
    wire["mtnc_rt"] = ratio(0, 0)
    return wire


def ratio(numerator: int, denominator: int) -> str:
    """The quotient with eight decimals, half away from zero; zero when there is no denominator."""
    scaled, sign = 0, ""
    if denominator:
        scaled = (2 * abs(numerator) * 10**8 + denominator) // (2 * denominator)
        sign = "-" if numerator < 0 and scaled else ""
    return f"{sign}{scaled // 10**8}.{scaled % 10**8:08d}"
