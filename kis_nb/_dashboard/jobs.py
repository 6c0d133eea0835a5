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
        try:
            job()
        except Exception as error:  # noqa: BLE001  (whatever a job does wrong is its own)
            # Reported and not raised: the jobs after it are still to be done.
            here = threading.current_thread()
            args = (type(error), error, error.__traceback__, here)
            threading.excepthook(threading.ExceptHookArgs(args))
        # Nothing of it is held while there is nothing to do.
        del job
