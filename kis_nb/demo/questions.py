"""The calls about an account that the broker answers: what each asks, and how it is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE, SUMMARY
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb.demo.past_days import NOTHING_SETTLED, Fees, SettledDay
from kis_nb.demo.sessions import is_open, settles_at, trading_day

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kis_nb.demo.account import AccountView
    from kis_nb.demo.book import Book

# The name of each parameter in APMP0001 when it is missing, and whether it may be sent blank.
PARAMETERS = {
    "CANO": ("종합계좌번호", False),
    "ACNT_PRDT_CD": ("계좌상품코드", False),
    "ACNT_PWD": ("계좌비밀번호", True),
    "MGNA_DVSN": ("증거금구분코드", False),
    "EXCC_STAT_CD": ("정산상태코드", False),
    "INQR_DT": ("조회일자", False),
    "INQR_STRT_DAY": ("조회시작일", False),
    "INQR_END_DAY": ("조회종료일", False),
    "CTX_AREA_FK200": ("연속조회검색조건200", True),
    "CTX_AREA_NK200": ("연속조회키200", True),
}
# Recorded live, the new TR's output2 has the 31 keys of the day call and lacks these four
# (docs/sources.md, "Responses"); the old one's published answer lacks the three that came with the
# new. Both write the others in the glossary's order.
_NOT_IN_NEW = {"mmga_tot_amt", "mmga_cash_amt", "mtnc_rt", "isfc_amt"}
_NOT_IN_OLD = {"tot_ccld_amt", "nxdy_dncl_amt", "prsm_dpast_amt"}
# Nothing is found of earlier days (invented).
_FIRST_DAY = date(2023, 1, 1)


class Found(Protocol):
    """What was found: as many rows as `len` says, and a summary."""

    def __len__(self) -> int:
        """How many rows."""

    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:
        """`output1` from row `start` to before `stop`."""

    def summary(self, tr_id: str) -> dict[str, str]:
        """`output2`."""


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of call.

    Attributes:
        endpoint: the call.
        search: the parameters that its first page key repeats.
        valid: whether the parameters' values can be answered.
        find: the answer to a query about an account at a moment (epoch seconds).
    """

    endpoint: Endpoint
    search: tuple[str, ...]
    valid: Callable[[Mapping[str, str]], bool]
    find: Callable[[Book, str, Mapping[str, str], int], Found]


@dataclass(frozen=True, slots=True)
class _Balance:
    view: AccountView
    purchase: bool
    maintenance: bool

    def __len__(self) -> int:
        return len(self.view)

    def rows(self, start: int, stop: int, tr_id: str) -> list[dict[str, str]]:
        new = tr_id == NIGHT_BALANCE.tr_ids[0]
        return self.view.rows(start, stop, purchase=self.purchase, new=new)

    def summary(self, tr_id: str) -> dict[str, str]:
        omitted = _NOT_IN_NEW if tr_id == NIGHT_BALANCE.tr_ids[0] else _NOT_IN_OLD
        figures = self.view.summary(maintenance=self.maintenance, purchase=self.purchase)
        return {
            each.name: figures[each.name] for each in SUMMARY.fields if each.name not in omitted
        }


def _balance(book: Book, account: str, query: Mapping[str, str], moment: int) -> Found:
    view = book.view(account, moment)
    return _Balance(view, query["EXCC_STAT_CD"] == "2", query["MGNA_DVSN"] == "02")


def _codes_known(query: Mapping[str, str]) -> bool:
    return all(query[name] in codes for name, codes in NIGHT_BALANCE.codes.items())


def _date(text: str) -> date | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()):
        return None
    try:
        return datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007
    except ValueError:
        return None


def _settled(book: Book, account: str, query: Mapping[str, str], moment: int) -> Found:
    day = _date(query["INQR_DT"])
    if day is None or not is_open(day) or not _FIRST_DAY <= day <= trading_day(moment):
        return NOTHING_SETTLED
    return SettledDay(book.view(account, min(moment, settles_at(day))))


def _day_known(query: Mapping[str, str]) -> bool:
    return _date(query["INQR_DT"]) is not None


def _fees(book: Book, account: str, query: Mapping[str, str], moment: int) -> Found:
    start, end = _date(query["INQR_STRT_DAY"]), _date(query["INQR_END_DAY"])
    if start is None or end is None:
        return Fees([])
    start, end = max(start, _FIRST_DAY), min(end, trading_day(moment))
    return Fees(book.traded(account, start, end, moment))


def _period_known(query: Mapping[str, str]) -> bool:
    start, end = _date(query["INQR_STRT_DAY"]), _date(query["INQR_END_DAY"])
    return start is not None and end is not None and start <= end


NIGHT = Question(
    NIGHT_BALANCE,
    ("CANO", "ACNT_PRDT_CD", "MGNA_DVSN", "EXCC_STAT_CD"),
    _codes_known,
    _balance,
)
PAST_DAY = Question(SETTLEMENT_PL, ("CANO", "ACNT_PRDT_CD", "INQR_DT"), _day_known, _settled)
PERIOD = Question(
    DAILY_FEES, ("CANO", "ACNT_PRDT_CD", "INQR_STRT_DAY", "INQR_END_DAY"), _period_known, _fees
)
QUESTIONS = (NIGHT, PAST_DAY, PERIOD)
