"""What a product is: kind, product, underlying, term, strike and multiplier, and when it expires.

Right wing, above `_calendar` and `_product_text`.

KIS sends no field for any of these. They are read from ``shtn_pdno`` and ``prdt_name`` by the rules
of the exchange's codes and KIS's names, and what those leave open from KIS's master files, where
they are at hand. What nothing tells, and what code and name tell differently, is None: nothing is
guessed. All figures are `Decimal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias

from kis_nb._frames.calendar import last_trading_day
from kis_nb._frames.decimal_context import EXACT
from kis_nb._frames.product_text import Kind, Told, read_code, read_name, whole_points

if TYPE_CHECKING:
    from kis_nb._errors import KisError
    from kis_nb._frames.balance import Balance

Source: TypeAlias = Literal["master", "name", "code"]


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


class MasterHandle(Protocol):
    """How a balance gets at the master files (`kis_nb._master_files.MasterFiles`)."""

    def at_hand(self) -> Master:
        """What is stored; the network is not asked."""

    def complete(self) -> Master:
        """The same, after a fetch if one is due; never raises for the network."""

    @property
    def worth_asking(self) -> bool:
        """Whether a fetch is due and none has failed lately."""

    def fetch_in_background(self, done: Callable[[KisError | None], None]) -> object:
        """Fetch in a thread; `done` is told there how it went."""


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


def _one(first: Any, second: Any) -> Any:
    """What two sources tell together: what either tells alone, None when they contradict."""
    if first is None or second is None:
        return second if first is None else first
    return first if first == second else None


def _product(code: Told, name: Told) -> tuple[str | None, str | None, Decimal | None]:
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


def _term(code: Told, name: Told) -> str | None:
    if code.weekly and name.weekly is False and name.kind != "spread":
        return None
    term: str | None = _one(code.term, name.term)
    return term


def _strike(text: str, code: Told, name: Told) -> Decimal | None:
    if name.strike is None:
        return code.strike
    points = whole_points(text)
    if points is not None and name.strike < 1_000 and int(name.strike) != points:
        return None
    return name.strike


def kind_of(shtn_pdno: str | None, prdt_name: str | None) -> Kind | None:
    """The kind alone, as `read_product` has it without a master file; no calendar is loaded."""
    kind: Kind | None = _one(
        read_code(_short_code(shtn_pdno)).kind, read_name(_plain(prdt_name)).kind
    )
    return kind


def _short_code(text: str | None) -> str:
    """The code in capitals; of ``1A01606``, as one of KIS's files has it, without the 1 in front.

    No code of the old scheme, whose futures begin with 1, is as long and goes on with a letter.
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
        master: KIS's master files, for what the two leave open. What they contradict stays null.

    Never raises.
    """
    text = _short_code(shtn_pdno)
    code, name = read_code(text), read_name(_plain(prdt_name))
    kind: Kind | None = _one(code.kind, name.kind)
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
    expiry = _expiry(product, term) if kind not in (None, "spread") else None
    return Product(kind, product, underlying, expiry, term, strike, multiplier, source)


@lru_cache(maxsize=4_096)
def _expiry(product: str | None, term: str | None) -> date | None:
    return None if product is None or term is None else last_trading_day(product, term)


# What KIS sends as 0 for a position without a price.
OF_PRICE = ("idx_clpr", "evlu_amt", "evlu_pfls_amt")


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
    size = EXACT.abs(Decimal(quantity))
    one_each = EXACT.multiply(price, size)
    exact = EXACT.divide(amount, one_each)
    whole = EXACT.quantize(exact, Decimal(1))
    miss = EXACT.abs(EXACT.subtract(EXACT.multiply(whole, one_each), amount))
    slack = EXACT.fma(EXACT.multiply(whole, size), _LAST_DECIMAL, 1)
    result = whole if miss < slack else exact
    return result if result > 0 else None


def _open(product: Product) -> bool:
    """Whether something stays to be told."""
    told = product.kind and product.product and product.term
    return not told or (product.option and product.strike is None)


def products_of(balance: Balance, *, fetch: bool = False) -> tuple[Product, ...]:
    """What each position is, in the order of ``balance.positions``.

    The master files are asked for what code and name leave open. With `fetch` they may be fetched
    for that, if the balance came from a client; a failure is logged. Else the network is not asked.
    """
    rows = balance.positions.select("shtn_pdno", "prdt_name").rows()
    products = tuple(read_product(code, name) for code, name in rows)
    master = balance.master
    if master is None or not any(map(_open, products)):
        return products
    known = master.complete() if fetch else master.at_hand()
    return tuple(
        read_product(code, name, known) if _open(product) else product
        for (code, name), product in zip(rows, products, strict=True)
    )


def complete_in_background(balance: Balance, done: Callable[[], None]) -> None:
    """Fetch the master files in a thread when they are due and code and name leave something open.

    `done` is called in that thread once they are at hand; not at all when they do not come.
    """
    master = balance.master
    if master is not None and any(map(_open, products_of(balance))) and master.worth_asking:
        master.fetch_in_background(lambda error: done() if error is None else None)
