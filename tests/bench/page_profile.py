"""What a page's main thread does, from Chromium's sampling profiler."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page

from tests.bench.probe import Segment

_INTERVAL_US = 250
# JupyterLab's own scripts and its extensions', anywidget's among them. Whatever else has an address
# is a widget's.
_LAB = ("/static/lab/", "/lab/extensions/")
LOADING, DRAWING, LAB, BROWSER = "page scripts", "page drawing", "page Lab", "page browser"
# The page counts as a thread beside the kernel's.
_PAGE = -1


class PageProfile:
    """A profile under way.

    Attributes:
        segments: what the main thread did and when, on the monotonic clock; filled at the end.
    """

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable")
        self._session.send("Profiler.enable")
        self._session.send("Profiler.setSamplingInterval", {"interval": _INTERVAL_US})
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        # On Linux Chromium's clock is Python's monotonic one, so no calibration is needed.
        (self._origin,) = (one["value"] for one in metrics if one["name"] == "NavigationStart")
        self.segments: list[Segment] = []

    def moment(self, page_ms: float) -> float:
        """What the page's ``performance.now()`` is on the monotonic clock, in seconds."""
        return float(self._origin + page_ms / 1000)

    def start(self) -> None:
        self._session.send("Profiler.start")

    def stop(self) -> None:
        profile = self._session.send("Profiler.stop")["profile"]
        self.segments = list(_segments(profile))
        self._session.detach()


@contextmanager
def profiled(page: Page) -> Iterator[PageProfile]:
    """Profile the page while the block runs."""
    profile = PageProfile(page)
    profile.start()
    yield profile
    profile.stop()


def _segments(profile: dict[str, Any]) -> Iterator[Segment]:
    """The samples as segments; none for those in which the page had nothing to do."""
    kinds = _kinds(profile["nodes"])
    at = profile["startTime"]
    moments = [at := at + delta for delta in profile["timeDeltas"]]
    for sample, begin, end in zip(
        profile["samples"], moments, [*moments[1:], profile["endTime"]], strict=True
    ):
        if kind := kinds[sample]:
            yield begin / 1e6, end / 1e6, kind, _PAGE


def _kinds(nodes: list[dict[str, Any]]) -> dict[int, str]:
    """The phase of each node of a profile's call tree; "" for idle."""
    by_id = {node["id"]: node for node in nodes}
    kinds: dict[int, str] = {}

    def walk(number: int, within: str) -> None:
        node = by_id[number]
        kinds[number] = kind = within if within in (LOADING, DRAWING) else _kind(node, within)
        for child in node.get("children", ()):
            walk(child, kind)

    walk(nodes[0]["id"], "")
    return kinds


def _kind(node: dict[str, Any], within: str) -> str:
    """A node's phase, below one of the phase `within`."""
    frame = node["callFrame"]
    name, url = frame["functionName"], frame["url"]
    if name == "(garbage collector)":
        return within or BROWSER
    # Without a script: style, layout, painting, and parsing what is no script of the page yet.
    if name == "(program)":
        return BROWSER
    if not url:
        return within
    if any(part in url for part in _LAB):
        return LAB
    # The code of a module outside of its functions runs once, when it is loaded.
    return DRAWING if name else LOADING
