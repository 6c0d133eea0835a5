"""Invented credentials, and a search for them in whatever came out. One class for the whole of the
secrets suite, so that it can say how much it searched.
"""

from __future__ import annotations

import base64
from urllib.parse import quote

ACCOUNT = "80012345-03"
APP_KEY = "PSinvented0app0key0for0tests0only0AA"
APP_SECRET = "inventedSecret+/=" + "z9Y8x7W6" * 20


class Search:
    """Looks for secrets, and counts how much it has looked at."""

    characters = 0

    def __init__(self, *secrets: str) -> None:
        cano, _, product = ACCOUNT.partition("-")
        self._needles = {cano, cano + product, f"{cano[:4]} {cano[4:]}", f"{cano[:4]}-{cano[4:]}"}
        for secret in (*secrets, cano):
            self._needles |= {secret, quote(secret, safe=""), quote(secret), secret.encode().hex()}
            self._needles |= encoded(secret)
            # A part is as good as the whole to a thief; masks show less than this.
            if len(secret) > 24:
                parts = {secret[:16], secret[-16:], secret[20:36]}
                self._needles |= parts | {quote(part, safe="") for part in parts}

    def look(self, text: str, where: str) -> None:
        Search.characters += len(text)
        for needle in self._needles:
            assert needle not in text, f"{needle[:6]}… shows in {where}"


def encoded(secret: str) -> set[str]:
    """What base64 makes of it, wherever in a longer text it stands."""
    found: set[str] = set()
    for before in range(3):
        text = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        # Without the ends, which hold bits of the neighbours too.
        found.add(text[(0, 2, 3)[before] : -1])
    return found | {text.translate(str.maketrans("+/", "-_")) for text in found}
