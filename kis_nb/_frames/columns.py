"""Which columns of a balance a reader sees, in which order, and what columns are called.

The HTML repr, the charts' tooltips, the dashboard's table and the command line all choose from
these lists. A frame itself always has every column. Importing this module does not load polars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from kis_nb._choices import Lang, check_choice
from kis_nb._schema.night_balance import POSITIONS, SUMMARY

if TYPE_CHECKING:
    import polars as pl

# Columns of `positions` from left to right: what is held and how it does first, prices last.
POSITION_COLUMNS = (
    "prdt_name",
    "shtn_pdno",
    "side",
    "cblc_qty",
    "lqd_psbl_qty",
    "evlu_pfls_amt",
    "trad_pfls_amt",
    "evlu_amt",
    "pchs_amt",
    "idx_clpr",
    "excc_unpr",
    "ccld_avg_unpr1",
)
# Of these, the ones that hold text.
TEXT_COLUMNS = ("prdt_name", "shtn_pdno", "side")
# Profits and losses: shown with their sign, and added up below a table.
PROFIT_COLUMNS = ("evlu_pfls_amt", "trad_pfls_amt")
# Which columns are left out first where there is not enough width, as in a narrow terminal.
DROP_ORDER = (
    "pchs_amt",
    "ccld_avg_unpr1",
    "excc_unpr",
    "evlu_amt",
    "prdt_name",
    "idx_clpr",
    "trad_pfls_amt",
)
# Figures of `summary` that say most about an account.
SUMMARY_FIGURES = (
    "prsm_dpast",
    "evlu_pfls_amt_smtl",
    "trad_pfls_amt_smtl",
    "mgna_tota",
    "add_mgna_tota",
    "ord_psbl_tota",
)

# `side` is no field of KIS's: it is worked out in `kis_nb._frames.sides`.
_SIDE: dict[Lang, str] = {"ko": "방향", "en": "Side"}
_SIDES: dict[str, dict[Lang, str]] = {
    "long": {"ko": "매수", "en": "Long"},
    "short": {"ko": "매도", "en": "Short"},
    "flat": {"ko": "청산", "en": "Flat"},
}
SIDES = tuple(_SIDES)

_FIELDS = {field.name: field for field in (*POSITIONS.fields, *SUMMARY.fields)}
# Names that we give to columns, in frames, in front of stacked frames, and as labels.
_OURS = {"side", "account", "mgna_dvsn", "excc_stat_cd", "as_of", *_SIDE.values()}
_OURS |= {label for field in _FIELDS.values() for label in (field.ko, field.en)}


def chosen(*left_out: str) -> tuple[str, ...]:
    """`POSITION_COLUMNS` without these."""
    return tuple(name for name in POSITION_COLUMNS if name not in left_out)


def column_label(name: str, lang: Lang) -> str:
    """The label of a column: the glossary's for a field of KIS, ours for `side`, else the name."""
    if name == "side":
        return _SIDE[lang]
    return _FIELDS[name].label(lang) if name in _FIELDS else name


def side_label(side: str | None, lang: Lang) -> str:
    """``long``, ``short`` or ``flat`` in words; blank for null."""
    return _SIDES[side][lang] if side in _SIDES else ""


def relabel(frame: pl.DataFrame, lang: Lang) -> pl.DataFrame:
    """A frame with labels for column names; columns without a label keep theirs.

    Raises:
        ValueError: a language other than ko and en.
    """
    check_choice("lang", lang, get_args(Lang))
    return frame.rename({name: column_label(name, lang) for name in frame.columns})


def rename_clashing(frame: pl.DataFrame) -> pl.DataFrame:
    """A decoded frame in which no unknown field has a name or label that we give to a column.

    Such a field gets ``wire_`` in front of its name.
    """
    taken = _OURS | set(frame.columns)
    new: dict[str, str] = {}
    for name in filter(_OURS.__contains__, frame.columns):
        new[name] = f"wire_{name}"
        while new[name] in taken:
            new[name] = f"wire_{new[name]}"
    return frame.rename(new) if new else frame
