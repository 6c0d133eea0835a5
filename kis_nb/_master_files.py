"""KIS's master files: fetched once a trading day, kept in the cache folder.

The files need no key, and none is sent. A pull never waits for them.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from kis_nb._errors import Cancelled, KisError, TransportError
from kis_nb._files import process_lock, write_whole
from kis_nb._frames.calendar import last_opening
from kis_nb._frames.master_format import FILES, read_zip
from kis_nb._frames.products import Listed
from kis_nb._frames.text import moment
from kis_nb._seoul import KST
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import TIMEOUT, Settings, is_loopback
from kis_nb._wire.http import Call, Http, NoReply
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Hidden

_HOST = "https://new.real.download.dws.co.kr"
# Bytes; a file has about 90 kB.
_MOST = 2 * 1024 * 1024
# Seconds after a failed fetch in which the files are not fetched again only to complete products.
_RETRY_AFTER = 600.0
_CALLS_PER_SECOND = 10
_CANCELLED = "the fetch of the master files was cancelled"

_log = logging.getLogger("kis_nb")


class _File:
    """One master file: stored for all processes, parsed once by this one."""

    def __init__(self, name: str, origin: str, folder: Path | None) -> None:
        self.name = name
        digest = hashlib.sha256(origin.encode()).hexdigest()[:16]
        self._path = None if folder is None else folder / f"master-{digest}-{name}.zip"
        self._version: tuple[int, int] | None = None
        # The listed products and the time of the fetch; None while there is no good file.
        self.content: tuple[Mapping[str, Listed], float] | None = None

    def load(self) -> None:
        """Read the stored file, if it has changed since it was last read."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                about = os.fstat(file.fileno())
                version = about.st_mtime_ns, about.st_size
                if version == self._version:
                    return
                content = file.read(_MOST + 1)
        except OSError:
            return
        self._version = version
        lines = read_zip(self.name, content) if len(content) <= _MOST else None
        if lines is not None:
            self.content = MappingProxyType(lines), about.st_mtime

    def keep(self, content: bytes, moment: float) -> bool:
        """Use and store what was fetched; False when it is damaged."""
        lines = read_zip(self.name, content)
        if lines is None:
            return False
        self.content = MappingProxyType(lines), moment
        if self._path is not None:
            # If it cannot be stored, other processes fetch it themselves.
            with contextlib.suppress(OSError):
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_whole(self._path, content, modified=moment)
        return True


class MasterFiles(Mapping[str, Listed]):
    """Every listed product by its short code, as far as the files are available.

    As a mapping it has what was read last: a look-up never uses the network. Expired contracts are
    removed from the files, so a code that is missing is not wrong. Threads may share it.

    Args:
        base_url: the gateway's address. The embedded broker, on this machine, has files of its own;
            for any other the files come from KIS's download host.
        folder: where they are stored; None keeps them in this process.
        timeout: seconds to connect, and to wait for each part of a response.
        clock: for the time of day and the waits.

    Attributes:
        origin: the host that the files come from.
    """

    def __init__(
        self,
        base_url: str = "",
        folder: Path | None = None,
        *,
        timeout: tuple[float, float] = TIMEOUT,
        clock: Clock | None = None,
    ) -> None:
        self.origin = base_url if is_loopback(urlsplit(base_url).hostname) else _HOST
        self._folder = folder
        self._timeout = timeout
        self._clock = clock or Clock()
        self._files = tuple(_File(name, self.origin, folder) for name in FILES)
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._background: threading.Thread | None = None
        self._next_fetch = 0.0

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> MasterFiles:
        """The files for a client of these settings."""
        return cls(settings.base_url, settings.cache_dir, timeout=settings.timeout, clock=clock)

    def __getitem__(self, code: str) -> Listed:
        for file in self._files:
            if file.content is not None and (found := file.content[0].get(code)) is not None:
                return found
        raise KeyError(code)

    def __iter__(self) -> Iterator[str]:
        for file in self._files:
            yield from file.content[0] if file.content is not None else ()

    def __len__(self) -> int:
        return sum(len(file.content[0]) for file in self._files if file.content is not None)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<MasterFiles of {urlsplit(self.origin).netloc}: {len(self)} products>"

    def cached(self) -> MasterFiles:
        """This, with what any process has stored since; the network is not used."""
        with self._lock:
            for file in self._files:
                file.load()
        return self

    @property
    def fetched_at(self) -> datetime | None:
        """When the older of the files was fetched, Asia/Seoul; None while one is missing."""
        times = [file.content[1] for file in self._files if file.content is not None]
        return datetime.fromtimestamp(min(times), KST) if len(times) == len(FILES) else None

    @property
    def due(self) -> bool:
        """Whether a file is missing or from before the last opening of a day session."""
        now = self._clock.time()
        opened = last_opening(now)
        # A time in the future was noted before the clock was set back.
        return any(
            file.content is None or not opened <= file.content[1] <= now + _RETRY_AFTER
            for file in self._files
        )

    @property
    def fetch_due(self) -> bool:
        """Whether a fetch is due and none has failed in the last ten minutes."""
        return self._clock.monotonic() >= self._next_fetch and self.cached().due

    def fetch(self, cancel: threading.Event | None = None) -> MasterFiles:
        """This with today's files: stored ones if they are of the trading day, else fetched.

        Raises:
            TransportError: a file is due and did not come; the stored ones stay available.
            Cancelled: `cancel` was set.
        """
        with self._one_thread(cancel), self._process_lock(cancel):
            # Another process may have fetched them while this one waited for the lock.
            if not self.cached().due:
                return self
            clock = self._clock
            http = Http(
                self.origin,
                timeout=self._timeout,
                rate=RateLimit(_CALLS_PER_SECOND, clock),
                clock=clock,
                connections=1,
            )
            try:
                self._fetch(http, cancel)
            except TransportError:
                self._next_fetch = clock.monotonic() + _RETRY_AFTER
                raise
            finally:
                http.close()
        return self

    @contextlib.contextmanager
    def _one_thread(self, cancel: threading.Event | None) -> Iterator[None]:
        """One thread of this process fetches at a time.

        Raises:
            Cancelled: `cancel` was set while another one did.
        """
        # threading's locks know no cancelling, hence the polling.
        while not self._fetching.acquire(timeout=0.1):
            if cancel is not None and cancel.is_set():
                raise Cancelled(_CANCELLED)
        try:
            yield
        finally:
            self._fetching.release()

    @contextlib.contextmanager
    def _process_lock(self, cancel: threading.Event | None) -> Iterator[None]:
        """Held while files are fetched; other processes wait for it and then find the files.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        if self._folder is None or not self.cached().due:
            yield
            return
        lock: contextlib.AbstractContextManager[Any] = contextlib.nullcontext()
        try:
            # A fetch by another process ends within this time; if not, there is a second fetch.
            lock = process_lock(
                self._folder / "master.lock", timeout=4 * sum(self._timeout), cancel=cancel
            )
        except OSError:
            if cancel is not None and cancel.is_set():
                raise Cancelled(_CANCELLED) from None
        with lock:
            yield

    def _fetch(self, http: Http, cancel: threading.Event | None) -> None:
        for file in self._files:
            if cancel is not None and cancel.is_set():
                raise Cancelled(_CANCELLED)
            reply = http.exchange(
                Call("GET", f"/common/master/{file.name}.zip", Hidden({})), cancel
            )
            if isinstance(reply, NoReply):
                why = reply.why
            elif reply.status != 200:
                why = f"HTTP {reply.status}"
            elif len(reply.body) > _MOST:
                why = f"it is larger than {_MOST >> 20} MiB"
            else:
                with self._lock:
                    if file.keep(reply.body, self._clock.time()):
                        continue
                why = "the file is damaged"
            had = self.fetched_at
            age = f"; the one of {moment(had, seconds=False)} stays in use" if had else ""
            raise TransportError(f"no {file.name}.zip from {http.host}: {why}{age}")

    def fetch_in_background(
        self, done: Callable[[KisError | None], None] | None = None
    ) -> threading.Thread | None:
        """Fetch in a daemon thread, one at a time, if `fetch_due`.

        Args:
            done: called in that thread with None, or with what went wrong.

        Returns:
            The thread; None when none was begun.
        """
        with self._lock:
            if self._background is not None and self._background.is_alive():
                return None
            thread = threading.Thread(
                target=self._run, args=(done,), name="kis_nb master files", daemon=True
            )
            self._background = thread
        thread.start()
        return thread

    def _run(self, done: Callable[[KisError | None], None] | None) -> None:
        error: KisError | None = None
        try:
            if self.fetch_due:
                self.fetch()
        except KisError as caught:
            error = caught
            _log.warning("products may be incomplete: %s", caught)
        if done is not None:
            done(error)

    def complete(self) -> MasterFiles:
        """As `fetch` if `fetch_due`; a failure is only logged, in one line."""
        try:
            return self.fetch() if self.fetch_due else self
        except KisError as error:
            _log.warning("products may be incomplete: %s", error)
            return self

    def __reduce__(self) -> tuple[type[MasterFiles], tuple[str, Path | None]]:
        # Another process reads the cache folder itself.
        return MasterFiles, (self.origin, self._folder)
