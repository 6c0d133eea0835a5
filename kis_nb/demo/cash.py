"""An account's cash from trading day to trading day.

The cash of a day is that of the day before with that day's premiums, variation and fees, and what
was paid in or out at 18:00, the day's beginning. On the first trading day of a month the account is
brought to its target (`Portfolio.cover`), by any number of won, as with interest; later in the
month, and for accounts of a few hundred positions at most, by whole 10,000 won once it is a tenth
off its target. So no day needs to know more than its month. All of this is invented.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from kis_nb.demo.sessions import open_before, opens_at, settles_at
from kis_nb.demo.trades import Carried, Position, maintenance
from kis_nb.demo.underlyings import USD

if TYPE_CHECKING:
    from kis_nb.demo.account import Account
    from kis_nb.demo.portfolio import Portfolio
    from kis_nb.demo.prices import Market

# Deposits are whole multiples of this, in won.
_ROUND = 10_000
# How many positions an account may have to be looked after within a month.
_WATCHED = 200
_KEPT = 800


class Made(NamedTuple):
    """What a whole trading day did to the cash: the variation on carried futures, and all flows."""

    renewal: int
    flows: int


class Opening(NamedTuple):
    """An account at 18:00, before that second's trades, in won.

    Attributes:
        cash: the cash with the last settlement's variation (``nxdy_dnca``).
        substitute: the deposit in securities.
        paid: what was paid in at that moment, or out when negative; None on the first trading day
            of a month, where it is the difference to the day before.
    """

    cash: int
    substitute: int
    paid: int | None


class Cash:
    """The cash of an account. Not thread-safe.

    Args:
        account: whose.
    """

    def __init__(self, account: Account) -> None:
        self._account = account
        self._made: OrderedDict[date, Made] = OrderedDict()
        self._openings: OrderedDict[date, Opening] = OrderedDict()

    def made(self, day: date) -> Made:
        """What a trading day's trades and settlement come to."""
        if day not in self._made:
            self._made[day] = self._add_up(day)
            if len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return self._made[day]

    def _add_up(self, day: date) -> Made:
        account, settled, before = self._account, settles_at(day), settles_at(open_before(day))
        price = account.market.price
        renewal = flows = 0
        for holding in account.holdings.on(day, moving=True):
            quantity = account.trader.quantity(holding, day)
            if not holding.instrument.option and quantity:
                change = price(holding.instrument, settled) - price(holding.instrument, before)
                renewal += quantity * change * holding.sign * holding.instrument.won
            lots = account.trader.trades(holding, day, quantity)
            if lots:
                # What was paid for the carried contracts does not count here.
                position = account.trader.position(holding, Carried(quantity), lots, settled)
                flows += _flows(position)
        return Made(renewal, flows + renewal)

    def opening(self, day: date) -> Opening:
        """The account at the beginning of a trading day."""
        if day not in self._openings:
            self._openings[day] = self._open(day)
            if len(self._openings) > _KEPT:
                self._openings.popitem(last=False)
        return self._openings[day]

    def _open(self, day: date) -> Opening:
        before = open_before(day)
        if before.month != day.month:
            cash, substitute, _ = self._target(day, None)
            return Opening(cash, substitute, None)
        last = self.opening(before)
        cash = last.cash + self.made(before).flows
        paid = 0
        if self._account.portfolio.rows <= _WATCHED:
            wanted, _, target = self._target(day, last.substitute)
            if 10 * abs(wanted - cash) > target:
                paid = (wanted - cash) // _ROUND * _ROUND
        return Opening(cash + paid, last.substitute, paid)

    def _target(self, day: date, substitute: int | None) -> tuple[int, int, int]:
        """The cash that brings the account to its target, its deposit in securities (which is
        worked out with None), and the target, which is equity.
        """
        portfolio, market, moment = self._account.portfolio, self._account.market, opens_at(day)
        maintained, options, flows = self._opened(day, moment)
        if not portfolio.rows:
            return 0, 0, 0
        target = -(-maintained * portfolio.cover // _ROUND) * _ROUND
        if substitute is None:
            substitute = int(target * portfolio.substitute) // _ROUND * _ROUND
        deposits = substitute + foreign(portfolio, market, moment) // 100
        # An account all in bought options would need no cash, and has some nevertheless.
        wanted = max(target - deposits - options, target // 2, 5_000_000)
        return wanted - flows, substitute, target

    def _opened(self, day: date, moment: int) -> tuple[int, int, int]:
        """Maintenance margin and the options' value after the trades of 18:00, and their flows."""
        account, settled = self._account, settles_at(open_before(day))
        trader, market = account.trader, account.market
        maintained = options = flows = 0
        for holding in account.holdings.on(day):
            quantity, instrument = trader.quantity(holding, day), holding.instrument
            lots = [lot for lot in trader.trades(holding, day, quantity) if lot.at == moment]
            if lots:
                flows += _flows(trader.position(holding, Carried(quantity), lots, settled))
                quantity += sum(lot.quantity for lot in lots)
            price = market.price(instrument, settled)
            maintained += maintenance(quantity * trader.margin(holding, price, settled))
            if instrument.option and holding.priced:
                options += quantity * price * holding.sign * instrument.won
        return maintained, options, flows


def _flows(position: Position) -> int:
    return position.premiums + position.variation - position.activity.fee


def foreign(portfolio: Portfolio, market: Market, moment: int) -> int:
    """The foreign deposit in hundredths of a won, at the moment's rate."""
    # US cents times millionths of a won.
    rate = market.level(USD, moment)
    return (portfolio.dollars * rate + 500_000) // 10**6
