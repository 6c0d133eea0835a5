"""A click on account, margin or basis is shown by every chart before the kernel has received it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.lab import Lab
from tests.browser.test_dashboard import not_stale, open_dashboard, status

CHARTS = ("pnl", "margin", "views", "book", "payoff")
# The kernel can draw nothing and receive no choice until the file is there. The cell ends with the
# lock held: a thread may be drawing under it when it begins.
HOLD = """
import os, time
held = threading.Event()
def hold():
    with d._lock:
        held.set()
        while not os.path.exists({path!r}): time.sleep(0.1)
threading.Thread(target=hold).start()
held.wait()
"""
# Nothing is being pulled, and what was pulled is drawn.
QUIET = """
import time
while d._fetcher.refreshing or d._variants._preparing: time.sleep(0.05)
with d._lock: pass
"""
# What each chart says: its texts, sorted, since Vega puts a new one anywhere.
TEXTS = """() => ["pnl", "margin", "views", "book", "payoff"].map(name => {
    const texts = document.querySelectorAll(`.kis-${name} .kis-chart-stage svg text`);
    return [...texts].map(text => text.textContent.replaceAll("\\u200b", "")).sort();
})"""
LABELS = """frame => [...frame.querySelectorAll(".role-axis-label text")]
    .map(label => [label, label.getBoundingClientRect()])
    .sort(([, a], [, b]) => a.top - b.top || a.left - b.left)
    .map(([label]) => label.textContent.replaceAll("\\u200b", ""))"""


@contextmanager
def kernel_held(lab: Lab, cell: int, path: Path) -> Iterator[None]:
    """Run the cell `HOLD`, and let the kernel go on at the end."""
    lab.run_cell(cell)
    yield
    path.touch()


def wait_headed(page: Page, codes: str) -> None:
    """Wait until every chart is headed with these codes."""
    for name in CHARTS:
        expect(page.locator(f".kis-{name} svg")).to_contain_text(
            re.compile(rf"{codes} · \d\d:\d\d:\d\d KST")
        )


def wait_complete(page: Page) -> None:
    """Wait until all four views of the account have come."""
    expect(page.locator(".kis-views svg")).to_contain_text("유지 02 · 본정산 2")
    expect(page.locator(".kis-progress")).to_be_hidden()
    not_stale(page)


def settled_texts(lab: Lab, cell: int) -> Any:
    """What the charts say when nothing more is on its way; the cell is `QUIET`."""
    lab.run_cell(cell)
    lab.page.wait_for_function("() => !globalThis[Symbol.for('kis_nb.paints')].running")
    return lab.page.evaluate(TEXTS)


def wait_texts(page: Page, texts: Any) -> None:
    """Wait until the charts say exactly this."""
    with suppress(PlaywrightTimeout):
        page.wait_for_function(
            f"texts => JSON.stringify(({TEXTS})()) === JSON.stringify(texts)", arg=texts
        )
    assert page.evaluate(TEXTS) == texts


def labels(output: Locator, chart: str) -> list[str]:
    """A chart's axis labels from the top down."""
    found: list[str] = output.locator(f".kis-{chart} .kis-chart-frame").evaluate(LABELS)
    return found


def test_every_chart_shows_a_code_before_the_kernel(lab: Lab, tmp_path: Path) -> None:
    """All charts change at the click, come back while the kernel does not follow, and change for
    good when it does; then they are as in a dashboard that never showed another view.
    """
    go = tmp_path / "go"
    again = "e = kis_nb.dashboard(client, excc_stat_cd='2')\ne"
    cells = [HOLD.format(path=str(go)), again]
    page = open_dashboard(lab, *cells, accounts={"80012345-03": 30})
    wait_complete(page)
    with kernel_held(lab, 2, go):
        page.get_by_role("radio", name="본정산 2").check()
        wait_headed(page, "개시 01 · 본정산 2")
        expect(status(page)).to_contain_text("EXCC_STAT_CD=1")
        expect(page.locator(".kis-dashboard")).to_have_class(re.compile(r"kis-stale"))
        wait_headed(page, "개시 01 · 정산 1")
        expect(status(page)).to_contain_text("EXCC_STAT_CD=1")
    expect(status(page)).to_contain_text("EXCC_STAT_CD=2")
    wait_headed(page, "개시 01 · 본정산 2")
    not_stale(page)
    lab.run_cell(3)
    fresh = lab.output(3)
    for chart in CHARTS:
        expect(fresh.locator(f".kis-{chart} svg")).to_be_visible()
    expect(fresh.locator(".kis-views svg")).to_contain_text("유지 02 · 본정산 2")
    for chart in ("pnl", "book"):
        assert labels(lab.output(1), chart) == labels(fresh, chart)
    assert len(labels(fresh, "pnl")) > 10


def test_every_chart_shows_an_account_before_the_kernel(lab: Lab, tmp_path: Path) -> None:
    """Charts of an account that was looked at before come back at the click, text by text."""
    go = tmp_path / "go"
    accounts = {"80012345-03": 30, "70045678-03": 5}
    page = open_dashboard(lab, HOLD.format(path=str(go)), QUIET, accounts=accounts)
    chosen = page.get_by_role("combobox", name="계좌")
    texts: list[Any] = []
    for index, number in ((1, "700"), (0, "800"), (1, "700")):
        chosen.select_option(index=index)
        expect(status(page)).to_contain_text(f"{number}*****-03")
        wait_complete(page)
        texts.append(settled_texts(lab, 3))
    second, first, _ = texts
    assert all(one != other for one, other in zip(first, second, strict=True))
    with kernel_held(lab, 2, go):
        chosen.select_option(index=0)
        wait_texts(page, first)
        expect(status(page)).to_contain_text("700*****-03")
    expect(status(page)).to_contain_text("800*****-03")


LINES = """
import altair as alt
from kis_nb._widgets.chart_view import ChartView
rows = [{"key": "a line", "size": 1}, {"key": "b line", "size": 2}]
bars = alt.Chart(alt.NamedData("bars")).mark_bar()
bars = bars.encode(x="size:Q", y=alt.Y("key:N", sort=None))
view = ChartView(bars.to_dict() | {"usermeta": {"fresh": "key"}}, {"bars": rows})
view
"""


def test_lines_that_only_change_places(lab: Lab) -> None:
    """New rows with the same lines in another order are drawn in that order."""
    page = lab.open([LINES, "view.update({'bars': rows[::-1]})"])
    lab.run_cell(0)
    lines = lab.output(0).locator(".kis-chart-frame")
    expect(lines.locator("svg")).to_contain_text("b line")
    assert lines.evaluate(LABELS)[:2] == ["a line", "b line"]
    lab.run_cell(1)
    page.wait_for_function(
        f"frame => ({LABELS})(frame)[0] === 'b line'", arg=lines.element_handle()
    )
    assert lines.evaluate(LABELS)[:2] == ["b line", "a line"]
