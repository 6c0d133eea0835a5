"""The positions of a balance as legs that can be priced, and why some cannot be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import is_unpriced, multiplier
from kis_nb._frames.products import Product
from kis_nb._risk.moments import end_of_trading, years
from kis_nb._risk.notes import EXPIRED, NO_PRICE, UNKNOWN_PRODUCT, UNKNOWN_SIDE

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_SIGNS = {"long": 1, "short": -1}


@dataclass(frozen=True, slots=True)
class Leg:
    """A position that is held.

    Attributes:
        row: its row in the balance's positions, from 0.
        product: what it is.
        quantity: contracts; below 0 when short, 0 with `note` when the side is not known.
        multiplier: won for a point of one contract; 0 with `note` when not known.
        price: in points; None without one.
        cost: what it cost in won, below 0 when short; None when KIS sent none.
        years: until trading in it ends; 0 for a spread, which has two ends.
        note: why it cannot be priced; None when it can, as far as the balance tells.
    """

    row: int
    product: Product
    quantity: int
    multiplier: float
    price: float | None
    cost: float | None
    years: float
    note: str | None

    @property
    def kind(self) -> str | None:
        """future, call, put or spread."""
        return self.product.kind

    @property
    def option(self) -> bool:
        """Whether it is a call or a put."""
        return self.product.option

    @property
    def underlying(self) -> str | None:
        """What its price follows."""
        return self.product.underlying

    @property
    def expiry(self) -> date | None:
        """Its last trading day; None for a spread."""
        return self.product.expiry

    @property
    def strike(self) -> float:
        """Of an option, in points; 0 for others."""
        return float(self.product.strike or 0)

    @property
    def won(self) -> float:
        """Won for a point of the whole position; below 0 when short."""
        return self.quantity * self.multiplier


def legs_of(balance: Balance, *, fetch: bool) -> list[Leg]:
    """The legs of a balance, in the order of its positions; those that were closed are not held.

    Args:
        balance: one pull.
        fetch: fetch KIS's master files where they are needed and due.
    """
    products = products_of(balance.positions, balance.master, fetch=fetch)
    rows = zip(balance.positions.iter_rows(named=True), products, strict=True)
    return [
        _leg(at, row, product, balance.excc_stat_cd, balance.as_of)
        for at, (row, product) in enumerate(rows)
        if row["cblc_qty"] != 0
    ]


def _leg(at: int, row: Mapping[str, Any], product: Product, basis: str, now: datetime) -> Leg:
    sign, held = _SIGNS.get(row["side"], 0), abs(row["cblc_qty"] or 0)
    won = product.multiplier or multiplier(row, basis)
    left = 0.0
    if product.expiry is not None and product.underlying is not None:
        left = years(now, end_of_trading(product.underlying, product.expiry))
    known = product.kind is not None and product.underlying is not None and won is not None
    known &= product.kind == "spread" or product.expiry is not None
    known &= not product.option or product.strike is not None
    note = None
    if not known:
        note = UNKNOWN_PRODUCT
    elif not sign or not held:
        note = UNKNOWN_SIDE
    elif product.kind != "spread" and left <= 0:
        note = EXPIRED
    # A calendar spread's price, a difference, may well be 0 or below.
    elif (
        row["idx_clpr"] is None
        or (product.kind != "spread" and not row["idx_clpr"] > 0)
        or is_unpriced(row)
    ):
        note = NO_PRICE
    price, cost = row["idx_clpr"], row["pchs_amt"]
    return Leg(
        at,
        product,
        sign * held,
        0.0 if won is None else float(won),
        float(price) if price is not None and note != NO_PRICE else None,
        None if cost is None else sign * float(cost),
        left,
        note,
    )
