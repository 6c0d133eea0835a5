"""The accounts that a dashboard can be asked for, with what the account control calls each.

Imports `_accounts` and `_fields`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kis_nb._account import Account, find_account, named_labels

if TYPE_CHECKING:
    from kis_nb._client import Client


class KnownAccounts:
    """The client's accounts, in its order, and after them those asked for besides.

    Attributes:
        labels: ``hedge · 800*****-03`` by account; the mask alone without a name.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self.labels: dict[Account, str] = {}
        self.add(client.accounts if client is not None else ())

    def add(self, accounts: Iterable[Account | None]) -> None:
        """Know these too."""
        known = [*self.labels, *(account for account in accounts if account is not None)]
        self.labels = named_labels(known, self._client.names if self._client else {})

    def find(self, text: object) -> Account | ValueError | None:
        """The account meant by a number, a name or a label, None being the first one; or what is
        wrong with it, to be raised when the text has left the caller's locals.
        """
        if text is None:
            return next(iter(self.labels), None)
        found = find_account(text, self.labels, self._client.names if self._client else {})
        if self._client is None or isinstance(found, ValueError):
            return found
        # Only the client knows whether it has an app key for an account that is not configured.
        return self._client.find_account(found)

    def place(self, account: Account | None) -> int:
        """Which option of the control it is; -1 when it is none."""
        return list(self.labels).index(account) if account in self.labels else -1
