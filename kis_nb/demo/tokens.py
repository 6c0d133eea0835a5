"""App keys and access tokens: issue, the same token again, the minute between two calls, the
lock-out, revocation.
"""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import string
import threading
import time
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from kis_nb.demo.replies import Reply, error, json_reply, token_error
from kis_nb.demo.sessions import KST

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = b'{"typ":"JWT","alg":"HS512"}'
_KEY_LETTERS = string.ascii_letters + string.digits


def new_app_key() -> str:
    """36 characters, like KIS's."""
    return "PS" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(34))


def new_app_secret() -> str:
    """180 characters of base64."""
    return base64.b64encode(secrets.token_bytes(135)).decode()


def new_token() -> str:
    """350 characters in the form of a JWT with random content."""
    payload = json.dumps({"sub": "token", "iss": "demo", "jti": secrets.token_hex(64)[1:]})
    parts = (_HEAD, payload.encode(), secrets.token_bytes(64))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _looks_issued(token: str) -> bool:
    """Whether it has the form of a token: three parts, the first one a JWT's header."""
    head, *rest = token.split(".")
    try:
        kind = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (binascii.Error, ValueError):
        return False
    return isinstance(kind, dict) and kind.get("typ") == "JWT" and len(rest) == 2 and all(rest)


def _same(given: object, right: str) -> bool:
    """Compare in constant time, as with any secret."""
    return isinstance(given, str) and compare_digest(given.encode(), right.encode())


def app_key_in(raw: bytes) -> object:
    """The app key in a token call's body; None when the body is no JSON object."""
    try:
        body: Any = json.loads(raw)
    except ValueError:
        return None
    return body.get("appkey") if isinstance(body, dict) else None


@dataclass(slots=True)
class Tokens:
    """The tokens of one app key, and the rules of the token call. Thread-safe.

    Attributes:
        app_key, app_secret: what a call must send.
        clock: epoch seconds.
        life: seconds until a token expires.
        interval: seconds that must lie between two token calls.
        repeat: seconds for which a token call returns the same token again.
        lock_after: refused calls since the last issue (None: never) that lock the key out.
        lock_seconds: for how long.
    """

    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    clock: Callable[[], float] = field(repr=False)
    life: int = 86_400
    interval: float = 60
    repeat: float = 21_600
    lock_after: int | None = 20
    lock_seconds: float = 4 * 3_600
    _expiry: dict[str, float] = field(default_factory=dict, repr=False)  # token: epoch seconds
    _revoked: set[str] = field(default_factory=set, repr=False)
    _current: tuple[str, float] | None = field(default=None, repr=False)  # token, issued at
    _answered: float | None = None
    _refusals: int = 0
    _locked_until: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def answer(self, raw: bytes) -> Reply:
        """The response to a POST of this body to ``/oauth2/tokenP``."""
        try:
            body: Any = json.loads(raw)
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return token_error("EGW00101")
        if body.get("grant_type") != "client_credentials":
            return token_error("EGW00116")
        if not _same(body.get("appkey"), self.app_key):
            return token_error("EGW00103")
        with self._lock:
            return self._issue_or_refuse(body, self.clock())

    def _issue_or_refuse(self, body: dict[str, Any], now: float) -> Reply:
        if self._locked_until is not None:
            if now < self._locked_until:
                return token_error("EGW00103")
            self._locked_until, self._refusals = None, 0
        if not _same(body.get("appsecret"), self.app_secret):
            return self._refuse("EGW00105", now)
        if self._answered is not None and now - self._answered < self.interval:
            return self._refuse("EGW00133", now)
        self._answered, self._refusals = now, 0
        if self._current is None or now - self._current[1] >= self.repeat:
            self._current = self._make(now, self.life), now
        token = self._current[0]
        end = int(self._expiry[token])
        korean = time.gmtime(end + KST)
        return json_reply(
            200,
            {
                "access_token": token,
                "access_token_token_expired": time.strftime("%Y-%m-%d %H:%M:%S", korean),
                "token_type": "Bearer",
                "expires_in": end - int(now),
            },
        )

    def _refuse(self, code: str, now: float) -> Reply:
        self._refusals += 1
        if self.lock_after is not None and self._refusals >= self.lock_after:
            self._locked_until = now + self.lock_seconds
        return token_error(code)

    def _make(self, now: float, life: float) -> str:
        self._expiry = {token: end for token, end in self._expiry.items() if end > now - 86_400}
        token = new_token()
        self._expiry[token] = now + life
        return token

    def issue(self, life: float) -> str:
        """A token for `life` seconds got another way, as a company's is, not by the token call."""
        with self._lock:
            return self._make(self.clock(), life)

    def revoke(self, *, replace: bool = True) -> None:
        """Make every token issued so far invalid. The next token call issues a new one; with
        `replace` False it returns the invalid one until `repeat` seconds after its issue, as the
        live gateway was seen to do.
        """
        with self._lock:
            self._revoked.update(self._expiry)
            if replace:
                self._expiry.clear()
                self._current = None

    def check(self, headers: dict[str, str]) -> Reply | None:
        """The error for an API call's ``authorization``, ``appkey`` or ``appsecret``, if any."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return error("EGW00205")
        if not _same(headers.get("appkey"), self.app_key):
            return error("EGW00103")
        if not _same(headers.get("appsecret"), self.app_secret):
            return error("EGW00105")
        with self._lock:
            end, revoked = self._expiry.get(token), token in self._revoked
        if end is not None and not revoked and self.clock() < end:
            return None
        return error("EGW00123" if not revoked and _looks_issued(token) else "EGW00121")
