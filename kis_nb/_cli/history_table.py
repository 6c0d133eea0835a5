"""What a history has, a row for each account and trading day, for the terminal."""

from __future__ import annotations

import json
from typing import Literal, TypeAlias

import polars as pl

from kis_nb._choices import Lang
from kis_nb._cli import text_table

Format: TypeAlias = Literal["table", "csv", "json"]

_HEADS: dict[str, tuple[str, str]] = {
    "date": ("거래일", "Trading day"),
    "account_label": ("계좌", "Account"),
    "snapshots": ("스냅샷", "Snapshots"),
    "source": ("출처", "Source"),
    "first_equity": ("처음 평가예탁", "First equity"),
    "last_equity": ("마지막 평가예탁", "Last equity"),
    "night_pnl": ("야간 손익", "Night P&L"),
    "lowest_room": ("최소 여유", "Lowest room"),
}
_NIGHT_ENDS = 6


def day_rows(summary: pl.LazyFrame) -> pl.DataFrame:
    """A row for each account and trading day.

    Args:
        summary: of `History.summary`.

    Returns:
        ``date``, ``account``, ``account_label``, ``demo``, ``snapshots`` (how many), ``source``
        (``snapshot``, ``settlement``, or both), ``first_equity``, ``last_equity``, ``lowest_room``
        (the least equity less maintenance margin) and ``night_pnl`` (what the equity changed by
        between the first and the last snapshot of the night, 18:00 to 06:00), in won. Null where no
        snapshot has the figure; the foreign deposit counts where the account's every row has it.
    """
    seoul = pl.col("as_of").dt.convert_time_zone("Asia/Seoul")
    known = pl.col("foreign_deposit").is_not_null().all().over("account")
    equity = pl.col("krw_equity") + pl.when(known).then("foreign_deposit").otherwise(0)
    night = (
        (seoul.dt.hour() >= 18)
        | (seoul.dt.hour() < _NIGHT_ENDS)
        | ((seoul.dt.hour() == _NIGHT_ENDS) & (seoul.dt.minute() == 0))
    )
    recorded = night & (pl.col("source") == "snapshot") & pl.col("equity").is_not_null()
    there = pl.col("equity").drop_nulls()
    at_night = pl.col("equity").filter(recorded)
    return (
        summary.select(
            "date",
            "account",
            "account_label",
            "demo",
            "source",
            "as_of",
            "maintenance_margin",
            equity=equity.cast(pl.Decimal(38, 0)),
        )
        .sort("account", "date", "as_of")
        .group_by("account", "date", maintain_order=True)
        .agg(
            pl.col("account_label").last(),
            pl.col("demo").any(),
            pl.len().cast(pl.Int64).alias("snapshots"),
            pl.col("source").unique().sort(descending=True).str.join("+"),
            there.first().alias("first_equity"),
            there.last().alias("last_equity"),
            (pl.col("equity") - pl.col("maintenance_margin")).min().alias("lowest_room"),
            (at_night.last() - at_night.first()).alias("night_pnl"),
        )
        .select(
            *("date", "account", "account_label", "demo", "snapshots", "source"),
            *("first_equity", "last_equity", "lowest_room", "night_pnl"),
        )
        .sort("account_label", "account", "date")
        .collect()
    )


def printed(rows: pl.DataFrame, form: Format, lang: Lang) -> str:
    """The rows as a table for people, or as CSV or JSON with every digit."""
    if form == "csv":
        return rows.write_csv()
    if form == "json":
        money = [name for name, dtype in rows.schema.items() if isinstance(dtype, pl.Decimal)]
        texts = rows.with_columns(pl.col(money).cast(pl.String), pl.col("date").cast(pl.String))
        return json.dumps(texts.to_dicts(), ensure_ascii=False, indent=1) + "\n"
    place = 0 if lang == "ko" else 1
    cells = [
        ["–" if row[name] is None else _cell(row[name]) for name in _HEADS]
        for row in rows.iter_rows(named=True)
    ]
    drawn = text_table.lines([head[place] for head in _HEADS.values()], cells, left=(0, 1, 3))
    text = "".join(f"{line}\n" for line in drawn)
    if rows.is_empty():
        return ("보관된 것이 없습니다.", "nothing is kept here")[place] + "\n"
    mark = ("DEMO: 지어낸 계좌입니다.", "DEMO: these accounts are invented")[place]
    return f"{mark}\n{text}" if rows["demo"].any() else text


def _cell(value: object) -> str:
    return str(value) if isinstance(value, str) or hasattr(value, "isoformat") else f"{value:,}"


def filled_lines(result: pl.DataFrame, lang: Lang) -> list[str]:
    """What a backfill did, a line an account, and what failed or differs."""
    korean = lang == "ko"
    lines: list[str] = []
    for row in result.iter_rows(named=True):
        figures = (row["filled"], row["already_there"], row["without_data"], row["failed"])
        said = (
            "채움 {}일, 이미 있음 {}일, 자료 없음 {}일, 실패 {}일"
            if korean
            else "filled {} day(s), {} already there, {} without data, {} failed"
        )
        lines.append(f"{row['account_label']}: {said.format(*figures)}")
        lines += [
            f"  {one['date']} {one['call']} {one['error']}: {one['why']}" for one in row["failures"]
        ]
        differs = "두 조회가 다름" if korean else "the two calls differ"
        lines += [
            f"  {one['date']} {one['what']}: {differs}, {_won(one['settlement'])} (CTFO6117R), "
            f"{_won(one['trades'])} (CTFO6119R)"
            for one in row["differences"]
        ]
    return lines


def _won(value: object) -> str:
    return "–" if value is None else f"{value:,}"
