"""`kis_nb.analysis` on Polars: equal to plain Python on any rows; the books' convention; errors."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis_nb import analysis
from tests import history_reference as reference
from tests.history_rows import Rows, any_rows, world_rows

randoms = st.randoms(use_true_random=False)
BY_SUMMARY = ("equity", "margin", "lowest_room", "returns")


def check(rows: Rows, **span: Any) -> None:
    """All questions, eager and lazy."""
    positions, summary = rows.frames()
    for name in BY_SUMMARY:
        asked: Callable[[Any], Any] = getattr(analysis, name)
        lazy = asked(summary.lazy())
        assert isinstance(lazy, pl.LazyFrame)
        assert analysis.collect(lazy).rows(named=True) == getattr(reference, name)(rows), name
        eager = asked(summary)
        assert isinstance(eager, pl.DataFrame)
        assert analysis.collect(eager).equals(analysis.collect(lazy))
    held = analysis.collect(analysis.exposure(positions.lazy()))
    assert held.rows(named=True) == reference.exposure(rows)
    why = analysis.collect(analysis.attribution(positions.lazy(), summary.lazy(), **span))
    assert why.rows(named=True) == reference.attribution(rows, **span)


@given(randoms, st.booleans())
@settings(max_examples=60)
def test_any_rows_are_answered_as_by_plain_python(random: Random, cut: bool) -> None:  # noqa: FBT001
    """Whatever the figures are, and whichever are unknown, each answer is equal to the last digit."""
    rows = any_rows(random)
    moments = sorted(row["as_of"] for row in rows.summary)
    span = dict(zip(("start", "end"), sorted(random.choices(moments, k=2)), strict=True))
    check(rows, **(span if cut else {}))


def remainders(rows: Rows, **span: Any) -> list[Decimal]:
    """Of each account."""
    positions, summary = rows.frames()
    why = analysis.collect(analysis.attribution(positions, summary, **span))
    return why.filter(pl.col("item") == "remainder")["amount"].to_list()


@given(randoms)
@settings(max_examples=25)
def test_a_world_whose_books_agree_leaves_no_remainder(random: Random) -> None:
    """With each day's closing the items explain the whole change, between any two snapshots."""
    rows = world_rows(random)
    check(rows)
    moments = sorted(row["as_of"] for row in rows.summary)
    start, end = sorted(random.choices(moments, k=2))
    assert set(remainders(rows, start=start, end=end)) <= {0}
    assert set(remainders(rows)) == {0}
