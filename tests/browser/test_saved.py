"""What JupyterLab saves of charts and dashboards, and shows when the notebook is opened again."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Locator, expect

from tests.browser.lab import PATIENCE_MS, Lab

PULL = """
import kis_nb
from kis_nb import charts
client = kis_nb.connect(demo=True)
balance = client.balance(client.accounts[0], mgna_dvsn="02")
"""
CHARTS = [
    "charts.pnl(balance, top=5)",
    "charts.margin(balance, lang='en')",
    "charts.payoff(balance)",
]
# The model of a widget whose kernel has ended is gone, which Lab's widget manager logs as an error.
GONE = "widget model not found"


def pictures(outputs: list[list[dict[str, Any]]]) -> list[str]:
    """The HTML that the outputs hold for when no widget is drawn."""
    found = [
        "".join(output["data"]["text/html"])
        for cell in outputs
        for output in cell
        if "kis-saved" in "".join(output.get("data", {}).get("text/html", ""))
    ]
    return [html for html in found if "<img" in html or "<table" in html]


def wait_for_pictures(lab: Lab, count: int) -> None:
    """Wait until so many outputs hold what a saved notebook shows."""
    for _ in range(PATIENCE_MS // 100):
        if len(pictures(lab.outputs())) >= count:
            return
        lab.page.wait_for_timeout(100)
    raise AssertionError(f"{len(pictures(lab.outputs()))} pictures of {count}")


def open_again(lab: Lab) -> None:
    """Load the page anew, after its kernel has ended."""
    lab._server.end_kernel(lab._place)
    lab.page.reload()
    lab.wait_idle()
    expect(lab.page.locator(".kis-saved").first).to_be_visible()


def forget_models(lab: Lab) -> None:
    """Drop what Lab says of the widgets that ended with their kernel."""
    lab.guard.errors[:] = [error for error in lab.guard.errors if GONE not in error]


def check_image(area: Locator, *words: str) -> None:
    """One image shows there, whose text says these words; and nothing is said of a widget."""
    image = area.locator("img")
    expect(image).to_be_visible()
    assert image.evaluate("image => image.complete && image.naturalWidth") > 500
    said = image.get_attribute("alt") or ""
    for word in words:
        assert word in said, said
    expect(area.get_by_text("Error displaying widget")).not_to_be_visible()


def test_a_saved_notebook_shows_its_charts_when_opened_again(own_lab: Lab) -> None:
    """Before anything is run: each chart as an image with exact figures, and the dashboard's head;
    in a notebook that Lab does not trust, as one that was mailed, too.
    """
    cells = [PULL, *CHARTS, "kis_nb.dashboard(client)", "balance.summary['evlu_pfls_amt_smtl'][0]"]
    own_lab.open(cells)
    own_lab.run_all()
    expect(own_lab.output(4).locator(".kis-status")).to_contain_text("64 rows")
    wait_for_pictures(own_lab, 4)
    text = json.dumps(own_lab.save(), ensure_ascii=False)
    bars = own_lab.output(1).locator("[aria-roledescription=bar]")
    figures = [bar.get_attribute("aria-label") or "" for bar in bars.all()]
    assert len(figures) > 5
    for trusted in (True, False):
        if not trusted:
            own_lab.path.write_text(
                text.replace('"balance.summary', '"# of another\\nbalance.summary')
            )
        open_again(own_lab)
        check_image(own_lab.output(1), *figures)
        check_image(own_lab.output(2), "Deposit and margin", "Excess margin")
        check_image(own_lab.output(3), "만기 손익 곡선")
        head = own_lab.output(4).locator(".kis-saved")
        expect(head).to_contain_text("이 셀을 실행하면")
        expect(head).to_contain_text(re.compile(r"800\*{5}-03 .* as of 20\d\d-.* KST · DEMO"))
        expect(head.locator("tr", has_text="총손익")).to_contain_text("원")
        expect(
            own_lab.page.get_by_text("Error displaying widget").locator("visible=true")
        ).to_have_count(0)
    forget_models(own_lab)
    own_lab.run_all()
    for index in (1, 2, 3):
        expect(own_lab.output(index).locator(".kis-chart svg").first).to_be_visible()
        expect(own_lab.output(index).locator("img")).not_to_be_visible()
    forget_models(own_lab)


def test_a_live_chart_is_shown_once(lab: Lab) -> None:
    """The picture comes without a change on the page, stays out of sight, and keeps what was
    selected; a cell that is run again has the new chart's picture alone.
    """
    lab.open([PULL, CHARTS[0]])
    lab.run_all()
    area = lab.output(1)
    bar = area.locator("[aria-roledescription=bar]").first
    bar.click()
    picked = area.locator("[aria-roledescription=bar][opacity='0.25']")
    expect(picked.first).to_be_visible()
    faint = picked.count()
    drawing = area.locator(".kis-chart svg").first.evaluate_handle("svg => svg")
    height = area.bounding_box()
    wait_for_pictures(lab, 1)
    assert drawing.evaluate("svg => svg.isConnected")
    assert picked.count() == faint
    assert area.bounding_box() == height
    expect(area.locator("img")).not_to_be_visible()
    (first,) = pictures(lab.outputs())

    lab.save()
    lab.reload()
    expect(area.locator(".kis-chart svg").first).to_be_visible()
    expect(area.locator("img")).not_to_be_visible()
    expect(picked).to_have_count(faint)

    lab.run_cell(0)
    lab.run_cell(1)
    expect(area.locator(".kis-chart svg").first).to_be_visible()
    wait_for_pictures(lab, 1)
    (second,) = pictures(lab.outputs())
    assert second != first


def test_the_dashboard_saves_what_was_shown_last(lab: Lab) -> None:
    """A click on another margin is in what is saved; the page itself does not move for it."""
    lab.open(["import kis_nb\nkis_nb.dashboard(demo=True, lang='en')"])
    lab.run_all()
    area = lab.output(0)
    expect(area.locator(".kis-status")).to_contain_text("MGNA_DVSN=01")
    wait_for_pictures(lab, 1)
    area.get_by_role("radio", name="Maintenance 02").check()
    expect(area.locator(".kis-status")).to_contain_text("MGNA_DVSN=02")
    html = ""
    for _ in range(PATIENCE_MS // 100):
        (html,) = pictures(lab.outputs())
        if "MGNA_DVSN=02" in html:
            break
        lab.page.wait_for_timeout(100)
    assert "MGNA_DVSN=02" in html
    assert "Run the cell for the live one" in html
    expect(area.locator(".kis-saved")).not_to_be_visible()
