"""Whether the rows are all there, by the totals."""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from typing import Any

import polars as pl
import pytest

from kis_nb._errors import PaginationError
from kis_nb._frames.completeness import check_complete, rows_add_up
from tests.factories import make_balance, position

TOTALS = {
    "pchs_amt_smtl": 231_825_000,
    "evlu_amt_smtl": 230_587_500,
    "evlu_pfls_amt_smtl": -1_237_500,
    "trad_pfls_amt_smtl": 0,
}


# Totals that were not sent.
OTHERS = [pl.lit(None).alias(name) for name in TOTALS if name != "pchs_amt_smtl"]


def add_up(rows: list[dict[str, Any]] | None = None, **totals: int | None) -> bool:
    sums: dict[str, Any] = {**TOTALS, **totals}
    balance = make_balance(rows, **sums)
    return rows_add_up(balance.positions, balance.summary)


def test_the_published_example_adds_up() -> None:
    """Three contracts at 309.10 and 307.45."""
    assert add_up()


@pytest.mark.parametrize("name", TOTALS)
@pytest.mark.parametrize("off", [-3, -2, -1, 1, 2, 3])
def test_a_won_or_two_are_rounding(name: str, off: int) -> None:
    """Three are not, in any of the totals."""
    assert add_up(None, **{name: TOTALS[name] + off}) == (abs(off) <= 2)


def test_a_row_too_few_is_seen() -> None:
    """And one too many."""
    assert not add_up([])
    assert not add_up([position(), position()])


def test_no_rows_add_up_to_nothing() -> None:
    """An empty account."""
    assert add_up([], **dict.fromkeys(TOTALS, 0))


def test_what_is_not_told_is_not_compared() -> None:
    """A total that is null, or a row's amount; but cost or value must have been sent."""
    assert add_up(evlu_amt_smtl=None, evlu_pfls_amt_smtl=None)
    assert add_up([position(price=None)], evlu_amt_smtl=5)
    assert not add_up(pchs_amt_smtl=None, evlu_amt_smtl=None)
    assert not add_up([position(price=None, cost=None)])


def test_the_users_decimal_context_changes_nothing() -> None:
    """Six digits of precision would round both sides alike; exponents up to 5 would overflow."""
    right, wrong = (make_balance(pchs_amt_smtl=cost) for cost in (231_825_000, 231_825_100))
    with localcontext(Context(prec=6, Emax=5)):
        assert rows_add_up(right.positions, right.summary.with_columns(OTHERS))
        assert not rows_add_up(wrong.positions, wrong.summary.with_columns(OTHERS))
    big = position(multiplier=10**14)
    assert add_up(
        [big],
        pchs_amt_smtl=int(Decimal("309.10") * 3 * 10**14),
        evlu_amt_smtl=int(Decimal("307.45") * 3 * 10**14),
        evlu_pfls_amt_smtl=int(Decimal("-1.65") * 3 * 10**14),
    )


def test_it_is_said_which_page() -> None:
    """And what to do; the message names no amount."""
    balance = make_balance([], pchs_amt_smtl=100)
    with pytest.raises(PaginationError, match=r"page 3: .*do not add up.*pull again"):
        check_complete(balance.positions, balance.summary, 3)
