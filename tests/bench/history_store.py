"""A history of many accounts, written in the store's own layout as its compaction leaves it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl

from kis_nb._history.compaction import _group_size
from kis_nb._history.layout import ABOUT, Merged, day_folder, list_name, merged_name
from kis_nb._history.schema import POSITIONS, SUMMARY, VERSION, Columns

HELD = 5
MINUTES = 100


def days(count: int) -> list[date]:
    """So many weekdays."""
    first = date(2026, 1, 5)
    return [
        day for day in (first + timedelta(days=n) for n in range(count * 2)) if day.weekday() < 5
    ][:count]


def account(number: int) -> str:
    """A pseudonym; their order is not the order of numbers."""
    return f"{number * 0x9E3779B97F4A7C15 % 2**64:016x}"


def write(root: Path, rows: int, parts: int) -> int:
    """Write about so many position rows over `parts` trading days; gives how many accounts."""
    accounts = max(rows // (parts * MINUTES * HELD), 1)
    about = {"version": VERSION, "accounts": "pseudonym", "key_check": "", "demo": True}
    root.mkdir(parents=True)
    (root / ABOUT).write_text(json.dumps(about), encoding="utf-8")
    for at, day in enumerate(days(parts)):
        summary = _summary(accounts, at, day)
        for folder, frame, schema in (
            ("summary", summary, SUMMARY),
            ("positions", _positions(summary, at), POSITIONS),
        ):
            _file(root / folder / day_folder(day), _complete(frame, schema))
    return accounts


def _file(place: Path, rows: pl.DataFrame) -> None:
    """One merged file and its list."""
    place.mkdir(parents=True)
    name = merged_name(f"{0:024x}")
    rows.write_parquet(
        place / name,
        compression="zstd",
        statistics=True,
        row_group_size=_group_size(rows),
        metadata={"kis_nb_history": str(VERSION)},
    )
    (place / list_name(0)).write_bytes(Merged(0, (name,), frozenset()).write())


def _complete(frame: pl.DataFrame, schema: Columns) -> pl.DataFrame:
    """All columns: those of KIS that nothing here asks for get a figure or a word all the same."""
    filled = {
        name: pl.lit("word")
        if kind == pl.String()
        else (pl.col("noise") * 1009 + at * 7919).cast(pl.Int64)
        for at, (name, kind) in enumerate(schema.items())
        if name not in frame.columns and kind != pl.Date()
    }
    lacking = {name: pl.lit(None) for name, kind in schema.items() if kind == pl.Date()}
    lacking = {name: none for name, none in lacking.items() if name not in frame.columns}
    return frame.with_columns(**filled, **lacking).select(
        pl.col(name).cast(kind) for name, kind in schema.items()
    )


def _summary(accounts: int, at: int, day: date) -> pl.DataFrame:
    """A night of every account, a snapshot a minute."""
    start = datetime(day.year, day.month, day.day, 9, tzinfo=UTC) - timedelta(days=1)
    names = sorted(account(number) for number in range(accounts))
    who = pl.DataFrame({"account": names, "number": range(accounts)})
    when = pl.DataFrame({"minute": range(MINUTES)})
    seed = (pl.col("number") * 7_919 + pl.col("minute") * 104_729 + at * 1_299_709) % 65_521
    fee = pl.col("minute") * 700
    return (
        who.join(when, how="cross")
        .with_columns(noise=seed)
        .with_columns(
            account_label=pl.format("8{}*****-03", pl.col("number").cast(pl.String).str.zfill(4)),
            as_of=pl.lit(start) + pl.duration(minutes=pl.col("minute") * 13, seconds=7),
            snapshot=pl.format("{}{}", pl.col("account"), pl.col("noise") + 65_521 * at),
            mgna_dvsn=pl.lit("02"),
            excc_stat_cd=pl.lit("2"),
            source=pl.lit("snapshot"),
            demo=pl.lit(value=True),
            fee=fee,
            krw_equity=500_000_000 + pl.col("noise") * 4_001,
            foreign_deposit=pl.lit(1_000_000),
            maintenance_margin=300_000_000 + pl.col("noise") * 1_001,
            dnca_cash=400_000_000 - fee,
            dnca_sbst=pl.lit(70_000_000),
            settled_on=pl.lit(day - timedelta(days=1)),
        )
    )


def _positions(summary: pl.DataFrame, at: int) -> pl.DataFrame:
    """What each holds."""
    contracts = pl.DataFrame({"row": range(HELD)})
    key = ["account", "account_label", "as_of", "snapshot", "mgna_dvsn", "excc_stat_cd", "source"]
    quantity = (pl.col("row") * 3 + pl.col("noise") // 9_000) % 9 - 4
    value = 80_000_000 + (pl.col("minute") + at * MINUTES) * 2_500 + pl.col("noise") % 64 * 2_500
    return (
        summary.select(*key, "demo", "minute", "noise")
        .join(contracts, how="cross")
        .with_columns(
            shtn_pdno=pl.format("A0161{}", pl.col("row")),
            product=pl.format("product {}", pl.col("row") % 3),
            expiry=pl.lit(date(2026, 12, 10)),
            quantity=quantity,
            contract_value=value,
            open_value=quantity * value,
            open_cost=quantity * 80_000_000,
        )
    )
