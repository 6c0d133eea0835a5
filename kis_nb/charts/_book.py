"""What is held: contracts and value by product, expiry and side; options by strike. Right wing."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb._chartview import Row
from kis_nb._exact import exactly
from kis_nb._products import Product, read_product
from kis_nb.charts._bars import bar, design, keyed
from kis_nb.charts._look import Look, exact, first

if TYPE_CHECKING:
    from kis_nb._balance import Balance

By: TypeAlias = Literal["product", "strike"]
Measure: TypeAlias = Literal["quantity", "value"]

BOOK = design(
    "book",
    ("보유 현황", "The book"),
    (("legs", "종목 수", "Positions"), "cblc_qty", "evlu_amt"),
)

_KINDS = {
    "future": ("선물", "futures"),
    "call": ("콜", "calls"),
    "put": ("풋", "puts"),
    "spread": ("스프레드", "spreads"),
}


@exactly
def rows(
    balance: Balance, look: Look, *, by: By = "product", measure: Measure = "quantity"
) -> list[Row]:
    """A bar for each group, long to the right and short to the left. Never empty."""
    if by not in ("product", "strike"):
        raise ValueError(f"by takes 'product' or 'strike'; got {by!r}")
    if measure not in ("quantity", "value"):
        raise ValueError(f"measure takes 'quantity' or 'value'; got {measure!r}")
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    names: dict[tuple[Any, ...], str] = {}
    for row in balance.positions.iter_rows(named=True):
        product = read_product(row["shtn_pdno"], row["prdt_name"])
        if row["cblc_qty"] == 0 or (by == "strike" and not product.option):
            continue
        order, name = _group(product, row, by, look)
        names[order] = name
        groups.setdefault(order, []).append(row)
    bars = [_bar(names[order], groups[order], look, measure) for order in sorted(groups)]
    if not bars:
        empty = (
            look.word("보유 옵션 없음", "No options held")
            if by == "strike"
            else look.word("보유 포지션 없음", "No open positions")
        )
        bars = [bar("", None, figure=" ", note=empty)]
    what = look.field("cblc_qty" if measure == "quantity" else "evlu_amt")
    return first(keyed(bars), balance, look, what)


def month(term: str | None) -> str | None:
    """``202612`` as ``2026-12``; a week or a pair of months as it is."""
    return (
        f"{term[:4]}-{term[4:]}" if term is not None and len(term) == 6 and term.isdigit() else term
    )


def _group(
    product: Product, row: dict[str, Any], by: By, look: Look
) -> tuple[tuple[Any, ...], str]:
    """What orders the groups, and what they are called."""
    kind = look.word(*_KINDS[product.kind]) if product.kind else look.word("종류 불명", "unknown")
    expiry = month(product.term) or look.word("만기 불명", "no expiry")
    side = look.side(row["side"]) or look.word("매매 불명", "side unknown")
    if by == "strike":
        strike = Decimal("Infinity") if product.strike is None else product.strike
        text = look.word("행사가 불명", "no strike") if product.strike is None else exact(strike)
        order: tuple[Any, ...] = (expiry, strike, product.kind or "", row["side"] or "")
        return order, f"{text} {kind} {expiry} {side}"
    # The mini contract shares its underlying, not its multiplier, so it is told apart.
    underlying = product.underlying or (row["prdt_name"] or row["shtn_pdno"] or "?").strip()
    mini = look.word("미니 ", "mini ") if product.product == "KOSPI 200 mini" else ""
    rank = [*_KINDS, None].index(product.kind)
    order = (product.underlying is None, underlying, rank, mini, expiry, row["side"] or "")
    return order, f"{underlying} {mini}{kind} {expiry} {side}"


def _bar(name: str, held: list[dict[str, Any]], look: Look, measure: Measure) -> Row:
    # A sum over an unknown part would be a false figure: then it is unknown itself.
    counts = [row["cblc_qty"] for row in held]
    values = [row["evlu_amt"] for row in held]
    quantity = None if None in counts else sum(counts)
    value = None if None in values else sum(values, Decimal(0))
    side = held[0]["side"]
    sign = -1 if side == "short" else 1
    chosen = quantity if measure == "quantity" else value
    contracts = look.word("계약", "")
    figure = f"{exact(quantity)}{contracts} · {exact(value)}"
    return bar(
        name,
        None if chosen is None else chosen * sign,
        figure=figure,
        tone="short" if side == "short" else "long",
        note=look.word("값이 오지 않음", "no value was sent") if chosen is None else "",
        id=held[0]["pdno"] if len(held) == 1 else None,
        tip={"cblc_qty": exact(quantity), "evlu_amt": exact(value), "legs": str(len(held))},
    )
