"""Which contracts are listed on a trading day, and which places of the list an account holds."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from itertools import takewhile
from typing import NamedTuple

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.products import FUTURES, OPTIONS, SPREADS, Kind, Product

# How early an account holds an option, by product: its place at the middle strike and near month,
# and what each further strike and each later month (week) adds.
_ORDER = {
    "01": (1, 1, 4),
    "09": (2, 3, 5),
    "AF": (2, 3, 5),
    "05": (2, 4, 7),
    "06": (3, 4, 8),
    "AJ": (4, 5, 9),
    "AK": (4, 5, 9),
}


class Slot(NamedTuple):
    """A place in the list of contracts: the `rank`-th term (from 0, the nearest) of a kind and
    strike. The place stays; the contract in it changes when a term expires.
    """

    product: Product
    kind: Kind
    strike: int
    rank: int


class Term(NamedTuple):
    """A contract month or week of a product.

    Attributes:
        number: one more for each term of the product.
        year, month, week: of its name; `week` from 1, else 0.
        last: its last trading day.
    """

    number: int
    year: int
    month: int
    week: int
    last: date


class Terms(NamedTuple):
    """A product's terms around a trading day.

    Attributes:
        before: those that expired, as many as are listed or more, the latest last.
        listed: those that trade on it, nearest first, and one more.
    """

    before: tuple[Term, ...]
    listed: tuple[Term, ...]

    def made_room(self, rank: int, width: int) -> date:
        """When the term expired that was `width` places before the one at `rank` (below `width`):
        on the trading day after it that one came into a list of so many terms.
        """
        return self.before[rank - width].last


@lru_cache(maxsize=64)
def _around(product: Product, year: int) -> tuple[Term, ...]:
    """The product's terms of a year, the two before it and the two after it."""
    return tuple(
        Term(product.number(*term), *term, product.last_day(*term))
        for term in takewhile(lambda term: term[0] < year + 3, product.terms(date(year - 2, 1, 15)))
    )


@lru_cache(maxsize=512)
def terms(product: Product, today: date) -> Terms:
    """The product's terms around a trading day."""
    known, count = _around(product, today.year), product.listed + 1
    first = bisect_left(known, today, key=lambda term: term.last)
    return Terms(known[max(first - count, 0) : first], known[first : first + count])


def contract(slot: Slot, listed: Sequence[Term], *, old: bool = False) -> Instrument:
    """The contract that is in a slot while these terms are listed."""
    product, kind, strike, rank = slot
    _, year, month, week, _ = listed[rank]
    far = listed[rank + 1][1:3] if kind == "S" else None
    return Instrument(product, kind, year, month, strike, week, far, old=old)


def _ranked(limit: int) -> Iterator[tuple[int, Slot]]:
    """The slots with their order, options beyond `limit` left out."""
    for line, product in enumerate((*FUTURES, SPREADS)):
        for rank in range(product.listed):
            if product is SPREADS:
                yield 2 + 6 * rank, Slot(product, "S", 0, rank)
            else:
                yield 6 * rank + (line > 0), Slot(product, "F", 0, rank)
    for product in OPTIONS:
        near, per_strike, per_term = _ORDER[product.code]
        centre = product.underlying.level // 10_000
        middle = min(product.strikes, key=lambda strike: abs(strike - centre))
        for rank in range(product.listed):
            for strike in product.strikes:
                away = abs(strike - middle) // product.strikes.step
                order = near + per_strike * away + per_term * rank
                if order <= limit:
                    yield order, Slot(product, "C", strike, rank)
                    yield order, Slot(product, "P", strike, rank)


@lru_cache(maxsize=4)
def listed(today: date) -> tuple[Instrument, ...]:
    """Every contract that trades on a trading day."""
    return tuple(_contracts((slot for _, slot in _ranked(10**9)), today))


def _contracts(slots: Iterator[Slot], today: date) -> Iterator[Instrument]:
    for slot in slots:
        made = contract(slot, terms(slot.product, today).listed)
        yield made if made.option else replace(made, rank=slot.rank + 1)


@lru_cache(maxsize=16)
def first_slots(rows: int) -> tuple[Slot, ...]:
    """The first `rows` slots, in order: every product's near months and middle strikes come first,
    later months and further strikes after them.

    Raises:
        ValueError: more rows than there are contracts.
    """
    limit, ranked = 8, list(_ranked(8))
    while len(ranked) < rows and limit < 10_000:
        limit *= 4
        ranked = list(_ranked(limit))
    if rows > len(ranked):
        raise ValueError(f"an account holds {len(ranked)} rows at most; {rows} were asked for")
    ranked.sort(key=lambda pair: pair[0])
    return tuple(slot for _, slot in ranked[:rows])


def first_contracts(today: date, rows: int) -> list[Instrument]:
    """The contracts in the first `rows` slots on a trading day.

    Raises:
        ValueError: more rows than there are contracts.
    """
    return list(_contracts(iter(first_slots(rows)), today))
