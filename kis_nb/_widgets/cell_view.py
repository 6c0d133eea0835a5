"""Charts that are a cell's result: which widget draws each, and when that widget is closed.

ipywidgets keeps every widget for as long as the kernel lives, since a page may ask for it at any
time: when it is loaded again, or when the notebook is opened in a second tab. A chart's widget is
closed when its cell has been run again, which replaced its output, and no page shows it any more.
Until then it keeps what it would send, compressed.
"""

from __future__ import annotations

import json
import sys
import threading
import zlib
from typing import Any, TypeAlias

import ipywidgets as w
import traitlets

from kis_nb._widgets.chart_view import ChartView


class CellView(ChartView):
    """A chart in a cell's output, which nothing changes after it was made.

    Args:
        spec: a Vega-Lite spec with its data.
        name: shown in the repr.
        layout: shared with the others.
    """

    # The page then reports in how many places it shows it.
    _counted = traitlets.Bool(default_value=True).tag(sync=True)

    def __init__(self, spec: dict[str, Any], name: str, *, layout: w.Layout) -> None:
        self._packed = b""
        # Places on pages, by page; a page that shows none is not among them.
        self._places: dict[str, int] = {}
        self._reported = self._superseded = False
        super().__init__(spec, name=name, layout=layout)
        self._packed = zlib.compress(json.dumps(super()._content()).encode())
        self._spec, self._rows, self._variants = None, {}, {}

    def _content(self) -> dict[str, Any]:
        if not self._packed:
            return super()._content()
        whole: dict[str, Any] = json.loads(zlib.decompress(self._packed))
        return whole

    def _on_message(self, widget: object, content: Any, buffers: object) -> None:
        super()._on_message(widget, content, buffers)
        if isinstance(content, dict) and content.get("type") == "places":
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
        shell = _shell()
        cell = _cell_of(shell)
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


def _shell() -> Any:
    """The IPython shell; None in a script."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _cell_of(shell: Any) -> str | None:
    """The id of the cell that runs, from its execute request; None when the request has none."""
    request = getattr(shell, "parent_header", None)
    metadata = request.get("metadata") if isinstance(request, dict) else None
    cell = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell if isinstance(cell, str) else None


_CELLS = _Cells()

Bundle: TypeAlias = dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]


def bundle(spec: dict[str, Any], name: str) -> Bundle:
    """The MIME bundle of a new `CellView` of this spec."""
    view = CellView(spec, name, layout=_CELLS.layout())
    _CELLS.add(view)
    made = view._repr_mimebundle_()
    assert made is not None  # None is for a widget without a view, and this one has one
    return made
