"""`table`: a frame as a table for people, in HTML that needs no style sheet, and as text."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, get_args

from kis_nb._choices import Colors, Lang, check_choice
from kis_nb._frames.estimate_text import SIGNED
from kis_nb._frames.prices import OF_PRICE, is_unpriced
from kis_nb._frames.report_labels import cell_text, is_profit, labels
from kis_nb._frames.text import tone
from kis_nb._frames.words import NO_PRICE

if TYPE_CHECKING:
    import polars as pl

# All style is inline: for a notebook that is not trusted JupyterLab removes style sheets. Text has
# the page's own colour, so that it can be read on light, dark and paper.
_CELL = "padding:.3em .5em;vertical-align:top;border-bottom:1px solid rgba(128,128,128,.3)"
_NUMBER = f"{_CELL};text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
# Korean would break inside its words.
_TEXT = f"{_CELL};text-align:left;word-break:keep-all"
_MOMENT = f"{_TEXT};white-space:nowrap;font-variant-numeric:tabular-nums"
# Half-way between light and dark, to be read on both: an inline style knows no theme.
_RED, _BLUE, _GREEN = "#e0393e", "#2b7de9", "#1a8a4a"
_TONES: Mapping[Colors, Mapping[str, str]] = {
    "kr": {"up": _RED, "down": _BLUE},
    "us": {"up": _GREEN, "down": _RED},
}


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """A frame as a table for people; a cell shows it as HTML, ``str()`` gives it as text.

    Attributes:
        frame: what it shows.
        lang, colors, rows: as of `table`.
    """

    frame: pl.DataFrame = field(repr=False)
    lang: Lang
    colors: Colors
    rows: int

    def _texts(self) -> list[list[str]]:
        return [_texts(row, self.lang) for row in self.frame.head(self.rows).iter_rows(named=True)]

    def _rest(self) -> str:
        rest = self.frame.height - self.rows
        if rest <= 0:
            return ""
        return f"… {rest:,}행 더" if self.lang == "ko" else f"… {rest:,} more"

    def __str__(self) -> str:
        import polars as pl

        columns = labels(self.frame.columns, self.lang)
        # Two columns can have one label, and a frame needs different names.
        names = [
            name + "\u200b" * columns[:number].count(name) for number, name in enumerate(columns)
        ]
        frame = pl.DataFrame(self._texts(), schema=dict.fromkeys(names, pl.String), orient="row")
        with pl.Config(
            tbl_hide_column_data_types=True,
            tbl_hide_dataframe_shape=True,
            tbl_rows=-1,
            tbl_cols=-1,
            tbl_width_chars=10_000,
            fmt_str_lengths=1_000,
        ):
            return "\n".join(filter(None, (str(frame), self._rest())))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The table as HTML: without a style sheet, and in the page's colours."""
        names = self.frame.columns
        numeric = [dtype.is_numeric() for dtype in self.frame.dtypes]
        styles = [
            _NUMBER if dtype.is_numeric() else _MOMENT if dtype.is_temporal() else _TEXT
            for dtype in self.frame.dtypes
        ]
        head = "".join(
            f"<th style='{_TEXT};text-align:{'right' if number else 'left'}'>"
            f"{html.escape(one)}</th>"
            for one, number in zip(labels(names, self.lang), numeric, strict=True)
        )
        shown = self.frame.head(self.rows).iter_rows(named=True)
        body = "".join(
            "<tr>"
            + "".join(
                f"<td style='{style}{self._colour(name, value)}'>{html.escape(text)}</td>"
                for (name, value), text, style in zip(row.items(), texts, styles, strict=True)
            )
            + "</tr>"
            for row, texts in zip(shown, self._texts(), strict=True)
        )
        if not self.frame.height:
            nothing = "없음" if self.lang == "ko" else "none"
            body = f"<tr><td style='{_TEXT}' colspan='{len(names)}'><i>{nothing}</i></td></tr>"
        rest = self._rest()
        return (
            "<div style='overflow-x:auto'><table style='border-collapse:collapse;margin:0'>"
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            f"{f'<small>{rest}</small>' if rest else ''}</div>"
        )

    def _colour(self, name: str, value: Any) -> str:
        # Any frame may have a text or a list in a column of such a name.
        if isinstance(value, float) and name in SIGNED and math.isfinite(value):
            value = round(value)  # an estimate is shown in whole won
        if not is_profit(name) or not isinstance(value, Decimal | int):
            return ""
        colour = _TONES[self.colors].get(tone(value))
        return f";color:{colour}" if colour else ""


def _texts(row: Mapping[str, Any], lang: Lang) -> list[str]:
    no_price = {"cblc_qty", "idx_clpr", "evlu_amt"} <= row.keys() and is_unpriced(row)
    return [
        NO_PRICE[lang == "en"] if no_price and name in OF_PRICE else cell_text(name, value, lang)
        for name, value in row.items()
    ]


def table(
    frame: pl.DataFrame, *, lang: Lang = "ko", colors: Colors = "kr", rows: int = 50
) -> Table:
    """A frame as a table for people.

    Figures are exact, with thousands separators; profit and loss have sign, arrow and colour; null
    is ``–``; account numbers are masked. Of a position without a price KIS sends zeros, which are
    replaced by "no price" when the frame also has ``cblc_qty``, ``idx_clpr`` and ``evlu_amt``, by
    which such a position is known; `Balances.pnl` has null for them. The text is in the page's
    colour, so the table can be read on a light page, on a dark one and on paper. A table that is
    wider than the page scrolls.

    Args:
        frame: any Polars DataFrame, best one with few columns, such as those of `Balances.equity`
            and `Balances.pnl`.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones; a column without a label keeps
            its name.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        rows: how many rows are shown; below them stands how many more there are.

    Returns:
        A `Table`, which a cell shows; ``str()`` gives it as text.

    Raises:
        ValueError: an argument is none of these, or `rows` is below 1.
        TypeError: `frame` is no DataFrame, or `rows` no int.
    """
    import polars as pl

    if not isinstance(frame, pl.DataFrame):
        collect = "; call its .collect() first" if isinstance(frame, pl.LazyFrame) else ""
        raise TypeError(f"table takes a Polars DataFrame; got {type(frame).__name__}{collect}")
    check_choice("lang", lang, get_args(Lang))
    check_choice("colors", colors, get_args(Colors))
    if type(rows) is not int:
        raise TypeError(f"rows takes an int; got {rows!r}")
    if rows < 1:
        raise ValueError(f"rows takes a count from 1; got {rows}")
    return Table(frame, lang, colors, rows)
