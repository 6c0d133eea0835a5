"""The fault campaign: every fault of the gateway and of the network, wherever a pull can meet it.

    python -m tests.campaign [--pulls N] [--runs N] [--seed N] [--write FILE ...]

Alone at the first, a middle and the last page and at the token call, once and permanently; in
pairs; and several at a time at random, from a seed. Faulty responses are tested on plain HTTP;
failures before a request (name, connection, proxy, TLS) with `tests.tls_proxy`. Each pull must
return exactly the rows that a bare HTTP loop reads, or raise the right typed error holding the rows
of whole pages, within a bounded number of calls, waits and seconds. Then each fuzzer gets `--runs`
inputs. Prints two tables; `--write` puts them between the marks of a guide. Exits with 1 when
anything was wrong.
"""

from __future__ import annotations

import argparse
import itertools
import random
import sys
import warnings
from dataclasses import replace
from pathlib import Path

from kis_nb._errors import (
    ApiError,
    AuthError,
    DecodeError,
    KisError,
    PaginationError,
    RateLimitError,
    TransportError,
)
from tests.faults import NETWORK, WIRE, Fault
from tests.faulty_pulls import PAGES, SLOW, End, FaultyPulls, Tally, faulty_pulls
from tests.fuzz import __main__ as fuzzers
from tests.marked_tables import write
from tests.tls_proxy import CONNECTION_FAULTS, HARMLESS, UNTRUSTED, ConnectionFault

# The error of a fault that stays. At the token call any refusal is an AuthError, and the rest are
# TransportErrors.
ENDS: dict[str, type[KisError]] = {
    "EGW00103": AuthError,
    "EGW00105": AuthError,
    "EGW00121": AuthError,
    "EGW00122": AuthError,
    "EGW00123": AuthError,
    "EGW00304": AuthError,
    "EGW02004": AuthError,
    "EGW02007": AuthError,
    "EGW00201": RateLimitError,
    "EGW00201 as 200": RateLimitError,
    "EGW00201 without quotes": RateLimitError,
    "EGW00215": RateLimitError,
    "EGW00215 as 200": RateLimitError,
    "SYDB0050": PaginationError,
}
TRANSIENT = {
    *("EGW00201", "EGW00201 as 200", "EGW00201 without quotes", "EGW00215", "EGW00215 as 200"),
    *("EGW00121", "EGW00122", "EGW00123", "EGW00316", "EGW00001", "EGW00002", "EGW00202"),
    *("EGW00203", "EGW00204", "EGW00300", "EGW00301", "EGW00302", "OPSQ0003", "OPSQ0003 as 200"),
    *(f"OPSQ{number:04}" for number in range(4, 12)),
    *("OPSQ1002", "90020000", "SYDB0050"),
    *("HTML 200", "HTML 502", "HTML 503", "HTML 504", "empty 200", "empty 500", "redirect"),
    *(name for name in NETWORK),
}
# Faults that take time take little here.
QUICK = {"hang": 5.0, "drip head": 1.0, "slow": 0.005, "drip": 0.01}


def end_of(name: str) -> type[KisError]:
    """The error of a fault that stays."""
    if name in ENDS:
        return ENDS[name]
    return TransportError if name in TRANSIENT or name in CONNECTION_FAULTS else ApiError


def faults() -> dict[str, Fault]:
    """Every fault of a balance call, by name."""
    network = {
        name: replace(fault, seconds=QUICK.get(name, fault.seconds))
        for name, fault in NETWORK.items()
    }
    return {name: fault for name, fault in WIRE.items() if fault.call == "balance"} | network


def single_faults(pulls: FaultyPulls) -> Tally:
    """Each fault at each page and at the token call, once and permanently."""
    tally = Tally()
    for (name, fault), page, stays in itertools.product(
        faults().items(), range(1, PAGES + 1), (False, True)
    ):
        pulls.script(fault, page, None if stays else 1)
        recovers = name in HARMLESS or (name in TRANSIENT and not stays)
        ends = {None if recovers else end_of(name)}
        # The wrong length may cut the JSON anywhere; what is left must never pass for an answer.
        pulls.pull(tally, f"{name} at page {page}{' permanently' if stays else ''}", ends)
    at_token = {name: fault for name, fault in WIRE.items() if fault.call == "token"}
    for (name, fault), stays in itertools.product({**faults(), **at_token}.items(), (False, True)):
        pulls.script(fault, 0, None if stays else 1)
        ends = {AuthError, TransportError, *(() if stays and name not in HARMLESS else (None,))}
        pulls.pull(tally, f"{name} at the token call{' permanently' if stays else ''}", ends)
    return tally


def connection_faults(pulls: FaultyPulls) -> Tally:
    """Each connection fault at each page and at the token call, once and permanently, directly and
    through a proxy.
    """
    tally = Tally()
    for proxy, fault, place, stays in itertools.product(
        (False, True), CONNECTION_FAULTS.values(), range(PAGES + 1), (False, True)
    ):
        if fault.step == "proxy" and not proxy:
            continue
        pulls.script(fault, place, None if stays else 1)
        title = f"{fault.name} before page {place}, {'permanently' if stays else 'once'}, {proxy=}"
        end = TransportError if stays or fault.name in UNTRUSTED else None
        pulls.pull(tally, title, {end}, proxy=proxy)
    return tally


def pairs(pulls: FaultyPulls, *, connection: bool, most: int | None = None, seed: int = 1) -> Tally:
    """Two transient faults at any two places of a pull, with `connection` one of them a failure of
    the connection; a random sample of `most` pairs when given.
    """
    tally = Tally()
    answered: list[Fault | ConnectionFault] = [
        f for name, f in faults().items() if name in TRANSIENT
    ]
    seconds = list(itertools.product(answered, range(1, PAGES + 1)))
    firsts = seconds
    if connection:
        failures: list[Fault | ConnectionFault] = [
            f for name, f in CONNECTION_FAULTS.items() if name not in UNTRUSTED
        ]
        firsts = list(itertools.product(failures, range(PAGES + 1)))
        seconds = [*firsts, *seconds]
    everything = list(itertools.product(firsts, seconds))
    if most is not None:
        everything = random.Random(seed).sample(everything, min(most, len(everything)))
    for (first, page), (second, other) in everything:
        pulls.script(first, page)
        pulls.script(second, other)
        # A second refusal of the token within one page is for good.
        refusals = {first.name, second.name} <= {"EGW00121", "EGW00122", "EGW00123"}
        end = AuthError if refusals and page == other else None
        pulls.pull(tally, f"{first.name} at {page}, {second.name} at {other}", {end})
    return tally


def random_faults(pulls: FaultyPulls, count: int, seed: int) -> Tally:
    """Random faults at random places, up to eight in a pull, each once or a few times."""
    tally = Tally()
    chance = random.Random(seed)
    everything: dict[str, Fault | ConnectionFault] = {**faults(), **CONNECTION_FAULTS}
    allowed: set[End] = {None, DecodeError, *map(end_of, everything)}
    for number in range(count):
        chosen = chance.choices(list(everything), k=chance.choice((0, 1, 1, 2, 2, 3, 5, 8)))
        for name in chosen:
            # A hang really takes its timeout; one in ten of them is enough.
            if name in SLOW and chance.random() > 0.1:
                continue
            tally.faults[name] += 1
            place = 0 if chance.random() < 0.1 else chance.choice((None, 1, 2, 3))
            pulls.script(everything[name], place, chance.choice((1, 1, 1, 2, 3)))
        pulls.pull(tally, f"random pull {number} of seed {seed}", allowed)
    return tally


def report(count: int, seed: int) -> tuple[list[str], list[str]]:
    """The table's lines, and what came out wrong."""
    with faulty_pulls() as pulls, warnings.catch_warnings():
        warnings.simplefilter("error")
        lines = [
            "| faults | pulls | recovered | typed error | wrong | most calls |",
            "|---|---:|---:|---:|---:|---:|",
        ]
        wrong: list[str] = []
        everywhere = "alone, at every page and at the token call"
        steps = "name, connection, proxy, TLS"
        for title, tally in (
            (f"{len(faults())} kinds of faulty answers, {everywhere}", single_faults(pulls)),
            ("the transient ones in pairs, at any two pages", pairs(pulls, connection=False)),
            (
                f"{len(CONNECTION_FAULTS)} kinds of connection failure ({steps}), {everywhere}",
                connection_faults(pulls),
            ),
            ("the transient ones in pairs with any transient one", pairs(pulls, connection=True)),
            (f"several of all of them at random (seed {seed})", random_faults(pulls, count, seed)),
        ):
            lines.append(tally.row(title))
            wrong += tally.wrong
    return lines, wrong


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
