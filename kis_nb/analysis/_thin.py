"""Fewer points, for a chart."""

from __future__ import annotations

from typing import Any, cast

import narwhals as nw

from kis_nb.analysis._frames import Frame, Native, col, from_native, number, read, to_native


def thin(frame: Native, value: str, points: int) -> Native:
    """At most ``4 * points`` rows an account: what a chart that many pixels wide can show.

    The time from each account's first row to its last is cut into `points` equal parts; of each
    part the first row, the last, the lowest and the highest of `value` are kept (of equal ones the
    earliest). So a line through the kept rows covers the same pixels as a line through all.

    Args:
        frame: What `equity` or `margin` returns, or any frame with ``account``, ``as_of`` and
            `value`, of any engine.
        value: A column whose extremes are kept, such as ``"equity"``. Null is neither lowest nor
            highest.
        points: How many parts, from 1 to 10,000.

    Returns:
        A frame of the same kind, lazy where the engine is, with the columns of `frame`, in no
        order.

    Raises:
        TypeError: `frame` is of another library, or ``as_of`` has no time zone.
        ValueError: A column is missing, `points` is out of range, or Spark would turn overflows
            into nulls.
    """
    if not 1 <= points <= 10_000:
        raise ValueError(f"points is {points}: pass 1 to 10000")
    read(frame, {"account": "text", "as_of": "time"}, "frame")
    whole = from_native(frame, "frame")
    columns = whole.columns
    if value not in columns:
        raise ValueError(f"frame has no column {value}: it has {', '.join(columns)}")
    timed = _with_milliseconds(whole)
    since = col("at__") - col("at__").min().over("account")
    timed = timed.with_columns(since__=since)
    span = col("since__").max().over("account") + 1
    timed = timed.with_columns(part__=col("since__") * points // span)
    part = ["account", "part__"]
    timed = timed.with_columns(
        n__=number(part, ["as_of", value]),
        low__=col(value).min().over(*part),
        high__=col(value).max().over(*part),
    )
    lowest = nw.when(col(value) == col("low__")).then(col("n__"))
    highest = nw.when(col(value) == col("high__")).then(col("n__"))
    timed = timed.with_columns(low__=lowest, high__=highest)
    timed = timed.with_columns(
        low__=col("low__").min().over(*part),
        high__=col("high__").min().over(*part),
        last__=col("n__").max().over(*part),
    )
    place = col("n__")
    kept = (place == 1) | (place == col("last__"))
    kept = kept | (place == col("low__")) | (place == col("high__"))
    return to_native(timed.filter(kept).select(*columns), frame)


def _with_milliseconds(frame: Frame) -> Frame:
    """Column `at__`: milliseconds since 1970, for which Narwhals has no word in two engines.

    DuckDB's own rounds them, where the others cut. Spark divides integers as floats, which is exact
    for what milliseconds times `points` come to.
    """
    native = cast("Any", frame.to_native())
    if frame.implementation.is_polars():
        return frame.with_columns(at__=col("as_of").dt.timestamp("ms"))
    if frame.implementation.is_duckdb():
        return cast("Frame", nw.from_native(native.project("*, epoch_us(as_of) // 1000 AS at__")))
    return cast("Frame", nw.from_native(native.selectExpr("*", "unix_millis(as_of) AS at__")))
