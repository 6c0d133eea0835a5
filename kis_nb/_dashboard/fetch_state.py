"""What a feed is doing. Under `_feed`; imports `_errors`."""

from __future__ import annotations

from dataclasses import dataclass

from kis_nb._errors import KisError


@dataclass(frozen=True, slots=True)
class State:
    """What the feed is doing for the view that is wanted.

    Attributes:
        busy: a pull in front is under way.
        quiet: it renews figures that are at hand and young, so they need no greying.
        page: pages it has read.
        token_in: seconds until KIS may give the access token that it waits for; else None.
        failed: the last pull in front failed, and none has come back since.
        error: why; None with `failed` is an error that nobody foresaw.
        cancelled: the last pull in front was cancelled by `cancel`.
        retry_in: seconds until auto-refresh tries again after a failure; None when it does not.
        stopped: auto-refresh is on but has given up, since asking again would not help.
    """

    busy: bool = False
    quiet: bool = False
    page: int = 0
    token_in: float | None = None
    failed: bool = False
    error: KisError | None = None
    cancelled: bool = False
    retry_in: float | None = None
    stopped: bool = False
