"""A history's files in a folder of this machine.

Who appends holds a lock that appenders share; who puts a merged day in place holds it alone for
that moment. Nobody else waits: readers take no lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from kis_nb._errors import HistoryError
from kis_nb._history.layout import HEAD, Merged, list_name
from kis_nb._history.schema import FOLDERS, Folder
from kis_nb._history.swap import shared_or_exclusive

# What a name begins with until its file is whole.
HIDDEN = "."
# Where a day is merged and what it replaced is kept for a while; beside the folders, so that no
# reader's pattern meets it.
WORK = ".compact"
# A day has one list of merged files here, which each compaction replaces.
LIST = list_name(0)


class LocalFiles:
    """The files of a history below a folder.

    Args:
        root: the folder; made when something is written.
    """

    remote = False

    def __init__(self, root: Path) -> None:
        self.root = root
        # The list of merged files of the days that were written to, by the file's place and state.
        self._lists: dict[Path, tuple[tuple[int, int, int], Merged]] = {}
        self._made: set[Path] = set()

    def __repr__(self) -> str:
        return str(self.root)

    def join(self, *parts: str) -> str:
        """The path by which engines read a file."""
        return str(self.root.joinpath(*parts))

    def names(self, *parts: str) -> list[str]:
        """What is in a folder; nothing when there is none."""
        try:
            return os.listdir(self.root.joinpath(*parts))  # noqa: PTH208  # names, not paths
        except FileNotFoundError:
            return []

    def read(self, *parts: str) -> bytes | None:
        """A small file's content; None when there is none."""
        try:
            return self.root.joinpath(*parts).read_bytes()
        except FileNotFoundError:
            return None

    def merged(self, folder: Folder, day: str, names: list[str]) -> Merged:  # noqa: ARG002
        """A day's list of merged files; to be read after the names were listed.

        A day that was replaced after its names were listed then gives the new list, by which the
        listed files count no more and the new ones do.
        """
        content = self.read(folder, day, LIST)
        return Merged() if content is None else Merged.read(LIST, content)

    def merged_files(self, folder: Folder, day: str, names: list[str]) -> tuple[str, ...]:
        """The files of `merged`, without reading which snapshots are in them."""
        try:
            with self.root.joinpath(folder, day, LIST).open("rb") as file:
                head = file.read(HEAD)
        except FileNotFoundError:
            return ()
        found = Merged.files_of(LIST, head)
        return self.merged(folder, day, names).files if found is None else found

    def whole(self, folder: Folder, day: str, name: str) -> bool:
        """Whether a file begins and ends as Parquet files do."""
        try:
            with self.root.joinpath(folder, day, name).open("rb") as file:
                head = file.read(4)
                file.seek(-8, os.SEEK_END)
                tail = file.read(8)
                size = file.tell()
        except FileNotFoundError:
            # Merged in the meantime.
            return True
        except (OSError, ValueError):
            return False
        footer = int.from_bytes(tail[:4], "little")
        return head == tail[4:] == b"PAR1" and 0 < footer <= size - 12

    def put_new(self, content: bytes, *parts: str) -> bool:
        """Write a file that is to be there once.

        Returns:
            Whether it was written; False when it was there.
        """
        path = self.root.joinpath(*parts)
        self._make_folder(path.parent)
        hidden = _write_hidden(path, content)
        return _name(hidden, path)

    def commit(self, day: str, name: str, content: Mapping[Folder, bytes]) -> bool:
        """Write a snapshot's two files, the summary's last: it makes the snapshot count.

        Args:
            day: the day's folder.
            name: of both files.
            content: of each.

        Returns:
            Whether the snapshot is new.
        """
        hidden: list[Path] = []
        with self.lock(exclusive=False):
            if self._is_known(day, name):
                return False
            try:
                for folder in FOLDERS:
                    path = self.root / folder / day / name
                    self._make_folder(path.parent)
                    hidden.append(_write_hidden(path, content[folder]))
                new = False
                for folder, temporary in zip(FOLDERS, hidden, strict=True):
                    path = self.root / folder / day / name
                    new = _name(temporary, path)
                return new
            finally:
                for temporary in hidden:
                    with contextlib.suppress(OSError):
                        temporary.unlink(missing_ok=True)

    def lock(self, *, exclusive: bool) -> contextlib.AbstractContextManager[None]:
        """The lock of those who append (shared) or put a merged day in place (exclusive)."""
        self._make_folder(self.root)
        return shared_or_exclusive(self.root, exclusive=exclusive)

    def _is_known(self, day: str, name: str) -> bool:
        """Whether the snapshot counts already, by itself or in a merged file."""
        folder = self.root / "summary" / day
        if (folder / name).exists():
            return True
        try:
            at = (folder / LIST).stat()
        except OSError:
            return False
        state = (at.st_ino, at.st_mtime_ns, at.st_size)
        known = self._lists.get(folder)
        if known is None or known[0] != state:
            known = self._lists[folder] = (state, self.merged("summary", day, []))
        return name in known[1].members

    def _make_folder(self, path: Path) -> None:
        if path in self._made and path.is_dir():
            return
        if not path.is_dir():
            missing = [one for one in (path, *path.parents) if not one.exists()]
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for one in missing:
                sync_folder(one.parent)
        self._made.add(path)


def _write_hidden(path: Path, content: bytes) -> Path:
    """The content in a new file beside the path, on the disk."""
    hidden = path.with_name(f"{HIDDEN}{secrets.token_hex(8)}.new")
    try:
        with hidden.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            hidden.unlink(missing_ok=True)
        raise
    return hidden


def _name(hidden: Path, path: Path) -> bool:
    """Give a hidden file its name; False when another has it. The folder is then on the disk."""
    try:
        path.hardlink_to(hidden)
        new = True
    except FileExistsError:
        new = False
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOTSUP, errno.EMLINK, errno.ENOSYS):
            raise
        # A disk without links. The name holds a hash of the content: what it would replace is the
        # same.
        new = not path.exists()
        hidden.replace(path)
    hidden.unlink(missing_ok=True)
    sync_folder(path.parent)
    return new


def sync_folder(path: Path) -> None:
    """Have a folder's entries on the disk, where the system can do so."""
    if os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def typed(root: object) -> Iterator[None]:
    """Turn an error of the disk into a `HistoryError` that names the history and the reason."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise HistoryError(f"the history at {root}: {reason}") from error
