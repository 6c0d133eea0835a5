"""Pulls under scripted faults, checked: from a broker with fixed figures and a TLS proxy before it.

A pull must return exactly the rows that a bare HTTP loop reads, or raise a typed error that holds
the rows of whole pages, within a bounded number of calls, waits and seconds.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import requests

from kis_nb._account import Account
from kis_nb._client import Client
from kis_nb._errors import KisError, TransportError
from kis_nb._frames.balance import Balance
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.secrets import Secret
from kis_nb.demo import Book
from tests.bare_http import bare_pull, call_headers
from tests.faults import Broker, Fault
from tests.tls_proxy import UNTRUSTED, ConnectionFault, TlsProxy

ACCOUNT = "80012345-03"
ROWS, PAGES, RETRIES = 45, 3, 3
NOW = 1_795_356_904.0

# Faults that last as long as the client's read timeout, so that these tests need a short one. A
# client that is to recover from them still needs some time, since a busy machine stalls now and
# then; one that cannot recover needs next to none.
SLOW = {"hang", "drip head"}
USUAL_TIMEOUT, SHORT_TIMEOUT, MINIMAL_TIMEOUT = 2.0, 0.15, 0.03
# Seconds that a pull may really take, timeouts aside.
GRACE = 10.0


# What a pull may end in: an error of just this type, or (None) in whole rows.
End: TypeAlias = type[KisError] | None


class NoWaitClock(Clock):
    """A client's clock whose waits take no time and are added up; otherwise it is real time."""

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
    """The outcomes of pulls: `recovered` in full, `typed` errors, and what was `wrong`."""

    tried: int = 0
    recovered: int = 0
    typed: int = 0
    wrong: list[str] = field(default_factory=list)
    most_calls: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    def row(self, title: str) -> str:
        """A line of the table."""
        return (
            f"| {title} | {self.tried:,} | {self.recovered:,} | {self.typed:,} "
            f"| {len(self.wrong)} | {self.most_calls} |"
        )


class FaultyPulls:
    """Makes pulls under scripted faults and checks them against what a bare HTTP loop reads."""

    def __init__(self, broker: Broker, proxy: TlsProxy) -> None:
        self.broker = broker
        self.proxy = proxy
        self.expected = self._read_bare()
        self._steps: set[str] = set()
        self._read_timeout = USUAL_TIMEOUT
        self._clear()

    def _read_bare(self) -> list[dict[str, str]]:
        keys = self.broker.app_key, self.broker.app_secret
        with requests.Session() as session:
            session.trust_env = False
            url = self.broker.address + NIGHT_BALANCE.path
            headers = call_headers(*keys, self.broker.issue_token())
            return bare_pull(session, url, headers, ACCOUNT)

    def script(
        self, fault: Fault | ConnectionFault, place: int | None, times: int | None = 1
    ) -> None:
        """Give the next pull a fault at a page, or at the token call (place 0)."""
        if fault.name in SLOW:
            self._read_timeout = min(
                self._read_timeout, SHORT_TIMEOUT if times else MINIMAL_TIMEOUT
            )
        if isinstance(fault, ConnectionFault):
            self._steps.add(fault.step)
            self.proxy.script(fault, place, times)
        elif place == 0:
            self.broker.fault(fault.at(None, call="token", times=times))
        else:
            self.broker.fault(fault.at(place, times=times))

    def _settings(self) -> Settings:
        return Settings(
            app_key=Secret(self.broker.app_key),
            app_secret=Secret(self.broker.app_secret),
            accounts=(Account.parse(ACCOUNT),),
            base_url=self.proxy.base_url if self._steps else self.broker.address,
            timeout=(1.0, self._read_timeout),
            retries=RETRIES,
            calls_per_second=1_000_000,
        )

    def pull(self, tally: Tally, title: str, ends: set[End], *, proxy: bool = False) -> None:
        """One pull by a new client, checked: it must end in one of `ends`.

        It goes through TLS when a connection fault is scripted, and through the proxy when that is
        one of the proxy's or `proxy` is set.
        """
        clock = NoWaitClock()
        with self.proxy.environment(through_proxy=proxy or "proxy" in self._steps):
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
        # Not every attempt reaches the broker, and not every pull goes through TLS.
        calls = max(len(self.broker.calls), len(self.proxy.attempts))
        tally.most_calls = max(tally.most_calls, calls)
        complaint = self._compare(read, error, ends) or self._check_distrust(error)
        # Every page and the token call, each retried RETRIES times, in four attempts at the whole
        # pull; a token that is asked for too soon waits two minutes; a response may take four read
        # timeouts.
        if (
            calls > (PAGES * (RETRIES + 2) + RETRIES + 4) * 4
            or clock.waited > 300
            or seconds > GRACE + calls * 4 * SHORT_TIMEOUT
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
        self.proxy.clear()
        del self.broker.calls[:]
        self._steps.clear()
        self._read_timeout = USUAL_TIMEOUT

    def _check_distrust(self, error: KisError | None) -> str | None:
        """The complaint when a client went on after a certificate that is not to be trusted."""
        attempts = self.proxy.attempts
        if not any(name in UNTRUSTED for name in attempts):
            return None
        if attempts[-1] not in UNTRUSTED or not isinstance(error, TransportError):
            return f"went on after {attempts}"
        sent = self.proxy.leaked.get(timeout=10)
        return f"{len(sent)} bytes were sent all the same" if sent else None

    def _compare(self, read: Balance | None, error: KisError | None, ends: set[End]) -> str | None:
        """The complaint about an outcome, if any."""
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
def faulty_pulls() -> Iterator[FaultyPulls]:
    """A broker with 45 rows on 3 pages that refuses nothing by itself."""
    broker = Broker(
        book=Book.sized({ACCOUNT: ROWS}, seed=1),
        clock=lambda: NOW,
        calls_per_second=0,
        token_interval=0,
        token_repeat=0,
        lock_after=None,
    )
    with TlsProxy(broker).open() as proxy, broker:
        yield FaultyPulls(broker, proxy)
