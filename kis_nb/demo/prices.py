"""What a contract costs at any moment.

Prices are integers, in hundredths of a point (of a won for the US dollar); moments are epoch
seconds.
"""

from __future__ import annotations

from math import isqrt

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.sessions import DAY, last_traded
from kis_nb.demo.underlyings import Levels

_YEAR = 365 * DAY


class Market(Levels):
    """Prices from a seed; between sessions those of the last session's end."""

    def forward(self, instrument: Instrument, moment: int) -> int:
        """The underlying's level carried to the contract's expiry at 2 % a year, in millionths."""
        return self._carried(instrument, last_traded(moment), instrument.expires_at)

    def _carried(self, instrument: Instrument, moment: int, until: int) -> int:
        level = self.level(instrument.product.underlying, moment)
        return level + level * 2 * max(until - moment, 0) // (100 * _YEAR)

    def price(self, instrument: Instrument, moment: int) -> int:
        """Price in hundredths, on the exchange's tick; an option's never below 0.02."""
        product = instrument.product
        low, turn, high = product.ticks
        moment = last_traded(moment)
        forward = self._carried(instrument, moment, instrument.expires_at)
        if not instrument.strike:
            if instrument.kind != "S":
                return _on_tick(forward, high)
            later = self._carried(instrument, moment, instrument.far_expires_at)
            return _on_tick(later - forward, high)
        inside = forward - instrument.strike * 10_000
        if instrument.kind == "P":
            inside = -inside
        left = instrument.expires_at - moment
        spread = 0
        if left > 0:
            swing = product.underlying.swing
            spread = forward * forward * 20_736 * swing * swing * left // (10**10 * _YEAR)
        # Half of (d + sqrt(d^2 + c^2)): never under the intrinsic value, convex in the strike, call
        # less put is exactly the forward less the strike, and c / 2 at the money, where 18 % a year
        # (of the KOSPI 200; in proportion to its swing for the others) gives
        # 0.4 x 0.18 x forward x sqrt(years).
        value = (inside + isqrt(inside * inside + spread)) // 2
        return max(_on_tick(value, high if value >= turn * 10_000 else low), low, 2)


def _on_tick(millionths: int, tick: int) -> int:
    size = tick * 10_000
    return (millionths + size // 2) // size * tick
