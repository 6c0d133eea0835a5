"""Rows of texts as a table for the terminal, straight in Korean too."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence


def lines(
    head: Sequence[str], rows: Sequence[Sequence[str]], *, left: Collection[int] = ()
) -> list[str]:
    """The lines of a table: its head, then its rows.

    Args:
        head: the columns' labels.
        rows: the cells of each row, as many as there are labels.
        left: the columns that are set flush left; the others hold figures.
    """
    table = [head, *rows]
    widths = [max(map(_width, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            _padded(cell, width, left=at in left)
            for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
        ).rstrip()
        for cells in table
    ]


def _width(text: str) -> int:
    """How many cells of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _padded(cell: str, width: int, *, left: bool) -> str:
    blank = " " * (width - _width(cell))
    return cell + blank if left else blank + cell
