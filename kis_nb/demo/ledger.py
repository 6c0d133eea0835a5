"""The account's money: `output2` worked out from deposits, the day's trades and margin.

The rules are those that the published example obeys, and simple invented ones where it shows
nothing; each has its source beside it. Amounts are whole won in int.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Requirement(NamedTuple):
    """A margin requirement: the part in cash and the part in substitute securities."""

    cash: int
    substitute: int

    @property
    def total(self) -> int:
        """The sum."""
        return self.cash + self.substitute

    @classmethod
    def split(cls, total: int, substitute_deposit: int) -> Requirement:
        """Divide a requirement: substitute securities cover half at most, as far as they go."""
        substitute = min(substitute_deposit, total // 2)
        return cls(total - substitute, substitute)


class Sides(NamedTuple):
    """An amount of the futures and of the options."""

    futures: int = 0
    options: int = 0

    @property
    def total(self) -> int:
        """The sum."""
        return self.futures + self.options


_NONE = Requirement(0, 0)
_NOTHING = Sides()


@dataclass(frozen=True, slots=True)
class Marks:
    """The open positions at one moment, on one basis of EXCC_STAT_CD.

    Attributes:
        cost, value, profit: of all positions, `profit` by futures and options.
        option_value: market value of the bought options less that of the sold ones.
        since_settlement: the futures' P&L since settlement. This and `option_value` are the same on
            either basis.
    """

    cost: int = 0
    value: int = 0
    profit: Sides = _NOTHING
    option_value: int = 0
    since_settlement: int = 0


@dataclass(frozen=True, slots=True)
class Funds:
    """An account's deposits, the day's flows and its margin. In won, but for `foreign`.

    Attributes:
        cash, substitute: deposits in cash and in substitute securities.
        foreign: the foreign deposit, in hundredths of a won.
        premiums: the day's option premiums, received less paid.
        day, renewal: variation on the day's futures trades and on carried futures.
        fee, traded: of the day's trades.
        realized: the day's realized P&L.
        initial, maintenance: margin requirements.
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

        ``dnca_cash`` + ``rnwl_dfpa`` in the published responses of night and day balance, which
        have no trade of the day (docs/sources.md, "Equity and profit"); that the day's flows are
        added is invented.
        """
        return self.cash + self.premiums + self.day + self.renewal - self.fee

    @property
    def next_deposit(self) -> int:
        """All of tomorrow's deposits, nxdy_dncl_amt: like today's tot_dncl_amt (invented)."""
        return self.next_day + self.foreign // 100 + self.substitute

    def equity(self, option_value: int) -> int:
        """Deposits and options, the futures marked at settlement (prsm_dpast).

        ``nxdy_dncl_amt`` plus the market value of the long option in the published sibling
        (docs/sources.md, "Equity and profit"), without the futures' P&L since settlement: the night
        example has -1,237,500 of it and leaves it out. That a sold option counts against it is
        invented: no recorded response has one.
        """
        return self.next_deposit + option_value

    def call(self, option_value: int) -> int:
        """The margin call: initial margin less equity, when equity is below maintenance margin.

        The same under either code of MGNA_DVSN, which only selects the margin that is shown.
        """
        equity = self.equity(option_value)
        return self.initial.total - equity if equity < self.maintenance.total else 0


def summary(funds: Funds, marks: Marks, *, maintenance: bool) -> dict[str, str]:
    """`output2`, every field that either TR id sends, as wire text."""
    required = funds.maintenance if maintenance else funds.initial
    equity, call = funds.equity(marks.option_value), funds.call(marks.option_value)
    # Substitute margin that the securities do not cover is taken from the cash.
    uncovered = max(required.substitute - funds.substitute, 0)
    # dnca_cash - mgna_tota in the published night answer and, to the won, in a recorded
    # day response: unrealized P&L is not in it (docs/sources.md, "Equity and profit").
    free_cash = 0 if call else max(funds.cash - required.cash - uncovered, 0)
    free_substitute = 0 if call else max(funds.substitute - required.substitute, 0)
    amounts = {
        "dnca_cash": funds.cash,
        "dnca_sbst": funds.substitute,
        # A whole-won field: the foreign deposit's fraction of a won is dropped.
        "tot_dncl_amt": funds.cash + funds.foreign // 100 + funds.substitute,
        # Sent by the new TR id (docs/sources.md, "Responses"); by its Korean name, all that was
        # traded.
        "tot_ccld_amt": funds.traded,
        "cash_mgna": required.cash,
        "sbst_mgna": required.substitute,
        "mgna_tota": required.total,
        "opt_dfpa": funds.premiums,
        "thdt_dfpa": funds.day,
        "rnwl_dfpa": funds.renewal,
        "fee": funds.fee,
        "nxdy_dnca": funds.next_day,
        "nxdy_dncl_amt": funds.next_deposit,
        "prsm_dpast": equity,
        # Cash, unrealized P&L and fees in a recorded day response, to the won; that it holds P&L
        # since settlement at night too is likely (docs/sources.md, "Equity and profit").
        "prsm_dpast_amt": equity + marks.since_settlement,
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
        # As in the published night answer; the day balance's has rnwl_dfpa added (docs/sources.md,
        # "Equity and profit").
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
