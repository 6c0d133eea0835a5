"""A Vega-Lite spec made ready for a page: its data taken out, its colours following the theme."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, TypeAlias

from kis_nb._widgets import palette

Row: TypeAlias = dict[str, Any]
Spec: TypeAlias = dict[str, Any]

# Pixels. A chart as wide as this takes the width of the place where it is shown.
WIDTH = 720
# Of a chart that is saved: the texts of one that fills an A4 page are then not much smaller.
PAPER_WIDTH = 760


def split(spec: Mapping[str, Any]) -> tuple[Spec, dict[str, list[Row]]]:
    """A spec without its data, and the data by the names that the spec now calls it.

    Data given as values (inline or under ``datasets``) is taken out everywhere and named ``rows0``,
    ``rows1``, … in order of appearance; equal data gets one name. Altair's own names are hashes of
    the data, with which every new figure would look like a new spec. Data with a ``url`` or a
    generator, and a name without data, stay.
    """
    bare = copy.deepcopy(dict(spec))
    shared: dict[str, list[Row]] = bare.pop("datasets", {})
    rows: dict[str, list[Row]] = {}
    known: dict[str, str] = {}

    def name_of(values: list[Row]) -> str:
        text = json.dumps(values, sort_keys=True, default=str)
        name = known.setdefault(text, f"rows{len(known)}")
        rows[name] = values
        return name

    def walk(node: Any) -> None:
        for key, part in node.items() if isinstance(node, dict) else enumerate(node):
            if key == "data" and isinstance(part, dict):
                values = part.pop("values", shared.get(part.get("name", "")))
                if values is not None:
                    part["name"] = name_of(values)
            elif isinstance(part, (dict, list)):
                walk(part)

    walk(bare)
    return bare, rows


def adapt_to_page(spec: Spec) -> Spec:
    """The spec with CSS variables as colours, no background, and the width of its place."""
    on_page: Spec = _with_live_colours(spec)
    config = on_page.setdefault("config", {})
    if "background" not in on_page:
        config.setdefault("background", "transparent")
    return _fitted(on_page, "container")


def adapt_to_paper(spec: Mapping[str, Any], font: str) -> Spec:
    """The spec with a width that fits a page of paper, and with this font unless it names one."""
    return _fitted(dict(spec) | {"config": {"font": font} | spec.get("config", {})}, PAPER_WIDTH)


def _fitted(spec: Spec, width: int | str) -> Spec:
    """The spec with this width over all, names and figures included, if it is as wide as ours."""
    if spec.get("width") != WIDTH or {"hconcat", "vconcat", "concat"} & spec.keys():
        return spec
    # The height follows the rows (a step each), so only the width is fitted.
    return spec | {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}}


def _with_live_colours(node: Any) -> Any:
    if isinstance(node, dict):
        return {key: _with_live_colours(part) for key, part in node.items()}
    if isinstance(node, list):
        return [_with_live_colours(part) for part in node]
    return palette.live(node) if isinstance(node, str) else node
