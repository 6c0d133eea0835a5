"""The positions of a balance that expire on one day: legs of a payoff, and what cannot be counted.

All of it is Decimal arithmetic, in won and in points of the underlying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.products import UNDERLYINGS, Product, multiplier, products_of

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Price steps of the futures, which the drawn points stand on; by product, else by underlying.
_TICKS = {
    "KOSPI 200": Decimal("0.05"),
    "KOSPI 200 mini": Decimal("0.02"),
    "KOSDAQ 150": Decimal("0.1"),
    "USD/KRW": Decimal("0.1"),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A position that the payoff does not count.

    Attributes:
        pdno, name: which.
        ko, en: why, in a few words.
    """

    pdno: str
    name: str
    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Leg:
    """A position that the payoff counts: signed contracts, won a point, signed cost in won."""

    instrument: Product
    contracts: int
    point: Decimal
    cost: Decimal
    price: Decimal

    def value(self, level: Decimal) -> Decimal:
        """Profit or loss in won with the underlying at `level`."""
        strike = self.instrument.strike or Decimal(0)
        if self.instrument.kind == "future":
            worth = level
        elif self.instrument.kind == "call":
            worth = max(level - strike, Decimal(0))
        else:
            worth = max(strike - level, Decimal(0))
        return worth * self.point * self.contracts - self.cost


@dataclass(frozen=True, slots=True)
class Book:
    """The legs on one underlying, and what was left out.

    Attributes:
        underlying: as `kis_nb._frames.products` names it.
        expiry: the last trading day of the legs; None without any.
        legs: what counts.
        others: how many positions on the underlying expire on each other day.
        left_out: positions that cannot be counted, on any underlying.
        today: price of the nearest future on the underlying that is held; None without one. KIS
            sends no index with a balance.
    """

    underlying: str
    expiry: date | None
    legs: tuple[Leg, ...]
    others: dict[date, int]
    left_out: tuple[LeftOut, ...]
    today: Decimal | None

    @property
    def tick(self) -> Decimal:
        """The price step of the underlying's future; of the mini's where all legs are minis."""
        products = {leg.instrument.product for leg in self.legs}
        lone = products.pop() if len(products) == 1 else None
        return _TICKS.get(lone or "", _TICKS[self.underlying])

    def value(self, level: Decimal) -> Decimal:
        """Profit or loss of all legs in won with the underlying at `level`."""
        return sum((leg.value(level) for leg in self.legs), Decimal(0))

    def corners(self) -> list[Decimal]:
        """The strikes: between two of them the payoff is a straight line."""
        return sorted({leg.instrument.strike for leg in self.legs if leg.instrument.strike})

    def break_evens(self, levels: list[Decimal]) -> list[Decimal]:
        """Where the payoff crosses zero between the lowest and the highest of these levels."""
        found = {level for level in levels if self.value(level) == 0}
        for low, high in pairwise(levels):
            at_low, at_high = self.value(low), self.value(high)
            if at_low * at_high < 0:
                found.add(low + (high - low) * at_low / (at_low - at_high))
        return sorted(found)


@exactly
def book(balance: Balance, underlying: str = "KOSPI 200", expiry: date | str | None = None) -> Book:
    """Sort the balance's positions into legs on this underlying and day, and what is left.

    Raises:
        ValueError: an underlying that is not known, or an expiry on which nothing expires; both
            list what is known.
    """
    if underlying not in UNDERLYINGS:
        known = ", ".join(map(repr, UNDERLYINGS))
        raise ValueError(f"underlying takes one of {known}; got {underlying!r}")
    legs: list[Leg] = []
    left: list[LeftOut] = []
    for row, product in zip(
        balance.positions.iter_rows(named=True), products_of(balance), strict=True
    ):
        if row["cblc_qty"] == 0:
            continue
        point = multiplier(row, balance.excc_stat_cd)
        if reason := _objection(row, product, point):
            name = (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()
            left.append(LeftOut(row["pdno"] or "", name, *reason))
        elif product.underlying == underlying:
            assert point is not None
            sign = 1 if row["side"] == "long" else -1
            legs.append(
                Leg(product, sign * row["cblc_qty"], point, sign * row["pchs_amt"], row["idx_clpr"])
            )
    futures = [leg for leg in legs if leg.instrument.kind == "future" and leg.price]
    nearest = min(futures, key=_when, default=None)
    chosen = _chosen(legs, expiry)
    days = Counter(_when(leg) for leg in legs)
    return Book(
        underlying,
        chosen,
        tuple(leg for leg in legs if leg.instrument.expiry == chosen),
        {day: days[day] for day in sorted(days) if day != chosen},
        tuple(left),
        None if nearest is None else nearest.price,
    )


def _when(leg: Leg) -> date:
    assert leg.instrument.expiry is not None  # a position without one is left out
    return leg.instrument.expiry


def _chosen(legs: Sequence[Leg], expiry: date | str | None) -> date | None:
    """The day asked for; else the nearest with options, else the nearest."""
    days = sorted({_when(leg) for leg in legs})
    if expiry is None:
        with_options = sorted({_when(leg) for leg in legs if leg.instrument.option})
        return next(iter(with_options or days), None)
    asked = next((day for day in days if str(day) == str(expiry)), None)
    if asked is None:
        known = ", ".join(map(str, days)) or "none, since nothing is held"
        raise ValueError(f"expiry takes a day on which a position expires ({known}); got {expiry}")
    return asked


def _objection(
    row: dict[str, Any], product: Product, point: Decimal | None
) -> tuple[str, str] | None:
    if product.kind is None:
        return "종류 불명", "kind not known"
    if product.kind == "spread":
        return "스프레드", "a spread"
    if product.underlying is None:
        return "기초자산 불명", "underlying not known"
    if product.option and product.strike is None:
        return "행사가 불명", "strike not known"
    if product.expiry is None:
        return "만기 불명", "expiry not known"
    if row["side"] not in ("long", "short"):
        return "매매 불명", "side not known"
    if point is None:
        return "승수 불명", "multiplier not known"
    if row["pchs_amt"] is None:
        return "매입금액 없음", "no cost was sent"
    return None
