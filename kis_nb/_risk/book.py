"""A balance as priced legs: forwards, implied volatilities and Greeks, and what has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from math import exp, sqrt

from kis_nb._risk.forwards import Forward, Forwards
from kis_nb._risk.legs import Leg
from kis_nb._risk.notes import ABOVE_BOUND, LEFT_OUT, NO_FORWARD, NOT_SOLVED
from kis_nb._risk.pricing import CALL, PUT, Greeks, greeks, implied, price
from kis_nb._risk.reprice import Priced, Repricer


@dataclass(frozen=True, slots=True)
class Line:
    """What is known of one position.

    Attributes:
        leg: the position.
        note: why it is not priced by the model; None when it is.
        forward: of its expiry; None without one, and for a spread.
        volatility: implied, a year; None without one.
        greeks: of one contract bought; None when it counts in no scenario.
        priced: for scenarios; None when it counts in none.
    """

    leg: Leg
    note: str | None
    forward: Forward | None = None
    volatility: float | None = None
    greeks: Greeks | None = None
    priced: Priced | None = None


def price_leg(leg: Leg, forwards: Forwards | None, rate: float) -> Line:
    """Price one leg.

    Args:
        leg: the position.
        forwards: of its underlying; None when nothing tells its price.
        rate: a year.
    """
    if leg.note is not None:
        return Line(leg, leg.note)
    assert leg.price is not None
    if leg.kind == "spread":
        # A difference of two forwards: it moves by its price times the move.
        if forwards is None:
            return Line(leg, NO_FORWARD)
        delta = leg.price / forwards.level
        return Line(
            leg, None, None, None, Greeks(delta, 0.0, 0.0, 0.0), Priced(leg, None, leg.price, 0.0)
        )
    if leg.kind == "future":
        own = Forward(leg.price, "held future")
        assert leg.expiry is not None
        found = None if forwards is None else forwards.by_expiry.get(leg.expiry)
        if found is not None and found.source == "given":
            # Only what the caller gave: a quote of the same future is of a moment later.
            own = found
        return Line(
            leg, None, own, None, Greeks(1.0, 0.0, 0.0, 0.0), Priced(leg, None, own.price, 0.0)
        )
    if forwards is None:
        return Line(leg, NO_FORWARD)
    assert leg.expiry is not None
    forward = forwards.of(leg.expiry)
    kind, discount = (CALL if leg.kind == "call" else PUT), exp(-rate * leg.years)
    deviation, note = implied(kind, leg.strike, forward.price, leg.price, discount)
    if note in (ABOVE_BOUND, NOT_SOLVED):
        return Line(leg, note, forward)
    volatility = deviation / sqrt(leg.years)
    model = price(kind, leg.strike, forward.price, deviation, discount)
    return Line(
        leg,
        note,
        forward,
        volatility if note is None else None,
        greeks(kind, leg.strike, forward.price, deviation, leg.years, discount),
        Priced(leg, kind, forward.price, volatility, 0.0 if note is None else leg.price - model),
    )


class Book:
    """The positions of an account, priced.

    Args:
        legs: in the order of the balance.
        forwards: by underlying; one that nothing prices is not among them.
        now: the moment of the balance.
        rate: a year.

    Attributes:
        lines: one for each leg.
        forwards: as given.
        underlyings: of the positions that count, the one with the largest notional first.
    """

    def __init__(
        self, legs: Sequence[Leg], forwards: dict[str, Forwards], now: datetime, rate: float
    ) -> None:
        self.forwards = forwards
        self.lines = [price_leg(leg, forwards.get(leg.underlying or ""), rate) for leg in legs]
        self._now, self._rate = now, rate
        size: dict[str, float] = {}
        for line in self.lines:
            if line.priced is not None and line.leg.underlying in forwards:
                level = forwards[line.leg.underlying].level
                size[line.leg.underlying] = size.get(line.leg.underlying, 0.0) + level * abs(
                    line.leg.won
                )
        # Stable: of two with one size the first in the balance.
        self.underlyings = tuple(sorted(size, key=lambda name: -size[name]))
        self._repricers: dict[str, Repricer] = {}

    def counted(self, underlying: str) -> list[Line]:
        """The lines that count in scenarios of an underlying."""
        return [
            line
            for line in self.lines
            if line.priced is not None and line.leg.underlying == underlying
        ]

    def repricer(self, underlying: str) -> Repricer:
        """The legs of an underlying for scenarios."""
        if underlying not in self._repricers:
            priced = [line.priced for line in self.counted(underlying) if line.priced is not None]
            self._repricers[underlying] = Repricer(
                priced, self.forwards[underlying].level, self._now, self._rate
            )
        return self._repricers[underlying]

    def expiries(self, underlying: str) -> list[date]:
        """The last trading days of the lines that count, in order."""
        days = {line.leg.expiry for line in self.counted(underlying)}
        return sorted(day for day in days if day is not None)

    @property
    def left_out(self) -> list[Line]:
        """The lines that count in no scenario."""
        return [line for line in self.lines if line.note in LEFT_OUT]
