"""The site of `make docs`: it is built, its check finds what is wrong, and Chromium shows it."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import kis_nb
import kis_nb.charts
from tests.browser.lab import Guard, chromium

TOP = Path(__file__).parents[1]
SCRIPTS = TOP / "docs" / "site"
NOTEBOOKS = {path.stem for path in (TOP / "notebooks").glob("*.ipynb")}
# The dashboard needs a kernel: its page has a picture in its place.
DRAWN = NOTEBOOKS - {"dashboard"}

PAGE = '<!doctype html><title>t</title><p id="here">{}</p>'


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one of the site's scripts."""
    command = [sys.executable, SCRIPTS / script, *arguments]
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback; gives host and port."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its own name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the browser has gone on from a page that was still loading

    handler = functools.partial(Quiet, directory=str(folder))
    with Server(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("body", "style", "problem"),
    [
        ('<a href="gone.html">x</a>', "", "gone.html does not exist"),
        ('<a href="#gone">x</a>', "", "#gone has no such place"),
        ('<a href="../outside.html">x</a>', "", "leaves the site"),
        ('<img src="gone.png">', "", "gone.png does not exist"),
        ('<script src="https://cdn.invalid/x.js"></script>', "", "from outside"),
        ('<link rel="stylesheet" href="//cdn.invalid/x.css">', "", "from outside"),
        ('<b style="background: url(https://cdn.invalid/x.png)">x</b>', "", "from outside"),
        ("<style>@import 'https://cdn.invalid/x.css';</style>", "", "from outside"),
        ("", "@font-face { src: url(https://cdn.invalid/x.woff2) }", "from outside"),
        ('<div class="cell_output"><p>80012345-03</p></div>', "", "full account number"),
        ('<div class="cell_output"><br><b title="80012345-03"></b></div>', "", "full account"),
        (f'<div class="cell_output">{TOP}/x.py</div>', "", "path of this machine"),
    ],
)
def test_check_finds_a_problem(body: str, style: str, problem: str, tmp_path: Path) -> None:
    """Each kind of problem that a built page can have is found and named."""
    (tmp_path / "page.html").write_text(PAGE.format(body), "utf-8")
    (tmp_path / "page.css").write_text(style, "utf-8")
    checked = run("check.py", tmp_path)
    assert checked.returncode == 1
    assert problem in checked.stderr
    assert len(checked.stderr.splitlines()) == 1, checked.stderr


def test_check_accepts_a_sound_page(tmp_path: Path) -> None:
    """Links that lead somewhere are accepted, an account outside of outputs too, and a link to
    another site is listed.
    """
    body = """<a href="#here">x</a> <a href="page.html#here">x</a> <a href=".">x</a>
        <a href="https://other.invalid/">x</a> <div class="cell_output"><p>800*****-03</p></div>
        <p>80012345-03</p>"""
    (tmp_path / "page.html").write_text(PAGE.format(body), "utf-8")
    (tmp_path / "index.html").write_text(PAGE.format(""), "utf-8")
    checked = run("check.py", tmp_path)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "https://other.invalid/ (page.html)" in checked.stdout


def entries(inventory: Path) -> set[str]:
    """What the site's reference describes: the first words of the inventory that Sphinx writes."""
    *_header, packed = inventory.read_bytes().split(b"\n", 4)
    return {line.split()[0] for line in zlib.decompress(packed).decode().splitlines()}


def draw(page: Page) -> int:
    """Wait until every chart of the page is drawn, and return how many there are."""
    page.wait_for_function(
        "() => [...document.querySelectorAll('.site-chart')].every("
        "  chart => chart.querySelector('.site-chart-stage > div:not(.site-chart-waiting) svg'))"
    )
    return page.locator(".site-chart").count()


def overflow(page: Page) -> list[str]:
    """What makes the page wider than its window; also charts that are wider than their column."""
    found: list[str] = page.evaluate(
        """() => {
            const wide = document.documentElement.scrollWidth > innerWidth;
            const all = wide ? [...document.querySelectorAll("article *")] : [];
            const out = all.filter(e => e.getBoundingClientRect().right > innerWidth + 1);
            const charts = [...document.querySelectorAll(".site-chart-stage")].filter(
                stage => stage.querySelector("svg")?.getBoundingClientRect().right
                    > stage.getBoundingClientRect().right + 1);
            return [...(wide ? ["the page"] : []), ...out, ...charts].map(
                e => (e.outerHTML ?? e).slice(0, 90));
        }"""
    )
    return found


def visit(browser: Browser, host: str, names: list[str], width: int) -> list[str]:
    """Open these pages, and return what is wrong with them."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme="dark")
    guard = Guard(context, host)
    page = context.new_page()
    for name in names:
        page.goto(f"http://{host}/{name}")
        charts = draw(page)
        if name.startswith("notebooks/"):
            if (charts > 0) is not (Path(name).stem in DRAWN):
                wrong.append(f"{name}: {charts} charts")
            if "DEMO" not in page.locator(".site-note").inner_text():
                wrong.append(f"{name}: does not say DEMO")
        wrong += [f"{name} at {width}: wider than the window: {one}" for one in overflow(page)]
    wrong += guard.outside + guard.errors
    context.close()
    return wrong


def look_around(page: Page, host: str) -> None:
    """From the first page to the Korean one; then a chart's language, theme and tooltip."""
    page.goto(f"http://{host}/index.html")
    page.wait_for_url("**/README.html")
    page.get_by_role("main").get_by_role("link", name="한국어").first.click()
    page.wait_for_url("**/README.ko.html")
    expect(page.locator("html")).to_have_attribute("lang", "ko")

    page.goto(f"http://{host}/notebooks/quickstart.html")
    draw(page)
    chart = page.locator(".site-chart").first
    title = chart.locator("svg .role-title-text text").first
    korean, ink = title.text_content(), title.get_attribute("fill")
    assert korean
    assert ink
    chart.get_by_role("button", name="English").click()
    expect(title).not_to_have_text(korean)
    page.emulate_media(color_scheme="dark")
    expect(title).not_to_have_attribute("fill", ink)
    chart.locator("svg [aria-roledescription='bar']").first.hover()
    expect(page.locator("#kis-tip b").first).to_be_visible()


def test_site_builds_and_shows(tmp_path: Path) -> None:
    """Built in full without a warning, every public name has its entry, and in Chromium every
    chart is drawn, nothing is fetched from outside, no page has an error or is wider than its
    window, and language and theme change a chart.
    """
    built = run("build.py", tmp_path / "site")
    assert built.returncode == 0, built.stdout + built.stderr
    site = tmp_path / "site"
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    templates = [name for name in names if name.startswith("notebooks/")]
    assert {Path(name).stem for name in templates} == NOTEBOOKS

    public = {f"kis_nb.{name}" for name in kis_nb.__all__}
    public |= {f"kis_nb.charts.{name}" for name in kis_nb.charts.__all__}
    public |= {f"kis_nb.Client.{name}" for name in ("quotes", "margin_detail", "margin_rates")}
    public |= {
        f"kis_nb.Risk.{name}" for name in ("scenarios", "margin_call", "positions", "totals")
    }
    assert public - entries(site / "objects.inv") == set()

    with served(site) as host, chromium() as browser:
        assert visit(browser, host, names, 400) == []
        assert visit(browser, host, templates, 1400) == []

        look_around(browser.new_page(color_scheme="light"), host)
