"""What a saved notebook shows in the place of a widget: an output of its own beside it.

The live widget cannot be saved, and replacing its output by one with a picture would draw it anew.
So there are two outputs. The page that draws the widget hides the other one (`shared/saved.js`);
where nothing draws it, the other one shows, and its style hides JupyterLab's "Error displaying
widget". It can be replaced at any time, from any thread, for as long as the page is open.
"""

from __future__ import annotations

import uuid
from typing import Any, TypeAlias

Bundle: TypeAlias = dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]

_AREA = ".jp-OutputArea-child"


class SavedOutput:
    """The output that is saved for one widget.

    Args:
        live: a CSS selector of what is in the widget's output where it is drawn.

    Attributes:
        key: by which the page knows what to hide.
    """

    def __init__(self, live: str) -> None:
        self.key = uuid.uuid4().hex[:12]
        self._live = live
        self._html = ""

    def publish(self) -> None:
        """Put the output before the widget's, which is about to be put out."""
        self._send(update=False)

    def replace(self, html: str) -> None:
        """Replace what is saved, wherever it was published."""
        if html != self._html:
            self._html = html
            self._send(update=True)

    def _send(self, *, update: bool) -> None:
        from IPython.display import display, update_display

        content = {"text/html": self._wrapped(), "text/plain": ""}
        put: Any = update_display if update else display
        put(content, raw=True, display_id=self.key)

    def _wrapped(self) -> str:
        own = f"kis-saved-{self.key}"
        around = f"{_AREA}:has(.{own})"
        # An error in place of the widget, which follows; "Loading widget..." has no such class.
        rules = f"{around}+{_AREA}:has(>.jupyter-widgets):not(:has({self._live})){{display:none}}"
        if not self._html:
            rules += f"{around}{{display:none}}"
        return f'<div class="kis-saved {own}"><style>{rules}</style>{self._html}</div>'


def without_fallback(live: Bundle) -> Bundle:
    """A widget's MIME bundle with nothing to show where the widget is not drawn.

    Its own text there would stand below the saved output.
    """
    if isinstance(live, tuple):
        data, metadata = live
        return data | {"text/html": ""}, metadata
    return live | {"text/html": ""}
