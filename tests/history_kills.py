"""Eight processes append to one history while they are killed at random.

    python -m tests.history_kills [--kills N] [--seed N] [--spark]

Two more compact the day over and over and are killed too, and one reads all the time. In the end
the rows that Polars, DuckDB and, when asked, Spark read must be those that were acknowledged, and
of each kill at most one snapshot more, whole; none twice, and in no read before. Prints what was
found; exits with 1 when anything was wrong.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from kis_nb._errors import HistoryError
from kis_nb._frames.calendar import trading_date
from kis_nb._history.history import History
from tests.factories import book, make_balance

WRITERS, COMPACTORS, ROWS = 8, 2, 5
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = date(2026, 11, 23)


@dataclass
class Campaign:
    """One campaign in a folder.

    Attributes:
        folder: takes the history and what the processes note.
        kills: how many writers are killed.
        seed: of when and whom.
    """

    folder: Path
    kills: int
    seed: int = 0
    faults: list[str] = field(default_factory=list)
    _number: int = 0

    def __post_init__(self) -> None:
        os.environ["KIS_NB_HISTORY_KEY"] = str(self.folder / "key")
        self.root = self.folder / "history"
        self.notes = self.folder / "notes"
        self.notes.mkdir()
        # Loads the calendar, which takes longer than an append, before the processes part.
        assert trading_date(START) == DAY

    def run(self) -> float:
        """Kill and replace processes until there were enough kills.

        Returns:
            Seconds.
        """
        chance = random.Random(self.seed)
        begin = time.monotonic()
        writers = [self._fork(self._write) for _ in range(WRITERS)]
        compactors = [self._fork(self._compact) for _ in range(COMPACTORS)]
        reader = self._fork(self._read)
        for number in range(self.kills):
            time.sleep(chance.uniform(0.0, 0.1))
            at = chance.randrange(WRITERS)
            _end(writers[at])
            writers[at] = self._fork(self._write)
            if number % 10 == 9:
                at = chance.randrange(COMPACTORS)
                _end(compactors[at])
                compactors[at] = self._fork(self._compact)
        for process in (*writers, *compactors):
            _end(process)
        (self.folder / "stop").touch()
        _, status = os.waitpid(reader, 0)
        if status:
            self.faults.append((self.folder / "reader").read_text("utf-8"))
        return time.monotonic() - begin

    def _fork(self, work: Callable[[int], None]) -> int:
        self._number += 1
        process = os.fork()
        if process:
            return process
        try:
            work(self._number)
        except BaseException as error:  # noqa: BLE001
            with (self.folder / f"error-{self._number}").open("w", encoding="utf-8") as file:
                file.write(f"{work.__name__}: {type(error).__name__}: {error}")
        finally:
            os._exit(1)

    def _write(self, number: int) -> None:
        """Append forever; note each snapshot before it and after it."""
        history = History(self.root)
        balance = make_balance(book(ROWS), account=f"800123{number % 9:02}-03")
        notes = os.open(self.notes / str(number), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        for count in range(100_000):
            moment = START + timedelta(microseconds=number * 1_000_000 + count)
            text = f"{number * 1_000_000 + count}\n"
            os.write(notes, f"begun {text}".encode())
            history.append(replace(balance, as_of=moment))
            os.write(notes, f"kept {text}".encode())

    def _compact(self, _: int) -> None:
        history = History(self.root)
        while True:
            history.compact(DAY)
            time.sleep(0.2)

    def _read(self, _: int) -> None:
        """Read all the time, by the history and by a plain pattern; say what was wrong."""
        reads = misses = 0
        while not (self.folder / "stop").exists():
            kept = self.noted("kept")
            for way in (self._by_history, self._by_pattern):
                try:
                    positions, summary = way()
                except (FileNotFoundError, pl.exceptions.ComputeError, HistoryError):
                    misses += 1
                    continue
                reads += 1
                wrong = _wrong(positions, summary, kept, None)
                if wrong:
                    (self.folder / "reader").write_text(f"{way.__name__}: {wrong}", "utf-8")
                    os._exit(1)
        (self.folder / "reader").write_text(f"{reads} reads, {misses} asked again", "utf-8")
        os._exit(0)

    def _by_history(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        history = History(self.root)
        # The summary first: what it names, the positions have.
        summary = history.summary().select("snapshot", "as_of", "positions").collect()
        return history.positions().select("snapshot", "row").collect(), summary

    def _by_pattern(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        columns = ("snapshot", "as_of", "positions")
        summary = pl.scan_parquet(self.root / "summary/**/*.parquet").select(columns).collect()
        rows = pl.scan_parquet(self.root / "positions/**/*.parquet").select("snapshot", "row")
        return rows.collect(), summary

    def noted(self, what: str) -> set[int]:
        """The snapshots that were begun or kept, by their microseconds."""
        lines = "".join(path.read_text("utf-8") for path in self.notes.iterdir()).splitlines()
        words = (line.split() for line in lines)
        return {int(word[1]) for word in words if len(word) == 2 and word[0] == what}

    def check(self, spark: Any = None) -> str:
        """Read everything on each engine and compare it with what was noted.

        Args:
            spark: a session, or None.

        Returns:
            A line with what was found; what is wrong is in `faults`.
        """
        for path in self.folder.glob("error-*"):
            self.faults.append(path.read_text("utf-8"))
        kept, begun = self.noted("kept"), self.noted("begun")
        history = History(self.root)
        found: dict[str, int] = {}
        for compacted in (False, True):
            if compacted:
                history.compact(DAY)
            engines: dict[str, Any] = {"Polars": None, "DuckDB": duckdb.connect()}
            if spark is not None:
                engines["Spark"] = spark
            for name, engine in engines.items():
                summary = _frame(history.summary(engine))
                positions = _frame(history.positions(engine))
                wrong = _wrong(positions, summary, kept, begun)
                found[name] = summary.height
                if summary.height - len(kept) > self.kills + WRITERS:
                    wrong = f"{summary.height - len(kept)} more than were acknowledged"
                if wrong:
                    self.faults.append(f"{name}, compacted: {compacted}: {wrong}")
        if len(set(found.values())) != 1:
            self.faults.append(f"the engines differ: {found}")
        counted = ", ".join(f"{name} {number}" for name, number in found.items())
        return f"{len(begun)} begun, {len(kept)} acknowledged; read: {counted}"


def _wrong(
    positions: pl.DataFrame, summary: pl.DataFrame, kept: set[int], begun: set[int] | None
) -> str:
    """What is wrong with rows that were read; blank when nothing is."""
    moments = ((summary["as_of"] - START).dt.total_microseconds()).to_list()
    if len(moments) != len(set(moments)) or summary["snapshot"].n_unique() != summary.height:
        return "a snapshot is there twice"
    if missing := kept.difference(moments):
        return f"{len(missing)} acknowledged snapshots are missing"
    if begun is not None and set(moments) - begun:
        return "there are snapshots that nobody began"
    rows = positions.filter(pl.col("snapshot").is_in(summary["snapshot"].implode()))
    if begun is not None and rows.height != positions.height:
        return "there are positions without a summary"
    if rows.unique().height != rows.height:
        return "a position is there twice"
    if rows.height != summary.height * ROWS:
        return f"{summary.height * ROWS - rows.height} positions are missing"
    return ""


def _frame(rows: Any) -> pl.DataFrame:
    lazy = isinstance(rows, pl.LazyFrame)
    names = rows.collect_schema().names() if lazy else rows.columns
    wanted = ["snapshot", "as_of", "positions"] if "positions" in names else ["snapshot", "row"]
    if isinstance(rows, pl.LazyFrame):
        return rows.select(wanted).collect()
    if hasattr(rows, "pl"):
        frame: pl.DataFrame = rows.select(*wanted).pl()
    else:
        frame = pl.DataFrame(pl.from_arrow(rows.select(*wanted).toArrow()))
    if "as_of" in frame.columns:
        frame = frame.with_columns(pl.col("as_of").dt.convert_time_zone("UTC"))
    return frame


def _end(process: int) -> None:
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)


def main() -> int:
    """Run a campaign and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m tests.history_kills")
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--spark", action="store_true", help="read with Spark too")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        campaign = Campaign(Path(folder), asked.kills, asked.seed)
        seconds = campaign.run()
        spark = None
        if asked.spark:
            from pyspark.sql import SparkSession

            builder: Any = SparkSession.builder
            spark = builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
        found = campaign.check(spark)
        reader = (campaign.folder / "reader").read_text("utf-8")
        print(f"{asked.kills} kills, seed {asked.seed}, {seconds:.0f} s: {found}; {reader}")
        for fault in campaign.faults:
            print("WRONG:", fault)
    return bool(campaign.faults)


if __name__ == "__main__":
    sys.exit(main())
