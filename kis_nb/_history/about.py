"""What a history says of itself, in a file at its top, and what does not belong into it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kis_nb._errors import HistoryError
from kis_nb._history.layout import ABOUT
from kis_nb._history.local_files import LocalFiles, typed
from kis_nb._history.pseudonyms import Pseudonyms
from kis_nb._history.schema import VERSION

if TYPE_CHECKING:
    from kis_nb._history.object_files import ObjectFiles


class About:
    """Version, kind of names, check of the key, and whether the accounts are the broker's.

    Args:
        files: of the history.
        pseudonyms: how it is opened.
    """

    def __init__(self, files: LocalFiles | ObjectFiles, pseudonyms: Pseudonyms) -> None:
        self._files = files
        self._pseudonyms = pseudonyms
        self._read: dict[str, Any] | None = None

    def check(self, *, demo: bool) -> None:
        """Refuse what does not belong into this history; the first append decides.

        Raises:
            HistoryError: real accounts beside the embedded broker's, or names by another key.
        """
        about = self.read()
        if about is None:
            about = {
                "version": VERSION,
                "accounts": self._pseudonyms.accounts,
                "key_check": self._pseudonyms.key_check(),
                "demo": demo,
            }
            with typed(self._files):
                self._files.put_new(json.dumps(about).encode(), ABOUT)
            about = self.read() or about
        history = f"<History {self._files!r}>"
        if about["demo"] is not demo:
            kept, other = "invented accounts, of the embedded broker", "real ones"
            if demo:
                kept, other = "real accounts", "the embedded broker's"
            raise HistoryError(f"{history} keeps {kept}: use another folder for {other}")
        if about["key_check"] != self._pseudonyms.key_check():
            raise HistoryError(
                f"{history} names its accounts by another key: one account would have two names. "
                "Set KIS_NB_HISTORY_KEY to the key's file"
            )

    def read(self) -> dict[str, Any] | None:
        """What the history says of itself; None when it is empty.

        Raises:
            HistoryError: its file is damaged, of a later version, or of names of another kind.
        """
        if self._read is None:
            with typed(self._files):
                content = self._files.read(ABOUT)
            if content is None:
                return None
            try:
                about = json.loads(content)
                version, accounts = about["version"], about["accounts"]
                _ = about["demo"], about["key_check"]
            except (ValueError, KeyError, TypeError):
                raise HistoryError(f"the history at {self._files!r}: {ABOUT} is damaged") from None
            if version != VERSION:
                raise HistoryError(
                    f"the history at {self._files!r} is of version {version}; this kis_nb knows "
                    f"{VERSION}: update it"
                )
            if accounts != self._pseudonyms.accounts:
                raise HistoryError(
                    f'the history at {self._files!r} was made with accounts="{accounts}": open it '
                    "with that too"
                )
            self._read = about
        return self._read
