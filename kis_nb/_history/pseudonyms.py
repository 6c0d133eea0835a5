"""What a history calls an account: a pseudonym by a key of the user's, or the plain number."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias

from kis_nb._account import Account
from kis_nb._errors import HistoryError

Accounts: TypeAlias = Literal["pseudonym", "number"]
# Names another file for the key.
VARIABLE = "KIS_NB_HISTORY_KEY"
PSEUDONYM = re.compile(r"[0-9a-f]{16}", re.ASCII)
_KEY = re.compile(rb"[0-9a-f]{64}\s*", re.ASCII)


class Pseudonyms:
    """The names of accounts in one history; repr and errors hold neither a number nor the key.

    Args:
        accounts: ``"pseudonym"``: an HMAC-SHA256 of the number, its first 16 hexadecimal digits.
            ``"number"``: the number itself, ``80012345-03``.
    """

    __slots__ = ("_sign", "accounts")

    def __init__(self, accounts: Accounts) -> None:
        self.accounts: Accounts = accounts
        # The key is in this function's closure alone, where no repr and no traceback shows it.
        self._sign: Callable[[str], str] | None = None

    def name(self, account: Account) -> str:
        """What the history calls an account.

        Raises:
            HistoryError: the key's file can be neither read nor written, or holds no key.
        """
        if self.accounts == "number":
            return f"{account.cano}-{account.product}"
        return self._signed(f"{account.cano}-{account.product}")

    def is_name(self, text: str) -> bool:
        """Whether a text has the form of an account's name in this history."""
        return self.accounts == "pseudonym" and bool(PSEUDONYM.fullmatch(text))

    def key_check(self) -> str:
        """Tells one key from another without telling the key; blank with plain numbers.

        Raises:
            HistoryError: as in `name`.
        """
        return "" if self.accounts == "number" else self._signed("kis_nb history")

    def _signed(self, text: str) -> str:
        if self._sign is None:
            self._sign = _signer(key_file())
        return self._sign(text)


def key_file() -> Path:
    """The file of the key: `KIS_NB_HISTORY_KEY`, or one in the user's configuration folder."""
    import platformdirs

    named = os.environ.get(VARIABLE)
    return Path(named) if named else platformdirs.user_config_path("kis_nb") / "history.key"


def _signer(path: Path) -> Callable[[str], str]:
    """A function that signs with the key of this file, which is made when there is none."""
    try:
        if not path.exists():
            _make(path)
        content = memoryview(path.read_bytes())
    except OSError as error:
        raise HistoryError(
            f"the key of the history's pseudonyms, {path}: {error.strerror}; set {VARIABLE} to "
            'a file that can be read and written, or use accounts="number"'
        ) from None
    if not _KEY.fullmatch(content):
        raise HistoryError(f"{path} holds no key of 64 hexadecimal digits")

    def sign(text: str) -> str:
        key = bytes.fromhex(bytes(content).decode())
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:16]

    return sign


def _make(path: Path) -> None:
    """Write a new key, mode 0600; of two processes that do so at once, one's key stays."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(memoryview(secrets.token_hex(32).encode()))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
    finally:
        temporary.unlink(missing_ok=True)
