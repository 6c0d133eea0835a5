"""The access token and its store.

Bytes wing, above `_config` and `_http`. KIS sends the customer a phone message for every token it
issues, allows one issue a minute and locks out keys that keep asking, so a token is kept on disk,
shared by all of the user's processes, and asked for by one of them at a time.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import threading
import time
import warnings
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from kis_nb._config import SENDABLE, Secret, Settings
from kis_nb._errors import AuthError, Cancelled, TransportError
from kis_nb._http import Call, Http, NoReply, Reply, Scrubber

TOKEN_PATH = "/oauth2/tokenP"
_KST = timezone(timedelta(hours=9))
# A pull of many pages must not see its token end half-way.
_MARGIN = 60.0
# KIS issues one token a minute; a second's grace for two clocks that differ.
_MINUTE = 61.0
# A refused key or secret is not tried again for this long, by any process: trying on has locked
# customers out for hours.
_REFUSED_FOR = 600.0
# As long as an issue may take another process; one that is stuck must not stop everyone for ever.
_LOCKED_FOR = 180.0
_REFUSED = {
    "EGW00103": "the app key is not known",
    "EGW00105": "the app secret does not fit the app key",
}
_TOO_SOON = "EGW00133"
_TOO_OFTEN = "EGW00201"


@dataclass(frozen=True, slots=True)
class _Held:
    """What the store says: a token and its end, or that the credentials were refused till then."""

    token: Secret | None
    until: float
    refused: str = ""


class TokenStore:
    """One small file per host and app key, readable by its owner only.

    Its name and its text hold digests, never the host or the app key. A folder that cannot be
    written costs a warning, once, and the token is then kept in this process alone.
    """

    def __init__(self, folder: Path | None, host: str, app_key: Secret, app_secret: Secret) -> None:
        self._digest = _digest(host, app_key.reveal(), app_secret.reveal())
        self._path = folder / f"token-{_digest(host, app_key.reveal())}.json" if folder else None
        self._memory: _Held | None = None

    def lock(self, cancel: threading.Event | None = None) -> AbstractContextManager[Any]:
        """Held while a token is issued; other processes wait for it and then find the token.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        if self._path is not None:
            import filelock  # here because most processes find a token in the store

            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = filelock.FileLock(f"{self._path}.lock", mode=0o600)
                end = time.monotonic() + _LOCKED_FOR
                while True:
                    try:
                        return lock.acquire(timeout=0.2)
                    except filelock.Timeout:
                        if cancel is not None and cancel.is_set():
                            raise Cancelled("the pull was cancelled") from None
                        if time.monotonic() > end:
                            raise
            except (OSError, NotImplementedError) as error:  # the latter: no locks on this disk
                self._forsake(error)
        return nullcontext()

    def read(self) -> _Held | None:
        """What is stored and meant for these credentials; a damaged or foreign file counts as
        none.
        """
        if self._path is None:
            return self._memory
        try:
            entry = json.loads(self._path.read_bytes())
            # The token of an older secret for the same key serves as well as ours; what was refused
            # about that secret does not concern us.
            ours = entry["for"] == self._digest and entry["refused"] in _REFUSED
            if entry["token"] and not SENDABLE.fullmatch(entry["token"]):
                return self._memory
            held = _Held(
                Secret.of(entry["token"]), float(entry["until"]), entry["refused"] if ours else ""
            )
        except (
            *(OSError, ValueError, LookupError, TypeError, AttributeError),
            *(ArithmeticError, RecursionError),
        ):
            return self._memory
        return held

    def write(self, held: _Held) -> None:
        """Store at once or not at all: readers see the old file or the new one."""
        self._memory = held
        if self._path is None:
            return
        entry = {
            "for": self._digest,
            "token": held.token.reveal() if held.token else "",
            "until": held.until,
            "refused": held.refused,
        }
        content = Secret(json.dumps(entry))
        del entry  # an interrupt while writing would show it in the traceback's locals
        try:
            # Writers hold the lock, so these were left by one that was killed.
            for stale in self._path.parent.glob(f"{self._path.name}*.new"):
                stale.unlink()
            _write_atomically(self._path, content)
        except OSError as error:
            self._forsake(error)

    def _forsake(self, error: OSError | NotImplementedError) -> None:
        why = getattr(error, "strerror", None) or error
        warnings.warn(
            f"the token store {self._path} cannot be used ({why}); this "
            "process keeps its token in memory, and every other one will ask KIS for its own. "
            "KIS_NB_CACHE_DIR names another folder",
            stacklevel=2,
        )
        self._path = None


def _write_atomically(path: Path, content: Secret) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.reveal().encode())
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class Tokens:
    """Gives the access token, issuing one only when neither we nor the store have a good one."""

    def __init__(self, settings: Settings, http: Http, scrubber: Scrubber) -> None:
        self._settings = settings
        self._http = http
        self._scrubber = scrubber
        self._store = TokenStore(
            settings.cache_dir, settings.base_url, settings.app_key, settings.app_secret
        )
        self._held: _Held | None = None
        # When KIS may be asked again after it said "too soon": a pull that is cancelled while it
        # waits and begun anew, as by clicking, must not ask anew as well.
        self._not_before = 0.0
        # Threads of this process queue here; the file lock is for processes.
        self._lock = threading.Lock()

    def get(self, cancel: threading.Event | None = None) -> Secret:
        """A token that should be good.

        Raises:
            AuthError: the key or the secret was refused.
            TransportError: no token came.
            Cancelled: `cancel` was set.
        """
        if self._settings.token is not None:
            return self._settings.token
        held = self._held
        if held is not None and held.token is not None and self._lasts(held):
            return held.token
        return self._obtain(None, cancel)

    def renew(self, refused: Secret, cancel: threading.Event | None = None) -> Secret:
        """A token other than the one just refused.

        Raises: as `get`; AuthError also when there is no other token to be had.
        """
        if self._settings.token is not None:
            raise AuthError(
                "KIS refused the token that was handed in (expired, or of another host or app "
                "key); pass a new one as token=, or leave it out to have one issued"
            )
        return self._obtain(refused, cancel)

    def _lasts(self, held: _Held) -> bool:
        return held.until - _MARGIN > self._http.clock.time()

    def _obtain(self, refused: Secret | None, cancel: threading.Event | None) -> Secret:
        with self._lock:
            found = self._stored(refused)
            if found is None:
                with self._store.lock(cancel):
                    # Another process may have been at it while this one waited for the lock.
                    found = self._stored(refused) or self._issue(refused, cancel)
            self._held = found
            token = found.token
        assert token is not None
        self._scrubber.learn(token)
        return token

    def _stored(self, refused: Secret | None) -> _Held | None:
        """A good token that is ours or the store's, and is not the one just refused."""
        for held in (self._held, self._store.read()):
            if held is None or not self._lasts(held):
                continue
            if held.refused:
                # Said to hold for longer than we ever note: the clock was set back since.
                if held.until - self._http.clock.time() > _MARGIN + _REFUSED_FOR:
                    continue
                raise self._refusal(held.refused, remembered=True)
            if held.token is not None and held.token != refused:
                return held
        return None

    def _issue(self, refused: Secret | None, cancel: threading.Event | None) -> _Held:
        """Ask KIS for a token; wait out the minute if it was asked too soon."""
        clock = self._http.clock
        deadline = clock.monotonic() + 2 * _MINUTE
        pause = 0.5
        tries = self._settings.retries
        while True:
            if (other := self._await_other(refused, cancel)) is not None:
                return other
            reply = self._http.exchange(self._token_call(), cancel)
            why = reply.why if isinstance(reply, NoReply) else ""
            if isinstance(reply, Reply):
                answer = self._read(reply)
                if answer.code in _REFUSED:
                    self._store.write(
                        _Held(None, clock.time() + _MARGIN + _REFUSED_FOR, answer.code)
                    )
                    raise self._refusal(answer.code, remembered=False)
                if answer.token is not None:
                    if answer.token == refused:
                        raise AuthError(
                            "KIS refused its own token and then issued the same one again; "
                            "sign out other uses of this app key, or try again later"
                        )
                    held = _Held(answer.token, answer.until)
                    self._store.write(held)
                    return held
                if answer.code == _TOO_SOON:
                    self._not_before = clock.monotonic() + _MINUTE
                    if clock.monotonic() < deadline:
                        continue
                code = answer.code[:50]
                why = f"HTTP {reply.status} {code} {answer.text[:300]}"
                final = reply.status < 500 and answer.code not in ("", _TOO_OFTEN)
                if final or answer.code == _TOO_SOON:
                    raise AuthError(f"KIS issued no token: {why.strip()}", code=code)
                if answer.code == _TOO_OFTEN:
                    self._http.rate.slow_down()
            if tries <= 0 or (isinstance(reply, NoReply) and not reply.again):
                raise TransportError(
                    f"no token from {self._http.host}: {why}; the credentials were not refused, "
                    "so try again later"
                )
            tries -= 1
            clock.sleep(pause, cancel)
            pause = min(2 * pause, 8)

    def _token_call(self) -> Call:
        body = {
            "grant_type": "client_credentials",
            "appkey": self._settings.app_key.reveal(),
            "appsecret": self._settings.app_secret.reveal(),
        }
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Call("POST", TOKEN_PATH, headers, body=json.dumps(body).encode())

    def _read(self, reply: Reply) -> _Answer:
        """What the token call said, scrubbed: of an error raised where the answer is at hand, a
        traceback shows it whole.
        """
        told = _read_answer(reply, self._http.clock.time())
        code, text = self._scrubber.scrub(told.code), self._scrubber.scrub(told.text)
        return replace(told, code=code, text=text)

    def _await_other(self, refused: Secret | None, cancel: threading.Event | None) -> _Held | None:
        """When another program had a token issued within the minute: take it if it stores it, else
        return after the minute.
        """
        clock = self._http.clock
        while clock.monotonic() < self._not_before:
            clock.sleep(1, cancel)
            if (held := self._stored(refused)) is not None:
                return held
        return None

    def _refusal(self, code: str, *, remembered: bool) -> AuthError:
        ago = (
            f" (as KIS said within the last {_REFUSED_FOR / 60:.0f} minutes; it is not asked again "
            "so soon, since that can lock the key out)"
            if remembered
            else ""
        )
        return AuthError(
            f"KIS refused these credentials: {_REFUSED[code]} ({code}){ago}. Check app_key and "
            "app_secret: both must be of the same app, for live trading",
            code=code,
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the token call said."""

    token: Secret | None = None
    until: float = 0.0
    code: str = ""
    text: str = ""


def word(value: object) -> str:
    """A reply's code or text; "" for anything nested, which could be deeper than the stack."""
    return str(value) if isinstance(value, str | int | float) else ""


def _read_answer(reply: Reply, now: float) -> _Answer:
    """The token with the earlier of the two ends that KIS names, or the error; neither for HTML
    and the like.
    """
    try:
        body = json.loads(reply.body)
    except (ValueError, RecursionError):
        return _Answer()
    if not isinstance(body, dict):
        return _Answer()
    token = body.get("access_token")
    if not isinstance(token, str) or not SENDABLE.fullmatch(token.strip()):
        code = word(body.get("error_code")) or word(body.get("msg_cd"))
        text = word(body.get("error_description")) or word(body.get("msg1"))
        return _Answer(code=code, text=text.strip())
    ends: list[float] = []
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        ends.append(now + int(body["expires_in"]))
    with suppress(KeyError, TypeError, ValueError):
        # Korean local time without a zone. An issue within 6 hours gives back the same token, and
        # this end, unlike expires_in, is then surely the token's own.
        local = datetime.fromisoformat(body["access_token_token_expired"])
        ends.append(local.replace(tzinfo=_KST).timestamp())
    # A token just issued has hours to live. An end before that was reckoned with a clock of ours
    # that is days ahead, and would have every single call ask for a token.
    ends = [end for end in ends if end > now + 3600]
    return _Answer(token=Secret(token.strip()), until=min(ends, default=now + 3600))
