"""Every ratio that the project promises, against a baseline timed in the same run.

python -m tests.bench [--rounds N] [start] [pulls] [frames] [risk] [first] [clicks]
                          [where [--write FILE ...]]
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import subprocess
import sys
from pathlib import Path

import kis_nb
from tests.bench.timing import HEAD, compare

PARTS = ("start", "pulls", "frames", "risk", "first", "clicks", "where")


def start(rounds: int) -> None:
    """``import kis_nb`` against starting an interpreter."""
    compare(
        "import kis_nb / a bare interpreter",
        lambda: subprocess.run([sys.executable, "-c", "import kis_nb"], check=True),
        lambda: subprocess.run([sys.executable, "-c", "pass"], check=True),
        reach="1.3",
        rounds=2 * rounds,
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=21)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when left out")
    parser.add_argument(
        "--write", type=Path, nargs="*", default=[], help="guides to write the table of where into"
    )
    arguments = parser.parse_args()
    # pip compiles what it installs; a checkout with PYTHONDONTWRITEBYTECODE set compiled our
    # modules, and only ours, in each new process.
    compileall.compile_dir(Path(kis_nb.__file__).parent, quiet=1)
    print(f"{HEAD}   (ms, medians of {arguments.rounds} rounds and more)")
    for part in arguments.parts or PARTS:
        if part == "start":
            start(arguments.rounds)
        elif part == "where":
            from tests.bench import where

            where.main(arguments.rounds, arguments.write)
        else:
            importlib.import_module(f"tests.bench.{part}").main(arguments.rounds)


if __name__ == "__main__":
    main()
