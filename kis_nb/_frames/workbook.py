"""A frame as an Excel workbook with every digit, written without another dependency.

Under the face `_dashboard`; imports nothing of ours. Excel holds numbers as doubles: it keeps 15
digits and turns the rest into zeros without a word. So a number is written as one only when it has
no more than 15 digits, and as text otherwise. (Polars' `write_excel` goes through a float and loses
them.)
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    import polars as pl

_SAFE_DIGITS = 15

_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.'
        'openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-'
        'officedocument.spreadsheetml.styles+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/styles" Target="styles.xml"/></Relationships>'
    ),
    # Styles by number: 0 text, 1 whole number with separators, 2 with decimals, 3 bold, 4 text at
    # the right, for a number that Excel could not hold.
    "xl/styles.xml": (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<numFmts count="1"><numFmt numFmtId="164" formatCode="#,##0.00######"/></numFmts>'
        '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font>'
        '<font><b/><sz val="11"/><name val="Calibri"/></font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border/></borders>'
        '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="5"><xf/>'
        '<xf numFmtId="3" applyNumberFormat="1"/><xf numFmtId="164" applyNumberFormat="1"/>'
        '<xf fontId="1" applyFont="1"/>'
        '<xf numFmtId="49" applyNumberFormat="1" applyAlignment="1">'
        '<alignment horizontal="right"/></xf></cellXfs></styleSheet>'
    ),
}
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'


def workbook(frame: pl.DataFrame, *, sheet: str, about: Sequence[str] = ()) -> bytes:
    """The frame as one sheet: a header row, then its rows, then the lines of `about`.

    Null is an empty cell. A number of more than 15 digits is text, at the right, with all of them.
    """
    rows = [[_text(name, 3) for name in frame.columns]]
    rows += [[_cell(value) for value in row] for row in frame.iter_rows()]
    rows += [[], *([_text(line, 0)] for line in about)]
    lines = (
        f'<row r="{number}">'
        + "".join(cell.format(at=f"{_letters(at)}{number}") for at, cell in enumerate(row) if cell)
        + "</row>"
        for number, row in enumerate(rows, 1)
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    parts = _PARTS | {
        "xl/workbook.xml": (
            f'<workbook xmlns="{main}" xmlns:r="http://schemas.openxmlformats.org/officeDocument/'
            f'2006/relationships"><sheets><sheet name={quoteattr(sheet[:31])} sheetId="1"'
            ' r:id="r1"/></sheets></workbook>'
        ),
        "xl/worksheets/sheet1.xml": (
            f'<worksheet xmlns="{main}"><sheetViews><sheetView workbookViewId="0">'
            '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>'
            '</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>'
            f'<cols><col min="1" max="{max(frame.width, 1)}" width="18" customWidth="1"/></cols>'
            f"<sheetData>{''.join(lines)}</sheetData></worksheet>"
        ),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, _HEAD + text)
    return buffer.getvalue()


def _letters(at: int) -> str:
    """A column's name: A, B, …, Z, AA, …"""
    name = ""
    at += 1
    while at:
        at, letter = divmod(at - 1, 26)
        name = chr(65 + letter) + name
    return name


def _cell(value: Any) -> str:
    """A cell with its place still to be filled in; blank for null."""
    if value is None:
        return ""
    if not isinstance(value, int | Decimal):
        return _text(str(value), 0)
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    digits = len(text.lstrip("-").replace(".", "").lstrip("0"))
    if digits > _SAFE_DIGITS:
        return _text(text, 4)
    return f'<c r="{{at}}" s="{2 if "." in text else 1}"><v>{text}</v></c>'


def _text(text: str, style: int) -> str:
    # XML has no place for control characters, and a braced name would be taken for a field.
    clean = "".join(sign for sign in text if sign.isprintable())
    safe = escape(clean).replace("{", "{{").replace("}", "}}")
    return (
        f'<c r="{{at}}" s="{style}" t="inlineStr"><is><t xml:space="preserve">{safe}</t></is></c>'
    )
