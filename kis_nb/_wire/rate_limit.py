"""How many calls a second one app key may make: a sliding window that all its clients share.

KIS counts per app key, token calls included, so two clients of one key have one allowance here: the
smallest that a living client asked for.
"""

from __future__ import annotations

import hashlib
import math
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kis_nb._errors import Cancelled
from kis_nb._wire.clock import Clock

if TYPE_CHECKING:
    from kis_nb._wire.secrets import Secret

# KIS's notice of 2026-04-20: 18 calls a second for one key. The embedded broker has no such limit.
CEILING = 18.0
# Seconds from one answer to the next call while the ledger refuses more: measured by others.
SPACING = 1.05
# How long without a refusal before the pace rises by a step.
_QUIET_WINDOWS = 5
# The calls of a key that has no client left are remembered for this long.
_REMEMBERED = 60.0


class _Window:
    """The calls of one app key. Thread-safe; its times are those of one clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self._clients: weakref.WeakSet[RateLimit] = weakref.WeakSet()
        self._under_way = 0
        self._answered: deque[float] = deque()
        self._last_answer = -math.inf
        self._quickest = math.inf
        # Calls a second after a refusal (0: one each `SPACING`); None when nothing is slowed down.
        self._slowed: int | None = None
        # Up to here the pace doubles on its way back, from here on it rises by one.
        self._doubling_until = 0
        self._changed = -math.inf

    def join(self, client: RateLimit) -> None:
        """Heed what this client asks for, until it is closed or goes away."""
        with self.lock:
            self._clients.add(client)

    @property
    def forgotten(self) -> bool:
        """Nobody is left who would need to know of the calls made."""
        with self.lock:
            last = max(self._last_answer, self._changed)
            idle = self.clock.monotonic() - last > _REMEMBERED
            return idle and not self._under_way and not self._asked()

    def _asked(self) -> list[float]:
        return [client.calls_per_second for client in self._clients if not client.closed]

    def _allowed(self) -> tuple[int, float]:
        """Calls, and the seconds in which no more than so many may arrive."""
        asked = min(self._asked(), default=1.0)
        if asked < 1:
            return 1, 1 / asked
        return int(min(asked, 1e9)), 1.0

    def claim(self, client: RateLimit) -> float:
        """Take a place in the window and return 0, or return the seconds to wait before asking
        again.
        """
        with self.lock:
            # A client that was closed may be used on: requests opens its connections anew.
            client.closed = False
            now = self.clock.monotonic()
            top, seconds = self._allowed()
            self._recover(now, top, seconds)
            past = now - seconds + (self._quickest if self._answered else 0)
            while self._answered and self._answered[0] <= past:
                self._answered.popleft()
            pace = top if self._slowed is None else min(self._slowed, top)
            if pace == 0:
                return self._claim_spaced(now, max(seconds, SPACING))
            over = self._under_way + len(self._answered) - pace
            if over < 0:
                self._under_way += 1
                return 0
            if over < len(self._answered):
                # A little more, or rounding could leave the wait forever just short.
                return self._answered[over] - past + 1e-6
            # Every place is held by a call under way, whose end nobody can tell.
            return seconds / 50

    def _claim_spaced(self, now: float, spacing: float) -> float:
        if self._under_way:
            return spacing / 50
        left = self._last_answer + spacing - now
        if left > 0:
            return left + 1e-6
        self._under_way += 1
        return 0

    def _recover(self, now: float, top: int, seconds: float) -> None:
        if self._slowed is None or now - self._changed < _QUIET_WINDOWS * seconds:
            return
        pace = self._slowed
        if pace < self._doubling_until:
            pace = min(max(1, 2 * pace), self._doubling_until)
        else:
            pace += 1
        self._slowed, self._changed = (None if pace >= top else pace), now

    def done(self, begin: float) -> None:
        """A call that began then has its answer, or will get none."""
        with self.lock:
            now = self.clock.monotonic()
            self._under_way -= 1
            self._answered.append(now)
            self._last_answer = now
            self._quickest = min(self._quickest, now - begin)

    def slow_down(self, *, ledger: bool) -> None:
        """A call was refused for its rate."""
        with self.lock:
            now = self.clock.monotonic()
            top, seconds = self._allowed()
            pace = top if self._slowed is None else min(self._slowed, top)
            # One burst over the limit brings several refusals; together they count once.
            if self._slowed is None or now - self._changed >= seconds:
                self._doubling_until = pace // 2
                self._slowed, self._changed = pace // 2, now
            if ledger:
                self._slowed, self._changed = 0, now


class RateLimit:
    """One client's part in its app key's allowance. Safe to share between threads.

    In any one second no more calls reach the gateway than the smallest `calls_per_second` of the
    key's living clients. The second is counted from the latest moment at which a request can have
    reached the gateway: the time of its response minus the shortest round trip seen so far. Counted
    from the sending, requests delayed unevenly on the way would arrive too many in a second.

    When KIS refuses a call for its rate all the same (another program uses the key, or a new
    customer's limit is lower), the pace is halved, down to one call each 1.05 s; when its ledger
    refuses one (``EGW00215``), the pace goes there at once. It rises again step by step, each after
    five seconds without a refusal.

    Args:
        calls_per_second: what this client asks for; below 1 it is one call in so many seconds.
        clock: for the times and the waits.
        window: the calls of the key; its own when left out.
    """

    def __init__(
        self, calls_per_second: float, clock: Clock, *, window: _Window | None = None
    ) -> None:
        self.calls_per_second = calls_per_second
        self.closed = False
        self._clock = clock
        self._window = window or _Window(clock)
        self._window.join(self)

    @contextmanager
    def turn(self, cancel: threading.Event | None = None) -> Iterator[None]:
        """Wait until one more call may go out, and hold its place while it is under way.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        while (pause := self._window.claim(self)) > 0:
            self._clock.sleep(pause, cancel)
        begin = self._clock.monotonic()
        try:
            if cancel is not None and cancel.is_set():
                raise Cancelled("the pull was cancelled")
            yield
        finally:
            self._window.done(begin)

    def slow_down(self, *, ledger: bool = False) -> None:
        """KIS refused a call for its rate; `ledger`: its ledger did, whose limit is lower."""
        self._window.slow_down(ledger=ledger)

    def shares_with(self, other: RateLimit) -> bool:
        """Whether the two count the same calls."""
        return self._window is other._window

    def close(self) -> None:
        """Ask for nothing any longer: the key's other clients need not heed this one."""
        # No lock: the garbage collector may come here in a thread that holds it.
        self.closed = True


_windows: dict[tuple[object, ...], _Window] = {}
_windows_lock = threading.Lock()


def shared_rate_limit(
    base_url: str, app_key: Secret, calls_per_second: float, clock: Clock
) -> RateLimit:
    """A new client's part in the allowance of its app key at this host.

    At most 18 calls a second, except at a broker on this machine (plain http goes nowhere else).
    The calls that closed clients made count on, for as long as they matter.
    """
    parts = urlsplit(base_url)
    digest = hashlib.sha256(app_key.reveal().encode()).digest()
    # Tests bring clocks of their own, whose seconds cannot be compared with another's.
    time = Clock if type(clock) is Clock else clock
    key = (parts.scheme, parts.hostname, parts.port, digest, time)
    if parts.scheme != "http":
        calls_per_second = min(calls_per_second, CEILING)
    with _windows_lock:
        for old in [old for old, window in _windows.items() if window.forgotten]:
            del _windows[old]
        window = _windows.setdefault(key, _Window(clock))
        return RateLimit(calls_per_second, clock, window=window)
