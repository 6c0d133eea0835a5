"""How a configured account is shown and found: by its number, its masked label or its name.

On the ground: imports `_fields`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kis_nb._fields import Account, account_labels

Names = Mapping[Account, str | None]


def named_labels(accounts: Iterable[Account], names: Names) -> dict[Account, str]:
    """A different label for each: ``hedge · 800*****-03``, or the mask alone without a name."""
    return {
        account: f"{name} · {label}" if (name := names.get(account)) else label
        for account, label in account_labels(accounts).items()
    }


def find_account(text: object, accounts: Iterable[Account], names: Names) -> Account | ValueError:
    """The account of a label, a name (in any case of letters) or a number; or what is wrong.

    The error is given back for the caller to raise: what was typed may be a real number with a
    slip in it, and must first leave the caller's locals, which a traceback may print.
    """
    labels = account_labels(accounts)
    named = named_labels(labels, names)
    if not isinstance(text, str):
        return Account.read(text)
    for account, label in labels.items():
        if text in (label, named[account]):
            return account
    wanted = " ".join(text.split()).casefold()
    found = [account for account in labels if (names.get(account) or "").casefold() == wanted]
    if len(found) > 1 and wanted:
        said = ", ".join(labels[account] for account in found)
        return ValueError(f"{len(found)} accounts have that name; say which by its number: {said}")
    if found and wanted:
        return found[0]
    read = Account.read(text)
    if isinstance(read, ValueError) and any(names.get(account) for account in labels):
        return ValueError(f"{read}, nor is it a name or label of {', '.join(named.values())}")
    return read
