"""Check a built site: `python docs/site/check.py FOLDER`.

Fails when a relative link or its #fragment leads nowhere, when a page or a style sheet loads
something from outside, or when a cell's output holds a full account number or a path of this
machine. Links to other sites are listed and not followed, since a build has no network.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Attributes with an address, and the elements whose address is followed by a click only.
ADDRESSES = ("href", "src", "srcset", "poster", "data", "action", "xlink:href")
LINKS = ("a", "area", "form")
# <link> elements that name a page and load nothing.
PAGES = {"index", "search", "next", "prev", "author", "copyright", "canonical", "alternate"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}

ACCOUNT = re.compile(r"(?<![0-9])[0-9]{8}-[0-9]{2}(?![0-9])")
IN_CSS = re.compile(r"(?:url\(\s*|@import\s+)['\"]?((?:https?:)?//[^'\")\s]+)", re.IGNORECASE)
MACHINE = (str(Path(__file__).resolve().parents[2]), str(Path.home()), tempfile.gettempdir())


class Page(HTMLParser):
    """What one page refers to.

    Attributes:
        anchors: what a #fragment may name.
        links, loads: addresses that a click follows, and those that opening the page fetches.
        outputs: what the notebook's cells put out, markup included.
        styles: style sheets and style attributes.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors = {""}
        self.links: list[str] = []
        self.loads: list[str] = []
        self.outputs: list[str] = []
        self.styles: list[str] = []
        self._depth = 0  # of open elements inside a cell's output
        self._style = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors, addresses and styles."""
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        pages = tag in LINKS or (tag == "link" and set(found.get("rel", "").split()) <= PAGES)
        kept = self.links if pages else self.loads
        for name in ADDRESSES:
            if name in found:
                parts = found[name].split(",") if name == "srcset" else [found[name]]
                kept += [part.split()[0] for part in parts if part.strip()]
        refresh = re.search(r"url=(.+)", found.get("content", "")) if tag == "meta" else None
        if refresh and found.get("http-equiv") == "refresh":
            self.links.append(refresh[1])
        self.styles.append(found.get("style", ""))
        self._style = tag == "style"
        if tag not in VOID and (self._depth or "cell_output" in found.get("class", "").split()):
            self._depth += 1
        if self._depth:
            self.outputs += found.values()

    def handle_endtag(self, tag: str) -> None:
        """Leave an element."""
        self._style = False
        if self._depth and tag not in VOID:
            self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Note a style sheet and a cell's output."""
        if self._style:
            self.styles.append(data)
        if self._depth:
            self.outputs.append(data)


class Site:
    """A folder of pages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        paths = sorted(self.folder.rglob("*.html"))
        self.pages = {path: Page(path.read_text("utf-8")) for path in paths}

    def external(self) -> dict[str, list[str]]:
        """The addresses of other sites, each with the pages that link to it."""
        found: dict[str, list[str]] = defaultdict(list)
        for path, page in self.pages.items():
            for address in page.links:
                if is_external(address):
                    found[address].append(self.name(path))
        return found

    def problems(self) -> Iterator[str]:
        """A line for each problem."""
        if not self.pages:
            yield f"{self.folder}: no pages"
        for path, page in self.pages.items():
            for address in page.loads:
                if is_external(address):
                    yield f"{self.name(path)}: loads {address} from outside"
            for address in (*page.links, *page.loads):
                yield from self.dead(path, address)
            for style in page.styles:
                yield from loads(self.name(path), style)
            yield from revealed(self.name(path), "\n".join(page.outputs))
        for sheet in sorted(self.folder.rglob("*.css")):
            yield from loads(self.name(sheet), sheet.read_text("utf-8"))

    def dead(self, path: Path, address: str) -> Iterator[str]:
        """A line when a relative address on the page at `path` leads nowhere."""
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            return
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        target = target / "index.html" if target.is_dir() else target
        if parts.path.startswith("/") or not target.is_relative_to(self.folder):
            yield f"{self.name(path)}: {address} leaves the site"
        elif not target.is_file():
            yield f"{self.name(path)}: {address} does not exist"
        elif target in self.pages and unquote(parts.fragment) not in self.pages[target].anchors:
            yield f"{self.name(path)}: {address} has no such place"

    def name(self, path: Path) -> str:
        """A path as messages show it."""
        return path.relative_to(self.folder).as_posix()


def is_external(address: str) -> bool:
    """Whether an address leads to another host."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme in ("http", "https", "ftp")


def loads(name: str, style: str) -> Iterator[str]:
    """A line for each thing that a style sheet loads from outside."""
    for found in IN_CSS.finditer(style):
        yield f"{name}: its style loads {found[1]} from outside"


def revealed(name: str, outputs: str) -> Iterator[str]:
    """A line for what a cell's output must not hold; the value itself is not repeated."""
    if ACCOUNT.search(outputs):
        yield f"{name}: a cell's output holds a full account number"
    if any(len(place) > 1 and place in outputs for place in MACHINE):
        yield f"{name}: a cell's output holds a path of this machine"


def main(arguments: list[str]) -> int:
    """Print problems and the links to other sites; 1 when there is a problem."""
    site = Site(Path(arguments[0]))
    problems = list(site.problems())
    external = site.external()
    print(
        f"{len(site.pages)} pages; {len(external)} links to other sites, which were not followed:"
    )
    for address, names in sorted(external.items()):
        print(f"  {address} ({names[0]}{f' and {len(names) - 1} more' * (len(names) > 1)})")
    for problem in problems:
        print(f"problem: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
