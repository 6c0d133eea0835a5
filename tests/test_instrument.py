"""What a product's code and name tell."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kis_nb._instrument import Instrument, instrument, multiplier


@pytest.mark.parametrize(
    ("code", "name", "expected"),
    [
        ("101S12", "F 202212", Instrument("future", "01", "KOSPI 200", "2022-12", None)),
        ("A01612", " F 202612  ", Instrument("future", "01", "KOSPI 200", "2026-12", None)),
        ("A05612", "미니 F 202612", Instrument("future", "05", "KOSPI 200", "2026-12", None)),
        ("A05612", "미니F 202612", Instrument("future", "05", "KOSPI 200", "2026-12", None)),
        ("A01612", "XF 202612", Instrument("future", "01", "KOSPI 200", None, None)),
        ("106T03", None, Instrument("future", "06", "KOSDAQ 150", None, None)),
        ("175W01", "미국달러 F 202701", Instrument("future", "75", "USD", "2027-01", None)),
        (
            "201W09572",
            "C 202612 572.5",
            Instrument("call", "01", "KOSPI 200", "2026-12", Decimal("572.5")),
        ),
        (
            "301W09312",
            "P 202701 312.5",
            Instrument("put", "01", "KOSPI 200", "2027-01", Decimal("312.5")),
        ),
        ("201W09350", "", Instrument("call", "01", "KOSPI 200", None, Decimal(350))),
        ("401W0912S", "SP", Instrument("spread", "01", "KOSPI 200", None, None)),
        ("209W09350", "C 202612 350", Instrument("call", "09", None, "2026-12", Decimal(350))),
        ("B01612350", "C 202612 350", Instrument(None, None, None, "2026-12", None)),
        ("101S12", "F 202613", Instrument("future", "01", "KOSPI 200", None, None)),
        ("201", "C", Instrument("call", "01", "KOSPI 200", None, None)),
        ("", "", Instrument(None, None, None, None, None)),
        (None, None, Instrument(None, None, None, None, None)),
    ],
)
def test_reads_code_and_name(code: str | None, name: str | None, expected: Instrument) -> None:
    """A product is told as far as the glossary's rules reach, and no further."""
    assert instrument(code, name) == expected


@pytest.mark.parametrize(
    ("value", "price", "quantity", "expected"),
    [
        ("230587500", "307.45", 3, "250000"),
        # 1.23 × 7 × 33333 is 287000.13 + …: whole won on the wire, the multiplier is whole.
        ("286997", "1.23", 7, "33333"),
        ("0", "307.45", 3, None),
        ("230587500", "0", 3, None),
        ("230587500", "307.45", 0, None),
        ("-230587500", "307.45", 3, None),
        (None, "307.45", 3, None),
        ("230587500", None, 3, None),
        ("230587500", "307.45", None, None),
    ],
)
def test_multiplier(
    value: str | None, price: str | None, quantity: int | None, expected: str | None
) -> None:
    """The multiplier comes exactly out of an amount in whole won, or it is not known."""

    def number(text: str | None) -> Decimal | None:
        return None if text is None else Decimal(text)

    assert multiplier(number(value), number(price), quantity) == number(expected)
