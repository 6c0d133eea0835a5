"""The positions as a file: CSV and Excel, every digit.

Under the face `_dashboard`: imports `_balance`, `_fields`, `_figures`, `_tables` and `_xlsx`.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kis_nb._codes import Lang
from kis_nb._dashboard import tables
from kis_nb._dashboard.workbook import workbook
from kis_nb._frames.columns import relabel
from kis_nb._frames.text import file_name, status_line

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._frames.balance import Balance

# Name, MIME type and content.
File = tuple[str, str, bytes]


def _rows(balance: Balance, keys: Sequence[str]) -> pl.DataFrame:
    """The rows with these keys in this order, all columns."""
    import polars as pl

    places = {key: at for at, key in enumerate(tables.keys(balance.positions))}
    chosen = [places[key] for key in keys if key in places]
    return balance.positions.select(pl.all().gather(chosen))


def as_csv(balance: Balance, keys: Sequence[str], _lang: Lang) -> File:
    """CSV with wire names, as `pl.read_csv` takes it back; the mark in front tells Excel UTF-8."""
    buffer = io.BytesIO()
    _rows(balance, keys).write_csv(buffer, include_bom=True)
    return f"{file_name(balance)}.csv", "text/csv", buffer.getvalue()


def as_excel(balance: Balance, keys: Sequence[str], lang: Lang) -> File:
    """A workbook with labels, and below the rows whose they are and when."""
    frame = relabel(_rows(balance, keys), lang)
    content = workbook(frame, sheet="positions", about=[status_line(balance)])
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return f"{file_name(balance)}.xlsx", kind, content
