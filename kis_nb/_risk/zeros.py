"""The levels at which the P&L from cost is 0."""

from __future__ import annotations

from datetime import datetime

from kis_nb._risk.pricing import crossing
from kis_nb._risk.reprice import Repricer

_RANGE = 0.5
_STEPS = 200
_ACCURACY = 1e-10
# Won: what is nearer to 0 is 0.
_NOTHING = 0.01


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
    signs = [0 if abs(value) < _NOTHING else 1 if value > 0 else -1 for value in values]
    found = []
    for n, sign in enumerate(signs):
        near = signs[max(n - 1, 0) : n + 2]
        # Of a flat stretch at 0 the ends; none of a book that is 0 all over.
        if sign == 0 and any(near):
            found.append(places[n])
        elif n and sign * signs[n - 1] < 0:
            found.append(crossing(unrealized, places[n - 1], places[n], _ACCURACY))
    return [repricer.level * (1 + spot) for spot in found]
