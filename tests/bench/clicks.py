"""Clicks on the dashboard against the plain way in Altair, in real JupyterLab in Chromium.

A click on a code, to the repainted chart, against a new `JupyterChart.chart`, and with the rows
that the page holds against the kernel's; and the page's memory over 300 clicks.
"""

from __future__ import annotations

import statistics

from playwright.sync_api import Page, expect

from tests.bench.cells import OURS, START, one_lab
from tests.bench.timing import line
from tests.browser.lab import Lab

PLAIN = """
import altair as alt
import ipywidgets as w
alt.JupyterChart.enable_offline()
pulls = {code: client.balance(excc_stat_cd=code) for code in "12"}
def chart(code):
    rows = [{"name": f"{n} {i}", "value": float(v)} for i, (n, v) in enumerate(
        pulls[code].positions.select("prdt_name", "evlu_pfls_amt").iter_rows())]
    return alt.Chart(alt.Data(values=rows), title=f"code {code}", width=700).mark_bar().encode(
        x="value:Q", y=alt.Y("name:N", sort=None), color=alt.condition(
            "datum.value > 0", alt.value("#c8102e"), alt.value("#0b5cd5")))
view = alt.JupyterChart(chart("1"), embed_options={"renderer": "svg"})
buttons = w.RadioButtons(options=["1", "2"])
def change(event):
    view.chart = chart(event["new"])
buttons.observe(change, "value")
w.VBox([buttons, view])
"""
# Milliseconds from the click to the frame after the chart shows what the click asked for.
MEASURE = """async ([radio, place, text]) => {
    const input = document.querySelectorAll(radio[0])[radio[1]];
    const shown = () => document.querySelector(place)?.textContent.includes(text);
    const begin = window.kisBegin = performance.now();
    input.click();
    await new Promise(done => {
        const look = () => shown() && (watch.disconnect(), done());
        const watch = new MutationObserver(look);
        watch.observe(document.body, {childList: true, subtree: true, characterData: true});
        look();
    });
    await new Promise(requestAnimationFrame);
    await new Promise(done => setTimeout(done, 0));
    return performance.now() - begin;
}"""


def clicks(page: Page, radio: str, place: str, texts: tuple[str, str], count: int) -> list[float]:
    """Times of clicks to and fro."""
    times: list[float] = []
    for number in range(count + 2):
        place_of = (number + 1) % 2
        times.append(page.evaluate(MEASURE, [[radio, place_of], place, texts[place_of]]))
        # What a click sets going behind the first chart is not the next one's.
        page.wait_for_timeout(400)
    return times[2:]


def dashboard(lab: Lab, rows: int, count: int) -> tuple[list[float], Page]:
    page = lab.open([START.format(rows=rows), OURS], width=1600, height=1400)
    lab.run_all()
    expect(page.locator(".kis-payoff svg").first).to_be_visible()
    # All four views are cached, as a moment after opening.
    expect(page.locator(".kis-views svg").first).to_contain_text("유지 02 · 본정산 2")
    radio = ".kis-excc-stat-cd input"
    return clicks(page, radio, ".kis-pnl svg", ("정산 1", "본정산 2"), count), page


# Every message between page and kernel takes this much longer, each way and in order, as from a
# JupyterHub in another building; `kisDelay` is read for each message.
FAR = """
(() => {
    globalThis.kisDelay = 0;
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
        setTimeout(() => this.readyState === 1 && send.call(this, data), globalThis.kisDelay);
    };
    const late = handler => handler && function (event) {
        setTimeout(() => handler.call(this, event), globalThis.kisDelay);
    };
    const own = Object.getOwnPropertyDescriptor(WebSocket.prototype, "onmessage");
    Object.defineProperty(WebSocket.prototype, "onmessage", {
        ...own, set(handler) { own.set.call(this, late(handler)); } });
    // Without the rows that the page already holds, a chart waits for the kernel.
    document.addEventListener(
        "kis-show-variant", event => globalThis.kisWait && event.stopImmediatePropagation(), true);
})();
"""
FAR_MS = 40
BUSY = """
import time
end = time.monotonic() + {seconds}
while time.monotonic() < end: sum(range(1000))
"""
PULLING = """
import threading, time
def pull():
    end = time.monotonic() + {seconds}
    while time.monotonic() < end: client.balance()
threading.Thread(target=pull).start()
"""


def instant(lab: Lab, count: int) -> None:
    """A click with the rows that the page already holds, against one that waits for the kernel."""
    seconds = count * 4 * 1.2 + 5
    work = [cell.format(seconds=seconds) for cell in (BUSY, PULLING)]
    cells = [START.format(rows=60), OURS, *work]
    page = lab.open(cells, width=1600, height=1400, script=FAR)
    lab.run_cell(0)
    lab.run_cell(1)
    expect(page.locator(".kis-payoff svg").first).to_be_visible()
    expect(page.locator(".kis-views svg").first).to_contain_text("유지 02 · 본정산 2")
    texts = ("정산 1", "본정산 2")
    for what, cell, delay in (
        ("near, idle", None, 0),
        ("far (40 ms each way), idle", None, FAR_MS),
        ("near, pulling in a thread", 3, 0),
        ("near, a cell at work", 2, 0),
        ("far, a cell at work", 2, FAR_MS),
    ):
        if cell is not None:
            lab.run_cell(cell, wait=False)
        page.evaluate("delay => { kisDelay = delay; }", delay)
        for chart in ("pnl", "margin", "book", "payoff"):
            times: dict[bool, list[float]] = {False: [], True: []}
            for number in range(count):
                # To and fro with the held rows, then to and fro without.
                wait = number % 4 > 1
                page.evaluate("wait => { kisWait = wait; }", wait)
                place = (number + 1) % 2
                one = page.evaluate(
                    MEASURE,
                    [[".kis-excc-stat-cd input", place], f".kis-{chart} svg", texts[place]],
                )
                times[wait].append(one)
                page.wait_for_timeout(500)
            mine, bare = (statistics.median(times[wait]) for wait in (False, True))
            line(f"{chart}, {what}: held rows / the kernel's", mine, bare, mine / bare, "")
        page.evaluate("() => { kisDelay = 0; }")
        lab.wait_idle()


def plain(lab: Lab, rows: int, count: int) -> list[float]:
    page = lab.open([START.format(rows=rows), PLAIN], width=1600, height=1400)
    lab.run_all()
    expect(page.locator(".jp-OutputArea svg.marks").first).to_be_visible()
    radio = ".widget-radio-box input"
    return clicks(page, radio, ".jp-OutputArea svg.marks", ("code 1", "code 2"), count)


def p95(times: list[float]) -> float:
    return statistics.quantiles(times, n=20)[-1]


def main(rounds: int) -> None:
    """All of them."""
    with one_lab() as lab:
        instant(lab, 12)
        for rows, reach in ((60, "0.45"), (600, "0.2")):
            base = plain(lab, rows, rounds)
            mine, page = dashboard(lab, rows, rounds)
            middle, bare = statistics.median(mine), statistics.median(base)
            line(
                f"click to repainted chart, {rows} positions / JupyterChart.chart",
                middle,
                bare,
                middle / bare,
                reach,
            )
            print(f"    p95 {p95(mine):.0f} ms (reach 100), the plain way's {p95(base):.0f} ms")
            if rows == 600:
                memory(page)


def memory(page: Page) -> None:
    """The page's heap over 300 clicks, garbage collected before each look at it."""
    radio = ".kis-excc-stat-cd input"
    texts = ("정산 1", "본정산 2")
    session = page.context.new_cdp_session(page)

    def megabytes() -> float:
        # What one collection frees may hold the last reference to what the next one frees.
        for _ in range(3):
            session.send("HeapProfiler.collectGarbage")
        # `performance.memory` is rounded, so that pages cannot tell each other apart by it.
        used: float = session.send("Runtime.getHeapUsage")["usedSize"]
        return used / 1e6

    sizes = [megabytes()]
    for _ in range(3):
        clicks(page, radio, ".kis-pnl svg", texts, 98)
        sizes.append(megabytes())
    listed = ", ".join(f"{size:.1f}" for size in sizes)
    growth = (sizes[-1] - sizes[0]) / 3
    print(f"    the page's heap at the start and after each 100 clicks: {listed} MB")
    print(f"    it grows by {growth:+.1f} MB in 100 clicks (reach: flat)", flush=True)
