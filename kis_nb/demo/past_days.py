"""What the broker answers about past days: a settled trading day, and a period's amounts and fees.

Both from the nights' own positions, so that every call tells the same (docs/sources.md, "Past
days").
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb.demo.found import Listing
from kis_nb.demo.trades import Position

if TYPE_CHECKING:
    from kis_nb.demo.account import AccountView


class SettledDay(Listing):
    """A trading day as it was settled, or as it is when it is not settled yet."""

    def __init__(self, view: AccountView) -> None:
        self._view = view

    def __len__(self) -> int:
        return len(self._view)

    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:  # noqa: ARG002
        """`output1` from row `start` to before `stop`."""
        return [self._row(position) for position in self._view.positions[start:stop]]

    def _row(self, position: Position) -> dict[str, str]:
        made, value = position.activity, position.counted
        cost = position.cost(purchase=True)
        return {
            "pdno": position.instrument.short_code,
            "prdt_name": position.instrument.name,
            "trad_dvsn_name": self._view.side(position),
            "bfdy_cblc_qty": str(position.carried),
            "new_qty": str(made.opened),
            "mnpl_rpch_qty": str(made.closed),
            "cblc_qty": str(position.quantity),
            "cblc_amt": str(cost),
            "trad_pfls_amt": str(made.realized),
            "evlu_amt": str(abs(value)),
            "evlu_pfls_amt": str(value - position.sign * cost),
        }

    def summary(self, tr_id: str) -> dict[str, str]:  # noqa: ARG002
        """`output2`."""
        funds = self._view.funds
        options = [each for each in self._view.positions if each.instrument.option]
        amounts = {
            "nxdy_dnca": funds.next_day,
            "mmga_cash": funds.maintenance.cash,
            "brkg_mgna_cash": funds.initial.cash,
            "opt_buy_chgs": sum(position.activity.bought for position in options),
            "opt_lqd_evlu_amt": sum(position.counted for position in options),
            "dnca_sbst": funds.substitute,
            "mmga_tota": funds.maintenance.total,
            "brkg_mgna_tota": funds.initial.total,
            "opt_sll_chgs": sum(position.activity.sold for position in options),
            "fee": funds.fee,
            "thdt_dfpa": funds.day,
            "rnwl_dfpa": funds.renewal,
            "dnca_cash": funds.cash,
        }
        return {each.name: str(amounts[each.name]) for each in SETTLEMENT_PL.summary.fields}


class _Nothing(Listing):
    """A day that has no settlement, or none yet."""

    def __len__(self) -> int:
        return 0

    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:  # noqa: ARG002
        """`output1`."""
        return []

    def summary(self, tr_id: str) -> dict[str, str]:  # noqa: ARG002
        """`output2`."""
        return {each.name: "0" for each in SETTLEMENT_PL.summary.fields}


NOTHING_SETTLED = _Nothing()


class Fees(Listing):
    """What was traded in a period, a row for each trading day and product, the first day first."""

    def __init__(self, traded: Sequence[tuple[date, Position]]) -> None:
        self._traded = traded

    def __len__(self) -> int:
        return len(self._traded)

    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:  # noqa: ARG002
        """`output1` from row `start` to before `stop`."""
        return [self._row(day, position) for day, position in self._traded[start:stop]]

    def _row(self, day: date, position: Position) -> dict[str, str]:
        made = position.activity
        return {
            "ord_dt": f"{day:%Y%m%d}",
            "pdno": position.instrument.short_code,
            "item_name": position.instrument.name,
            "sll_agrm_amt": str(made.sold),
            "sll_fee": str(made.sold_fee),
            "buy_agrm_amt": str(made.bought),
            "buy_fee": str(made.bought_fee),
            "tot_fee_smtl": str(made.fee),
            "trad_pfls": str(made.realized),
        }

    def summary(self, tr_id: str) -> dict[str, str]:  # noqa: ARG002
        """`output2`: the sums of the period. What the names say of commodities is 0."""
        amounts: dict[str, int] = {}
        for side in ("futr", "opt"):
            made = [
                position.activity
                for _, position in self._traded
                if position.instrument.option == (side == "opt")
            ]
            amount = sum(each.traded for each in made)
            fee = sum(each.fee for each in made)
            amounts |= {
                f"{side}_agrm": sum(each.opened + each.closed for each in made),
                f"{side}_agrm_amt": amount,
                f"{side}_agrm_amt_smtl": amount,
                f"{side}_sll_fee_smtl": sum(each.sold_fee for each in made),
                f"{side}_buy_fee_smtl": sum(each.bought_fee for each in made),
                f"{side}_fee_smtl": fee,
                f"{side}_fee": fee,
            }
        every = [position.activity for _, position in self._traded]
        fee = sum(each.fee for each in every)
        amounts |= {
            "fee": fee,
            "fee_smtl": fee,
            "sll_agrm_amt": sum(each.sold for each in every),
            "buy_agrm_amt": sum(each.bought for each in every),
            "agrm_amt_smtl": sum(each.traded for each in every),
            "sll_fee": sum(each.sold_fee for each in every),
            "buy_fee": sum(each.bought_fee for each in every),
            "trad_pfls_smtl": sum(each.realized for each in every),
        }
        return {each.name: str(amounts.get(each.name, 0)) for each in DAILY_FEES.summary.fields}
