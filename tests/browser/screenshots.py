"""The pictures under docs/: of the dashboard in real JupyterLab on the embedded broker, and of the
night report as `kis-nb report` writes it.

python -m tests.browser.screenshots [NAME ...]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.lab import PATIENCE_MS, Lab, LabServer, Theme, chromium

DOCS = Path(__file__).parents[2] / "docs"

# Prices and clock do not move, so that a screenshot changes only when the dashboard does.
START = """
import kis_nb
from kis_nb.demo import Book
from tests.faults import Broker, Fault
broker = Broker(book={book}, clock=lambda: 1795529704.0, calls_per_second=0).start()
keys = [dict(account=account, app_key=app_key, app_secret=app_secret, name=f"Demo {{number}}")
        for number, (account, app_key, app_secret) in enumerate(broker.keys, 1)]
client = kis_nb.connect(keys=keys, retries=0, base_url=broker.address, calls_per_second=500)
for settings in client._settings:
    object.__setattr__(settings, "demo", True)
"""
DEMO_BOOK = "None"
FITTED = """() => [...document.querySelectorAll('.kis-chart-frame')]
    .filter(frame => frame.clientWidth).every(
    frame => frame.querySelector('svg.marks')?.clientWidth === frame.clientWidth)"""


# A made history in place of the pulls, since the broker's clock stands still.
HISTORY = """
from datetime import date
from kis_nb._dashboard.dashboard import Dashboard
from tests.histories import FrameStore, World
world = World(date(2025, 11, 24), date(2026, 11, 23), every=10, margin=12_000_000)
dashboard = Dashboard(client, history=FrameStore(world), lang={lang!r})
dashboard._controls["tab"].value = "history"
dashboard._controls["history_span"].value = "SPAN"
dashboard
"""

# With a clock that runs: an estimate needs expiries that lie ahead.
RISK = """
dashboard = kis_nb.dashboard(kis_nb.connect(demo=True), lang={lang!r}, risk=True)
dashboard._controls["tab"].value = "risk"
dashboard
"""


@dataclass(frozen=True)
class Scene:
    """One screenshot: how wide the dashboard is, in which theme, of which account and state."""

    width: int = 1280
    theme: Theme = "light"
    book: str = DEMO_BOOK
    show: str = "dashboard = kis_nb.dashboard(client, lang={lang!r})\ndashboard"
    lang: str = "ko"
    after: str = ""
    # The chart whose drawing is waited for.
    last: str = "payoff"
    # How much of it, from the top; 0 for all.
    height: int = 0


SCENES = {
    "dashboard": Scene(height=980),
    "dashboard-dark": Scene(theme="dark", lang="en"),
    "dashboard-narrow": Scene(width=600),
    "dashboard-wide": Scene(width=1600),
    "dashboard-empty": Scene(show="kis_nb.dashboard(client, account='600*****-03')"),
    "dashboard-margin-call": Scene(
        show="kis_nb.dashboard(client, account='700*****-03')", theme="dark", height=980
    ),
    "dashboard-500": Scene(book="Book.sized({'80012345-03': 500}, seed=3)"),
    "dashboard-error": Scene(
        after="broker.fault(Fault(status=503, times=None)); dashboard.refresh()", height=980
    ),
    "history": Scene(show=HISTORY.replace("SPAN", "week"), last="attribution"),
    "history-year": Scene(
        width=1600,
        theme="dark",
        lang="en",
        show=HISTORY.replace("SPAN", "year"),
        last="attribution",
    ),
    "risk": Scene(show=RISK, last="margin-components"),
    "risk-dark": Scene(width=1600, theme="dark", lang="en", show=RISK, last="margin-components"),
    "risk-narrow": Scene(width=600, show=RISK, last="margin-components"),
    "risk-500": Scene(
        book="Book.sized({'80012345-03': 500}, seed=3)",
        show=RISK.replace("kis_nb.connect(demo=True)", "client"),
        last="margin-components",
    ),
}
# The night report, by its language.
REPORTS = {"night-report": "ko", "night-report-en": "en"}


def take_report(browser: Browser, folder: Path, name: str, lang: str) -> None:
    """Run the command as a user does, and save what its page shows."""
    output = folder / f"{name}.html"
    words = ["report", "night_report", "--demo", "--lang", lang, "--output", str(output)]
    subprocess.run([Path(sys.executable).with_name("kis-nb"), *words], check=True, cwd=folder)
    page = browser.new_page(viewport={"width": 860, "height": 1000})
    page.goto(output.as_uri())
    page.screenshot(path=DOCS / f"{name}.png", full_page=True)
    page.close()


def take(lab: Lab, name: str, scene: Scene) -> None:
    """Open, wait until everything is drawn, and save."""
    cells = [START.format(book=scene.book), scene.show.format(lang=scene.lang), scene.after]
    # Room for the sidebar and the cell's prompt beside the dashboard.
    page = lab.open(cells, width=scene.width + 420, height=5200, theme=scene.theme)
    lab.run_cell(0)
    lab.run_cell(1)
    board = page.locator(".kis-dashboard").first
    expect(board.locator(f".kis-{scene.last} svg").first).to_be_visible()
    if scene.after:
        lab.run_cell(2)
        expect(page.locator(".kis-error").first).to_be_visible()
    box = board.bounding_box()
    assert box is not None
    page.set_viewport_size(
        {"width": round(scene.width + 420 + scene.width - box["width"]), "height": 5200}
    )
    # Charts take the new width on the next frames, and their last lines on those after.
    page.wait_for_function(FITTED)
    page.wait_for_timeout(1200)
    path = DOCS / f"{name}.png"
    box = board.bounding_box()
    assert box is not None
    height = min(scene.height or box["height"], box["height"])
    page.screenshot(
        path=path,
        animations="disabled",
        clip={"x": box["x"], "y": box["y"], "width": box["width"], "height": height},
    )
    print(path.relative_to(DOCS.parent), f"{box['width']:.0f} x {height:.0f}")


def main(names: list[str]) -> None:
    """Take the pictures named, or all."""
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = LabServer(Path(folder))
        lab = Lab(server, browser)
        try:
            for name in names or [*SCENES, *REPORTS]:
                if name in REPORTS:
                    take_report(browser, Path(folder), name, REPORTS[name])
                    continue
                take(lab, name, SCENES[name])
                lab.guard.check()
        finally:
            lab.close()
            server.close()


if __name__ == "__main__":
    main(sys.argv[1:])
