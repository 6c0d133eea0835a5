"""The JavaScript and CSS of a widget, each as one text.

anywidget takes one ES module for each widget, and a page cannot follow an ``import`` into an
installed package. The files under ``static/`` are ordinary modules all the same, for linter, type
checker and tests (`make js`), and are joined here, when the package is imported: no built file and
no Node.js is needed. Joining takes two rules, which `tests/test_sources.py` holds: imports are
written ``import { a, b } from "./file.js"``, and what modules declare has different names.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from posixpath import dirname, join, normpath

from kis_nb._widgets import palette

STATIC = files("kis_nb") / "_widgets" / "static"

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default )", re.MULTILINE)


@cache
def _read(name: str) -> str:
    return STATIC.joinpath(*name.split("/")).read_text(encoding="utf-8")


def _modules(name: str, found: dict[str, str]) -> dict[str, str]:
    """A module's text by its path below ``static/``, after those that it imports."""
    if name not in found:
        text = _read(name)
        for match in _IMPORT.finditer(text):
            _modules(normpath(join(dirname(name), match[1])), found)
        found[name] = _EXPORT.sub("", _IMPORT.sub("", text))
    return found


def script(name: str) -> str:
    """The widget's module with all that it imports.

    Args:
        name: its file below ``static/``, which ends in ``export default``.
    """
    return "\n".join(_modules(name, {}).values())


def stylesheet(*names: str) -> str:
    """The CSS files of these names below ``static/``, after the colours that they refer to."""
    return palette.css() + "\n".join(map(_read, names))
