"""What `kis_nb.analysis` answers, worked out row by row in plain Python."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

from kis_nb.analysis._attribution import ITEMS
from tests.history_rows import Row, Rows

Sum = Decimal | int | None


def add(parts: Iterable[Any]) -> Any:
    """A sum, unknown if a part is."""
    parts = list(parts)
    return None if any(part is None for part in parts) else sum(parts, Decimal(0))


def minus(one: Any, other: Any) -> Any:
    """A difference, unknown if one of the two is."""
    return None if one is None or other is None else one - other


def to_won(amount: Any) -> Any:
    """A half goes up."""
    if amount is None:
        return None
    return (amount + Decimal("0.5")).to_integral_value(ROUND_FLOOR)


def accounts(rows: list[Row]) -> dict[str, list[Row]]:
    """Each account's rows in order of time."""
    found: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row["account"], row["as_of"], row["snapshot"])):
        found.setdefault(row["account"], []).append(row)
    return found


def equity(rows: Rows) -> list[Row]:
    """Rows of `equity`, in order of account and time."""
    made = []
    for mine in accounts(rows.summary).values():
        included = all(row["foreign_deposit"] is not None for row in mine)
        peak = None
        for row in mine:
            now = add([row["krw_equity"], row["foreign_deposit"] if included else Decimal(0)])
            if now is not None:
                peak = now if peak is None else max(peak, now)
            made.append(
                _moment(row)
                | {
                    "equity": now,
                    "peak": None if now is None else peak,
                    "drawdown": minus(now, peak),
                    "foreign_included": included,
                }
            )
    return made


def margin(rows: Rows) -> list[Row]:
    """Rows of `margin`, in order of account and time."""
    made = []
    sums = equity(rows)
    flat = [row for mine in accounts(rows.summary).values() for row in mine]
    for row, known in zip(flat, sums, strict=True):
        if row["maintenance_margin"] is not None:
            made.append(
                _moment(row)
                | {
                    "equity": known["equity"],
                    "initial_margin": row["initial_margin"],
                    "maintenance_margin": row["maintenance_margin"],
                    "room": minus(known["equity"], row["maintenance_margin"]),
                    "foreign_included": known["foreign_included"],
                }
            )
    return made


def lowest_room(rows: Rows) -> list[Row]:
    """Rows of `lowest_room`, in order of account and time."""
    least: dict[Any, Row] = {}
    for row in margin(rows):
        key = row["account"], row["date"]
        if row["room"] is not None and (key not in least or row["room"] < least[key]["room"]):
            least[key] = row
    return list(least.values())


def exposure(rows: Rows) -> list[Row]:
    """Rows of `exposure` without a summary, in order of account, product and expiry."""
    groups: dict[Any, list[Row]] = {}
    for mine in accounts(rows.positions).values():
        for row in mine:
            if row["snapshot"] == mine[-1]["snapshot"] and row["quantity"] != 0:
                key = (row["account"], row["account_label"], row["as_of"])
                groups.setdefault((*key, row["product"], row["expiry"]), []).append(row)
    made = []
    for key, held in groups.items():
        sizes = [row["quantity"] for row in held]
        worth = [
            None
            if None in {row["quantity"], row["contract_value"]}
            else row["quantity"] * row["contract_value"]
            for row in held
        ]
        sides = [None if size is None else size > 0 for size in sizes]
        longs = [
            Decimal(0) if side is False else each for side, each in zip(sides, worth, strict=True)
        ]
        shorts = [
            Decimal(0) if side is True else each for side, each in zip(sides, worth, strict=True)
        ]
        long_notional, short_notional = to_won(add(longs)), add(shorts)
        short_notional = to_won(None if short_notional is None else -short_notional)
        names = ("account", "account_label", "as_of", "product", "expiry")
        made.append(
            dict(zip(names, key, strict=True))
            | {
                "long": add(None if s is None else max(s, 0) for s in sizes),
                "short": add(None if s is None else max(-s, 0) for s in sizes),
                "net": add(sizes),
                "value": add(row["open_value"] for row in held),
                "long_notional": long_notional,
                "short_notional": short_notional,
                "notional": minus(long_notional, short_notional),
            }
        )
    last = "￿"
    return sorted(
        made,
        key=lambda row: (row["account"], row["product"] or last, str(row["expiry"] or last)),
    )


def returns(rows: Rows) -> list[Row]:
    """Rows of `returns`, in order of account and day."""
    made = []
    for mine in accounts(rows.summary).values():
        included = all(row["foreign_deposit"] is not None for row in mine)
        before: Row | None = None
        for day in sorted({row["date"] for row in mine}):
            today = [row for row in mine if row["date"] == day]
            last = today[-1]
            now = _equity(last, included=included)
            row = {"account": last["account"], "account_label": last["account_label"], "date": day}
            row |= {"start": None, "end": now, "cash_flow": None, "pnl": None, "base": None}
            if before is not None:
                start = _equity(before, included=included)
                flow = _cash_flow([before, *today], [before])
                if included:
                    change = minus(last["foreign_deposit"], before["foreign_deposit"])
                    flow = add([flow, change])
                if any(
                    each["settled_on"] and before["date"] < each["settled_on"] < day
                    for each in today
                ):
                    flow = None
                row |= {"start": start, "cash_flow": flow}
                row["pnl"] = minus(minus(now, start), flow)
                row["base"] = None if flow is None else add([start, max(flow, Decimal(0))])
            top, base = row["pnl"], row["base"]
            row["foreign_included"] = included
            row["return"] = None
            if top is not None and base is not None and base > 0:
                digits = (2 * abs(int(top)) * 10**8 + int(base)) // (2 * int(base))
                row["return"] = Decimal(digits if top >= 0 else -digits).scaleb(-8)
            made.append(row)
            before = last
    return made


def attribution(
    rows: Rows, start: datetime | None = None, end: datetime | None = None
) -> list[Row]:
    """Rows of `attribution`, as a waterfall by account."""
    made = []
    for mine in accounts(rows.summary).values():
        span = [row for row in mine if end is None or row["as_of"] <= end]
        if start is not None:
            reached = [row for row in span if row["as_of"] <= start]
            span = span[len(reached) - 1 :] if reached else []
        if span:
            made += _account(span, rows.positions)
    return made


def _account(span: list[Row], positions: list[Row]) -> list[Row]:
    first, last = span[0], span[-1]
    closings = list({row["date"]: row for row in span}.values())
    steps = closings if closings[0] is first else [first, *closings]
    key = {"account": first["account"], "account_label": first["account_label"]}
    products = _products(steps, positions)
    known = None not in {first["foreign_deposit"], last["foreign_deposit"]}
    begin, finish = (_equity(row, included=known) for row in (first, last))
    items: dict[str, Any] = {"start": begin}
    fees = [row["fee"] for row in closings if row is not first]
    if closings[0] is not first:
        fees.append(None if first["fee"] is None else -first["fee"])
    fee = add(fees)
    items["fees"] = None if fee is None else -fee
    items["cash flow"] = _cash_flow(span, closings[:-1])
    if known:
        items["foreign deposit"] = last["foreign_deposit"] - first["foreign_deposit"]
    parts = [each for product in products.values() for each in product.values()]
    parts += [amount for item, amount in items.items() if item != "start"]
    explained = sum((part for part in parts if part is not None), Decimal(0))
    items["remainder"] = minus(minus(finish, begin), explained)
    items["end"] = finish
    rows: list[tuple[int, int, str, str | None, str, Any]] = [
        (2 if item != "start" else 0, ITEMS.index(item), "", None, item, amount)
        for item, amount in items.items()
    ]
    rows += [
        (1, ITEMS.index(item), product or "￿", product, item, amount)
        for product, split in products.items()
        for item, amount in split.items()
    ]
    rows.sort(key=lambda row: (row[0], row[2], row[1]))
    return [
        key | {"product": product, "item": item, "amount": amount}
        for _, _, _, product, item, amount in rows
    ]


def _products(steps: list[Row], positions: list[Row]) -> dict[str | None, dict[str, Any]]:
    """Price, quantity and realized of each product."""
    books: list[dict[str, Row]] = []
    names: dict[str, str | None] = {}
    for step in steps:
        book: dict[str, Row] = {}
        for row in positions:
            if row["snapshot"] != step["snapshot"]:
                continue
            code = row["shtn_pdno"]
            if row["product"] is not None or code not in names:
                names[code] = row["product"]
            there = book.setdefault(code, {"q": [], "mark": [], "value": [], "realized": []})
            there["q"].append(row["quantity"])
            there["mark"].append(row["contract_value"])
            there["value"].append(minus(row["open_value"], row["open_cost"]))
            there["realized"].append(row["trad_pfls_amt"])
        for there in book.values():
            marks = set(there["mark"])
            there["mark"] = marks.pop() if len(marks) == 1 else None
            for name in ("q", "value", "realized"):
                there[name] = add(there[name])
        books.append(book)
    exact: dict[str | None, dict[str, Any]] = {}
    for code, product in names.items():
        mine = exact.setdefault(product, {"price": [], "change": [], "realized": []})
        for at, (before, after) in enumerate(pairwise(books)):
            a, b = before.get(code), after.get(code)
            if a and b:
                moved = minus(b["mark"], a["mark"])
                known = a["q"] is not None and moved is not None
                # What was closed without a mark is all of the trade.
                still = a["q"] == 0 or (b["q"] == 0 and b["mark"] is None)
                mine["price"].append(Decimal(0) if still else a["q"] * moved if known else None)
            mine["change"].append(
                minus(b["value"] if b else Decimal(0), a["value"] if a else Decimal(0))
            )
            mine["realized"].append(b["realized"] if b else Decimal(0))
            if at == 0 and steps[0]["date"] == steps[1]["date"]:
                carried = a["realized"] if a else Decimal(0)
                mine["realized"].append(None if carried is None else -carried)
    found: dict[str | None, dict[str, Any]] = {}
    for product, mine in exact.items():
        price = to_won(add(mine["price"]))
        change = add(mine["change"])
        found[product] = {
            "price": price,
            "quantity": minus(change, price),
            "realized": add(mine["realized"]),
        }
    return found


def _cash_flow(span: list[Row], ended: list[Row]) -> Any:
    """What was paid in between the first and last row, where the days of `ended` came to an end."""
    first, later = span[0], span[1:]
    if not later:
        return Decimal(0)
    settled: dict[Any, Any] = {}
    for row in later:
        if row["settled_on"] is None or first["settled_on"] is None:
            return None
        if row["settled_on"] > first["settled_on"]:
            settled[row["settled_on"]] = row["rnwl_dfpa"]
    q = [add([row["dnca_cash"], row["rnwl_dfpa"], row["dnca_sbst"]]) for row in (first, span[-1])]
    flows = [minus(add([row["opt_dfpa"], row["thdt_dfpa"]]), row["fee"]) for row in ended]
    return minus(minus(q[1], q[0]), add([*flows, *settled.values()]))


def _equity(row: Row, *, included: bool) -> Any:
    return add([row["krw_equity"], row["foreign_deposit"] if included else Decimal(0)])


def _moment(row: Row) -> Row:
    return {name: row[name] for name in ("account", "account_label", "date", "as_of")}
