"""Writing a file whole or not at all, readable by its owner only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Left behind by a process that was killed while it wrote.
UNFINISHED = ".new"


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
