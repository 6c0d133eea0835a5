"""Termination signals, for commands that run until one comes."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def on_termination(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    """Have a handler called for Ctrl-C, a termination signal and the closing of the terminal.

    The handlers of before are restored at the end.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in previous.items():
            signal.signal(number, old)
