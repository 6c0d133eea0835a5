"""Which unknown fields of KIS's a history has columns for, without opening every file.

Each has a small file in ``_columns/``, written before the first file with the column gets its name.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from kis_nb._history.layout import COLUMNS
from kis_nb._history.local_files import LocalFiles
from kis_nb._history.schema import KNOWN, Columns, Folder, full_schema

if TYPE_CHECKING:
    from kis_nb._history.object_files import ObjectFiles


class ColumnNames:
    """The columns of one history.

    Args:
        files: of the history.
    """

    def __init__(self, files: LocalFiles | ObjectFiles) -> None:
        self._files = files
        self._marked: set[tuple[Folder, str]] = set()
        self._read: dict[tuple[Folder, str], str] = {}

    def mark(self, folder: Folder, column: str) -> None:
        """Note that files of a folder have this column."""
        if (folder, column) not in self._marked:
            # A field's name may be longer than a file's, and hold anything.
            name = hashlib.sha256(column.encode()).hexdigest()[:16]
            self._files.put_new(json.dumps(column).encode(), COLUMNS, folder, f"{name}.json")
            self._marked.add((folder, column))

    def of(self, folder: Folder) -> Columns:
        """All columns of a folder, unknown ones at the right in the order of their names."""
        others: set[str] = set()
        for name in self._files.names(COLUMNS, folder):
            column = self._read.get((folder, name))
            if column is None:
                try:
                    column = str(json.loads(self._files.read(COLUMNS, folder, name) or b""))
                except ValueError:
                    continue
                self._read[folder, name] = column
            others.add(column)
        return full_schema(folder, sorted(others - KNOWN[folder].keys()))
