"""`kis_nb.analysis` on Polars: equal to plain Python on any rows; the books' convention; errors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import narwhals.exceptions
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis_nb import analysis
from tests import history_reference as reference
from tests.history_rows import DAYS, Rows, any_rows, moment, world_rows

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
    """Whatever the figures are, and whichever are unknown, each answer is equal to the digit."""
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


ZONES = (UTC, ZoneInfo("Asia/Seoul"), ZoneInfo("America/New_York"))


@pytest.mark.parametrize("kept", ["UTC", "Asia/Seoul"])
def test_the_moments_may_be_of_any_time_zone(kept: str) -> None:
    """One moment is the same in every zone, in the arguments as in the column."""
    rows = world_rows(Random(2))
    moments = sorted(row["as_of"] for row in rows.summary)
    start, end = moments[1], moments[-2]
    want = reference.attribution(rows, start, end)
    positions, summary = rows.frames()
    summary = summary.with_columns(pl.col("as_of").dt.convert_time_zone(kept))
    for zone in ZONES:
        span = {"start": start.astimezone(zone), "end": end.astimezone(zone)}
        for held, told in ((positions, summary), (positions.lazy(), summary.lazy())):
            why = analysis.collect(analysis.attribution(held, told, **span))
            assert why.rows(named=True) == want


def test_a_day_without_its_closing_leaves_a_remainder() -> None:
    """What happened on a day of which nothing is kept is not attributed to anything else."""
    rows = world_rows(Random(1))
    left_out = DAYS[1]
    rows.positions = [row for row in rows.positions if row["date"] != left_out]
    rows.summary = [row for row in rows.summary if row["date"] != left_out]
    assert any(remainders(rows))
    positions, summary = rows.frames()
    why = analysis.collect(analysis.attribution(positions, summary))
    for _, mine in why.group_by("account"):
        *items, end = mine["amount"].to_list()
        assert sum(items) == end
    # Its settlement is named by the snapshots of the night after it.
    told = {r["account"] for r in rows.summary if r["date"] > left_out == r["settled_on"]}
    gap = analysis.collect(analysis.returns(summary)).filter(pl.col("date") == DAYS[2])
    found = set(gap.filter(pl.col("pnl").is_null())["account"])
    assert found == told


def test_the_peak_is_the_same_in_whatever_order_equal_moments_are_read() -> None:
    """Two snapshots of one moment: the lower one comes first, and the higher one's peak stays."""
    _, summary = world_rows(Random(1)).frames()
    row = summary.head(1).with_columns(foreign_deposit=pl.lit(0).cast(pl.Decimal(38, 0)))
    equities = (5, 9, 2, 7)
    rows = [row.with_columns(krw_equity=pl.lit(each).cast(pl.Decimal(38, 0))) for each in equities]
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        found = analysis.collect(analysis.equity(pl.concat(order).lazy()))
        assert set(found.select("equity", "peak").rows()) == {(each, each) for each in equities}


@pytest.mark.parametrize("points", [1, 7, 10_000])
def test_thinned_rows_keep_first_last_lowest_and_highest(points: int) -> None:
    """At most four rows a part of the time, and the extremes of each part are among them."""
    random = Random(1)
    values = [Decimal(random.randint(0, 50)) if at % 9 else None for at in range(1000)]
    start = moment(DAYS[0], 0)
    frame = pl.DataFrame(
        {
            "account": ["a", "b"] * 500,
            "as_of": [
                start + timedelta(seconds=random.randint(0, 9) + 60 * at) for at in range(1000)
            ],
            "equity": values,
        },
        schema_overrides={"as_of": pl.Datetime("us", "UTC"), "equity": pl.Decimal(38, 0)},
    )
    kept = analysis.collect(analysis.thin(frame, "equity", points))
    assert kept.height <= 8 * points
    for (_,), mine in frame.group_by("account"):
        left = kept.filter(pl.col("account") == mine["account"][0])
        first, last = mine["as_of"].min(), mine["as_of"].max()
        assert (left["as_of"].min(), left["as_of"].max()) == (first, last)
        since = (pl.col("as_of") - pl.lit(first)).dt.total_milliseconds()
        span = mine.select(since.max()).item() + 1
        part = (since * points // span).alias("part")
        extremes = [pl.min("equity").alias("low"), pl.max("equity").alias("high")]
        want, have = (rows.group_by(part).agg(extremes).sort("part") for rows in (mine, left))
        assert want.equals(have)


def test_a_figure_that_does_not_fit_is_an_error() -> None:
    """It is neither cut, rounded, nor null."""
    _, summary = world_rows(Random(1)).frames()
    much = summary.with_columns(krw_equity=pl.lit(10**25).cast(pl.Decimal(38, 0)))
    with pytest.raises(narwhals.exceptions.InvalidOperationError):
        analysis.collect(analysis.equity(much.lazy()))


def test_what_cannot_be_asked_is_refused_at_once() -> None:
    """The error says what to pass, before anything is read."""
    positions, summary = world_rows(Random(1)).frames()
    with pytest.raises(TypeError, match=r"pass what History.summary\(\) returns"):
        analysis.equity([1])
    with pytest.raises(TypeError, match=r"pandas.*pass what History.summary"):
        analysis.equity(pd.DataFrame({"a": [1]}))
    with pytest.raises(ValueError, match=r"no column maintenance_margin: pass what"):
        analysis.margin(summary.drop("maintenance_margin"))
    with pytest.raises(TypeError, match=r"krw_equity of summary is Float64"):
        analysis.equity(summary.with_columns(pl.col("krw_equity").cast(float)))
    with pytest.raises(ValueError, match="no time zone"):
        analysis.attribution(positions, summary, datetime(2026, 11, 2))  # noqa: DTZ001
    with pytest.raises(TypeError, match="pass a datetime"):
        analysis.attribution(positions, summary, end=DAYS[0])  # type: ignore[arg-type]
    late, early = moment(DAYS[1], 0), moment(DAYS[0], 0)
    with pytest.raises(ValueError, match="before start"):
        analysis.attribution(positions, summary, late, early)
    with pytest.raises(ValueError, match="pass 1 to 10000"):
        analysis.thin(summary, "krw_equity", 0)
    with pytest.raises(ValueError, match="no column equity"):
        analysis.thin(summary, "equity", 5)
