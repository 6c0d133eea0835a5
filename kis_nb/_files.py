"""Files that are written whole or not at all, and locks between the user's processes."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

# Left behind by a process that was killed while it wrote.
UNFINISHED = ".new"
# Seconds of waiting for another process after which the caller is notified.
_NOTIFY_AFTER = 1.0


def write_whole(path: Path, content: bytes | memoryview, *, modified: float | None = None) -> None:
    """Write a file so that a reader finds the old content or the new one, never a part of it.

    The content goes to a temporary file beside it, mode 0600, which then replaces it.

    Args:
        path: the file; its folder must exist.
        content: what it is to hold. A memoryview when it is secret: a traceback that shows locals
            prints bytes, and of a memoryview only the address.
        modified: its time of modification, seconds since 1970; None for now.

    Raises:
        OSError: it cannot be written. No temporary file is left.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=UNFINISHED, dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if modified is not None:
            os.utime(temporary, (modified, modified))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def remove_unfinished(path: Path) -> None:
    """Delete the temporary files that killed writers of `path` left; nobody may be writing it."""
    for leftover in path.parent.glob(f".{path.name}.*{UNFINISHED}"):
        leftover.unlink()


def process_lock(
    path: Path,
    *,
    timeout: float,
    cancel: threading.Event | None = None,
    on_wait: Callable[[], None] | None = None,
) -> AbstractContextManager[Any]:
    """Acquire a lock that one process holds at a time; leaving the context releases it.

    Args:
        path: the lock's file; its folder is made.
        timeout: seconds to wait for another process.
        cancel: stops the wait when set.
        on_wait: called once when another process holds the lock for more than a second.

    Raises:
        OSError: it was not acquired: the timeout has passed, `cancel` was set, the folder cannot be
            written, or this disk knows no locks.
    """
    import filelock  # here because most processes find what they need without a lock

    begin = time.monotonic()
    notified = False

    def cancelled() -> bool:
        nonlocal notified
        if on_wait is not None and not notified and time.monotonic() - begin > _NOTIFY_AFTER:
            notified = True
            on_wait()
        return cancel is not None and cancel.is_set()

    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Polled: the check of `cancel` and the notice are made between two attempts.
        return filelock.FileLock(path, mode=0o600).acquire(timeout=timeout, cancel_check=cancelled)
    except NotImplementedError as error:
        raise OSError(str(error)) from None
