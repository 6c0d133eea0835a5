"""An account on one trading day, and its balance at one moment.

Positions are made anew for each trading day (settlement to settlement), on contracts that trade on
it; between settlements only prices move. Deposits follow from the day's margin, so that an account
that is to have a margin call has one on every day. Amounts are whole won, prices hundredths of a
point, all int.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from random import Random

from kis_nb.demo.ledger import Funds, Marks, Requirement, Sides, ratio, summary
from kis_nb.demo.portfolio import Portfolio
from kis_nb.demo.prices import Market
from kis_nb.demo.sessions import settled_at, trading_day
from kis_nb.demo.trades import Position, maintenance, trade
from kis_nb.demo.underlyings import USD

# Deposits are whole multiples of this, in won.
_ROUND = 10_000


class AccountDay:
    """An account on the trading day of a moment (epoch seconds): its positions, and its funds."""

    def __init__(self, portfolio: Portfolio, market: Market, moment: int) -> None:
        self.portfolio = portfolio
        self._market = market
        self._settled = settled_at(moment)
        # Drawn by place and account alone, so that a position's traits stay when contracts expire.
        rng = Random(f"{market.seed}|{portfolio.account}")
        held = portfolio.contracts(trading_day(moment))
        positions = [
            trade(
                market,
                instrument,
                index=index,
                rng=rng,
                scale=portfolio.scale,
                now=self._settled,
            )
            for index, instrument in enumerate(held)
        ]
        for index in _without_price(positions, portfolio.unpriced):
            positions[index] = replace(positions[index], priced=False)
        self.positions = sorted(positions, key=lambda position: position.instrument.order)
        self._funds = self._make_funds()

    def _sum(self, of: Callable[[Position], int]) -> int:
        return sum(map(of, self.positions))

    def _foreign(self, moment: int) -> int:
        # US cents times millionths of a won, to hundredths of a won.
        rate = self._market.level(USD, moment)
        return (self.portfolio.dollars * rate + 500_000) // 10**6

    def _make_funds(self) -> Funds:
        if not self.positions:
            return Funds()
        initial = self._sum(lambda position: position.initial)
        maintained = self._sum(lambda position: maintenance(position.initial))
        target = -(-maintained * self.portfolio.cover // _ROUND) * _ROUND
        foreign = self._foreign(self._settled)
        substitute = int(target * self.portfolio.substitute) // _ROUND * _ROUND
        flows = Funds(
            substitute=substitute,
            foreign=foreign,
            premiums=self._sum(lambda position: position.premiums),
            day=self._sum(lambda position: position.day),
            renewal=self._sum(lambda position: position.renewal),
            fee=self._sum(lambda position: position.fee),
            traded=self._sum(lambda position: position.traded),
        )
        options = self._sum(
            lambda position: (
                position.sign
                * position.cost(purchase=False)
                * position.instrument.option
                * position.priced
            )
        )
        # Cash makes up equity to its target. An account all in bought options would need none, and
        # has some nevertheless.
        cash = max(target - flows.equity(options), target // 2, 5_000_000)
        return replace(
            flows,
            cash=cash,
            realized=Sides(
                self._sum(lambda position: 0 if position.instrument.option else position.realized),
                self._sum(lambda position: position.realized if position.instrument.option else 0),
            ),
            initial=Requirement.split(initial, substitute),
            maintenance=Requirement.split(maintained, substitute),
        )

    def funds(self, moment: int) -> Funds:
        """The day's funds, the foreign deposit at the moment's rate."""
        if not self.portfolio.dollars or not self.positions:
            return self._funds
        return replace(self._funds, foreign=self._foreign(moment))


class AccountView:
    """An account's balance at one moment (epoch seconds). Thread-safe, since nothing changes."""

    def __init__(self, day: AccountDay, market: Market, moment: int) -> None:
        self._day = day
        self._moment = moment
        # A mark is the present price; 0 for a contract without one.
        self._marks = [
            market.price(position.instrument, moment) if position.priced else 0
            for position in day.positions
        ]
        self._totals = {basis: self._total(purchase=basis) for basis in (False, True)}

    def __len__(self) -> int:
        return len(self._marks)

    def _total(self, *, purchase: bool) -> Marks:
        cost = value = futures = options = held = since_settlement = 0
        for position, mark in zip(self._day.positions, self._marks, strict=True):
            worth, profit = _marked(position, mark, purchase=purchase)
            cost, value = cost + position.cost(purchase=purchase), value + worth
            if position.instrument.option:
                options += profit
                held += position.sign * worth
            else:
                futures += profit
                since_settlement += _marked(position, mark, purchase=False)[1]
        return Marks(cost, value, Sides(futures, options), held, since_settlement)

    def rows(self, start: int, stop: int, *, purchase: bool, new: bool) -> list[dict[str, str]]:
        """`output1` from row `start` to before `stop`, as the new or the old TR id sends it.

        The new one's row is that of the day call, with the side's name and without its code and the
        trade type (docs/sources.md, "Responses"); the old one's is that of the published example.
        `purchase` values at the purchase price (``EXCC_STAT_CD`` 2), else at the settlement price.
        """
        pairs = zip(self._day.positions[start:stop], self._marks[start:stop], strict=True)
        return [self._row(position, mark, purchase=purchase, new=new) for position, mark in pairs]

    def _row(self, position: Position, mark: int, *, purchase: bool, new: bool) -> dict[str, str]:
        cano, _, product = self._day.portfolio.account.partition("-")
        instrument, quantity = position.instrument, position.quantity
        worth, profit = _marked(position, mark, purchase=purchase)
        korean = "매수" if position.sign > 0 else "매도"
        english = "BUY" if position.sign > 0 else "SLL"
        name = english if self._day.portfolio.english else korean
        side = (
            {"sll_buy_dvsn_name": name if quantity else ""}
            if new
            else {
                "sll_buy_dvsn_cd": "02" if position.sign > 0 else "01",
                "trad_dvsn_name": korean,
            }
        )
        return {
            "cano": cano,
            "acnt_prdt_cd": product,
            "pdno": instrument.isin,
            "prdt_type_cd": "301",
            "shtn_pdno": instrument.short_code,
            "prdt_name": instrument.name,
            **side,
            "cblc_qty": str(quantity),
            "excc_unpr": price_text(position.settlement),
            "ccld_avg_unpr1": ratio(position.filled, 100 * quantity),
            "idx_clpr": price_text(mark),
            "pchs_amt": str(position.cost(purchase=purchase)),
            "evlu_amt": str(worth),
            "evlu_pfls_amt": str(profit),
            "trad_pfls_amt": str(position.realized),
            "lqd_psbl_qty": str(position.liquidatable),
        }

    def summary(self, *, maintenance: bool, purchase: bool) -> dict[str, str]:
        """`output2`, every field that either TR id sends; `maintenance` for ``MGNA_DVSN`` 02."""
        funds = self._day.funds(self._moment)
        return summary(funds, self._totals[purchase], maintenance=maintenance)


def _marked(position: Position, mark: int, *, purchase: bool) -> tuple[int, int]:
    """A position's value and P&L at a mark; both 0 without one.

    See docs/sources.md, "No price yet".
    """
    if not position.priced:
        return 0, 0
    worth = mark * position.quantity * position.instrument.won
    return worth, position.sign * (worth - position.cost(purchase=purchase))


def _without_price(positions: Sequence[Position], count: int) -> list[int]:
    """The indexes of `count` open positions in contracts that hardly trade: bought options and
    futures in turn, the latest months first, those of the KOSPI 200's own products last.
    """

    def by_trading(index: int) -> tuple[date, bool]:
        contract = positions[index].instrument
        return contract.last_day, contract.product.code != "01"

    held = [index for index in range(len(positions)) if positions[index].quantity]
    held.sort(key=by_trading, reverse=True)
    options = [
        index for index in held if positions[index].instrument.option and positions[index].sign > 0
    ]
    futures = [index for index in held if not positions[index].instrument.option]
    return [index for pair in zip(options, futures, strict=False) for index in pair][:count]


def price_text(hundredths: int) -> str:
    """A price with the wire's eight decimals: ``309.10000000``."""
    return f"{hundredths // 100}.{hundredths % 100:02d}000000"
