"""The fuzzers: bytes that nobody would send, at the page decoder and the configuration file.

    python -m tests.fuzz [--runs N] [--seed N] [--driver atheris|random]

Each target runs in a process of its own, with a bound on its memory, guided by the branches that
kis_nb, json and yaml take (atheris, that is libFuzzer). A fresh seed each time unless one is
given. Prints a table; ends with 1 and the bytes that did it when an assertion fails, an error is
not ours, an input takes too long or the memory runs out.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import re
import resource
import secrets
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).parents[2]
# Every target, and the most bytes that it is given.
LONGEST = {
    "a page of any bytes": 4096,
    "the published page, mutated": 160,
    "KIS's other answers, mutated": 160,
    "a configuration file of any bytes": 512,
    "configuration lines, mutated": 24,
}
# Beyond what the interpreter and Polars take with everything loaded.
MEMORY = 512 << 20
SLOWEST = 20
DONE = re.compile(r"^DONE (\d+) runs: (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What came of one target."""

    name: str
    runs: int
    tally: dict[str, int]
    wrong: str

    def row(self) -> str:
        """A line of the table."""
        came = ", ".join(f"{count:,} {word}" for word, count in sorted(self.tally.items()))
        return f"| {self.name} | {self.runs:,} | {came} | {1 if self.wrong else 0} |"


def fuzz(name: str, runs: int, seed: int, driver: str = "atheris") -> Outcome:
    """Run one target in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="kis-nb-fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz", "--only", name]
        command += ["--runs", str(runs), "--seed", str(seed), "--driver", driver]
        run = subprocess.run(
            [*command, "--folder", folder],
            cwd=TOP,
            capture_output=True,
            text=True,
            errors="replace",
            # Without threads of its own NumPy, which Polars brings in, needs less memory.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            check=False,
        )
        found = DONE.search(run.stdout)
        bad = [path.read_bytes() for path in Path(folder).glob("crash-*")]
    if found is None or run.returncode or bad:
        said = "\n".join([f"{name} (seed {seed}): {bad!r}", run.stdout[-500:], run.stderr[-3000:]])
        return Outcome(name, 0, {}, said)
    words = (part.rpartition(" ") for part in found[2].split(", "))
    return Outcome(name, int(found[1]), {word: int(count) for word, _, count in words}, "")


def bound_memory() -> None:
    """What is loaded now, and a little more: an input that wants more ends in a MemoryError."""
    if sys.platform != "linux":  # others give no such figure, or do not hold to the limit
        return
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def child(name: str, runs: int, seed: int, driver: str, folder: Path) -> None:
    """Feed one target, in this process, until it has had its runs."""
    guide = importlib.import_module("atheris") if driver == "atheris" else None
    with guide.instrument_imports(include=["kis_nb", "json", "yaml"]) if guide else nullcontext():
        importlib.import_module("yaml")  # which _config imports late
        from tests.fuzz import targets
    assert targets.TARGETS.keys() == LONGEST.keys()
    target, seeds = targets.TARGETS[name], targets.SEEDS[name]
    tally: Counter[str] = Counter()

    def one(data: bytes) -> None:
        tally[target(data)] += 1
        if tally.total() == runs:
            came = ", ".join(f"{word} {count}" for word, count in tally.items())
            sys.stdout.write(f"DONE {runs} runs: {came}\n")
            sys.stdout.flush()

    for data in seeds:  # all that is loaded late is loaded, before memory is bounded
        target(data)
    bound_memory()
    if guide is None:
        blind(one, seeds, runs, seed)
        return
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(seeds):
        (corpus / str(number)).write_bytes(data)
    options = {"runs": runs, "seed": seed, "max_len": LONGEST[name], "timeout": SLOWEST}
    words = [f"-{key}={number}" for key, number in options.items()]
    words += ["-rss_limit_mb=2048", "-verbosity=0", f"-artifact_prefix={folder}/", str(corpus)]
    guide.Setup([sys.argv[0], *words], one)
    guide.Fuzz()


def blind(one: Callable[[bytes], object], seeds: list[bytes], runs: int, seed: int) -> None:
    """Without guidance, where atheris is not to be had: bytes at random, some near the seeds."""
    chance = random.Random(seed)
    for _ in range(runs):
        data = bytearray(chance.choice([*seeds, chance.randbytes(chance.randrange(64))]))
        for _ in range(chance.randrange(4) if data else 0):
            data[chance.randrange(len(data))] = chance.randrange(256)
        one(bytes(data))


def report(runs: int, seed: int, driver: str = "atheris") -> tuple[list[str], list[str]]:
    """The table's lines, and what came out wrong."""
    outcomes = [fuzz(name, runs, seed, driver) for name in LONGEST]
    lines = ["| fuzzed | inputs | came out | wrong |", "|---|---:|---|---:|"]
    lines += [outcome.row() for outcome in outcomes]
    return lines, [outcome.wrong for outcome in outcomes if outcome.wrong]


def main() -> int:
    """Run the fuzzers."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=20_000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--driver", choices=("atheris", "random"), default="atheris")
    parser.add_argument("--only", choices=LONGEST, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    seed = arguments.seed or 1 + secrets.randbelow(2**31 - 1)
    if arguments.only:
        child(arguments.only, arguments.runs, seed, arguments.driver, arguments.folder)
        return 0
    begin = time.monotonic()
    lines, wrong = report(arguments.runs, seed, arguments.driver)
    sys.stdout.write("\n".join([*lines, f"seed {seed}, {time.monotonic() - begin:.0f} s\n"]))
    sys.stderr.write("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
