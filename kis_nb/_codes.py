"""Codes that KIS's calls take, and the language of labels.

`Margin` (MGNA_DVSN) and `Basis` (EXCC_STAT_CD) are the two codes of the night balance call. Imports
nothing else of the package.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["ko", "en"]


class _Code(StrEnum):
    """A query parameter's code, with the words people read beside it."""

    def label(self, lang: Lang) -> str:
        """The Korean or the English word for the code."""
        return _WORDS[self][lang][0]

    def explain(self, lang: Lang) -> str:
        """One sentence on what choosing the code does."""
        return _WORDS[self][lang][1]

    @classmethod
    def _missing_(cls, value: object) -> None:
        codes = ", ".join(f"{code.value!r} ({code.label('en')})" for code in cls)
        raise ValueError(f"{_PARAMETER[cls.__name__]} takes {codes}; got {value!r}")


class Margin(_Code):
    """MGNA_DVSN, 증거금구분: which margin the reply's margin fields hold."""

    INITIAL = "01"
    MAINTENANCE = "02"


class Basis(_Code):
    """EXCC_STAT_CD, 정산상태코드: the price that cost and P&L are counted from."""

    SETTLEMENT = "1"
    PURCHASE = "2"


_PARAMETER = {"Margin": "MGNA_DVSN", "Basis": "EXCC_STAT_CD"}


_WORDS: dict[_Code, dict[Lang, tuple[str, str]]] = {
    Margin.INITIAL: {
        "ko": ("개시", "새 포지션을 열 때 필요한 증거금으로 계산합니다."),
        "en": ("Initial", "Margin figures are what opening these positions takes."),
    },
    Margin.MAINTENANCE: {
        "ko": ("유지", "보유 포지션을 유지하는 데 필요한 증거금으로 계산합니다."),
        "en": ("Maintenance", "Margin figures are the least that keeps these positions open."),
    },
    Basis.SETTLEMENT: {
        "ko": ("정산", "정산가격 기준: 평가손익은 정산가 이후의 변동입니다."),
        "en": ("Settlement", "Cost is at the settlement price: P&L is the move since settlement."),
    },
    Basis.PURCHASE: {
        "ko": ("본정산", "매입가격 기준: 평가손익은 체결평균단가 이후의 변동입니다."),
        "en": (
            "Purchase",
            "Cost is at the average fill price: P&L is the move since you bought or sold.",
        ),
    },
}
