"""Whether all rows were read, by the totals that KIS sends in ``output2``."""

from __future__ import annotations

from decimal import Decimal

import polars as pl

from kis_nb._errors import PaginationError
from kis_nb._frames.decimal_context import exactly

# Fields of a row with a sum in `output2`, called NAME_smtl there. At least one of the first two
# must have been sent: the other two are often 0 with and without the missing rows.
_COST_OR_VALUE = ("pchs_amt", "evlu_amt")
# By the total's name.
SUMMED = {f"{name}_smtl": name for name in (*_COST_OR_VALUE, "evlu_pfls_amt", "trad_pfls_amt")}
# "A won or two": amounts are whole won, cut off at each step inside KIS, and its sums were seen a
# won off.
ROUNDING = 2
_AMOUNT = pl.Decimal(38, 0)


@exactly
def rows_add_up(positions: pl.DataFrame, summary: pl.DataFrame) -> bool:
    """Whether the rows' amounts add up to the totals of ``output2``, to a won or two.

    A field is not compared when its total or one of its amounts is null. False when neither cost
    nor value could be compared. An account without rows adds up to totals of 0.
    """
    compared: list[str] = []
    for total_name, name in SUMMED.items():
        total, amounts = summary[total_name][0], positions[name]
        if total is None or amounts.null_count():
            continue
        if abs(sum(amounts.cast(_AMOUNT), Decimal(0)) - total) > ROUNDING:
            return False
        compared.append(name)
    return any(name in compared for name in _COST_OR_VALUE)


def check_complete(positions: pl.DataFrame, summary: pl.DataFrame, page: int) -> None:
    """Check the rows against the totals when it is not certain that the last page was the last.

    Args:
        positions: the rows that were read.
        summary: ``output2`` of the last page.
        page: number of the last page, for the message.

    Raises:
        PaginationError: the rows do not add up to the totals.
    """
    if not rows_add_up(positions, summary):
        raise PaginationError(
            f"page {page}: header tr_cont F promises more, the key for it is blank, and the rows "
            "do not add up to the totals of output2 (or these are not sent): some are likely to be "
            "missing; pull again"
        )
