"""Charts in cells' outputs: what they keep, when they are closed, and the picture beside them."""

from __future__ import annotations

import gc
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ipywidgets.widgets import widget

from kis_nb import charts
from kis_nb._widgets import cell_view, front_end
from kis_nb._widgets.cell_view import CellView
from kis_nb._widgets.picture_queue import Job, PictureQueue
from kis_nb._widgets.saved_output import SavedOutput
from tests.factories import book, make_balance


def instances() -> list[CellView]:
    """The charts that ipywidgets holds."""
    return [one for one in widget._instances.values() if isinstance(one, CellView)]


WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """An IPython shell with a page: what is shown after `shell.run("id")` is shown by that cell.

    `jobs` are the pictures to be made, `hastened` those that a page has drawn, and `saved` what was
    put out for a saved notebook, in order.
    """
    hooks: list[Callable[[Any], None]] = []
    made = SimpleNamespace(parent_header={}, kernel=object(), jobs=[], hastened=[], saved=[])
    made.events = SimpleNamespace(register=lambda _name, hook: hooks.append(hook))

    def run(cell: str, *, stdin: bool = True) -> None:
        content = {"allow_stdin": stdin}
        made.parent_header = {"metadata": {"cellId": cell}, "content": content}
        for hook in hooks:
            hook(SimpleNamespace(cell_id=cell))

    def send(output: SavedOutput, *, update: bool) -> None:
        made.saved.append((output.key, update, output._wrapped()))

    queue = SimpleNamespace(add=made.jobs.append, hasten=made.hastened.append)
    made.run = run
    monkeypatch.setattr(cell_view, "_CELLS", cell_view._Cells())
    monkeypatch.setattr(cell_view, "QUEUE", queue)
    monkeypatch.setattr(SavedOutput, "_send", send)
    monkeypatch.setattr(front_end, "shell", lambda: made)
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


def test_the_picture_comes_after_the_live_chart(
    shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty output comes first; once a page has drawn the chart, a picture replaces it."""
    monkeypatch.setattr(cell_view, "picture_html", lambda spec, name: f"{name} {len(spec)}")
    shell.run("a")
    view = show()
    ((key, update, empty),) = shell.saved
    assert not update
    assert "만기" not in empty
    assert view._saved == key
    (job,) = shell.jobs
    assert shell.hastened == []
    view._on_message(view, {"type": "drawn"}, [])
    assert shell.hastened == [job]
    job.run()
    later_key, update, later = shell.saved[-1]
    assert (later_key, update) == (key, True)
    assert "만기 손익 곡선" in later


def test_a_closed_chart_gets_no_picture(shell: SimpleNamespace) -> None:
    """Its output has been replaced meanwhile."""
    shell.run("a")
    view = show()
    view.close()
    (job,) = shell.jobs
    job.run()
    assert len(shell.saved) == 1


def test_the_live_output_has_nothing_to_show_when_saved(shell: SimpleNamespace) -> None:
    """Where no widget is drawn the picture stands alone: blank HTML goes before its name."""
    shell.run("a")
    bundle = charts.payoff(make_balance(book(3)))._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert data["text/html"] == ""
    assert WIDGET in data


def test_without_a_page_there_is_the_picture_alone(
    shell: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Papermill and nbconvert, which answer no input(), get no widget; Voila gets nothing else."""
    monkeypatch.delenv("SERVER_SOFTWARE", raising=False)
    monkeypatch.setattr(cell_view, "picture_html", lambda _spec, name: f"<img alt='{name}'>")
    chart = charts.payoff(make_balance(book(3)))
    shell.run("a", stdin=False)
    before = len(instances())
    assert chart._repr_mimebundle_() == {
        "text/plain": "<Chart 만기 손익 곡선>",
        "text/html": "<img alt='만기 손익 곡선'>",
    }
    assert (len(instances()), shell.saved, shell.jobs) == (before, [], [])
    monkeypatch.setenv("SERVER_SOFTWARE", "voila/0.5.8")
    bundle = chart._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert WIDGET in data
    assert (shell.saved, shell.jobs) == ([], [])


def test_a_terminal_gets_the_name(shell: SimpleNamespace) -> None:
    """IPython in a terminal shows no picture, so none is made."""
    del shell.kernel
    bundle = charts.payoff(make_balance(book(3)))._repr_mimebundle_()
    assert bundle == {"text/plain": "<Chart 만기 손익 곡선>"}


def test_the_queue_takes_what_is_drawn_first() -> None:
    """A job waits for its time, unless a page has drawn its chart; none is lost or run twice."""
    queue, done, first, ran = PictureQueue(), threading.Event(), threading.Event(), list[str]()
    waiting = Job(lambda: ran.append("waiting"), due=time.monotonic() + 3600)
    later = Job(done.set, due=time.monotonic() + 3600)
    queue.add(waiting)
    queue.add(later)
    queue.add(Job(first.set, due=0.0))
    assert first.wait(30)
    queue.hasten(later)
    assert done.wait(30)
    assert ran == []
    done.clear()
    queue.hasten(waiting)
    queue.add(Job(done.set, due=0.1))
    assert done.wait(30)
    assert ran == ["waiting"]


def test_a_job_that_fails_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its exception is reported as one that ends a thread is."""
    reported: list[str] = []
    monkeypatch.setattr(threading, "excepthook", lambda hook: reported.append(str(hook.exc_value)))
    queue, done = PictureQueue(), threading.Event()

    def fail() -> None:
        raise RuntimeError("invented")

    queue.add(Job(fail, due=0.0))
    queue.add(Job(done.set, due=0.1))
    assert done.wait(30)
    assert reported == ["invented"]
