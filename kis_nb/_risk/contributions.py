"""What each position makes of a scenario."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import polars as pl

from kis_nb._frames.sides import SIDE
from kis_nb._risk.reprice import Repricer

_SCHEMA: dict[str, Any] = {
    "pdno": pl.String,
    "prdt_name": pl.String,
    "side": SIDE,
    "quantity": pl.Int64,
    "pnl": pl.Float64,
}


def contributions_frame(
    positions: pl.DataFrame, repricer: Repricer | None, spot: float, vol: float, at: datetime
) -> pl.DataFrame:
    """The frame of `Risk.contributions`, which describes its columns.

    Args:
        positions: of the balance.
        repricer: the legs of one underlying; None when nothing is priced.
        spot, vol, at: as of `Repricer.pnl`.
    """
    if repricer is None:
        return pl.DataFrame(schema=_SCHEMA)
    before = repricer.now_values
    after = repricer.values(spot, vol, at)
    rows = [
        (
            *(positions[name][one.leg.row] for name in ("pdno", "prdt_name", "side")),
            one.leg.quantity,
            then - now,
        )
        for one, now, then in zip(repricer.legs, before, after, strict=True)
    ]
    rows.sort(key=lambda row: row[-1])
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")
