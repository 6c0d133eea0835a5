"""The exchange's product lines: underlying, multiplier and last trading day of each."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

MONDAY, THURSDAY = 0, 3


class ProductLine(NamedTuple):
    """A product line.

    Attributes:
        underlying: ``KOSPI 200``, ``KOSDAQ 150`` or ``USD/KRW``.
        multiplier: won for one point of one contract.
        weekday: of the last trading day; 0 is Monday.
        nth: which of these weekdays in the month, from 1; None for a weekly, whose term says it.
    """

    underlying: str
    multiplier: Decimal
    weekday: int
    nth: int | None

    @property
    def weekly(self) -> bool:
        """Whether a contract's term is a week of a month."""
        return self.nth is None


PRODUCT_LINES = {
    "KOSPI 200": ProductLine("KOSPI 200", Decimal(250_000), THURSDAY, 2),
    "KOSPI 200 mini": ProductLine("KOSPI 200", Decimal(50_000), THURSDAY, 2),
    "KOSPI 200 weekly Thu": ProductLine("KOSPI 200", Decimal(250_000), THURSDAY, None),
    "KOSPI 200 weekly Mon": ProductLine("KOSPI 200", Decimal(250_000), MONDAY, None),
    "KOSDAQ 150": ProductLine("KOSDAQ 150", Decimal(10_000), THURSDAY, 2),
    "KOSDAQ 150 weekly Thu": ProductLine("KOSDAQ 150", Decimal(10_000), THURSDAY, None),
    "KOSDAQ 150 weekly Mon": ProductLine("KOSDAQ 150", Decimal(10_000), MONDAY, None),
    "USD/KRW": ProductLine("USD/KRW", Decimal(10_000), MONDAY, 3),
}
UNDERLYINGS = tuple(dict.fromkeys(line.underlying for line in PRODUCT_LINES.values()))
