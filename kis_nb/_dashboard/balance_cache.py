"""The newest balance of each view, kept so that a click shows figures without a call.

A balance is stored under the view it was pulled for, and found under no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kis_nb._codes import View

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Eight accounts in all their views; more than anybody clicks through between two pulls.
_CAPACITY = 32


def view_of(balance: Balance) -> View:
    """The view that a balance was pulled for."""
    return (balance.account, balance.mgna_dvsn, balance.excc_stat_cd)


@dataclass(frozen=True, slots=True)
class CachedBalance:
    """A view's newest balance.

    Attributes:
        balance: the newest.
        previous: the one that it replaced, for changes; None for a view's first.
        received_at: when its last page came, in seconds on the caller's monotonic clock.
        moment: when its first page came, on the same clock: what its figures are as of.
        pull_number: the number of the pull that brought it, counted up as pulls begin.
    """

    balance: Balance
    previous: Balance | None
    received_at: float
    moment: float
    pull_number: int


class BalanceCache:
    """The newest balance of each view, up to 32 views. Not locked: the caller holds a lock."""

    def __init__(self) -> None:
        self._entries: dict[View, CachedBalance] = {}

    def __contains__(self, view: object) -> bool:
        return view in self._entries

    def get(self, view: View) -> CachedBalance | None:
        """The entry of a view; None when nothing is cached for it."""
        return self._entries.get(view)

    def views(self) -> list[View]:
        """The views that have an entry."""
        return list(self._entries)

    def store(
        self,
        view: View,
        balance: Balance,
        *,
        received_at: float,
        pull_number: int,
        moment: float | None = None,
    ) -> bool:
        """Keep a balance unless a newer one of its view is cached; the oldest entry makes way.

        Responses overtake each other: a cancelled pull may still return after the next one. The
        number of the pull decides which is newer, since the time of day may be set back.

        Args:
            view: what the balance was pulled for.
            balance: the figures.
            received_at, pull_number, moment: as of `CachedBalance`; `moment` is `received_at` when
                left out.

        Returns:
            Whether it was kept.
        """
        old = self._entries.get(view)
        if old is not None and old.pull_number > pull_number:
            return False
        # Removed first, so that the view is the youngest of the dict and the last to make way.
        self._entries.pop(view, None)
        self._entries[view] = CachedBalance(
            balance=balance,
            previous=None if old is None else old.balance,
            received_at=received_at,
            moment=received_at if moment is None else moment,
            pull_number=pull_number,
        )
        while len(self._entries) > _CAPACITY:
            del self._entries[next(iter(self._entries))]
        return True
