"""The dashboard's text and tables, of which no notebook keeps a word.

The text of an ipywidgets `HTML` or `Label` is a synced trait and ends in notebooks that are saved
with their widget state. A `Panel` sends its content as custom messages instead, and the page builds
it from text nodes: nothing from the wire is ever read as HTML.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import traitlets

from kis_nb._widgets.late_widget import LateWidget
from kis_nb._widgets.sources import script, stylesheet

# Called with what was done on the page ("cancel", "csv", …), with a value, and with the page's id.
Act: TypeAlias = Callable[[str, Any, str], None]


class Panel(LateWidget):
    """A part of the dashboard, drawn by the script of its subclass.

    Its content is a mapping of named parts, each plain JSON; `show` replaces the parts that it
    names. A page that opens late or is loaded again asks for all of them. Thread-safe.

    Args:
        act: called for what is done on the page, on the thread that handles the page's message.
        traits: of `LateWidget`.
    """

    # True only in the message that makes the widget: a page that finds False has to ask.
    _fresh = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(self, act: Act | None = None, **traits: Any) -> None:
        self._lock = threading.RLock()
        self._seq = 0
        self._parts: dict[str, Any] = {}
        self._act = act
        super().__init__(**traits)
        self.on_msg(self._on_message)
        self._fresh = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    def show(self, parts: Mapping[str, Any]) -> None:
        """Replace these parts; sent only when one of them differs."""
        with self._lock:
            new = {
                name: part
                for name, part in parts.items()
                if name not in self._parts or self._parts[name] != part
            }
            if new:
                self._parts |= new
                self._send_parts("parts", new)

    @property
    def parts(self) -> dict[str, Any]:
        """What is shown, by the parts' names."""
        with self._lock:
            return dict(self._parts)

    def save_file(self, name: str, mime: str, content: bytes, page: str) -> None:
        """Have the page with this id save a file."""
        with self._lock:
            self.send({"type": "file", "name": name, "mime": mime, "page": page}, [content])

    def _send_parts(self, kind: str, parts: Mapping[str, Any]) -> None:
        self._seq += 1
        # The page's clock may be wrong; ages are counted from the kernel's.
        self.send({"type": kind, "seq": self._seq, "now": time.time(), "parts": dict(parts)})

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        """Handle a page's message. Runs on the main thread or on a subshell's."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "ask":
            with self._lock:
                self._send_parts("all", self._parts)
        elif content.get("type") == "act" and self._act is not None:
            self._act(str(content.get("what")), content.get("value"), str(content.get("page")))


class HeadPanel(Panel):
    """Status, progress, errors and the cards of figures."""

    # The key of the output that is saved for the dashboard, which the page hides.
    _saved = traitlets.Unicode().tag(sync=True)

    _esm = script("panels/head.js")
    # The last two override the others.
    _css = stylesheet(
        "panels/dashboard.css",
        "panels/controls.css",
        "panels/head.css",
        "panels/cards.css",
        "panels/sections.css",
        "panels/tabs.css",
        "panels/risk.css",
        "panels/history.css",
        "panels/tables.css",
        "panels/stale.css",
        "panels/narrow.css",
    )


class TablePanel(Panel):
    """The positions."""

    _esm = script("panels/table.js")


class ChecksPanel(Panel):
    """The reconciliation."""

    _esm = script("panels/checks.js")


class NotePanel(Panel):
    """A sentence under a chart."""

    _esm = script("panels/note.js")


class HistoryPanel(Panel):
    """The sentences and cards of the History tab."""

    _esm = script("panels/history.js")


class RiskPanel(Panel):
    """The answers of the Risk tab, what they lack, and the sliders with their figures."""

    _esm = script("panels/risk.js")


class RiskTablesPanel(Panel):
    """The Greeks of the Risk tab: cards, totals, and the positions."""

    _esm = script("panels/risk_tables.js")
