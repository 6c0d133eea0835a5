"""What the columns of derived frames are called, and how their cells are written for people."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from kis_nb._account import Account, mask_cano
from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin
from kis_nb._frames import estimate_text
from kis_nb._frames.columns import PROFIT_COLUMNS, column_label, side_label
from kis_nb._frames.text import arrowed, exact
from kis_nb._frames.words import KINDS, PRODUCTS, Words

# Of the frames of `Balances`; a field of KIS's has its label in the glossary.
_LABELS: dict[str, Words] = {
    "account": ("계좌", "Account"),
    "mgna_dvsn": ("증거금구분", "Margin code"),
    "excc_stat_cd": ("정산상태", "Basis"),
    "as_of": ("조회시각", "As of"),
    "reported_equity": ("정산 자산", "Equity at settlement"),
    "current_equity": ("지금 자산", "Equity now"),
    "source": ("출처", "Source"),
    "initial_margin": ("개시증거금", "Initial margin"),
    "maintenance_margin": ("유지증거금", "Maintenance margin"),
    "initial_as_of": ("개시증거금 시각", "Initial margin as of"),
    "margin_as_of": ("유지증거금 시각", "Maintenance margin as of"),
    "excess_margin": ("여유증거금 (정산)", "Excess margin at settlement"),
    "excess_margin_now": ("여유증거금", "Excess margin"),
    "equity_percent": ("자산/유지증거금", "Equity / maintenance"),
    "margin_call": ("추가증거금", "Margin call"),
    "product": ("상품", "Product"),
    "kind": ("종류", "Kind"),
    "underlying": ("기초자산", "Underlying"),
    "expiry": ("만기", "Expiry"),
    "strike": ("행사가", "Strike"),
    "multiplier": ("승수", "Multiplier"),
    "positions": ("종목 수", "Positions"),
    "contracts": ("계약 수", "Contracts"),
    "unpriced": ("가격 없음", "No price"),
    "market_value": ("평가금액", "Market value"),
    "unrealized": ("평가손익", "Unrealized P&L"),
    "realized": ("매매손익", "Realized P&L"),
    "total": ("손익 합계", "Total P&L"),
    "index_move": ("지수 변동", "Index move"),
    "index_level": ("지수", "Index"),
    "pnl_held": ("손익 (시간가치 유지)", "P&L, time value kept"),
    "pnl_worst": ("손익 (최악)", "P&L, worst"),
    "excess_held": ("여유증거금 (시간가치 유지)", "Excess margin, time value kept"),
    "excess_worst": ("여유증거금 (최악)", "Excess margin, worst"),
    "left_out": ("제외", "Left out"),
    "what": ("대조", "Check"),
    "item": ("대상", "Of"),
    "expected": ("기대값", "Expected"),
    "found": ("KIS", "KIS"),
    "difference": ("차이", "Difference"),
    "status": ("결과", "Status"),
    "field": ("필드", "Field"),
    "price": ("가격", "Price"),
    "cost": ("원가", "Cost"),
    "cost_off_by": ("원가 차이", "Cost off by"),
    "pnl_off_by": ("손익 차이", "P&L off by"),
}
# Profits and losses, and other figures whose sign is the point of them.
_SIGNED = {
    *PROFIT_COLUMNS,
    "evlu_pfls_amt_smtl",
    "trad_pfls_amt_smtl",
    "futr_evlu_pfls_amt",
    "futr_trad_pfls_amt",
    "opt_evlu_pfls_amt",
    "opt_trad_pfls_amt",
    "unrealized",
    "realized",
    "total",
    "pnl_held",
    "pnl_worst",
}
# Won, with two decimals for the one field that has some.
_WHOLE = {"expected", "found", "difference", "cost", "cost_off_by", "pnl_off_by"}
# A figure below 0, or above it, that a reader must not miss.
_ALARM_BELOW = {"excess_margin", "excess_margin_now", "excess_held", "excess_worst"}
_ALARM_ABOVE = {"margin_call", "add_mgna_tota", "add_mgna_cash"}
_WORDS: Mapping[str, Mapping[str, Words]] = {
    "kind": KINDS,
    "product": PRODUCTS,
    "underlying": PRODUCTS,
    "source": {"sent": ("KIS", "KIS"), "estimate": ("추정치", "estimate")},
    "status": {
        "exact": ("일치", "exact"),
        "rounding": ("1~2원 차이", "a won or two"),
        "differs": ("⚠ 어긋남", "⚠ differs"),
    },
}
_NUMBER = re.compile(r"(?<![0-9])([0-9]{8})(-[0-9]{2})(?![0-9])", re.ASCII)


def label(name: str, lang: Lang) -> str:
    """The label of a column: ours, the glossary's, else the name itself."""
    words = _LABELS.get(name) or estimate_text.LABELS.get(name)
    return column_label(name, lang) if words is None else words[lang == "en"]


def labels(names: Sequence[str], lang: Lang) -> list[str]:
    """The labels of a frame's columns.

    Args:
        names: all of its columns. Those of `Risk.totals`, which no other frame of Greeks has
            ``left_out`` and ``delta_contracts`` of, have units of their own.
        lang: of the labels.
    """
    own = estimate_text.TOTALS if {"left_out", "delta_contracts"} & {*names} else {}
    return [own[name][lang == "en"] if name in own else label(name, lang) for name in names]


def is_profit(name: str) -> bool:
    """Whether a column holds profits and losses, which have a colour."""
    return name in _SIGNED or name in estimate_text.SIGNED


def cell_text(name: str, value: Any, lang: Lang) -> str:
    """One cell: an exact figure, a word, or – for null. Account numbers are masked."""
    if value is None:
        return exact(None)
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return _figure(name, value)
    if isinstance(value, str):
        return _text(name, value, lang)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Account):
        return value.masked
    if isinstance(value, list | tuple):
        return ", ".join(cell_text("", one, lang) for one in value) or exact(None)
    if isinstance(value, float):
        return _estimate(name, value)
    return _masked(str(value))


def _figure(name: str, value: Decimal | int) -> str:
    if name in _SIGNED:
        return arrowed(value)
    text = exact(value)
    if name in _WHOLE:
        return text.removesuffix(".00")
    if name == "equity_percent":
        return f"{text}%"
    if name == "index_move":
        return f"{'+' if value > 0 else ''}{text.removesuffix('.00')}%"
    alarm = (name in _ALARM_BELOW and value < 0) or (name in _ALARM_ABOVE and value > 0)
    return f"⚠ {text}" if alarm else text


def _estimate(name: str, value: float) -> str:
    if name in estimate_text.SIGNED and math.isfinite(value):
        return arrowed(round(value))
    return estimate_text.float_text(name, value)


def _text(name: str, value: str, lang: Lang) -> str:
    if name == "side" and side_label(value, lang):
        return side_label(value, lang)
    if name in ("mgna_dvsn", "excc_stat_cd"):
        codes = Margin if name == "mgna_dvsn" else Basis
        known = next((code for code in codes if code.value == value), None)
        return value if known is None else known.label_with_code(lang)
    words = _WORDS.get(name, {}).get(value) or estimate_text.WORDS.get(name, {}).get(value)
    if words is not None:
        return words[lang == "en"]
    return mask_cano(value) if name == "cano" else _masked(value.strip())


def _masked(text: str) -> str:
    return _NUMBER.sub(lambda found: mask_cano(found[1]) + found[2], text)
