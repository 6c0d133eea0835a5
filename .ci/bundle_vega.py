"""Hatchling build hook: makes `kis_nb/_widgets/static/vega.js`, with which our charts draw.

Runs for a wheel, an sdist and an editable install alike, so that a checkout draws as the wheel
does. The file is bundled from the Vega and Vega-Lite inside vl-convert, which fetches nothing; it
is git-ignored, and vl-convert is needed here only, never at run time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

TARGET = Path("kis_nb") / "_widgets" / "static" / "vega.js"

# The way in to Vega, Vega-Lite and vega-embed at once; the bundler gives no other.
SNIPPET = "export { vegaEmbed };"


def bundle(root: Path) -> Path:
    """Write the bundle below `root`, unless the same bytes are there, and return its path."""
    # Imported here: hatchling loads this file also to list a build's dependencies.
    import vl_convert

    target = root / TARGET
    source = vl_convert.javascript_bundle(SNIPPET).encode()
    if not target.is_file() or target.read_bytes() != source:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Renamed into place: a kernel that starts meanwhile never reads half a file.
        draft = target.with_suffix(".js.part")
        draft.write_bytes(source)
        draft.replace(target)
    return target


class BundleVega(BuildHookInterface[Any]):
    """The hook that hatchling finds in this file."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the bundle and have it shipped although git ignores it."""
        target = Path(self.root) / TARGET
        # A wheel built from an sdist finds the file already there; it is checked all the same.
        bundle(Path(self.root))
        build_data["artifacts"].append(target.relative_to(self.root).as_posix())


if __name__ == "__main__":
    print(bundle(Path(__file__).resolve().parent.parent))
