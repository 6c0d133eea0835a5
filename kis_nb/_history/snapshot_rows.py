"""A balance as rows of the history: keys, KIS's fields, and the figures that analysis needs."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from typing import Any

import polars as pl

from kis_nb._codes import Basis, Margin
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import last_settlement_day, trading_date
from kis_nb._frames.decimal_context import EXACT, exactly
from kis_nb._frames.equity_estimate import estimate_equity, summary_figure
from kis_nb._frames.exact_columns import hstack_columns
from kis_nb._frames.position_products import products_of
from kis_nb._frames.prices import is_unpriced, multiplier
from kis_nb._frames.products import Product
from kis_nb._history.schema import (
    KEYS,
    KNOWN,
    MEASURES,
    PRODUCTS,
    VALUES,
    Folder,
    unknown_names,
)
from kis_nb._schema.night_balance import POSITIONS as NIGHT_POSITIONS
from kis_nb._schema.night_balance import SUMMARY as NIGHT_SUMMARY

_ONE = Decimal(1)
_EIGHT = Decimal("1e-8")
_EPOCH = datetime.fromtimestamp(0, UTC)
_SIGN = {"long": 1, "short": -1, "flat": 0}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One account in one view at one moment, as rows.

    Attributes:
        account: what the history calls the account.
        view: ``01-1``, the codes of the call, or ``settlement``.
        as_of: when; aware, UTC.
        day: the trading day that it belongs to, whose folder it goes to.
        identity: tells it from every other one; the same balance has the same.
        positions: rows of the folder ``positions``.
        summary: the row of the folder ``summary``.
        others: columns of unknown fields, by folder.
    """

    account: str
    view: str
    as_of: datetime
    day: date
    identity: str
    positions: pl.DataFrame
    summary: pl.DataFrame
    others: Mapping[Folder, tuple[str, ...]]


def snapshot_of(balance: Balance, account: str) -> Snapshot:
    """A balance as rows.

    Args:
        balance: of any view.
        account: what the history calls its account.

    Returns:
        Its rows. The identity is of what KIS sent, not of what was worked out from it: products
        may be known better at a second time.
    """
    as_of = balance.as_of.astimezone(UTC)
    view = f"{balance.mgna_dvsn.value}-{balance.excc_stat_cd.value}"
    identity = identify(account, view, as_of, balance.positions, balance.summary)
    keys = {
        "account": account,
        "account_label": balance.account.masked,
        "as_of": as_of,
        "mgna_dvsn": balance.mgna_dvsn.value,
        "excc_stat_cd": balance.excc_stat_cd.value,
        "source": "snapshot",
        "demo": balance.demo,
        "snapshot": identity,
    }
    positions = _columns(balance.positions, "positions")
    summary = _columns(balance.summary, "summary")
    for columns in (positions, summary):
        height = len(next(iter(columns.values())))
        columns |= {name: _constant(name, value, height) for name, value in keys.items()}
    positions["row"] = pl.Series("row", range(balance.positions.height), pl.Int32)
    positions |= _products_and_values(balance)
    summary |= {n: pl.Series(n, [v], MEASURES[n]) for n, v in _measures(balance, as_of).items()}
    return Snapshot(
        account,
        view,
        as_of,
        trading_date(as_of),
        identity,
        _frame(positions, "positions"),
        _frame(summary, "summary"),
        {"positions": _others(positions, "positions"), "summary": _others(summary, "summary")},
    )


def snapshot_of_rows(positions: pl.DataFrame, summary: pl.DataFrame) -> Snapshot:
    """A snapshot that was made elsewhere, in the history's columns.

    Args:
        positions: its rows; columns that are missing are null.
        summary: its one row, with at least ``account``, ``as_of``, ``source`` and ``demo``.

    Returns:
        The snapshot, ``snapshot`` filled in.
    """
    row = summary.row(0, named=True)
    account, as_of = row["account"], row["as_of"].astimezone(UTC)
    codes = (row.get("mgna_dvsn"), row.get("excc_stat_cd"))
    view = "settlement" if row["source"] == "settlement" else "-".join(map(str, codes))
    identity = identify(account, view, as_of, positions, summary)
    frames: dict[Folder, pl.DataFrame] = {}
    given: dict[Folder, pl.DataFrame] = {"positions": positions, "summary": summary}
    for folder, rows in given.items():
        known = KNOWN[folder]
        frames[folder] = in_order(
            rows.with_columns(pl.lit(identity).alias("snapshot")).cast(
                {name: known[name] for name in rows.columns if name in known}
            ),
            folder,
        )
    return Snapshot(
        account,
        view,
        as_of,
        trading_date(as_of),
        identity,
        frames["positions"],
        frames["summary"],
        {folder: _others(rows.columns, folder) for folder, rows in frames.items()},
    )


def identify(account: str, view: str, as_of: datetime, *content: pl.DataFrame) -> str:
    """A text of 24 characters that no other snapshot has."""
    # Decimals and texts as Python writes them: the same whatever version of Polars made the frames.
    rows = [repr([(one.name, one.to_list()) for one in frame.iter_columns()]) for frame in content]
    digest = hashlib.sha256("\0".join([account, view, as_of.isoformat(), *rows]).encode())
    return digest.hexdigest()[:24]


def in_order(frame: pl.DataFrame, folder: Folder) -> pl.DataFrame:
    """The folder's columns, null where the frame has none, and unknown ones at the right."""
    return _frame({one.name: one for one in frame.iter_columns()}, folder)


def _constant(name: str, value: Any, height: int) -> pl.Series:
    if isinstance(value, datetime):
        # Polars takes several times as long to read a datetime itself.
        microseconds = (value - _EPOCH) // timedelta(microseconds=1)
        return pl.Series(name, [microseconds] * height, pl.Int64).cast(KEYS[name])
    return pl.Series(name, [value] * height, KEYS[name])


_DOCUMENTED: dict[Folder, frozenset[str]] = {
    "positions": frozenset({"side", *(field.name for field in NIGHT_POSITIONS.fields)}),
    "summary": frozenset(field.name for field in NIGHT_SUMMARY.fields),
}


# Series by series: each call on a whole frame costs as much as dozens of these.
def _columns(sent: pl.DataFrame, folder: Folder) -> dict[str, pl.Series]:
    """What KIS sent in the history's types, unknown fields under the names they have there."""
    documented = _DOCUMENTED[folder]
    others = unknown_names((name for name in sent.columns if name not in documented), folder)
    columns: dict[str, pl.Series] = {}
    for one in sent.iter_columns():
        name = others.get(one.name, one.name)
        dtype = pl.String() if one.name in others else KNOWN[folder][name]
        columns[name] = one.alias(name) if one.dtype == dtype else one.cast(dtype).alias(name)
    return columns


def _others(columns: Iterable[str], folder: Folder) -> tuple[str, ...]:
    return tuple(name for name in columns if name not in KNOWN[folder])


def _frame(columns: dict[str, pl.Series], folder: Folder) -> pl.DataFrame:
    height = len(columns["account"])
    for name, dtype in KNOWN[folder].items():
        if name not in columns:
            columns[name] = pl.Series(name, [None] * height, dtype)
    return hstack_columns([columns[n] for n in (*KNOWN[folder], *_others(columns, folder))])


@exactly
def _products_and_values(balance: Balance) -> dict[str, pl.Series]:
    products = products_of(balance.positions, balance.master)
    rows = balance.positions.iter_rows(named=True)
    cells = [
        _values(row, product, balance.excc_stat_cd)
        for row, product in zip(rows, products, strict=True)
    ]
    columns = PRODUCTS | VALUES
    return {
        name: pl.Series(name, [cell[at] for cell in cells], dtype)
        for at, (name, dtype) in enumerate(columns.items())
    }


def _values(row: Mapping[str, Any], product: Product, basis: Basis) -> tuple[Any, ...]:
    """The cells of one position, in the order of `PRODUCTS` and `VALUES`."""
    size = product.multiplier or multiplier(row, basis.value)
    held = row["cblc_qty"]
    sign = _SIGN.get(row["side"] or "")
    quantity = None if sign is None or held is None else sign * held
    value = _contract_value(row, product, size)
    if is_unpriced(row):
        market = None if value is None else _won(value * held)
    else:
        market = row["evlu_amt"]
    whole = size if size is not None and size == size.to_integral_value() else None
    return (
        product.kind,
        product.product,
        product.underlying,
        product.expiry,
        product.strike,
        whole,
        quantity,
        value,
        _signed(sign, market),
        _signed(sign, _cost(row, size, basis)),
    )


def _contract_value(
    row: Mapping[str, Any], product: Product, size: Decimal | None
) -> Decimal | None:
    """Won of one contract at its mark; without a price what KIS's equity counts it at."""
    if is_unpriced(row):
        if product.option:
            return Decimal(0)
        price = row["excc_unpr"]
    else:
        price = row["idx_clpr"]
        if size is None and row["evlu_amt"] is not None and row["cblc_qty"]:
            return EXACT.quantize(row["evlu_amt"] / row["cblc_qty"], _EIGHT)
    return None if price is None or size is None else EXACT.quantize(price * size, _EIGHT)


def _cost(row: Mapping[str, Any], size: Decimal | None, basis: Basis) -> Decimal | None:
    """What the open contracts cost at their fills, in whole won.

    With EXCC_STAT_CD 2 KIS sends it. With 1 it is the average fill price × quantity × multiplier,
    rounded half to even: the average has eight decimals, so that it may be a won off.
    """
    sent: Decimal | None = row["pchs_amt"]
    if basis is Basis.PURCHASE and sent is not None:
        return sent
    price, held = row["ccld_avg_unpr1"], row["cblc_qty"]
    return None if None in (price, held, size) else _won(price * held * size)


def _signed(sign: int | None, amount: Decimal | None) -> Decimal | None:
    if sign == 0:
        return Decimal(0)
    return None if sign is None or amount is None else sign * amount


def _won(amount: Decimal) -> Decimal:
    return EXACT.quantize(amount.quantize(_ONE, ROUND_HALF_EVEN), _ONE)


@exactly
def _measures(balance: Balance, as_of: datetime) -> dict[str, Any]:
    """What the summary's row says of equity and margin, in the order of `MEASURES`."""
    summary = balance.summary
    equity, source = summary_figure(summary, "prsm_dpast_amt"), "sent"
    if equity is None:
        equity = estimate_equity(balance.positions, summary, balance.excc_stat_cd)
        source = "estimate"
    foreign = summary_figure(summary, "frcr_dncl_amt")
    if foreign is not None:
        foreign = foreign.quantize(_ONE, ROUND_FLOOR)
    margin = summary_figure(summary, "mgna_tota")
    initial = balance.mgna_dvsn is Margin.INITIAL
    maintenance = None if initial else margin
    if maintenance is None:
        # The new TR does not use the field: a 0 in it means nothing.
        old = summary_figure(summary, "mmga_tot_amt")
        maintenance = old if old is not None and old > 0 else None
    return {
        "positions": balance.positions.height,
        "krw_equity": None if equity is None else equity - (foreign or 0),
        "foreign_deposit": foreign,
        "equity_source": None if equity is None else source,
        "initial_margin": margin if initial else None,
        "maintenance_margin": maintenance,
        "settled_on": last_settlement_day(as_of),
    }
