"""What a product's code and name tell."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._products import Product, is_unpriced, kind_of, multiplier, read_product

_K = "KOSPI 200"


def _told(product: Product) -> tuple[Any, ...]:
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
        # The master file's own lines, and the names of products.md.
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
    """Code and name of every line that products.md quotes tell the whole product."""
    product = read_product(code, name)
    assert _told(product) == expected
    assert product.source == "name"
    assert kind_of(code, name) == product.kind


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
