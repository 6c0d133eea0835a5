"""The dashboard's fetcher: what is cached, which pull is in the foreground, and when one starts."""

from __future__ import annotations

import gc
import queue
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, cast

import pytest

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin, View
from kis_nb._dashboard.balance_cache import BalanceCache
from kis_nb._dashboard.fetch_protocols import Clock
from kis_nb._dashboard.fetch_state import FetchState
from kis_nb._dashboard.fetcher import Fetcher
from kis_nb._errors import AuthError, Cancelled, KisError, TransportError
from kis_nb._frames.balance import Balance
from tests.factories import make_balance

# Longer than any machine needs; nothing waits for it unless it fails.
PATIENCE = 20.0
ACCOUNT = Account.parse("80012345-03")
OTHER = Account.parse("70045678-03")
FIRST: View = (ACCOUNT, Margin.INITIAL, Basis.SETTLEMENT)
SECOND: View = (ACCOUNT, Margin.MAINTENANCE, Basis.SETTLEMENT)


def balance(view: View, seconds: int = 0) -> Balance:
    """A balance of a view, so many seconds after the first moment."""
    account, margin, basis = view
    made: Any = make_balance(
        mgna_dvsn=margin, excc_stat_cd=basis, account=f"{account.cano}-{account.product}"
    )
    return cast("Balance", replace(made, as_of=made.as_of + timedelta(seconds=seconds)))


@dataclass(eq=False)
class Request:
    """A pull that the fetcher has asked for and that the test answers."""

    view: View
    progress: Callable[[int], None]
    cancel: threading.Event
    answer: queue.SimpleQueue[Balance | Exception] = field(default_factory=queue.SimpleQueue)

    def give(self, seconds: int = 0) -> Balance:
        """Come back with a balance."""
        made = balance(self.view, seconds)
        self.answer.put(made)
        return made

    def fail(self, error: Exception) -> None:
        """Come back with an error."""
        self.answer.put(error)


class FakeClient:
    """Holds every pull until the test answers it."""

    def __init__(self) -> None:
        self.asked: queue.SimpleQueue[Request] = queue.SimpleQueue()
        self.all: list[Request] = []

    def balance(
        self,
        account: Account,
        *,
        mgna_dvsn: Margin,
        excc_stat_cd: Basis,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Balance:
        assert progress is not None
        assert cancel is not None
        request = Request((account, mgna_dvsn, excc_stat_cd), progress, cancel)
        self.all.append(request)
        self.asked.put(request)
        answer = request.answer.get(timeout=PATIENCE)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def next(self) -> Request:
        """The next pull that the fetcher asks for."""
        return self.asked.get(timeout=PATIENCE)


class FakeClock(Clock):
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits = 0

    def monotonic(self) -> float:
        return self.now

    def wait(self, condition: threading.Condition, seconds: float | None) -> None:  # noqa: ARG002
        self.waits += 1
        condition.wait(PATIENCE)

    def look(self, fetcher: Fetcher) -> None:
        """Have the refresh loop look at the clock, and wait until it waits again."""
        waits = self.waits
        with fetcher._condition:
            fetcher._condition.notify_all()
        while self.waits == waits:
            threading.Event().wait(0.005)


class Ear:
    """A listener that remembers, and can be waited on."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.balances: list[View] = []
        self.states = 0

    def on_balance(self, view: View) -> None:
        with self.changed:
            self.balances.append(view)
            self.changed.notify_all()

    def on_state(self) -> None:
        with self.changed:
            self.states += 1
            self.changed.notify_all()


class Stand:
    """A fetcher with everything around it in the test's hands."""

    def __init__(self) -> None:
        self.client, self.clock, self.ear = FakeClient(), FakeClock(), Ear()
        self.fetcher = Fetcher(self.client, self.ear, clock=self.clock)

    def next(self) -> Request:
        return self.client.next()

    def until(self, condition: Callable[[FetchState], bool]) -> FetchState:
        """Wait until the fetcher's state is like this."""
        with self.ear.changed:
            assert self.ear.changed.wait_for(lambda: condition(self.fetcher.state), PATIENCE)
        return self.fetcher.state

    def until_cached(self, view: View, wanted: Balance) -> None:
        with self.ear.changed:
            assert self.ear.changed.wait_for(lambda: self.fetcher.cached(view) is wanted, PATIENCE)

    def pass_time(self, seconds: float) -> None:
        """Move the clock and let the refresh loop look at it."""
        with self.fetcher._condition:
            self.clock.now += seconds
            self.fetcher._condition.notify_all()

    def draw_slowly(self) -> tuple[threading.Event, threading.Event]:
        """Have the listener set the first event when it is told of a balance, and wait for the
        second.
        """
        drawing, drawn, draw = threading.Event(), threading.Event(), self.ear.on_balance

        def slow(view: View) -> None:
            drawing.set()
            assert drawn.wait(PATIENCE)
            draw(view)

        self.ear.on_balance = slow  # type: ignore[method-assign]
        return drawing, drawn

    def settle_behind(self) -> None:
        """Answer the pulls of the other three views."""
        for _ in range(3):
            request = self.next()
            self.until_cached(request.view, request.give())

    def close(self) -> None:
        self.fetcher.close(0)
        for request in self.client.all:
            request.fail(Cancelled("over"))
        self.fetcher.close(PATIENCE)


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.close()


def test_pull_is_kept_under_its_own_view(stand: Stand) -> None:
    """What comes back is cached for the view that was asked, and for no other."""
    assert stand.fetcher.request(FIRST) is None
    request = stand.next()
    assert request.view == FIRST
    came = request.give()
    stand.until_cached(FIRST, came)
    assert stand.fetcher.cached(SECOND) is None
    assert stand.ear.balances == [FIRST]


def test_a_newer_wish_cancels_the_older(stand: Stand) -> None:
    """Clicking on during a pull cancels it and starts the new one at once, not after it."""
    stand.fetcher.request(FIRST)
    older = stand.next()
    stand.fetcher.request(SECOND)
    newer = stand.next()
    assert older.cancel.is_set()
    assert newer.view == SECOND
    assert not newer.cancel.is_set()


def test_a_late_answer_is_not_shown_as_the_new_view(stand: Stand) -> None:
    """A cancelled pull that comes back all the same is filed under its own codes."""
    stand.fetcher.request(FIRST)
    older = stand.next()
    stand.fetcher.request(SECOND)
    newer = stand.next()
    late = older.give()
    stand.until_cached(FIRST, late)
    assert stand.fetcher.cached(SECOND) is None
    assert stand.fetcher.state.busy
    stand.until_cached(SECOND, newer.give())


def test_an_overtaken_answer_does_not_replace_a_newer_one() -> None:
    """Of two balances of a view that of the later pull stays, whichever comes last, and whatever
    the computer's time of day said.
    """
    cache = BalanceCache()
    newer, older = balance(FIRST, 1), balance(FIRST, 9)
    assert cache.store(FIRST, newer, received_at=0, pull_number=2)
    assert not cache.store(FIRST, older, received_at=1, pull_number=1)
    entry = cache.get(FIRST)
    assert entry is not None
    assert entry.balance is newer


def test_a_clock_set_back_drops_nothing(stand: Stand) -> None:
    """With the time of day an hour back a newer balance is kept, and pulled once."""
    stand.fetcher.request(FIRST)
    stand.until_cached(FIRST, stand.next().give(3600))
    stand.settle_behind()
    stand.pass_time(40)
    stand.fetcher.refresh()
    stand.until_cached(FIRST, stand.next().give(0))
    stand.settle_behind()
    assert stand.client.asked.empty()


def test_pulls_behind_get_to_finish(stand: Stand) -> None:
    """With an interval as short as a pull, what falls due waits for the one behind and goes before
    the next; each view has its turn.
    """
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    order = []
    for _ in range(12):
        request = stand.next()
        order.append(request.view)
        # A pull takes longer than the interval, 22 pages of 250 ms.
        stand.pass_time(5.5)
        stand.clock.look(stand.fetcher)
        assert not request.cancel.is_set()
        stand.until_cached(request.view, request.give())
        if not stand.fetcher.refreshing:
            stand.pass_time(5.5)
    assert order[:6:2] == [FIRST] * 3
    assert len(set(order[:6])) == 4
    behind = [view for view in order[6:] if view != FIRST]
    assert len(set(behind)) == len(behind) >= 2


def test_a_pull_behind_starts_after_the_drawing(stand: Stand) -> None:
    """The first balance is drawn before the next view is pulled, which counts as under way."""
    drawing, drawn = stand.draw_slowly()
    stand.fetcher.request(FIRST)
    stand.next().give()
    assert drawing.wait(PATIENCE)
    assert stand.fetcher.refreshing
    assert stand.client.asked.empty()
    drawn.set()
    assert stand.next().view == SECOND


def test_a_click_while_drawing_comes_before_the_pull_behind(stand: Stand) -> None:
    """The pull behind that has not started yet gives way, and asks nothing."""
    drawing, drawn = stand.draw_slowly()
    stand.fetcher.request(FIRST)
    stand.next().give()
    assert drawing.wait(PATIENCE)
    other = (ACCOUNT, Margin.MAINTENANCE, Basis.PURCHASE)
    stand.fetcher.request(other)
    clicked = stand.next()
    assert clicked.view == other
    drawn.set()
    stand.until_cached(other, clicked.give())
    assert stand.next().view != FIRST
    with stand.ear.changed:
        assert stand.ear.changed.wait_for(lambda: len(stand.fetcher._running) == 1, PATIENCE)
    assert len(stand.client.all) == 3


def test_close_while_drawing_starts_no_pull(stand: Stand) -> None:
    """After it no call goes out."""
    drawing, drawn = stand.draw_slowly()
    stand.fetcher.request(FIRST)
    stand.next().give()
    assert drawing.wait(PATIENCE)
    stand.fetcher.close(0)
    drawn.set()
    stand.fetcher.close(PATIENCE)
    assert stand.client.asked.empty()
    assert not stand.fetcher._threads


def test_the_oldest_behind_is_renewed_first(stand: Stand) -> None:
    """Of the views that have fallen back that one comes first which fell back furthest, wherever
    it stands in the codes' order.
    """
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(20)
    # Two of the three behind are looked at, and so renewed, the last of them in their order not.
    for view in (SECOND, (ACCOUNT, Margin.INITIAL, Basis.PURCHASE)):
        stand.fetcher.request(view)
        stand.pass_time(1)
        request = stand.next()
        stand.until_cached(view, request.give(20))
    stand.fetcher.request(FIRST)
    stand.pass_time(1)
    stand.until_cached(FIRST, stand.next().give(22))
    assert stand.client.asked.empty()
    stand.pass_time(40)
    stand.fetcher.refresh()
    stand.next().give(62)
    assert stand.next().view == (ACCOUNT, Margin.MAINTENANCE, Basis.PURCHASE)


def test_two_views_are_apart_by_their_first_pages(stand: Stand) -> None:
    """A pull that stalls after its first page is of that page's moment, not of its end; the time of
    day has no say.
    """
    stand.fetcher.request(FIRST)
    request = stand.next()
    request.progress(1)
    stand.pass_time(30)
    request.progress(2)
    stand.until_cached(FIRST, request.give(3600))
    behind = stand.next()
    assert behind.view == SECOND
    assert stand.fetcher.seconds_between(FIRST, SECOND) == float("inf")
    behind.progress(1)
    stand.pass_time(7)
    # The walk was started over: all pages are of the new first one's moment.
    behind.progress(1)
    stand.until_cached(SECOND, behind.give())
    assert stand.fetcher.seconds_between(FIRST, SECOND) == 37


def test_a_wish_does_not_wait_for_the_one_behind(stand: Stand) -> None:
    """What somebody asks for goes before a pull behind, also when older figures are cached."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(40)
    stand.fetcher.refresh()
    stand.next().give()
    behind = stand.next()
    third: View = (ACCOUNT, Margin.MAINTENANCE, Basis.PURCHASE)
    stand.fetcher.request(third)
    stand.pass_time(1)
    assert stand.next().view == third
    assert behind.cancel.is_set()


def test_unseen_it_rests(stand: Stand) -> None:
    """Taken off its last page auto-refresh stops; shown again it goes on at once."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.fetcher.page_shown("one")
    stand.fetcher.page_shown("two")
    stand.fetcher.page_hidden("one")
    stand.pass_time(5)
    stand.until_cached(FIRST, stand.next().give(1))
    stand.fetcher.page_hidden("two")
    stand.clock.look(stand.fetcher)
    stand.pass_time(500)
    stand.clock.look(stand.fetcher)
    assert stand.client.asked.empty()
    stand.fetcher.page_shown("three")
    assert stand.next().view == FIRST
    assert stand.client.asked.empty()


def test_unseen_nothing_is_pulled_behind(stand: Stand) -> None:
    """What code asks for comes; the views beside it that nobody sees are left."""
    stand.fetcher.page_shown("one")
    stand.fetcher.page_hidden("one")
    stand.fetcher.request(FIRST)
    stand.until_cached(FIRST, stand.next().give())
    stand.until(lambda state: not state.busy)
    assert not stand.fetcher.refreshing
    assert stand.client.asked.empty()


def test_unseen_it_does_what_code_asks(stand: Stand) -> None:
    """Without a page `refresh` and a choice of codes still bring figures."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.fetcher.page_shown("one")
    stand.fetcher.page_hidden("one")
    stand.fetcher.refresh()
    stand.until_cached(FIRST, stand.next().give(1))
    stand.pass_time(20)
    stand.fetcher.request(SECOND)
    stand.pass_time(1)
    assert stand.next().view == SECOND


def test_the_cache_does_not_grow_for_ever() -> None:
    """Accounts looked at long ago make room."""
    cache = BalanceCache()
    for number in range(50):
        view = (Account(f"{number:08}", "03"), Margin.INITIAL, Basis.SETTLEMENT)
        cache.store(view, balance(FIRST), received_at=0, pull_number=number)
    assert len(cache._entries) == 32


def test_other_views_are_pulled_behind(stand: Stand) -> None:
    """After the front the account's other three views are fetched, one click away first."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    order = []
    for _ in range(3):
        request = stand.next()
        order.append(request.view[1:])
        request.give()
    assert order == [
        (Margin.MAINTENANCE, Basis.SETTLEMENT),
        (Margin.INITIAL, Basis.PURCHASE),
        (Margin.MAINTENANCE, Basis.PURCHASE),
    ]


def test_cached_figures_come_back_at_once(stand: Stand) -> None:
    """A wish for a view that is cached and young asks nothing of the wire."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    assert stand.fetcher.request(SECOND) is stand.fetcher.cached(SECOND)
    assert not stand.fetcher.state.busy
    assert stand.client.asked.empty()


def test_old_cached_figures_are_renewed_quietly(stand: Stand) -> None:
    """A cached view that has aged is shown at once and pulled anew after a moment's rest."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(20)
    assert stand.fetcher.request(SECOND) is not None
    assert stand.client.asked.empty()
    stand.pass_time(1)
    assert stand.next().view == SECOND
    assert stand.until(lambda state: state.busy).quiet


def test_a_click_goes_before_what_is_pulled_behind(stand: Stand) -> None:
    """A wish for something not cached cancels the pull behind the front."""
    stand.fetcher.request(FIRST)
    stand.next().give()
    behind = stand.next()
    stand.fetcher.request((OTHER, Margin.INITIAL, Basis.SETTLEMENT))
    assert stand.next().view[0] == OTHER
    assert behind.cancel.is_set()


def test_progress_is_told_for_the_front_only(stand: Stand) -> None:
    """Pages count up for the pull that is waited for; a cancelled one is not heard any more."""
    stand.fetcher.request(FIRST)
    older = stand.next()
    older.progress(2)
    assert stand.fetcher.state.page == 2
    stand.fetcher.request(SECOND)
    newer = stand.next()
    older.progress(3)
    assert stand.fetcher.state.page == 0
    newer.progress(1)
    assert stand.fetcher.state.page == 1


def test_waiting_for_a_token_is_told(stand: Stand) -> None:
    """The seconds that a token is waited for count down, until the first page is there."""
    stand.fetcher.request(FIRST)
    request = stand.next()
    assert stand.fetcher.state.token_in is None
    cast("Any", request.progress).waiting("one a minute", 42.0)
    assert stand.fetcher.state.token_in == 42
    stand.pass_time(2)
    assert stand.fetcher.state.token_in == 40
    request.progress(1)
    assert stand.fetcher.state.token_in is None


def test_cancel_keeps_what_is_cached(stand: Stand) -> None:
    """Cancelling ends the pull, says so, and loses no figure."""
    stand.fetcher.request(FIRST)
    came = stand.next().give()
    stand.settle_behind()
    stand.fetcher.refresh()
    request = stand.next()
    stand.fetcher.cancel()
    assert request.cancel.is_set()
    assert stand.fetcher.state.cancelled
    assert not stand.fetcher.state.busy
    assert stand.fetcher.cached(FIRST) is came


def test_refresh_does_not_pull_twice(stand: Stand) -> None:
    """Refresh during a pull of the same view leaves that one to go on, now waited for."""
    stand.fetcher.request(FIRST)
    stand.next()
    stand.fetcher.refresh()
    assert stand.client.asked.empty()
    assert stand.fetcher.state.busy
    assert not stand.fetcher.state.quiet


def test_auto_refresh_pulls_at_each_interval(stand: Stand) -> None:
    """Each interval starts one pull of the view in front, counted from the end of the last."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    stand.next().give()
    stand.settle_behind()
    for number in range(3):
        stand.pass_time(4.9)
        assert stand.client.asked.empty()
        stand.pass_time(0.2)
        request = stand.next()
        assert request.view == FIRST
        stand.until_cached(FIRST, request.give(number + 1))


def test_auto_refresh_never_overlaps(stand: Stand) -> None:
    """A pull that takes longer than the interval is waited for."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    stand.next()
    stand.pass_time(60)
    assert stand.client.asked.empty()


def test_auto_refresh_backs_off(stand: Stand) -> None:
    """After an error the next try waits longer, after the next one longer still, and says so."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    stand.next().fail(TransportError("no answer"))
    state = stand.until(lambda state: state.failed)
    assert isinstance(state.error, TransportError)
    assert state.retry_in == 10
    stand.pass_time(10)
    stand.next().fail(TransportError("no answer"))
    assert stand.until(lambda state: state.retry_in == 20).failed
    stand.pass_time(20)
    came = stand.next().give()
    stand.until_cached(FIRST, came)
    state = stand.until(lambda state: not state.failed)
    assert state.retry_in is None


def test_a_refused_key_is_not_asked_again(stand: Stand) -> None:
    """Auto-refresh stops on a refused key: repeating it could lock the customer out."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    stand.next().fail(AuthError("refused"))
    state = stand.until(lambda state: state.stopped)
    assert state.retry_in is None
    stand.pass_time(10_000)
    assert stand.client.asked.empty()
    stand.fetcher.refresh()
    stand.until_cached(FIRST, stand.next().give())
    assert not stand.until(lambda state: not state.failed).stopped


def test_an_error_leaves_the_last_figures(stand: Stand) -> None:
    """A failed pull takes nothing away, and nothing is pulled behind it."""
    stand.fetcher.request(FIRST)
    came = stand.next().give()
    stand.settle_behind()
    stand.fetcher.refresh()
    stand.next().fail(TransportError("no answer"))
    stand.until(lambda state: state.failed)
    assert stand.fetcher.cached(FIRST) is came
    assert stand.client.asked.empty()


def test_an_error_of_another_view_is_not_this_ones(stand: Stand) -> None:
    """Moving to another view leaves the old one's error behind."""
    stand.fetcher.request(FIRST)
    stand.next().fail(TransportError("no answer"))
    stand.until(lambda state: state.failed)
    stand.fetcher.request(SECOND)
    assert not stand.fetcher.state.failed


def test_an_error_keeps_no_traceback(stand: Stand) -> None:
    """A kept error holds neither frames nor the rows that were read before it."""
    stand.fetcher.request(FIRST)
    error = TransportError("no answer", partial=balance(FIRST))
    stand.next().fail(error)
    kept = stand.until(lambda state: state.failed).error
    assert kept is error
    assert kept.__traceback__ is None
    assert kept.partial is None


def test_an_unforeseen_error_is_told(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that is no KisError ends as a failure too, is not swallowed, and is no pull for
    ever.
    """
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))
    stand.fetcher.request(FIRST)
    stand.next().fail(ZeroDivisionError())
    state = stand.until(lambda state: state.failed)
    assert state.error is None
    assert not state.busy
    stand.fetcher.close(PATIENCE)
    assert raised == [ZeroDivisionError]


def test_clicks_pile_up_no_threads(stand: Stand) -> None:
    """While cancelled pulls hang, later wishes wait for one to end, and the last of them is it."""
    views = [(Account(f"{n:08}", "03"), Margin.INITIAL, Basis.SETTLEMENT) for n in range(9)]
    for view in views:
        stand.fetcher.request(view)
    hanging = [stand.next() for _ in range(4)]
    assert stand.client.asked.empty()
    assert stand.fetcher.state.busy
    hanging[0].fail(Cancelled("at last"))
    assert stand.next().view == views[-1]


def test_the_last_of_many_wishes_is_what_stands() -> None:
    """200 wishes in a row, answered in any order, end in the last one's figures."""
    stand = Stand()
    views = [(ACCOUNT, margin, basis) for margin in Margin for basis in Basis]
    answering = True

    def answer() -> None:
        while answering:
            try:
                request = stand.client.asked.get(timeout=0.05)
            except queue.Empty:
                continue
            request.fail(Cancelled("x")) if request.cancel.is_set() else request.give()

    thread = threading.Thread(target=answer)
    thread.start()
    for number in range(200):
        stand.fetcher.request(views[number * 7 % 4])
    last = views[199 * 7 % 4]
    with stand.ear.changed:
        assert stand.ear.changed.wait_for(lambda: stand.fetcher.cached(last) is not None, PATIENCE)
    stand.until(lambda state: not state.busy)
    # Closed while answers still come: a pull in the background may have begun just now.
    stand.fetcher.close(PATIENCE)
    answering = False
    thread.join()


def test_close_ends_threads_and_talk(stand: Stand) -> None:
    """After close no thread is left, nothing is asked and the listener hears nothing."""
    stand.fetcher.set_interval(5)
    stand.fetcher.request(FIRST)
    request = stand.next()
    request.give()
    behind = stand.next()
    with stand.ear.changed:
        told = stand.ear.states
    closing = threading.Thread(target=stand.fetcher.close, args=(PATIENCE,))
    closing.start()
    assert behind.cancel.wait(PATIENCE)
    behind.fail(Cancelled("closed"))
    closing.join()
    assert not stand.fetcher._threads
    stand.fetcher.request(SECOND)
    stand.fetcher.refresh()
    assert stand.client.asked.empty()
    assert stand.ear.states == told or not stand.fetcher.state.busy
    assert stand.ear.balances == [FIRST]


def test_a_feed_does_not_keep_its_listener() -> None:
    """A dropped listener goes away although the fetcher's threads live on."""
    ear = Ear()
    client = FakeClient()
    fetcher = Fetcher(client, ear, clock=FakeClock())
    fetcher.set_interval(5)
    gone = weakref.ref(ear)
    del ear
    gc.collect()
    assert gone() is None
    fetcher.close(PATIENCE)


def test_kis_errors_are_the_foreseen_ones() -> None:
    """The errors that the fetcher names are all of the one root."""
    assert issubclass(AuthError, KisError)
