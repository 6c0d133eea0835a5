"""What is seen from running a dashboard's cell to its last chart, as a strip of pictures.

    python -m tests.browser.strip OUT.png [--tree PATH ...] [--height PIXELS]

Each tree is a checkout whose kis_nb runs in a fresh kernel of a real JupyterLab; two of them are
titled "before" and "after". Chromium itself sends each frame that it shows, with its time, which
slows the page less than screenshots would. The frame on show is taken every 100 ms, and frames that
are the same share a picture. A line for each picture says which parts of the first tab are drawn.
"""

from __future__ import annotations

import argparse
import html
from bisect import bisect_right
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from tests.bench.cells import OURS, START, one_lab
from tests.browser.lab import Lab, chromium
from tests.browser.painting import FIRST_TAB, SHOWN, begun, paint

WIDTH, HEIGHT = 1280, 900
STEP_MS = 100
# Frames are shown 250 pixels wide; twice that keeps the figures legible when enlarged.
THUMBNAIL, FRAME = 250, 1000
COLUMNS = 5
# Notes which parts are drawn whenever that changes.
WATCH = """places => {
    const shown = %s;
    window.kisDrawn = [];
    let last = "";
    const look = () => {
        const drawn = Object.keys(places).filter(name => shown(document, places[name]));
        if (drawn.join() === last) return;
        last = drawn.join();
        // On show from the next frame on.
        requestAnimationFrame(() =>
            setTimeout(() => kisDrawn.push([performance.now(), drawn]), 0));
    };
    new MutationObserver(look).observe(
        document.body, {childList: true, subtree: true, characterData: true, attributes: true});
}"""
STYLE = """
body { margin: 0; padding: 12px; width: max-content; font: 13px sans-serif; background: #fff; }
h2 { margin: 10px 0 6px; font-size: 17px; }
main { display: grid; gap: 10px; }
figure { margin: 0; }
img { display: block; width: 100%; border: 1px solid #999; box-sizing: border-box; }
figcaption { padding-top: 3px; }
small { display: block; color: #555; font-size: 11px; }
"""


@dataclass(frozen=True)
class Shown:
    """A picture that was on show.

    Attributes:
        first, last: the first and the last moment at which it was looked at, in ms after Run.
        image: JPEG, base64.
        drawn: the parts of the first tab that were drawn at `last`.
    """

    first: int
    last: int
    image: str
    drawn: tuple[str, ...]

    @property
    def when(self) -> str:
        """Its time as text."""
        return f"{self.first}–{self.last} ms" if self.last > self.first else f"{self.first} ms"


class Screencast:
    """The frames that a page shows, from now on.

    Attributes:
        frames: seconds since 1970, and the JPEG, base64.
    """

    def __init__(self, page: Page) -> None:
        self.frames: list[tuple[float, str]] = []
        self._session = page.context.new_cdp_session(page)
        self._session.on("Page.screencastFrame", self._on_frame)
        settings = {"format": "jpeg", "quality": 60, "maxWidth": FRAME, "maxHeight": FRAME}
        self._session.send("Page.startScreencast", settings)

    def _on_frame(self, frame: dict[str, Any]) -> None:
        self.frames.append((frame["metadata"]["timestamp"], frame["data"]))
        self._session.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    def stop(self) -> None:
        """Send no more."""
        self._session.send("Page.stopScreencast")
        self._session.detach()


def record(lab: Lab, tree: Path, height: int) -> list[Shown]:
    """Run a dashboard's cell and give the pictures until the first tab's last chart."""
    page = lab.open([OURS], width=WIDTH, height=height)
    # Room for the charts: neither the start nor the files are shown.
    lab._evaluate("await app.commands.execute('application:toggle-left-area');")
    lab.run_hidden(START.format(rows=60))
    imported = lab.kernel_value("kis_nb.__file__").strip("'\"")
    assert Path(imported).is_relative_to(tree), imported
    page.evaluate(WATCH % SHOWN, FIRST_TAB)
    cast = Screencast(page)
    end = max(paint(lab, 0, list(FIRST_TAB.values())))
    # Its last frame is on the way.
    page.wait_for_timeout(3 * STEP_MS)
    cast.stop()
    begin = begun(page)
    # Frames have the time of day, the page's clock begins with the page.
    origin: float = page.evaluate("performance.timeOrigin")
    frames = sorted((1000 * at - origin - begin, image) for at, image in cast.frames)
    states = [(at - begin, tuple(drawn)) for at, drawn in page.evaluate("kisDrawn")]
    times, changes = [at for at, _ in frames], [at for at, _ in states]
    samples: list[tuple[int, str]] = []
    for moment in range(0, int(end) + 2 * STEP_MS, STEP_MS):
        number = bisect_right(times, moment) - 1
        samples.append((moment, frames[max(number, 0)][1]))
    pictures: list[Shown] = []
    for image, alike in groupby(samples, key=lambda sample: sample[1]):
        moments = [moment for moment, _ in alike]
        at = bisect_right(changes, moments[-1]) - 1
        pictures.append(Shown(moments[0], moments[-1], image, states[at][1] if at >= 0 else ()))
    return pictures


def section(title: str, pictures: list[Shown]) -> str:
    """One tree's pictures as HTML."""
    figures = "".join(
        f'<figure><img src="data:image/jpeg;base64,{one.image}">'
        f"<figcaption>{one.when}<small>{', '.join(one.drawn) or '&nbsp;'}</small></figcaption>"
        "</figure>"
        for one in pictures
    )
    return f"<h2>{html.escape(title)}</h2><main>{figures}</main>"


def compose(browser: Browser, sections: list[str], path: Path) -> None:
    """Lay the sections out and save them as a PNG."""
    columns = f"main {{ grid-template-columns: repeat({COLUMNS}, {THUMBNAIL}px); }}"
    page = browser.new_page(viewport={"width": COLUMNS * (THUMBNAIL + 10) + 24, "height": 600})
    page.set_content(f"<style>{STYLE}{columns}</style>{''.join(sections)}")
    page.wait_for_function("[...document.images].every(one => one.complete)")
    page.screenshot(path=path, full_page=True)
    page.close()


def main() -> None:
    """Record each tree and save the strip."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("output", type=Path)
    parser.add_argument("--tree", type=Path, nargs="+", action="extend", metavar="PATH")
    parser.add_argument("--height", type=int, default=HEIGHT, help="of the window; 1,280 wide")
    arguments = parser.parse_args()
    trees = [tree.resolve() for tree in arguments.tree or [Path(__file__).parents[2]]]
    titles = ["before", "after"] if len(trees) == 2 else [tree.name for tree in trees]
    sections: list[str] = []
    for title, tree in zip(titles, trees, strict=True):
        with one_lab(tree) as lab:
            pictures = record(lab, tree, arguments.height)
        print(f"{title}: {tree}")
        for one in pictures:
            print(f"    {one.when:<16} {', '.join(one.drawn) or '-'}")
        sections.append(section(title, pictures))
    with chromium() as browser:
        compose(browser, sections, arguments.output)
    print(arguments.output)


if __name__ == "__main__":
    main()
