"""A snapshot's two files."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from kis_nb._history.column_names import ColumnNames
from kis_nb._history.layout import day_folder, snapshot_name
from kis_nb._history.local_files import LocalFiles
from kis_nb._history.schema import VERSION, Folder
from kis_nb._history.snapshot_rows import Snapshot

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._history.object_files import ObjectFiles


def commit(files: LocalFiles | ObjectFiles, columns: ColumnNames, snapshot: Snapshot) -> int:
    """Keep a snapshot.

    Args:
        files: of the history.
        columns: of the history.
        snapshot: what is kept.

    Returns:
        1, or 0 when it was there before.

    Raises:
        OSError, HistoryError: it cannot be written.
    """
    contents: dict[Folder, bytes] = {
        "positions": _parquet(snapshot.positions),
        "summary": _parquet(snapshot.summary),
    }
    for folder, names in snapshot.others.items():
        for column in names:
            columns.mark(folder, column)
    name = snapshot_name(snapshot.account, snapshot.view, snapshot.as_of, snapshot.identity)
    return int(files.commit(day_folder(snapshot.day), name, contents))


def _parquet(rows: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    # Without statistics, which merged files have: the name tells the account, and they take a third
    # of the time.
    rows.write_parquet(
        file,
        compression="zstd",
        compression_level=1,
        statistics=False,
        metadata={"kis_nb_history": str(VERSION)},
    )
    return file.getvalue()
