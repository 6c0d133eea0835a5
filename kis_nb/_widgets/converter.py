"""Vega-Lite specs made into pictures by vl-convert, in a process of its own (`convert.py`)."""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

# A chart takes a second, one of 500 bars two; a process that has not answered by then is stuck.
_LIMIT = 60.0


class NoPicture(Exception):
    """No picture could be made; the message says why, in one line."""


class Converter:
    """The converting process, started when it is first needed. Thread-safe: one job at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ends_at_exit = False

    @staticmethod
    def is_installed() -> bool:
        """Whether vl-convert is there, which kis_nb does without."""
        return find_spec("vl_convert") is not None

    def warm_up(self) -> None:
        """Start the process in the background: until its first picture it takes a second."""
        if self.is_installed():
            threading.Thread(target=self._draw_nothing, daemon=True).start()

    def _draw_nothing(self) -> None:
        with suppress(NoPicture):
            self.svg({"data": {"values": []}, "mark": "bar"})

    def svg(self, spec: dict[str, Any]) -> str:
        """The chart as Vega draws it in SVG.

        Raises:
            NoPicture: Vega cannot draw it, or the process ended or took too long.
        """
        return self._ask({"spec": spec})["svg"]

    def png(self, svg: str, scale: float) -> str:
        """An SVG as PNG, in base64.

        Args:
            svg: the picture.
            scale: pixels for one of the SVG's.

        Raises:
            NoPicture: as of `svg`.
        """
        return self._ask({"svg": svg, "scale": scale})["png"]

    def close(self) -> None:
        """End the process, also in the middle of a job; the next job starts another."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._end()

    def _ask(self, request: dict[str, Any]) -> dict[str, str]:
        line = json.dumps(request)
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._end()
                self._process = _start()
                if not self._ends_at_exit:
                    self._ends_at_exit = True
                    atexit.register(self.close)
            process = self._process
            limit = threading.Timer(_LIMIT, process.kill)
            limit.daemon = True
            limit.start()
            try:
                reply = _exchange(process, line)
            except (OSError, ValueError):
                reply = ""
            finally:
                limit.cancel()
            if not reply:
                self._end()
                raise NoPicture("the process that draws pictures ended, or did not answer in time")
        answer: dict[str, str] = json.loads(reply)
        if "error" in answer:
            raise NoPicture(answer["error"])
        return answer

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _exchange(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def _start() -> subprocess.Popen[str]:
    # No key is needed to draw. A session of its own: the interrupt of a cell is not meant for it.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KIS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "kis_nb._widgets.convert"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment | {"PYTHONIOENCODING": "utf-8"},
        text=True,
        encoding="utf-8",
        start_new_session=True,
    )
