"""Where settings come from: arguments, the environment, the file of KIS's own samples."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.config import (
    CALLS_PER_SECOND,
    LIVE_CALLS_PER_SECOND,
    LIVE_URL,
    RETRIES,
    TIMEOUT,
    Settings,
    check_limits,
    url_problem,
)
from kis_nb._wire.environment import environment_accounts, environment_keys, numbered_variables
from kis_nb._wire.keys import FIELDS, Entry, Key, finish_keys, read_entries
from kis_nb._wire.samples_file import SamplesFile, file_accounts, read_file, samples_path
from kis_nb._wire.secrets import Secret

# How the message below begins; the command line has a shorter one.
NO_KEY = "no app key found"
_NOTHING_FOUND = (
    NO_KEY
    + """. Give it in one of three ways:
  1. arguments:    kis_nb.connect(app_key=..., app_secret=..., accounts=["12345678-03"])
  2. environment:  KIS_APP_KEY, KIS_APP_SECRET and KIS_ACCOUNTS (comma-separated)
  3. file:         {path}, as in KIS's own samples: my_app, my_sec, my_acct_future, my_prod
KIS gives each account a key of its own; a second account:
  1. kis_nb.connect(keys=[{{"app_key": ..., "app_secret": ..., "account": "12345678-03"}}, ...])
  2. KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2
  3. accounts: a list with name, account, app_key, app_secret
or try it without a key: kis_nb.connect(demo=True)"""
)


def load(
    *,
    app_key: Secret | None = None,
    app_secret: Secret | None = None,
    keys: Sequence[Entry] | None = None,
    accounts: tuple[Account, ...] | None = None,
    base_url: str | Secret | None = None,
    custtype: str | None = None,
    corporate: Mapping[str, Secret] | None = None,
    mac_address: str | None = None,
    token: Secret | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    calls_per_second: float = CALLS_PER_SECOND,
    timeout: tuple[float, float] = TIMEOUT,
    retries: int = RETRIES,
) -> tuple[Settings, ...]:
    """Settings for each app key, from arguments, then the environment, then the samples' file.

    A key and its secret are taken as a pair from the first source that has either of them: KIS
    refuses one source's key with another's secret, and repeated attempts can lock the key out.
    Arguments are those of `kis_nb.connect`; `keys` are entries as `wrap_entries` returns them.

    Raises:
        ConfigError: nothing found, half a pair, or a value that does not fit.
    """
    base_url = Secret.of(base_url)
    check_limits(calls_per_second, timeout, retries)
    # os.getenv instead of os.environ: a traceback would print all of that, as a local of this frame
    # or (IPython's %xmode Verbose) as an expression in its source.
    path = samples_path()
    file = read_file(path, required=bool(os.getenv("KIS_CONFIG")))
    if keys is None:
        found = _find_keys(app_key, app_secret, accounts, file, path)
    elif app_key or app_secret or accounts is not None or token:
        raise ConfigError(
            "keys= gives each account with its own app key: leave out app_key, app_secret, "
            "accounts and token (an entry may have a token)"
        )
    else:
        found = read_entries(keys, "keys=", fields=(*FIELDS, "token"))
    if token is not None and len(found) > 1:
        raise ConfigError(
            "token= is of one app key, and several are configured: pass keys=, with a token in "
            "each entry"
        )
    address = _address(base_url, file, path)
    secrets = [secret for key in found for secret in (key.app_key, key.app_secret)]
    if problem := url_problem(address.reveal(), secrets):
        raise ConfigError(problem)
    settings = tuple(
        Settings(
            app_key=key.app_key,
            app_secret=key.app_secret,
            token=token or key.token,
            accounts=key.accounts,
            name=key.name,
            base_url=address.reveal(),
            custtype=custtype or os.getenv("KIS_CUSTTYPE") or "P",
            corporate=dict(corporate or {}),
            mac_address=mac_address,
            calls_per_second=calls_per_second,
            timeout=(timeout[0], timeout[1]),
            retries=retries,
            cache_dir=store_dir(cache_dir),
        )
        for key in found
    )
    if calls_per_second > LIVE_CALLS_PER_SECOND and not settings[0].loopback:
        raise ConfigError(
            f"calls_per_second: KIS allows an app key {LIVE_CALLS_PER_SECOND} calls a second since "
            "2026-04-20, and a new customer 3 for the first three days; "
            f"got {calls_per_second!r}"
        )
    return settings


def _find_keys(
    app_key: Secret | None,
    app_secret: Secret | None,
    accounts: tuple[Account, ...] | None,
    file: SamplesFile,
    path: Path,
) -> tuple[Key, ...]:
    """The keys of the first source that has any part of one."""
    numbered = numbered_variables()
    pairs = (
        ("the arguments", app_key, app_secret),
        (
            "the environment",
            Secret.of(os.getenv("KIS_APP_KEY")),
            Secret.of(os.getenv("KIS_APP_SECRET")),
        ),
        (str(path), file.plain.get("my_app"), file.plain.get("my_sec")),
    )
    source, key, secret = next((p for p in pairs if p[1] or p[2]), ("", None, None))
    if numbered and source != "the arguments":
        return choose(environment_keys(numbered), accounts, "accounts=")
    if file.entries and source in ("", str(path)):
        keys = read_entries(file.entries, f"{path} (accounts)", usual=(key, secret))
        where = "KIS_ACCOUNTS" if accounts is None else "accounts="
        return choose(keys, environment_accounts("") if accounts is None else accounts, where)
    if not source:
        raise ConfigError(_NOTHING_FOUND.format(path=path))
    if key is None or secret is None:
        which = "app key" if key is None else "app secret"
        raise ConfigError(f"{source}: the {which} is missing; the two go together")
    if accounts is None:
        read = environment_accounts("") or file_accounts(file.plain, path)
        if isinstance(read, ConfigError):
            raise read
        accounts = read
    name = Secret.of(os.getenv("KIS_NAME")) if source == "the environment" else None
    return finish_keys([Key(key, secret, accounts)], [name], [source])


def choose(
    keys: tuple[Key, ...], accounts: tuple[Account, ...] | None, source: str
) -> tuple[Key, ...]:
    """The keys of these accounts, in the order of the accounts; all keys when `accounts` is empty.

    Raises:
        ConfigError: an account that no key is for. `source` is where it was named.
    """
    if not accounts:
        return keys
    owners = {account: key for key in keys for account in key.accounts}
    for place, account in enumerate(accounts, 1):
        if account not in owners:
            known = ", ".join(map(str, owners))
            raise ConfigError(
                f"account {place} of {source} ({account}) has no app key; there are keys for "
                f"{known}, and KIS gives each account a key of its own"
            )
    return tuple(replace(owners[account], accounts=(account,)) for account in accounts)


def store_dir(cache_dir: str | os.PathLike[str] | None) -> Path:
    """Where the token store and the master files live: the argument, ``KIS_NB_CACHE_DIR``, or the
    user's cache.
    """
    import platformdirs  # here because only a client with a store needs it

    if not isinstance(cache_dir, str | os.PathLike | None):
        raise ConfigError(f"cache_dir takes a folder's path; got a {type(cache_dir).__name__}")
    given = cache_dir or os.getenv("KIS_NB_CACHE_DIR")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("kis_nb"))


def _address(base_url: Secret | None, file: SamplesFile, path: Path) -> Secret:
    """Scheme, host and port: the argument, ``KIS_BASE_URL``, the file's ``prod``, or KIS's own.

    Raises:
        ConfigError: it is no such address. Raised here, where the text is no local that a
            traceback would show.
    """
    given, where = base_url, ""
    if given is None:
        given = Secret.of(os.getenv("KIS_BASE_URL"))
    if given is None and "prod" in file.plain:
        given, where = file.plain["prod"], f"{path} (prod): "
    if given is None:
        return Secret(LIVE_URL)
    trimmed = Secret(_trim(given.reveal()))
    if problem := url_problem(trimmed.reveal()):
        raise ConfigError(f"{where}{problem}")
    return trimmed


def _trim(url: str) -> str:
    return url.strip().rstrip("/")
