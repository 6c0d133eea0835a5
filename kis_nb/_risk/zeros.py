"""The levels at which the P&L from cost is 0."""

from __future__ import annotations

from datetime import datetime

from kis_nb._risk.pricing import crossing
from kis_nb._risk.reprice import Repricer

_RANGE = 0.5
_STEPS = 200
_ACCURACY = 1e-10


def zeros(repricer: Repricer, at: datetime) -> list[float]:
    """Where value less cost crosses 0 between half and one and a half times the level.

    Args:
        repricer: the legs.
        at: the moment.

    Returns:
        Levels in points, in order. Between two strikes that are nearer to each other than a fifth
        of a per cent two crossings may be missed.
    """
    cost = repricer.cost - repricer.base

    def unrealized(spot: float) -> float:
        return repricer.pnl((spot,), (0.0,), at)[0] - cost

    # At expiry the curve bends at the strikes: they are places to look at too.
    strikes = {one.leg.strike / repricer.level - 1 for one in repricer.legs if one.leg.strike}
    grid = {_RANGE * step / _STEPS for step in range(-_STEPS, _STEPS + 1)}
    places = sorted(grid | {one for one in strikes if abs(one) < _RANGE})
    values = [pnl - cost for pnl in repricer.pnl(places, (0.0,), at)]
    found = []
    for at_place, value, after, later in zip(places, values, places[1:], values[1:], strict=False):
        if value == 0:
            found.append(at_place)
        elif value * later < 0:
            found.append(crossing(unrealized, at_place, after, _ACCURACY))
    return [repricer.level * (1 + spot) for spot in found]
