"""Quotes of many codes at once, each kept for some seconds so that it is not asked for again."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from kis_nb._batch import THREADS
from kis_nb._errors import Cancelled, KisError

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._wire.clock import Clock

# The code of the market that is asked, and the short code.
Key: TypeAlias = tuple[str, str]
# Asks for one quote; the event stops it.
Ask: TypeAlias = Callable[[Key, threading.Event], "pl.DataFrame"]
_POLL = 0.05
# Seconds after which a quote is dropped when others come.
_REMEMBERED = 600.0


@dataclass(slots=True)
class _Kept:
    """A quote, and when it arrived by the monotonic clock. The lock is held while it is asked for,
    so that others who want it wait for this answer.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    quote: pl.DataFrame | None = None
    at: float = 0.0


class QuoteCache:
    """The quotes of one client. Safe to share between threads.

    Args:
        clock: for the quotes' age.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[Key, _Kept] = {}
        self._lock = threading.Lock()

    def get(
        self, keys: Sequence[Key], ask: Ask, max_age: float, cancel: threading.Event | None
    ) -> dict[Key, pl.DataFrame]:
        """The quotes of these keys: kept ones that are young enough, the others asked for, several
        at a time.

        Args:
            keys: each one once.
            ask: asks for one quote.
            max_age: a kept quote is used for so many seconds after it arrived.
            cancel: stops all of it when set.

        Raises:
            KisError: what the first call that failed raised. No further call is begun; quotes that
                came are kept.
            Cancelled: `cancel` was set.
        """
        stop = cancel or threading.Event()
        found: dict[Key, pl.DataFrame] = {}
        due: list[Key] = []
        for key in keys:
            quote = self._young(key, max_age)
            if quote is None:
                due.append(key)
            else:
                found[key] = quote
        if not due:
            return found
        pool = ThreadPoolExecutor(min(THREADS, len(due)), "kis_nb-quotes")
        try:
            asked = {pool.submit(self._one, key, ask, max_age, stop): key for key in due}
            for done in as_completed(asked):
                found[asked[done]] = done.result()
        except KisError:
            raise
        except BaseException:
            # Ctrl-C interrupts this thread alone: the others stop at their next wait or response.
            stop.set()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return found

    def _young(self, key: Key, max_age: float) -> pl.DataFrame | None:
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or kept.quote is None:
                return None
            # At the age of max_age it is asked for again, so 0 always asks.
            return kept.quote if self._clock.monotonic() - kept.at < max_age else None

    def _forget_old(self) -> None:
        """Drop what arrived long ago; the caller holds the lock."""
        before = self._clock.monotonic() - _REMEMBERED
        for key, kept in list(self._kept.items()):
            if kept.quote is not None and kept.at < before and not kept.lock.locked():
                del self._kept[key]

    def _one(self, key: Key, ask: Ask, max_age: float, stop: threading.Event) -> pl.DataFrame:
        with self._lock:
            if key not in self._kept:
                self._forget_old()
            kept = self._kept.setdefault(key, _Kept())
        # threading's locks know no cancelling, hence the polling.
        while not kept.lock.acquire(timeout=_POLL):
            if stop.is_set():
                raise Cancelled("the quotes were cancelled")
        try:
            # Whoever held the lock may have brought it.
            quote = self._young(key, max_age)
            if quote is None:
                quote = ask(key, stop)
                with self._lock:
                    kept.quote, kept.at = quote, self._clock.monotonic()
            return quote
        finally:
            kept.lock.release()
