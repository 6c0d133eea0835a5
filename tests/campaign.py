"""The fault campaign: every fault of the gateway and of the network, wherever a pull can meet it.

    python -m tests.campaign [--pulls N] [--runs N] [--seed N] [--write FILE ...]

Alone at the first, a middle and the last page and at the token call, once and for ever; in pairs;
and in seeded random storms. Each pull must end in exactly the rows that a bare HTTP walk reads, or
in the right typed error holding a whole prefix of them, within a bounded number of calls and
waits. Then the fuzzers have `--runs` runs each. Prints two tables; `--write` puts them between the
marks of a README. Ends with 1 when anything came out wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import requests

from kis_nb._balance import Balance
from kis_nb._client import Client
from kis_nb._config import Secret, Settings
from kis_nb._errors import (
    ApiError,
    AuthError,
    DecodeError,
    KisError,
    PaginationError,
    RateLimitError,
    TransportError,
)
from kis_nb._fields import NIGHT_BALANCE, Account
from kis_nb._http import Clock
from kis_nb.demo import NETWORK, WIRE, Book, Broker, Fault
from tests.fuzz import __main__ as fuzzers

ACCOUNT = "80012345-03"
ROWS, PAGES, RETRIES = 45, 3, 3
NOW = 1_795_356_904.0

# What a fault may end in when it does not go away. Where the call is the token's, a refusal of any
# kind is an AuthError and the rest a TransportError.
ENDS: dict[str, type[KisError]] = {
    "EGW00103": AuthError,
    "EGW00105": AuthError,
    "EGW00121": AuthError,
    "EGW00123": AuthError,
    "EGW00201": RateLimitError,
    "EGW00201 as 200": RateLimitError,
    "SYDB0050": PaginationError,
}
PASSING = {
    *("EGW00201", "EGW00201 as 200", "EGW00123", "EGW00121", "EGW00316", "EGW00001", "EGW00002"),
    *("EGW00202", "EGW00203", "EGW00204", "EGW00300", "OPSQ0003", "OPSQ1002", "SYDB0050"),
    *("HTML 200", "HTML 502", "HTML 503", "HTML 504", "empty 200", "empty 500", "redirect"),
    *(name for name in NETWORK),
}
HARMLESS = {"slow", "drip", "chunked", "gzip"}
# Faults that take time take little of it here.
QUICK = {"hang": 5.0, "slow": 0.005, "drip": 0.01}
READ_TIMEOUT = 0.15


def end_of(name: str) -> type[KisError]:
    """The error of a fault that stays."""
    if name in ENDS:
        return ENDS[name]
    return TransportError if name in PASSING else ApiError


def faults() -> dict[str, Fault]:
    """Every fault of a balance call, by name."""
    network = {
        name: replace(fault, seconds=QUICK.get(name, fault.seconds))
        for name, fault in NETWORK.items()
    }
    return {name: fault for name, fault in WIRE.items() if fault.call == "balance"} | network


class Patient(Clock):
    """A client's clock on which waiting costs nothing; real time goes on beside it."""

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
    """What came of the pulls."""

    tried: int = 0
    recovered: int = 0
    typed: int = 0
    wrong: list[str] = field(default_factory=list)
    most_calls: int = 0
    longest_wait: float = 0.0
    met: Counter[str] = field(default_factory=Counter)

    def row(self, title: str) -> str:
        """A line of the table."""
        return (
            f"| {title} | {self.tried:,} | {self.recovered:,} | {self.typed:,} "
            f"| {len(self.wrong)} | {self.most_calls} |"
        )


class Field:
    """A broker that stands still, what a bare walk reads from it, and pulls against it."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.expected = self._walk()

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

    def pull(self, tally: Tally, title: str, ends: set[type[KisError]] | None) -> None:
        """One pull by a fresh client, judged: `ends` are the errors allowed; None allows none."""
        clock = Patient()
        client = Client(
            Settings(
                app_key=Secret(self.broker.app_key),
                app_secret=Secret(self.broker.app_secret),
                accounts=(Account.parse(ACCOUNT),),
                base_url=self.broker.address,
                timeout=(1.0, READ_TIMEOUT),
                retries=RETRIES,
                calls_per_second=1_000_000,
            ),
            clock=clock,
        )
        before = len(self.broker.calls)
        tally.tried += 1
        read: Balance | None
        error: KisError | None = None
        try:
            read = client.balance()
        except KisError as raised:
            read, error = raised.partial, raised
        finally:
            client.close()
        calls = len(self.broker.calls) - before
        del self.broker.calls[:]
        tally.most_calls = max(tally.most_calls, calls)
        tally.longest_wait = max(tally.longest_wait, clock.waited)
        complaint = self._judge(read, error, ends)
        # Every page and the token call, each asked again RETRIES times, in four walks at most; a
        # token that is asked for too soon waits two minutes.
        if calls > (PAGES * (RETRIES + 2) + RETRIES + 4) * 4 or clock.waited > 300:
            complaint = complaint or f"{calls} calls, {clock.waited:.0f} s of waits"
        if complaint:
            tally.wrong.append(f"{title}: {complaint}")
        elif error is None:
            tally.recovered += 1
        else:
            tally.typed += 1

    def _judge(
        self, read: Balance | None, error: KisError | None, ends: set[type[KisError]] | None
    ) -> str | None:
        """What is wrong with an outcome."""
        if error is not None and ends is not None and type(error) not in ends:
            return f"{type(error).__name__}: {error}"
        if error is not None and ends is None:
            return f"not got over: {type(error).__name__}: {error}"
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
    with Broker(
        book=Book.sized({ACCOUNT: ROWS}, seed=1),
        clock=lambda: NOW,
        calls_per_second=0,
        token_interval=0,
        token_repeat=0,
        lock_after=None,
    ) as broker:
        yield Field(broker)


def singles(play: Field) -> Tally:
    """Each fault at each page, once and for ever; and at the token call."""
    tally = Tally()
    for (name, fault), page, stays in itertools.product(
        faults().items(), range(1, PAGES + 1), (False, True)
    ):
        play.broker.fault(fault.at(page, times=None if stays else 1))
        got_over = name in HARMLESS or (name in PASSING and not stays)
        ends = None if got_over else {end_of(name)}
        # The wrong length may cut the JSON anywhere; what is left must never pass for an answer.
        play.pull(tally, f"{name} at page {page}{' for ever' if stays else ''}", ends)
        play.broker.clear_faults()
    at_token = {name: fault for name, fault in WIRE.items() if fault.call == "token"}
    at_all: set[type[KisError]] = {AuthError, TransportError}
    for (name, fault), stays in itertools.product({**faults(), **at_token}.items(), (False, True)):
        play.broker.fault(fault.at(None, call="token", times=None if stays else 1))
        play.pull(tally, f"{name} at the token call{' for ever' if stays else ''}", at_all)
        play.broker.clear_faults()
    return tally


def pairs(play: Field, most: int | None = None, seed: int = 1) -> Tally:
    """Two faults that pass, at any two places of a walk; a sample of them when `most` is given."""
    tally = Tally()
    passing = [(name, fault) for name, fault in faults().items() if name in PASSING]
    places = range(1, PAGES + 1)
    everything = list(itertools.product(passing, places, passing, places))
    if most is not None:
        everything = random.Random(seed).sample(everything, min(most, len(everything)))
    for (one, first), page, (two, second), other in everything:
        play.broker.fault(first.at(page))
        play.broker.fault(second.at(other))
        # A second refusal of the token within one page is for good.
        tokens = {"EGW00121", "EGW00123"}
        ends: set[type[KisError]] | None = (
            {AuthError} if {one, two} <= tokens and page == other else None
        )
        play.pull(tally, f"{one} at {page}, {two} at {other}", ends)
        play.broker.clear_faults()
    return tally


def storm(play: Field, pulls: int, seed: int) -> Tally:
    """Random faults at random places, several to a pull, with any mix of staying and passing."""
    tally = Tally()
    chance = random.Random(seed)
    names = list(faults().items())
    allowed = {end_of(name) for name, _ in names} | {DecodeError}
    for number in range(pulls):
        chosen = chance.choices(names, k=chance.choice((0, 1, 1, 2, 2, 3, 5, 8)))
        for name, fault in chosen:
            # A hang costs its timeout for real; they are met often enough at one in ten.
            if name == "hang" and chance.random() > 0.1:
                continue
            tally.met[name] += 1
            times = chance.choice((1, 1, 1, 2, 3))
            if chance.random() < 0.1:
                play.broker.fault(fault.at(None, call="token", times=times))
            else:
                play.broker.fault(fault.at(chance.choice((None, 1, 2, 3)), times=times))
        play.pull(tally, f"storm pull {number} of seed {seed}", allowed)
        play.broker.clear_faults()
    return tally


def report(pulls: int, seed: int) -> tuple[list[str], list[str]]:
    """The table's lines, and what came out wrong."""
    with field_of_play() as play, warnings.catch_warnings():
        warnings.simplefilter("error")
        lines = [
            "| faults | pulls | recovered | typed error | wrong | most calls |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        wrong: list[str] = []
        kinds = len(faults())
        for title, tally in (
            (f"{kinds} kinds, alone, at every page and at the token call", singles(play)),
            ("in pairs, at any two pages", pairs(play)),
            (f"random storms (seed {seed})", storm(play, pulls, seed)),
        ):
            lines.append(tally.row(title))
            wrong += tally.wrong
    return lines, wrong


def between(text: str, mark: str) -> tuple[str, str, str]:
    """A text up to the end of a mark, between it and its end, and from there on."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    before, _, rest = text.partition(begin)
    table, _, after = rest.partition(end)
    return before + begin, table, end + after


def write(path: Path, mark: str, lines: list[str]) -> None:
    """Put a table between a file's marks."""
    before, _, after = between(path.read_text(encoding="utf-8"), mark)
    path.write_text("".join([before, *(f"{line}\n" for line in lines), after]), "utf-8")


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--pulls", type=int, default=5000)
    parser.add_argument("--runs", type=int, default=20_000, help="inputs for each fuzzer")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--write", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    wrong: list[str] = []
    for mark, (lines, failed) in {
        "campaign": report(arguments.pulls, arguments.seed),
        "fuzz": fuzzers.report(arguments.runs, arguments.seed),
    }.items():
        print("\n".join(lines))
        wrong += failed
        for path in arguments.write:
            write(path, mark, lines)
    print("\n".join(wrong), file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
