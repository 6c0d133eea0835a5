"""Products as Polars frames: those of a balance, and every listed one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from kis_nb._frames.products import Listed, Product, read_product

KIND = pl.Enum(["future", "call", "put", "spread"])
SOURCE = pl.Enum(["master", "name", "code"])
_COLUMNS: dict[str, Any] = {
    "kind": KIND,
    "product": pl.String,
    "underlying": pl.String,
    "expiry": pl.Date,
    "strike": pl.Decimal(18, 4),
    "multiplier": pl.Decimal(18, 0),
    "source": SOURCE,
}


def _cells(product: Product) -> tuple[Any, ...]:
    return tuple(getattr(product, name) for name in _COLUMNS)


def frame_of(codes: Iterable[str | None], products: Iterable[Product]) -> pl.DataFrame:
    """One row a product, with its short code in front; the columns of `Balance.products`."""
    return pl.DataFrame(
        [(code, *_cells(product)) for code, product in zip(codes, products, strict=True)],
        schema={"shtn_pdno": pl.String, **_COLUMNS},
        orient="row",
    )


def listed_frame(master: Mapping[str, Listed]) -> pl.DataFrame:
    """One row a listed product, in the order of KIS's files.

    Args:
        master: the products of the master files by short code.

    Returns:
        ``shtn_pdno``, ``pdno`` (standard code), ``prdt_name``, then the columns of
        `Balance.products`.
    """
    rows = []
    for code, line in master.items():
        product = read_product(code, line.prdt_name, {code: line})
        rows.append((code, line.pdno, line.prdt_name, *_cells(product)[:-1], "master"))
    return pl.DataFrame(
        rows,
        schema={"shtn_pdno": pl.String, "pdno": pl.String, "prdt_name": pl.String, **_COLUMNS},
        orient="row",
    )
