"""The fields of the line under a chart's title: account, view and time; and DEMO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from kis_nb._chart_rows.style import Style
from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin, view_title
from kis_nb._frames.text import moment
from kis_nb._widgets.text_width import text_width
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


def head_fields(who: Iterable[str], when: Iterable[str], *, reserve: float = 0) -> Row:
    """The fields of a first row that `heading` draws as the line over the chart.

    Args:
        who: texts of the first line, when the chart is too narrow for all of them in one line.
        when: texts of the second line then.
        reserve: pixels to keep free for a longer text, so that a later one breaks no line.
    """
    lines = [" · ".join(filter(None, part)) for part in (who, when)]
    whole = " · ".join(filter(None, lines))
    return {
        "head": whole,
        "head_top": lines[0],
        "head_end": lines[1],
        "head_width": text_width(whole, HEAD_SIZE),
        "head_most": text_width(whole, HEAD_SIZE) + reserve,
        "head_half": max(text_width(line, HEAD_SIZE) for line in lines),
    }


def head_view(balance: Balance, lang: Lang) -> tuple[str, float]:
    """The name of a balance's view, and how many pixels wider that of another view can be."""
    title = view_title(balance.mgna_dvsn, balance.excc_stat_cd, lang)
    widths = [
        text_width(view_title(margin, basis, lang), HEAD_SIZE)
        for margin in Margin
        for basis in Basis
    ]
    return title, max(widths) - text_width(title, HEAD_SIZE)


# Font size of the head, and the distance of its lines.
HEAD_SIZE = 11
# What an axis of won takes before the plot, and the most that a bar's name and its figure take.
SCALE_WIDTH = 38.0
_NAME_WIDTH, _FIGURE_WIDTH = 240, 320


def add_heading(
    rows: list[Row],
    balance: Balance,
    style: Style,
    *parts: str,
    account: str = "",
    names: Sequence[str] = (),
    figures: Sequence[str] = (),
) -> list[Row]:
    """Put what `heading` shows into the first row: account, view, time, and these parts.

    The field ``own`` holds the parts, ``before`` and ``after`` how many pixels names and figures
    take at the sides of the plot.

    Args:
        rows: of the chart.
        balance: the pull that the heading describes.
        style: of the chart.
        *parts: added after the time; blank ones are left out.
        account: its label where several accounts are told apart; else its number, masked.
        names, figures: the texts left and right of the plot; without any there is an axis of won at
            the left.
    """
    title, reserve = head_view(balance, style.lang)
    before = SCALE_WIDTH
    if names:
        before = min(_NAME_WIDTH, max(text_width(name, 12) for name in names))
    after = min(_FIGURE_WIDTH, max((text_width(figure, 12) for figure in figures), default=0.0))
    rows[0] |= head_fields(
        (account or balance.account.masked, title),
        (moment(balance.as_of), *parts),
        reserve=reserve,
    )
    rows[0] |= {
        "demo": "DEMO" if balance.demo else "",
        "own": list(filter(None, parts)),
        "before": before,
        "after": after,
    }
    return rows
