"""Equity with its drawdown, and margin with the room that is left before a call."""

from __future__ import annotations

import narwhals as nw

from kis_nb.analysis._frames import (
    MONEY,
    Frame,
    Kind,
    Native,
    col,
    money,
    number,
    read,
    to_native,
    unknown,
)

MOMENT: dict[str, Kind] = {
    "account": "text",
    "account_label": "text",
    "date": "date",
    "as_of": "time",
}
EQUITY: dict[str, Kind] = {"krw_equity": "money", "foreign_deposit": "money"}
MARGINS: dict[str, Kind] = {"initial_margin": "money", "maintenance_margin": "money"}


def with_equity(frame: Frame) -> Frame:
    """Columns `equity` and `foreign_included` beside the others."""
    left_out = unknown("foreign_deposit").max().over("account") == 1
    return frame.with_columns(foreign_included=~left_out).with_columns(
        equity=equity_of("foreign_included")
    )


def equity_of(included: str) -> nw.Expr:
    """Equity, with the foreign deposit where the column `included` says so."""
    won = money("krw_equity")
    both = won + money("foreign_deposit")
    return nw.when(col(included)).then(both).otherwise(won).cast(MONEY)


def equity(summary: Native) -> Native:
    """Each account's equity at each snapshot, its highest until then, and how far it is below.

    The equity counts the foreign deposit if it is known in all rows of the account in `summary`,
    and in none otherwise (KIS does not send it for past days), so that no step between two rows
    comes from a deposit that is known in one of them alone. Cash paid in or out moves equity, peak
    and drawdown as a profit or a loss does; `returns` is net of it.

    Args:
        summary: ``History.summary()`` of any engine: a Polars frame, a DuckDB relation or a PySpark
            DataFrame.

    Returns:
        A frame of the same kind, lazy where the engine is, a row a snapshot, in no order
        (`collect` sorts): ``account``, ``account_label``, ``date`` (trading day), ``as_of``,
        ``equity``, ``peak`` and ``drawdown`` (equity - peak, 0 or less) in won, Decimal(38,0),
        ``foreign_included``. Null is unknown; rows whose equity is unknown have no peak and do not
        count for later ones.

    Raises:
        TypeError: `summary` is a frame of another library, or a column has another type.
        ValueError: A column is missing, or Spark would turn overflows into nulls.
    """
    frame = with_equity(read(summary, MOMENT | EQUITY, "summary"))
    # Of one moment's the lowest first, so that engines agree.
    peak = col("equity").cum_max().over("account", order_by=["as_of", "equity"])
    found = frame.with_columns(peak=nw.when(~col("equity").is_null()).then(peak))
    drawdown = (col("equity") - col("peak")).cast(MONEY)
    columns = [*MOMENT, "equity", "peak", "drawdown", "foreign_included"]
    return to_native(found.with_columns(drawdown=drawdown).select(*columns), summary)


def _margin(summary: object) -> Frame:
    frame = with_equity(read(summary, MOMENT | EQUITY | MARGINS, "summary"))
    return (
        frame.filter(~col("maintenance_margin").is_null())
        .with_columns(*(money(name).cast(MONEY) for name in MARGINS))
        .with_columns(room=(col("equity") - col("maintenance_margin")).cast(MONEY))
        .select(*MOMENT, "equity", *MARGINS, "room", "foreign_included")
    )


def margin(summary: Native) -> Native:
    """Margin used at each snapshot that knows the maintenance margin, and the room before a call.

    Args:
        summary: ``History.summary()`` of any engine. Snapshots under MGNA_DVSN 02 and past days
            from KIS know the maintenance margin.

    Returns:
        A frame of the same kind, lazy where the engine is, a row a snapshot, in no order:
        ``account``, ``account_label``, ``date``, ``as_of``, ``equity``, ``initial_margin`` (null
        where only the maintenance margin is known), ``maintenance_margin`` and ``room`` (equity -
        maintenance margin; below 0 is a margin call) in won, Decimal(38,0), ``foreign_included``
        as in `equity`.

    Raises:
        TypeError: `summary` is a frame of another library, or a column has another type.
        ValueError: A column is missing, or Spark would turn overflows into nulls.
    """
    return to_native(_margin(summary), summary)


def lowest_room(summary: Native) -> Native:
    """The snapshot of each trading day at which an account was nearest to a margin call.

    Args:
        summary: ``History.summary()`` of any engine.

    Returns:
        A frame of the same kind, lazy where the engine is: the columns of `margin`, a row an
        account and trading day; of equal rooms the earliest. Days on which the room is never known
        have no row.

    Raises:
        TypeError: `summary` is a frame of another library, or a column has another type.
        ValueError: A column is missing, or Spark would turn overflows into nulls.
    """
    frame = _margin(summary).filter(~col("room").is_null())
    place = number(["account", "date"], ["room", "as_of"])
    return to_native(
        frame.with_columns(__place=place).filter(col("__place") == 1).drop("__place"), summary
    )
