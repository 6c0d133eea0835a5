"""Hatchling build hook: makes the files that pages are sent and nobody writes by hand.

- `kis_nb/_widgets/static/vega.js`, with which our charts draw: bundled from the Vega and Vega-Lite
  inside vl-convert, which fetches nothing.
- `kis_nb/_dashboard/specs/*.json`, the Vega-Lite specs of the dashboard's charts: made by
  `kis_nb.charts` with Altair, so that the dashboard need not load it.

Runs for a wheel, an sdist and an editable install alike, so that a checkout draws as the wheel
does. The files are git-ignored; vl-convert and Altair are needed for them here only. In a checkout
whose charts were changed run ``python .ci/build_static.py``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VEGA = Path("kis_nb") / "_widgets" / "static" / "vega.js"
SPECS = Path("kis_nb") / "_dashboard" / "specs"

# The way in to Vega, Vega-Lite and vega-embed at once; the bundler gives no other.
SNIPPET = "export { vegaEmbed };"


def build(root: Path) -> list[Path]:
    """Write all files below `root` and return their paths, relative to it."""
    # Imported here: hatchling loads this file also to list a build's dependencies.
    import vl_convert

    # From the tree that is built, which is not installed, and without leaving anything in it.
    sys.path.insert(0, str(root))
    cached, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        from kis_nb.charts._kinds import spec_texts
    finally:
        sys.path.remove(str(root))
        sys.dont_write_bytecode = cached

    texts = {SPECS / f"{chart}.json": text for chart, text in spec_texts().items()}
    texts[VEGA] = vl_convert.javascript_bundle(SNIPPET)
    for path, text in texts.items():
        write(root / path, text.encode())
    return list(texts)


def write(target: Path, content: bytes) -> None:
    """Write a file unless the same bytes are there."""
    if target.is_file() and target.read_bytes() == content:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    # Renamed into place: a kernel that starts meanwhile never reads half a file.
    draft = target.with_name(f"{target.name}.part")
    draft.write_bytes(content)
    draft.replace(target)


class BuildStatic(BuildHookInterface[Any]):
    """The hook that hatchling finds in this file."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the files and have them shipped although git ignores them."""
        # A wheel built from an sdist finds them already there; they are checked all the same.
        build_data["artifacts"] += [path.as_posix() for path in build(Path(self.root))]


if __name__ == "__main__":
    print(*build(Path(__file__).resolve().parent.parent), sep="\n")
