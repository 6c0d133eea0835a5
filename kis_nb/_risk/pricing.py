"""Black-76 prices, implied volatilities and Greeks, by QuantLib.

Volatility enters as a standard deviation: volatility a year times the square root of the years.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from kis_nb._risk.notes import ABOVE_BOUND, BELOW_INTRINSIC, NO_TIME_VALUE, NOT_SOLVED

try:
    import QuantLib as ql  # noqa: N813  (its own name for itself)
except ImportError:  # said when something is to be priced, so that the names can be loaded
    ql = None


def require() -> None:
    """Check that QuantLib is there.

    Raises:
        ImportError: it is not installed.
    """
    if ql is None:
        raise ImportError("kis_nb.risk needs QuantLib: pip install 'kis_nb[risk]'", name="QuantLib")


# QuantLib's own numbers of its types.
CALL, PUT = 1, -1


def _without(*_: float) -> float:
    require()
    return 0.0


# (type, strike, forward, standard deviation, discount) to a price.
# The compiled function where it can be had: the Python function around it takes as long again, and
# a grid of scenarios calls it half a million times.
_compiled = getattr(ql, "_QuantLib", ql)
price: Callable[..., float] = (
    _without if ql is None else getattr(_compiled, "blackFormula", ql.blackFormula)
)

_ACCURACY = 1e-12
_ITERATIONS = 1_000
# Below this part of a point, a time value is a rounding error of the arithmetic.
_NOTHING = 1e-9


class Greeks(NamedTuple):
    """Of one contract bought, in points.

    Attributes:
        delta: for one point of the forward.
        gamma: change of `delta` for one point.
        vega: for one volatility point (0.01 a year).
        theta: for one calendar day.
    """

    delta: float
    gamma: float
    vega: float
    theta: float


def implied(
    kind: int, strike: float, forward: float, premium: float, discount: float
) -> tuple[float, str | None]:
    """The standard deviation at which the model gives a premium.

    Args:
        kind: `CALL` or `PUT`.
        strike, forward, premium: points.
        discount: the present value of one point at expiry.

    Returns:
        The standard deviation, and None; or 0 and the note that says why there is none.
    """
    value = premium / discount
    intrinsic = max(kind * (forward - strike), 0.0)
    if value < intrinsic - _NOTHING:
        return 0.0, BELOW_INTRINSIC
    if value <= intrinsic + _NOTHING:
        return 0.0, NO_TIME_VALUE
    if value >= (forward if kind == CALL else strike):
        return 0.0, ABOVE_BOUND
    for solve, extra in (
        (ql.blackFormulaImpliedStdDev, ()),
        (ql.blackFormulaImpliedStdDevLiRS, (1.0,)),
    ):
        try:
            found: float = solve(
                *(kind, strike, forward, premium, discount, 0.0, ql.nullDouble()),
                *extra,
                *(_ACCURACY, _ITERATIONS),
            )
        except RuntimeError:
            continue
        if abs(price(kind, strike, forward, found, discount) - premium) < 1e-6:
            return found, None
    return 0.0, NOT_SOLVED


def greeks(
    kind: int, strike: float, forward: float, deviation: float, years: float, discount: float
) -> Greeks:
    """The Greeks of an option; without volatility those of its intrinsic value.

    Args:
        kind, strike, forward, discount: as of `implied`.
        deviation: the standard deviation.
        years: to expiry, above 0.
    """
    if deviation <= 0:
        inside = kind * (forward - strike) > 0
        return Greeks(kind * discount if inside else 0.0, 0.0, 0.0, 0.0)
    payoff = ql.PlainVanillaPayoff(kind, strike)
    black = ql.BlackCalculator(payoff, forward, deviation, discount)
    return Greeks(
        black.deltaForward(),
        black.gammaForward(),
        black.vega(years) / 100,
        black.thetaPerDay(forward, years),
    )


def crossing(function: Callable[[float], float], low: float, high: float, accuracy: float) -> float:
    """Where a function is 0 between two places at which its sign differs."""
    solver: Any = ql.Brent()
    solver.setMaxEvaluations(200)
    found: float = solver.solve(function, accuracy, (low + high) / 2, low, high)
    return found
