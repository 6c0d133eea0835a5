"""The positions as files for the page to save: CSV and Excel, with every digit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from kis_nb._choices import Lang
from kis_nb._dashboard import tables
from kis_nb._frames.columns import relabel
from kis_nb._frames.text import file_name, status_line

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._frames.balance import Balance


class File(NamedTuple):
    """A file's name, MIME type and content."""

    name: str
    mime: str
    content: bytes


def _rows(balance: Balance, keys: Sequence[str]) -> pl.DataFrame:
    """The rows with these keys in this order, all columns."""
    import polars as pl

    indexes = {key: index for index, key in enumerate(tables.keys(balance.positions))}
    chosen = [indexes[key] for key in keys if key in indexes]
    return balance.positions.select(pl.all().gather(chosen))


def as_file(kind: str, balance: Balance, keys: Sequence[str], lang: Lang) -> File:
    """A file of this kind, ``csv`` or ``excel``; the other arguments as of `as_excel`."""
    return as_csv(balance, keys) if kind == "csv" else as_excel(balance, keys, lang)


def as_csv(balance: Balance, keys: Sequence[str]) -> File:
    """CSV with wire names, which `pl.read_csv` reads back.

    Args:
        balance: whose positions to write.
        keys: of the rows, as `tables.keys` makes them, in the order wanted.
    """
    buffer = io.BytesIO()
    # The byte order mark tells Excel that the file is UTF-8.
    _rows(balance, keys).write_csv(buffer, include_bom=True)
    return File(f"{file_name(balance)}.csv", "text/csv", buffer.getvalue())


def as_excel(balance: Balance, keys: Sequence[str], lang: Lang) -> File:
    """A workbook with the labels of a language, and below the rows: account and time.

    Args:
        balance, keys: as of `as_csv`.
        lang: of the labels.
    """
    from kis_nb._frames.workbook import workbook

    frame = relabel(_rows(balance, keys), lang)
    content = workbook(frame, sheet="positions", about=[status_line(balance)])
    mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return File(f"{file_name(balance)}.xlsx", mime, content)
