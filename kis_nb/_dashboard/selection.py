"""Whose gesture a selection is. Under the face `_dashboard`; imports `_chartview`."""

from __future__ import annotations

from kis_nb._widgets.chart_view import Gesture


class Selection:
    """Takes the gestures of each page in the order in which they were made there.

    Not locked: the dashboard's lock is held by whoever calls.

    Attributes:
        standing: the last gesture that was not overtaken, and where it was made; or code's choice.
    """

    def __init__(self) -> None:
        self._last: dict[str | None, int] = {}
        self._under_way: tuple[Gesture, str] | None = None
        self.standing = Gesture(()), "code"

    def take(self, gesture: Gesture, source: str) -> bool:
        """Make this the gesture that the next change of selection comes from.

        False for one that a later one of its page has overtaken: the channels of charts and table
        are heard on several threads, in any order.
        """
        if gesture.number < self._last.get(gesture.page, 0):
            return False
        self._last[gesture.page] = gesture.number
        self._under_way = gesture, source
        return True

    def origin(self, ids: tuple[str, ...]) -> tuple[Gesture, str]:
        """The gesture that selected these, and where; without one it was code."""
        under_way, self._under_way = self._under_way, None
        known = under_way is not None and under_way[0].ids == ids
        self.standing = under_way if under_way and known else (Gesture(ids), "code")
        return self.standing
