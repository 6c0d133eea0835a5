"""KIS's master files: fetched once a trading day, kept in the cache folder.

Where the wings meet: imports `_http`, `_listing` and `_calendar`. The files need no key, and
none is sent. A pull never waits for them.
"""

from __future__ import annotations

import contextlib
import hashlib
import ipaddress
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from kis_nb._errors import Cancelled, KisError, TransportError
from kis_nb._frames.calendar import last_opening
from kis_nb._frames.master_format import FILES, read_zip
from kis_nb._frames.products import Listed
from kis_nb._seoul import KST
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.http import Call, Http, NoReply
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Hidden

_HOST = "https://new.real.download.dws.co.kr"
# About 90 kB is usual.
_MOST = 2 * 1024 * 1024
# After a fetch that failed nobody who only wants more complete products waits again for so long.
_PATIENCE = 600.0
_CALLS_PER_SECOND = 10

_log = logging.getLogger("kis_nb")


def _is_here(base_url: str) -> bool:
    host = urlsplit(base_url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _File:
    """One master file: on disk for all processes, read once by this one."""

    def __init__(self, name: str, origin: str, folder: Path | None) -> None:
        self.name = name
        digest = hashlib.sha256(origin.encode()).hexdigest()[:16]
        self._path = None if folder is None else folder / f"master-{digest}-{name}.zip"
        self._seen: tuple[int, int] | None = None
        # What it lists, and when it was fetched; None while there is no good file.
        self.held: tuple[Mapping[str, Listed], float] | None = None

    def load(self) -> None:
        """Read the stored file, if it is another one than was read last."""
        if self._path is None:
            return
        try:
            with self._path.open("rb") as file:
                about = os.fstat(file.fileno())
                seen = about.st_mtime_ns, about.st_size
                if seen == self._seen:
                    return
                content = file.read(_MOST + 1)
        except OSError:
            return
        self._seen = seen
        lines = read_zip(self.name, content) if len(content) <= _MOST else None
        if lines is not None:
            self.held = MappingProxyType(lines), about.st_mtime

    def keep(self, content: bytes, moment: float) -> bool:
        """Take over what was fetched and store it; False when it is damaged."""
        lines = read_zip(self.name, content)
        if lines is None:
            return False
        self.held = MappingProxyType(lines), moment
        if self._path is not None:
            # A folder that cannot be written costs the other processes a fetch of their own.
            with contextlib.suppress(OSError):
                _write(self._path, content, moment)
        return True


def _write(path: Path, content: bytes, moment: float) -> None:
    """At once or not at all; only the owner reads it. Its time of change is that of the fetch."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.utime(temporary, (moment, moment))
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


class MasterFiles(Mapping[str, Listed]):
    """Every listed product by its short code, as far as the files are at hand.

    As a mapping it is what was read last: looking something up never asks the network. Expired
    contracts leave the files, so a code that is not in them is not wrong. Threads may share it.

    Attributes:
        origin: the host that the files come from.
    """

    def __init__(
        self,
        base_url: str = "",
        folder: Path | None = None,
        *,
        timeout: tuple[float, float] = (3.05, 10),
        clock: Clock | None = None,
    ) -> None:
        """`base_url` is the gateway's: the embedded broker, on this machine, has files of its own.
        Without a folder the files are kept in this process alone.
        """
        self.origin = base_url if _is_here(base_url) else _HOST
        self._folder = folder
        self._timeout = timeout
        self._clock = clock or Clock()
        self._files = tuple(_File(name, self.origin, folder) for name in FILES)
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self._behind: threading.Thread | None = None
        self._not_before = 0.0

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> MasterFiles:
        """The files for a client of these settings."""
        return cls(settings.base_url, settings.cache_dir, timeout=settings.timeout, clock=clock)

    def __getitem__(self, code: str) -> Listed:
        for file in self._files:
            if file.held is not None and (found := file.held[0].get(code)) is not None:
                return found
        raise KeyError(code)

    def __iter__(self) -> Iterator[str]:
        for file in self._files:
            yield from file.held[0] if file.held is not None else ()

    def __len__(self) -> int:
        return sum(len(file.held[0]) for file in self._files if file.held is not None)

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self) -> str:
        return f"<MasterFiles of {urlsplit(self.origin).netloc}: {len(self)} products>"

    def cached(self) -> MasterFiles:
        """This, with what any process has stored since; the network is not asked."""
        with self._lock:
            for file in self._files:
                file.load()
        return self

    @property
    def fetched_at(self) -> datetime | None:
        """When the older of the files was fetched, Asia/Seoul; None while one is missing."""
        times = [file.held[1] for file in self._files if file.held is not None]
        return datetime.fromtimestamp(min(times), KST) if len(times) == len(FILES) else None

    @property
    def due(self) -> bool:
        """Whether a file is missing or from before the last opening of a day session."""
        now = self._clock.time()
        opened = last_opening(now)
        # A time to come is from before the clock was set back.
        return any(
            file.held is None or not opened <= file.held[1] <= now + _PATIENCE
            for file in self._files
        )

    @property
    def fetch_due(self) -> bool:
        """Whether a fetch is due and none has failed in the last ten minutes."""
        return self._clock.monotonic() >= self._not_before and self.cached().due

    def fetch(self, cancel: threading.Event | None = None) -> MasterFiles:
        """This with today's files: stored ones if they are of the trading day, else fetched.

        Raises:
            TransportError: a file is due and did not come; what is stored stays at hand.
            Cancelled: `cancel` was set.
        """
        with self._fetching, self._sole():
            # Another process may have been at it while this one waited for the lock.
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
                self._not_before = clock.monotonic() + _PATIENCE
                raise
            finally:
                http.close()
        return self

    @contextlib.contextmanager
    def _sole(self) -> Iterator[None]:
        """Held while files are fetched; other processes wait for it and then find the files."""
        if self._folder is None or not self.cached().due:
            yield
            return
        import filelock  # here because most processes find the files in the store

        lock = filelock.FileLock(self._folder / "master.lock", mode=0o600)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # As long as a fetch may take another process; past that it costs a second one.
            lock.acquire(timeout=4 * sum(self._timeout))
        except (OSError, NotImplementedError):  # no folder, no locks on this disk, or too long
            yield
            return
        try:
            yield
        finally:
            lock.release()

    def _fetch(self, http: Http, cancel: threading.Event | None) -> None:
        for file in self._files:
            if cancel is not None and cancel.is_set():
                raise Cancelled("the fetch of the master files was cancelled")
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
            age = f"; the one of {had:%Y-%m-%d %H:%M} KST stays in use" if had else ""
            raise TransportError(f"no {file.name}.zip from {http.host}: {why}{age}")

    def fetch_in_background(
        self, done: Callable[[KisError | None], None] | None = None
    ) -> threading.Thread | None:
        """Fetch in a daemon thread, one at a time, if a fetch is worth it.

        Args:
            done: called in that thread with None, or with what went wrong.

        Returns:
            The thread; None when none was begun.
        """
        with self._lock:
            if self._behind is not None and self._behind.is_alive():
                return None
            thread = threading.Thread(
                target=self._run, args=(done,), name="kis_nb master files", daemon=True
            )
            self._behind = thread
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
        """As `fetch` when that is worth it; a failure is logged in one line and costs no more."""
        try:
            return self.fetch() if self.fetch_due else self
        except KisError as error:
            _log.warning("products may be incomplete: %s", error)
            return self

    def __reduce__(self) -> tuple[type[MasterFiles], tuple[str, Path | None]]:
        # Another process reads the cache folder itself.
        return MasterFiles, (self.origin, self._folder)
