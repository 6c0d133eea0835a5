"""Which balance is on show, and which others stand beside it.

Under the face `_dashboard`: imports `_feed`, `_fields`, `_picture` and `_shelf`. The caller holds
the dashboard's lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kis_nb._board._feed import Feed
from kis_nb._board._picture import Picture
from kis_nb._board._shelf import View, view_of
from kis_nb._fields import Basis, Lang, Margin

if TYPE_CHECKING:
    from kis_nb._balance import Balance

# Views pulled further apart than this are not set side by side: they would compare two moments.
_TOGETHER = 60.0


class Gallery:
    """The pictures of what the feed has at hand.

    Args:
        feed: None when there is nothing to pull from.
        alone: the one balance then, if any.

    Attributes:
        shown: the balance on show.
    """

    def __init__(self, feed: Feed | None, alone: Balance | None) -> None:
        self._feed = feed
        self._pictures: dict[View, Picture] = {}
        self.shown = alone

    def picture(self, view: View, lang: Lang) -> Picture | None:
        """The picture of what is at hand for a view, kept until a newer balance comes."""
        balance = self._feed.at_hand(view) if self._feed is not None else self.shown
        return self._picture(balance, lang) if balance is not None else None

    def near(self, balance: Balance, lang: Lang) -> list[Picture]:
        """The pictures of the views that `together` gives."""
        return [self._picture(one, lang) for one in self.together(balance)]

    def _picture(self, balance: Balance, lang: Lang) -> Picture:
        view = view_of(balance)
        picture = self._pictures.get(view)
        if picture is None or picture.balance is not balance or picture.lang != lang:
            before = self._feed.before(view) if self._feed is not None else None
            picture = self._pictures[view] = Picture(balance, before, lang)
        return picture

    def current(self, wanted: View, lang: Lang) -> Picture | None:
        """The wanted picture if it is at hand, else the one on show; it is then on show."""
        picture = self.picture(wanted, lang)
        if picture is None and self.shown is not None:
            picture = self.picture(view_of(self.shown), lang)
        if picture is not None:
            self.shown = picture.balance
        return picture

    def together(self, balance: Balance) -> list[Balance]:
        """The views of this account at hand that show the same moment, in the codes' order."""
        feed = self._feed
        if feed is None:
            return [balance]
        renewing = feed.renewing
        found = []
        for view in [(balance.account, margin, basis) for margin in Margin for basis in Basis]:
            one = balance if view == view_of(balance) else feed.at_hand(view)
            if one is None:
                continue
            apart = abs((one.as_of - balance.as_of).total_seconds())
            # What is just being renewed keeps its place meanwhile: no chart jumps twice.
            if apart <= _TOGETHER or renewing:
                found.append(one)
        return found

    def maintenance(self, balance: Balance) -> Balance | None:
        """A pull with MGNA_DVSN 02 of the same moment, on the same basis if there is one."""
        held = [one for one in self.together(balance) if one.mgna_dvsn is Margin.MAINTENANCE]
        held.sort(key=lambda one: one.excc_stat_cd is not balance.excc_stat_cd)
        return next(iter(held), None)
