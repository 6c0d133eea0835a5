"""Positions without a price, and the multiplier that a position's own amounts give.

Rows are rows of `Balance.positions` as dicts. Importing this module does not load polars.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._frames.decimal_context import EXACT

if TYPE_CHECKING:
    import polars as pl

# What KIS sends as 0 for a position without a price.
OF_PRICE = ("idx_clpr", "evlu_amt", "evlu_pfls_amt")


def is_unpriced(row: Mapping[str, Any]) -> bool:
    """Whether a position is held but has no price yet.

    KIS then sends ``idx_clpr`` 0 (or blank), ``evlu_amt`` 0 and ``evlu_pfls_amt`` 0. That 0 does
    not mean a P&L of 0: the P&L is not known.
    """
    held = row["cblc_qty"]
    return held is not None and held != 0 and not row["idx_clpr"] and not row["evlu_amt"]


def unpriced() -> pl.Expr:
    """`is_unpriced` as a Polars expression over the columns of `positions`."""
    import polars as pl

    return (
        (pl.col("cblc_qty") != 0)
        & (pl.col("idx_clpr").fill_null(0) == 0)
        & (pl.col("evlu_amt").fill_null(0) == 0)
    )


def multiplier(row: Mapping[str, Any], excc_stat_cd: str) -> Decimal | None:
    """Won for one point of one contract, from a position's own amounts.

    ``evlu_amt`` / (``idx_clpr`` × ``cblc_qty``); without a price from the cost: ``pchs_amt`` /
    (``excc_unpr`` × ``cblc_qty``) with EXCC_STAT_CD 1, / (``ccld_avg_unpr1`` × ``cblc_qty``) with
    2. None when a figure that it takes is null or 0, or the result is not above 0.
    """
    if row["idx_clpr"]:
        return _won_a_point(row["evlu_amt"], row["idx_clpr"], row["cblc_qty"])
    price = row["excc_unpr" if excc_stat_cd == "1" else "ccld_avg_unpr1"]
    return _won_a_point(row["pchs_amt"], price, row["cblc_qty"])


# A price has eight decimals on the wire: an average is off by half of the last one at most.
_LAST_DECIMAL = Decimal("0.000000005")


def _won_a_point(
    amount: Decimal | None, price: Decimal | None, quantity: int | None
) -> Decimal | None:
    """The amount divided by price and quantity.

    An amount is whole won and a price is rounded, so the quotient may be slightly off. The nearest
    whole number is taken when it gives the same amount to the won.
    """
    if amount is None or not price or not quantity:
        return None
    size = EXACT.abs(Decimal(quantity))
    points = EXACT.multiply(price, size)
    quotient = EXACT.divide(amount, points)
    whole = EXACT.quantize(quotient, Decimal(1))
    difference = EXACT.abs(EXACT.subtract(EXACT.multiply(whole, points), amount))
    tolerance = EXACT.fma(EXACT.multiply(whole, size), _LAST_DECIMAL, 1)
    result = whole if difference < tolerance else quotient
    return result if result > 0 else None
