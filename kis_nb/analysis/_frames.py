"""Frames of three engines, read through Narwhals, and the digits that arithmetic on them needs.

Polars, DuckDB and Spark give a sum, a product and a cast of Decimals different digits, and differ
in how they round. So figures are cast to what fits before anything is multiplied, nothing is
divided, and rounding is a floor, which is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Literal, TypeAlias, TypeVar, cast

import narwhals as nw

Native = TypeVar("Native")
Frame: TypeAlias = "nw.LazyFrame[Any]"
# What a column must be; money has no digits after the point, a price eight.
Kind: TypeAlias = Literal["money", "price", "count", "text", "date", "time"]

# A figure of the store may have 24 digits (a price 14 before the point, a count of contracts 10).
# One with more is an error of the engine when the result is collected; sums of 10^13 of them fit.
MONEY_IN = nw.Decimal(24, 0)
PRICE_IN = nw.Decimal(22, 8)
COUNT_IN = nw.Decimal(10, 0)
MONEY = nw.Decimal(38, 0)
# Room for one more digit: Spark cuts the scale of what would have more than 38.
PRODUCT = nw.Decimal(34, 8)
HALF = Decimal("0.5")

ENGINES = {
    nw.Implementation.POLARS,
    nw.Implementation.DUCKDB,
    nw.Implementation.PYSPARK,
    nw.Implementation.PYSPARK_CONNECT,
}
ADVICE = "pass what History.{}() returns: a Polars frame, a DuckDB relation or a PySpark DataFrame"
col = nw.col


def read(native: object, columns: Mapping[str, Kind], source: str) -> Frame:
    """The named columns, checked but as they are; no row is read. `source` names the argument."""
    frame = from_native(native, source)
    schema = frame.collect_schema()
    if missing := [name for name in columns if name not in schema]:
        raise ValueError(f"{source} has no column {', '.join(missing)}: {ADVICE.format(source)}")
    for name, kind in columns.items():
        if not _is(schema[name], kind):
            raise TypeError(f"column {name} of {source} is {schema[name]}, not {WANTED[kind]}")
    return frame.select(*columns)


def from_native(native: object, source: str) -> Frame:
    """A native frame as a lazy one of Narwhals."""
    try:
        frame = nw.from_native(cast("Any", native))
    except TypeError:
        found = f"{type(native).__module__}.{type(native).__qualname__}"
        raise TypeError(f"{source} is a {found}: {ADVICE.format(source)}") from None
    if frame.implementation not in ENGINES:
        raise TypeError(f"{source} is of {frame.implementation}: {ADVICE.format(source)}")
    if frame.implementation.is_spark_like():
        session = cast("Any", native).sparkSession
        if session.conf.get("spark.sql.ansi.enabled") != "true":
            raise ValueError(
                "spark.sql.ansi.enabled is false: Spark would make null of a figure that does not"
                " fit. Turn it on: spark.conf.set('spark.sql.ansi.enabled', 'true')"
            )
    return cast("Frame", frame.lazy())


def same_engine(one: Frame, other: Frame) -> None:
    """Frames that are joined belong to one engine."""
    if one.implementation != other.implementation:
        raise TypeError(
            f"positions are of {one.implementation} and summary of {other.implementation}:"
            " pass both from the same engine"
        )


def to_native(frame: Frame, like: Native) -> Native:
    """The result in the kind that came in: collected only for a Polars DataFrame."""
    eager = isinstance(nw.from_native(cast("Any", like)), nw.DataFrame)
    return cast("Native", (frame.collect() if eager else frame).to_native())


WANTED: dict[Kind, str] = {
    "money": "a Decimal without digits after the point",
    "price": "a Decimal with at most 8 digits after the point",
    "count": "an integer",
    "text": "a String",
    "date": "a Date",
    "time": "a Datetime with a time zone",
}


def _is(dtype: nw.dtypes.DType, kind: Kind) -> bool:
    """Whether a column of this type can be read as that kind."""
    if isinstance(dtype, nw.Decimal):
        return dtype.scale <= {"money": 0, "price": 8}.get(kind, -1)
    if isinstance(dtype, nw.Datetime):
        return kind == "time" and dtype.time_zone is not None
    if kind == "count":
        return dtype.is_integer()
    return dtype == {"text": nw.String, "date": nw.Date}.get(kind)


def money(name: str) -> nw.Expr:
    """A column of won, in digits that sums and differences fit around."""
    return col(name).cast(MONEY_IN)


def total(frame: Frame, by: list[str], sums: list[str], **others: nw.Expr) -> Frame:
    """Sums by `by` in columns of the same names, and other aggregates.

    One unknown part makes a sum unknown.
    """
    counts = {f"{name}__known": col(name).count() for name in sums}
    grouped = frame.group_by(*by).agg(
        *(col(name).sum() for name in sums), **counts, **others, rows__=nw.len()
    )
    kept = (
        nw.when(col(f"{name}__known") == col("rows__")).then(col(name)).alias(name) for name in sums
    )
    return grouped.select(*by, *kept, *others)


def to_won(name: str) -> nw.Expr:
    """A sum with digits after the point, to the won; an exact half goes up."""
    half = nw.lit(HALF).cast(nw.Decimal(9, 8))
    return (col(name).cast(PRODUCT) + half).floor().cast(MONEY)


def number(by: list[str], order: list[str]) -> nw.Expr:
    """Rows numbered from 1 within `by`; its first column has no nulls."""
    return col(by[0]).cum_count().over(*by, order_by=order).cast(nw.Int64)


def last_rows(frame: Frame, by: list[str]) -> Frame:
    """The last row of each `by`, whose columns have no nulls; of one moment's the last snapshot.

    Grouped and joined: a window over all rows would sort them.
    """
    last = frame.group_by(*by).agg(col("as_of").max())
    found = frame.join(last, on=[*by, "as_of"], how="semi")
    return found.filter(col("snapshot") == col("snapshot").max().over(*by))


def unknown(name: str) -> nw.Expr:
    """1 for a null, else 0."""
    return col(name).is_null().cast(nw.Int64)
