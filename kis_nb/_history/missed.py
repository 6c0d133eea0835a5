"""What a recorder missed: which pull, from when to when, how often, and why."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kis_nb._account import Account
from kis_nb._codes import View

if TYPE_CHECKING:
    import polars as pl


@dataclass(slots=True)
class Gap:
    """Pulls of one view that brought nothing, one after the other, for one reason.

    Attributes:
        view: account and codes.
        first, last: the ticks of the first and the last of them, in seconds since 1970.
        count: how many they are.
        why: what kept them from being made or kept; holds no secret.
    """

    view: View
    first: float
    last: float
    count: int
    why: str


class Missed:
    """The gaps of all views. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._gaps: list[Gap] = []
        self._open: dict[View, Gap] = {}

    def add(
        self, view: View, tick: float, why: str, count: int = 1, *, last: float | None = None
    ) -> bool:
        """A view was not pulled at a tick, or at several, of which `last` is the last one.

        Returns:
            Whether that begins a gap.
        """
        with self._lock:
            gap = self._open.get(view)
            if gap is not None and gap.why == why:
                gap.last, gap.count = last or tick, gap.count + count
                return False
            self._open[view] = Gap(view, tick, last or tick, count, why)
            self._gaps.append(self._open[view])
            return True

    def end(self, view: View) -> bool:
        """A view was pulled: whether that ends a gap."""
        with self._lock:
            return self._open.pop(view, None) is not None

    @property
    def count(self) -> int:
        """How many pulls were missed."""
        with self._lock:
            return sum(gap.count for gap in self._gaps)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """All gaps, in the order in which they began."""
        with self._lock:
            return tuple(self._gaps)

    @property
    def current(self) -> tuple[Gap, ...]:
        """Those that have not ended."""
        with self._lock:
            return tuple(self._open.values())


def gap_frame(gaps: Iterable[Gap], label_of: Mapping[Account, str]) -> pl.DataFrame:
    """The gaps as a frame; see `Recording.missed`."""
    import polars as pl

    times = pl.Datetime("us", "UTC")
    return pl.DataFrame(
        [
            (
                label_of[gap.view[0]],
                gap.view[1].value,
                gap.view[2].value,
                datetime.fromtimestamp(gap.first, UTC),
                datetime.fromtimestamp(gap.last, UTC),
                gap.count,
                gap.why,
            )
            for gap in gaps
        ],
        schema={
            "account_label": pl.String,
            "mgna_dvsn": pl.String,
            "excc_stat_cd": pl.String,
            "first": times,
            "last": times,
            "pulls": pl.Int64,
            "why": pl.String,
        },
        orient="row",
    )
