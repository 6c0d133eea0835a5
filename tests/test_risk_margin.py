"""The margin call's level, the re-estimated margin, and what KIS refuses."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import kis_nb
from kis_nb._frames.balance import Balance
from kis_nb._risk.inputs import futures_codes
from kis_nb._risk.margin_rules import read_rates
from kis_nb._seoul import KST
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
    rated: Any = None
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

    def margin_rates(self, **_: Any) -> Any:
        return self._give("margin_rates", None, self.rated)

    def margin_detail(self, _account: Any, **_more: Any) -> Any:
        return self._give("margin_detail", None, self.detailed)

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
        assert (other["level"], other["note"]) == (None, "no level within 50 %")
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
        (9_000_000_000, 60_000_000, "no level within 50 %"),
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
    assert client.calls == [("quotes", ("A01612",))]
    risk.scenarios()
    assert len(client.calls) == 1
    risk.answers()
    assert client.calls[1:] == [("balance", "02")]
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
    assert "선물 시세" in risk.summary_lines("ko")[0]
    assert "EGW00206" in risk._repr_html_()


def test_quotes_that_are_given_are_not_asked_for() -> None:
    """Neither futures nor options; an expired future among them gives no forward."""
    client: Any = Client(refusal(), refusal(), refusal(), refusal())
    given = quote_frame(
        [("A01612", "F 202612", "1003.30", None), ("A05611", "미니F 202611", "990.00", None)]
    )
    risk = kis_nb.risk(at(NOW, BOOK), client=client, quotes=given)
    assert client.calls == []
    assert (risk.level(), risk.level_source(), risk.lacks) == (1003.30, "quote", ())


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
    ]
    assert futures_codes({"Nikkei": days}, NOW) == []
