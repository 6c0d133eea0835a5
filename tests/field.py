"""Pulls against a broker with scripted faults, each checked for its result.

The broker's figures do not move. A pull must end in exactly the rows that plain HTTP calls read, or
in a typed error with all rows of the pages before it, within a bounded number of calls, waits and
seconds.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import requests

from kis_nb._account import Account
from kis_nb._client import Client
from kis_nb._errors import KisError, TransportError
from kis_nb._frames.balance import Balance
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.secrets import Secret
from kis_nb.demo import Book, Broker, Fault
from tests.roads import DISTRUST, Bump, Road

ACCOUNT = "80012345-03"
ROWS, PAGES, RETRIES = 45, 3, 3
NOW = 1_795_356_904.0

# Faults that last as long as the client's read timeout. A client that must recover from them needs
# a timeout that a busy machine does not reach by itself; one that cannot recover, next to none; and
# one that meets none of them, a long one.
TIRING = {"hang", "drip head"}
PLENTY, SOME, NONE = 2.0, 0.15, 0.03
# Seconds that a pull may take, besides its timeouts.
GRACE = 10.0


# What a pull may end in: an error of exactly this type, or all rows (None).
End: TypeAlias = type[KisError] | None


class Patient(Clock):
    """A client's clock on which waiting takes no real time."""

    def __init__(self) -> None:
        self.waited = 0.0

    def time(self) -> float:
        return NOW

    def monotonic(self) -> float:
        return super().monotonic() + self.waited

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        assert cancel is None
        self.waited += seconds


@dataclass
class Tally:
    """How many pulls ended in which way."""

    tried: int = 0
    recovered: int = 0
    typed: int = 0
    wrong: list[str] = field(default_factory=list)
    most_calls: int = 0
    met: Counter[str] = field(default_factory=Counter)

    def row(self, title: str) -> str:
        """A line of the table."""
        return (
            f"| {title} | {self.tried:,} | {self.recovered:,} | {self.typed:,} "
            f"| {len(self.wrong)} | {self.most_calls} |"
        )


class Field:
    """A broker, the rows that plain HTTP calls read from it, and pulls against it."""

    def __init__(self, broker: Broker, road: Road) -> None:
        self.broker = broker
        self.road = road
        self.expected = self._walk()
        self._steps: set[str] = set()
        self._patience = PLENTY
        self._clear()

    def _walk(self) -> list[dict[str, str]]:
        cano, product = ACCOUNT.split("-")
        query = dict.fromkeys(NIGHT_BALANCE.params, "")
        query |= {"CANO": cano, "ACNT_PRDT_CD": product, "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}
        headers = {
            "authorization": f"Bearer {self.broker.issue_token()}",
            "appkey": self.broker.app_key,
            "appsecret": self.broker.app_secret,
            "tr_id": "CTFN6118R",
            "custtype": "P",
        }
        rows: list[dict[str, str]] = []
        while True:
            url = self.broker.address + NIGHT_BALANCE.path
            answer = requests.get(url, params=query, headers=headers, timeout=10)
            body: dict[str, Any] = answer.json()
            rows += body["output1"]
            if answer.headers["tr_cont"] in {"D", "E"}:
                return rows
            headers["tr_cont"] = "N"
            query |= {name: body[name.lower()] for name in NIGHT_BALANCE.cursors}

    def script(self, fault: Fault | Bump, place: int | None, times: int | None = 1) -> None:
        """Script a fault for the next pull, at a page or at the token call (place 0)."""
        if fault.name in TIRING:
            self._patience = min(self._patience, SOME if times else NONE)
        if isinstance(fault, Bump):
            self._steps.add(fault.step)
            self.road.bump(fault, place, times)
        elif place == 0:
            self.broker.fault(fault.at(None, call="token", times=times))
        else:
            self.broker.fault(fault.at(place, times=times))

    def _settings(self) -> Settings:
        return Settings(
            app_key=Secret(self.broker.app_key),
            app_secret=Secret(self.broker.app_secret),
            accounts=(Account.parse(ACCOUNT),),
            base_url=self.road.base_url if self._steps else self.broker.address,
            timeout=(1.0, self._patience),
            retries=RETRIES,
            calls_per_second=1_000_000,
        )

    def pull(self, tally: Tally, title: str, ends: set[End], *, proxy: bool = False) -> None:
        """Pull once with a new client, and count how it ended; it must end in one of `ends`.

        The client goes through `road` when a fault of the network is scripted, and through its
        proxy when that fault is the proxy's or `proxy` is set.
        """
        clock = Patient()
        with self.road.way(proxy=proxy or "proxy" in self._steps):
            client = Client(self._settings(), clock=clock)
        tally.tried += 1
        begin = time.perf_counter()
        read: Balance | None
        error: KisError | None = None
        try:
            read = client.balance()
        except KisError as raised:
            read, error = raised.partial, raised
        finally:
            client.close()
        seconds = time.perf_counter() - begin
        # Not every attempt reaches the broker, and not every pull goes through the road.
        calls = max(len(self.broker.calls), len(self.road.met))
        tally.most_calls = max(tally.most_calls, calls)
        complaint = self._judge(read, error, ends) or self._distrust(error)
        # Every page and the token call, each asked again RETRIES times, in four walks at most; a
        # token that is asked for too soon waits two minutes; an answer has four read timeouts.
        if (
            calls > (PAGES * (RETRIES + 2) + RETRIES + 4) * 4
            or clock.waited > 300
            or seconds > GRACE + calls * 4 * SOME
        ):
            spent = f"{calls} calls, {clock.waited:.0f} s of waits, {seconds:.1f} s for real"
            complaint = complaint or spent
        self._clear()
        if complaint:
            tally.wrong.append(f"{title}: {complaint}")
        elif error is None:
            tally.recovered += 1
        else:
            tally.typed += 1

    def _clear(self) -> None:
        self.broker.clear_faults()
        self.road.clear()
        del self.broker.calls[:]
        self._steps.clear()
        self._patience = PLENTY

    def _distrust(self, error: KisError | None) -> str | None:
        """What is wrong after an untrusted certificate, where a client must stop; or None."""
        met = self.road.met
        if not any(name in DISTRUST for name in met):
            return None
        if met[-1] not in DISTRUST or not isinstance(error, TransportError):
            return f"went on after {met}"
        sent = self.road.heard.get(timeout=10)
        return f"{len(sent)} bytes were sent all the same" if sent else None

    def _judge(self, read: Balance | None, error: KisError | None, ends: set[End]) -> str | None:
        """What is wrong with how a pull ended; None when nothing is."""
        if (type(error) if error else None) not in ends:
            return f"ended in {type(error).__name__}: {error}"
        height = 0 if read is None else read.positions.height
        whole = ROWS if error is None else min(error.pages * 20, ROWS)
        if height != whole:
            return f"{height} rows read, {whole} expected"
        if read is None:
            return None
        for name in ("pdno", "evlu_amt", "evlu_pfls_amt", "idx_clpr", "cblc_qty"):
            for value, row in zip(read.positions[name], self.expected, strict=False):
                text = row[name]
                if str(value) != text and value != type(value)(text):
                    return f"{name} is {value}, the wire said {text}"
        return None


@contextmanager
def field_of_play() -> Iterator[Field]:
    """A broker with 45 rows on 3 pages that refuses nothing by itself."""
    broker = Broker(
        book=Book.sized({ACCOUNT: ROWS}, seed=1),
        clock=lambda: NOW,
        calls_per_second=0,
        token_interval=0,
        token_repeat=0,
        lock_after=None,
    )
    with Road(broker).open() as road, broker:
        yield Field(broker, road)
