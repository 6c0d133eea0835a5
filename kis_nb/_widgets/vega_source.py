"""Vega's source, about 900 kB, which a kernel sends once to each page that draws a chart."""

from __future__ import annotations

import hashlib
import threading
from functools import cache

from kis_nb._widgets.sources import STATIC


class VegaSource:
    """Vega's source, and whether this kernel has sent it yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sent = False

    @staticmethod
    @cache
    def read() -> bytes:
        """The file that the build made.

        Raises:
            FileNotFoundError: this is a checkout that was never built.
        """
        try:
            return (STATIC / "vega.js").read_bytes()
        except FileNotFoundError as missing:
            raise FileNotFoundError(
                "kis_nb/_widgets/static/vega.js is missing: it is made when the package is built. "
                "In a checkout run `pip install -e .` once"
            ) from missing

    def version(self) -> str:
        """Distinguishes the sources of two kis_nb versions on one page."""
        return hashlib.sha256(self.read()).hexdigest()[:16]

    def is_first(self) -> bool:
        """True once: whoever gets it then sends the source. Pages that missed it ask for it."""
        with self._lock:
            first, self._sent = not self._sent, True
            return first
