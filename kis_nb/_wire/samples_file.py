"""The configuration file of KIS's own samples, ``kis_devlp.yaml``."""

from __future__ import annotations

import os
import stat
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.keys import FIELDS, PRODUCT, Entry, field_name, read_accounts
from kis_nb._wire.secrets import Secret

# The sample has 2 kB; what is far larger is another file, or one without an end.
_LARGEST = 100_000


def samples_path() -> Path:
    """Where the file is: as ``KIS_CONFIG`` says, else where KIS's samples look for it."""
    return Path(os.getenv("KIS_CONFIG") or Path.home() / "KIS" / "config" / "kis_devlp.yaml")


@dataclass(frozen=True, slots=True)
class SamplesFile:
    """What the file holds, each value as a secret.

    Attributes:
        plain: its ``name: value`` lines.
        entries: its list ``accounts``, an entry for each further account.
    """

    plain: dict[str, Secret] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()


def read_file(path: Path, *, required: bool) -> SamplesFile:
    """The file; empty when there is none.

    Args:
        path: where it is.
        required: its absence is an error.

    Raises:
        ConfigError: it cannot be read. The message repeats no value.
    """
    file = _parse_file(path)
    if isinstance(file, SamplesFile):
        return file
    if file is None and not required:
        return SamplesFile()
    raise ConfigError(f"{path}: {file or 'no such file (KIS_CONFIG names it)'}")


def _parse_file(path: Path) -> SamplesFile | str | None:
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
    return SamplesFile(plain, tuple(map(_secrets, several)))


def _secrets(lines: Mapping[object, object]) -> dict[str, Secret]:
    """The lines that hold text, as secrets; blank ones are left out."""
    found = ((key, Secret.of(value)) for key, value in lines.items() if isinstance(value, str))
    return {field_name(key): secret for key, secret in found if secret}


def file_accounts(plain: Mapping[str, Secret], path: Path) -> tuple[Account, ...] | ConfigError:
    """The file's futures account: ``my_acct_future`` (8 digits) with ``my_prod`` (2 digits)."""
    # The samples ship my_prod "01", the cash account; under it no futures balance exists.
    product = plain["my_prod"].reveal() if "my_prod" in plain else PRODUCT
    product = PRODUCT if product == "01" else product
    where = f"{path} (my_acct_future, my_prod)"
    # One expression: a traceback's locals would show the number.
    return read_accounts([_full_number(plain.get("my_acct_future"), product)], where)


def _full_number(number: Secret | None, product: str) -> str:
    """The number with the product after its 8 digits; "" for none, anything else as it is."""
    text = number.reveal() if number is not None else ""
    return f"{text}-{product}" if len(text) == 8 else text
