"""The broker's page keys in the pattern of a recorded one, and back.

The broker's own key is ``moment^revision^start^``, all digits (`kis_nb.demo.pages`). A pattern is
a report's (`kis_nb.demo.style.runs`): the separator, the length and the padding are taken from it.
"""

from __future__ import annotations

import re
from collections import Counter

from kis_nb.demo.style import expand, runs

_SEPARATORS = "^!-+.,:/%"


def _separator(pattern: str) -> str:
    """The separator of keys of this pattern, the commonest sign; "" when there is none."""
    signs = Counter(kind for kind, _ in runs(pattern) if kind in _SEPARATORS)
    return signs.most_common(1)[0][0] if signs else ""


def to_recorded(key: str, pattern: str) -> str:
    """A key of the broker's with the pattern's separator, length and padding."""
    parts = runs(pattern)
    if not any(kind not in "_" + _SEPARATORS for kind, _ in parts):
        return expand(pattern)
    sign = _separator(pattern)
    if sign:
        key = key.replace("^", sign)
    elif key.count("^") == 3:
        moment, revision, start, _ = key.split("^")
        key = f"{int(moment):012d}{int(revision):06d}{int(start):06d}"
    else:
        key = key.replace("^", "")
    length = sum(count for _, count in parts)
    return key.rjust(length) if parts[0][0] == "_" else key.ljust(length)


def next_key(key: str, pattern: str) -> str:
    """The key of a next page; only padded when the pattern is of a last page, without a key."""
    if any(kind in "09AaHL?" for kind, _ in runs(pattern)):
        return to_recorded(key, pattern)
    return key.ljust(sum(count for _, count in runs(pattern)))


def last_key(pattern: object) -> str:
    """The key on a last page: blanks, or separators without anything between."""
    return expand(str(pattern))


def from_recorded(key: str, pattern: str) -> str:
    """The broker's key of one that `to_recorded` made."""
    sign = _separator(pattern)
    if sign:
        return key.replace(sign, "^")
    if re.fullmatch(r"[0-9]{24}", key, re.ASCII):
        return f"{int(key[:12])}^{int(key[12:18])}^{int(key[18:])}^"
    return key
