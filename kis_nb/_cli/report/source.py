"""The notebook that a report is made of: found by name or path, and the parameters it takes."""

from __future__ import annotations

import ast
import errno
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._cli.templates import templates
from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from nbformat import NotebookNode

# The default of a parameter that is no literal.
COMPUTED = object()
# A line for IPython or for the shell.
_MAGIC = re.compile(r"^[ \t]*[%!].*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Source:
    """A notebook that can be run.

    Attributes:
        notebook: as it was read, not yet run.
        folder: where its kernel works: the notebook's own folder, as in JupyterLab; the current
            one for a packaged template.
        path: its file; None for a packaged template.
        title: its first heading, or its name.
        defaults: the parameters that its cell tagged ``parameters`` sets, with their values;
            `COMPUTED` where the value is no literal. Empty without such a cell.
    """

    notebook: NotebookNode
    folder: Path
    path: Path | None
    title: str
    defaults: dict[str, object]


def find_source(name: str) -> Source:
    """Read a packaged template by its name, or any notebook by its path.

    Raises:
        ConfigError: there is none, or it is no notebook for Python.
        OSError: the file cannot be read.
    """
    import nbformat

    known = templates()
    if name in known:
        path, text = None, known[name].read_text(encoding="utf-8")
    elif name.endswith(".ipynb"):
        path = Path(name)
        if path.is_dir():
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR), name)
        text = path.read_text(encoding="utf-8")
    else:
        raise ConfigError(
            f"no template has that name; there are: {', '.join(known) or 'none'}. A notebook of "
            "your own is named by its path, which ends with .ipynb"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # cells without ids, which an older Jupyter wrote
            notebook = nbformat.reads(text, as_version=4)
            nbformat.validate(notebook)
    except (ValueError, RecursionError, nbformat.ValidationError):
        raise ConfigError(f"{name}: no notebook that can be read") from None
    about = notebook.metadata
    language = about.get("kernelspec", {}).get("language") or about.get("language_info", {}).get(
        "name", "python"
    )
    if language != "python":
        raise ConfigError(f"{name}: a notebook for another language than Python")
    return Source(
        notebook=notebook,
        folder=Path.cwd() if path is None else path.resolve().parent,
        path=path,
        title=_title(notebook) or Path(name).stem,
        defaults=_defaults(notebook),
    )


def _title(notebook: NotebookNode) -> str:
    for cell in notebook.cells:
        for line in cell.source.splitlines():
            if cell.cell_type == "markdown" and line.startswith("# "):
                return str(line).removeprefix("# ").strip()
    return ""


def _defaults(notebook: NotebookNode) -> dict[str, object]:
    """The names that the parameters cell assigns.

    Raises:
        ConfigError: that cell is no Python.
    """
    tagged = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
    cell = next(tagged, None)
    if cell is None:
        return {}
    tree = _parsed(cell.source) or _parsed(_MAGIC.sub("", cell.source))
    if tree is None:
        raise ConfigError("the notebook's cell with the tag parameters is no Python")
    found: dict[str, object] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            targets = [node.target]
        for target in targets:
            if isinstance(target, ast.Name):
                found[target.id] = _literal(node)
    return found


def _parsed(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def _literal(node: ast.stmt) -> object:
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    assert node.value is not None
    try:
        return ast.literal_eval(node.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return COMPUTED
