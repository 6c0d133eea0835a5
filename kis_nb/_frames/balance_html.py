"""The HTML that a notebook shows for a `Balance`: one line, six figures, the first positions."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from kis_nb._frames.columns import SUMMARY_FIGURES, chosen, column_label
from kis_nb._frames.prices import OF_PRICE, is_unpriced, unpriced
from kis_nb._frames.text import exact

if TYPE_CHECKING:
    import polars as pl

# Enough rows to recognise the account, few enough to scroll past.
_ROWS = 10
_COLUMNS = chosen("shtn_pdno", "lqd_psbl_qty")
_NUMBERS = "text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap"


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
        f"font-variant-numeric:tabular-nums'>{cells}</div>"
        f"<div style='overflow-x:auto'>{_table(positions)}</div></div>"
    )


def _table(positions: pl.DataFrame) -> str:
    shown = positions.select(_COLUMNS).head(_ROWS)
    if not shown.height:
        return "<small>보유 포지션 없음 · no positions</small>"
    header = "".join(f"<th style='{_NUMBERS}'>{column_label(name, 'ko')}</th>" for name in _COLUMNS)
    body = "".join(f"<tr>{_row(row)}</tr>" for row in shown.iter_rows(named=True))
    table = f"<table><thead><tr>{header}</tr></thead><tbody>{body}</tbody></table>"
    rest = positions.height - _ROWS
    if rest > 0:
        table += f"<small>… {rest:,} more rows in .positions</small>"
    if lacking := positions.filter(unpriced()).height:
        note = f"평가손익 합계: {lacking:,}종목 가격 없음 제외 · no price: {lacking:,}"
        table += f"<div><small>{note}</small></div>"
    return table


def _row(row: dict[str, Any]) -> str:
    no_price = is_unpriced(row)
    return "".join(
        f"<td style='{_NUMBERS}'>{_cell(name, value, no_price=no_price)}</td>"
        for name, value in row.items()
    )


def _cell(name: str, value: Any, *, no_price: bool) -> str:
    if no_price and name in OF_PRICE:
        return "가격 없음"
    return html.escape(value) if isinstance(value, str) else exact(value)
