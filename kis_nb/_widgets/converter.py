"""Vega-Lite specs made into pictures by vl-convert, in a process of its own (`convert.py`)."""

from __future__ import annotations

import atexit
import json
import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

from kis_nb._environment import without_credentials

# A chart takes a second, one of 500 bars two; a process that has not answered by then is stuck.
_LIMIT = 60.0
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class NoPicture(Exception):
    """No picture could be made; the message says why, in one line."""


class Converter:
    """The converting process, started when it is first needed. Thread-safe: one job at a time.

    Attributes:
        closed: the interpreter is ending, so no more pictures are made.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._ends_at_exit = self.closed = False
        self._number = 0

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
        svg: str = self._ask({"spec": _clean(spec)})["svg"]
        return svg

    def png(self, svg: str, scale: float) -> str:
        """An SVG as PNG, in base64.

        Args:
            svg: the picture.
            scale: pixels for one of the SVG's.

        Raises:
            NoPicture: as of `svg`.
        """
        png: str = self._ask({"svg": svg, "scale": scale})["png"]
        return png

    def close(self) -> None:
        """End the process, also in the middle of a job; the next job starts another."""
        if (process := self._process) is not None:
            process.kill()
        with self._lock:
            self._end()

    def _close_for_good(self) -> None:
        self.closed = True
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self._number += 1
            request["number"] = self._number
            process = self._running()
            limit = threading.Timer(_LIMIT, process.kill)
            limit.daemon = True
            limit.start()
            answer: dict[str, Any] = {}
            try:
                answer = json.loads(_exchange(process, json.dumps(request)))
            except (OSError, ValueError):
                pass  # it ended, perhaps in the middle of a line
            except BaseException:
                # Interrupted: the answer that is still to come must not become that of the next.
                self._end()
                raise
            finally:
                limit.cancel()
            if answer.get("number") != self._number:
                self._end()
                raise NoPicture("the process that draws pictures ended, or did not answer in time")
        if "error" in answer:
            raise NoPicture(answer["error"])
        return answer

    def _running(self) -> subprocess.Popen[str]:
        """The process; the caller holds the lock."""
        if self.closed:
            raise NoPicture("the interpreter is ending")
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = _start()
            if not self._ends_at_exit:
                self._ends_at_exit = True
                atexit.register(self._close_for_good)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


def _clean(node: Any) -> Any:
    """A copy without the characters that XML has no place for, at which vl-convert aborts."""
    if isinstance(node, dict):
        return {_clean(key): _clean(part) for key, part in node.items()}
    if isinstance(node, list):
        return [_clean(part) for part in node]
    return _NOT_XML.sub("\ufffd", node) if isinstance(node, str) else node


def _exchange(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline()


def _start() -> subprocess.Popen[str]:
    # No key is needed to draw. A session of its own: the interrupt of a cell is not meant for it.
    environment = without_credentials(os.environ)
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
