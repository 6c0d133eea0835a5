"""`history` and `History`: what was pulled, kept."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import polars as pl

from kis_nb._account import Account
from kis_nb._choices import check_choice
from kis_nb._errors import HistoryError
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import trading_date
from kis_nb._history.about import About
from kis_nb._history.column_names import ColumnNames
from kis_nb._history.compaction import Compaction
from kis_nb._history.filling import Filling
from kis_nb._history.last_snapshots import AsOf, last_snapshots
from kis_nb._history.layout import day_folder
from kis_nb._history.local_files import LocalFiles, typed
from kis_nb._history.pseudonyms import Accounts, Pseudonyms
from kis_nb._history.reading import Day, Listing, Question, frame
from kis_nb._history.schema import FOLDERS, Folder
from kis_nb._history.snapshot_rows import Snapshot, snapshot_of, snapshot_of_rows
from kis_nb._history.writing import commit

if TYPE_CHECKING:
    from kis_nb._history.object_files import ObjectFiles

# How often files are listed again when a compaction replaced some in between.
_ATTEMPTS = 5
T = TypeVar("T")
_URL = re.compile(r"[a-z][a-z0-9+.-]+://")


def history(
    path: str | os.PathLike[str],
    *,
    accounts: Accounts = "pseudonym",
    storage_options: Mapping[str, Any] | None = None,
) -> History:
    """Open a history: a folder, or a place in an object store, where balances are kept.

    Nothing is read or written before the first use; the folder is made by the first append.

    Args:
        path: a folder, or a URL such as ``s3://bucket/prefix``, which takes the extra
            ``kis_nb[object-store]``.
        accounts: ``"pseudonym"``: files and columns name an account by a pseudonym. Its key is in
            a file of the user's own, which the variable ``KIS_NB_HISTORY_KEY`` may name; whoever
            is to find an account by its number needs that file. ``"number"``: by the plain number.
        storage_options: of an object store, as Polars takes them, such as ``aws_region``.

    Returns:
        The history.

    Raises:
        HistoryError: an object store without the extra.
        ValueError: another value of `accounts`.
    """
    check_choice("accounts", accounts, get_args(Accounts))
    return History(path, accounts, storage_options)


class History:
    """Balances that were kept, as Parquet files that any engine reads.

    Below its folder are ``positions/date=2026-11-23/`` and ``summary/date=2026-11-23/``. The date
    is the trading day, to which the night before it belongs (18:00 to 18:00, Seoul). Money is exact
    in ``Decimal(38, …)``, times are UTC.

    A snapshot counts once its summary's file has its name: readers see whole files only. A history
    keeps real accounts or those of the embedded broker, never both. A frame that was asked for
    lists files; if the day is compacted before it is collected, the engine says that a file is
    missing, and the frame must be asked for again.

    Args:
        path, accounts, storage_options: see `history`.
    """

    record = Filling.record
    backfill = Filling.backfill

    def __init__(
        self,
        path: str | os.PathLike[str],
        accounts: Accounts = "pseudonym",
        storage_options: Mapping[str, Any] | None = None,
    ) -> None:
        self._pseudonyms = Pseudonyms(accounts)
        # Credentials may be in them.
        self._storage_options = storage_options
        self._files = _files(path, storage_options)
        self._listing = Listing(self._files)
        self._about = About(self._files, self._pseudonyms)
        self._columns = ColumnNames(self._files)

    def __repr__(self) -> str:
        return f"<History {self._files!r}>"

    def append(self, balances: Balance | Iterable[Balance]) -> int:
        """Keep balances.

        Each is one snapshot, in a new file of each folder. The same balance twice is one.

        Args:
            balances: one, or several, such as `Balances`.

        Returns:
            How many were not there before.

        Raises:
            HistoryError: the disk is full or may not be written, or the history keeps other
                accounts: of the embedded broker or real ones, under another key or plain numbers.
                The balances before the one that failed are kept.
        """
        given = [balances] if isinstance(balances, Balance) else balances
        written = 0
        for balance in given:
            self._about.check(demo=balance.demo)
            name = self._pseudonyms.name(balance.account)
            written += self._commit(snapshot_of(balance, name))
        return written

    def append_rows(self, positions: pl.DataFrame, summary: pl.DataFrame) -> int:
        """Keep one snapshot that was made elsewhere, in the history's columns; for the package.

        Args:
            positions: its rows; columns that are missing are null. ``snapshot`` is filled in.
            summary: its one row, with at least ``account``, ``as_of``, ``source`` and ``demo``.

        Returns:
            1, or 0 when it was there before.

        Raises:
            HistoryError: as in `append`.
        """
        snapshot = snapshot_of_rows(positions, summary)
        self._about.check(demo=bool(summary["demo"][0]))
        return self._commit(snapshot)

    def summary(
        self,
        engine: Any = None,
        *,
        account: str | Account | None = None,
        start: Day = None,
        end: Day = None,
    ) -> Any:
        """The summaries of all snapshots, one row each, lazily.

        Args:
            engine: None for Polars, a DuckDB connection, or a Spark session.
            account: one account: see `account_id`.
            start, end: trading days or moments, both included; ISO text will do.

        Returns:
            A Polars LazyFrame, a DuckDB relation or a Spark DataFrame with the same columns and
            values: ``date`` (the trading day), the keys (``account``, ``account_label``, ``as_of``
            in UTC, ``mgna_dvsn``, ``excc_stat_cd``, ``source``, ``demo``, ``snapshot``), the fields
            of ``output2`` in won, what was worked out from them, and unknown fields as text. Null
            is a figure that was not sent. No rows, but all columns, when nothing was kept.

        Raises:
            HistoryError: the folder cannot be read, or is of a later version.
            ValueError: a bound is no day and no moment.
        """
        return self._read("summary", engine, account, start, end)

    def positions(
        self,
        engine: Any = None,
        *,
        account: str | Account | None = None,
        start: Day = None,
        end: Day = None,
    ) -> Any:
        """The positions of all snapshots, lazily.

        Args:
            engine, account, start, end: as in `summary`.

        Returns:
            As in `summary`: ``date``, the keys, ``row`` (from 0 in each snapshot), the fields of
            ``output1``, ``side``, the product's columns, and the signed figures ``quantity``,
            ``contract_value``, ``open_value`` and ``open_cost`` in won, the cost at the fills. With
            EXCC_STAT_CD 1 ``open_cost`` is the average fill price × quantity × multiplier, rounded
            half to even to the won.

        Raises:
            HistoryError, ValueError: as in `summary`.
        """
        return self._read("positions", engine, account, start, end)

    def as_of(self, time: datetime, account: str | Account | None = None) -> AsOf:
        """Each account's last snapshot at or before a moment.

        Args:
            time: aware.
            account: one account: see `account_id`; None for all.

        Returns:
            Its positions and summaries as Polars frames. An account without a snapshot by then has
            no rows.

        Raises:
            HistoryError: as in `summary`.
            ValueError: a time without a time zone.
        """
        return last_snapshots(self._collected, account, time)

    def files(self, folder: Folder) -> list[str]:
        """The files of a folder that count, for an engine that `summary` does not know.

        Args:
            folder: ``"positions"`` or ``"summary"``.

        Returns:
            Their paths or URLs; each row of the history is in exactly one of them.

        Raises:
            HistoryError: as in `summary`.
            ValueError: another folder.
        """
        check_choice("folder", folder, FOLDERS)
        with typed(self._files):
            self._about.read()
            return self._listing.counted(folder, Question())

    def compact(self, date: date | str | None = None) -> int:
        """Merge the small files of a day into one in each folder, sorted by account and time.

        Readers and writers go on meanwhile. What is asked again of a merged day reads a few large
        pieces instead of thousands of files. A day may be merged again once there are new files.

        Args:
            date: a trading day; None for every day before the present one.

        Returns:
            How many snapshots were merged.

        Raises:
            HistoryError: a file is damaged, or as in `append`. Nothing is lost.
        """
        with typed(self._files):
            self._about.read()
            if date is None:
                from kis_nb._seoul import KST

                today = trading_date(datetime.now(KST))
                days = [day for day in sorted(self._listing.days("summary")) if day < today]
            else:
                days = [date if not isinstance(date, str) else _day(date)]
            compact = Compaction(
                self._files, self._listing, self._columns.of, self._storage_options
            )
            count = 0
            failed: list[Exception] = []
            for day in days:
                try:
                    count += compact.day(day_folder(day))
                except (HistoryError, OSError) as error:
                    # The other days are merged all the same.
                    failed.append(error)
            if failed:
                raise failed[0]
            return count

    def account_id(self, account: str | Account) -> str:
        """What the column ``account`` calls an account.

        Args:
            account: its number, an `Account`, its label as the column ``account_label`` has it, or
                what the column ``account`` has.

        Returns:
            The pseudonym, or the number in a history of plain numbers.

        Raises:
            HistoryError: no account, or several, have this label; the text is none of these; or the
                key cannot be read.
        """
        if isinstance(account, str) and self._pseudonyms.is_name(account):
            return account
        found = Account.read(account)
        if isinstance(found, Account):
            self._about.read()
            return self._pseudonyms.name(found)
        labels = self._collected("summary", None, None, None, "account", "account_label").unique()
        ids = labels.filter(pl.col("account_label") == account)["account"].to_list()
        account = ""
        if len(ids) == 1:
            return str(ids[0])
        known = ", ".join(sorted(set(labels["account_label"])))
        raise HistoryError(
            f"{len(ids) or 'no'} accounts of {self!r} have this label: pass the number or what the "
            f"column account has; there are {known or 'none'}"
        )

    def _read(
        self, folder: Folder, engine: Any, account: str | Account | None, start: Day, end: Day
    ) -> Any:
        name = None if account is None else self.account_id(account)
        question = Question.of(name, start, end)
        for _ in range(_ATTEMPTS):
            with typed(self._files), contextlib.suppress(FileNotFoundError):
                self._about.read()
                paths = self._listing.counted(folder, question)
                # After the files: what came with them is known by now.
                columns = self._columns.of(folder)
                return frame(
                    paths,
                    columns,
                    question,
                    engine,
                    root=self._files.join(folder),
                    storage_options=self._storage_options,
                )
        raise HistoryError(f"{self!r}: files disappear while they are read")

    def _collected(
        self, folder: Folder, account: str | Account | None, start: Day, end: Day, *columns: str
    ) -> pl.DataFrame:
        """Rows now."""

        def ask() -> pl.DataFrame:
            rows = self._read(folder, None, account, start, end)
            collected: pl.DataFrame = (rows.select(columns) if columns else rows).collect()
            return collected

        return self.asked(folder, ask, start, end)

    def asked(self, folder: Folder, ask: Callable[[], T], start: Day = None, end: Day = None) -> T:
        """What a question gives; for the package.

        It is asked again when a compaction replaced a file in between, and without the files whose
        damage only shows when all of them is read, each of which is named once.

        Args:
            folder: whose files it reads.
            ask: calls `summary` or `positions`, and collects with Polars.
            start, end: as `ask` has them.

        Returns:
            What `ask` returns.

        Raises:
            HistoryError: as in `summary`, or Polars fails for another reason.
        """
        for _ in range(_ATTEMPTS):
            try:
                return ask()
            except FileNotFoundError:
                pass
            except pl.exceptions.PolarsError as error:
                with typed(self._files):
                    damaged = self._listing.leave_out_damaged(
                        folder, Question.of(None, start, end), self._storage_options
                    )
                if not damaged:
                    raise HistoryError(f"{self!r}: {type(error).__name__}: {error}") from None
        raise HistoryError(f"{self!r}: files disappear while they are read")

    def _commit(self, snapshot: Snapshot) -> int:
        with typed(self._files):
            return commit(self._files, self._columns, snapshot)


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _files(
    path: str | os.PathLike[str], storage_options: Mapping[str, Any] | None
) -> LocalFiles | ObjectFiles:
    text = os.fspath(path)
    if _URL.match(text) and not text.startswith("file://"):
        from kis_nb._history.object_files import ObjectFiles

        return ObjectFiles(text, storage_options or {})
    return LocalFiles(Path(text.removeprefix("file://")).absolute())
