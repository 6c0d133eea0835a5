"""`kis_nb.risk` on books of known answers: linear, parity, bounded, at expiry, and the unpriced."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kis_nb
from kis_nb._chart_rows.legs import payoff_at_expiry
from kis_nb._frames.balance import Balance
from kis_nb._risk import notes
from kis_nb._risk.grid import SPOTS, VOLS
from kis_nb._risk.moments import end_of_trading, night_end
from kis_nb._risk.pricing import CALL, PUT, price
from kis_nb._seoul import KST
from tests.factories import make_balance, position

NOW = datetime(2026, 11, 25, 23, 15, 4, tzinfo=KST)
EXPIRY = date(2026, 12, 10)


def at(moment: datetime, rows: list[dict[str, Any]], **more: Any) -> Balance:
    """A balance of these rows at a moment."""
    return replace(make_balance(rows, **more), as_of=moment)


def option(
    kind: str,
    strike: str,
    premium: str,
    side: str = "long",
    qty: int = 1,
    cost: str | None = None,
    term: str = "202612",
) -> dict[str, Any]:
    """A position in a monthly option; the strike comes from the name."""
    code = f"{'B' if kind == 'C' else 'C'}01{term[3:]}{int(Decimal(strike)) % 1000:03d}"
    return position(code, f"{kind} {term} {strike}", side, qty, premium, cost or premium)


def future(side: str = "long", qty: int = 1, level: str = "1003.25") -> dict[str, Any]:
    """A position in the December future."""
    return position("A01612", "F 202612", side, qty, level, "1001.40")


def estimate(rows: list[dict[str, Any]], **more: Any) -> kis_nb.Risk:
    """The risk of a book, without any call."""
    return kis_nb.risk(at(NOW, rows), **more)


def test_a_book_of_one_future_is_linear_to_the_won() -> None:
    """Every scenario of a future is its price times the move, whatever volatility does."""
    risk = estimate([future("short", 4)])
    frame = risk.scenarios(at=["now", "night"])
    assert frame.height == 2 * len(SPOTS) * len(VOLS)
    # By the night's end the forward keeps its level: it is the reference itself.
    exact = [-4 * 250_000 * 1003.25 * spot for spot in frame["spot"]]
    assert frame["pnl"].to_list() == pytest.approx(exact, abs=0.5)
    assert risk.totals["delta_contracts"].to_list() == [-4]
    assert risk.totals["delta_won"].to_list() == pytest.approx([-4 * 250_000 * 10.0325])
    assert risk.positions.select("gamma_won", "vega_won", "theta_won").row(0) == (0, 0, 0)


LEVELS = st.floats(600, 1_500).map(lambda level: round(level, 2))
VOLATILITY = st.floats(0.05, 0.9)


def premium(kind: str, strike: float, forward: float, volatility: float, moment: datetime) -> str:
    """What the model asks for an option at a moment, as a price with eight decimals."""
    years = (end_of_trading("KOSPI 200", EXPIRY) - moment) / timedelta(days=365)
    side = CALL if kind == "C" else PUT
    return f"{price(side, strike, forward, volatility * math.sqrt(years), 1.0):.8f}"


@settings(deadline=None)
@given(LEVELS, VOLATILITY, st.integers(-40, 40))
def test_a_call_less_a_put_is_the_forward_in_every_scenario(
    level: float, volatility: float, steps: int
) -> None:
    """Put-call parity holds for the P&L too, whatever the strike."""
    strike = round(level / 2.5) * 2.5 + 2.5 * steps
    if not level * 0.85 < strike < level * 1.15:
        return
    rows = [
        option("C", f"{strike}", premium("C", strike, level, volatility, NOW), "long"),
        option("P", f"{strike}", premium("P", strike, level, volatility, NOW), "short"),
    ]
    risk = estimate(rows, forwards={EXPIRY: level, "KOSPI 200": level})
    if risk.left_out.height or risk.positions["note"].null_count() < 2:
        return  # eight decimals are too few for a volatility
    frame = risk.scenarios(at=["now", "night"])
    exact = [250_000 * level * spot for spot in frame["spot"]]
    assert frame["pnl"].to_list() == pytest.approx(exact, abs=2)


@settings(deadline=None)
@given(LEVELS, VOLATILITY)
def test_a_butterfly_stays_between_nothing_and_its_wing(level: float, volatility: float) -> None:
    """Its value is never below 0 and never above the distance of the strikes."""
    middle, wing = round(level / 2.5) * 2.5, 25.0
    legs = [(middle - wing, "long", 1), (middle, "short", 2), (middle + wing, "long", 1)]
    rows = [
        option("C", f"{strike}", premium("C", strike, level, volatility, NOW), side, qty)
        for strike, side, qty in legs
    ]
    risk = estimate(rows, forwards={EXPIRY: level, "KOSPI 200": level})
    if risk.left_out.height or risk.positions["note"].null_count() < 3:
        return
    curve = risk.scenarios()
    cost = sum(float(row["pchs_amt"]) * (1 if row["side"] == "long" else -1) for row in rows)
    worth = curve["pnl"] + cost
    assert worth.min() > -5  # type: ignore[operator]
    assert worth.max() < 250_000 * wing + 5  # type: ignore[operator]


BOOK = [
    future("short", 2),
    option("C", "1000.0", "15.55", "short", 7, "14.20"),
    option("C", "1015.0", "8.95", "long", 5),
    option("P", "990.0", "8.02", "short", 9, "7.50"),
    option("P", "975.0", "4.80", "long", 3),
    option("P", "1000.0", "11.40", "long", 2),
]


def test_at_expiry_the_curve_is_the_payoff_to_the_won() -> None:
    """`charts.payoff` works with exact amounts; the model settles at the same levels."""
    balance = at(NOW, BOOK)
    risk = kis_nb.risk(balance)
    payoff = payoff_at_expiry(balance, expiry=EXPIRY)
    curve = risk.curve(expiry=EXPIRY).filter(moment="expiry")
    assert curve.height == len(SPOTS)
    exact = [float(payoff.pnl(Decimal(str(level)))) for level in curve["level"]]
    assert curve["unrealized"].to_list() == pytest.approx(exact, abs=0.5)
    # Now, it is what KIS says.
    now = risk.curve().filter((pl.col("moment") == "now") & (pl.col("spot") == 0))
    assert now["unrealized"][0] == pytest.approx(
        float(balance.positions["evlu_pfls_amt"].sum()), abs=1
    )
    zeros = [
        float(level)
        for level in payoff.break_evens([Decimal(700), *payoff.strikes(), Decimal(1400)])
    ]
    assert risk.break_evens(expiry=EXPIRY) == pytest.approx(zeros, abs=1e-6)


def test_no_move_is_nothing_and_parts_are_the_whole() -> None:
    """P&L at zero shift is exactly 0; contributions add up to the scenario, Greeks to totals."""
    risk = estimate([*BOOK, option("C", "1010.0", "25.1", "short", 3, term="202701")])
    now = risk.scenarios(spot=0.0, vol=0.0, at="now")
    assert now["pnl"].to_list() == [0.0]
    level = risk.level()
    assert level is not None
    for spot, vol in ((-0.03, 0.2), (0.08, -0.3)):
        whole = risk.scenarios(spot=spot, vol=vol, at="night")["pnl"][0]
        parts = risk.contributions(level * (1 + spot), vol=vol, at="night")
        assert parts["pnl"].sum() == pytest.approx(whole, abs=0.01)
        assert parts["pnl"].is_sorted()
    one, totals = risk.positions, risk.totals
    assert totals["vega_won"].sum() == pytest.approx(one["vega_won"].sum())
    steps = one["delta_won"] * one["forward"] / 100
    assert totals["delta_won"].sum() == pytest.approx(steps.sum())
    # The delta is that of the scenarios.
    step = risk.scenarios(spot=[-1e-5, 1e-5], vol=0.0, at="now")["pnl"]
    assert (step[1] - step[0]) / 2e-5 / 100 == pytest.approx(totals["delta_won"].sum(), rel=1e-3)


def test_what_expires_before_is_settled_and_what_remains_is_priced() -> None:
    """At the first expiry its options are worth their intrinsic value, the later ones more."""
    rows = [
        option("C", "1000.0", "15.55", "long", 1),
        option("C", "1000.0", "29.3", "long", 1, term="202701"),
    ]
    risk = estimate(rows, forwards={"KOSPI 200": 1003.25})
    far = risk.expiries()[-1]
    # Nothing moves: the first is worth 3.25, and so is the second on its own last day.
    settled = risk.scenarios(spot=0.0, vol=0.0, at=far)["pnl"][0]
    assert settled == pytest.approx(250_000 * (3.25 - 15.55 + 3.25 - 29.3), abs=1)
    between = risk.scenarios(spot=0.0, vol=0.0, at=EXPIRY)["pnl"][0]
    assert settled < between < 250_000 * (3.25 - 15.55)
    assert risk.scenarios(spot=0.0, vol=[-0.3, 0.5], at=far)["pnl"].n_unique() == 1


def test_a_forward_settles_at_the_level() -> None:
    """A far future above the level loses its carry by its last day, and half of it half-way."""
    rows = [future(), position("A01703", "F 202703", "long", 1, "1009.10", "1009.10")]
    risk = estimate(rows)
    assert risk.level() == 1003.25
    far = risk.expiries()[-1]
    end = end_of_trading("KOSPI 200", far)
    both = risk.scenarios(spot=0.0, vol=0.0, at=[NOW + (end - NOW) / 2, end])["pnl"].to_list()
    assert both[1] == pytest.approx(250_000 * (1003.25 - 1009.10), abs=1)
    assert both[0] == pytest.approx(both[1] / 2, rel=0.01)


def test_forwards_come_from_the_best_source_there_is() -> None:
    """Given, quoted, held, by parity, the nearest future: each leg says from where."""
    quotes = quote_frame([("A05701", "미니F 202701", "1006.30", None)])
    rows = [
        future(),  # December is held
        option("C", "1000.0", "15.55"),
        option("C", "1000.0", "29.3", term="202701"),  # January is quoted
        option("C", "1000.0", "38.0", term="202702"),  # February by parity
        option("P", "1000.0", "30.5", term="202702"),
        option("C", "1000.0", "50.0", term="202704"),  # April has nothing of its own
        option("C", "1000.0", "60.0", term="202705"),
    ]
    # The second Thursday of May 2027 is Buddha's birthday: trading ends on the day before.
    given_may = {("KOSPI 200", "2027-05-12"): 1015.5}
    found = estimate(rows, quotes=quotes, forwards=given_may).positions
    assert found.select("forward", "forward_source").rows() == [
        (1003.25, "held future"),
        (1003.25, "held future"),
        (1006.30, "quote"),
        (1007.5, "parity"),
        (1007.5, "parity"),
        (1003.25, "nearest future"),
        (1015.5, "given"),
    ]
    # A quote of the same expiry goes before what is held, and decides the level.
    quoted = quote_frame([("A01612", "F 202612", "1004.00", None)])
    risk = estimate(rows[:2], quotes=quoted)
    assert risk.positions["forward_source"].to_list() == ["held future", "quote"]
    assert (risk.level(), risk.level_source()) == (1004.0, "quote")


def test_a_given_price_moves_every_forward_and_makes_nothing_of_no_move() -> None:
    """A level shifts all forwards by one share, a forward its own future too; P&L begins at 0."""
    rows = [future(), position("A01703", "F 202703", "long", 1, "1009.10", "1009.10")]
    plain = estimate(rows)
    for forwards in ({"KOSPI 200": 1103.575}, {"KOSPI 200": 902.925}):
        risk = estimate(rows, forwards=forwards)
        assert risk.positions["forward_source"].to_list() == ["given", "given"]
        share = next(iter(forwards.values())) / 1003.25
        assert risk.positions["forward"].to_list() == pytest.approx(
            [1003.25 * share, 1009.10 * share]
        )
        still = risk.scenarios(spot=0.0, vol=0.0, at=["now", "night", EXPIRY])["pnl"]
        # The carry of the far one, as without it.
        exact = plain.scenarios(spot=0.0, vol=0.0, at=["now", "night", EXPIRY])["pnl"] * share
        assert still.to_list() == pytest.approx(exact.to_list(), abs=1)
    one = estimate([future()], forwards={EXPIRY: 1100.0})
    assert one.scenarios(spot=0.0, vol=0.0)["pnl"].to_list() == [0.0, 0.0, 0.0]
    assert one.summary_lines("en") == []
    unused = estimate([future()], forwards={"KOSDAQ 150": 1500.0}).summary_lines("en")
    assert "KOSDAQ 150" in unused[0]


def test_totals_count_every_position_that_is_held() -> None:
    """One of an unknown product has a row without an underlying."""
    totals = estimate([future(), position("Z99X", "?", "long", 1, "5", "5")]).totals
    assert totals["left_out"].sum() == 1
    assert totals.filter(pl.col("underlying").is_null())["left_out"].to_list() == [1]


def quote_frame(rows: list[tuple[str, str, str | None, dict[str, str] | None]]) -> pl.DataFrame:
    """A frame as `Client.quotes` gives it: code, name, price, and an option's Greeks."""
    greeks = ("delta", "gamma", "theta", "vega", "implied_volatility")
    made = []
    for code, name, last, own in rows:
        values: dict[str, Any] = dict.fromkeys(greeks) | {"strike": None}
        if own is not None:
            values |= {key: Decimal(value) for key, value in own.items()}
        made.append(
            {
                "shtn_pdno": code,
                "name": name,
                "as_of": NOW,
                "price": None if last is None else Decimal(last),
                **values,
            }
        )
    schema: dict[str, Any] = {
        "shtn_pdno": pl.String,
        "name": pl.String,
        "as_of": pl.Datetime("us", "Asia/Seoul"),
        **dict.fromkeys(("price", "strike", *greeks), pl.Decimal(23, 8)),
    }
    return pl.DataFrame(made, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("sent", "unit", "fraction"),
    [("0.1852", "fraction", 0.1852), ("18.52", "per cent", 0.1852), ("0.0", None, None),
     ("9000", None, None)],
)  # fmt: skip
def test_kis_volatility_is_measured_against_our_own(
    sent: str, unit: str | None, fraction: float | None
) -> None:
    """Its unit differs between sources; what agrees with neither unit is not shown."""
    kis = {"strike": "1000", "delta": "0.5612", "gamma": "0.0117", "theta": "-0.53",
           "vega": "0.72", "implied_volatility": sent}  # fmt: skip
    rows = [future(), option("C", "1000.0", "15.55")]
    risk = estimate(rows, quotes=quote_frame([(rows[1]["shtn_pdno"], "C", "15.55", kis)]))
    row = risk.positions.row(1, named=True)
    assert risk.kis_volatility_unit == unit
    assert row["kis_implied_volatility"] == (None if fraction is None else pytest.approx(fraction))
    assert (row["kis_delta"], row["kis_gamma"], row["kis_vega"]) == (0.5612, 0.0117, 0.72)
    assert risk.positions.row(0, named=True)["kis_delta"] is None


ODD: list[tuple[str, dict[str, Any], str | None]] = [
    ("no price", option("C", "1000.0", "0"), notes.NO_PRICE),
    ("null price", position("B01612000", "C 202612 1000.0", "long", 1, None, None), notes.NO_PRICE),
    ("below intrinsic", option("C", "900.0", "103.2"), notes.BELOW_INTRINSIC),
    ("at intrinsic", option("P", "1103.25", "100.0"), notes.NO_TIME_VALUE),
    ("above bound", option("C", "1000.0", "1003.25"), notes.ABOVE_BOUND),
    ("deep in", option("C", "300.0", "703.26"), None),
    ("deep out", option("C", "1500.0", "0.01"), None),
    ("far out", option("P", "300.0", "0.01"), None),
    ("expired", option("C", "1000.0", "3.25", term="202611"), notes.EXPIRED),
    ("unknown", position("Z99X", "?", "long", 1, "5", "5"), notes.UNKNOWN_PRODUCT),
    ("no side", option("C", "1000.0", "15.55", None), notes.UNKNOWN_SIDE),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("row", "note"), [one[1:] for one in ODD], ids=[one[0] for one in ODD])
def test_what_cannot_be_priced_is_named_and_counted(row: dict[str, Any], note: str | None) -> None:
    """Never NaN, infinity or an exception; left out where it has no value, else priced."""
    risk = estimate([future(), row])
    own = risk.positions.row(1, named=True)
    assert own["note"] == note
    for frame in (risk.positions, risk.totals, risk.scenarios(), risk.curve()):
        floats = frame.select(pl.selectors.float())
        assert (
            floats.select((pl.all().is_finite() | pl.all().is_null()).all()).row(0).count(False)
            == 0
        )
    left_out = note in notes.LEFT_OUT
    assert risk.left_out["note"].to_list() == ([note] if left_out else [])
    assert (own["delta"] is None) == left_out
    alone = estimate([future()]).scenarios()["pnl"]
    assert risk.scenarios()["pnl"].equals(alone) == left_out
    assert len(risk.summary_lines("en")) == (note is not None)


def test_one_minute_to_expiry_is_priced() -> None:
    """The last minute is a time like any other; at the end it is past expiry."""
    end = end_of_trading("KOSPI 200", EXPIRY)
    rows = [future(), option("C", "1002.5", "0.80")]
    last = kis_nb.risk(at(end - timedelta(minutes=1), rows))
    assert last.positions["note"].to_list() == [None, None]
    assert 0.5 < last.positions["delta"][1] < 1
    over = kis_nb.risk(at(end, rows))
    assert over.positions["note"].to_list() == [notes.EXPIRED, notes.EXPIRED]
    assert over.underlyings == ()
    assert over.answers("en")[0] == "No position is priced"


def test_nothing_held_is_no_error() -> None:
    """An empty account, and one of closed positions, has empty frames and says so."""
    for rows in ([], [option("C", "1000.0", "15.55", "flat", 0)]):
        risk = estimate(rows)
        assert risk.underlyings == ()
        assert risk.level() is None
        assert risk.scenarios().is_empty()
        assert risk.curve().is_empty()
        assert risk.margin_call().is_empty()
        assert risk.contributions(1_000.0).is_empty()
        assert risk.break_evens() == []
        assert risk.positions.height == len(rows)
        assert "No position is priced" in risk._repr_html_()


def test_an_option_without_any_forward_says_so() -> None:
    """Neither a future nor a pair is held, and nothing is asked."""
    risk = estimate([option("C", "1000.0", "15.55")])
    assert risk.left_out["note"].to_list() == [notes.NO_FORWARD]
    assert estimate(
        [option("C", "1000.0", "15.55")], forwards={"KOSPI 200": 1003}
    ).left_out.is_empty()


def test_a_scenario_moves_one_underlying() -> None:
    """The largest is the main one; the others stay, and can be asked for."""
    rows = [
        future(),
        position("A06612", "코스닥150F 202612", "long", 3, "1445.70", "1440.00", 10_000),
        position("A75612", "미국달러 F 202612", "short", 2, "1449.0", "1450.0", 10_000),
    ]
    risk = estimate(rows)
    assert risk.underlyings == ("KOSPI 200", "KOSDAQ 150", "USD/KRW")
    step = risk.scenarios(spot=0.01, vol=0.0, at="now")
    assert step["pnl"][0] == pytest.approx(250_000 * 10.0325)
    dollar = risk.scenarios(spot=0.01, vol=0.0, at="now", underlying="USD/KRW")
    assert dollar.select("level", "pnl").row(0) == pytest.approx((1463.49, -2 * 10_000 * 14.49))
    assert "3 underlyings" not in repr(risk)
    with pytest.raises(ValueError, match="underlying"):
        risk.scenarios(underlying="Nikkei")


def test_a_calendar_spread_moves_by_its_price() -> None:
    """Its two forwards move alike, so the difference does too, whatever its sign."""
    rows = [future(), position("D0161201", "SP 2612-2703", "short", 2, "5.85", "5.80")]
    risk = estimate(rows)
    assert risk.left_out.is_empty()
    pnl = risk.contributions(1003.25 * 1.1).filter(pl.col("prdt_name").str.starts_with("SP"))[
        "pnl"
    ][0]
    assert pnl == pytest.approx(-2 * 250_000 * 0.585)
    assert risk.totals["expiry"].to_list() == [EXPIRY, None]


def test_moments_are_those_of_the_exchange() -> None:
    """Trading ends at 15:20, the dollar at 11:30; a night ends at 06:00, none before a holiday."""
    assert end_of_trading("KOSPI 200", EXPIRY) == datetime(2026, 12, 10, 15, 20, tzinfo=KST)
    assert end_of_trading("USD/KRW", EXPIRY) == datetime(2026, 12, 10, 11, 30, tzinfo=KST)
    nights = {
        datetime(2026, 11, 25, 23, 15, tzinfo=KST): datetime(2026, 11, 26, 6, tzinfo=KST),
        datetime(2026, 11, 26, 5, 59, tzinfo=KST): datetime(2026, 11, 26, 6, tzinfo=KST),
        datetime(2026, 11, 26, 6, 0, tzinfo=KST): datetime(2026, 11, 27, 6, tzinfo=KST),
        # Friday's night ends on Saturday; on Saturday the next one is Monday's.
        datetime(2026, 11, 27, 19, 0, tzinfo=KST): datetime(2026, 11, 28, 6, tzinfo=KST),
        datetime(2026, 11, 28, 12, 0, tzinfo=KST): datetime(2026, 12, 1, 6, tzinfo=KST),
        # No night on the evening of 25 December.
        datetime(2026, 12, 25, 12, 0, tzinfo=KST): datetime(2026, 12, 29, 6, tzinfo=KST),
    }
    for moment, end in nights.items():
        assert night_end(moment) == end, moment
    frame = estimate(BOOK).scenarios()
    assert frame["at"].unique().sort().to_list() == [
        NOW, night_end(NOW), end_of_trading("KOSPI 200", EXPIRY)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda risk: risk.scenarios(spot=-1.0), "spot"),
        (lambda risk: risk.scenarios(spot=float("nan")), "spot"),
        (lambda risk: risk.scenarios(spot=[]), "spot"),
        (lambda risk: risk.scenarios(vol=-1.5), "vol"),
        (lambda risk: risk.scenarios(vol="high"), "vol"),
        (lambda risk: risk.scenarios(at="tomorrow"), "at takes"),
        (lambda risk: risk.scenarios(at="2026-11-20"), "at takes"),
        (lambda risk: risk.scenarios(at=5), "at takes"),
        (lambda risk: risk.scenarios(at="2026-11-29"), "closed"),
        (lambda risk: risk.scenarios(at=[]), "at takes"),
        (lambda risk: risk.contributions(1_000, at=["now", "night"]), "at takes"),
        (lambda risk: risk.curve(expiry="2026-12-11"), "2026-12-10"),
        (lambda risk: risk.contributions(-5), "level"),
        (lambda risk: risk.contributions(float("inf")), "level"),
        (lambda risk: risk.answers("fr"), "lang"),
    ],
)
def test_wrong_arguments_are_refused_in_words(call: Any, words: str) -> None:
    """Each message names the argument and what it takes."""
    with pytest.raises(ValueError, match=words):
        call(estimate(BOOK))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"rate": "2.5%"}, "rate"),
        ({"rate": 2.5}, "rate"),
        ({"forwards": {"KOSPI": 1000}}, "forwards"),
        ({"forwards": {"2026-12-10": -1}}, "forwards"),
        ({"forwards": {("KOSPI 200", "soon"): 1000}}, "forwards"),
        ({"forwards": {EXPIRY: "1000"}}, "forwards"),
    ],
)
def test_wrong_inputs_are_refused_in_words(more: dict[str, Any], words: str) -> None:
    """Rates and forwards are checked before anything is priced."""
    with pytest.raises(ValueError, match=words):
        estimate(BOOK, **more)


def test_balances_of_two_accounts_are_refused() -> None:
    """And none at all; the accounts are not named."""
    two = kis_nb.Balances([make_balance(), make_balance(account="70045678-03")])
    for given_balances in (two, kis_nb.Balances([])):
        with pytest.raises(ValueError, match="one account") as refused:
            kis_nb.risk(given_balances)
        assert "80012345" not in str(refused.value)


def test_a_rate_discounts_premiums() -> None:
    """With interest, the same premium implies a higher volatility, and parity is discounted."""
    rows = [
        option("C", "1000.0", "38.0", term="202702"),
        option("P", "1000.0", "30.5", term="202702"),
    ]
    flat, dear = estimate(rows), estimate(rows, rate=0.03)
    years = flat._book.lines[0].leg.years
    forward = dear.positions["forward"][0]
    assert forward == pytest.approx(1000 + 7.5 * math.exp(0.03 * years))
    assert dear.positions["implied_volatility"][0] > flat.positions["implied_volatility"][0]
    assert dear.scenarios(spot=0.0, vol=0.0, at="now")["pnl"].to_list() == [0.0]
