"""What a product's code and name tell."""

from __future__ import annotations

from decimal import Context, Decimal, FloatOperation, Inexact, Rounded, Subnormal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._frames.prices import is_unpriced, multiplier
from kis_nb._frames.products import Product, kind_of, read_product

_K = "KOSPI 200"


def _read(product: Product) -> tuple[Any, ...]:
    """Kind, product, underlying, term, strike and multiplier, figures as text."""
    return (
        product.kind,
        product.product,
        product.underlying,
        product.term,
        None if product.strike is None else str(product.strike),
        None if product.multiplier is None else str(product.multiplier),
    )


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        # Lines of the master file, and names of docs/sources.md, "Codes and names".
        ("A01612", "F 202612", ("future", _K, _K, "202612", None, "250000")),
        ("B01610745", "C 202610   745.0", ("call", _K, _K, "202610", "745.0", "250000")),
        ("C01610A48", "P 202610 1,120.0", ("put", _K, _K, "202610", "1120.0", "250000")),
        (
            "B09FEWA49",
            "위클리C 2609W4 1,120.0",
            ("call", f"{_K} weekly Thu", _K, "2609W4", "1120.0", "250000"),
        ),
        (
            "BAFBRW962",
            "위클리M C 2608W2   962.5",
            ("call", f"{_K} weekly Mon", _K, "2608W2", "962.5", "250000"),
        ),
        ("A05610", "미니F 202610", ("future", f"{_K} mini", _K, "202610", None, "50000")),
        (
            "A06612",
            "코스닥150F 202612",
            ("future", "KOSDAQ 150", "KOSDAQ 150", "202612", None, "10000"),
        ),
        ("D0161201", "SP 2612-2703", ("spread", _K, _K, "2612-2703", None, "250000")),
        ("A75605", "미국달러 F 202605", ("future", "USD/KRW", "USD/KRW", "202605", None, "10000")),
        (
            "CAFBSWA01",
            "위클리M P 2611W4 1,000.0",
            ("put", f"{_K} weekly Mon", _K, "2611W4", "1000.0", "250000"),
        ),
        (
            "BAJFEW150",
            "코스닥위클리C 2611W4 1,500.0",
            ("call", "KOSDAQ 150 weekly Thu", "KOSDAQ 150", "2611W4", "1500.0", "10000"),
        ),
        (
            "CAKFEW150",
            "코스닥위클리M P 2611W4 1,500.0",
            ("put", "KOSDAQ 150 weekly Mon", "KOSDAQ 150", "2611W4", "1500.0", "10000"),
        ),
    ],
)
def test_tells_todays_products(code: str, name: str, expected: tuple[Any, ...]) -> None:
    """Code and name of every quoted line of a master file tell the whole product."""
    product = read_product(code, name)
    assert _read(product) == expected
    assert product.source == "name"
    assert kind_of(code, name) == product.kind


# code, name, kind, product, last trading day, strike: a book of what is listed in November 2026,
# in the codes and spellings of docs/sources.md, "Codes and names".
_BOOK = """
A01612 | F 202612 | future | KOSPI 200 | 2026-12-10 |
A01703 | F 202703 | future | KOSPI 200 | 2027-03-11 |
A01706 |  F 202706 | future | KOSPI 200 | 2027-06-10 |
A01612 | 코스피200 F 202612 | future | KOSPI 200 | 2026-12-10 |
A01612 | 코스피200 F 202612 (야간) | future | KOSPI 200 | 2026-12-10 |
A05612 | 미니F 202612 | future | KOSPI 200 mini | 2026-12-10 |
A05701 | 미니F 202701 | future | KOSPI 200 mini | 2027-01-14 |
A05612 | 미니 F 202612 | future | KOSPI 200 mini | 2026-12-10 |
A05612 | 미니코스피 F 202612 (야간) | future | KOSPI 200 mini | 2026-12-10 |
A06612 | 코스닥150F 202612 | future | KOSDAQ 150 | 2026-12-10 |
A06703 | 코스닥150 F 202703 | future | KOSDAQ 150 | 2027-03-11 |
A75612 | 미국달러 F 202612 | future | USD/KRW | 2026-12-21 |
A75701 | 미국달러　F　202701 | future | USD/KRW | 2027-01-18 |
B01612745 | C 202612   745.0 | call | KOSPI 200 | 2026-12-10 | 745.0
B01612962 | C 202612   962.5 | call | KOSPI 200 | 2026-12-10 | 962.5
B01612995 | C 202612   995.0 | call | KOSPI 200 | 2026-12-10 | 995.0
B01612997 | C 202612   997.5 | call | KOSPI 200 | 2026-12-10 | 997.5
B01612A01 | C 202612 1,000.0 | call | KOSPI 200 | 2026-12-10 | 1000.0
B01612A48 | C 202612 1,120.0 | call | KOSPI 200 | 2026-12-10 | 1120.0
B01701A51 | C 202701 1,010.0 | call | KOSPI 200 | 2027-01-14 | 1010.0
B01612A51 | 코스피200 C 202612 1,125.0 (정규) | call | KOSPI 200 | 2026-12-10 | 1125.0
C01612572 | P 202612   572.5 | put | KOSPI 200 | 2026-12-10 | 572.5
C01612A48 | P 202612 1,120.0 | put | KOSPI 200 | 2026-12-10 | 1120.0
C01612A49 | P 202612 1117.5 | put | KOSPI 200 | 2026-12-10 | 1117.5
C01701340 | 코스피200 P 202701 340.0 | put | KOSPI 200 | 2027-01-14 | 340.0
C01612350 | | put | KOSPI 200 | 2026-12-10 | 350
C01612572 | | put | KOSPI 200 | 2026-12-10 |
C01612A48 | | put | KOSPI 200 | 2026-12-10 |
B05612A48 | 미니C 202612 1,120.0 | call | KOSPI 200 mini | 2026-12-10 | 1120.0
C05612957 | 미니P 202612   957.5 | put | KOSPI 200 mini | 2026-12-10 | 957.5
B09FEWA49 | 위클리C 2611W4 1,120.0 | call | KOSPI 200 weekly Thu | 2026-11-26 | 1120.0
C09FEW962 | 위클리P 2611W4   962.5 | put | KOSPI 200 weekly Thu | 2026-11-26 | 962.5
C09FEX962 | 위클리P 2612W1   962.5 | put | KOSPI 200 weekly Thu | 2026-12-03 | 962.5
C09FEX962 | 위클리P 2612W0   962.5 | put | KOSPI 200 weekly Thu | | 962.5
B09FEW995 | | call | KOSPI 200 weekly Thu | | 995
BAFBRW962 | 위클리M C 2611W4   962.5 | call | KOSPI 200 weekly Mon | 2026-11-23 | 962.5
CAFBRXA01 | 위클리M P 2611W5 1,000.0 | put | KOSPI 200 weekly Mon | 2026-11-30 | 1000.0
CAFBRXA01 | 위클리M P 2611W5 1,000.0 (야간) | put | KOSPI 200 weekly Mon | 2026-11-30 | 1000.0
B06612A10 | 코스닥150C 202612 1,500.0 | call | KOSDAQ 150 | 2026-12-10 | 1500.0
C06612A11 | 코스닥150P 202612 1,475.0 | put | KOSDAQ 150 | 2026-12-10 | 1475.0
BAJFEWA10 | 코스닥위클리C 2611W4 1,500.0 | call | KOSDAQ 150 weekly Thu | 2026-11-26 | 1500.0
CAKBRWA10 | 코스닥위클리M P 2611W4 1,500.0 | put | KOSDAQ 150 weekly Mon | 2026-11-23 | 1500.0
D0161201 | SP 2612-2703 | spread | KOSPI 200 | |
D0561201 | 미니SP 2612-2701 | spread | KOSPI 200 mini | |
A04612 | 변동성F 202612 | future | | |
AA4612 | 고배당50   F 202612 | future | | |
A11610 | SamsungEle F 202610 (  10) | future | | |
101S12 | F 202212 | future | KOSPI 200 | 2022-12-08 |
101T09 | F 202309 | future | KOSPI 200 | 2023-09-14 |
175T10 | 미국달러 F 202310 | future | USD/KRW | 2023-10-16 |
201T10340 | 코스피200 C 202310 340.0 | call | KOSPI 200 | 2023-10-12 | 340.0
301W09312 | P 202509 312.5 | put | KOSPI 200 | 2025-09-11 | 312.5
201W09350 | | call | KOSPI 200 | 2025-09-11 | 350
"""


@pytest.mark.parametrize("line", _BOOK.strip("\n").splitlines())
def test_a_book_of_every_kind(line: str) -> None:
    """Whatever code and name give is read, and nothing that they do not give."""
    code, name, kind, product, day, *strike = (cell.strip(" ") for cell in line.split("|"))
    read = read_product(code, name or None)
    assert read.kind == kind
    assert read.product == (product or None)
    assert (read.expiry.isoformat() if read.expiry else "") == day
    assert (str(read.strike) if read.strike else "") == "".join(strike)
    assert (read.underlying is None) == (read.multiplier is None) == (not product)
    assert read.source == ("name" if name else "code")


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        # Call or put: code and name disagree; the rest they agree on.
        ("B01612350", "P 202612 350.0", (None, _K, _K, "202612", "350.0", "250000")),
        ("A01612", "F 202703", ("future", _K, _K, None, None, "250000")),
        ("B01612350", "C 202612 360.0", ("call", _K, _K, "202612", None, "250000")),
        # Mini or not: the index is the same, the multiplier is not.
        ("A01612", "미니F 202612", ("future", None, _K, "202612", None, None)),
        ("A01612", "미국달러 F 202612", ("future", None, None, "202612", None, None)),
        # Thursday or Monday: index and multiplier are the same.
        ("B09FEWA49", "위클리M C 2611W4 1,120.0", ("call", None, _K, "2611W4", "1120.0", "250000")),
        # A weekly's code and a month's name.
        ("B09FEWA49", "C 202612 1,120.0", ("call", None, _K, None, "1120.0", "250000")),
        ("B01612A48", "위클리C 2612W4 1,120.0", ("call", None, _K, None, "1120.0", "250000")),
        # Other evidence is no evidence.
        ("X01612", "XF 202612", (None, None, None, None, None, None)),
        ("A01613", "F 202613", ("future", _K, _K, None, None, "250000")),
        ("A01I12", None, ("future", _K, _K, None, None, "250000")),
        ("101612", None, ("future", _K, _K, None, None, "250000")),
        ("B01612350", "C 202612 3,50.0", ("call", _K, _K, "202612", "350", "250000")),
        ("A01612", "F 202612 F 202703", ("future", _K, _K, "202612", None, "250000")),
        (None, "F 202612", ("future", _K, _K, "202612", None, "250000")),
        ("201", "C", ("call", _K, _K, None, None, "250000")),
        ("", "", (None, None, None, None, None, None)),
        (None, None, (None, None, None, None, None, None)),
    ],
)
def test_what_is_contradicted_is_null(
    code: str | None, name: str | None, expected: tuple[Any, ...]
) -> None:
    """What code and name tell differently is null, and only that; nothing else is made up."""
    assert _read(read_product(code, name)) == expected


@pytest.mark.parametrize("traps", [False, True])
def test_the_users_decimal_context_changes_nothing(traps: bool) -> None:  # noqa: FBT001
    """Strikes and multipliers are the same with a precision of 2 and with every signal trapped."""
    signals = [Inexact, Rounded, FloatOperation, Subnormal] if traps else []
    with localcontext(Context(prec=2, traps=signals)):
        read = read_product("C01612A49", "P 202612 1,117.5")
        assert read.strike is not None
        assert (str(read.strike), str(read.multiplier)) == ("1117.5", "250000")
        row = _row(evlu_amt="1234567890000", idx_clpr="1117.55", cblc_qty="3")
        found = multiplier(row, "1")
        row = _row(pchs_amt="170150000", excc_unpr="340.30", idx_clpr="0", cblc_qty="2")
        assert multiplier(row, "1") == 250_000
    assert found is not None
    with localcontext(prec=60):
        assert abs(found * Decimal("1117.55") * 3 - 1_234_567_890_000) < 1


@given(st.none() | st.text(), st.none() | st.text())
def test_reads_any_text(code: str | None, name: str | None) -> None:
    """No text, however strange, makes the reading fail."""
    assert read_product(code, name).kind == kind_of(code, name)


def _row(**figures: str | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(
        ("cblc_qty", "idx_clpr", "evlu_amt", "pchs_amt", "excc_unpr", "ccld_avg_unpr1")
    )
    row |= {name: None if text is None else Decimal(text) for name, text in figures.items()}
    if row["cblc_qty"] is not None:
        row["cblc_qty"] = int(row["cblc_qty"])
    return row


@pytest.mark.parametrize(
    ("value", "price", "quantity", "expected"),
    [
        ("230587500", "307.45", "3", "250000"),
        # 1.23 × 7 × 33333 is 287000.13 + …: whole won on the wire, the multiplier is whole.
        ("286997", "1.23", "7", "33333"),
        ("0", "307.45", "3", None),
        ("230587500", "307.45", "0", None),
        ("-230587500", "307.45", "3", None),
        (None, "307.45", "3", None),
        ("230587500", None, "3", None),
        ("230587500", "307.45", None, None),
    ],
)
def test_multiplier(
    value: str | None, price: str | None, quantity: str | None, expected: str | None
) -> None:
    """The multiplier comes exactly out of an amount in whole won, or it is not known."""
    row = _row(evlu_amt=value, idx_clpr=price, cblc_qty=quantity)
    assert multiplier(row, "1") == (None if expected is None else Decimal(expected))


def test_multiplier_without_a_price_comes_from_the_cost() -> None:
    """340.30 × 2 × 250,000 = 170,150,000, from the price that EXCC_STAT_CD counts the cost from."""
    row = _row(cblc_qty="2", idx_clpr="0E-8", evlu_amt="0", pchs_amt="170150000")
    assert is_unpriced(row)
    assert multiplier(row | {"excc_unpr": Decimal("340.30")}, "1") == 250_000
    assert multiplier(row | {"ccld_avg_unpr1": Decimal("340.30")}, "2") == 250_000
    assert multiplier(row | {"excc_unpr": Decimal("340.30")}, "2") is None


def test_a_1_in_front_of_todays_code_is_passed_over() -> None:
    """``1A01612``, as one of KIS's files spells it; no code of the old scheme looks like it."""
    read = read_product("1A01612", "F 202612")
    assert (read.kind, read.product, read.term) == ("future", "KOSPI 200", "202612")
    assert read_product("1A4S12", None).kind == "future"


def test_the_multiplier_of_a_round_quotient_is_written_plainly() -> None:
    """250000 and not 2.5E+5, from value and from cost."""
    row = {"cblc_qty": 2, "idx_clpr": Decimal(0), "evlu_amt": Decimal(0)}
    row |= {"pchs_amt": Decimal(170150000), "excc_unpr": Decimal("340.30000000")}
    assert str(multiplier(row, "1")) == "250000"
