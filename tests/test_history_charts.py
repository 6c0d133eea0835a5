"""The charts of history: exact figures, gaps that are gaps, and a year that stays light."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, get_args

import altair as alt
import duckdb
import narwhals as nw
import polars as pl
import pytest

from kis_nb import analysis, charts
from kis_nb._chart_rows.trading_time import TradingTime, night_begins
from kis_nb._choices import Lang, Theme
from kis_nb._seoul import KST
from kis_nb._widgets.vega_spec import split
from tests.histories import FrameStore, World

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
PAYMENT = datetime(2026, 11, 18, 20, tzinfo=KST)


@pytest.fixture(scope="module")
def week() -> World:
    """Six nights and their settlements, with a payment of five million won."""
    return World(date(2026, 11, 16), MONDAY, every=5, deposits={PAYMENT: 5_000_000})


@pytest.fixture(scope="module")
def year() -> World:
    """A year, a snapshot every ten minutes of each night."""
    return World(date(2025, 11, 24), MONDAY, every=10, seed=3)


def _rows(chart: alt.LayerChart, kind: str = "") -> list[dict[str, Any]]:
    (rows,) = split(chart.to_dict())[1].values()
    return [row for row in rows if not kind or row["kind"] == kind]


def _won(amount: int) -> str:
    return f"{amount:,}"


# --- equity -----------------------------------------------------------------------------------


def test_each_moment_says_its_exact_figures(week: World) -> None:
    """What a hover says of a moment is what the store has, as text and to the won."""
    last = {row["as_of"].astimezone(KST): row for row in week.summary_rows}
    for row in _rows(charts.equity(week.summary), "point"):
        stored = last[datetime.fromisoformat(row["id"])]
        assert row["equity_text"] == _won(stored["krw_equity"])
        assert row["at"] == f"{stored['as_of'].astimezone(KST):%Y-%m-%d %H:%M:%S} KST"
        assert row["equity_text"] in row["aria"]


def test_nineteen_digits_are_exact() -> None:
    """The text holds every digit; the height of the line alone is a float."""
    huge = 1_234_567_890_123_456_789
    world = World(MONDAY, MONDAY, every=60, foreign=huge)
    (first, *_) = _rows(charts.equity(world.summary[:1]), "point")
    assert first["equity_text"] == _won(world.summary_rows[0]["krw_equity"] + huge)


def test_a_year_is_light_and_keeps_its_extremes(year: World) -> None:
    """A year of nights is a thousand points at most, the first, last, least and largest among them,
    and the deepest drawdown is the true one.
    """
    equity = [row["krw_equity"] for row in year.summary_rows]
    points = _rows(charts.equity(year.summary, lang="en"), "point")
    assert len(year.summary_rows) > 17_000
    assert len(points) <= 4 * 240 + 1
    shown = [int(row["equity_text"].replace(",", "")) for row in points]
    assert (shown[0], shown[-1]) == (equity[0], equity[-1])
    assert (min(shown), max(shown)) == (min(equity), max(equity))
    peak = deepest = 0
    for one in equity:
        peak = max(peak, one)
        deepest = min(deepest, one - peak)
    (marked,) = [row for row in points if row["low"]]
    assert marked["drawdown_text"] == _won(deepest)
    assert len(json.dumps(charts.equity(year.summary).to_dict())) < 500_000


def test_a_weekend_takes_no_width(week: World) -> None:
    """Friday's settlement and Monday's night are almost one above the other; no line crosses the
    time between a night and its settlement, in which nothing was recorded.
    """
    points = _rows(charts.equity(week.summary), "point")
    for one, other in pairwise(points):
        hours = (
            datetime.fromisoformat(other["id"]) - datetime.fromisoformat(one["id"])
        ) / timedelta(hours=1)
        if hours > 48:
            assert other["x"] - one["x"] < 8
        # A night ends at 05:55, its settlement is at 15:45.
        assert (one["segment"] != other["segment"]) == (hours > 9), one["at"]
        if one["segment"] != other["segment"]:
            assert other["from"] == one["x"]


def test_a_pause_in_a_night_is_no_slope(week: World) -> None:
    """Two hours without a snapshot break the line, and the figure before them is held."""
    night = week.summary.filter(pl.col("source") == "snapshot", pl.col("date") == MONDAY)
    begins = night["as_of"][0] + timedelta(hours=2)
    paused = night.filter(~pl.col("as_of").is_between(begins, begins + timedelta(hours=2)))
    points = _rows(charts.equity(paused), "point")
    (after,) = [row for row in points if row["from"] is not None]
    before = points[points.index(after) - 1]
    assert (after["from"], after["equity_from"]) == (before["x"], before["equity"])
    assert after["segment"] == before["segment"] + 1


def test_settlements_are_told_apart(week: World) -> None:
    """A settlement says so in its hover and is marked; the heading counts both kinds."""
    rows = _rows(charts.equity(week.summary, lang="en"))
    settled = [row for row in rows if row.get("settled")]
    assert [row["at"][11:16] for row in settled] == ["15:45"] * 6
    assert {row["source"] for row in settled} == {"settlement"}
    assert "864 recorded · 6 settlements" in rows[0]["head"]


def test_nights_are_shaded_from_18_to_6() -> None:
    """A Monday's night is Friday's evening, and its shade is twelve hours wide."""
    axis = TradingTime(night_begins(FRIDAY), datetime(2026, 11, 23, 15, 45, tzinfo=KST))
    assert night_begins(MONDAY) == datetime(2026, 11, 20, 18, tzinfo=KST)
    assert [round(one.ends - one.begins, 6) for one in axis.nights()] == [12.0, 12.0]


def test_trading_time_never_goes_back() -> None:
    """Any two moments, in sessions or not, keep their order on the axis."""
    first = datetime(2026, 9, 22, 3, 17, tzinfo=KST)
    axis = TradingTime(first, first + timedelta(days=20))
    places = [axis.x(first + timedelta(minutes=37 * step)) for step in range(20 * 1440 // 37)]
    assert places == sorted(set(places))


@pytest.mark.parametrize("days", [0, 1, 4, 20, 60, 365])
def test_labels_of_any_span(days: int) -> None:
    """An axis has labels for any span, in order, in both languages."""
    last = datetime(2026, 11, 23, 5, 30, tzinfo=KST)
    axis = TradingTime(last - timedelta(days=days, hours=1), last)
    for lang in get_args(Lang):
        ticks = axis.ticks(lang)
        assert 0 < len(ticks) < 45
        apart = [after.x - tick.x for tick, after in pairwise(ticks)]
        # Of the first day an hour is there: its label would be under the second one's.
        assert not apart or apart[0] > 0.7 * min(apart[1:], default=0)
        assert [tick.x for tick in ticks] == sorted(tick.x for tick in ticks)


def test_demo_is_marked(week: World) -> None:
    """Invented figures say DEMO in every chart, real ones do not."""
    real = World(MONDAY, MONDAY, every=60, demo=False)
    for world, mark in ((week, "DEMO"), (real, "")):
        pair = (world.positions, world.summary)
        for chart in (
            charts.equity(world.summary),
            charts.margin_history(world.summary),
            charts.attribution(pair),
        ):
            assert _rows(chart)[0]["demo"] == mark


@pytest.mark.parametrize(
    ("count", "lang", "theme"), [(0, "ko", "lab"), (1, "en", "light"), (2, "ko", "dark")]
)
def test_every_size_is_a_chart(week: World, theme: Theme, lang: Lang, count: int) -> None:
    """No moment, one or two: each chart is valid, in both languages and every theme."""
    summary = week.summary[:count]
    for chart in (
        charts.equity(summary, lang=lang, theme=theme),
        charts.margin_history(summary, lang=lang, theme=theme),
        charts.attribution((week.positions, summary), lang=lang, theme=theme),
    ):
        json.dumps(chart.to_dict(), allow_nan=False)
        assert bool(count) != any("note" in row for row in _rows(chart))


# --- which account, from when to when -----------------------------------------------------------


def test_several_accounts_have_to_be_told_apart(week: World) -> None:
    """Without a choice the labels are listed, and never a number; each can be chosen."""
    other = World(MONDAY, MONDAY, every=60, label="700*****-03", account="b" * 16, seed=2)
    both = pl.concat([week.summary, other.summary])
    with pytest.raises(ValueError, match=r"700\*+-03, 800\*+-03"):
        charts.equity(both)
    with pytest.raises(ValueError, match=r"700\*+-03") as said:
        charts.margin_history(both, account="12345678-03")
    assert "12345678" not in str(said.value)
    assert _rows(charts.equity(both, account="700*****-03"))[0]["head"].startswith("700")
    store = FrameStore(week, other)
    assert _rows(charts.equity(store, account="b" * 16))[0]["head"].startswith("700")


def test_start_and_end_are_days_or_moments(week: World) -> None:
    """A day begins at 18:00 of the evening before, a time without a zone is Seoul's, and what is
    neither is refused.
    """
    day = _rows(charts.equity(week.summary, start="2026-11-23", end=MONDAY), "point")
    assert (day[0]["at"], day[-1]["at"]) == (
        "2026-11-20 18:00:00 KST",
        "2026-11-23 15:45:00 KST",
    )
    hour = charts.equity(
        week.summary, start="2026-11-18T20:00", end=datetime(2026, 11, 18, 21, tzinfo=KST)
    )
    points = _rows(hour, "point")
    assert (points[0]["at"][11:16], points[-1]["at"][11:16]) == ("20:00", "21:00")
    with pytest.raises(ValueError, match="start takes a day or a time"):
        charts.equity(week.summary, start="yesterday")


def test_duckdb_draws_the_same_rows(week: World) -> None:
    """Read by another engine, every row is the same."""
    summary = week.summary
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql("SELECT * FROM summary")
        assert nw.from_native(relation).columns == summary.columns
        assert _rows(charts.equity(relation)) == _rows(charts.equity(summary))
        assert _rows(charts.margin_history(relation)) == _rows(charts.margin_history(summary))


# --- margin -----------------------------------------------------------------------------------


def test_the_lowest_room_is_the_lowest(year: World) -> None:
    """The moment marked is the one of the least room in the whole year, reduced or not."""
    rows = year.summary_rows
    least = min(rows, key=lambda row: (row["krw_equity"] - 20_000_000, row["as_of"]))
    chart = charts.margin_history(year.summary, lang="en")
    (marked,) = [row for row in _rows(chart, "point") if row["low"]]
    assert marked["room_text"] == _won(least["krw_equity"] - 20_000_000)
    assert datetime.fromisoformat(marked["id"]) == least["as_of"]
    assert _rows(chart)[0]["lowest"].startswith(f"Lowest room {marked['room_text']}")


def test_a_margin_that_was_not_sent_is_no_figure() -> None:
    """Without a maintenance margin the chart says so, and a margin call is marked as one."""
    none = World(MONDAY, MONDAY, every=60, margin=None)
    (row,) = _rows(charts.margin_history(none.summary, lang="en"))
    assert row["note"].startswith("No maintenance margin")
    short = World(MONDAY, MONDAY, every=60, margin=60_000_000)
    assert "⚠ margin call" in _rows(charts.margin_history(short.summary, lang="en"))[0]["lowest"]


# --- attribution --------------------------------------------------------------------------------


def _figures(chart: alt.LayerChart) -> dict[str, int]:
    return {row["name"]: int(row["figure"].replace(",", "")) for row in _rows(chart)}


def test_a_waterfall_adds_up(week: World) -> None:
    """The start and every change are the end, to the won; the payment is a cash flow, and the
    remainder is shown at 0.
    """
    rows = week.summary_rows
    figures = _figures(charts.attribution((week.positions, week.summary), lang="en"))
    names = list(figures)
    assert (names[0], names[-1]) == ("Equity at the start", "Equity at the end")
    assert figures[names[0]] == rows[0]["krw_equity"]
    assert figures[names[-1]] == rows[-1]["krw_equity"]
    assert sum(list(figures.values())[:-1]) == figures[names[-1]]
    assert figures["Cash flow"] == 5_000_000
    assert figures["Fees"] == -6 * week.fee
    assert figures["Remainder (unexplained)"] == 0


def test_moments_are_moved_to_snapshots(week: World) -> None:
    """It is between the last snapshots at or before the moments asked for, which it names."""
    pair = (week.positions, week.summary)
    chart = charts.attribution(pair, start="2026-11-18T19:02", end="2026-11-18T22:59:59")
    assert "2026-11-18 19:00:00 – 2026-11-18 22:55:00 KST" in _rows(chart)[0]["head_end"]
    day = charts.attribution(pair, start=MONDAY, end=MONDAY)
    assert "2026-11-20 15:45:00 – 2026-11-23 15:45:00 KST" in _rows(day)[0]["head_end"]


def test_a_ready_frame_is_drawn(week: World) -> None:
    """What the analysis made is drawn as it is, and a history gives the same."""
    made = analysis.attribution(week.positions, week.summary)
    ready = charts.attribution(made, lang="en")
    assert _figures(ready) == _figures(charts.attribution(FrameStore(week), lang="en"))


def test_an_unknown_part_is_a_dash() -> None:
    """A part that nobody knows has no bar and no figure, and the end is still the end."""
    items = [
        ("start", None, 10),
        ("price", "KOSPI 200", None),
        ("fees", None, -1),
        ("end", None, 8),
    ]
    frame = pl.DataFrame(
        [("a", "800*****-03", product, item, amount) for item, product, amount in items],
        schema={
            "account": pl.String,
            "account_label": pl.String,
            "product": pl.String,
            "item": pl.String,
            "amount": pl.Decimal(38, 0),
        },
        orient="row",
    )
    rows = _rows(charts.attribution(frame, lang="en"))
    by_name = {row["name"]: row for row in rows}
    unknown = by_name["KOSPI 200 price moves"]
    assert (unknown["figure"], unknown["from"]) == ("–", unknown["value"])
    assert by_name["Equity at the end"]["figure"] == "8"
    assert rows[0]["head_top"] == "800*****-03 · P&L –"


def test_no_float_between_store_and_text(week: World) -> None:
    """The series that the rows are made of hold Decimals alone."""
    from kis_nb._chart_rows import equity_history

    made = equity_history.series(week.summary, None, None, None)
    assert {type(point["equity"]) for point in made.points} == {Decimal}
