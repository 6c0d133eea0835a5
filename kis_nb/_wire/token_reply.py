"""What KIS answers when it is asked for an access token."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kis_nb._seoul import KST
from kis_nb._wire.config import SENDABLE
from kis_nb._wire.http import Reply
from kis_nb._wire.page_json import NotJson, parse, text_of
from kis_nb._wire.recovery import read_loose_refusal
from kis_nb._wire.secrets import Secret

_DAY = 86_400.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class TokenReply:
    """A token, or the error that came instead; neither for HTML and the like.

    Attributes:
        token: the access token; None when none was issued.
        until: its end, seconds since 1970.
        code, text: the error's code and message, "" without one.
        issued: when it was issued by KIS's clock, a day before the end that KIS names; None when
            KIS names none.
    """

    token: Secret | None = None
    until: float = 0.0
    code: str = ""
    text: str = ""
    issued: float | None = None


def read_token_reply(reply: Reply, now: float) -> TokenReply:
    """The token with the earlier of the two ends that KIS names, or the error.

    Args:
        reply: to ``POST /oauth2/tokenP``.
        now: seconds since 1970.
    """
    try:
        body = parse(reply.body)
    except NotJson:
        body = read_loose_refusal(reply.body)
    if not isinstance(body, dict):
        return TokenReply()
    token = body.get("access_token")
    if not isinstance(token, str) or not SENDABLE.fullmatch(token.strip()):
        code = text_of(body.get("error_code")) or text_of(body.get("msg_cd"))
        text = text_of(body.get("error_description")) or text_of(body.get("msg1"))
        return TokenReply(code=code, text=text.strip())
    ends: list[float] = []
    issued: float | None = None
    with suppress(KeyError, TypeError, ValueError, OverflowError):
        ends.append(now + int(body["expires_in"]))
    with suppress(KeyError, TypeError, ValueError):
        # Korean local time without a zone. When KIS gives an earlier token again, this is that
        # token's end, while expires_in may be a new one's.
        local = datetime.fromisoformat(body["access_token_token_expired"])
        end = local.replace(tzinfo=KST).timestamp()
        ends.append(end)
        issued = end - _DAY
    # A token just issued has hours to live. An end before that means that this computer's clock is
    # days ahead; with it, every single call would ask for a new token.
    ends = [end for end in ends if end > now + _HOUR]
    return TokenReply(
        token=Secret(token.strip()), until=min(ends, default=now + _HOUR), issued=issued
    )
