"""Charts that are a cell's result: which widget draws each, and when that widget is closed.

ipywidgets keeps every widget for as long as the kernel lives, since a page may ask for it at any
time: when it is loaded again, or when the notebook is opened in a second tab. A chart's widget is
closed when its cell has been run again, which replaced its output, and no page shows it any more.
Until then it keeps what it would send, compressed.

Beside the widget a picture is put out, which a saved notebook shows. Where there is no page, there
is the picture alone.
"""

from __future__ import annotations

import json
import threading
import zlib
from typing import Any

import ipywidgets as w
import traitlets

from kis_nb._widgets import front_end
from kis_nb._widgets.chart_view import ChartView
from kis_nb._widgets.picture import CONVERTER, picture_html
from kis_nb._widgets.picture_queue import QUEUE, Job
from kis_nb._widgets.saved_output import Bundle, SavedOutput, without_fallback


class CellView(ChartView):
    """A chart in a cell's output, which nothing changes after it was made.

    Args:
        spec: a Vega-Lite spec with its data.
        name: shown in the repr.
        layout: shared with the others.
        saved: the output that is saved for it; None when nothing will be saved.
    """

    # The page then reports in how many places it shows it.
    _counted = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(
        self,
        spec: dict[str, Any],
        name: str,
        *,
        layout: w.Layout,
        saved: SavedOutput | None = None,
    ) -> None:
        self._packed = b""
        self._picture: Job | None = None
        # Places on pages, by page; a page that shows none is not among them.
        self._places: dict[str, int] = {}
        self._reported = self._superseded = False
        key = "" if saved is None else saved.key
        super().__init__(spec, name=name, layout=layout, _saved=key, _tells_drawn=bool(key))
        self._packed = zlib.compress(json.dumps(super()._content()).encode())
        self._spec, self._rows, self._variants = None, {}, {}
        if saved is not None:
            self._save_picture(zlib.compress(json.dumps(spec).encode()), saved)

    def _save_picture(self, packed: bytes, saved: SavedOutput) -> None:
        """Have the picture made, once a page has drawn the chart or after some seconds."""

        def make() -> None:
            html = ""
            if self.comm is not None:
                html = picture_html(json.loads(zlib.decompress(packed)), self.name)
            if html and not CONVERTER.closed:
                saved.replace(html)
            self._picture = None

        self._picture = Job(make)
        QUEUE.add(self._picture)

    def _content(self) -> dict[str, Any]:
        if not self._packed:
            return super()._content()
        whole: dict[str, Any] = json.loads(zlib.decompress(self._packed))
        return whole

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        super()._on_message(widget, content, buffers)
        if not isinstance(content, dict):
            return
        if content.get("type") == "drawn" and (job := self._picture) is not None:
            QUEUE.hasten(job)
        if content.get("type") == "places":
            page, count = str(content.get("page")), content.get("count")
            with self._lock:
                self._reported = True
                self._places.pop(page, None)
                if count:
                    self._places[page] = count
                over = self._superseded and not self._places
            if over:
                self.close()

    def supersede(self) -> bool:
        """Close the widget, because its cell is run again, unless a page still shows it.

        One that no page has reported yet may be about to be shown, and is closed at the next run.

        Returns:
            Whether it was closed.
        """
        with self._lock:
            over = not self._places and (self._reported or self._superseded)
            self._superseded = True
        if over:
            self.close()
        return over


class _Cells:
    """The charts in each cell's output, by the cell's id. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._views: dict[str, list[CellView]] = {}
        self._shell: Any = None
        self._layout: w.Layout | None = None

    def layout(self) -> w.Layout:
        """One layout for all charts: it is a widget too, and no chart needs its own."""
        with self._lock:
            if self._layout is None or self._layout.comm is None:
                self._layout = w.Layout()
            return self._layout

    def add(self, view: CellView) -> None:
        """Remember the cell that runs, if the front end names it."""
        shell = front_end.shell()
        cell = front_end.cell_of(shell)
        if cell is None:
            return
        with self._lock:
            if self._shell is not shell:
                shell.events.register("pre_run_cell", self.before_run)
                self._shell = shell
            self._views.setdefault(cell, []).append(view)

    def before_run(self, info: Any) -> None:
        """Supersede a cell's charts, called by IPython when it is about to run the cell."""
        with self._lock:
            views = self._views.pop(info.cell_id, [])
        # Closing sends messages: not under the lock.
        left = [view for view in views if view.comm is not None and not view.supersede()]
        if left:
            with self._lock:
                self._views.setdefault(info.cell_id, []).extend(left)


_CELLS = _Cells()


def bundle(spec: dict[str, Any], name: str) -> Bundle:
    """What a cell puts out for this spec, as a MIME bundle.

    Args:
        spec: a Vega-Lite spec with its data.
        name: the chart's title.

    Returns:
        On a page that of a new `CellView`, after an output of its own for the picture. Without a
        page the picture, and in a terminal the name.
    """
    shown = front_end.front_end()
    text = {"text/plain": f"<Chart {name}>"}
    if shown == "terminal":
        return text
    if shown in ("file", "script"):
        return text | {"text/html": picture_html(spec, name)}
    saved = SavedOutput(".kis-chart") if shown == "page" else None
    if saved is not None:
        saved.publish()
    view = CellView(spec, name, layout=_CELLS.layout(), saved=saved)
    _CELLS.add(view)
    made = view._repr_mimebundle_()
    assert made is not None  # None is for a widget without a view, and this one has one
    return made if saved is None else without_fallback(made)
