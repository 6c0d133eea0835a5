"""The widget that draws one chart: it sends a Vega-Lite spec once, then only rows.

`alt.JupyterChart` embeds a chart anew for every change and keeps its data in a synced trait, from
where it gets into saved notebooks. Here spec, rows and selection travel as custom messages, which
no notebook stores, and new rows go into the Vega view that is there. The page's half is
`static/charts/chart.js`, which lists the messages.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import traitlets

from kis_nb._widgets.late_widget import LateWidget
from kis_nb._widgets.sources import script, stylesheet
from kis_nb._widgets.vega_source import VegaSource
from kis_nb._widgets.vega_spec import Row, Spec, adapt_to_page, split

_KERNEL = uuid.uuid4().hex
_VEGA = VegaSource()


class Gesture(NamedTuple):
    """A selection made on a page by a click or a drag.

    Attributes:
        ids: what is selected after it.
        page: id of the page it was made on; None when code selected.
        number: counts that page's gestures up, over all its charts and tables.
    """

    ids: tuple[str, ...]
    page: str | None = None
    number: int = 0


class _Chart(Protocol):
    """An Altair chart of any kind. A protocol, because importing Altair takes a second."""

    def to_dict(self) -> dict[str, Any]: ...


class ChartView(LateWidget):
    """Draws one chart, and keeps drawing it as its rows change.

    Args:
        chart: an Altair chart, or a Vega-Lite spec as a dict. Without one nothing shows until
            `draw`.
        rows: rows for the spec's named datasets, by name. Data inside the chart is taken out and
            needs no naming.
        name: shown in the repr.
        traits: of `LateWidget`.

    Attributes:
        selected: ids of the selected marks, a tuple of str; () when nothing is selected. Clicks and
            drags set it, and setting it highlights. A chart takes part when it has a parameter
            named ``picked`` and rows with an ``id``, as all charts of `kis_nb.charts` with
            positions do. Not synced: a product number has no place in a saved notebook.

    A spec whose ``usermeta`` names a field as ``fresh`` has its axis lines in the order of the rows
    after every update (see ``rowsForVega`` in `static/charts/chart_place.js`).

    A page sets parameters of the spec by itself when an element ``.kis-chart-frame`` gets an event
    ``kis-set-params`` with their values by name as detail; that place keeps them for what it draws
    later.

    Every method may be called from any thread; observers of `selected` run on the thread that
    handles the page's message, which need not be the main one.
    """

    _esm = script("charts/chart.js")
    _css = stylesheet("charts/chart.css")

    _kernel = traitlets.Unicode(_KERNEL).tag(sync=True)
    _version = traitlets.Unicode().tag(sync=True)
    # True only in the message that makes the widget. A page that finds False was reloaded, or is a
    # second one, and has to ask for what the first was sent.
    _fresh = traitlets.Bool(default_value=True).tag(sync=True)

    # The key of the output that is saved for it, which a page hides; blank when there is none.
    _saved = traitlets.Unicode().tag(sync=True)
    # Whether a page reports when a place has drawn the chart, or could not, for the first time.
    _tells_drawn = traitlets.Bool().tag(sync=True)

    selected = traitlets.Tuple()

    def __init__(
        self,
        chart: _Chart | Mapping[str, Any] | None = None,
        rows: Mapping[str, Sequence[Row]] | None = None,
        *,
        name: str = "chart",
        **traits: Any,
    ) -> None:
        self._lock = threading.RLock()
        self._seq = 0
        self._spec: Spec | None = None
        self._rows: dict[str, list[Row]] = {}
        self._variants: dict[str, dict[str, list[Row]]] = {}
        self._shown = ""
        self._origin = Gesture(())
        self._gesture_handler: Callable[[Gesture], None] | None = None
        self._drawn_handler: Callable[[], None] | None = None
        self.name = name
        super().__init__(_version=_VEGA.version(), **traits)
        self.on_msg(self._on_message)
        self._fresh = False
        if self.comm is not None and _VEGA.is_first():
            self._send_vega()
        if chart is not None:
            self.draw(chart, rows)

    def __repr__(self) -> str:
        return f"<ChartView {self.name}>"

    def draw(
        self,
        chart: _Chart | Mapping[str, Any],
        rows: Mapping[str, Sequence[Row]] | None = None,
        *,
        variant: str = "",
    ) -> None:
        """Show this chart. When only its rows differ from the one on show, only rows are sent.

        Args:
            chart: an Altair chart, or a Vega-Lite spec as a dict.
            rows: rows for the spec's named datasets, by name.
            variant: name of these rows among the variants that `offer` brings later.
        """
        spec, inside = split(chart if isinstance(chart, Mapping) else chart.to_dict())
        spec = adapt_to_page(spec)
        inside |= {name: list(some) for name, some in (rows or {}).items()}
        with self._lock:
            if spec == self._spec and inside.keys() == self._rows.keys():
                self.update(inside)
                return
            self._spec, self._rows = spec, inside
            self._variants, self._shown = {variant: inside}, variant
            self._seq += 1
            self._send_all()

    def update(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Replace the rows of these datasets; the others stay."""
        with self._lock:
            new = {name: list(some) for name, some in rows.items()}
            self._rows = self._rows | new
            self._variants[self._shown] = self._rows
            self._seq += 1
            self.send({"type": "rows", "seq": self._seq, "rows": new})

    def offer(self, variants: Mapping[str, Mapping[str, Sequence[Row]]], shown: str) -> None:
        """Show one of several variants of the rows; the page keeps the others ready.

        A page shows another one without waiting for the kernel when an element ``.kis-chart-frame``
        of the chart gets an event ``kis-show-variant`` with its name as detail, and comes back to
        `shown` if the kernel has not followed within three seconds. Only variants that changed are
        sent.

        Args:
            variants: rows by dataset, by a name of the caller's.
            shown: name of the one to show.
        """
        with self._lock:
            new = {
                name: {of: list(some) for of, some in rows.items()}
                for name, rows in variants.items()
                if self._variants.get(name) != rows
            }
            if not new and shown == self._shown and variants.keys() == self._variants.keys():
                return
            held = self._variants | new
            self._variants = {name: held[name] for name in variants}
            self._shown = shown
            self._rows = self._rows | self._variants[shown]
            self._seq += 1
            self.send(
                {
                    "type": "variants",
                    "seq": self._seq,
                    "shown": shown,
                    "names": list(variants),
                    "variants": new,
                }
            )

    def select(self, gesture: Gesture) -> None:
        """Select what was selected elsewhere, and report to the pages which gesture it was."""
        with self._lock:
            self._origin = gesture
            try:
                self.selected = gesture.ids
            finally:
                self._origin = Gesture(())

    def on_gesture(self, handler: Callable[[Gesture], None]) -> None:
        """Have `handler` called for gestures on this chart, not for what code selects.

        It runs on the thread that handles the page's message, under no lock.
        """
        self._gesture_handler = handler

    def on_drawn(self, handler: Callable[[], None]) -> None:
        """Have `handler` called whenever a place on a page has drawn the chart for the first time,
        or could not.

        It runs on the thread that handles the page's message, under no lock.
        """
        self._drawn_handler = handler
        self._tells_drawn = True

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(one) for one in proposal["value"]))

    @traitlets.observe("selected")
    def _send_selected(self, change: Any) -> None:
        with self._lock:
            # With its gesture, so that a page that has made a later one since can pass it over.
            _, page, number = self._origin
            self.send(
                {"type": "select", "ids": list(change["new"]), "page": page, "number": number}
            )

    def _on_message(self, _widget: object, content: Any, _buffers: object) -> None:
        """Handle a page's message. Runs on the main thread or on a subshell's."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "ask":
            with self._lock:
                if content.get("vega"):
                    self._send_vega()
                if self._seq:
                    self._send_all()
        elif content.get("type") == "drawn" and self._drawn_handler is not None:
            self._drawn_handler()
        elif content.get("type") == "select":
            gesture = read_gesture(content, str(content.get("page")))
            if gesture is not None:
                self.select(gesture)
                if self._gesture_handler is not None:
                    self._gesture_handler(gesture)

    def _send_all(self) -> None:
        ids = list(self.selected)
        self.send({"type": "draw", "seq": self._seq, "ids": ids} | self._content())

    def _content(self) -> dict[str, Any]:
        """What the page needs to draw the chart; the caller holds the lock."""
        return {
            "spec": self._spec,
            "rows": self._rows,
            "variants": {
                name: rows for name, rows in self._variants.items() if name != self._shown
            },
            "shown": self._shown,
        }

    def _send_vega(self) -> None:
        self.send({"type": "vega"}, buffers=[_VEGA.read()])


def read_gesture(content: Any, page: str) -> Gesture | None:
    """The gesture in a page's message; None when it holds none."""
    if not isinstance(content, dict):
        return None
    ids, number = content.get("ids"), content.get("number", 0)
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        return None
    return Gesture(tuple(dict.fromkeys(ids)), page, number) if isinstance(number, int) else None
