"""What the recorder and the backfill need of a history, so that neither imports `History`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._account import Account
    from kis_nb._frames.balance import Balance
    from kis_nb._history.schema import Folder

T = TypeVar("T")


class Store(Protocol):
    """Takes snapshots, and gives what it holds; `kis_nb._history.history.History` is one."""

    def append(self, balances: Balance, /) -> int:
        """Keep a snapshot, and say how many were new."""

    def append_rows(self, positions: pl.DataFrame, summary: pl.DataFrame, /) -> int:
        """Keep rows that are in the columns of the history, and say how many snapshots were new."""

    def account_id(self, account: Account, /) -> str:
        """What the history calls an account."""

    def compact(self, date: date | None = None, /) -> int:
        """Merge the small files of a day."""

    def summary(
        self, engine: None = None, *, start: date | None = None, end: date | None = None
    ) -> Any:
        """The rows of the folder ``summary``, with their ``date``, as a Polars LazyFrame."""

    def asked(
        self, folder: Folder, ask: Callable[[], T], start: date | None, end: date | None, /
    ) -> T:
        """What a question gives, asked again when files were replaced or are damaged."""

    @property
    def _files(self) -> Any:
        """Where the files are; has a ``root`` when that is a folder of this machine."""

    @property
    def _about(self) -> Any:
        """Refuses accounts that do not belong into this history."""
