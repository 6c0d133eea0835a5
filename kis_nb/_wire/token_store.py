"""Where an access token is kept: a small file per host and app key, for all of a user's processes.

KIS sends the customer a phone message for every token it issues, so one is used for as long as it
is good.
"""

from __future__ import annotations

import hashlib
import json
import threading
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kis_nb._errors import Cancelled
from kis_nb._files import process_lock, remove_unfinished, write_whole
from kis_nb._wire.config import SENDABLE
from kis_nb._wire.secrets import Secret
from kis_nb._wire.token_errors import REFUSED

# Seconds that an issue may take another process; one that is stuck must not stop the others.
_LOCK_TIMEOUT = 180.0


@dataclass(frozen=True, slots=True)
class StoredToken:
    """What is known about the token of some credentials. Times are seconds since 1970.

    Attributes:
        token: None when the credentials were refused.
        until: the end of the token, or of the time in which refused credentials are not tried.
        refused: the error code of refused credentials, else "".
        unusable_until: set when KIS refused this token and then gave it again as a new one: until
            then there is no use in asking for another. 0 for a good token.
    """

    token: Secret | None
    until: float
    refused: str = ""
    unusable_until: float = 0.0


class TokenStore:
    """One small file per host and app key, readable by its owner only.

    Its name and its text hold digests, never the host or the app key. When the folder cannot be
    written there is one warning, and the token is then kept in this process alone.

    Args:
        folder: where the file lives; None keeps the token in this process.
        host: the gateway's address.
        app_key, app_secret: the credentials that the token is for.
    """

    def __init__(self, folder: Path | None, host: str, app_key: Secret, app_secret: Secret) -> None:
        self._digest = _digest(host, app_key.reveal(), app_secret.reveal())
        self._path = folder / f"token-{_digest(host, app_key.reveal())}.json" if folder else None
        self._memory: StoredToken | None = None

    def lock(
        self, cancel: threading.Event | None = None, on_wait: Callable[[], None] | None = None
    ) -> AbstractContextManager[Any]:
        """Held while a token is issued; other processes wait for it and then find the token.

        Args:
            cancel: stops the wait when set.
            on_wait: called once when another process holds the lock for more than a second.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        if self._path is None:
            return nullcontext()
        try:
            return process_lock(
                self._path.with_name(f"{self._path.name}.lock"),
                timeout=_LOCK_TIMEOUT,
                cancel=cancel,
                on_wait=on_wait,
            )
        except OSError as error:
            if cancel is not None and cancel.is_set():
                raise Cancelled("the pull was cancelled") from None
            self._keep_in_memory(error)
        return nullcontext()

    def read(self) -> StoredToken | None:
        """What is stored for these credentials; None when there is nothing, or nothing readable."""
        if self._path is None:
            return self._memory
        try:
            entry = json.loads(self._path.read_bytes())
            # A token issued for an earlier secret of the same key is as good; a refusal of that
            # secret does not concern this one.
            ours = entry["for"] == self._digest and entry["refused"] in REFUSED
            if entry["token"] and not SENDABLE.fullmatch(entry["token"]):
                return self._memory
            stored = StoredToken(
                Secret.of(entry["token"]),
                float(entry["until"]),
                entry["refused"] if ours else "",
                float(entry.get("unusable_until", 0)),
            )
        except (
            *(OSError, ValueError, LookupError, TypeError, AttributeError),
            *(ArithmeticError, RecursionError),
        ):
            return self._memory
        return stored

    def write(self, stored: StoredToken) -> None:
        """Store it for all processes. To be called with the lock held."""
        self._memory = stored
        if self._path is None:
            return
        # One expression, and a memoryview: an interrupt while the file is written would show other
        # locals in a traceback.
        content = memoryview(
            json.dumps(
                {
                    "for": self._digest,
                    "token": stored.token.reveal() if stored.token else "",
                    "until": stored.until,
                    "refused": stored.refused,
                    "unusable_until": stored.unusable_until,
                }
            ).encode()
        )
        try:
            remove_unfinished(self._path)
            write_whole(self._path, content)
        except OSError as error:
            self._keep_in_memory(error)

    def _keep_in_memory(self, error: OSError) -> None:
        """Do without the file from now on, with a warning."""
        why = getattr(error, "strerror", None) or error
        warnings.warn(
            f"the token store {self._path} cannot be used ({why}); this "
            "process keeps its token in memory, and every other one will ask KIS for its own. "
            "KIS_NB_CACHE_DIR names another folder",
            stacklevel=2,
        )
        self._path = None


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
