"""The margin call's level, the re-estimated margin, and what KIS refuses."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import kis_nb
from kis_nb import charts
from kis_nb._frames.balance import Balance
from kis_nb._risk.inputs import futures_codes
from kis_nb._risk.margin_rules import read_rates
from kis_nb._seoul import KST
from tests.factories import position
from tests.test_risk import BOOK, EXPIRY, NOW, at, future, option, quote_frame

RATES: dict[str, Any] = {
    "bast_id": pl.String,
    "bast_name": pl.String,
    **dict.fromkeys(
        ("brkg_mgna_rt", "tr_mgna_rt", "bast_pric", "tr_mtpl_idx", "ctrt_per_futr_mgna"),
        pl.Decimal(23, 8),
    ),
}


def rates(*rows: tuple[Any, ...]) -> pl.DataFrame:
    """A frame as `Client.margin_rates` gives it."""
    made = [(row[0], row[1], *map(Decimal, row[2:])) for row in rows]
    return pl.DataFrame(made, schema=RATES, orient="row")


K200 = ("2001", "KOSPI200", "12", "8", "1000", "250000", "30000000")


@dataclass
class Detail:
    """What `Client.margin_detail` gives, as far as it is read."""

    components: pl.DataFrame
    as_of: datetime = NOW


def detail(**amounts: tuple[int, int]) -> Detail:
    """Components with their initial and maintenance amounts."""
    rows = [(name, name, name, Decimal(one), Decimal(two)) for name, (one, two) in amounts.items()]
    schema: dict[str, Any] = {
        **dict.fromkeys(("component", "ko", "en"), pl.String),
        **dict.fromkeys(("initial", "maintenance"), pl.Decimal(19, 0)),
    }
    return Detail(pl.DataFrame(rows, schema=schema, orient="row"))


def refusal() -> kis_nb.ApiError:
    """No right to market data."""
    return kis_nb.ApiError(
        "FHMIF10000000: KIS answered EGW00206 (HTTP 500) [rt_cd 1]",
        rt_cd="1",
        msg_cd="EGW00206",
        msg1="",
        tr_id="FHMIF10000000",
    )


@dataclass
class Client:
    """A client of scripted answers; each call is noted. An answer that is an error is raised."""

    quoted: Any = None
    maintenance: Any = None
    rated: Any = field(default_factory=rates)
    detailed: Any = None
    calls: list[tuple[str, Any]] = field(default_factory=list)
    master = None

    def _give(self, what: str, asked: Any, answer: Any) -> Any:
        self.calls.append((what, asked))
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def quotes(self, codes: Any, **_: Any) -> Any:
        return self._give("quotes", tuple(codes), self.quoted)

    def balance(self, _account: Any, **codes: Any) -> Any:
        return self._give("balance", str(codes["mgna_dvsn"]), self.maintenance)

    def margin_rates(self, day: Any, **_: Any) -> Any:
        return self._give("margin_rates", day, self.rated)

    def margin_detail(self, _account: Any, **_more: Any) -> Any:
        return self._give("margin_detail", None, self.detailed)

    def find_account(self, account: Any) -> Any:
        return account

    def label_of(self, account: Any) -> str:
        return str(account)


def both(rows: list[dict[str, Any]], equity: int, margin: int) -> kis_nb.Balances:
    """The two views of MGNA_DVSN, of one moment."""
    return kis_nb.Balances(
        [
            at(NOW, rows, prsm_dpast_amt=equity, mgna_tota=margin * 3 // 2),
            at(NOW, rows, mgna_dvsn="02", prsm_dpast_amt=equity, mgna_tota=margin),
        ]
    )


def test_the_level_of_a_margin_call_on_one_future_is_exact() -> None:
    """Two contracts with 20,000,000 of excess margin: 40 points, below when long, above short."""
    for side, sign, named in (("long", -1, "below"), ("short", 1, "above")):
        risk = kis_nb.risk(both([future(side, 2)], 80_000_000, 60_000_000))
        call = risk.margin_call().filter(margin="held")
        row = call.filter(side=named).row(0, named=True)
        assert row["level"] == pytest.approx(1003.25 + sign * 40)
        assert row["pnl"] == pytest.approx(-20_000_000, abs=1)
        assert row["equity"] == pytest.approx(row["required"], abs=1)
        other = call.filter(pl.col("side") != named).row(0, named=True)
        assert (other["level"], other["note"]) == (None, "no level within 50%")
        text = risk.answers("en")[1]
        assert f"{1003.25 + sign * 40:,.2f}" in text
        assert "estimated" in text


def test_a_short_strangle_is_called_on_both_sides() -> None:
    """At each level equity is the maintenance margin; nearer to now it is above it."""
    rows = [option("C", "1050.0", "3.10", "short", 10), option("P", "950.0", "2.80", "short", 10)]
    risk = kis_nb.risk(both(rows, 300_000_000, 200_000_000), forwards={"KOSPI 200": 1003.25})
    held = risk.margin_call().filter(margin="held")
    assert held["note"].to_list() == [None, None]
    below, above = held["level"].to_list()
    assert below < 1003.25 < above
    for level, spot in held.select("level", "spot").rows():
        pnl = risk.scenarios(spot=spot, vol=0.0, at="now")["pnl"][0]
        assert 300_000_000 + pnl == pytest.approx(200_000_000, abs=1)
        inside = risk.scenarios(spot=spot * 0.98, vol=0.0, at="now")["pnl"][0]
        assert 300_000_000 + inside > 200_000_000
        assert risk.contributions(level)["pnl"].sum() == pytest.approx(pnl, abs=1)
    # The nearest of the two is what the third answer is about.
    nearest = min(held.rows(named=True), key=lambda row: abs(row["spot"]))
    assert f"{nearest['level']:,.2f}" in risk.answers("ko")[2]


@pytest.mark.parametrize(
    ("equity", "margin", "note"),
    [
        (59_000_000, 60_000_000, "already below"),
        (9_000_000_000, 60_000_000, "no level within 50%"),
    ],
)
def test_a_call_that_is_there_or_never_comes_says_so(equity: int, margin: int, note: str) -> None:
    """No level is made up."""
    risk = kis_nb.risk(both([future("long", 2)], equity, margin))
    assert risk.margin_call().filter(margin="held")["note"].to_list() == [note, note]
    assert note in risk.answers("en")[1]


def test_without_a_maintenance_margin_the_answer_says_so() -> None:
    """The initial margin is not taken for it, and nothing is asked without a client."""
    risk = kis_nb.risk(at(NOW, [future()], prsm_dpast_amt=80_000_000, mgna_tota=60_000_000))
    assert (
        risk.margin_call()["note"].to_list() == ["margin not known"] * 2 + ["rates not known"] * 2
    )
    assert "margin not known" in risk.answers("en")[1]


def maintenance(rows: list[dict[str, Any]], **more: Any) -> Balance:
    """A pull with MGNA_DVSN 02."""
    return at(NOW, rows, mgna_dvsn="02", prsm_dpast_amt=300_000_000, mgna_tota=200_000_000, **more)


def test_each_thing_is_asked_once_and_only_when_needed() -> None:
    """Futures for the forwards at once, options when wanted, margins when first looked at."""
    client: Any = Client(
        quote_frame([("A01612", "F 202612", "1003.30", None)]),
        maintenance(BOOK),
        rates(K200),
        detail(fuop_pric_altr_mgna=(90, 60), opt_pric_mgna=(10, 10), netrisk_brkg_mgna=(100, 70)),
    )
    risk = kis_nb.risk(
        at(NOW, BOOK, prsm_dpast_amt=300_000_000), client=client, option_quotes=False
    )
    assert client.calls == [("balance", "02"), ("quotes", ("A01612",))]
    risk.scenarios()
    risk.answers()
    assert "estimates" in risk._repr_html_()
    assert len(client.calls) == 2
    for _ in range(2):
        risk.margin_call()
        risk.margin_components()
        risk.ask_option_quotes()
    asked = [name for name, _ in client.calls]
    assert sorted(asked) == ["balance", "margin_detail", "margin_rates", "quotes", "quotes"]
    assert len(next(codes for name, codes in client.calls[2:] if name == "quotes")) == 5
    assert risk.lacks == ()


def test_what_kis_refuses_is_said_and_done_without() -> None:
    """Forwards come from what is held; the frames are those of a risk without a client."""
    client: Any = Client(refusal(), refusal(), refusal(), refusal())
    alone = kis_nb.risk(at(NOW, BOOK, prsm_dpast_amt=300_000_000))
    risk = kis_nb.risk(at(NOW, BOOK, prsm_dpast_amt=300_000_000), client=client)
    assert risk.positions.equals(alone.positions)
    assert risk.scenarios().equals(alone.scenarios())
    risk.margin_call()
    risk.margin_components()
    assert {one.what for one in risk.lacks} == {
        "quotes", "option quotes", "maintenance margin", "margin detail", "margin rates"
    }  # fmt: skip
    lines = risk.summary_lines("en")
    assert len(lines) == 5
    assert all("EGW00206" in line for line in lines)
    assert "선물 시세 없음" in risk.summary_lines("ko")[1]
    assert "EGW00206" in risk._repr_html_()


def test_quotes_that_are_given_are_not_asked_for() -> None:
    """Neither futures nor options; an expired future among them gives no forward."""
    client: Any = Client(refusal(), refusal(), refusal(), refusal())
    given = quote_frame(
        [("A01612", "F 202612", "1003.30", None), ("A05611", "미니F 202611", "990.00", None)]
    )
    risk = kis_nb.risk(at(NOW, BOOK), client=client, quotes=given)
    assert client.calls == [("balance", "02")]
    assert (risk.level(), risk.level_source()) == (1003.30, "quote")
    assert [one.what for one in risk.lacks] == ["maintenance margin"]


def test_quotes_of_another_moment_say_so() -> None:
    """More than five seconds from the balance."""
    frame = quote_frame([("A01612", "F 202612", "1003.30", None)])
    late = frame.with_columns(as_of=pl.col("as_of") + timedelta(seconds=6))
    assert kis_nb.risk(at(NOW, BOOK), quotes=frame).summary_lines("en") == []
    (line,) = kis_nb.risk(at(NOW, BOOK), quotes=late).summary_lines("en")
    assert "23:15:10" in line


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (K200, (0.12, 0.08)),
        (("2001", "", "0.12", "0.08", "1000", "250000", "30000000"), (0.12, 0.08)),
        (("X", "코스피200 ", "9.75", "6.5", "1000", "250000", "24375000"), (0.0975, 0.065)),
        (("X", "삼성전자", "12", "8", "1000", "10", "1200"), None),
        (("2001", "KOSPI200", "0", "0", "1000", "250000", "0"), None),
        (("2001", "KOSPI200", "12", "8", "0", "250000", "30000000"), None),
    ],
)  # fmt: skip
def test_rates_are_read_in_either_unit(row: Any, found: tuple[float, float] | None) -> None:
    """The margin of a contract tells whether a rate is in per cent."""
    read = {name: tuple(one.values()) for name, one in read_rates(rates(row)).items()}
    assert read == ({} if found is None else {"KOSPI 200": pytest.approx(found)})
    assert read_rates(None) == {}


def test_rates_that_are_not_out_yet_are_those_of_the_last_settlement() -> None:
    """The coming trading day's appear in the evening before it."""
    client: Any = Client(quote_frame([]), None)
    given = {date(2026, 11, 26): rates(), date(2026, 11, 25): rates(K200)}
    client.margin_rates = lambda day, **_: given[day]
    risk = kis_nb.risk(both([future("short", 2)], 80_000_000, 60_000_000), client=client)
    assert risk.margin_components()["estimated"].count() > 0


def test_margin_is_reestimated_by_the_largest_loss_within_the_rate() -> None:
    """A future's is its value times the rate; bought options lower it, and it is never below 0."""
    client: Any = Client(
        quote_frame([]), None, rates(K200), detail(netrisk_brkg_mgna=(61_000_000, 41_000_000))
    )
    risk = kis_nb.risk(at(NOW, [future("short", 2)]), client=client)
    frame = risk.margin_components()
    row = frame.filter(component="netrisk_brkg_mgna", which="initial").row(0, named=True)
    assert row["estimated"] == pytest.approx(2 * 250_000 * 1003.25 * 0.12)
    assert row["reported"] == 61_000_000
    assert row["gap"] == pytest.approx(row["estimated"] - 61_000_000)
    hedged = kis_nb.risk(
        at(NOW, [future("short", 2), option("C", "1005.0", "12.9", "long", 2)]), client=client
    )
    loss = hedged.margin_components().filter(which="initial")["estimated"][0]
    assert 0 < loss < row["estimated"]
    bought = kis_nb.risk(
        at(NOW, [option("C", "1005.0", "12.9")]), client=client, forwards={"KOSPI 200": 1003.25}
    )
    assert bought.margin_components().filter(which="initial")["estimated"][0] == 0
    level = risk.margin_call().filter(margin="re-estimated")
    assert level.height == 2


def test_a_balance_of_old_moment_is_not_the_one_that_is_priced() -> None:
    """Of several pulls the latest is priced, and the older maintenance margin still serves."""
    rows = [future("long", 2)]
    old = replace(maintenance(rows), as_of=NOW - timedelta(minutes=3))
    risk = kis_nb.risk(kis_nb.Balances([old, at(NOW, rows, prsm_dpast_amt=300_000_000)]))
    assert risk.as_of == NOW
    assert risk.equity().maintenance_as_of == NOW - timedelta(minutes=3)
    assert risk.margin_call()["required"].drop_nulls().unique().to_list() == [200_000_000]


def test_codes_of_the_futures_follow_from_the_rules() -> None:
    """The nearest, and that of each expiry: quarterly ones, minis in between; none for weeklies."""
    days = {EXPIRY, EXPIRY.replace(day=3), datetime(2027, 1, 14, tzinfo=KST).date()}
    wanted = {"KOSPI 200": days, "KOSDAQ 150": {EXPIRY}}
    assert futures_codes(wanted, NOW) == ["A01612", "A05701", "A06612"]
    expired = datetime(2026, 12, 10, 15, 20, tzinfo=KST)
    assert futures_codes({"KOSPI 200": {datetime(2027, 2, 11, tzinfo=KST).date()}}, expired) == [
        "A05701",
        "A05702",
        "A01703",
    ]
    assert futures_codes({"Nikkei": days}, NOW) == []


def test_equity_of_the_last_settlement_is_named() -> None:
    """On the purchase basis, without ``prsm_dpast_amt``, the equity of now is not known; with a
    client the maintenance view comes on the settlement basis, which gives an estimate.
    """
    figures: dict[str, Any] = {
        "prsm_dpast": 100_000_000, "prsm_dpast_amt": None, "futr_evlu_pfls_amt": -30_000_000
    }  # fmt: skip
    rows = [future("long", 10)]
    shown = at(NOW, rows, excc_stat_cd="2", **figures)
    margin = at(NOW, rows, mgna_dvsn="02", excc_stat_cd="2", mgna_tota=60_000_000, **figures)
    alone = kis_nb.risk(kis_nb.Balances([shown, margin]))
    assert "on equity at the last settlement" in alone.answers("en")[1]
    estimated = at(NOW, rows, mgna_dvsn="02", mgna_tota=60_000_000, **figures)
    client: Any = Client(quote_frame([]), estimated)
    asked = kis_nb.risk(shown, client=client)
    assert "settlement" not in asked.answers("en")[1]
    below = asked.margin_call().filter(side="below", margin="held")
    # 10,000,000 of excess margin over 10 contracts.
    assert below["level"].to_list() == pytest.approx([1003.25 - 4])


def test_a_maintenance_margin_of_another_moment_is_asked_for_anew_or_said() -> None:
    """The margin of hours ago decides no level in silence."""
    rows = [future("long", 2)]
    old = replace(maintenance(rows), as_of=NOW - timedelta(hours=20))
    now = at(NOW, rows, prsm_dpast_amt=300_000_000)
    fresh = at(NOW, rows, mgna_dvsn="02", prsm_dpast_amt=300_000_000, mgna_tota=180_000_000)
    client: Any = Client(quote_frame([]), fresh)
    renewed = kis_nb.risk(kis_nb.Balances([old, now]), client=client)
    assert renewed.margin_call()["required"].drop_nulls().unique().to_list() == [180_000_000]
    assert renewed.apart == {}
    kept = kis_nb.risk(kis_nb.Balances([old, now]))
    (line,) = kept.summary_lines("en")
    assert line.startswith("Of another moment than the balance (23:15:04): maintenance margin")


def test_kis_greeks_of_another_moment_say_so() -> None:
    """Many options take many calls; what came later is named with its times."""
    kis = {"strike": "1000", "delta": "0.56", "implied_volatility": "0.18"}
    rows = [future(), option("C", "1000.0", "15.55")]
    frame = quote_frame([(rows[1]["shtn_pdno"], "C", "15.55", kis)])
    late = frame.with_columns(as_of=pl.col("as_of") + timedelta(seconds=33))
    (line,) = kis_nb.risk(at(NOW, rows), quotes=late).summary_lines("en")
    assert "KIS's Greeks 23:15:37" in line
    assert "23:15:37" in line


def test_a_call_between_two_steps_is_found_at_the_strikes() -> None:
    """A short butterfly near its expiry: worst at a strike, harmless half a per cent on."""
    end = datetime(2026, 12, 10, 15, 0, tzinfo=KST)
    legs = [("1000.0", "2.00", "short", 100), ("1002.5", "0.60", "long", 200),
            ("1005.0", "0.12", "short", 100)]  # fmt: skip
    rows = [option("C", strike, price, side, qty) for strike, price, side, qty in legs]
    rows = [row | {"side": {"short": "long", "long": "short"}[row["side"]]} for row in rows]
    views = [
        at(end, rows, mgna_dvsn="02", prsm_dpast_amt=100_000_000, mgna_tota=margin)
        for margin in (90_000_000,)
    ]
    risk = kis_nb.risk(kis_nb.Balances(views), forwards={"KOSPI 200": 1000.0, EXPIRY: 1000.0})
    call = risk.margin_call().filter(margin="held")
    curve = risk.scenarios(spot=[step / 10_000 for step in range(-500, 501)], vol=0.0, at="now")
    called = curve.filter(pl.col("pnl") < -10_000_000)
    assert called.height
    assert call["level"].null_count() < 2


def test_a_flat_book_has_no_break_evens_and_a_flat_stretch_its_ends() -> None:
    """Not one at every place that is looked at."""
    flat = [
        position("A01612", "F 202612", "long", 1, "1003.25", "1001.40"),
        position("A05612", "미니F 202612", "short", 5, "1003.25", "1001.40", 50_000),
    ]
    assert kis_nb.risk(at(NOW, flat)).break_evens() == []
    free = [option("C", "1200.0", "0.01") | {"pchs_amt": Decimal(0)}]
    zeros = kis_nb.risk(at(NOW, free), forwards={"KOSPI 200": 1003.25}).break_evens()
    assert zeros == pytest.approx([1200.0])


def test_an_option_below_its_intrinsic_value_keeps_the_wires_profit() -> None:
    """Its gap to the model shrinks to nothing by expiry, where it pays its intrinsic value."""
    rows = [future(), option("C", "900.0", "103.2", cost="100.0")]
    balance = at(NOW, rows)
    risk = kis_nb.risk(balance)
    now = risk.curve(spot=0.0)["unrealized"].to_list()
    assert now[0] == pytest.approx(float(balance.positions["evlu_pfls_amt"].sum()))
    assert now[2] == pytest.approx(250_000 * (1003.25 - 1001.40 + 103.25 - 100.0))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"quotes": [1]}, "quotes takes"),
        ({"quotes": pl.DataFrame({"shtn_pdno": ["A01612"]})}, "quotes takes"),
        ({"quotes": quote_frame([]).with_columns(price=pl.lit(1.0))}, "Decimal"),
        ({"quotes": quote_frame([]).cast({"as_of": pl.Datetime("us")})}, "zone"),
        ({"forwards": {EXPIRY: True}}, "forwards"),
    ],
)  # fmt: skip
def test_quotes_and_forwards_of_another_kind_are_refused(more: dict[str, Any], words: str) -> None:
    """Before anything is priced."""
    with pytest.raises(ValueError, match=words):
        kis_nb.risk(at(NOW, BOOK), **more)


def test_exact_prices_and_times_may_be_given() -> None:
    """Decimals, as `Client.quotes` gives them; what fits no position is named."""
    midnight = datetime(2026, 12, 10, tzinfo=KST)
    risk = kis_nb.risk(
        at(NOW, BOOK),
        forwards={midnight: Decimal("1003.25"), "2026-12-11": 900},
        rate=Decimal(0),
    )
    assert risk.positions["forward"].unique().to_list() == [1003.25]
    (line,) = risk.summary_lines("en")
    assert "KOSPI 200 2026-12-11" in line
    assert risk.contributions(Decimal(1000)).height == 6


def test_a_book_of_spreads_is_priced_by_a_quote() -> None:
    """A spread needs the level; nothing else of it is asked for."""
    client: Any = Client(quote_frame([("A01612", "F 202612", "1003.30", None)]), refusal())
    rows = [position("D0161201", "SP 2612-2703", "short", 2, "5.85", "5.80")]
    risk = kis_nb.risk(at(NOW, rows), client=client)
    assert risk.level() == 1003.30
    assert risk.left_out.is_empty()


def test_threads_share_what_was_asked() -> None:
    """Four threads ask for nothing twice, and each refusal is said once."""
    client: Any = Client(refusal(), refusal(), refusal(), refusal())
    risk = kis_nb.risk(at(NOW, BOOK, prsm_dpast_amt=300_000_000), client=client)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(risk.margin_call) for _ in range(4)]:
            done.result()
    assert len(risk.lacks) == len({one.what for one in risk.lacks})
    assert [name for name, _ in client.calls].count("margin_rates") == 1


def test_an_account_of_another_client_is_refused_at_once() -> None:
    """Not in the middle of an estimate."""
    client: Any = Client()
    client.find_account = lambda _: ValueError("no such account")
    with pytest.raises(ValueError, match="no such account"):
        kis_nb.risk(at(NOW, BOOK), client=client)


def test_charts_say_what_is_of_another_moment() -> None:
    """Quotes of the forwards, and margin by component."""
    late = quote_frame([("A01612", "F 202612", "1003.30", None)])
    late = late.with_columns(as_of=pl.col("as_of") + timedelta(days=2))
    pulls = both(BOOK, 300_000_000, 200_000_000)
    risk = kis_nb.risk(pulls, quotes=late)
    for chart in (charts.scenarios(risk, lang="en"), charts.risk_curve(risk, lang="en")):
        assert "forwards of 2026-11-27 23:15:04" in str(chart.to_dict())
    assert "forwards of" not in str(charts.scenarios(kis_nb.risk(pulls), lang="en").to_dict())
    later = detail(netrisk_brkg_mgna=(100, 70))
    later.as_of = NOW + timedelta(minutes=2)
    client: Any = Client(quote_frame([]), None, rates(K200), later)
    asked = kis_nb.risk(pulls, client=client)
    shown = charts.margin_components(asked, lang="en").to_dict()
    assert "margin by component of 23:17:04" in str(shown)
