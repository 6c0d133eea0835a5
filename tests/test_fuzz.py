"""The fuzzers in short, and that they can fail. `make fuzz` runs them for longer."""

from __future__ import annotations

import platform
import random
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kis_nb._frames import exact_columns
from kis_nb._wire import sources
from tests import factories
from tests.fuzz import __main__ as fuzzers
from tests.fuzz import targets

# Where pyproject.toml installs atheris; elsewhere the bytes are random, without guidance.
GUIDED = sys.platform == "linux" and platform.machine() == "x86_64"
RUNS = 300


@pytest.mark.parametrize("name", fuzzers.LONGEST)
def test_a_short_run_finds_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new seed each time, which a failure names, within bounded memory, no file left behind."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    seed = random.SystemRandom().randrange(1, 2**31)
    outcome = fuzzers.fuzz(name, RUNS, seed, "atheris" if GUIDED else "random")
    assert not outcome.wrong, outcome.wrong
    assert outcome.runs == RUNS
    assert sum(outcome.tally.values()) == RUNS
    assert len(outcome.tally) > 1, "all inputs came out alike"
    assert not list(tmp_path.iterdir()), "the fuzzer left files behind"


def unguided(name: str, runs: int) -> None:
    fuzzers.unguided(targets.TARGETS[name], targets.SEEDS[name], runs, seed=1)


def test_a_wrong_digit_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """An oracle that could not fail would prove nothing: a won too much in one column."""
    decode = factories.decode

    def careless(*pages: Any) -> Any:
        rows, summary = decode(*pages)
        return rows.with_columns(pl.col("evlu_amt") + 1), summary

    monkeypatch.setattr(targets, "decode", careless)
    with pytest.raises(AssertionError, match=r"evlu_amt is Decimal\('230587501'\)"):
        unguided("the published page, mutated", 50)


def test_a_rounding_decoder_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Polars alone reads what no column can hold."""
    by_dtype, anything = exact_columns._by_dtype, re.compile("(?s).*")
    monkeypatch.setattr(
        exact_columns,
        "_by_dtype",
        lambda block: [
            replace(same, one=anything, lines=anything) if same.one else same
            for same in by_dtype(block)
        ],
    )
    with pytest.raises(AssertionError, match="no column can hold it"):
        unguided("the published page, mutated", 2000)


def test_a_message_that_quotes_the_file_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle of the configuration file looks at messages and at frames' locals."""
    monkeypatch.setattr(sources, "url_problem", lambda url, _=(): f"what is {url}?")
    with pytest.raises(AssertionError, match="shows"):
        unguided("configuration lines, mutated", 500)


def test_memory_is_bounded() -> None:
    """An input that takes more than its share ends the run, and is named."""
    script = "import tests.fuzz.__main__ as f; f.bound_memory(); bytearray(f.MEMORY + 1)"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=fuzzers.TOP, capture_output=True, text=True, check=False
    )
    assert ("MemoryError" in run.stderr) == (sys.platform == "linux")
