"""Reads workbooks as another program would: their XML."""

from __future__ import annotations

import io
import re
import zipfile
from itertools import groupby
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def part(content: bytes, name: str) -> ET.Element:
    """One of the files in a workbook."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        return ET.fromstring(file.read(name))  # noqa: S314 - our own bytes


def read_cells(content: bytes) -> dict[str, tuple[str, str, int]]:
    """Type ("n" or "s"), text and style number of each cell of the only sheet, by its place."""
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
    shared = ["".join(one.itertext()) for one in part(content, "xl/sharedStrings.xml")]
    sheet = part(content, "xl/worksheets/sheet1.xml")
    found = {}
    for cell in sheet.iter(f"{MAIN}c"):
        kind, text = cell.attrib.get("t", "n"), "".join(cell.itertext())
        text = shared[int(text)] if kind == "s" else text
        found[cell.attrib["r"]] = (kind, text, int(cell.attrib.get("s", 0)))
    return found


def cells(content: bytes) -> dict[str, tuple[str, str]]:
    """Type ("n" or "s") and text of each cell of a workbook's only sheet, by its place."""
    return {place: (kind, text) for place, (kind, text, _) in read_cells(content).items()}


def rows(content: bytes) -> list[list[str]]:
    """The texts of the rows of a workbook's only sheet, without empty cells and rows."""
    found = [(re.sub(r"[A-Z]", "", place), text) for place, (_, text) in cells(content).items()]
    return [[text for _, text in row] for _, row in groupby(found, key=lambda cell: cell[0])]
