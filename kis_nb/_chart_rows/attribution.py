"""Why equity changed between two moments, as a waterfall from the first to the last."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import narwhals as nw

from kis_nb._chart_rows import history_points
from kis_nb._chart_rows.heading import head_fields
from kis_nb._chart_rows.history_series import (
    When,
    is_history,
    one_account,
    read_when,
    rows_of,
    span_text,
    summary_of,
    within,
)
from kis_nb._chart_rows.labels import SEPARATOR, columns, geometry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import Figure, exact, signed
from kis_nb._frames.text import tone as tone_of
from kis_nb._frames.words import PRODUCTS
from kis_nb._widgets.text_width import text_width
from kis_nb._widgets.vega_spec import Row

_OF_PRODUCTS = {
    "price": ("가격", "price moves"),
    "quantity": ("수량", "quantity changes"),
    "realized": ("실현", "realized"),
}
_OF_ACCOUNT = {
    "fees": ("수수료", "Fees"),
    "cash flow": ("입출금", "Cash flow"),
    "foreign deposit": ("외화예탁금", "Foreign deposit"),
    "remainder": ("나머지 (설명 안 됨)", "Remainder (unexplained)"),
}
# Shown when they are 0 too: a reader must see that there was none.
_RESERVE = 120.0
_ALWAYS = ("fees", "cash flow", "remainder")


@dataclass(frozen=True, slots=True)
class Attribution:
    """The items of one account between two of its moments.

    Attributes:
        label: the account's masked label; blank without rows.
        items: rows with ``product`` (null for the account), ``item`` and ``amount``.
        moments: of the first and the last snapshot; None when they are not known.
        demo: whether any of it is invented.
    """

    label: str
    items: list[dict[str, Any]]
    moments: tuple[datetime, datetime] | None = None
    demo: bool = False

    def of(self, item: str) -> Decimal | None:
        """The sum of an item over all products; None when there is none, or a part is unknown."""
        amounts = [row["amount"] for row in self.items if row["item"] == item]
        return total(amounts) if amounts else None

    @property
    def pnl(self) -> Decimal | None:
        """What the positions earned, before fees: price moves, quantity changes and realized.

        None when a part of it is unknown.
        """
        return total(row["amount"] for row in self.items if row["item"] in _OF_PRODUCTS)


@exactly
def total(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum; None when a part is unknown."""
    known = list(amounts)
    return None if None in known else sum((one for one in known if one is not None), Decimal(0))


def read(given: Any, account: str | None, start: When, end: When) -> Attribution:
    """What there is to show.

    Args:
        given: a history, native frames of its positions and of its summary, or what
            `kis_nb.analysis.attribution` made.
        account, start, end: as of `kis_nb.charts.attribution`.

    Raises:
        ValueError: as of `one_account`, or a `start` or `end` that is no time.
    """
    from kis_nb import analysis

    read_when(start, "start"), read_when(end, "end")
    if is_history(given):
        given = (given.positions(), given.summary(), given)
    if not isinstance(given, tuple):
        made, _, label = one_account(nw.from_native(given).lazy(), account)
        return Attribution(label, rows_of(made) if label else [])
    positions, summary, *store = given
    chosen, key, label = one_account(summary_of(summary), account, *store)
    if not label:
        return Attribution("", [])
    times = _moments(chosen, start, end)
    if times is None:
        return Attribution(label, [])
    held = nw.from_native(positions).lazy().filter(nw.col("account") == key)
    made = nw.from_native(
        analysis.attribution(held.to_native(), chosen.to_native(), start=times[0], end=times[1])
    ).lazy()
    about = rows_of(within(chosen, *times).filter(nw.col("demo")).select("account").head(1))
    return Attribution(label, rows_of(made), times, bool(about))


def _moments(
    summary: nw.LazyFrame[Any], start: When, end: When
) -> tuple[datetime, datetime] | None:
    """The moments of the snapshots between which it is: of a day, that before its 18:00 begins."""
    until = within(summary, None, end)
    ends = _latest(until)
    if ends is None:
        return None
    begins = None
    if start is not None:
        when = read_when(start, "start")
        column = nw.col("as_of" if isinstance(when, datetime) else "date")
        before = until.filter(column <= when if isinstance(when, datetime) else column < when)
        begins = _latest(before)
    return (begins or _latest(until, first=True) or ends, ends)


def _latest(frame: nw.LazyFrame[Any], *, first: bool = False) -> datetime | None:
    found = nw.col("as_of").min() if first else nw.col("as_of").max()
    (row,) = rows_of(frame.select(found))
    return cast("datetime | None", row["as_of"])


@exactly
def rows(of: Attribution, style: Style) -> list[Row]:
    """The rows of the chart, a line each: the start, what changed it, and the end."""
    begins, ends = of.of("start"), of.of("end")
    if begins is None or ends is None:
        return [
            one | {"key": SEPARATOR, "kind": "note", "value": None}
            for one in history_points.empty_rows(style)
        ]
    lines = [_line(style.word("시작 자산", "Equity at the start"), begins, begins, begins)]
    level = begins
    for item, name, amount in _changes(of.items, style):
        after = level if amount is None else level + amount
        lines.append(_line(name, level, after, amount, item))
        level = after
    lines.append(_line(style.word("끝 자산", "Equity at the end"), ends, ends, ends))
    names = [line["name"] for line in lines]
    figures = columns([line["figure"] for line in lines])
    for at, line in enumerate(lines):
        # Lines of one name are told apart by signs of no width.
        same = "\u200b" * names[:at].count(names[at])
        line["key"] = f"{names[at]}{same}{SEPARATOR}{figures[at]}"
        line["link"] = at + 1 < len(lines)
    pnl = style.word(f"손익 {signed(of.pnl)}", f"P&L {signed(of.pnl)}")
    when = span_text(*of.moments) if of.moments else ""
    # Two lines rather than one that just fits: the widths are estimates.
    lines[0] |= head_fields((of.label, pnl), (when,), reserve=_RESERVE)
    lines[0] |= {
        "demo": "DEMO" if of.demo else "",
        "own": [],
        "before": min(240.0, max(text_width(name, 12) for name in names)),
        "after": min(260.0, max(text_width(figure, 12) for figure in figures)),
    }
    return lines


def _changes(items: Sequence[dict[str, Any]], style: Style) -> list[tuple[str, str, Figure]]:
    """The names and amounts of what lies between start and end, products first."""
    products = dict.fromkeys(row["product"] for row in items if row["item"] in _OF_PRODUCTS)
    found: list[tuple[str, str, Figure]] = []
    for product in sorted(products, key=lambda one: (one is None, one or "")):
        name = style.word("상품 불명", "Product unknown")
        if product is not None:
            name = style.word(*PRODUCTS.get(product, (product, product)))
        for item, words in _OF_PRODUCTS.items():
            amount = _sum(items, item, product)
            if amount is None or amount:
                found.append((item, f"{name} {style.word(*words)}", amount))
    there = {row["item"] for row in items}
    for item, words in _OF_ACCOUNT.items():
        if item in _ALWAYS or item in there:
            found.append((item, style.word(*words), _sum(items, item)))
    return found


def _sum(items: Sequence[dict[str, Any]], item: str, product: str | None = None) -> Decimal | None:
    of_product = item in _OF_PRODUCTS
    return total(
        row["amount"]
        for row in items
        if row["item"] == item and (not of_product or row["product"] == product)
    )


def _line(
    name: str, begins: Decimal, ends: Decimal, amount: Figure, item: str | None = None
) -> Row:
    figure = exact(amount) if item is None else signed(amount)
    # What came in or went out is no profit, and what nobody can explain is neither.
    tone = tone_of(amount) or "flat"
    if item is None:
        tone = "plain"
    elif item in ("cash flow", "foreign deposit") and amount:
        tone = "flow"
    elif item == "remainder" and amount:
        tone = "unexplained"
    return {
        "kind": "level" if item is None else "change",
        "name": name,
        "figure": figure,
        "from": geometry(begins),
        "value": geometry(ends),
        "tone": tone,
        "aria": f"{name}: {figure}",
    }
