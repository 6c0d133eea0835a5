"""What the broker answers about margin: an account's by component, and the rates of a day.

From the positions' own margins, so that every call tells the same sum. What is invented is told in
docs/sources.md, "Margin".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from kis_nb._schema.margin_detail import COMPONENTS, DEPOSITS
from kis_nb._schema.margin_rate import RATES
from kis_nb.demo.products import FUTURES, Product
from kis_nb.demo.sessions import open_before, settles_at
from kis_nb.demo.trades import Position, maintenance

if TYPE_CHECKING:
    from kis_nb.demo.account import AccountView
    from kis_nb.demo.prices import Market

# The future that stands for its underlying: the largest, so not the mini.
_UNDERLYINGS = {product.underlying: product for product in FUTURES if product.code != "05"}


class Detail:
    """An account's margin by component of KIS's formula, under one code of MGNA_DVSN_CD."""

    def __init__(self, view: AccountView, *, maintenance: bool) -> None:
        self._view = view
        self._maintenance = maintenance

    def __len__(self) -> int:
        return 1

    def blocks(self, start: int, stop: int, tr_id: str) -> dict[str, Any]:  # noqa: ARG002
        """`output1`: the whole margin; `output2`: the part of it in cash; `output3`: deposits."""
        funds = self._view.funds
        required = funds.maintenance if self._maintenance else funds.initial
        whole = self._components()
        cash = _share(whole, required.cash, required.total)
        return {
            "output1": [{each.name: str(whole.get(each.name, 0)) for each in COMPONENTS.fields}],
            "output2": [{each.name: str(cash.get(each.name, 0)) for each in COMPONENTS.fields}],
            "output3": self._deposits(),
        }

    def _components(self) -> dict[str, int]:
        change = spread = premiums = 0
        for position in self._view.positions:
            base, premium = self._parts(position)
            premiums += premium
            if position.instrument.kind == "S":
                spread += base
            else:
                change += base
        made = [position for position in self._view.positions if position.activity.traded]
        options = [position.activity for position in made if position.instrument.option]
        results = [
            position.activity.realized for position in made if not position.instrument.option
        ]
        bought, sold = sum(each.bought for each in options), sum(each.sold for each in options)
        profit = sum(result for result in results if result > 0)
        loss = -sum(result for result in results if result < 0)
        # The day's flows (C) are settled with the cash in the demo's ledger, so they are told and
        # not charged again: the margin is B, which is also the balance's mgna_tota.
        total = change + spread + premiums
        return {
            "opt_pric_mgna": premiums,
            "fuop_pric_altr_mgna": change,
            "futr_sprd_mgna": spread,
            "netrisk_brkg_mgna": total,
            "opt_sll_chgs": sold,
            "opt_buy_chgs": bought,
            "futr_loss_amt": loss,
            "futr_prft_amt": profit,
            "thdt_ccld_net_loss_amt": max(bought - sold + loss - profit, 0),
            "brkg_mgna": total,
        }

    def _parts(self, position: Position) -> tuple[int, int]:
        """A position's margin without and with its premium: base, premium."""
        instrument, initial = position.instrument, position.initial
        margined = position.margined
        premium = position.settlement * instrument.won * margined if instrument.option else 0
        premium = min(premium, initial)
        if not self._maintenance:
            return initial - premium, premium
        kept = premium * 2 // 3
        return maintenance(initial) - kept, kept

    def _deposits(self) -> dict[str, str]:
        figures = self._view.summary(maintenance=self._maintenance, purchase=False)
        funds = self._view.funds
        call, call_cash = int(figures["add_mgna_tota"]), int(figures["add_mgna_cash"])
        told: Mapping[str, str | int] = {
            "dnca_cash": figures["dnca_cash"],
            "dnca_sbst": figures["dnca_sbst"],
            "dnca_tota": figures["tot_dncl_amt"],
            "wdrw_psbl_cash_amt": figures["ord_psbl_cash"],
            "wdrw_psbl_sbsa": figures["ord_psbl_sbst"],
            "wdrw_psbl_tot_amt": figures["wdrw_psbl_tot_amt"],
            "ord_psbl_cash_amt": figures["ord_psbl_cash"],
            "ord_psbl_sbsa": figures["ord_psbl_sbst"],
            "ord_psbl_tot_amt": figures["ord_psbl_tota"],
            "brkg_mgna_cash_amt": figures["cash_mgna"],
            "brkg_mgna_sbst": figures["sbst_mgna"],
            "brkg_mgna_tot_amt": figures["mgna_tota"],
            "add_mgna_cash_amt": call_cash,
            "add_mgna_sbsa": call - call_cash,
            "add_mgna_tot_amt": call,
            "opt_dfpa": figures["opt_dfpa"],
            "excc_dfpa": funds.day + funds.renewal,
            "fee_amt": figures["fee"],
            "nxdy_dncl_amt": figures["nxdy_dncl_amt"],
            "prsm_dpast_amt": figures["prsm_dpast_amt"],
            "opt_buy_exus_acnt_yn": "N",
            "base_dpsa_gdat_grad_cd": "01",
            "opt_base_dpsa_gdat_grad_cd": "01",
        }
        return {each.name: str(told.get(each.name, 0)) for each in DEPOSITS.fields}


def _share(whole: Mapping[str, int], part: int, total: int) -> dict[str, int]:
    """The components of B in the proportion of `part` to `total`, to the won."""
    if not total:
        return {}
    shared = {name: whole[name] * part // total for name in ("opt_pric_mgna", "futr_sprd_mgna")}
    return shared | {
        "fuop_pric_altr_mgna": part - sum(shared.values()),
        "netrisk_brkg_mgna": part,
        "brkg_mgna": part,
    }


class Rates:
    """The margin rates of a trading day, a row an underlying; none without a day.

    Args:
        market: the prices.
        day: the trading day; None when there are no rates of it.
        underlying: only this one's row; "" for all.
    """

    def __init__(self, market: Market, day: date | None, underlying: str) -> None:
        self._rows = [
            _rate(market, product, day)
            for each, product in _UNDERLYINGS.items()
            if day is not None and underlying in {"", each.code}
        ]

    def __len__(self) -> int:
        return len(self._rows)

    def blocks(self, start: int, stop: int, tr_id: str) -> dict[str, Any]:  # noqa: ARG002
        """`output`."""
        return {"output": self._rows[start:stop]}


def _rate(market: Market, product: Product, day: date) -> dict[str, str]:
    underlying = product.underlying
    # Fixed once a day, at the settlement before it.
    level = market.level(underlying, settles_at(open_before(day))) // 10_000 * 10_000
    # In hundred-millionths, as the wire's eight decimals.
    margin = level * product.multiplier * product.margin // 100
    figures = {
        "bast_id": underlying.code,
        "bast_name": underlying.label,
        "brkg_mgna_rt": _eight(product.margin * 10**6),
        "tr_mgna_rt": _eight(product.margin * 10**6 * 2 // 3),
        "bast_pric": _eight(level * 100),
        "tr_mtpl_idx": _eight(product.multiplier * 10**8),
        "ctrt_per_futr_mgna": _eight(margin),
    }
    return {each.name: figures[each.name] for each in RATES.fields}


def _eight(scaled: int) -> str:
    """Eight decimals, as KIS's margin rates have them."""
    return f"{scaled // 10**8}.{scaled % 10**8:08d}"
