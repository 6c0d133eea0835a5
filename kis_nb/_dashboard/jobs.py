"""Jobs on threads of their own, none of which can end the thread or be waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from kis_nb._dashboard import thread_errors


class Jobs:
    """Runs jobs in the order in which they come. Thread-safe.

    At the interpreter's end Python waits for the jobs that run: they are short, or what they wait
    for is cancelled then (`kis_nb._dashboard.shutdown.close_at_exit`).

    Args:
        name: of the threads.
        threads: how many jobs run at a time.
    """

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)

    def run(self, job: Callable[[], None]) -> None:
        """Run a job after those before it; nothing once closed. Its exception is reported."""
        with suppress(RuntimeError):  # closed meanwhile, or the interpreter is ending
            self._pool.submit(job).add_done_callback(thread_errors.report_job)

    def run_after(self, seconds: float, job: Callable[[], None]) -> None:
        """Run a job as `run` does, so many seconds from now."""
        timer = threading.Timer(seconds, self.run, (job,))
        timer.daemon = True
        with suppress(RuntimeError):  # the interpreter is ending
            timer.start()

    def close(self, *, finish: bool = False, wait: bool = False) -> None:
        """Take no more jobs.

        Args:
            finish: whether those that have not begun are still done.
            wait: whether to come back only when all have ended.
        """
        self._pool.shutdown(wait=wait, cancel_futures=not finish)
