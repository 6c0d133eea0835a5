"""The rows of bars with a name on the left and the exact figure on the right.

The P&L, book and four-views charts are all of this kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kis_nb._chart_rows.heading import add_heading
from kis_nb._chart_rows.labels import SEPARATOR, columns, geometry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.text import Figure, signed
from kis_nb._frames.text import tone as tone_of
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


def bar(
    name: str,
    value: Figure,
    *,
    figure: str | None = None,
    tip: Mapping[str, str] | None = None,
    id: str | None = None,  # noqa: A002  # the word that the page and Vega use
    tone: str | None = None,
    length: float | None = None,
    note: str = "",
) -> Row:
    """One bar as a row of the chart's data, without its key (see `keyed`).

    Args:
        name: the text on the left.
        value: gives length and tone unless these are given; null draws no bar.
        figure: the text on the right; the exact value with its sign by default.
        tip: texts for the tooltip, by field name.
        id: the id that a click selects.
        tone: a colour's name, see `_build`.
        length: of the bar, when it is not the value.
        note: a text drawn in place of the bar.
    """
    text = signed(value) if figure is None else figure
    drawn = None if value is None else geometry(value)
    return {
        "name": name,
        "figure": text,
        "value": drawn if length is None else length,
        "tone": (tone_of(value) or "null") if tone is None else tone,
        "note": note,
        "id": id,
        "aria": f"{name}: {note or text}",
        **(tip or {}),
    }


def keyed(
    rows: list[Row], balance: Balance, style: Style, *parts: str, account: str = ""
) -> list[Row]:
    """Give every row its key, made of name and figure, and the first one the heading.

    Two axes show the two halves of the keys left and right of the bars. An axis measures its widest
    label itself, so that any name and any figure fits.

    Args:
        rows: from `bar`.
        balance, style, *parts, account: of the heading, see `add_heading`.
    """
    seen: dict[str, int] = {}
    names, figures = [], columns([row["figure"] for row in rows])
    for row, figure in zip(rows, figures, strict=True):
        # Two positions can have one name; with one key they would be drawn on one line.
        count = seen[row["name"]] = seen.get(row["name"], 0) + 1
        names.append(row["name"] + "\u200b" * (count - 1))
        row["key"] = f"{names[-1]}{SEPARATOR}{figure}"
    return add_heading(rows, balance, style, *parts, account=account, names=names, figures=figures)
