"""What KIS's summary says of money that came or went beside P&L and fees; returns net of it.

The convention of the books is in docs/sources.md. ``q`` is what stays from one trading day to the
next: ``dnca_cash + rnwl_dfpa + dnca_sbst``. It grows by the flows of a trading day (``opt_dfpa +
thdt_dfpa - fee``) when that day ends, and by the variation of carried positions (``rnwl_dfpa``) at
each settlement. What is left of its change is cash that was paid in or out.
"""

from __future__ import annotations

import narwhals as nw

from kis_nb.analysis._equity import EQUITY, MOMENT, equity_of
from kis_nb.analysis._frames import (
    MONEY,
    MONEY_IN,
    Frame,
    Kind,
    Native,
    col,
    last_rows,
    money,
    number,
    read,
    to_native,
    total,
    unknown,
)

CASH: dict[str, Kind] = {
    "dnca_cash": "money",
    "dnca_sbst": "money",
    "rnwl_dfpa": "money",
    "opt_dfpa": "money",
    "thdt_dfpa": "money",
    "fee": "money",
}
COLUMNS: dict[str, Kind] = MOMENT | {"snapshot": "text", "settled_on": "date"} | EQUITY | CASH
ZERO = nw.lit(0).cast(MONEY_IN)


def numbered(frame: Frame) -> Frame:
    """Snapshots as `n` = 1, 2, … of their account, with `q` and `flows`."""
    return kept_and_flows(frame).with_columns(n=number(["account"], ["as_of", "snapshot"]))


def kept_and_flows(frame: Frame) -> Frame:
    """Columns `q` and `flows`."""
    return frame.with_columns(
        q=(money("dnca_cash") + money("rnwl_dfpa") + money("dnca_sbst")).cast(MONEY_IN),
        flows=(money("opt_dfpa") + money("thdt_dfpa") - money("fee")).cast(MONEY_IN),
    )


def with_settled(frame: Frame, by: list[str]) -> Frame:
    """Column `settled`: what each row's settlement booked, in the last row of `by` that tells it.

    `known_before` says whether a row is not counted, `settled_before` the last settlement before
    the rows that are. 0 in all other rows; null where a row does not say its settlement.
    """
    last = col("n") == col("n").max().over(*by, "settled_on")
    told = ~(col("settled_on").is_null() | col("settled_before").is_null())
    new = col("settled_on") > col("settled_before")
    return frame.with_columns(
        settled=nw.when(col("known_before"))
        .then(ZERO)
        .otherwise(nw.when(told).then(nw.when(last & new).then(money("rnwl_dfpa")).otherwise(ZERO)))
    )


def returns(summary: Native) -> Native:
    """Each account's profit or loss by trading day, net of cash paid in or out.

    A day runs from the last snapshot of the trading day before it in `summary` to its own last one.
    The return is a fraction, ``pnl / base``, and is divided by `collect` alone: no two engines
    divide Decimals alike.

    Args:
        summary: ``History.summary()`` of any engine.

    Returns:
        A frame of the same kind, lazy where the engine is, a row an account and trading day, in no
        order: ``account``, ``account_label``, ``date``, ``start`` and ``end`` (equity),
        ``cash_flow`` (paid in less paid out; a change of the foreign deposit counts too, as KIS
        does not say whether money moved or the exchange rate did), ``pnl`` (end - start -
        cash_flow) and ``base`` (what was there to earn it: start, and what was paid in) in won,
        Decimal(38,0), ``foreign_included`` as in `equity`. Null is unknown: the first day of an
        account, and a day before which another is missing, as far as the settlements tell.

    Raises:
        TypeError: `summary` is a frame of another library, or a column has another type.
        ValueError: A column is missing, or Spark would turn overflows into nulls.
    """
    rows = read(summary, COLUMNS, "summary")
    closings = _closings(rows)
    # Unknown settlements, and those of a day of which no row is kept, make the cash flow unknown.
    lost = rows.with_columns(lost=unknown("settled_on")).group_by(*DAY).agg(col("lost").max())
    found = closings.join(_settled(rows, closings), on=DAY, how="left").join(
        lost, on=DAY, how="left"
    )
    foreign = (
        nw.when(col("foreign_included"))
        .then(money("foreign_deposit") - money("foreign_before"))
        .otherwise(ZERO)
    )
    moved = col("q") - col("q_before") - col("flows_before") + foreign - col("settled")
    told = (col("lost") == 0) & (col("skipped") == 0)
    found = found.with_columns(cash_flow=nw.when(told).then(moved.cast(MONEY)))
    pnl = col("equity") - col("equity_before") - col("cash_flow")
    paid_in = nw.when(col("cash_flow") > 0).then(col("cash_flow")).otherwise(ZERO.cast(MONEY))
    base = nw.when(~col("cash_flow").is_null()).then(col("equity_before") + paid_in)
    found = found.with_columns(
        start=col("equity_before"), end=col("equity"), pnl=pnl.cast(MONEY), base=base.cast(MONEY)
    )
    columns = ["start", "end", "cash_flow", "pnl", "base", "foreign_included"]
    return to_native(found.select("account", "account_label", "date", *columns), summary)


DAY = ["account", "date"]


def _closings(rows: Frame) -> Frame:
    """Each trading day's last row with equity, `q` and `flows`; beside them the day before's."""
    left_out = rows.with_columns(left_out=unknown("foreign_deposit")).group_by("account")
    closings = last_rows(rows, DAY).join(
        left_out.agg(col("left_out").max()), on="account", how="inner"
    )
    closings = kept_and_flows(closings).with_columns(foreign_included=col("left_out") == 0)
    closings = closings.with_columns(equity=equity_of("foreign_included"))
    before = {
        "date_before": "date",
        "q_before": "q",
        "flows_before": "flows",
        "settled_before": "settled_on",
        "equity_before": "equity",
        "foreign_before": "foreign_deposit",
    }
    return closings.with_columns(
        **{
            name: col(source).shift(1).over("account", order_by="date")
            for name, source in before.items()
        }
    )


def _settled(rows: Frame, closings: Frame) -> Frame:
    """What the settlements of each trading day booked, and whether one is of a day left out."""
    told = rows.filter(~col("settled_on").is_null())
    told = last_rows(told, [*DAY, "settled_on"]).select(*DAY, "settled_on", "rnwl_dfpa")
    told = told.join(closings.select(*DAY, "settled_before", "date_before"), on=DAY, how="inner")
    new = col("settled_on") > col("settled_before")
    known = ~col("settled_before").is_null()
    skipped = (col("settled_on") > col("date_before")) & (col("settled_on") < col("date"))
    told = told.with_columns(
        settled=nw.when(known).then(nw.when(new).then(money("rnwl_dfpa")).otherwise(ZERO)),
        skipped=nw.when(skipped).then(nw.lit(1)).otherwise(nw.lit(0)),
    )
    return total(told, DAY, ["settled"], skipped=col("skipped").max())
