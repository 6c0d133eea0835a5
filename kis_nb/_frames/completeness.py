"""Whether the rows that were read are all of them, by the totals that KIS sends beside them."""

from __future__ import annotations

from decimal import Decimal, localcontext

import polars as pl

from kis_nb._errors import PaginationError

# Fields of a row whose sums `output2` holds, each as NAME_smtl. Of the first two at least one must
# be told: the other two are often 0 with and without the missing rows.
_COST_OR_VALUE = ("pchs_amt", "evlu_amt")
_SUMMED = (*_COST_OR_VALUE, "evlu_pfls_amt", "trad_pfls_amt")
# Amounts are whole won, cut off at each step inside KIS: its sums were seen a won off.
_ROUNDING = 2
_AMOUNT = pl.Decimal(38, 0)


def rows_add_up(positions: pl.DataFrame, summary: pl.DataFrame) -> bool:
    """Whether the rows' amounts come to the totals of `output2`, to a won or two.

    A total or an amount that is null is not compared; False when too little is told to say. No
    rows add up to totals of 0.
    """
    compared: list[str] = []
    for name in _SUMMED:
        total, amounts = summary[f"{name}_smtl"][0], positions[name]
        if total is None or amounts.null_count():
            continue
        with localcontext(prec=60):
            if abs(sum(amounts.cast(_AMOUNT), Decimal(0)) - total) > _ROUNDING:
                return False
        compared.append(name)
    return any(name in compared for name in _COST_OR_VALUE)


def check_complete(positions: pl.DataFrame, summary: pl.DataFrame, page: int) -> None:
    """After a last page (the number `page`) that may not be the last.

    Raises:
        PaginationError: the rows do not add up to the totals.
    """
    if not rows_add_up(positions, summary):
        raise PaginationError(
            f"page {page}: header tr_cont F promises more, the key for it is blank, and the rows "
            "do not add up to the totals of output2 (or these are not told): some are likely to be "
            "missing; pull again"
        )
