"""What MGNA_DVSN and EXCC_STAT_CD change: an account's views side by side. Right wing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kis_nb._frames.decimal_context import exactly
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._bars import bar, design, keyed
from kis_nb.charts._look import Look, exact, first, geometry

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_MEASURES = ("mgna_tota", "evlu_pfls_amt_smtl")

VIEWS = design(
    "views",
    ("네 가지 조회 비교", "The four views"),
    ("mgna_tota", "evlu_pfls_amt_smtl", ("explain", "뜻", "Meaning")),
    axis="none",
)


@exactly
def rows(balances: Sequence[Balance], look: Look) -> list[Row]:
    """A bar for each view, once for the margin and once for the unrealized P&L.

    The two measures differ by orders of magnitude, so each is drawn against its own largest bar;
    the figures beside the bars are what they are.
    """
    if not balances:
        raise ValueError("views needs balances")
    if len({balance.account for balance in balances}) > 1:
        raise ValueError("views shows one account: the balances given are of several")
    ordered = sorted(balances, key=lambda one: (one.mgna_dvsn.value, one.excc_stat_cd.value))
    bars: list[Row] = []
    for measure in _MEASURES:
        values = [one.summary.get_column(measure)[0] for one in ordered]
        largest = max((abs(value) for value in values if value is not None), default=0)
        # The blank note keeps the heading's line: a row that draws nothing has none.
        bars.append(bar(f"■ {look.field(measure)}", None, figure=" ", note=" "))
        for balance, value in zip(ordered, values, strict=True):
            margin, basis = balance.mgna_dvsn, balance.excc_stat_cd
            name = (
                f"{margin.label(look.lang)} {margin.value} · {basis.label(look.lang)} {basis.value}"
            )
            signed = measure == "evlu_pfls_amt_smtl"
            text = exact(value, sign=signed)
            about = margin if measure == "mgna_tota" else basis
            bars.append(
                bar(
                    name,
                    value,
                    figure=text,
                    tone=None if signed else "plain",
                    length=geometry(value / largest) if value is not None and largest else None,
                    note=look.word("값이 오지 않음", "no value was sent") if value is None else "",
                    tip={measure: text, "explain": about.explain(look.lang)},
                )
            )
    latest = max(balances, key=lambda one: one.as_of)
    result = first(keyed(bars), latest, look)
    moment = f"{latest.as_of:%Y-%m-%d %H:%M:%S} KST"
    # The head names no view: all of them are below it.
    result[0]["head"] = f"{latest.account.masked} · {moment}"
    return result
