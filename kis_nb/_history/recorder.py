"""The recorder: balances are pulled at whole intervals and kept, through errors, until the end."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import date, datetime

from kis_nb._client import Client
from kis_nb._codes import View
from kis_nb._errors import Cancelled, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import trading_date
from kis_nb._history.missed import Missed, gap_frame
from kis_nb._history.protocols import Store
from kis_nb._history.record_says import Says
from kis_nb._history.recording import Recording
from kis_nb._history.schedule import Period, Ticks
from kis_nb._seoul import KST

# Threads of all app keys together; each key's pulls are made one after the other.
_THREADS = 64
# Seconds after a stop in which pulls under way may still end well.
_GRACE = 10.0
# The longest single wait before the opening: the clock may be set meanwhile.
_NAP = 30.0
# Figures that stand still for less are no sign that there is no session.
_HOUR = 3600.0


@dataclass(slots=True)
class _Key:
    """The pulls of one app key.

    Attributes:
        views: what is pulled with it, in this order.
        seconds: how long its calls take at least, by its rate limit and as measured.
        job: its pulls that are under way, or were last.
        clean: whether no pull of the last round failed or waited for a token.
    """

    views: list[View]
    rate: float
    seconds: float = 0.0
    job: Future[None] | None = None
    clean: bool = False
    rounds: int = 0

    @property
    def busy(self) -> bool:
        """Whether its pulls of an earlier tick are still under way."""
        return self.job is not None and not self.job.done()


@dataclass(slots=True)
class _Seen:
    """What was kept of one view: times in seconds since 1970, and whether a figure has moved."""

    first: float = 0.0
    last: float = 0.0
    figures: int | None = None
    moved: bool = False


class Recorder:
    """Pulls the views of several accounts at every tick, and appends them to a history.

    Args:
        store: the history.
        client: whose accounts are pulled.
        views: account and codes, in the order in which they are pulled.
        every: seconds between two ticks.
        says: takes what there is to say.
    """

    def __init__(
        self, store: Store, client: Client, views: Sequence[View], every: float, says: Says
    ) -> None:
        self._store = store
        self._client = client
        self._clock = client.clock
        self._every = every
        self._says = says
        self._missed = Missed()
        self._lock = threading.Lock()
        self._kept = 0
        self._days: set[date] = set()
        self._seen: dict[View, _Seen] = {view: _Seen() for view in views}
        self._cancel = threading.Event()
        self._stop = threading.Event()
        keys: dict[Hashable, _Key] = {}
        for view in views:
            key = client.key_of(view[0])
            if key not in keys:
                keys[key] = _Key([], client.calls_per_second(view[0]))
            keys[key].views.append(view)
        self._keys = tuple(keys.values())

    def run(self, period: Period, stop: threading.Event) -> Recording:
        """Record until the end of the period, or until `stop` is set or Ctrl-C is pressed.

        Pulls that are under way then are finished and kept, if they take no longer than ten
        seconds.

        Args:
            period: from when to when.
            stop: ends the recording when set.

        Returns:
            What was kept and what was missed. Nothing is raised for a pull or a file that failed.
        """
        self._stop = stop
        pool = ThreadPoolExecutor(min(_THREADS, len(self._keys)), "kis_nb-record")
        try:
            if self._clock.time() < period.opens:
                # Days that a recorder which was stopped or killed has left.
                self._compact(None)
            self._wait_for(period.opens)
            self._record(pool, period)
        except KeyboardInterrupt:
            stop.set()
        except Cancelled:
            pass
        finally:
            stop.set()
            self._finish(pool)
        if self._clock.time() >= period.ends:
            self._compact(*sorted(self._days), None)
        recording = self._recording()
        self._says.ended(recording)
        return recording

    def _wait_for(self, opens: float) -> None:
        now = self._clock.time()
        if now < opens:
            self._says.waits(now, opens)
        while (left := opens - self._clock.time()) > 0:
            self._clock.sleep(min(left, _NAP), self._stop)

    def _record(self, pool: ThreadPoolExecutor, period: Period) -> None:
        now = self._clock.time()
        ticks = Ticks(self._every, now)
        tick = ticks.at_or_before(now)
        if tick < now:
            tick = ticks.after(now)
        self._says.begins(self._accounts, self._every, period.ends, tick, now)
        while (tick := self._wait_for_tick(ticks, tick, period)) <= period.ends:
            began = self._clock.monotonic()
            self._start(pool, tick)
            self._watch(tick + ticks.every)
            every = ticks.every
            self._lengthen(ticks)
            following = ticks.after(self._clock.time(), self._clock.monotonic() - began)
            if ticks.every == every:
                self._note_late(tick + every, min(following, period.ends + every), every)
            tick = following
            if tick <= period.ends:
                self._says.progress(self._clock.time(), self._kept, self._missed, tick)

    def _wait_for_tick(self, ticks: Ticks, tick: float, period: Period) -> float:
        """Sleep until a tick, or until the one that comes after a sleep that was too long."""
        while tick <= period.ends:
            left = tick - self._clock.time()
            if left > 0:
                self._clock.sleep(left, self._stop)
            if self._stop.is_set():
                raise Cancelled
            now = self._clock.time()
            if now - tick <= ticks.every / 2:
                break
            following = ticks.after(now)
            self._note_late(tick, min(following, period.ends + ticks.every), ticks.every)
            tick = following
        return tick

    @property
    def _accounts(self) -> int:
        return len({view[0] for view in self._seen})

    def _start(self, pool: ThreadPoolExecutor, tick: float) -> None:
        """Begin the pulls of every key whose earlier ones have ended."""
        for key in self._keys:
            if key.busy:
                for view in key.views:
                    self._missed.add(view, tick, self._says.texts("busy"))
                continue
            key.job = pool.submit(self._pull_key, key, tick)

    def _watch(self, until: float) -> None:
        """Wait for the pulls, no longer than to the next tick."""
        jobs = [key.job for key in self._keys if key.job is not None]
        # In real time: with a clock of a test's own, the pulls take none of it.
        end = time.monotonic() + max(until - self._clock.time(), 0.0)
        pending = set(jobs)
        while pending and not self._stop.is_set() and (left := end - time.monotonic()) > 0:
            _, pending = wait(pending, min(left, 1.0))

    def _pull_key(self, key: _Key, tick: float) -> None:
        """All pulls of one key, one after the other."""
        begin = self._clock.monotonic()
        key.clean = True
        pages = 0
        for view in key.views:
            if self._stop.is_set() and view is not key.views[0]:
                return
            try:
                pages += self._pull(key, view, tick)
            except Exception as error:  # noqa: BLE001
                # A fault of ours in one snapshot must not cost the night. Its text may hold
                # anything, so that its kind alone is told.
                key.clean = False
                self._failed(view, tick, type(error).__name__)
        elapsed = self._clock.monotonic() - begin
        if key.clean:
            # The first round may have waited for tokens and files, which later ones do not.
            measured = elapsed if key.rounds else 0.0
            key.seconds = max(pages / key.rate, measured)
            key.rounds += 1

    def _pull(self, key: _Key, view: View, tick: float) -> int:
        """One pull, kept; the number of its pages, or 0 when it failed."""
        account, margin, basis = view
        token = self._says.token_wait(view)
        try:
            balance = self._client.balance(
                account,
                mgna_dvsn=margin,
                excc_stat_cd=basis,
                progress=token,
                cancel=self._cancel,
            )
        except Cancelled:
            return 0
        except KisError as error:
            key.clean = False
            self._failed(view, tick, str(error))
            return 0
        finally:
            key.clean = key.clean and not token.waited
            token.seconds = 0.0
        try:
            self._store.append(balance)
        except (KisError, OSError) as error:
            key.clean = False
            self._failed(view, tick, self._says.texts("disk", why=_why(error)))
            return balance.pages
        self._note(view, balance)
        return balance.pages

    def _failed(self, view: View, tick: float, why: str) -> None:
        if self._missed.add(view, tick, " ".join(why.split())):
            self._says.changed()

    def _note(self, view: View, balance: Balance) -> None:
        moment = balance.as_of.timestamp()
        figures = _figures(balance)
        with self._lock:
            self._kept += 1
            self._days.add(trading_date(balance.as_of))
            seen = self._seen[view]
            seen.moved = seen.moved or (seen.figures is not None and seen.figures != figures)
            seen.figures, seen.last = figures, moment
            seen.first = seen.first or moment
        if self._missed.end(view):
            self._says.changed()

    def _note_late(self, first: float, following: float, every: float) -> None:
        """The ticks from `first` to the one before `following` have passed meanwhile."""
        passed = round((following - first) / every)
        if passed > 0:
            late = self._says.texts("late")
            began = [
                self._missed.add(view, first, late, passed, last=first + (passed - 1) * every)
                for view in self._seen
            ]
            if any(began):
                self._says.changed()

    def _lengthen(self, ticks: Ticks) -> None:
        """Make the interval longer when one key's pulls do not fit in it."""
        needed = max(key.seconds for key in self._keys)
        if needed <= ticks.every:
            return
        least = interval_for(needed)
        self._says.longer(needed, ticks.every, least)
        ticks.every = self._every = least

    def _finish(self, pool: ThreadPoolExecutor) -> None:
        """Let the pulls under way end, and stop those that take too long."""
        jobs = [key.job for key in self._keys if key.job is not None]
        try:
            wait(jobs, _GRACE)
        finally:
            self._cancel.set()
            pool.shutdown(wait=True)

    def _compact(self, *days: date | None) -> None:
        """Merge days; None is all that are over."""
        for day in days:
            try:
                self._store.compact(day)
            except (KisError, OSError) as error:
                self._says.not_compacted(day, _why(error))

    def _recording(self) -> Recording:
        labels = {view[0]: self._client.label_of(view[0]) for view in self._seen}
        times = [seen for seen in self._seen.values() if seen.last]
        return Recording(
            first=_moment(min((seen.first for seen in times), default=None)),
            last=_moment(max((seen.last for seen in times), default=None)),
            snapshots=self._kept,
            every=self._every,
            missed=gap_frame(self._missed.gaps, labels),
            unmoved=tuple(
                dict.fromkeys(
                    labels[view[0]] for view, seen in self._seen.items() if _stood_still(seen)
                )
            ),
        )


def interval_for(seconds: float) -> float:
    """The least interval, in whole multiples of five seconds, that so many seconds fit in."""
    return 5.0 * math.ceil(seconds / 5)


def _figures(balance: Balance) -> int | None:
    """What moves while a market is open; None for an account without positions."""
    if balance.positions.is_empty():
        return None
    return hash((tuple(balance.positions["idx_clpr"]), balance.summary.row(0)))


def _stood_still(seen: _Seen) -> bool:
    return seen.figures is not None and not seen.moved and seen.last - seen.first >= _HOUR


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, KST)


def _why(error: Exception) -> str:
    said = error.strerror if isinstance(error, OSError) else None
    return " ".join((said or str(error)).split())
