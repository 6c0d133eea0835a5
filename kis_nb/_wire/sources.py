"""Where settings come from: arguments, the environment, KIS's own samples' file.

Bytes wing, above `_keys`: imports `_config`, `_errors`, `_fields` and `_keys`.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.config import LIVE_CALLS_PER_SECOND, LIVE_URL, Settings, check_limits, url_problem
from kis_nb._wire.keys import FIELDS, PRODUCT, Entry, Key, field_name, finish, read_entries
from kis_nb._wire.secrets import Secret

# The sample has 2 kB; what is far larger is another file, or one without an end.
_LARGEST = 100_000
# What the environment says of the second account and those after it: the first one's names with
# _2, _3 and so on.
_VARIABLES = ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNTS", "KIS_ACCOUNT_NO", "KIS_NAME")
_NUMBERED = re.compile(rf"({'|'.join(_VARIABLES)})_([0-9]+)", re.ASCII)

_NOTHING_FOUND = """\
no app key found. Give it in one of three ways:
  1. arguments:    kis_nb.connect(app_key=..., app_secret=..., accounts=["12345678-03"])
  2. environment:  KIS_APP_KEY, KIS_APP_SECRET and KIS_ACCOUNTS (comma-separated)
  3. file:         {path}, as in KIS's own samples: my_app, my_sec, my_acct_future, my_prod
KIS gives each account a key of its own; a second account:
  1. kis_nb.connect(keys=[{{"app_key": ..., "app_secret": ..., "account": "12345678-03"}}, ...])
  2. KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2
  3. accounts: a list with name, account, app_key, app_secret
or try it without a key: kis_nb.connect(demo=True)"""


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
    tr_id: str = NIGHT_BALANCE.tr_ids[0],
    calls_per_second: float = 15,
    timeout: tuple[float, float] = (3.05, 10),
    retries: int = 5,
) -> tuple[Settings, ...]:
    """Settings for each app key, from arguments, then the environment, then the samples' file.

    A key and its secret are taken as a pair from the first source that has either of them: one
    source's key with another's secret is refused by KIS, and asking with it can lock a key out.
    `keys` are entries as `wrap_entries` gives them.

    Raises:
        ConfigError: nothing found, half a pair, or a value that does not fit.
    """
    base_url = Secret.of(base_url)
    check_limits(calls_per_second, timeout, retries)
    # os.environ is neither handed in nor named: a traceback would print all of it, as a local of
    # this frame or (IPython's %xmode Verbose) as an expression in its source.
    path = Path(os.getenv("KIS_CONFIG") or Path.home() / "KIS" / "config" / "kis_devlp.yaml")
    file = _read_file(path, required=bool(os.getenv("KIS_CONFIG")))
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
            tr_id=tr_id,
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
    file: _File,
    path: Path,
) -> tuple[Key, ...]:
    """The keys of the first source that has any part of one."""
    by_number = _numbered()
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
    if by_number and source != "the arguments":
        return choose(_environment_keys(by_number), accounts, "accounts=")
    if file.entries and source in ("", str(path)):
        keys = read_entries(file.entries, f"{path} (accounts)", usual=(key, secret))
        where = "KIS_ACCOUNTS" if accounts is None else "accounts="
        return choose(keys, _environment_accounts("") if accounts is None else accounts, where)
    if not source:
        raise ConfigError(_NOTHING_FOUND.format(path=path))
    if key is None or secret is None:
        which = "app key" if key is None else "app secret"
        raise ConfigError(f"{source}: the {which} is missing; the two go together")
    if accounts is None:
        read = _environment_accounts("") or _file_accounts(file.plain, path)
        if isinstance(read, ConfigError):
            raise read
        accounts = read
    name = Secret.of(os.getenv("KIS_NAME")) if source == "the environment" else None
    return finish([Key(key, secret, accounts)], [name], [source])


def choose(
    keys: tuple[Key, ...], accounts: tuple[Account, ...] | None, source: str
) -> tuple[Key, ...]:
    """The keys of these accounts, in their order; all when none are named."""
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


def _numbered() -> list[str]:
    """The names of the environment's variables for further accounts that are not blank."""
    return sorted(name for name in filter(_NUMBERED.fullmatch, os.environ) if _set(name))


def _set(name: str) -> bool:
    return bool(os.getenv(name, "").strip())


def _environment_keys(by_number: Sequence[str]) -> tuple[Key, ...]:
    """The environment's keys: KIS_APP_KEY for the first, KIS_APP_KEY_2 for the second, …

    Raises:
        ConfigError: a number left out, half a pair, or a key without an account. An account is
            never given the key of another one instead: KIS would refuse it.
    """
    said: dict[int, str] = {}
    for name in by_number:
        stem, _, digits = name.rpartition("_")
        if digits.startswith("0") or digits == "1":
            raise ConfigError(
                f"{name}: the first account's variables have no number ({stem}), the second's "
                f"have _2 ({stem}_2), and so on"
            )
        # Longer than any number of accounts: it would be a hole anyway.
        said.setdefault(int(digits[:9]), name)
    keys: list[Key] = []
    names: list[Secret | None] = []
    places: list[str] = []
    for number in range(1, max(said) + 1):
        end = "" if number == 1 else f"_{number}"
        later = next(name for at, name in sorted(said.items()) if at >= number)
        app_key = Secret.of(os.getenv(f"KIS_APP_KEY{end}"))
        app_secret = Secret.of(os.getenv(f"KIS_APP_SECRET{end}"))
        if app_key is None or app_secret is None:
            missing = "KIS_APP_KEY" if app_key is None else "KIS_APP_SECRET"
            raise ConfigError(
                f"the environment lacks {missing}{end} ({later} is set): KIS gives each account an "
                "app key and an app secret of its own, numbered without a gap"
            )
        accounts = _environment_accounts(end) or _environment_accounts(end, "KIS_ACCOUNT_NO")
        if not accounts:
            raise ConfigError(
                f"the environment lacks KIS_ACCOUNTS{end} (or KIS_ACCOUNT_NO{end}): with several "
                "app keys it must say which account each is for"
            )
        keys.append(Key(app_key, app_secret, accounts))
        names.append(Secret.of(os.getenv(f"KIS_NAME{end}")))
        places.append(f"KIS_ACCOUNTS{end}")
    return finish(keys, names, places)


def _environment_accounts(end: str, stem: str = "KIS_ACCOUNTS") -> tuple[Account, ...] | None:
    """The accounts of one variable; None when it is not there or blank.

    Raises:
        ConfigError: one of them is no account.
    """
    read = read_accounts(os.getenv(stem + end, "").split(","), stem + end)
    if isinstance(read, ConfigError):
        raise read
    return read or None


def read_accounts(texts: object, source: str) -> tuple[Account, ...] | ConfigError:
    """Accounts in the order given, doubles dropped, blanks passed over.

    What does not parse is given back as an error, for the caller to raise once it has let go of
    the texts: they may be real numbers with a slip, and a traceback shows its frames' locals.
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


def store_dir(cache_dir: str | os.PathLike[str] | None) -> Path:
    """Where the token store lives: the argument, ``KIS_NB_CACHE_DIR``, or the user's cache."""
    import platformdirs  # here because only a client with a store needs it

    if not isinstance(cache_dir, str | os.PathLike | None):
        raise ConfigError(f"cache_dir takes a folder's path; got a {type(cache_dir).__name__}")
    given = cache_dir or os.getenv("KIS_NB_CACHE_DIR")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("kis_nb"))


@dataclass(frozen=True, slots=True)
class _File:
    """The samples' file: its plain lines, and the entries of its list ``accounts``."""

    plain: dict[str, Secret] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()


def _read_file(path: Path, *, required: bool) -> _File:
    """The file, each value as a secret; empty when there is no such file."""
    file = _parse_file(path)
    if isinstance(file, _File):
        return file
    if file is None and not required:
        return _File()
    raise ConfigError(f"{path}: {file or 'no such file (KIS_CONFIG names it)'}")


def _parse_file(path: Path) -> _File | str | None:
    """The entries, or what is wrong with the file, or None when there is none.

    Returns the problem instead of raising it: this frame holds the file's text, and a traceback
    would show it; the YAML parser's own message quotes it too.
    """
    if not path.exists():
        return None
    import yaml  # here because most users have no such file

    try:
        with path.open(encoding="utf-8") as lines:
            mode = os.fstat(lines.fileno()).st_mode
            # BaseLoader keeps every scalar a string: `my_prod: 03` must not become 3.
            text = lines.read(_LARGEST + 1)
            if len(text) > _LARGEST:
                return "is too large; compare it with KIS's kis_devlp.yaml sample"
            entries = yaml.load(text, Loader=yaml.BaseLoader)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        return "is not YAML in UTF-8; compare it with KIS's kis_devlp.yaml sample"
    if not isinstance(entries, dict):
        return "holds no `name: value` lines; compare it with KIS's kis_devlp.yaml sample"
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        warnings.warn(
            f"{path} holds secrets and others on this machine may read it; run: chmod 600 {path}",
            stacklevel=2,
        )
    plain = _secrets(entries)
    several = entries.get("accounts") or []
    if not isinstance(several, list) or not all(isinstance(entry, dict) for entry in several):
        return f"accounts: is no list of entries with {', '.join(FIELDS)}"
    return _File(plain, tuple(map(_secrets, several)))


def _secrets(lines: Mapping[object, object]) -> dict[str, Secret]:
    """The lines that hold text, as secrets; blank ones are left out."""
    found = ((key, Secret.of(value)) for key, value in lines.items() if isinstance(value, str))
    return {field_name(key): secret for key, secret in found if secret}


def _address(base_url: Secret | None, file: _File, path: Path) -> Secret:
    """Scheme, host and port.

    Raises:
        ConfigError: they are no such thing. Said here, where the text is no local that a traceback
            would show.
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


def _file_accounts(file: Mapping[str, Secret], path: Path) -> tuple[Account, ...] | ConfigError:
    """The file's futures account: ``my_acct_future`` (8 digits) with ``my_prod`` (2 digits)."""
    # The samples ship my_prod "01", the cash account; under it no futures balance exists.
    product = file["my_prod"].reveal() if "my_prod" in file else PRODUCT
    product = PRODUCT if product == "01" else product
    numbers = (file["my_acct_future"].reveal() if "my_acct_future" in file else "",)
    return read_accounts(
        (f"{number}-{product}" if len(number) == 8 else number for number in numbers),
        f"{path} (my_acct_future, my_prod)",
    )
