"""`Client.margin_detail` and `Client.margin_rates`: replies written from KIS's documents."""

from __future__ import annotations

import dataclasses
import threading
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._frames.margin_detail import MarginDetail
from kis_nb._schema.margin_detail import COMPONENTS, DEPOSITS, MARGIN_DETAIL
from kis_nb._schema.margin_rate import MARGIN_RATE
from kis_nb._seoul import KST
from tests.faults import NETWORK, WIRE, Broker, Fault
from tests.leaks import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb.demo import Call
    from tests.conftest import Clock

WON = pl.Decimal(19, 0)
VALUES = ["initial", "maintenance", "initial_output2", "maintenance_output2"]


def asked(broker: Broker, path: str) -> list[Call]:
    """The calls of this path that the broker got."""
    return [call for call in broker.calls if call.path == path]


def replay(
    broker: Broker,
    exchange: Callable[[str], dict[str, Any]],
    *names: str,
    call: str = "margin",
    **blocks: Any,
) -> None:
    """Answer the calls with these exchanges in turn, some blocks of each replaced; "gone" leaves
    one out.
    """
    for name in names:
        recorded = exchange(name)
        body = recorded["body"] | blocks
        recorded["body"] = {key: value for key, value in body.items() if value != "gone"}
        broker.fault(Fault.exchange(recorded, call=call))


def both(broker: Broker, exchange: Callable[[str], dict[str, Any]], **blocks: Any) -> None:
    """Answer a margin detail's two calls."""
    replay(broker, exchange, "margin-detail-initial", "margin-detail-maintenance", **blocks)


def test_margin_by_component_is_read_exactly(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """A list of one and an object alike; the second block stands beside the first."""
    both(guarded, exchange)
    detail = client_of(guarded).margin_detail()
    assert isinstance(detail, MarginDetail)
    assert (detail.account.masked, detail.demo) == ("800*****-03", False)
    assert detail.as_of == datetime(2026, 11, 22, 23, 15, 4, tzinfo=KST)
    components = detail.components
    assert components.columns == ["component", "ko", "en", *VALUES]
    assert components.select(VALUES).dtypes == [WON] * 4
    assert components["component"].to_list() == [each.name for each in COMPONENTS.fields]
    rows = {row[0]: row[1:] for row in components.iter_rows()}
    assert rows["fuop_pric_altr_mgna"] == (
        "선물옵션가격변동증거금",
        "Price change margin",
        *map(Decimal, (101_250_000, 67_500_000, 50_625_000, 33_750_000)),
    )
    assert rows["brkg_mgna"][2:] == (118_350_000, 84_350_000, 61_100_000, 44_100_000)
    assert rows["uwdl_mgna"][2:] == (0, 0, 0, 0)
    summary = detail.summary
    assert summary.columns == ["mgna_dvsn_cd", *(each.name for each in DEPOSITS.fields)]
    assert summary["mgna_dvsn_cd"].to_list() == ["01", "02"]
    assert summary["brkg_mgna_tot_amt"].to_list() == [118_350_000, 84_350_000]
    assert summary["excc_dfpa"].to_list() == [-1_237_500] * 2
    assert summary["base_dpsa_gdat_grad_cd"].to_list() == ["1", "1"]
    calls = asked(guarded, MARGIN_DETAIL.path)
    assert [call.query for call in calls] == [
        {"CANO": "80012345", "ACNT_PRDT_CD": "03", "MGNA_DVSN_CD": code} for code in ("01", "02")
    ]
    assert {call.headers["tr_id"] for call in calls} == {"CTFN7107R"}


def test_the_documented_formula_adds_up_in_the_exchange(
    exchange: Callable[[str], dict[str, Any]],
) -> None:
    """What these tests read obeys KIS's formula, so that a test of ours cannot contradict it."""
    for name in ("margin-detail-initial", "margin-detail-maintenance"):
        block = exchange(name)["body"]["output1"]
        row = {
            key: int(text) for key, text in (block if isinstance(block, dict) else block[0]).items()
        }
        single = max(
            row["fuop_pric_altr_mgna"] + row["futr_sprd_mgna"] + row["uwdl_mgna"],
            row["ctrt_per_min_mgna"],
        )
        net = max(single + row["opt_pric_mgna"], row["tot_risk_mgna"])
        settled = row["opt_buy_chgs"] - row["opt_sll_chgs"]
        settled += row["futr_loss_amt"] - row["futr_prft_amt"]
        assert row["netrisk_brkg_mgna"] == net
        assert row["brkg_mgna"] == row["new_mgn_amt"] + net + settled


@pytest.mark.parametrize("empty", ["gone", None, [], {}])
@pytest.mark.parametrize("name", ["output2", "output3"])
def test_a_block_may_be_missing(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    name: str,
    empty: Any,
) -> None:
    """Its figures are null, not 0, and the others are there."""
    both(guarded, exchange, **{name: empty})
    detail = client_of(guarded).margin_detail()
    assert detail.components["initial"].null_count() == 0
    assert detail.components["initial_output2"].null_count() == (18 if name == "output2" else 0)
    nulls = detail.summary["brkg_mgna_tot_amt"].null_count()
    assert nulls == (2 if name == "output3" else 0)
    assert detail.summary.schema["brkg_mgna_tot_amt"] == WON


def test_the_first_block_must_be_there(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Without the components it is no margin detail."""
    both(guarded, exchange, output1="gone")
    with pytest.raises(kis_nb.DecodeError, match="output1 is missing"):
        client_of(guarded).margin_detail()


def test_nothing_found_is_nulls(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """rt_cd 0 without a block, and rt_cd 7 with KIOK0560."""
    both(guarded, exchange, output1="gone", output2="gone", output3="gone")
    client = client_of(guarded)
    details = [client.margin_detail()]
    guarded.fault(WIRE["KIOK0560"].at(None, call="margin", times=2))
    details.append(client.margin_detail())
    for detail in details:
        assert detail.components.select(VALUES).null_count().row(0) == (18,) * 4
        assert detail.summary["mgna_dvsn_cd"].to_list() == ["01", "02"]


@pytest.mark.parametrize("rows", [18, 1])
def test_the_previous_trs_shape_is_refused_by_name(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    rows: int,
) -> None:
    """Its rows have no names, so no component could be told from another."""
    former = exchange("margin-detail-former")["body"]["output1"][:rows]
    replay(guarded, exchange, "margin-detail-former", output1=former)
    with pytest.raises(
        kis_nb.DecodeError,
        match="output1 has the shape of the call's previous TR, rows of cash_amt, tot_amt without",
    ):
        client_of(guarded).margin_detail()


def test_a_former_field_beside_the_new_ones_is_kept(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """The document lists ``tot_amt`` for the current TR too: then the components count."""
    row = exchange("margin-detail-initial")["body"]["output1"][0] | {"tot_amt": "1"}
    both(guarded, exchange, output1=[row], output3={"brkg_mgna_tot_amt": "7", "new": 1.50})
    detail = client_of(guarded).margin_detail()
    assert detail.components["initial"].to_list()[-1] == 118_350_000
    assert detail.summary["brkg_mgna_tot_amt"].to_list() == [7, 7]
    # What KIS sends besides is kept as text, digit for digit, as in every frame.
    assert detail.summary["new"].to_list() == ["1.5", "1.5"]


@pytest.mark.parametrize("value", ["1.5", "nan", "1e9", "9" * 20])
@pytest.mark.parametrize("name", ["output1", "output2", "output3"])
def test_a_figure_that_does_not_fit_is_an_error(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    name: str,
    value: str,
) -> None:
    """In each block: won are whole, and "nan" is no figure of an account."""
    recorded = exchange("margin-detail-initial")["body"][name]
    row = recorded[0] if isinstance(recorded, list) else recorded
    field = list(row)[5]
    both(guarded, exchange, **{name: [row | {field: value}]})
    with pytest.raises(kis_nb.DecimalError) as caught:
        client_of(guarded).margin_detail()
    assert (caught.value.field, caught.value.value, caught.value.row) == (field, value, None)
    assert name in str(caught.value)


def test_a_text_that_repeats_the_account_is_masked(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """In the further blocks too, and in fields that are not documented."""
    both(guarded, exchange, output3={"cano": "80012345", "memo": "of 80012345"})
    text = client_of(guarded).margin_detail().summary.write_csv()
    assert "80012345" not in text
    assert "of 800*****" in text


def test_margin_of_one_account_among_several(client_of: Callable[..., Client]) -> None:
    """With its own key; a name that is none is refused before a call."""
    with Broker() as broker:
        client = client_of(broker)
        with pytest.raises(ValueError, match="account"):
            client.margin_detail()
        with pytest.raises(ValueError, match="account"):
            client.margin_detail("nobody")
        assert broker.calls == []
        detail = client.margin_detail("700*****-03")
        assert detail.account == client.accounts[1]
        keys = {call.headers["appkey"] for call in asked(broker, MARGIN_DETAIL.path)}
        assert keys == {broker.keys[1][1]}


def test_a_margin_detail_shows_no_frame(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Its repr has the masked account and the time; it is frozen."""
    both(guarded, exchange)
    detail = client_of(guarded).margin_detail()
    assert repr(detail).startswith("MarginDetail(account=800*****-03, as_of=")
    with pytest.raises(dataclasses.FrozenInstanceError):
        detail.demo = True  # type: ignore[misc]


def test_a_refused_margin_detail_is_the_error_of_the_call(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """At the first code and at the second; a fault that passes is asked again."""
    client = client_of(guarded)
    for after in (0, 1):
        guarded.fault(dataclasses.replace(WIRE["APAC0489"].at(None, call="margin"), after=after))
        with pytest.raises(kis_nb.ApiError, match="CTFN7107R: KIS answered APAC0489"):
            client.margin_detail()
    guarded.fault(NETWORK["reset"].at(None, call="margin"))
    guarded.fault(WIRE["EGW00215"].at(None, call="margin"))
    assert client.margin_detail().components["initial"].null_count() == 0


def test_margin_calls_can_be_cancelled(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """Before a call is made."""
    stop = threading.Event()
    stop.set()
    client = client_of(guarded)
    for call in (client.margin_detail, client.margin_rates):
        with pytest.raises(kis_nb.Cancelled):
            call(cancel=stop)
    assert asked(guarded, MARGIN_DETAIL.path) + asked(guarded, MARGIN_RATE.path) == []


RATES = {
    "bast_id": pl.String(),
    "bast_name": pl.String(),
    "brkg_mgna_rt": pl.Decimal(23, 8),
    "tr_mgna_rt": pl.Decimal(23, 8),
    "bast_pric": pl.Decimal(23, 8),
    "tr_mtpl_idx": pl.Decimal(23, 8),
    "ctrt_per_futr_mgna": pl.Decimal(23, 8),
}


def test_margin_rates_are_read_from_all_pages(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """By the one page key that the call has, padded as it came."""
    replay(guarded, exchange, "margin-rate-1", "margin-rate-2", call="rates")
    rates = client_of(guarded).margin_rates(date(2026, 11, 20))
    assert rates.schema == RATES
    assert rates["bast_name"].to_list() == ["KOSPI200", "미니KOSPI200", "KSQ150"]
    assert rates["brkg_mgna_rt"].to_list() == [
        Decimal("12.15"),
        Decimal("12.15"),
        Decimal("18.3"),
    ]
    assert rates["tr_mtpl_idx"].to_list() == [250_000, 50_000, 10_000]
    assert rates["ctrt_per_futr_mgna"][2] == Decimal("2710596.125")
    first, second = asked(guarded, MARGIN_RATE.path)
    assert first.query == {"BASS_DT": "20261120", "BAST_ID": "", "CTX_AREA_NK200": ""}
    assert second.query == first.query | {"CTX_AREA_NK200": "3003!^".ljust(200)}
    assert [call.headers["tr_cont"] for call in (first, second)] == ["", "N"]
    assert {call.headers["tr_id"] for call in (first, second)} == {"TTTO6032R"}


def test_a_page_that_fails_loses_no_row_silently(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Rates without their second page are an error, never a short frame."""
    client = client_of(guarded)
    replay(guarded, exchange, "margin-rate-1", call="rates")
    guarded.fault(WIRE["APBK1631"].at(None, call="rates"))
    with pytest.raises(kis_nb.ApiError) as caught:
        client.margin_rates()
    assert caught.value.pages == 1
    replay(guarded, exchange, "margin-rate-1", "margin-rate-1", call="rates")
    with pytest.raises(kis_nb.PaginationError):
        client.margin_rates()
    replay(guarded, exchange, "margin-rate-1", call="rates", ctx_area_nk200=" " * 200)
    assert client.margin_rates().height == 2


def test_a_rate_that_is_no_number_names_its_row(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Field, page and row."""
    rows = exchange("margin-rate-1")["body"]["output"]
    rows[1]["tr_mgna_rt"] = "nan"
    replay(guarded, exchange, "margin-rate-1", call="rates", output=rows, ctx_area_nk200="")
    with pytest.raises(kis_nb.DecimalError, match="page 1, output row 2: tr_mgna_rt") as caught:
        client_of(guarded).margin_rates()
    assert (caught.value.page, caught.value.row) == (1, 2)


@pytest.mark.parametrize(
    ("now", "day", "sent"),
    [
        ("2026-11-23 12:00", None, "20261123"),
        ("2026-11-23 18:00", None, "20261124"),
        ("2026-11-28 12:00", None, "20261130"),
        ("2026-11-23 12:00", "2026-11-20", "20261120"),
        ("2026-11-23 12:00", "20261120", "20261120"),
        ("2026-11-23 12:00", date(2026, 11, 20), "20261120"),
        ("2026-11-23 12:00", datetime(2026, 11, 20, 23, tzinfo=KST), "20261120"),
    ],
)
def test_rates_are_of_a_day(
    guarded: Broker,
    client_of: Callable[..., Client],
    clock: Clock,
    now: str,
    day: Any,
    sent: str,
) -> None:
    """Of the trading day that the moment belongs to, unless another is asked for."""
    clock.now = datetime.fromisoformat(now).replace(tzinfo=KST).timestamp()
    client_of(guarded).margin_rates(day)
    (call,) = asked(guarded, MARGIN_RATE.path)
    assert call.query["BASS_DT"] == sent


def test_a_day_without_rates_has_no_row(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """An empty list, no block, or KIOK0560: all columns and no row; a text that is no date is
    refused before a call.
    """
    client = client_of(guarded)
    empty: list[Any] = [[], "gone"]
    for block in empty:
        replay(guarded, exchange, "margin-rate-2", call="rates", output=block)
        rates = client.margin_rates("2023-05-23")
        assert rates.is_empty()
        assert rates.schema == RATES
    guarded.fault(WIRE["KIOK0560"].at(None, call="rates"))
    assert client.margin_rates("2023-05-23").schema == RATES
    before = len(guarded.calls)
    with pytest.raises(ValueError, match="isoformat"):
        client.margin_rates("yesterday")
    assert len(guarded.calls) == before


def test_a_call_about_no_account_needs_none(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """A client without an account has rates and quotes, and no margin detail."""
    client = client_of(guarded, accounts=())
    assert client.margin_rates().height == 3
    assert client.quotes("A01612").height == 1
    with pytest.raises(ValueError, match="account"):
        client.margin_detail()
    assert client.margin_detail(ACCOUNT).components["initial"].null_count() == 0
