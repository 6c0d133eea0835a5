"""The two codes of the night balance call, the view that they select, and how both are named.

`Margin` (MGNA_DVSN) and `Basis` (EXCC_STAT_CD) are query parameters of TR ``CTFN6118R``. One
account pulled with one pair of codes is a `View`: another pair gives other figures.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeAlias

from kis_nb._account import Account
from kis_nb._choices import Lang


class _Code(StrEnum):
    """A code that a query parameter takes, with its names for people."""

    if TYPE_CHECKING:
        # StrEnum's own signature takes str alone; `_missing_` reads an int.
        def __new__(cls, value: str | int) -> Self: ...

    @property
    def query(self) -> str:
        """The parameter and its code as the call spells them: ``MGNA_DVSN=01``."""
        return f"{_PARAMETER[type(self).__name__]}={self.value}"

    def label(self, lang: Lang) -> str:
        """The Korean or the English word for the code: ``개시``, ``Initial``."""
        return _WORDS[self][lang][0]

    def label_with_code(self, lang: Lang) -> str:
        """The word and the code: ``개시 01``, ``Initial 01``."""
        return f"{self.label(lang)} {self.value}"

    def explain(self, lang: Lang) -> str:
        """One sentence on what choosing the code does."""
        return _WORDS[self][lang][1]

    @classmethod
    def _missing_(cls, value: object) -> Self:
        # `papermill -p mgna_dvsn 02` passes the int 2. True and 1.0 equal 1 and are no code.
        if type(value) is int:
            for code in cls:
                if int(code.value) == value:
                    return code
        codes = ", ".join(
            f"{code.value!r} or {int(code.value)} ({code.label('en')})" for code in cls
        )
        raise ValueError(f"{_PARAMETER[cls.__name__]} takes {codes}; got {value!r}")


class Margin(_Code):
    """MGNA_DVSN, 증거금구분: which margin the reply's margin fields hold.

    ``Margin("02")`` and ``Margin(2)`` are the same.

    Attributes:
        INITIAL: ``"01"``, the margin that opening the positions takes.
        MAINTENANCE: ``"02"``, the least margin that keeps them open.
    """

    INITIAL = "01"
    MAINTENANCE = "02"


class Basis(_Code):
    """EXCC_STAT_CD, 정산상태코드: the price that cost and unrealized P&L are counted from.

    ``Basis("1")`` and ``Basis(1)`` are the same.

    Attributes:
        SETTLEMENT: ``"1"``, the last settlement price.
        PURCHASE: ``"2"``, the average fill price.
    """

    SETTLEMENT = "1"
    PURCHASE = "2"


MarginLike: TypeAlias = str | int | Margin
BasisLike: TypeAlias = str | int | Basis
View: TypeAlias = tuple[Account, Margin, Basis]


def view_title(margin: Margin, basis: Basis, lang: Lang) -> str:
    """The name of a view without its account: ``개시 01 · 정산 1``."""
    return f"{margin.label_with_code(lang)} · {basis.label_with_code(lang)}"


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
