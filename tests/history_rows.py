"""Rows of a history: invented at random, and of a small world whose books agree."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import polars as pl

MONEY = pl.Decimal(38, 0)
MOMENT = {
    "account": pl.String(),
    "account_label": pl.String(),
    "as_of": pl.Datetime("us", "UTC"),
    "snapshot": pl.String(),
    "date": pl.Date(),
}
SUMMARY = MOMENT | dict.fromkeys(
    (
        *("krw_equity", "foreign_deposit", "initial_margin", "maintenance_margin", "dnca_cash"),
        *("dnca_sbst", "rnwl_dfpa", "opt_dfpa", "thdt_dfpa", "fee"),
    ),
    MONEY,
)
SUMMARY |= {"settled_on": pl.Date()}
POSITIONS = MOMENT | {
    "shtn_pdno": pl.String(),
    "product": pl.String(),
    "expiry": pl.Date(),
    "quantity": pl.Int64(),
    "contract_value": pl.Decimal(38, 8),
    "open_value": MONEY,
    "open_cost": MONEY,
    "trad_pfls_amt": MONEY,
}
Row = dict[str, Any]
DAYS = [date(2026, 11, day) for day in (2, 3, 4, 5, 6, 9, 10, 11)]
PRODUCTS = ("KOSPI 200", "Mini KOSPI 200", "USD", None)


@dataclass
class Rows:
    """The rows of both folders."""

    positions: list[Row] = field(default_factory=list)
    summary: list[Row] = field(default_factory=list)

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """As the store's types."""
        return (
            pl.DataFrame(self.positions, schema=POSITIONS, orient="row"),
            pl.DataFrame(self.summary, schema=SUMMARY, orient="row"),
        )


def moment(day: date, minutes: int) -> datetime:
    """So many minutes after the start of a trading day, 18:00 of the evening before in Seoul."""
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC) + timedelta(minutes=minutes - 1440)


def any_rows(random: Random) -> Rows:
    """Rows whose figures have nothing to do with one another, some unknown."""
    rows = Rows()
    often_unknown = random.choice([0, 0, 1, 10])

    def maybe(value: Any) -> Any:
        return None if random.randrange(100) < often_unknown else value

    def won() -> Any:
        size: int = random.choice([10, 10**6, 10**13, 10**20])
        return maybe(Decimal(random.randint(-size, size)))

    for number in range(random.randint(1, 3)):
        foreign = random.choice([True, True, False])
        for day in random.sample(DAYS, random.randint(1, 5)):
            for minutes in sorted(random.sample(range(1440), random.randint(1, 4))):
                at = moment(day, minutes)
                row: Row = {
                    "account": f"account {number}",
                    "account_label": f"label {number}",
                    "as_of": at,
                    "snapshot": f"{number} {at:%m%d%H%M} {random.randrange(1000)}",
                    "date": day,
                }
                figures = {name: won() for name, kind in SUMMARY.items() if kind == MONEY}
                figures["foreign_deposit"] = won() if foreign else None
                settled = random.choice([at.date(), day, day - timedelta(days=1)])
                rows.summary.append(row | figures | {"settled_on": maybe(settled)})
                for _ in range(random.randint(0, 4)):
                    code = random.randrange(4)
                    quantity = maybe(random.choice([0, random.randint(-9, 9), 10**9]))
                    value = Decimal(random.randint(0, 10 ** random.choice([2, 12, 21]))).scaleb(-8)
                    held = {
                        "shtn_pdno": f"code {code}",
                        "product": maybe(PRODUCTS[code]),
                        "expiry": maybe(DAYS[code]),
                        "quantity": quantity,
                        "contract_value": maybe(value),
                    }
                    amounts = {name: won() for name, kind in POSITIONS.items() if kind == MONEY}
                    rows.positions.append(row | held | amounts)
    return rows


@dataclass
class Contract:
    """One contract of one account."""

    code: str
    product: str | None
    option: bool
    multiplier: int
    mark: Decimal
    settle: Decimal
    quantity: int = 0
    carried: int = 0
    cost: int = 0
    realized: int = 0
    traded: bool = False


class Books:
    """One account, by the convention of KIS's books in docs/sources.md."""

    def __init__(self, random: Random, name: str, *, foreign: bool) -> None:
        self.random = random
        self.name = name
        self.cash, self.substitute = 500_000_000, random.choice([0, 70_000_000])
        self.foreign = 1_000_000 if foreign else None
        self.premium = self.variation = self.fee = self.booked = 0
        self.settled_on = DAYS[0] - timedelta(days=3)
        kinds = [(False, 250_000), (False, 50_000), (True, 250_000), (True, 10_000)]
        self.contracts = [
            Contract(
                code=f"code {at}",
                product=PRODUCTS[at],
                option=option,
                multiplier=multiplier,
                mark=Decimal(random.randint(100, 90_000)).scaleb(-2),
                settle=Decimal(0),
            )
            for at, (option, multiplier) in enumerate(kinds)
        ]
        for each in self.contracts:
            each.settle = each.mark

    def trade(self, each: Contract, change: int) -> None:
        """Buy (or sell) at the mark."""
        worth = int(each.mark * each.multiplier)
        if each.option:
            self.premium -= change * worth
        else:
            self.variation += change * int((each.settle - each.mark) * each.multiplier)
        closed = max(-abs(each.quantity), min(abs(each.quantity), change * _sign(each.quantity)))
        if closed < 0:
            out = each.cost * -closed // abs(each.quantity)
            each.realized += -closed * worth * _sign(each.quantity) - out
            each.cost -= out
            opened = change - closed * _sign(each.quantity)
        else:
            opened = change
        each.cost += opened * worth
        each.quantity += change
        each.traded = True
        self.fee += abs(change) * 700

    def event(self) -> None:
        """Something happens."""
        each = self.random.choice(self.contracts)
        what = self.random.randrange(10)
        if what < 5:
            tick = Decimal(self.random.randint(-40, 40)).scaleb(-2)
            each.mark = max(Decimal("0.01"), each.mark + tick)
        elif what < 9:
            self.trade(each, self.random.choice([-3, -2, -1, 1, 2, 3]))
        else:
            self.cash += self.random.randint(-10, 10) * 1_000_000
            if self.foreign is not None:
                self.foreign += self.random.randint(-1000, 1000)

    def settle(self, day: date) -> None:
        """15:45."""
        self.cash += self.booked
        self.booked = 0
        for each in self.contracts:
            if each.option:
                continue
            step = int((each.mark - each.settle) * each.multiplier)
            self.booked += each.carried * step
            self.variation += (each.quantity - each.carried) * step
            each.settle = each.mark
        self.settled_on = day

    def end_day(self) -> None:
        """18:00."""
        self.cash += self.premium + self.variation - self.fee
        self.premium = self.variation = self.fee = 0
        for each in self.contracts:
            each.carried, each.realized, each.traded = each.quantity, 0, False

    def snapshot(self, rows: Rows, day: date, minutes: int) -> None:
        """Append what KIS would show."""
        at = moment(day, minutes)
        key = {
            "account": self.name,
            "account_label": self.name,
            "as_of": at,
            "snapshot": f"{self.name} {at:%m%d%H%M}",
            "date": day,
        }
        equity = self.cash + self.premium + self.variation + self.booked - self.fee
        equity += self.substitute
        for each in self.contracts:
            since = Decimal(0) if each.option else each.settle
            equity += int(each.quantity * (each.mark - since) * each.multiplier)
            if each.quantity or each.traded:
                worth = each.mark * each.multiplier
                held: Row = {
                    "shtn_pdno": each.code,
                    "product": each.product,
                    "expiry": DAYS[-1],
                    "quantity": each.quantity,
                    "contract_value": worth,
                    "open_value": each.quantity * int(worth),
                    "open_cost": each.cost,
                    "trad_pfls_amt": each.realized,
                }
                rows.positions.append(key | held)
        rows.summary.append(
            key
            | {
                "krw_equity": equity,
                "foreign_deposit": self.foreign,
                "initial_margin": equity // 2,
                "maintenance_margin": equity // 3,
                "dnca_cash": self.cash,
                "dnca_sbst": self.substitute,
                "rnwl_dfpa": self.booked,
                "opt_dfpa": self.premium,
                "thdt_dfpa": self.variation,
                "fee": self.fee,
                "settled_on": self.settled_on,
            }
        )


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def world_rows(random: Random) -> Rows:
    """Accounts whose books agree, each trading day with its closing just before 18:00."""
    rows = Rows()
    for number in range(random.randint(1, 2)):
        books = Books(random, f"account {number}", foreign=random.choice([True, False]))
        for day in DAYS[: random.randint(2, 6)]:
            for minutes in sorted(random.sample(range(1300), random.randint(0, 3))):
                for _ in range(random.randint(0, 6)):
                    books.event()
                books.snapshot(rows, day, minutes)
            books.settle(day)
            for _ in range(random.randint(0, 3)):
                books.event()
            books.snapshot(rows, day, 1430)
            books.end_day()
    return rows
