"""Who and where: credentials, accounts and host, from arguments, the environment or a file.

Bytes wing, above the ground: imports `_errors` and `_fields`.
"""

from __future__ import annotations

import os
import re
import stat
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from kis_nb._errors import ConfigError
from kis_nb._fields import NIGHT_BALANCE, Account

LIVE_URL = "https://openapi.koreainvestment.com:9443"
CORPORATE_KEYS = ("personalseckey", "seq_no", "phone_number", "ip_addr")
# The sample has 2 kB; what is far larger is another file, or one without an end.
_LARGEST = 100_000
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Header values: anything else could not be sent, and a blank or a Korean placeholder from the
# sample file would only come back as "bad app key".
SENDABLE = re.compile(r"[!-~]+", re.ASCII)

_NOTHING_FOUND = """\
no app key found. Give it in one of three ways:
  1. arguments:    kis_nb.connect(app_key=..., app_secret=..., accounts=["12345678-03"])
  2. environment:  KIS_APP_KEY, KIS_APP_SECRET and KIS_ACCOUNTS (comma-separated)
  3. file:         {path}, as in KIS's own samples: my_app, my_sec, my_acct_future, my_prod
or try it without a key: kis_nb.connect(demo=True)"""


class Secret:
    """A text that must not be seen: every repr of it, in a traceback's locals too, is a mask."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def of(cls, value: str | Secret | None) -> Secret | None:
        """Wrap a text; None and blank text give None."""
        if isinstance(value, Secret) or value is None:
            return value
        return cls(value.strip()) if value.strip() else None

    def reveal(self) -> str:
        """The text itself, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "<secret>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled or copied")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client needs to know before its first call. Safe to show: secrets are masked.

    Attributes:
        app_key, app_secret: the credentials.
        token: an access token got elsewhere; None lets `_auth` get one.
        accounts: the accounts to ask for when none is named.
        base_url: scheme, host and port.
        custtype: "P" person, "B" company.
        corporate: the four header fields that KIS demands of companies.
        mac_address: sent when given.
        tr_id: which transaction id to call by.
        cache_dir: the token store's folder; None keeps the token in memory.
        demo: the host is our own embedded broker.
    """

    app_key: Secret
    app_secret: Secret
    token: Secret | None = None
    accounts: tuple[Account, ...] = ()
    base_url: str = LIVE_URL
    custtype: str = "P"
    corporate: Mapping[str, Secret] = field(default_factory=dict)
    mac_address: str | None = None
    tr_id: str = NIGHT_BALANCE.tr_ids[0]
    calls_per_second: float = 15
    timeout: tuple[float, float] = (3.05, 10)
    retries: int = 5
    cache_dir: Path | None = None
    demo: bool = False

    def __post_init__(self) -> None:
        for name, secret in (("app_key", self.app_key), ("app_secret", self.app_secret)):
            if not SENDABLE.fullmatch(secret.reveal()):
                raise ConfigError(
                    f"{name} holds blanks or letters that no key has; it looks like a placeholder. "
                    "Copy it again from the KIS Developers page"
                )
        for name, given in (("token", self.token), ("mac_address", Secret.of(self.mac_address))):
            if given is not None and not SENDABLE.fullmatch(given.reveal()):
                raise ConfigError(f"{name} holds characters that cannot be sent")
        if self.tr_id not in NIGHT_BALANCE.tr_ids:
            raise ConfigError(
                f"tr_id takes {' or '.join(NIGHT_BALANCE.tr_ids)}; got {self.tr_id!r}"
            )
        if problem := _url_problem(self.base_url):
            raise ConfigError(problem)
        _check_customer(self.custtype, self.corporate)
        _check_limits(self.calls_per_second, self.timeout, self.retries)


def _url_problem(base_url: str) -> str | None:
    """Why credentials must not go there; None when they may: over HTTPS, or on this machine.

    The text is not repeated: a key put on the wrong line of a file must not show.
    """
    try:
        parts = urlsplit(base_url)
        host, _port = parts.hostname, parts.port
    except ValueError:  # a bracket left open, a port that is no number
        return "base_url is no address; it looks like https://host:9443"
    if parts.username is not None or parts.password is not None:
        return "base_url must not hold a user name or password"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return None
    return "base_url must be https:// and a host (plain http:// only to this machine)"


def _check_customer(custtype: str, corporate: Mapping[str, Secret]) -> None:
    if custtype not in ("P", "B"):
        raise ConfigError(f'custtype takes "P" (person) or "B" (company); got {custtype!r}')
    if custtype == "P" and corporate:
        raise ConfigError('corporate is for companies: pass custtype="B" with it')
    missing = [key for key in CORPORATE_KEYS if key not in corporate] if custtype == "B" else []
    unknown = [key for key in corporate if key not in CORPORATE_KEYS]
    if missing or unknown:
        said = [f"lacks {', '.join(missing)}"] if missing else []
        said += [f"does not know {', '.join(unknown)}"] if unknown else []
        raise ConfigError(
            f'custtype "B" (company): corporate {" and ".join(said)}; '
            f"it takes {', '.join(CORPORATE_KEYS)}"
        )
    for key, secret in corporate.items():
        if not SENDABLE.fullmatch(secret.reveal()):
            raise ConfigError(f"corporate[{key!r}] holds characters that cannot be sent")


def _check_limits(calls_per_second: float, timeout: Sequence[float], retries: int) -> None:
    if not calls_per_second > 0:
        raise ConfigError(f"calls_per_second must be above 0; got {calls_per_second!r}")
    if len(timeout) != 2 or not all(seconds > 0 for seconds in timeout):
        raise ConfigError(
            f"timeout takes seconds to connect and to read, both above 0; got {timeout!r}"
        )
    if retries < 0:
        raise ConfigError(f"retries must be 0 or more; got {retries!r}")


def load(
    *,
    app_key: Secret | None = None,
    app_secret: Secret | None = None,
    accounts: tuple[Account, ...] | None = None,
    base_url: str | None = None,
    custtype: str | None = None,
    corporate: Mapping[str, Secret] | None = None,
    mac_address: str | None = None,
    token: Secret | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    tr_id: str = NIGHT_BALANCE.tr_ids[0],
    calls_per_second: float = 15,
    timeout: tuple[float, float] = (3.05, 10),
    retries: int = 5,
) -> Settings:
    """Settings from arguments, then the environment, then the official samples' file.

    The key and the secret are taken as a pair from the first source that has either of them: one
    source's key with another's secret is refused by KIS, and asking with it can lock a key out.

    Raises:
        ConfigError: nothing found, half a pair, or a value that does not fit.
    """
    # os.environ is neither handed in nor named: a traceback would print all of it, as a local of
    # this frame or (IPython's %xmode Verbose) as an expression in its source.
    path = Path(os.getenv("KIS_CONFIG") or Path.home() / "KIS" / "config" / "kis_devlp.yaml")
    file = _read_file(path, required=bool(os.getenv("KIS_CONFIG")))
    pairs = (
        ("the arguments", app_key, app_secret),
        (
            "the environment",
            Secret.of(os.getenv("KIS_APP_KEY")),
            Secret.of(os.getenv("KIS_APP_SECRET")),
        ),
        (str(path), file.get("my_app"), file.get("my_sec")),
    )
    source, key, secret = next((p for p in pairs if p[1] or p[2]), ("", None, None))
    if not source:
        raise ConfigError(_NOTHING_FOUND.format(path=path))
    if key is None or secret is None:
        which = "app key" if key is None else "app secret"
        raise ConfigError(f"{source}: the {which} is missing; the two go together")
    if accounts is None:
        read = read_accounts(os.getenv("KIS_ACCOUNTS", "").split(","), "KIS_ACCOUNTS")
        read = read or _file_accounts(file, path)
        if isinstance(read, ConfigError):
            raise read
        accounts = read
    return Settings(
        app_key=key,
        app_secret=secret,
        token=token,
        accounts=accounts,
        base_url=_address(base_url, file, path),
        custtype=custtype or os.getenv("KIS_CUSTTYPE") or "P",
        corporate=dict(corporate or {}),
        mac_address=mac_address,
        tr_id=tr_id,
        calls_per_second=calls_per_second,
        timeout=timeout,
        retries=retries,
        cache_dir=store_dir(cache_dir),
    )


def read_accounts(texts: Iterable[str | Account], source: str) -> tuple[Account, ...] | ConfigError:
    """Accounts in the order given, doubles dropped, blanks passed over.

    What does not parse is given back as an error, for the caller to raise once it has let go of
    the texts: they may be real numbers with a slip, and a traceback shows its frames' locals.
    """
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

    given = cache_dir or os.getenv("KIS_NB_CACHE_DIR")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("kis_nb"))


def _read_file(path: Path, *, required: bool) -> dict[str, Secret]:
    """The sample file's entries, each as a secret; empty when there is no such file."""
    entries = _parse_file(path)
    if isinstance(entries, dict):
        return entries
    if entries is None and not required:
        return {}
    raise ConfigError(f"{path}: {entries or 'no such file (KIS_CONFIG names it)'}")


def _parse_file(path: Path) -> dict[str, Secret] | str | None:
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
    found = ((key, Secret.of(value)) for key, value in entries.items() if isinstance(value, str))
    return {str(key): secret for key, secret in found if secret}


def _plain(file: Mapping[str, Secret], key: str) -> str | None:
    return file[key].reveal() if key in file else None


def _address(base_url: str | None, file: Mapping[str, Secret], path: Path) -> str:
    """Scheme, host and port.

    Raises:
        ConfigError: the file's are no such thing. Said here, where its text is no local yet that a
            traceback would show; what came from elsewhere is looked at by `Settings`.
    """
    given = base_url or os.getenv("KIS_BASE_URL") or None
    if given is None and "prod" in file and (problem := _url_problem(_trim(file["prod"].reveal()))):
        raise ConfigError(f"{path} (prod): {problem}")
    return _trim(given or _plain(file, "prod") or LIVE_URL)


def _trim(url: str) -> str:
    return url.strip().rstrip("/")


def _file_accounts(file: Mapping[str, Secret], path: Path) -> tuple[Account, ...] | ConfigError:
    """The file's futures account: ``my_acct_future`` (8 digits) with ``my_prod`` (2 digits)."""
    # The samples ship my_prod "01", the cash account; under it no futures balance exists.
    product = _plain(file, "my_prod")
    product = product if product and product != "01" else "03"
    numbers = (_plain(file, "my_acct_future") or "",)
    return read_accounts(
        (f"{number}-{product}" if len(number) == 8 else number for number in numbers),
        f"{path} (my_acct_future, my_prod)",
    )
