"""Several accounts together: equity, P&L, a move of the index, and the sentences on top."""

from __future__ import annotations

import decimal
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis_nb import charts
from kis_nb._account import Account
from kis_nb._errors import TransportError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.equity import equity
from kis_nb._frames.failure import Failure
from kis_nb._frames.text import exact
from kis_nb._widgets.vega_spec import split
from tests.factories import book, make_balance, position

FUNDS: dict[str, Any] = {"prsm_dpast": 1000, "prsm_dpast_amt": 900}
OTHER = "70012345-03"


def both(rows: Sequence[dict[str, Any]] = (), upkeep: int = 400, **more: Any) -> list[Balance]:
    """An account pulled with MGNA_DVSN 01 and 02; the initial margin is twice the other."""
    funds = FUNDS | more
    return [
        make_balance(list(rows), mgna_tota=2 * upkeep, **funds),
        make_balance(list(rows), mgna_dvsn="02", mgna_tota=upkeep, **funds),
    ]


def test_equity_is_that_of_card_and_chart() -> None:
    """Each figure is the one of `kis_nb._frames.equity`, and the margin chart writes the same."""
    pulls = both(book(20), upkeep=2_161_619_851, prsm_dpast=5_651_426_644, prsm_dpast_amt=None)
    (row,) = Balances(pulls).equity().rows(named=True)
    own = equity(pulls[0], pulls)
    for name in ("reported_equity", "current_equity", "source", "maintenance_margin"):
        assert row[name] == getattr(own, name) is not None
    assert (row["excess_margin"], row["excess_margin_now"]) == (
        own.excess_margin,
        own.excess_margin_now,
    )
    assert row["initial_margin"] == 2 * 2_161_619_851
    percent = 100 * row["current_equity"] / row["maintenance_margin"]
    assert abs(row["equity_percent"] - percent) <= Decimal("0.005")
    (rows,) = split(charts.margin(*pulls).to_dict())[1].values()
    drawn = {each["amount"] for each in rows}
    assert {exact(row["excess_margin"]), exact(row["excess_margin_now"])} <= drawn


def test_the_tightest_account_comes_first() -> None:
    """A margin call before all, then the least equity for the margin, then what is not known."""
    unknown = make_balance(account="60012345-03", **FUNDS)
    called = both(account=OTHER, add_mgna_tota=5)
    tight, easy = both(account="50012345-03", upkeep=800), both()
    frame = Balances([unknown, *easy, *tight, *called]).equity()
    assert [label[:3] for label in frame["account"]] == ["700", "500", "800", "600"]
    assert frame["margin_call"].to_list() == [5, 0, 0, 0]
    assert frame["equity_percent"].to_list()[1:] == [Decimal("112.50"), Decimal("225.00"), None]


def test_what_is_not_known_is_null() -> None:
    """Without a pull with MGNA_DVSN 02 there is no excess margin, and a null equity is no 0."""
    frame = Balances(
        [make_balance([], prsm_dpast=None, prsm_dpast_amt=None, add_mgna_tota=None)]
    ).equity()
    (row,) = frame.rows(named=True)
    known = {name for name, value in row.items() if value is not None}
    assert known == {"account", "as_of", "initial_margin", "initial_as_of"}
    assert Balances([]).equity().schema == frame.schema


def test_a_margin_of_another_moment_is_marked() -> None:
    """Each margin has its own time, and the headline says when the maintenance margin is old."""
    initial, upkeep = both()
    late = replace(initial, as_of=initial.as_of + timedelta(seconds=6))
    pulls = Balances([late, upkeep])
    (row,) = pulls.equity().rows(named=True)
    assert (row["as_of"], row["margin_as_of"]) == (late.as_of, upkeep.as_of)
    assert row["initial_as_of"] == late.as_of
    assert "(margin of 23:15:04)" in str(pulls.headline("en"))
    for fresh in ([initial, upkeep], [earlier(initial, minutes=90), upkeep]):
        assert "margin of" not in str(Balances(fresh).headline("en"))


def earlier(balance: Balance, **ago: int) -> Balance:
    """The balance as if it had been pulled earlier."""
    return replace(balance, as_of=balance.as_of - timedelta(**ago))


def test_positions_are_of_the_latest_moment() -> None:
    """A pull with 01 comes before one with 02 within five seconds alone, in P&L and in the move of
    the index, and both charts name the time of the pull that they show.
    """
    old, new = both([position(price="100", cost="50")])[0], both([position()])[1]
    for ago, chosen in ((6, new), (5, old)):
        pulls = Balances([earlier(old, seconds=ago), new])
        expected = chosen.positions["evlu_pfls_amt"].item()
        assert pulls.pnl("account")["unrealized"].item() == expected
        stress = pulls.index_stress([10])
        assert stress["pnl_held"].item() == chosen.positions["evlu_amt"].item() / 10
        at = pulls[0 if chosen is old else 1].as_of
        assert stress["as_of"].item() == at
        for chart in (charts.pnl(pulls, by="product"), charts.index_stress(pulls)):
            assert f"{at:%H:%M:%S}" in heading(chart)


def heading(chart: Any) -> str:
    """The line over a chart."""
    (rows,) = split(chart.to_dict())[1].values()
    text: str = rows[0]["head"]
    return text


def test_a_move_is_added_to_the_excess_margin_of_its_moment() -> None:
    """Positions of an earlier pull stand beside the equity of that pull, and an old margin is named
    in the chart's heading.
    """
    settled, bought = both([position()])[0], both([position()], excc_stat_cd="2")[1]
    settled = earlier(settled, minutes=30)
    before = replace(settled, summary=make_balance(prsm_dpast=700, prsm_dpast_amt=600).summary)
    pulls = Balances([before, bought])
    assert pulls.equity()["excess_margin_now"].item() == 500
    (row,) = pulls.index_stress([0]).rows(named=True)
    assert (row["as_of"], row["excess_held"]) == (before.as_of, 200)
    head = heading(charts.index_stress(pulls, lang="en"))
    assert "22:45:04" in head
    assert "margin of 23:15:04" in head


def test_several_moments_are_named_first_to_last() -> None:
    """Over the P&L of several accounts and in the headline."""
    pulls = Balances([*both(book(3)), *(earlier(one, minutes=30) for one in both(account=OTHER))])
    span = "2026-11-22 22:45:04 – 23:15:04 KST"
    assert span in heading(charts.pnl(pulls, by="product"))
    assert str(pulls.headline()).splitlines()[0] == f"2개 계좌 · {span}"
    yesterday = Balances([pulls[0], earlier(pulls[2], hours=23)])
    assert "2026-11-21 23:45:04 – 2026-11-22 23:15:04 KST" in str(yesterday.headline())


def test_an_old_margin_call_is_none_of_this_moment() -> None:
    """A call counts from pulls of the moment that is shown, in frame, headline and margin chart; an
    unsent one is not known.
    """
    old, new = both(add_mgna_tota=5_000)
    for sent in (0, None):
        quiet = replace(new, summary=make_balance(add_mgna_tota=sent, **FUNDS).summary)
        pulls = Balances([earlier(old, seconds=6), quiet])
        assert pulls.equity()["margin_call"].to_list() == [sent]
        assert "5,000" not in str(pulls.headline("en"))
        drawn = str(split(charts.margin(pulls, lang="en").to_dict())[1])
        assert "5,000" not in drawn
        assert "Initial 01 (23:14:58)" in drawn
        assert Balances([earlier(old, seconds=5), quiet]).equity()["margin_call"].item() == 5_000


def test_the_latest_maintenance_margin_is_taken() -> None:
    """Of the same basis first, of these the latest, wherever it stands."""
    initial, upkeep = both()
    other = make_balance([], mgna_dvsn="02", excc_stat_cd="2", mgna_tota=850, **FUNDS)
    later = make_balance([], mgna_dvsn="02", mgna_tota=600, **FUNDS)
    pulls = [earlier(upkeep, hours=2), initial, earlier(later, seconds=8), earlier(other, hours=1)]
    for order in (pulls, pulls[::-1]):
        (row,) = Balances(order).equity().rows(named=True)
        assert (row["maintenance_margin"], row["margin_as_of"]) == (600, pulls[2].as_of)


def test_figures_at_settlement_say_so() -> None:
    """Without the equity of this moment, in the headline and over the move of the index."""
    pulls = Balances(both([position()], prsm_dpast_amt=None, futr_evlu_pfls_amt=None))
    assert "Excess margin at settlement 600 KRW, equity at settlement 250.00% of" in str(
        pulls.headline("en")
    )
    assert "여유증거금 (정산 기준) 600원, 자산 (정산 기준)이 유지증거금의 250.00%" in str(
        pulls.headline()
    )
    assert "equity at settlement" in heading(charts.index_stress(pulls, lang="en"))
    known = Balances(both([position()]))
    assert "at settlement" not in heading(charts.index_stress(known, lang="en"))


def test_pnl_by_product_names_the_accounts_it_leaves_out() -> None:
    """An account without a pull on the basis shown is not counted, and is named."""
    pulls = Balances(
        [
            make_balance(),
            *(make_balance(account=f"{first}0012345-03", excc_stat_cd="2") for first in (5, 6, 7)),
        ]
    )
    two = heading(charts.pnl(pulls[:3], by="product", lang="en"))
    assert two.startswith("800*****-03 · Settlement 1 · without 500*****-03, 600*****-03 · 2026")
    three = heading(charts.pnl(pulls, by="product", lang="en"))
    assert "without 500*****-03, 600*****-03 and 1 more · " in three


def test_a_label_means_one_account_everywhere() -> None:
    """Frames, `of`, headline, repr, charts and slices count accounts with one mask in the order
    that they were given, whichever of them were pulled or failed.
    """
    first, second = Account.parse("80012345-03"), Account.parse("80099999-03")
    views = both(book(3), account="80099999-03")
    failure = Failure(first, views[0].mgna_dvsn, views[0].excc_stat_cd, TransportError("down"))
    label = "800*****-03 (2)"
    for pulls in (
        Balances(views, [failure], [first, second]),
        Balances(views, accounts=[first, second]),
        Balances(views, [failure], [first, second])[:],
    ):
        frames = (pulls.positions, pulls.summary, pulls.reconcile(), pulls.equity())
        for frame in (*frames, pulls.pnl("account"), pulls.index_stress()):
            assert frame["account"].unique().to_list() == [label]
        assert list(pulls.of(label)) == views
        assert pulls.of(label).labels == pulls.labels
        assert repr(pulls).count(label) == 2
        assert str(pulls.headline()).startswith(label)
        for line in str(pulls.headline("en")).splitlines():
            assert not line.startswith("⚠ Not pulled: ") or "pulled: 800*****-03 M" in line
        for chart in (
            charts.pnl(pulls, by="product"),
            charts.pnl(pulls[:1]),
            charts.index_stress(pulls, account=label),
            charts.margin(pulls.of(label)),
        ):
            assert heading(chart).startswith(label)
    alone = Balances(views, [failure])
    assert (alone.labels[second], alone.labels[first]) == ("800*****-03", label)
    assert f"⚠ Not pulled: {label} M" in str(alone.headline("en"))
    assert f"<failed {label} M" in repr(alone)


def test_an_account_without_a_pull_is_refused_without_its_number() -> None:
    """The message lists those that were pulled."""
    with pytest.raises(ValueError, match="no pull is of this account; there are pulls of 800") as e:
        Balances(both(), accounts=[Account.parse(OTHER)]).of("12345678-03")
    assert "123" not in str(e.value)
    with pytest.raises(ValueError, match="no pull is of this account"):
        Balances(both(), accounts=[Account.parse(OTHER)]).of("700*****-03")


def test_an_excess_margin_below_0_comes_before_what_is_above() -> None:
    """Also without a maintenance margin to measure it against, and after a margin call."""
    short = make_balance([], account=OTHER, mgna_dvsn="02", prsm_dpast=-5, prsm_dpast_amt=-5)
    called = both(account="60012345-03", add_mgna_tota=5)
    below = both(account="50012345-03", upkeep=1000)
    frame = Balances([*both(), *below, short, *called]).equity()
    assert [label[:3] for label in frame["account"]] == ["600", "700", "500", "800"]


def test_a_percentage_is_rounded_down() -> None:
    """Equity that is short of a limit stays below it when written."""
    for equity_now, percent in ((99_996_000, "99.99"), (129_996_000, "129.99"), (-1, "-0.01")):
        one = make_balance(
            [], mgna_dvsn="02", mgna_tota=100_000_000, prsm_dpast=0, prsm_dpast_amt=equity_now
        )
        assert Balances([one]).equity()["equity_percent"].item() == Decimal(percent)


def test_each_position_is_counted_once() -> None:
    """Four views of one account and two of another: every sum is that of one view of each, and the
    basis chooses which.
    """
    views = [
        make_balance(
            [position(evlu_pfls_amt=Decimal(100 if basis == "1" else 7)), position("A01703")],
            mgna_dvsn=margin,
            excc_stat_cd=basis,
        )
        for margin in ("01", "02")
        for basis in ("1", "2")
    ]
    pulls = Balances([*views, *both(book(9), account=OTHER)])
    expected = sum(
        (Decimal(one.positions["evlu_pfls_amt"].sum()) for one in (views[0], pulls[-1])), Decimal(0)
    )
    for by in ("product", "position", "account"):
        frame = pulls.pnl(by)
        assert frame["unrealized"].sum() == frame["total"].sum() == expected
        assert frame["positions"].sum() == 11
        sizes = [abs(total) for total in frame["total"]]
        assert sizes == sorted(sizes, reverse=True)
    on_fills = pulls.pnl("account", excc_stat_cd=2)
    assert on_fills["account"].to_list() == ["800*****-03"]
    assert on_fills["unrealized"].item() == views[1].positions["evlu_pfls_amt"].sum()
    with pytest.raises(ValueError, match="MGNA_DVSN=01 EXCC_STAT_CD=2"):
        Balances(views[3:]).pnl(mgna_dvsn="01", excc_stat_cd="2")
    with pytest.raises(ValueError, match="by takes one of 'product'"):
        pulls.pnl("kind")  # type: ignore[arg-type]
    assert Balances([]).pnl("position").height == 0


def test_no_price_is_no_profit() -> None:
    """A position without a price counts, its zeros do not; a null makes a sum null."""
    none = position("A01703", "F 202703", price="0", evlu_pfls_amt=Decimal(0))
    none |= {"evlu_amt": Decimal(0), "trad_pfls_amt": Decimal(5)}
    pulls = Balances([make_balance([position(), none])])
    (group,) = pulls.pnl().rows(named=True)
    assert (group["positions"], group["contracts"], group["unpriced"]) == (2, 6, 1)
    assert group["total"] == group["unrealized"] + 5 == Decimal(-1_237_500) + 5
    last = pulls.pnl("position").row(-1, named=True)
    assert (last["market_value"], last["unrealized"], last["total"]) == (None, None, None)
    assert last["realized"] == 5
    nulls = Balances([make_balance([position(), position(evlu_pfls_amt=None)])]).pnl()
    assert nulls["unrealized"].to_list() == [None]


def test_twins_are_two_positions_and_two_accounts() -> None:
    """Rows of one name stay apart, and so do accounts whose masks are alike."""
    pulls = Balances([make_balance([position(), position()]), make_balance(account="80099999-03")])
    assert sorted(pulls.pnl("position")["account"]) == [*["800*****-03"] * 2, "800*****-03 (2)"]
    assert pulls.pnl("account")["positions"].to_list() == [2, 1]
    assert pulls.of("800*****-03 (2)")[0].account == "80099999-03"
    assert len(pulls.of("80012345-03")) == 1
    with pytest.raises(ValueError, match="8 digits"):
        pulls.of("900*****-03")


@given(
    quantity=st.integers(1, 500),
    ticks=st.integers(1, 60_000),
    side=st.sampled_from(["long", "short"]),
    moves=st.lists(st.integers(-100, 100), min_size=1, unique=True),
)
def test_a_future_is_linear_to_the_won(
    quantity: int, ticks: int, side: str, moves: list[int]
) -> None:
    """A book of one future gains its market value times the move, in both columns, and the excess
    margin moves by as much.
    """
    price = Decimal(ticks) * Decimal("0.05")
    held = position(side=side, qty=quantity, price=str(price))
    frame = Balances(both([held])).index_stress(moves)
    value = held["evlu_amt"] * (1 if side == "long" else -1)
    expected = [value * move / 100 for move in moves]
    assert frame["pnl_held"].to_list() == frame["pnl_worst"].to_list() == expected
    assert frame["excess_held"].to_list() == [500 + gain for gain in expected]
    assert frame["index_level"].to_list() == [
        (price * (100 + move) / 100).quantize(Decimal("0.01")) for move in moves
    ]


@given(
    legs=st.lists(
        st.tuples(
            st.sampled_from("BC"),
            st.sampled_from(["long", "short"]),
            st.integers(1, 20),
            st.integers(200, 240),
            st.integers(-3000, 2000),
        ),
        min_size=1,
        max_size=6,
    ),
    move=st.integers(-1000, 1000),
)
def test_worst_is_a_lower_bound(legs: list[tuple[str, str, int, int, int]], move: int) -> None:
    """`worst` is never above `held`, also of options below their intrinsic value, and a bought
    option loses no more than its premium in either.
    """
    index = Decimal(550)
    rows = [position("A01612", price=str(index), side="long", qty=1)]
    for kind, side, quantity, step, time_value in legs:
        strike = Decimal("2.5") * step
        inside = max((index - strike) * (1 if kind == "B" else -1), Decimal(0))
        name = f"{'C' if kind == 'B' else 'P'} 202612 {strike}"
        price = max(inside + Decimal(time_value) / 100, Decimal("0.01"))
        rows.append(position(f"{kind}01612{int(strike):03d}", name, side, quantity, str(price)))
    (row,) = Balances(both(rows)).index_stress([Decimal(move) / 10]).rows(named=True)
    assert row["left_out"] == []
    assert row["pnl_worst"] <= row["pnl_held"]
    bought = [each for each in rows[1:] if each["side"] == "long"]
    (alone,) = (
        Balances(both([rows[0], *bought])).index_stress([Decimal(move) / 10]).rows(named=True)
    )
    future = rows[0]["evlu_amt"] * move / 1000
    assert alone["pnl_held"] >= alone["pnl_worst"]
    assert alone["pnl_worst"] - future >= -sum(each["evlu_amt"] for each in bought)


def reference(rows: list[dict[str, Any]], index: Decimal, x: Decimal) -> tuple[Decimal, Decimal]:
    """The formulas that the template margin_monitor spelled out before the package had them; an
    option's price now falls to 0 at most.
    """
    sums = [Decimal(0), Decimal(0)]
    for row in rows:
        sign, value = {"long": 1, "short": -1}[row["side"]], row["evlu_amt"]
        if row["underlying"] != "KOSPI 200" or not row["idx_clpr"]:
            continue
        if row["kind"] == "future":
            sums = [each + sign * value * x for each in sums]
            continue
        up = 1 if row["kind"] == "call" else -1
        size = value / row["idx_clpr"]
        before = max(up * (index - row["strike"]), Decimal(0))
        after = max(up * (index * (1 + x) - row["strike"]), Decimal(0))
        sums[0] += sign * size * max(after - before, -row["idx_clpr"])
        if sign * up * x < 0:
            most = abs(index * x)
            sums[1] -= size * (min(most, row["idx_clpr"]) if sign > 0 else most)
    return sums[0].quantize(Decimal(1)), sums[1].quantize(Decimal(1))


def test_the_moves_are_those_of_the_old_template() -> None:
    """Futures, options and other underlyings, two accounts, one index for both."""
    options_only = [row for row in book(60) if row["shtn_pdno"][0] in "BC"]
    pulls = Balances([*both(book(60)), *both(options_only, account=OTHER)])
    frame = pulls.index_stress()
    for pull, label in ((pulls[0], "800*****-03"), (pulls[2], "700*****-03")):
        rows = [
            row | product
            for row, product in zip(
                pull.positions.to_dicts(), pull.products().to_dicts(), strict=True
            )
        ]
        for row in frame.filter(account=label).rows(named=True):
            with decimal.localcontext(prec=60):
                expected = reference(rows, Decimal("571.35"), row["index_move"] / 100)
            assert (row["pnl_held"], row["pnl_worst"]) == expected
            assert row["excess_worst"] == 500 + expected[1]
    left = frame.filter(account="800*****-03")["left_out"][0].to_list()
    assert left == ["코스닥150 F 202612", "미국달러 F 202612"]


def test_a_move_leaves_out_what_is_not_known() -> None:
    """Without an index no option moves, without a price nothing does; without an excess margin the
    P&L is still known.
    """
    call = position("B01612570", "C 202612 570.0", "long", 1, "6.00")
    none = position("A01703", "F 202703", price="0", evlu_amt=Decimal(0))
    odd = position("A01706", "F 202706", side=None)
    closed = position("A01709", "F 202709", "flat", 0)
    (row,) = (
        Balances([make_balance([call, none, odd, closed])]).index_stress(["-2.5"]).rows(named=True)
    )
    assert sorted(row["left_out"]) == ["C 202612 570.0", "F 202703", "F 202706"]
    assert (row["pnl_held"], row["index_level"], row["excess_held"]) == (0, None, None)
    known = Balances([make_balance([position()])]).index_stress([10])
    assert known["pnl_held"].to_list() == [Decimal(23_058_750)]
    for move in ("x", "NaN", "Infinity", "0.00001", -101, "1e50"):
        with pytest.raises(ValueError, match="moves takes numbers in per cent"):
            Balances(both()).index_stress([move])


def test_reconcile_stacks_the_checks_of_every_pull() -> None:
    """Each row says which pull it is of."""
    pulls = Balances(both(book(3)))
    frame = pulls.reconcile()
    for pull in pulls:
        mine = frame.filter(mgna_dvsn=pull.mgna_dvsn.value)
        assert mine.select(pull.reconcile().columns).equals(pull.reconcile())
    assert frame["account"].unique().to_list() == ["800*****-03"]
    assert Balances([]).reconcile().schema == frame.schema


def test_the_headline_of_one_account() -> None:
    """When, no call, how far equity moved, what is left, and what differs."""
    pulls = Balances([replace(one, demo=True) for one in both(tot_dncl_amt=7)])
    assert str(pulls.headline("en")).splitlines() == [
        "800*****-03 · 2026-11-22 23:15:04 KST · DEMO",
        "No margin call.",
        "Equity since settlement 1,000 → 900 KRW (▼ -100 KRW).",
        "Excess margin 500 KRW, equity 225.00% of the maintenance margin.",
        "Of 30 checks 4 differ.",
    ]
    assert str(pulls.headline()).splitlines()[2:4] == [
        "정산 이후 자산 1,000원 → 900원 (▼ -100원).",
        "여유증거금 500원, 자산이 유지증거금의 225.00%.",
    ]


def test_the_headline_of_several_accounts_names_calls_and_failures() -> None:
    """Sums say what they lack; a failed pull is named with its error, and HTML in it is escaped."""
    called = both(account=OTHER, upkeep=1200, add_mgna_tota=1500)
    unknown = make_balance([], account="60012345-03", prsm_dpast=None, prsm_dpast_amt=None)
    error = TransportError("no <answer>")
    failure = Failure(unknown.account, unknown.mgna_dvsn, unknown.excc_stat_cd, error)
    headline = Balances([*both(), *called, unknown], [failure]).headline("en")
    lines = str(headline).splitlines()
    assert lines[0] == "3 accounts · 2026-11-22 23:15:04 KST"
    assert lines[1] == "⚠ Margin call: 700*****-03 1,500 KRW."
    assert lines[2].endswith(
        "2,000 → 1,800 KRW (▼ -200 KRW). Without 1 account that KIS does not tell."
    )
    assert lines[3].startswith("The tightest account, 700*****-03: excess margin -300 KRW")
    assert "Not known" not in lines[1]
    silent = make_balance([], account="50012345-03", add_mgna_tota=None)
    assert str(Balances([*called, silent]).headline("en")).splitlines()[1] == (
        "⚠ Margin call: 700*****-03 1,500 KRW. Not known whether there is a margin call: 1 account."
    )
    assert lines[-1].startswith("⚠ Not pulled: 600*****-03 MGNA_DVSN=01 EXCC_STAT_CD=1. TransportE")
    assert "no &lt;answer&gt;" in headline._repr_html_()
    quiet = Balances(both(), [failure])
    assert str(quiet.headline("en")).splitlines()[1] == (
        "No margin call in the accounts that were pulled."
    )
    assert str(quiet.headline()).splitlines()[1] == "조회한 계좌에는 마진콜 없음."
    nothing = Balances([], [failure]).headline()
    assert str(nothing).splitlines()[0] == "0개 계좌"
    assert len(str(nothing).splitlines()) == 2
    only = Balances([make_balance([], prsm_dpast=None, prsm_dpast_amt=None, add_mgna_tota=None)])
    assert str(only.headline("en")).splitlines()[1:4] == [
        "Not known whether there is a margin call: 1 account.",
        "The equity of this moment is not known.",
        "Excess margin is not known.",
    ]


def test_nothing_depends_on_the_decimal_context() -> None:
    """A precision of 6 with another rounding changes no figure."""
    pulls = Balances(both(book(40), upkeep=987_654_321_098, prsm_dpast=9_876_543_210_987))

    def everything() -> list[Any]:
        frames = [pulls.equity(), pulls.index_stress(), pulls.pnl("product"), pulls.pnl("position")]
        return [str(pulls.headline()), *(frame.rows() for frame in frames)]

    plain = everything()
    with decimal.localcontext() as context:
        context.prec, context.rounding = 6, decimal.ROUND_UP
        context.traps[decimal.Inexact] = True
        assert everything() == plain
    assert pulls.equity()["excess_margin"].dtype == pl.Decimal(38, 0)
