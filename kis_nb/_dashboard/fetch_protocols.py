"""What a feed has around it: whom it asks, whom it tells, and its clock. Under `_feed`; imports
`_fields` and `_shelf`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._dashboard.balance_cache import View

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


class Pulls(Protocol):
    """What the feed needs of a client."""

    def balance(
        self,
        account: Account,
        *,
        mgna_dvsn: Margin,
        excc_stat_cd: Basis,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Balance: ...


class Listener(Protocol):
    """Told on the feed's threads, one thing at a time or several at once, never under its lock."""

    def feed_balance(self, view: View) -> None:
        """A newer balance of this view is at hand."""

    def feed_state(self) -> None:
        """`Feed.state` has changed."""


class Clock:
    """Time, handed in so that tests can run it fast."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Give the condition up until it is notified or the time is over."""
        condition.wait(seconds)


@dataclass(eq=False, slots=True)
class Pull:
    """A pull under way: which, the how many-eth, whether it renews what is at hand, the pages read,
    until when it waits for an access token, when its first page came, and what cancels it.
    """

    view: View
    number: int
    quiet: bool = False
    page: int = 0
    until: float | None = None
    of: float | None = None
    cancel: threading.Event = field(default_factory=threading.Event)


class Progress:
    """What a client is given as `progress`: passes on pages, and seconds to wait for a token."""

    def __init__(self, note: Callable[[int, float | None], None]) -> None:
        self._note = note

    def __call__(self, pages: int) -> None:
        """So many pages are read."""
        self._note(pages, None)

    def waiting(self, _why: str, seconds: float) -> None:
        """An access token is waited for, for so many seconds at most."""
        self._note(0, seconds)


class Viewers:
    """Whether anybody can see the dashboard.

    A view on a page says when it appears and when it is taken away: a cell that is run again, or
    cleared, takes its outputs away without a word to the kernel's objects, and ipywidgets keeps
    those. A dashboard that no page has ever shown is driven by code, in a test or a notebook run
    without a browser, and counts as seen. So does one on a hidden tab, or scrolled away.
    """

    def __init__(self) -> None:
        self._views: set[str] | None = None

    def came(self, view: str) -> None:
        """A view of this name is on a page now."""
        self._views = {*(self._views or ()), view}

    def went(self, view: str) -> None:
        """It is not any more."""
        if self._views is not None:
            self._views.discard(view)

    @property
    def gone(self) -> bool:
        """It was on a page, and is on none now."""
        return self._views is not None and not self._views


class Closable(Protocol):
    """A feed, as far as its end goes."""

    def close(self, wait: float = 2.0) -> None:
        """End its threads."""


def let_go(feed: Closable, drawing: threading.RLock) -> None:
    """End a feed whose listener is gone, or goes with the process.

    The kernel then closes its sockets, so what is being drawn is waited for; and the lock is kept,
    since whoever drew after this would write a traceback into the server's log.
    """
    feed.close(0.0)
    drawing.acquire(timeout=2)
