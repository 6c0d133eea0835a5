"""Each account's last snapshot at a moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import polars as pl

from kis_nb._account import Account
from kis_nb._history.schema import FOLDERS

# Of snapshots of one moment the last view in this order.
_ORDER = ("as_of", "mgna_dvsn", "excc_stat_cd", "snapshot")


class AsOf(NamedTuple):
    """The last snapshot of each account at a moment.

    Attributes:
        positions: as `History.positions`, collected.
        summary: as `History.summary`, collected; one row an account.
    """

    positions: pl.DataFrame
    summary: pl.DataFrame


def last_snapshots(
    collected: Callable[..., pl.DataFrame], account: str | Account | None, time: datetime
) -> AsOf:
    """Each account's last snapshot at or before a moment.

    Args:
        collected: rows of a folder, account, first and last day or moment, and these columns.
        account: one account; None for all.
        time: aware.
    """
    last = (
        collected("summary", account, None, time, "account", "date", *_ORDER)
        .sort(_ORDER)
        .group_by("account", maintain_order=True)
        .last()
    )
    if last.is_empty():
        return AsOf(*(collected(folder, account, time, time).clear() for folder in FOLDERS))
    positions, summary = (
        pl.concat(
            collected(folder, account, day, day).filter(
                pl.col("snapshot").is_in(rows["snapshot"].implode())
            )
            for (day,), rows in last.sort("date").group_by("date", maintain_order=True)
        )
        for folder in FOLDERS
    )
    return AsOf(positions.sort("account", "row"), summary.sort("account"))
