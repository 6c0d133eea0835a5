"""The progress bar of a long call: where it is shown, and what it leaves."""

from __future__ import annotations

import io
import sys
from typing import Any, NoReturn

import pytest
from tqdm import tqdm

from kis_nb._widgets import progress_bar as bars
from kis_nb._widgets.progress_bar import progress_bar


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bars are shown from the beginning."""
    monkeypatch.setattr(bars, "_DELAY", 0.0)


def count(bar: tqdm[NoReturn], units: int) -> None:
    """Count units, and show it now: tqdm shows ten counts a second at most."""
    bar.update(units)
    bar.refresh()


@pytest.fixture
def put_out(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    """What a cell puts out on a page: (function, display id, text)."""
    found: list[tuple[str, str, str]] = []
    monkeypatch.setattr(bars, "front_end", lambda: "page")
    for name in ("display", "update_display"):

        def put(content: Any, *, raw: bool, display_id: str, name: str = name) -> None:
            assert raw
            found.append((name, display_id, content["text/plain"]))

        monkeypatch.setattr(f"IPython.display.{name}", put)
    return found


@pytest.mark.usefixtures("at_once")
def test_a_notebook_has_one_output_that_ends_empty(put_out: list[tuple[str, str, str]]) -> None:
    """The line is replaced, and what is saved of it is an empty text: no widget, no figure."""
    with progress_bar(4, "pull") as bar:
        for _ in range(4):
            count(bar, 1)
    functions, keys, texts = zip(*put_out, strict=True)
    assert functions == ("display", *["update_display"] * (len(put_out) - 1))
    assert len(set(keys)) == 1
    assert "2/4" in "".join(texts)
    assert texts[-1] == ""
    assert all(text for text in texts[:-1])
    assert "\x1b" not in "".join(texts)


@pytest.mark.usefixtures("at_once")
def test_bars_side_by_side_have_an_output_each(put_out: list[tuple[str, str, str]]) -> None:
    """Neither moves the other's cursor, and each ends empty."""
    with progress_bar(4, "pull") as one, progress_bar(8, "day") as other:
        count(one, 2)
        count(other, 3)
    last = {key: text for _, key, text in put_out}
    assert list(last.values()) == ["", ""]
    assert all(text == text.strip() and "\x1b" not in text for _, _, text in put_out)


def test_a_short_call_shows_nothing(put_out: list[tuple[str, str, str]]) -> None:
    """Within the first second there is no bar, and so nothing to take away."""
    with progress_bar(2, "pull") as bar:
        bar.update(1)
        bar.update(1)
    assert put_out == []


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize(
    ("where", "stream", "written"),
    [
        ("script", Terminal, True),
        ("terminal", Terminal, True),
        ("script", io.StringIO, False),
        ("file", Terminal, False),
        ("served", Terminal, False),
    ],
)
def test_a_bar_is_where_somebody_looks(
    monkeypatch: pytest.MonkeyPatch, where: str, stream: type[io.StringIO], *, written: bool
) -> None:
    """On a terminal, and in no log, pipe, papermill run or Voila page."""
    monkeypatch.setattr(bars, "front_end", lambda: where)
    stderr = stream()
    monkeypatch.setattr(sys, "stderr", stderr)
    with progress_bar(2, "pull") as bar:
        count(bar, 1)
    assert ("1/2" in stderr.getvalue()) is written
    stderr.truncate(0)
    with progress_bar(2, "pull", shown=False) as bar:
        count(bar, 1)
    assert stderr.getvalue() == ""
