"""The widget's Python half: what it sends, when, and what it never keeps where notebooks see it."""

from __future__ import annotations

import json
import threading
from typing import Any

import altair as alt
import pytest

from kis_nb._chart_rows.pnl import rows
from kis_nb._chart_rows.style import Style
from kis_nb._widgets import chart_view
from kis_nb._widgets.chart_view import ChartView, Gesture
from kis_nb._widgets.palette import LIGHT
from kis_nb._widgets.vega_source import VegaSource
from kis_nb._widgets.vega_spec import WIDTH, split
from kis_nb.charts._bars import PNL
from tests.factories import book, make_balance


class Page:
    """Records what a view sends to the browser."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.buffers = 0

    def receive(self, content: Any, buffers: Any = None) -> None:
        # Through JSON, as on the wire: what cannot go there fails here.
        self.messages.append(json.loads(json.dumps(content)))
        self.buffers += sum(len(buffer) for buffer in buffers or [])

    def types(self) -> list[str]:
        return [message["type"] for message in self.messages]


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Page:
    page = Page()
    monkeypatch.setattr(ChartView, "send", page.receive)
    monkeypatch.setattr(chart_view, "_VEGA", VegaSource())
    return page


def _bars(value: float, color: str = LIGHT["red"]) -> alt.Chart:
    data = alt.InlineData(values=[{"name": "a", "value": value}])
    chart: alt.Chart = alt.Chart(data).mark_bar(color=color).encode(x="value:Q", y="name:N")
    return chart


def test_bundle_goes_out_once(page: Page) -> None:
    """The kernel sends Vega with its first view and not with the others."""
    ChartView(_bars(1))
    ChartView(_bars(2))
    assert page.types() == ["vega", "draw", "draw"]
    assert page.buffers > 500_000


def test_new_figures_send_rows_alone(page: Page) -> None:
    """A chart that differs in its data only does not send its spec again."""
    view = ChartView(_bars(1))
    view.draw(_bars(2))
    assert page.types() == ["vega", "draw", "rows"]
    assert page.messages[-1]["rows"] == {"rows0": [{"name": "a", "value": 2}]}
    view.draw(_bars(2, "#000000"))
    assert page.types()[-1] == "draw"


def test_variants_are_sent_once_and_then_named(page: Page) -> None:
    """A page that holds a variant is sent its name alone; one that is gone is forgotten."""
    view = ChartView()
    one, two = ({"of": [{"value": value}]} for value in (1, 2))
    view.draw(_bars(0).to_dict() | {"datasets": {}}, one, variant="a")
    page.messages.clear()
    view.offer({"a": one, "b": two}, "a")
    view.offer({"a": one, "b": two}, "b")
    view.offer({"a": one, "b": two}, "b")
    view.offer({"b": two}, "b")
    sent = [(each["shown"], each["names"], list(each["variants"])) for each in page.messages]
    assert sent == [("a", ["a", "b"], ["b"]), ("b", ["a", "b"], []), ("b", ["b"], [])]


def test_a_page_that_asks_gets_the_variants(page: Page) -> None:
    """After a reload a click finds its rows as before; those on show are sent once."""
    view = ChartView()
    one, two, three = ({"of": [{"value": value}]} for value in (1, 2, 3))
    view.draw(_bars(0).to_dict() | {"datasets": {}}, one, variant="a")
    view.offer({"a": one, "b": two}, "b")
    view.update(three)
    page.messages.clear()
    view._on_message(view, {"type": "ask", "vega": False}, [])
    (sent,) = page.messages
    assert sent["rows"]["of"] == three["of"]
    assert (sent["shown"], list(sent["variants"])) == ("b", ["a"])


def test_sequence_never_goes_back(page: Page) -> None:
    """Messages are numbered upwards whichever threads draw, so the page keeps the last one."""
    view = ChartView(_bars(0))

    def draw(start: int) -> None:
        for value in range(start, start + 10):
            view.draw(_bars(value))

    threads = [threading.Thread(target=draw, args=(n * 10 + 1,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [message["seq"] for message in page.messages if "seq" in message]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 41


def test_nothing_in_synced_state(page: Page) -> None:
    """No row, spec or selection is in the state that a notebook may save."""
    balance = make_balance(book(30))
    view = ChartView(PNL.spec(), {"pnl": rows(balance, Style())}, name="pnl")
    view.selected = ("KR4A0161C",)
    state = {
        name: value for name, value in view.get_state().items() if name not in ("_esm", "_css")
    }
    assert "KR4A0161C" not in repr(state)
    assert "F 202612" not in repr(state)
    assert len(repr(state)) < 2000
    assert repr(view) == "<ChartView pnl>"
    assert page.messages[-1]["ids"] == ["KR4A0161C"]


def test_a_page_that_asks_gets_everything(page: Page) -> None:
    """After a reload the page is sent spec, latest rows and selection, and Vega when it asks so."""
    view = ChartView(_bars(1))
    view.draw(_bars(2))
    view.selected = ("x",)
    page.messages.clear()
    view._on_message(view, {"type": "ask", "vega": False}, [])
    assert page.types() == ["draw"]
    assert page.messages[0]["rows"]["rows0"][0]["value"] == 2
    assert page.messages[0]["ids"] == ["x"]
    view._on_message(view, {"type": "ask", "vega": True}, [])
    assert page.types() == ["draw", "vega", "draw"]


def test_selection_both_ways(page: Page) -> None:
    """A gesture reaches Python marked with its page; a Python selection goes to every page."""
    view = ChartView(_bars(1))
    seen: list[tuple[str, ...]] = []
    view.observe(lambda change: seen.append(change["new"]), "selected")
    gestures: list[Gesture] = []
    view.on_gesture(gestures.append)
    message = {"type": "select", "ids": ["a", "b", "a"], "page": "p1", "number": 3}
    view._on_message(view, message, [])
    assert view.selected == ("a", "b")
    assert page.messages[-1] == message | {"ids": ["a", "b"]}
    view.selected = ("c",)
    assert page.messages[-1] == {"type": "select", "ids": ["c"], "page": None, "number": 0}
    assert seen == [("a", "b"), ("c",)]
    # What code selects is no gesture.
    assert gestures == [Gesture(("a", "b"), "p1", 3)]


@pytest.mark.parametrize(
    "message",
    [
        None,
        "ask",
        {},
        {"type": "select"},
        {"type": "select", "ids": [1]},
        {"type": "else"},
        {"type": "select", "ids": [], "number": "1"},
    ],
)
def test_nonsense_from_the_page_is_ignored(page: Page, message: Any) -> None:
    """A message that is none of ours changes nothing and raises nothing."""
    view = ChartView(_bars(1))
    before = len(page.messages)
    view._on_message(view, message, [])
    assert view.selected == ()
    assert len(page.messages) == before


def test_split_takes_all_data_out() -> None:
    """Inline data of every part gets a name, equal data one name, and other data stays."""
    remote = alt.Chart(alt.UrlData(url="x.csv")).mark_point()
    bare, data = split((_bars(1) | _bars(1) | _bars(2) | remote).to_dict())
    assert {name: part[0]["value"] for name, part in data.items()} == {"rows0": 1, "rows1": 2}
    assert "values" not in json.dumps(bare)
    assert "x.csv" in json.dumps(bare)


def test_a_spec_is_adapted_to_the_page(page: Page) -> None:
    """Our colours become live, our width the place's; what a researcher set stays."""
    ChartView(_bars(1).properties(width=WIDTH))
    spec = page.messages[-1]["spec"]
    assert spec["mark"]["color"] == f"var(--kis-red, {LIGHT['red']})"
    assert spec["width"] == "container"
    assert spec["config"]["background"] == "transparent"
    ChartView(_bars(1, "#123456").properties(width=333, background="#abcdef"))
    spec = page.messages[-1]["spec"]
    assert spec["mark"]["color"] == "#123456"
    assert spec["width"] == 333
    assert spec["background"] == "#abcdef"
    assert "background" not in spec["config"]
