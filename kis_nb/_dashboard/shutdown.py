"""How the threads of a dashboard end that nobody closed."""

from __future__ import annotations

import atexit
import threading
import weakref

# Imported first: what is registered later is called earlier at the interpreter's end.
from concurrent.futures import thread as _pools
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kis_nb._dashboard.fetcher import Fetcher


class Closable(Protocol):
    """What is closed at the interpreter's end."""

    def close(self) -> None: ...


_closables: weakref.WeakSet[Closable] = weakref.WeakSet()
_lock = threading.Lock()


def detach(fetcher: Fetcher, lock: threading.RLock) -> None:
    """End the fetcher of a dashboard that is garbage, or ends with the process.

    The kernel then closes its sockets, so what is being drawn is waited for. The lock is not
    released: whatever drew after this would write a traceback into the server's log.
    """
    fetcher.close(0.0)
    lock.acquire(timeout=2)


def close_at_exit(closable: Closable) -> None:
    """Close this before Python waits for the threads of pools. It is held weakly."""
    with _lock:
        _closables.add(closable)


def _close_all() -> None:
    with _lock:
        found = list(_closables)
    for one in found:
        one.close()


# atexit's own functions run only after Python has waited for each thread of a pool. Python's name
# for what runs before that begins with an underscore; without it the wait is longer, that is all.
assert _pools is not None
getattr(threading, "_register_atexit", atexit.register)(_close_all)
