"""The access token: issued once, kept, and replaced when KIS refuses it.

KIS sends the customer a phone message for every token it issues, allows one issue a minute and
locks out keys that keep asking, so a token is kept on disk, shared by all of the user's processes,
and asked for by one of them at a time. For six hours after an issue KIS gives the same token back,
even one that it refuses.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeAlias

from kis_nb._errors import AuthError, Cancelled, TransportError
from kis_nb._wire.config import Settings
from kis_nb._wire.http import Call, Http, NoReply, Reply
from kis_nb._wire.recovery import FINAL, Recovery, meaning_of
from kis_nb._wire.secrets import Scrubber, Secret
from kis_nb._wire.token_errors import (
    REFUSED,
    REFUSED_FOR,
    REPEATED_FOR,
    SAME_TOKEN_PAUSE,
    asked_too_soon,
    credentials_refused,
    given_token_refused,
    same_token_again,
)
from kis_nb._wire.token_reply import TokenReply, read_token_reply
from kis_nb._wire.token_store import StoredToken, TokenStore

# Called with the reason for a wait and its greatest length in seconds.
OnWait: TypeAlias = Callable[[str, float], None]

TOKEN_PATH = "/oauth2/tokenP"
_log = logging.getLogger("kis_nb")
# A token is replaced so many seconds before its end: a pull of many pages must not see it expire.
_MARGIN = 60.0
# KIS issues one token a minute; the extra second is for two clocks that differ.
_MINUTE = 61.0
_TOO_SOON = "EGW00133"
_ONE_A_MINUTE = (
    "KIS issues one access token a minute for an app key, and another program has just asked for "
    "one"
)
_OTHER_PROCESS = "another program on this computer is asking KIS for an access token"


class Tokens:
    """The access token of one app key. Safe to share between threads.

    A token is asked for only when neither this process nor the store has a good one.

    Args:
        settings: the credentials, and where the store is.
        http: sends the call.
        scrubber: is to mask each token that is issued.
    """

    def __init__(self, settings: Settings, http: Http, scrubber: Scrubber) -> None:
        self._settings = settings
        self._http = http
        self._scrubber = scrubber
        self._store = TokenStore(
            settings.cache_dir, settings.base_url, settings.app_key, settings.app_secret
        )
        self._current: StoredToken | None = None
        # After "too soon" KIS is not asked before this time. It outlives the pull: one that is
        # cancelled while it waits and begun anew, as by clicking, must not ask at once.
        self._next_issue = 0.0
        # For the threads of this process; the file lock is for processes.
        self._lock = threading.Lock()
        # What the thread that holds the lock waits for, and until when: passed on to the others.
        self._wait: tuple[str, float] | None = None

    def get(self, cancel: threading.Event | None = None, on_wait: OnWait | None = None) -> Secret:
        """A token that should be good.

        Args:
            cancel: stops the waits when set.
            on_wait: called when a wait takes long. When it is None, the logger ``kis_nb`` warns.

        Raises:
            AuthError: the key or the secret was refused.
            TransportError: no token came.
            Cancelled: `cancel` was set.
        """
        if self._settings.token is not None:
            return self._settings.token
        current = self._current
        if current is not None and current.token is not None and self._lasts(current):
            return current.token
        return self._obtain(None, cancel, on_wait)

    def renew(
        self,
        refused: Secret,
        cancel: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Secret:
        """A token other than `refused`, which KIS has just refused. Arguments are those of `get`.

        Raises:
            AuthError: the key or the secret was refused, or there is no other token to be had.
            TransportError: no token came.
            Cancelled: `cancel` was set.
        """
        if self._settings.token is not None:
            raise given_token_refused()
        return self._obtain(refused, cancel, on_wait)

    def _lasts(self, stored: StoredToken) -> bool:
        return stored.until - _MARGIN > self._http.clock.time()

    def _obtain(
        self, refused: Secret | None, cancel: threading.Event | None, on_wait: OnWait | None
    ) -> Secret:
        with self._one_thread(cancel, on_wait):
            found = self._find(refused)
            if found is None:
                with self._store.lock(
                    cancel, lambda: self._announce(_OTHER_PROCESS, _MINUTE, on_wait)
                ):
                    # Another process may have stored one while this one waited for the lock.
                    found = self._find(refused) or self._issue(refused, cancel, on_wait)
            self._current = found
            token = found.token
        assert token is not None
        self._scrubber.learn(token)
        return token

    @contextmanager
    def _one_thread(self, cancel: threading.Event | None, on_wait: OnWait | None) -> Iterator[None]:
        """One thread at a time; `on_wait` of the others is called with what that one waits for.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        announced = None
        # threading's locks know no cancelling, hence the polling.
        while not self._lock.acquire(timeout=0.1):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the pull was cancelled")
            wait = self._wait
            if wait is not None and wait != announced and on_wait is not None:
                announced = wait
                on_wait(wait[0], max(0.0, wait[1] - self._http.clock.monotonic()))
        try:
            yield
        finally:
            self._wait = None
            self._lock.release()

    def _announce(self, why: str, seconds: float, on_wait: OnWait | None) -> None:
        """Say what is waited for: to the caller who asked for it, else in the log."""
        self._wait = why, self._http.clock.monotonic() + seconds
        level = logging.WARNING if on_wait is None else logging.INFO
        _log.log(level, "waiting up to %.0f s for an access token: %s", seconds, why)
        if on_wait is not None:
            on_wait(why, seconds)

    def _find(self, refused: Secret | None) -> StoredToken | None:
        """A good token of this process or of the store, other than the one just refused.

        Raises:
            AuthError: there is none, and it is known that asking KIS cannot help yet.
        """
        now = self._http.clock.time()
        unusable: StoredToken | None = None
        for stored in (self._current, self._store.read()):
            if stored is None:
                continue
            useless = stored.token == refused if refused else not self._lasts(stored)
            # Further ahead than is ever noted means that the clock was set back since.
            if stored.token and useless and 0 < stored.unusable_until - now <= REPEATED_FOR:
                unusable = stored
            if not self._lasts(stored):
                continue
            if stored.refused:
                if stored.until - now > _MARGIN + REFUSED_FOR:
                    continue
                raise credentials_refused(stored.refused, remembered=True)
            if stored.token is not None and stored.token != refused:
                return stored
        if unusable is not None:
            raise same_token_again(unusable.unusable_until, now, self._http.host)
        return None

    def _issue(
        self, refused: Secret | None, cancel: threading.Event | None, on_wait: OnWait | None
    ) -> StoredToken:
        """Ask KIS for a token; wait out the minute if it was asked too soon."""
        clock = self._http.clock
        deadline = clock.monotonic() + 2 * _MINUTE
        pause = 0.5
        tries = self._settings.retries
        while True:
            if (other := self._wait_out_minute(refused, cancel, on_wait)) is not None:
                return other
            reply = self._http.exchange(self._token_call(), cancel)
            why = reply.why if isinstance(reply, NoReply) else ""
            if isinstance(reply, Reply):
                answer = self._read(reply)
                if answer.token is not None:
                    return self._accept(answer, refused)
                if answer.code == _TOO_SOON:
                    self._next_issue = clock.monotonic() + _MINUTE
                    if clock.monotonic() < deadline:
                        continue
                why = self._passing_refusal(answer, reply.status)
            if tries <= 0 or (isinstance(reply, NoReply) and not reply.again):
                raise TransportError(
                    f"no token from {self._http.host}: {why}; the credentials were not refused, "
                    "so try again later"
                )
            tries -= 1
            clock.sleep(pause, cancel)
            pause = min(2 * pause, 8)

    def _wait_out_minute(
        self, refused: Secret | None, cancel: threading.Event | None, on_wait: OnWait | None
    ) -> StoredToken | None:
        """Wait until KIS may be asked again. When another program stores a token meanwhile, return
        that at once.
        """
        clock = self._http.clock
        left = self._next_issue - clock.monotonic()
        if left > 0:
            self._announce(_ONE_A_MINUTE, left, on_wait)
        while clock.monotonic() < self._next_issue:
            clock.sleep(1, cancel)
            if (found := self._find(refused)) is not None:
                return found
        return None

    def _accept(self, answer: TokenReply, refused: Secret | None) -> StoredToken:
        """Store the token that was issued.

        Raises:
            AuthError: it is the one that was just refused.
        """
        issued = StoredToken(answer.token, answer.until)
        now = self._http.clock.time()
        if answer.token == refused:
            issued = replace(issued, unusable_until=_same_token_until(answer.issued, now))
        self._store.write(issued)
        self._current = issued
        if issued.unusable_until:
            raise same_token_again(issued.unusable_until, now, self._http.host)
        return issued

    def _passing_refusal(self, answer: TokenReply, status: int) -> str:
        """What to say of a refusal after which KIS may be asked again.

        Raises:
            AuthError: it may not.
        """
        if answer.code in REFUSED:
            until = self._http.clock.time() + _MARGIN + REFUSED_FOR
            self._store.write(StoredToken(None, until, answer.code))
            raise credentials_refused(answer.code, remembered=False)
        code = answer.code[:50]
        why = f"HTTP {status} {code} {answer.text[:300]}".strip()
        if answer.code == _TOO_SOON:
            raise asked_too_soon(code, why)
        meaning = meaning_of(answer.code, answer.text)
        if meaning.recovery in {Recovery.SLOWER, Recovery.SPACED}:
            self._http.rate.slow_down(ledger=meaning.recovery is Recovery.SPACED)
        elif meaning.recovery in FINAL or (status < 500 and answer.code):
            hint = f"; {meaning.hint}" if meaning.hint else ""
            raise AuthError(f"KIS issued no token: {why}{hint}", code=code)
        return why

    def _token_call(self) -> Call:
        body = {
            "grant_type": "client_credentials",
            "appkey": self._settings.app_key.reveal(),
            "appsecret": self._settings.app_secret.reveal(),
        }
        headers = {"Content-Type": "application/json; charset=utf-8"}
        return Call("POST", TOKEN_PATH, headers, body=json.dumps(body).encode())

    def _read(self, reply: Reply) -> TokenReply:
        """The reply, its texts scrubbed: an error that is raised where this is a local would show
        them whole in a traceback.
        """
        raw = read_token_reply(reply, self._http.clock.time())
        code, text = self._scrubber.scrub(raw.code), self._scrubber.scrub(raw.text)
        return replace(raw, code=code, text=text)


def _same_token_until(issued: float | None, now: float) -> float:
    """Until when KIS gives the same token again, by its time of issue if that is known."""
    if issued is not None and now - REPEATED_FOR < issued <= now + _MARGIN:
        return min(issued, now) + REPEATED_FOR
    return now + SAME_TOKEN_PAUSE
