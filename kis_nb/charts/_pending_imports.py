"""A guard for Altair's calls while another thread is importing a library that Altair looks for."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any, TypeVar

_R = TypeVar("_R")

# Libraries that Altair and narwhals look up in sys.modules. Each is imported by a literal name, and
# only when it is in sys.modules already.
_LOOKED_UP: dict[str, Callable[[], Any]] = {
    "numpy": lambda: import_module("numpy"),
    "pandas": lambda: import_module("pandas"),
    "polars": lambda: import_module("polars"),
    "pyarrow": lambda: import_module("pyarrow"),
}


def after_pending_imports(make: Callable[[], _R]) -> _R:
    """Call `make` once no library that Altair looks for is half imported by another thread.

    Altair takes NumPy and data frame libraries out of ``sys.modules`` and reads their attributes,
    which are missing while another thread, a cell's or Polars', is importing them. An import of a
    module that is being imported waits on that module's lock until it is whole.
    """
    while True:
        seen = {name for name in _LOOKED_UP if name in sys.modules}
        for name in seen:
            with suppress(ImportError):  # then it is gone from sys.modules
                _LOOKED_UP[name]()
        try:
            return make()
        except AttributeError:
            # Another import began meanwhile: wait for that one too. Else it is a real error.
            if {name for name in _LOOKED_UP if name in sys.modules} <= seen:
                raise
