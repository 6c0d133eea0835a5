"""`Client.quotes`: replies as KIS's documents and recordings show them, many codes, the cache."""

from __future__ import annotations

import json
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._frames.quote_frame import QUOTE_SCHEMA, market_of
from kis_nb._schema.quote import QUOTE
from kis_nb._seoul import KST
from tests.faults import NETWORK, WIRE, Broker, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb.demo import Call
    from tests.conftest import Clock, Fast


def asked(broker: Broker) -> list[Call]:
    """The quote calls that the broker got."""
    return [call for call in broker.calls if call.path == QUOTE.path]


def answer(
    broker: Broker, recorded: dict[str, Any], *, times: int | None = None, **output1: Any
) -> None:
    """Answer quotes with an exchange; "gone" leaves a field out."""
    body = json.loads(json.dumps(recorded["body"]))
    body["output1"] |= output1
    body["output1"] = {name: text for name, text in body["output1"].items() if text != "gone"}
    broker.replay({**recorded, "body": body}, call="quote", times=times)


def test_an_option_s_quote_is_read_exactly(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Every column of a night option, whose volatility is a fraction, as others recorded it."""
    answer(guarded, exchange("quote-option"))
    quotes = client_of(guarded).quotes("BAFBRW962")
    assert quotes.schema == QUOTE_SCHEMA
    assert quotes.drop("as_of").to_dicts() == [
        {
            "shtn_pdno": "BAFBRW962",
            "market": "EU",
            "name": "위클리C 2608W1   962.5",
            "price": Decimal("38.35"),
            "strike": Decimal("962.5"),
            "last_trading_day": date(2026, 8, 6),
            "days_left": 3,
            "delta": Decimal("0.8614"),
            "gamma": Decimal("0.0018"),
            "theta": Decimal("-0.412"),
            "vega": Decimal("0.1903"),
            "rho": Decimal("0.0612"),
            "implied_volatility": Decimal("0.1732"),
            "historical_volatility": Decimal("0.2214"),
            "theoretical_price": Decimal("38.41"),
            "previous_close": Decimal("34.2"),
            "open": Decimal(35),
            "high": Decimal("39.9"),
            "low": Decimal("33.75"),
            "volume": 1204,
            "open_interest": 3310,
            "index_name": "KOSPI200",
            "index": Decimal("1000.03"),
        }
    ]
    assert quotes["as_of"].dtype == pl.Datetime("us", "Asia/Seoul")
    assert quotes["as_of"][0] == datetime(2026, 11, 22, 23, 15, 4, tzinfo=KST)
    (call,) = asked(guarded)
    assert call.query == {"FID_COND_MRKT_DIV_CODE": "EU", "FID_INPUT_ISCD": "BAFBRW962"}
    assert call.headers["tr_id"] == "FHMIF10000000"


def test_a_future_s_quote_has_no_strike(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Its strike of 0 is none; its delta of 1 and Greeks of 0 stay as they came."""
    answer(guarded, exchange("quote-future"))
    (row,) = client_of(guarded).quotes(["A01612"]).to_dicts()
    assert (row["market"], row["price"], row["strike"]) == ("CM", Decimal(1112), None)
    assert (row["delta"], row["gamma"], row["implied_volatility"]) == (1, 0, 0)
    assert (row["volume"], row["open_interest"]) == (182_344, 251_002)


@pytest.mark.parametrize("sent", ["nan", "-nan", "NaN", " nan ", "", "   ", None, "gone"])
def test_what_is_no_number_is_null(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    sent: str | None,
) -> None:
    """KIS's market data has "nan" where a Greek cannot be computed: null, as what is not sent."""
    fields = ("delta_val", "hts_ints_vltl", "acml_vol", "hts_rmnn_dynu", "futs_prpr")
    answer(guarded, exchange("quote-option"), **dict.fromkeys(fields, sent))
    (row,) = client_of(guarded).quotes("BAFBRW962").to_dicts()
    names = ("delta", "implied_volatility", "volume", "days_left", "price")
    assert [row[name] for name in names] == [None] * 5
    assert row["gamma"] == Decimal("0.0018")


@pytest.mark.parametrize("sent", ["nan%", "inf", "1e3", "0.123456789", "없음"])
def test_another_text_for_a_number_is_an_error(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    sent: str,
) -> None:
    """Nothing is rounded and no text is dropped; the error names the field."""
    answer(guarded, exchange("quote-option"), vega=sent)
    with pytest.raises(kis_nb.DecimalError) as caught:
        client_of(guarded).quotes("BAFBRW962")
    assert (caught.value.field, caught.value.value, caught.value.row) == ("vega", sent, None)


def test_a_balance_takes_no_nan(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """The text that is null in a quote is still an error in an account's figures."""
    guarded.fault(kind="mutate", change=lambda body: body["output1"][0].update(evlu_pfls_amt="nan"))
    with pytest.raises(kis_nb.DecimalError, match="nan"):
        client_of(guarded).balance()


@pytest.mark.parametrize(
    ("sent", "read"),
    [("0.1732", "0.1732"), ("31.5614", "31.5614"), ("17.32000000", "17.32"), ("0.0000", "0")],
)
def test_a_volatility_stays_in_the_unit_that_was_sent(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    sent: str,
    read: str,
) -> None:
    """Fraction in a recording, per cent in the document: neither is assumed."""
    answer(guarded, exchange("quote-option"), hts_ints_vltl=sent)
    quotes = client_of(guarded).quotes("BAFBRW962")
    assert quotes["implied_volatility"].to_list() == [Decimal(read)]


def test_a_price_of_zero_is_no_price(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """As is a null one, which KIS answers for a code that a market does not have."""
    client = client_of(guarded)
    for price in ("0.00", "0", None):
        answer(guarded, exchange("quote-option"), times=1, futs_prpr=price)
        assert client.quotes("BAFBRW962", max_age=0)["price"].to_list() == [None]


@pytest.mark.parametrize("text", ["", "0", "00000000", None])
def test_a_last_trading_day_may_be_missing(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    text: str | None,
) -> None:
    """Blank and zeros are no date."""
    answer(guarded, exchange("quote-option"), futs_last_tr_date=text)
    assert client_of(guarded).quotes("BAFBRW962")["last_trading_day"].to_list() == [None]


def test_a_last_trading_day_that_is_no_date_is_an_error(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """It is named, and not dropped."""
    answer(guarded, exchange("quote-option"), futs_last_tr_date="2026-8-6")
    with pytest.raises(kis_nb.DecodeError, match="futs_last_tr_date is '2026-8-6'"):
        client_of(guarded).quotes("BAFBRW962")


@pytest.mark.parametrize("empty", [None, {}, [], "gone"])
def test_a_quote_without_the_index_is_a_quote(
    guarded: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    empty: Any,
) -> None:
    """`output2` and `output3` may be missing or empty, or a list of one."""
    recorded = exchange("quote-option")
    for name in ("output2", "output3"):
        recorded["body"][name] = empty
        if empty == "gone":
            del recorded["body"][name]
    answer(guarded, recorded)
    client = client_of(guarded)
    (row,) = client.quotes("BAFBRW962").to_dicts()
    assert (row["index"], row["index_name"], row["price"]) == (None, None, Decimal("38.35"))
    guarded.clear_faults()
    recorded = exchange("quote-option")
    recorded["body"]["output3"] = [recorded["body"]["output3"]]
    answer(guarded, recorded)
    assert client.quotes("BAFBRW962", max_age=0)["index"].to_list() == [Decimal("1000.03")]


def test_a_quote_without_anything_is_nulls(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """rt_cd 0 without a block, and KIS's refusal that nothing is found."""
    recorded = exchange("quote-option")
    for name in ("output1", "output2", "output3"):
        del recorded["body"][name]
    guarded.replay(recorded, call="quote", times=1)
    guarded.fault(WIRE["KIOK0560"].at(None, call="quote"))
    client = client_of(guarded)
    for _ in range(2):
        (row,) = client.quotes("BAFBRW962", max_age=0).to_dicts()
        given = {name: value for name, value in row.items() if value is not None}
        assert given.keys() == {"shtn_pdno", "market", "as_of"}


def test_rows_in_place_of_the_quote_are_an_error(
    guarded: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Also when they come further down: two quotes are none."""
    client = client_of(guarded)
    for name in ("output1", "output3"):
        recorded = exchange("quote-option")
        recorded["body"][name] = [recorded["body"][name]] * 2
        guarded.replay(recorded, call="quote", times=1)
        with pytest.raises(kis_nb.DecodeError, match=f"{name} is a list of 2, not one object"):
            client.quotes("BAFBRW962")


def test_a_refusal_is_the_error_of_the_call(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """No market data right, or an instrument that is not found: `ApiError` with KIS's code."""
    client = client_of(guarded)
    for code in ("EGW00206", "APBK1631"):
        guarded.fault(WIRE[code].at(None, call="quote", times=None))
        with pytest.raises(kis_nb.KisError, match=rf"FHMIF10000000: .*{code}") as caught:
            client.quotes(["A01612", "B01612B39"])
        assert caught.value.partial is None
        guarded.clear_faults()
    assert client.quotes("A01612")["price"][0] is not None


@pytest.mark.parametrize(
    "name", ["reset", "closed", "cut body", "half JSON", "EGW00201", "EGW00123", "HTML 503"]
)
def test_what_passes_is_asked_again(
    guarded: Broker, client_of: Callable[..., Client], name: str
) -> None:
    """Network, gateway, rate and token, as for a balance."""
    guarded.fault((NETWORK | WIRE)[name].at(None, call="quote"))
    client = client_of(guarded, timeout=(5, 5))
    assert client.quotes("A01612")["price"][0] is not None
    assert len(asked(guarded)) == 2


@pytest.mark.parametrize(
    ("moment", "code", "market"),
    [
        ("2026-11-23 18:00:00", "A01612", "CM"),
        ("2026-11-23 17:59:59", "A01612", "F"),
        ("2026-11-24 05:59:59", "B01612B39", "EU"),
        ("2026-11-24 08:44:59", "B01612B39", "EU"),
        ("2026-11-24 08:45:00", "B01612B39", "O"),
        ("2026-11-24 16:00:00", "C09NWWA26", "O"),
        ("2026-11-24 12:00:00", "A75612", "CF"),
        ("2026-11-24 22:00:00", "A75612", "CM"),
        ("2026-11-24 12:00:00", "D0161201", "F"),
        ("2026-11-24 12:00:00", "101W12", "F"),
        ("2026-11-24 12:00:00", "301W12340", "O"),
        ("2026-11-24 20:00:00", "201W12340", "EU"),
        # Saturday, Sunday and the morning after: Friday's night was the last session.
        ("2026-11-28 12:00:00", "A01612", "CM"),
        ("2026-11-29 20:00:00", "A01612", "CM"),
        ("2026-11-30 08:00:00", "A01612", "CM"),
        # Christmas: the night of the 24th was the last session.
        ("2026-12-25 11:00:00", "A01703", "CM"),
    ],
)
def test_the_market_follows_from_code_and_session(moment: str, code: str, market: str) -> None:
    """The night's market from 18:00 until the next day session opens."""
    now = datetime.fromisoformat(moment).replace(tzinfo=KST)
    assert market_of(code, now) == (market, code)
    assert market_of(f" {code.lower()} ", now.astimezone(UTC)) == (market, code)


def test_a_code_of_another_file_is_asked_for_by_its_own(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """``1A01612`` is ``A01612``, which alone KIS answers; the frame has the code as asked."""
    quotes = client_of(guarded).quotes(["1A01612", "A01612"])
    assert quotes["shtn_pdno"].to_list() == ["1A01612", "A01612"]
    assert quotes["price"].n_unique() == 1
    assert [call.query["FID_INPUT_ISCD"] for call in asked(guarded)] == ["A01612"]


@pytest.mark.parametrize("codes", ["", "KR4A016C0004", "A0161", ["A01612", "앱키01612"], [None]])
def test_what_is_no_short_code_is_refused(
    guarded: Broker, client_of: Callable[..., Client], codes: Any
) -> None:
    """Before a call is made."""
    with pytest.raises(ValueError, match="short codes"):
        client_of(guarded).quotes(codes)
    assert guarded.calls == []


@pytest.mark.parametrize("age", [-1, float("nan")])
def test_an_age_is_not_below_zero(
    guarded: Broker, client_of: Callable[..., Client], age: float
) -> None:
    """Before a call is made."""
    with pytest.raises(ValueError, match="max_age"):
        client_of(guarded).quotes("A01612", max_age=age)
    assert guarded.calls == []


def test_no_code_is_a_frame_without_rows(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """With all its columns, and without a call."""
    quotes = client_of(guarded).quotes([])
    assert quotes.is_empty()
    assert quotes.schema == QUOTE_SCHEMA
    assert guarded.calls == []


def test_many_codes_come_in_order_under_the_limit(
    client_of: Callable[..., Client], clock: Clock
) -> None:
    """Repeated codes are asked for once; no call is refused for its rate, and the ledger's own
    limit does not touch market data.
    """
    with Broker(
        clock=clock, monotonic=clock, calls_per_second=18, ledger_calls_per_second=1
    ) as broker:
        view = broker.book.view(broker.accounts[0], int(clock.now))
        held = view.rows(0, 40, purchase=False, new=True)
        codes = [row["shtn_pdno"] for row in held]
        wanted = [*codes, *codes[:3]]
        quotes = client_of(broker).quotes(wanted)
        assert quotes["shtn_pdno"].to_list() == wanted
        assert quotes[:3].equals(quotes[40:])
        assert quotes["name"].to_list()[:40] == [row["prdt_name"] for row in held]
        assert [call.outcome for call in asked(broker)] == ["ok"] * 40
        assert {call.page for call in asked(broker)} == {0}


def test_the_first_key_asks(client_of: Callable[..., Client]) -> None:
    """Of several keys, since a quote is about no account."""
    with Broker() as broker:
        client_of(broker).quotes(["A01612", "A05612"])
        assert {call.headers["appkey"] for call in asked(broker)} == {broker.keys[0][1]}


def test_a_young_quote_is_not_asked_for_again(
    guarded: Broker, client_of: Callable[..., Client], clock: Clock
) -> None:
    """Up to its age, by market and code; each client has its own."""
    client = client_of(guarded)
    first = client.quotes(["A01612", "B01612B39"])
    clock.advance(4.9)
    assert client.quotes(["B01612B39", "A01612"]).equals(first.reverse())
    assert len(asked(guarded)) == 2
    clock.advance(0.2)
    assert client.quotes("A01612")["as_of"][0] > first["as_of"][0]
    assert len(asked(guarded)) == 3
    client.quotes("A01612", max_age=0)
    client.quotes("A01612", max_age=0)
    assert len(asked(guarded)) == 5
    client.quotes("B01612B39", max_age=60)
    assert len(asked(guarded)) == 5
    client_of(guarded).quotes("A01612")
    assert len(asked(guarded)) == 6


def test_the_night_s_quote_is_not_the_day_s(
    guarded: Broker, client_of: Callable[..., Client], clock: Clock
) -> None:
    """At 18:00 the other market is asked, however young the quote is."""
    clock.now = datetime(2026, 11, 23, 17, 59, 59, tzinfo=KST).timestamp()
    client = client_of(guarded)
    client.quotes("A01612", max_age=3600)
    clock.advance(1)
    client.quotes("A01612", max_age=3600)
    markets = [call.query["FID_COND_MRKT_DIV_CODE"] for call in asked(guarded)]
    assert markets == ["F", "CM"]


def test_callers_at_once_share_a_quote(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """Eight threads want the same two codes: two calls."""
    client = client_of(guarded, timeout=(5, 5))
    guarded.latency = 0.1
    barrier, found = threading.Barrier(8), []

    def want() -> None:
        barrier.wait(30)
        found.append(client.quotes(["A01612", "A05612"]))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(found) == 8
    assert all(each.equals(found[0]) for each in found)
    assert len(asked(guarded)) == 2


def test_a_failed_quote_is_asked_for_again(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """An error is not kept, and what came beside it is."""
    client = client_of(guarded)
    client.quotes("A05612")
    guarded.fault(WIRE["APBK1631"].at(None, call="quote"))
    with pytest.raises(kis_nb.ApiError):
        client.quotes(["A05612", "A01612"])
    assert client.quotes(["A05612", "A01612"]).height == 2
    codes = [call.query["FID_INPUT_ISCD"] for call in asked(guarded)]
    assert codes == ["A05612", "A01612", "A01612"]


def test_a_failure_ends_the_others(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """Codes that wait for a thread are not asked for any more."""
    guarded.fault(WIRE["APBK1631"].at(None, call="quote", times=None))
    guarded.latency = 0.05
    codes = [f"B01612{number}" for number in range(600, 700)]
    with pytest.raises(kis_nb.ApiError):
        client_of(guarded).quotes(codes)
    assert len(asked(guarded)) < 100


def test_quotes_can_be_cancelled(guarded: Broker, client_of: Callable[..., Client]) -> None:
    """Before the first call, and while another caller is asking."""
    client = client_of(guarded, timeout=(5, 5))
    stop = threading.Event()
    stop.set()
    with pytest.raises(kis_nb.Cancelled):
        client.quotes(["A01612", "A05612"], cancel=stop)
    client.quotes("A05612")
    guarded.fault(Fault(kind="hang", call="quote", seconds=600))
    first = threading.Event()
    errors: list[BaseException] = []

    def ask(event: threading.Event) -> None:
        try:
            client.quotes("A01612", cancel=event)
        except kis_nb.Cancelled as error:
            errors.append(error)

    before = len(asked(guarded))
    holder = threading.Thread(target=ask, args=(first,))
    holder.start()
    while len(asked(guarded)) == before:
        threading.Event().wait(0.01)
    ask(stop)
    assert len(errors) == 1
    first.set()
    guarded.stop()
    holder.join(60)
    assert len(errors) == 2


def test_an_interrupt_stops_the_others(
    guarded: Broker, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C reaches the waiting thread alone; those that ask stop at their next wait, and a quote
    that was not brought is asked for anew.
    """
    client = client_of(guarded, timeout=(5, 5))
    stop = threading.Event()

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("kis_nb._quotes.as_completed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        client.quotes(["A01612", "A05612"], cancel=stop)
    assert stop.is_set()
    monkeypatch.undo()
    assert client.quotes(["A01612", "A05612"])["price"].null_count() == 0


def test_refused_for_the_rate_is_slower_and_whole(
    client_of: Callable[..., Client], clock: Clock, fast: Fast
) -> None:
    """A key that may make three calls a second gets every quote all the same."""
    with Broker(clock=clock, monotonic=clock, calls_per_second=3) as broker:
        client = client_of(broker, calls_per_second=3)
        quotes = client.quotes([f"A0{product}612" for product in ("1", "5", "6")])
        assert quotes["price"].null_count() <= 1
        assert fast.waits
