"""What shows a cell's output: a page with widgets, a notebook run without one, or a terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

# page: somebody looks at it, and it may be saved from there. served: Voila shows it, and saves
# nothing. file: a notebook is run without a page, by papermill or nbconvert. script: there is no
# IPython. terminal: IPython without a kernel.
FrontEnd: TypeAlias = Literal["page", "served", "file", "script", "terminal"]

_REPLACING = threading.RLock()


def shell() -> Any:
    """The IPython shell; None in a script."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def cell_of(current: Any) -> str | None:
    """The id of the cell that runs, from its execute request; None when the request has none."""
    metadata = _request(current).get("metadata")
    cell = metadata.get("cellId") if isinstance(metadata, dict) else None
    return cell if isinstance(cell, str) else None


def front_end() -> FrontEnd:
    """What the output of the code that runs now is shown by.

    Whoever runs notebooks without a page uses nbclient, which says in its execute requests that
    nobody can answer an ``input()``; pages say that somebody can. A message of a widget has no such
    word and comes from a page.
    """
    current = shell()
    if current is None:
        return "script"
    if getattr(current, "kernel", None) is None:
        return "terminal"
    content = _request(current).get("content")
    if not isinstance(content, dict) or content.get("allow_stdin", True):
        return "page"
    # Voila uses nbclient too, and puts this into its kernels' environment.
    voila = os.environ.get("SERVER_SOFTWARE", "").lower().startswith("voila")
    return "served" if voila else "file"


def _request(current: Any) -> dict[str, Any]:
    request = getattr(current, "parent_header", None)
    return request if isinstance(request, dict) else {}


@contextmanager
def page_or_no_comms() -> Iterator[None]:
    """Widgets that are made inside speak to a page only where there is one.

    nbclient saves the state of every widget that opens a comm, used or not, and an export of such a
    notebook loads the scripts for widgets from outside.
    """
    if front_end() != "file":
        yield
        return
    import comm  # the rest of this module is used where there are no widgets

    # One at a time: a second thread would take the replacement for what is to be put back.
    with _REPLACING:
        create, comm.create_comm = comm.create_comm, comm.DummyComm
        try:
            yield
        finally:
            comm.create_comm = create
