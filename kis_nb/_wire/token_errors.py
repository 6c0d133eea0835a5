"""The errors about access tokens: what happened, since when, and what a person can do."""

from __future__ import annotations

from datetime import datetime, timedelta

from kis_nb._errors import AuthError
from kis_nb._seoul import KST

# For so long after an issue KIS gives the same token again.
REPEATED_FOR = 6 * 3600.0
# A refused key or secret is not tried again for this long, by any process: repeated attempts have
# locked customers out for hours.
REFUSED_FOR = 600.0
# When KIS gave a refused token again and its time of issue is not known: the pause before KIS is
# asked anew.
SAME_TOKEN_PAUSE = 600.0
# Refusals of the credentials themselves.
REFUSED = {
    "EGW00103": "the app key is not known",
    "EGW00105": "the app secret does not fit the app key",
}


def given_token_refused() -> AuthError:
    """KIS refused the token that the user passed."""
    return AuthError(
        "KIS refused the token that was passed (expired, or of another host or app "
        "key); pass a new one as token=, or leave it out to have one issued"
    )


def credentials_refused(code: str, *, remembered: bool) -> AuthError:
    """KIS refused the app key or secret; `remembered`: now, or as the token store notes."""
    ago = (
        f" (as KIS said within the last {REFUSED_FOR / 60:.0f} minutes; it is not asked again "
        "so soon, since that can lock the key out)"
        if remembered
        else ""
    )
    return AuthError(
        f"KIS refused these credentials: {REFUSED[code]} ({code}){ago}. Check app_key and "
        "app_secret: both must be of the same app, for live trading",
        code=code,
    )


def same_token_again(until: float, now: float, host: str) -> AuthError:
    """KIS refused a token and, asked for a new one, gave the same one again.

    Args:
        until: before this there is no use in asking; seconds since 1970.
        now: likewise.
        host: the gateway's, for people.
    """
    again = datetime.fromtimestamp(until, KST)
    issued = again - timedelta(seconds=REPEATED_FOR)
    known = until - now > SAME_TOKEN_PAUSE
    when = (
        f"It was issued about {issued:%H:%M}, so another can be had from {again:%H:%M} (Korean "
        "time)"
        if known
        else f"KIS is asked again after {again:%H:%M} (Korean time)"
    )
    return AuthError(
        "KIS refused its own token and, asked for a new one, gave the same one again, as it "
        f"does for six hours after an issue. {when}; until then nothing is gained by asking. "
        f"Check that this app key belongs to {host}, or use another app key of the "
        "same account"
    )


def asked_too_soon(code: str, why: str) -> AuthError:
    """KIS went on refusing to issue a token after the minute that its rule names."""
    return AuthError(
        f"KIS issued no token: {why}. It went on saying so after the minute that its rule "
        "names, which has lasted up to nine; a token got before stays good meanwhile. Pull "
        "again in some minutes, and look for other programs that use this app key",
        code=code,
    )
