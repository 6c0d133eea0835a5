"""What a product is: kind, product, underlying, term, strike and multiplier, and when it expires.

Imports the standard library.

KIS sends no field for any of these. They are read from ``shtn_pdno`` and ``prdt_name`` by the rules
of the exchange's codes and KIS's names, and what those leave open from KIS's master files, where
they are at hand. What nothing tells, and what code and name tell differently, is None: nothing is
guessed. All figures are `Decimal`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from kis_nb._balance import Balance

Kind: TypeAlias = Literal["future", "call", "put", "spread"]
Source: TypeAlias = Literal["master", "name", "code"]

# Digits to spare, and nothing of the user's own context.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[])


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        kind: future, call, put or spread.
        product: the line of contracts: ``KOSPI 200``, ``KOSPI 200 mini``,
            ``KOSPI 200 weekly Mon``, ``KOSPI 200 weekly Thu``, ``KOSDAQ 150``,
            ``KOSDAQ 150 weekly Mon``, ``KOSDAQ 150 weekly Thu``, ``USD/KRW``.
        underlying: ``KOSPI 200``, ``KOSDAQ 150``, ``USD/KRW``.
        expiry: the last trading day. A spread has two legs and none.
        term: how the contract is named: ``202612``, weekly ``2609W4``, a spread ``2612-2703``.
        strike: of an option, in points.
        multiplier: won a point, as the exchange sets it for the product.
        source: the last of code, name and master file that something was taken from.

    Each is None when nothing tells.
    """

    kind: Kind | None
    product: str | None
    underlying: str | None
    expiry: date | None
    term: str | None
    strike: Decimal | None
    multiplier: Decimal | None
    source: Source | None

    @property
    def option(self) -> bool:
        """Whether it is a call or a put."""
        return self.kind in ("call", "put")


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of KIS's master files.

    Attributes:
        shtn_pdno, pdno, prdt_name: short code, standard code and name.
        kind, product, underlying, strike: as of `Product`; what the line says beside its name.
    """

    shtn_pdno: str
    pdno: str
    prdt_name: str
    kind: Kind | None = None
    product: str | None = None
    underlying: str | None = None
    strike: Decimal | None = None


Master: TypeAlias = Mapping[str, Listed]


class _Line(NamedTuple):
    """Contracts of one product: what they are on, and won a point."""

    underlying: str
    multiplier: Decimal


_LINES = {
    "KOSPI 200": _Line("KOSPI 200", Decimal(250_000)),
    "KOSPI 200 mini": _Line("KOSPI 200", Decimal(50_000)),
    "KOSPI 200 weekly Thu": _Line("KOSPI 200", Decimal(250_000)),
    "KOSPI 200 weekly Mon": _Line("KOSPI 200", Decimal(250_000)),
    "KOSDAQ 150": _Line("KOSDAQ 150", Decimal(10_000)),
    "KOSDAQ 150 weekly Thu": _Line("KOSDAQ 150", Decimal(10_000)),
    "KOSDAQ 150 weekly Mon": _Line("KOSDAQ 150", Decimal(10_000)),
    "USD/KRW": _Line("USD/KRW", Decimal(10_000)),
}
UNDERLYINGS = tuple(dict.fromkeys(line.underlying for line in _LINES.values()))

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
# What stands before those letters, without blanks. Other words leave the product to the code.
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), product)
    for pattern, product in (
        ("코스피200|KOSPI200", "KOSPI 200"),
        ("미니(?:코스피(?:200)?)?", "KOSPI 200 mini"),
        ("(?:코스피(?:200)?)?위클리", "KOSPI 200 weekly Thu"),
        ("(?:코스피(?:200)?)?위클리M", "KOSPI 200 weekly Mon"),
        ("코스닥150", "KOSDAQ 150"),
        ("코스닥(?:150)?위클리", "KOSDAQ 150 weekly Thu"),
        ("코스닥(?:150)?위클리M", "KOSDAQ 150 weekly Mon"),
        ("미국달러", "USD/KRW"),
        # Index futures outside the table above: no product of ours.
        ("변동성|고배당50", ""),
    )
)


class _Told(NamedTuple):
    """What one text tells. `product` is "" for a product outside the table, None when not told;
    `weekly` whether the term is a week.
    """

    kind: Kind | None = None
    product: str | None = None
    term: str | None = None
    strike: Decimal | None = None
    weekly: bool | None = None


@lru_cache(maxsize=4_096)
def _code(text: str) -> _Told:
    """What a short code tells."""
    found = _CODE.fullmatch(text)
    if found is None:
        return _Told(kind=_KINDS.get(text[:1]))
    kind = _KINDS[found["kind"]]
    product = _CODES.get(found["product"], "")
    weekly = "weekly" in product if product else None
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
    return _Told(kind, product, term, strike, weekly)


def _whole_points(text: str) -> int | None:
    """The strike in a short code's last three characters, its half point cut off."""
    tail = text[6:]
    return int(tail) if re.fullmatch("[0-9]{3}", tail, re.ASCII) else None


@lru_cache(maxsize=4_096)
def _name(text: str) -> _Told:
    """What a name tells; nothing when two places in it could be the expiry."""
    several = list(_NAME.finditer(text))
    if len(several) != 1:
        return _Told()
    found = several[0]
    words = "".join(text[: found.start()].split())
    product = next((p for pattern, p in _WORDS if pattern.fullmatch(words)), None)
    if found["spread"]:
        return _Told("spread", product, found["legs"], None, weekly=False)
    kind = _LETTERS[found["letter"]]
    strike = None
    if kind != "future" and found["strike"]:
        strike = Decimal(found["strike"].replace(",", "")) or None
    weekly = "W" in found["term"]
    if not words and not weekly:
        # KIS's names of the main contracts have no word in front. As evidence it is weak, so
        # `_product` hears the code first.
        product = "bare"
    return _Told(kind, product, found["term"], strike, weekly)


def _one(first: Any, second: Any) -> Any:
    """What two sources tell together: what either tells alone, None when they contradict."""
    if first is None or second is None:
        return second if first is None else first
    return first if first == second else None


def _product(code: _Told, name: _Told) -> tuple[str | None, str | None, Decimal | None]:
    """Product, underlying and multiplier by code and name. Where these name two products, what the
    two have in common stays.
    """
    said = {p for p in (code.product, name.product) if p is not None}
    if "bare" in said:
        said.discard("bare")
        said = said or {"KOSPI 200"}
        if name.weekly is False and any("weekly" in p for p in said):
            said |= {"KOSPI 200"}
    # A week names no monthly product, a month no weekly one.
    shapes = {"weekly" in p for p in said if p} | {w for w in (name.weekly,) if w is not None}
    lines = [_LINES.get(p) for p in said]
    if not lines or None in lines:
        return None, None, None
    underlyings = {line.underlying for line in lines if line}
    multipliers = {line.multiplier for line in lines if line}
    return (
        next(iter(said)) if len(said) == 1 and len(shapes) == 1 else None,
        underlyings.pop() if len(underlyings) == 1 else None,
        multipliers.pop() if len(multipliers) == 1 else None,
    )


def _term(code: _Told, name: _Told) -> str | None:
    if code.weekly and name.weekly is False and name.kind != "spread":
        return None
    term: str | None = _one(code.term, name.term)
    return term


def _strike(text: str, code: _Told, name: _Told) -> Decimal | None:
    if name.strike is None:
        return code.strike
    points = _whole_points(text)
    if points is not None and name.strike < 1_000 and int(name.strike) != points:
        return None
    return name.strike


def kind_of(shtn_pdno: str | None, prdt_name: str | None) -> Kind | None:
    """The kind alone, as `read_product` has it without a master file; no calendar is loaded."""
    kind: Kind | None = _one(_code(_plain(shtn_pdno).upper()).kind, _name(_plain(prdt_name)).kind)
    return kind


def _plain(text: str | None) -> str:
    return (text or "").strip()


def read_product(
    shtn_pdno: str | None, prdt_name: str | None, master: Master | None = None
) -> Product:
    """Read a product from its short code and its name; both may be null, blank or padded.

    Args:
        shtn_pdno: ``A01612``, ``201T10340``, ``B09FEWA49``.
        prdt_name: ``F 202612``, ``코스피200 C 202610 1,100.0 (정규)``.
        master: KIS's master files, for what the two leave open. What they contradict stays null.

    Never raises.
    """
    text = _plain(shtn_pdno).upper()
    code, name = _code(text), _name(_plain(prdt_name))
    kind: Kind | None = _one(code.kind, name.kind)
    product, underlying, multiplier = _product(code, name)
    term = _term(code, name)
    options = {"call", "put"}.issuperset({code.kind, name.kind} - {None})
    strike = _strike(text, code, name) if options else None
    source: Source | None = "name" if name.kind else "code" if code.kind else None
    listed = None if master is None else master.get(text)
    if listed is not None:
        line = _name(_plain(listed.prdt_name))
        before = kind, product, underlying, term, strike
        if code.kind is None and name.kind is None:
            kind = listed.kind or line.kind
        if not code.product and name.product in (None, "bare"):
            product = listed.product
            if product in _LINES:
                underlying, multiplier = _LINES[product]
        if underlying is None and not code.product and not name.product:
            underlying = listed.underlying
        if code.term is None and name.term is None:
            term = line.term
        if options and name.strike is None:
            strike = listed.strike or line.strike or strike
        if before != (kind, product, underlying, term, strike):
            source = "master"
    return Product(kind, product, underlying, None, term, strike, multiplier, source)


def is_unpriced(row: Mapping[str, Any]) -> bool:
    """Whether a position row is held but has no price yet.

    KIS then sends ``idx_clpr`` 0 (or blank), ``evlu_amt`` 0 and ``evlu_pfls_amt`` 0: that 0 is no
    P&L of nothing, there is none to tell.
    """
    held = row["cblc_qty"]
    return held is not None and held != 0 and not row["idx_clpr"] and not row["evlu_amt"]


def multiplier(row: Mapping[str, Any], excc_stat_cd: str) -> Decimal | None:
    """Won for one point of one contract, from a position row's own amounts.

    ``evlu_amt`` / (``idx_clpr`` × ``cblc_qty``); without a price from the cost: ``pchs_amt`` /
    (``excc_unpr`` × ``cblc_qty``) with EXCC_STAT_CD 1, / (``ccld_avg_unpr1`` × ``cblc_qty``) with
    2. None when a figure that it takes is null or 0, or the result is not above 0.
    """
    if row["idx_clpr"]:
        return _a_point(row["evlu_amt"], row["idx_clpr"], row["cblc_qty"])
    price = row["excc_unpr" if excc_stat_cd == "1" else "ccld_avg_unpr1"]
    return _a_point(row["pchs_amt"], price, row["cblc_qty"])


# A price has eight decimals on the wire: an average is off by half of the last one at most.
_LAST_DECIMAL = Decimal("0.000000005")


def _a_point(amount: Decimal | None, price: Decimal | None, quantity: int | None) -> Decimal | None:
    """An amount is whole won and the price rounded, so the quotient may be a hair off: the nearest
    whole number is taken when it gives the same amount to the won.
    """
    if amount is None or not price or not quantity:
        return None
    size = _EXACT.abs(Decimal(quantity))
    one_each = _EXACT.multiply(price, size)
    exact = _EXACT.divide(amount, one_each)
    whole = exact.to_integral_value(ROUND_HALF_EVEN, _EXACT)
    miss = _EXACT.abs(_EXACT.subtract(_EXACT.multiply(whole, one_each), amount))
    slack = _EXACT.fma(_EXACT.multiply(whole, size), _LAST_DECIMAL, 1)
    result = whole if miss < slack else exact
    return result if result > 0 else None


def products_of(balance: Balance) -> tuple[Product, ...]:
    """What each position is, in the order of ``balance.positions``; the network is not asked."""
    rows = balance.positions.select("shtn_pdno", "prdt_name").iter_rows()
    return tuple(read_product(code, name) for code, name in rows)
