"""The settings of one app key: credentials, accounts, host and limits, checked when made.

`kis_nb._wire.sources` finds the values.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.secrets import Secret

LIVE_URL = "https://openapi.koreainvestment.com:9443"
CORPORATE_KEYS = ("personalseckey", "seq_no", "phone_number", "ip_addr")
# Header values: anything else could not be sent, and a blank or a Korean placeholder from the
# sample file would only come back as "bad app key".
SENDABLE = re.compile(r"[!-~]+", re.ASCII)
# Bounds far beyond any use, so that no arithmetic with them overflows.
_SLOWEST, _FASTEST = 0.001, 1_000_000
_LONGEST = 3600
_MOST_RETRIES = 1000
# KIS's notice of 2026-04-20; new customers have 3 for three days. The embedded broker has no limit.
LIVE_CALLS_PER_SECOND = 18
# What a client does when nothing else was asked for; see `Settings`.
CALLS_PER_SECOND: float = 15
TIMEOUT: tuple[float, float] = (3.05, 10)
RETRIES = 5


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that is set before the first call with one app key. Its repr masks secrets.

    A client with several keys has as many of these, the same in all but the first five attributes.

    Attributes:
        app_key, app_secret: the credentials.
        token: an access token got elsewhere; None has one issued.
        accounts: the accounts that the key is for.
        name: what the user calls them; None when no name was given.
        base_url: scheme, host and port. Not in the repr: a key may have been pasted there.
        custtype: "P" person, "B" company.
        corporate: the four header fields that KIS demands of companies.
        mac_address: sent when given.
        calls_per_second: upper bound for the key.
        timeout: seconds to connect, and to wait for each part of a response.
        retries: how often a call is repeated after an error that may pass.
        cache_dir: the token store's folder; None keeps the token in memory.
        demo: the host is the embedded broker.

    Raises:
        ConfigError: a value that does not fit. The message repeats no secret.
    """

    app_key: Secret
    app_secret: Secret
    token: Secret | None = None
    accounts: tuple[Account, ...] = ()
    name: str | None = None
    base_url: str = field(default=LIVE_URL, repr=False)
    custtype: str = "P"
    corporate: Mapping[str, Secret] = field(default_factory=dict)
    mac_address: str | None = None
    calls_per_second: float = CALLS_PER_SECOND
    timeout: tuple[float, float] = TIMEOUT
    retries: int = RETRIES
    cache_dir: Path | None = None
    demo: bool = False

    def __post_init__(self) -> None:
        for name, secret in (("app_key", self.app_key), ("app_secret", self.app_secret)):
            if not SENDABLE.fullmatch(secret.reveal()):
                raise ConfigError(
                    f"{name} holds blanks or letters that no key has; it looks like a placeholder. "
                    "Copy it again from the KIS Developers page"
                )
        if not isinstance(self.mac_address, str | None):
            raise ConfigError("mac_address must be text, as in 0123456789ab")
        for name, given in (("token", self.token), ("mac_address", Secret.of(self.mac_address))):
            if given is not None and not SENDABLE.fullmatch(given.reveal()):
                raise ConfigError(f"{name} holds characters that cannot be sent")
        if problem := url_problem(self.base_url, (self.app_key, self.app_secret)):
            raise ConfigError(problem)
        _check_customer(self.custtype, self.corporate)
        check_limits(self.calls_per_second, self.timeout, self.retries)

    @property
    def loopback(self) -> bool:
        """Whether the host is this machine."""
        return is_loopback(urlsplit(self.base_url).hostname)


def is_loopback(host: str | None) -> bool:
    """Whether a host's name or address is of this machine."""
    return host in ("127.0.0.1", "localhost", "::1")


def url_problem(base_url: object, secrets: Iterable[Secret] = ()) -> str | None:
    """Why credentials must not be sent to this address; None when they may.

    They may go to any host over HTTPS, and to this machine over HTTP. The address is not repeated:
    it may be a key on the wrong line of a file.
    """
    if not isinstance(base_url, str):
        return "base_url takes text, as in https://host:9443"
    if any(len(text) >= 8 and text in base_url for text in map(Secret.reveal, secrets)):
        return "base_url holds the app key or the secret; it takes an address: https://host:9443"
    try:
        parts = urlsplit(base_url.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:  # a bracket left open, a port that is no number
        return "base_url is no address; it looks like https://host:9443"
    if parts.username is not None or parts.password is not None:
        return "base_url must not hold a user name or password"
    if parts.path not in ("", "/") or "?" in base_url or "#" in base_url:
        return "base_url takes scheme, host and port alone, as in https://host:9443, and no path"
    if host and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host))):
        return None
    return "base_url must be https:// and a host (plain http:// only to this machine)"


def _check_customer(custtype: str, corporate: Mapping[str, Secret]) -> None:
    if custtype not in ("P", "B"):
        raise ConfigError(f'custtype takes "P" (person) or "B" (company){got_word(custtype)}')
    if custtype == "P" and corporate:
        raise ConfigError('corporate is for companies: pass custtype="B" with it')
    missing = [key for key in CORPORATE_KEYS if key not in corporate] if custtype == "B" else []
    # The name is "" where a value may have been given in place of a field's name.
    unknown = [key or "another field" for key in corporate if key not in CORPORATE_KEYS]
    if missing or unknown:
        problems = [f"lacks {', '.join(missing)}"] if missing else []
        problems += [f"does not know {', '.join(unknown)}"] if unknown else []
        raise ConfigError(
            f'custtype "B" (company): corporate {" and ".join(problems)}; '
            f"it takes {', '.join(CORPORATE_KEYS)}"
        )
    for key, secret in corporate.items():
        if not SENDABLE.fullmatch(secret.reveal()):
            raise ConfigError(f"corporate[{key!r}] holds characters that cannot be sent")


def check_limits(calls_per_second: object, timeout: object, retries: object) -> None:
    """Check that the three are numbers within their bounds.

    Raises:
        ConfigError: one is not. The message repeats numbers only: a text may be a misplaced key.
    """
    if not _is_number(calls_per_second, _SLOWEST, _FASTEST):
        raise ConfigError(
            "calls_per_second takes a number above 0, as in 15 or 0.5 (at KIS not more than "
            f"{LIVE_CALLS_PER_SECOND}){_got(calls_per_second)}"
        )
    pair = timeout if isinstance(timeout, tuple | list) else ()
    if len(pair) != 2 or not all(_is_number(seconds, 0.001, _LONGEST) for seconds in pair):
        raise ConfigError(
            "timeout takes two numbers, seconds to connect and seconds to read, both above 0 and "
            f"not more than {_LONGEST}, as in (3.05, 10){_got(timeout)}"
        )
    whole = isinstance(retries, int) and not isinstance(retries, bool)
    if not whole or not _is_number(retries, 0, _MOST_RETRIES):
        raise ConfigError(
            "retries takes a whole number, 0 or more (not more than "
            f"{_MOST_RETRIES}), as in 5{_got(retries)}"
        )


def _is_number(value: object, least: float, most: float) -> bool:
    known = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared as they are: an int too large for a float still compares.
    return known and least <= value <= most  # type: ignore[operator]


def _got(value: object) -> str:
    return f"; got {value!r}" if isinstance(value, float) or _is_number(value, -1e9, 1e9) else ""


def got_word(value: object) -> str:
    """The text, unless it could be a key or an account number."""
    short = isinstance(value, str) and len(value) <= 12 and not re.search("[0-9]{6}", value)
    return f"; got {value!r}" if short else ""
