"""The History tab in JupyterLab: it draws, two moments are chosen with a mouse and without one,
accounts change, and past days are filled.
"""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.browser.test_dashboard import BROKER

# Two accounts of a broker, and two made histories; the second account's waits until a cell lets it
# be read.
SETUP = (
    BROKER.format(rows={"80012345-03": 4, "70012345-03": 4}, retries=5)
    + """
from datetime import date
from kis_nb._dashboard.dashboard import Dashboard
from tests.histories import FrameStore, World
store = FrameStore(
    World(date(2026, 11, 20), date(2026, 11, 23), every=30),
    World(date(2026, 11, 20), date(2026, 11, 23), every=30, label="700*****-03",
          account="b" * 16, seed=2),
)
"""
)
SHOW = 'd = Dashboard(client, history=store, lang="en")\nd'
HOLD = 'store.gates["700*****-03"] = threading.Event()'
RELEASE = 'store.gates["700*****-03"].set()'


def open_tab(lab: Lab, *cells: str) -> Page:
    """Open a dashboard, turn to its History tab, and wait until it is drawn."""
    page = lab.open([SETUP, SHOW, *cells], height=1600)
    lab.run_cell(0)
    lab.run_cell(1)
    page.get_by_role("radio", name="History").check()
    for name in ("equity-history", "margin-history", "attribution"):
        expect(page.locator(f".kis-{name} svg.marks")).to_be_visible()
    return page


def figure(page: Page, card: str) -> Locator:
    """The figure of a card of the tab."""
    return page.locator(f".kis-history .kis-card-{card} .kis-value")


def test_a_drag_chooses_two_moments(lab: Lab) -> None:
    """The tab draws a night; a drag over its hours gives the attribution between two of its
    snapshots, with figures that add up; the button goes back to the whole night.
    """
    page = open_tab(lab)
    span = page.locator(".kis-history-between")
    expect(span).to_have_text("From 2026-11-20 18:00:00 KST to 2026-11-23 15:45:00 KST")
    whole = figure(page, "history_pnl").inner_text()
    box = page.locator(".kis-equity-history svg.marks").bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.2, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.4, y, steps=4)
    page.mouse.up()
    expect(span).to_have_text(re.compile(r"From 2026-11-20 \d\d:[03]0:00 KST to 2026-11-2[01]"))
    expect(page.locator(".kis-history")).to_have_attribute("aria-busy", "false")
    expect(figure(page, "history_pnl")).not_to_have_text(whole)
    marks = page.locator(
        ".kis-attribution :is([aria-roledescription=bar], [aria-roledescription=tick])"
    )
    said = [str(one.get_attribute("aria-label")) for one in marks.all()]
    amounts = {
        name: int(amount.replace(",", ""))
        for name, _, amount in (one.rpartition(": ") for one in dict.fromkeys(said))
    }
    start, end = amounts.pop("Equity at the start"), amounts.pop("Equity at the end")
    assert start + sum(amounts.values()) == end
    pnl = figure(page, "history_pnl").inner_text()
    # Price moves are not listed when there were none.
    moved = amounts.get("KOSPI 200 price moves", 0)
    assert pnl.startswith(f"{'▲ ' if moved > 0 else '▼ '}{moved:+,}" if moved else "0")
    page.get_by_role("button", name="Whole span").click()
    expect(figure(page, "history_pnl")).to_have_text(whole)


def test_another_account_while_it_is_read(lab: Lab) -> None:
    """While one account's history is being read another is chosen: the last one is shown, and
    until then the tab is greyed and shows no figure of another account.
    """
    page = open_tab(lab, HOLD, RELEASE)
    lab.run_cell(2)
    accounts = page.get_by_role("combobox", name="Account")
    accounts.select_option(index=1)
    expect(page.locator(".kis-history")).to_have_attribute("aria-busy", "true")
    expect(figure(page, "history_pnl")).to_have_text("–")
    accounts.select_option(index=0)
    expect(page.locator(".kis-history")).to_have_attribute("aria-busy", "false")
    heading = page.locator(".kis-equity-history svg.marks")
    expect(heading).to_contain_text("800*****-03")
    lab.run_cell(3)
    accounts.select_option(index=1)
    expect(heading).to_contain_text("700*****-03")
    expect(page.locator(".kis-attribution svg.marks")).to_contain_text("700*****-03")


EMPTY = """
FILL = threading.Event()
store.filling = FILL
store._frames.pop("b" * 16)
"""


def test_keys_choose_two_moments_and_fill(lab: Lab) -> None:
    """By keyboard: the list's next moment is where the attribution begins from then on; the button
    fills the account once, tells that it is at work, keeps the focus, and says what came of it.
    The head leaves its cards to the other tab.
    """
    page = open_tab(lab, EMPTY, "FILL.set()")
    lab.run_cell(2)
    expect(page.locator(".kis-head .kis-cards")).to_be_hidden()
    span = page.locator(".kis-history-between")
    begin = page.get_by_role("combobox", name="Start of the attribution")
    begin.press("ArrowDown")
    expect(span).to_have_text("From 2026-11-20 18:30:00 KST to 2026-11-23 15:45:00 KST")
    expect(begin).to_be_focused()
    button = page.get_by_role("button", name="Fill the last 30 days from KIS")
    button.focus()
    lab.run_hidden("d.account = '700*****-03'")
    expect(page.locator(".kis-history .kis-empty")).to_be_visible()
    expect(button).to_be_focused()
    button.press("Enter")
    said = page.locator(".kis-history-filling")
    expect(said).to_contain_text("700*****-03: the last 30 days are being filled")
    expect(button).to_have_attribute("aria-disabled", "true")
    expect(button).to_be_focused()
    lab.run_cell(3)
    expect(said).to_have_text("Trading days filled: 22")
    expect(button).to_be_hidden()
    page.get_by_role("radio", name="Now").check()
    expect(page.locator(".kis-head .kis-cards")).to_be_visible()
