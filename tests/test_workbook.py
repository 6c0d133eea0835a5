"""Workbooks, read back as another program would read them: their XML."""

from __future__ import annotations

import random
from decimal import Decimal

import polars as pl
import pytest

from kis_nb._frames.workbook import workbook
from tests.workbooks import MAIN, cells, part, read_cells

HUGE = Decimal(-1234567890123456789)


def test_excel_loses_no_digit() -> None:
    """15 digits are a number, more are text with all of them, null is an empty cell."""
    frame = pl.DataFrame(
        {
            "text": ["<&{0}>", None],
            "small": pl.Series([Decimal(123456789012345), None], dtype=pl.Decimal(19, 0)),
            "large": pl.Series([HUGE, Decimal(0)], dtype=pl.Decimal(19, 0)),
            "price": pl.Series([Decimal("309.10000000"), Decimal("-0.00000001")]),
            "count": [1234567890123456789, -7],
        }
    )
    found = cells(workbook(frame, sheet="s", about=["account and time"]))
    assert found["A2"] == ("s", "<&{0}>")
    assert found["B2"] == ("n", "123456789012345")
    assert found["C2"] == ("s", str(HUGE))
    assert found["D2"] == ("n", "309.1")
    assert Decimal(found["D3"][1]) == Decimal("-0.00000001")
    assert found["E2"] == ("s", "1234567890123456789")
    assert found["E3"] == ("n", "-7")
    assert found["A5"] == ("s", "account and time")
    assert not {"A3", "B3"} & found.keys()


@pytest.mark.parametrize("digits", [1, 7, 14, 15, 16, 17, 19])
def test_every_figure_is_read_back_digit_by_digit(digits: int) -> None:
    """Whole or with decimals, short or long: the text in the file is equal to the figure, and is a
    number up to 15 digits. The nearest double, written with 16 digits, would not be.
    """
    pick = random.Random(digits)
    lowest = 10 ** (digits - 1)
    values = [
        Decimal(pick.choice((1, -1)) * pick.randrange(lowest, 10 * lowest)).scaleb(-places)
        for places in (0, 1, 2, 7, 8)
        for _ in range(400)
    ]
    frame = pl.DataFrame({"figure": pl.Series(values, dtype=pl.Decimal(38, 8))})
    found = cells(workbook(frame, sheet="s"))
    for row, value in enumerate(values, 2):
        kind, text = found[f"A{row}"]
        assert Decimal(text) == value
        # Zeros at the end of a fraction are no digits of the figure, those of a whole number are.
        whole = value == value.to_integral_value()
        size = len(str(abs(int(value)))) if whole else len(value.normalize().as_tuple().digits)
        assert kind == ("n" if size <= 15 else "s")


def test_a_header_and_formats_make_it_readable() -> None:
    """The header is bold and frozen, numbers have separators, long figures are at the right."""
    frame = pl.DataFrame(
        {
            "whole": pl.Series([Decimal(1234567)], dtype=pl.Decimal(19, 0)),
            "price": pl.Series([Decimal("1234.5")]),
            "long": pl.Series([HUGE], dtype=pl.Decimal(19, 0)),
        }
    )
    content = workbook(frame, sheet="positions")
    found = read_cells(content)
    styles = part(content, "xl/styles.xml")
    formats = styles.findall(f"{MAIN}cellXfs/{MAIN}xf")
    fonts = styles.findall(f"{MAIN}fonts/{MAIN}font")
    custom = {
        one.attrib["numFmtId"]: one.attrib["formatCode"] for one in styles.iter(f"{MAIN}numFmt")
    }
    header, whole, price, long = (formats[found[place][2]] for place in ("A1", "A2", "B2", "C2"))
    assert fonts[int(header.attrib["fontId"])].find(f"{MAIN}b") is not None
    # Excel's own #,##0 and text.
    assert (whole.attrib["numFmtId"], long.attrib["numFmtId"]) == ("3", "49")
    assert custom[price.attrib["numFmtId"]] == "#,##0.00######"
    alignment = long.find(f"{MAIN}alignment")
    assert alignment is not None
    assert alignment.attrib["horizontal"] == "right"
    pane = next(part(content, "xl/worksheets/sheet1.xml").iter(f"{MAIN}pane"))
    assert (pane.attrib["ySplit"], pane.attrib["state"]) == ("1", "frozen")


def test_nothing_is_written_to_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No temporary file holds figures."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    for name in ("mkstemp", "mkdtemp", "TemporaryFile", "NamedTemporaryFile"):
        monkeypatch.setattr(f"tempfile.{name}", refuse)
    assert workbook(pl.DataFrame({"a": [1]}), sheet="s").startswith(b"PK")
