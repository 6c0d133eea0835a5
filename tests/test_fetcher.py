"""The dashboard's feed: whose figures are at hand, which pull is in front, and when it beats."""

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
from kis_nb._codes import Basis, Margin
from kis_nb._dashboard.balance_cache import Shelf, View
from kis_nb._dashboard.fetch_state import State
from kis_nb._dashboard.fetcher import Feed
from kis_nb._dashboard.pulls import Clock
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
    """A pull that the feed has asked for and that the test answers."""

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
        """The next pull that the feed asks for."""
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

    def look(self, feed: Feed) -> None:
        """Have the beat look at the clock, and wait until it rests again."""
        waits = self.waits
        with feed._wake:
            feed._wake.notify_all()
        while self.waits == waits:
            threading.Event().wait(0.005)


class Ear:
    """A listener that remembers, and can be waited on."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.balances: list[View] = []
        self.states = 0

    def feed_balance(self, view: View) -> None:
        with self.changed:
            self.balances.append(view)
            self.changed.notify_all()

    def feed_state(self) -> None:
        with self.changed:
            self.states += 1
            self.changed.notify_all()


class Stand:
    """A feed with everything around it in the test's hands."""

    def __init__(self) -> None:
        self.client, self.clock, self.ear = FakeClient(), FakeClock(), Ear()
        self.feed = Feed(self.client, self.ear, clock=self.clock)

    def next(self) -> Request:
        return self.client.next()

    def until(self, condition: Callable[[State], bool]) -> State:
        """Wait until the feed's state is like this."""
        with self.ear.changed:
            assert self.ear.changed.wait_for(lambda: condition(self.feed.state), PATIENCE)
        return self.feed.state

    def until_at_hand(self, view: View, wanted: Balance) -> None:
        with self.ear.changed:
            assert self.ear.changed.wait_for(lambda: self.feed.at_hand(view) is wanted, PATIENCE)

    def pass_time(self, seconds: float) -> None:
        """Move the clock and let the beat look at it."""
        with self.feed._wake:
            self.clock.now += seconds
            self.feed._wake.notify_all()

    def settle_behind(self) -> None:
        """Answer the pulls of the other three views."""
        for _ in range(3):
            request = self.next()
            self.until_at_hand(request.view, request.give())

    def close(self) -> None:
        self.feed.close(0)
        for request in self.client.all:
            request.fail(Cancelled("over"))
        self.feed.close(PATIENCE)


@pytest.fixture
def stand() -> Iterator[Stand]:
    made = Stand()
    yield made
    made.close()


def test_pull_is_kept_under_its_own_view(stand: Stand) -> None:
    """What comes back is at hand for the view that was asked, and for no other."""
    assert stand.feed.want(FIRST) is None
    request = stand.next()
    assert request.view == FIRST
    came = request.give()
    stand.until_at_hand(FIRST, came)
    assert stand.feed.at_hand(SECOND) is None
    assert stand.ear.balances == [FIRST]


def test_a_newer_wish_cancels_the_older(stand: Stand) -> None:
    """Clicking on during a pull cancels it and starts the new one at once, not after it."""
    stand.feed.want(FIRST)
    older = stand.next()
    stand.feed.want(SECOND)
    newer = stand.next()
    assert older.cancel.is_set()
    assert newer.view == SECOND
    assert not newer.cancel.is_set()


def test_a_late_answer_is_not_shown_as_the_new_view(stand: Stand) -> None:
    """A cancelled pull that comes back all the same is filed under its own codes."""
    stand.feed.want(FIRST)
    older = stand.next()
    stand.feed.want(SECOND)
    newer = stand.next()
    late = older.give()
    stand.until_at_hand(FIRST, late)
    assert stand.feed.at_hand(SECOND) is None
    assert stand.feed.state.busy
    stand.until_at_hand(SECOND, newer.give())


def test_an_overtaken_answer_does_not_replace_a_newer_one() -> None:
    """Of two balances of a view that of the later pull stays, whichever comes last, and whatever
    the computer's time of day said.
    """
    shelf = Shelf()
    newer, older = balance(FIRST, 1), balance(FIRST, 9)
    assert shelf.keep(FIRST, newer, 0, 2)
    assert not shelf.keep(FIRST, older, 1, 1)
    held = shelf.get(FIRST)
    assert held is not None
    assert held.balance is newer


def test_a_clock_set_back_drops_nothing(stand: Stand) -> None:
    """With the time of day an hour back a newer balance is kept, and pulled once."""
    stand.feed.want(FIRST)
    stand.until_at_hand(FIRST, stand.next().give(3600))
    stand.settle_behind()
    stand.pass_time(40)
    stand.feed.refresh()
    stand.until_at_hand(FIRST, stand.next().give(0))
    stand.settle_behind()
    assert stand.client.asked.empty()


def test_pulls_behind_get_to_finish(stand: Stand) -> None:
    """With an interval as short as a pull, what falls due waits for the one behind and goes before
    the next; each view has its turn.
    """
    stand.feed.every(5)
    stand.feed.want(FIRST)
    order = []
    for _ in range(12):
        request = stand.next()
        order.append(request.view)
        # A pull takes longer than the interval, 22 pages of 250 ms.
        stand.pass_time(5.5)
        stand.clock.look(stand.feed)
        assert not request.cancel.is_set()
        stand.until_at_hand(request.view, request.give())
        if not stand.feed.renewing:
            stand.pass_time(5.5)
    assert order[:6:2] == [FIRST] * 3
    assert len(set(order[:6])) == 4
    behind = [view for view in order[6:] if view != FIRST]
    assert len(set(behind)) == len(behind) >= 2


def test_the_oldest_behind_is_renewed_first(stand: Stand) -> None:
    """Of the views that have fallen back that one comes first which fell back furthest, wherever
    it stands in the codes' order.
    """
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(20)
    # Two of the three behind are looked at, and so renewed, the last of them in their order not.
    for view in (SECOND, (ACCOUNT, Margin.INITIAL, Basis.PURCHASE)):
        stand.feed.want(view)
        stand.pass_time(1)
        request = stand.next()
        stand.until_at_hand(view, request.give(20))
    stand.feed.want(FIRST)
    stand.pass_time(1)
    stand.until_at_hand(FIRST, stand.next().give(22))
    assert stand.client.asked.empty()
    stand.pass_time(40)
    stand.feed.refresh()
    stand.next().give(62)
    assert stand.next().view == (ACCOUNT, Margin.MAINTENANCE, Basis.PURCHASE)


def test_two_views_are_apart_by_their_first_pages(stand: Stand) -> None:
    """A pull that stalls after its first page is of that page's moment, not of its end; the time of
    day has no say.
    """
    stand.feed.want(FIRST)
    request = stand.next()
    request.progress(1)
    stand.pass_time(30)
    request.progress(2)
    stand.until_at_hand(FIRST, request.give(3600))
    behind = stand.next()
    assert behind.view == SECOND
    assert stand.feed.apart(FIRST, SECOND) == float("inf")
    behind.progress(1)
    stand.pass_time(7)
    # The walk was started over: all pages are of the new first one's moment.
    behind.progress(1)
    stand.until_at_hand(SECOND, behind.give())
    assert stand.feed.apart(FIRST, SECOND) == 37


def test_a_wish_does_not_wait_for_the_one_behind(stand: Stand) -> None:
    """What somebody asks for goes before a pull behind, also when older figures are at hand."""
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(40)
    stand.feed.refresh()
    stand.next().give()
    behind = stand.next()
    third: View = (ACCOUNT, Margin.MAINTENANCE, Basis.PURCHASE)
    stand.feed.want(third)
    stand.pass_time(1)
    assert stand.next().view == third
    assert behind.cancel.is_set()


def test_unseen_it_rests(stand: Stand) -> None:
    """Taken off its last page auto-refresh stops; shown again it goes on at once."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.feed.shown("one")
    stand.feed.shown("two")
    stand.feed.hidden("one")
    stand.pass_time(5)
    stand.until_at_hand(FIRST, stand.next().give(1))
    stand.feed.hidden("two")
    stand.clock.look(stand.feed)
    stand.pass_time(500)
    stand.clock.look(stand.feed)
    assert stand.client.asked.empty()
    stand.feed.shown("three")
    assert stand.next().view == FIRST
    assert stand.client.asked.empty()


def test_unseen_nothing_is_pulled_behind(stand: Stand) -> None:
    """What code asks for comes; the views beside it that nobody sees are left."""
    stand.feed.shown("one")
    stand.feed.hidden("one")
    stand.feed.want(FIRST)
    stand.until_at_hand(FIRST, stand.next().give())
    stand.until(lambda state: not state.busy)
    assert not stand.feed.renewing
    assert stand.client.asked.empty()


def test_unseen_it_does_what_code_asks(stand: Stand) -> None:
    """Without a page `refresh` and a choice of codes still bring figures."""
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.feed.shown("one")
    stand.feed.hidden("one")
    stand.feed.refresh()
    stand.until_at_hand(FIRST, stand.next().give(1))
    stand.pass_time(20)
    stand.feed.want(SECOND)
    stand.pass_time(1)
    assert stand.next().view == SECOND


def test_shelf_does_not_grow_for_ever() -> None:
    """Accounts looked at long ago make room."""
    shelf = Shelf()
    for number in range(50):
        view = (Account(f"{number:08}", "03"), Margin.INITIAL, Basis.SETTLEMENT)
        shelf.keep(view, balance(FIRST), 0, number)
    assert len(shelf._held) == 32


def test_other_views_are_pulled_behind(stand: Stand) -> None:
    """After the front the account's other three views are fetched, one click away first."""
    stand.feed.want(FIRST)
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


def test_figures_at_hand_come_back_at_once(stand: Stand) -> None:
    """A wish for a view that is at hand and young asks nothing of the wire."""
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    assert stand.feed.want(SECOND) is stand.feed.at_hand(SECOND)
    assert not stand.feed.state.busy
    assert stand.client.asked.empty()


def test_old_figures_at_hand_are_renewed_quietly(stand: Stand) -> None:
    """A view at hand that has aged is shown at once and pulled anew after a moment's rest."""
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    stand.pass_time(20)
    assert stand.feed.want(SECOND) is not None
    assert stand.client.asked.empty()
    stand.pass_time(1)
    assert stand.next().view == SECOND
    assert stand.until(lambda state: state.busy).quiet


def test_a_click_goes_before_what_is_pulled_behind(stand: Stand) -> None:
    """A wish for something not at hand cancels the pull behind the front."""
    stand.feed.want(FIRST)
    stand.next().give()
    behind = stand.next()
    stand.feed.want((OTHER, Margin.INITIAL, Basis.SETTLEMENT))
    assert stand.next().view[0] == OTHER
    assert behind.cancel.is_set()


def test_progress_is_told_for_the_front_only(stand: Stand) -> None:
    """Pages count up for the pull that is waited for; a cancelled one is not heard any more."""
    stand.feed.want(FIRST)
    older = stand.next()
    older.progress(2)
    assert stand.feed.state.page == 2
    stand.feed.want(SECOND)
    newer = stand.next()
    older.progress(3)
    assert stand.feed.state.page == 0
    newer.progress(1)
    assert stand.feed.state.page == 1


def test_waiting_for_a_token_is_told(stand: Stand) -> None:
    """The seconds that a token is waited for count down, until the first page is there."""
    stand.feed.want(FIRST)
    request = stand.next()
    assert stand.feed.state.token_in is None
    cast("Any", request.progress).waiting("one a minute", 42.0)
    assert stand.feed.state.token_in == 42
    stand.pass_time(2)
    assert stand.feed.state.token_in == 40
    request.progress(1)
    assert stand.feed.state.token_in is None


def test_cancel_keeps_what_is_at_hand(stand: Stand) -> None:
    """Cancelling ends the pull, says so, and loses no figure."""
    stand.feed.want(FIRST)
    came = stand.next().give()
    stand.settle_behind()
    stand.feed.refresh()
    request = stand.next()
    stand.feed.cancel()
    assert request.cancel.is_set()
    assert stand.feed.state.cancelled
    assert not stand.feed.state.busy
    assert stand.feed.at_hand(FIRST) is came


def test_refresh_does_not_pull_twice(stand: Stand) -> None:
    """Refresh during a pull of the same view leaves that one to go on, now waited for."""
    stand.feed.want(FIRST)
    stand.next()
    stand.feed.refresh()
    assert stand.client.asked.empty()
    assert stand.feed.state.busy
    assert not stand.feed.state.quiet


def test_auto_refresh_beats(stand: Stand) -> None:
    """Each interval starts one pull of the view in front, counted from the end of the last."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    stand.next().give()
    stand.settle_behind()
    for beat in range(3):
        stand.pass_time(4.9)
        assert stand.client.asked.empty()
        stand.pass_time(0.2)
        request = stand.next()
        assert request.view == FIRST
        stand.until_at_hand(FIRST, request.give(beat + 1))


def test_auto_refresh_never_overlaps(stand: Stand) -> None:
    """A pull that takes longer than the interval is waited for."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    stand.next()
    stand.pass_time(60)
    assert stand.client.asked.empty()


def test_auto_refresh_backs_off(stand: Stand) -> None:
    """After an error the next try waits longer, after the next one longer still, and says so."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    stand.next().fail(TransportError("no answer"))
    state = stand.until(lambda state: state.failed)
    assert isinstance(state.error, TransportError)
    assert state.retry_in == 10
    stand.pass_time(10)
    stand.next().fail(TransportError("no answer"))
    assert stand.until(lambda state: state.retry_in == 20).failed
    stand.pass_time(20)
    came = stand.next().give()
    stand.until_at_hand(FIRST, came)
    state = stand.until(lambda state: not state.failed)
    assert state.retry_in is None


def test_a_refused_key_is_not_asked_again(stand: Stand) -> None:
    """Auto-refresh stops on a refused key: repeating it could lock the customer out."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    stand.next().fail(AuthError("refused"))
    state = stand.until(lambda state: state.stopped)
    assert state.retry_in is None
    stand.pass_time(10_000)
    assert stand.client.asked.empty()
    stand.feed.refresh()
    stand.until_at_hand(FIRST, stand.next().give())
    assert not stand.until(lambda state: not state.failed).stopped


def test_an_error_leaves_the_last_figures(stand: Stand) -> None:
    """A failed pull takes nothing away, and nothing is pulled behind it."""
    stand.feed.want(FIRST)
    came = stand.next().give()
    stand.settle_behind()
    stand.feed.refresh()
    stand.next().fail(TransportError("no answer"))
    stand.until(lambda state: state.failed)
    assert stand.feed.at_hand(FIRST) is came
    assert stand.client.asked.empty()


def test_an_error_of_another_view_is_not_this_ones(stand: Stand) -> None:
    """Moving to another view leaves the old one's error behind."""
    stand.feed.want(FIRST)
    stand.next().fail(TransportError("no answer"))
    stand.until(lambda state: state.failed)
    stand.feed.want(SECOND)
    assert not stand.feed.state.failed


def test_an_error_keeps_no_traceback(stand: Stand) -> None:
    """A kept error holds neither frames nor the rows that were read before it."""
    stand.feed.want(FIRST)
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
    stand.feed.want(FIRST)
    stand.next().fail(ZeroDivisionError())
    state = stand.until(lambda state: state.failed)
    assert state.error is None
    assert not state.busy
    stand.feed.close(PATIENCE)
    assert raised == [ZeroDivisionError]


def test_clicks_pile_up_no_threads(stand: Stand) -> None:
    """While cancelled pulls hang, later wishes wait for one to end, and the last of them is it."""
    views = [(Account(f"{n:08}", "03"), Margin.INITIAL, Basis.SETTLEMENT) for n in range(9)]
    for view in views:
        stand.feed.want(view)
    hanging = [stand.next() for _ in range(4)]
    assert stand.client.asked.empty()
    assert stand.feed.state.busy
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
        stand.feed.want(views[number * 7 % 4])
    last = views[199 * 7 % 4]
    with stand.ear.changed:
        assert stand.ear.changed.wait_for(lambda: stand.feed.at_hand(last) is not None, PATIENCE)
    stand.until(lambda state: not state.busy)
    # Closed while answers still come: a pull in the background may have begun just now.
    stand.feed.close(PATIENCE)
    answering = False
    thread.join()


def test_close_ends_threads_and_talk(stand: Stand) -> None:
    """After close no thread is left, nothing is asked and the listener hears nothing."""
    stand.feed.every(5)
    stand.feed.want(FIRST)
    request = stand.next()
    request.give()
    behind = stand.next()
    with stand.ear.changed:
        told = stand.ear.states
    closing = threading.Thread(target=stand.feed.close, args=(PATIENCE,))
    closing.start()
    assert behind.cancel.wait(PATIENCE)
    behind.fail(Cancelled("closed"))
    closing.join()
    assert not stand.feed._threads
    stand.feed.want(SECOND)
    stand.feed.refresh()
    assert stand.client.asked.empty()
    assert stand.ear.states == told or not stand.feed.state.busy
    assert stand.ear.balances == [FIRST]


def test_a_feed_does_not_keep_its_listener() -> None:
    """A dropped listener goes away although the feed's threads live on."""
    ear = Ear()
    client = FakeClient()
    feed = Feed(client, ear, clock=FakeClock())
    feed.every(5)
    gone = weakref.ref(ear)
    del ear
    gc.collect()
    assert gone() is None
    feed.close(PATIENCE)


def test_kis_errors_are_the_foreseen_ones() -> None:
    """The errors that the feed names are all of the one root."""
    assert issubclass(AuthError, KisError)
