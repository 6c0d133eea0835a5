"""What MGNA_DVSN and EXCC_STAT_CD change: the views of one account in one chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kis_nb._chart_rows.bars import bar, keyed
from kis_nb._chart_rows.heading import head_fields
from kis_nb._chart_rows.labels import geometry
from kis_nb._chart_rows.style import Style
from kis_nb._codes import view_title
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact, moment, signed
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_MARGIN, _PNL = "mgna_tota", "evlu_pfls_amt_smtl"


@exactly
def rows(balances: Sequence[Balance], style: Style) -> list[Row]:
    """The rows of the chart: a bar for each view, for its margin and for its unrealized P&L.

    Margin and P&L differ by orders of magnitude, so the bars of each are drawn relative to its own
    largest one. The figures beside the bars are exact.

    Raises:
        ValueError: no balance, or balances of several accounts.
    """
    if not balances:
        raise ValueError("views needs balances")
    if len({balance.account for balance in balances}) > 1:
        raise ValueError("views shows one account: the balances given are of several")
    ordered = sorted(balances, key=lambda one: (one.mgna_dvsn.value, one.excc_stat_cd.value))
    bars = [*_bars(ordered, _MARGIN, style), *_bars(ordered, _PNL, style)]
    latest = max(balances, key=lambda one: one.as_of)
    result = keyed(bars, latest, style)
    # The heading names no view, since the bars do.
    result[0] |= head_fields((latest.account.masked,), (moment(latest.as_of),))
    return result


def _bars(balances: Sequence[Balance], field: str, style: Style) -> list[Row]:
    """A row with the field's label, then a bar for each balance."""
    values = [one.summary.get_column(field)[0] for one in balances]
    largest = max((abs(value) for value in values if value is not None), default=0)
    # The blank note keeps the label's line: a row that draws nothing has none.
    bars = [bar(f"■ {style.field(field)}", None, figure=" ", note=" ")]
    for balance, value in zip(balances, values, strict=True):
        margin, basis = balance.mgna_dvsn, balance.excc_stat_cd
        code = margin if field == _MARGIN else basis
        text = exact(value) if field == _MARGIN else signed(value)
        bars.append(
            bar(
                view_title(margin, basis, style.lang),
                value,
                figure=text,
                tone="plain" if field == _MARGIN else None,
                length=geometry(value / largest) if value is not None and largest else None,
                note=style.word("값이 오지 않음", "no value was sent") if value is None else "",
                tip={field: text, "explain": code.explain(style.lang)},
            )
        )
    return bars
