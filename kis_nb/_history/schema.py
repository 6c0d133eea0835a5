"""The columns of a history's two folders, and their types in each engine.

A column that is named here is in every frame that is read, null in files that were written before
it came. Further columns are fields that KIS sent and its document does not know, as String.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import polars as pl

from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.endpoint import Block
from kis_nb._schema.night_balance import POSITIONS as NIGHT_POSITIONS
from kis_nb._schema.night_balance import SUMMARY as NIGHT_SUMMARY
from kis_nb._schema.settlement_pl import POSITIONS as PAST_POSITIONS
from kis_nb._schema.settlement_pl import SUMMARY as PAST_SUMMARY

Folder: TypeAlias = Literal["positions", "summary"]
FOLDERS: tuple[Folder, Folder] = ("positions", "summary")
Columns: TypeAlias = dict[str, pl.DataType]

# Of the layout of the files; a history of a later one is not opened.
VERSION = 1
# The partition: the folder's name says it, and no file holds it.
DATE = "date"

_WON = pl.Decimal(38, 0)
KEYS: Columns = {
    "account": pl.String(),
    "account_label": pl.String(),
    "as_of": pl.Datetime("us", "UTC"),
    "mgna_dvsn": pl.String(),
    "excc_stat_cd": pl.String(),
    "source": pl.String(),
    "demo": pl.Boolean(),
    "snapshot": pl.String(),
}
PRODUCTS: Columns = {
    "kind": pl.String(),
    "product": pl.String(),
    "underlying": pl.String(),
    "expiry": pl.Date(),
    "strike": pl.Decimal(38, 4),
    "multiplier": _WON,
}
VALUES: Columns = {
    "quantity": pl.Int64(),
    "contract_value": pl.Decimal(38, 8),
    "open_value": _WON,
    "open_cost": _WON,
}
MEASURES: Columns = {
    "positions": pl.Int32(),
    "krw_equity": _WON,
    "foreign_deposit": _WON,
    "equity_source": pl.String(),
    "initial_margin": _WON,
    "maintenance_margin": _WON,
    "settled_on": pl.Date(),
}


def _fields(block: Block, *names: str) -> Columns:
    """A block's fields in glossary order, or these of them; decimals of 38 digits."""
    columns: Columns = {}
    for field in block.fields:
        if names and field.name not in names:
            continue
        if field.digits is None:
            columns[field.name] = pl.String()
        elif field.dtype == "Int64":
            columns[field.name] = pl.Int64()
        else:
            columns[field.name] = pl.Decimal(38, field.digits[1])
    return columns


_FEES = ("sll_agrm_amt", "sll_fee", "buy_agrm_amt", "buy_fee", "tot_fee_smtl", "trad_pfls")
# `|` keeps the place of a column that is there already.
POSITIONS: Columns = (
    KEYS
    | {"row": pl.Int32()}
    | _fields(NIGHT_POSITIONS)
    | {"side": pl.String()}
    | PRODUCTS
    | VALUES
    | _fields(PAST_POSITIONS, "bfdy_cblc_qty", "new_qty", "mnpl_rpch_qty", "cblc_amt")
    | _fields(DAILY_FEES.rows, *_FEES)
)
SUMMARY: Columns = KEYS | _fields(NIGHT_SUMMARY) | MEASURES
SUMMARY |= {k: v for k, v in _fields(PAST_SUMMARY).items() if k not in SUMMARY}
KNOWN: dict[Folder, Columns] = {"positions": POSITIONS, "summary": SUMMARY}


def full_schema(folder: Folder, others: Iterable[str] = ()) -> Columns:
    """All columns of a folder's files, unknown fields of KIS's at the right."""
    return KNOWN[folder] | {name: pl.String() for name in others}


def unknown_names(names: Iterable[str], folder: Folder) -> dict[str, str]:
    """What unknown fields of KIS's are called in a folder.

    DuckDB and Spark do not tell capitals from small letters, so names are in small letters; one
    that another column has gets ``wire_`` in front.

    Args:
        names: the fields, in their order.
        folder: whose columns are known.

    Returns:
        The column of each field.
    """
    taken = {*KNOWN[folder], DATE}
    found: dict[str, str] = {}
    for name in names:
        new = name.lower() or "wire_"
        while new in taken:
            new = f"wire_{new}"
        taken.add(new)
        found[name] = new
    return found


def duckdb_type(dtype: pl.DataType) -> str:
    """A column's type in DuckDB."""
    if isinstance(dtype, pl.Decimal):
        return f"DECIMAL({dtype.precision},{dtype.scale})"
    return {
        pl.String(): "VARCHAR",
        pl.Int32(): "INTEGER",
        pl.Int64(): "BIGINT",
        pl.Date(): "DATE",
        pl.Boolean(): "BOOLEAN",
    }.get(dtype, "TIMESTAMP WITH TIME ZONE")


def spark_type(dtype: pl.DataType) -> Any:
    """A column's type in Spark."""
    from pyspark.sql import types

    if isinstance(dtype, pl.Decimal):
        return types.DecimalType(dtype.precision or 38, dtype.scale)
    return {
        pl.String(): types.StringType,
        pl.Int32(): types.IntegerType,
        pl.Int64(): types.LongType,
        pl.Date(): types.DateType,
        pl.Boolean(): types.BooleanType,
    }.get(dtype, types.TimestampType)()
