"""A history whose writers are killed at random: `tests.history_kills`, with fewer kills."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

LIMIT = 200  # reached by a hang only


def test_killed_writers_lose_and_double_nothing() -> None:
    """What is read is what was acknowledged, and at most one snapshot more a kill, all the time.

    In an interpreter of its own: processes are forked, and this one has threads.
    """
    run = subprocess.run(
        [sys.executable, "-m", "tests.history_kills", "--kills", "40", "--seed", "7"],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert " reads" in run.stdout
