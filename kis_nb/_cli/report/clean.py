"""What a notebook shows, made fit for a page: HTML that loads and runs nothing, plain texts."""

from __future__ import annotations

import base64
import mimetypes
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from bleach.sanitizer import Cleaner
    from bs4 import Tag


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Elements are kept that show text, tables and pictures; none of these loads anything but an image.
_KEPT = _words(
    "a abbr address article aside b bdi bdo blockquote br caption center cite code col colgroup dd "
    "del details dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img "
    "ins kbd li main mark meter nav ol p pre progress q rp rt ruby s samp section small span "
    "strike strong style sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr"
)
# These go with their content, which is no text for readers: without a word,
_SILENT = _words("head noscript script template title")
# and with a word, since something was to be seen.
_NAMED = _words("applet audio canvas embed iframe math object select svg textarea video")
# No event handler, and of addresses a link's and an image's own.
_ATTRIBUTES = _words(
    "align alt border cellpadding cellspacing class color colspan datetime dir height high href id "
    "lang low max min open optimum reversed role rowspan scope size span src start style title "
    "valign value width"
)
_PROTOCOLS = frozenset({"http", "https", "mailto", "data"})
# Colours and the cursor, as terminals are told (CSI), and titles and links (OSC).
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
# Those that HTML forbids; tab, line feed and carriage return are none of them.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def clean_html(text: object, folder: Path) -> str:
    """HTML of a cell without what would load, run, send or leave the page.

    Pictures of the notebook's folder are put into it, and what else is left out is named.

    Args:
        text: the HTML, from anywhere.
        folder: where the notebook is.
    """
    import bs4

    cleaned: str = _cleaner().clean(without_controls(str(text)))
    if "<img" not in cleaned and "<style" not in cleaned:
        return cleaned
    soup = bs4.BeautifulSoup(cleaned, "html.parser")
    for style in soup.find_all("style"):
        # The only entity that a style sheet needs back; "<" stays one, so that no tag can begin.
        style.string = style.get_text().replace("&gt;", ">")
    for image in soup.find_all("img"):
        _settle(image, folder)
    return str(soup)


def without_controls(text: str) -> str:
    """A text without a terminal's escape sequences and other control characters."""
    return _CONTROLS.sub("", _ESCAPES.sub("", text))


def without_paths(text: str, folder: Path) -> str:
    """A text without this machine's folders: the user's, the notebook's, Python's and temporary
    ones become an ellipsis.
    """
    folders = {str(folder), os.path.realpath(folder), str(Path.cwd()), str(Path.home())}
    folders |= {sys.prefix, sys.base_prefix, tempfile.gettempdir()}
    for one in sorted(folders, key=len, reverse=True):
        if len(one) > 1:  # the root is in every address
            text = re.sub(rf"{re.escape(one)}(?![\w.-])", "…", text)
    return text


def _left_out(what: str) -> str:
    return f"[제외 · left out: {what}]"


def _settle(image: Tag, folder: Path) -> None:
    """Put a picture's file into the page, or name it in its place."""
    source = str(image.get("src") or "")
    if source.startswith("data:image/"):
        return
    if url := _data_url(source, folder):
        image["src"] = url
    else:
        path = "" if source.startswith("data:") else re.split("[?#]", source)[0]
        image.replace_with(_left_out(PurePosixPath(path).name or "img"))


def _data_url(source: str, folder: Path) -> str:
    """A picture in the folder, as an address that holds it; blank when there is none."""
    kind = mimetypes.guess_type(urlsplit(source).path)[0] or ""
    top = folder.resolve()
    try:
        path = (top / unquote(urlsplit(source).path)).resolve()
        if urlsplit(source).scheme or not path.is_relative_to(top) or kind[:6] != "image/":
            return ""
        content = path.read_bytes()
    except (OSError, ValueError):
        return ""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _is_kept(_tag: str, name: str, value: str) -> bool:
    if name == "href":
        return not value.strip().lower().startswith("data:")
    return name in _ATTRIBUTES or name.startswith("aria-")


@cache
def _cleaner() -> Cleaner:
    from bleach.html5lib_shim import Filter
    from bleach.sanitizer import Cleaner

    class LeavesOut(Filter):  # type: ignore[misc]
        """Takes elements out with their content."""

        def __iter__(self) -> Iterator[dict[str, Any]]:
            inside = 0
            for token in super().__iter__():
                kind, name = token["type"], token.get("name")
                if name not in _SILENT | _NAMED or not kind.endswith("Tag"):
                    if not inside:
                        yield token
                    continue
                if not inside and name in _NAMED:
                    yield {"type": "Characters", "data": _left_out(name)}
                if kind != "EmptyTag":
                    inside += 1 if kind == "StartTag" else -1

    class AsItIs:
        """A style loads nothing under the page's Content Security Policy."""

        @staticmethod
        def sanitize_css(style: str) -> str:
            return style

    return Cleaner(
        tags=_KEPT | _SILENT | _NAMED,
        attributes=_is_kept,
        protocols=_PROTOCOLS,
        strip=True,
        css_sanitizer=AsItIs(),
        filters=[LeavesOut],
    )
