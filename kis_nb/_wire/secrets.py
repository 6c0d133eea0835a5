"""Secrets: values that no repr shows, and their removal from texts that KIS sent."""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from typing import NoReturn
from urllib.parse import quote

from kis_nb._account import Account, mask_cano


class Secret:
    """A text whose repr is a mask, so that no log and no traceback's locals show it.

    Args:
        text: the secret.
    """

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap a text without the blanks around it; None for None and for blank text."""
        if isinstance(value, Secret) or value is None:
            return value
        return cls(value.strip()) if value.strip() else None

    def reveal(self) -> str:
        """The text itself, for sending it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


class Scrubber:
    """Masks secrets and account numbers in texts that KIS sent.

    KIS's error texts may repeat what was sent: as it is, percent-encoded, or in base64, alone or
    as part of a longer encoded text. Safe to share between threads.

    Args:
        secrets: what to mask as ``<secret>``.
        accounts: accounts whose numbers are masked as ``800*****``.
    """

    def __init__(self, secrets: Iterable[Secret], accounts: Iterable[Account] = ()) -> None:
        self._masks: dict[str, str] = {}
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)
        for account in accounts:
            self.learn_account(account)

    def learn(self, secret: Secret) -> None:
        """Mask this secret too from now on."""
        text = secret.reveal()
        self._add((text, quote(text, safe=""), quote(text), *_in_base64(text)), "<secret>")

    def learn_account(self, account: Account) -> None:
        """Mask this account's number too, from now on."""
        if account.cano not in self._masks:
            self._add((account.cano + account.product, account.cano), mask_cano(account.cano))

    def _add(self, texts: Iterable[str], mask: str) -> None:
        with self._lock:
            # A new dict each time: another thread may be iterating over the old one.
            self._masks = {**self._masks, **{text: mask for text in texts if text}}

    def scrub(self, text: str) -> str:
        """The text with every known secret and account number masked."""
        masks = self._masks
        text = _WRAPPED.sub("", text)
        for secret in sorted(masks, key=len, reverse=True):
            text = text.replace(secret, masks[secret])
        return text


# The break between two lines of base64, which MIME makes after 76 and PEM after 64 letters; it may
# have become a blank. No word is as long.
_WRAPPED = re.compile(r"(?<=[A-Za-z0-9+/_-]{60})\s+(?=[A-Za-z0-9+/_=-])", re.ASCII)


# A shorter piece of base64 could be part of any word.
_SHORTEST_PIECE = 8


def _in_base64(text: str) -> Iterator[str]:
    """How a text looks in base64, in both alphabets, at any offset within the encoded data.

    Base64 writes three bytes as four letters, so the letters depend on the offset modulo three. A
    letter at either end that also holds bits of the neighbouring bytes is left out.
    """
    data = text.encode()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data).decode().rstrip("=")
        # Only letters all of whose six bits are this text's.
        begin, end = -(-8 * before // 6), 8 * (before + len(data)) // 6
        piece = encoded[begin:end]
        if len(piece) >= _SHORTEST_PIECE:
            yield piece
            yield piece.translate(_URL_SAFE)
            yield quote(piece, safe="")
        if before == 0:
            # When nothing else was encoded, the last letter is known too.
            yield encoded
            yield encoded.translate(_URL_SAFE)
            yield quote(encoded, safe="")


_URL_SAFE = str.maketrans("+/", "-_")


class Hidden(Mapping[str, str]):
    """Headers or parameters whose repr shows only their number.

    Not a dict: rich prints the content of a dict, whatever its repr says.
    """

    __slots__ = ("_entries",)

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._entries = entries

    def __getitem__(self, key: str) -> str:
        return self._entries[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __repr__(self) -> str:
        return f"<{len(self)} hidden>"
