"""What a product is, as far as its code and its name tell. Right wing, on the ground floor; imports
only the standard library.

KIS sends no field for kind, underlying, expiry, strike or multiplier. They are read from
``shtn_pdno`` and ``prdt_name``, by the rules in the glossary's notes; what those do not tell stays
None, and is never guessed. All figures are `Decimal`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["future", "call", "put", "spread"]

_KINDS: dict[str, Kind] = {"1": "future", "A": "future", "2": "call", "3": "put", "4": "spread"}

# The two characters after the kind. 05 is the mini contract on the same index as 01.
_UNDERLYINGS = {"01": "KOSPI 200", "05": "KOSPI 200", "06": "KOSDAQ 150", "75": "USD"}

# "C 202612 572.5", "F 202612", "미니F 202612": a letter, year and month, and an option's strike.
_NAME = re.compile(
    r"(?:^|[^A-Za-z0-9])[A-Z]\s+(?P<expiry>20[0-9]{2}(?:0[1-9]|1[0-2]))"
    r"(?:\s+(?P<strike>[0-9]{1,6}(?:\.[0-9]{1,4})?))?\s*$",
    re.ASCII,
)
_OPTION_CODE = re.compile(r"[23][0-9A-Z]{5}(?P<strike>[0-9]{3})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Instrument:
    """One product.

    Attributes:
        kind: future, call, put or spread; None when the code's first character is not documented.
        product: the two characters of ``shtn_pdno`` after the kind, or None.
        underlying: ``KOSPI 200``, ``KOSDAQ 150``, ``USD``, or None when the product is not known.
        expiry: ``2026-12``, or None when the name does not tell.
        strike: of an option, in points; None for the others and when it cannot be told.
    """

    kind: Kind | None
    product: str | None
    underlying: str | None
    expiry: str | None
    strike: Decimal | None

    @property
    def option(self) -> bool:
        """Whether it is a call or a put."""
        return self.kind in ("call", "put")


def instrument(shtn_pdno: str | None, prdt_name: str | None) -> Instrument:
    """Read a product from its short code and its name; both may be null, blank or padded."""
    code = (shtn_pdno or "").strip()
    found = _NAME.search((prdt_name or "").strip())
    kind = _KINDS.get(code[:1])
    product = code[1:3] if kind is not None and len(code) >= 3 else None
    strike: Decimal | None = None
    if kind in ("call", "put"):
        if found is not None and found["strike"] is not None:
            strike = Decimal(found["strike"])
        # The code holds whole points only (572.5 is written 572), so it comes second.
        elif (tail := _OPTION_CODE.fullmatch(code)) is not None:
            strike = Decimal(tail["strike"])
    return Instrument(
        kind=kind,
        product=product,
        underlying=_UNDERLYINGS.get(product or ""),
        expiry=None if found is None else f"{found['expiry'][:4]}-{found['expiry'][4:]}",
        strike=strike,
    )


def multiplier(
    evlu_amt: Decimal | None, idx_clpr: Decimal | None, cblc_qty: int | None
) -> Decimal | None:
    """Won for one point of one contract: ``evlu_amt / (idx_clpr × cblc_qty)``.

    None when a figure is null, the price or the quantity is 0, or the result is not above 0.
    ``evlu_amt`` is whole won, so the quotient may be a hair off: the nearest whole number is taken
    when it gives the same ``evlu_amt`` to the won.
    """
    if evlu_amt is None or idx_clpr is None or not idx_clpr or not cblc_qty:
        return None
    with localcontext(prec=60):
        one_each = idx_clpr * cblc_qty
        exact = evlu_amt / one_each
        whole = exact.to_integral_value()
        result = whole if abs(whole * one_each - evlu_amt) < 1 else exact
        return result if result > 0 else None
