"""Account numbers: how one is read, shown masked, labelled and found by what the user typed.

Imports nothing else of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


class Account:
    """An account number (8-2), shown masked.

    ``repr``, ``str`` and format give ``800*****-03``, so that an account can be printed, logged and
    left in a traceback's locals; it equals its full text, and `cano` and `product` give the two
    parts that a call sends.
    """

    __slots__ = ("_cano", "_product")

    # A cash account's product code is 01; futures and options trade under 03.
    _FORM = re.compile(r"([0-9]{8})-?([0-9]{2})", re.ASCII)

    def __init__(self, cano: str, product: str) -> None:
        self._cano = cano
        self._product = product

    @classmethod
    def read(cls, text: object) -> Account | ValueError:
        """An account from ``80012345-03`` (the hyphen may be left out), or what is wrong with it.

        The error is given back for the caller to raise: what was typed may be a real number with a
        slip in it, and must first leave the caller's locals, which a traceback may print.
        """
        if isinstance(text, Account):
            return text
        found = cls._FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            return ValueError(
                "an account is 8 digits, a hyphen and 2 digits, as in 12345678-03; "
                "what was given does not look like that"
            )
        return cls(found[1], found[2])

    @classmethod
    def parse(cls, text: object) -> Account:
        """As `read`, for texts that are no secret.

        Raises:
            ValueError: the text is no account number. The message does not repeat it.
        """
        account = cls.read(text)
        if isinstance(account, ValueError):
            raise account
        return account

    @property
    def cano(self) -> str:
        """First 8 digits (CANO), unmasked."""
        return self._cano

    @property
    def product(self) -> str:
        """Last 2 digits (ACNT_PRDT_CD)."""
        return self._product

    @property
    def masked(self) -> str:
        """``800*****-03``."""
        return f"{mask_cano(self._cano)}-{self._product}"

    def hide(self, text: str) -> str:
        """The text with this number masked, unless it is part of a longer one."""
        whole = rf"(?<![0-9]){self._cano}(?=(-?{self._product})?(?![0-9]))"
        return re.sub(whole, mask_cano(self._cano), text, flags=re.ASCII)

    def __repr__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Account):
            return (self._cano, self._product) == (other._cano, other._product)
        if isinstance(other, str):
            return other == f"{self._cano}-{self._product}"
        return NotImplemented

    def __hash__(self) -> int:
        # As the text's, since the two compare equal.
        return hash(f"{self._cano}-{self._product}")


def mask_cano(cano: str) -> str:
    """``80012345`` as ``800*****``: enough to tell one's own accounts apart, no more."""
    return cano[:3] + "*" * max(len(cano) - 3, 0)


def account_labels(accounts: Iterable[Account]) -> dict[Account, str]:
    """A different masked label for each account: ``800*****-03``, ``800*****-03 (2)``, …

    Two accounts of one customer can share their first digits, and a label that two accounts share
    would add them up as one.
    """
    labels: dict[Account, str] = {}
    seen: dict[str, int] = {}
    for account in dict.fromkeys(accounts):
        count = seen[account.masked] = seen.get(account.masked, 0) + 1
        labels[account] = account.masked if count == 1 else f"{account.masked} ({count})"
    return labels


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
