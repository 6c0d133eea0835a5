"""What goes wrong while the dashboard draws, on threads beside the cells."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from kis_nb._codes import View
from tests.test_feed import FIRST, Ear, Stand

TOP = Path(__file__).parents[1]
LIMIT = 60  # reached by a hang only


class Clumsy(Ear):
    """Remembers every notification, and then fails."""

    def feed_balance(self, view: View) -> None:
        super().feed_balance(view)
        raise ZeroDivisionError

    def feed_state(self) -> None:
        super().feed_state()
        raise ZeroDivisionError


def test_a_drawing_that_fails_ends_neither_the_pull_nor_the_beat(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is reported as any error of a thread is, and auto-refresh goes on."""
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))
    monkeypatch.setattr("tests.test_feed.Ear", Clumsy)
    stand = Stand()
    stand.feed.every(5)
    stand.feed.want(FIRST)
    request = stand.next()
    request.progress(1)
    stand.until_at_hand(FIRST, request.give())
    stand.settle_behind()
    for beat in range(2):
        stand.pass_time(5.1)
        request = stand.next()
        assert request.view == FIRST
        stand.until_at_hand(FIRST, request.give(beat + 1))
    assert not stand.feed.state.failed
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
import kis_nb.charts
from kis_nb._dashboard.chart_data import spec
sys.modules.pop("numpy", None)
sys.path.insert(0, sys.argv[1])
cell = threading.Thread(target=__import__, args=("numpy",))
cell.start()
while not hasattr(builtins, "half"): time.sleep(0.01)
threading.Timer(0.3, builtins.half[1].set).start()
print(sorted(spec("pnl", "ko", "kr"))[0])
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
