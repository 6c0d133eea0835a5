"""Times what a Python process does, by phase, from outside of the code that does it.

`start` wraps the import machinery and some functions by name (`FUNCTIONS`), each when its module is
loaded. Every thread has a stack of phases; time counts for the one on top. Nothing but the standard
library is imported, and of it only what every process has loaded or loads anyway.
"""

from __future__ import annotations

import _thread
import io
import sys
import time
from collections.abc import Callable
from typing import Any, TypeAlias

# A thread's time from one moment to another on the monotonic clock, in seconds, and its phase.
Segment: TypeAlias = tuple[float, float, str, int]

# Packages whose import is a phase of its own, with all that they import in turn.
IMPORTS = {
    "requests": "import requests",
    "urllib3": "import requests",
    "polars": "import polars",
    "ipywidgets": "import widgets",
    "anywidget": "import widgets",
    "traitlets": "import widgets",
    "altair": "import Altair",
    "QuantLib": "import QuantLib",
}
REST = "import rest"
IDLE = "idle"
# Phase by function: (module, name in it).
FUNCTIONS: dict[tuple[str, str], str] = {
    ("kis_nb._wire.auth", "Tokens.get"): "token",
    ("kis_nb._client", "Client.balance"): "pull",
    ("requests.sessions", "Session.request"): "pull",
    ("urllib3.response", "HTTPResponse.read"): "pull",
    # An HTTP connection's answers are read through this; ZeroMQ's sockets are others.
    ("socket", "SocketIO.readinto"): "wire",
    ("kis_nb._wire.page_json", "PageBody.__init__"): "decode",
    ("kis_nb._frames.decode", "Decoder.add"): "decode",
    ("kis_nb._frames.decode", "Decoder.frames"): "decode",
    ("kis_nb._frames.decode", "Decoder.others"): "decode",
    ("kis_nb._cli.export", "export"): "rows",
    ("jupyter_client.session", "Session.send"): "send",
    ("comm.base_comm", "BaseComm.handle_msg"): "rows",
    ("concurrent.futures.thread", "_WorkItem.run"): "rows",
    ("threading", "Thread.run"): "rows",
    ("threading", "Condition.wait"): IDLE,
}
# What is done inside these counts for them, whatever it is.
_WHOLE = {*IMPORTS.values(), "token"}


class Probe:
    """The phases of all threads since it was made.

    Attributes:
        began: when it was made, on the monotonic clock.
        calls: when each HTTP request was sent.
    """

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.calls: list[float] = []
        self._segments: list[Segment] = []
        self._stacks: dict[int, list[str]] = {}
        self._since: dict[int, float] = {}

    def push(self, phase: str) -> bool:
        """Begin a phase on this thread; False when its time counts for the one that it is in."""
        thread = _thread.get_ident()
        stack = self._stacks.setdefault(thread, [])
        if stack and phase != IDLE and (stack[-1] == phase or stack[-1] in _WHOLE):
            return False
        self._cut(thread, stack)
        stack.append(phase)
        return True

    def pop(self) -> None:
        """End the phase that this thread began last."""
        thread = _thread.get_ident()
        stack = self._stacks[thread]
        self._cut(thread, stack)
        stack.pop()

    def watch_cells(self, shell: Any) -> None:
        """Count the cells of an IPython shell as "rows", from the next one on."""
        begun: list[bool] = []

        def begin(*_: object) -> None:
            begun.append(self.push("rows"))

        def end(*_: object) -> None:
            # The cell that registers this ends, but never began.
            if begun and begun.pop():
                self.pop()

        shell.events.register("pre_run_cell", begin)
        shell.events.register("post_run_cell", end)

    def watch_output(self) -> None:
        """Count writing to stdout as "send"."""
        push, pop = self.push, self.pop

        class Output(io.FileIO):
            def write(self, content: Any, /) -> int:
                pushed = push("send")
                try:
                    return super().write(content) or 0
                finally:
                    if pushed:
                        pop()

        raw = io.BufferedWriter(Output(1, "wb", closefd=False))
        sys.stdout = io.TextIOWrapper(raw, encoding=sys.stdout.encoding)

    def _cut(self, thread: int, stack: list[str]) -> None:
        now = time.monotonic()
        if stack:
            self._segments.append((self._since[thread], now, stack[-1], thread))
        self._since[thread] = now

    @property
    def segments(self) -> list[Segment]:
        """What was recorded so far, ended phases and parts of them."""
        return [one for one in self._segments if one[2] != IDLE]


def start() -> Probe:
    """Measure this process from now on."""
    probe = Probe()
    for module in {module for module, _ in FUNCTIONS}:
        if module in sys.modules:
            _wrap_functions(probe, module)
    _wrap_imports(probe)
    return probe


def _wrap_imports(probe: Probe) -> None:
    # Called by both `import` and `importlib`, and only for what is not loaded yet: less is wrapped
    # than with `builtins.__import__`, which every `import` statement in a function calls too.
    machinery: Any = sys.modules["_frozen_importlib"]
    load = machinery._find_and_load

    def timed(name: str, *rest: Any) -> Any:
        pushed = probe.push(IMPORTS.get(name.partition(".")[0], REST))
        try:
            return load(name, *rest)
        finally:
            if pushed:
                probe.pop()
            if name in _MODULES and name in sys.modules:
                _wrap_functions(probe, name)

    machinery._find_and_load = timed
    # Where a thread waits for a module that another one is importing.
    lock = machinery._ModuleLock
    lock.acquire = _timed(probe, lock.acquire, IDLE, "_ModuleLock.acquire")


_MODULES = {module for module, _ in FUNCTIONS}


def _wrap_functions(probe: Probe, module: str) -> None:
    for (of, path), phase in FUNCTIONS.items():
        if of != module:
            continue
        *owners, name = path.split(".")
        owner: Any = sys.modules[module]
        for each in owners:
            owner = getattr(owner, each)
        function = getattr(owner, name)
        if not hasattr(function, "kis_bench"):
            setattr(owner, name, _timed(probe, function, phase, path))


def _timed(probe: Probe, function: Callable[..., Any], phase: str, path: str) -> Callable[..., Any]:
    request = path == "Session.request"
    thread = path == "Thread.run"

    def timed(*args: Any, **kwargs: Any) -> Any:
        if request:
            probe.calls.append(time.monotonic())
        if thread and not _module_of(args[0]).startswith("kis_nb"):
            return function(*args, **kwargs)
        pushed = probe.push(phase)
        try:
            return function(*args, **kwargs)
        finally:
            if pushed:
                probe.pop()

    timed.kis_bench = True  # type: ignore[attr-defined]
    return timed


def _module_of(thread: Any) -> str:
    """Where a thread's function is from."""
    target = getattr(thread, "_target", None)
    return str(getattr(target, "__module__", ""))
