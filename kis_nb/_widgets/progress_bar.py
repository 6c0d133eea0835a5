"""The progress bar of a long call: a line on a terminal or in a notebook's output."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, NoReturn

from kis_nb._widgets.front_end import front_end

if TYPE_CHECKING:
    from tqdm import tqdm

# Seconds that a call takes before its bar is shown.
_DELAY = 1.0
_COLUMNS = 72


class _OutputLine:
    """A stream for tqdm: its line is one output of the cell that runs, replaced by each write.

    tqdm's own notebook bar is made of widgets, which are closed when the call ends. A page that is
    still drawing them then says "Could not add child view to box" in its console, and a notebook
    saved before it drew them says "model not found" when it is opened again.
    """

    def __init__(self) -> None:
        self._key = uuid.uuid4().hex
        self._line = ""

    def write(self, text: str) -> None:
        """Show what tqdm writes: a whole line between carriage returns and blanks."""
        from IPython.display import display, update_display

        line = text.strip()
        if line == self._line:
            return
        put: Any = update_display if self._line else display
        self._line = line
        put({"text/plain": line}, raw=True, display_id=self._key)

    def flush(self) -> None:
        """Do nothing: each write is shown at once."""


def progress_bar(total: int, unit: str, *, shown: bool = True) -> tqdm[NoReturn]:
    """A progress bar that appears when the call takes longer than a second, and goes at its end.

    It is on a terminal a line of stderr, in a notebook that somebody looks at an output of the
    cell. Elsewhere, in a log or a notebook that is run without a page, there is none.

    Args:
        total: how many units the call has.
        unit: what is counted.
        shown: False for no bar anywhere.

    Returns:
        A tqdm, which is a context manager; ``update(n)`` counts n units more.
    """
    from tqdm import tqdm

    where = front_end()
    if where != "page":
        # None leaves it to whether stderr is a terminal.
        hidden = True if where in ("file", "served") or not shown else None
        return tqdm(total=total, unit=unit, delay=_DELAY, leave=False, disable=hidden)
    return tqdm(
        total=total,
        unit=unit,
        delay=_DELAY,
        leave=False,
        disable=not shown,
        file=_OutputLine(),
        ncols=_COLUMNS,
        ascii=False,
        # Beside another bar tqdm would move a cursor.
        position=0,
    )
