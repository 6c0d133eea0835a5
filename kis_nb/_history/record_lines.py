"""Where a recorder's lines go: a terminal, whose last line is rewritten, or a file or pipe."""

from __future__ import annotations

import shutil
import unicodedata
from typing import Protocol, TextIO

from kis_nb._wire.clock import Clock

# Seconds between two progress lines in a file, when nothing has changed.
_QUIET = 900.0


class Lines(Protocol):
    """Takes what a recorder says."""

    def notice(self, text: str) -> None:
        """A sentence that stays."""

    def progress(self, text: str, *, changed: bool) -> None:
        """How it goes; `changed` when something began or ended that one must know of."""


class NoLines:
    """Says nothing."""

    def notice(self, text: str) -> None:
        """Nothing is written."""

    def progress(self, text: str, *, changed: bool) -> None:
        """Nothing is written."""


class StreamLines:
    """Writes to a stream: on a terminal progress is one line that is rewritten in place; elsewhere
    it is a line every quarter of an hour, and one for each change.

    A stream that can no longer be written ends the lines and not the recording.
    """

    def __init__(self, stream: TextIO, clock: Clock, *, prefix: str = "") -> None:
        self._stream = stream
        self._clock = clock
        self._prefix = prefix
        self._terminal = not stream.closed and stream.isatty()
        self._rewriting = False
        self._next = 0.0

    def notice(self, text: str) -> None:
        """A line of its own."""
        end = "\r\x1b[K" if self._rewriting else ""
        self._rewriting = False
        self._write(f"{end}{self._prefix}{text}\n")

    def progress(self, text: str, *, changed: bool) -> None:
        """The line that is rewritten, or now and then a new one."""
        if self._terminal:
            width = max(shutil.get_terminal_size().columns - 1, 20)
            self._rewriting = True
            self._write(f"\r{_cut(text, width)}\x1b[K")
        elif changed or self._clock.monotonic() >= self._next:
            self._next = self._clock.monotonic() + _QUIET
            self._write(f"{self._prefix}{text}\n")

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # A closed pipe or terminal: the night is still to be kept.
            self._terminal = False


def _cut(text: str, width: int) -> str:
    """As much of a text as a line holds; a Korean letter takes two cells."""
    used = 0
    for place, letter in enumerate(text):
        used += 2 if unicodedata.east_asian_width(letter) in "WF" else 1
        if used > width:
            return f"{text[: max(place - 1, 0)]}…"
    return text
