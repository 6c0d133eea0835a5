"""A frame as an Excel workbook with every digit.

Excel holds numbers as doubles: it keeps 15 digits and replaces the rest by zeros without a warning.
So a number of at most 15 significant digits is written as a number, any other as text at the right.
(Polars' `write_excel` writes floats, and loses digits.)
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

_SAFE_DIGITS = 15
_COLUMN_WIDTH = 18
_FORMATS: dict[str, dict[str, Any]] = {
    "header": {"bold": True},
    "whole": {"num_format": 3},  # Excel's own #,##0
    "decimals": {"num_format": "#,##0.00######"},
    # Excel's own format for text, at the right.
    "long": {"num_format": 49, "align": "right"},
}


def workbook(frame: pl.DataFrame, *, sheet: str, about: Sequence[str] = ()) -> bytes:
    """Write a frame as a workbook of one sheet.

    Args:
        frame: of any columns. Decimals and integers become numbers, or text when they have more
            than 15 significant digits; null becomes an empty cell; anything else text.
        sheet: the sheet's name.
        about: lines to put below the rows, after an empty one.

    Returns:
        The content of an .xlsx file: a bold, frozen header row, the rows, and the lines.
    """
    from xlsxwriter import Workbook  # only a download or an export needs it

    buffer = io.BytesIO()
    # In memory, since XlsxWriter's temporary files would put figures on the disk.
    with Workbook(buffer, {"in_memory": True}) as book:
        formats = {name: book.add_format(options) for name, options in _FORMATS.items()}
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        page.set_column(0, max(frame.width - 1, 0), _COLUMN_WIDTH)
        for column, name in enumerate(frame.columns):
            page.write_string(0, column, name, formats["header"])
        for row, values in enumerate(frame.iter_rows(), 1):
            for column, value in enumerate(values):
                _write(page, row, column, value, formats)
        for row, line in enumerate(about, frame.height + 2):
            page.write_string(row, 0, line)
    return buffer.getvalue()


def _write(page: Worksheet, row: int, column: int, value: Any, formats: dict[str, Format]) -> None:
    if value is None:
        return
    if not isinstance(value, int | Decimal):
        page.write_string(row, column, str(value))
        return
    # Not `f"{value:f}"` for an int, which would go through a float.
    text = str(value) if isinstance(value, int) else f"{value:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if len(text.lstrip("-").replace(".", "").lstrip("0")) > _SAFE_DIGITS:
        page.write_string(row, column, text, formats["long"])
        return
    # A Decimal and not a float: XlsxWriter writes 16 digits of what it is given, and the 16th of
    # the nearest double may differ from the figure's own.
    number = Decimal(text)
    page.write_number(row, column, number, formats["decimals" if "." in text else "whole"])
