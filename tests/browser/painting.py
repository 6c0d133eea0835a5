"""When what a cell shows is on the page: the time from running it to each of its parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from playwright.sync_api import Page

from tests.browser.lab import PATIENCE_MS, Lab

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
    const [at, places, patience] = arg;
    const shown = %s;
    panel.content.deselectAll();
    panel.content.activeCellIndex = at;
    // A cell outside the window is not drawn.
    await panel.content.scrollToItem(at, "start");
    await new Promise(done => setTimeout(done, 200));
    const begin = window.kisBegin = performance.now();
    app.commands.execute("notebook:run-cell");
    const within = panel.content.widgets[at].node;
    const changes = ["class", "style", "hidden"];
    const waiting = new Map();
    const look = () => {
        for (const [place, done] of waiting)
            if (shown(within, place) && waiting.delete(place)) done();
        asked = false;
    };
    // Only when something has changed: looking at each frame makes the page draw each frame.
    let asked = false;
    const watch = new MutationObserver(() => {
        if (!asked) requestAnimationFrame(look);
        asked = true;
    });
    watch.observe(within, {subtree: true, childList: true, characterData: true,
                           attributes: true, attributeFilter: changes});
    const painted = place => new Promise((done, fail) => {
        waiting.set(place, done);
        setTimeout(() => fail(new Error(`${place} never appeared`)), patience);
    }).then(() => new Promise(requestAnimationFrame))
      .then(() => new Promise(done => setTimeout(done, 0)))
      .then(() => performance.now() - begin);
    return Promise.all(places.map(painted)).finally(() => watch.disconnect());
"""


def paint(lab: Lab, cell: int, places: Sequence[str]) -> list[float]:
    """Run the cell with this number (from 0); the ms until each place in its output is painted.

    Raises:
        playwright.sync_api.Error: a place had no figures after `PATIENCE_MS`.
    """
    times = lab._evaluate(_PAINT % SHOWN, [cell, list(places), PATIENCE_MS])
    return cast("list[float]", times)


def begun(page: Page) -> float:
    """When the last `paint` ran its cell, on the page's clock (``performance.now()``), in ms."""
    return cast("float", page.evaluate("kisBegin"))
