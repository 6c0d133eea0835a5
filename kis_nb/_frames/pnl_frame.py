"""Profit and loss by product, position or account, each position counted once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import polars as pl

from kis_nb._account import Account
from kis_nb._choices import check_choice
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.product_frame import KIND
from kis_nb._frames.sides import SIDE

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

By: TypeAlias = Literal["product", "position", "account"]

_WON = pl.Decimal(38, 0)
# What tells the rows apart, in front of the figures.
_KEYS: dict[By, dict[str, Any]] = {
    "product": {"product": pl.String, "kind": KIND},
    "position": {
        "account": pl.String,
        "shtn_pdno": pl.String,
        "prdt_name": pl.String,
        "product": pl.String,
        "kind": KIND,
        "side": SIDE,
    },
    "account": {"account": pl.String},
}
_FIGURES: dict[str, Any] = {
    "positions": pl.Int64,
    "contracts": pl.Int64,
    "unpriced": pl.Int64,
    "market_value": _WON,
    "unrealized": _WON,
    "realized": _WON,
    "total": _WON,
}


@exactly
def pnl_frame(chosen: Sequence[Balance], labels: Mapping[Account, str], by: By) -> pl.DataFrame:
    """The frame of `Balances.pnl`, which describes its columns.

    Args:
        chosen: one pull for each account.
        labels: of the accounts.
        by: what the rows are.

    Raises:
        ValueError: another `by`.
    """
    check_choice("by", by, get_args(By))
    keys = _KEYS[by]
    groups: dict[Hashable, list[dict[str, Any]]] = {}
    for balance in chosen:
        products = products_of(balance.positions, balance.master, fetch=True)
        rows = balance.positions.iter_rows(named=True)
        if by == "account":
            groups[(labels[balance.account],)] = []
        for number, (row, product) in enumerate(zip(rows, products, strict=True)):
            known = row | {
                "account": labels[balance.account],
                "product": product.product,
                "kind": product.kind,
            }
            key = tuple(known[name] for name in keys)
            # Two rows with one name and side are two positions.
            once = (labels[balance.account], number) if by == "position" else ()
            groups.setdefault((*key, *once), []).append(known)
    made = [
        {name: held[0][name] for name in keys} | _figures(held)
        if held
        else {"account": key[0]} | _figures([])  # type: ignore[index]
        for key, held in groups.items()
    ]
    made.sort(key=_largest_first)
    return pl.DataFrame(made, schema=keys | _FIGURES, orient="row")


def _figures(held: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    # The zeros of a position without a price are no figures.
    priced = [row for row in held if not is_unpriced(row)]
    none = bool(held) and not priced
    unrealized = None if none else _sum(priced, "evlu_pfls_amt")
    realized = _sum(held, "trad_pfls_amt")
    known = unrealized is not None and realized is not None
    return {
        "positions": len(held),
        "contracts": _sum(held, "cblc_qty"),
        "unpriced": len(held) - len(priced),
        "market_value": None if none else _sum(priced, "evlu_amt"),
        "unrealized": unrealized,
        "realized": realized,
        "total": unrealized + realized if known else None,  # type: ignore[operator]
    }


def _sum(held: Sequence[Mapping[str, Any]], name: str) -> Decimal | None:
    """None when a value is null: the sum is then not known."""
    values = [row[name] for row in held]
    return None if None in values else sum(values, Decimal(0))


def _largest_first(row: Mapping[str, Any]) -> tuple[bool, Decimal]:
    total = row["total"]
    return total is None, -abs(total or Decimal(0))
