"""Account numbers: how one is read, masked, labelled, and found by what the user typed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping


class Account:
    """An account number (8-2), shown masked.

    ``repr``, ``str`` and format give ``800*****-03``, so that an account can be printed, logged and
    left in a traceback's locals. It equals its full text, ``"80012345-03"``.

    Args:
        cano: the first 8 digits (CANO).
        product: the last 2 digits (ACNT_PRDT_CD); 03 for futures and options.
    """

    __slots__ = ("_cano", "_product")

    # A cash account's product code is 01; futures and options trade under 03.
    _FORM = re.compile(r"([0-9]{8})-?([0-9]{2})", re.ASCII)

    def __init__(self, cano: str, product: str) -> None:
        self._cano = cano
        self._product = product

    @classmethod
    def read(cls, text: object) -> Account | ValueError:
        """Parse an account number, or say what is wrong with it.

        Args:
            text: ``80012345-03``; the hyphen may be left out. An `Account` is returned as it is.

        Returns:
            The account, or an error for the caller to raise: what was typed may be a real number
            with a typing error in it, and must first be out of the caller's locals, which a
            traceback may print. Nothing is raised.
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
        """Parse an account number.

        Args:
            text: ``80012345-03``; the hyphen may be left out. An `Account` is returned as it is.

        Returns:
            The account.

        Raises:
            ValueError: the text is no account number. The message does not repeat it.
        """
        account = cls.read(text)
        if isinstance(account, ValueError):
            raise account
        return account

    @property
    def cano(self) -> str:
        """The first 8 digits (CANO), unmasked."""
        return self._cano

    @property
    def product(self) -> str:
        """The last 2 digits (ACNT_PRDT_CD)."""
        return self._product

    @property
    def masked(self) -> str:
        """``800*****-03``: the number with all but three of its first 8 digits masked."""
        return f"{mask_cano(self._cano)}-{self._product}"

    def hide(self, text: str) -> str:
        """Mask this account's number in a text, except within a longer number.

        Args:
            text: any text, such as a message of KIS's.

        Returns:
            The text with ``800*****`` in place of the 8 digits. Nothing is raised.
        """
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
    """``80012345`` as ``800*****``, by which the owner still recognizes the account."""
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


def find_account(
    text: object,
    accounts: Iterable[Account],
    names: Names,
    *,
    others: bool = True,
) -> Account | ValueError:
    """The account that the user means.

    Args:
        text: a name (in any case of letters), a label, an account number, or an `Account`; None is
            the only account.
        accounts: the known accounts.
        names: what the user calls them.
        others: whether the number of an account that is not known will do.

    Returns:
        The account, or an error for the caller to raise: what was typed may be a real number with
        a typing error in it, and must first be out of the caller's locals, which a traceback may
        print.
    """
    labels = account_labels(accounts)
    named = named_labels(labels, names)
    if text is None:
        return next(iter(labels)) if len(labels) == 1 else _which(named)
    found = _by_label(text, labels, named) or _by_name(text, labels, names)
    if found is None:
        found = Account.read(text)
        named_ones = isinstance(text, str) and any(names.get(account) for account in labels)
        if isinstance(found, ValueError) and named_ones:
            return ValueError(f"{found}, nor is it a name or label of {', '.join(named.values())}")
    if isinstance(found, Account) and not others and found not in labels:
        return ValueError(
            f"no app key is configured for {found}; there are keys for "
            f"{', '.join(named.values())}. KIS gives each account a key of its own: add it "
            "with KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2, or in keys="
        )
    return found


def _which(named: Mapping[Account, str]) -> ValueError:
    return ValueError(
        f"which account? There are {len(named)}: {', '.join(named.values())}"
        if named
        else "no account is configured: pass one, or set KIS_ACCOUNTS=12345678-03"
    )


def _by_label(
    text: object, labels: Mapping[Account, str], named: Mapping[Account, str]
) -> Account | None:
    known = (account for account, label in labels.items() if text in (label, named[account]))
    return next(known, None) if isinstance(text, str) else None


def _by_name(
    text: object, labels: Mapping[Account, str], names: Names
) -> Account | ValueError | None:
    wanted = " ".join(text.split()).casefold() if isinstance(text, str) else ""
    found = [account for account in labels if (names.get(account) or "").casefold() == wanted]
    if not wanted or not found:
        return None
    if len(found) > 1:
        known = ", ".join(labels[account] for account in found)
        return ValueError(f"{len(found)} accounts have that name; say which by its number: {known}")
    return found[0]
