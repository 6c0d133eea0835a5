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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from kis_nb._errors import AuthError, Cancelled, TransportError
from kis_nb._seoul import KST
from kis_nb._wire.config import SENDABLE, Settings
from kis_nb._wire.http import Call, Http, NoReply, Reply
from kis_nb._wire.recovery import FINAL, Recovery, meaning_of, read_loose_refusal
from kis_nb._wire.secrets import Scrubber, Secret
from kis_nb._wire.token_store import REFUSED, Held, TokenStore

# Told what is waited for, and for how many seconds at most.
Waiting: TypeAlias = Callable[[str, float], None]

TOKEN_PATH = "/oauth2/tokenP"
_log = logging.getLogger("kis_nb")
# A pull of many pages must not see its token end half-way.
_MARGIN = 60.0
# KIS issues one token a minute; a second's grace for two clocks that differ.
_MINUTE = 61.0
# A refused key or secret is not tried again for this long, by any process: trying on has locked
# customers out for hours.
_REFUSED_FOR = 600.0
_TOO_SOON = "EGW00133"
_DAY = 86_400.0
# So long after an issue KIS gives the same token back.
_REPEATED_FOR = 6 * 3600.0
# When it is not known when a token was issued that KIS gave back dead: before this it is not asked.
_DEAD_FOR = 600.0
_ONE_A_MINUTE = (
    "KIS issues one access token a minute for an app key, and another program has just asked for "
    "one"
)
_OTHER_PROCESS = "another program on this computer is asking KIS for an access token"


class Tokens:
    """Gives the access token, issuing one only when neither we nor the store have a good one."""

    def __init__(self, settings: Settings, http: Http, scrubber: Scrubber) -> None:
        self._settings = settings
        self._http = http
        self._scrubber = scrubber
        self._store = TokenStore(
            settings.cache_dir, settings.base_url, settings.app_key, settings.app_secret
        )
        self._held: Held | None = None
        # When KIS may be asked again after it said "too soon": a pull that is cancelled while it
        # waits and begun anew, as by clicking, must not ask anew as well.
        self._not_before = 0.0
        # Threads of this process queue here; the file lock is for processes.
        self._lock = threading.Lock()
        # What the thread that holds the lock waits for, and till when, for those behind it.
        self._wait: tuple[str, float] | None = None

    def get(self, cancel: threading.Event | None = None, waiting: Waiting | None = None) -> Secret:
        """A token that should be good.

        Args:
            cancel: stops the waits when set.
            waiting: told of a wait that takes long. When there is none, the logger ``kis_nb`` says
                it at level WARNING.

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
        return self._obtain(None, cancel, waiting)

    def renew(
        self,
        refused: Secret,
        cancel: threading.Event | None = None,
        waiting: Waiting | None = None,
    ) -> Secret:
        """A token other than the one just refused.

        Raises: as `get`; AuthError also when there is no other token to be had.
        """
        if self._settings.token is not None:
            raise AuthError(
                "KIS refused the token that was handed in (expired, or of another host or app "
                "key); pass a new one as token=, or leave it out to have one issued"
            )
        return self._obtain(refused, cancel, waiting)

    def _lasts(self, held: Held) -> bool:
        return held.until - _MARGIN > self._http.clock.time()

    def _obtain(
        self, refused: Secret | None, cancel: threading.Event | None, waiting: Waiting | None
    ) -> Secret:
        with self._turn(cancel, waiting):
            found = self._stored(refused)
            if found is None:
                held_up = self._telling(_OTHER_PROCESS, _MINUTE, waiting)
                with self._store.lock(cancel, held_up):
                    # Another process may have been at it while this one waited for the lock.
                    found = self._stored(refused) or self._issue(refused, cancel, waiting)
            self._held = found
            token = found.token
        assert token is not None
        self._scrubber.learn(token)
        return token

    @contextmanager
    def _turn(self, cancel: threading.Event | None, waiting: Waiting | None) -> Iterator[None]:
        """One thread at a time; those behind it hear what it waits for.

        Raises:
            Cancelled: `cancel` was set meanwhile.
        """
        heard = None
        while not self._lock.acquire(timeout=0.1):
            if cancel is not None and cancel.is_set():
                raise Cancelled("the pull was cancelled")
            wait = self._wait
            if wait is not None and wait != heard and waiting is not None:
                heard = wait
                waiting(wait[0], max(0.0, wait[1] - self._http.clock.monotonic()))
        try:
            yield
        finally:
            self._wait = None
            self._lock.release()

    def _telling(self, why: str, seconds: float, waiting: Waiting | None) -> Callable[[], None]:
        """Says what is waited for: to whoever asked to know, else to everyone."""

        def tell() -> None:
            self._wait = why, self._http.clock.monotonic() + seconds
            level = logging.WARNING if waiting is None else logging.INFO
            _log.log(level, "waiting up to %.0f s for an access token: %s", seconds, why)
            if waiting is not None:
                waiting(why, seconds)

        return tell

    def _stored(self, refused: Secret | None) -> Held | None:
        """A good token that is ours or the store's, and is not the one just refused.

        Raises:
            AuthError: there is none, and asking KIS for one is known not to help yet.
        """
        now = self._http.clock.time()
        dead: Held | None = None
        for held in (self._held, self._store.read()):
            if held is None:
                continue
            useless = held.token == refused if refused else not self._lasts(held)
            # Said to hold for longer than we ever note: the clock was set back since.
            if held.token and useless and 0 < held.dead_until - now <= _REPEATED_FOR:
                dead = held
            if not self._lasts(held):
                continue
            if held.refused:
                if held.until - now > _MARGIN + _REFUSED_FOR:
                    continue
                raise self._refusal(held.refused, remembered=True)
            if held.token is not None and held.token != refused:
                return held
        if dead is not None:
            raise self._dead(dead.dead_until)
        return None

    def _issue(
        self, refused: Secret | None, cancel: threading.Event | None, waiting: Waiting | None
    ) -> Held:
        """Ask KIS for a token; wait out the minute if it was asked too soon."""
        clock = self._http.clock
        deadline = clock.monotonic() + 2 * _MINUTE
        pause = 0.5
        tries = self._settings.retries
        while True:
            if (other := self._await_other(refused, cancel, waiting)) is not None:
                return other
            reply = self._http.exchange(self._token_call(), cancel)
            why = reply.why if isinstance(reply, NoReply) else ""
            if isinstance(reply, Reply):
                answer = self._read(reply)
                if answer.token is not None:
                    return self._accept(answer, refused)
                if answer.code == _TOO_SOON:
                    self._not_before = clock.monotonic() + _MINUTE
                    if clock.monotonic() < deadline:
                        continue
                why = self._refused(answer, reply.status)
            if tries <= 0 or (isinstance(reply, NoReply) and not reply.again):
                raise TransportError(
                    f"no token from {self._http.host}: {why}; the credentials were not refused, "
                    "so try again later"
                )
            tries -= 1
            clock.sleep(pause, cancel)
            pause = min(2 * pause, 8)

    def _accept(self, answer: _Answer, refused: Secret | None) -> Held:
        """Store the token that was issued.

        Raises:
            AuthError: it is the one that was just refused.
        """
        held = Held(answer.token, answer.until)
        if answer.token == refused:
            held = replace(held, dead_until=self._dead_until(answer.issued))
        self._store.write(held)
        self._held = held
        if held.dead_until:
            raise self._dead(held.dead_until)
        return held

    def _dead_until(self, issued: float | None) -> float:
        now = self._http.clock.time()
        if issued is not None and now - _REPEATED_FOR < issued <= now + _MARGIN:
            return min(issued, now) + _REPEATED_FOR
        return now + _DEAD_FOR

    def _refused(self, answer: _Answer, status: int) -> str:
        """What to say of a refusal after which it may be asked again.

        Raises:
            AuthError: it may not.
        """
        if answer.code in REFUSED:
            until = self._http.clock.time() + _MARGIN + _REFUSED_FOR
            self._store.write(Held(None, until, answer.code))
            raise self._refusal(answer.code, remembered=False)
        code = answer.code[:50]
        why = f"HTTP {status} {code} {answer.text[:300]}".strip()
        if answer.code == _TOO_SOON:
            raise AuthError(
                f"KIS issued no token: {why}. It went on saying so after the minute that its rule "
                "names, which has lasted up to nine; a token got before stays good meanwhile. Pull "
                "again in some minutes, and look for other programs that use this app key",
                code=code,
            )
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

    def _read(self, reply: Reply) -> _Answer:
        """What the token call said, scrubbed: of an error raised where the answer is at hand, a
        traceback shows it whole.
        """
        told = _read_answer(reply, self._http.clock.time())
        code, text = self._scrubber.scrub(told.code), self._scrubber.scrub(told.text)
        return replace(told, code=code, text=text)

    def _await_other(
        self, refused: Secret | None, cancel: threading.Event | None, waiting: Waiting | None
    ) -> Held | None:
        """When another program had a token issued within the minute: take it if it stores it, else
        return after the minute.
        """
        clock = self._http.clock
        left = self._not_before - clock.monotonic()
        if left > 0:
            self._telling(_ONE_A_MINUTE, left, waiting)()
        while clock.monotonic() < self._not_before:
            clock.sleep(1, cancel)
            if (held := self._stored(refused)) is not None:
                return held
        return None

    def _dead(self, until: float) -> AuthError:
        """KIS gave a token back that it refuses."""
        again = datetime.fromtimestamp(until, KST)
        issued = again - timedelta(seconds=_REPEATED_FOR)
        known = until - self._http.clock.time() > _DEAD_FOR
        said = (
            f"It was issued about {issued:%H:%M}, so another can be had from {again:%H:%M} (Korean "
            "time)"
            if known
            else f"KIS is asked again after {again:%H:%M} (Korean time)"
        )
        return AuthError(
            "KIS refused its own token and, asked for a new one, gave the same one again, as it "
            f"does for six hours after an issue. {said}; until then nothing is gained by asking. "
            f"Check that this app key belongs to {self._http.host}, or use another app key of the "
            "same account"
        )

    def _refusal(self, code: str, *, remembered: bool) -> AuthError:
        ago = (
            f" (as KIS said within the last {_REFUSED_FOR / 60:.0f} minutes; it is not asked again "
            "so soon, since that can lock the key out)"
            if remembered
            else ""
        )
        return AuthError(
            f"KIS refused these credentials: {REFUSED[code]} ({code}){ago}. Check app_key and "
            "app_secret: both must be of the same app, for live trading",
            code=code,
        )


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the token call said. `issued`: a day before the token's own end, as KIS reckons it."""

    token: Secret | None = None
    until: float = 0.0
    code: str = ""
    text: str = ""
    issued: float | None = None


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
        body = read_loose_refusal(reply.body)
    if not isinstance(body, dict):
        return _Answer()
    token = body.get("access_token")
    if not isinstance(token, str) or not SENDABLE.fullmatch(token.strip()):
        code = word(body.get("error_code")) or word(body.get("msg_cd"))
        text = word(body.get("error_description")) or word(body.get("msg1"))
        return _Answer(code=code, text=text.strip())
    ends: list[float] = []
    issued: float | None = None
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        ends.append(now + int(body["expires_in"]))
    with suppress(KeyError, TypeError, ValueError):
        # Korean local time without a zone. An issue within 6 hours gives back the same token, and
        # this end, unlike expires_in, is then surely the token's own.
        local = datetime.fromisoformat(body["access_token_token_expired"])
        end = local.replace(tzinfo=KST).timestamp()
        ends.append(end)
        issued = end - _DAY
    # A token just issued has hours to live. An end before that was reckoned with a clock of ours
    # that is days ahead, and would have every single call ask for a token.
    ends = [end for end in ends if end > now + 3600]
    return _Answer(token=Secret(token.strip()), until=min(ends, default=now + 3600), issued=issued)
