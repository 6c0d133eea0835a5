"""Prices, implied volatilities and Greeks: published figures, a second library, differences."""

from __future__ import annotations

import math
from typing import Any

import pytest
from blackscholes import Black76Call, Black76Put
from hypothesis import example, given
from hypothesis import strategies as st

from kis_nb._risk import notes
from kis_nb._risk.pricing import CALL, PUT, crossing, greeks, implied, price


def deviation(volatility: float, years: float) -> float:
    """The standard deviation that the pricer takes."""
    return volatility * math.sqrt(years)


# Type, strike, forward, volatility, years, rate, and the price as it is printed.
PUBLISHED = [
    # E. G. Haug, The Complete Guide to Option Pricing Formulas, 2nd ed., section 1.1.3 (Black-76):
    # an option on a Brent future; call and put.
    pytest.param(CALL, 19, 19, 0.28, 0.75, 0.10, 1.7011, 4, id="Haug-call"),
    pytest.param(PUT, 19, 19, 0.28, 0.75, 0.10, 1.7011, 4, id="Haug-put"),
    # J. C. Hull, Options, Futures, and Other Derivatives, chapter "Options on futures": a put on a
    # crude oil future.
    pytest.param(PUT, 20, 20, 0.25, 4 / 12, 0.09, 1.12, 2, id="Hull-oil"),
    # Hull, chapter "The Black-Scholes-Merton model": S 42, so a forward of 42 exp(0.05).
    pytest.param(CALL, 40, 42 * math.exp(0.05), 0.2, 0.5, 0.1, 4.76, 2, id="Hull-call"),
    pytest.param(PUT, 40, 42 * math.exp(0.05), 0.2, 0.5, 0.1, 0.81, 2, id="Hull-put"),
]


@pytest.mark.parametrize(
    ("kind", "strike", "forward", "volatility", "years", "rate", "printed", "digits"), PUBLISHED
)
def test_prices_are_those_of_published_tables(
    kind: int,
    strike: float,
    forward: float,
    volatility: float,
    years: float,
    rate: float,
    printed: float,
    digits: int,
) -> None:
    """The prices that textbooks print, to their last digit."""
    discount = math.exp(-rate * years)
    found = price(kind, strike, forward, deviation(volatility, years), discount)
    assert round(found, digits) == printed
    back, note = implied(kind, strike, forward, found, discount)
    assert note is None
    assert back == pytest.approx(deviation(volatility, years), abs=1e-9)


def test_an_implied_volatility_is_that_of_a_published_example() -> None:
    """Hull, "Implied volatilities": S 21, K 20, r 10 %, three months, a call at 1.875: 23.5 %."""
    back, note = implied(CALL, 20, 21 * math.exp(0.025), 1.875, math.exp(-0.025))
    assert note is None
    assert round(back / math.sqrt(0.25), 3) == 0.235


def test_greeks_are_those_of_a_published_example() -> None:
    """Hull, "The Greek letters": S 49, K 50, r 5 %, 20 %, 20 weeks: delta 0.522, gamma 0.066, vega
    12.1; his are by the spot price, ours by the forward.
    """
    years = 0.3846
    ratio = math.exp(0.05 * years)
    own = greeks(CALL, 50, 49 * ratio, deviation(0.2, years), years, 1 / ratio)
    assert round(own.delta * ratio, 3) == 0.522
    assert round(own.gamma * ratio**2, 3) == 0.066
    assert round(own.vega * 100, 1) == 12.1


STRIKES = st.floats(300, 2_000)
MONEYNESS = st.floats(0.7, 1.4)
VOLATILITIES = st.floats(0.03, 1.5)
YEARS = st.floats(1 / 525_600, 2)
RATES = st.floats(-0.02, 0.1)


@given(STRIKES, MONEYNESS, VOLATILITIES, YEARS, RATES)
@example(1_000.0, 1.0, 0.18, 1 / 525_600, 0.0)
def test_a_second_library_agrees(
    strike: float, moneyness: float, volatility: float, years: float, rate: float
) -> None:
    """Price, delta, gamma and vega of ``blackscholes``, which is written in plain Python."""
    forward, discount = strike * moneyness, math.exp(-rate * years)
    for kind, other in ((CALL, Black76Call), (PUT, Black76Put)):
        theirs: Any = other(F=forward, K=strike, T=years, r=rate, sigma=volatility)
        size = deviation(volatility, years)
        own = greeks(kind, strike, forward, size, years, discount)
        assert price(kind, strike, forward, size, discount) == pytest.approx(
            theirs.price(), rel=1e-9, abs=1e-7
        )
        assert own.delta == pytest.approx(theirs.delta(), rel=1e-7, abs=1e-9)
        assert own.gamma == pytest.approx(theirs.gamma(), rel=1e-6, abs=1e-9)
        assert own.vega * 100 == pytest.approx(theirs.vega(), rel=1e-6, abs=1e-7)


@given(STRIKES, st.floats(0.9, 1.1), st.floats(0.1, 0.8), st.floats(5 / 365, 1), RATES)
def test_greeks_are_the_differences_of_prices(
    strike: float, moneyness: float, volatility: float, years: float, rate: float
) -> None:
    """Central differences of the same pricer, in the units that the columns have."""
    forward = strike * moneyness

    def at(spot: float = 0.0, vol: float = 0.0, days: float = 0.0) -> float:
        left = years - days / 365
        size = deviation(volatility + vol, left)
        return price(kind, strike, forward + spot, size, math.exp(-rate * left))

    for kind in (CALL, PUT):
        own = greeks(
            kind, strike, forward, deviation(volatility, years), years, math.exp(-rate * years)
        )
        step = forward * deviation(volatility, years) / 100
        assert own.delta == pytest.approx((at(step) - at(-step)) / (2 * step), abs=2e-4)
        curve = (at(step) - 2 * at() + at(-step)) / step**2
        assert own.gamma == pytest.approx(curve, rel=2e-3, abs=1e-6)
        assert own.vega == pytest.approx((at(vol=5e-4) - at(vol=-5e-4)) * 10, rel=1e-3, abs=1e-5)
        assert own.theta == pytest.approx(
            at(days=0.05) * 10 - at(days=-0.05) * 10, rel=1e-3, abs=1e-4
        )


@given(STRIKES, MONEYNESS, VOLATILITIES, YEARS, RATES, st.sampled_from([CALL, PUT]))
def test_a_price_has_a_volatility_or_a_note(
    strike: float, moneyness: float, volatility: float, years: float, rate: float, kind: int
) -> None:
    """What comes back gives the price again, deep in and out of the money and to the last minute;
    nothing is NaN or infinite.
    """
    forward, discount = strike * moneyness, math.exp(-rate * years)
    premium = price(kind, strike, forward, deviation(volatility, years), discount)
    found, note = implied(kind, strike, forward, premium, discount)
    assert math.isfinite(found)
    if note is None:
        assert price(kind, strike, forward, found, discount) == pytest.approx(premium, abs=1e-6)
    else:
        # Only rounding is left of the time value.
        assert note in (notes.NO_TIME_VALUE, notes.BELOW_INTRINSIC)
        assert premium / discount - max(kind * (forward - strike), 0) < 1e-8


@pytest.mark.parametrize(
    ("kind", "strike", "forward", "premium", "note"),
    [
        (CALL, 1_000, 1_010, 9.99, notes.BELOW_INTRINSIC),
        (PUT, 1_000, 990, 9.0, notes.BELOW_INTRINSIC),
        (CALL, 1_000, 1_010, 10.0, notes.NO_TIME_VALUE),
        (CALL, 1_000, 1_010, 1_010.0, notes.ABOVE_BOUND),
        (PUT, 1_000, 1_010, 1_000.0, notes.ABOVE_BOUND),
        (CALL, 1_000, 1_010, 5_000.0, notes.ABOVE_BOUND),
    ],
)
def test_prices_that_no_volatility_gives_are_named(
    kind: int, strike: float, forward: float, premium: float, note: str
) -> None:
    """Below the intrinsic value, at it, and at or above what any volatility can give."""
    assert implied(kind, strike, forward, premium, 1.0) == (0.0, note)


def test_without_volatility_the_greeks_are_those_of_the_intrinsic_value() -> None:
    """One in the money, else 0; with the discount."""
    assert greeks(CALL, 1_000, 1_010, 0.0, 0.1, 0.99) == (0.99, 0.0, 0.0, 0.0)
    assert greeks(PUT, 1_000, 1_010, 0.0, 0.1, 0.99) == (0.0, 0.0, 0.0, 0.0)
    assert greeks(PUT, 1_000, 990, 0.0, 0.1, 1.0) == (-1.0, 0.0, 0.0, 0.0)


def test_a_crossing_is_found_to_its_last_digits() -> None:
    """QuantLib's root finder between two places of different sign."""
    assert crossing(lambda x: x**3 - 2, 0.0, 2.0, 1e-12) == pytest.approx(2 ** (1 / 3), abs=1e-10)
