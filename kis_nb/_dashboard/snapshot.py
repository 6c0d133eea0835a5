"""The dashboard's head in saved notebooks, renewed as the dashboard changes."""

from __future__ import annotations

import threading
import time
import weakref
from typing import Protocol

from kis_nb._widgets.front_end import front_end
from kis_nb._widgets.saved_output import Bundle, SavedOutput, without_fallback

# A reader who clicks and saves at once finds what he saw; one who clicks fast does not cause an
# output for each click.
_EVERY = 1.0
# Where there is no page the cell waits for the first pull; a token may take a minute.
_LONGEST_WAIT = 120.0
_NOT_ENDED = "조회가 끝나지 않았습니다 · The pull had not ended when this was saved"


class _Html(Protocol):
    def __call__(self, *, settled: bool = False) -> str | None: ...


class Snapshot:
    """What is saved for a dashboard. Thread-safe.

    Args:
        html: a method that gives the head's HTML now, and None while a pull is under way; with
            ``settled=True`` also while one is in the background. It is held weakly.

    Attributes:
        key: of the saved output (`SavedOutput.key`).
    """

    def __init__(self, html: _Html) -> None:
        self._html = weakref.WeakMethod(html)
        self._lock = threading.Lock()
        self._output = SavedOutput(".kis-dashboard")
        self.key = self._output.key
        self._published = False
        self._timer: threading.Timer | None = None

    def bundle(self, live: Bundle) -> Bundle:
        """What a cell puts out: the live widget's bundle after an output for the head, or, where
        there is no page, the head alone, once the figures are there.

        Args:
            live: the MIME bundle of the widget.
        """
        shown = front_end()
        if shown in ("file", "script"):
            return {"text/plain": "<KisDashboard>", "text/html": self._wait()}
        if shown == "page":
            with self._lock:
                self._published = True
            self._output.publish()
            self.changed()
            return without_fallback(live)
        return live

    def changed(self) -> None:
        """The dashboard may have changed: renew the output soon."""
        with self._lock:
            if not self._published or self._timer is not None:
                return
            self._timer = threading.Timer(_EVERY, self._renew)
            self._timer.daemon = True
            self._timer.start()

    def _renew(self) -> None:
        with self._lock:
            self._timer = None
        method = self._html()
        html = None if method is None else method()
        if html is not None:
            self._output.replace(html)

    def _wait(self) -> str:
        ends = time.monotonic() + _LONGEST_WAIT
        while (method := self._html()) is not None:
            if (html := method(settled=True)) is not None:
                return html
            if time.monotonic() > ends:
                return method() or f"<p>{_NOT_ENDED}</p>"
            time.sleep(0.05)
        return f"<p>{_NOT_ENDED}</p>"
