"""Past days filled from KIS's own: which calls are made, what is kept, and what is said of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb import _failure_log
from kis_nb._errors import ApiError, Cancelled, HistoryError
from kis_nb._frames.calendar import is_trading_day
from kis_nb._history.backfill import trading_days
from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb._seoul import KST
from kis_nb.demo import Book
from kis_nb.demo.replies import dump
from tests.factories import environment, make_balance
from tests.faults import Broker

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from kis_nb._client import Client
    from kis_nb.demo import Call
    from kis_nb.demo.replies import Reply
    from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("own_environment")
ACCOUNT, OTHER = "80012345-03", "70045678-03"
DAYS = ("20261116", "20261117", "20261118", "20261119", "20261120")
NOTHING = {"rt_cd": "7", "msg_cd": "KIOK0560", "msg1": "조회할 자료가 없습니다."}


def held(**changed: str) -> dict[str, str]:
    """A row of CTFO6117R."""
    row = dict.fromkeys((field.name for field in SETTLEMENT_PL.rows.fields), "0")
    return row | {
        "pdno": "A01612",
        "prdt_name": "F 202612      ",
        "trad_dvsn_name": "매도",
        "cblc_qty": "2",
        "cblc_amt": "154000000",
        "trad_pfls_amt": "125000",
        "evlu_amt": "153500000",
        "evlu_pfls_amt": "500000",
        **changed,
    }


def traded(day: str, **changed: str) -> dict[str, str]:
    """A row of CTFO6119R."""
    row = dict.fromkeys((field.name for field in DAILY_FEES.rows.fields), "0")
    return row | {
        "ord_dt": day,
        "pdno": "A01612",
        "item_name": "F 202612",
        "sll_agrm_amt": "154000000",
        "sll_fee": "3080",
        "tot_fee_smtl": "3080",
        "trad_pfls": "125000",
        **changed,
    }


def settled(**changed: str) -> dict[str, str]:
    """The summary of CTFO6117R."""
    row = dict.fromkeys((field.name for field in SETTLEMENT_PL.summary.fields), "0")
    return row | {
        "nxdy_dnca": "80000000",
        "dnca_cash": "79000000",
        "dnca_sbst": "5000000",
        "opt_lqd_evlu_amt": "-250000",
        "opt_buy_chgs": "1000000",
        "opt_sll_chgs": "1500000",
        "mmga_tota": "30000000",
        "brkg_mgna_tota": "45000000",
        "fee": "3080",
        **changed,
    }


class Past(Broker):
    """The embedded broker, whose answers about the past are a test's own.

    Attributes:
        days: by account and day, rows and summary of CTFO6117R, or a whole body.
        trades: rows of CTFO6119R, by account.
        asked: TR id, account and first parameter of each call.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.days: dict[tuple[str, str], Any] = {}
        self.trades: dict[str, Any] = {}
        self.asked: list[tuple[str, str, str]] = []

    def respond(self, call: Call, answer: Callable[[], Reply], sock: socket.socket) -> bool:
        query = call.query
        account = f"{query.get('CANO')}-03"
        if call.path == SETTLEMENT_PL.path:
            self.asked.append((SETTLEMENT_PL.tr_id, account, query["INQR_DT"]))
            found = self.days.get((account, query["INQR_DT"]), NOTHING)
        elif call.path == DAILY_FEES.path:
            first, last = query["INQR_STRT_DAY"], query["INQR_END_DAY"]
            self.asked.append((DAILY_FEES.tr_id, account, f"{first}-{last}"))
            found = self.trades.get(account, [])
            if isinstance(found, list):
                rows = [row for row in found if first <= row["ord_dt"] <= last]
                found = (rows, {"fee": "0"})
        else:
            return super().respond(call, answer, sock)
        body = found if isinstance(found, dict) else whole(*found)
        content = dump(body)
        status = 500 if body.get("rt_cd") == "1" else 200
        sock.sendall(
            f"HTTP/1.1 {status} X\r\ntr_cont: D\r\nContent-Length: {len(content)}\r\n\r\n".encode()
            + content
        )
        return True


def whole(rows: list[dict[str, str]], summary: dict[str, str]) -> dict[str, Any]:
    """A good page, the only one."""
    keys = {"ctx_area_fk200": " " * 200, "ctx_area_nk200": " " * 200}
    return {"rt_cd": "0", "msg_cd": "KIOK0510", "output1": rows, "output2": summary, **keys}


@pytest.fixture
def past(clock: Clock) -> Iterator[Past]:
    """A week's days of two accounts, each traded once; Saturday noon."""
    clock.now = datetime(2026, 11, 21, 12, tzinfo=KST).timestamp()
    book = Book.sized({ACCOUNT: 2, OTHER: 1})
    with Past(book=book, clock=clock, calls_per_second=0, token_interval=0) as broker:
        for account in (ACCOUNT, OTHER):
            broker.trades[account] = [traded(day) for day in DAYS]
            for day in DAYS:
                broker.days[account, day] = ([held()], settled())
        yield broker


@pytest.fixture
def client(past: Past, client_of: Callable[..., Client]) -> Client:
    """Of the two accounts."""
    return client_of(past, retries=0)


@pytest.fixture
def history(tmp_path: Path) -> Any:
    return kis_nb.history(tmp_path / "kept")


def test_each_day_is_fetched_once(past: Past, client: Client, history: Any) -> None:
    """A call a day, one a month for the trades; the second time no call at all."""
    result = history.backfill(client, "2026-11-16", "2026-11-20")
    assert result["account_label"].to_list() == ["800*****-03", "700*****-03"]
    counts = ["filled", "already_there", "without_data", "failed"]
    assert result.select(counts).rows() == [(5, 0, 0, 0)] * 2
    assert Counter(tr_id for tr_id, *_ in past.asked) == {"CTFO6117R": 10, "CTFO6119R": 2}
    assert [day for tr_id, account, day in past.asked if account == ACCOUNT and "17" in tr_id] == [
        *reversed(DAYS)
    ]
    assert history.summary().collect().height == 10
    past.asked.clear()
    again = history.backfill(client, date(2026, 11, 16))
    assert again.select(counts).rows() == [(0, 5, 0, 0)] * 2
    assert not past.asked


def test_a_day_becomes_rows_of_the_history(past: Past, client: Client, history: Any) -> None:
    """Every figure that the contract of the columns names, marked by its source."""
    past.days[ACCOUNT, DAYS[0]] = (
        [
            held(),
            held(pdno="B01612745", prdt_name="C 202612 745.0", trad_dvsn_name="BUY", new="1"),
            held(pdno="A05612", trad_dvsn_name="", cblc_qty="0", evlu_amt="0", evlu_pfls_amt="0"),
        ],
        settled(odd="x"),
    )
    history.backfill(client, "2026-11-16", "2026-11-16", accounts=ACCOUNT)
    (summary,) = history.summary().collect().rows(named=True)
    assert summary["date"] == date(2026, 11, 16)
    assert summary["as_of"] == datetime(2026, 11, 16, 6, 45, tzinfo=UTC)
    assert summary["account"] == history.account_id(ACCOUNT)
    assert (summary["source"], summary["mgna_dvsn"], summary["excc_stat_cd"]) == (
        "settlement",
        None,
        None,
    )
    assert (summary["krw_equity"], summary["equity_source"]) == (84_750_000, "settlement")
    assert (summary["initial_margin"], summary["maintenance_margin"]) == (45_000_000, 30_000_000)
    assert (summary["opt_dfpa"], summary["foreign_deposit"]) == (500_000, None)
    assert (summary["settled_on"], summary["positions"]) == (date(2026, 11, 16), 3)
    assert (summary["odd"], summary["demo"]) == ("x", False)
    short, call, flat = history.positions().sort("row").collect().rows()

    def cells(row: tuple[Any, ...], *names: str) -> tuple[Any, ...]:
        columns = history.positions().collect_schema().names()
        return tuple(row[columns.index(name)] for name in names)

    product = ("shtn_pdno", "prdt_name", "side", "product", "kind", "multiplier")
    values = ("side", "quantity", "contract_value", "open_value", "open_cost", "sll_fee")
    assert cells(short, *product) == (
        *("A01612", "F 202612", "short"),
        *("KOSPI 200", "future", 250_000),
    )
    assert cells(short, *values) == ("short", -2, 76_750_000, -153_500_000, -154_000_000, 3080)
    assert cells(short, "trad_pfls", "trad_pfls_amt") == (125_000, 125_000)
    assert cells(call, *values) == ("long", 2, 76_750_000, 153_500_000, 153_000_000, None)
    assert cells(call, "strike", "new") == (Decimal(745), "1")
    assert cells(flat, *values) == ("flat", 0, None, 0, 0, None)
    assert cells(short, "snapshot") == (summary["snapshot"],)


def test_a_recorded_night_gets_its_closing_beside_it(
    past: Past, client: Client, history: Any
) -> None:
    """A snapshot before the close does not make the day whole; one at or after it does. What was
    recorded stays.
    """
    night = make_balance(account=ACCOUNT)
    object.__setattr__(night, "as_of", datetime(2026, 11, 17, 23, tzinfo=KST))
    closed = make_balance(account=ACCOUNT)
    object.__setattr__(closed, "as_of", datetime(2026, 11, 19, 15, 45, tzinfo=KST))
    history.append([night, closed])
    before = history.summary().collect()
    history.backfill(client, "2026-11-18", "2026-11-19", accounts=ACCOUNT)
    assert [day for tr_id, _, day in past.asked if tr_id == "CTFO6117R"] == ["20261118"]
    after = history.summary().collect()
    assert after.filter(source="snapshot").sort("as_of").equals(before.sort("as_of"))
    assert after.select("date", "source").sort("date", "source").rows() == [
        (date(2026, 11, 18), "settlement"),
        (date(2026, 11, 18), "snapshot"),
        (date(2026, 11, 19), "snapshot"),
    ]


def test_a_day_that_is_not_over_is_left_out() -> None:
    """Nor one without a session: a weekend, a holiday."""
    start, end = date(2026, 11, 13), date(2026, 12, 31)
    before = datetime(2026, 11, 17, 17, 59, tzinfo=KST).timestamp()
    assert trading_days(start, end, before) == [date(2026, 11, 16), date(2026, 11, 13)]
    assert trading_days(start, end, before + 60)[0] == date(2026, 11, 17)
    assert trading_days(end, start, before) == []


def test_a_day_that_kis_has_nothing_for_is_no_failure(
    past: Past, client: Client, history: Any
) -> None:
    """In each way that KIS says so; a flat account with a deposit is something."""
    zeros = dict.fromkeys((field.name for field in SETTLEMENT_PL.summary.fields), "0")
    past.days[ACCOUNT, DAYS[0]] = NOTHING
    past.days[ACCOUNT, DAYS[1]] = {"rt_cd": "0", "msg_cd": "KIOK0530", "output1": []}
    past.days[ACCOUNT, DAYS[2]] = {"rt_cd": "0", "msg_cd": "KIOK0530", "output1": [], "output2": []}
    past.days[ACCOUNT, DAYS[3]] = ([], zeros)
    past.days[ACCOUNT, DAYS[4]] = ([], settled())
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["filled"], row["without_data"], row["failed"]) == (1, 4, 0)
    assert row["failures"] == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"rt_cd": "1", "msg_cd": "EGW00201", "msg1": "초당 거래건수"}, "RateLimitError"),
        ({"rt_cd": "1", "msg_cd": "EGW00300", "msg1": ""}, "TransportError"),
        ({"rt_cd": "7", "msg_cd": "APAC0071", "msg1": "80012345"}, "ApiError"),
        ({"rt_cd": "0", "output1": "x", "output2": {}}, "DecodeError"),
        (([held(evlu_amt="1.5")], settled()), "DecimalError"),
    ],
)
def test_one_days_failure_loses_no_other_day(
    past: Past, client: Client, history: Any, body: Any, error: str
) -> None:
    """It is named with its reason, and the next time it alone is asked for."""
    kept = past.days[ACCOUNT, DAYS[2]]
    past.days[ACCOUNT, DAYS[2]] = body
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["filled"], row["failed"]) == (4, 1)
    (failure,) = row["failures"]
    assert (failure["date"], failure["call"]) == (date(2026, 11, 18), "CTFO6117R")
    assert failure["error"] == error
    assert "80012345" not in failure["why"]
    past.days[ACCOUNT, DAYS[2]] = kept
    past.asked.clear()
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["filled"], row["already_there"]) == (1, 4)
    assert len(past.asked) == 2


def test_a_refused_account_is_not_asked_on_and_on(past: Past, client: Client, history: Any) -> None:
    """After five days in a row the rest is left; the other account's days are all there."""
    wrong = {"rt_cd": "2", "msg_cd": "OPSQ2000", "msg1": "INVALID_CHECK_ACNO"}
    for day in trading_days(date(2026, 9, 1), date(2026, 11, 20), client.clock.time()):
        past.days[ACCOUNT, f"{day:%Y%m%d}"] = wrong
    result = history.backfill(client, "2026-09-01")
    first, second = result.rows(named=True)
    assert len([one for one in past.asked if one[1] == ACCOUNT]) == 5
    assert first["failed"] == len(trading_days(date(2026, 9, 1), date(2026, 11, 20), 2e9))
    assert (second["filled"], second["failed"]) == (5, 0)


def test_a_refused_key_is_not_used_on(past: Past, client: Client, history: Any) -> None:
    """One call: further ones can lock the key."""
    past.days[ACCOUNT, DAYS[4]] = {"rt_cd": "1", "msg_cd": "EGW00103", "msg1": "AppKey"}
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["failed"], len(past.asked)) == (5, 1)
    assert row["failures"][0]["error"] == "AuthError"


def test_refused_trades_keep_no_day_back(past: Past, client: Client, history: Any) -> None:
    """The closings are kept without their columns, and the result says why."""
    past.trades[ACCOUNT] = {"rt_cd": "7", "msg_cd": "APAC0489", "msg1": "not this kind"}
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["filled"], row["failed"]) == (5, 0)
    (failure,) = row["failures"]
    assert failure["call"] == "CTFO6119R"
    assert row["differences"] == []
    assert history.positions().collect()["sll_fee"].null_count() == 5


def test_what_the_two_calls_give_differently_is_told(
    past: Past, client: Client, history: Any
) -> None:
    """The sums of fees and of realized P&L, and a product that only one of them has."""
    past.trades[ACCOUNT] = [
        traded(DAYS[0]),
        traded(DAYS[1], tot_fee_smtl="3081"),
        traded(DAYS[2], trad_pfls="100000"),
        traded(DAYS[3], trad_pfls="60000"),
        traded(DAYS[3], trad_pfls="65000", tot_fee_smtl="0"),
        traded(DAYS[4]),
        traded(DAYS[4], pdno="A05612", trad_pfls="0", tot_fee_smtl="0"),
    ]
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    told = [(d["date"].day, d["what"], d["settlement"], d["trades"]) for d in row["differences"]]
    assert told == [
        (20, "pdno A05612", None, 0),
        (18, "trad_pfls_amt", 125_000, 100_000),
        (17, "fee", 3080, 3081),
    ]


def test_a_kill_half_way_is_resumed(
    client: Client, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The days kept before it are there, and the rest is fetched by the next run."""
    append, count = history.append_rows, iter(range(100))

    def killed(*frames: pl.DataFrame) -> int:
        if next(count) == 3:
            raise KeyboardInterrupt
        return int(append(*frames))

    monkeypatch.setattr(history, "append_rows", killed)
    with pytest.raises(KeyboardInterrupt):
        history.backfill(client, "2026-11-16", accounts=ACCOUNT)
    assert history.summary().collect().height == 3
    (row,) = history.backfill(client, "2026-11-16", accounts=ACCOUNT).rows(named=True)
    assert (row["filled"], row["already_there"]) == (2, 3)
    assert history.summary().collect()["date"].n_unique() == 5


def test_a_history_that_cannot_be_written_ends_it(
    client: Client, history: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is no failure of a day's."""

    def full(*_: pl.DataFrame) -> int:
        raise HistoryError("No space left on device")

    monkeypatch.setattr(history, "append_rows", full)
    with pytest.raises(HistoryError, match="No space left"):
        history.backfill(client, "2026-11-16")


def test_a_cancel_ends_it(past: Past, client: Client, history: Any) -> None:
    """Before anything is asked here."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        history.backfill(client, "2026-11-16", cancel=cancel)
    assert not past.asked


def test_a_failed_call_is_noted_for_a_report(
    past: Past, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the masked label, without codes, which the call does not take; nothing is no failure."""
    noted = tmp_path / "failures"
    noted.touch()
    monkeypatch.setenv(_failure_log.VARIABLE, str(noted))
    account = client.accounts[0]
    past.days[ACCOUNT, DAYS[0]] = {"rt_cd": "2", "msg_cd": "OPSQ2000", "msg1": "80012345"}
    with pytest.raises(ApiError, match=r"CTFO6117R: .*800\*\*\*\*\*") as caught:
        client.fetch(SETTLEMENT_PL, account, {"INQR_DT": DAYS[0]})
    assert (caught.value.pages, caught.value.partial) == (0, None)
    past.days[ACCOUNT, DAYS[1]] = NOTHING
    nothing = client.fetch(SETTLEMENT_PL, account, {"INQR_DT": DAYS[1]})
    assert (nothing.rows, nothing.summary, nothing.pages) == (None, None, 0)
    (one,) = _failure_log.read(noted)
    assert (one.account, one.mgna_dvsn, one.error) == ("800*****-03", "", "ApiError")


def test_days_and_accounts_that_do_not_fit_are_refused(
    past: Past, client: Client, history: Any
) -> None:
    """Before any call."""
    for words in (("yesterday",), ("2026-11-16", "x")):
        with pytest.raises(ValueError, match=r"."):
            history.backfill(client, *words)
    wrong: tuple[Any, ...] = ("99912345-03", [])
    for accounts in wrong:
        with pytest.raises(ValueError, match=r"."):
            history.backfill(client, "2026-11-16", accounts=accounts)
    assert not past.asked


def test_new_fields_of_a_past_day_with_our_names_are_kept(
    past: Past, client: Client, history: Any
) -> None:
    """KIS may send what is a column of the history's own: it is kept as an unknown field."""
    names = ("shtn_pdno", "sll_fee", "side", "_first", "quantity")
    for day in DAYS:
        row = held() | dict.fromkeys(names, "7")
        past.days[ACCOUNT, day] = ([row], settled(quantity="8"))
    assert history.backfill(client, "2026-11-16", accounts=ACCOUNT)["failed"].to_list() == [0]
    rows = history.positions().collect()
    assert set(rows["shtn_pdno"]) == {held()["pdno"]}
    assert set(rows["wire_shtn_pdno"]) == set(rows["wire_sll_fee"]) == {"7"}
    assert set(rows["sll_fee"]) == {3080}


def test_a_flat_day_has_no_positions(past: Past, client: Client, history: Any) -> None:
    """The summary's row is there, and says so."""
    past.days[ACCOUNT, DAYS[0]] = ([], settled())
    history.backfill(client, "2026-11-16", "2026-11-16", accounts=ACCOUNT)
    assert history.positions().collect().is_empty()
    assert history.summary().collect()["positions"].to_list() == [0]


def test_the_calendar_decides_which_days_are_asked_for(
    past: Past, client: Client, history: Any
) -> None:
    """A call for each trading day of a year, and for no other."""
    (row,) = history.backfill(client, "2025-11-24", accounts=OTHER).rows(named=True)
    asked = {day for tr_id, _, day in past.asked if tr_id == "CTFO6117R"}
    assert all(is_trading_day(datetime.strptime(day, "%Y%m%d").date()) for day in asked)  # noqa: DTZ007
    assert row["filled"] + row["without_data"] == len(asked) > 235


KILLED = """
import os, signal, sys
import kis_nb

history = kis_nb.history("kept")
append, kept = history.append_rows, []

def counting(*frames):
    done = append(*frames)
    kept.append(done)
    if len(kept) == 60:
        os.kill(os.getpid(), signal.SIGKILL)
    return done

history.append_rows = counting
with kis_nb.connect() as client:
    history.backfill(client, "2026-01-02", "2026-11-20")
"""


def test_a_year_of_the_embedded_broker_is_filled_through_a_kill(
    clock: Clock,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Killed after 60 days, resumed, and run again: each day once, from newest to oldest, and the
    broker's two calls agree to the won on every one.
    """
    clock.now = datetime(2026, 11, 21, 12, tzinfo=KST).timestamp()
    # The client in the other process has the real clock; the broker's knows no later day.
    book = Book.sized({OTHER: 3})
    with Broker(book=book, clock=clock, calls_per_second=0, token_interval=0) as broker:
        for name, value in environment(broker).items():
            monkeypatch.setenv(name, value)
        run = subprocess.run(
            [sys.executable, "-c", KILLED],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
            cwd=tmp_path,
            check=False,
        )
        assert run.returncode == -signal.SIGKILL
        history = kis_nb.history(tmp_path / "kept")
        days = trading_days(date(2026, 1, 2), date(2026, 11, 20), clock.now)
        there = history.summary().collect()
        assert sorted(there["date"]) == sorted(days[:60])
        (row,) = history.backfill(client_of(broker), "2026-01-02").rows(named=True)
        assert (row["filled"], row["already_there"]) == (len(days) - 60, 60)
        assert (row["failures"], row["differences"], row["without_data"]) == ([], [], 0)
        count = len(broker.calls)
        (row,) = history.backfill(client_of(broker), "2026-01-02").rows(named=True)
        assert (row["filled"], row["already_there"]) == (0, len(days))
        assert len(broker.calls) == count
    kept = history.summary().collect()
    assert sorted(kept["date"]) == sorted(days)
    assert set(kept["source"]) == {"settlement"}
