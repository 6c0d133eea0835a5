"""The levels at which equity falls to the maintenance margin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeAlias

import polars as pl

from kis_nb._risk.margin_rules import MarginRules
from kis_nb._risk.pricing import crossing
from kis_nb._risk.reprice import Repricer

# How far a level is looked for on either side, as a part of the level, and in which steps.
FARTHEST = 0.5
_STEPS: dict[str, int] = {"held": 100, "re-estimated": 25}
_ACCURACY = 1e-9

SIDES = ("below", "above")
Margin: TypeAlias = Literal["held", "re-estimated"]
MARGINS: tuple[Margin, ...] = ("held", "re-estimated")
NO_EQUITY, NO_MARGIN, NO_RATES = "equity not known", "margin not known", "rates not known"
ALREADY, NEVER = "already below", "no level within 50%"
NOTES = (NO_EQUITY, NO_MARGIN, NO_RATES, ALREADY, NEVER)
SCHEMA: dict[str, Any] = {
    "side": pl.Enum(SIDES),
    "margin": pl.Enum(MARGINS),
    "level": pl.Float64,
    "spot": pl.Float64,
    "pnl": pl.Float64,
    "equity": pl.Float64,
    "required": pl.Float64,
    "note": pl.Enum(NOTES),
}


class MarginCall:
    """Looks for the levels of one underlying, as if it moved at once and the others stayed.

    Args:
        repricer: its legs.
        now: the moment of the balance.
        equity: of the account now, in won; None when not known.
        required: maintenance margin as it is held; None when not known.
        rules: for the re-estimate; None without rates.
        underlying: its name.
    """

    def __init__(
        self,
        repricer: Repricer,
        now: datetime,
        equity: float | None,
        required: float | None,
        rules: MarginRules | None,
        underlying: str,
    ) -> None:
        self._repricer, self._now = repricer, now
        self._equity, self._held = equity, required
        self._rules, self._underlying = rules, underlying

    def rows(self, margin: Margin) -> list[dict[str, Any]]:
        """The two rows of `Risk.margin_call` with one margin."""
        return [self._row(side, margin) for side in SIDES]

    def _pnl(self, spots: Sequence[float]) -> list[float]:
        return self._repricer.pnl(spots, (0.0,), self._now)

    def _required(self, margin: Margin, spot: float) -> float:
        if margin == "held":
            assert self._held is not None
            return self._held
        assert self._rules is not None
        return self._rules.estimate("maintenance", self._underlying, spot).total

    def _row(self, side: str, margin: Margin) -> dict[str, Any]:
        row: dict[str, Any] = {"side": side, "margin": margin, "equity": self._equity}
        if self._equity is None:
            return row | {"note": NO_EQUITY}
        if margin == "held" and self._held is None:
            return row | {"note": NO_MARGIN}
        if margin != "held" and (self._rules is None or self._rules.missing):
            return row | {"note": NO_RATES}
        equity = self._equity

        def excess(spots: Sequence[float]) -> list[float]:
            return [
                equity + pnl - self._required(margin, spot)
                for spot, pnl in zip(spots, self._pnl(spots), strict=True)
            ]

        if excess((0.0,))[0] < 0:
            return row | {"note": ALREADY, "required": self._required(margin, 0.0)}
        sign = -1 if side == "below" else 1
        places = {sign * FARTHEST * step / _STEPS[margin] for step in range(_STEPS[margin] + 1)}
        if margin == "held":
            # Near an expiry the P&L bends at the strikes.
            strikes = (one.leg.strike / self._repricer.level - 1 for one in self._repricer.legs)
            places |= {one for one in strikes if 0 < sign * one < FARTHEST}
        spot = _first(excess, sorted(places, key=abs))
        if spot is None:
            return row | {"note": NEVER, "required": self._required(margin, 0.0)}
        pnl = self._pnl((spot,))[0]
        return row | {
            "level": self._repricer.level * (1 + spot),
            "spot": spot,
            "pnl": pnl,
            "equity": equity + pnl,
            "required": self._required(margin, spot),
            "note": None,
        }


def _first(
    excess: Callable[[Sequence[float]], list[float]], spots: Sequence[float]
) -> float | None:
    """The nearest move at which the excess is 0; None when there is none among these places, which
    are in order from 0.
    """
    for at, value in enumerate(excess(spots)):
        if value < 0:
            low, high = sorted(spots[at - 1 : at + 1])
            return crossing(lambda spot: excess((spot,))[0], low, high, _ACCURACY)
    return None
