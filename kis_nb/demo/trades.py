"""A position on one trading day: its trades, and the amounts that follow from them.

A trade's price is the market's at the trade's time, so cost, realized P&L, variation, premiums and
fees follow from one price history. Amounts are whole won, prices hundredths of a point, all int.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.prices import Market
from kis_nb.demo.sessions import DAY, settled_at

if TYPE_CHECKING:
    from random import Random

_MINUTES = 600  # trades fall on whole ten minutes, so that rows share cached levels
_DAYTIME = 24_600  # seconds of the day session in which the day's trades happen


@dataclass(frozen=True, slots=True)
class Position:
    """One position on one trading day: all of it that does not depend on the present price.

    Attributes:
        instrument: the contract.
        sign: 1 long, -1 short; of the closed trade when `quantity` is 0.
        quantity: open contracts.
        liquidatable: those of them without a pending closing order.
        settlement: settlement price, in hundredths.
        filled: sum of price (hundredths) times quantity over the open contracts.
        realized: realized P&L, in won, as all that follow.
        premiums: option premiums of the day, received less paid.
        day: variation on the day's futures trades.
        renewal: variation on the futures carried into the day.
        traded: amount of the day's trades, bought and sold alike.
        fee: on these.
        initial: initial margin.
        priced: False for a contract that has no price yet.
    """

    instrument: Instrument
    sign: int
    quantity: int
    liquidatable: int
    settlement: int
    filled: int
    realized: int
    premiums: int
    day: int
    renewal: int
    traded: int
    fee: int
    initial: int
    priced: bool = True

    def cost(self, *, purchase: bool) -> int:
        """Cost in won: at the fills' prices (`purchase`), or at the settlement price."""
        return (self.filled if purchase else self.settlement * self.quantity) * self.instrument.won


def maintenance(initial: int) -> int:
    """Maintenance margin: two thirds of initial, rounded up to the won."""
    return -(-initial * 2 // 3)


def trade(
    market: Market, instrument: Instrument, *, index: int, rng: Random, scale: int, now: int
) -> Position:
    """Make up one position's trades until the settlement at `now` (epoch seconds).

    `index` is its place in the account, `scale` the usual number of contracts. Every 11th position
    was closed during the day, every 5th partly; every 9th has a closing order pending on a part.
    """
    sign = -1 if index % 3 == 1 else 1 if index < 9 or rng.random() < 0.55 else -1
    size = scale * {"05": 4, "75": 4, "06": 3, "AJ": 3, "AK": 3}.get(instrument.product.code, 1)
    size = size * 2 if instrument.option else size
    carried, opened = 1 + rng.randrange(size), rng.randrange(size)
    total = carried + opened
    flat, partly = index % 11 == 5, index % 5 == 2
    closed = total if flat else rng.randrange(1, total) if partly and total > 1 else 0

    def ago(seconds: int) -> int:
        return market.price(instrument, now - seconds // _MINUTES * _MINUTES)

    # The carried contracts were bought in one to three lots in the twelve days before the last
    # settlement.
    settled = settled_at(now - 1)
    lots = min(1 + rng.randrange(3), carried)
    parts = [carried // lots + (lot < carried % lots) for lot in range(lots)]
    bought = sum(part * ago(now - settled + rng.randrange(11 * DAY)) for part in parts)
    opened_ago = rng.randrange(_DAYTIME // 2, _DAYTIME)
    entry, exit_price = ago(opened_ago), ago(rng.randrange(opened_ago))
    bought += opened * entry
    released = bought * closed // total  # at average cost; the open contracts keep the exact rest
    last, before, won = (
        market.price(instrument, now),
        market.price(instrument, settled),
        instrument.won,
    )
    per_contract = instrument.margin(
        last, market.level(instrument.product.underlying, now), short=sign < 0
    )
    quantity = total - closed
    variation = (opened * (last - entry) - closed * (last - exit_price)) * sign * won
    traded = (opened * entry + closed * exit_price) * won
    premiums = (closed * exit_price - opened * entry) * sign * won
    return Position(
        instrument,
        sign,
        quantity,
        liquidatable=quantity - (quantity + 1) // 2 if index % 9 == 4 else quantity,
        settlement=last,
        filled=bought - released,
        realized=(closed * exit_price - released) * sign * won,
        premiums=premiums if instrument.option else 0,
        day=0 if instrument.option else variation,
        renewal=0 if instrument.option else carried * (last - before) * sign * won,
        traded=traded,
        fee=traded * instrument.product.fee // 10**6,
        initial=per_contract * quantity,
    )
