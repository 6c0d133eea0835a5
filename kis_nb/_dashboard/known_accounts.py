"""The accounts that a dashboard can show, and their labels in the account control."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from kis_nb._account import Account, find_account, named_labels
from kis_nb._codes import Basis, Margin

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance


class KnownAccounts:
    """The client's accounts in its order, and after them others that were asked for.

    Args:
        client: None when there is nothing to pull from.

    Attributes:
        labels: ``hedge · 800*****-03`` by account; the mask alone without a name.
    """

    def __init__(self, client: Client | None) -> None:
        self._client = client
        self.labels: dict[Account, str] = {}
        self.add(client.accounts if client is not None else ())

    def add(self, accounts: Iterable[Account | None]) -> None:
        """Add accounts that are not known yet; None is passed over."""
        known = [*self.labels, *(account for account in accounts if account is not None)]
        self.labels = named_labels(known, self._client.names if self._client else {})

    def find(self, text: object) -> Account | ValueError | None:
        """Find an account by its number, name or label; None finds the first.

        Returns:
            The account, None when there is none at all, or the error. The caller raises it once the
            text has left its locals, so that no traceback shows an account number.
        """
        if text is None:
            return next(iter(self.labels), None)
        found = find_account(text, self.labels, self._client.names if self._client else {})
        if self._client is None or isinstance(found, ValueError):
            return found
        # Only the client knows whether it has an app key for an account that is not configured.
        return self._client.find_account(found)

    def index(self, account: Account | None) -> int:
        """The account's index in the control; -1 when it is not there."""
        return list(self.labels).index(account) if account in self.labels else -1

    def option_indexes(self, balance: Balance) -> list[int]:
        """The index of a balance's option in the controls for account, margin and basis."""
        return [
            self.index(balance.account),
            list(Margin).index(balance.mgna_dvsn),
            list(Basis).index(balance.excc_stat_cd),
        ]

    def view_name(self, balance: Balance) -> str:
        """The name by which the page asks for a balance's view (`static/panels/head.js`)."""
        return "/".join(map(str, self.option_indexes(balance)))
