"""Constraints for `make lowest`: what the package needs at its lowest allowed versions, the rest as
in constraints.txt.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

TOP = Path(__file__).parents[1]


def lowest() -> dict[str, str]:
    """Each runtime dependency by name, held to its lower bound."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    lines = [line for line in project["dependencies"] if ";" not in line]
    return {line.partition(">=")[0].lower(): line.replace(">=", "==") for line in lines}


def main() -> None:
    """Print them."""
    held = lowest()
    usual = (TOP / ".ci" / "constraints.txt").read_text("utf-8").splitlines()
    # A package may bring a part of itself along in its own version: polars-runtime-32.
    own = re.compile(rf"({'|'.join(held)})(-[a-z0-9-]*)?==")
    others = [line for line in usual if not own.match(line.lower())]
    sys.stdout.write("\n".join([*held.values(), *others, ""]))


if __name__ == "__main__":
    main()
