"""An account on any trading day, and its balance at one moment.

A day's positions follow from what was carried into it and its trades (`kis_nb.demo.trades`), its
cash from the day before (`kis_nb.demo.cash`). Amounts are whole won, prices hundredths of a point,
all int.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

from kis_nb.demo.cash import Cash, foreign
from kis_nb.demo.holdings import Holdings
from kis_nb.demo.ledger import Funds, Marks, Requirement, Sides, ratio, summary
from kis_nb.demo.portfolio import Portfolio
from kis_nb.demo.prices import Market
from kis_nb.demo.sessions import open_before, settled_at, settles_at, trading_day
from kis_nb.demo.trades import Lot, Position, Trader, maintenance

_DAYS_KEPT = 4


class Account:
    """An account at any moment. Not thread-safe.

    Args:
        portfolio: what it is to look like.
        market: the prices.
    """

    def __init__(self, portfolio: Portfolio, market: Market) -> None:
        self.portfolio = portfolio
        self.market = market
        self.trader = Trader(market)
        self.holdings = Holdings(portfolio, market.seed)
        self.cash = Cash(self)
        self._days: OrderedDict[date, AccountDay] = OrderedDict()

    def day(self, day: date) -> AccountDay:
        """A trading day of it."""
        if day not in self._days:
            self._days[day] = AccountDay(self, day)
            if len(self._days) > _DAYS_KEPT:
                self._days.popitem(last=False)
        return self._days[day]

    def view(self, moment: int) -> AccountView:
        """Its balance at a moment (epoch seconds)."""
        positions, funds = self.day(trading_day(moment)).at(moment)
        return AccountView(self.portfolio, self.market, moment, positions, funds)

    def traded(self, day: date, until: int) -> list[Position]:
        """The holdings with trades on a trading day before the moment `until`, as they are then."""
        made = []
        for holding in self.holdings.on(day, moving=True):
            carried = self.trader.carried(holding, day)
            lots = self.trader.trades(holding, day, carried.quantity)
            lots = [lot for lot in lots if lot.at <= until]
            if lots:
                settled = min(settles_at(day), settled_at(until))
                made.append(self.trader.position(holding, carried, lots, settled))
        return sorted(made, key=lambda position: position.instrument.order)


class AccountDay:
    """An account on one trading day: what its positions and its funds are at any moment of it."""

    def __init__(self, account: Account, day: date) -> None:
        self.portfolio, self.market = account.portfolio, account.market
        self.date = day
        self._account = account
        held = sorted(account.holdings.on(day), key=lambda holding: holding.instrument.order)
        self._held = [(holding, account.trader.carried(holding, day)) for holding in held]
        # By place in the list, of the holdings that are traded on this day.
        self._lots: dict[int, list[Lot]] = {}
        for place, (holding, carried) in enumerate(self._held):
            lots = account.trader.trades(holding, day, carried.quantity)
            if lots:
                self._lots[place] = lots
        self._times = sorted(
            {settles_at(day), *(lot.at for lots in self._lots.values() for lot in lots)}
        )
        self._latest: tuple[int, list[Position], Funds] | None = None
        self._quiet: dict[int, list[Position]] = {}

    def at(self, moment: int) -> tuple[list[Position], Funds]:
        """Positions and funds at a moment; the foreign deposit at its rate."""
        stage = bisect_right(self._times, moment)
        if self._latest is None or self._latest[0] != stage:
            settled = settled_at(moment)
            positions = self.positions(moment)
            self._latest = stage, positions, self._funds(positions, settled)
        _, positions, funds = self._latest
        if positions and self.portfolio.dollars:
            funds = replace(funds, foreign=foreign(self.portfolio, self.market, moment))
        return positions, funds

    def positions(self, moment: int) -> list[Position]:
        """Positions at a moment."""
        make, settled = self._account.trader.position, settled_at(moment)
        if settled not in self._quiet:
            self._quiet[settled] = [
                make(holding, carried, (), settled) for holding, carried in self._held
            ]
        positions = list(self._quiet[settled])
        for place, lots in self._lots.items():
            holding, carried = self._held[place]
            done = lots[: bisect_right(lots, moment, key=lambda lot: lot.at)]
            if done:
                positions[place] = make(holding, carried, done, settled)
        return positions

    def _funds(self, positions: list[Position], settled: int) -> Funds:
        if not positions:
            return Funds()

        def total(of: Callable[[Position], int]) -> int:
            return sum(map(of, positions))

        cash = self._account.cash
        opening = cash.opening(self.date)
        over = settled == settles_at(self.date)
        renewal = cash.made(self.date if over else open_before(self.date)).renewal
        initial = total(lambda position: position.initial)
        maintained = total(lambda position: maintenance(position.initial))
        busy = [position for position in positions if position.activity.traded]
        return Funds(
            # Until the next settlement the last one's variation stands beside the cash.
            cash=opening.cash if over else opening.cash - renewal,
            substitute=opening.substitute,
            premiums=sum(position.premiums for position in busy),
            day=sum(position.variation for position in busy),
            renewal=renewal,
            fee=sum(position.activity.fee for position in busy),
            traded=sum(position.activity.traded for position in busy),
            realized=Sides(
                sum(each.activity.realized for each in busy if not each.instrument.option),
                sum(each.activity.realized for each in busy if each.instrument.option),
            ),
            initial=Requirement.split(initial, opening.substitute),
            maintenance=Requirement.split(maintained, opening.substitute),
        )


class AccountView:
    """An account's balance at one moment (epoch seconds). Thread-safe, since nothing changes."""

    def __init__(
        self,
        portfolio: Portfolio,
        market: Market,
        moment: int,
        positions: Sequence[Position],
        funds: Funds,
    ) -> None:
        self._portfolio = portfolio
        self.positions = positions
        self.funds = funds
        # A mark is the present price; 0 for a contract without one.
        self._marks = [
            market.price(position.instrument, moment) if position.priced else 0
            for position in positions
        ]
        self._totals = {basis: self._total(purchase=basis) for basis in (False, True)}

    def __len__(self) -> int:
        return len(self._marks)

    def _total(self, *, purchase: bool) -> Marks:
        cost = value = futures = options = held = since_settlement = 0
        for position, mark in zip(self.positions, self._marks, strict=True):
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
        pairs = zip(self.positions[start:stop], self._marks[start:stop], strict=True)
        return [self._row(position, mark, purchase=purchase, new=new) for position, mark in pairs]

    def _row(self, position: Position, mark: int, *, purchase: bool, new: bool) -> dict[str, str]:
        cano, _, product = self._portfolio.account.partition("-")
        instrument, quantity = position.instrument, position.quantity
        worth, profit = _marked(position, mark, purchase=purchase)
        side = (
            {"sll_buy_dvsn_name": self.side(position)}
            if new
            else {
                "sll_buy_dvsn_cd": "02" if position.sign > 0 else "01",
                "trad_dvsn_name": "매수" if position.sign > 0 else "매도",
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
            "trad_pfls_amt": str(position.activity.realized),
            "lqd_psbl_qty": str(position.liquidatable),
        }

    def side(self, position: Position) -> str:
        """The side's name; blank when the position was closed."""
        if not position.quantity:
            return ""
        names = ("SLL", "BUY") if self._portfolio.english else ("매도", "매수")
        return names[position.sign > 0]

    def summary(self, *, maintenance: bool, purchase: bool) -> dict[str, str]:
        """`output2`, every field that either TR id sends; `maintenance` for ``MGNA_DVSN`` 02."""
        return summary(self.funds, self._totals[purchase], maintenance=maintenance)


def _marked(position: Position, mark: int, *, purchase: bool) -> tuple[int, int]:
    """A position's value and P&L at a mark; both 0 without one.

    See docs/sources.md, "No price yet".
    """
    if not position.priced:
        return 0, 0
    worth = mark * position.quantity * position.instrument.won
    return worth, position.sign * (worth - position.cost(purchase=purchase))


def price_text(hundredths: int) -> str:
    """A price with the wire's eight decimals: ``309.10000000``."""
    return f"{hundredths // 100}.{hundredths % 100:02d}000000"
