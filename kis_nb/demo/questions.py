"""The calls that the broker answers: what each asks, and how it is looked up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.margin_detail import MARGIN_DETAIL
from kis_nb._schema.margin_rate import MARGIN_RATE
from kis_nb._schema.night_balance import NIGHT_BALANCE, SUMMARY
from kis_nb._schema.quote import QUOTE
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb.demo.found import Found, Listing
from kis_nb.demo.margins import Detail, Rates
from kis_nb.demo.past_days import NOTHING_SETTLED, Fees, SettledDay
from kis_nb.demo.quotes import Quote
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
    "MGNA_DVSN_CD": ("증거금구분코드", False),
    "BASS_DT": ("기준일자", False),
    "BAST_ID": ("기초자산ID", True),
    "FID_COND_MRKT_DIV_CODE": ("FID 조건 시장 분류 코드", False),
    "FID_INPUT_ISCD": ("FID 입력 종목코드", False),
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
_FIRST_RATES = date(2023, 5, 24)  # docs/sources.md, "Margin"


@dataclass(frozen=True, slots=True)
class Question:
    """A kind of call.

    Attributes:
        endpoint: the call.
        search: the parameters that its first page key repeats.
        valid: whether the parameters' values can be answered.
        find: the answer to a query about an account ("" for none) at a moment (epoch seconds).
    """

    endpoint: Endpoint
    search: tuple[str, ...]
    valid: Callable[[Mapping[str, str]], bool]
    find: Callable[[Book, str, Mapping[str, str], int], Found]

    @property
    def about_account(self) -> bool:
        """Whether it is about an account, and so goes on to the ledger."""
        return "CANO" in self.endpoint.params


@dataclass(frozen=True, slots=True)
class _Balance(Listing):
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


def _codes_of(endpoint: Endpoint) -> Callable[[Mapping[str, str]], bool]:
    return lambda query: all(query[name] in codes for name, codes in endpoint.codes.items())


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


def _quote(book: Book, _: str, query: Mapping[str, str], moment: int) -> Found:
    return Quote(book, query["FID_COND_MRKT_DIV_CODE"], query["FID_INPUT_ISCD"], moment)


def _detail(book: Book, account: str, query: Mapping[str, str], moment: int) -> Found:
    return Detail(book.view(account, moment), maintenance=query["MGNA_DVSN_CD"] == "02")


def _rates(book: Book, _: str, query: Mapping[str, str], moment: int) -> Found:
    day = _date(query["BASS_DT"])
    known = day is not None and is_open(day) and _FIRST_RATES <= day <= trading_day(moment)
    return Rates(book.market, day if known else None, query["BAST_ID"].strip())


NIGHT = Question(
    NIGHT_BALANCE,
    ("CANO", "ACNT_PRDT_CD", "MGNA_DVSN", "EXCC_STAT_CD"),
    _codes_of(NIGHT_BALANCE),
    _balance,
)
PAST_DAY = Question(SETTLEMENT_PL, ("CANO", "ACNT_PRDT_CD", "INQR_DT"), _day_known, _settled)
PERIOD = Question(
    DAILY_FEES, ("CANO", "ACNT_PRDT_CD", "INQR_STRT_DAY", "INQR_END_DAY"), _period_known, _fees
)
QUOTES = Question(QUOTE, ("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD"), _codes_of(QUOTE), _quote)
MARGIN = Question(
    MARGIN_DETAIL, ("CANO", "ACNT_PRDT_CD", "MGNA_DVSN_CD"), _codes_of(MARGIN_DETAIL), _detail
)
RATES = Question(
    MARGIN_RATE, ("BASS_DT", "BAST_ID"), lambda query: _date(query["BASS_DT"]) is not None, _rates
)
QUESTIONS = (NIGHT, PAST_DAY, PERIOD, QUOTES, MARGIN, RATES)
