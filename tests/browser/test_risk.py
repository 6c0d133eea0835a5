"""The Risk tab in JupyterLab: it draws, sliders move figures and charts without the kernel, and
accounts and underlyings change while it estimates.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import THEMES, Lab
from tests.browser.test_dashboard import BROKER

SHOW = 'd = kis_nb.dashboard(client, lang="en", risk=True)\nd'
ROWS = {"80012345-03": 64, "70012345-03": 12, "60012345-03": 0}
CHARTS = ("risk-curve", "scenarios", "margin-components")


def open_tab(lab: Lab, *cells: str, rows: dict[str, int] | None = None) -> Page:
    """Open a dashboard, turn to its Risk tab, and wait until all of it is drawn."""
    setup = BROKER.format(rows=rows or ROWS, retries=5)
    page = lab.open([setup, SHOW, *cells], height=2600)
    lab.run_cell(0)
    lab.run_cell(1)
    page.get_by_role("radio", name="Risk").check()
    for name in CHARTS:
        expect(page.locator(f".kis-{name} svg.marks")).to_be_visible()
    done(page)
    return page


def done(page: Page) -> None:
    """Wait until nothing is being estimated or asked for."""
    expect(page.locator(".kis-risk")).to_have_attribute("aria-busy", "false")


def slider(page: Page, name: str) -> Locator:
    """One of the sliders."""
    return page.get_by_role("slider", name=name)


def figures(page: Page) -> list[str]:
    """The figures that the sliders move."""
    return page.locator(".kis-risk-figures .kis-value").all_inner_texts()


def test_the_first_line_answers(lab: Lab) -> None:
    """The tab begins with the three answers, and they and the Greeks are those of the one-liner."""
    check = """
own = kis_nb.risk(d.balance, client=client)
assert "estimated P&L" in own.answers("en")[0]
print(own.answers("en")[0])
"""
    page = open_tab(lab, check)
    answers = page.locator(".kis-risk-answers p")
    expect(answers).to_have_count(3)
    lab.run_cell(2)
    said = "".join(one.get("text", "") for one in lab.outputs()[2]).strip()
    expect(answers.first).to_have_text(said)
    expect(page.locator(".kis-risk-of")).to_contain_text(
        "800*****-03 · Estimates on the balance of"
    )
    rows = page.locator(".kis-risk-tables .kis-table").nth(1).locator("tbody tr")
    expect(rows).to_have_count(64)
    expect(rows.filter(has_text="KIS ").first).to_be_visible()
    expect(page.locator(".kis-head .kis-cards")).to_be_hidden()
    page.get_by_role("radio", name="Now").check()
    expect(page.locator(".kis-risk")).to_be_hidden()
    expect(page.locator(".kis-head .kis-cards")).to_be_visible()


# Move a slider as a drag does, and read the figures before anything else can run.
MOVE = """(input) => {
    input.value = String(Number(input.value) - 6);
    input.dispatchEvent(new Event("input", {bubbles: true}));
    return [...document.querySelectorAll(".kis-risk-figures .kis-value")].map(e => e.innerText);
}"""


PLACE = """(input, place) => {
    input.value = place;
    for (const type of ["input", "change"])
        input.dispatchEvent(new Event(type, {bubbles: true}));
}"""


def test_sliders_move_everything_without_the_kernel(lab: Lab) -> None:
    """The sliders begin at the move of the first answer. A move changes the figures at once, the
    curve's mark and the heat map's cell after it, by keys too; what loses is listed when the slider
    rests; the button brings all back.
    """
    page = open_tab(lab)
    spot, vol = slider(page, "Price move"), slider(page, "Relative volatility move")
    before = figures(page)
    assert "0" not in (before[0], before[0].split()[0])
    expect(spot).to_have_attribute("aria-valuetext", re.compile(r"^-3% · [\d,]+\.\d\d$"))
    expect(vol).to_have_attribute("aria-valuetext", "+20%")
    assert "Estimates" in page.locator(".kis-risk-of").inner_text()
    charts = {name: page.locator(f".kis-{name} svg.marks") for name in CHARTS[:2]}
    drawn: dict[str, Any] = {name: chart.inner_html() for name, chart in charts.items()}
    moved = spot.evaluate(MOVE)
    assert moved != before
    assert moved == figures(page)
    expect(spot).to_have_attribute("aria-valuetext", re.compile(r"^-6% · "))
    for name, chart in charts.items():
        page.wait_for_function(
            "([chart, old]) => document.querySelector(`.kis-${chart} svg.marks`).innerHTML !== old",
            arg=[name, drawn[name]],
        )
        expect(chart).to_be_visible()
    spot.press("ArrowLeft")
    expect(spot).to_have_attribute("aria-valuetext", re.compile(r"^-6\.5% · "))
    expect(spot).to_be_focused()
    vol.press("End")
    expect(vol).to_have_attribute("aria-valuetext", "+50%")
    losers = page.locator(".kis-risk-losers")
    expect(losers).to_be_visible()
    expect(losers).not_to_have_class(re.compile("kis-risk-late"))
    expect(losers.locator(":is(tr, p:not(:empty))").first).to_be_visible()
    page.get_by_role("button", name="Reset").click()
    assert figures(page) == before
    expect(losers).not_to_have_class(re.compile("kis-risk-late"))
    # Nothing loses where nothing moves.
    spot.evaluate(PLACE, "20")
    vol.evaluate(PLACE, "3")
    assert figures(page)[0].startswith("0")
    expect(losers).to_be_hidden()


def test_a_drag_while_balances_come(lab: Lab) -> None:
    """The slider is dragged while a balance is pulled: it stays under the mouse, and the figures of
    the new balance are those of its place.
    """
    page = open_tab(lab, "d.refresh()")
    spot = slider(page, "Price move")
    old = page.locator(".kis-risk-of").inner_text()
    box = spot.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    lab.run_cell(2, wait=False)
    for step in range(10):
        page.mouse.move(box["x"] + box["width"] * (0.5 - 0.03 * step), y)
    text = str(spot.get_attribute("aria-valuetext"))
    assert text.startswith("-")
    expect(page.locator(".kis-risk-of")).not_to_have_text(old)
    done(page)
    assert str(spot.get_attribute("aria-valuetext")).split(" ")[0] == text.split(" ", maxsplit=1)[0]
    page.mouse.up()
    assert not figures(page)[0].startswith("0")


def test_choices_clicked_fast_end_with_the_last(lab: Lab) -> None:
    """Underlyings, tabs and accounts are clicked through without waiting: what is chosen last is
    what shows, of one account, and nothing breaks.
    """
    page = open_tab(lab)
    underlying = page.get_by_role("combobox", name="Underlying")
    for value in ("KOSDAQ 150", "USD/KRW", "KOSPI 200", "KOSDAQ 150"):
        underlying.select_option(value=value)
    expect(page.locator(".kis-risk-curve svg.marks")).to_contain_text("KOSDAQ 150")
    expect(page.locator(".kis-scenarios svg.marks")).to_contain_text("KOSDAQ 150")
    expect(underlying).to_have_value("KOSDAQ 150")
    accounts = page.get_by_role("combobox", name="Account")
    for index in (1, 2, 0, 1):
        accounts.select_option(index=index)
    for tab in ("Now", "Risk", "Now", "Risk"):
        page.get_by_role("radio", name=tab).check()
    expect(page.locator(".kis-risk-of")).to_contain_text("700*****-03")
    expect(page.locator(".kis-risk-curve svg.marks")).to_contain_text("700*****-03")
    done(page)
    expect(page.locator(".kis-risk")).not_to_have_class(re.compile("kis-risk-old"))
    accounts.select_option(index=2)
    expect(page.locator(".kis-risk .kis-empty")).to_be_visible()
    expect(page.locator(".kis-risk-curve")).to_be_hidden()


def test_refused_quotes_leave_what_the_balance_tells(lab: Lab) -> None:
    """Without the right to market data the tab says what it lacks, and draws all the same."""
    refuse = """
from kis_nb import ApiError
def refuse(*_more, **_named):
    raise ApiError("no market data", rt_cd="1", msg_cd="EGW00201", msg1="no right")
client.quotes = client.margin_detail = client.margin_rates = refuse
"""
    page = lab.open([BROKER.format(rows=ROWS, retries=5) + refuse, SHOW], height=2600)
    lab.run_cell(0)
    lab.run_cell(1)
    page.get_by_role("radio", name="Risk").check()
    done(page)
    expect(page.locator(".kis-risk-lacks")).to_contain_text("quotes of futures")
    expect(page.locator(".kis-risk-curve svg.marks")).to_be_visible()
    expect(page.locator(".kis-risk-answers p")).to_have_count(3)
    expect(page.locator(".kis-risk .kis-error")).to_be_hidden()


def test_axe_finds_nothing_in_the_tab(lab: Lab) -> None:
    """axe-core finds no violation in the tab, in either theme."""
    page = open_tab(lab)
    slider(page, "Price move").evaluate(MOVE)
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


# Draws nothing until the event is set.
HELD = """
import threading
from kis_nb._dashboard import risk_data
gate, read = threading.Event(), risk_data.read
def held(*more, gate=gate, read=read, **named):
    gate.wait(60)
    return read(*more, **named)
risk_data.read = held
"""


def test_a_choice_greys_what_is_not_of_it(lab: Lab) -> None:
    """From a choice until it is drawn all figures are grey, and the list keeps what was chosen."""
    page = open_tab(lab, HELD, "risk_data.read = read\ngate.set()")
    lab.run_cell(2)
    tab, grey = page.locator(".kis-risk"), re.compile("kis-risk-other")
    expect(tab).not_to_have_class(grey)
    underlying = page.get_by_role("combobox", name="Underlying")
    underlying.select_option(value="KOSDAQ 150")
    expect(tab).to_have_class(grey)
    expect(tab).to_have_attribute("aria-busy", "true")
    for part in (".kis-risk-answers", ".kis-risk-moves", ".kis-risk .kis-stack"):
        expect(page.locator(part)).to_have_css("opacity", "0.45")
    expect(underlying).to_have_value("KOSDAQ 150")
    lab.run_cell(3)
    expect(tab).not_to_have_class(grey)
    expect(underlying).to_have_value("KOSDAQ 150")
    expect(page.locator(".kis-risk-answers p").first).to_contain_text("KOSDAQ 150")


def test_a_kernel_that_is_gone_is_said(own_lab: Lab) -> None:
    """After a restart the tab is grey and says so, and no click is an error."""
    page = open_tab(own_lab)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.get_by_role("button", name="Restart the kernel").first.click()
    with page.expect_response("**/restart?*"):
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    own_lab.wait_idle()
    said = page.locator(".kis-risk-busy")
    expect(said).to_contain_text("The kernel is gone")
    expect(page.locator(".kis-risk")).to_have_class(re.compile("kis-risk-old"))
    expect(page.locator(".kis-risk")).to_have_attribute("aria-busy", "false")
    slider(page, "Price move").evaluate(PLACE, "3")
    page.get_by_role("combobox", name="Underlying").select_option(value="KOSDAQ 150")
    expect(said).to_contain_text("The kernel is gone")
    assert errors == []


NARROW = """
import ipywidgets
d._controls["language"].value = {lang!r}
ipywidgets.VBox([d], layout=dict(width="600px"))
"""


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_a_narrow_page_holds_the_tab(lab: Lab, lang: str) -> None:
    """On 600 px nothing sticks out of the dashboard or is cut, in either language."""
    show = NARROW.format(lang=lang)
    page = open_tab(lab, show)
    lab.run_cell(2)
    narrow = page.locator(".kis-dashboard").last
    chart = narrow.locator(".kis-scenarios svg.marks")
    expect(chart).to_be_visible()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.kis-chart-frame')].filter(f => f.clientWidth)"
        ".every(f => f.querySelector('svg.marks')?.clientWidth === f.clientWidth)"
    )
    out = narrow.evaluate(
        """root => {
        const edge = root.getBoundingClientRect().right + 1;
        return [...root.querySelectorAll(
            '.kis-card, .kis-section, button, select, label, input, p, .kis-chart-frame')]
            .filter(e => !e.closest('.kis-table') && e.clientWidth > 1)
            .filter(e => e.getBoundingClientRect().right > edge
                || (e.tagName !== 'SELECT' && e.scrollWidth > e.clientWidth + 2))
            .map(e => e.outerHTML.slice(0, 120));
        }"""
    )
    assert out == []
