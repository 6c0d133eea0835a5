"""Fetching for the dashboard: pulls on threads of its own, a cache, auto-refresh, cancelling.

Under the face `_dashboard`: imports `_errors`, `_fields`, `_shelf` and `_state`. It
knows no widget.

A pull belongs to a view (account, MGNA_DVSN, EXCC_STAT_CD) and its balance is only ever handed on
as that view's. One pull is in front, for the view that is wanted; a newer wish cancels it. The
other views of the same account are pulled behind it, when the front is quiet, so that a click finds
its figures at hand.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from itertools import count, product
from typing import TYPE_CHECKING

from kis_nb._codes import Basis, Margin, View
from kis_nb._dashboard.balance_cache import Shelf
from kis_nb._dashboard.fetch_state import State
from kis_nb._dashboard.pulls import Clock, Listener, Progress, Pull, Pulls, Viewers
from kis_nb._errors import AuthError, Cancelled, ConfigError, KisError

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

AUTO_SECONDS = (0, 5, 15, 30, 60, 300)
# Figures at hand older than this are shown, and pulled anew at once.
_FRESH = 5.0
# Views behind the front are pulled anew when they have fallen back this far.
_BEHIND = 30.0
# A burst of clicks through figures at hand ends in one pull, not in one for each.
_REST = 0.6
_LONGEST_BACKOFF = 600.0
# A cancelled pull may hang in a read until its timeout; the wish after it must not wait for it, but
# neither may clicking pile up threads.
_AT_ONCE = 4


class Feed:
    """Pulls balances for one listener. All methods may be called from any thread.

    The listener is held weakly: a feed does not keep a dropped dashboard alive.
    """

    def __init__(self, client: Pulls, listener: Listener, *, clock: Clock | None = None) -> None:
        self._client = client
        self._listener = weakref.ref(listener)
        self._clock = clock or Clock()
        self._wake = threading.Condition(threading.Lock())
        self._view: View | None = None
        self._shelf = Shelf()
        self._numbers = count(1)
        self._viewers = Viewers()
        self._front: Pull | None = None
        self._behind: Pull | None = None
        self._running: set[Pull] = set()
        self._threads: set[threading.Thread] = set()
        self._beating = False
        self._waiting = False
        self._auto = 0.0
        self._due: float | None = None
        self._asked = False
        self._failures = 0
        self._failed = False
        self._error: KisError | None = None
        self._was_cancelled = False
        self._stopped = False
        self._closed = False

    def want(self, view: View) -> Balance | None:
        """Make this the view in front and give what is at hand; the pull it needs is under way."""
        with self._wake:
            if self._closed:
                return None
            if view != self._view:
                self._view = view
                self._forget_trouble()
                self._drop_front()
            held = self._shelf.get(view)
            if held is None:
                if self._front is None:
                    self._start_front(quiet=False)
            elif self._clock.monotonic() - held.at > _FRESH:
                self._set_due(_REST, asked=True)
            elif self._auto:
                self._set_due(self._auto)
        return None if held is None else held.balance

    def refresh(self) -> None:
        """Pull the view in front now, unless that is happening already."""
        with self._wake:
            self._forget_trouble()
            if self._front is not None:
                # The reader asks now: what was renewed quietly is now waited for.
                self._front.quiet = False
            else:
                self._start_front(quiet=False)
        self._tell_state()

    def cancel(self) -> None:
        """Give up the pull in front; what is shown stays, and auto-refresh goes on."""
        with self._wake:
            if self._front is None and not self._waiting:
                return
            self._drop_front()
            self._was_cancelled = True
            self._set_due(self._auto or None)
        self._tell_state()

    def every(self, seconds: float) -> None:
        """Refresh each so many seconds; 0 turns it off."""
        with self._wake:
            self._auto = seconds
            self._stopped = False
            self._failures = 0
            self._set_due(seconds or None)
        self._tell_state()

    def shown(self, view: str) -> None:
        """A page shows the listener in a view of this name: what is due is pulled again."""
        with self._wake:
            self._viewers.came(view)
            self._wake.notify_all()

    def hidden(self, view: str) -> None:
        """That view was taken off its page: when it was the last, nothing is pulled unasked."""
        with self._wake:
            self._viewers.went(view)
            self._wake.notify_all()

    def at_hand(self, view: View) -> Balance | None:
        """The newest balance of a view, or None."""
        with self._wake:
            held = self._shelf.get(view)
            return None if held is None else held.balance

    def apart(self, one: View, other: View) -> float:
        """Seconds between the moments that what is at hand for two views is of, whatever the time
        of day said; infinite when one is not at hand.

        A pull is of its first page's moment, as its `as_of` says: the last may come long after.
        """
        with self._wake:
            a, b = self._shelf.get(one), self._shelf.get(other)
            return float("inf") if a is None or b is None else abs(a.of - b.of)

    def before(self, view: View) -> Balance | None:
        """The balance of a view that `at_hand` took the place of, or None."""
        with self._wake:
            held = self._shelf.get(view)
            return None if held is None else held.before

    @property
    def renewing(self) -> bool:
        """Whether a pull is under way or about to be, in front or behind."""
        with self._wake:
            return bool(self._front or self._behind)

    @property
    def state(self) -> State:
        """What the feed is doing now."""
        with self._wake:
            front = self._front
            late = self._failures > 0 and self._due is not None and front is None
            return State(
                busy=front is not None or self._waiting,
                quiet=front is not None and front.quiet,
                page=front.page if front is not None else 0,
                token_in=max(front.until - self._clock.monotonic(), 0.0)
                if front is not None and front.until is not None
                else None,
                failed=self._failed,
                error=self._error,
                cancelled=self._was_cancelled,
                retry_in=max(self._due - self._clock.monotonic(), 0)
                if late and self._due is not None
                else None,
                stopped=self._stopped,
            )

    def close(self, wait: float = 2.0) -> None:
        """End the threads: no call goes out and the listener hears nothing after this.

        Args:
            wait: seconds to wait for them. One that sits in a read of the network ends when that
                does, and then leaves no trace.
        """
        with self._wake:
            self._closed = True
            self._front = self._behind = None
            for pull in self._running:
                pull.cancel.set()
            self._wake.notify_all()
            threads = self._threads - {threading.current_thread()}
        end = time.monotonic() + wait
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))

    # From here to `_run` the lock is held by the caller.

    def _forget_trouble(self) -> None:
        self._failed, self._error, self._failures = False, None, 0
        self._was_cancelled = self._stopped = False

    def _set_due(self, seconds: float | None, *, asked: bool = False) -> None:
        """Let the beat start a pull after so many seconds; None: not at all."""
        self._asked = asked
        self._due = None if seconds is None else self._clock.monotonic() + seconds
        if seconds is not None and not self._beating and not self._closed:
            self._beating = True
            self._thread(self._beat)
        self._wake.notify_all()

    def _drop_front(self) -> None:
        if self._front is not None:
            self._front.cancel.set()
            self._front = None
        self._waiting = False

    def _start_front(self, *, quiet: bool) -> None:
        if self._closed or self._view is None:
            return
        self._due = None
        self._was_cancelled = False
        if self._behind is not None:
            # Who asks goes first, also through the rate limit.
            self._behind.cancel.set()
            self._behind = None
        if len(self._running) >= _AT_ONCE:
            self._waiting = True
            return
        self._front = Pull(self._view, next(self._numbers), quiet)
        self._start(self._front)

    def _start(self, pull: Pull) -> None:
        self._running.add(pull)
        self._thread(self._run, pull)

    def _thread(self, target: Callable[..., None], *args: object) -> None:
        def work() -> None:
            try:
                target(*args)
            finally:
                with self._wake:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name="kis_nb-feed", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _start_behind(self) -> None:
        """Pull the next view of the account in front that is not at hand or has fallen back."""
        if self._closed or self._front or self._behind or self._failed or self._view is None:
            return
        if self._viewers.gone:
            return
        account, margin, basis = self._view
        now = self._clock.monotonic()
        # One click away first: the other margin, the other basis, then both.
        margins, bases = (
            sorted(Margin, key=lambda m: m != margin),
            sorted(Basis, key=lambda b: b != basis),
        )
        views = [(account, m, b) for b, m in product(bases, margins)][1:]
        # The oldest first, or a long book's last view would never have its turn.
        ages = {view: now - held.at if (held := self._shelf.get(view)) else None for view in views}
        missing = [view for view, age in ages.items() if age is None]
        old = [(age, view) for view, age in ages.items() if age is not None and age > _BEHIND]
        if missing or old:
            view = missing[0] if missing else max(old, key=lambda one: one[0])[1]
            self._behind = Pull(view, next(self._numbers), quiet=True)
            self._start(self._behind)

    def _settle(self, pull: Pull, error: KisError | None, *, unforeseen: bool) -> None:
        """Take note of how a pull ended; a cancelled one is nobody's any more."""
        self._running.discard(pull)
        cancelled = isinstance(error, Cancelled)
        bad = unforeseen or (error is not None and not cancelled)
        if pull is self._front:
            self._front = None
            self._failed, self._error = bad, error if bad else None
            if bad:
                self._failures += 1
                # A refused key must not be asked again and again: that could lock the customer out.
                self._stopped = unforeseen or isinstance(error, AuthError | ConfigError)
                pause = min(
                    self._auto * 2 ** min(self._failures, 10), max(_LONGEST_BACKOFF, self._auto)
                )
                self._set_due(None if self._stopped or not self._auto else pause)
            else:
                self._failures = 0
                self._stopped = False
                self._set_due(self._auto or None)
        if pull is self._behind:
            self._behind = None
            # What fell due meanwhile goes now, before the next one behind.
            self._wake.notify_all()
        if self._waiting and not self._front:
            self._waiting = False
            self._start_front(quiet=False)
        elif not bad and not cancelled and not self._is_due():
            self._start_behind()

    def _is_due(self) -> bool:
        return self._due is not None and self._due <= self._clock.monotonic()

    def _may_start(self) -> bool:
        """Whether what is due may start. Unless it was asked for, somebody must see it, and a pull
        behind is let finish: with intervals as short as a pull none ever would.
        """
        return self._asked or (self._behind is None and not self._viewers.gone)

    # From here on the lock is free.

    def _run(self, pull: Pull) -> None:
        account, margin, basis = pull.view

        def note(pages: int, wait: float | None) -> None:
            with self._wake:
                pull.page = pages
                pull.until = None if wait is None else self._clock.monotonic() + wait
                if pages == 1:
                    # Again the first when the walk was started over.
                    pull.of = self._clock.monotonic()
                shown = pull is self._front
            if shown:
                self._tell_state()

        balance: Balance | None = None
        failure: KisError | None = None
        foreseen = False
        try:
            if not pull.cancel.is_set():
                balance = self._client.balance(
                    account,
                    mgna_dvsn=margin,
                    excc_stat_cd=basis,
                    progress=Progress(note),
                    cancel=pull.cancel,
                )
            foreseen = True
        except KisError as error:
            # Without its traceback, whose frames would keep pages and threads' locals alive.
            failure, foreseen = error.with_traceback(None), True
            failure.partial = None
        finally:
            with self._wake:
                newer = balance is not None and self._shelf.keep(
                    pull.view, balance, self._clock.monotonic(), pull.number, pull.of
                )
                self._settle(pull, failure, unforeseen=not foreseen)
            if newer:
                self._tell_balance(pull.view)
            self._tell_state()

    def _beat(self) -> None:
        """Start what is due, for as long as the feed lives."""
        while True:
            with self._wake:
                while not self._closed and not (self._is_due() and self._may_start()):
                    left = None if self._due is None else self._due - self._clock.monotonic()
                    # What is due and may not start waits for word, not for a time.
                    self._clock.wait(self._wake, left if left is None or left > 0 else None)
                if self._closed:
                    return
                self._due = None
                if self._front is None:
                    self._start_front(quiet=self._view in self._shelf and not self._failed)
            self._tell_state()

    def _tell_balance(self, view: View) -> None:
        self._tell(lambda listener: listener.feed_balance(view))

    def _tell_state(self) -> None:
        self._tell(lambda listener: listener.feed_state())

    def _tell(self, tell: Callable[[Listener], None]) -> None:
        listener = self._listener()
        if listener is None or self._closed:
            return
        try:
            tell(listener)
        except Exception as error:  # noqa: BLE001  (whatever it does wrong is its own)
            # Reported and not raised: it would end the pull that it is told of, or the beat.
            here = threading.current_thread()
            args = (type(error), error, error.__traceback__, here)
            threading.excepthook(threading.ExceptHookArgs(args))
