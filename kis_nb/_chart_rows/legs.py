"""The payoff of the positions that expire on one day, and the positions that cannot be counted.

All arithmetic is exact: `Decimal`, in won and in points of the underlying.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kis_nb._choices import check_choice
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import multiplier
from kis_nb._frames.product_lines import UNDERLYINGS
from kis_nb._frames.products import Product

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Price steps of the futures by product, else by underlying. The drawn points are multiples of them.
_TICKS = {
    "KOSPI 200": Decimal("0.05"),
    "KOSPI 200 mini": Decimal("0.02"),
    "KOSDAQ 150": Decimal("0.1"),
    "USD/KRW": Decimal("0.1"),
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A position that `payoff` cannot count, and why.

    Attributes:
        pdno: the product number (``pdno``) of the position, "" when KIS sent none.
        name: its name, else its short code.
        ko: the reason in Korean, in a few words.
        en: the reason in English.
    """

    pdno: str
    name: str
    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Leg:
    """A position that the payoff counts.

    Attributes:
        product: what it is.
        contracts: how many; below 0 when short.
        multiplier: won a point of one contract.
        cost: what it cost in won; below 0 when short.
        price: the product's price now, in points; 0 or null without one.
    """

    product: Product
    contracts: int
    multiplier: Decimal
    cost: Decimal
    price: Decimal | None

    def pnl(self, level: Decimal) -> Decimal:
        """Profit or loss in won with the underlying at `level`."""
        strike = self.product.strike or Decimal(0)
        if self.product.kind == "future":
            worth = level
        elif self.product.kind == "call":
            worth = max(level - strike, Decimal(0))
        else:
            worth = max(strike - level, Decimal(0))
        return worth * self.multiplier * self.contracts - self.cost


@dataclass(frozen=True, slots=True)
class Payoff:
    """The legs on one underlying that expire on one day, and what is not among them.

    Attributes:
        underlying: as `kis_nb._frames.products` names it.
        expiry: the last trading day of the legs; None without any.
        legs: the positions that count.
        other_expiries: how many positions on the underlying expire on each other day.
        left_out: positions that cannot be counted, on any underlying.
        underlying_price: the price of the nearest future on the underlying that is held, since KIS
            sends no index with a balance; None without such a future.
    """

    underlying: str
    expiry: date | None
    legs: tuple[Leg, ...]
    other_expiries: dict[date, int]
    left_out: tuple[LeftOut, ...]
    underlying_price: Decimal | None

    @property
    def tick(self) -> Decimal:
        """The price step of the underlying's future; of the mini's when all legs are minis."""
        products = {leg.product.product for leg in self.legs}
        only = products.pop() if len(products) == 1 else None
        return _TICKS.get(only or "", _TICKS[self.underlying])

    def pnl(self, level: Decimal) -> Decimal:
        """Profit or loss of all legs in won with the underlying at `level`."""
        return sum((leg.pnl(level) for leg in self.legs), Decimal(0))

    def strikes(self) -> list[Decimal]:
        """The legs' strikes in order. Between two of them the payoff is a straight line."""
        return sorted({leg.product.strike for leg in self.legs if leg.product.strike})

    def break_evens(self, levels: list[Decimal]) -> list[Decimal]:
        """Where the payoff crosses zero between the lowest and the highest of these levels."""
        found = {level for level in levels if self.pnl(level) == 0}
        for low, high in pairwise(levels):
            at_low, at_high = self.pnl(low), self.pnl(high)
            if at_low * at_high < 0:
                found.add(low + (high - low) * at_low / (at_low - at_high))
        return sorted(found)


@exactly
def payoff_at_expiry(
    balance: Balance, underlying: str = "KOSPI 200", expiry: date | str | None = None
) -> Payoff:
    """The payoff of a balance's positions on one underlying at one expiry.

    Args:
        balance: one pull.
        underlying: one of `UNDERLYINGS`.
        expiry: a last trading day; the nearest with options by default, else the nearest.

    Raises:
        ValueError: an underlying that is not known, or an expiry on which nothing expires; both
            list what is known.
    """
    check_choice("underlying", underlying, UNDERLYINGS)
    legs: list[Leg] = []
    left: list[LeftOut] = []
    products = products_of(balance.positions, balance.master)
    for row, product in zip(balance.positions.iter_rows(named=True), products, strict=True):
        if row["cblc_qty"] == 0:
            continue
        won = multiplier(row, balance.excc_stat_cd)
        if reason := _reason_left_out(row, product, won):
            name = (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()
            left.append(LeftOut(row["pdno"] or "", name, *reason))
        elif product.underlying == underlying:
            assert won is not None
            sign = 1 if row["side"] == "long" else -1
            legs.append(
                Leg(product, sign * row["cblc_qty"], won, sign * row["pchs_amt"], row["idx_clpr"])
            )
    futures = [leg for leg in legs if leg.product.kind == "future" and leg.price]
    nearest = min(futures, key=_expiry, default=None)
    chosen = _choose_expiry(legs, expiry)
    days = Counter(_expiry(leg) for leg in legs)
    return Payoff(
        underlying,
        chosen,
        tuple(leg for leg in legs if leg.product.expiry == chosen),
        {day: days[day] for day in sorted(days) if day != chosen},
        tuple(left),
        None if nearest is None else nearest.price,
    )


def _expiry(leg: Leg) -> date:
    assert leg.product.expiry is not None  # a position without one is left out
    return leg.product.expiry


def _choose_expiry(legs: Sequence[Leg], expiry: date | str | None) -> date | None:
    """The day asked for; else the nearest with options, else the nearest."""
    days = sorted({_expiry(leg) for leg in legs})
    if expiry is None:
        with_options = sorted({_expiry(leg) for leg in legs if leg.product.option})
        return next(iter(with_options or days), None)
    asked = next((day for day in days if str(day) == str(expiry)), None)
    if asked is None:
        known = ", ".join(map(str, days)) or "none, since nothing is held"
        raise ValueError(f"expiry takes a day on which a position expires ({known}); got {expiry}")
    return asked


def _reason_left_out(
    row: dict[str, Any], product: Product, won: Decimal | None
) -> tuple[str, str] | None:
    """Why a position cannot be counted, in Korean and English; None when it can."""
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
    if won is None:
        return "승수 불명", "multiplier not known"
    if row["pchs_amt"] is None:
        return "매입금액 없음", "no cost was sent"
    return None
