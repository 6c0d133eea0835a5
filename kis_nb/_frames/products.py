"""What a product is: kind, product line, underlying, term, expiry, strike and multiplier.

KIS sends no field for any of these. They are read from ``shtn_pdno`` and ``prdt_name`` by the rules
of the exchange's codes and KIS's names, and what those leave open from KIS's master files, if these
are given. What no source gives, and what code and name give differently, is None: nothing is
guessed. All figures are `Decimal`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from kis_nb._frames.calendar import last_trading_day
from kis_nb._frames.product_lines import PRODUCT_LINES
from kis_nb._frames.product_text import Kind, ParsedText, read_code, read_name, whole_points

Source: TypeAlias = Literal["master", "name", "code"]


@dataclass(frozen=True, slots=True)
class Product:
    """One product.

    Attributes:
        kind: future, call, put or spread.
        product: the product line: ``KOSPI 200``, ``KOSPI 200 mini``,
            ``KOSPI 200 weekly Mon``, ``KOSPI 200 weekly Thu``, ``KOSDAQ 150``,
            ``KOSDAQ 150 weekly Mon``, ``KOSDAQ 150 weekly Thu``, ``USD/KRW``.
        underlying: ``KOSPI 200``, ``KOSDAQ 150``, ``USD/KRW``.
        expiry: the last trading day. None for a spread, whose two legs have one each.
        term: the expiry as the contract's name has it: ``202612``, a weekly's ``2609W4``, a
            spread's ``2612-2703``.
        strike: of an option, in points.
        multiplier: won a point, as the exchange sets it for the product.
        source: the last of code, name and master file that something was taken from.

    Each is None when no source gives it.
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
        shtn_pdno: short code.
        pdno: standard code.
        prdt_name: name.
        kind, product, underlying, strike: as of `Product`, from the line's other columns.
    """

    shtn_pdno: str
    pdno: str
    prdt_name: str
    kind: Kind | None = None
    product: str | None = None
    underlying: str | None = None
    strike: Decimal | None = None


Master: TypeAlias = Mapping[str, Listed]


def _agreed(first: Any, second: Any) -> Any:
    """The value of two sources: of the one that has it, or of both; None when they differ."""
    if first is None or second is None:
        return second if first is None else first
    return first if first == second else None


def _product(code: ParsedText, name: ParsedText) -> tuple[str | None, str | None, Decimal | None]:
    """Product, underlying and multiplier by code and name. When these name two products, what the
    two have in common is kept.
    """
    named = {p for p in (code.product, name.product) if p is not None}
    if "bare" in named:
        named.discard("bare")
        named = named or {"KOSPI 200"}
        if name.weekly is False and any(map(_is_weekly, named)):
            named |= {"KOSPI 200"}
    # A name with a week is of no monthly product, one with a month of no weekly one.
    weekly = {_is_weekly(p) for p in named if p} | ({name.weekly} - {None})
    lines = [PRODUCT_LINES.get(p) for p in named]
    if not lines or None in lines:
        return None, None, None
    underlyings = {line.underlying for line in lines if line}
    multipliers = {line.multiplier for line in lines if line}
    return (
        next(iter(named)) if len(named) == 1 and len(weekly) == 1 else None,
        underlyings.pop() if len(underlyings) == 1 else None,
        multipliers.pop() if len(multipliers) == 1 else None,
    )


def _is_weekly(product: str) -> bool:
    return product in PRODUCT_LINES and PRODUCT_LINES[product].weekly


def _term(code: ParsedText, name: ParsedText) -> str | None:
    if code.weekly and name.weekly is False and name.kind != "spread":
        return None
    term: str | None = _agreed(code.term, name.term)
    return term


def _strike(text: str, code: ParsedText, name: ParsedText) -> Decimal | None:
    if name.strike is None:
        return code.strike
    points = whole_points(text)
    if points is not None and name.strike < 1_000 and int(name.strike) != points:
        return None
    return name.strike


def kind_of(shtn_pdno: str | None, prdt_name: str | None) -> Kind | None:
    """The kind alone, as `read_product` has it without a master file; loads no calendar."""
    kind: Kind | None = _agreed(
        read_code(short_code(shtn_pdno)).kind, read_name(_plain(prdt_name)).kind
    )
    return kind


def short_code(text: str | None) -> str:
    """The code in capitals, and ``A01606`` for the ``1A01606`` of one of KIS's files.

    In the old scheme, a future's code begins with 1 too, but none is as long with a letter there.
    """
    return re.sub(r"^1(?=[A-D][0-9A-Z]{5})", "", _plain(text).upper())


def _plain(text: str | None) -> str:
    return (text or "").strip()


def read_product(
    shtn_pdno: str | None, prdt_name: str | None, master: Master | None = None
) -> Product:
    """Read a product from its short code and its name; both may be null, blank or padded.

    Args:
        shtn_pdno: ``A01612``, ``201T10340``, ``B09FEWA49``.
        prdt_name: ``F 202612``, ``코스피200 C 202610 1,100.0 (정규)``.
        master: KIS's master files, for what the two leave open. They decide nothing on which code
            and name contradict each other.

    Returns:
        The product; None in the fields that no source gives. Any text is accepted.
    """
    text = short_code(shtn_pdno)
    code, name = read_code(text), read_name(_plain(prdt_name))
    kind: Kind | None = _agreed(code.kind, name.kind)
    product, underlying, multiplier = _product(code, name)
    term = _term(code, name)
    options = {"call", "put"}.issuperset({code.kind, name.kind} - {None})
    strike = _strike(text, code, name) if options else None
    source: Source | None = "name" if name.kind else "code" if code.kind else None
    listed = None if master is None else master.get(text)
    if listed is not None:
        line = read_name(_plain(listed.prdt_name))
        before = kind, product, underlying, term, strike
        if code.kind is None and name.kind is None:
            kind = listed.kind or line.kind
        if not code.product and name.product in (None, "bare"):
            product = listed.product
            if product in PRODUCT_LINES:
                underlying, multiplier = PRODUCT_LINES[product][:2]
        if underlying is None and not code.product and not name.product:
            underlying = listed.underlying
        if code.term is None and name.term is None:
            term = line.term
        if options and name.strike is None:
            strike = listed.strike or line.strike or strike
        if before != (kind, product, underlying, term, strike):
            source = "master"
    expiry = _expiry(product, term) if kind not in (None, "spread") else None
    return Product(kind, product, underlying, expiry, term, strike, multiplier, source)


@lru_cache(maxsize=4_096)
def _expiry(product: str | None, term: str | None) -> date | None:
    return None if product is None or term is None else last_trading_day(product, term)
