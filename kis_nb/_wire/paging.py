"""The one loop over page keys: all pages of any endpoint, or an error that counts those read."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from kis_nb._errors import KisError, PaginationError
from kis_nb._schema.endpoint import Endpoint
from kis_nb._wire.auth import OnWait
from kis_nb._wire.clock import Clock
from kis_nb._wire.gateway import DataChanged, Page
from kis_nb._wire.page_json import PageBody
from kis_nb._wire.secrets import Hidden, Secret

MAX_PAGES = 1000
_MAX_RESTARTS = 3


class PageSource(Protocol):
    """What the loop needs of a gateway."""

    def page(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        *,
        follow_up: bool,
        cancel: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Page: ...


class PageReader(Protocol):
    """Takes the pages as they arrive, so that their parsed JSON need not be kept."""

    def restart(self) -> None:
        """Forget all pages: the first one comes next."""

    def add(self, body: PageBody) -> None:
        """The next page. A `KisError` raised here ends the loop."""


class Walk:
    """Reads all pages of one request.

    Args:
        gateway: brings one page.
        endpoint: which call.
        params: its parameters, without the page keys.
        clock: for the waits and for `as_of`.

    Attributes:
        bodies: the bytes of the good pages so far, in order; all of them once `run` has returned.
            Views, because a traceback that shows locals would print the rows of bytes.
        as_of: when the first of them arrived, in seconds since 1970.
        doubtful: the last page promised another (``tr_cont: F``) and gave no key for it. Such pages
            were seen to be the last; the summary's totals show whether rows are missing.
    """

    def __init__(
        self, gateway: PageSource, endpoint: Endpoint, params: Mapping[str, str], clock: Clock
    ) -> None:
        self.bodies: list[memoryview] = []
        self.as_of = 0.0
        self.doubtful = False
        self._gateway = gateway
        self._endpoint = endpoint
        self._params = params
        self._clock = clock

    def run(
        self,
        reader: PageReader | None = None,
        *,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Read from the first page to the last; start over when the data changes meanwhile.

        Args:
            reader: takes each page.
            progress: called with the number of pages read, after each. When it has a method
                ``waiting(why, seconds)``, that is called when a token must be waited for.
            cancel: stops the loop when set.

        Raises:
            PaginationError: the page keys do not lead to an end, or the data kept changing.
            KisError: whatever a page or the reader raised. Each error's `pages` says how many were
                read.
        """
        for restarts in range(_MAX_RESTARTS + 1):
            if restarts:
                self._clock.sleep(0.3 * restarts, cancel)
                self.bodies.clear()
                if reader is not None:
                    reader.restart()
            try:
                self._once(reader, progress, cancel)
            except DataChanged:
                continue
            except KisError as error:
                error.pages = len(self.bodies)
                raise
            return
        raise PaginationError(
            f"{self._endpoint.path}: the account changed between pages (SYDB0050) in each of "
            f"{_MAX_RESTARTS + 1} attempts; pull again when it is quieter",
            pages=len(self.bodies),
        )

    def _once(
        self,
        reader: PageReader | None,
        progress: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> None:
        on_wait: OnWait | None = getattr(progress, "waiting", None)
        keys: tuple[Secret, ...] = ()
        seen: set[tuple[Secret, ...]] = set()
        while True:
            sent = (key.reveal() for key in keys)
            params = Hidden(
                {**self._params, **dict(zip(self._endpoint.cursors, sent, strict=False))}
            )
            page = self._gateway.page(
                self._endpoint, params, follow_up=bool(keys), cancel=cancel, on_wait=on_wait
            )
            if not self.bodies:
                self.as_of = self._clock.time()
            self.bodies.append(page.body.raw)
            if progress is not None:
                progress(len(self.bodies))
            if reader is not None:
                reader.add(page.body)
            if not self._more(page):
                return
            keys = page.keys
            # A key that comes back would bring a page that is already there.
            if keys in seen:
                raise PaginationError(self._stuck("the key for the next page was given before"))
            seen.add(keys)
            if len(self.bodies) >= MAX_PAGES:
                raise PaginationError(self._stuck(f"more than {MAX_PAGES} pages are promised"))

    def _more(self, page: Page) -> bool:
        """Whether a further page must be read.

        The last cursor is the key of the next page: it is blank, or separators without anything
        between, when nothing follows, while the others repeat the search condition on every page.
        """
        last = page.keys[-1].reveal() if page.keys else ""
        key = re.search(r"[^\W_]|[^\x00-\x7f]", last) is not None
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
        return f"{self._endpoint.path}, page {len(self.bodies)}: {why}"
