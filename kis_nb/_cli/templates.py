"""The notebook templates: listing and copying them."""

from __future__ import annotations

import json
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from kis_nb._errors import ConfigError


def templates() -> dict[str, Traversable]:
    """The templates by name, from the wheel or the folder of a checkout."""
    packaged = resources.files("kis_nb") / "notebooks"
    folder = packaged if packaged.is_dir() else Path(__file__).parents[2] / "notebooks"
    if not folder.is_dir():
        return {}
    found = {item.name: item for item in folder.iterdir() if item.name.endswith(".ipynb")}
    return {name.removesuffix(".ipynb"): found[name] for name in sorted(found)}


def title(template: Traversable) -> str:
    """The first heading of a template; blank without one."""
    for cell in json.loads(template.read_text(encoding="utf-8"))["cells"]:
        for line in "".join(cell["source"]).splitlines():
            if line.startswith("# ") and cell["cell_type"] == "markdown":
                return line.removeprefix("# ").strip()
    return ""


def copy_template(name: str, path: Path | None = None) -> Path:
    """Copy a template.

    Args:
        name: one of `templates`.
        path: a file, with or without its ending, or a folder; the current one when left out.

    Returns:
        The new file's path.

    Raises:
        ConfigError: no template has that name.
        FileExistsError: the file exists.
        OSError: it cannot be written.
    """
    known = templates()
    if name not in known:
        raise ConfigError(f"no template has that name; there are: {', '.join(known) or 'none'}")
    target = path or Path()
    if target.is_dir():
        target /= f"{name}.ipynb"
    elif target.suffix != ".ipynb":
        target = target.with_name(f"{target.name}.ipynb")
    with target.open("xb") as file:
        file.write(known[name].read_bytes())
    return target
