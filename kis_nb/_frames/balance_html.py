"""The HTML that a notebook shows for a `Balance`: one line, six figures, the first positions."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from kis_nb._frames.columns import SUMMARY_FIGURES, chosen, column_label
from kis_nb._frames.prices import unpriced
from kis_nb._frames.table import Table
from kis_nb._frames.text import exact

if TYPE_CHECKING:
    import polars as pl

# Enough rows to recognise the account, few enough to scroll past.
_ROWS = 10
# As many as fit on a page of 1,100 px beside JupyterLab's side bar.
_COLUMNS = chosen("shtn_pdno", "lqd_psbl_qty", "pchs_amt", "excc_unpr", "ccld_avg_unpr1")


def balance_html(head: str, positions: pl.DataFrame, summary: pl.DataFrame) -> str:
    """The HTML of a balance, with Korean labels and exact figures.

    Args:
        head: the line on top, as text.
        positions: as of `Balance`.
        summary: as of `Balance`.
    """
    figures = summary.row(0, named=True)
    cells = "".join(
        f"<div><small style='opacity:.7'>{column_label(name, 'ko')}</small>"
        f"<br><b>{exact(figures[name])}</b></div>"
        for name in SUMMARY_FIGURES
    )
    return (
        f"<div><div>{html.escape(head)}</div>"
        "<div style='display:flex;flex-wrap:wrap;gap:.4em 2em;margin:.6em 0;"
        f"font-variant-numeric:tabular-nums'>{cells}</div>{_positions(positions)}</div>"
    )


def _positions(positions: pl.DataFrame) -> str:
    if not positions.height:
        return "<small>보유 포지션 없음 · no positions</small>"
    table = Table(positions.select(_COLUMNS), "ko", "kr", _ROWS)._repr_html_()
    if lacking := positions.filter(unpriced()).height:
        note = f"평가손익 합계: {lacking:,}종목 가격 없음 제외 · no price: {lacking:,}"
        table += f"<div><small>{note}</small></div>"
    return table
