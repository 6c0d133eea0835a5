"""What KIS still knows of a past trading day, as rows of the history.

CTFO6117R gives the day's closing, CTFO6119R the day's trades by product; the two are joined by
``pdno``. The rows are marked by their source, ``settlement``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._frames.decimal_context import EXACT, exactly
from kis_nb._frames.equity_estimate import summary_figure
from kis_nb._frames.position_products import MasterHandle, products_of
from kis_nb._frames.sides import read_sides
from kis_nb._history.schema import KEYS, KNOWN, MEASURES, PRODUCTS, VALUES, Folder, unknown_names
from kis_nb._history.snapshot_rows import in_order
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from collections.abc import Mapping

SOURCE = "settlement"
# The day session ends, and KIS settles.
CLOSES = time(15, 45)
_EIGHT = Decimal("1e-8")
_SIGN = {"long": 1, "short": -1, "flat": 0}
# Of the day's trades by product, as the history's columns are called.
TRADED = ("sll_agrm_amt", "sll_fee", "buy_agrm_amt", "buy_fee", "tot_fee_smtl", "trad_pfls")


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure that KIS's two calls give differently.

    Attributes:
        date: the trading day.
        what: ``fee`` or ``trad_pfls_amt``, the account's; ``pdno`` with a product that CTFO6119R
            has and CTFO6117R has not.
        settlement: by CTFO6117R.
        trades: by CTFO6119R, the sum of the day's products.
    """

    date: date
    what: str
    settlement: Decimal | None
    trades: Decimal | None


@dataclass(frozen=True, slots=True)
class PastDay:
    """One account's trading day, as rows of the history.

    Attributes:
        positions: rows of the folder ``positions``.
        summary: the row of the folder ``summary``.
        differences: where the two calls do not agree.
    """

    positions: pl.DataFrame
    summary: pl.DataFrame
    differences: tuple[Difference, ...]


def closing(day: date) -> datetime:
    """When a trading day's session ends and is settled: 15:45 in Seoul, as UTC."""
    return datetime.combine(day, CLOSES, KST).astimezone(UTC)


def is_empty(rows: pl.DataFrame, summary: pl.DataFrame) -> bool:
    """Whether an answer of CTFO6117R says nothing: no row, and no figure other than 0."""
    return rows.is_empty() and not any(
        summary_figure(summary, field.name) for field in SETTLEMENT_PL.summary.fields
    )


@exactly
def past_day(
    day: date,
    keys: Mapping[str, Any],
    rows: pl.DataFrame,
    summary: pl.DataFrame,
    trades: pl.DataFrame | None,
    master: MasterHandle | None,
) -> PastDay:
    """Join a day's two answers.

    Args:
        day: the trading day.
        keys: ``account``, ``account_label`` and ``demo`` of the history's rows.
        rows, summary: of CTFO6117R.
        trades: the day's rows of CTFO6119R; None when that call was refused.
        master: KIS's master files, for what code and name of a product leave open.

    Returns:
        The rows, and what does not agree.
    """
    by_product, differences = _compare(day, rows, summary, trades)
    every = {
        **keys,
        "as_of": closing(day),
        "mgna_dvsn": None,
        "excc_stat_cd": None,
        "source": SOURCE,
    }
    return PastDay(
        _positions(rows, by_product, every, master),
        _summary(rows, summary, every, day),
        differences,
    )


def _compare(
    day: date, rows: pl.DataFrame, summary: pl.DataFrame, trades: pl.DataFrame | None
) -> tuple[pl.DataFrame, tuple[Difference, ...]]:
    """The day's trades, a row a product; and where they do not agree with the closing."""
    if trades is None:
        trades = pl.DataFrame(schema={name: pl.Decimal(38, 0) for name in TRADED})
        return trades.with_columns(pdno=pl.lit(None, pl.String)), ()
    trades = trades.group_by("pdno", maintain_order=True).agg(
        *(_sum(pl.col(name)) for name in TRADED)
    )
    found = [
        ("fee", summary_figure(summary, "fee"), _total(trades, "tot_fee_smtl")),
        ("trad_pfls_amt", _total(rows, "trad_pfls_amt"), _total(trades, "trad_pfls")),
    ]
    differences = [
        Difference(day, what, settled, traded)
        for what, settled, traded in found
        if (settled or Decimal(0)) != (traded or Decimal(0))
    ]
    missing = trades.filter(~pl.col("pdno").is_in(rows["pdno"].implode()))
    differences += [
        Difference(day, f"pdno {row['pdno']}", None, row["trad_pfls"])
        for row in missing.iter_rows(named=True)
    ]
    return trades, tuple(differences)


def _sum(column: pl.Expr) -> pl.Expr:
    """The sum; null where every value is."""
    total = column.cast(pl.Decimal(38, 0)).sum()
    return pl.when(column.is_not_null().any()).then(total)


def _total(frame: pl.DataFrame, column: str) -> Decimal | None:
    value: Decimal | None = frame.select(_sum(pl.col(column))).item()
    return value


def _positions(
    rows: pl.DataFrame,
    trades: pl.DataFrame,
    keys: Mapping[str, Any],
    master: MasterHandle | None,
) -> pl.DataFrame:
    # Should KIS send the names that are used here, they are unknown fields.
    taken = [n for n in rows.columns if n in {"shtn_pdno", "_first", "side", *TRADED}]
    rows = rows.rename({name: f"wire_{name}" for name in taken})
    # Of several rows of one product, the first gets what was traded of it.
    first = pl.int_range(pl.len()).over("pdno") == 0
    named = rows.with_columns(first.alias("_first")).join(
        trades.with_columns(_first=pl.lit(value=True)),
        on=["pdno", "_first"],
        how="left",
        maintain_order="left",
    )
    named = named.drop("_first").rename({"pdno": "shtn_pdno"})
    sides = read_sides(
        named.select(
            "cblc_qty",
            sll_buy_dvsn_name="trad_dvsn_name",
            sll_buy_dvsn_cd=pl.lit(None, pl.String),
        )
    ).cast(pl.String)
    columns = PRODUCTS | VALUES
    cells = [
        (
            product.kind,
            product.product,
            product.underlying,
            product.expiry,
            product.strike,
            product.multiplier,
            *_values(row, side),
        )
        for row, side, product in zip(
            named.iter_rows(named=True), sides, products_of(named, master), strict=True
        )
    ]
    named = _widened(named, "positions")
    height = named.height
    return in_order(
        named.with_columns(
            *(pl.Series(name, [value] * height, KEYS[name]) for name, value in keys.items()),
            pl.Series("row", range(height), pl.Int32),
            sides,
            *(
                pl.Series(name, [cell[at] for cell in cells], dtype)
                for at, (name, dtype) in enumerate(columns.items())
            ),
        ),
        "positions",
    )


def _values(row: Mapping[str, Any], side: str | None) -> tuple[Any, ...]:
    """Quantity, value of a contract, value and cost, in the order of `VALUES`."""
    sign = _SIGN.get(side or "")
    held, market, gain = row["cblc_qty"], row["evlu_amt"], row["evlu_pfls_amt"]
    one = EXACT.quantize(market / held, _EIGHT) if held and market is not None else None
    if sign == 0:
        return 0, one, Decimal(0), Decimal(0)
    if sign is None:
        return None, one, None, None
    value = None if market is None else sign * market
    cost = None if value is None or gain is None else value - gain
    return None if held is None else sign * held, one, value, cost


def _summary(
    rows: pl.DataFrame, summary: pl.DataFrame, keys: Mapping[str, Any], day: date
) -> pl.DataFrame:
    def figure(name: str) -> Decimal | None:
        return summary_figure(summary, name)

    equity = [figure(name) for name in ("nxdy_dnca", "dnca_sbst", "opt_lqd_evlu_amt")]
    sold, bought = figure("opt_sll_chgs"), figure("opt_buy_chgs")
    measures = {
        "positions": rows.height,
        "krw_equity": None if equity[0] is None else sum(filter(None, equity), Decimal(0)),
        "foreign_deposit": None,
        "equity_source": None if equity[0] is None else SOURCE,
        "initial_margin": figure("brkg_mgna_tota"),
        "maintenance_margin": figure("mmga_tota"),
        "settled_on": day,
    }
    premiums = None if sold is None or bought is None else sold - bought
    return in_order(
        _widened(summary, "summary").with_columns(
            *(pl.Series(name, [value], KEYS[name]) for name, value in keys.items()),
            *(pl.Series(name, [value], MEASURES[name]) for name, value in measures.items()),
            pl.Series("opt_dfpa", [premiums], pl.Decimal(38, 0)),
        ),
        "summary",
    )


def _widened(frame: pl.DataFrame, folder: Folder) -> pl.DataFrame:
    """Documented fields in the history's types, unknown ones under the names they have there."""
    known = KNOWN[folder]
    block = SETTLEMENT_PL.rows if folder == "positions" else SETTLEMENT_PL.summary
    documented = {field.name for field in block.fields} | {"shtn_pdno"} | set(TRADED)
    others = unknown_names((name for name in frame.columns if name not in documented), folder)
    return frame.rename(others).cast({n: known[n] for n in frame.columns if n in documented})
