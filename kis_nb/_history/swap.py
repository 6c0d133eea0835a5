"""What the operating system does at once: locks that many share, and two folders exchanged."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

# Who appends shares this file's lock.
_LOCK = ".lock"
# Held for a moment on the way to the other, so that those who share cannot keep out who must not.
_GATE = ".gate"
_EXCHANGE = 2
_HERE = -100


@contextlib.contextmanager
def shared_or_exclusive(root: Path, *, exclusive: bool) -> Iterator[None]:
    """Hold a history's lock, shared with others or alone; it ends with the process at the latest.

    Raises:
        OSError: the folder cannot be written.
    """
    with (
        _locked(root / _GATE, exclusive=exclusive) as open_gate,
        _locked(root / _LOCK, exclusive=exclusive),
    ):
        open_gate()
        yield


@contextlib.contextmanager
def _locked(path: Path, *, exclusive: bool) -> Iterator[Any]:
    """Yields what releases the lock early."""
    if sys.platform == "win32":
        import filelock

        lock = filelock.FileLock(path)
        with lock:
            yield lock.release
        return
    import fcntl

    # A new description each time: a lock belongs to it, and threads and forks must not share one.
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield lambda: fcntl.flock(handle, fcntl.LOCK_UN)
    finally:
        os.close(handle)


@contextlib.contextmanager
def compacting(root: Path) -> Iterator[None]:
    """Hold the lock that one compaction of a history holds at a time."""
    with _locked(root / ".compact.lock", exclusive=True):
        yield


@cache
def _renameat2() -> Any:
    if sys.platform != "linux":
        return None
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step.

    Returns:
        False where the system or the disk cannot; nothing has happened then.

    Raises:
        OSError: another reason.
    """
    call = _renameat2()
    if call is None:
        return False
    if call(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(other))
