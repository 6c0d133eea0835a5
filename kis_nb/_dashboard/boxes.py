"""Boxes of the page, named by CSS classes."""

from __future__ import annotations

import ipywidgets as w


def box(names: str, *children: w.Widget, layout: w.Layout | None = None) -> w.Box:
    """A box with the class ``kis-`` and each of these names.

    Args:
        names: one, or several with blanks between them.
        children: what is in it.
        layout: one that it shares with others; None makes its own.
    """
    # In the message that makes it: each class that is added later is a message more.
    more = {} if layout is None else {"layout": layout}
    return w.Box(children, _dom_classes=[f"kis-{name}" for name in names.split()], **more)
