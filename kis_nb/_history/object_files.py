"""A history's files in an object store."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Mapping
from typing import Any

from kis_nb._errors import HistoryError
from kis_nb._history.layout import HEAD, Merged, newest_list
from kis_nb._history.schema import FOLDERS, Folder


class ObjectFiles:
    """The files of a history below a URL.

    Args:
        url: such as ``s3://bucket/prefix``.
        storage_options: as Polars takes them.

    Raises:
        HistoryError: the extra is not installed, or the URL holds a password.
    """

    remote = True

    def __init__(self, url: str, storage_options: Mapping[str, Any]) -> None:
        try:
            from obstore.store import from_url
        except ModuleNotFoundError:
            raise HistoryError(
                f"a history at {url} needs an extra: pip install 'kis_nb[object-store]'"
            ) from None
        if "@" in url.partition("://")[2].partition("/")[0]:
            # The URL is in repr, errors and file names: it must hold no secret.
            raise HistoryError("a history's URL takes no user or password: pass storage_options")
        self.root = url.rstrip("/")
        self._known: dict[str, tuple[str, frozenset[str]]] = {}
        options: Any = {str(name): str(value) for name, value in storage_options.items()}
        client: Any = {}
        for name in [one for one in options if one.removeprefix("aws_") == "allow_http"]:
            client["allow_http"] = options.pop(name).lower() == "true"
        with _typed(self.root):
            self._store: Any = from_url(
                self.root, config=options or None, client_options=client or None
            )

    def __repr__(self) -> str:
        return self.root

    def join(self, *parts: str) -> str:
        """The URL by which engines read a file."""
        return "/".join([self.root, *parts])

    def names(self, *parts: str) -> list[str]:
        """What is in a folder; nothing when there is none."""
        with _typed(self.root):
            found = self._store.list_with_delimiter("/".join(parts) + "/")
        objects = [one["path"] for one in found["objects"]]
        return [path.rpartition("/")[2] for path in [*found["common_prefixes"], *objects]]

    def read(self, *parts: str) -> bytes | None:
        """A small file's content; None when there is none."""
        with _typed(self.root):
            try:
                return bytes(self._store.get("/".join(parts)).bytes())
            except FileNotFoundError:
                return None

    def merged(self, folder: Folder, day: str, names: list[str]) -> Merged:
        """The day's newest list of merged files among these names.

        A listing that comes in pieces has the lists last, so what they hold is not newer than what
        was listed; what a newer one replaced is then missing when it is read, never counted twice.
        """
        newest = newest_list(names)
        content = None if newest is None else self.read(folder, day, newest)
        if newest is None:
            return Merged()
        if content is None:
            # Replaced in the meantime.
            return self.merged(folder, day, self.names(folder, day))
        return Merged.read(newest, content)

    def _members(self, day: str) -> frozenset[str]:
        """The snapshots that a day's merged files hold; a list never changes under its name."""
        newest = newest_list(self._lists("summary", day))
        if newest is None:
            return frozenset()
        known = self._known.get(day)
        if known is None or known[0] != newest:
            found = self.merged("summary", day, [newest])
            # Of the last days that were written to.
            self._known = dict([*self._known.items(), (day, (newest, found.members))][-8:])
            return found.members
        return known[1]

    def merged_files(self, folder: Folder, day: str, names: list[str]) -> tuple[str, ...]:
        """The files of `merged`, without fetching which snapshots are in them."""
        newest = newest_list(names)
        if newest is None:
            return ()
        with _typed(self.root), contextlib.suppress(FileNotFoundError):
            head = self._store.get(f"{folder}/{day}/{newest}", options={"range": (0, HEAD)})
            found = Merged.files_of(newest, bytes(head.bytes()))
            if found is not None:
                return found
        return self.merged(folder, day, names).files

    def whole(self, folder: Folder, day: str, name: str) -> bool:  # noqa: ARG002
        """An object is there as a whole or not at all."""
        return True

    def put_new(self, content: bytes, *parts: str) -> bool:
        """Write a file that is to be there once.

        Returns:
            Whether it was written; False when it was there.
        """
        from obstore.exceptions import AlreadyExistsError

        with _typed(self.root):
            try:
                self._store.put("/".join(parts), content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def commit(self, day: str, name: str, content: Mapping[Folder, bytes]) -> bool:
        """Write a snapshot's two files, the summary's last: it makes the snapshot count.

        Returns:
            Whether the snapshot is new.
        """
        if name in self._members(day):
            return False
        new = [self.put_new(content[folder], folder, day, name) for folder in FOLDERS]
        return new[-1]

    def _lists(self, folder: Folder, day: str) -> list[str]:
        with _typed(self.root):
            pages = self._store.list(f"{folder}/{day}/", offset=f"{folder}/{day}/z")
            found = list(itertools.chain.from_iterable(pages))
        return [one["path"].rpartition("/")[2] for one in found]

    def delete(self, *parts: str) -> None:
        """Delete a file; nothing happens when there is none."""
        with _typed(self.root), contextlib.suppress(FileNotFoundError):
            self._store.delete("/".join(parts))


@contextlib.contextmanager
def _typed(root: str) -> Any:
    """Turn an error of the store into a `HistoryError`, without what it may repeat of a key."""
    from obstore.exceptions import BaseError

    try:
        yield
    except FileNotFoundError:
        raise
    except BaseError as error:
        from obstore.exceptions import AlreadyExistsError

        if isinstance(error, AlreadyExistsError):
            raise
        raise HistoryError(f"the history at {root}: {type(error).__name__}") from None
