"""The fault campaign: every fault of the gateway and of the network, wherever a pull can meet it.

    python -m tests.campaign [--pulls N] [--runs N] [--seed N] [--write FILE ...]

Alone at the first, a middle and the last page and at the token call, once and for ever; in pairs;
and in seeded random storms. What the broker answers, and what the network makes of it, is met on
plain HTTP; what fails on the way (name, connection, proxy, TLS) on `tests.roads`. Each pull must
end in exactly the rows that a bare HTTP walk reads, or in the right typed error holding a whole
prefix of them, within a bounded number of calls, waits and seconds. Then the fuzzers have `--runs`
runs each. Prints two tables; `--write` puts them between the marks of a guide. Ends with 1 when
anything came out wrong.
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
from tests.field import PAGES, TIRING, End, Field, Tally, field_of_play
from tests.fuzz import __main__ as fuzzers
from tests.roads import BUMPS, DISTRUST, HARMLESS, Bump

# What a fault may end in when it does not go away. Where the call is the token's, a refusal of any
# kind is an AuthError and the rest a TransportError.
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
PASSING = {
    *("EGW00201", "EGW00201 as 200", "EGW00201 without quotes", "EGW00215", "EGW00215 as 200"),
    *("EGW00121", "EGW00122", "EGW00123", "EGW00316", "EGW00001", "EGW00002", "EGW00202"),
    *("EGW00203", "EGW00204", "EGW00300", "EGW00301", "EGW00302", "OPSQ0003", "OPSQ0003 as 200"),
    *(f"OPSQ{number:04}" for number in range(4, 12)),
    *("OPSQ1002", "90020000", "SYDB0050"),
    *("HTML 200", "HTML 502", "HTML 503", "HTML 504", "empty 200", "empty 500", "redirect"),
    *(name for name in NETWORK),
}
# Faults that take time take little of it here.
QUICK = {"hang": 5.0, "drip head": 1.0, "slow": 0.005, "drip": 0.01}


def end_of(name: str) -> type[KisError]:
    """The error of a fault that stays."""
    if name in ENDS:
        return ENDS[name]
    return TransportError if name in PASSING or name in BUMPS else ApiError


def faults() -> dict[str, Fault]:
    """Every fault of a balance call, by name."""
    network = {
        name: replace(fault, seconds=QUICK.get(name, fault.seconds))
        for name, fault in NETWORK.items()
    }
    return {name: fault for name, fault in WIRE.items() if fault.call == "balance"} | network


def singles(play: Field) -> Tally:
    """Each fault at each page, once and for ever; and at the token call."""
    tally = Tally()
    for (name, fault), page, stays in itertools.product(
        faults().items(), range(1, PAGES + 1), (False, True)
    ):
        play.script(fault, page, None if stays else 1)
        got_over = name in HARMLESS or (name in PASSING and not stays)
        ends = {None if got_over else end_of(name)}
        # The wrong length may cut the JSON anywhere; what is left must never pass for an answer.
        play.pull(tally, f"{name} at page {page}{' for ever' if stays else ''}", ends)
    at_token = {name: fault for name, fault in WIRE.items() if fault.call == "token"}
    for (name, fault), stays in itertools.product({**faults(), **at_token}.items(), (False, True)):
        play.script(fault, 0, None if stays else 1)
        ends = {AuthError, TransportError, *(() if stays and name not in HARMLESS else (None,))}
        play.pull(tally, f"{name} at the token call{' for ever' if stays else ''}", ends)
    return tally


def on_the_way(play: Field) -> Tally:
    """Each fault on the way to each page and to the token call, once and for ever, straight and
    through a proxy.
    """
    tally = Tally()
    for proxy, bump, place, stays in itertools.product(
        (False, True), BUMPS.values(), range(PAGES + 1), (False, True)
    ):
        if bump.step == "proxy" and not proxy:
            continue
        play.script(bump, place, None if stays else 1)
        title = f"{bump.name} on the way to {place}, {'for ever' if stays else 'once'}, {proxy=}"
        end = TransportError if stays or bump.name in DISTRUST else None
        play.pull(tally, title, {end}, proxy=proxy)
    return tally


def pairs(play: Field, *, road: bool, most: int | None = None, seed: int = 1) -> Tally:
    """Two faults that pass, at any two places of a walk, with `road` one of them on the way; a
    sample of them when `most` is given.
    """
    tally = Tally()
    answered: list[Fault | Bump] = [f for name, f in faults().items() if name in PASSING]
    seconds = list(itertools.product(answered, range(1, PAGES + 1)))
    firsts = seconds
    if road:
        bumps: list[Fault | Bump] = [b for name, b in BUMPS.items() if name not in DISTRUST]
        firsts = list(itertools.product(bumps, range(PAGES + 1)))
        seconds = [*firsts, *seconds]
    everything = list(itertools.product(firsts, seconds))
    if most is not None:
        everything = random.Random(seed).sample(everything, min(most, len(everything)))
    for (first, page), (second, other) in everything:
        play.script(first, page)
        play.script(second, other)
        # A second refusal of the token within one page is for good.
        refusals = {first.name, second.name} <= {"EGW00121", "EGW00122", "EGW00123"}
        end = AuthError if refusals and page == other else None
        play.pull(tally, f"{first.name} at {page}, {second.name} at {other}", {end})
    return tally


def storm(play: Field, pulls: int, seed: int) -> Tally:
    """Random faults at random places, several to a pull, with any mix of staying and passing."""
    tally = Tally()
    chance = random.Random(seed)
    everything: dict[str, Fault | Bump] = {**faults(), **BUMPS}
    allowed: set[End] = {None, DecodeError, *map(end_of, everything)}
    for number in range(pulls):
        chosen = chance.choices(list(everything), k=chance.choice((0, 1, 1, 2, 2, 3, 5, 8)))
        for name in chosen:
            # A hang costs its timeout for real; they are met often enough at one in ten.
            if name in TIRING and chance.random() > 0.1:
                continue
            tally.met[name] += 1
            place = 0 if chance.random() < 0.1 else chance.choice((None, 1, 2, 3))
            play.script(everything[name], place, chance.choice((1, 1, 1, 2, 3)))
        play.pull(tally, f"storm pull {number} of seed {seed}", allowed)
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
        everywhere = "alone, at every page and at the token call"
        steps = "name, connection, proxy, TLS"
        for title, tally in (
            (f"{len(faults())} kinds of faulty answers, {everywhere}", singles(play)),
            ("those that pass in pairs, at any two pages", pairs(play, road=False)),
            (f"{len(BUMPS)} kinds of failure on the way ({steps}), {everywhere}", on_the_way(play)),
            ("those that pass in pairs with any that pass", pairs(play, road=True)),
            (f"random storms of all of them (seed {seed})", storm(play, pulls, seed)),
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
