"""A holding's trades of one trading day, and what they come to at a moment.

A trade's price is the market's at the trade's time, one tick worse for the account, so cost,
realized P&L, variation, premiums and fees follow from one price history. At expiry a contract is
settled at its price, which counts as a trade without a fee. Amounts are whole won, prices
hundredths of a point, all int. How many contracts are traded, and when, is invented.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.holdings import Holding
from kis_nb.demo.prices import Market
from kis_nb.demo.sessions import open_after, open_before, opens_at, settles_at

# Seconds from 18:00 to 06:00 and to 09:00 of the trading day's date on a common day, and from 09:00
# to 15:20; first lots fall on whole ten minutes, so that rows share cached levels.
_KEPT = 30_000  # holdings
_NIGHT, _FROM_SETTLEMENT, _DAYTIME, _MINUTES = 12 * 3_600, 24_300, 22_800, 600


class Lot(NamedTuple):
    """A trade: `quantity` opens when positive, closes when negative.

    Attributes:
        at: epoch seconds.
        quantity: contracts.
        price: hundredths of a point.
        free: without a fee, as expiry is.
    """

    at: int
    quantity: int
    price: int
    free: bool = False


class Carried(NamedTuple):
    """What a holding is at the beginning of a trading day: contracts, and the sum of their prices
    (hundredths of a point).
    """

    quantity: int = 0
    filled: int = 0


@dataclass(frozen=True, slots=True)
class Activity:
    """What a holding's trades of a trading day came to until a moment.

    Attributes:
        opened, closed: contracts.
        bought, sold: amounts in won, as all that follow.
        bought_fee, sold_fee: fees on these.
        realized: realized P&L.
    """

    opened: int = 0
    closed: int = 0
    bought: int = 0
    sold: int = 0
    bought_fee: int = 0
    sold_fee: int = 0
    realized: int = 0

    @property
    def fee(self) -> int:
        """All fees."""
        return self.bought_fee + self.sold_fee

    @property
    def traded(self) -> int:
        """The amount bought and sold."""
        return self.bought + self.sold


NO_ACTIVITY = Activity()


@dataclass(frozen=True, slots=True)
class Position:
    """One position at a moment: all of it that does not depend on the present price.

    Attributes:
        instrument: the contract.
        sign: 1 long, -1 short; of the closed trade when `quantity` is 0.
        quantity: open contracts.
        liquidatable: those of them without a pending closing order.
        settlement: last settlement price, in hundredths.
        filled: sum of price (hundredths) times quantity over the open contracts.
        initial: initial margin, in won.
        margined: contracts that it is for: the open ones, and until 18:00 those that expired.
        carried: contracts at the trading day's beginning.
        activity: the trading day's trades so far.
        priced: False for a contract that has no price yet.
    """

    instrument: Instrument
    sign: int
    quantity: int
    liquidatable: int
    settlement: int
    filled: int
    initial: int = 0
    margined: int = 0
    carried: int = 0
    activity: Activity = NO_ACTIVITY
    priced: bool = True

    def cost(self, *, purchase: bool) -> int:
        """Cost in won: at the fills' prices (`purchase`), or at the settlement price."""
        return (self.filled if purchase else self.settlement * self.quantity) * self.instrument.won

    @property
    def counted(self) -> int:
        """What equity at the last settlement counts it at, in won, a sold one negative: market
        value at the settlement price, for an option without a price nothing.
        """
        if self.instrument.option and not self.priced:
            return 0
        return self.sign * self.cost(purchase=False)

    @property
    def premiums(self) -> int:
        """The day's option premiums, received less paid."""
        return self.activity.sold - self.activity.bought if self.instrument.option else 0

    @property
    def variation(self) -> int:
        """Variation on the day's futures trades, against the last settlement price."""
        if self.instrument.option:
            return 0
        made = self.activity
        opened = self.sign * (made.opened - made.closed) * self.settlement * self.instrument.won
        return made.sold - made.bought + opened


def maintenance(initial: int) -> int:
    """Maintenance margin: two thirds of initial, rounded up to the won."""
    return -(-initial * 2 // 3)


class Trader:
    """Makes up the trades of holdings.

    Args:
        market: the prices.
    """

    def __init__(self, market: Market) -> None:
        self._market = market
        # A carried holding's lots are the same on every day.
        self._bought: OrderedDict[str, list[Lot]] = OrderedDict()

    def _lot(self, holding: Holding, at: int, quantity: int) -> Lot:
        """A trade that buys one tick above the market's price, or sells one below."""
        instrument = holding.instrument
        price = self._market.price(instrument, at)
        low, turn, high = instrument.product.ticks
        tick = high if price >= turn else low
        price += tick if quantity * holding.sign > 0 else -tick
        return Lot(at, quantity, max(price, low) if instrument.option else price)

    def _first(self, holding: Holding) -> list[Lot]:
        """The trades of its first night: one that is carried is bought nearly wholly at 18:00, with
        up to two single contracts later; of the others two contracts are.
        """
        if holding.key not in self._bought:
            self._bought[holding.key] = self._buy(holding)
            if len(self._bought) > _KEPT:
                self._bought.popitem(last=False)
        return self._bought[holding.key]

    def _buy(self, holding: Holding) -> list[Lot]:
        opens = opens_at(holding.first)
        if holding.role != "carried":
            return [self._lot(holding, opens, 2)]
        total = 1 + holding.life[1] % holding.most
        later = min(holding.life[2] % 3, total - 1)
        times = [opens + draw % (_NIGHT // _MINUTES) * _MINUTES for draw in holding.life[3:5]]
        return [
            self._lot(holding, opens, total - later),
            *(self._lot(holding, at, 1) for at in times[:later]),
        ]

    def _refreshed(self, holding: Holding, day: date) -> tuple[int, int]:
        """When in the day session it is closed, and when bought again."""
        draws = holding.draws(day)
        morning = settles_at(day) - _FROM_SETTLEMENT
        half = _DAYTIME // 2 // _MINUTES
        closed = morning + draws[1] % half * _MINUTES
        return closed, closed + (1 + draws[2] % half) * _MINUTES

    def quantity(self, holding: Holding, day: date) -> int:
        """How many contracts it is at the beginning of a trading day."""
        if day == holding.first:
            return 0
        if holding.role == "carried":
            return 1 + holding.life[1] % holding.most
        return 2 + holding.draws(day)[0] % (holding.most - 1)

    def carried(self, holding: Holding, day: date) -> Carried:
        """What it is at the beginning of a trading day."""
        if day == holding.first:
            return Carried()
        before = open_before(day)
        if holding.role == "carried":
            lots = self._first(holding)
        else:
            at = self._refreshed(holding, before)[1]
            lots = [self._lot(holding, at, self.quantity(holding, day))]
        return Carried(
            sum(lot.quantity for lot in lots), sum(lot.quantity * lot.price for lot in lots)
        )

    def trades(self, holding: Holding, day: date, quantity: int) -> list[Lot]:
        """All trades of a trading day in order, of one that is `quantity` at its beginning."""
        lots: list[Lot] = []
        if holding.role == "carried" and holding.first != day != holding.last:
            return lots
        if day == holding.first:
            lots = list(self._first(holding))
        elif holding.role != "carried":
            lots = self._nightly(holding, day, quantity)
        quantity += sum(lot.quantity for lot in lots)
        if day == holding.last:
            at = settles_at(day)
            if quantity:
                price = self._market.price(holding.instrument, at)
                lots.append(Lot(at, -quantity, price, free=True))
        elif holding.role != "carried":
            closed, again = self._refreshed(holding, day)
            if quantity:
                lots.append(self._lot(holding, closed, -quantity))
            lots.append(self._lot(holding, again, self.quantity(holding, open_after(day))))
        return sorted(lots)

    def _nightly(self, holding: Holding, day: date, quantity: int) -> list[Lot]:
        draws, opens = holding.draws(day), opens_at(day)
        if holding.role == "flat":
            return [self._lot(holding, opens, -quantity)]
        if holding.role == "partly":
            return [self._lot(holding, opens, -(1 + draws[3] % (quantity - 1)))]
        # Two to four small trades on whole minutes of the night, bought and sold in turn.
        times = sorted({opens + draw % (_NIGHT // 60) * 60 for draw in draws[4 : 6 + draws[3] % 3]})
        few = max(holding.most // 8, 1)
        lots = []
        for turn, at in enumerate(times):
            change = 1 + draws[8 + turn] % few
            if turn % 2 != draws[12] % 2:
                change = -min(change, quantity - 1)
            if change:
                lots.append(self._lot(holding, at, change))
            quantity += change
        return lots

    def margin(self, holding: Holding, settlement: int, settled: int) -> int:
        """Initial margin of one contract at the settlement price of the moment `settled`."""
        instrument, short = holding.instrument, holding.sign < 0
        if instrument.option and not short:
            return 0
        level = self._market.level(instrument.product.underlying, settled)
        return instrument.margin(settlement, level, short=short)

    def position(
        self, holding: Holding, carried: Carried, lots: Iterable[Lot], settled: int
    ) -> Position:
        """The position after these trades, with the settlement prices of the moment `settled`."""
        instrument, sign, won = holding.instrument, holding.sign, holding.instrument.won
        settlement = self._market.price(instrument, settled)
        quantity, filled = carried
        opened = closed = realized = expired = 0
        amounts, fees = {1: 0, -1: 0}, {1: 0, -1: 0}
        for lot in lots:
            if lot.quantity > 0:
                filled += lot.quantity * lot.price
                opened += lot.quantity
            else:
                # At average cost; the open contracts keep the exact rest.
                released = filled * -lot.quantity // quantity
                filled -= released
                realized += (-lot.quantity * lot.price - released) * sign * won
                closed -= lot.quantity
                expired -= lot.quantity if lot.free else 0
            quantity += lot.quantity
            amount, side = abs(lot.quantity) * lot.price * won, sign if lot.quantity > 0 else -sign
            amounts[side] += amount
            fees[side] += 0 if lot.free else amount * instrument.product.fee // 10**6
        # The margin of an expired contract is released at the trading day's end.
        margined = quantity + expired
        return Position(
            instrument,
            sign,
            quantity,
            quantity - (quantity + 1) // 2 if holding.pending else quantity,
            settlement,
            filled,
            margined * self.margin(holding, settlement, settled) if margined else 0,
            margined,
            carried.quantity,
            Activity(opened, closed, amounts[1], amounts[-1], fees[1], fees[-1], realized)
            if opened or closed
            else NO_ACTIVITY,
            holding.priced,
        )
