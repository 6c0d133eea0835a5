"""Which gesture a selection comes from."""

from __future__ import annotations

from kis_nb._widgets.chart_view import Gesture


class Selection:
    """Accepts the gestures of each page in the order in which they were made there.

    Not locked: the caller holds the dashboard's lock.

    Attributes:
        current: the last accepted gesture and the name of the chart or table where it was made; of
            "code" when code set the selection.
    """

    def __init__(self) -> None:
        self._newest: dict[str | None, int] = {}
        self._pending: tuple[Gesture, str] | None = None
        self.current = Gesture(()), "code"

    def accept(self, gesture: Gesture, source: str) -> bool:
        """Take this gesture as the origin of the next change of selection.

        Charts and table have a channel each, whose messages arrive on several threads in any order.

        Returns:
            False for a gesture that is older than one already accepted from its page.
        """
        if gesture.number < self._newest.get(gesture.page, 0):
            return False
        self._newest[gesture.page] = gesture.number
        self._pending = gesture, source
        return True

    def origin(self, ids: tuple[str, ...]) -> tuple[Gesture, str]:
        """The gesture that selected these positions, and where it was made; "code" without one."""
        pending, self._pending = self._pending, None
        known = pending is not None and pending[0].ids == ids
        self.current = pending if pending and known else (Gesture(ids), "code")
        return self.current
