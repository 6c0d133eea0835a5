"""Any engine's result as a Polars frame of the documented types and order."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from kis_nb.analysis._attribution import ITEMS
from kis_nb.analysis._frames import from_native

if TYPE_CHECKING:
    import polars as pl

WON = (
    *("equity", "peak", "drawdown"),
    *("initial_margin", "maintenance_margin", "room"),
    *("start", "end", "cash_flow", "pnl", "base", "amount"),
    *("value", "long_notional", "short_notional", "notional"),
)
CONTRACTS = ("long", "short", "net")
ORDER = ("account", "as_of", "date", "product", "expiry")


def collect(frame: object) -> pl.DataFrame:
    """Run a query of this module and bring its rows here, the same from all engines.

    Args:
        frame: What a function of `kis_nb.analysis` returned, from any engine. From DuckDB and Spark
            it needs pyarrow.

    Returns:
        A Polars frame: amounts Decimal(38,0), contracts Int64, times Datetime in UTC with
        microseconds; sorted by account and time, product and expiry, an attribution as a waterfall.
        What `returns` gave gets a column ``return``: ``pnl / base``, a fraction, Decimal(38,8),
        rounded half away from 0; null where one is unknown or ``base`` is not above 0.

    Raises:
        TypeError: `frame` is of another library.
        ValueError: Spark would turn overflows into nulls.
        Exception: The engine's own error, for example of a figure with more than 24 digits.
    """
    import polars as pl

    rows: pl.DataFrame = from_native(frame, "frame").collect("polars").to_native()
    types: dict[str, pl.DataType] = {
        **dict.fromkeys(WON, pl.Decimal(38, 0)),
        **dict.fromkeys(CONTRACTS, pl.Int64()),
        "as_of": pl.Datetime("us", "UTC"),
    }
    rows = rows.with_columns(
        pl.col(name).dt.convert_time_zone("UTC").cast(kind)
        if name == "as_of"
        else pl.col(name).cast(kind)
        for name, kind in types.items()
        if name in rows.columns
    )
    if {"pnl", "base"} <= set(rows.columns):
        rows = rows.with_columns(_fraction(pl.col("pnl"), pl.col("base")).alias("return"))
    order = [name for name in ORDER if name in rows.columns]
    if "item" not in rows.columns:
        return rows.sort(order, nulls_last=True, maintain_order=True)
    by_product = pl.col("item").is_in(["price", "quantity", "realized"])
    place = pl.col("item").replace_strict({item: at for at, item in enumerate(ITEMS)})
    group = pl.when(by_product).then(1).otherwise(place)
    return rows.sort("account", group, "product", place, nulls_last=True)


def _fraction(pnl: pl.Expr, base: pl.Expr) -> pl.Expr:
    """With 8 digits, in whole numbers: |pnl| * 10^8 / base, and a half more."""
    import polars as pl

    above, below = pnl.cast(pl.Int128), base.cast(pl.Int128)
    digits = (2 * above.abs() * 10**8 + below) // (2 * below)
    signed = pl.when(below > 0).then(digits * above.sign())
    unit = pl.lit(Decimal("0.00000001")).cast(pl.Decimal(9, 8))
    return (signed.cast(pl.Decimal(38, 0)) * unit).cast(pl.Decimal(38, 8))
