"""Merging a day's small files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kis_nb._history.schema import Columns, Folder


def compact_day(files: Any, listing: Any, day: str, columns: Callable[[Folder], Columns]) -> int:
    """Placeholder."""
    raise NotImplementedError
