"""Open contracts by product and expiry."""

from __future__ import annotations

import narwhals as nw

from kis_nb.analysis._frames import (
    COUNT_IN,
    MONEY,
    PRICE_IN,
    PRODUCT,
    Frame,
    Kind,
    Native,
    col,
    money,
    read,
    same_engine,
    to_native,
    to_won,
    total,
)

KEY: dict[str, Kind] = {"account": "text", "as_of": "time", "snapshot": "text"}
BY: dict[str, Kind] = {
    "account": "text",
    "account_label": "text",
    "as_of": "time",
    "product": "text",
    "expiry": "date",
}
FIGURES: dict[str, Kind] = {
    "snapshot": "text",
    "quantity": "count",
    "contract_value": "price",
    "open_value": "money",
}


def _latest(frame: Frame) -> Frame:
    """Each account's last snapshot; of two of one moment the one whose name comes last."""
    last = frame.group_by("account").agg(col("as_of").max())
    return (
        frame.join(last, on=["account", "as_of"], how="inner")
        .group_by("account")
        .agg(col("snapshot").max())
    )


def exposure(positions: Native, summary: Native | None = None) -> Native:
    """What each account holds in its latest snapshot, by product and expiry.

    Args:
        positions: ``History.positions()`` of any engine. Give it a `start` when only now matters:
            then only the last days are read.
        summary: ``History.summary()`` of the same engine and span. Without it an account whose
            latest snapshot holds nothing is taken by an older one, since `positions` has no row of
            the latest.

    Returns:
        A frame of the same kind, lazy where the engine is, a row an account, product and expiry
        (null: unknown), in no order: ``account``, ``account_label``, ``as_of``, ``product``,
        ``expiry``; ``long``, ``short`` (not negative) and ``net`` in contracts, Int64; ``value``
        (market value, short negative), ``long_notional``, ``short_notional`` (quantity x value of
        one contract, each sum rounded to the won, an exact half up; not negative) and ``notional``
        (long - short) in won, Decimal(38,0). A figure with an unknown part, such as a position
        whose side is unknown, is null. Flat positions are left out.

    Raises:
        TypeError: A frame is of another library, the two are of different engines, or a column has
            another type.
        ValueError: A column is missing, or Spark would turn overflows into nulls.
    """
    frame = read(positions, BY | FIGURES, "positions")
    latest = _latest(frame.select(*KEY))
    if summary is not None:
        rows = read(summary, KEY, "summary")
        same_engine(frame, rows)
        latest = _latest(rows)
    held = frame.join(latest, on=["account", "snapshot"], how="semi").filter(
        col("quantity").is_null() | (col("quantity") != 0)
    )
    zero, none = nw.lit(0).cast(COUNT_IN), nw.lit(0).cast(PRODUCT)
    count = col("quantity").cast(COUNT_IN)
    worth = count * col("contract_value").cast(PRICE_IN)
    is_long, is_short = col("quantity") > 0, col("quantity") < 0
    held = held.with_columns(
        long=nw.when(is_long).then(count).when(is_short).then(zero),
        short=nw.when(is_long).then(zero).when(is_short).then(-count),
        net=count,
        value=money("open_value"),
        long_notional=nw.when(is_long).then(worth.cast(PRODUCT)).when(is_short).then(none),
        short_notional=nw.when(is_long).then(none).when(is_short).then(-worth.cast(PRODUCT)),
    )
    sums = ["long", "short", "net", "value", "long_notional", "short_notional"]
    found = total(held, list(BY), sums).with_columns(
        *(col(name).cast(nw.Int64) for name in ("long", "short", "net")),
        col("value").cast(MONEY),
        to_won("long_notional"),
        to_won("short_notional"),
    )
    notional = (col("long_notional") - col("short_notional")).cast(MONEY)
    return to_native(found.with_columns(notional=notional), positions)
