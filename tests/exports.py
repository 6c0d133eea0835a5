"""Notebooks exported by nbconvert as anybody would, and opened in Chromium without a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import HTMLExporter
from playwright.sync_api import Browser

# What text/plain says of a chart's output, and of a dashboard's.
CHART, DASHBOARD = "<Chart ", "<KisDashboard>"

_LOOK = """() => ({
  images: [...document.images].filter((image) =>
    image.complete && image.naturalWidth > 300 && image.getBoundingClientRect().height > 50
  ).map((image) => image.alt),
  text: document.body.innerText,
  clipped: [...document.querySelectorAll("main *, .jp-Cell *, .cell *")].filter((each) =>
    each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0 &&
    ["auto", "scroll", "hidden"].includes(getComputedStyle(each).overflowX) &&
    each.matches(".jp-OutputArea-output, .output_html, .kis-table, table, div")
  ).map((each) => each.outerHTML.slice(0, 90)),
  wide: document.documentElement.scrollWidth > innerWidth,
})"""


@dataclass
class Shown:
    """What Chromium shows of a page.

    Attributes:
        images: the alternative text of each image that is drawn.
        text: what can be read.
        clipped: outputs that are wider than their place.
        wide: whether the page is wider than its window.
        requests: what the page asked for, besides itself and what it holds.
    """

    images: list[str]
    text: str
    clipped: list[str]
    wide: bool
    requests: list[str] = field(default_factory=list)


def exported(notebook: Path, template: str = "lab") -> Path:
    """The notebook as an HTML file beside it, by nbconvert with nothing set but the template."""
    body, _ = HTMLExporter(template_name=template).from_filename(str(notebook))
    path = notebook.with_name(f"{notebook.stem}-{template}.html")
    path.write_text(body, "utf-8")
    return path


def show(browser: Browser, page: Path, width: int = 1100) -> Shown:
    """Open a page of this width; its requests fail, since Chromium resolves no name."""
    window = browser.new_page(viewport={"width": width, "height": 900})
    asked: list[str] = []
    window.on("request", lambda request: asked.append(request.url))
    window.goto(page.as_uri(), wait_until="load")
    shown = Shown(**window.evaluate(_LOOK))
    shown.requests = [url for url in asked if not url.startswith(("data:", "file:"))]
    window.close()
    return shown


def outputs(notebook: Path, begins: str) -> list[dict[str, Any]]:
    """The outputs whose text begins so."""
    return [
        output
        for cell in nbformat.read(notebook, as_version=4).cells
        for output in cell.get("outputs", [])
        if output.get("data", {}).get("text/plain", "").startswith(begins)
    ]


def empty(folder: Path) -> Path:
    """A notebook without an output: what its export asks for, nbconvert's own template asks for."""
    path = folder / "empty.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1")]), path)
    return path
