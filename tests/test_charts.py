"""The charts: exact figures, named nulls, and specs that a researcher can take apart."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import altair as alt
import pytest

from kis_nb import charts
from kis_nb._chart_rows.labels import columns
from kis_nb._chart_rows.legs import payoff_at_expiry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._widgets.vega_spec import split
from tests.factories import book, make_balance, position

SUMS: dict[str, Any] = {
    "dnca_cash": 512_345_678,
    "frcr_dncl_amt": "14612000.50",
    "dnca_sbst": 200_000_000,
    "tot_dncl_amt": 726_957_678,
    "cash_mgna": 308_922_232,
    "sbst_mgna": 133_854_708,
    "mgna_tota": 442_776_940,
    "evlu_pfls_amt_smtl": -1_237_500,
    "trad_pfls_amt_smtl": 550_000,
}


def _rows(chart: alt.LayerChart) -> list[dict[str, Any]]:
    (rows,) = split(chart.to_dict())[1].values()
    return rows


def _every_chart(balance: Balance, **look: Any) -> list[alt.LayerChart]:
    return [
        *(charts.pnl(balance, by=by, **look) for by in get_args(charts.PnlBy)),
        charts.index_stress(balance, **look),
        charts.margin(balance, **look),
        charts.views(balance, **look),
        *(charts.book(balance, by=by, **look) for by in ("product", "strike")),
        charts.payoff(balance, **look),
    ]


@pytest.mark.parametrize("count", [0, 1, 5, 64, 500])
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_chart_at_every_size(count: int, lang: str) -> None:
    """Every chart makes a valid spec and JSON-ready rows for any number of positions."""
    for chart in _every_chart(make_balance(book(count), **SUMS), lang=lang):
        json.dumps(chart.to_dict(), allow_nan=False)
        assert _rows(chart)[0]["head"].startswith("800*****-03")


def test_published_example_to_the_won() -> None:
    """The published example's one position shows −1 237 500."""
    row = _rows(charts.pnl(make_balance([position()])))[0]
    assert row["figure"] == "-1,237,500"
    assert row["aria"] == "F 202612 매수: -1,237,500"
    assert row["pchs_amt"] == "231,825,000"


@pytest.mark.parametrize("amount", ["9999999999999999999", "-1234567890123456789", "0", "-1"])
def test_nineteen_digits_are_exact(amount: str) -> None:
    """Figure, tooltip and spoken text hold every digit; the bar's float alone does not."""
    held = position(evlu_pfls_amt=Decimal(amount))
    row = _rows(charts.pnl(make_balance([held])))[0]
    figure = f"{int(amount):+,}" if amount != "0" else "0"
    assert row["figure"] == row["evlu_pfls_amt"] == figure
    assert row["aria"].endswith(figure)
    assert row["key"].endswith(figure.replace("-", "−"))


def test_many_are_folded_with_count_and_sum() -> None:
    """The largest stand alone, the rest is one bar, and together they are the whole."""
    balance = make_balance(book(500))
    rows = _rows(charts.pnl(balance, top=7))
    assert len(rows) == 8
    sizes = [abs(row["value"]) for row in rows[:-1]]
    assert sizes == sorted(sizes, reverse=True)
    assert rows[-1]["name"] == "나머지 493종목 합계"
    total = sum(int(row["figure"].replace(",", "")) for row in rows)
    assert total == balance.positions["evlu_pfls_amt"].sum()
    # A fold of one would only hide its name.
    assert len(_rows(charts.pnl(make_balance(book(8)), top=7))) == 8


def test_null_is_named_and_not_drawn() -> None:
    """A position without P&L has its line and a note, no bar, and no 0."""
    rows = _rows(charts.pnl(make_balance([position(), position("101T03", "X", price=None)])))
    assert rows[1]["value"] is None
    assert rows[1]["figure"] == "–"
    assert rows[1]["note"]
    many = [position(f"101T{n:02d}", f"X{n}", price=None) for n in range(30)]
    folded = _rows(charts.pnl(make_balance(many), lang="en"))
    assert [row["name"] for row in folded] == ["30 without a value"]
    sums = _rows(charts.pnl(make_balance([], evlu_pfls_amt_smtl=None), by="realized"))
    assert [row["value"] for row in sums] == [None, 0.0, None]


def test_twins_keep_their_own_lines() -> None:
    """Two positions of one name have two keys, since a scale draws a key once."""
    rows = _rows(charts.pnl(make_balance([position(), position()])))
    assert rows[0]["name"] == rows[1]["name"]
    assert rows[0]["key"] != rows[1]["key"]


def test_demo_is_marked() -> None:
    """Every chart of demo figures says so, and no other does."""
    for demo, mark in ((True, "DEMO"), (False, "")):
        for chart in _every_chart(make_balance(book(5), demo=demo)):
            assert _rows(chart)[0]["demo"] == mark


def test_margin_adds_up_and_shows_the_call() -> None:
    """Segments carry exact amounts, and the line stands at the maintenance margin."""
    first = make_balance(
        prsm_dpast=700_000_000, futr_evlu_pfls_amt=1_237_500, prsm_dpast_amt=None, **SUMS
    )
    second = make_balance(
        mgna_dvsn="02",
        prsm_dpast=700_000_000,
        futr_evlu_pfls_amt=1_237_500,
        prsm_dpast_amt=None,
        **(SUMS | {"mgna_tota": 892_776_940, "add_mgna_tota": 165_819_262}),
    )
    rows = _rows(charts.margin(first, second))
    named = {row["aria"].split(" ")[-1] for row in rows}
    assert {"512,345,678", "14,612,000.50", "200,000,000"} <= named
    assert {row["call"] for row in rows} == {None, 892_776_940.0}
    short = [row["amount"] for row in rows if row["part"] == "alert"]
    assert short == ["192,776,940", "191,539,440", "165,819,262"]
    alone = _rows(charts.margin(first, lang="en"))
    assert [row["name"] for row in alone if row["call"]] == ["Initial margin (call: see 02)"]


def test_margin_of_two_accounts_is_refused() -> None:
    """One chart never shows two accounts' figures as one."""
    two = make_balance(), make_balance(account="80012346-03")
    for draw in (charts.margin, charts.views):
        with pytest.raises(ValueError, match="one account"):
            draw(*two)
        with pytest.raises(ValueError, match="needs"):
            draw()


def test_views_are_in_order_with_exact_figures() -> None:
    """Each measure lists every view, with the wire's figure beside its bar."""
    four = [
        make_balance(mgna_dvsn=margin, excc_stat_cd=basis, mgna_tota=total, evlu_pfls_amt_smtl=pnl)
        for margin, total in (("02", 300), ("01", 400))
        for basis, pnl in (("2", -9_787_500), ("1", -1_237_500))
    ]
    rows = _rows(charts.views(*four))
    assert [row["figure"] for row in rows if row["figure"].strip()] == [
        *("400", "400", "300", "300"),
        *("-1,237,500", "-9,787,500") * 2,
    ]
    assert rows[1]["name"] == "개시 01 · 정산 1"
    assert min(row["value"] for row in rows if row["value"] is not None) == -1.0
    # In one line and in two, the heading names the account and no view.
    assert rows[0]["head"] == " · ".join((rows[0]["head_top"], rows[0]["head_end"]))
    assert rows[0]["head_top"] == four[0].account.masked
    assert rows[0]["head_width"] == rows[0]["head_most"]


def test_book_groups() -> None:
    """Products, expiries and sides are grouped; an unknown quantity makes its sum unknown."""
    held = [
        position(),
        position("A01703", "F 202703"),
        position("A0561C", "F 202612", "short", 4, multiplier=50_000),
        position("B01612572", "C 202612 572.5", "short", 2, "3.10", "2.90"),
        position("Z01W09572", "??", "long", None),
    ]
    rows = _rows(charts.book(make_balance(held), lang="en"))
    assert {row["name"]: row["value"] for row in rows} == {
        "KOSPI 200 futures 2026-12 Long": 3.0,
        "KOSPI 200 futures 2027-03 Long": 3.0,
        "K200 mini futures 2026-12 Short": -4.0,
        "KOSPI 200 calls 2026-12 Short": -2.0,
        "?? unknown no expiry Long": None,
    }
    strikes = _rows(charts.book(make_balance(held), by="strike", measure="value", lang="en"))
    assert [row["name"] for row in strikes] == ["572.50 calls 2026-12 Short"]
    assert strikes[0]["value"] == -1_550_000.0


def test_payoff_of_a_spread_of_calls() -> None:
    """A bull call spread loses its cost below, gains width less cost above, breaks even between."""
    held = [
        position("B01612570", "C 202612 570.0", "long", 2, "6.00", "5.00"),
        position("B01612580", "C 202612 580.0", "short", 2, "2.50", "2.00"),
    ]
    payoff = payoff_at_expiry(make_balance(held))
    assert payoff.pnl(Decimal(500)) == -3 * 2 * 250_000
    assert payoff.pnl(Decimal(600)) == 7 * 2 * 250_000
    assert payoff.break_evens([Decimal(500), *payoff.strikes(), Decimal(600)]) == [Decimal(573)]
    assert payoff.underlying_price is None
    assert not [row for row in _rows(charts.payoff(make_balance(held))) if "today" in row]


def test_payoff_meets_the_balance_today() -> None:
    """At today's price a book of futures alone is worth its unrealized P&L, to the won."""
    balance = make_balance(book(2))
    payoff = payoff_at_expiry(balance)
    assert payoff.underlying_price == Decimal("571.35")
    assert payoff.pnl(payoff.underlying_price) == balance.positions["evlu_pfls_amt"].sum()
    now = [row for row in _rows(charts.payoff(balance)) if "today" in row]
    assert [row["today"] for row in now] == ["현재 571.35"]


def test_payoff_names_what_it_leaves_out() -> None:
    """A product that cannot be read is returned with its reason and named in the chart."""
    held = [
        position(),
        position("Z01W09572", "??"),
        position("401S12T3", "SP"),
        position("B04612350", "변동성C 202612 350"),
        position("201W", "C"),
        position("A01703", "F 202703", None),
        position("A01706", "F 202706", price="0", excc_unpr=None),
        position("A01709", "F 202709", pchs_amt=None),
        position("101W03", "closed", "flat", 0),
    ]
    balance = make_balance(held)
    assert [(one.name, one.en) for one in charts.left_out(balance)] == [
        ("??", "kind not known"),
        ("SP", "a spread"),
        ("변동성C 202612 350", "underlying not known"),
        ("C", "strike not known"),
        ("F 202703", "side not known"),
        ("F 202706", "multiplier not known"),
        ("F 202709", "no cost was sent"),
    ]
    line = _rows(charts.payoff(balance, lang="en"))[0]["left"]
    assert line.startswith("7 left out: kind not known 1")


def test_a_researcher_can_take_them_apart() -> None:
    """Charts layer, concatenate and change as any of Altair's; fixed themes carry a background."""
    balance = make_balance(book(5), **SUMS)
    pnl, margin = charts.pnl(balance), charts.margin(balance)
    mark = alt.Chart(alt.InlineData(values=[{"at": 1}])).mark_rule().encode(x="at:Q")
    for chart in (pnl + mark, pnl & margin, pnl | charts.pnl(balance), pnl.properties(title="x")):
        chart.to_dict()
    dark = charts.pnl(balance, theme="dark").to_dict()
    assert dark["background"] == "#111111"
    # A fixed light theme keeps its colours on a page too, where live ones are exchanged.
    assert "#c8102e" not in json.dumps(charts.pnl(balance, theme="light").to_dict())


def test_colors_switch() -> None:
    """Profit is red and loss blue in Korea, green and red with ``us``."""

    def up_and_down(colors: Any) -> list[str]:
        spec = json.dumps(charts.pnl(make_balance(), colors=colors).to_dict())
        found = json.loads(
            spec[spec.index('"range": [') + 9 : spec.index("]", spec.index('"range": [')) + 1]
        )
        return [str(color) for color in found[:2]]

    style = Style()
    assert up_and_down("kr") == [style["red"], style["blue"]]
    assert up_and_down("us") == [style["green"], style["red"]]


@pytest.mark.parametrize("ending", ["svg", "png", "html"])
def test_saves_without_a_network(ending: str, tmp_path: Path) -> None:
    """A saved chart needs no CSS variable and holds the exact figures."""
    file = tmp_path / f"chart.{ending}"
    chart = charts.pnl(make_balance([position()]))
    if ending == "html":
        chart.save(file, inline=True)
    else:
        chart.save(file)
    content = file.read_bytes()
    assert b"var(--" not in content
    if ending != "png":
        assert b"-1,237,500" in content
    if ending == "html":
        assert b"<script src" not in content


@pytest.mark.parametrize(
    "wrong",
    [
        {"by": "side"},
        {"top": 0},
        {"lang": "jp"},
        {"colors": "red"},
        {"theme": "blue"},
    ],
)
def test_wrong_arguments_are_refused(wrong: dict[str, Any]) -> None:
    """An argument that is none of the known ones raises ValueError."""
    with pytest.raises(ValueError, match="got"):
        charts.pnl(make_balance(), **wrong)


def test_columns_are_as_wide_as_the_widest() -> None:
    """Figures are padded by spaces of a digit's and a comma's width."""
    assert columns(["+1,234", "7"]) == ["\u200b+1,234", "\u200b\u2007\u2008\u2007\u2007\u20077"]


_RENDERER = """
import sys
import kis_nb
assert "altair" not in sys.modules
import altair as alt
{before}
import kis_nb.charts
print(alt.renderers.active)
"""


@pytest.mark.parametrize(
    ("before", "active"), [("", "default"), ("alt.renderers.enable('svg')", "svg")]
)
def test_renderer_respects_a_choice(before: str, active: str) -> None:
    """Importing the charts leaves Altair's renderer alone, chosen or not."""
    code = _RENDERER.format(before=before)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == active


def test_a_chart_in_a_script_is_a_picture() -> None:
    """Without a page a cell's result is an image named by its title, and no widget."""
    bundle = charts.pnl(make_balance())._repr_mimebundle_()
    assert bundle["text/plain"] == "<Chart 평가손익 · 매매손익>"
    assert bundle["text/html"].startswith('<img alt="평가손익 · 매매손익. ')
    assert "application/vnd.jupyter.widget-view+json" not in bundle


def test_pnl_by_product_is_the_frame_of_balances() -> None:
    """One account or several: a bar a product, largest first, with its exact total; the rest is
    summed up, and a product without a price has a note.
    """
    none = position("A75703", "미국달러 F 202703", price="0", evlu_amt=Decimal(0))
    two = [make_balance(book(9)), make_balance([*book(30), none], account="70012345-03")]
    several = Balances([*two, make_balance(book(9), mgna_dvsn="02", demo=True)])
    frame = several.pnl("product").drop_nulls("total")
    rows = _rows(charts.pnl(several, by="product", lang="en"))
    totals = [int(row["figure"].replace(",", "")) for row in rows[: frame.height]]
    assert totals == frame["total"].to_list()
    assert (rows[0]["head_top"], rows[0]["demo"]) == ("2 accounts · Settlement 1", "DEMO")
    assert "USD/KRW futures (no price 1)" in [row["name"] for row in rows]
    folded = _rows(charts.pnl(several, by="product", top=2))
    assert folded[-1]["name"] == f"나머지 {frame.height - 2}개 합계"
    assert sum(int(row["figure"].replace(",", "")) for row in folded) == sum(totals)
    (alone,) = _rows(charts.pnl(make_balance([none]), by="product", lang="en"))
    assert (alone["value"], alone["note"]) == (None, "no price")
    for wrong, message in ((several, "shows one balance; got 3"), (Balances([]), "got 0")):
        with pytest.raises(ValueError, match=message):
            charts.pnl(wrong)
    with pytest.raises(ValueError, match="needs a balance"):
        charts.pnl(Balances([]), by="product")
    with pytest.raises(ValueError, match="top takes a count"):
        charts.pnl(several, by="product", top=0)


def test_index_stress_draws_the_frame() -> None:
    """A point a move and line, exact in tooltip, spoken text and legend; the tightest account when
    none is named.
    """
    funds: dict[str, Any] = {"prsm_dpast": 9_000_000_000, "prsm_dpast_amt": 9_000_000_001}
    pulls = Balances(
        [
            make_balance(book(30), mgna_dvsn="02", mgna_tota=5, **funds),
            make_balance(book(9), account="70012345-03", mgna_dvsn="02", mgna_tota=6, **funds),
        ]
    )
    chart = charts.index_stress(pulls, moves=["-2.5", 0, 4], lang="en")
    rows = _rows(chart)
    frame = pulls.index_stress(["-2.5", 0, 4]).filter(account="700*****-03")
    assert [row["figure"] for row in rows] == [
        f"{value:,}" for value in [*frame["excess_held"], *frame["excess_worst"]]
    ]
    assert rows[0]["aria"] == f"Time value kept -2.50%: {rows[0]['figure']}"
    assert rows[3]["legend"] == "Worst  " + " · ".join(
        f"{move}: {row['figure']}"
        for move, row in zip(("-2.50%", "0%", "+4%"), rows[3:], strict=True)
    )
    assert rows[0]["head"] == ("700*****-03 · 2026-11-22 23:15:04 KST · index 571.35 · 2 left out")
    named = _rows(charts.index_stress(pulls, account="800*****-03"))
    assert named[0]["head"].startswith("800*****-03")
    for wrong, message in (
        ({"account": "900*****-03"}, r"\(700\*\*\*\*\*-03, 800"),
        ({"moves": []}, "needs a move"),
        ({"moves": ["x"]}, "moves takes numbers"),
    ):
        with pytest.raises(ValueError, match=message):
            charts.index_stress(pulls, **wrong)
    with pytest.raises(ValueError, match="needs a balance"):
        charts.index_stress(Balances([]))


def test_an_unknown_excess_margin_is_no_line() -> None:
    """A note in place of the lines, and no 0."""
    (row,) = _rows(charts.index_stress(make_balance(book(5)), lang="en"))
    assert (row["excess"], row["note"]) == (None, "The excess margin is not known")
