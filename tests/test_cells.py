"""Charts in cells' outputs: what they keep, and when they are closed."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ipywidgets.widgets import widget

from kis_nb import charts
from kis_nb._widgets import cell_view
from kis_nb._widgets.cell_view import CellView
from tests.factories import book, make_balance


def instances() -> list[CellView]:
    """The charts that ipywidgets holds."""
    return [one for one in widget._instances.values() if isinstance(one, CellView)]


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """An IPython shell: what is shown after `shell.run("id")` is shown by that cell."""
    hooks: list[Callable[[Any], None]] = []
    made = SimpleNamespace(parent_header={})
    made.events = SimpleNamespace(register=lambda _name, hook: hooks.append(hook))

    def run(cell: str) -> None:
        made.parent_header = {"metadata": {"cellId": cell}}
        for hook in hooks:
            hook(SimpleNamespace(cell_id=cell))

    made.run = run
    monkeypatch.setattr(cell_view, "_CELLS", cell_view._Cells())
    monkeypatch.setattr(cell_view, "_shell", lambda: made)
    before = set(instances())
    yield made
    for view in set(instances()) - before:
        view.close()


def show() -> CellView:
    """A chart as a cell's last line shows it."""
    before = set(instances())
    charts.payoff(make_balance(book(12)))._repr_mimebundle_()
    (view,) = set(instances()) - before
    return view


def report(view: CellView, count: int, page: str = "page") -> None:
    """The page reports in how many places it shows the chart."""
    view._on_message(view, {"type": "places", "page": page, "count": count}, [])


def test_each_keeps_one_widget_and_little_memory(shell: SimpleNamespace) -> None:
    """A payoff of 60 positions is one widget and a quarter of what its spec and rows would take."""
    chart = charts.payoff(make_balance(book(60)))
    shell.run("a")
    chart._repr_mimebundle_()
    gc.collect()
    number = len(widget._instances)
    tracemalloc.start()
    try:
        for _ in range(10):
            chart._repr_mimebundle_()
        gc.collect()
        kept = tracemalloc.get_traced_memory()[0] / 10
    finally:
        tracemalloc.stop()
    assert len(widget._instances) == number + 10
    assert kept < 35_000


def test_a_page_that_asks_gets_what_the_first_got(
    shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that is loaded again, or a second one, is sent the whole chart."""
    sent: list[Any] = []
    monkeypatch.setattr(CellView, "send", lambda _self, content, *_: sent.append(content))
    shell.run("a")
    view = show()
    (first,) = [one for one in sent if one["type"] == "draw"]
    view._on_message(view, {"type": "ask"}, [])
    assert sent[-1] == first
    assert first["rows"]["rows0"]


def test_a_cell_run_again_closes_what_it_showed(shell: SimpleNamespace) -> None:
    """Once its place is gone, whichever of the two comes first; other cells' charts stay."""
    shell.run("a")
    first = show()
    report(first, 1)
    shell.run("b")
    other = show()
    report(other, 1)
    shell.run("a")
    assert first.comm is not None
    second = show()
    report(first, 0)
    assert first.comm is None
    report(second, 1)
    report(second, 0)
    assert second.comm is not None
    shell.run("a")
    assert second.comm is None
    assert other.comm is not None


def test_a_chart_that_is_still_shown_stays(shell: SimpleNamespace) -> None:
    """One of several pages shows it, so it answers; it goes with the last of them."""
    shell.run("a")
    view = show()
    report(view, 1, "one")
    report(view, 2, "two")
    shell.run("a")
    report(view, 0, "one")
    report(view, 1, "two")
    shell.run("a")
    assert view.comm is not None
    report(view, 0, "two")
    assert view.comm is None


def test_one_that_no_page_reported_goes_with_the_second_run(shell: SimpleNamespace) -> None:
    """It may be on its way to the page when the cell is run again at once."""
    shell.run("a")
    view = show()
    shell.run("a")
    assert view.comm is not None
    shell.run("a")
    assert view.comm is None


def test_without_a_cell_it_stays(shell: SimpleNamespace) -> None:
    """A front end that names no cell never has a chart closed under it."""
    shell.parent_header = {"metadata": {}}
    view = show()
    report(view, 1)
    report(view, 0)
    shell.run("a")
    assert view.comm is not None
