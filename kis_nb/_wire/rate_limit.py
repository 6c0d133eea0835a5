"""How many calls a second one app key may make: a sliding window that all its clients share.

KIS counts calls per app key, token calls included. Two clients of one key therefore share one
limit: the smallest that any open client asked for. No library counts from the responses, as KIS's
gateway makes necessary (see `RateLimit`).
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
from kis_nb._wire.config import LIVE_CALLS_PER_SECOND

if TYPE_CHECKING:
    from kis_nb._wire.secrets import Secret

# Seconds from a response to the next call while KIS's ledger refuses more, as users measured.
SPACING = 1.05
# Windows without a refusal before the rate rises by a step.
_RECOVERY_WINDOWS = 5
# Seconds for which the calls of a key without an open client are remembered.
_REMEMBERED = 60.0


class _Window:
    """The calls of one app key. Thread-safe; its times are those of one clock."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.lock = threading.Lock()
        self._clients: weakref.WeakSet[RateLimit] = weakref.WeakSet()
        self._in_flight = 0
        self._responses: deque[float] = deque()
        self._last_response = -math.inf
        self._shortest = math.inf
        # Calls a window after a refusal; 0 is one call each `SPACING`; None is the full rate.
        self._slowed: int | None = None
        # While recovering, the rate doubles up to here and then rises by one.
        self._doubling_until = 0
        self._changed = -math.inf

    def join(self, client: RateLimit) -> None:
        """Count this client's limit from now on, until it is closed or garbage-collected."""
        with self.lock:
            self._clients.add(client)

    @property
    def expired(self) -> bool:
        """Whether no open client and no call of the last minute needs this window."""
        with self.lock:
            last = max(self._last_response, self._changed)
            idle = self.clock.monotonic() - last > _REMEMBERED
            return idle and not self._in_flight and not self._asked()

    def _asked(self) -> list[float]:
        return [client.calls_per_second for client in self._clients if not client.closed]

    def _allowed(self) -> tuple[int, float]:
        """The number of calls, and the seconds in which no more than so many may arrive."""
        asked = min(self._asked(), default=1.0)
        if asked < 1:
            return 1, 1 / asked
        return int(min(asked, 1e9)), 1.0

    def claim(self, client: RateLimit) -> float:
        """Reserve a call and return 0, or return the seconds to wait before the next attempt."""
        with self.lock:
            # A closed client may be used again: requests opens its connections anew.
            client.closed = False
            now = self.clock.monotonic()
            top, seconds = self._allowed()
            self._recover(now, top, seconds)
            past = now - seconds + (self._shortest if self._responses else 0)
            while self._responses and self._responses[0] <= past:
                self._responses.popleft()
            rate = top if self._slowed is None else min(self._slowed, top)
            if rate == 0:
                return self._claim_spaced(now, max(seconds, SPACING))
            over = self._in_flight + len(self._responses) - rate
            if over < 0:
                self._in_flight += 1
                return 0
            if over < len(self._responses):
                # A little more, or rounding could leave the wait forever just short.
                return self._responses[over] - past + 1e-6
            # All calls are in flight: their responses may come at any time.
            return seconds / 50

    def _claim_spaced(self, now: float, spacing: float) -> float:
        if self._in_flight:
            return spacing / 50
        left = self._last_response + spacing - now
        if left > 0:
            return left + 1e-6
        self._in_flight += 1
        return 0

    def _recover(self, now: float, top: int, seconds: float) -> None:
        if self._slowed is None or now - self._changed < _RECOVERY_WINDOWS * seconds:
            return
        rate = self._slowed
        if rate < self._doubling_until:
            rate = min(max(1, 2 * rate), self._doubling_until)
        else:
            rate += 1
        self._slowed, self._changed = (None if rate >= top else rate), now

    def done(self, begin: float) -> None:
        """The call that was sent at `begin` has its response, or will get none."""
        with self.lock:
            now = self.clock.monotonic()
            self._in_flight -= 1
            self._responses.append(now)
            self._last_response = now
            self._shortest = min(self._shortest, now - begin)

    def slow_down(self, *, ledger: bool) -> None:
        """A call was refused for its rate: halve it; `ledger`: go to one call each `SPACING`."""
        with self.lock:
            now = self.clock.monotonic()
            top, seconds = self._allowed()
            rate = top if self._slowed is None else min(self._slowed, top)
            # One burst over the limit brings several refusals; together they count once.
            if self._slowed is None or now - self._changed >= seconds:
                self._doubling_until = rate // 2
                self._slowed, self._changed = rate // 2, now
            if ledger:
                self._slowed, self._changed = 0, now


class RateLimit:
    """One client's share in the rate limit of its app key. Safe to share between threads.

    In any one second no more calls reach the gateway than the smallest `calls_per_second` of the
    key's open clients. The second is counted from the latest moment at which a request can have
    reached the gateway: the time of its response minus the shortest round trip seen so far. If it
    were counted from the sending, unevenly delayed requests could arrive too close together.

    When KIS refuses a call for its rate all the same (another program uses the key, or a new
    customer's limit is lower), the rate is halved, down to one call each 1.05 s; when its ledger
    refuses one (``EGW00215``), the rate drops to that at once. It rises again step by step, each
    after five seconds without a refusal.

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
    def slot(self, cancel: threading.Event | None = None) -> Iterator[None]:
        """Wait until one more call may be sent, and count it while it is in flight.

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
        """KIS refused a call for its rate; `ledger`: by its ledger, whose limit is lower."""
        self._window.slow_down(ledger=ledger)

    def close(self) -> None:
        """Stop counting this client's `calls_per_second` for the key's other clients."""
        # Without the lock: the garbage collector may call this in a thread that holds it.
        self.closed = True


_windows: dict[tuple[object, ...], _Window] = {}
_windows_lock = threading.Lock()


def shared_rate_limit(
    base_url: str, app_key: Secret, calls_per_second: float, clock: Clock
) -> RateLimit:
    """A new client's share in the rate limit of its app key at this host.

    At most 18 calls a second, except at a broker on this machine (plain http goes nowhere else).
    Calls of clients that were closed meanwhile still count.
    """
    parts = urlsplit(base_url)
    digest = hashlib.sha256(app_key.reveal().encode()).digest()
    # Tests pass clocks of their own; seconds of two clocks cannot be compared.
    time = Clock if type(clock) is Clock else clock
    key = (parts.scheme, parts.hostname, parts.port, digest, time)
    if parts.scheme != "http":
        calls_per_second = min(calls_per_second, LIVE_CALLS_PER_SECOND)
    with _windows_lock:
        for old in [old for old, window in _windows.items() if window.expired]:
            del _windows[old]
        window = _windows.setdefault(key, _Window(clock))
        return RateLimit(calls_per_second, clock, window=window)
