"""Balances at hand, by view. Under `_feed`; imports `_fields` and, for types, `_balance`.

A view is an account with both codes: a balance is only ever found under the view it was pulled for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kis_nb._codes import View

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Eight accounts in all their views; more than anybody clicks through between two pulls.
_KEPT = 32


def view_of(balance: Balance) -> View:
    """The view that a balance was pulled for."""
    return (balance.account, balance.mgna_dvsn, balance.excc_stat_cd)


@dataclass(frozen=True, slots=True)
class Held:
    """A view's newest balance, the one before it, when it came on the caller's clock, which of the
    caller's pulls brought it, and of what moment its figures are on that clock.
    """

    balance: Balance
    before: Balance | None
    at: float
    number: int
    of: float


class Shelf:
    """The newest balance of each view. Not locked: the feed's lock is held by whoever calls."""

    def __init__(self) -> None:
        self._held: dict[View, Held] = {}

    def __contains__(self, view: object) -> bool:
        return view in self._held

    def get(self, view: View) -> Held | None:
        """What is at hand for a view."""
        return self._held.get(view)

    def keep(
        self, view: View, balance: Balance, now: float, number: int, of: float | None = None
    ) -> bool:
        """Keep a balance unless a newer one of its view is here; says whether it was kept.

        Answers overtake each other: a cancelled pull may still come back, after the next one. Which
        is newer is told by the number of the pull, counted up as they begin: the time of day may be
        set back. `of` is when its first page came, which may be long before the last; `now` when
        that is not known.
        """
        old = self._held.get(view)
        if old is not None and old.number > number:
            return False
        self._held.pop(view, None)
        self._held[view] = Held(
            balance, None if old is None else old.balance, now, number, now if of is None else of
        )
        while len(self._held) > _KEPT:
            del self._held[next(iter(self._held))]
        return True
