"""The weekdays of 2025 to 2028 on which the exchange is closed.

Written out because the package that knows them takes a third of a second to load; a test holds the
table equal to the client's calendar. In other years the demo has no holidays.
"""

from __future__ import annotations

from datetime import date

_MONTHS_AND_DAYS = {
    2025: "0101 0127 0128 0129 0130 0303 0501 0505 0506 0603 0606 0815 1003 1006 1007 1008 1009"
    " 1225 1231",
    2026: "0101 0216 0217 0218 0302 0501 0505 0525 0603 0717 0817 0924 0925 1005 1009 1225 1231",
    2027: "0101 0208 0209 0301 0503 0505 0513 0719 0816 0914 0915 0916 1004 1011 1227 1231",
    2028: "0126 0127 0128 0301 0412 0501 0502 0505 0606 0717 0815 1002 1003 1004 1005 1009 1225"
    " 1229",
}

CLOSED_DAYS = frozenset(
    date(year, int(text[:2]), int(text[2:]))
    for year, listed in _MONTHS_AND_DAYS.items()
    for text in listed.split()
)
