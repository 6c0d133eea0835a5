"""How the last pull of the requested view ended, and when auto-refresh may try again."""

from __future__ import annotations

from dataclasses import dataclass

from kis_nb._errors import AuthError, ConfigError, KisError

_LONGEST_BACKOFF_SECONDS = 600.0


@dataclass(slots=True)
class Outcome:
    """How the last pull of the requested view ended. Not locked: the caller holds a lock.

    Attributes:
        failed: it failed, and none has succeeded since.
        error: why; None with `failed` for an exception that is no `KisError`.
        failures: how many have failed in a row.
        cancelled: somebody ended it.
        stopped: auto-refresh has given up, since asking again would not help.
    """

    failed: bool = False
    error: KisError | None = None
    failures: int = 0
    cancelled: bool = False
    stopped: bool = False

    def succeed(self) -> None:
        """The pull came back, or ended without a failure."""
        self.failed, self.error, self.failures, self.stopped = False, None, 0, False

    def fail(self, error: KisError | None) -> None:
        """The pull failed; None is an exception that is no `KisError`."""
        self.failed, self.error = True, error
        self.failures += 1
        # A refused key must not be sent again and again: that could lock the customer out.
        self.stopped = error is None or isinstance(error, AuthError | ConfigError)

    def resume(self) -> None:
        """Let auto-refresh try again at once; the error stays until a pull succeeds."""
        self.failures, self.stopped = 0, False

    def next_interval(self, interval: float) -> float | None:
        """Seconds until auto-refresh pulls again, longer after each failure; None: not at all.

        Args:
            interval: seconds between pulls while none fails; 0 when auto-refresh is off.
        """
        if self.stopped or not interval:
            return None
        if not self.failures:
            return interval
        longest = max(_LONGEST_BACKOFF_SECONDS, interval)
        # An exponent without a bound would overflow after a night of failures.
        return min(interval * 2.0 ** min(self.failures, 10), longest)
