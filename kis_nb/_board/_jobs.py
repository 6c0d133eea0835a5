"""One thread that does what is handed to it, in order. Imports nothing of ours."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable


class Jobs:
    """Takes work off threads that hold a lock of their own while they tell of something.

    The thread starts with the first job; it is a daemon and holds nothing but its jobs.
    """

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def put(self, job: Callable[[], None]) -> None:
        """Do this after what was handed in before it; nothing once closed."""
        with self._lock:
            if self._closed:
                return
            if self._thread is None:
                self._thread = threading.Thread(
                    target=_work, args=(self._queue,), name="kis_nb-jobs", daemon=True
                )
                self._thread.start()
            self._queue.put(job)

    def close(self, wait: float = 1.0) -> None:
        """End the thread after its jobs, and wait for that so many seconds."""
        with self._lock:
            self._closed = True
            thread = self._thread
            self._queue.put(None)
        # A job may be what closes.
        if thread is not None and thread is not threading.current_thread():
            thread.join(wait)


def _work(jobs: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (job := jobs.get()) is not None:
        job()
