"""`Recording`: what a recorder kept and what it missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True)
class Recording:
    """What a recorder kept and what it missed.

    Attributes:
        first, last: when the first and the last snapshot were pulled; aware, Asia/Seoul; None when
            nothing was kept.
        snapshots: how many were kept.
        every: seconds between two pulls, at the end: longer than asked for when the pulls did not
            fit.
        missed: a row for each gap, in the order in which they began: ``account_label``,
            ``mgna_dvsn``, ``excc_stat_cd``, ``first`` and ``last`` (the moments of the first and
            the last pull that was missed, UTC), ``pulls`` (how many), ``why``.
        unmoved: masked labels of accounts with positions of which no figure moved in an hour or
            more: there may have been no session.
    """

    first: datetime | None
    last: datetime | None
    snapshots: int
    every: float
    missed: pl.DataFrame = field(repr=False)
    unmoved: tuple[str, ...] = ()
