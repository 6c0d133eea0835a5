"""Text and tables on the page, of which no notebook keeps a word. Under the face `_dashboard`;
imports nothing of ours.

The text of an ipywidgets `HTML` or `Label` is a synced trait and ends in notebooks that are saved
with their widget state. A `Panel` sends its content as custom messages instead, and the page builds
it from text nodes: nothing from the wire is ever read as HTML.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, TypeAlias

import anywidget
import traitlets

_STATIC = files("kis_nb") / "_widgets" / "static"

# What was done on the page, with what value, and on which page.
Act: TypeAlias = Callable[[str, Any, str], None]


def _text(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")


def _script(name: str) -> str:
    # One module each: anywidget takes one, and modules of a wheel cannot import one another there.
    return _text("panel.js") + _text(name)


class Panel(anywidget.AnyWidget):
    """A part of the dashboard, drawn by the script of its subclass.

    Content is a mapping of named parts, each plain JSON; `show` replaces the parts it names. A page
    that opens late, a second view or a reloaded page asks for all of it.
    """

    # True only in the message that makes the widget: a page that finds False has to ask.
    _fresh = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(self, act: Act | None = None, **traits: Any) -> None:
        self._lock = threading.RLock()
        self._seq = 0
        self._parts: dict[str, Any] = {}
        self._act = act
        super().__init__(**traits)
        self.on_msg(self._hear)
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
                self._tell("parts", new)

    def give(self, name: str, kind: str, content: bytes, page: str) -> None:
        """Have one page save a file."""
        with self._lock:
            self.send({"type": "file", "name": name, "mime": kind, "page": page}, [content])

    def _tell(self, kind: str, parts: Mapping[str, Any]) -> None:
        self._seq += 1
        # The page's clock may be wrong; ages are counted from the kernel's.
        self.send({"type": kind, "seq": self._seq, "now": time.time(), "parts": dict(parts)})

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Answer the page. Runs on the main thread or on a subshell's."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "ask":
            with self._lock:
                self._tell("all", self._parts)
        elif content.get("type") == "act" and self._act is not None:
            self._act(str(content.get("what")), content.get("value"), str(content.get("page")))


class HeadPanel(Panel):
    """Status, progress, errors and the head line of figures."""

    _esm = _script("head.js")
    _css = _text("dashboard.css")


class TablePanel(Panel):
    """The positions."""

    _esm = _script("table.js")


class ChecksPanel(Panel):
    """The reconciliation."""

    _esm = _script("checks.js")


class NotePanel(Panel):
    """A sentence under a chart."""

    _esm = _script("note.js")
