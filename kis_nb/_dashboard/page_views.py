"""Whether a page shows the dashboard."""

from __future__ import annotations


class PageViews:
    """Keeps the names of the views that pages show of the dashboard.

    A view on a page reports when it appears and when it is removed: a cell that is run again, or
    cleared, removes its outputs without a message to the kernel's objects, and ipywidgets keeps
    those. A dashboard that no page has ever shown is driven by code, in a test or a notebook run
    without a browser, and counts as visible. So does one on a hidden tab, or scrolled away.
    """

    def __init__(self) -> None:
        self._names: set[str] | None = None

    def add(self, name: str) -> None:
        """A page shows a view of this name."""
        self._names = {*(self._names or ()), name}

    def remove(self, name: str) -> None:
        """The view was removed from its page."""
        if self._names is not None:
            self._names.discard(name)

    @property
    def all_removed(self) -> bool:
        """Some page has shown the dashboard, and none does now."""
        return self._names is not None and not self._names
