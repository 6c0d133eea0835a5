"""Accounts of the embedded broker, and an account's balance at one moment.

Above `kis_nb.demo.contracts`, `prices`, `trades` and `ledger`, which it imports beside the standard
library.

Amounts are worked out in int, never typed in. The book is laid out anew for each trading day
(settlement to settlement), on contracts that trade on it; between settlements the marks move while
a session is on. Deposits follow from the day's margin, so that an account that is to be under a
margin call is under one on every day.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from fractions import Fraction
from random import Random
from typing import TYPE_CHECKING, TypeVar

from kis_nb.demo.contracts import Instrument, universe
from kis_nb.demo.ledger import Funds, Marks, Requirement, Sides, ratio, summary
from kis_nb.demo.market import USD, settled_at, trading_day
from kis_nb.demo.prices import Market
from kis_nb.demo.trades import Line, maintenance, trade

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

_ROUND = 10_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Portfolio:
    """An account to lay out.

    `account` as ``80012345-03``; `rows` positions; `scale` the usual size of one in contracts;
    `cover` equity as a share of maintenance margin (under 1: a margin call), of which `substitute`
    is in securities; `dollars` a foreign deposit in US cents; `english` writes BUY and SLL for the
    side, as some accounts are answered; `old` spells codes and names as until 2025, so it holds
    only what could be spelt so; `unpriced` positions have no price yet.
    """

    account: str
    rows: int
    scale: int = 3
    cover: Fraction = Fraction(26, 10)
    substitute: Fraction = Fraction(1, 4)
    dollars: int = 0
    english: bool = False
    old: bool = False
    unpriced: int = 0

    def contracts(self, today: date) -> list[Instrument]:
        """What it holds on a trading day.

        Raises:
            ValueError: more rows than there are contracts.
        """
        if not self.old:
            return universe(today, self.rows)
        # The published old codes are these products' (products.md); three characters hold a strike
        # below 1,000 only.
        held = [
            replace(contract, old=True)
            for contract in universe(today, 50 * self.rows + 50)
            if contract.product.code in {"01", "75"} and contract.kind != "S"
            if contract.strike < 100_000
        ]
        if len(held) < self.rows:
            raise ValueError(f"so few contracts have an old code: {len(held)}")
        return held[: self.rows]


DEMO = (
    Portfolio("80012345-03", 64, scale=3, dollars=5_230_517, unpriced=2),
    Portfolio("70045678-03", 6, scale=2, cover=Fraction(8, 10), english=True),
    Portfolio("50087654-03", 5, scale=2, old=True),
    Portfolio("60098765-03", 0),
)


class Day:
    """An account on one trading day: its lines, and its funds as they follow from them."""

    def __init__(self, portfolio: Portfolio, market: Market, moment: int) -> None:
        self.portfolio = portfolio
        self._market = market
        self._settled = settled_at(moment)
        # Traits go by place and account alone, so they stay while contracts roll.
        dice = Random(f"{market.seed}|{portfolio.account}")
        held = portfolio.contracts(trading_day(moment))
        lines = [
            trade(
                market,
                instrument,
                index=index,
                dice=dice,
                scale=portfolio.scale,
                now=self._settled,
            )
            for index, instrument in enumerate(held)
        ]
        for index in _without_price(lines, portfolio.unpriced):
            lines[index] = replace(lines[index], priced=False)
        self.lines = sorted(lines, key=lambda line: line.instrument.order)
        self._funds = self._raise_funds()

    def _sum(self, of: Callable[[Line], int]) -> int:
        return sum(map(of, self.lines))

    def _foreign(self, moment: int) -> int:
        # US cents times millionths of a won, to hundredths of a won.
        rate = self._market.level(USD, moment)
        return (self.portfolio.dollars * rate + 500_000) // 10**6

    def _raise_funds(self) -> Funds:
        if not self.lines:
            return Funds()
        initial = self._sum(lambda line: line.initial)
        kept = self._sum(lambda line: maintenance(line.initial))
        target = -(-kept * self.portfolio.cover // _ROUND) * _ROUND
        foreign = self._foreign(self._settled)
        substitute = int(target * self.portfolio.substitute) // _ROUND * _ROUND
        flows = Funds(
            substitute=substitute,
            foreign=foreign,
            premiums=self._sum(lambda line: line.premiums),
            day=self._sum(lambda line: line.day),
            renewal=self._sum(lambda line: line.renewal),
            fee=self._sum(lambda line: line.fee),
            traded=self._sum(lambda line: line.traded),
        )
        options = self._sum(
            lambda line: (
                line.sign * line.cost(purchase=False) * line.instrument.option * line.priced
            )
        )
        # Cash is what brings equity to its target; an account all in bought options needs none to
        # get there, and still has some.
        cash = max(target - flows.equity(options), target // 2, 5_000_000)
        return replace(
            flows,
            cash=cash,
            realized=Sides(
                self._sum(lambda line: 0 if line.instrument.option else line.realized),
                self._sum(lambda line: line.realized if line.instrument.option else 0),
            ),
            initial=Requirement.split(initial, substitute),
            maintenance=Requirement.split(kept, substitute),
        )

    def funds(self, moment: int) -> Funds:
        """The day's funds, the foreign deposit at the moment's rate."""
        if not self.portfolio.dollars or not self.lines:
            return self._funds
        return replace(self._funds, foreign=self._foreign(moment))


class View:
    """An account at one moment (epoch seconds). Rows are made when asked for, marks once."""

    def __init__(self, day: Day, market: Market, moment: int) -> None:
        self._day = day
        self._moment = moment
        # A mark of 0 is a contract that nothing tells the price of.
        self._marks = [
            market.price(line.instrument, moment) if line.priced else 0 for line in day.lines
        ]
        self._totals = {basis: self._total(purchase=basis) for basis in (False, True)}

    def __len__(self) -> int:
        return len(self._marks)

    def _total(self, *, purchase: bool) -> Marks:
        cost = value = futures = options = held = since = 0
        for line, mark in zip(self._day.lines, self._marks, strict=True):
            worth, profit = _marked(line, mark, purchase=purchase)
            cost, value = cost + line.cost(purchase=purchase), value + worth
            if line.instrument.option:
                options += profit
                held += line.sign * worth
            else:
                futures += profit
                since += _marked(line, mark, purchase=False)[1]
        return Marks(cost, value, Sides(futures, options), held, since)

    def rows(self, start: int, stop: int, *, purchase: bool, new: bool) -> list[dict[str, str]]:
        """`output1` from row `start` to before `stop`, as the new or the old TR writes it.

        The new one's row is the day call's, with the side's name and without its code and the
        trade type (live-facts a, siblings.md); the old one's is the published example's.
        """
        pairs = zip(self._day.lines[start:stop], self._marks[start:stop], strict=True)
        return [self._row(line, mark, purchase=purchase, new=new) for line, mark in pairs]

    def _row(self, line: Line, mark: int, *, purchase: bool, new: bool) -> dict[str, str]:
        cano, _, product = self._day.portfolio.account.partition("-")
        instrument, quantity = line.instrument, line.quantity
        worth, profit = _marked(line, mark, purchase=purchase)
        korean = "매수" if line.sign > 0 else "매도"
        english = "BUY" if line.sign > 0 else "SLL"
        name = english if self._day.portfolio.english else korean
        side = (
            {"sll_buy_dvsn_name": name if quantity else ""}
            if new
            else {
                "sll_buy_dvsn_cd": "02" if line.sign > 0 else "01",
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
            "excc_unpr": price_text(line.settlement),
            "ccld_avg_unpr1": ratio(line.filled, 100 * quantity),
            "idx_clpr": price_text(mark),
            "pchs_amt": str(line.cost(purchase=purchase)),
            "evlu_amt": str(worth),
            "evlu_pfls_amt": str(profit),
            "trad_pfls_amt": str(line.realized),
            "lqd_psbl_qty": str(line.liquidatable),
        }

    def summary(self, *, maintenance: bool, purchase: bool) -> dict[str, str]:
        """`output2`, every field that either TR sends."""
        funds = self._day.funds(self._moment)
        return summary(funds, self._totals[purchase], maintenance=maintenance)


def _marked(line: Line, mark: int, *, purchase: bool) -> tuple[int, int]:
    """A position's value and P&L at a mark; both 0 without one (products.md, "No price yet")."""
    if not line.priced:
        return 0, 0
    worth = mark * line.quantity * line.instrument.won
    return worth, line.sign * (worth - line.cost(purchase=purchase))


def _without_price(lines: Sequence[Line], count: int) -> list[int]:
    """Places of so many open positions in contracts that hardly trade: bought options and futures
    in turn, of the latest months, those of the KOSPI 200's own products last.
    """

    def quiet(index: int) -> tuple[date, bool]:
        contract = lines[index].instrument
        return contract.last_day, contract.product.code != "01"

    held = [index for index in range(len(lines)) if lines[index].quantity]
    held.sort(key=quiet, reverse=True)
    options = [index for index in held if lines[index].instrument.option and lines[index].sign > 0]
    futures = [index for index in held if not lines[index].instrument.option]
    return [index for pair in zip(options, futures, strict=False) for index in pair][:count]


def price_text(hundredths: int) -> str:
    """A price with the wire's eight decimals: ``309.10000000``."""
    return f"{hundredths // 100}.{hundredths % 100:02d}000000"


class Book:
    """All accounts, at any moment. Thread-safe; the same seed and moment give the same figures."""

    _KEPT = 64  # moments and days; a walk needs one of each

    def __init__(self, portfolios: Sequence[Portfolio] = DEMO, *, seed: int = 20) -> None:
        if len({portfolio.account for portfolio in portfolios}) != len(portfolios):
            raise ValueError("an account is named twice")
        self._portfolios = {portfolio.account: portfolio for portfolio in portfolios}
        self._market = Market(seed)
        self._revisions = dict.fromkeys(self._portfolios, 0)
        self._days: OrderedDict[object, Day] = OrderedDict()
        self._views: OrderedDict[object, View] = OrderedDict()
        self._lock = threading.RLock()

    @classmethod
    def sized(cls, rows: Mapping[str, int], *, seed: int = 1) -> Book:
        """A book with that many positions in each account (``{"80012345-03": 237}``)."""
        return cls([Portfolio(account, count) for account, count in rows.items()], seed=seed)

    @property
    def accounts(self) -> list[str]:
        """Account numbers, the one with most positions first."""
        return sorted(self._portfolios, key=lambda account: -self._portfolios[account].rows)

    def __contains__(self, account: object) -> bool:
        return account in self._portfolios

    def __repr__(self) -> str:
        return f"<Book of {len(self._portfolios)} accounts>"

    def revision(self, account: str) -> int:
        """How often the account's positions have changed; page keys of an older one are void."""
        return self._revisions[account]

    def resize(self, account: str, rows: int) -> None:
        """Open or close positions until there are `rows`: the data changes, also under a walk."""
        with self._lock:
            self._portfolios[account] = replace(self._portfolios[account], rows=rows)
            self._revisions[account] += 1

    @property
    def market(self) -> Market:
        """Where its prices come from."""
        return self._market

    def view(self, account: str, moment: int) -> View:
        """The account at a moment in epoch seconds.

        Raises:
            KeyError: no such account.
        """
        with self._lock:
            key = account, self._revisions[account]
            today = (*key, settled_at(moment))
            return self._kept(self._views, (*key, moment), lambda: self._look(today, key, moment))

    def _look(self, today: object, key: tuple[str, int], moment: int) -> View:
        portfolio = self._portfolios[key[0]]
        day = self._kept(self._days, today, lambda: Day(portfolio, self._market, moment))
        return View(day, self._market, moment)

    def _kept(self, store: OrderedDict[object, T], key: object, make: Callable[[], T]) -> T:
        if key in store:
            store.move_to_end(key)
            return store[key]
        made = store[key] = make()
        if len(store) > self._KEPT:
            store.popitem(last=False)
        return made
