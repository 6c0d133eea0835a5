"""Time and waiting, as an object, so that tests can pass a clock that they move themselves."""

from __future__ import annotations

import threading
import time

from kis_nb._errors import Cancelled


class Clock:
    """The real clock."""

    def time(self) -> float:
        """Seconds since 1970, for times that are stored or shown."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, for waits and rate limits."""
        return time.monotonic()

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        """Wait, or stop waiting when `cancel` is set.

        Raises:
            Cancelled: `cancel` is set.
        """
        if cancel is None:
            time.sleep(seconds)
        elif cancel.wait(seconds):
            raise Cancelled("the pull was cancelled")
