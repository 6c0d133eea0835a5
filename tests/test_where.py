"""How a stretch of time is split by phase, and the guides' table "Where the time goes"."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.timeline import split
from tests.bench.where_table import AGREE, MARK, sums, table
from tests.marked_tables import between

TOP = Path(__file__).parents[1]


def test_threads_at_work_at_once_share_the_time() -> None:
    """Two threads count half each, a wait only while nobody works, and gaps for nothing."""
    segments = [(0.0, 4.0, "a", 1), (2.0, 6.0, "b", 2), (3.0, 8.0, "wire", 3), (9.0, 20.0, "a", 1)]
    assert split(segments, 1.0, 10.0) == {"a": 1 + 1 + 1, "b": 1 + 2, "wire": 2}


def test_a_table_is_read_back_as_it_was_written() -> None:
    """Its columns' sums and totals in ms, and rows of nothing left out."""
    lines = table([({"wire": 1.2, "token": 0.0001, "other": 0.1}, 1.31)], "ko")
    assert len(lines) == 2 + 3
    assert sums(lines) == [(1300, 1310)]


@pytest.mark.parametrize("name", ["guide.md", "guide.ko.md"])
def test_the_phases_in_the_guide_add_up(name: str) -> None:
    """Written by `make bench`: each column's phases add up to its total, timed by itself."""
    _, inside, _ = between((TOP / "docs" / name).read_text(encoding="utf-8"), MARK)
    lines = [line for line in inside.splitlines() if line.startswith("|")]
    columns = sums(lines)
    assert len(columns) == 5
    for phases, total in columns:
        # Each of some fifteen rows is rounded.
        assert abs(phases - total) <= AGREE * total + 8
    assert re.search(r"60\D+[0-9]\D+[0-9]", inside.splitlines()[-1])
