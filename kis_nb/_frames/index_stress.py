"""What a move of the KOSPI 200 would do to the excess margin: no option model, two bounds.

Futures and spreads move by their market value times the move, which is exact. An option is counted
twice. ``held`` keeps its time value and changes its intrinsic value alone, its price never below 0.
``worst`` counts no gain of an option, and every loss point for point with the index, a bought
option's no further than its premium: a lower bound as long as volatility does not rise, and never
above ``held``. The margin stays what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeAlias

import polars as pl

from kis_nb._account import Account
from kis_nb._frames.account_frames import equity_frame, latest_excess, state_at
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.products import Product
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Per cent of the index.
Move: TypeAlias = Decimal | int | float | str
MOVES = (-10, -7, -5, -3, -1, 0, 1, 3, 5, 7, 10)

_INDEX = "KOSPI 200"
_WON = pl.Decimal(38, 0)
_ZERO = Decimal(0)
_STEP = Decimal("0.0001")
_COLUMNS: dict[str, Any] = {
    "account": pl.String,
    "as_of": pl.Datetime("us", KST.key),
    "index_move": pl.Decimal(38, 4),
    "index_level": pl.Decimal(38, 2),
    "pnl_held": _WON,
    "pnl_worst": _WON,
    "excess_held": _WON,
    "excess_worst": _WON,
    "left_out": pl.List(pl.String),
}


@dataclass(frozen=True, slots=True)
class _Position:
    """A row of positions that the index moves."""

    row: Mapping[str, Any]
    product: Product
    sign: int

    def change(self, index: Decimal | None, move: Decimal) -> tuple[Decimal, Decimal] | None:
        """P&L in won as ``held`` and ``worst``; None for an option without strike or index."""
        value, price = self.row["evlu_amt"], self.row["idx_clpr"]
        if not self.product.option:
            return self.sign * value * move, self.sign * value * move
        strike = self.product.strike
        if index is None or strike is None:
            return None
        up = 1 if self.product.kind == "call" else -1

        def intrinsic(level: Decimal) -> Decimal:
            return max(up * (level - strike), _ZERO)

        size = value / price  # won a point
        # Its price may be below its intrinsic value, and does not fall below 0.
        change = max(intrinsic(index * (1 + move)) - intrinsic(index), -price)
        held = self.sign * size * change
        if self.sign * up * move >= 0:
            return held, _ZERO
        most = abs(index * move)
        return held, -size * (min(most, price) if self.sign > 0 else most)


@exactly
def index_stress_frame(
    balances: Sequence[Balance],
    chosen: Sequence[Balance],
    labels: Mapping[Account, str],
    moves: Iterable[Move],
) -> pl.DataFrame:
    """The frame of `Balances.index_stress`, which describes its columns.

    Args:
        balances: every pull, for the excess margin.
        chosen: one for each account, whose positions move.
        labels: of the accounts.
        moves: in per cent.

    Raises:
        ValueError: a move is no number.
    """
    steps = [_number(move) for move in moves]
    books = [(one, *_split(one)) for one in chosen]
    index = _index_level(position for _, moved, _ in books for position in moved)
    states = {row["account"]: row for row in equity_frame(balances, labels).iter_rows(named=True)}
    rows = []
    for balance, positions, left_out in books:
        label = labels[balance.account]
        without = left_out + [
            _name(one.row) for one in positions if one.change(index, _ZERO) is None
        ]
        excess = latest_excess(state_at(balance, balances, states[label]))
        for step in steps:
            changes = [change for one in positions if (change := one.change(index, step / 100))]
            held, worst = (
                sum((change[at] for change in changes), _ZERO).quantize(Decimal(1)) for at in (0, 1)
            )
            rows.append(
                {
                    "account": label,
                    "as_of": balance.as_of,
                    "index_move": step,
                    "index_level": None
                    if index is None
                    else (index * (1 + step / 100)).quantize(Decimal("0.01")),
                    "pnl_held": held,
                    "pnl_worst": worst,
                    "excess_held": None if excess is None else excess + held,
                    "excess_worst": None if excess is None else excess + worst,
                    "left_out": without,
                }
            )
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")


def _number(move: Move) -> Decimal:
    try:
        number = Decimal(str(move))
    except InvalidOperation:
        number = Decimal("NaN")
    if not (number.is_finite() and -100 <= number <= 1000 and number == number.quantize(_STEP)):
        raise ValueError(
            "moves takes numbers in per cent, from -100 to 1000 with four decimals at most; "
            f"got {move!r}"
        )
    return number


def _split(balance: Balance) -> tuple[list[_Position], list[str]]:
    """The positions that the index moves, and the names of the others that are held."""
    moved: list[_Position] = []
    left: list[str] = []
    products = products_of(balance.positions, balance.master, fetch=True)
    for row, product in zip(balance.positions.iter_rows(named=True), products, strict=True):
        if row["cblc_qty"] == 0:
            continue
        sign = {"long": 1, "short": -1}.get(row["side"])
        known = bool(row["idx_clpr"]) and row["evlu_amt"] is not None and not is_unpriced(row)
        if product.underlying == _INDEX and product.kind and sign and row["cblc_qty"] and known:
            moved.append(_Position(row, product, sign))
        else:
            left.append(_name(row))
    return moved, left


def _name(row: Mapping[str, Any]) -> str:
    return (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()


def _index_level(positions: Iterable[_Position]) -> Decimal | None:
    """The price of the nearest future held: KIS sends no index with a balance."""
    futures = [
        (one.product.expiry, one.row["idx_clpr"])
        for one in positions
        if one.product.kind == "future" and one.product.expiry is not None
    ]
    if not futures:
        return None
    price: Decimal = min(futures, key=lambda future: future[0])[1]
    return price
