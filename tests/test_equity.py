"""Reported and current equity on balances typed in: card, chart and checks show the same."""

from __future__ import annotations

import decimal
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kis_nb import charts
from kis_nb._dashboard import summary_cards, tables
from kis_nb._dashboard.chart_data import comparison_rows
from kis_nb._frames.equity import equity
from kis_nb._widgets.vega_spec import split
from tests.factories import book, make_balance, position


def _rows(chart: Any) -> list[dict[str, Any]]:
    (rows,) = split(chart.to_dict())[1].values()
    return rows


def test_sent_before_estimate_before_unknown() -> None:
    """``prsm_dpast_amt`` is taken where sent; else the estimate of EXCC_STAT_CD 1, of this account
    and this moment; else nothing.
    """
    figures: dict[str, Any] = {"prsm_dpast": 1000, "futr_evlu_pfls_amt": -300}
    sent = equity(make_balance(prsm_dpast_amt=690, **figures))
    assert (sent.reported_equity, sent.current_equity, sent.source) == (
        Decimal(1000),
        Decimal(690),
        "sent",
    )
    guess = make_balance(prsm_dpast_amt=None, **figures)
    assert (equity(guess).current_equity, equity(guess).source) == (Decimal(700), "estimate")
    bought = make_balance(prsm_dpast_amt=None, excc_stat_cd="2", **figures)
    assert (equity(bought).current_equity, equity(bought).source) == (None, None)
    assert equity(bought, [guess]).current_equity == 700
    other = make_balance(prsm_dpast_amt=None, account="80012346-03", **figures)
    assert equity(bought, [other]).current_equity is None
    assert (
        equity(bought, [replace(guess, as_of=guess.as_of + timedelta(seconds=5))]).current_equity
        == 700
    )
    for seconds in (-6, 6):
        later = replace(guess, as_of=guess.as_of + timedelta(seconds=seconds))
        assert equity(bought, [later]).current_equity is None


@pytest.mark.parametrize(
    ("sent", "card", "line"),
    [
        (690, "With the equity of this moment", "Equity now"),
        (None, "Estimate of this moment", "Equity now (estimate)"),
    ],
)
def test_an_estimate_is_named_as_one(sent: int | None, card: str, line: str) -> None:
    """On both cards and in the chart, and what KIS sent is not called so."""
    figures: dict[str, Any] = {"prsm_dpast": 1000, "futr_evlu_pfls_amt": -300}
    shown = make_balance(prsm_dpast_amt=sent, **figures)
    upkeep = make_balance(mgna_dvsn="02", mgna_tota=400, prsm_dpast_amt=sent, **figures)
    cards = {one["key"]: one for one in summary_cards.cards(shown, None, upkeep, "en")}
    assert cards["equity"]["sub"][0]["label"].startswith(card)
    assert cards["excess"]["sub"][1]["label"].startswith(card)
    rows = _rows(charts.margin(shown, upkeep, lang="en"))
    names = {row["aria"].partition(":")[0] for row in rows}
    assert {name for name in names if name.startswith("Equity now")} == {line}


def test_the_dashboards_chart_takes_equity_from_all_views_as_its_card_does() -> None:
    """Of the old TR's purchase view only the settlement view tells the equity of this moment, and
    the maintenance margin too while its own basis has not been pulled with MGNA_DVSN 02.
    """
    figures: dict[str, Any] = {"prsm_dpast": 1000, "prsm_dpast_amt": None}
    shown = make_balance(excc_stat_cd="2", mgna_tota=600, **figures)
    upkeep = make_balance(mgna_dvsn="02", mgna_tota=400, futr_evlu_pfls_amt=-300, **figures)
    cards = {
        one["key"]: one for one in summary_cards.cards(shown, None, upkeep, "en", [shown, upkeep])
    }
    assert cards["equity"]["sub"][0]["value"] == "700"
    assert cards["excess"]["value"] == "600"
    rows = comparison_rows("margin", [shown, upkeep], shown, "en", "")
    texts = {row["aria"] for row in rows}
    assert "Equity now (estimate): Excess margin 300" in texts
    assert "Estimated account equity: Excess margin 600" in texts
    # Its bars are of the basis on show.
    assert not [row for row in rows if "Maintenance 02" in row["key"]]


def test_a_future_without_a_price_leaves_no_estimate() -> None:
    """Its 0 is no P&L, so the sum that it is in is not known."""
    held = [position(price="0", evlu_pfls_amt=Decimal(0))]
    assert equity(make_balance(held, prsm_dpast=5, prsm_dpast_amt=None)).current_equity is None


def test_card_and_chart_show_no_excess_margin_on_a_margin_call() -> None:
    """The deposit covers the margin, the equity does not: neither shows an excess margin."""
    shown = make_balance(
        tot_dncl_amt=2000, dnca_cash=2000, prsm_dpast=900, prsm_dpast_amt=800, mgna_tota=1500
    )
    upkeep = make_balance(mgna_dvsn="02", mgna_tota=1100, prsm_dpast=900, prsm_dpast_amt=800)
    cards = {card["key"]: card for card in summary_cards.cards(shown, None, upkeep, "en")}
    assert cards["excess"]["value"] == "-200"
    assert cards["excess"]["sub"][1]["value"] == "-300"
    rows = _rows(charts.margin(shown, upkeep, lang="en"))
    assert not [row for row in rows if row["name"] == "Excess margin"]
    assert [row["amount"] for row in rows if row["name"] == "Short of"] == ["200", "300"]
    assert not [row for row in rows if row["name"] == "Maintenance margin"]


def test_negative_cash_stands_left_of_zero() -> None:
    """It overlaps no other part of the deposit."""
    rows = _rows(charts.margin(make_balance(dnca_cash=-50, dnca_sbst=300, tot_dncl_amt=250)))
    parts = [(row["start"], row["end"]) for row in rows[:2]]
    assert parts == [(-50.0, 0.0), (0.0, 300.0)]


def test_reconcile_compares_and_judges_nothing() -> None:
    """The three stand two by two with their differences and no status."""
    checks = make_balance(prsm_dpast=1000, prsm_dpast_amt=690, futr_evlu_pfls_amt=-300).reconcile()
    found = checks.filter(checks["item"] == "equity at this moment")
    assert found["difference"].to_list() == [-310, -10, -300]
    assert found["status"].null_count() == 3


def test_no_price_is_no_profit() -> None:
    """P&L chart, card and table name the missing price instead of a P&L of 0."""
    held = [position(), position("A01703", "F 202703", price="0", evlu_pfls_amt=Decimal(0))]
    balance = make_balance(held)
    rows = _rows(charts.pnl(balance, lang="en"))
    assert [(row["value"], row["note"]) for row in rows[1:]] == [(None, "no price")]
    card = summary_cards.cards(balance, None, None, "en")[0]
    assert card["sub"][-1]["label"] == "1 without a price not in it"
    table = tables.table(balance, "en")
    at = [column["key"] for column in table["columns"]].index("evlu_pfls_amt")
    assert [row["cells"][at] == "no price" for row in table["rows"]] == [False, True]
    assert [row["tones"][at] for row in table["rows"]] == ["down", ""]


def test_payoff_takes_one_expiry_and_counts_the_others() -> None:
    """Options of the nearest day are the curve, even where a future ends before them; an unknown
    name or day lists the known.
    """
    held = [
        position("A01703", "F 202703"),
        position("B01612570", "C 202612 570.0", "long", 2, "6.00", "5.00"),
        position("B01701570", "C 202701 570.0", "long", 1, "6.00", "5.00"),
    ]
    balance = make_balance(held)
    first = _rows(charts.payoff(balance, lang="en"))[0]
    assert first["head"].endswith("KOSPI 200 expiry 2026-12-10 · 1 leg")
    assert first["left"] == "Other expiries: 2027-01-14 1, 2027-03-11 1"
    with pytest.raises(ValueError, match="'KOSDAQ 150', 'USD/KRW'"):
        charts.payoff(balance, underlying="KOSPI200")
    with pytest.raises(ValueError, match="2026-12-10, 2027-01-14, 2027-03-11"):
        charts.payoff(balance, expiry="2026-12-11")
    held[1] = position("A01612", "F 202612")
    first = _rows(charts.payoff(make_balance(held), lang="en"))[0]
    assert first["head"].endswith("KOSPI 200 expiry 2027-01-14 · 1 leg")


@pytest.mark.parametrize(
    ("held", "underlying", "tick"),
    [
        (["A0161C", "F 202612", "571.35"], "KOSPI 200", "0.05"),
        (["A0561C", "미니 F 202612", "573.92"], "KOSPI 200", "0.02"),
        (["A0661C", "코스닥150 F 202612", "1411.30"], "KOSDAQ 150", "0.1"),
        (["A7561C", "미국달러 F 202612", "1461.20"], "USD/KRW", "0.1"),
    ],
)
def test_drawn_points_are_prices_of_the_underlying(
    held: list[str], underlying: str, tick: str
) -> None:
    """Each point under the mouse is on the price step of its own underlying's future."""
    code, name, price = held
    balance = make_balance([position(code, name, "long", 1, price, price)])
    levels = [
        Decimal(row["index"].replace(",", ""))
        for row in _rows(charts.payoff(balance, underlying=underlying))
    ]
    assert len(levels) > 100
    assert {level % Decimal(tick) for level in levels} == {0}
    coarser = Decimal("0.1") if tick in ("0.05", "0.02") else Decimal("0.5")
    assert {level % coarser for level in levels} != {0}


def test_break_evens_are_exact_or_say_that_they_are_not() -> None:
    """Neither a step of 0.05 nor four decimals rounds one unseen."""
    cost = position("B01612570", "C 202612 570.0", "long", 4, "1.00", "1.2325")
    (zero,) = [row for row in _rows(charts.payoff(make_balance([cost]))) if "text" in row]
    assert zero["text"] == "손익분기 571.2325"
    thirds = [
        position("B01612570", "C 202612 570.0", "long", 3, "1.00", "1.00"),
        position("B01612560", "C 202612 560.0", "short", 1, "1.00", "0.50"),
    ]
    zeros = [row["text"] for row in _rows(charts.payoff(make_balance(thirds))) if "text" in row]
    assert zeros == ["손익분기 576.25"]
    thirds[1] = position("C01612560", "P 202612 560.0", "long", 1, "1.00", "0.50")
    zeros = [row["text"] for row in _rows(charts.payoff(make_balance(thirds))) if "text" in row]
    assert zeros == ["손익분기 556.50", "손익분기 ≈571.1667"]


def test_break_evens_without_a_label_are_counted() -> None:
    """Of five, the three nearest are labelled; the chart says that there are two more."""
    held = [position("B01612560", "C 202612 560.0", "long", 1, "2.50", "2.50")]
    for strike, side in ((565, "short"), (570, "long"), (575, "short"), (580, "long")):
        name = f"C 202612 {strike}.0"
        held.append(position(f"B01612{strike}", name, side, 2, "1.00", "1.00"))
    rows = _rows(charts.payoff(make_balance(held), lang="en"))
    assert [row["level"] for row in rows if row.get("mark") == "zero"] == [
        562.5,
        567.5,
        572.5,
        577.5,
        582.5,
    ]
    assert [row["level"] for row in rows if "lane" in row] == [562.5, 567.5, 572.5]
    assert rows[0]["left"] == "2 more break-evens without a label"
    korean = _rows(charts.payoff(make_balance(held)))
    assert korean[0]["left"] == "이름표 없는 손익분기 2개 더"
    assert "left" not in {key for row in rows[1:] for key in row}


def test_many_other_expiries_are_summed_up() -> None:
    """Three are named, the later ones counted, so that the line fits; the rest of the notes has a
    line of its own.
    """
    held = [position("B01612570", "C 202612 570.0", "long", 2, "6.00", "5.00")]
    held += [position(f"A017{month:02}", f"F 2027{month:02}") for month in (1, 2, 3, 4, 5)]
    held.append(position("ZZZ", "?"))
    notes = [row["left"] for row in _rows(charts.payoff(make_balance(held), lang="en"))[:2]]
    assert notes == [
        "1 left out: kind not known 1",
        "Other expiries: 2027-01-14 1, 2027-02-11 1, 2027-03-11 1, 2 later days 2",
    ]


def test_a_head_that_is_too_long_has_two_lines() -> None:
    """Both lines together say what the one line says, in either form with space for the widest."""
    row = _rows(charts.pnl(make_balance([position()]), lang="en"))[0]
    assert row["head"] == f"{row['head_top']} · {row['head_end']}"
    assert row["head_half"] < row["head_width"] <= row["head_most"]
    other = _rows(charts.pnl(make_balance([position()], mgna_dvsn="02"), lang="en"))[0]
    assert other["head_most"] == pytest.approx(row["head_most"])


def test_nothing_depends_on_the_decimal_context() -> None:
    """A precision of 6 with another rounding changes no figure of charts, cards or page."""
    sums: dict[str, Any] = {"tot_dncl_amt": 1234567890123, "mgna_tota": 987654321098}
    balance = make_balance(book(40), prsm_dpast=9876543210987, **sums)

    def everything() -> list[Any]:
        return [
            *(_rows(charts.pnl(balance, by=by)) for by in ("position", "kind", "realized")),
            _rows(charts.margin(balance)),
            _rows(charts.views(balance)),
            _rows(charts.book(balance)),
            _rows(charts.payoff(balance)),
            summary_cards.cards(balance, balance, balance, "ko"),
            balance._repr_html_(),
            balance.reconcile().rows(),
        ]

    plain = everything()
    with decimal.localcontext() as context:
        context.prec, context.rounding = 6, decimal.ROUND_UP
        context.traps[decimal.Inexact] = True
        assert everything() == plain
