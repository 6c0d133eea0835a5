"""Merging a day's small files into a few in each folder.

On a local disk the merged day is built beside the folders and then exchanged with the day's folder
in one step: whoever lists the folder sees the old files or the new one. What was replaced is kept
for a while for those who listed it before. In an object store, and on a disk that cannot exchange
folders, the merged file counts from the moment its list is written; the list names the small files
that count no more, and these are deleted afterwards.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._errors import HistoryError
from kis_nb._history.layout import (
    MERGED,
    Merged,
    is_merged,
    is_snapshot,
    list_name,
    merged_name,
    uncounted,
)
from kis_nb._history.local_files import LIST, WORK, LocalFiles, sync_folder
from kis_nb._history.reading import Listing
from kis_nb._history.schema import FOLDERS, KNOWN, VERSION, Columns, Folder
from kis_nb._history.swap import compacting, exchange

if TYPE_CHECKING:
    from kis_nb._history.object_files import ObjectFiles

# How long what was replaced is kept, in seconds: nobody takes as long between listing a folder and
# opening its files.
_KEPT = 600
_SMALLEST_GROUP = 1_024
# A merged file has a multiple of so many accounts, and at least so many rows. What a file says of
# each column of each row group is read with every question: with all accounts of a day in one file
# it is more than one account's rows.
_ACCOUNTS, _ROWS = 8, 8_192


class Compaction:
    """Merges days of one history.

    Args:
        files: of the history.
        listing: finds the files that count.
        columns: the columns of a folder.
        storage_options: of an object store, for Polars.
    """

    def __init__(
        self,
        files: LocalFiles | ObjectFiles,
        listing: Listing,
        columns: Callable[[Folder], Columns],
        storage_options: Mapping[str, Any] | None,
    ) -> None:
        self._files = files
        self._listing = listing
        self._columns = columns
        self._storage_options = storage_options

    def day(self, day: str) -> int:
        """Merge a day.

        Args:
            day: its folder's name.

        Returns:
            How many snapshots were merged that were in files of their own.

        Raises:
            HistoryError: a file is damaged.
            OSError: the disk is full or may not be written. All that counted counts still.
        """
        if isinstance(self._files, LocalFiles):
            if not (self._files.root / "summary" / day).is_dir():
                return 0
            with compacting(self._files.root):
                self._clear_work(self._files.root)
                return [self._local(self._files, folder, day) for folder in FOLDERS][-1]
        # The summary last, as when a snapshot is written: it decides what counts.
        return [self._remote(self._files, folder, day) for folder in FOLDERS][-1]

    def _merge(
        self, folder: Folder, day: str, merged: Merged, members: list[str]
    ) -> dict[str, bytes]:
        """The merged files of what counts: their names and contents."""
        names = [*merged.files, *members]
        paths = [self._files.join(folder, day, name) for name in names]
        order = [
            name
            for name in ("account", "as_of", "snapshot", "row")
            if name in self._columns(folder)
        ]
        try:
            rows = (
                pl.scan_parquet(
                    paths,
                    schema=self._columns(folder),
                    missing_columns="insert",
                    extra_columns="raise",
                    hive_partitioning=False,
                    glob=False,
                    storage_options=dict(self._storage_options) if self._storage_options else None,
                )
                .sort(order)
                .collect()
            )
        except pl.exceptions.PolarsError as error:
            raise HistoryError(
                f"{self._files.join(folder, day)} was not compacted, all its files are as they "
                f"were: {type(error).__name__}: {error}"
            ) from None
        # Known columns are in every file, so that a plain reader finds one schema; of the unknown
        # ones those that came on this day.
        rows = rows.select(
            one.name
            for one in rows.iter_columns()
            if one.name in KNOWN[folder] or one.null_count() < rows.height
        )
        identity = hashlib.sha256("\0".join([*names, day]).encode()).hexdigest()[:24]
        contents: dict[str, bytes] = {}
        for some in _by_accounts(rows):
            first, last = some["account"][0], some["account"][-1]
            contents[merged_name(first, last, identity)] = _parquet(some)
        return contents

    # --- on a local disk ---

    def _local(self, files: LocalFiles, folder: Folder, day: str) -> int:
        names = files.names(folder, day)
        if not any(map(is_snapshot, names)):
            return 0
        merged = files.merged(folder, day, names)
        counted = set(self._listing.of_day(folder, day))
        members = [name for name in uncounted(names, merged) if name in counted]
        if not members:
            return 0
        contents = self._merge(folder, day, merged, members)
        state = Merged(0, tuple(contents), merged.members.union(members))
        place = files.root / folder / day
        built = files.root / WORK / f"{folder}-{day}-{os.getpid()}-{time.time_ns()}"
        try:
            built.mkdir(mode=0o700, parents=True)
            shutil.copymode(place, built)
            for name, content in contents.items():
                _write(built / name, content)
            _write(built / LIST, state.write())
            with files.lock(exclusive=True):
                for name in self._carried(files, folder, day, state):
                    _link(place / name, built / name)
                sync_folder(built)
                if exchange(built, place):
                    sync_folder(place.parent)
                    # From now on the time since it was replaced counts.
                    os.utime(built)
                    return len(members)
                # No exchange here: the list decides what counts, and is replaced in one step.
                for name in contents:
                    (built / name).replace(place / name)
                sync_folder(place)
                (built / LIST).replace(place / LIST)
                sync_folder(place)
        except OSError:
            shutil.rmtree(built, ignore_errors=True)
            raise
        for name in (*members, *merged.files):
            (place / name).unlink(missing_ok=True)
        shutil.rmtree(built, ignore_errors=True)
        return len(members)

    def _carried(self, files: LocalFiles, folder: Folder, day: str, state: Merged) -> Iterable[str]:
        """What the day's new folder takes over: all but what was merged and what killed writers
        left. Nobody writes meanwhile.
        """
        counting = set(files.names("summary", day))
        counting |= files.merged("summary", day, []).members
        old = files.merged(folder, day, [])
        for name in files.names(folder, day):
            if name.startswith(".") or name == LIST or name in state.members or name in old.files:
                continue
            # No list has them: a compaction was killed where folders cannot be exchanged.
            if is_merged(name):
                continue
            # A snapshot of which only the positions were named: its writer was killed.
            if is_snapshot(name) and name not in counting:
                continue
            yield name

    def _clear_work(self, root: Path) -> None:
        """Delete what was replaced some time ago, and what killed compactions left."""
        for one in (root / WORK).glob("*"):
            with contextlib.suppress(OSError):
                if time.time() - one.stat().st_mtime > _KEPT:
                    shutil.rmtree(one)

    # --- in an object store ---

    def _remote(self, files: ObjectFiles, folder: Folder, day: str) -> int:
        names = files.names(folder, day)
        merged = files.merged(folder, day, names)
        counted = set(self._listing.of_day(folder, day))
        members = [name for name in uncounted(names, merged) if name in counted]
        if members:
            contents = self._merge(folder, day, merged, members)
            for name, content in contents.items():
                files.put_new(content, folder, day, name)
            state = Merged(merged.generation + 1, tuple(contents), merged.members.union(members))
            if not files.put_new(state.write(), folder, day, list_name(state.generation)):
                # Another compaction of the day was faster; what this one wrote is not listed.
                return 0
            merged = state
            # With the merged files that the last list had, those of a compaction that was killed or
            # not the first. Whoever wrote one that was listed above began before this list was
            # written, so that its own list is refused.
            for name in filter(is_merged, names):
                if name not in state.files:
                    files.delete(folder, day, name)
        # What counts no more, also of a compaction that was killed before it came to this.
        for name in names:
            if name in merged.members or (
                MERGED.fullmatch(name) and name < list_name(merged.generation)
            ):
                files.delete(folder, day, name)
        return len(members)


def _by_accounts(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Sorted rows in pieces of a few accounts each, no account in two."""
    accounts = rows["account"].rle().struct.unnest()
    begin = end = 0
    for number, length in enumerate(accounts["len"], 1):
        end += length
        if number == accounts.height or (number % _ACCOUNTS == 0 and end - begin >= _ROWS):
            yield rows.slice(begin, end - begin)
            begin = end


def _parquet(rows: pl.DataFrame) -> bytes:
    """Rows as a file with about one row group an account, so that one is read alone."""
    file = io.BytesIO()
    size = max(-(-rows.height // rows["account"].n_unique()), _SMALLEST_GROUP)
    rows.write_parquet(
        file,
        compression="zstd",
        statistics=True,
        row_group_size=size,
        metadata={"kis_nb_history": str(VERSION)},
    )
    return file.getvalue()


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _link(old: Path, new: Path) -> None:
    try:
        new.hardlink_to(old)
    except OSError:
        shutil.copy2(old, new)
