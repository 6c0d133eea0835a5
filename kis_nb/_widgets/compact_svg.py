"""Vega's SVG made several times smaller, looking the same.

Vega writes every attribute at every mark, with all digits of each coordinate, and groups and
labels for a live page. A saved picture needs none of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, fromstring, tostring

from kis_nb._widgets.text_width import text_width

_NAMESPACE = "{http://www.w3.org/2000/svg}"
_LIVE = re.compile(r"class|role|aria-.*|pointer-events|cursor|version")
_DEFAULTS = {"opacity": "1", "fill-opacity": "1", "stroke-opacity": "1", "transform": "none"}
# Attributes that a group hands down to what is inside it.
_INHERITED = (
    *("fill", "fill-opacity", "stroke", "stroke-dasharray", "stroke-opacity", "stroke-width"),
    *("font-family", "font-size", "font-style", "font-weight", "text-anchor"),
)
_SHAPES = frozenset({"path", "line", "rect", "circle", "ellipse", "polygon", "polyline"})
# What is inside shows nothing itself, and says where or how something else is shown.
_STENCILS = frozenset({"clipPath", "mask", "pattern", "linearGradient", "radialGradient"})
_COORDINATES = (
    "d",
    "transform",
    "points",
    "x",
    "y",
    "x1",
    "x2",
    "y1",
    "y2",
    "r",
    "width",
    "height",
)
_DECIMALS = re.compile(r"-?\d*\.\d+(?:e-?\d+)?")
# A curve that ends where it began: the corner of a bar that has none there.
_NO_CURVE = re.compile(r"(?<=[MLC,])(-?[\d.]+,-?[\d.]+)(?:C\1,\1,\1)+(?![\d.])")
_TRANSLATE = re.compile(r"translate\((-?[\d.]+)[, ](-?[\d.]+)\)")


@dataclass(frozen=True, slots=True)
class Svg:
    """A picture.

    Attributes:
        text: the SVG, with apostrophes around its attributes.
        width, height: in pixels.
        labels: what Vega says of its marks to a screen reader, in the order of drawing.
    """

    text: str
    width: float
    height: float
    labels: tuple[str, ...]


def compact(svg: str) -> Svg:
    """The picture without what does not show.

    Args:
        svg: as Vega wrote it.

    Raises:
        xml.etree.ElementTree.ParseError: it is no XML.
    """
    root = fromstring(svg)  # noqa: S314  (the converter's own output)
    labels = tuple(
        dict.fromkeys(
            each.get("aria-label", "")
            for each in root.iter()
            if each.get("aria-roledescription") in ("bar", "point", "line")
            and each.get("aria-label")
        )
    )
    _strip(root)
    low, high = _extent(root, 0.0)
    height, width = float(root.get("height", "0")), float(root.get("width", "0"))
    # A reader's font may be wider than the one that was measured with, or have the Korean letters
    # that that one lacked.
    left, right = min(0, round(low)), max(round(width), round(high))
    _hand_up(root)
    for name in ("width", "height", "viewBox"):
        root.attrib.pop(name, None)
    width = right - left
    root.attrib = {
        "xmlns": _NAMESPACE[1:-1],
        "width": f"{width}",
        "height": f"{height:g}",
        "viewBox": f"{left} 0 {width} {height:g}",
    } | root.attrib
    for background in root.findall("rect"):
        if background.get("width") and not background.get("x"):
            background.attrib |= {"x": f"{left}", "width": f"{width}"}
    return Svg(_written(root), width, height, labels)


def _strip(node: Element) -> None:
    """Drop live attributes, what does not show, and groups that hold nothing."""
    node.tag = node.tag.removeprefix(_NAMESPACE)
    node.tail = None
    for name in [one for one in node.attrib if _LIVE.fullmatch(one)]:
        del node.attrib[name]
    for name, value in _DEFAULTS.items():
        if node.get(name) == value:
            del node.attrib[name]
    _shorten(node)
    for child in list(node):
        hidden = node.tag not in _STENCILS and _is_hidden(child)
        if not hidden:
            _strip(child)
        if hidden or (child.tag in ("g", "defs") and not len(child)):
            node.remove(child)
    _unwrap(node)


def _shorten(node: Element) -> None:
    """Round an element's coordinates, and write its place and font in fewer letters."""
    # A tenth of a pixel, where a unit is a pixel.
    scaled = re.search("scale|matrix", node.get("transform", ""))
    for name in () if scaled else _COORDINATES:
        if name in node.attrib:
            node.attrib[name] = _DECIMALS.sub(_rounded, node.attrib[name])
    if "d" in node.attrib:
        node.attrib["d"] = _NO_CURVE.sub(r"\1", node.attrib["d"])
    if moved := _TRANSLATE.fullmatch(node.get("transform", "")):
        del node.attrib["transform"]
        x, y = moved.groups()
        if node.tag == "text":
            node.attrib |= {"x": x, "y": y}
        elif (x, y) != ("0", "0"):
            node.attrib["transform"] = f"translate({x},{y})"
    if "font-family" in node.attrib:
        node.attrib["font-family"] = node.attrib["font-family"].replace("'", "").replace('"', "")


def _is_hidden(node: Element) -> bool:
    tag = node.tag.removeprefix(_NAMESPACE)
    if node.get("display") == "none" or node.get("opacity") == "0":
        return True
    if tag == "text":
        return not "".join(node.itertext()).strip()
    # Vega's root has fill="none": a shape without colours of its own shows nothing.
    return tag in _SHAPES and node.get("fill") is None and node.get("stroke") is None


def _unwrap(node: Element) -> None:
    """Put the children of groups without attributes in the groups' place."""
    kept: list[Element] = []
    for child in node:
        kept += list(child) if child.tag == "g" and not child.attrib else [child]
    node[:] = kept


def _rounded(number: re.Match[str]) -> str:
    text = f"{float(number[0]):.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _extent(node: Element, x: float) -> tuple[float, float]:
    """The least and the greatest x that the texts inside may reach, by an upper estimate."""
    low, high = 0.0, 0.0
    if moved := _TRANSLATE.match(node.get("transform", "")):
        x += float(moved[1])
    if node.tag == "text" and "transform" not in node.attrib:
        x += float(node.get("x", "0"))
        words = "".join(node.itertext()).strip("\u200b")
        size = text_width(words, float(node.get("font-size", "11px").removesuffix("px")))
        anchor = node.get("text-anchor", "start")
        before = {"end": size, "middle": size / 2}.get(anchor, 0.0)
        low, high = x - before, x - before + size
    for child in node:
        least, most = _extent(child, x)
        low, high = min(low, least), max(high, most)
    return low, high


def _hand_up(node: Element) -> None:
    """Write an attribute that all children share once, at the group around them."""
    for child in node:
        _hand_up(child)
    if node.tag not in ("g", "svg") or len(node) < 2:
        return
    for name in _INHERITED:
        values = {child.get(name) for child in node}
        if len(values) == 1 and None not in values and node.get(name) in (None, *values):
            node.attrib[name] = values.pop() or ""
            for child in node:
                del child.attrib[name]


def _written(root: Element) -> str:
    text = tostring(root, encoding="unicode").replace(" />", "/>")
    # Inside a URL in HTML an apostrophe costs a byte, and a quotation mark three.
    return re.sub(
        r"<[^>]*>", lambda tag: tag[0] if "'" in tag[0] else tag[0].replace('"', "'"), text
    )
