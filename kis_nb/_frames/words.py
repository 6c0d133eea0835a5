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
# Product lines, by their names in `Product.product`: KIS's own words in Korean. They are short, so
# that the side at the end of a bar's name is never cut off.
PRODUCTS: dict[str, Words] = {
    **UNDERLYINGS,
    "KOSPI 200 mini": ("미니", "K200 mini"),
    "KOSPI 200 weekly Mon": ("위클리M", "K200 weekly Mon"),
    "KOSPI 200 weekly Thu": ("위클리", "K200 weekly Thu"),
    "KOSDAQ 150 weekly Mon": ("코스닥위클리M", "KQ150 weekly Mon"),
    "KOSDAQ 150 weekly Thu": ("코스닥위클리", "KQ150 weekly Thu"),
}
# Kinds, in the order in which groups of them are listed.
KINDS: dict[str, Words] = {
    "future": ("선물", "futures"),
    "call": ("콜", "calls"),
    "put": ("풋", "puts"),
    "spread": ("스프레드", "spreads"),
}
