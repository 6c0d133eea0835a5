"""The embedded broker's calls about past days, CTFO6117R and CTFO6119R, against its own nights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._schema.daily_fees import DAILY_FEES
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._schema.settlement_pl import SETTLEMENT_PL
from kis_nb.demo.sessions import open_after, opens_at, settles_at, trading_day
from tests.demo_accounts import ACCOUNTS, SIDES, Answer, ask
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kis_nb._schema.endpoint import Endpoint
    from tests.conftest import Clock, Raw

BIG, CALLED, OLD, EMPTY = ACCOUNTS
# A common day, a quarterly expiry, a month's first day, the day after a holiday.
DAYS = [date(2026, 11, 17), date(2026, 12, 10), date(2026, 12, 1), date(2026, 9, 28)]
NOW = opens_at(date(2027, 1, 11)) + 3_600


@pytest.fixture
def timed(clock: Clock) -> Iterator[Broker]:
    """The demo broker at a night of January 2027, without limits on calls."""
    clock.now = NOW
    with Broker(clock=clock, monotonic=lambda: 0, calls_per_second=0) as running:
        yield running


def settled(broker: Broker, account: str, day: date) -> Answer:
    """CTFO6117R of a day."""
    return ask(broker, SETTLEMENT_PL, account, INQR_DT=f"{day:%Y%m%d}")


def fees(broker: Broker, account: str, start: date, end: date) -> Answer:
    """CTFO6119R of a period."""
    period = {"INQR_STRT_DAY": f"{start:%Y%m%d}", "INQR_END_DAY": f"{end:%Y%m%d}"}
    return ask(broker, DAILY_FEES, account, **period)


def night(broker: Broker, account: str, margin: str = "01", basis: str = "1") -> Answer:
    """The balance call, at the broker's moment."""
    return ask(broker, NIGHT_BALANCE, account, MGNA_DVSN=margin, EXCC_STAT_CD=basis)


def total(rows: list[dict[str, str]], name: str) -> int:
    """The sum of a column."""
    return sum(int(row[name]) for row in rows)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_past_day_is_the_balance_at_its_settlement(
    timed: Broker, clock: Clock, account: str, day: date
) -> None:
    """Cash, flows, margin, and each position's quantity, value, cost and P&L are what the balance
    call said at 15:45 of that day.
    """
    past = settled(timed, account, day)
    clock.now = settles_at(day)
    then, bought = night(timed, account), night(timed, account, "02", "2")
    for name in ("nxdy_dnca", "dnca_cash", "dnca_sbst", "fee", "thdt_dfpa", "rnwl_dfpa"):
        assert past.summary[name] == then.summary[name]
    flows = int(past.summary["opt_sll_chgs"]) - int(past.summary["opt_buy_chgs"])
    assert flows == int(then.summary["opt_dfpa"])
    for kind, answer in (("brkg_mgna", then), ("mmga", bought)):
        assert past.summary[f"{kind}_tota"] == answer.summary["mgna_tota"]
        assert past.summary[f"{kind}_cash"] == answer.summary["cash_mgna"]
    equity = sum(int(past.summary[n]) for n in ("nxdy_dnca", "dnca_sbst", "opt_lqd_evlu_amt"))
    foreign = int(Decimal(then.summary["frcr_dncl_amt"]))
    assert equity == int(then.summary["prsm_dpast_amt"]) - foreign
    assert len(past.rows) == len(then.rows)
    for row, now, cost in zip(past.rows, then.rows, bought.rows, strict=True):
        assert (row["pdno"], row["prdt_name"]) == (now["shtn_pdno"], now["prdt_name"])
        for name in ("cblc_qty", "trad_pfls_amt"):
            assert row[name] == now[name]
        assert row["trad_dvsn_name"] == now["sll_buy_dvsn_name"]
        assert row["cblc_amt"] == cost["pchs_amt"]
        if Decimal(now["idx_clpr"]):
            assert row["evlu_amt"] == now["evlu_amt"]
            assert row["evlu_pfls_amt"] == cost["evlu_pfls_amt"]
        else:  # a future without a price counts at its settlement price, an option at nothing
            future = row["pdno"][0] in "AD"
            assert row["evlu_amt"] == (now["pchs_amt"] if future else "0")
            sign = SIDES[row["trad_dvsn_name"]]
            profit = sign * (int(row["evlu_amt"]) - int(row["cblc_amt"]))
            assert int(row["evlu_pfls_amt"]) == profit


@pytest.mark.parametrize("account", ACCOUNTS[:3])
def test_quantities_follow_from_day_to_day(timed: Broker, account: str) -> None:
    """What was carried in is what was open the day before, and opened less closed is the change."""
    day, before = DAYS[1] - timedelta(days=7), None
    closed_rows = 0
    while day < DAYS[1] + timedelta(days=8):
        rows = settled(timed, account, day).rows
        for row in rows:
            carried, new, closed, quantity = (
                int(row[name]) for name in ("bfdy_cblc_qty", "new_qty", "mnpl_rpch_qty", "cblc_qty")
            )
            assert carried + new - closed == quantity
            if before is not None:
                assert carried == before.pop(row["pdno"], 0)
            closed_rows += row["trad_dvsn_name"] == "" and quantity == 0
        assert not any((before or {}).values())  # what is gone was closed
        before = {row["pdno"]: int(row["cblc_qty"]) for row in rows}
        day = open_after(day)
    assert closed_rows > 0


@pytest.mark.parametrize("account", ACCOUNTS)
def test_a_period_is_the_sum_of_its_days(timed: Broker, account: str) -> None:
    """Fees and realized P&L of each day and product are those of the settled day; the summary is
    the sum of the rows; the first day comes first.
    """
    start, end = date(2026, 12, 7), date(2026, 12, 20)
    period = fees(timed, account, start, end)
    days = sorted({row["ord_dt"] for row in period.rows})
    assert [row["ord_dt"] for row in period.rows] == sorted(row["ord_dt"] for row in period.rows)
    assert len({(row["ord_dt"], row["pdno"]) for row in period.rows}) == len(period.rows)
    day = start
    while day <= end:
        rows = [row for row in period.rows if row["ord_dt"] == f"{day:%Y%m%d}"]
        past = settled(timed, account, day)
        assert total(rows, "tot_fee_smtl") == int(past.summary["fee"])
        made = {
            row["pdno"]: row["trad_pfls_amt"] for row in past.rows if row["trad_pfls_amt"] != "0"
        }
        assert {row["pdno"]: row["trad_pfls"] for row in rows if row["trad_pfls"] != "0"} == made
        traded = {row["pdno"] for row in past.rows if row["new_qty"] + row["mnpl_rpch_qty"] != "00"}
        assert {row["pdno"] for row in rows} == traded
        options = [row for row in rows if row["pdno"][0] in "BC23"]
        assert total(options, "sll_agrm_amt") == int(past.summary["opt_sll_chgs"])
        assert total(options, "buy_agrm_amt") == int(past.summary["opt_buy_chgs"])
        day = open_after(day)
    assert bool(days) is (account != EMPTY)
    for row in period.rows:
        assert int(row["sll_fee"]) + int(row["buy_fee"]) == int(row["tot_fee_smtl"])
    for name, column in {
        "fee": "tot_fee_smtl",
        "fee_smtl": "tot_fee_smtl",
        "sll_fee": "sll_fee",
        "buy_fee": "buy_fee",
        "sll_agrm_amt": "sll_agrm_amt",
        "buy_agrm_amt": "buy_agrm_amt",
        "trad_pfls_smtl": "trad_pfls",
    }.items():
        assert int(period.summary[name]) == total(period.rows, column)
    both = int(period.summary["futr_fee_smtl"]) + int(period.summary["opt_fee_smtl"])
    assert both == int(period.summary["fee"])
    amounts = int(period.summary["futr_agrm_amt"]) + int(period.summary["opt_agrm_amt"])
    assert amounts == int(period.summary["agrm_amt_smtl"])


def test_pages_of_both_calls(timed: Broker) -> None:
    """20 rows a page, the codes and letters of the balance call, and every row once."""
    past = settled(timed, BIG, DAYS[0])
    assert (len(past.rows), past.conts) == (64, "FMME")
    assert past.codes == ["KIOK0500"] * 3 + ["KIOK0460"]
    assert len({row["pdno"] for row in past.rows}) == 64
    period = fees(timed, BIG, date(2026, 11, 2), date(2026, 12, 1))
    pages = -(-len(period.rows) // 20)
    assert pages > 5
    assert period.conts == f"F{'M' * (pages - 2)}E"
    assert [list(row) for row in past.rows] == [[f.name for f in SETTLEMENT_PL.rows.fields]] * 64
    assert list(past.summary) == [field.name for field in SETTLEMENT_PL.summary.fields]
    assert list(period.rows[0]) == [field.name for field in DAILY_FEES.rows.fields]
    assert list(period.summary) == [field.name for field in DAILY_FEES.summary.fields]


def test_pages_show_one_moment(timed: Broker, clock: Clock) -> None:
    """The trading day that goes on is told as it was when its first page was asked for."""
    today = trading_day(int(clock()))
    whole = settled(timed, BIG, today)

    one = fees(timed, BIG, today, today)
    assert whole.rows != []
    clock.now += 3 * 3_600
    later = settled(timed, BIG, today)
    assert later.rows != whole.rows
    assert total(one.rows, "tot_fee_smtl") == int(whole.summary["fee"])
    assert total(fees(timed, BIG, today, today).rows, "tot_fee_smtl") == int(later.summary["fee"])
    clock.now = settles_at(today) + 60
    assert settled(timed, BIG, today).summary["nxdy_dnca"] == night(timed, BIG).summary["nxdy_dnca"]


def test_the_same_figures_in_another_order(timed: Broker, clock: Clock) -> None:
    """A past day and a period are the same however late and in which order they are asked for."""
    asked: list[Callable[[Broker], Answer]] = [
        *(lambda broker, day=day: settled(broker, BIG, day) for day in DAYS),  # type: ignore[misc]
        lambda broker: fees(broker, BIG, DAYS[2], DAYS[1]),
        lambda broker: fees(broker, BIG, DAYS[1], DAYS[1]),
    ]
    first = [call(timed) for call in asked]
    clock.now = NOW + 20 * 86_400
    with Broker(clock=clock, monotonic=lambda: 0, calls_per_second=0) as other:
        again = [call(other) for call in reversed(asked)][::-1]
    assert first == again


@pytest.mark.parametrize(
    "day",
    [date(2026, 12, 25), date(2026, 12, 26), date(2027, 1, 12), date(2040, 1, 2), date(1999, 1, 4)],
)
def test_a_day_without_a_session_has_nothing(timed: Broker, day: date) -> None:
    """A holiday, a Saturday, the future and a time long ago: no rows, and a summary of zeros."""
    found = settled(timed, BIG, day)
    assert (found.rows, found.conts, found.codes) == ([], "D", ["KIOK0530"])
    assert found.summary == {field.name: "0" for field in SETTLEMENT_PL.summary.fields}
    assert fees(timed, BIG, day, day).rows == []
    assert set(fees(timed, BIG, day, day).summary.values()) == {"0"}


def test_names_and_codes_of_the_accounts(timed: Broker) -> None:
    """One account's sides are BUY and SLL, one's codes are those until 2025."""
    sides = {row["trad_dvsn_name"] for row in settled(timed, CALLED, DAYS[1]).rows}
    assert {"BUY", "SLL", ""} >= sides >= {"BUY", ""}
    assert {row["trad_dvsn_name"] for row in settled(timed, BIG, DAYS[0]).rows} >= {"매수", "매도"}
    for answer in (settled(timed, OLD, DAYS[0]), fees(timed, OLD, DAYS[0], DAYS[1])):
        assert answer.rows
        assert all(row["pdno"][0] in "123" for row in answer.rows)


CALLS = [
    (SETTLEMENT_PL, {"INQR_DT": "20261117"}),
    (DAILY_FEES, {"INQR_STRT_DAY": "20261102", "INQR_END_DAY": "20261201"}),
]


def get(raw: Raw, endpoint: Endpoint, params: dict[str, str], **headers: str | None) -> Any:
    """One page by the first account's key, some parameters left out or changed."""
    query = dict.fromkeys(endpoint.params, "") | {"CANO": BIG[:8], "ACNT_PRDT_CD": BIG[-2:]}
    query = {name: text for name, text in (query | params).items() if text != "left out"}
    return raw.session.get(
        raw.broker.address + endpoint.path,
        params=query,
        headers=raw.headers(**({"tr_id": endpoint.tr_ids[0]} | headers)),
        timeout=10,
    )


@pytest.mark.parametrize(("endpoint", "params"), CALLS)
def test_what_is_refused(
    raw: Callable[[Broker], Raw], timed: Broker, endpoint: Endpoint, params: dict[str, str]
) -> None:
    """Other accounts, missing and impossible parameters, another call's TR id, a changed key and a
    bad token are refused as by the balance call.
    """
    bare = raw(timed)
    assert get(bare, endpoint, params).json()["rt_cd"] == "0"
    for changed, code in (
        ({"CANO": CALLED[:8]}, "OPSQ2000"),
        ({"ACNT_PRDT_CD": "01"}, "KIOK0560"),
        ({"CTX_AREA_NK200": "left out"}, "APMP0001"),
        *(({name: "left out"}, "APMP0001") for name in params),
        *(({name: ""}, "APMP0001") for name in params),
        *(({name: text}, "OPSQ2001") for name in params for text in ("20261301", "today", "2026")),
    ):
        assert get(bare, endpoint, params | changed).json()["msg_cd"] == code
    named = get(bare, endpoint, params | {next(iter(params)): "left out"}).json()["msg1"]
    assert named.startswith("조회")
    for tr_id in (NIGHT_BALANCE.tr_ids[0], "VTFO6117R", ""):
        answer = get(bare, endpoint, params, tr_id=tr_id)
        assert answer.json()["msg_cd"] == "OPSQ0002"
    page = get(bare, endpoint, params).json()
    keys = {name: page[name.lower()] for name in endpoint.cursors}
    following = get(bare, endpoint, params | keys, tr_cont="N")
    assert following.headers["tr_cont"] == "M"
    other = params | keys | {next(iter(params)): "20261118"}
    if endpoint is DAILY_FEES:
        other["INQR_STRT_DAY"] = "20261103"
    assert get(bare, endpoint, other, tr_cont="N").json()["msg_cd"] == "SYDB0050"
    assert get(bare, endpoint, params, authorization="Bearer x").json()["msg_cd"] == "EGW00121"
    assert bare.session.post(timed.address + endpoint.path, timeout=10).status_code == 405


def test_the_limits_are_the_key_s(raw: Callable[[Broker], Raw], clock: Clock) -> None:
    """Every call about an account counts, whichever it is, and the broker notes its page."""
    clock.now = NOW
    with Broker(clock=clock, monotonic=clock, calls_per_second=2) as broker:
        bare = raw(broker)
        codes = [get(bare, *CALLS[at % 2]).json()["msg_cd"] for at in range(3)]
        assert codes == ["KIOK0500", "KIOK0500", "EGW00201"]
        assert [call.page for call in broker.calls] == [1, 1, 1]
