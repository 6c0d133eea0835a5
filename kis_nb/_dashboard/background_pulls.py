"""Which view is pulled in the background, so that the next click finds its figures cached."""

from __future__ import annotations

from itertools import product

from kis_nb._codes import Basis, Margin, View
from kis_nb._dashboard.balance_cache import BalanceCache

# Views in the background are pulled again when they are older than this, in seconds.
_MAX_AGE = 30.0


def next_background_view(requested: View, cache: BalanceCache, now: float) -> View | None:
    """The next of the requested account's other three views to pull; None when all are young.

    Views that are not cached come first, in the order of how few clicks lead there: the other
    margin, the other basis, then both. After them the oldest: with a book that takes long to pull,
    the last view in that order would never have its turn.

    Args:
        requested: the view that the user chose.
        cache: the balances pulled so far.
        now: the time on the clock of the cache's entries.
    """
    account, margin, basis = requested
    margins = sorted(Margin, key=lambda one: one != margin)
    bases = sorted(Basis, key=lambda one: one != basis)
    ages: list[tuple[float, View]] = []
    for other_basis, other_margin in product(bases, margins):
        view = (account, other_margin, other_basis)
        if view == requested:
            continue
        entry = cache.get(view)
        if entry is None:
            return view
        ages.append((now - entry.received_at, view))
    age, oldest = max(ages, key=lambda one: one[0])
    return oldest if age > _MAX_AGE else None
