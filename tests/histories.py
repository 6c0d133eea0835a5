"""A made history, as Polars frames in the columns of the store: one account with futures, whose
equity is known to the won at each moment.
"""

from __future__ import annotations

import random
import threading
import time as time_module
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from kis_nb._errors import Cancelled
from kis_nb._frames.calendar import is_trading_day
from kis_nb._seoul import KST

_MONEY = pl.Decimal(38, 0)
SUMMARY: dict[str, Any] = {
    "date": pl.Date,
    "account": pl.String,
    "account_label": pl.String,
    "as_of": pl.Datetime("us", "UTC"),
    "mgna_dvsn": pl.String,
    "excc_stat_cd": pl.String,
    "source": pl.String,
    "demo": pl.Boolean,
    "snapshot": pl.String,
    **dict.fromkeys(
        (
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
        ),
        _MONEY,
    ),
    "settled_on": pl.Date,
}
POSITIONS: dict[str, Any] = {
    **{name: SUMMARY[name] for name in list(SUMMARY)[:9]},
    "row": pl.Int32,
    "shtn_pdno": pl.String,
    "kind": pl.String,
    "product": pl.String,
    "underlying": pl.String,
    "expiry": pl.Date,
    "quantity": pl.Int64,
    "contract_value": pl.Decimal(38, 8),
    "open_value": _MONEY,
    "open_cost": _MONEY,
    "trad_pfls_amt": pl.Decimal(38, 0),
}
MULTIPLIER = 250_000


@dataclass
class World:
    """An account with three futures, whose price walks, and what the store would hold of it.

    Attributes:
        first, last: trading days, both included.
        every: minutes between the snapshots of a night; 0 records none.
        settlements: whether each day's settlement at 15:45 is there too.
        label, account: of the account.
        margin: the maintenance margin at each moment; None is never sent.
        fee: won that each trading day takes, from the night's middle on.
        deposits: won that comes in, by moment.
        demo: of all rows.
        seed: of the walk.
        until: the last moment that is recorded.
    """

    first: date
    last: date
    every: int = 10
    settlements: bool = True
    label: str = "800*****-03"
    account: str = "a" * 16
    margin: int | None = 20_000_000
    fee: int = 1_000
    deposits: dict[datetime, int] = field(default_factory=dict)
    demo: bool = True
    seed: int = 7
    foreign: int | None = 0
    until: datetime | None = None

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self.summary_rows: list[dict[str, Any]] = []
        self.position_rows: list[dict[str, Any]] = []
        self._price = self._settled = Decimal("350.00")
        self._cash, self._renewed, self._fee = 40_000_000, 0, 0
        self._settled_on: date | None = None
        self._pending = sorted(self.deposits.items())
        for day in self._days():
            if self._settled_on is None:
                self._settled_on = _before(day)
            self._live(day)

    @property
    def summary(self) -> pl.DataFrame:
        """The summary rows."""
        return pl.DataFrame(self.summary_rows, schema=SUMMARY)

    @property
    def positions(self) -> pl.DataFrame:
        """The position rows."""
        return pl.DataFrame(self.position_rows, schema=POSITIONS)

    def _days(self) -> Iterator[date]:
        day = self.first
        while day <= self.last:
            if is_trading_day(day):
                yield day
            day += timedelta(days=1)

    def _live(self, day: date) -> None:
        begins = datetime.combine(_before(day), time(18), KST)
        steps = 720 // self.every if self.every else 0
        for step in range(steps):
            self._price += Decimal(self._random.randint(-4, 4)) * Decimal("0.05")
            if step == steps // 2:
                self._fee = self.fee
            self._keep(day, begins + timedelta(minutes=step * self.every), "snapshot")
        if not steps:
            self._fee = self.fee
        self._price += Decimal(self._random.randint(-40, 40)) * Decimal("0.05")
        self._cash += self._renewed
        self._renewed = self._worth(self._price - self._settled)
        self._settled, self._settled_on = self._price, day
        if self.settlements:
            self._keep(day, datetime.combine(day, time(15, 45), KST), "settlement")
        self._cash, self._fee = self._cash - self._fee, 0

    def _worth(self, points: Decimal) -> int:
        return int(3 * MULTIPLIER * points)

    def _keep(self, day: date, at: datetime, source: str) -> None:
        while self._pending and self._pending[0][0] <= at:
            self._cash += self._pending.pop(0)[1]
        if self.until is not None and at > self.until:
            return
        snapshot = f"{self.account}-{len(self.summary_rows)}"
        settled = source == "settlement"
        keys = {
            "date": day,
            "account": self.account,
            "account_label": self.label,
            "as_of": at.astimezone(UTC),
            "mgna_dvsn": None if settled else "02",
            "excc_stat_cd": None if settled else "1",
            "source": source,
            "demo": self.demo,
            "snapshot": snapshot,
        }
        since = self._worth(self._price - self._settled)
        self.summary_rows.append(
            keys
            | {
                "dnca_cash": self._cash,
                "dnca_sbst": 0,
                "rnwl_dfpa": self._renewed,
                "opt_dfpa": 0,
                "thdt_dfpa": 0,
                "fee": self._fee,
                "krw_equity": self._cash + self._renewed - self._fee + since,
                "foreign_deposit": None if settled else self.foreign,
                "initial_margin": None if self.margin is None else self.margin * 3 // 2,
                "maintenance_margin": self.margin,
                "settled_on": self._settled_on,
            }
        )
        value = self._price * MULTIPLIER
        self.position_rows.append(
            keys
            | {
                "row": 0,
                "shtn_pdno": "A01612",
                "kind": "future",
                "product": "KOSPI 200",
                "underlying": "KOSPI 200",
                "expiry": date(2026, 12, 10),
                "quantity": 3,
                "contract_value": value,
                "open_value": 3 * value,
                "open_cost": 3 * MULTIPLIER * 350,
                "trad_pfls_amt": 0,
            }
        )


class FrameStore:
    """A store in memory, with what the dashboard asks of `kis_nb.History`.

    Args:
        worlds: what is kept, an account each; found by the account's masked label.

    Attributes:
        appended: what was to be kept; it is not among the rows.
        error: raised by each append; None for none.
        failing: raised by each reading; None for none.
        gates: by label: a reading of the account waits for the event.
        asked: labels of the accounts whose reading began, in order.
        filled: labels of the accounts whose filling began, in order.
        filling: what a filling waits for; None for nothing.
        fill_error: raised by each filling; None for none.
        fill_row: what a filling gives.
    """

    def __init__(self, *worlds: World) -> None:
        self._worlds = {world.label: world for world in worlds}
        self._frames = {
            world.account: (world.summary.lazy(), world.positions.lazy()) for world in worlds
        }
        self.appended: list[Any] = []
        self.error: Exception | None = None
        self.failing: Exception | None = None
        self.gates: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        self.filled: list[str] = []
        self.filling: threading.Event | None = None
        self.fill_error: Exception | None = None
        self.fill_row: dict[str, Any] = {
            "filled": 22,
            "already_there": 0,
            "without_data": 0,
            "failed": 0,
            "failures": [],
        }

    def append(self, balances: Any) -> int:
        """Note a balance."""
        if self.error is not None:
            raise self.error
        self.appended.append(balances)
        return 1

    def keep(self, *worlds: World) -> None:
        """Have these accounts kept from now on, in place of what was kept of them."""
        for world in worlds:
            self._worlds[world.label] = world
            self._frames[world.account] = (world.summary.lazy(), world.positions.lazy())

    def backfill(
        self,
        _client: Any,
        _start: date,
        *,
        accounts: Any,
        progress: bool,
        cancel: threading.Event,
    ) -> pl.DataFrame:
        """The made result, once `filling` is set; `Cancelled` when it is cancelled before."""
        assert not progress
        self.filled.append(accounts.masked)
        ends = time_module.monotonic() + 20
        while self.filling is not None and not self.filling.wait(0.01):
            assert time_module.monotonic() < ends
            if cancel.is_set():
                raise Cancelled("cancelled")
        if self.fill_error is not None:
            raise self.fill_error
        return pl.DataFrame([self.fill_row])

    def account_id(self, account: Any) -> str:
        """The key of the account, once its gate is open."""
        label = account if isinstance(account, str) else account.masked
        self.asked.append(label)
        if label in self.gates:
            assert self.gates[label].wait(20)
        if self.failing is not None:
            raise self.failing
        world = self._worlds.get(label)
        return "0" * 16 if world is None else world.account

    def summary(self, *, account: str | None = None, start: date | None = None) -> pl.LazyFrame:
        """The summary rows."""
        return self._select(0, SUMMARY, account, start, None)

    def positions(
        self, *, account: str | None = None, start: date | None = None, end: date | None = None
    ) -> pl.LazyFrame:
        """The position rows."""
        return self._select(1, POSITIONS, account, start, end)

    def _select(
        self,
        at: int,
        schema: dict[str, Any],
        account: str | None,
        start: date | None,
        end: date | None,
    ) -> pl.LazyFrame:
        chosen = [
            frames[at] for key, frames in self._frames.items() if account is None or key == account
        ]
        frame = pl.concat(chosen) if chosen else pl.LazyFrame(schema=schema)
        if start is not None:
            frame = frame.filter(pl.col("date") >= start)
        return frame if end is None else frame.filter(pl.col("date") <= end)


def _before(day: date) -> date:
    """The trading day before this one."""
    day -= timedelta(days=1)
    while not is_trading_day(day):
        day -= timedelta(days=1)
    return day
