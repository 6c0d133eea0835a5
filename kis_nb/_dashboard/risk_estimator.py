"""When the Risk tab estimates: on threads of its own, one balance at a time, the latest one next.

What an estimate waits for is never waited for by drawing: an estimate is handed on only once all
that its figures need has come. Quotes of options, one call each and many, are asked for in chunks
and only while nothing else waits for the app key's allowance.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.risk_estimates import Estimate, KeptQuotes, Make, Subject
from kis_nb._dashboard.shutdown import close_at_exit
from kis_nb._errors import Cancelled

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance

# A second one for when the first hangs in a read that was cancelled.
_THREADS = 2
# Seconds that a maintenance pull in the background is waited for before one is made.
_PATIENCE = 2.0
# After so many seconds without the market's forwards a newer balance is estimated without them.
_FIRST_AFTER = 1.0
# Quotes of options that are asked for at a time.
_CHUNK = 10
# The fetcher does not say when it has become idle, hence the polling.
_POLL = 0.1


class EstimateListener(Protocol):
    """Who wants the estimates.

    Attributes:
        wanted: whether anybody sees them; nothing is begun else.
    """

    @property
    def wanted(self) -> bool: ...

    def on_estimate(self) -> None:
        """`RiskEstimator.held` is another one."""

    def on_progress(self) -> None:
        """What is under way has changed. Called under the lock."""

    def on_failure(self, error: Exception) -> None:
        """The latest balance could not be estimated. Called under the lock."""


class RiskEstimator:
    """Estimates for one listener. All methods may be called from any thread; nothing is raised.

    Args:
        changed: the listener's lock; notified of what is waited for.
        listener: who is told.
        run_after: runs a job that needs no network, so many seconds from now.
        client: as of `kis_nb._dashboard.risk_tab.RiskTab`.
        make: the same.

    Attributes:
        subject: what is to be estimated; None before the first.
        held: the latest estimate of its account; None without one.
        ended: the subject of which all is known, or that failed.
        fetching: whether balances are being pulled.
    """

    def __init__(
        self,
        changed: threading.Condition,
        listener: EstimateListener,
        run_after: Callable[[float, Callable[[], None]], None],
        client: Client | None,
        make: Make,
    ) -> None:
        self._changed, self._listener, self._run_after = changed, listener, run_after
        self._client, self._make = client, make
        self.subject: Subject | None = None
        self.held: Estimate | None = None
        self.ended: Subject | None = None
        self.fetching: Callable[[], bool] = bool
        self._version: object = None
        self._failed: Subject | None = None
        self._closed = False
        # The subject that was begun last, the one that is with the market just now, and the one for
        # which `_make_early` will run.
        self._begun: Subject | None = None
        self._running: Subject | None = None
        self._timed: Subject | None = None
        self._quotes = KeptQuotes()
        self._asking = Jobs("kis_nb-risk", _THREADS)
        self._completing = Jobs("kis_nb-risk-quotes")
        close_at_exit(self)

    # --- what the tab says --------------------------------------------------------------------

    def take(self, balance: Balance, maintenance: Balance | None, version: object) -> None:
        """Make this the subject; arguments as of `kis_nb._dashboard.risk_tab.RiskTab.take`."""
        with self._changed:
            old = self.subject
            same = old is not None and old.balance is balance and old.maintenance is maintenance
            if self._closed or (same and version is self._version):
                return
            self._version = version
            if old is not None and old.account != balance.account:
                self._cancel()
                self.held = None
            self._use(Subject(balance, maintenance))

    def renew(self) -> bool:
        """Take what was left or failed as a new subject; whether there was any."""
        with self._changed:
            old = self.subject
            if old is None or not (old.cancel.is_set() or old is self._failed):
                return False
            self._use(Subject(old.balance, old.maintenance))
            return True

    def leave(self) -> None:
        """Stop what is under way: nobody sees the tab."""
        with self._changed:
            if self.ended is not self.subject:
                self._cancel()

    def begin(self) -> None:
        """Estimate the subject, unless that is under way or done."""
        with self._changed:
            subject = self.subject
            if subject is None or subject is self._begun or not self._is_latest(subject):
                return
            if self._client is not None and self.held is not None and subject is not self._timed:
                self._timed = subject
                self._run_after(_FIRST_AFTER, partial(self._make_early, subject))
            if self._is_idle:
                self._running = self._begun = subject
                self._asking.run(partial(self._run, subject))

    def close(self) -> None:
        """End estimating. A read that is under way ends by itself, without any effect."""
        with self._changed:
            self._closed = True
            self._cancel()
        self._asking.close()
        self._completing.close()

    # From here to `_next` the caller holds the lock.

    def _use(self, subject: Subject) -> None:
        self.subject = subject
        self._changed.notify_all()

    def _cancel(self) -> None:
        for one in (self.subject, self._running):
            if one is not None:
                one.cancel.set()
        self._changed.notify_all()

    @property
    def _is_idle(self) -> bool:
        return self._running is None or self._running.cancel.is_set()

    def _is_useful(self, subject: Subject) -> bool:
        """Whether an estimate of this is still of use: also an older one of the account is."""
        latest = self.subject
        return (
            latest is not None
            and latest.account == subject.account
            and not self._closed
            and not subject.cancel.is_set()
            and self._listener.wanted
        )

    def _is_latest(self, subject: Subject) -> bool:
        return subject is self.subject and self._is_useful(subject)

    # From here on the lock is free.

    def _next(self, done: Subject) -> Subject | None:
        """What to estimate after a subject; None for nothing."""
        with self._changed:
            if self._running is not done:
                # It was cancelled, and another thread has gone on.
                return None
            latest = self.subject
            go_on = latest is not self._begun and latest is not None and self._is_latest(latest)
            self._running = latest if go_on else None
            self._begun = latest if go_on else self._begun
            self._changed.notify_all()
            return self._running

    def _run(self, subject: Subject) -> None:
        following: Subject | None = subject
        while following is not None:
            self._estimate(following)
            following = self._next(following)

    def _estimate(self, subject: Subject) -> None:
        """Estimate with what is known at once, and then with the market's forwards."""
        client = self._client
        at_once = self.held is None or client is None
        if at_once and not self._make_one(subject, None, 0):
            return
        if client is None:
            self._end(subject)
            return
        if subject.maintenance is None:
            # It is being pulled in the background, and need not be pulled twice.
            with self._changed:
                if self._changed.wait_for(lambda: not self._is_latest(subject), _PATIENCE):
                    return
        if self._make_one(subject, client, 1):
            self._completing.run(partial(self._complete, subject))

    def _make_early(self, subject: Subject) -> None:
        """Estimate with what is known, since the market's forwards take long."""
        with self._changed:
            held = self.held
            late = held is None or held.subject.number < subject.number
            if not late or not self._is_latest(subject) or subject is self.ended:
                return
        self._make_one(subject, None, 0)

    def _make_one(self, subject: Subject, client: Client | None, step: int) -> bool:
        """Estimate; whether that went well and is what is held now."""
        with self._changed:
            if not self._is_useful(subject):
                return False
        try:
            made = self._make(subject, client, self._quotes.of(subject.balance))
            if step:
                self._quotes.keep(subject.balance, made.quotes)
            return self._accept(Estimate(subject, made, step))
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            self._fail(subject, error)
            return False

    def _complete(self, subject: Subject) -> None:
        """Add the margin's components, and then the quotes of options."""
        try:
            for step, ask in ((2, self._ask_margin), (3, self._ask_options)):
                with self._changed:
                    held = self.held
                    if held is None or held.subject is not subject:
                        return
                    if not self._is_useful(subject):
                        return
                ask(held)
                if not self._accept(held._replace(step=step)):
                    return
            self._end(subject)
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            self._fail(subject, error)

    @staticmethod
    def _ask_margin(held: Estimate) -> None:
        held.risk.ask_margin()

    def _ask_options(self, held: Estimate) -> None:
        held.risk.ask_option_quotes(partial(self._ask_chunks, held.subject))

    def _ask_chunks(self, subject: Subject, codes: Sequence[str]) -> pl.DataFrame:
        """The quotes of these codes: those that are young enough, and the others chunk by chunk.

        Raises:
            KisError: of the first chunk that failed. What came before is kept.
            Cancelled: another balance is to be estimated, which goes on where this one stopped.
        """
        assert self._client is not None
        due = self._quotes.due(subject.balance, codes)
        for start in range(0, len(due), _CHUNK):
            self._wait_for_turn(subject)
            found = self._client.quotes(due[start : start + _CHUNK], cancel=subject.cancel)
            self._quotes.keep(subject.balance, found)
        known = self._quotes.of(subject.balance)
        if known is None:
            raise Cancelled("the quotes are of another account's options by now")
        return known

    def _wait_for_turn(self, subject: Subject) -> None:
        """Wait until no balance is pulled, and none is estimated with the market.

        Raises:
            Cancelled: it is not the latest any more.
        """
        with self._changed:
            while self._is_latest(subject):
                if self._is_idle and not self.fetching():
                    return
                self._changed.wait(_POLL)
        raise Cancelled("another balance is estimated")

    def _accept(self, made: Estimate) -> bool:
        with self._changed:
            if not self._is_useful(made.subject) or not made.is_later(self.held):
                return False
            self.held = made
            self._listener.on_progress()
        self._listener.on_estimate()
        return True

    def _end(self, subject: Subject) -> None:
        with self._changed:
            self.ended = subject
            self._listener.on_progress()

    def _fail(self, subject: Subject, error: Exception) -> None:
        # At the interpreter's end all kinds of errors come of calls that are cancelled.
        if isinstance(error, Cancelled) or subject.cancel.is_set():
            return
        with self._changed:
            if self._is_latest(subject):
                self.ended = self._failed = subject
                self._listener.on_failure(error)
                self._listener.on_progress()
