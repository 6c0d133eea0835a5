"""One position on one trading day: its trades, and the amounts that follow from them.

Above `kis_nb.demo.contracts` and `prices`, which it imports beside the standard library.

A trade's price is what the market's seed gave at the trade's time, so cost, realized P&L,
variation, premiums and fees follow from one history. Amounts are whole won in int, prices integers
in hundredths.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.market import DAY, settled_at
from kis_nb.demo.prices import Market

if TYPE_CHECKING:
    from random import Random

_MINUTES = 600  # trades fall on whole ten minutes, so that rows share looked-up levels
_DAYTIME = 24_600  # seconds of the day session in which the day's trades happen


@dataclass(frozen=True, slots=True)
class Line:
    """One position on one trading day; all of it that does not move with the mark.

    `filled` is the sum of price (hundredths) times quantity over the open contracts; `traded` the
    amount of the day's trades, bought and sold alike; `priced` False while nothing tells the
    contract's price at this moment.
    """

    instrument: Instrument
    sign: int  # 1 long, -1 short; of the closed trade when `quantity` is 0
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
        """Cost in won: from the fills, or from the settlement price."""
        return (self.filled if purchase else self.settlement * self.quantity) * self.instrument.won


def maintenance(initial: int) -> int:
    """Maintenance margin: two thirds of initial, rounded up to the won."""
    return -(-initial * 2 // 3)


def trade(
    market: Market, instrument: Instrument, *, index: int, dice: Random, scale: int, now: int
) -> Line:
    """Trade one position up to the settlement at `now`.

    By its place in the account: every 11th was closed during the day, every 5th partly; every 9th
    has a closing order pending on part of it.
    """
    sign = -1 if index % 3 == 1 else 1 if index < 9 or dice.random() < 0.55 else -1
    size = scale * {"05": 4, "75": 4, "06": 3, "AJ": 3, "AK": 3}.get(instrument.product.code, 1)
    size = size * 2 if instrument.option else size
    carried, opened = 1 + dice.randrange(size), dice.randrange(size)
    total = carried + opened
    flat, partly = index % 11 == 5, index % 5 == 2
    closed = total if flat else dice.randrange(1, total) if partly and total > 1 else 0

    def ago(seconds: int) -> int:
        return market.price(instrument, now - seconds // _MINUTES * _MINUTES)

    # Carried contracts came in one to three lots over the twelve days up to the settlement before.
    settled = settled_at(now - 1)
    lots = min(1 + dice.randrange(3), carried)
    parts = [carried // lots + (lot < carried % lots) for lot in range(lots)]
    bought = sum(part * ago(now - settled + dice.randrange(11 * DAY)) for part in parts)
    early = dice.randrange(_DAYTIME // 2, _DAYTIME)
    into, out = ago(early), ago(dice.randrange(early))
    bought += opened * into
    released = bought * closed // total  # at average cost; what stays keeps the rest, exactly
    last, before, won = (
        market.price(instrument, now),
        market.price(instrument, settled),
        instrument.won,
    )
    per_contract = instrument.margin(
        last, market.level(instrument.product.underlying, now), short=sign < 0
    )
    quantity = total - closed
    variation = (opened * (last - into) - closed * (last - out)) * sign * won
    traded = (opened * into + closed * out) * won
    return Line(
        instrument,
        sign,
        quantity,
        quantity - (quantity + 1) // 2 if index % 9 == 4 else quantity,
        last,
        bought - released,
        (closed * out - released) * sign * won,
        (closed * out - opened * into) * sign * won if instrument.option else 0,
        0 if instrument.option else variation,
        0 if instrument.option else carried * (last - before) * sign * won,
        traded,
        traded * instrument.product.fee // 10**6,
        per_contract * quantity,
    )
