"""Which balance is on show, and which others stand beside it.

Under the face `_dashboard`: imports `_feed`, `_fields`, `_figures`, `_picture`, `_shelf` and
`_words`. The caller holds the dashboard's lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kis_nb._codes import Basis, Lang, Margin, View
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.balance_cache import view_of
from kis_nb._dashboard.chart_data import Picture
from kis_nb._dashboard.fetcher import Feed
from kis_nb._dashboard.texts import say

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Views that came within this many seconds are of the same moment. Further apart, the page says when
# each was pulled; and from some point on they are not set side by side at all, though what is just
# being renewed keeps its place for longer, so that no chart jumps twice.
_SAME = 5.0
_TOGETHER = 60.0
_RENEWING = 300.0


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

    def complete_products(
        self, balance: Balance, lock: threading.RLock, draw: Callable[[], None]
    ) -> None:
        """Have KIS's master files tell what code and name leave open, without waiting for them.

        Called without the lock. When the files come, every picture is made anew and drawn with it.
        """
        from kis_nb._frames.position_products import fetch_missing_products

        def renew() -> None:
            with lock:
                self._pictures.clear()
                draw()

        fetch_missing_products(balance.positions, balance.master, renew)

    def current(self, wanted: View, lang: Lang) -> Picture | None:
        """The wanted picture if it is at hand, else the one on show; it is then on show."""
        picture = self.picture(wanted, lang)
        if picture is None and self.shown is not None:
            picture = self.picture(view_of(self.shown), lang)
        if picture is not None:
            self.shown = picture.balance
        return picture

    def together(self, balance: Balance) -> list[Balance]:
        """The views of this account at hand from about the same time, in the codes' order.

        `moment` tells which of them need their time beside them.
        """
        feed, shown = self._feed, view_of(balance)
        if feed is None:
            return [balance]
        bound = _RENEWING if feed.renewing else _TOGETHER
        found = []
        for view in [(balance.account, margin, basis) for margin in Margin for basis in Basis]:
            one = balance if view == shown else feed.at_hand(view)
            if one is not None and (view == shown or feed.apart(view, shown) <= bound):
                found.append(one)
        return found

    def moment(self, balance: Balance, others: Sequence[Balance]) -> str:
        """When those of the others were pulled that are not of this balance's moment; blank when
        all of them are.
        """
        feed = self._feed
        late = [
            one.as_of
            for one in others
            if feed is not None
            and view_of(one) != view_of(balance)
            and feed.apart(view_of(one), view_of(balance)) > _SAME
        ]
        return (
            "–".join(dict.fromkeys(f"{at:%H:%M:%S}" for at in (min(late), max(late))))
            if late
            else ""
        )

    def cards(self, picture: Picture | None, lang: Lang) -> list[summary_cards.Json]:
        """The head line; labels and dashes without a picture."""
        if picture is None:
            return summary_cards.blank(lang)
        balance = picture.balance
        upkeep = self.maintenance(balance)
        near = self.together(balance)
        cards = summary_cards.cards(balance, picture.before, upkeep, lang, near)
        if upkeep is not None and (at := self.moment(balance, [upkeep])):
            excess = next(card for card in cards if card["key"] == "excess")
            # In place of a line that is there: a line more would move all below it at each pull.
            excess["sub"][0] = {"label": say("excess_moment", lang, at=at), "value": ""}
        return cards

    def maintenance(self, balance: Balance) -> Balance | None:
        """A pull with MGNA_DVSN 02 from about the same time, on the same basis if there is one."""
        held = [one for one in self.together(balance) if one.mgna_dvsn is Margin.MAINTENANCE]
        held.sort(key=lambda one: one.excc_stat_cd is not balance.excc_stat_cd)
        return next(iter(held), None)
