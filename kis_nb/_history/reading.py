"""Which files of a history a question is about, and these files as a frame of each engine."""

from __future__ import annotations

import glob
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._errors import HistoryError
from kis_nb._frames.calendar import trading_date
from kis_nb._history.layout import day_of, is_foreign, is_merged, is_snapshot, may_hold, uncounted
from kis_nb._history.local_files import LocalFiles
from kis_nb._history.schema import DATE, Columns, Folder, duckdb_type, spark_type

if TYPE_CHECKING:
    from kis_nb._history.object_files import ObjectFiles

_log = logging.getLogger("kis_nb")

_DAMAGED = "is damaged and is left out; restore it from a backup or delete it"
_NO_LIST = "has no list of its merged files, which are left out; restore it from a backup"
# A file's trading day, where the folders above the history cannot be taken for partitions.
_FILE_DAY = rf"{DATE}=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})[/\\\\][^/\\\\]*$"

Day = date | datetime | str | None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for.

    Attributes:
        account: what the history calls it; None for all.
        first, last: trading days, both included; None for no bound.
        since, until: moments, both included; None for no bound.
    """

    account: str | None = None
    first: date | None = None
    last: date | None = None
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def of(cls, account: str | None, start: Day, end: Day) -> Question:
        """A question from what a user gives: a day, a moment, or either as ISO text.

        Raises:
            ValueError: a text that is neither, or a moment without a time zone.
        """
        (first, since), (last, until) = map(_bound, (start, end))
        return cls(account, first, last, since, until)

    def has_day(self, day: date) -> bool:
        """Whether a trading day is asked for."""
        return (self.first is None or day >= self.first) and (self.last is None or day <= self.last)


def _bound(given: Day) -> tuple[date | None, datetime | None]:
    if isinstance(given, str):
        given = date.fromisoformat(given) if len(given) == 10 else datetime.fromisoformat(given)
    if not isinstance(given, datetime):
        return given, None
    if given.tzinfo is None:
        raise ValueError("a moment needs a time zone, as kis_nb's own have")
    return trading_date(given), given.astimezone(UTC)


@dataclass(slots=True)
class Listing:
    """Finds the files of a history that count, and names once what it leaves out.

    Attributes:
        files: the history's files.
    """

    files: LocalFiles | ObjectFiles
    _checked: dict[str, bool] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def counted(self, folder: Folder, question: Question) -> list[str]:
        """The paths of the files that a question is about, days in order."""
        found: list[str] = []
        for day, name in sorted(self.days(folder).items()):
            if question.has_day(day):
                found += [
                    self.files.join(folder, name, one)
                    for one in self.of_day(folder, name)
                    if question.account is None or may_hold(one, question.account)
                ]
        return found

    def days(self, folder: Folder) -> Mapping[date, str]:
        """The days of a folder, with what their folders are called."""
        return {day: name for name in self.files.names(folder) if (day := day_of(name))}

    def of_day(self, folder: Folder, day: str) -> list[str]:
        """The names of a day's files that count: merged ones first."""
        # The summary's file makes a snapshot count. Where one is without, its writer was killed or
        # is at work. It is listed first, so that what counts is whole.
        committed = None if folder == "summary" else set(self.files.names("summary", day))
        names = self.files.names(folder, day)
        self._name_foreign(folder, day, names)
        single: list[str] = []
        if any(map(is_snapshot, names)):
            merged = self.files.merged(folder, day, names)
            files = merged.files
            single = uncounted(names, merged)
            if committed is not None:
                committed |= self.files.merged("summary", day, list(committed)).members
                single = [name for name in single if name in committed]
        else:
            # A day that was merged and is over: what is in its merged files need not be known.
            files = self.files.merged_files(folder, day, names)
        if not files and not self.files.remote and any(map(is_merged, names)):
            self._say(self.files.join(folder, day), _NO_LIST)
        return [name for name in (*files, *single) if self._is_whole(folder, day, name)]

    def _name_foreign(self, folder: Folder, day: str, names: Iterable[str]) -> None:
        for name in filter(is_foreign, names):
            self._say(self.files.join(folder, day, name), "is no file of a history and is left out")

    def _is_whole(self, folder: Folder, day: str, name: str) -> bool:
        path = self.files.join(folder, day, name)
        known = self._checked.get(path)
        if known is None:
            known = self._checked[path] = self.files.whole(folder, day, name)
        if not known:
            self._say(path, _DAMAGED)
        return known

    def leave_out_damaged(
        self, folder: Folder, question: Question, storage_options: Mapping[str, Any] | None
    ) -> int:
        """Read every file that a question is about, and leave out from now on what cannot be read.

        Returns:
            How many these are.
        """
        found = 0
        for path in self.counted(folder, question):
            try:
                pl.scan_parquet(
                    path,
                    hive_partitioning=False,
                    glob=False,
                    storage_options=dict(storage_options) if storage_options else None,
                ).collect()
            except FileNotFoundError:
                continue
            except pl.exceptions.PolarsError:
                self._checked[path] = False
                self._say(path, _DAMAGED)
                found += 1
        return found

    def _say(self, path: str, what: str) -> None:
        if path not in self._said:
            self._said.add(path)
            _log.warning("%s %s", path, what)


def frame(
    paths: Sequence[str],
    columns: Columns,
    question: Question,
    engine: Any,
    *,
    root: str,
    storage_options: Mapping[str, Any] | None,
) -> Any:
    """The rows of files as a frame of an engine, lazily.

    Args:
        paths: the files.
        columns: the folder's, in order.
        question: which rows of the files are asked for.
        engine: None for Polars, a DuckDB connection, or a Spark session.
        root: the folder that the partitions are in.
        storage_options: of an object store, for Polars.

    Raises:
        HistoryError: another engine.
        FileNotFoundError: a compaction replaced a file since they were listed.
    """
    if engine is None:
        return _polars(paths, columns, question, root, storage_options)
    kind = type(engine).__module__.split(".")[0].lstrip("_")
    if kind == "duckdb":
        return _duckdb(paths, columns, question, engine, root)
    if kind == "pyspark":
        return _spark(paths, columns, question, engine, root)
    raise HistoryError(
        f"a history is read by Polars (engine=None), a DuckDB connection or a Spark session, "
        f"not by {type(engine).__name__}"
    )


def _polars(
    paths: Sequence[str],
    columns: Columns,
    question: Question,
    root: str,
    storage_options: Mapping[str, Any] | None,
) -> pl.LazyFrame:
    # In a folder such as ``account=mine`` Polars would have another partition.
    plain = "=" in root
    rows = pl.scan_parquet(
        list(paths),
        schema=columns,
        missing_columns="insert",
        extra_columns="ignore",
        hive_partitioning=not plain,
        hive_schema=None if plain else {DATE: pl.Date()},
        include_file_paths=DATE if plain else None,
        glob=False,
        storage_options=dict(storage_options) if storage_options else None,
    ).select(DATE, *columns)
    if plain:
        rows = rows.with_columns(pl.col(DATE).str.extract(_FILE_DAY).str.to_date("%Y-%m-%d"))
    for name, sign, value in _conditions(question):
        one = pl.col(name)
        rows = rows.filter(
            one == value if sign == "=" else one >= value if sign == ">=" else one <= value
        )
    return rows


def _conditions(question: Question) -> Iterator[tuple[str, str, Any]]:
    if question.account is not None:
        yield "account", "=", question.account
    if question.since is not None:
        yield "as_of", ">=", question.since
    if question.until is not None:
        yield "as_of", "<=", question.until


def _duckdb(
    paths: Sequence[str], columns: Columns, question: Question, engine: Any, root: str
) -> Any:
    import duckdb

    types = {DATE: "DATE"} | {name: duckdb_type(dtype) for name, dtype in columns.items()}
    if not paths:
        cells = ", ".join(f"CAST(NULL AS {t}) AS {_quoted(name)}" for name, t in types.items())
        return engine.sql(f"SELECT {cells} LIMIT 0")
    plain = "=" in root
    try:
        rows = engine.read_parquet(
            [glob.escape(path) for path in paths],
            union_by_name=True,
            hive_partitioning=not plain,
            filename=plain,
        )
    except duckdb.IOException as error:
        if "No files found" in str(error) or "No such file" in str(error):
            raise FileNotFoundError from error
        _name_store(root, "DuckDB", "its extension httpfs and a secret")
        raise
    except duckdb.Error:
        _name_store(root, "DuckDB", "its extension httpfs and a secret")
        raise
    if plain:
        day = "regexp_extract(filename, '" + _FILE_DAY + f"', 1) AS {_quoted(DATE)}"
        rows = rows.project(f"* EXCLUDE (filename), {day}")
    there = set(rows.columns)
    for name, sign, value in _conditions(question):
        left, right = duckdb.ColumnExpression(name), duckdb.ConstantExpression(value)
        rows = rows.filter(
            left == right if sign == "=" else left >= right if sign == ">=" else left <= right
        )
    return rows.project(
        ", ".join(
            f"CAST({_quoted(name) if name in there else 'NULL'} AS {t}) AS {_quoted(name)}"
            for name, t in types.items()
        )
    )


def _name_store(root: str, engine: str, needs: str) -> None:
    """Say what an engine of the user's own needs for an object store; nothing for a folder."""
    if "://" in root:
        raise HistoryError(
            f"{engine} cannot read {root}: an object store is read by Polars with "
            f"storage_options; {engine} needs {needs} of your own"
        ) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _spark(
    paths: Sequence[str], columns: Columns, question: Question, engine: Any, root: str
) -> Any:
    from pyspark.sql import functions
    from pyspark.sql.types import DateType, StructType

    schema = StructType()
    for name, dtype in columns.items():
        schema.add(name, spark_type(dtype))
    names = [DATE, *columns]
    if not paths:
        return engine.createDataFrame([], schema.add(DATE, DateType())).select(
            *(f"`{name.replace('`', '``')}`" for name in names)
        )
    reader = engine.read.schema(schema.add(DATE, DateType())).option("basePath", root)
    try:
        # Spark reads each path as a pattern.
        rows = reader.parquet(*(re.sub(r"([\\\[\]{}*?])", r"\\\1", path) for path in paths))
    except Exception:
        _name_store(root, "Spark", "hadoop-aws and its settings")
        raise
    for name, sign, value in _conditions(question):
        left = functions.col(name)
        right = functions.lit(value)
        rows = rows.filter(
            left == right if sign == "=" else left >= right if sign == ">=" else left <= right
        )
    return rows.select(*(f"`{name.replace('`', '``')}`" for name in names))
