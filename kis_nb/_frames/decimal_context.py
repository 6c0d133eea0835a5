"""Decimal arithmetic that does not depend on the user's decimal context.

A notebook may set precision, rounding, traps or exponent limits
with `decimal.setcontext`; figures of a balance must come out the same.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import (
    ROUND_HALF_EVEN,
    Context,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    localcontext,
)
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

# Wide enough for sums of 19-digit amounts and for quotients of them.
EXACT = Context(
    prec=60,
    rounding=ROUND_HALF_EVEN,
    Emin=-999_999,
    Emax=999_999,
    capitals=1,
    clamp=0,
    flags=[],
    traps=[DivisionByZero, InvalidOperation, Overflow],
)


def exactly(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A decorator: run the function in the context `EXACT`, whatever the caller's context is."""

    @wraps(function)
    def inside(*args: _P.args, **more: _P.kwargs) -> _R:
        with localcontext(EXACT):
            return function(*args, **more)

    return inside
