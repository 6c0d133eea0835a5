"""Where an access token is kept: a small file per host and app key, for all of a user's processes.

KIS sends the customer a phone message for every token it issues, so one is used for as long as it
is good.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kis_nb._errors import Cancelled
from kis_nb._wire.config import SENDABLE
from kis_nb._wire.secrets import Secret

# As long as an issue may take another process; one that is stuck must not stop everyone for ever.
_LOCKED_FOR = 180.0
# After so many seconds behind another process it is worth a word.
_WORTH_A_WORD = 1.0
REFUSED = {
    "EGW00103": "the app key is not known",
    "EGW00105": "the app secret does not fit the app key",
}


@dataclass(frozen=True, slots=True)
class Held:
    """What the store says: a token and its end, or that the credentials were refused till then.

    `dead_until` is set for a token that KIS refused, and then gave back as a new one: until then it
    is not asked for another. Times are seconds since 1970.
    """

    token: Secret | None
    until: float
    refused: str = ""
    dead_until: float = 0.0


class TokenStore:
    """One small file per host and app key, readable by its owner only.

    Its name and its text hold digests, never the host or the app key. A folder that cannot be
    written costs a warning, once, and the token is then kept in this process alone.
    """

    def __init__(self, folder: Path | None, host: str, app_key: Secret, app_secret: Secret) -> None:
        self._digest = _digest(host, app_key.reveal(), app_secret.reveal())
        self._path = folder / f"token-{_digest(host, app_key.reveal())}.json" if folder else None
        self._memory: Held | None = None

    def lock(
        self, cancel: threading.Event | None = None, held_up: Callable[[], None] | None = None
    ) -> AbstractContextManager[Any]:
        """Held while a token is issued; other processes wait for it and then find the token.

        Args:
            cancel: stops the wait when set.
            held_up: called once when another process makes this one wait for long.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        if self._path is not None:
            import filelock  # here because most processes find a token in the store

            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = filelock.FileLock(f"{self._path}.lock", mode=0o600)
                begin = time.monotonic()
                while True:
                    try:
                        return lock.acquire(timeout=0.2)
                    except filelock.Timeout:
                        if cancel is not None and cancel.is_set():
                            raise Cancelled("the pull was cancelled") from None
                        waited = time.monotonic() - begin
                        if waited > _LOCKED_FOR:
                            raise
                        if held_up is not None and waited > _WORTH_A_WORD:
                            held_up()
                            held_up = None
            except (OSError, NotImplementedError) as error:  # the latter: no locks on this disk
                self._forsake(error)
        return nullcontext()

    def read(self) -> Held | None:
        """What is stored and meant for these credentials; a damaged or foreign file counts as
        none.
        """
        if self._path is None:
            return self._memory
        try:
            entry = json.loads(self._path.read_bytes())
            # The token of an older secret for the same key serves as well as ours; what was refused
            # about that secret does not concern us.
            ours = entry["for"] == self._digest and entry["refused"] in REFUSED
            if entry["token"] and not SENDABLE.fullmatch(entry["token"]):
                return self._memory
            held = Held(
                Secret.of(entry["token"]),
                float(entry["until"]),
                entry["refused"] if ours else "",
                float(entry.get("dead_until", 0)),
            )
        except (
            *(OSError, ValueError, LookupError, TypeError, AttributeError),
            *(ArithmeticError, RecursionError),
        ):
            return self._memory
        return held

    def write(self, held: Held) -> None:
        """Store at once or not at all: readers see the old file or the new one."""
        self._memory = held
        if self._path is None:
            return
        entry = {
            "for": self._digest,
            "token": held.token.reveal() if held.token else "",
            "until": held.until,
            "refused": held.refused,
            "dead_until": held.dead_until,
        }
        content = Secret(json.dumps(entry))
        del entry  # an interrupt while writing would show it in the traceback's locals
        try:
            # Writers hold the lock, so these were left by one that was killed.
            for stale in self._path.parent.glob(f"{self._path.name}*.new"):
                stale.unlink()
            _write_atomically(self._path, content)
        except OSError as error:
            self._forsake(error)

    def _forsake(self, error: OSError | NotImplementedError) -> None:
        why = getattr(error, "strerror", None) or error
        warnings.warn(
            f"the token store {self._path} cannot be used ({why}); this "
            "process keeps its token in memory, and every other one will ask KIS for its own. "
            "KIS_NB_CACHE_DIR names another folder",
            stacklevel=2,
        )
        self._path = None


def _write_atomically(path: Path, content: Secret) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.reveal().encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
