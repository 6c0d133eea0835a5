"""What is held: contracts and value by product, expiry and side; options by strike."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from kis_nb._chart_rows.bars import bar, keyed
from kis_nb._chart_rows.style import Style
from kis_nb._choices import check_choice
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.products import Product
from kis_nb._frames.text import exact
from kis_nb._frames.words import KINDS, NO_POSITIONS, NO_PRICE, PRODUCTS
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

By: TypeAlias = Literal["product", "strike"]
Measure: TypeAlias = Literal["quantity", "value"]

# Bars of a chart. Further groups are summed up in the last one, to keep it below 700 px.
_MOST = 25


@exactly
def rows(
    balance: Balance, style: Style, *, by: By = "product", measure: Measure = "quantity"
) -> list[Row]:
    """The rows of the chart, one a group; see `kis_nb.charts.book` for the arguments.

    Long is above 0 and short below. Never empty: without positions there is one row with a note.
    """
    check_choice("by", by, get_args(By))
    check_choice("measure", measure, get_args(Measure))
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    names: dict[tuple[Any, ...], str] = {}
    positions = balance.positions.iter_rows(named=True)
    for row, product in zip(positions, products_of(balance.positions, balance.master), strict=True):
        if row["cblc_qty"] == 0 or (by == "strike" and not product.option):
            continue
        order, name = _group(product, row, by, style)
        names[order] = name
        groups.setdefault(order, []).append(row)
    ordered = sorted(groups)
    # A sum of one group would take the same space as the group itself.
    listed = ordered if len(ordered) <= _MOST else ordered[: _MOST - 1]
    bars = [_bar(names[order], groups[order], style, measure) for order in listed]
    if rest := ordered[len(listed) :]:
        bars.append(_rest([row for order in rest for row in groups[order]], len(rest), style))
    if not bars:
        empty = (
            style.word("보유 옵션 없음", "No options held")
            if by == "strike"
            else style.word(*NO_POSITIONS)
        )
        bars = [bar("", None, figure=" ", note=empty)]
    what = style.field("cblc_qty" if measure == "quantity" else "evlu_amt")
    return keyed(bars, balance, style, what)


def _rest(held: list[dict[str, Any]], groups: int, style: Style) -> Row:
    """One row for the further groups: their count, contracts and value. It has no length, since it
    has long and short positions in it.
    """
    name = style.word(
        f"나머지 {groups:,}묶음 {len(held):,}종목", f"Other {groups:,}: {len(held):,} legs"
    )
    return _bar(name, held, style, "quantity") | {"value": None, "id": None, "tone": "null"}


def format_term(term: str | None) -> str | None:
    """``202612`` as ``2026-12``; a week or a pair of months unchanged."""
    return (
        f"{term[:4]}-{term[4:]}" if term is not None and len(term) == 6 and term.isdigit() else term
    )


def _group(
    product: Product, row: dict[str, Any], by: By, style: Style
) -> tuple[tuple[Any, ...], str]:
    """The sort key of a position's group, and the group's name."""
    kind = style.word(*KINDS[product.kind]) if product.kind else style.word("종류 불명", "unknown")
    expiry = format_term(product.term) or style.word("만기 불명", "no expiry")
    side = style.side(row["side"]) or style.word("매매 불명", "side unknown")
    if product.product in PRODUCTS:
        name = style.word(*PRODUCTS[product.product])
    else:
        name = (row["prdt_name"] or row["shtn_pdno"] or "?").strip()
    rank = [*KINDS, None].index(product.kind)
    # Mini and weeklies have the same underlying but are other contracts: groups of their own.
    line = (product.underlying is None, product.underlying or "", product.product or name)
    if by == "strike":
        strike = Decimal("Infinity") if product.strike is None else product.strike
        text = style.word("행사가 불명", "no strike") if product.strike is None else exact(strike)
        prefix = "" if product.product == "KOSPI 200" else f"{name} "
        order: tuple[Any, ...] = (*line, expiry, strike, rank, row["side"] or "")
        return order, f"{prefix}{text} {kind} {expiry} {side}"
    order = (*line[:2], rank, line[2], expiry, row["side"] or "")
    return order, f"{name} {kind} {expiry} {side}"


def _bar(name: str, held: list[dict[str, Any]], style: Style, measure: Measure) -> Row:
    # A sum with a null in it would be a false figure, so it is null itself.
    counts = [row["cblc_qty"] for row in held]
    quantity = None if None in counts else sum(counts)
    unpriced = sum(is_unpriced(row) for row in held)
    priced = [row["evlu_amt"] for row in held if not is_unpriced(row)]
    value = None if None in priced or not priced else sum(priced, Decimal(0))
    side = held[0]["side"]
    sign = -1 if side == "short" else 1
    chosen = quantity if measure == "quantity" else value
    contracts = style.word("계약", "")
    none = style.word(*NO_PRICE)
    worth = none if unpriced == len(held) else exact(value)
    if 0 < unpriced < len(held):
        worth += style.word(f" ({none} {unpriced})", f" ({unpriced} {none})")
    figure = f"{exact(quantity)}{contracts} · {worth}"
    return bar(
        name,
        None if chosen is None else chosen * sign,
        figure=figure,
        tone="short" if side == "short" else "long",
        note=(none if unpriced else style.word("값이 오지 않음", "no value was sent"))
        if chosen is None
        else "",
        id=held[0]["pdno"] if len(held) == 1 else None,
        tip={"cblc_qty": exact(quantity), "evlu_amt": worth, "legs": str(len(held))},
    )
