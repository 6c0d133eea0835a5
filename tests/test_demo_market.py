"""The embedded broker's quotes, margin by component and margin rates, held to its own book."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from math import erf, exp, log, sqrt
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.margin_detail import COMPONENTS, DEPOSITS, MARGIN_DETAIL
from kis_nb._schema.margin_rate import MARGIN_RATE
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._schema.quote import INDEX_BLOCK, QUOTE, QUOTE_BLOCK
from kis_nb._seoul import KST
from kis_nb.demo import Book
from kis_nb.demo.greeks import Option
from kis_nb.demo.listings import listed
from kis_nb.demo.products import FUTURES
from kis_nb.demo.quotes import Quote
from kis_nb.demo.sessions import settled_at, trading_day
from tests.demo_accounts import ACCOUNTS, ask
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Clock, Raw

BIG, CALLED, OLD, _ = ACCOUNTS
NIGHT, DAY = "2026-11-24 23:15:04", "2026-11-24 11:20:30"
BETWEEN, WEEKEND, EXPIRY = "2026-11-24 17:00:00", "2026-11-28 12:00:00", "2026-11-26 15:30:00"
MOMENTS = (NIGHT, DAY, BETWEEN, WEEKEND, EXPIRY, "2026-11-25 05:59:59", "2026-11-25 07:00:00")


def at(text: str) -> float:
    """Epoch seconds of a time in Seoul."""
    return datetime.fromisoformat(text).replace(tzinfo=KST).timestamp()


@pytest.fixture
def timed(clock: Clock) -> Iterator[Broker]:
    """The demo's accounts, at the time of `clock`, without limits."""
    clock.now = at(NIGHT)
    with Broker(clock=clock, calls_per_second=0, token_interval=0) as running:
        yield running


def get(
    raw: Raw, endpoint: Endpoint, headers: dict[str, str] | None = None, /, **params: str
) -> Any:
    """One page of a call by the first account's key; "left out" leaves a parameter out."""
    query = dict.fromkeys(endpoint.params, "") | params
    return raw.session.get(
        raw.broker.address + endpoint.path,
        params={name: text for name, text in query.items() if text != "left out"},
        headers=raw.headers(**({"tr_id": endpoint.tr_id} | (headers or {}))),
        timeout=10,
    )


def quote(raw: Raw, market: str, code: str) -> dict[str, Any]:
    """`output1` of a quote."""
    reply = get(raw, QUOTE, FID_COND_MRKT_DIV_CODE=market, FID_INPUT_ISCD=code)
    body = reply.json()
    assert (body["rt_cd"], body["msg_cd"], reply.headers["tr_cont"]) == ("0", "MCA00000", "")
    assert list(body["output1"]) == [field.name for field in QUOTE_BLOCK.fields]
    for name in ("output2", "output3"):
        assert list(body[name]) == [field.name for field in INDEX_BLOCK.fields]
    found: dict[str, Any] = body["output1"]
    return found


def markets(code: str) -> tuple[str, str]:
    """A code's market by day and by night."""
    if code[0] in "BC23":
        return "O", "EU"
    return ("CF" if code[1:3] == "75" else "F"), "CM"


def detail(raw: Raw, account: str, margin: str) -> dict[str, Any]:
    """CTFN7107R's answer; the key must be the account's."""
    own = next(pair for known, *pair in raw.broker.keys if known == account)
    token = raw.broker.issue_token(app_key=own[0])
    headers = {"appkey": own[0], "appsecret": own[1], "authorization": f"Bearer {token}"}
    reply = get(
        raw, MARGIN_DETAIL, headers, CANO=account[:8], ACNT_PRDT_CD="03", MGNA_DVSN_CD=margin
    )
    body: dict[str, Any] = reply.json()
    assert body["rt_cd"] == "0"
    return body


@pytest.mark.parametrize("account", [BIG, CALLED, OLD])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_quote_is_the_balances_price(
    raw: Callable[[Broker], Raw], timed: Broker, clock: Clock, moment: str, account: str
) -> None:
    """At every time of the day the market that has the last session quotes the price that the
    position is marked at, in the same second. A position without a price has none there either,
    unless another account has one.
    """
    clock.now = at(moment)
    bare = raw(timed)
    others = [
        row["shtn_pdno"]
        for other in (CALLED, OLD)
        for row in ask(timed, NIGHT_BALANCE, other, MGNA_DVSN="01", EXCC_STAT_CD="1").rows
    ]
    by_day = moment in (DAY, BETWEEN, EXPIRY)
    rows = ask(timed, NIGHT_BALANCE, account, MGNA_DVSN="01", EXCC_STAT_CD="1").rows
    for row in rows:
        code = row["shtn_pdno"]
        found = quote(bare, markets(code)[not by_day], code)
        if Decimal(row["idx_clpr"]) or code not in others:
            assert Decimal(found["futs_prpr"]) == Decimal(row["idx_clpr"]), code
        assert found["futs_prpr"].partition(".")[2].isdigit()
        assert found["hts_kor_isnm"].strip() == row["prdt_name"]
        strike = row["prdt_name"].split()[-1].replace(",", "") if code[0] in "BC23" else "0"
        assert Decimal(found["acpr"]) == Decimal(strike)


def test_the_other_market_has_its_last_session(
    raw: Callable[[Broker], Raw], timed: Broker, clock: Clock
) -> None:
    """By night the day's market stands at its close, which is the settlement price; by day the
    night's market stands at 06:00.
    """
    bare = raw(timed)
    rows = ask(timed, NIGHT_BALANCE, BIG, MGNA_DVSN="01", EXCC_STAT_CD="1").rows
    for row in rows[:20]:
        code = row["shtn_pdno"]
        if Decimal(row["idx_clpr"]):
            found = quote(bare, markets(code)[0], code)
            assert Decimal(found["futs_prpr"]) == Decimal(row["excc_unpr"])
    clock.now = at("2026-11-25 06:00:00")
    closing = {row["shtn_pdno"]: quote(bare, "CM", row["shtn_pdno"]) for row in rows[:8]}
    clock.now = at("2026-11-25 14:00:00")
    for code, before in closing.items():
        assert quote(bare, "CM", code)["futs_prpr"] == before["futs_prpr"]
        assert quote(bare, "CM", code)["acml_vol"] == before["acml_vol"]


@pytest.mark.parametrize("moment", [NIGHT, DAY, WEEKEND])
def test_a_quote_agrees_with_itself(
    raw: Callable[[Broker], Raw], timed: Broker, clock: Clock, moment: str
) -> None:
    """Change, sign, extremes, base price, last trading day and days left; volume only grows."""
    clock.now = at(moment)
    bare = raw(timed)
    market = "F" if moment == DAY else "CM"
    found = quote(bare, market, "A01612")
    figures = {name: Decimal(text) for name, text in found.items() if "." in text}
    change = figures["futs_prpr"] - figures["futs_prdy_clpr"]
    assert figures["futs_prdy_vrss"] == change
    assert found["prdy_vrss_sign"] == ("2" if change > 0 else "5" if change < 0 else "3")
    assert figures["futs_lwpr"] <= figures["futs_oprc"] <= figures["futs_hgpr"]
    assert figures["futs_lwpr"] <= figures["futs_prpr"] <= figures["futs_hgpr"]
    assert figures["futs_llam"] < figures["futs_lwpr"]
    assert figures["futs_hgpr"] < figures["futs_mxpr"]
    assert found["futs_last_tr_date"] == "20261210"
    assert (
        int(found["hts_rmnn_dynu"])
        == (datetime(2026, 12, 10, tzinfo=KST).date() - datetime.fromisoformat(moment).date()).days
    )
    clock.advance(60)
    after = int(quote(bare, market, "A01612")["acml_vol"])
    assert after > int(found["acml_vol"]) or (moment == WEEKEND and after == int(found["acml_vol"]))


def test_the_night_s_change_is_from_the_day_s_close(
    raw: Callable[[Broker], Raw], timed: Broker
) -> None:
    """The night's previous close is the price at 15:45."""
    bare = raw(timed)
    night, day = quote(bare, "CM", "A01612"), quote(bare, "F", "A01612")
    assert night["futs_prdy_clpr"] == night["futs_sdpr"] == day["futs_prpr"]
    assert day["futs_prdy_clpr"] != day["futs_prpr"]


@pytest.mark.parametrize(
    ("market", "code"),
    [
        ("F", "B01612B39"),
        ("CM", "B01612B39"),
        ("EU", "A01612"),
        ("O", "A01612"),
        ("CF", "A01612"),
        ("F", "A75612"),
        ("CM", "1A01612"),
        ("CM", "A01611"),
        ("EU", "B01612999"),
        ("CM", "?"),
    ],
)
def test_what_a_market_does_not_have_is_null(
    raw: Callable[[Broker], Raw], timed: Broker, market: str, code: str
) -> None:
    """Another market's code, an expired or an unknown one: rt_cd 0 and nulls, as recorded live."""
    assert set(quote(raw(timed), market, code).values()) == {None}


def test_the_index_stands_still_at_night(
    raw: Callable[[Broker], Raw], timed: Broker, clock: Clock
) -> None:
    """The KOSPI 200 is the underlying's level by day, and its close by night."""
    bare = raw(timed)

    def index() -> dict[str, str]:
        body = get(bare, QUOTE, FID_COND_MRKT_DIV_CODE="CM", FID_INPUT_ISCD="A01612").json()
        assert body["output2"]["hts_kor_isnm"] == "종합"
        found: dict[str, str] = body["output3"]
        return found

    first = index()
    assert (first["bstp_cls_code"], first["hts_kor_isnm"]) == ("2001", "KOSPI200")
    clock.advance(3_600)
    assert index() == first
    clock.now = at(DAY)
    day = index()
    clock.advance(600)
    assert index() != day
    change = Decimal(day["bstp_nmix_prdy_vrss"])
    assert day["prdy_vrss_sign"] == ("2" if change > 0 else "5" if change < 0 else "3")


def black(call: object, forward: float, strike: float, years: float, volatility: float) -> float:
    """Black's formula once more, so that the demo's is held against another spelling of it."""
    spread = volatility * sqrt(years)
    up = (log(forward / strike) + volatility**2 / 2 * years) / spread
    down = up - spread

    def below(x: float) -> float:
        return 0.5 + erf(x / 2**0.5) / 2

    if call:
        return forward * below(up) - strike * below(down)
    return strike * below(-down) - forward * below(-up)


@pytest.mark.parametrize("kind", ["call", "put"])
def test_the_demos_greeks_are_differences_of_its_price(kind: str) -> None:
    """Delta, gamma, vega, theta and rho against finite differences of Black's formula."""
    call, forward, strike, years, volatility = kind == "call", 1003.0, 990.0, 0.07, 0.21
    option = Option(call, forward, strike, years)
    assert option.value(volatility) == pytest.approx(
        black(call, forward, strike, years, volatility)
    )
    assert option.volatility(option.value(volatility)) == pytest.approx(volatility, abs=1e-9)

    def price(moved: float = 0.0, more: float = 0.0, later: float = 0.0) -> float:
        return black(call, forward + moved, strike, years - later, volatility + more)

    greeks = option.greeks(volatility)
    step = 0.01
    assert greeks["delta_val"] == pytest.approx((price(step) - price(-step)) / (2 * step), 1e-5)
    gamma = (price(1) - 2 * price() + price(-1)) / 1
    assert greeks["gama"] == pytest.approx(gamma, 1e-3)
    assert greeks["vega"] == pytest.approx(
        (price(more=1e-4) - price(more=-1e-4)) / 2e-4 / 100, 1e-4
    )
    day = 1 / 365 / 1_000
    assert greeks["theta"] == pytest.approx(
        (price(later=day) - price(later=-day)) / 2 * 1_000, 1e-3
    )
    discounted = exp(-1e-6 * years) * price() - exp(1e-6 * years) * price()
    assert greeks["rho"] == pytest.approx(discounted / 2e-6 / 100, 1e-4)


@pytest.mark.parametrize("price", [0.0, 13.0, 1003.0, 5_000.0, -1.0])
def test_a_price_that_no_volatility_explains_has_none(price: float) -> None:
    """At or below the intrinsic value, and above the forward."""
    assert Option(call=True, forward=1003.0, strike=990.0, years=0.07).volatility(price) is None


def test_greeks_follow_from_the_quoted_price(raw: Callable[[Broker], Raw], timed: Broker) -> None:
    """A held option's volatility, as a fraction with four decimals, gives its price back; call and
    put of one strike have deltas that differ by 1.
    """
    bare = raw(timed)
    call, put = (quote(bare, "EU", f"{kind}01701B03") for kind in "BC")
    future = Decimal(quote(bare, "CM", "A05701")["futs_prpr"])
    left = (at("2027-01-14 15:20:00") - at(NIGHT)) / (365 * 86_400)
    for found, is_call in ((call, True), (put, False)):
        assert len(found["hts_ints_vltl"].partition(".")[2]) == 4
        volatility, strike = float(found["hts_ints_vltl"]), float(found["acpr"])
        assert 0.1 < volatility < 0.4
        value = black(is_call, float(future), strike, left, volatility)
        assert value == pytest.approx(float(found["futs_prpr"]), abs=0.05)
    assert Decimal(call["delta_val"]) - Decimal(put["delta_val"]) == pytest.approx(1, abs=0.001)
    assert call["hist_vltl"] == "0.1800"
    assert quote(bare, "CM", "A01612")["delta_val"] == "1.0000"
    assert quote(bare, "CM", "A01612")["hts_ints_vltl"] == "0.0000"


def test_an_option_at_its_end_has_no_greek(
    raw: Callable[[Broker], Raw], timed: Broker, clock: Clock
) -> None:
    """After 15:20 of its last trading day it has a price and no volatility: KIS's "nan"."""
    clock.now = at("2026-12-10 15:40:00")
    found = quote(raw(timed), "O", "B01612990")
    assert Decimal(found["futs_prpr"]) > 0
    assert {found[name] for name in ("delta_val", "gama", "hts_ints_vltl", "vega")} == {"nan"}
    clock.now = at("2026-12-10 18:00:00")
    assert quote(raw(timed), "O", "B01612990")["futs_prpr"] is None


@pytest.mark.parametrize("moment", [NIGHT, DAY, BETWEEN, EXPIRY])
@pytest.mark.parametrize("margin", ["01", "02"])
@pytest.mark.parametrize("account", ACCOUNTS)
def test_margin_by_component_is_the_balances_margin(
    raw: Callable[[Broker], Raw],
    timed: Broker,
    clock: Clock,
    account: str,
    margin: str,
    moment: str,
) -> None:
    """Components add up to mgna_tota, to the won, and `output2` to its part in cash; deposits,
    orderable amounts and calls are the balance's.
    """
    clock.now = at(moment)
    body = detail(raw(timed), account, margin)
    balance = ask(timed, NIGHT_BALANCE, account, MGNA_DVSN=margin, EXCC_STAT_CD="1").summary
    (row,), (cash,) = body["output1"], body["output2"]
    assert list(row) == list(cash) == [field.name for field in COMPONENTS.fields]
    assert list(body["output3"]) == [field.name for field in DEPOSITS.fields]
    for found, name in ((row, "mgna_tota"), (cash, "cash_mgna")):
        amounts = {key: int(text) for key, text in found.items()}
        assert min(amounts.values()) >= 0
        single = max(
            amounts["fuop_pric_altr_mgna"] + amounts["futr_sprd_mgna"] + amounts["uwdl_mgna"],
            amounts["ctrt_per_min_mgna"],
        )
        assert amounts["netrisk_brkg_mgna"] == max(
            single + amounts["opt_pric_mgna"], amounts["tot_risk_mgna"]
        )
        assert amounts["new_mgn_amt"] == 0
        assert amounts["brkg_mgna"] == amounts["netrisk_brkg_mgna"] == int(balance[name])
    deposits = body["output3"]
    for name, other in (
        ("dnca_cash", "dnca_cash"),
        ("dnca_sbst", "dnca_sbst"),
        ("dnca_tota", "tot_dncl_amt"),
        ("ord_psbl_tot_amt", "ord_psbl_tota"),
        ("wdrw_psbl_tot_amt", "wdrw_psbl_tot_amt"),
        ("brkg_mgna_cash_amt", "cash_mgna"),
        ("brkg_mgna_sbst", "sbst_mgna"),
        ("brkg_mgna_tot_amt", "mgna_tota"),
        ("add_mgna_cash_amt", "add_mgna_cash"),
        ("add_mgna_tot_amt", "add_mgna_tota"),
        ("opt_dfpa", "opt_dfpa"),
        ("fee_amt", "fee"),
        ("prsm_dpast_amt", "prsm_dpast_amt"),
    ):
        assert deposits[name] == balance[other], name
    premiums = int(row["opt_sll_chgs"]) - int(row["opt_buy_chgs"])
    assert premiums == int(balance["opt_dfpa"])
    results = int(row["futr_prft_amt"]) - int(row["futr_loss_amt"])
    assert results == int(balance["futr_trad_pfls_amt"])
    assert int(row["thdt_ccld_net_loss_amt"]) == max(-premiums - results, 0)


def test_a_components_share_follows_from_the_positions(
    raw: Callable[[Broker], Raw], timed: Broker
) -> None:
    """Spreads have a component of their own, and the premiums are those of the sold options at
    the settlement price.
    """
    row = detail(raw(timed), BIG, "01")["output1"][0]
    rows = ask(timed, NIGHT_BALANCE, BIG, MGNA_DVSN="01", EXCC_STAT_CD="1").rows
    sold = [
        int(each["pchs_amt"])
        for each in rows
        if each["shtn_pdno"][0] in "BC" and each["sll_buy_dvsn_name"] == "매도"
    ]
    assert int(row["opt_pric_mgna"]) == sum(sold) > 0
    assert int(row["futr_sprd_mgna"]) > 0


def test_rates_are_the_demos_own(raw: Callable[[Broker], Raw], timed: Broker, clock: Clock) -> None:
    """Rate, multiplier and margin a contract of each underlying; a future's margin in the account
    is that rate of its value; all day the same.
    """
    bare = raw(timed)
    body = get(bare, MARGIN_RATE, BASS_DT="20261125").json()
    rows = body["output"]
    assert [row["bast_name"] for row in rows] == ["KOSPI200", "KSQ150", "USD"]
    for row in rows:
        figures = {name: Decimal(text) for name, text in row.items() if "." in text}
        product = next(
            each for each in FUTURES if each.underlying.code == row["bast_id"] and each.code != "05"
        )
        assert figures["brkg_mgna_rt"] == Decimal(product.margin) / 100
        assert figures["tr_mgna_rt"] * 3 == pytest.approx(figures["brkg_mgna_rt"] * 2)
        assert figures["tr_mtpl_idx"] == product.multiplier
        margin = figures["bast_pric"] * product.multiplier * figures["brkg_mgna_rt"] / 100
        assert figures["ctrt_per_futr_mgna"] == margin
    level = Decimal(rows[0]["bast_pric"])
    settled = timed.book.market.level(FUTURES[0].underlying, settled_at(int(clock.now)))
    assert abs(level - Decimal(settled) / 10**6) < Decimal("0.01")
    clock.now = at("2026-11-25 15:30:00")
    assert get(bare, MARGIN_RATE, BASS_DT="20261125").json()["output"] == rows


def test_rates_are_paged(raw: Callable[[Broker], Raw], clock: Clock) -> None:
    """By the one key of the call, and one row by its id."""
    clock.now = at(NIGHT)
    with Broker(clock=clock, page_rows=2) as broker:
        bare = raw(broker)
        first = get(bare, MARGIN_RATE, BASS_DT="20261125")
        keys = {"CTX_AREA_NK200": first.json()["ctx_area_nk200"]}
        assert first.headers["tr_cont"] == "F"
        assert "ctx_area_fk200" not in first.json()
        second = get(bare, MARGIN_RATE, {"tr_cont": "N"}, BASS_DT="20261125", **keys)
        assert second.headers["tr_cont"] == "E"
        assert not second.json()["ctx_area_nk200"].strip()
        rows = [*first.json()["output"], *second.json()["output"]]
        assert [row["bast_id"] for row in rows] == ["2001", "3003", "USD"]
        one = get(bare, MARGIN_RATE, BASS_DT="20261125", BAST_ID="3003").json()["output"]
        assert one == rows[1:2]


@pytest.mark.parametrize("day", ["20261126", "20261121", "20230523", "19000101"])
def test_a_day_without_a_session_has_no_rates(
    raw: Callable[[Broker], Raw], timed: Broker, day: str
) -> None:
    """A later one, a weekend, and one before 2023-05-24."""
    body = get(raw(timed), MARGIN_RATE, BASS_DT=day).json()
    assert (body["rt_cd"], body["msg_cd"], body["output"]) == ("0", "KIOK0530", [])


CALLS: list[tuple[Endpoint, dict[str, str]]] = [
    (QUOTE, {"FID_COND_MRKT_DIV_CODE": "CM", "FID_INPUT_ISCD": "A01612"}),
    (MARGIN_DETAIL, {"CANO": BIG[:8], "ACNT_PRDT_CD": "03", "MGNA_DVSN_CD": "01"}),
    (MARGIN_RATE, {"BASS_DT": "20261125"}),
]


@pytest.mark.parametrize(("endpoint", "params"), CALLS)
def test_what_is_refused(
    raw: Callable[[Broker], Raw], timed: Broker, endpoint: Endpoint, params: dict[str, str]
) -> None:
    """Missing and impossible parameters, other TR ids, a bad token, another method."""
    bare = raw(timed)
    assert get(bare, endpoint, **params).json()["rt_cd"] == "0"
    for name in endpoint.params:
        left_out = get(bare, endpoint, **{**params, name: "left out"}).json()
        assert left_out["msg_cd"] == "APMP0001", name
    for name in params:
        assert get(bare, endpoint, **{**params, name: " "}).json()["msg_cd"] == "APMP0001"
    last = "FID_COND_MRKT_DIV_CODE" if endpoint is QUOTE else list(params)[-1]
    for text in ("X", "20261301"):
        assert get(bare, endpoint, **{**params, last: text}).json()["msg_cd"] == "OPSQ2001"
    for tr_id in (NIGHT_BALANCE.tr_id, "JTCE6003R"):
        assert get(bare, endpoint, {"tr_id": tr_id}, **params).json()["msg_cd"] == "OPSQ0002"
    refused = get(bare, endpoint, {"authorization": "Bearer x"}, **params).json()
    assert refused["msg_cd"] == "EGW00121"
    assert bare.session.post(timed.address + endpoint.path, timeout=10).status_code == 405


def test_another_accounts_margin_is_refused(raw: Callable[[Broker], Raw], timed: Broker) -> None:
    """As its balance is; quotes and rates any key may ask for."""
    params = dict(CALLS[1][1]) | {"CANO": CALLED[:8]}
    assert get(raw(timed), MARGIN_DETAIL, **params).json()["msg_cd"] == "OPSQ2000"


def test_quotes_and_rates_are_not_the_ledgers(raw: Callable[[Broker], Raw], clock: Clock) -> None:
    """The key's limit counts every call, the ledger's those about an account."""
    clock.now = at(NIGHT)
    with Broker(
        clock=clock, monotonic=clock, calls_per_second=5, ledger_calls_per_second=1
    ) as broker:
        bare = raw(broker)
        codes = [get(bare, CALLS[n][0], **CALLS[n][1]).json()["msg_cd"] for n in (1, 0, 2, 0, 1, 0)]
        assert codes == ["KIOK0510", "MCA00000", "KIOK0510", "MCA00000", "EGW00215", "EGW00201"]
        assert [call.page for call in broker.calls] == [1, 0, 0, 0, 1, 0]


def test_quotes_of_every_listed_contract_are_well_formed() -> None:
    """Of a hundred contracts of all products; the same book gives the same figures again."""
    moment, books = int(at(NIGHT)), (Book(), Book())
    contracts = listed(trading_day(moment))
    for each in contracts[:: len(contracts) // 100]:
        market = markets(each.short_code)[1]
        first, second = (
            Quote(book, market, each.short_code, moment).blocks(0, 1, "") for book in books
        )
        assert first == second
        for name, text in first["output1"].items():
            assert text is not None, name
    assert len(contracts) == len({each.short_code for each in contracts})
