"""`kis_nb.table`: exact figures, words, and HTML that an untrusted notebook keeps."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import kis_nb
from kis_nb._account import Account
from kis_nb._frames.table import _TONES
from kis_nb._seoul import KST
from tests.factories import book, make_balance, position


def cells(frame: pl.DataFrame, **look: Any) -> list[str]:
    """The texts of the cells, as HTML has them."""
    return re.findall(r"<td[^>]*>(.*?)</td>", kis_nb.table(frame, **look)._repr_html_())


def test_figures_are_exact_and_null_is_a_dash() -> None:
    """Separators and every digit; profit and loss have sign and arrow; null is no 0."""
    frame = pl.DataFrame(
        {
            "market_value": [Decimal(9999999999999999999), None],
            "unrealized": [Decimal(-1_237_500), Decimal(0)],
            "realized": [Decimal(5), None],
            "idx_clpr": [Decimal("309.10000000"), Decimal("0.00000001")],
            "equity_percent": [Decimal("80.40"), None],
            "index_move": [Decimal("2.5000"), Decimal("-10.0000")],
            "difference": [Decimal("98398005.00"), Decimal("-0.85")],
        }
    )
    first = ["9,999,999,999,999,999,999", "▼ -1,237,500", "▲ +5", "309.10", "80.40%", "+2.50%"]
    second = ["–", "0", "–", "0.00000001", "–", "-10%"]
    assert cells(frame) == [*first, "98,398,005", *second, "-0.85"]


@pytest.mark.parametrize(
    ("lang", "expected"),
    [
        ("ko", ["매수", "콜", "위클리M", "추정치", "⚠ 어긋남", "개시 01", "본정산 2"]),
        ("en", ["Long", "calls", "K200 weekly Mon", "estimate", "⚠ differs", "Initial 01"]),
    ],
)
def test_words_are_of_the_language(lang: str, expected: list[str]) -> None:
    """Codes, kinds, products and statuses are words; a text that is no such word stays."""
    frame = pl.DataFrame(
        {
            "side": ["long", "x"],
            "kind": ["call", "x"],
            "product": ["KOSPI 200 weekly Mon", "x"],
            "source": ["estimate", "x"],
            "status": ["differs", "x"],
            "mgna_dvsn": ["01", "x"],
            "excc_stat_cd": ["2", "x"],
        }
    )
    found = cells(frame, lang=lang)
    assert found[: len(expected)] == expected
    assert found[7:] == ["x"] * 7


def test_other_values_are_written_plainly() -> None:
    """Times without their fractions, dates, lists, booleans, floats."""
    frame = pl.DataFrame(
        {
            "as_of": [datetime(2026, 11, 22, 23, 15, 4, 999, tzinfo=KST)],
            "expiry": [date(2026, 12, 10)],
            "left_out": [["F 202703", "<b>"]],
            "flag": [True],
            "ratio": [1234.5],
        }
    )
    assert cells(frame) == [
        "2026-11-22 23:15:04",
        "2026-12-10",
        "F 202703, &lt;b&gt;",
        "True",
        "1,234.5",
    ]


def test_account_numbers_are_masked() -> None:
    """Whole numbers in any text, the first eight digits in their own column, and `Account`."""
    frame = pl.DataFrame(
        {
            "note": ["80012345-03 and 80012345-03"],
            "cano": ["80012345"],
            "object": pl.Series([Account.parse("80012345-03")], dtype=pl.Object),
        }
    )
    shown = kis_nb.table(frame)
    for text in (shown._repr_html_(), str(shown), repr(shown)):
        assert "80012345" not in text
        assert text.count("800*****") == 4


def test_what_must_not_be_missed_is_marked_without_colour() -> None:
    """A negative excess margin and a margin call have a sign of their own."""
    frame = pl.DataFrame(
        {
            "excess_margin_now": [Decimal(-1), Decimal(1)],
            "margin_call": [Decimal(5), Decimal(0)],
        }
    )
    assert cells(frame) == ["⚠ -1", "⚠ 5", "1", "0"]


def test_a_long_frame_says_how_much_more_there_is() -> None:
    """At most so many rows, then their number; an empty frame says that there is none."""
    frame = pl.DataFrame({"total": [Decimal(n) for n in range(1200)]})
    shown = kis_nb.table(frame, rows=7, lang="en")
    assert shown._repr_html_().count("<tr>") == 8
    for text in (shown._repr_html_(), str(shown)):
        assert "… 1,193 more" in text
    assert "more" not in str(kis_nb.table(frame.head(7), rows=7, lang="en"))
    assert cells(frame.head(0)) == ["<i>없음</i>"]


def test_the_text_has_labels_and_figures() -> None:
    """Where no HTML is shown; two columns with one label do not clash."""
    frame = pl.DataFrame({"found": [Decimal("1234.00")], "KIS": ["x"], "difference": [None]})
    lines = str(kis_nb.table(frame, lang="en")).splitlines()
    assert lines[1].split("┆")[0].strip("│ ") == "KIS"
    assert [cell.strip("│ ") for cell in lines[3].split("┆")] == ["1,234", "x", "–"]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("colors", ["kr", "us"])
def test_profit_and_loss_can_be_read_on_light_and_dark(colors: Any) -> None:
    """Their colours are the choice's, and have a contrast of 4 on white and on Lab's dark page."""
    frame = pl.DataFrame({"total": [Decimal(1), Decimal(-1), Decimal(0), None]})
    shown = kis_nb.table(frame, colors=colors)._repr_html_()
    tones = _TONES[colors]
    assert re.findall(r";color:(#\w+)", shown) == [tones["up"], tones["down"]]
    for colour in tones.values():
        own = _luminance(colour) + 0.05
        assert min(1.05 / own, own / (_luminance("#111111") + 0.05)) > 4


def test_all_style_is_inline_and_of_the_page() -> None:
    """No style sheet, script, class or fixed background: the page's theme and paper go on."""
    balance = make_balance(book(12))
    for shown in (kis_nb.table(balance.positions)._repr_html_(), balance._repr_html_()):
        assert not re.search(r"<style|<script|class=|background|#fff|#000", shown)
        assert "overflow-x:auto" in shown


def test_an_unpriced_position_shows_no_figure() -> None:
    """As everywhere: its zeros are named, not shown."""
    none = position(price="0", evlu_amt=Decimal(0), evlu_pfls_amt=Decimal(0))
    frame = make_balance([none]).positions.select(
        "cblc_qty", "idx_clpr", "evlu_amt", "evlu_pfls_amt"
    )
    shown = kis_nb.table(frame, lang="en")._repr_html_()
    assert cells(frame, lang="en") == ["3", "no price", "no price", "no price"]
    assert ";color:" not in shown


def test_a_profits_name_over_a_text_is_no_error() -> None:
    """Any frame is shown, and what is no figure has no colour."""
    frame = pl.DataFrame({"total": ["x"], "realized": [[1]], "unrealized": [2.5]})
    assert cells(frame) == ["x", "1", "2.5"]
    assert ";color:" not in kis_nb.table(frame)._repr_html_()


def test_wrong_types_are_refused() -> None:
    """A lazy frame is pointed to `collect`."""
    lazy: Any = pl.LazyFrame({"a": [1]})
    with pytest.raises(TypeError, match="table takes a Polars DataFrame; got LazyFrame; call its"):
        kis_nb.table(lazy)
    with pytest.raises(TypeError, match="got dict"):
        kis_nb.table({"a": [1]})  # type: ignore[arg-type]
    for rows in (2.5, None, True):
        with pytest.raises(TypeError, match=f"rows takes an int; got {rows}"):
            kis_nb.table(pl.DataFrame(), rows=rows)  # type: ignore[arg-type]


def test_wrong_arguments_are_refused() -> None:
    """Each by name."""
    frame = pl.DataFrame()
    for more, message in (
        ({"lang": "fr"}, "lang takes"),
        ({"colors": "eu"}, "colors takes"),
        ({"rows": 0}, "rows takes a count from 1; got 0"),
    ):
        with pytest.raises(ValueError, match=message):
            kis_nb.table(frame, **more)
