"""Why equity changed between two moments."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import narwhals as nw

from kis_nb.analysis._flows import COLUMNS, ZERO, numbered, with_settled
from kis_nb.analysis._frames import (
    COUNT_IN,
    MONEY,
    MONEY_IN,
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
    unknown,
)

HELD: dict[str, Kind] = {
    "account": "text",
    "account_label": "text",
    "snapshot": "text",
    "shtn_pdno": "text",
    "product": "text",
    "quantity": "count",
    "contract_value": "price",
    "open_value": "money",
    "open_cost": "money",
    "trad_pfls_amt": "money",
}
OF_A_PRODUCT = ("price", "quantity", "realized")
OF_AN_ACCOUNT = ("start", "fees", "cash flow", "foreign deposit", "remainder", "end")
# In the order of a waterfall, which `collect` puts them in.
ITEMS = ("start", *OF_A_PRODUCT, "fees", "cash flow", "foreign deposit", "remainder", "end")


def attribution(
    positions: Native,
    summary: Native,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Native:
    """Why each account's equity changed between two moments, in won.

    It goes from the account's last snapshot at or before `start`, over the last snapshot of each
    trading day (its closing), to the last one at or before `end`. Contracts that a snapshot does
    not list are held by nobody in it.

    Args:
        positions: ``History.positions()`` of any engine.
        summary: ``History.summary()`` of the same engine and span, with the day of `start`.
        start: A moment with a time zone; None for each account's first snapshot. Accounts without a
            snapshot at or before it have no rows.
        end: A moment with a time zone; None for each account's last snapshot.

    Returns:
        A frame of the same kind, lazy where the engine is, in no order (`collect` gives that of a
        waterfall): ``account``, ``account_label``, ``product``, ``item``, ``amount`` in won,
        Decimal(38,0). By product (null: unknown):

        - ``price``: carried contracts times the change of one contract's value from snapshot to
          snapshot, rounded to the won (an exact half up); 0 for what was closed by a snapshot that
          has no price of it, as KIS's past days have none;
        - ``quantity``: what trades changed in unrealized P&L: the change of unrealized P&L less
          ``price``;
        - ``realized``: KIS's realized P&L.

        For the account, with product null: ``start`` and ``end`` (equity), ``fees`` (not above 0),
        ``cash flow`` (paid in less paid out), ``foreign deposit`` (its change; no row unless it is
        known at both ends, and then neither end counts it), ``remainder``. A null amount is
        unknown; then the remainder holds what that would explain. So ``start`` and all known items
        add up to ``end``. The remainder is 0 if each trading day between has its closing and KIS's
        figures agree with one another.

    Raises:
        TypeError: A frame is of another library, the two are of different engines, a column has
            another type, or a moment is none.
        ValueError: A column is missing, a moment has no time zone, `end` is before `start`, or
            Spark would turn overflows into nulls.
    """
    _check(start, end)
    held = read(positions, HELD, "positions")
    rows = read(summary, COLUMNS, "summary")
    same_engine(held, rows)
    rows = _between(rows, start, end)
    products = _products(held, _steps(rows))
    return to_native(_long(products, _accounts(rows)), positions)


def _check(start: datetime | None, end: datetime | None) -> None:
    for name, moment in (("start", start), ("end", end)):
        if moment is None:
            continue
        if not isinstance(moment, datetime):
            raise TypeError(f"{name} is {moment!r}: pass a datetime with a time zone")
        if moment.utcoffset() is None:
            raise ValueError(f"{name} {moment} has no time zone: pass tzinfo, such as Asia/Seoul")
    if start is not None and end is not None and end < start:
        raise ValueError(f"end {end} is before start {start}")


def _between(rows: Frame, start: datetime | None, end: datetime | None) -> Frame:
    """The snapshots from the one at `start` to the one at `end`, and what each is."""
    if end is not None:
        rows = rows.filter(col("as_of") <= _literal(rows, end))
    rows = numbered(rows)
    if start is None:
        rows = rows.with_columns(first=nw.lit(1).cast(nw.Int64))
    else:
        reached = nw.when(col("as_of") <= _literal(rows, start)).then(col("n"))
        rows = rows.with_columns(reached=reached).with_columns(
            first=col("reached").max().over("account")
        )
    return rows.filter(col("n") >= col("first")).with_columns(
        is_start=col("n") == col("first"),
        is_end=col("n") == col("n").max().over("account"),
        closing=col("n") == col("n").max().over("account", "date"),
    )


def _literal(rows: Frame, moment: datetime) -> nw.Expr:
    """A moment to compare with ``as_of``: Polars wants it in the column's own time zone."""
    zone = "UTC"
    if rows.implementation.is_polars():
        zone = getattr(rows.collect_schema()["as_of"], "time_zone", None) or zone
    return nw.lit(moment.astimezone(ZoneInfo(zone)))


def _steps(rows: Frame) -> Frame:
    """The snapshots whose positions are compared, each with the one after it."""
    steps = rows.filter(col("is_start") | col("closing"))
    after = col("snapshot").shift(-1).over("account", order_by="n")
    return steps.with_columns(after=after).select(
        "account", "snapshot", "n", "is_start", "is_end", "closing", "after"
    )


def _accounts(rows: Frame) -> Frame:
    """A row an account: its ends, fees and cash flow."""
    start, end, closing = col("is_start"), col("is_end"), col("closing")
    rows = rows.with_columns(
        settled_before=nw.when(start).then(col("settled_on")).max().over("account"),
        known_before=start,
    )
    rows = with_settled(rows, ["account"])
    fee, q, flows = money("fee"), col("q"), col("flows")
    fees = nw.when(start & closing).then(ZERO).when(start).then(fee)
    cash = nw.when(start & end).then(ZERO).when(end).then(q).when(start & closing).then(-q - flows)
    rows = rows.with_columns(
        fees=fees.when(closing).then(-fee).otherwise(ZERO),
        cash=cash.when(start).then(-q).when(closing).then(-flows).otherwise(ZERO),
        krw_start=nw.when(start).then(money("krw_equity")),
        krw_end=nw.when(end).then(money("krw_equity")),
        foreign_start=nw.when(start).then(money("foreign_deposit")),
        foreign_end=nw.when(end).then(money("foreign_deposit")),
    )
    ends = ("krw_start", "krw_end", "foreign_start", "foreign_end")
    found = total(
        rows,
        ["account"],
        ["fees", "cash", "settled"],
        account_label=col("account_label").max(),
        **{name: col(name).max() for name in ends},
    )
    foreign = col("foreign_end") - col("foreign_start")
    start_with, end_with = col("krw_start"), col("krw_end")
    known = ~col("foreign").is_null()
    return found.with_columns(foreign=foreign.cast(MONEY)).with_columns(
        start=nw.when(known).then(start_with + col("foreign_start")).otherwise(start_with),
        end=nw.when(known).then(end_with + col("foreign_end")).otherwise(end_with),
        cash_flow=col("cash") - col("settled"),
    )


def _products(held: Frame, steps: Frame) -> Frame:
    """A row an account and product: price, quantity and realized."""
    held = held.join(steps, on=["account", "snapshot"], how="inner").with_columns(
        quantity=col("quantity").cast(COUNT_IN),
        contract_value=col("contract_value").cast(PRICE_IN),
        value=(money("open_value") - money("open_cost")).cast(MONEY_IN),
        realized=money("trad_pfls_amt"),
        unvalued=unknown("contract_value"),
    )
    step = ["account", "snapshot", "n", "is_start", "is_end", "closing", "after", "shtn_pdno"]
    # A contract may have several rows, such as one for each side.
    held = total(
        held,
        step,
        ["quantity", "value", "realized"],
        account_label=col("account_label").max(),
        product=col("product").max(),
        low=col("contract_value").min(),
        high=col("contract_value").max(),
        unvalued=col("unvalued").max(),
    )
    one = (col("unvalued") == 0) & (col("low") == col("high"))
    held = held.with_columns(
        mark=nw.when(one).then(col("low")), quantity=col("quantity").cast(COUNT_IN)
    )
    contract = ["account", "shtn_pdno"]
    held = held.with_columns(
        after_mark=col("mark").shift(-1).over(*contract, order_by="n"),
        after_here=col("snapshot").shift(-1).over(*contract, order_by="n"),
        after_quantity=col("quantity").shift(-1).over(*contract, order_by="n"),
        product=col("product").max().over(*contract),
    )
    none = nw.lit(0).cast(PRODUCT)
    # A past day's answer has no mark of what was closed on it: all of it is of the trade then.
    unmarked = (col("after_quantity") == 0) & col("after_mark").is_null()
    move = (col("quantity") * (col("after_mark") - col("mark"))).cast(PRODUCT)
    start, end, value = col("is_start"), col("is_end"), col("value")
    change = nw.when(start & end).then(ZERO).when(value.is_null()).then(value)
    paid = nw.when(start & col("closing")).then(ZERO)
    held = held.with_columns(
        price=nw.when(col("after_here") != col("after"))
        .then(none)
        .when(col("after_here").is_null() | (col("quantity") == 0) | unmarked)
        .then(none)
        .otherwise(move),
        change=change.when(end).then(value).when(start).then(-value).otherwise(ZERO),
        realized=paid.when(start).then(-col("realized")).otherwise(col("realized")),
    )
    by = ["account", "account_label", "product"]
    found = total(held, by, ["price", "change", "realized"]).with_columns(to_won("price"))
    return found.with_columns(quantity=col("change") - col("price"))


def _long(products: Frame, accounts: Frame) -> Frame:
    """A row an item."""
    nothing = nw.lit(None).cast(MONEY)
    names = ("start", "fees", "cash_flow", "foreign", "end")
    wide = [
        products.with_columns(of_account=nw.lit(value=False), **dict.fromkeys(names, nothing)),
        accounts.with_columns(
            of_account=nw.lit(value=True),
            product=nw.lit(None).cast(nw.String),
            **dict.fromkeys(OF_A_PRODUCT, nothing),
        ),
    ]
    columns = ["account", "account_label", "product", "of_account", *OF_A_PRODUCT, *names]
    money_of = [col(name).cast(MONEY) for name in (*OF_A_PRODUCT, *names)]
    both = nw.concat([each.with_columns(*money_of).select(*columns) for each in wide])
    zero = nw.lit(0).cast(MONEY)
    known = {name: nw.coalesce(col(name), zero) for name in (*OF_A_PRODUCT, *names)}
    explained = sum((known[name] for name in OF_A_PRODUCT), zero).cast(MONEY)
    both = both.with_columns(explained=explained)
    both = both.with_columns(explained=col("explained").sum().over("account"))
    rest = known["fees"] + known["cash_flow"] + known["foreign"] + col("explained")
    both = both.with_columns(remainder=(col("end") - col("start") - rest).cast(MONEY))
    # A row an item, by a list that is taken apart: a union of items would read all files for each.
    lists = nw.when(col("of_account")).then(nw.lit(",".join(OF_AN_ACCOUNT)))
    both = both.with_columns(item=lists.otherwise(nw.lit(",".join(OF_A_PRODUCT))))
    both = both.with_columns(item=col("item").str.split(",")).explode("item")
    amount = nw.when(col("item") == ITEMS[0]).then(col(ITEMS[0]))
    source = {"cash flow": "cash_flow", "foreign deposit": "foreign"}
    for item in ITEMS[1:]:
        amount = amount.when(col("item") == item).then(col(source.get(item, item)))
    shown = (col("item") != "foreign deposit") | ~col("foreign").is_null()
    columns = ["account", "account_label", "product", "item", "amount"]
    return both.filter(shown).with_columns(amount=amount.cast(MONEY)).select(*columns)
