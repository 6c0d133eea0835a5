"""Past trading days that were never recorded, from what KIS still knows of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._account import Account
from kis_nb._client import Client
from kis_nb._errors import ApiError, AuthError, Cancelled, DecodeError, HistoryError, KisError
from kis_nb._frames.calendar import is_trading_day
from kis_nb._history.past_day import TRADED, Difference, closing, is_empty, past_day
from kis_nb._history.protocols import Store
from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb._seoul import KST
from kis_nb._widgets.progress_bar import progress_bar

if TYPE_CHECKING:
    from kis_nb._pull import Fetched

_DAY = timedelta(days=1)
# A trading day is over: KIS has booked its closing, and the next day's night begins.
_OVER = time(18)
_THREADS = 64
# After so many days in a row that could not be fetched, an account's other days are not tried.
_PATIENCE = 5
_SCHEMA: dict[str, Any] = {
    "account": pl.String,
    "account_label": pl.String,
    "filled": pl.Int64,
    "already_there": pl.Int64,
    "without_data": pl.Int64,
    "failed": pl.Int64,
    "failures": pl.List(
        pl.Struct({"date": pl.Date, "call": pl.String, "error": pl.String, "why": pl.String})
    ),
    "differences": pl.List(
        pl.Struct(
            {
                "date": pl.Date,
                "what": pl.String,
                "settlement": pl.Decimal(38, 0),
                "trades": pl.Decimal(38, 0),
            }
        )
    ),
}


@dataclass(slots=True)
class _Filling:
    """How far one account is.

    Attributes:
        name: what the history calls the account.
        account: whose days they are.
        days: those to fetch, the newest first.
        there: how many are there already.
        filled, without_data: how many were kept, and for how many KIS has nothing.
        failed: days that could not be fetched, with the call and the error.
        failures: as `failed`, and calls whose failure kept no day back.
        differences: what KIS's two calls give differently.
    """

    name: str
    account: Account
    days: Sequence[date]
    there: int
    filled: int = 0
    without_data: int = 0
    failed: int = 0
    failures: list[tuple[date, str, str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    def note(self, day: date, call: str, error: KisError) -> None:
        """A call failed."""
        self.failures.append((day, call, type(error).__name__, str(error)))

    def row(self) -> tuple[Any, ...]:
        """The account's row of the result."""
        return (
            self.name,
            self.account.masked,
            self.filled,
            self.there,
            self.without_data,
            self.failed,
            [
                dict(zip(("date", "call", "error", "why"), one, strict=True))
                for one in self.failures
            ],
            [
                {"date": d.date, "what": d.what, "settlement": d.settlement, "trades": d.trades}
                for d in self.differences
            ],
        )


def trading_days(start: date, end: date, now: float) -> list[date]:
    """The trading days of a period that are over at a moment, the newest first."""
    moment = datetime.fromtimestamp(now, KST)
    last = min(end, moment.date() if moment.time() >= _OVER else moment.date() - _DAY)
    days = (last - _DAY * back for back in range((last - start).days + 1))
    return [day for day in days if is_trading_day(day)]


def backfill(
    store: Store,
    client: Client,
    start: date,
    end: date,
    accounts: Iterable[Account],
    *,
    bar: bool,
    cancel: threading.Event,
) -> pl.DataFrame:
    """Fill the days of a history that have no closing; arguments and errors are those of
    `History.backfill`.
    """
    days = trading_days(start, end, client.clock.time())
    known = _days_there(store, days)
    fillings: list[_Filling] = []
    for account in dict.fromkeys(accounts):
        name = store.account_id(account)
        missing = [day for day in days if (name, day) not in known]
        fillings.append(_Filling(name, account, missing, len(days) - len(missing)))
    work = _Work(store, client, cancel)
    work.run(fillings, bar=bar)
    return pl.DataFrame([one.row() for one in fillings], schema=_SCHEMA, orient="row")


def _days_there(store: Store, days: Sequence[date]) -> set[tuple[str, date]]:
    """Accounts and days that have a snapshot at or after the day's close."""
    if not days:
        return set()
    first, end = days[-1], days[0]

    def ask() -> pl.DataFrame:
        rows = store.summary(start=first, end=end).group_by("account", "date")
        collected: pl.DataFrame = rows.agg(pl.col("as_of").max()).collect()
        return collected

    last = store.asked("summary", ask, first, end)
    return {(name, day) for name, day, as_of in last.rows() if as_of >= closing(day)}


class _Work:
    """Fills the accounts of several app keys at once, each key one call after the other."""

    def __init__(self, store: Store, client: Client, cancel: threading.Event) -> None:
        self._store = store
        self._client = client
        self._cancel = cancel

    def run(self, fillings: Sequence[_Filling], *, bar: bool) -> None:
        """Fill all; every day is kept as soon as it is there.

        Raises:
            Cancelled: `cancel` was set.
            HistoryError: the history cannot be written.
        """
        by_key: dict[object, list[_Filling]] = {}
        for one in fillings:
            if one.days:
                by_key.setdefault(self._client.key_of(one.account), []).append(one)
        if not by_key:
            return
        total = sum(len(one.days) for one in fillings)
        pool = ThreadPoolExecutor(min(_THREADS, len(by_key)), "kis_nb-backfill")
        try:
            with progress_bar(total, "day", shown=bar) as shown:
                jobs = [pool.submit(self._fill_key, ones, shown.update) for ones in by_key.values()]
                _join(jobs)
        except BaseException:
            # Ctrl-C interrupts this thread alone: the others stop at their next wait or response.
            self._cancel.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _fill_key(self, fillings: Sequence[_Filling], step: Callable[[int], Any]) -> None:
        for filling in fillings:
            self._fill(filling, step)

    def _fill(self, filling: _Filling, step: Callable[[int], Any]) -> None:
        """One account, day by day, the newest first."""
        in_a_row = 0
        months: dict[tuple[int, int], pl.DataFrame | None] = {}
        for place, day in enumerate(filling.days):
            call = SETTLEMENT_PL
            try:
                past = self._fetch(filling, call, {"INQR_DT": f"{day:%Y%m%d}"})
                if past.rows is None or past.summary is None or is_empty(past.rows, past.summary):
                    filling.without_data += 1
                else:
                    call = DAILY_FEES
                    trades = self._trades(filling, day, months)
                    self._keep(filling, day, past.rows, past.summary, trades)
            except (Cancelled, HistoryError):
                raise
            except KisError as error:
                filling.note(day, call.tr_id, error)
                filling.failed += 1
                in_a_row += 1
                # A key that is refused may be locked when it is used on.
                if isinstance(error, AuthError) or in_a_row >= _PATIENCE:
                    rest = len(filling.days) - place - 1
                    filling.failed += rest
                    step(rest + 1)
                    return
            else:
                in_a_row = 0
            step(1)

    def _fetch(self, filling: _Filling, call: Endpoint, params: Mapping[str, str]) -> Fetched:
        return self._client.fetch(call, filling.account, params, cancel=self._cancel)

    def _trades(
        self, filling: _Filling, day: date, months: dict[tuple[int, int], pl.DataFrame | None]
    ) -> pl.DataFrame | None:
        """The day's trades by product; None when KIS refuses the call or its shape is not known.

        They are fetched for all days of the month that are to be filled at once.
        """
        month = day.year, day.month
        if month not in months:
            days = [one for one in filling.days if (one.year, one.month) == month]
            period = {"INQR_STRT_DAY": f"{days[-1]:%Y%m%d}", "INQR_END_DAY": f"{days[0]:%Y%m%d}"}
            months.clear()
            try:
                months[month] = self._fetch(filling, DAILY_FEES, period).rows
                if months[month] is None:
                    months[month] = empty_trades()
            except (ApiError, DecodeError) as error:
                # The closings are worth keeping without.
                filling.note(day, DAILY_FEES.tr_id, error)
                months[month] = None
        trades = months[month]
        return None if trades is None else trades.filter(pl.col("ord_dt") == f"{day:%Y%m%d}")

    def _keep(
        self,
        filling: _Filling,
        day: date,
        rows: pl.DataFrame,
        summary: pl.DataFrame,
        trades: pl.DataFrame | None,
    ) -> None:
        keys = {
            "account": filling.name,
            "account_label": filling.account.masked,
            "demo": self._client.demo,
        }
        made = past_day(day, keys, rows, summary, trades, self._client.master)
        self._store.append_rows(made.positions, made.summary)
        filling.filled += 1
        filling.differences += made.differences


def empty_trades() -> pl.DataFrame:
    """No trades, in the columns of CTFO6119R that are read."""
    return pl.DataFrame(
        schema={"ord_dt": pl.String, "pdno": pl.String} | dict.fromkeys(TRADED, pl.Decimal(19, 0))
    )


def _join(jobs: Iterable[Future[None]]) -> None:
    """Wait until all have ended, or the first has failed."""
    waiting = set(jobs)
    while waiting:
        done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
        for job in done:
            job.result()
