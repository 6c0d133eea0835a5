"""The rate limit: one allowance for an app key, slowed down by refusals, and won back."""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._errors import Cancelled
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import LIVE_CALLS_PER_SECOND
from kis_nb._wire.rate_limit import SPACING, RateLimit, shared_rate_limit
from kis_nb._wire.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb.demo import Broker

LOOPBACK, LIVE = "http://127.0.0.1:1", "https://openapi.koreainvestment.com:9443"


class Ticking(Clock):
    """Time that moves by waiting, and by the seconds given between calls."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        assert cancel is None
        self.now += seconds


def most_in_a_second(times: list[float], window: float = 1.0) -> int:
    return max(sum(start <= t < start + window - 1e-9 for t in times) for start in times)


@given(
    st.floats(0.2, 25),
    st.lists(st.floats(0, 0.4), min_size=1, max_size=80),
    st.sets(st.integers(0, 79)),
)
def test_no_second_holds_more_calls_than_allowed(
    calls_per_second: float, gaps: list[float], refusals: set[int]
) -> None:
    """Whatever the gaps between the calls, and with refusals in between."""
    clock = Ticking()
    limit = RateLimit(calls_per_second, clock)
    times: list[float] = []
    for number, gap in enumerate(gaps):
        clock.now += gap
        with limit.slot():
            times.append(clock.now)
        if number in refusals:
            limit.slow_down()
    if calls_per_second >= 1:
        assert most_in_a_second(times) <= calls_per_second
    else:
        assert most_in_a_second(times, 1 / calls_per_second) == 1


def test_a_burst_within_the_allowance_waits_for_nothing() -> None:
    """Fifteen calls go out at once, the sixteenth a second later."""
    clock = Ticking()
    limit = RateLimit(15, clock)
    for _ in range(15):
        with limit.slot():
            pass
    assert clock.now == 0
    with limit.slot():
        assert clock.now == pytest.approx(1.0)


def test_a_calls_second_begins_with_its_answer() -> None:
    """However unevenly calls travel, no second at the gateway holds more than allowed."""
    clock = Ticking()
    limit = RateLimit(2, clock)
    arrivals: list[float] = []
    for journey in (0.3, 0.0, 0.0, 0.3, 0.0, 0.0, 0.2):
        with limit.slot():
            clock.now += journey
            arrivals.append(clock.now)
    assert most_in_a_second(arrivals) <= 2


def test_calls_under_way_hold_their_places() -> None:
    """A third of two waits for an answer, whenever that comes."""
    limit = RateLimit(2, Ticking())
    with limit.slot(), limit.slot():
        assert limit._window.claim(limit) > 0
    assert limit._window.claim(limit) > 0


def times_of(limit: RateLimit, clock: Ticking, count: int, took: float = 0.0) -> list[float]:
    """When each of so many calls, made one after the other, goes out."""
    times: list[float] = []
    for _ in range(count):
        with limit.slot():
            times.append(clock.now)
            clock.now += took
    return times


def burst(limit: RateLimit, clock: Ticking) -> int:
    """How many calls go out without a wait."""
    begin, count = clock.now, 0
    while times_of(limit, clock, 1) == [begin]:
        count += 1
    return count


def test_a_refusal_halves_the_pace_and_quiet_wins_it_back() -> None:
    """One burst's refusals count once; each five quiet seconds bring a step."""
    clock = Ticking()
    limit = RateLimit(16, clock)
    for _ in range(3):
        limit.slow_down()
    assert most_in_a_second(times_of(limit, clock, 25)) == 8
    assert clock.now == pytest.approx(3, abs=0.01)
    clock.now = 6
    assert most_in_a_second(times_of(limit, clock, 20)) == 9
    times_of(limit, clock, 1000)
    clock.now += 2
    assert most_in_a_second(times_of(limit, clock, 20)) == 16


def test_refusals_slow_it_down_to_one_call_a_second() -> None:
    """And a little less, counted from each answer, as others found that the ledger wants it."""
    clock = Ticking()
    limit = RateLimit(15, clock)
    for _ in range(4):
        limit.slow_down()
        clock.now += 1.1
    times = times_of(limit, clock, 4, took=0.2)
    assert [round(b - a, 3) for a, b in itertools.pairwise(times)] == [1.25] * 3


def test_the_ledgers_refusal_spaces_the_calls_at_once_and_they_recover_by_steps() -> None:
    """1.05 s apart for five seconds, then twice as many every five, to the half and then by one."""
    clock = Ticking()
    limit = RateLimit(15, clock)
    times_of(limit, clock, 3)
    limit.slow_down(ledger=True)
    times = times_of(limit, clock, 4)
    assert all(b - a >= SPACING for a, b in itertools.pairwise(times))
    steps = []
    for _ in range(13):
        clock.now += 5
        steps.append(burst(limit, clock))
    assert steps == [1, 2, 4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 15]


def test_calls_side_by_side_are_spaced_too() -> None:
    """One under way holds up every other after the ledger's refusal."""
    clock = Ticking()
    limit = RateLimit(15, clock)
    limit.slow_down(ledger=True)
    with limit.slot():
        assert limit._window.claim(limit) > 0
    assert limit._window.claim(limit) == pytest.approx(SPACING, abs=0.01)


def test_the_limit_holds_across_threads() -> None:
    """Eight threads on one limit, in real time."""
    clock = Clock()
    limit = RateLimit(40, clock)
    times: list[float] = []
    lock = threading.Lock()

    def call() -> None:
        for _ in range(12):
            with limit.slot(), lock:
                times.append(clock.monotonic())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 96
    assert most_in_a_second(sorted(times)) <= 40


def test_a_cancelled_wait_raises() -> None:
    """A pull at the limit can be stopped."""
    cancel = threading.Event()
    limit = RateLimit(0.001, Clock())
    with limit.slot(cancel):
        pass
    threading.Timer(0.01, cancel.set).start()
    with pytest.raises(Cancelled), limit.slot(cancel):
        pytest.fail("a slot was given")
    assert limit._window._in_flight == 0


def shares(one: RateLimit, other: RateLimit) -> bool:
    """Whether both count the calls of one app key at one host."""
    return one._window is other._window


def test_clients_of_one_key_share_the_limit(
    broker: Broker, client_of: Callable[..., Client]
) -> None:
    """The gateway counts by app key, whatever each client asked for."""
    first, second = client_of(broker), client_of(broker, calls_per_second=3)
    assert shares(first._first.http.rate, second._first.http.rate)
    other = client_of(broker, app_key=Secret("another" * 5))
    assert not shares(first._first.http.rate, other._first.http.rate)


def share(key: str, calls_per_second: float, clock: Any, url: str = LOOPBACK) -> RateLimit:
    return shared_rate_limit(url, Secret(key), calls_per_second, clock)


def test_two_clients_of_a_key_have_the_smaller_allowance_together() -> None:
    """Asked for 15 and 11, they made 26 calls in one second."""
    clock = Ticking()
    first, second = share("two", 15, clock), share("two", 11, clock)
    times: list[float] = []
    for _ in range(20):
        for limit in (first, second):
            with limit.slot():
                times.append(clock.now)
    assert most_in_a_second(times) == 11


@pytest.mark.parametrize("how", ["closed", "collected"])
def test_the_allowance_rises_again_when_the_slower_client_goes(how: str) -> None:
    """The quicker one then has what it asked for."""
    clock = Ticking()
    quick, slow = share(how, 9, clock), share(how, 0.5, clock)
    assert most_in_a_second(times_of(quick, clock, 4), 2.0) == 1
    if how == "closed":
        slow.close()
    else:
        del slow
        gc.collect()
    clock.now += 2
    assert most_in_a_second(times_of(quick, clock, 30)) == 9


def test_the_calls_of_a_client_that_is_gone_count_on() -> None:
    """A client made anew in a loop has no allowance of its own each time."""
    clock = Ticking()
    times: list[float] = []
    for _ in range(5):
        limit = share("loop", 4, clock)
        times += times_of(limit, clock, 3)
        limit.close()
    assert most_in_a_second(times) == 4


def test_a_key_that_nobody_uses_is_forgotten() -> None:
    """A process that makes clients for ever keeps nothing of those long gone."""
    clock = Ticking()
    gone = share("gone", 4, clock)
    times_of(gone, clock, 1)
    gone.close()
    clock.now += 100
    assert not shares(share("gone", 4, clock), gone)


def test_never_more_than_18_a_second_at_the_live_host() -> None:
    """KIS's limit since April 2026; a broker on this machine has none."""
    clock = Ticking()
    live, here = share("top", 1000, clock, LIVE), share("top", 1000, clock)
    assert not shares(live, here)
    assert most_in_a_second(times_of(live, clock, 60)) == LIVE_CALLS_PER_SECOND
    assert most_in_a_second(times_of(here, clock, 60)) == 60


def shares_of_two_processes(seed: int, calls: int = 37) -> tuple[int, int]:
    """Two limits that know nothing of each other, at a gateway that allows 20 calls a second: how
    many calls each has made when the first of them has made its `calls`.
    """
    chance = random.Random(seed)
    clock = Ticking()
    limits = [RateLimit(15, clock), RateLimit(15, clock)]
    made, recent = [0, 0], deque[float]()
    # When who asks for a turn, or reaches the gateway with a call.
    events = [(chance.random() * 0.3, who, "asks") for who in (0, 1)]
    while max(made) < calls:
        events.sort()
        clock.now, who, what = events.pop(0)
        window = limits[who]._window
        if what == "asks":
            pause = window.claim(limits[who])
            events.append((clock.now + (pause or 0.01), who, "asks" if pause else "calls"))
            continue
        while recent and recent[0] <= clock.now - 1:
            recent.popleft()
        allowed = len(recent) < 20
        window.done(clock.now - 0.01)
        if allowed:
            recent.append(clock.now)
            made[who] += 1
        else:
            limits[who].slow_down()
        # After a refusal it waits as the gateway's client does.
        rest = 0.01 * chance.random() if allowed else 0.3 + 0.7 * chance.random()
        events.append((clock.now + rest, who, "asks"))
    return min(made), max(made)


def test_two_processes_on_one_key_do_not_starve_each_other() -> None:
    """Whoever is refused first, the other does not take all: when the faster is done, the slower
    has made a tenth of as many calls at least, and most times more than half.
    """
    shares = [less / more for less, more in map(shares_of_two_processes, range(200))]
    assert min(shares) > 1 / 10
    assert statistics.median(shares) > 1 / 2
