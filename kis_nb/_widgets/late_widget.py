"""A widget that a page may be told of later than it is made."""

from __future__ import annotations

from typing import Any

import anywidget


class LateWidget(anywidget.AnyWidget):
    """An anywidget whose channel to the page may be opened later.

    Until then it takes content, and sends nothing. A page that hears of it then has to ask for the
    content, as one that was loaded again does.

    Args:
        later: whether `open_now` opens the channel; else it is open from the beginning.
        traits: of the widget.
    """

    def __init__(self, *, later: bool = False, **traits: Any) -> None:
        self._later = later
        super().__init__(**traits)

    def open(self) -> None:
        """Open the channel, unless that is for later; ipywidgets calls this for a new widget."""
        if not self._later:
            super().open()

    def open_now(self) -> None:
        """Tell the page of the widget."""
        self._later = False
        self.open()
