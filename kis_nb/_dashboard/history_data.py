"""What the History tab shows of one account and span: read at once, so that all figures agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from kis_nb._account import Account
from kis_nb._choices import Colors, Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.texts import say
from kis_nb._frames.text import Figure, arrowed, exact, moment, signed, tone
from kis_nb._seoul import KST

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._chart_rows.attribution import Attribution
    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row

Span: TypeAlias = Literal["night", "week", "year"]
SPANS: tuple[Span, ...] = ("night", "week", "year")
CHARTS = ("equity_history", "margin_history", "attribution")
# Trading days of a week, and days of a year.
_WEEK, _YEAR = 5, timedelta(days=365)
# What is read of each summary row; the rest of its columns is not needed here.
_COLUMNS = (
    "date",
    "account",
    "account_label",
    "as_of",
    "source",
    "demo",
    "snapshot",
    "dnca_cash",
    "dnca_sbst",
    "rnwl_dfpa",
    "opt_dfpa",
    "thdt_dfpa",
    "fee",
    "krw_equity",
    "foreign_deposit",
    "initial_margin",
    "maintenance_margin",
    "settled_on",
)


class HistoryStore(Protocol):
    """What the tab needs of `kis_nb.History`."""

    def append(self, balances: Balance) -> int: ...
    def account_id(self, account: Account) -> str: ...
    def summary(self, *, account: str | None = None, start: date | None = None) -> Any: ...
    def positions(
        self, *, account: str | None = None, start: date | None = None, end: date | None = None
    ) -> Any: ...
    def backfill(
        self,
        client: Client,
        start: date,
        *,
        accounts: Account,
        progress: bool,
        cancel: Event,
    ) -> pl.DataFrame: ...


class Question(NamedTuple):
    """What is shown.

    Attributes:
        account: whose history.
        span: how far back.
        chosen: the two moments of the attribution; None for the whole span.
        lang, colors: of the texts and charts.
    """

    account: Account
    span: Span
    chosen: tuple[datetime, datetime] | None
    lang: Lang
    colors: Colors


@dataclass
class Content:
    """What a question came to.

    Attributes:
        parts: of the tab's panel.
        rows: of the charts, by name; empty when there is nothing to draw.
        days: how many trading days of the account are kept; None when they could not be read.
    """

    parts: Json
    rows: dict[str, list[Row]] = field(default_factory=dict)
    days: int | None = None


def blank(lang: Lang) -> Json:
    """The panel's parts while nothing is known: labels and dashes."""
    labels = ("history_pnl", "history_room", "history_equity")
    cards = [{"key": key, "label": say(key, lang), "value": "–"} for key in labels]
    return {"span": "", "newest": "", "cards": cards, "empty": "", "whole": "", "moments": None}


def read(store: HistoryStore, question: Question) -> Content:
    """Read what a question asks for.

    Raises:
        HistoryError: the history cannot be read.
    """
    from kis_nb._chart_rows import attribution, equity_history, margin_history
    from kis_nb._chart_rows.style import Style

    lang = question.lang
    days, summary = _summary(store, question)
    if summary.is_empty():
        return Content(blank(lang) | {"empty": say("history_empty", lang)}, days=days)
    begins, ends = _moments(summary, question.chosen)
    why = _why(store, summary, begins, ends)
    style = Style(lang, question.colors)
    equity = equity_history.series(summary, None, None, None)
    room = margin_history.series(summary, None, None, None)
    between = margin_history.series(summary, None, begins, ends)[0]
    parts: Json = {
        "span": say("history_from_to", lang, begins=_time(begins), ends=_time(ends)),
        "newest": say("history_newest", lang, at=_time(summary["as_of"].max())),
        "cards": _cards(why, between.marked, lang),
        "empty": "",
        "whole": say("history_whole", lang) if question.chosen else "",
        "moments": _choices(summary, question.span, begins, ends),
    }
    rows = {
        "equity_history": equity_history.rows(equity, style),
        "margin_history": margin_history.rows(room, style),
        "attribution": attribution.rows(why, style),
    }
    return Content(parts, rows, days)


def _summary(store: HistoryStore, question: Question) -> tuple[int, pl.DataFrame]:
    """How many days are kept, and the summary rows of the span, which ends with the newest one."""
    import polars as pl

    name = store.account_id(question.account)
    days = store.summary(account=name).select(pl.col("date").unique()).collect()
    first = first_day(sorted(days["date"].to_list()), question.span)
    frame = store.summary(account=name, start=first).select(_COLUMNS)
    rows: pl.DataFrame = frame.sort("as_of", "snapshot").collect()
    return len(days), rows


def first_day(days: Sequence[date], span: Span) -> date | None:
    """The first of these trading days that a span shows; None without any."""
    if not days:
        return None
    newest = days[-1]
    if span == "night":
        return newest
    if span == "week":
        return days[-_WEEK:][0]
    return next(day for day in days if day >= newest - _YEAR)


def _moments(
    summary: pl.DataFrame, chosen: tuple[datetime, datetime] | None
) -> tuple[datetime, datetime]:
    """The stored moments that the attribution is between."""
    stored: list[datetime] = summary["as_of"].to_list()
    if chosen is None:
        return stored[0], stored[-1]
    begins, ends = (next((at for at in reversed(stored) if at <= one), stored[0]) for one in chosen)
    return begins, ends


def _choices(summary: pl.DataFrame, span: Span, begins: datetime, ends: datetime) -> Json | None:
    """The moments that can be chosen without a mouse: the first one, each day's closing (of a
    night, each hour's last), and the two that are chosen. None when there is nothing to choose.
    """
    stored: list[datetime] = summary["as_of"].to_list()
    parts = [f"{at.astimezone(KST):%Y%m%d%H}" for at in stored]
    if span != "night":
        parts = summary["date"].to_list()
    last = dict(zip(parts, stored, strict=True))
    moments = sorted({stored[0], *last.values(), begins, ends})
    if len(moments) < 2:
        return None
    options = [{"id": at.isoformat(), "text": _time(at)} for at in moments]
    return {"options": options, "begin": begins.isoformat(), "end": ends.isoformat()}


def _why(
    store: HistoryStore, summary: pl.DataFrame, begins: datetime, ends: datetime
) -> Attribution:
    """The attribution, with the positions of the snapshots that it goes through alone."""
    import polars as pl

    from kis_nb._chart_rows import attribution

    inside = summary.filter(pl.col("as_of").is_between(begins, ends))
    closings = inside.group_by("date").agg(pl.col("snapshot").last())["snapshot"].to_list()
    first = summary.filter(pl.col("as_of") <= begins)["snapshot"].to_list()[-1:]
    days: list[date] = inside["date"].to_list()
    positions = store.positions(
        account=summary["account"][0], start=summary["date"][0], end=max(days)
    )
    needed = positions.filter(pl.col("snapshot").is_in([*first, *closings])).collect()
    return attribution.read((needed, summary), None, begins, ends)


def _time(at: Any) -> str:
    return moment(at.astimezone(KST))


def _cards(why: Attribution, lowest: dict[str, Any] | None, lang: Lang) -> list[Json]:
    pnl = why.pnl
    apart = [(item, why.of(item)) for item in ("fees", "cash flow", "foreign deposit", "remainder")]
    lines = [
        _line(f"history_{item.replace(' ', '_')}", amount, lang)
        for item, amount in apart
        if item != "foreign deposit" or amount is not None
    ]
    first, last = why.of("start"), why.of("end")
    # Settlements have none: a span with one counts equity without.
    without = [{"label": say("history_without_foreign", lang), "value": ""}]
    change = None if first is None or last is None else Decimal(last) - Decimal(first)
    room = None if lowest is None else lowest["room"]
    at = "" if lowest is None else _time(lowest["as_of"])
    return [
        {
            "key": "history_pnl",
            "label": say("history_pnl", lang),
            "value": arrowed(pnl),
            "unit": say("won", lang),
            "tone": tone(pnl),
            "sub": lines,
        },
        {
            "key": "history_room",
            "label": say("history_room", lang),
            "value": exact(room),
            "unit": say("won", lang),
            "warning": room is not None and room < 0,
            "sub": [
                {"label": say("history_room_at", lang), "value": at}
                if at
                else {"label": say("history_room_unknown", lang), "value": ""}
            ],
        },
        {
            "key": "history_equity",
            "label": say("history_equity", lang),
            "value": exact(last),
            "unit": say("won", lang),
            "sub": [
                {"label": say("history_equity_start", lang), "value": exact(first)},
                {
                    "label": say("history_change", lang),
                    "value": signed(change),
                    "tone": tone(change),
                },
                *(without if why.of("foreign deposit") is None else []),
            ],
        },
    ]


def _line(key: str, amount: Figure, lang: Lang) -> Json:
    return {"label": say(key, lang), "value": signed(amount), "tone": tone(amount)}
