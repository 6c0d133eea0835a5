"""The forward of each expiry, and from where it comes.

In this order: what the caller gave, a quote of the future of that expiry, such a future that is
held, put-call parity of a call and a put that are held, the nearest future; without any future,
the nearest expiry's forward.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import exp, isfinite
from typing import Any, NamedTuple, TypeAlias

from kis_nb._frames.product_lines import UNDERLYINGS
from kis_nb._frames.products import Product
from kis_nb._risk.legs import Leg

SOURCES = ("given", "quote", "held future", "parity", "nearest future", "nearest expiry")
# By the underlying (its level now), by the last trading day, or by both.
Given: TypeAlias = Mapping[str | date | tuple[str, date | str], float | Decimal]


class QuotedFuture(NamedTuple):
    """A future with the price of its quote, in points."""

    product: Product
    price: float


class Forward(NamedTuple):
    """A price for delivery at an expiry, in points, and one of `SOURCES`."""

    price: float
    source: str


@dataclass(frozen=True, slots=True)
class Forwards:
    """The forwards of one underlying.

    Attributes:
        level: the reference level that scenarios move: the nearest future's price; what was given
            for the underlying before it, the nearest expiry's forward after it.
        source: of the level.
        by_expiry: the forward of each expiry that has one of its own.
        is_given: whether the caller gave the level itself.
    """

    level: float
    source: str
    by_expiry: Mapping[date, Forward]
    is_given: bool = False

    def of(self, expiry: date) -> Forward:
        """The forward of an expiry; else the level, which is the nearest future's price, or without
        any future the nearest expiry's forward.
        """
        own = self.by_expiry.get(expiry)
        if own is not None:
            return own
        future = self.source in ("quote", "held future")
        shared = "nearest future" if future else "given" if self.is_given else "nearest expiry"
        return Forward(self.level, shared)


def forwards_of(
    underlying: str,
    legs: Sequence[Leg],
    quoted: Iterable[QuotedFuture],
    given: Given | None,
    rate: float,
) -> Forwards | None:
    """The forwards of an underlying; None when nothing tells its price.

    Args:
        underlying: one of the product lines' underlyings.
        legs: of the account.
        quoted: futures with their quotes.
        given: what the caller gave.
        rate: a year, for put-call parity.
    """
    own = [leg for leg in legs if leg.underlying == underlying and leg.note is None]
    quotes = _by_expiry((one.product, one.price) for one in quoted if one.price > 0)
    held = _by_expiry(
        (leg.product, leg.price) for leg in own if leg.kind == "future" and leg.price is not None
    )
    found: dict[date, Forward] = {
        day: Forward(price, "parity") for day, price in _parity(own, rate).items()
    }
    futures = {
        **{day: Forward(price, "held future") for day, price in held.get(underlying, {}).items()},
        **{day: Forward(price, "quote") for day, price in quotes.get(underlying, {}).items()},
    }
    level, by_day = _given(underlying, given)
    found |= futures
    if level is not None:
        # All forwards as far above or below it as they are above or below the market's level.
        market = found[min(futures or found)].price if found else level
        moved = {day: Forward(one.price * level / market, "given") for day, one in found.items()}
        moved |= by_day
        return Forwards(level, "given", {day: moved[day] for day in sorted(moved)}, is_given=True)
    found |= by_day
    nearest = min(futures or found, default=None)
    if nearest is None:
        return None
    return Forwards(
        found[nearest].price, found[nearest].source, {day: found[day] for day in sorted(found)}
    )


def _by_expiry(priced: Iterable[tuple[Product, float]]) -> dict[str, dict[date, float]]:
    """Prices by underlying and expiry; of two contracts of one day the larger one's."""
    found: dict[str, dict[date, float]] = {}
    # The larger contract's product line has the underlying's own name; it comes last, and stays.
    ordered = sorted(priced, key=lambda one: one[0].product == one[0].underlying)
    for product, price in ordered:
        if product.underlying is not None and product.expiry is not None:
            found.setdefault(product.underlying, {})[product.expiry] = price
    return found


def _parity(legs: Sequence[Leg], rate: float) -> dict[date, float]:
    """The forward by expiry from the held call and put of one strike that are nearest in price,
    which are nearest the money.
    """
    sides: dict[tuple[date, float], dict[str, Leg]] = {}
    for leg in legs:
        if leg.option and leg.expiry is not None and leg.price is not None:
            sides.setdefault((leg.expiry, leg.strike), {})[str(leg.kind)] = leg
    best: dict[date, tuple[float, float]] = {}
    for (day, strike), pair in sides.items():
        if len(pair) == 2:
            call, put = pair["call"], pair["put"]
            assert call.price is not None
            assert put.price is not None
            ahead = (call.price - put.price) * exp(rate * call.years)
            if day not in best or abs(ahead) < best[day][0]:
                best[day] = abs(ahead), strike + ahead
    return {day: forward for day, (_, forward) in best.items() if forward > 0}


def check_given(given: Given | None) -> None:
    """Check what a caller gave for ``forwards``.

    Raises:
        ValueError: a key is no underlying, day or pair of both, or a price is no number above 0.
    """
    for key, price in (given or {}).items():
        name, day = _key(key)
        if (name is None and day is None) or (name is not None and name not in UNDERLYINGS):
            raise ValueError(
                "forwards takes prices by last trading day (2026-12-10), by underlying "
                f"({', '.join(UNDERLYINGS)}) or by a pair of both; got {key!r}"
            )
        if not is_number(price) or price <= 0:
            raise ValueError(f"forwards takes prices above 0, in points; got {price!r} for {key}")


def unused(given: Given | None, legs: Sequence[Leg]) -> list[str]:
    """What a caller gave for underlyings and expiries of no position, as text."""
    names = {leg.underlying for leg in legs}
    held = {(leg.underlying, leg.expiry) for leg in legs}
    found = []
    for key in given or {}:
        name, day = _key(key)
        own = name or UNDERLYINGS[0]
        if own not in names or (day is not None and (own, day) not in held):
            found.append(own if day is None else f"{own} {day}")
    return found


def is_number(value: Any) -> bool:
    """Whether it is a finite int, float or Decimal."""
    numeric = isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)
    return numeric and isfinite(value)


def _given(underlying: str, given: Given | None) -> tuple[float | None, dict[date, Forward]]:
    """The level and the forwards that the caller gave for an underlying."""
    level: float | None = None
    by_day: dict[date, Forward] = {}
    # A day alone before a pair of underlying and day, which is more particular.
    for key, price in sorted((given or {}).items(), key=lambda one: isinstance(one[0], tuple)):
        name, day = _key(key)
        if name not in (None, underlying):
            continue
        if day is None:
            level = float(price)
        elif name == underlying or underlying == UNDERLYINGS[0]:
            by_day[day] = Forward(float(price), "given")
    return level, by_day


def _key(key: Any) -> tuple[str | None, date | None]:
    """Underlying and day of a key; both None when it is neither."""
    if isinstance(key, tuple) and len(key) == 2 and isinstance(key[0], str):
        _, day = _key(key[1])
        return (key[0], day) if day is not None else (None, None)
    if isinstance(key, date):
        return None, key.date() if isinstance(key, datetime) else key
    if not isinstance(key, str):
        return None, None
    try:
        return None, date.fromisoformat(key)
    except ValueError:
        return key, None
