"""What the fetcher needs from outside: a source of balances, a listener and a clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin, View

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


class BalanceSource(Protocol):
    """The one method of `kis_nb.Client` that the fetcher calls."""

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
    """Called on the fetcher's threads, also by several at once, and never under its lock."""

    def on_balance(self, view: View) -> None:
        """A newer balance of this view is cached."""

    def on_state(self) -> None:
        """`Fetcher.state` has changed."""


class Clock:
    """Time, passed in so that tests can run it fast."""

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic()

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:
        """Wait on a held condition until it is notified or the time is over; None: no limit."""
        condition.wait(seconds)
