"""When what a cell shows is on the page: the time from running it to each of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from playwright.sync_api import Page

from tests.browser.lab import Lab

# The parts of the dashboard's first tab, each by a selector for what carries its figures.
HEAD = ".kis-card-pnl .kis-value"
CHARTS = {name: f".kis-{name} svg.marks" for name in ("pnl", "margin", "views", "book", "payoff")}
FIRST_TAB = {"head": HEAD, **CHARTS}
# A part is there when it shows figures: what a chart shows while it waits has none.
SHOWN = """(within, place) => {
    const found = within.querySelector(place);
    return /[0-9]/.test(found?.textContent) && found.checkVisibility({visibilityProperty: true});
}"""
# Milliseconds from running the cell to the frame after each place shows figures.
_PAINT = """
    const [at, places] = arg;
    const shown = %s;
    panel.content.deselectAll();
    panel.content.activeCellIndex = at;
    // A cell outside the window is not drawn.
    await panel.content.scrollToItem(at, "start");
    await new Promise(done => setTimeout(done, 200));
    const begin = window.kisBegin = performance.now();
    app.commands.execute("notebook:run-cell");
    return Promise.all(places.map(async place => {
        while (!shown(panel.content.widgets[at].node, place))
            await new Promise(requestAnimationFrame);
        await new Promise(requestAnimationFrame);
        await new Promise(done => setTimeout(done, 0));
        return performance.now() - begin;
    }));
"""


def paint(lab: Lab, cell: int, places: Sequence[str]) -> list[float]:
    """Run the cell with this number (from 0); the ms until each place in its output is painted."""
    times = lab._evaluate(_PAINT % SHOWN, [cell, list(places)])
    return cast("list[float]", times)


def begun(page: Page) -> float:
    """When the last `paint` ran its cell, on the page's clock (``performance.now()``), in ms."""
    return cast("float", page.evaluate("kisBegin"))
