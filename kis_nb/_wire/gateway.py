"""One KIS call: headers, parameters, token renewal, and what is done about an error.

`Gateway.page` returns a good page, or raises a typed error that says what to do about it.
"""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kis_nb._errors import (
    ApiError,
    AuthError,
    DecodeError,
    KisError,
    RateLimitError,
    TransportError,
)
from kis_nb._schema.endpoint import Endpoint
from kis_nb._wire.auth import OnWait, Tokens
from kis_nb._wire.config import Settings
from kis_nb._wire.http import Call, Http, NoReply, Reply
from kis_nb._wire.page_json import NotJson, PageBody, text_of
from kis_nb._wire.recovery import RETRIED, Recovery, meaning_of, read_loose_refusal
from kis_nb._wire.secrets import Hidden, Scrubber, Secret


class DataChanged(Exception):
    """SYDB0050: the account changed between pages, so paging must start over."""


@dataclass(frozen=True, slots=True)
class Page:
    """A good reply: ``rt_cd`` is 0.

    Attributes:
        body: the page's JSON, an object.
        more: whether the header ``tr_cont`` promises more pages; None when it does not tell.
        tr_cont: that header, "" when missing.
        keys: the cursors for the next page, in the order of `Endpoint.cursors`, padded as they
            came, since they are sent back as they came. Secret: they repeat the account number.
    """

    body: PageBody = field(repr=False)
    more: bool | None
    tr_cont: str
    keys: tuple[Secret, ...]


class Gateway:
    """Calls endpoints for one app key. Safe to share between threads."""

    def __init__(
        self,
        settings: Settings,
        http: Http,
        tokens: Tokens,
        scrubber: Scrubber,
        *,
        chance: random.Random | None = None,
    ) -> None:
        """`chance` is for tests that must know the waits; see `page`."""
        self._settings = settings
        self._http = http
        self._tokens = tokens
        self._scrubber = scrubber
        # Jitter: programs that failed together must not all retry at the same moment.
        self._chance = chance or random.Random()

    def page(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        *,
        follow_up: bool,
        cancel: threading.Event | None = None,
        on_wait: OnWait | None = None,
    ) -> Page:
        """One page. Errors that may pass are retried with a growing, jittered pause.

        Args:
            endpoint: which call; its `tr_id` is sent.
            params: values of `Endpoint.params`; those left out are sent blank.
            follow_up: this asks for a further page (header ``tr_cont: N``).
            cancel: stops the waits when set.
            on_wait: called when an access token must be waited for.

        Raises:
            DataChanged: start over from the first page.
            AuthError: the credentials or the token were refused.
            RateLimitError: too many calls, through all retries.
            ApiError: KIS refused the call itself.
            TransportError: no good reply came, through all retries.
            DecodeError: the reply is JSON, but no KIS reply.
            Cancelled: `cancel` was set.
        """
        token = self._tokens.get(cancel, on_wait)
        renewed = False
        tries = self._settings.retries
        pause = 0.5
        while True:
            call = Call(
                "GET",
                endpoint.path,
                Hidden(self._headers(endpoint, token, follow_up=follow_up)),
                Hidden({name: params.get(name, "") for name in endpoint.params}),
            )
            reply = self._http.exchange(call, cancel)
            outcome = self._judge(reply, endpoint)
            if isinstance(outcome, Page):
                return outcome
            recovery, error = outcome
            if recovery is Recovery.START_OVER:
                raise DataChanged
            if recovery is Recovery.NEW_TOKEN and not renewed:
                renewed = True
                token = self._tokens.renew(token, cancel, on_wait)
                continue
            wait = pause
            if recovery in {Recovery.SLOWER, Recovery.SPACED}:
                self._http.rate.slow_down(ledger=recovery is Recovery.SPACED)
                wait = max(pause, 1.0)
            if recovery not in RETRIED or tries <= 0:
                raise error
            tries -= 1
            self._http.clock.sleep(wait * self._chance.uniform(1.0, 1.5), cancel)
            pause = min(2 * pause, 8)

    def _headers(self, endpoint: Endpoint, token: Secret, *, follow_up: bool) -> dict[str, str]:
        settings = self._settings
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "authorization": f"Bearer {token.reveal()}",
            "appkey": settings.app_key.reveal(),
            "appsecret": settings.app_secret.reveal(),
            "tr_id": endpoint.tr_id,
            "tr_cont": "N" if follow_up else "",
            "custtype": settings.custtype,
        }
        if settings.mac_address:
            headers["mac_address"] = settings.mac_address
        if settings.custtype == "B":
            headers |= {key: value.reveal() for key, value in settings.corporate.items()}
            headers["gt_uid"] = uuid.uuid4().hex
        return headers

    def _judge(
        self, reply: Reply | NoReply, endpoint: Endpoint
    ) -> Page | tuple[Recovery, KisError]:
        """The page, or what to do about the error that came instead, with the exception for it."""
        host = self._http.host
        if isinstance(reply, NoReply):
            error: KisError = TransportError(f"{endpoint.path} at {host}: {reply.why}")
            return (Recovery.AGAIN if reply.again else Recovery.NOTHING), error
        try:
            body = PageBody(reply.body)
        except NotJson:
            if refusal := read_loose_refusal(reply.body):
                return self._error(refusal, reply, endpoint)
            what = "an empty body" if not reply.body.strip() else "no JSON"
            return Recovery.AGAIN, TransportError(
                f"{endpoint.path} at {host}: HTTP {reply.status} with {what}, as gateways and "
                "proxies answer during maintenance; try again later",
                status=reply.status,
            )
        if not isinstance(body.value, dict):
            return self._error({}, reply, endpoint)
        if text_of(body.value.get("rt_cd")) == "0":
            return _read_page(body, reply, endpoint)
        return self._error(body.value, reply, endpoint)

    def _error(
        self, body: Mapping[str, Any], reply: Reply, endpoint: Endpoint
    ) -> tuple[Recovery, KisError]:
        rt_cd = self._text(body.get("rt_cd"))
        code = self._text(body.get("msg_cd") or body.get("error_code"))
        msg1 = self._text(body.get("msg1") or body.get("error_description"))
        said = f"KIS answered {code or 'without a code'} (HTTP {reply.status})" + (
            f": {msg1}" if msg1 else ""
        )
        tr_id = endpoint.tr_id
        meaning = meaning_of(code, msg1)
        recovery = meaning.recovery
        hint = f"; {meaning.hint}" if meaning.hint else ""
        if not code and recovery is Recovery.NOTHING:
            if reply.status >= 500:
                return Recovery.AGAIN, TransportError(f"{tr_id}: {said}", status=reply.status)
            return Recovery.NOTHING, DecodeError(
                f"{tr_id}: HTTP {reply.status} with JSON that is no KIS answer (rt_cd is missing)"
            )
        match recovery:
            case Recovery.SLOWER:
                return recovery, RateLimitError(
                    f"{tr_id}: {said}. Another program may use this app key, or its limit is "
                    "lower than calls_per_second: pass a smaller one"
                )
            case Recovery.SPACED:
                return recovery, RateLimitError(
                    f"{tr_id}: {said}. KIS's ledger takes fewer calls than its gateway, about one "
                    "a second for an account when it is busy, and refused this one each time: try "
                    "again later, with fewer programs at this account"
                )
            case Recovery.NEW_TOKEN:
                return recovery, AuthError(
                    f"{tr_id}: {said}. A new token was refused as well; check that base_url and "
                    "app_key belong together",
                    code=code,
                )
            case Recovery.KEY:
                return recovery, AuthError(f"{tr_id}: {said}{hint}", code=code)
            case Recovery.AGAIN:
                return recovery, TransportError(
                    f"{tr_id}: {said}, and again when asked again; try later",
                    status=reply.status,
                    code=code,
                )
            case _:
                return recovery, ApiError(
                    f"{tr_id}: {said} [rt_cd {rt_cd or '-'}]{hint}",
                    rt_cd=rt_cd,
                    msg_cd=code,
                    msg1=msg1,
                    tr_id=tr_id,
                )

    def _text(self, value: object) -> str:
        """A reply's text, trimmed, scrubbed and of a length to show."""
        return self._scrubber.scrub(" ".join(text_of(value).split()))[:300]


_TR_CONT = {"F": True, "M": True, "D": False, "E": False}


def _read_page(
    body: PageBody, reply: Reply, endpoint: Endpoint
) -> Page | tuple[Recovery, KisError]:
    tr_cont = reply.headers.get("tr_cont", "").strip()
    keys = tuple(body.value.get(cursor.lower()) or "" for cursor in endpoint.cursors)
    if not all(isinstance(key, str) for key in keys):
        return Recovery.NOTHING, DecodeError(
            f"{endpoint.path}: {' or '.join(endpoint.cursors)} is not text"
        )
    return Page(body, _TR_CONT.get(tr_cont), tr_cont, tuple(map(Secret, keys)))
