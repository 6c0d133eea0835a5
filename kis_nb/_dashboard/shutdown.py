"""How the threads of a dashboard end that nobody closed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kis_nb._dashboard.fetcher import Fetcher


def detach(fetcher: Fetcher, lock: threading.RLock) -> None:
    """End the fetcher of a dashboard that is garbage, or ends with the process.

    The kernel then closes its sockets, so what is being drawn is waited for. The lock is not
    released: whatever drew after this would write a traceback into the server's log.
    """
    fetcher.close(0.0)
    lock.acquire(timeout=2)
