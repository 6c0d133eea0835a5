"""docs/risk.md: what it says of columns, notes, time and moves is so; its code is run by
`tests/test_readme.py`.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from math import exp, log
from pathlib import Path
from typing import Any

import pytest

import kis_nb
from kis_nb._risk.forwards import SOURCES
from kis_nb._risk.margin_call import FARTHEST
from kis_nb._risk.margin_call import NOTES as CALL_NOTES
from kis_nb._risk.moments import end_of_trading
from kis_nb._risk.notes import LEFT_OUT, NOTES
from kis_nb._risk.risk import Risk
from kis_nb._seoul import KST
from tests.documents import TOP, prose
from tests.factories import make_balance, position

PAGES = [TOP / "docs/risk.md", TOP / "docs/risk.ko.md"]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
# Won a point of a KOSPI 200 contract.
WON = 250_000
NOW = datetime(2026, 11, 22, 23, 15, 4, tzinfo=KST)


def tables(page: Path) -> list[tuple[str, list[str]]]:
    """Each table's first heading, and the names in its first column."""
    found = re.findall(r"^(\|.*\n)\|[-|]+\n((?:\|.*\n)+)", prose(page), re.MULTILINE)
    return [
        (
            head.split("|")[1].replace("`", "").strip(),
            re.findall("`([^`]+)`", "".join(line.split("|")[1] for line in body.splitlines())),
        )
        for head, body in found
    ]


def estimate(*rows: dict[str, Any], **more: Any) -> Risk:
    """Of a balance of these positions, without a client."""
    balance = make_balance(list(rows), mgna_dvsn="02", prsm_dpast=10**12, mgna_tota=10**9)
    return kis_nb.risk(balance, **more)


FUTURE = position("A01612", "F 202612", "long", 2, "1000.00", "990.00")
LATER = position("A01703", "F 202703", "long", 1, "1010.00", "1005.00")
CALL = position("B01612A48", "C 202612 1,050.0", "short", 3, "12.50", "10.00")


@each_page
def test_the_columns_and_notes_are_those_of_the_frames(page: Path) -> None:
    """Each column with a unit is listed, in the frames' own names; so is each note and source."""
    (sources,) = (names for head, names in tables(page) if head == "forward_source")
    assert tuple(sources) == SOURCES
    by_name = {head.removeprefix("in "): names for head, names in tables(page)}
    words = {"pdno", "prdt_name", "underlying", "kind", "side", "forward_source"}
    risk = estimate(FUTURE)
    assert set(by_name["risk.positions"]) == set(risk.positions.columns) - words
    assert set(by_name["risk.totals"]) == set(risk.totals.columns) - {"underlying", "expiry"}
    left_out, counted, call = (set(names) for head, names in tables(page) if head == "note")
    assert left_out == set(LEFT_OUT)
    assert counted == set(NOTES) - LEFT_OUT
    assert call == set(CALL_NOTES)
    assert FARTHEST == 0.5


def test_trading_ends_when_it_says() -> None:
    """15:20 for index products, 11:30 for the US dollar, and a year is 365 days."""
    day = datetime(2026, 12, 10, tzinfo=KST).date()
    assert end_of_trading("KOSPI 200", day) == datetime(2026, 12, 10, 15, 20, tzinfo=KST)
    assert end_of_trading("KOSDAQ 150", day) == datetime(2026, 12, 10, 15, 20, tzinfo=KST)
    assert end_of_trading("USD/KRW", day) == datetime(2026, 12, 10, 11, 30, tzinfo=KST)
    risk = estimate(FUTURE, CALL)
    _, call = risk.positions.to_dicts()
    years = (end_of_trading("KOSPI 200", day) - NOW) / timedelta(days=365)
    worth = _black(1000.0, 1050.0, call["implied_volatility"] * years**0.5)
    assert worth == pytest.approx(12.5, abs=1e-6)


def _black(forward: float, strike: float, deviation: float) -> float:
    """A call by Black-76 without interest, in the textbook's terms."""
    from statistics import NormalDist

    one = log(forward / strike) / deviation + deviation / 2
    normal = NormalDist()
    return forward * normal.cdf(one) - strike * normal.cdf(one - deviation)


def test_the_night_and_the_level_are_what_it_says() -> None:
    """Sunday 23:15 has no session: the night ends on Tuesday. The level is the nearest future's."""
    risk = estimate(LATER, FUTURE, CALL)
    assert risk.night_end == datetime(2026, 11, 24, 6, tzinfo=KST)
    assert (risk.level(), risk.rate) == (1000.0, 0.0)
    scenarios = risk.scenarios(spot=[0.0, -0.03], vol=0.0, at="now")
    assert scenarios["level"].to_list() == [1000.0, 970.0]
    assert scenarios["pnl"][0] == 0.0


def test_the_relative_basis_shrinks_with_the_time_that_is_left() -> None:
    """At half the time half of it is left, in logarithms; none at its expiry."""
    risk = estimate(FUTURE, LATER)
    end = end_of_trading("KOSPI 200", risk.expiries()[-1])
    middle = NOW + (end - NOW) / 2
    basis = log(1010.0 / 1000.0)
    for at, left in ((NOW, 1.0), (middle, 0.5), (end, 0.0)):
        (row,) = risk.contributions(1000.0, at=at).filter(prdt_name="F 202703").to_dicts()
        assert row["pnl"] == pytest.approx((1000 * exp(basis * left) - 1010) * WON, abs=1)


def test_an_option_settles_at_its_intrinsic_value() -> None:
    """At its expiry, at the level of the scenario, and it does not change after."""
    risk = estimate(FUTURE, LATER, CALL)
    first, last = risk.expiries()
    for day in (first, last):
        rows = risk.contributions(1100.0, at=day).filter(side="short").to_dicts()
        assert rows[0]["pnl"] == pytest.approx(-3 * (50 - 12.5) * WON, abs=1)


def test_vol_is_a_share_of_each_volatility() -> None:
    """0.2 turns 15 % into 18 %: the price at the new volatility."""
    risk = estimate(FUTURE, CALL)
    own = risk.positions["implied_volatility"][1]
    day = risk.expiries()[0]
    years = (end_of_trading("KOSPI 200", day) - NOW) / timedelta(days=365)
    pnl = risk.scenarios(spot=0.0, vol=0.2, at="now")["pnl"][0]
    worth = _black(1000.0, 1050.0, 1.2 * own * years**0.5)
    assert pnl == pytest.approx(-3 * (worth - 12.5) * WON, abs=1)


def test_greeks_have_the_units_that_it_says() -> None:
    """A volatility point is 0.01, a theta is of a calendar day, a total's delta is for 1 %."""
    risk = estimate(FUTURE, CALL)
    row, (total,) = risk.positions.to_dicts()[1], risk.totals.to_dicts()
    assert row["delta_won"] == pytest.approx(-3 * WON * row["delta"])
    own = row["implied_volatility"]
    up, down = (
        risk.scenarios(spot=0.0, vol=step * 0.0001 / own, at="now")["pnl"][0] for step in (1, -1)
    )
    assert (up - down) / 2 * 100 == pytest.approx(row["vega_won"], rel=1e-4)
    hour = risk.scenarios(spot=0.0, vol=0.0, at=NOW + timedelta(hours=1))["pnl"][0]
    assert hour * 24 == pytest.approx(row["theta_won"], rel=2e-3)
    up, down = (risk.scenarios(spot=s, vol=0.0, at="now")["pnl"][0] for s in (1e-4, -1e-4))
    assert (up - down) / 2 * 100 == pytest.approx(total["delta_won"], rel=1e-4)
    assert total["delta_contracts"] * WON * 10 == pytest.approx(total["delta_won"])


def test_the_margin_call_is_where_equity_falls_to_the_margin() -> None:
    """With volatilities as they are: equity and required are equal there."""
    balance = make_balance([FUTURE], mgna_dvsn="02", prsm_dpast_amt=10**8, mgna_tota=6 * 10**7)
    risk = kis_nb.risk(balance)
    row = risk.margin_call().to_dicts()[0]
    assert (row["side"], row["margin"], row["note"]) == ("below", "held", None)
    assert row["level"] == pytest.approx(1000 - 4 * 10**7 / (2 * WON))
    assert row["equity"] == pytest.approx(row["required"])
    notes = risk.margin_call()["note"].to_list()
    assert notes == [None, "no level within 50%", "rates not known", "rates not known"]


def test_forwards_can_be_given() -> None:
    """By underlying, which is the level; by day; by both."""
    day = "2026-12-10"
    for key in ("KOSPI 200", day, ("KOSPI 200", day)):
        risk = estimate(CALL, forwards={key: 1020.0})
        (row,) = risk.positions.to_dicts()
        assert (row["forward"], row["forward_source"]) == (1020.0, "given")
        assert risk.level() == 1020.0
    assert estimate(CALL).left_out["note"].to_list() == ["no forward"]


def test_the_pages_given_prices_have_an_effect() -> None:
    """The example: a level that shifts all forwards of the index by one share, and a forward of the
    dollar at which its future is valued.
    """
    prices: Any = {"KOSPI 200": 1000.0, ("USD/KRW", "2026-12-21"): 1450.0}
    for page in PAGES:
        assert 'forwards={"KOSPI 200": 1000.0, ("USD/KRW", "2026-12-21"): 1450.0}' in (
            page.read_text("utf-8")
        )
    with kis_nb.connect(demo=True) as client:
        balance = client.balance("80012345-03", mgna_dvsn="02")
    plain, given = kis_nb.risk(balance), kis_nb.risk(balance, forwards=prices)
    assert (given.level(), given.level_source()) == (1000.0, "given")
    assert plain.level() != 1000.0
    shares = set()
    for before, after in zip(plain.positions.to_dicts(), given.positions.to_dicts(), strict=True):
        if after["prdt_name"].split() == ["미국달러", "F", "202612"]:
            assert (after["forward"], after["forward_source"]) == (1450.0, "given")
            assert before["forward"] != 1450.0
        elif after["underlying"] == "KOSPI 200" and after["forward"] is not None:
            assert after["forward_source"] == "given"
            shares.add(round(after["forward"] / before["forward"], 9))
    assert len(shares) == 1
    assert not [line for line in given.summary_lines("en") if "not used" in line]


def test_products_know_the_day() -> None:
    """The last trading day is that of ``balance.products()``."""
    balance = make_balance([FUTURE, CALL])
    assert kis_nb.risk(balance).positions["expiry"].to_list() == (
        balance.products()["expiry"].to_list()
    )
