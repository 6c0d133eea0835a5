"""Ctrl-C in the middle of things, and two kernels on one key: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb.demo import Book, Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[1]
LIMIT = 120  # reached by a hang only
OTHER = "70045678-03"
COMMAND = "import sys; from kis_nb._cli import main; sys.exit(main(sys.argv[1:]))"
# A kernel in which a cell is interrupted, and another one run after it.
KERNEL = """
import threading, kis_nb
client = kis_nb.connect()
before = set(threading.enumerate())
try:
    client.balance()
except KeyboardInterrupt:
    print("interrupted", set(threading.enumerate()) - before, flush=True)
print("then", client.balance().positions.height, set(threading.enumerate()) - before, flush=True)
"""


class Stop:
    """A fault that holds an answer back, and says so, until it is let go."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.go = threading.Event()

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reached.set()
        self.go.wait(LIMIT)
        return body


@pytest.fixture
def stop() -> Iterator[Stop]:
    made = Stop()
    yield made
    made.go.set()


@pytest.fixture
def environment(guarded: Broker, tmp_path: Path) -> dict[str, str]:
    """A customer's, whose KIS is the broker."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("KIS_")}
    return kept | {
        "HOME": str(tmp_path),
        "KIS_NB_CACHE_DIR": str(tmp_path / "cache"),
        "KIS_APP_KEY": APP_KEY,
        "KIS_APP_SECRET": APP_SECRET,
        "KIS_ACCOUNTS": ACCOUNT,
        "KIS_BASE_URL": guarded.address,
        "PYTHONPATH": str(TOP),
        "PYTHONFAULTHANDLER": "1",
    }


@contextmanager
def started(code: str, *words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """An interpreter, killed when it hangs."""
    with subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    ) as process:
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


PLACES = [("token", None), ("balance", 1), ("balance", 2), ("balance", 3)]


@pytest.mark.parametrize(("call", "page"), PLACES)
def test_an_interrupted_command_leaves_nothing(
    guarded: Broker,
    environment: dict[str, str],
    stop: Stop,
    tmp_path: Path,
    call: Any,
    page: int | None,
) -> None:
    """Exit 130 and one line; no file, no part of one, no half token; the next command works."""
    guarded.fault(Fault(kind="mutate", call=call, page=page, change=stop, times=1))
    words = ("balance", "--output", "kept.csv")
    with started(COMMAND, *words, env=environment, cwd=tmp_path) as process:
        assert stop.reached.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert (process.returncode, out, err) == (130, "", "kis-nb: interrupted\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cache"]
    assert not list((tmp_path / "cache").glob("*.new"))
    stop.go.set()
    with started(COMMAND, *words, env=environment, cwd=tmp_path) as process:
        _, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert len((tmp_path / "kept.csv").read_text("utf-8").splitlines()) == 46


@pytest.mark.parametrize(("call", "page"), PLACES)
def test_an_interrupted_cell_leaves_no_thread_and_a_client_that_works(
    guarded: Broker, environment: dict[str, str], stop: Stop, call: Any, page: int | None
) -> None:
    """The next cell pulls every row on the same client."""
    guarded.fault(Fault(kind="mutate", call=call, page=page, change=stop, times=1))
    with started(KERNEL, env=environment) as process:
        assert stop.reached.wait(LIMIT)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert out.splitlines() == ["interrupted set()", "then 45 set()"], err
    assert (process.returncode, err) == (0, "")


PULLS = """
import sys, kis_nb
with kis_nb.connect() as client:
    print("ready", flush=True)
    sys.stdin.readline()
    print(sum(client.balance(sys.argv[1]).positions.height for _ in range(3)))
"""


def test_two_kernels_on_one_key_do_not_starve_each_other(
    environment: dict[str, str],
) -> None:
    """Each at the usual pace, together over the gateway's limit: all rows for both, one token, and
    when the first is done the other has had its share.
    """
    accounts = (ACCOUNT, OTHER)
    book = Book.sized(dict.fromkeys(accounts, 237), seed=1)
    with Broker(book=book, app_key=APP_KEY, app_secret=APP_SECRET, calls_per_second=20) as broker:
        own = environment | {"KIS_BASE_URL": broker.address}
        with started(PULLS, ACCOUNT, env=own) as one, started(PULLS, OTHER, env=own) as two:
            for process in (one, two):
                assert process.stdout is not None
                assert process.stdout.readline() == "ready\n"
            for process in (one, two):
                assert process.stdin is not None
                process.stdin.write("\n")
                process.stdin.flush()
            ends = [process.communicate() for process in (one, two)]
    assert ends == [("711\n", ""), ("711\n", "")]
    assert sum(call.path.endswith("tokenP") for call in broker.calls) == 1
    asked = [call.query["CANO"] for call in broker.calls if "CANO" in call.query]
    alone = next(n for n in range(1, len(asked)) if asked[-n - 1] != asked[-1])
    assert alone < len(asked) / 3, f"the last {alone} of {len(asked)} calls were one kernel's"
