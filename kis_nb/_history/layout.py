"""How a history's files are called, and which of them count.

A snapshot is one file in each folder, of the same name: account, view, moment, identity. A merged
file holds many; the day's list of merged files says which, and the files that it lists as merged
count no more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from kis_nb._errors import HistoryError
from kis_nb._history.schema import DATE, VERSION

# At the top of a history: version, kind of accounts, demo or not.
ABOUT = "_kis_nb_history.json"
# A folder with a small file for each unknown field of KIS's that came.
COLUMNS = "_columns"
# How much of a list of merged files holds the names of these; what they hold follows, and is a
# megabyte for a night of twenty accounts.
HEAD = 65_536
# Beside merged files. It sorts behind every other name, so that a listing that comes in pieces has
# it last.
MERGED = re.compile(r"z([0-9]{8})\.json", re.ASCII)
_NAME = re.compile(
    r"(?P<account>[0-9a-f]{16}|[0-9]{8}-[0-9]{2})_(?P<view>[0-9]{2}-[0-9]|settlement)_"
    r"(?P<moment>[0-9]{8}T[0-9]{12}Z)_(?P<identity>[0-9a-f]{24})\.parquet",
    re.ASCII,
)
_ACCOUNT = r"[0-9a-f]{16}|[0-9]{8}-[0-9]{2}"
_MERGED_FILE = re.compile(
    rf"merged_(?P<first>{_ACCOUNT})_(?P<last>{_ACCOUNT})_[0-9a-f]{{24}}\.parquet", re.ASCII
)
_MEMBERS = b', "members": ['
_DAY = re.compile(rf"{DATE}=([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})", re.ASCII)


def snapshot_name(account: str, view: str, as_of: datetime, identity: str) -> str:
    """The name of a snapshot's two files; the moment is aware, in UTC."""
    return f"{account}_{view}_{as_of:%Y%m%dT%H%M%S%f}Z_{identity}.parquet"


def merged_name(first: str, last: str, identity: str) -> str:
    """The name of a merged file: its first and last account, and what tells it from others."""
    return f"merged_{first}_{last}_{identity}.parquet"


def list_name(generation: int) -> str:
    """The name of a day's list of merged files: each compaction of the day writes the next one."""
    return f"z{generation:08}.json"


def day_folder(day: date) -> str:
    """A day's folder, as hive partitions are called."""
    return f"{DATE}={day.isoformat()}"


def day_of(name: str) -> date | None:
    """The day that a folder is of; None for another name."""
    found = _DAY.fullmatch(name)
    try:
        return date.fromisoformat(found[1]) if found else None
    except ValueError:
        return None


def is_snapshot(name: str) -> bool:
    """Whether a file is of one snapshot, by its name."""
    return bool(_NAME.fullmatch(name))


def is_merged(name: str) -> bool:
    """Whether a file is a merged one, by its name."""
    return bool(_MERGED_FILE.fullmatch(name))


def may_hold(name: str, account: str) -> bool:
    """Whether a file may hold rows of an account, by its name."""
    if found := _NAME.fullmatch(name):
        return found["account"] == account
    merged = _MERGED_FILE.fullmatch(name)
    return merged is None or merged["first"] <= account <= merged["last"]


def is_foreign(name: str) -> bool:
    """Whether a file has a name that this package gives to none and that is not hidden."""
    ours = _NAME.fullmatch(name) or _MERGED_FILE.fullmatch(name) or MERGED.fullmatch(name)
    return not ours and not name.startswith((".", "_"))


@dataclass(frozen=True, slots=True)
class Merged:
    """A day's list of merged files in one folder.

    Attributes:
        generation: how many compactions there were.
        files: the merged files that count.
        members: the snapshots' files whose rows they hold.
    """

    generation: int = 0
    files: tuple[str, ...] = ()
    members: frozenset[str] = frozenset()

    @classmethod
    def read(cls, name: str, content: bytes) -> Merged:
        """The list in a file.

        Raises:
            HistoryError: the file is damaged.
        """
        found = MERGED.fullmatch(name)
        try:
            read = json.loads(content)
            return cls(int(found[1] if found else 0), tuple(read["files"]), _set(read["members"]))
        except (ValueError, KeyError, TypeError):
            raise HistoryError(
                f"{name}, the list of a day's merged files, is damaged; restore it from a backup"
            ) from None

    @classmethod
    def files_of(cls, name: str, head: bytes) -> tuple[str, ...] | None:
        """The merged files alone, from the first bytes of a list; None when these do not do."""
        end = head.find(_MEMBERS)
        if end < 0:
            return None
        try:
            return cls.read(name, head[:end] + _MEMBERS + b"]}").files
        except HistoryError:
            return None

    def write(self) -> bytes:
        """The content of its file: the merged files first, for `files_of`."""
        return json.dumps(
            {"version": VERSION, "files": self.files, "members": sorted(self.members)}
        ).encode()


def _set(names: Any) -> frozenset[str]:
    if not isinstance(names, list):
        raise TypeError
    return frozenset(names)


def newest_list(names: Iterable[str]) -> str | None:
    """The name of the newest list of merged files among these."""
    return max(filter(MERGED.fullmatch, names), default=None)


def uncounted(names: Iterable[str], merged: Merged) -> list[str]:
    """The snapshots' files among these whose rows no merged file holds, in order."""
    return sorted(name for name in names if is_snapshot(name) and name not in merged.members)
