"""`kis_nb.analysis` on DuckDB and Spark: the same rows, types and digits as on Polars."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

import kis_nb
from kis_nb import analysis
from tests.history_rows import Rows, any_rows, world_rows

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TOP = Path(__file__).parents[1]
PARTS = (0, 500, 999, 1_000, 1_499, 1_999)  # microseconds


def write(rows: pl.DataFrame, folder: Path) -> None:
    """One file of a day."""
    folder.mkdir(parents=True)
    rows.drop("date").write_parquet(folder / "rows.parquet")


def stores(folder: Path, count: int) -> list[tuple[Rows, Path]]:
    """Rows of both kinds, each in the store's layout."""
    made = []
    for seed in range(count):
        rows = (any_rows if seed % 2 else world_rows)(Random(seed))
        place = folder / str(seed)
        for name, frame in zip(("positions", "summary"), rows.frames(), strict=True):
            for (day,), part in frame.partition_by("date", as_dict=True).items():
                write(part, place / name / f"date={day}")
            if frame.is_empty():
                write(frame, place / name / "date=2026-11-02")
        made.append((rows, place))
    return made


def answers(positions: Any, summary: Any, **span: Any) -> dict[str, Any]:
    """Every question, unanswered yet."""
    both = {
        "attribution": analysis.attribution(positions, summary),
        "part": analysis.attribution(positions, summary, **span),
        "exposure": analysis.exposure(positions),
        "now": analysis.exposure(positions, summary),
    }
    for name in ("equity", "margin", "lowest_room", "returns"):
        both[name] = getattr(analysis, name)(summary)
    return both | {"thin": analysis.thin(both["equity"], "equity", 2)}


def compare(rows: Rows, positions: Any, summary: Any) -> None:
    """Equal to Polars' answers, which `test_analysis` holds against plain Python."""
    moments = sorted(row["as_of"] for row in rows.summary)
    span = {"start": moments[len(moments) // 4], "end": moments[-1 - len(moments) // 4]}
    usual = answers(*(frame.lazy() for frame in rows.frames()), **span)
    found = answers(positions, summary, **span)
    for name, query in found.items():
        assert type(query) is type(positions)
        want, have = analysis.collect(usual[name]), analysis.collect(query)
        assert have.schema == want.schema, name
        assert have.equals(want), f"{name}\n{have}\n{want}"


def test_duckdb_answers_as_polars_does(tmp_path: Path) -> None:
    """Values, types and nulls are equal on 6 stores."""
    for rows, place in stores(tmp_path, 6):
        with duckdb.connect() as connection:
            read = [
                connection.read_parquet(f"{place / name}/**/*.parquet", hive_partitioning=True)
                for name in ("positions", "summary")
            ]
            compare(rows, *read)


def test_duckdb_thins_views_of_one_moment_as_polars_does() -> None:
    """Pulls a fraction of a millisecond apart fall into the same part of the time."""
    times = [datetime(2026, 11, 2, 9, tzinfo=UTC) + timedelta(microseconds=us) for us in PARTS]
    kinds = {"as_of": pl.Datetime("us", "UTC"), "equity": pl.Decimal(38, 0)}
    made = {"account": ["a"] * len(times), "as_of": times, "equity": [5, 1, 7, 2, 9, 4]}
    frame = pl.DataFrame(made, schema_overrides=kinds)
    with duckdb.connect() as connection:
        relation = connection.from_arrow(frame.to_arrow())
        for points in range(1, 6):
            want = analysis.collect(analysis.thin(frame.lazy(), "equity", points))
            assert analysis.collect(analysis.thin(relation, "equity", points)).equals(want)


def test_the_page_for_a_cluster_runs(
    spark: SparkSession,
    own_environment: None,  # noqa: ARG001 (a key of the history of its own)
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The code of docs/scale.md runs as it stands, in local mode, on a history of the demo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIS_NB_HISTORY_KEY", str(tmp_path / "key"))
    with kis_nb.connect(demo=True) as client:
        kept = kis_nb.history("nights").append(client.balances())
    assert kept
    page = (TOP / "docs" / "scale.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        # Spark's own folder stays the one that its Java was started in.
        exec(block.replace('"equity"', repr(str(tmp_path / "equity"))), names)  # noqa: S102
    assert names["spark"] is spark
    assert set(names["why"]["item"]) >= {"start", "remainder", "end"}
    assert spark.read.parquet(str(tmp_path / "equity")).count() == kept


def test_spark_answers_as_polars_does(spark: SparkSession, tmp_path: Path) -> None:
    """Values, types and nulls are equal on 2 stores, read lazily."""
    for rows, place in stores(tmp_path, 2):
        compare(rows, *(spark.read.parquet(str(place / name)) for name in ("positions", "summary")))
