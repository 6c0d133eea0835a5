"""Parse a product's short code (``shtn_pdno``) and its name (``prdt_name``), each alone.

`kis_nb._frames.products` combines the two.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from kis_nb._frames.product_lines import PRODUCT_LINES

Kind: TypeAlias = Literal["future", "call", "put", "spread"]

# The two characters after the kind.
_CODES = {
    "01": "KOSPI 200",
    "05": "KOSPI 200 mini",
    "09": "KOSPI 200 weekly Thu",
    "AF": "KOSPI 200 weekly Mon",
    "06": "KOSDAQ 150",
    "AJ": "KOSDAQ 150 weekly Thu",
    "AK": "KOSDAQ 150 weekly Mon",
    "75": "USD/KRW",
}
# Digits are the scheme until 2025, letters today's.
_KINDS: dict[str, Kind] = {
    "1": "future",
    "2": "call",
    "3": "put",
    "4": "spread",
    "A": "future",
    "B": "call",
    "C": "put",
    "D": "spread",
}
_LETTERS: dict[str, Kind] = {"F": "future", "C": "call", "P": "put", "SP": "spread"}

# The exchange's year characters run 1996 to 2025 and then over again: 6 to 9, 0 to 5, and the
# alphabet without I, O and U. So a letter of the old scheme is a year from 2006 (A) to 2025 (W),
# and a digit of today's scheme, which began in 2026, one from 2026 (6) to 2035 (5). An old code
# with a digit would be of 1996 to 2005, before KIS had this service, and today's with a letter of
# 2036 or later: neither is read.
_OLD_YEARS = {letter: 2006 + n for n, letter in enumerate("ABCDEFGHJKLMNPQRSTVW")}
_NEW_YEARS = {digit: 2026 + n for n, digit in enumerate("6789012345")}

_CODE = re.compile(
    r"(?P<kind>[1-4A-D])(?P<product>[0-9A-Z]{2})(?P<term>[0-9A-Z]{3})?(?P<tail>[0-9A-Z]*)", re.ASCII
)

# The letters right before the expiry say the kind; only blanks may stand between. A digit may
# stand before them (코스닥150F), another Latin letter may not. No \s for the digits' sake: names
# are padded with blanks of full width too, which only Unicode's \s knows.
_NAME = re.compile(
    r"(?<![A-Za-z])(?:"
    r"(?P<spread>SP)\s*(?P<legs>(?:20)?[0-9]{2}(?:0[1-9]|1[0-2])-(?:20)?[0-9]{2}(?:0[1-9]|1[0-2]))"
    r"|(?P<letter>[FCP])\s*"
    r"(?P<term>20[0-9]{2}(?:0[1-9]|1[0-2])|[0-9]{2}(?:0[1-9]|1[0-2])W[0-9])"
    r")(?![0-9A-Za-z])"
    r"(?:\s+(?P<strike>[0-9]{1,3}(?:,[0-9]{3}){1,2}(?:\.[0-9]{1,4})?|[0-9]{1,6}(?:\.[0-9]{1,4})?)"
    r"(?=[\s(]|$))?"
)
# The text before those letters, without blanks. With other words the code decides the product.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), product)
    for pattern, product in (
        ("코스피200|KOSPI200", "KOSPI 200"),
        ("미니(?:(?:코스피|KOSPI)(?:200)?)?", "KOSPI 200 mini"),
        ("(?:(?:코스피|KOSPI)(?:200)?)?위클리", "KOSPI 200 weekly Thu"),
        ("(?:(?:코스피|KOSPI)(?:200)?)?위클리M", "KOSPI 200 weekly Mon"),
        ("코스닥150", "KOSDAQ 150"),
        ("코스닥(?:150)?위클리", "KOSDAQ 150 weekly Thu"),
        ("코스닥(?:150)?위클리M", "KOSDAQ 150 weekly Mon"),
        ("미국달러", "USD/KRW"),
        # Index futures that are not supported.
        ("변동성|고배당50", ""),
    )
)


class ParsedText(NamedTuple):
    """What one text says about a product; None is not said.

    Attributes:
        kind: future, call, put or spread.
        product: as of `kis_nb._frames.products.Product`; "" is a product that is not supported,
            and ``bare`` a name without a word for the product.
        term: ``202612``, a weekly's ``2609W4``, a spread's ``2612-2703``.
        strike: of an option, in points.
        weekly: whether the term is a week.
    """

    kind: Kind | None = None
    product: str | None = None
    term: str | None = None
    strike: Decimal | None = None
    weekly: bool | None = None


@lru_cache(maxsize=4_096)
def read_code(text: str) -> ParsedText:
    """Parse a short code such as ``A01612``; an unknown one gives None throughout."""
    found = _CODE.fullmatch(text)
    if found is None:
        return ParsedText(kind=_KINDS.get(text[:1]))
    kind = _KINDS[found["kind"]]
    product = _CODES.get(found["product"], "")
    weekly = PRODUCT_LINES[product].weekly if product else None
    term = strike = None
    # A weekly's three characters (FEW) number its series and hold no date.
    if found["term"] and not weekly and kind != "spread":
        years = _OLD_YEARS if text[0].isdigit() else _NEW_YEARS
        year, month = years.get(found["term"][0]), found["term"][1:]
        if year is not None and re.fullmatch("0[1-9]|1[0-2]", month, re.ASCII):
            term = f"{year}{month}"
    # Whole points below 1,000, with the half of 572.5 cut off: only a strike that ends in 0 or 5 is
    # sure to be whole. From 1,000 up the characters are a serial.
    if kind in ("call", "put") and re.fullmatch("[0-9]{2}[05]", found["tail"], re.ASCII):
        strike = Decimal(found["tail"]) or None
    return ParsedText(kind, product, term, strike, weekly)


def whole_points(text: str) -> int | None:
    """The strike in a short code's last three characters, its half point cut off."""
    tail = text[6:]
    return int(tail) if re.fullmatch("[0-9]{3}", tail, re.ASCII) else None


@lru_cache(maxsize=4_096)
def read_name(text: str) -> ParsedText:
    """Parse a name such as ``F 202612``; nothing when two parts of it could be the expiry."""
    several = list(_NAME.finditer(text))
    if len(several) != 1:
        return ParsedText()
    found = several[0]
    words = "".join(text[: found.start()].split())
    product = next((p for pattern, p in _WORDS if pattern.fullmatch(words)), None)
    if found["spread"]:
        return ParsedText("spread", product, found["legs"], None, weekly=False)
    kind = _LETTERS[found["letter"]]
    strike = None
    if kind != "future" and found["strike"]:
        strike = Decimal(found["strike"].replace(",", "")) or None
    weekly = "W" in found["term"]
    if not words and not weekly:
        # KIS's names of the main contracts have no word in front. That is weak evidence, so the
        # code decides first.
        product = "bare"
    return ParsedText(kind, product, found["term"], strike, weekly)
