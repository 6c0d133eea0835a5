"""Exceptions that must not end the thread on which they are raised."""

from __future__ import annotations

import threading


def report(error: BaseException) -> None:
    """Report an exception as Python reports one that ends a thread: to `threading.excepthook`."""
    thread = threading.current_thread()
    threading.excepthook(
        threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
    )
