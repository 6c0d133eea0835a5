"""Ctrl-C, a kernel's restart and a dashboard's end in the middle of things, and two kernels on one
key: real processes, real signals.
"""

from __future__ import annotations

import functools
import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar

import comm
import pytest
from comm.base_comm import BaseComm
from jupyter_client.manager import KernelManager

import kis_nb
from kis_nb._dashboard.chart_data import ChartData
from kis_nb.demo import Book
from tests.ended import close_and_join
from tests.faults import Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jupyter_client.blocking.client import BlockingKernelClient

    from kis_nb._client import Client

TOP = Path(__file__).parents[1]
LIMIT = 120  # reached by a hang only
OTHER = "70045678-03"
COMMAND = "import sys; from kis_nb._cli.main import main; sys.exit(main(sys.argv[1:]))"
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
        self.left = threading.Event()

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        self.reached.set()
        self.go.wait(LIMIT)
        self.left.set()
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


class Kernel:
    """A Jupyter kernel as a notebook has it, its cells run one at a time."""

    def __init__(self, environment: dict[str, str], log: IO[bytes]) -> None:
        # Sockets on disk: a port chosen now may be taken when the kernel comes to bind it.
        self.place = tempfile.TemporaryDirectory(prefix="kis-nb-")
        self.manager = KernelManager(transport="ipc", ip=f"{self.place.name}/k")
        self.manager.start_kernel(env=environment, stdout=log, stderr=log)
        self.client: BlockingKernelClient = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(LIMIT)

    def start(self, code: str) -> str:
        return str(self.client.execute(code))

    def end(self, cell: str) -> tuple[str, str]:
        """What a cell that was started printed, and the error that ended it, whole."""
        printed, error = "", ""
        while True:
            told = self.client.get_iopub_msg(timeout=LIMIT)
            if told["parent_header"].get("msg_id") != cell:
                continue
            content = told["content"]
            if told["msg_type"] == "stream":
                printed += content["text"]
            elif told["msg_type"] == "error":
                error = "\n".join([content["ename"], content["evalue"], *content["traceback"]])
            elif content.get("execution_state") == "idle":
                return printed, error

    def run(self, code: str) -> tuple[str, str]:
        return self.end(self.start(code))

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.place.cleanup()


@pytest.fixture
def kernel(environment: dict[str, str], tmp_path: Path) -> Iterator[Kernel]:
    with (tmp_path / "kernel.log").open("wb") as log:
        made = Kernel(environment, log)
        yield made
        made.close()


def test_a_cell_is_interrupted_and_the_next_one_pulls(
    guarded: Broker, kernel: Kernel, stop: Stop
) -> None:
    """In a real kernel, at once and not when KIS answers at last; the traceback holds no secret."""
    pull = "print(kis_nb.balance().positions.height)"
    assert kernel.run(f"%xmode Verbose\nimport kis_nb\n{pull}")[0].endswith("45\n")
    guarded.fault(Fault(kind="mutate", page=2, change=stop))
    cell = kernel.start(pull)
    assert stop.reached.wait(LIMIT)
    kernel.manager.interrupt_kernel()
    printed, error = kernel.end(cell)
    # The answer is still held back: the cell did not wait for it.
    assert not stop.left.is_set()
    assert (printed, error.partition("\n")[0]) == ("", "KeyboardInterrupt")
    assert kernel.run(pull) == ("45\n", "")
    sent = {call.headers.get("authorization", "x").split()[-1] for call in guarded.calls} - {"x"}
    Search(APP_KEY, APP_SECRET, *sent).look(error, "the traceback")


def noting(seen: list[str], name: str, way: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, noted when it is called."""

    def noted(*args: Any, **more: Any) -> Any:
        seen.append(name)
        return way(*args, **more)

    return noted


def test_a_kernel_restarted_while_a_token_is_issued_leaves_nothing(
    guarded: Broker,
    kernel: Kernel,
    stop: Stop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For a dashboard: its process ends by itself, says nothing, holds no lock and leaves no part
    of a file; the same cell run again works. (Restarted in mid pull: `tests/browser`.)
    """
    show = """
import os, kis_nb
d = kis_nb.dashboard(kis_nb.connect(), auto=5)
print(os.getpid())
"""
    wait = """
import time
while d.balance is None and not d._fetcher.state.failed: time.sleep(0.01)
print(d.balance.positions.height)
d.close()
"""
    guarded.fault(Fault(kind="mutate", call="token", change=stop))
    pid = int(kernel.run(show)[0])
    assert stop.reached.wait(LIMIT)
    forced: list[str] = []
    for name in ("terminate", "kill"):
        way = getattr(kernel.manager.provisioner, name)
        monkeypatch.setattr(kernel.manager.provisioner, name, noting(forced, name, way))
    kernel.manager.shutdown_wait_time = LIMIT
    kernel.manager.restart_kernel()
    assert forced == [], "it did not end by itself"
    kernel.client.wait_for_ready(LIMIT)
    assert not Path(f"/proc/{pid}").exists()
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".lock"]
    assert len(guarded.calls) == 1
    assert int(kernel.run(show)[0]) != pid
    assert kernel.run(wait) == ("45\n", "")
    assert sum(call.path.endswith("tokenP") for call in guarded.calls) == 2
    assert (tmp_path / "kernel.log").read_text("utf-8") == ""


def test_a_kernel_that_ends_waits_for_what_is_drawn(kernel: Kernel, tmp_path: Path) -> None:
    """Sent when the sockets are closed, it would be a traceback in the server's log, or a crash."""
    show = f"""
import kis_nb, threading, time
from kis_nb._widgets.panels import HeadPanel
drawing, send, log = threading.Event(), HeadPanel._send_parts, open({str(tmp_path / "sent")!r}, "w")
def slowly(*args, time=time, drawing=drawing, send=send, log=log):
    if threading.current_thread() is not threading.main_thread():
        drawing.set()
        time.sleep(1.2)
        print("sending", flush=True, file=log)
        send(*args)
        print("sent", flush=True, file=log)
    else:
        send(*args)
HeadPanel._send_parts = slowly
d = kis_nb.dashboard(kis_nb.connect())
print(drawing.wait(60))
"""
    assert kernel.run(show) == ("True\n", "")
    kernel.manager.shutdown_kernel()
    said = (tmp_path / "sent").read_text("utf-8").split()
    assert said == ["sending", "sent"] * (len(said) // 2)
    assert said
    assert (tmp_path / "kernel.log").read_text("utf-8") == ""


class Wire(BaseComm):
    """A channel to a page that nobody opened; notes what is sent."""

    sent: ClassVar[list[tuple[str, str]]] = []

    def publish_msg(self, msg_type: str, *_: object, **__: object) -> None:
        self.sent.append((msg_type, self.comm_id))


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What widgets made from now on send: message types and channels, in order."""
    monkeypatch.setattr(Wire, "sent", [])
    monkeypatch.setattr(comm, "create_comm", Wire)
    return Wire.sent


@pytest.mark.parametrize(
    ("call", "page"), [("token", None), ("balance", 1), ("balance", 3), ("drawing", None)]
)
def test_a_dashboard_closed_in_mid_pull_says_nothing_more(
    guarded: Broker,
    client_of: Callable[..., Client],
    stop: Stop,
    wire: list[tuple[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    call: Any,
    page: int | None,
) -> None:
    """What comes after close, an answer or the figures drawn from it, moves no trait and sends no
    message; the threads end with it.
    """
    if call == "drawing":
        monkeypatch.setattr(ChartData, "prepare", lambda *_: stop({}))
    else:
        guarded.fault(Fault(kind="mutate", call=call, page=page, change=stop, times=1))
    dashboard = kis_nb.dashboard(client_of(guarded), auto=5)
    fetcher = dashboard._fetcher
    assert fetcher is not None
    assert stop.reached.wait(LIMIT)
    threads = set(fetcher._threads)
    assert threads
    # It waits a moment for what may end by itself, which this will not.
    monkeypatch.setattr(fetcher, "close", functools.partial(fetcher.close, 0))
    dashboard.close()
    heard: list[object] = []
    dashboard.observe(lambda change: heard.append(change["name"]))
    said = len(wire)
    asked = len(guarded.calls)
    stop.go.set()
    for thread in threads:
        thread.join(LIMIT)
    assert not any(thread.is_alive() for thread in threads)
    assert not fetcher._threads
    assert heard == []
    assert len(wire) == said
    # One call for the view behind it may have been on its way.
    assert len(guarded.calls) - asked <= (call == "drawing")


def test_a_dashboard_that_waits_for_an_answer_ends_with_the_timeout(
    guarded: Broker, client_of: Callable[..., Client], wire: list[tuple[str, str]]
) -> None:
    """KIS never answers: no retry is made for a dashboard that is gone."""
    guarded.fault(Fault(kind="hang", seconds=600, page=2, times=None, name="hang"))
    client = client_of(guarded, timeout=(1, 0.5))
    dashboard = kis_nb.dashboard(client, auto=5)
    assert dashboard._fetcher is not None
    threads = set(dashboard._fetcher._threads)
    while not any(one.outcome == "hang" for one in guarded.calls):
        time.sleep(0.01)
    dashboard.close()
    # A machine may take its time, but not the ten minutes that the answer is away.
    for thread in threads:
        thread.join(LIMIT)
    assert not any(thread.is_alive() for thread in threads)
    assert sum(one.outcome == "hang" for one in guarded.calls) == 1
    assert wire[-1][0] == "comm_close"


def test_a_closed_dashboard_leaves_no_channel_and_no_figure(
    guarded: Broker, client_of: Callable[..., Client], wire: list[tuple[str, str]]
) -> None:
    """Each channel that was opened is closed, down to every layout, and nothing in the kernel holds
    on to the dashboard and its balances.
    """
    dashboard = kis_nb.dashboard(client_of(guarded))
    drawn = threading.Event()
    dashboard.observe(lambda _: drawn.set(), "balance")
    assert dashboard.balance is not None or drawn.wait(LIMIT)
    close_and_join(dashboard)
    opened = [name for kind, name in wire if kind == "comm_open"]
    assert len(opened) > 50
    assert sorted(opened) == sorted(name for kind, name in wire if kind == "comm_close")
    gone = weakref.ref(dashboard)
    del dashboard
    gc.collect()
    assert gone() is None


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
    they take turns. How evenly is up to whom the gateway refuses (`test_rate_limit` plays it).
    """
    accounts = (ACCOUNT, OTHER)
    book = Book.sized(dict.fromkeys(accounts, 237), seed=1)
    with Broker(
        book=book,
        app_key=APP_KEY,
        app_secret=APP_SECRET,
        calls_per_second=20,
        shared_key=True,
    ) as broker:
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
    first_done = min(max(at for at, one in enumerate(asked) if one == who) for who in set(asked))
    assert min(asked[:first_done].count(who) for who in set(asked)) >= 3
