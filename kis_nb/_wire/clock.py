"""Time and waiting, handed in so that tests need neither patching nor patience."""

from __future__ import annotations

import threading
import time

from kis_nb._errors import Cancelled


class Clock:
    """Time and waiting, handed in so that tests can run it fast."""

    def time(self) -> float:
        """Seconds since 1970, for what is stored and shown."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never go back, for waits and limits."""
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
