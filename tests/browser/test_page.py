"""The dashboard's page: what assistive tools find, how it lies, what clicks in quick succession do,
and when nobody sees it any more.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.lab import THEMES, Lab
from tests.browser.test_dashboard import (
    DEMO,
    broker,
    not_stale,
    open_dashboard,
    printed,
    wait_drawn,
)


def test_axe_finds_nothing(lab: Lab) -> None:
    """axe-core finds no violation in the dashboard, in either theme."""
    page = lab.open([DEMO], theme="dark")
    lab.run_all()
    wait_drawn(page)
    expect(page.locator(".kis-progress")).to_be_hidden()
    not_stale(page)
    for theme in THEMES:
        lab.set_theme(theme)
        # What is half faded has colours that nobody chose.
        page.wait_for_function(
            "() => !document.querySelector('.kis-dashboard').getAnimations({subtree: true}).length"
        )
        found = Axe().run(page, context=".kis-dashboard").response
        assert len(found["passes"]) > 10
        faults = [(one["id"], node["html"]) for one in found["violations"] for node in one["nodes"]]
        assert faults == [], theme


# What sticks out of the dashboard, or is cut; in the charts every text.
STICKS_OUT = """width => {
    const root = document.querySelector('.kis-dashboard');
    const edge = root.getBoundingClientRect().left + width + 1;
    const boxes = [...root.querySelectorAll(
        '.kis-card, .kis-section, button, select, label, .kis-status, .kis-chart-frame')]
        .filter(e => !e.closest('.kis-table') && e.clientWidth > 1)
        .filter(e => e.getBoundingClientRect().right > edge || e.scrollWidth > e.clientWidth + 2);
    const texts = [...root.querySelectorAll('.kis-chart-frame')].flatMap(frame => {
        const around = frame.getBoundingClientRect();
        return [...frame.querySelectorAll('svg.marks text')].filter(text => {
            const box = text.getBoundingClientRect();
            return text.textContent.includes('…') || box.left < around.left - 1
                || box.right > around.right + 1 || box.top < around.top - 1;
        });
    });
    const all = [...boxes, ...texts];
    return all.map(e => e.getAttribute('class') + ' ' + e.textContent.slice(0, 60));
}"""
# Pixels between each chart's title and its heading; negative when the title covers it.
GAPS = """() => [...document.querySelectorAll(".kis-chart svg")].map(chart => {
    const title = chart.querySelector(".role-title text").getBoundingClientRect();
    const heads = [...chart.querySelectorAll("text")].filter(t => t.textContent.includes("KST"));
    return Math.min(...heads.map(text => text.getBoundingClientRect().top - title.bottom));
})"""
LINES = """() => {
    const middle = e => {
        const r = e.getBoundingClientRect();
        return Math.round(r.top + r.height / 2);
    };
    const bar = [...document.querySelectorAll('.kis-controls > *')];
    const tops = bar.map(middle).sort((a, b) => a - b);
    return tops.filter((top, at) => !at || top - tops[at - 1] > 4).length;
}"""
NAMES = {"한국어": ("계좌", "자동 새로고침"), "English": ("Account", "Auto-refresh")}


# The width of the dashboard at which a chart would be as wide as its plot is now, without axes.
PLOT = """() => {
    const frame = document.querySelector('.kis-views .kis-chart-frame');
    const plot = frame.querySelector('.mark-group.role-frame path.background');
    const around = document.querySelector('.kis-dashboard').clientWidth - frame.clientWidth;
    return Math.round(plot.getBoundingClientRect().width) + around;
}"""


def test_a_chart_takes_the_width_that_its_plot_had(lab: Lab) -> None:
    """Vega keeps a plot's width under the same name as a chart's, so that it may seem unchanged."""
    page = lab.open([DEMO], width=2000)
    lab.run_all()
    wait_drawn(page)
    board = page.locator(".kis-dashboard")
    frame = "document.querySelector('.kis-views .kis-chart-frame')"
    fits = f"() => {frame}.querySelector('svg').clientWidth === {frame}.clientWidth"
    board.evaluate("e => { e.style.width = '900px'; }")
    page.wait_for_function(fits)
    board.evaluate("(e, width) => { e.style.width = width + 'px'; }", page.evaluate(PLOT))
    page.wait_for_function(fits)


@pytest.mark.parametrize("language", NAMES)
def test_fits_its_width(lab: Lab, language: str) -> None:
    """From 600 to 1,600 px nothing sticks out, no text is cut, and no chart's title covers the line
    that says which view and when. At 600 px the controls take two lines and the cards are two in a
    line.
    """
    page = lab.open([DEMO], width=2000)
    lab.run_all()
    wait_drawn(page)
    page.locator(".kis-language select").select_option(language)
    board = page.locator(".kis-dashboard")
    expect(board).to_have_attribute("lang", {"한국어": "ko", "English": "en"}[language])
    for width in (1600, 1280, 1000, 800, 600):
        board.evaluate("(e, w) => { e.style.width = w + 'px'; }", width)
        # The charts follow the new width one after the other, a frame each.
        with suppress(PlaywrightTimeout):
            page.wait_for_function(f"w => ({STICKS_OUT})(w).length === 0", arg=width)
        assert page.evaluate(STICKS_OUT, width) == [], f"at {width} px"
        gaps = page.evaluate(GAPS)
        assert len(gaps) == 5
        assert min(gaps) > -3, f"at {width} px"
    assert page.evaluate(LINES) == 2
    tops = page.locator(".kis-card").evaluate_all(
        "cards => cards.map(card => Math.round(card.getBoundingClientRect().top))"
    )
    assert sorted(Counter(tops).values(), reverse=True)[: len(tops) // 2] == [2] * (len(tops) // 2)
    # A label that is not shown is there for screen readers.
    for name in NAMES[language]:
        expect(page.get_by_role("combobox", name=name)).to_be_visible()


def selected(page: Page) -> Any:
    """The selected rows of the table."""
    return page.locator(".kis-positions tr[aria-selected=true]")


def wait_received(lab: Lab, cell: int, count: int) -> None:
    """Wait until the kernel has so many rows selected, as this cell prints: the page shows a click
    at once, and a cell may overtake its message.
    """
    for _ in range(100):
        lab.run_cell(cell)
        if printed(lab, cell) == count:
            break


# Wait until the kernel has handled what the page sent so far.
SETTLE = """
done = threading.Event()
d._jobs.run(done.set)
done.wait(30)
picked = d._page.table._parts["picked"]
"""


CTRL_CLICKS = """async pause => {
    const rows = [...document.querySelectorAll(".kis-positions tbody tr")];
    for (const row of rows.slice(0, 12)) {
        row.dispatchEvent(new MouseEvent("click", {bubbles: true, ctrlKey: true}));
        if (pause) await new Promise(done => setTimeout(done, pause));
    }
}"""


@pytest.mark.parametrize("pause", [0, 50])
def test_quick_clicks_lose_no_row(lab: Lab, pause: int) -> None:
    """Twelve quick clicks with Ctrl select twelve rows, on the page and in code, and no message
    follows.
    """
    count = """
messages = []
for widget in [d._page.table, *(e.view for e in d._page.charts.values())]:
    def record(content, buffers=None, send=widget.send):
        if content["type"] == "select" or "picked" in content.get("parts", {}):
            messages.append(content["type"])
        send(content, buffers)
    widget.send = record
"""
    settle = """
for _ in range(4):
    done = threading.Event()
    d._jobs.run(done.set)
    done.wait(30)
"""
    page = lab.open(
        [
            *broker(20),
            count,
            settle + "print(json.dumps([len(d.selected), len(messages)]))",
            "print(len(d.selected))",
        ]
    )
    for cell in (0, 1, 2):
        lab.run_cell(cell)
    wait_drawn(page)
    page.evaluate(CTRL_CLICKS, pause)
    expect(selected(page)).to_have_count(12)
    expect(page.locator(".kis-clear")).to_contain_text("12")
    wait_received(lab, 4, 12)
    lab.run_cell(3)
    chosen, messages = printed(lab, 3)
    assert chosen == 12
    assert messages <= 12 * 7
    expect(selected(page)).to_have_count(12)


def test_a_late_answer_undoes_no_click(lab: Lab) -> None:
    """The kernel's answer to an earlier click than the table's last one is ignored."""
    late = """
early = {"ids": picked["ids"][:1], "number": picked["number"] - 2}
d._page.table.show({"picked": picked | early})
print(json.dumps(len(picked["ids"])))
"""
    page = open_dashboard(lab, SETTLE + late, "print(len(d.selected))")
    rows = page.locator(".kis-positions tbody tr")
    for row in range(3):
        rows.nth(row).click(modifiers=["Control"])
    expect(selected(page)).to_have_count(3)
    wait_received(lab, 3, 3)
    lab.run_cell(2)
    assert printed(lab, 2) == 3
    rows.nth(3).click(modifiers=["Control"])
    expect(selected(page)).to_have_count(4)


def test_a_late_answer_leaves_a_chart_alone(lab: Lab) -> None:
    """Nor does a chart take it: the bar that was clicked last is still the selected one, which a
    second click clears.
    """
    late = """
from kis_nb._widgets.chart_view import Gesture
other = next(one for one in d.balance.positions["pdno"] if one not in picked["ids"])
d._page.charts["pnl"].view.select(Gesture((other,), picked["page"], picked["number"] - 1))
print(json.dumps(picked["ids"]))
"""
    page = open_dashboard(lab, SETTLE + late)
    bars = page.locator(".kis-pnl svg [aria-roledescription=bar]")
    for bar in (0, 1):
        bars.nth(bar).click(force=True)
        expect(selected(page)).to_have_count(1)
        expect(bars.nth(bar)).to_have_attribute("opacity", "1")
    expect(bars.nth(0)).not_to_have_attribute("opacity", "1")
    lab.run_cell(2)
    assert len(printed(lab, 2)) == 1
    bars.nth(1).click(force=True)
    expect(selected(page)).to_have_count(0)


def test_code_and_clicks_end_in_the_last(lab: Lab) -> None:
    """Two selections in one cell, then clicks: the last one is shown everywhere."""
    pick = "a, b = d.balance.positions['pdno'][:2]\nd.selected = (a,); d.selected = (b,)"
    page = lab.open([*broker(8), pick, "print(json.dumps(d.selected))"])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    second = page.locator(".kis-positions tbody tr").nth(1)
    lab.run_cell(2)
    expect(second).to_have_attribute("aria-selected", "true")
    expect(selected(page)).to_have_count(1)
    page.locator(".kis-positions tbody tr").nth(2).click()
    page.locator(".kis-positions tbody tr").nth(3).click()
    expect(page.locator(".kis-positions tbody tr").nth(3)).to_have_attribute(
        "aria-selected", "true"
    )
    expect(selected(page)).to_have_count(1)
    lab.run_cell(3)
    assert len(printed(lab, 3)) == 1


def test_a_dashboard_nobody_sees_stops_refreshing(lab: Lab) -> None:
    """A cell run again leaves a dashboard that nobody sees: it stops refreshing; shown elsewhere,
    and after a reload, it goes on.
    """
    cell = "import json\nmade = globals().get('made', [])\n"
    cell += "made.append(kis_nb.dashboard(client, auto=300))\nmade[-1]"
    setup, _ = broker(8)
    # A message from the page may be on its way when the cell runs.
    wait = "import time\ndef until(wanted):\n    for _ in range(600):\n"
    wait += "        now = [d._fetcher._page_views.all_removed for d in made]\n"
    wait += "        if now == wanted: break\n        time.sleep(0.05)\n    return now\n"
    page = lab.open(
        [
            setup + wait,
            cell,
            "print(json.dumps(until([True, False])))",
            "made[0]",
            "print(json.dumps(until([False, False])))",
            "print(json.dumps(until([True, False])))",
        ],
    )
    lab.run_cell(0)
    lab.run_cell(1)
    wait_drawn(page)
    lab.run_cell(1)
    expect(lab.output(1).locator(".kis-status")).to_contain_text("as of")
    lab.run_cell(2)
    assert printed(lab, 2) == [True, False]
    lab.run_cell(3)
    expect(lab.output(3).locator(".kis-status")).to_contain_text("as of")
    lab.run_cell(4)
    assert printed(lab, 4) == [False, False]
    lab.save()
    lab.reload()
    expect(lab.output(1).locator(".kis-status")).to_contain_text("as of")
    lab.run_cell(4)
    assert printed(lab, 4) == [False, False]
    lab._evaluate("panel.content.model.cells.get(3).outputs.clear();")
    lab.run_cell(5)
    assert printed(lab, 5) == [True, False]


def test_a_chart_goes_when_its_cell_has_run_again(lab: Lab) -> None:
    """A cell run four times leaves one widget; one shown in a second place is kept for it, and the
    page draws it again after a reload.
    """
    count = "from kis_nb._widgets.cell_view import CellView\n"
    count += "from ipywidgets.widgets.widget import _instances\n"
    count += "import time\ndef left(wanted):\n    for _ in range(600):\n"
    count += "        now = sum(isinstance(one, CellView) for one in _instances.values())\n"
    count += "        if now == wanted: break\n        time.sleep(0.05)\n    return now\n"
    setup, _ = broker(8)
    shown = "kis_nb.charts.payoff(balance)"
    page = lab.open(
        [setup + count + "balance = client.balance()", shown, "print(left(1))", "print(left(2))"]
    )
    lab.run_cell(0)
    for _ in range(4):
        lab.run_cell(1)
        expect(lab.output(1).locator("svg.marks")).to_be_visible()
    lab.run_cell(2)
    assert printed(lab, 2) == 1
    lab.save()
    lab.reload()
    expect(lab.output(1).locator("svg.marks")).to_contain_text("만기 손익 곡선")
    lab.run_cell(1)
    expect(lab.output(1).locator("svg.marks")).to_be_visible()
    lab.run_cell(3)
    # The page that was loaded anew did not say that its place went, so the widget waits for it.
    assert printed(lab, 3) == 2
    expect(page.locator(".kis-chart-fault")).to_have_count(0)


def test_a_tooltip_follows_the_figures(lab: Lab) -> None:
    """The tooltip under a resting mouse shows the new figure when one comes."""
    rows = """
import altair as alt
from kis_nb._widgets.chart_view import ChartView
def rows(value): return [{"id": "a", "key": "a line", "size": 3, "figure": value}]
bars = alt.Chart(alt.NamedData("bars")).mark_bar()
bars = bars.encode(x="size:Q", y=alt.Y("key:N", sort=None), tooltip=["figure:N"])
view = ChartView(bars.to_dict() | {"usermeta": {"fresh": "key"}}, {"bars": rows("old")})
view
"""
    page = lab.open([rows, 'view.update({"bars": rows("new")})', 'view.update({"bars": []})'])
    lab.run_cell(0)
    lab.output(0).locator("[aria-roledescription=bar]").hover()
    tip = page.locator("#kis-tip")
    expect(tip).to_contain_text("old")
    lab.run_cell(1)
    expect(tip).to_contain_text("new")
    lab.run_cell(2)
    expect(tip).to_have_count(0)
