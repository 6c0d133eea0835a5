"""What the fetcher is doing, as one immutable value."""

from __future__ import annotations

from dataclasses import dataclass

from kis_nb._errors import KisError


@dataclass(frozen=True, slots=True)
class FetchState:
    """What the fetcher is doing for the requested view.

    Attributes:
        busy: a pull of that view is under way.
        quiet: that pull renews figures that are cached and young, so they need not be greyed.
        page: pages it has read.
        token_in: seconds until KIS may issue the access token that the pull waits for; None when it
            waits for none.
        failed: the last pull of the view failed, and none has succeeded since.
        error: why it failed; None with `failed` for an exception that is no `KisError`.
        cancelled: the last pull of the view was ended by `Fetcher.cancel`.
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
