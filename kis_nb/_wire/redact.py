"""Keeps account numbers and keys out of addresses that are shown or logged."""

from __future__ import annotations

import logging
import re
from urllib.parse import urlsplit

# A part of an address that looks like a key: no host has a name like it.
_KEY_LIKE = re.compile(
    r"(?<![A-Za-z0-9+=%-])(?:[A-Za-z0-9]{30,}|(?=[A-Za-z0-9]*[+=%])[A-Za-z0-9+=%]{12,})"
    r"(?![A-Za-z0-9+=%-])"
)
# The parameters of a KIS call that hold the account number: CANO, and page keys of any length
# (CTX_AREA_FK100, CTX_AREA_NK200, …), which repeat it.
_ACCOUNT = re.compile(r"((?:CANO|CTX_AREA_[FN]K\d+)=\d{3})\d+")


def shown_host(base_url: str) -> str:
    """Host and port for people; anything in it that looks like a pasted key is masked."""
    return _KEY_LIKE.sub("<secret>", urlsplit(base_url).netloc)


class _HideAccount(logging.Filter):
    """Masks account numbers, and keys given as a host, in what urllib3 logs at level DEBUG: the
    address of each request.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = _ACCOUNT.sub(lambda found: f"{found[1]}*****", text)
        address, mark, query = hidden.partition("?")
        hidden = _KEY_LIKE.sub("<secret>", address) + mark + query
        if hidden != text:
            record.msg, record.args = hidden, None
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_HideAccount())
