"""The legs on one underlying, revalued at any level, volatility and moment.

The forward of an expiry is the level times a carry. What the carry adds now shrinks with the time
that is left, so that at its expiry a contract settles at the level. Nothing is approximated by
Greeks: every leg is priced anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import exp, sqrt

from kis_nb._risk.legs import Leg
from kis_nb._risk.moments import years
from kis_nb._risk.pricing import price

# Lines of values that are kept.
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Priced:
    """A leg with what the model needs.

    Attributes:
        leg: the position.
        type: of an option, for QuantLib; None for a future or spread.
        forward: of its expiry now; of a spread its price.
        volatility: a year; 0 for what is priced at its intrinsic value.
        gap: what its price is above the model's, in points: 0 but for those. It shrinks with the
            time that is left.
    """

    leg: Leg
    type: int | None
    forward: float
    volatility: float
    gap: float = 0.0


class Repricer:
    """Values of legs. All amounts are won, Float64.

    Args:
        legs: on one underlying.
        level: the reference level now.
        now: the moment of the balance.
        rate: a year, continuously compounded.

    Attributes:
        legs: as given.
        level: as given.
        base: the value of all legs now, by the model.
        now_values: the value of each leg now.
        cost: what they cost; a leg without a cost counts from now.
    """

    def __init__(self, legs: Sequence[Priced], level: float, now: datetime, rate: float) -> None:
        self.legs = tuple(legs)
        self.level = level
        self._now = now
        self._rate = rate
        self._options = [one for one in self.legs if one.type is not None]
        self._linear = [one for one in self.legs if one.type is None]
        self._known: dict[tuple[datetime, float, tuple[float, ...]], list[float]] = {}
        # The same arithmetic as of every scenario, so that the one without a move is exactly 0.
        self.base = self._totals((0.0,), (0.0,), now)[0]
        self.now_values = self.values(0.0, 0.0, now)
        self.cost = sum(
            part if one.leg.cost is None else one.leg.cost
            for one, part in zip(self.legs, self.now_values, strict=True)
        )

    def pnl(self, spots: Sequence[float], vols: Sequence[float], at: datetime) -> list[float]:
        """The change of value from now, for each volatility and each spot within it.

        Args:
            spots: relative moves of the level.
            vols: relative changes of each volatility.
            at: the moment.
        """
        return [total - self.base for total in self._totals(spots, vols, at)]

    def _totals(self, spots: Sequence[float], vols: Sequence[float], at: datetime) -> list[float]:
        """The values, each line of spots worked out once: grid and curves share them."""
        places = tuple(spots)
        lines = {vol: self._known.get((at, vol, places)) for vol in vols}
        missing = [vol for vol, line in lines.items() if line is None]
        made = self._price(places, missing, at) if missing else []
        for n, vol in enumerate(missing):
            lines[vol] = made[n * len(places) : (n + 1) * len(places)]
        if missing and len(places) > 1:
            if len(self._known) > _KEPT:
                self._known.clear()
            self._known |= {(at, vol, places): lines[vol] or [] for vol in missing}
        return [value for vol in vols for value in lines[vol] or ()]

    def _price(self, spots: Sequence[float], vols: Sequence[float], at: datetime) -> list[float]:
        after = years(self._now, at)
        linear = sum(one.forward * self._carry(one, after) * one.leg.won for one in self._linear)
        rows = [self._row(one, after) for one in self._options]
        live, still = [row for row in rows if row[3]], [row for row in rows if not row[3]]
        # What has expired, or has no volatility, is the same under each change of volatility.
        gaps = sum(self._gap(one, after) * one.leg.won for one in self._options if one.gap)
        rest = [(1 + spot) * linear + _sums(still, (spot,), 0.0)[0] + gaps for spot in spots]
        return [
            value + more
            for vol in vols
            for value, more in zip(_sums(live, spots, vol), rest, strict=True)
        ]

    def _row(self, one: Priced, after: float) -> tuple[int | None, float, float, float, float]:
        """Type, strike, forward, standard deviation and weight of an option after some years."""
        left = max(one.leg.years - after, 0.0)
        return (
            one.type,
            one.leg.strike,
            one.forward * self._carry(one, after),
            one.volatility * sqrt(left),
            one.leg.won * exp(-self._rate * left),
        )

    def values(self, spot: float, vol: float, at: datetime) -> list[float]:
        """The value of each leg in won, in their order; arguments as of `pnl`."""
        after = years(self._now, at)
        found = []
        for one in self.legs:
            forward = (1 + spot) * one.forward * self._carry(one, after)
            if one.type is None:
                found.append(forward * one.leg.won)
                continue
            left = max(one.leg.years - after, 0.0)
            deviation = max((1 + vol) * one.volatility, 0.0) * sqrt(left)
            worth = price(one.type, one.leg.strike, forward, deviation, exp(-self._rate * left))
            found.append((worth + self._gap(one, after)) * one.leg.won)
        return found

    def _gap(self, one: Priced, after: float) -> float:
        return one.gap * max(one.leg.years - after, 0.0) / one.leg.years if one.gap else 0.0

    def _carry(self, one: Priced, after: float) -> float:
        """What is left of the forward over the level, as a factor on the forward of now."""
        if after <= 0 or one.leg.kind == "spread" or one.leg.years <= 0:
            return 1.0
        gone = min(after / one.leg.years, 1.0)
        return float((self.level / one.forward) ** gone)


def _sums(
    rows: Sequence[tuple[int | None, float, float, float, float]],
    spots: Sequence[float],
    vol: float,
) -> list[float]:
    """The value of options (see `Repricer._row`) in won, at each spot."""
    found = [0.0] * len(spots)
    # A weight goes in as the discount, which must be above 0: one multiplication less a price.
    for sign in (1, -1):
        own = [row for row in rows if sign * row[4] > 0]
        if not own:
            continue
        types, strikes, forwards, deviations, weights = zip(*own, strict=True)
        sizes = [sign * weight for weight in weights]
        changed = [max((1 + vol) * deviation, 0.0) for deviation in deviations]
        for n, spot in enumerate(spots):
            moved = [(1 + spot) * forward for forward in forwards]
            found[n] += sign * sum(map(price, types, strikes, moved, changed, sizes))
    return found
