"""What the broker found for a query, as the blocks of the reply."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Protocol


class Found(Protocol):
    """What was found: as many rows as `len` says, and the blocks."""

    def __len__(self) -> int:
        """How many rows; 1 when there is no list."""

    def blocks(self, start: int, stop: int, tr_id: str) -> dict[str, Any]:
        """The reply's blocks, with the list from row `start` to before `stop`."""


class Listing(ABC):
    """Rows as `output1`, and one object as `output2`."""

    @abstractmethod
    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:
        """`output1` from row `start` to before `stop`."""

    @abstractmethod
    def summary(self, tr_id: str) -> dict[str, str]:
        """`output2`."""

    def blocks(self, start: int, stop: int, tr_id: str) -> dict[str, Any]:
        """Both."""
        return {"output1": self.rows(start, stop, tr_id), "output2": self.summary(tr_id)}
