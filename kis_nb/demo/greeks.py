"""The demo's own Black-76, with which its quotes have Greeks and an implied volatility.

For show in quotes only, hence in float: no price and no amount of the demo comes from here. Written
with `math` alone, so that the client's estimates, which come from elsewhere, are held against
something else.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import erf, exp, log, pi, sqrt

_LOW, _HIGH = 1e-4, 10.0
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Option:
    """A European option on a future, without interest.

    Attributes:
        call: False for a put.
        forward, strike: in points.
        years: to the end of trading, above 0.
    """

    call: bool
    forward: float
    strike: float
    years: float

    def value(self, volatility: float) -> float:
        """Its price in points at a volatility above 0."""
        first, second = self._places(volatility)
        value = self.forward * _normal(first) - self.strike * _normal(second)
        return value if self.call else value - self.forward + self.strike

    def volatility(self, price: float) -> float | None:
        """The volatility at which it has this price; None when there is none."""
        if not self.value(_LOW) < price < self.value(_HIGH):
            return None
        low, high = _LOW, _HIGH
        for _ in range(_STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.value(middle) < price else (low, middle)
        return (low + high) / 2

    def greeks(self, volatility: float) -> dict[str, float]:
        """By the wire's names: theta a calendar day, vega a point of volatility, rho a point of
        interest.
        """
        first, _ = self._places(volatility)
        density, root = exp(-first * first / 2) / sqrt(2 * pi), sqrt(self.years)
        return {
            "delta_val": _normal(first) - (not self.call),
            "gama": density / (self.forward * volatility * root),
            "theta": -self.forward * density * volatility / (2 * root) / 365,
            "vega": self.forward * density * root / 100,
            "rho": -self.years * self.value(volatility) / 100,
        }

    def _places(self, volatility: float) -> tuple[float, float]:
        spread = volatility * sqrt(self.years)
        first = log(self.forward / self.strike) / spread + spread / 2
        return first, first - spread


def _normal(place: float) -> float:
    return (1 + erf(place / sqrt(2))) / 2
