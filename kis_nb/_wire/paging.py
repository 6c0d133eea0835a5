"""The one loop over cursors: any endpoint that pages by them comes back whole, or as an error that
says how far it got.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from kis_nb._errors import KisError, PaginationError
from kis_nb._schema.endpoint import Endpoint
from kis_nb._wire.auth import Waiting
from kis_nb._wire.clock import Clock
from kis_nb._wire.gateway import DataChanged, Page
from kis_nb._wire.secrets import Hidden, Secret

MAX_PAGES = 1000
_MAX_RESTARTS = 3


class Pages(Protocol):
    """What the walk needs of a gateway."""

    def page(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        *,
        follow_up: bool,
        cancel: threading.Event | None = None,
        waiting: Waiting | None = None,
    ) -> Page: ...


class Walk:
    """Reads all pages of one request.

    Attributes:
        pages: the good pages so far, in order; whole only once `run` has returned.
        as_of: when the first of them arrived, in seconds since 1970.
        doubtful: the last page promised another (``tr_cont: F``) and gave no key for it. Such pages
            were seen to be the last; whether the rows are all there, their totals tell.
    """

    def __init__(
        self, gateway: Pages, endpoint: Endpoint, params: Mapping[str, str], clock: Clock
    ) -> None:
        self.pages: list[Page] = []
        self.as_of = 0.0
        self.doubtful = False
        self._gateway = gateway
        self._endpoint = endpoint
        self._params = params
        self._clock = clock

    def run(
        self,
        *,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> list[Page]:
        """All pages from the first to the last; started over when the data changes under way.

        Args:
            progress: called with the number of pages read, after each. When it has a method
                ``waiting(why, seconds)``, that is called when a token must be waited for.
            cancel: stops the walk when set.

        Raises:
            PaginationError: the cursors do not lead to an end, or the data kept changing.
            KisError: whatever a page raised. Each error's `pages` says how many were read.
        """
        for restarts in range(_MAX_RESTARTS + 1):
            if restarts:
                self._clock.sleep(0.3 * restarts, cancel)
                self.pages.clear()
            try:
                self._once(progress, cancel)
            except DataChanged:
                continue
            except KisError as error:
                error.pages = len(self.pages)
                raise
            return self.pages
        raise PaginationError(
            f"{self._endpoint.path}: the account changed between pages (SYDB0050) in each of "
            f"{_MAX_RESTARTS + 1} walks; pull again when it is quieter",
            pages=len(self.pages),
        )

    def _once(self, progress: Callable[[int], None] | None, cancel: threading.Event | None) -> None:
        waiting: Waiting | None = getattr(progress, "waiting", None)
        keys: tuple[Secret, ...] = ()
        seen: set[tuple[Secret, ...]] = set()
        while True:
            sent = (key.reveal() for key in keys)
            params = Hidden(
                {**self._params, **dict(zip(self._endpoint.cursors, sent, strict=False))}
            )
            page = self._gateway.page(
                self._endpoint, params, follow_up=bool(keys), cancel=cancel, waiting=waiting
            )
            if not self.pages:
                self.as_of = self._clock.time()
            self.pages.append(page)
            if progress is not None:
                progress(len(self.pages))
            if not self._more(page):
                return
            keys = page.keys
            # A key that comes back would bring a page that is already in the frame.
            if keys in seen:
                raise PaginationError(self._stuck("the key for the next page was given before"))
            seen.add(keys)
            if len(self.pages) >= MAX_PAGES:
                raise PaginationError(self._stuck(f"more than {MAX_PAGES} pages are promised"))

    def _more(self, page: Page) -> bool:
        """Whether a further page must be read.

        The last cursor is the key proper: it is blank, or separators without anything between,
        when nothing follows, while the others repeat the search condition on every page.
        """
        key = re.search(r"[^\W_]|[^\x00-\x7f]", page.keys[-1].reveal()) is not None
        if page.more is None:
            if key or page.tr_cont:
                said = f"says {page.tr_cont!r}" if page.tr_cont else "is missing"
                raise PaginationError(
                    self._stuck(f"header tr_cont {said}, so it is not known whether more follows")
                )
            return False
        if page.tr_cont == "F" and not key:
            self.doubtful = True
            return False
        if page.more and not key:
            raise PaginationError(self._stuck("more is promised, but the key for it is blank"))
        return page.more

    def _stuck(self, why: str) -> str:
        return f"{self._endpoint.path}, page {len(self.pages)}: {why}"
