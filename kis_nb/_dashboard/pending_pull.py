"""A pull that is under way, and how it learns of its own progress."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from kis_nb._codes import View


@dataclass(eq=False, slots=True)
class PendingPull:
    """A pull that is under way.

    Attributes:
        view: what is pulled.
        number: counted up as pulls begin; the higher one is newer.
        quiet: it renews figures that are cached and young.
        page: pages read so far.
        token_until: until when it waits for an access token, on the monotonic clock; else None.
        moment: when its first page came, on the same clock; None before.
        cancel: set to end it.
    """

    view: View
    number: int
    quiet: bool = False
    page: int = 0
    token_until: float | None = None
    moment: float | None = None
    cancel: threading.Event = field(default_factory=threading.Event)


class Progress:
    """The `progress` argument of `Client.balance`: reports pages and waits for a token.

    Args:
        report: called with the pages read, and the seconds that a token is waited for or None.
    """

    def __init__(self, report: Callable[[int, float | None], None]) -> None:
        self._report = report

    def __call__(self, pages: int) -> None:
        """So many pages are read."""
        self._report(pages, None)

    def waiting(self, _why: str, seconds: float) -> None:
        """The client waits for an access token, for so many seconds at most."""
        self._report(0, seconds)
