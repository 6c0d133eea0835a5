"""App keys and accounts from environment variables.

``KIS_APP_KEY``, ``KIS_APP_SECRET`` and ``KIS_ACCOUNTS`` (or ``KIS_ACCOUNT_NO``) are the first
account's; a further account has the same names with ``_2``, ``_3`` and so on. ``os.environ`` is
never a local nor an argument: a traceback would print all of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.keys import Key, finish_keys, read_accounts
from kis_nb._wire.secrets import Secret

_VARIABLES = ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNTS", "KIS_ACCOUNT_NO", "KIS_NAME")
# The settings that are of no single key.
_OTHERS = ("KIS_BASE_URL", "KIS_CUSTTYPE", "KIS_CONFIG", "KIS_NB_CACHE_DIR", "KIS_NB_DEMO")
_NUMBERED = re.compile(rf"({'|'.join(_VARIABLES)})_([0-9]+)", re.ASCII)


def numbered_variables() -> list[str]:
    """The names of the variables for further accounts that are set and not blank."""
    return sorted(name for name in filter(_NUMBERED.fullmatch, os.environ) if _is_set(name))


def known_variables() -> list[str]:
    """The names of all variables of ours that are in the environment, blank ones too."""
    ours = {*_VARIABLES, *_OTHERS}
    return sorted(name for name in os.environ if name in ours or _NUMBERED.fullmatch(name))


def demo_by_environment() -> bool:
    """Whether ``KIS_NB_DEMO`` asks for the embedded broker."""
    return os.getenv("KIS_NB_DEMO", "") not in ("", "0")


def _is_set(name: str) -> bool:
    return bool(os.getenv(name, "").strip())


def environment_keys(names: Sequence[str]) -> tuple[Key, ...]:
    """The environment's keys: KIS_APP_KEY for the first, KIS_APP_KEY_2 for the second, …

    Args:
        names: the variables for further accounts, by `numbered_variables`.

    Raises:
        ConfigError: a number left out, half a pair, or a key without an account. An account is
            never given another account's key instead: KIS would refuse it.
    """
    variables: dict[int, str] = {}
    for name in names:
        stem, _, digits = name.rpartition("_")
        if digits.startswith("0") or digits == "1":
            raise ConfigError(
                f"{name}: the first account's variables have no number ({stem}), the second's "
                f"have _2 ({stem}_2), and so on"
            )
        # So many digits leave a gap in the numbering anyway.
        variables.setdefault(int(digits[:9]), name)
    keys: list[Key] = []
    called: list[Secret | None] = []
    places: list[str] = []
    for number in range(1, max(variables) + 1):
        end = "" if number == 1 else f"_{number}"
        later = next(name for at, name in sorted(variables.items()) if at >= number)
        app_key = Secret.of(os.getenv(f"KIS_APP_KEY{end}"))
        app_secret = Secret.of(os.getenv(f"KIS_APP_SECRET{end}"))
        if app_key is None or app_secret is None:
            missing = "KIS_APP_KEY" if app_key is None else "KIS_APP_SECRET"
            raise ConfigError(
                f"the environment lacks {missing}{end} ({later} is set): KIS gives each account an "
                "app key and an app secret of its own, numbered without a gap"
            )
        accounts = environment_accounts(end) or environment_accounts(end, "KIS_ACCOUNT_NO")
        if not accounts:
            raise ConfigError(
                f"the environment lacks KIS_ACCOUNTS{end} (or KIS_ACCOUNT_NO{end}): with several "
                "app keys it must say which account each is for"
            )
        keys.append(Key(app_key, app_secret, accounts))
        called.append(Secret.of(os.getenv(f"KIS_NAME{end}")))
        places.append(f"KIS_ACCOUNTS{end}")
    return finish_keys(keys, called, places)


def environment_accounts(end: str, stem: str = "KIS_ACCOUNTS") -> tuple[Account, ...] | None:
    """The accounts of one variable; None when it is not set or blank.

    Args:
        end: ``_2`` for the second account's variable, "" for the first's.
        stem: the variable without that.

    Raises:
        ConfigError: one of them is no account number.
    """
    read = read_accounts(os.getenv(stem + end, "").split(","), stem + end)
    if isinstance(read, ConfigError):
        raise read
    return read or None
