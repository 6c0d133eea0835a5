"""The dashboard's first pull, which begins before the dashboard is there."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING

from kis_nb._codes import View
from kis_nb._dashboard.fetcher import Fetcher

if TYPE_CHECKING:
    from kis_nb._dashboard.fetch_protocols import BalanceSource, Listener


class EarlyPull:
    """A fetcher that pulls while ipywidgets is imported and the widgets are made.

    Both take some tenths of a second, as a pull over the network does. It listens to the fetcher in
    the dashboard's place, and later hands on to it.

    Args:
        client: the balances' source.
        view: what to pull.
        interval: seconds of auto-refresh, 0 for none. Known here, since setting it later would
            forget that a refused key has stopped it.

    Attributes:
        fetcher: for the dashboard, which must keep this object too: fetchers hold listeners weakly.
    """

    def __init__(self, client: BalanceSource, view: View, interval: float) -> None:
        self._listener: weakref.ref[Listener] | None = None
        self._over = threading.Event()
        self.fetcher = Fetcher(client, self)
        self.fetcher.set_interval(interval)
        self.fetcher.request(view)

    def hand_over(self, listener: Listener) -> None:
        """Notify this listener from now on, first of the balance if it has come.

        The caller holds the lock under which it draws, and draws the state afterwards: what
        changes after that is notified.
        """
        self._listener = weakref.ref(listener)
        self._over.set()

    def abandon(self) -> None:
        """End the pull: there will be no dashboard."""
        self._over.set()
        self.fetcher.close(0.0)

    def on_balance(self, view: View) -> None:
        """Called by the fetcher; waits for the dashboard, which draws on this thread."""
        self._over.wait()
        if (listener := self._heard()) is not None:
            listener.on_balance(view)

    def on_state(self) -> None:
        """Called by the fetcher; a dashboard that is made later shows the state of then."""
        if (listener := self._heard()) is not None:
            listener.on_state()

    def _heard(self) -> Listener | None:
        return None if self._listener is None else self._listener()
