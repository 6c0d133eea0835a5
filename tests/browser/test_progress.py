"""The progress bar of many pulls, in JupyterLab."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.lab import Lab
from tests.browser.test_dashboard import BROKER

ACCOUNTS = {"80012345-03": 8, "70012345-03": 8, "60012345-03": 8}
# One response at once, one when a bar may be shown, and one when the test says so.
HOLD = """
import time
from pathlib import Path
def hold(body):
    while not Path("go").exists():
        time.sleep(0.01)
broker.fault(kind="slow", seconds=3.0)
broker.fault(kind="mutate", change=hold)
"""
PULL = "balances = client.balances()\nlen(balances)"
AGAIN = """
from kis_nb._widgets import progress_bar
progress_bar._DELAY = 0.0
for _ in range(10):
    client.balances()
"done"
"""


def test_a_bar_comes_and_goes_and_nothing_of_it_is_saved(own_lab: Lab) -> None:
    """While the pulls run their number is read; then there is neither a bar nor room for one, and
    no widget or error is in the notebook that is saved, and no ipywidgets in the kernel.
    """
    lab = own_lab
    page = lab.open([BROKER.format(rows=ACCOUNTS, retries=5) + HOLD, PULL])
    lab.run_cell(0)
    lab.run_cell(1, wait=False)
    bar = lab.output(1).get_by_text("2/3")
    expect(bar).to_be_visible()
    (lab.path.parent / "go").touch()
    expect(lab.output(1).locator(".jp-OutputArea-executeResult")).to_contain_text("3")
    expect(bar).to_have_count(0)
    first = lab.output(1).locator(".jp-OutputArea-child").first
    assert first.evaluate("e => e.getBoundingClientRect().height") < 2
    lab.wait_idle()
    saved = lab.save()["cells"][1]["outputs"]
    assert [output["data"] for output in saved] == [{"text/plain": ""}, {"text/plain": "3"}]
    assert page.locator(".jupyter-widgets").count() == 0
    assert lab.kernel_value("'ipywidgets' in __import__('sys').modules") == "False"


def test_pulls_again_and_again_break_nothing(lab: Lab) -> None:
    """A bar that goes as soon as it came, ten times: the page says nothing of it (the fixture looks
    at its console).
    """
    lab.open([BROKER.format(rows=ACCOUNTS, retries=5), AGAIN])
    lab.run_all()
    expect(lab.output(1).locator(".jp-OutputArea-executeResult")).to_contain_text("done")
    texts = [output["data"]["text/plain"] for output in lab.outputs()[1]]
    assert texts == [*[""] * 10, "'done'"]
