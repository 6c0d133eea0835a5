"""The parameters that a notebook is run with, from the words of the command line.

They are written into the notebook, so no account number may be among them: an account goes in as
its masked label. No message repeats a value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import yaml

from kis_nb._account import Account, account_labels
from kis_nb._cli.arguments import UsageProblem
from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from kis_nb._choices import Lang

# Each is given by an argument of its own.
_OWN = {
    "demo": "--demo",
    "account": "ACCOUNT",
    "accounts": "ACCOUNT",
    "lang": "--lang",
}
# Ten digits as an account number is written: 8-2 or 4-4-2, with or without something between. What
# follows a point are decimals, and before a colon stands an hour.
_ACCOUNT = re.compile(
    r"(?<![0-9])(?<![0-9]\.)[0-9]{4}[\s_-]?[0-9]{4}[\s_-]*[0-9]{2}(?![0-9]|:[0-9])", re.ASCII
)
# So many digits as an account's first part has, before its product code.
_CANO = re.compile(r"(?<![0-9])[0-9]{4}[\s_-]?[0-9]{4}(?![0-9])", re.ASCII)
_IS_ACCOUNT = (
    "an account number would be written into the notebook; give it as ACCOUNT, which goes in masked"
)
_NO_JSON = (
    "its value must be text, a number, true, false, null, or a list or mapping of these; put a "
    "date in quotes"
)
# Lists within lists: a notebook has a use for few.
_DEPTH = 20


def parameters(
    words: Sequence[str],
    accounts: Sequence[str],
    defaults: Mapping[str, object],
    *,
    demo: bool,
    lang: Lang,
) -> dict[str, object]:
    """What to set in the notebook. Parameters that it does not have are left out, unless asked for.

    Args:
        words: each ``name=value``.
        accounts: numbers, names or masked labels of configured accounts.
        defaults: the notebook's parameters, and what it sets them to.
        demo: whether the embedded broker is used.
        lang: the language of the report.

    Raises:
        UsageProblem: a word does not fit, or an account is not configured.
        ConfigError: accounts are given, and no client can be made to find them.
    """
    found: dict[str, object] = {"demo": demo, "lang": lang}
    found = {name: value for name, value in found.items() if name in defaults}
    for word in words:
        name, value = _read(word, defaults)
        found[name] = value
        texts = [word, *_texts(value)]
        if any(_CANO.search(text) for text in texts) and _names_configured(texts, demo=demo):
            raise UsageProblem(f"-p {name}: {_IS_ACCOUNT}")
    return found | _accounts(accounts, defaults, demo=demo)


def _read(word: str, defaults: Mapping[str, object]) -> tuple[str, object]:
    """One ``name=value``: text where the notebook has text, otherwise YAML."""
    name, equals, text = word.partition("=")
    if not equals:
        raise UsageProblem("-p takes name=value")
    if name in _OWN:
        raise UsageProblem(f"the parameter {name} is set by {_OWN[name]}, not by -p")
    if name not in defaults:
        raise UsageProblem(
            f"-p names no parameter of this notebook; it has: {_names(defaults) or 'none'}"
        )
    if _ACCOUNT.search(text):
        raise UsageProblem(f"-p {name}: {_IS_ACCOUNT}")
    if isinstance(defaults[name], str):
        return name, text
    try:
        # An alias can make a list that holds itself, or one that is larger than any memory.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise UsageProblem(f"-p {name}: its value has a YAML alias (*name); write it out")
        value = yaml.safe_load(text)
        # A number may be written in many ways, and a text with escapes.
        texts = list(_texts(value))
    except yaml.YAMLError:
        raise UsageProblem(f"-p {name}: its value is no YAML") from None
    except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
        # Most of YAML's constructors raise them: of a date that there is not, of 5,000 digits.
        raise UsageProblem(f"-p {name}: {_NO_JSON}") from None
    if any(map(_ACCOUNT.search, texts)):
        raise UsageProblem(f"-p {name}: {_IS_ACCOUNT}")
    return name, value


def _texts(value: object, depth: int = 0) -> Iterator[str]:
    """The texts and numbers that a JSON value is made of, as text.

    Raises:
        TypeError: it is no JSON, which papermill saves parameters as.
        RecursionError: it is nested too deeply.
    """
    if depth > _DEPTH:
        raise RecursionError
    if isinstance(value, dict):
        for name, one in value.items():
            if not isinstance(name, str):
                raise TypeError
            yield name
            yield from _texts(one, depth + 1)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one, depth + 1)
    elif isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        yield str(value)
    elif value is not None:
        raise TypeError


def _names_configured(texts: Collection[str], *, demo: bool) -> bool:
    """Whether a text has the first 8 digits of a configured account."""
    from kis_nb._connect import connect  # loads polars and requests

    try:
        with connect(demo=demo) as client:
            canos = {account.cano for account in client.accounts}
    except ConfigError:
        return False  # no account is configured
    found = {re.sub(r"[^0-9]", "", one) for text in texts for one in _CANO.findall(text)}
    return not canos.isdisjoint(found)


def _names(defaults: Mapping[str, object]) -> str:
    return ", ".join(name for name in defaults if name not in _OWN)


def _accounts(asked: Sequence[str], known: Collection[str], *, demo: bool) -> dict[str, object]:
    """The masked labels of the accounts, as the notebook takes them: one, or a list."""
    if not asked:
        return {}
    several = "accounts" in known
    if not several and "account" not in known:
        raise UsageProblem("this notebook takes no ACCOUNT: it has no parameter of that name")
    labels = _labels(asked, demo=demo)
    if several:
        return {"accounts": labels}
    if len(labels) > 1:
        raise UsageProblem(
            "this notebook takes one ACCOUNT: its parameter is account. A notebook with a "
            "parameter accounts takes several"
        )
    return {"account": labels[0]}


def _labels(asked: Sequence[str], *, demo: bool) -> list[str]:
    from kis_nb._connect import connect  # loads polars and requests

    with connect(demo=demo) as client:
        configured = account_labels(client.accounts)
        found = [client.find_account(text) for text in asked]
    labels: list[str] = []
    for account in found:
        if not isinstance(account, Account):
            raise UsageProblem(str(account))
        if account not in configured:
            known = ", ".join(configured.values()) or "none"
            raise UsageProblem(f"{account} is not configured; there are: {known}")
        labels.append(configured[account])
    return list(dict.fromkeys(labels))
