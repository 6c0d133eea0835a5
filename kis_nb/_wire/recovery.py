"""KIS's error codes: what the client does about each, and what a person can do.

Codes and remedies are from KIS's published tables and from reports about the live service. The HTTP
status alone says little: the same code has come with 200 and with 500.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto


class Recovery(Enum):
    """What the client does about an error code."""

    # Retry at half the rate.
    SLOWER = auto()
    # Retry, one call a second at first: KIS's ledger behind the gateway has a limit of its own.
    SPACED = auto()
    # Get a new token and retry the same page, once.
    NEW_TOKEN = auto()
    # Retry after a pause.
    AGAIN = auto()
    # Discard the pages and begin at the first.
    START_OVER = auto()
    # Stop: the app key or secret is wrong, and further calls can lock it out.
    KEY = auto()
    # Stop: the account number or its product is wrong, or the key is for another account.
    ACCOUNT = auto()
    # Stop: the request or the host is wrong.
    REQUEST = auto()
    # Stop: a permission must be applied for on the KIS Developers page.
    PORTAL = auto()
    # Stop: no remedy is known.
    NOTHING = auto()


RETRIED = {Recovery.SLOWER, Recovery.SPACED, Recovery.AGAIN}
# A person must change something before the call can succeed.
FINAL = {Recovery.KEY, Recovery.ACCOUNT, Recovery.REQUEST, Recovery.PORTAL}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error code means.

    Attributes:
        recovery: what the client does about it.
        hint: what a person can do, as part of a sentence; "" for none.
    """

    recovery: Recovery
    hint: str = ""


# Without an example number, which a search for leaked account numbers would find.
_OWN_KEY = (
    "an app key belongs to one account; to add another account's own key, pass connect(keys="
    '[{"name": ..., "app_key": ..., "app_secret": ..., "account": ...}, ...]), set '
    "KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2, or list it under accounts: in "
    "kis_devlp.yaml"
)
_NUMBER = "check the account number, and that its product is 03 (futures and options)"
_APPLY = "apply for it on the KIS Developers page"
_PAPER = "this call has no paper version: use the live host and a live key"
_TR_ID = "the tr_id is not known at this host: check tr_id and base_url"
_ADDRESS = "this computer's IP address is not the registered one; companies send theirs as ip_addr"

_TABLE: dict[str, Meaning] = {
    "EGW00201": Meaning(Recovery.SLOWER),
    "EGW00215": Meaning(Recovery.SPACED),
    "SYDB0050": Meaning(Recovery.START_OVER),
    **dict.fromkeys(("EGW00121", "EGW00122", "EGW00123"), Meaning(Recovery.NEW_TOKEN)),
    **dict.fromkeys(
        (
            *("EGW00001", "EGW00002", "EGW00202", "EGW00203", "EGW00204", "EGW00300", "EGW00301"),
            *("EGW00302", "EGW00316", "OPSQ0003", "OPSQ1002", "90020000"),
            # Errors of the processing behind the gateway (MCI).
            *(f"OPSQ{number:04}" for number in range(4, 12)),
        ),
        Meaning(Recovery.AGAIN),
    ),
    # --- app key and secret
    **dict.fromkeys(
        ("EGW00103", "EGW00105"),
        Meaning(Recovery.KEY, "check app_key and app_secret"),
    ),
    "EGW00304": Meaning(
        Recovery.KEY,
        "the app secret is wrong or cut short, which a new token does not change: check app_secret",
    ),
    "EGW02004": Meaning(
        Recovery.KEY,
        "this app key is for paper trading and base_url is the live host: use a live key",
    ),
    "EGW02007": Meaning(
        Recovery.KEY,
        "this app key is for live trading and base_url is the paper host, which does not offer "
        "this call: use the live host",
    ),
    # --- account
    "OPSQ2000": Meaning(Recovery.ACCOUNT, f"check the account number: {_OWN_KEY}"),
    "IGW00002": Meaning(Recovery.ACCOUNT, f"this key is another account's: {_OWN_KEY}"),
    "KIOK0560": Meaning(Recovery.ACCOUNT, f"nothing is kept under this account: {_NUMBER}"),
    **dict.fromkeys(
        ("APAC0071", "APAC0134"),
        Meaning(Recovery.ACCOUNT, f"there is no such account for this market: {_NUMBER}"),
    ),
    "SKFT2101": Meaning(Recovery.ACCOUNT, f"this is no futures account: {_NUMBER}"),
    "APBK1271": Meaning(Recovery.ACCOUNT, f"the product after the number does not fit: {_NUMBER}"),
    **dict.fromkeys(
        ("APAC0489", "APBK1617"),
        Meaning(Recovery.ACCOUNT, f"this call is not for this kind of account: {_NUMBER}"),
    ),
    "90070000": Meaning(
        Recovery.ACCOUNT, "the paper account is not this user's: check the account number"
    ),
    # --- request
    "APMP0001": Meaning(Recovery.REQUEST, "a parameter is missing or blank"),
    "OPSQ2001": Meaning(Recovery.REQUEST, "a value was not accepted"),
    **dict.fromkeys(("OPSQ0002", "EGW00310", "EGW00356"), Meaning(Recovery.REQUEST, _TR_ID)),
    **dict.fromkeys(("EGW02006", "EGW00213"), Meaning(Recovery.REQUEST, _PAPER)),
    "EGW00205": Meaning(
        Recovery.REQUEST,
        "the token's header was not accepted, as when a live tr_id is sent to the paper host: "
        "check base_url, tr_id and token",
    ),
    "EGW00131": Meaning(Recovery.REQUEST, "the hashkey was not accepted"),
    "EGW00132": Meaning(Recovery.REQUEST, "the Content-Type was not accepted; is a proxy between?"),
    **dict.fromkeys(("EGW00207", "EGW00303"), Meaning(Recovery.REQUEST, _ADDRESS)),
    # --- portal
    **dict.fromkeys(
        ("EGW00003", "EGW00004", "EGW00206"),
        Meaning(Recovery.PORTAL, f"this app key may not use the API: {_APPLY}"),
    ),
    **dict.fromkeys(
        (f"EGW0055{number}" for number in range(4)),
        Meaning(Recovery.PORTAL, f"the market's data is not subscribed to: {_APPLY}"),
    ),
    "APBK1631": Meaning(Recovery.NOTHING, "nothing is found under this code"),
}

# "Calls a second": part of the text of EGW00201, which has come with EGW00215 and other codes too.
_TOO_MANY = "초당거래건수"


def meaning_of(code: str, text: str) -> Meaning:
    """What a refusal means, by its code; one for the call rate also by its text.

    Args:
        code: `msg_cd`, or the token call's `error_code`; "" when there is none.
        text: `msg1`, or the token call's `error_description`.
    """
    if code != "EGW00201" and _TOO_MANY in "".join(text.split()):
        return _TABLE["EGW00215"]
    return _TABLE.get(code, Meaning(Recovery.NOTHING))


# Refusals are short; a page of rows is not searched.
_LONGEST_REFUSAL = 4096
_PAIR = re.compile(
    r"""(?:^\{|,)\s{0,9}["']?
        (rt_cd|msg_cd|msg1|error_code|error_description)
        ["']?\s{0,9}:\s{0,9}(?:"([^"]{0,400})"|'([^']{0,400})'|(\d{1,9}))""",
    re.VERBOSE,
)

# JSON's escapes, undone because a scrubber does not find "a\/b" when the secret is "a/b".
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)


def _unescaped(found: re.Match[str]) -> str:
    if found[1] is None:
        return " " if found[2] in "bfnrt" else found[2]
    letter = chr(int(found[1], 16))
    # Half a surrogate pair cannot be written out.
    return "?" if "\ud800" <= letter <= "\udfff" else letter


def read_loose_refusal(body: bytes) -> dict[str, str]:
    """The fields of a refusal that is no strict JSON, such as ``{rt_cd:"1",msg_cd:"X"}``.

    KIS's gateway sends such bodies. Empty unless it is surely a refusal: it must be short, hold no
    rows, have a code, and an `rt_cd` other than 0 (or the token call's `error_code`). Of a repeated
    field the first one counts.
    """
    text = body[: _LONGEST_REFUSAL + 1].decode("utf-8", "replace").strip()
    if len(body) > _LONGEST_REFUSAL or not text.startswith("{") or "output" in text:
        return {}
    found: dict[str, str] = {}
    for name, *values in _PAIR.findall(text):
        found.setdefault(name, _ESCAPE.sub(_unescaped, next(filter(None, values), "")).strip())
    refused = found.get("rt_cd", "0") != "0" and found.get("msg_cd")
    return found if refused or found.get("error_code") else {}
