"""Exceptions that must not end the thread on which they are raised."""

from __future__ import annotations

import threading
from concurrent.futures import Future


def report(error: BaseException) -> None:
    """Report an exception as Python reports one that ends a thread: to `threading.excepthook`."""
    thread = threading.current_thread()
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
    )


def report_job(job: Future[None]) -> None:
    """Report the exception of a finished job, if it has one; a cancelled job has none."""
    if not job.cancelled() and (error := job.exception()) is not None:
        report(error)
