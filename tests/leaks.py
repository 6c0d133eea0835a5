"""Invented credentials, and a search for them in any output. One class for all tests of secrets, so
that it can count how much was searched.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

ACCOUNT = "80012345-03"
APP_KEY = "PSinvented0app0key0for0tests0only0AA"
APP_SECRET = "inventedSecret+/=" + "z9Y8x7W6" * 20

# A part of this length counts as a leak: it is useful to a thief, no other text equals it by
# chance, and masks show less.
PART = 16


class Search:
    """Searches texts for secrets and account numbers, and counts the characters searched.

    It finds a secret as it is, percent-encoded, in hex and in base64 at any offset, whole or any 20
    characters of these, so also cut or wrapped at the end of a line; an account number likewise,
    and split in the middle.
    """

    characters = 0

    def __init__(self, *secrets: str, accounts: Iterable[str] = (ACCOUNT,)) -> None:
        self._whole: set[str] = set()
        self._parts: set[str] = set()
        for account in accounts:
            cano, _, product = account.partition("-")
            self._whole |= {cano + product, *(f"{cano[:4]}{gap}{cano[4:]}" for gap in " -.\n")}
            self._whole |= spellings(cano)
        for text in {text for secret in secrets for text in spellings(secret)}:
            if len(text) < PART + 4:
                self._whole.add(text)
            self._parts |= {text[at : at + PART] for at in range(len(text) - PART + 1)}

    def look(self, text: str, where: str) -> None:
        """Search a text; AssertionError, naming `where`, when one is found."""
        Search.characters += len(text)
        for needle in self._whole:
            assert needle not in text, f"{needle[:6]}… shows in {where}"
        # Every fourth position finds any part that is longer by four.
        for at in range(0, len(text) - PART + 1, 4):
            part = text[at : at + PART]
            assert part not in self._parts, f"{part[:6]}… shows in {where}"


def spellings(secret: str) -> set[str]:
    """A text as it is and as programs encode it."""
    percent = {quote(secret, safe=""), quote(secret)}
    percent |= {re.sub("%..", lambda code: code[0].lower(), text) for text in percent}
    digits = secret.encode().hex()
    return {secret, digits, digits.upper()} | percent | encoded(secret)


def encoded(secret: str) -> set[str]:
    """Its base64 at each of the three possible offsets in a longer text."""
    found: set[str] = set()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        # Without the ends, which also depend on the neighbouring bytes.
        found.add(text[(0, 2, 3)[before] : -1])
    return found | {text.translate(str.maketrans("+/", "-_")) for text in found}


# Run by IPython before a notebook's first cell: after each cell it writes the secrets of the
# kernel's embedded brokers to a file. A dashboard goes on working when its cell has ended, so its
# first pull is awaited: the token comes with it.
_WATCH = """
def watch():
    import json
    import time
    from pathlib import Path

    from IPython import get_ipython
    from kis_nb.demo import Broker

    brokers, start = [], Broker.start

    def watched(self):
        brokers.append(self)
        return start(self)

    def note(result):
        for shown in list(get_ipython().user_ns.values()):
            if type(shown).__name__ == "Dashboard":
                end = time.monotonic() + 60
                while shown.balance is None and time.monotonic() < end:
                    time.sleep(0.02)
        secrets, accounts = set(), set()
        for broker in brokers:
            secrets |= {secret for _account, *pair in broker.keys for secret in pair}
            accounts |= set(broker.accounts)
            for call in list(broker.calls):
                secrets |= {v.split()[-1] for k, v in call.headers.items() if k == "authorization"}
        Path("private.json").write_text(json.dumps([sorted(secrets), sorted(accounts)]))

    Broker.start = watched
    get_ipython().events.register("post_run_cell", note)

watch()
del watch
"""


def watch_kernels(ipython: Path) -> Path:
    """Make every kernel with this IPYTHONDIR write its demo's secrets to a file, for `noted`.

    Returns the start-up file that does so.
    """
    startup = ipython / "profile_default" / "startup" / "watch.py"
    startup.parent.mkdir(parents=True, exist_ok=True)
    startup.write_text(_WATCH, encoding="utf-8")
    return startup


def noted(folder: Path) -> Search:
    """A search for the secrets of a watched kernel that worked in this folder."""
    secrets, accounts = json.loads((folder / "private.json").read_text(encoding="utf-8"))
    # A key, a secret and a token at least, and the demo's four accounts, else nothing was watched.
    assert len(secrets) >= 3
    assert len(accounts) >= 4
    return Search(*secrets, accounts=accounts)
