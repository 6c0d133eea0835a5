"""What the charts of history draw: one account's moments, reduced by the engine that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Protocol, TypeAlias, TypeGuard

import narwhals as nw

from kis_nb._frames.text import moment
from kis_nb._seoul import KST

# Moments further apart than this are not joined by a line, seconds.
_JOINED = 15 * 60
# Buckets of time that `kis_nb.analysis.thin` keeps the first, last, least and largest moment of.
POINTS = 240
# A moment, a trading day, or either as ISO text. A time without a zone is Seoul's.
When: TypeAlias = datetime | date | str | None


class HistorySource(Protocol):
    """What the charts need of `kis_nb.history`."""

    def summary(self) -> Any:
        """The rows of summaries, lazily."""

    def positions(self) -> Any:
        """The rows of positions, lazily."""

    def account_id(self, account: Any) -> str:
        """The key of an account in the store."""


@dataclass(frozen=True, slots=True)
class Series:
    """One account's moments, in their order.

    Attributes:
        account, label: its key in the store and its masked label; blank without moments.
        points: a row a moment, with ``segment``, the number of the stretch without a gap.
        marked: the row that is marked as the least of its kind; None without rows.
        counts: how many moments there are of each source, drawn or not.
    """

    account: str
    label: str
    points: list[dict[str, Any]]
    marked: dict[str, Any] | None
    counts: dict[str, int]

    @property
    def demo(self) -> bool:
        """Whether any of it is invented."""
        return any(point["demo"] for point in self.points)


def is_history(given: Any) -> TypeGuard[HistorySource]:
    """Whether this is a store and not a frame, whose columns may be attributes with any name."""
    return hasattr(type(given), "account_id")


def summary_of(given: Any) -> nw.LazyFrame[Any]:
    """The summary rows of a history, or a native frame of them."""
    native = given.summary() if is_history(given) else given
    frame: nw.LazyFrame[Any] = nw.from_native(native).lazy()
    return frame


def read_when(when: When, name: str) -> datetime | date | None:
    """A moment with its zone, a trading day, or None.

    Raises:
        ValueError: a text that is neither.
    """
    if isinstance(when, str):
        try:
            when = date.fromisoformat(when) if len(when) <= 10 else datetime.fromisoformat(when)
        except ValueError:
            raise ValueError(f"{name} takes a day or a time in ISO form; got {when!r}") from None
    if isinstance(when, datetime):
        # In UTC, as the store has it: Polars compares no two zones.
        return (when if when.tzinfo else when.replace(tzinfo=KST)).astimezone(UTC)
    return when


def within(frame: nw.LazyFrame[Any], start: When, end: When) -> nw.LazyFrame[Any]:
    """The rows from one moment to another; a date is a trading day, from its 18:00 to its end."""
    for when, name in ((read_when(start, "start"), "start"), (read_when(end, "end"), "end")):
        if when is None:
            continue
        column = nw.col("as_of" if isinstance(when, datetime) else "date")
        frame = frame.filter(column >= when if name == "start" else column <= when)
    return frame


def one_account(
    frame: nw.LazyFrame[Any], account: str | None, given: Any = None
) -> tuple[nw.LazyFrame[Any], str, str]:
    """The rows of one account, with its key and its label.

    Args:
        frame: with the columns ``account`` and ``account_label``.
        account: its label, its number, or its key in the store; None takes the only one there is.
        given: the history that the rows are of, which knows an account by its number.

    Raises:
        ValueError: there are several and none was chosen, or the one chosen is not there. The
            message lists the labels.
    """
    known = rows_of(frame.select("account", "account_label").unique())
    labels = {row["account"]: row["account_label"] for row in known}
    if not labels:
        return frame, "", ""
    chosen = next(iter(labels)) if account is None and len(labels) == 1 else account
    listed = ", ".join(sorted(labels.values()))
    if chosen is None:
        raise ValueError(f"a chart of history shows one account: say account= ({listed})")
    found = [key for key, label in labels.items() if str(chosen) in (key, label)]
    if not found and is_history(given):
        found = [key for key in labels if key == given.account_id(chosen)]
    if len(found) != 1:
        # The text given may be an account number, so it is not repeated.
        raise ValueError(f"account takes one that the history holds ({listed})")
    return frame.filter(nw.col("account") == found[0]), found[0], labels[found[0]]


def rows_of(frame: nw.LazyFrame[Any]) -> list[dict[str, Any]]:
    """The rows, read from whatever engine, with figures as Decimal."""
    return list(frame.collect(backend="polars").rows(named=True))


def joined_series(
    made: nw.LazyFrame[Any],
    summary: nw.LazyFrame[Any],
    of: tuple[str, str],
    *,
    value: str,
    least: str,
) -> Series:
    """The moments to draw of what `kis_nb.analysis` made of these rows, reduced in the engine.

    Args:
        made: a row a moment of one account.
        summary: the rows that it was made of, which say where each is from.
        of: the account's key and label.
        value: the column whose extremes are kept.
        least: the column whose least row is marked.
    """
    from kis_nb import analysis

    about = summary.select("account", "as_of", "source", "demo")
    about = about.unique(subset=["account", "as_of"], keep="any")
    made = made.filter(~nw.col(value).is_null()).join(about, on=["account", "as_of"], how="left")
    (span,) = rows_of(made.select(a=nw.col("as_of").min(), b=nw.col("as_of").max()))
    if span["a"] is None:
        return Series(*of, [], None, {})
    # A gap shorter than a part of the reduced time is not told apart from none.
    joined = max(_JOINED, round((span["b"] - span["a"]).total_seconds() / POINTS))
    before = nw.col("as_of").shift(1).over("account", order_by="as_of")
    made = made.with_columns(before=before)
    late = nw.col("as_of") > nw.col("before").dt.offset_by(f"{joined}s")
    gap = late.cast(nw.Int64).fill_null(0)
    made = made.with_columns(segment=gap)
    count = nw.col("segment").cum_sum().over("account", order_by="as_of")
    made = made.with_columns(segment=count)
    thinned = nw.from_native(analysis.thin(made.to_native(), value, POINTS)).lazy()
    points = sorted(rows_of(thinned), key=lambda row: row["as_of"])
    # The first of the least: where it was reached.
    (marked,) = rows_of(made.sort(least, "as_of").head(1))
    if all(row["as_of"] != marked["as_of"] for row in points):
        points = sorted([*points, marked], key=lambda row: row["as_of"])
    counted = rows_of(made.group_by("source").agg(count=nw.len()))
    counts = {row["source"]: int(row["count"]) for row in counted}
    return Series(*of, points, marked, counts)


def span_text(first: datetime, last: datetime) -> str:
    """``2026-11-20 18:00:00 – 2026-11-21 06:00:00 KST``."""
    begins, ends = first.astimezone(KST), last.astimezone(KST)
    return f"{begins:%Y-%m-%d %H:%M:%S} – {moment(ends)}"


def moment_id(at: datetime) -> str:
    """The id by which a page names a moment: ISO, UTC, to the microsecond."""
    return at.astimezone(KST).isoformat(timespec="microseconds")
