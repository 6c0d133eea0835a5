"""Fetching for the dashboard: pulls on their own threads, a cache, auto-refresh, cancelling.

A pull belongs to a view (account, MGNA_DVSN, EXCC_STAT_CD), and its balance is only ever handed on
as that view's. The pull of the requested view is in the foreground; a newer request cancels it. The
account's other views are pulled in the background when the foreground is idle, so that a click
finds its figures cached.

No scheduling library fits: they run jobs at times, while here a pull may be overtaken by a click,
resume when a page appears and wait longer after each failure, all under one lock.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING

from kis_nb._codes import View
from kis_nb._dashboard import thread_errors
from kis_nb._dashboard.background_pulls import next_background_view
from kis_nb._dashboard.balance_cache import BalanceCache
from kis_nb._dashboard.fetch_protocols import BalanceSource, Clock, Listener
from kis_nb._dashboard.fetch_state import FetchState
from kis_nb._dashboard.outcome import Outcome
from kis_nb._dashboard.page_views import PageViews
from kis_nb._dashboard.pending_pull import PendingPull, Progress
from kis_nb._errors import Cancelled, KisError

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# Cached figures older than this many seconds are shown, and pulled again at once.
_FRESH_SECONDS = 5.0
# A burst of clicks through cached figures ends in one pull, not in one for each.
_DEBOUNCE_SECONDS = 0.6
# A cancelled pull may hang in a read until its timeout. The request after it must not wait for
# that, but clicking must not pile up threads either.
_MAX_RUNNING = 4


class Fetcher:
    """Pulls balances for one listener. All methods may be called from any thread.

    Args:
        client: the balances' source.
        listener: notified of balances and of changes of state. Held weakly, so that a fetcher does
            not keep a dropped dashboard alive.
        clock: another one in tests.
    """

    def __init__(
        self, client: BalanceSource, listener: Listener, *, clock: Clock | None = None
    ) -> None:
        self._client = client
        self._listener = weakref.ref(listener)
        self._clock = clock or Clock()
        self._condition = threading.Condition(threading.Lock())
        self._cache = BalanceCache()
        self._page_views = PageViews()
        self._threads: set[threading.Thread] = set()
        self._closed = False
        # Pulls.
        self._requested: View | None = None
        self._foreground: PendingPull | None = None
        self._background: PendingPull | None = None
        self._planned: list[PendingPull] = []
        self._running: set[PendingPull] = set()
        self._numbers = count(1)
        # The foreground pull starts as soon as one of too many has ended.
        self._start_when_free = False
        # Auto-refresh: its interval, when the next pull is due, and whether somebody asked for it.
        self._interval = 0.0
        self._next_start: float | None = None
        self._next_is_asked = False
        self._loop_running = False
        self._outcome = Outcome()

    def request(self, view: View) -> Balance | None:
        """Make this the requested view, and start the pull that it needs.

        Returns:
            The view's cached balance, however old; None when there is none.
        """
        with self._condition:
            if self._closed:
                return None
            if view != self._requested:
                self._requested = view
                self._outcome = Outcome()
                self._cancel_foreground()
            entry = self._cache.get(view)
            if entry is None:
                if self._foreground is None:
                    self._start_foreground(quiet=False)
            elif self._clock.monotonic() - entry.received_at > _FRESH_SECONDS:
                self._schedule(_DEBOUNCE_SECONDS, asked=True)
            elif self._interval:
                self._schedule(self._interval)
        return None if entry is None else entry.balance

    def refresh(self) -> None:
        """Pull the requested view now, unless that is happening already."""
        with self._condition:
            self._outcome = Outcome()
            if self._foreground is not None:
                # The reader asks now: what was renewed quietly is now waited for.
                self._foreground.quiet = False
            else:
                self._start_foreground(quiet=False)
        self._notify_state()

    def cancel(self) -> None:
        """End the foreground pull; the cached figures stay, and auto-refresh goes on."""
        with self._condition:
            if self._foreground is None and not self._start_when_free:
                return
            self._cancel_foreground()
            self._outcome.cancelled = True
            self._schedule(self._interval or None)
        self._notify_state()

    def set_interval(self, seconds: float) -> None:
        """Refresh so many seconds after each pull; 0 turns auto-refresh off."""
        with self._condition:
            self._interval = seconds
            self._outcome.resume()
            self._schedule(seconds or None)
        self._notify_state()

    def page_shown(self, name: str) -> None:
        """A page shows the dashboard in a view of this name: what is due is pulled."""
        with self._condition:
            self._page_views.add(name)
            self._condition.notify_all()

    def page_hidden(self, name: str) -> None:
        """That view was removed from its page. Without any view nothing is pulled unasked."""
        with self._condition:
            self._page_views.remove(name)
            self._condition.notify_all()

    def cached(self, view: View) -> Balance | None:
        """The newest balance of a view; None when there is none."""
        with self._condition:
            entry = self._cache.get(view)
            return None if entry is None else entry.balance

    def cached_views(self) -> list[View]:
        """The views that `cached` has a balance of."""
        with self._condition:
            return self._cache.views()

    def previous(self, view: View) -> Balance | None:
        """The balance of a view that the cached one replaced; None when there is none."""
        with self._condition:
            entry = self._cache.get(view)
            return None if entry is None else entry.previous

    def seconds_between(self, one: View, other: View) -> float:
        """Seconds between the moments of two views' cached figures, on a clock that is never set
        back; infinite when one of them is not cached.

        The moment of a pull is when its first page came, as in `as_of`; its last may come long
        after.
        """
        with self._condition:
            a, b = self._cache.get(one), self._cache.get(other)
            return float("inf") if a is None or b is None else abs(a.moment - b.moment)

    @property
    def refreshing(self) -> bool:
        """Whether a pull is under way, in the foreground or in the background."""
        with self._condition:
            return bool(self._foreground or self._background)

    @property
    def state(self) -> FetchState:
        """What the fetcher is doing now."""
        with self._condition:
            now, pull, outcome = self._clock.monotonic(), self._foreground, self._outcome
            token_until = None if pull is None else pull.token_until
            retry_at = self._next_start if outcome.failures and pull is None else None
            return FetchState(
                busy=pull is not None or self._start_when_free,
                quiet=pull is not None and pull.quiet,
                page=0 if pull is None else pull.page,
                token_in=None if token_until is None else max(token_until - now, 0.0),
                failed=outcome.failed,
                error=outcome.error,
                cancelled=outcome.cancelled,
                retry_in=None if retry_at is None else max(retry_at - now, 0),
                stopped=outcome.stopped,
            )

    def close(self, wait: float = 2.0) -> None:
        """End the threads. After this no call goes out and the listener is not called.

        Args:
            wait: seconds to wait for the threads. One that is in a read of the network ends when
                the read does, without any effect.
        """
        with self._condition:
            self._closed = True
            self._foreground = self._background = None
            for pull in self._running:
                pull.cancel.set()
            self._condition.notify_all()
            threads = self._threads - {threading.current_thread()}
        end = time.monotonic() + wait
        for thread in threads:
            thread.join(max(end - time.monotonic(), 0))

    # From here to `_run` the caller holds the lock.

    def _schedule(self, seconds: float | None, *, asked: bool = False) -> None:
        """Have the refresh loop start a pull after so many seconds; None: not at all."""
        self._next_is_asked = asked
        self._next_start = None if seconds is None else self._clock.monotonic() + seconds
        if seconds is not None and not self._loop_running and not self._closed:
            self._loop_running = True
            self._start_thread(self._refresh_loop)
        self._condition.notify_all()

    def _cancel_foreground(self) -> None:
        if self._foreground is not None:
            self._foreground.cancel.set()
            self._foreground = None
        self._start_when_free = False

    def _start_foreground(self, *, quiet: bool) -> None:
        if self._closed or self._requested is None:
            return
        self._next_start = None
        self._outcome.cancelled = False
        if self._background is not None:
            # What somebody waits for goes first, also through the rate limit.
            self._background.cancel.set()
            self._background = None
        if len(self._running) >= _MAX_RUNNING:
            self._start_when_free = True
            return
        self._foreground = self._plan_pull(self._requested, quiet=quiet)
        self._start_thread(self._run, self._foreground)

    def _plan_background(self) -> None:
        if self._closed or self._requested is None or self._outcome.failed:
            return
        if self._foreground or self._background or self._page_views.all_removed:
            return
        view = next_background_view(self._requested, self._cache, self._clock.monotonic())
        if view is not None:
            self._background = self._plan_pull(view, quiet=True)
            self._planned.append(self._background)

    def _plan_pull(self, view: View, *, quiet: bool) -> PendingPull:
        pull = PendingPull(view, next(self._numbers), quiet)
        self._running.add(pull)
        return pull

    def _start_thread(self, target: Callable[..., None], *args: object) -> None:
        def work() -> None:
            try:
                target(*args)
            finally:
                with self._condition:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=work, name="kis_nb-fetch", daemon=True)
        self._threads.add(thread)
        thread.start()

    def _finish(self, pull: PendingPull, error: KisError | None, *, unforeseen: bool) -> None:
        """Note how a pull ended, and start what comes next. A cancelled pull changes no state.

        Args:
            pull: the one that ended.
            error: why it failed; None when it did not, or when the exception is no `KisError`.
            unforeseen: the exception is no `KisError`.
        """
        self._running.discard(pull)
        cancelled = isinstance(error, Cancelled)
        failed = unforeseen or (error is not None and not cancelled)
        if pull is self._foreground:
            self._foreground = None
            if failed:
                self._outcome.fail(error)
            else:
                self._outcome.succeed()
            self._schedule(self._outcome.next_interval(self._interval))
        if pull is self._background:
            self._background = None
            # What has become due meanwhile starts now, before the next one in the background.
            self._condition.notify_all()
        if self._start_when_free and not self._foreground:
            self._start_when_free = False
            self._start_foreground(quiet=False)
        elif not failed and not cancelled and not self._is_due():
            self._plan_background()

    def _is_due(self) -> bool:
        return self._next_start is not None and self._next_start <= self._clock.monotonic()

    def _may_start(self) -> bool:
        """Whether what is due may start.

        A pull that nobody asked for needs a page that shows it, and waits for the one in the
        background: with intervals as short as a pull that one would never end otherwise.
        """
        return self._next_is_asked or (
            self._background is None and not self._page_views.all_removed
        )

    # From here on the lock is free.

    def _run(self, pull: PendingPull) -> None:
        account, margin, basis = pull.view

        def report(pages: int, token_seconds: float | None) -> None:
            with self._condition:
                now = self._clock.monotonic()
                pull.page = pages
                pull.token_until = None if token_seconds is None else now + token_seconds
                if pages == 1:
                    # The first again when the client started over.
                    pull.moment = now
                in_foreground = pull is self._foreground
            if in_foreground:
                self._notify_state()

        balance: Balance | None = None
        failure: KisError | None = None
        foreseen = False
        try:
            if not pull.cancel.is_set():
                balance = self._client.balance(
                    account,
                    mgna_dvsn=margin,
                    excc_stat_cd=basis,
                    progress=Progress(report),
                    cancel=pull.cancel,
                )
            foreseen = True
        except KisError as error:
            # Without its traceback, whose frames would keep pages and threads' locals alive.
            failure, foreseen = error.with_traceback(None), True
            failure.partial = None
        finally:
            with self._condition:
                newer = balance is not None and self._cache.store(
                    pull.view,
                    balance,
                    received_at=self._clock.monotonic(),
                    pull_number=pull.number,
                    moment=pull.moment,
                )
                self._finish(pull, failure, unforeseen=not foreseen)
            if newer:
                self._notify(lambda listener: listener.on_balance(pull.view))
            with self._condition:
                # Not before the balance is drawn: threads share one interpreter.
                while self._planned and not self._closed:
                    self._start_thread(self._run, self._planned.pop())
            self._notify_state()

    def _refresh_loop(self) -> None:
        """Start what is due, until the fetcher is closed."""
        while True:
            with self._condition:
                while not self._closed and not (self._is_due() and self._may_start()):
                    self._clock.wait(self._condition, self._seconds_to_next())
                if self._closed:
                    return
                self._next_start = None
                if self._foreground is None:
                    cached = self._requested in self._cache
                    self._start_foreground(quiet=cached and not self._outcome.failed)
            self._notify_state()

    def _seconds_to_next(self) -> float | None:
        """How long to wait for what is due next; None: until notified, also if it may not start."""
        if self._next_start is None:
            return None
        left = self._next_start - self._clock.monotonic()
        return left if left > 0 else None

    def _notify_state(self) -> None:
        self._notify(lambda listener: listener.on_state())

    def _notify(self, call: Callable[[Listener], None]) -> None:
        listener = self._listener()
        if listener is None or self._closed:
            return
        try:
            call(listener)
        except Exception as error:  # noqa: BLE001  (whatever a listener does wrong)
            # Not raised: it would end the pull that it is notified of, or the refresh loop.
            thread_errors.report(error)
