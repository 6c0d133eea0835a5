"""Words that several outputs use for the same thing, each as Korean and English."""

from __future__ import annotations

from typing import TypeAlias

Words: TypeAlias = tuple[str, str]

NO_PRICE: Words = ("가격 없음", "no price")
NO_POSITIONS: Words = ("보유 포지션 없음", "No open positions")
# The underlyings of a payoff, by their names in `Product.underlying`.
UNDERLYINGS: dict[str, Words] = {
    "KOSPI 200": ("코스피200", "KOSPI 200"),
    "KOSDAQ 150": ("코스닥150", "KOSDAQ 150"),
    "USD/KRW": ("미국달러", "USD/KRW"),
}
