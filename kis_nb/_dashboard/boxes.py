"""Boxes of the page, named by a CSS class."""

from __future__ import annotations

import ipywidgets as w


def box(name: str, *children: w.Widget) -> w.Box:
    """A box with the class ``kis-`` and this name."""
    made = w.Box(children)
    made.add_class(f"kis-{name}")
    return made
