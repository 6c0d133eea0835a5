"""The widget that draws: a Vega-Lite spec once, then only its rows. Right wing; imports nothing of
ours.

`alt.JupyterChart` embeds a chart anew for every change and keeps its data in a synced trait, from
where it gets into saved notebooks. Here spec, rows and selection travel as custom messages, which
no notebook stores, and new rows go into the living Vega view. `static/chartview.js` is the other
half; `static/vega.js`, made by the build, is sent once for each page.
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple, Protocol, TypeAlias

import anywidget
import traitlets

Row: TypeAlias = dict[str, Any]
Spec: TypeAlias = dict[str, Any]

_STATIC = files("kis_nb") / "_widgets" / "static"
_KERNEL = uuid.uuid4().hex


class Gesture(NamedTuple):
    """A selection made on a page.

    Attributes:
        ids: what is selected after it.
        page: the page it was made on; None when code selected.
        number: counts that page's gestures up, over all its charts and tables.
    """

    ids: tuple[str, ...]
    page: str | None = None
    number: int = 0


class _Chart(Protocol):
    """An Altair chart of any kind, told by what is needed of it: this floor loads no altair."""

    def to_dict(self) -> dict[str, Any]: ...


class _Bundle:
    """Vega's source for this kernel's pages."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sent = False

    @staticmethod
    @cache
    def source() -> bytes:
        """The file that the build made.

        Raises:
            FileNotFoundError: this is a checkout that was never built.
        """
        try:
            return (_STATIC / "vega.js").read_bytes()
        except FileNotFoundError as missing:
            raise FileNotFoundError(
                "kis_nb/_widgets/static/vega.js is missing: it is made when the package is built. "
                "In a checkout run `pip install -e .` once"
            ) from missing

    def version(self) -> str:
        """Tells the bundles of two kis_nb versions on one page apart."""
        return hashlib.sha256(self.source()).hexdigest()[:16]

    def first(self) -> bool:
        """Whether nobody in this kernel has sent the bundle yet; the caller then does."""
        with self.lock:
            first, self.sent = not self.sent, True
            return first


_BUNDLE = _Bundle()


class ChartView(anywidget.AnyWidget):
    """Draws one chart, and keeps drawing it as its rows change.

    Args:
        chart: an Altair chart, or a Vega-Lite spec as a dict. Without one the place stays empty
            until `draw`.
        rows: rows for the spec's named datasets, by name. Data inside the chart is taken out and
            needs no naming.
        name: what the repr says.

    Attributes:
        selected: ids of the picked marks, a tuple of str; () when nothing is picked. Clicks and
            brushing set it, and setting it highlights. A chart takes part when it has a parameter
            named ``picked`` and rows with an ``id``, as all charts of `kis_nb.charts` with
            positions do. Not synced: a product number has no place in a saved notebook.

    A spec whose ``usermeta`` names a field as ``fresh`` gets that field marked, unseen, in every
    other set of rows: Vega leaves a line of an axis that is there before and after where it was,
    whatever the new order, and a mark makes each line a new one.

    Every method may be called from any thread; observers of `selected` run on the thread that
    handles the page's message, which need not be the main one.
    """

    _esm = (_STATIC / "chartview.js").read_text(encoding="utf-8")
    _css = (_STATIC / "chartview.css").read_text(encoding="utf-8")

    _kernel = traitlets.Unicode(_KERNEL).tag(sync=True)
    _version = traitlets.Unicode().tag(sync=True)
    # True only in the message that makes the widget. A page that finds False was reloaded, or is a
    # second one, and has to ask for what the first was sent.
    _fresh = traitlets.Bool(default_value=True).tag(sync=True)

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
        self._on_gesture: Callable[[Gesture], None] | None = None
        self.name = name
        super().__init__(_version=_BUNDLE.version(), **traits)
        self.on_msg(self._hear)
        self._fresh = False
        if _BUNDLE.first():
            self._send_bundle()
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

        `variant` is the name of these rows among those that `offer` brings later.
        """
        spec, inside = split(chart if isinstance(chart, Mapping) else chart.to_dict())
        spec = _adapt(spec)
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
        """Show one of several variants of the rows; the page holds the others, ready to be shown.

        It shows another one at once when an element ``.kis-chart-frame`` of the chart gets an event
        ``kis-turn`` with its name as detail, and comes back to `shown` if the kernel has not
        followed within some seconds. Only variants that changed are sent.

        Args:
            variants: rows by dataset, by a name of the caller's.
            shown: which of them to show.
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
                    "type": "offer",
                    "seq": self._seq,
                    "shown": shown,
                    "names": list(variants),
                    "variants": new,
                }
            )

    def select(self, gesture: Gesture) -> None:
        """Select what was selected elsewhere, and tell the pages whose gesture it was."""
        with self._lock:
            self._origin = gesture
            try:
                self.selected = gesture.ids
            finally:
                self._origin = Gesture(())

    def on_gesture(self, hearer: Callable[[Gesture], None]) -> None:
        """Have gestures on this chart heard, and nothing that code selects.

        The hearer runs on the thread that handles the page's message, under no lock.
        """
        self._on_gesture = hearer

    @traitlets.validate("selected")
    def _check_selected(self, proposal: Any) -> tuple[str, ...]:
        return tuple(dict.fromkeys(str(one) for one in proposal["value"]))

    @traitlets.observe("selected")
    def _tell_selected(self, change: Any) -> None:
        with self._lock:
            # With whose gesture it was, so that a page that has gone on since can pass it over.
            _, page, number = self._origin
            self.send(
                {"type": "select", "ids": list(change["new"]), "page": page, "number": number}
            )

    def _hear(self, _widget: object, content: Any, _buffers: object) -> None:
        """Answer the page. Runs on the main thread or on a subshell's."""
        if not isinstance(content, dict):
            return
        if content.get("type") == "ask":
            with self._lock:
                if content.get("vega"):
                    self._send_bundle()
                if self._seq:
                    self._send_all()
        elif content.get("type") == "select":
            gesture = read_gesture(content, str(content.get("page")))
            if gesture is not None:
                self.select(gesture)
                if self._on_gesture is not None:
                    self._on_gesture(gesture)

    def _send_all(self) -> None:
        ids = list(self.selected)
        self.send({"type": "draw", "seq": self._seq, "ids": ids} | self._whole())

    def _whole(self) -> dict[str, Any]:
        """What the page needs to draw the chart; the caller holds the lock."""
        return {
            "spec": self._spec,
            "rows": self._rows,
            "variants": {
                name: rows for name, rows in self._variants.items() if name != self._shown
            },
            "shown": self._shown,
        }

    def _send_bundle(self) -> None:
        self.send({"type": "vega"}, buffers=[_BUNDLE.source()])


def read_gesture(content: Any, page: str) -> Gesture | None:
    """A gesture as a page sent it; None for what is none."""
    if not isinstance(content, dict):
        return None
    ids, number = content.get("ids"), content.get("number", 0)
    if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
        return None
    return Gesture(tuple(dict.fromkeys(ids)), page, number) if isinstance(number, int) else None


# Colours as the charts write them, and the CSS variable that takes their place on a page, where it
# follows the theme (`chartview.css`). The charts write plain colours, because a PNG, a PDF and
# other programs know no CSS variables.
LIGHT = {
    "ink": "#1f2328",
    "soft": "#59636e",
    "line": "#d1d9e0",
    "paper": "#fffffe",
    "red": "#c8102e",
    "blue": "#0b5cd5",
    "green": "#087f3f",
    "grey": "#8c959f",
    "cash": "#2f6f8f",
    "substitute": "#8a6fb0",
    "foreign": "#b58a2f",
    "excess": "#c9d6cf",
    "alert": "#b3261e",
}
_LIVE = {colour: f"var(--kis-{name}, {colour})" for name, colour in LIGHT.items()}

# A chart as wide as this takes the width of the place it is shown in.
WIDTH = 720


def split(spec: Mapping[str, Any]) -> tuple[Spec, dict[str, list[Row]]]:
    """A spec without its data, and the data by the names that the spec now calls it.

    Data given as values (inline or under ``datasets``) is taken out wherever it stands and named
    ``rows0``, ``rows1``, … in order of appearance; equal data gets one name. Altair's own names are
    hashes of the data, with which every new figure would look like a new spec. Data with a ``url``
    or a generator, and a name without data, stay.
    """
    bare = copy.deepcopy(dict(spec))
    shared: dict[str, list[Row]] = bare.pop("datasets", {})
    rows: dict[str, list[Row]] = {}
    known: dict[str, str] = {}

    def name_of(values: list[Row]) -> str:
        text = json.dumps(values, sort_keys=True, default=str)
        name = known.setdefault(text, f"rows{len(known)}")
        rows[name] = values
        return name

    def walk(node: Any) -> None:
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "data" and isinstance(part, dict):
                values = part.pop("values", shared.get(part.get("name", "")))
                if values is not None:
                    part["name"] = name_of(values)
            elif isinstance(part, (dict, list)):
                walk(part)

    walk(bare)
    return bare, rows


def _adapt(spec: Spec) -> Spec:
    """A chart made for paper, made for a page: live colours, no backdrop, the place's width."""
    on_page: Spec = _live(spec)
    config = on_page.setdefault("config", {})
    if "background" not in on_page:
        config.setdefault("background", "transparent")
    if on_page.get("width") == WIDTH and not {"hconcat", "vconcat", "concat"} & on_page.keys():
        on_page["width"] = "container"
        # The height follows the rows (a step each), so only the width is fitted.
        on_page["autosize"] = {"type": "fit-x", "contains": "padding"}
    return on_page


def _live(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _live(part) for key, part in node.items()}
    if isinstance(node, list):
        return [_live(part) for part in node]
    return _LIVE.get(node, node) if isinstance(node, str) else node
