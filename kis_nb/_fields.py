"""The glossary, the parameters' codes, and each KIS endpoint as data. Ground floor: imports nothing
of ours.

Everything that depends on a field's name, type, unit or label is built from here: frames, labels,
the data dictionary, the docs, the embedded broker. A sibling call of KIS is added here, as one more
`Endpoint`, plus what its figures mean; the paging loop and the decoder take any of them.

Source: (야간)선물옵션 잔고현황 [국내선물-010], TR ``CTFN6118R`` (new) and ``JTCE6001R`` (old),
``GET /uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.resources import files
from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["ko", "en"]


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field of a reply.

    Attributes:
        name: the wire name.
        ko, en: the labels people read.
        dtype: ``String``, ``Int64`` or ``Decimal(precision,scale)``.
        unit: KRW, points, contracts, % or "" for text.
        note: what the name does not tell.
        digits: (precision, scale) of a number, scale 0 for a count; None for text.
    """

    name: str
    ko: str
    en: str
    dtype: str
    unit: str = ""
    note: str = ""
    digits: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        sizes = {"String": None, "Int64": (19, 0)}
        if self.dtype not in sizes:
            precision, _, scale = (
                self.dtype.removeprefix("Decimal(").removesuffix(")").partition(",")
            )
            sizes[self.dtype] = int(precision), int(scale)
        object.__setattr__(self, "digits", sizes[self.dtype])

    def label(self, lang: Lang) -> str:
        """The Korean or the English name."""
        return self.ko if lang == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Block:
    """A named part of the reply's body: a list of rows, or one object."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One read-only KIS call.

    Attributes:
        path: below the host.
        tr_ids: transaction ids that serve it, the current one first.
        params: query parameters in the document's order; all are always sent, blank ones too.
        cursors: the query parameters that carry the page keys; the reply names them in lower case.
        rows: the block that is a list and grows over the pages.
        summary: the block that is one object.
    """

    path: str
    tr_ids: tuple[str, ...]
    params: tuple[str, ...]
    cursors: tuple[str, ...]
    rows: Block
    summary: Block


# Identifies the customer, so it is masked before it enters a frame, in whatever block it comes.
PERSONAL = {"cano"}


def _block(name: str) -> Block:
    """A block's fields, in the order of the glossary file."""
    lines = (files("kis_nb") / "fields.csv").read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row.pop("block") == name]
    return Block(
        name,
        tuple(Field(name=row.pop("field"), **row) for row in rows),
    )


POSITIONS = _block("output1")
SUMMARY = _block("output2")

NIGHT_BALANCE = Endpoint(
    path="/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance",
    tr_ids=("CTFN6118R", "JTCE6001R"),
    params=(
        "CANO",
        "ACNT_PRDT_CD",
        "ACNT_PWD",
        "MGNA_DVSN",
        "EXCC_STAT_CD",
        "CTX_AREA_FK200",
        "CTX_AREA_NK200",
    ),
    cursors=("CTX_AREA_FK200", "CTX_AREA_NK200"),
    rows=POSITIONS,
    summary=SUMMARY,
)


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


class Account:
    """An account number (8-2), shown masked.

    ``repr``, ``str`` and format give ``800*****-03``, so that an account can be printed, logged and
    left in a traceback's locals; it equals its full text, and `cano` and `product` give the two
    parts that a call sends.
    """

    __slots__ = ("_cano", "_product")

    # A cash account's product code is 01; futures and options trade under 03.
    _FORM = re.compile(r"([0-9]{8})-?([0-9]{2})", re.ASCII)

    def __init__(self, cano: str, product: str) -> None:
        self._cano = cano
        self._product = product

    @classmethod
    def read(cls, text: object) -> Account | ValueError:
        """An account from ``80012345-03`` (the hyphen may be left out), or what is wrong with it.

        The error is given back for the caller to raise: what was typed may be a real number with a
        slip in it, and must first leave the caller's locals, which a traceback may print.
        """
        if isinstance(text, Account):
            return text
        found = cls._FORM.fullmatch(text.strip()) if isinstance(text, str) else None
        if found is None:
            return ValueError(
                "an account is 8 digits, a hyphen and 2 digits, as in 12345678-03; "
                "what was given does not look like that"
            )
        return cls(found[1], found[2])

    @classmethod
    def parse(cls, text: object) -> Account:
        """As `read`, for texts that are no secret.

        Raises:
            ValueError: the text is no account number. The message does not repeat it.
        """
        account = cls.read(text)
        if isinstance(account, ValueError):
            raise account
        return account

    @property
    def cano(self) -> str:
        """First 8 digits (CANO), unmasked."""
        return self._cano

    @property
    def product(self) -> str:
        """Last 2 digits (ACNT_PRDT_CD)."""
        return self._product

    @property
    def masked(self) -> str:
        """``800*****-03``."""
        return f"{mask_cano(self._cano)}-{self._product}"

    def hide(self, text: str) -> str:
        """The text with this number masked, unless it is part of a longer one."""
        whole = rf"(?<![0-9]){self._cano}(?=(-?{self._product})?(?![0-9]))"
        return re.sub(whole, mask_cano(self._cano), text, flags=re.ASCII)

    def __repr__(self) -> str:
        return self.masked

    def __format__(self, spec: str) -> str:
        return format(self.masked, spec)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Account):
            return (self._cano, self._product) == (other._cano, other._product)
        if isinstance(other, str):
            return other == f"{self._cano}-{self._product}"
        return NotImplemented

    def __hash__(self) -> int:
        # As the text's, since the two compare equal.
        return hash(f"{self._cano}-{self._product}")


def mask_cano(cano: str) -> str:
    """``80012345`` as ``800*****``: enough to tell one's own accounts apart, no more."""
    return cano[:3] + "*" * max(len(cano) - 3, 0)


def account_labels(accounts: Iterable[Account]) -> dict[Account, str]:
    """A different masked label for each account: ``800*****-03``, ``800*****-03 (2)``, …

    Two accounts of one customer can share their first digits, and a label that two accounts share
    would add them up as one.
    """
    labels: dict[Account, str] = {}
    seen: dict[str, int] = {}
    for account in dict.fromkeys(accounts):
        count = seen[account.masked] = seen.get(account.masked, 0) + 1
        labels[account] = account.masked if count == 1 else f"{account.masked} ({count})"
    return labels
