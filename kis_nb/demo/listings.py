"""Which contracts are listed on a trading day, and which of them an account holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import islice

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.products import FUTURES, OPTIONS, SPREADS

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


def _ranked(today: date, limit: int) -> Iterator[tuple[int, Instrument]]:
    """The contracts traded on `today` with their order, options beyond `limit` left out."""
    for line, product in enumerate((*FUTURES, SPREADS)):
        months = list(islice(product.terms(today), product.listed + 1))
        for rank, (year, month, _) in enumerate(months[: product.listed], 1):
            if product is SPREADS:
                far = months[rank][:2]
                made = Instrument(product, "S", year, month, far=far, rank=rank)
                yield 2 + 6 * (rank - 1), made
            else:
                made = Instrument(product, "F", year, month, rank=rank)
                yield 6 * (rank - 1) + (line > 0), made
    for product in OPTIONS:
        near, per_strike, per_term = _ORDER[product.code]
        centre = product.underlying.level // 10_000
        middle = min(product.strikes, key=lambda strike: abs(strike - centre))
        for ahead, (year, month, week) in enumerate(islice(product.terms(today), product.listed)):
            for strike in product.strikes:
                away = abs(strike - middle) // product.strikes.step
                order = near + per_strike * away + per_term * ahead
                if order <= limit:
                    yield order, Instrument(product, "C", year, month, strike, week)
                    yield order, Instrument(product, "P", year, month, strike, week)


@lru_cache(maxsize=4)
def listed(today: date) -> tuple[Instrument, ...]:
    """Every contract that trades on a trading day."""
    return tuple(contract for _, contract in _ranked(today, 10**9))


def first_contracts(today: date, rows: int) -> list[Instrument]:
    """The first `rows` contracts that trade on `today`, in order: every product's near months and
    middle strikes come first, later months and further strikes after them.

    Raises:
        ValueError: more rows than there are contracts.
    """
    limit, ranked = 8, list(_ranked(today, 8))
    while len(ranked) < rows and limit < 10_000:
        limit *= 4
        ranked = list(_ranked(today, limit))
    if rows > len(ranked):
        raise ValueError(f"an account holds {len(ranked)} rows at most; {rows} were asked for")
    ranked.sort(key=lambda pair: pair[0])
    return [instrument for _, instrument in ranked[:rows]]
