"""What goes wrong while the dashboard draws, on threads beside the cells."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kis_nb._codes import View
from tests.test_fetcher import FIRST, Ear, Stand

TOP = Path(__file__).parents[1]
LIMIT = 60  # reached by a hang only


class Clumsy(Ear):
    """Remembers every notification, and then fails."""

    def on_balance(self, view: View) -> None:
        super().on_balance(view)
        raise ZeroDivisionError

    def on_state(self) -> None:
        super().on_state()
        raise ZeroDivisionError


def test_a_drawing_that_fails_ends_neither_the_pull_nor_auto_refresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is reported as any error of a thread is, and auto-refresh goes on."""
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))
    monkeypatch.setattr("tests.test_fetcher.Ear", Clumsy)
    stand = Stand()
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    request = stand.next()
    request.progress(1)
    stand.until_cached(FIRST, request.give())
    stand.settle_behind()
    for number in range(2):
        stand.pass_time(5.1)
        request = stand.next()
        assert request.view == FIRST
        stand.until_cached(FIRST, request.give(number + 1))
    assert not stand.fetcher.state.failed
    stand.close()
    assert set(raised) == {ZeroDivisionError}


# A module that is a while in being imported, as NumPy is.
HALF = """
import threading
asked, go = threading.Event(), threading.Event()
__import__("builtins").half = (asked, go)
asked.set()
go.wait(60)
class ndarray: ...
class number: ...
class datetime64: ...
"""
DRAW = """
import builtins, sys, threading, time
from kis_nb.charts._bars import PNL
sys.modules.pop("numpy", None)
sys.path.insert(0, sys.argv[1])
cell = threading.Thread(target=__import__, args=("numpy",))
cell.start()
while not hasattr(builtins, "half"): time.sleep(0.01)
threading.Timer(0.3, builtins.half[1].set).start()
print(sorted(PNL.spec("ko", "kr"))[0])
"""


def test_charts_are_drawn_while_a_cell_imports_numpy(tmp_path: Path) -> None:
    """Altair trips over a NumPy that is half there."""
    (tmp_path / "numpy.py").write_text(HALF, "utf-8")
    run = subprocess.run(
        [sys.executable, "-c", DRAW, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(TOP)},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert (run.returncode, run.stdout) == (0, "$schema\n"), run.stderr
