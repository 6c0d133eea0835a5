"""An estimate of an account's equity at the moment of the pull, from its futures' P&L."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from kis_nb._codes import Basis
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.prices import is_unpriced
from kis_nb._frames.products import kind_of

if TYPE_CHECKING:
    import polars as pl


@exactly
def estimate_equity(positions: pl.DataFrame, summary: pl.DataFrame, basis: Basis) -> Decimal | None:
    """``prsm_dpast`` (equity marked at settlement) plus the futures' P&L since settlement.

    The P&L is ``futr_evlu_pfls_amt``, which counts from settlement with EXCC_STAT_CD 1 alone: with
    2 it counts from the fills.

    Args:
        positions: of a balance.
        summary: of the same balance.
        basis: of the same balance.

    Returns:
        Won. None with another basis, when a figure was not sent, or when a future that is held has
        no price yet, since its P&L is then missing from the sum.
    """
    if basis is not Basis.SETTLEMENT:
        return None
    reported = summary_figure(summary, "prsm_dpast")
    since_settlement = summary_figure(summary, "futr_evlu_pfls_amt")
    if reported is None or since_settlement is None:
        return None
    for row in positions.iter_rows(named=True):
        if is_unpriced(row) and kind_of(row["shtn_pdno"], row["prdt_name"]) not in ("call", "put"):
            return None
    return reported + since_settlement


def summary_figure(summary: pl.DataFrame, name: str) -> Decimal | None:
    """A figure of the summary's one row; None when it is null or there is no such column."""
    if name not in summary.columns:
        return None
    value: Decimal | None = summary.get_column(name)[0]
    return value
