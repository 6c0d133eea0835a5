"""When the Risk tab estimates and asks, and in which order; the estimates are stand-ins here."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from kis_nb._choices import Lang
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.risk_estimates import Estimate, Subject
from kis_nb._dashboard.risk_estimator import RiskEstimator
from kis_nb._errors import Cancelled
from kis_nb._frames.balance import Balance
from tests.factories import make_balance, position

ONE, TWO = "80012345-03", "70012345-03"
OPTIONS = [f"B01612{number}" for number in range(25)]


class Lab:
    """An estimator with a listener, a market and a clock that the test moves.

    Attributes:
        wanted: as of `EstimateListener`.
        begun: the subjects that were estimated, in order, each with whether the market was asked.
        gates: of the balance's number, what its estimate with the market waits for.
        quotes: what was known before of each estimate, by the same order.
        timers: the jobs that wait for their time.
        shown: what was held at each `on_estimate`, as balance and step.
        failures: what could not be estimated.
        asked: the codes of each call for quotes.
        during: called in each call for quotes.
        error: what an estimate with the market raises.
    """

    wanted = True

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.begun: list[tuple[int, bool]] = []
        self.gates: dict[int, threading.Event] = {}
        self.quotes: list[pl.DataFrame | None] = []
        self.timers: list[Callable[[], None]] = []
        self.shown: list[tuple[int, int]] = []
        self.failures: list[Exception] = []
        self.asked: list[list[str]] = []
        self.during: Callable[[], object] = bool
        self.error: Exception | None = None
        self.balances: list[Balance] = []
        market = cast("Any", SimpleNamespace(quotes=self._quote))
        self.work = RiskEstimator(self.changed, self, self._run_after, market, self._make)

    def take(self, account: str = ONE) -> int:
        """A new balance of an account; its number."""
        balance = make_balance([position()], account=account)
        self.balances.append(balance)
        self.work.take(balance, balance, None)
        self.work.begin()
        return len(self.balances) - 1

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something is the case."""
        with self.changed:
            assert self.changed.wait_for(condition, 60), (self.begun, self.shown)

    def rest(self) -> None:
        """Wait until the latest balance is done with."""
        self.wait(lambda: self.work.ended is self.work.subject)

    def on_estimate(self) -> None:
        """Note it."""
        with self.changed:
            assert self.work.held is not None
            self.shown.append((self._number(self.work.held.subject), self.work.held.step))
            self.changed.notify_all()

    def on_progress(self) -> None:
        """Wake whoever waits."""
        self.changed.notify_all()

    def on_failure(self, error: Exception) -> None:
        """Note it."""
        self.failures.append(error)

    def _number(self, subject: Subject) -> int:
        return next(i for i, one in enumerate(self.balances) if one is subject.balance)

    def _run_after(self, seconds: float, job: Callable[[], None]) -> None:
        assert seconds == 1
        self.timers.append(job)

    def _make(self, subject: Subject, client: Any, quotes: Any) -> Any:
        number = self._number(subject)
        with self.changed:
            self.begun.append((number, client is not None))
            self.quotes.append(quotes)
            self.changed.notify_all()
        if client is not None:
            if number in self.gates:
                assert self.gates[number].wait(60)
            if self.error is not None:
                raise self.error
        return SimpleNamespace(
            quotes=None if client is None else self._frame(["A01612"]),
            ask_margin=bool,
            ask_option_quotes=lambda ask: ask(OPTIONS),
        )

    def _quote(self, codes: Sequence[str], cancel: threading.Event) -> pl.DataFrame:
        self.asked.append(list(codes))
        self.during()
        if cancel.is_set():
            raise Cancelled("the calls were cancelled")
        return self._frame(codes)

    def _frame(self, codes: Sequence[str]) -> pl.DataFrame:
        at = self.balances[-1].as_of
        return pl.DataFrame({"shtn_pdno": list(codes), "as_of": [at] * len(codes)})


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A lab, whose threads end with the test."""
    made = Lab()
    yield made
    for gate in made.gates.values():
        gate.set()
    made.work.close()


def test_one_balance_at_a_time_and_then_the_latest(lab: Lab) -> None:
    """Balances that come faster than the market answers: what was begun is shown when it comes,
    as of an earlier balance, then the latest is estimated; those between are not.
    """
    lab.take()
    lab.rest()
    gate = lab.gates[1] = threading.Event()
    lab.take()
    lab.wait(lambda: (1, True) in lab.begun)
    lab.take()
    lab.take()
    gate.set()
    lab.wait(lambda: (1, 1) in lab.shown)
    lab.rest()
    assert lab.begun == [(0, False), (0, True), (1, True), (3, True)]
    assert lab.shown[:4] == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert lab.shown[-3:] == [(3, 1), (3, 2), (3, 3)]


def test_a_slow_market_does_not_hold_up_a_newer_balance(lab: Lab) -> None:
    """After a second without the market's answer a newer balance is estimated without it, with the
    quotes that came last; the earlier one's answer is then too late for the page.
    """
    lab.take()
    lab.rest()
    gate = lab.gates[1] = threading.Event()
    later = lab.gates[2] = threading.Event()
    lab.take()
    lab.wait(lambda: (1, True) in lab.begun)
    lab.take()
    of_one, of_two = lab.timers
    of_one()
    assert (1, False) not in lab.begun
    of_two()
    assert lab.shown[-1] == (2, 0)
    known = lab.quotes[-1]
    assert known is not None
    assert "A01612" in known["shtn_pdno"].to_list()
    gate.set()
    lab.wait(lambda: (2, True) in lab.begun)
    assert (1, 1) not in lab.shown
    later.set()
    lab.rest()
    assert lab.shown[-1] == (2, 3)
    count = len(lab.begun)
    of_two()
    assert len(lab.begun) == count


def test_quotes_of_options_give_way(lab: Lab) -> None:
    """They are asked for in chunks, none of which begins while balances are pulled. A newer balance
    ends them after the chunk that is under way, and goes on with those that are left.
    """
    pulling = threading.Event()
    pulling.set()
    looked = threading.Event()

    def fetching() -> bool:
        looked.set()
        return pulling.is_set()

    lab.work.fetching = fetching
    lab.take()
    assert looked.wait(60)
    assert lab.asked == []
    lab.wait(lambda: (0, 2) in lab.shown)
    gate = lab.gates[1] = threading.Event()

    def newer() -> None:
        lab.during = bool
        lab.take()

    lab.during = newer
    pulling.clear()
    lab.wait(lambda: (1, True) in lab.begun)
    gate.set()
    lab.rest()
    assert lab.asked == [OPTIONS[:10], OPTIONS[10:20], OPTIONS[20:]]
    assert lab.shown[-1] == (1, 3)
    # The next balance asks for none of them while they are young.
    lab.take()
    lab.rest()
    assert len(lab.asked) == 3


def test_another_account_ends_the_calls(lab: Lab) -> None:
    """The calls of an account that is left are cancelled, and its estimate is never shown."""
    gate = lab.gates[0] = threading.Event()
    lab.take()
    lab.wait(lambda: (0, True) in lab.begun)
    first = lab.work.subject
    lab.take(TWO)
    assert first is not None
    assert first.cancel.is_set()
    assert lab.work.held is None
    lab.rest()
    gate.set()
    assert {number for number, _ in lab.shown[1:]} == {1}
    assert lab.begun[2:] == [(1, False), (1, True)]
    assert lab.failures == []


def test_what_failed_is_tried_again(lab: Lab) -> None:
    """A failed estimate is made anew when the tab is returned to; one that is done is not."""
    lab.error = RuntimeError("x")
    lab.take()
    lab.rest()
    assert lab.failures == [lab.error]
    lab.error = None
    lab.work.begin()
    assert len(lab.begun) == 2
    lab.work.leave()
    assert lab.work.renew()
    lab.work.begin()
    lab.rest()
    assert lab.shown[-1] == (0, 3)
    assert len(lab.failures) == 1
    lab.work.leave()
    assert not lab.work.renew()


def test_an_error_of_cancelled_calls_is_none(lab: Lab) -> None:
    """Whatever a call raises that was cancelled, as at the interpreter's end, is not said."""
    gate = lab.gates[0] = threading.Event()
    lab.error = RuntimeError("cannot schedule new futures after interpreter shutdown")
    lab.take()
    lab.wait(lambda: (0, True) in lab.begun)
    lab.work.close()
    gate.set()
    lab.work._asking.close(wait=True)
    assert lab.failures == []
    lab.take()
    assert len(lab.begun) == 2


def test_keys_tell_figures_apart() -> None:
    """The key of figures differs by balance, by what is known of the market, underlying, language;
    KIS's quotes of options change none of the figures.
    """
    one, two = (Subject(make_balance([position()]), None) for _ in range(2))
    risk: Any = None
    made = [Estimate(one, risk, 0), Estimate(one, risk, 1), Estimate(two, risk, 1)]
    langs: list[Lang] = ["ko", "en"]
    keys = {each.key(name, lang) for each in made for name in ("a", "b") for lang in langs}
    assert len(keys) == 12
    assert made[1].key("a", "ko") == made[1]._replace(step=3).key("a", "ko")
    assert made[1].is_later(made[0])
    assert not made[1].is_later(made[2])


def test_a_job_can_be_run_later() -> None:
    """A job that waits for its time runs on the same thread as the others, and not once closed."""
    jobs, ran = Jobs("test-jobs"), threading.Event()
    names: list[str] = []

    def job() -> None:
        names.append(threading.current_thread().name)
        ran.set()

    jobs.run_after(0, job)
    assert ran.wait(60)
    assert names[0].startswith("test-jobs")
    jobs.close(wait=True)
    jobs.run(partial(names.append, "no"))
    assert len(names) == 1


LEAVING = """
import threading
import kis_nb
from concurrent.futures import ThreadPoolExecutor
from kis_nb._client import Client
asked = threading.Event()
def quotes(self, codes, *, cancel, **more):
    asked.set()
    cancel.wait()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(print, "late")
Client.quotes = quotes
board = kis_nb.dashboard(demo=True, risk=True)
board._controls["tab"].value = "risk"
assert asked.wait(60)
print("left")
"""


def test_python_ends_while_quotes_are_under_way() -> None:
    """Who leaves Python waits for no call, and sees no traceback of one."""
    done = subprocess.run(
        [sys.executable, "-c", LEAVING], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stderr == ""
    assert done.returncode == 0
    assert done.stdout.startswith("left")
