"""Several app keys, each with its account: reading the entries of ``keys=`` and of a file.

KIS binds an app key to one account, so a customer with two accounts has two keys.

Values are wrapped as `Secret` before anything can fail, and an error names the entry and the field,
never a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from kis_nb._account import Account, mask_cano
from kis_nb._errors import ConfigError
from kis_nb._wire.config import CORPORATE_KEYS
from kis_nb._wire.secrets import Secret

FIELDS = ("name", "account", "product", "app_key", "app_secret")
# Futures and options trade under 03.
PRODUCT = "03"
_LONGEST_NAME = 40
# A field's name that an error may repeat: no key and no account number looks like this.
_HARMLESS = re.compile(r"[A-Za-z_]{1,20}", re.ASCII)
# What a name must not show: a key's 36 letters, an account's 8 digits (another one's, too).
_KEY_LIKE = re.compile(r"[!-~]{25}", re.ASCII)
_ACCOUNT_LIKE = re.compile(r"\d{8,}")
_SHAPE = '{"name": …, "app_key": …, "app_secret": …, "account": "12345678-03"}'

Entry: TypeAlias = Mapping[str, Secret]


@dataclass(frozen=True, slots=True)
class Key:
    """One app key as configured. Safe to show.

    Attributes:
        app_key, app_secret: the credentials.
        accounts: the accounts that the key is for.
        name: what the user calls them, without line breaks and with account numbers masked.
        token: an access token got elsewhere.
    """

    app_key: Secret
    app_secret: Secret
    accounts: tuple[Account, ...] = ()
    name: str | None = None
    token: Secret | None = None


def wrap_entries(entries: object) -> tuple[Entry, ...] | ConfigError:
    """The entries of ``keys=`` with every value as a `Secret`, or what is wrong with their form.

    The error is returned for the caller to raise once the entries are out of its locals, which a
    traceback may print.
    """
    if isinstance(entries, str | bytes | Mapping) or not isinstance(entries, Iterable):
        return ConfigError(f"keys= takes a list with an entry for each account: [{_SHAPE}, …]")
    try:
        listed = [dict(one) if isinstance(one, Mapping) else one for one in entries]
    except Exception as error:  # noqa: BLE001  (any of them would show the keys)
        return ConfigError(f"keys= could not be read to its end ({type(error).__name__})")
    wrapped: list[Entry] = []
    for place, entry in enumerate(listed, 1):
        if not isinstance(entry, Mapping):
            return ConfigError(f"entry {place} of keys= is no mapping; an entry is {_SHAPE}")
        fields: dict[str, Secret] = {}
        for field, value in entry.items():
            if isinstance(value, Account):
                fields[field_name(field)] = Secret(f"{value.cano}-{value.product}")
            elif isinstance(value, str | Secret):
                if secret := Secret.of(value):
                    fields[field_name(field)] = secret
            elif value is not None:
                return ConfigError(f"entry {place} of keys=: {_shown_field(field)} must be text")
        wrapped.append(fields)
    return tuple(wrapped) or ConfigError(f"keys= has no entry; an entry is {_SHAPE}")


def wrap_fields(fields: object) -> dict[str, Secret] | ConfigError:
    """The company's fields of ``corporate=`` without blank ones, or what is wrong with their form.

    The error is returned, as by `wrap_entries`.
    """
    if not isinstance(fields, Mapping):
        return ConfigError(
            f"corporate takes a mapping with {', '.join(CORPORATE_KEYS)}; got a "
            f"{type(fields).__name__}"
        )
    wrapped: dict[str, Secret] = {}
    for field, value in fields.items():
        if not isinstance(value, str | Secret | None):
            return ConfigError(f"corporate: {_shown_field(field)} must be text")
        if (secret := Secret.of(value)) is not None:
            wrapped[field_name(field)] = secret
    return wrapped


def read_accounts(texts: object, source: str) -> tuple[Account, ...] | ConfigError:
    """Accounts in the order given, without duplicates and blanks; or what is wrong with them.

    The error is returned for the caller to raise once the texts are out of its locals: they may be
    real numbers with a typing error, and a traceback may print locals.

    Args:
        texts: account numbers such as ``12345678-03``.
        source: where they come from, for errors.
    """
    if isinstance(texts, str | bytes) or not isinstance(texts, Iterable):
        return ConfigError(f'{source} takes a list of accounts, as in ["12345678-03"]')
    accounts: dict[Account, None] = {}
    bad: list[str] = []
    for place, text in enumerate(texts, 1):
        if isinstance(text, str) and not text.strip():
            continue
        account = Account.read(text)
        if isinstance(account, ValueError):
            bad.append(f"account {place} of {source}: {account}")
        else:
            accounts[account] = None
    return ConfigError("; ".join(bad)) if bad else tuple(accounts)


def read_entries(
    entries: Sequence[Entry],
    source: str,
    *,
    usual: tuple[Secret | None, Secret | None] = (None, None),
    fields: Sequence[str] = FIELDS,
) -> tuple[Key, ...]:
    """A `Key` for each entry, in their order.

    Args:
        entries: with values wrapped.
        source: where they come from, for errors.
        usual: the app key and secret of an entry that has neither.
        fields: what an entry may give.

    Raises:
        ConfigError: a field that is missing, unknown or invalid, or an account named twice.
    """
    keys: list[Key] = []
    places = [f"entry {place} of {source}" for place in range(1, len(entries) + 1)]
    for entry, place in zip(entries, places, strict=True):
        for field in entry:
            if field not in fields:
                raise ConfigError(
                    f"{place} has {_shown_field(field)}, which it does not know; it takes "
                    f"{', '.join(fields)}"
                )
        pair = entry.get("app_key"), entry.get("app_secret")
        app_key, app_secret = pair if any(pair) else usual
        if app_key is None or app_secret is None:
            missing = "app_key" if app_key is None else "app_secret"
            raise ConfigError(
                f"{place}: {missing} is missing; KIS gives each account an app key and an app "
                "secret of its own"
            )
        account = _account(entry, place)
        keys.append(Key(app_key, app_secret, (account,), token=entry.get("token")))
    return finish_keys(keys, [entry.get("name") for entry in entries], places)


def finish_keys(
    keys: Sequence[Key], names: Sequence[Secret | None], places: Sequence[str]
) -> tuple[Key, ...]:
    """Check the keys against each other, and give them their names.

    Args:
        keys: without names.
        names: a name or None for each.
        places: what an error calls each.

    Raises:
        ConfigError: an account named twice, one app key with two secrets, or an invalid name.
    """
    owners: dict[Account, str] = {}
    secrets: dict[Secret, Secret] = {}
    for key, place in zip(keys, places, strict=True):
        for account in key.accounts:
            if account in owners:
                raise ConfigError(f"{owners[account]} and {place} are both for {account}")
            owners[account] = place
        if secrets.setdefault(key.app_key, key.app_secret) != key.app_secret:
            raise ConfigError(f"{place}: the app key is there twice, with different app secrets")
    hidden = [one for key in keys for one in (key.app_key, key.app_secret, key.token) if one]
    named: list[Key] = []
    for key, name, place in zip(keys, names, places, strict=True):
        if name is None:
            named.append(key)
            continue
        known = any(one.reveal() in name.reveal() for one in hidden if len(one.reveal()) >= 8)
        if known or _KEY_LIKE.search(name.reveal()):
            raise ConfigError(f"{place}: the name looks like a key, a secret or a token")
        shown = _read_name(name)
        if len(shown) > _LONGEST_NAME:
            raise ConfigError(f"{place}: the name is longer than {_LONGEST_NAME} characters")
        named.append(replace(key, name=shown or None))
    return tuple(named)


def _account(entry: Entry, place: str) -> Account:
    """The account of an entry: 12345678-03, or 8 digits and a field ``product``."""
    given, product = entry.get("account"), entry.get("product") or Secret(PRODUCT)
    if given is None:
        raise ConfigError(f"{place}: account is missing; it looks like 12345678-03")
    account = Account.read(given.reveal())
    if isinstance(account, Account):
        if "product" in entry and product.reveal() != account.product:
            raise ConfigError(f"{place}: account and product name different product codes")
        return account
    account = Account.read(f"{given.reveal()}-{product.reveal()}")
    if isinstance(account, ValueError):
        raise ConfigError(f"{place}: {account}")
    return account


def _read_name(name: Secret) -> str:
    """The name on one line, with every number of 8 digits or more masked."""
    shown = "".join(letter for letter in " ".join(name.reveal().split()) if letter.isprintable())
    return _ACCOUNT_LIKE.sub(lambda found: mask_cano(found[0]), shown)


def field_name(field: object) -> str:
    """A field's name; "" when it could be a key or an account number."""
    return field if isinstance(field, str) and _HARMLESS.fullmatch(field) else ""


def _shown_field(field: object) -> str:
    name = field_name(field)
    return f"the field {name}" if name else "a field"
