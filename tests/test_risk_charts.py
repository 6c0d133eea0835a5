"""The charts of risk: the figures of `kis_nb.risk`, the margin call's line, and the sliders."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import altair as alt
import pytest
import vl_convert

import kis_nb
from kis_nb import charts
from kis_nb._chart_rows import margin_components, risk_curve, scenarios
from kis_nb._chart_rows.estimates import short_won
from kis_nb._chart_rows.style import Style
from kis_nb._choices import Lang, Theme
from kis_nb._frames.estimate_text import LABELS, WORDS, level_text, signed_won
from kis_nb._risk.grid import HEADLINE, SPOTS, VOLS
from kis_nb._widgets.vega_spec import adapt_to_page, adapt_to_paper, split
from kis_nb.charts._margin_components import MARGIN_COMPONENTS
from kis_nb.charts._risk_curve import RISK_CURVE
from kis_nb.charts._scenarios import SCENARIOS
from kis_nb.demo import Book
from tests.factories import book, environment, make_balance, position
from tests.faults import Broker
from tests.leaks import ACCOUNT
from tests.test_risk import EXPIRY, NOW, at, estimate, future, option
from tests.test_risk_margin import K200, Client, both, detail, rates, refusal

KINDS = (charts.scenarios, charts.risk_curve, charts.margin_components)
# Their rows alone: to build a spec takes Altair long, and it never changes.
ROWS = (scenarios.rows, risk_curve.rows, margin_components.rows)
# Short on both sides: every scenario far enough from here is a loss.
STRANGLE = [
    option("C", "1030.0", "6.10", "short", 10),
    option("P", "975.0", "5.80", "short", 10),
    future("short", 1),
]


def _rows(chart: alt.LayerChart) -> list[dict[str, Any]]:
    (rows,) = split(chart.to_dict())[1].values()
    return rows


def _map(risk: kis_nb.Risk, lang: Lang = "en", **more: Any) -> list[dict[str, Any]]:
    return scenarios.rows(risk, Style(lang), **more)


def _curve(risk: kis_nb.Risk, lang: Lang = "en", **more: Any) -> list[dict[str, Any]]:
    return risk_curve.rows(risk, Style(lang), **more)


def _parts(risk: kis_nb.Risk, lang: Lang = "en") -> list[dict[str, Any]]:
    return margin_components.rows(risk, Style(lang))


def _cells(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if "pnl" in row]


def _points(rows: list[dict[str, Any]], vol: float = 0.0) -> list[dict[str, Any]]:
    return [row for row in rows if row.get("vol") == vol]


def _one(rows: list[dict[str, Any]], field: str) -> Any:
    (found,) = [row[field] for row in rows if field in row]
    return found


def _texts(chart: alt.LayerChart, width: int = 720, **sliders: float) -> list[str]:
    """What is written in a chart of this width, with the sliders there."""
    spec = chart.to_dict() | {"width": width}
    for param in spec["params"]:
        param["value"] = sliders.get(param["name"], param["value"])
    svg: str = vl_convert.vegalite_to_svg(json.dumps(spec))
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg)
    return [html.unescape(text).replace("−", "-") for text in found]


@pytest.fixture(scope="module")
def strangle() -> kis_nb.Risk:
    """A book that a margin call reaches on both sides within ten per cent."""
    return kis_nb.risk(both(STRANGLE, 300_000_000, 220_000_000))


@pytest.mark.parametrize("count", [0, 1, 5, 64, 500])
def test_every_chart_at_every_size(count: int) -> None:
    """Rows without NaN, headed with the account, the time, and that it is a demo."""
    risk = kis_nb.risk(make_balance(book(count), demo=True))
    langs: tuple[Lang, ...] = ("ko", "en")
    for lang in langs:
        for make in ROWS:
            rows = make(risk, Style(lang))
            json.dumps(rows, allow_nan=False)
            assert rows[0]["head"].startswith("800*****-03")
            assert "2026-11-22 23:15:04 KST" in rows[0]["head"]
            assert rows[0]["demo"] == "DEMO"


def test_every_title_says_that_it_is_an_estimate(strangle: kis_nb.Risk) -> None:
    """In both languages; margin by component has KIS figures too, and says which are estimates."""
    words: tuple[tuple[Lang, str], ...] = (("ko", "추정"), ("en", "estimate"))
    for lang, word in words:
        for make in (charts.scenarios, charts.risk_curve):
            assert word in make(strangle, lang=lang).to_dict()["title"]["text"]
        assert word in str(charts.margin_components(strangle, lang=lang).to_dict())


def test_the_map_has_the_figures_of_the_frame(strangle: kis_nb.Risk) -> None:
    """A cell for each place of the grid, to the won in tooltip and text; 0 where nothing moves."""
    for moment in ("now", "night", EXPIRY, "2026-12-10"):
        frame = strangle.scenarios(at=moment)
        cells = _cells(_map(strangle, at=moment))
        assert [row["figure"] for row in cells] == [signed_won(pnl) for pnl in frame["pnl"]]
        assert [row["level"] for row in cells] == [level_text(one) for one in frame["level"]]
        assert {(row["spot"], row["vol"]) for row in cells} == {
            (spot, vol) for spot in SPOTS for vol in VOLS
        }
    cells = _cells(_map(strangle))
    (still,) = [row for row in cells if (row["spot"], row["vol"]) == (0.0, 0.0)]
    assert (still["figure"], still["shade"]) == ("0", 0.0)
    assert all(0.0 <= row["shade"] <= 0.5 for row in cells)
    assert all((row["side"] == "up") == (row["pnl"] > 0) for row in cells)


def test_the_first_line_is_the_first_answer(strangle: kis_nb.Risk) -> None:
    """What is asked first stands over the map; below it the worst and the best of the grid."""
    (row,) = [row for row in _map(strangle) if "answer" in row]
    # The answer has the other side too.
    figure = row["answer"].split("P&L ")[1]
    assert f"-3% {figure}" in strangle.answers("en")[0]
    pnl = strangle.scenarios(at="now")["pnl"]
    style = Style("en")
    low, high = short_won(float(pnl.min()), style), short_won(float(pnl.max()), style)  # type: ignore[arg-type]
    assert row["range"].startswith(f"Lowest {low} won (")
    assert f"Highest {high} won (" in row["range"]
    assert row["now_range"] == f"Now · {row['range']}"
    assert figure.removesuffix(" won") in _one(_map(strangle, "ko"), "answer")


def test_figures_are_exact_where_there_is_room(strangle: kis_nb.Risk) -> None:
    """In every other per cent's column: whole won on a wide page, three digits on a narrow one."""
    chart = charts.scenarios(strangle)
    written = [row for row in _cells(_rows(chart)) if "short" in row]
    assert sorted({row["spot"] for row in written}) == pytest.approx(
        [-0.09 + 0.02 * step for step in range(10)]
    )
    wide, narrow = _texts(chart, 1_600), _texts(chart, 560)
    for row in written:
        assert row["figure"] in wide
        assert row["short"] in narrow
    assert written[0]["figure"] not in narrow


def test_estimates_in_three_digits() -> None:
    """Units of the language, without a step from 9.99 to 10.00."""
    ko, en = Style("ko"), Style("en")
    for value, korean, english in (
        (0.0, "0", "0"),
        (-0.4, "0", "0"),
        (9_994.0, "+9,994", "+9.99k"),
        (-12_345.0, "-1.23만", "-12.3k"),
        (99_960_000.0, "+9,996만", "+100M"),
        (-999_600_000.0, "-10.0억", "-1,000M"),
        (-123_456_789_012.0, "-1,235억", "-123B"),
        (2.5e12, "+2.50조", "+2.50T"),
    ):
        assert (short_won(value, ko), short_won(value, en)) == (korean, english)


def test_the_line_parts_cells_with_a_margin_call_from_the_others(strangle: kis_nb.Risk) -> None:
    """A cell is called where its loss is larger than the excess margin; the line is around it."""
    rows = _map(strangle)
    cells = [row for row in rows if "pnl" in row]
    assert {row["call"] for row in cells} == {True, False}
    for row in cells:
        assert row["call"] == (row["pnl"] < -80_000_000)
    calm = [row for row in cells if row["vol"] == 0.0 and not row["call"]]
    level = strangle.margin_call().filter(margin="held")["spot"].to_list()
    assert level[0] < min(row["spot"] for row in calm) < level[0] + 0.005
    assert level[1] - 0.005 < max(row["spot"] for row in calm) < level[1]
    pieces = [row for row in rows if "y2" in row]
    upright = [row for row in pieces if row["x"] == row["x2"] and row["y"] == -0.05]
    assert sorted(row["x"] for row in upright) == pytest.approx(
        [min(row["left"] for row in calm), max(row["right"] for row in calm)]
    )
    assert _one(rows, "edge").startswith("Margin call beyond the line")


@pytest.mark.parametrize(
    ("equity", "margin", "field", "text"),
    [
        (9_000_000_000, 1, "plain", "No margin call within this range (margin as held)"),
        (50_000_000, 9_000_000_000, "edge", "already below · Margin call everywhere here"),
    ],
)
def test_without_a_line_it_says_why(equity: int, margin: int, field: str, text: str) -> None:
    """Nowhere on the map, or everywhere; the alarm's colour is for what is one."""
    risk = kis_nb.risk(both(STRANGLE, equity, margin))
    rows = _map(risk)
    assert _one(rows, field).startswith(text)
    assert not [row for row in rows if "y2" in row]
    curve = _curve(risk)
    assert [name for name in ("held", "plain") if any(name in row for row in curve)] == [
        "held" if field == "edge" else "plain"
    ]


def test_an_unknown_margin_is_no_line() -> None:
    """Without a view of MGNA_DVSN 02 both charts say so, in words."""
    risk = estimate(
        STRANGLE,
    )
    said: tuple[tuple[Lang, str], ...] = (
        ("ko", "유지증거금을 알 수 없음"),
        ("en", "margin not known"),
    )
    for lang, words in said:
        cells = _map(risk, lang)
        assert words in _one(cells, "plain")
        curve = _curve(risk, lang)
        assert words in _one(curve, "plain")
        assert not any("called" in row for row in curve)


def test_the_curve_has_the_figures_of_the_frame(strangle: kis_nb.Risk) -> None:
    """At each volatility and each move of the sliders, the P&L from cost at three moments."""
    rows = _curve(strangle)
    for vol in VOLS:
        points = {row["spot"]: row for row in _points(rows, vol)}
        assert set(SPOTS) <= set(points)
        frame = strangle.curve(vol=vol)
        for one in frame.iter_rows(named=True):
            row = points[round(one["spot"], 4)]
            assert row["level"] == one["level"]
            assert row[one["moment"]] == one["unrealized"]
            assert row[f"{one['moment']}_won"] == signed_won(one["unrealized"])
    total = strangle.balance.positions["evlu_pfls_amt"].sum()
    (now,) = [row for row in _points(rows) if row["spot"] == 0.0]
    assert now["now_won"] == signed_won(float(total))
    values = [row[name] for row in rows for name in ("now", "night", "expiry") if name in row]
    assert rows[0]["bottom"] < min(values)
    assert rows[0]["top"] > max(values)


def test_the_corners_at_expiry_are_drawn(strangle: kis_nb.Risk) -> None:
    """Strikes have points of their own, but none beside a step of the slider."""
    spots = [row["spot"] for row in _points(_curve(strangle, "ko"))]
    level = strangle.level()
    assert level is not None
    for strike in (975, 1030):
        assert round(strike / level - 1, 4) in spots
    assert spots == sorted(set(spots))
    assert sum(abs(spot) < 0.0003 for spot in spots) == 1


def test_what_the_curve_marks(strangle: kis_nb.Risk) -> None:
    """The level now, both margin-call levels, and the break-evens at the expiry."""
    rows = _curve(strangle)
    level = strangle.level()
    assert _one(rows, "now_level") == level
    held = strangle.margin_call().filter(margin="held")
    marked = [row for row in rows if row.get("called") == "held"]
    assert [row["level"] for row in marked] == held["level"].to_list()
    for one in held.iter_rows(named=True):
        assert level_text(one["level"]) in _one(rows, "held")
    zeros = strangle.break_evens()
    assert [row["level"] for row in rows if "zero" in row] == zeros
    assert _one(rows, "zeros") == "Break-even at expiry " + ", ".join(map(level_text, zeros))
    # Without KIS's rates there is no re-estimate, and no line of it.
    assert _one(rows, "again") == "With margin re-estimated: rates not known"
    assert not [row for row in rows if row.get("called") == "again"]


def test_the_reestimate_is_thin_and_named() -> None:
    """Its levels are in the second line and have marks of their own."""
    client: Any = Client(None, both(STRANGLE, 1, 1)[1], rates(K200), None)
    balance = at(NOW, STRANGLE, prsm_dpast_amt=300_000_000, mgna_dvsn="02", mgna_tota=220_000_000)
    risk = kis_nb.risk(balance, client=client, option_quotes=False)
    rows = _curve(risk)
    again = risk.margin_call().filter(margin="re-estimated")["level"].drop_nulls().to_list()
    assert again
    assert [row["level"] for row in rows if row.get("called") == "again"] == again
    text = _one(rows, "again")
    assert text.startswith("With margin re-estimated: ")
    assert all(level_text(level) in text for level in again)


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_sliders_choose_what_is_written(strangle: kis_nb.Risk, lang: Any) -> None:
    """`risk_spot` and `risk_vol` are parameters of both specs, 0 at first; moved by a page alone,
    they change the figures of the map's first line and of the curve's legend.
    """
    spot, vol = -0.05, -0.3
    scenarios, curve = (draw(strangle, lang=lang) for draw in KINDS[:2])
    for chart in (scenarios, curve):
        params = {param["name"]: param["value"] for param in chart.to_dict()["params"]}
        assert params == {"picked": [], "risk_spot": 0, "risk_vol": 0}
    (cell,) = [row for row in _cells(_rows(scenarios)) if (row["spot"], row["vol"]) == (spot, vol)]
    answer = _one(_rows(scenarios), "answer")
    assert answer in _texts(scenarios)
    moved = _texts(scenarios, risk_spot=spot, risk_vol=vol)
    assert cell["told"] in moved
    assert answer not in moved
    (point,) = [row for row in _points(_rows(curve), vol) if row["spot"] == spot]
    (still,) = [row for row in _points(_rows(curve)) if row["spot"] == 0.0]
    word, won_ = ("지금", "원") if lang == "ko" else ("Now", " won")
    assert f"{word} {still['now_won']}{won_}" in _texts(curve, 800)
    assert f"{word} {still['now_short']}{won_}" in _texts(curve, 500)
    moved = _texts(curve, 800, risk_spot=spot, risk_vol=vol)
    assert f"{word} {point['now_won']}{won_}" in moved
    assert any(text.startswith(f"{point['where']} · ") for text in moved)
    # The break-evens are those of today's volatility.
    zeros = _one(_rows(curve), "zeros")
    assert zeros in _texts(curve, 800, risk_spot=spot)
    assert zeros not in moved


def test_each_of_three_underlyings_has_its_charts() -> None:
    """The heading names which one; the main one is the default."""
    risk = kis_nb.risk(make_balance(book(30)))
    assert set(risk.underlyings) == {"KOSPI 200", "KOSDAQ 150", "USD/KRW"}
    for make in (_map, _curve):
        for name in risk.underlyings:
            rows = make(risk, underlying=name)
            assert name in rows[0]["head"]
            assert not any("note" in row for row in rows)
        assert make(risk)[0]["head"] == make(risk, underlying=risk.underlyings[0])[0]["head"]


def test_nothing_to_estimate_is_said() -> None:
    """Nothing held, nothing on this underlying, and nothing that can be priced: three notes."""
    none = [position("A01612", "F 202612", price="0", evlu_amt=0)]
    for rows, underlying, ko, en in (
        ([], None, "보유 포지션 없음", "No open positions"),
        ([future()], "USD/KRW", "미국달러 포지션 없음", "No positions on USD/KRW"),
        (none, None, "1종목 모두 계산 불가", "None of 1 can be priced"),
        (
            none,
            "KOSPI 200",
            "코스피200 1종목 모두 계산 불가",
            "None of 1 on KOSPI 200 can be priced",
        ),
    ):
        risk = estimate(rows)
        for make in (_map, _curve):
            (row,) = make(risk, "ko", underlying=underlying)
            assert row["note"] == row["aria"] == ko
            assert make(risk, underlying=underlying)[0]["note"] == en
    for draw in KINDS[:2]:
        assert "No open positions" in _texts(draw(estimate([]), lang="en"))
    left = [future(), position("Z01W09572", "??")]
    assert "1 left out" in _map(estimate(left))[0]["head"]


def test_wrong_arguments_are_refused_in_words(strangle: kis_nb.Risk) -> None:
    """An underlying, a day, a moment and several moments that are none."""
    for draw in KINDS[:2]:
        with pytest.raises(ValueError, match="underlying takes"):
            draw(strangle, underlying="KOSPI")
    with pytest.raises(ValueError, match=r"expiry takes a day .*2026-12-10"):
        charts.risk_curve(strangle, expiry="2026-12-11")
    several: Any = ["now", "night"]
    with pytest.raises(ValueError, match="at takes one moment"):
        charts.scenarios(strangle, at=several)
    with pytest.raises(ValueError, match="at takes"):
        charts.scenarios(strangle, at="noon")
    wrong: Any = "jp"
    with pytest.raises(ValueError, match="lang takes"):
        charts.margin_components(strangle, lang=wrong)


@pytest.fixture(scope="module")
def pulled() -> Iterator[kis_nb.Risk]:
    """The embedded broker's book of 45 positions, with margin detail and rates."""
    with (
        pytest.MonkeyPatch.context() as patch,
        Broker(book=Book.sized({ACCOUNT: 45}, seed=1), calls_per_second=0) as broker,
    ):
        for name, value in environment(broker).items():
            patch.setenv(name, value)
        with kis_nb.connect() as client:
            pulls = client.balances([ACCOUNT], mgna_dvsn=["01", "02"], excc_stat_cd="1")
            yield kis_nb.risk(pulls, client=client, option_quotes=False)


def test_margin_by_component_is_what_kis_says(pulled: kis_nb.Risk) -> None:
    """KIS's exact figure on every bar, the estimate as a tick, the gap in won; what is 0 on both
    sides is left out, the total never.
    """
    frame = pulled.margin_components()
    rows = _parts(pulled)
    bars = [row for row in rows if "component" in row]
    shown = [
        one
        for one in frame.iter_rows(named=True)
        if one["reported"] or one["estimated"] or one["component"] == "brkg_mgna"
    ]
    assert [row["component"] for row in bars] == [one["component"] for one in shown]
    for row, one in zip(bars, shown, strict=True):
        assert row["reported"] == f"{one['reported']:,}"
        figure = re.sub("[\u200b\u2007\u2008]", "", row["figure"])
        assert figure.startswith(row["reported"])
        assert row["value"] == float(one["reported"])
        assert row["tick"] == one["estimated"]
        if one["gap"] is None:
            assert row["gap"] == "–"
            assert "gap" not in figure
        else:
            assert row["gap"] == signed_won(one["gap"])
            assert "· gap" in figure
    assert [row["name"] for row in rows if "component" not in row] == [
        "■ Initial margin 01",
        "■ Maintenance margin 02",
    ]
    assert any(row["tick"] is not None for row in bars)
    assert len({len(row["figure"]) for row in bars}) == 1


def test_without_margin_detail_a_note_says_why() -> None:
    """Nothing asked, KIS's refusal, and a refusal with an estimate from the rates."""
    (row,) = _parts(estimate(STRANGLE))
    assert (row["value"], row["note"]) == (None, "No margin detail")
    client: Any = Client(None, None, refusal(), refusal())
    risk = kis_nb.risk(at(NOW, STRANGLE), client=client, option_quotes=False)
    (row,) = _parts(risk, "ko")
    assert row["note"].startswith("증거금 상세 없음: ")
    assert "EGW00206" in row["note"]
    client = Client(None, None, rates(K200), refusal())
    risk = kis_nb.risk(at(NOW, STRANGLE), client=client, option_quotes=False)
    rows = _parts(risk)
    assert "No margin detail: " in rows[0]["head"]
    bars = [row for row in rows if "component" in row]
    assert all(
        row["value"] is None
        and row["note"] == ("" if row["tick"] is not None else "no value was sent")
        for row in bars
    )
    assert any(row["tick"] for row in bars)


def test_a_gap_has_its_sign() -> None:
    """The estimate less what KIS says."""
    client: Any = Client(
        None, None, rates(K200), detail(netrisk_brkg_mgna=(61_000_000, 41_000_000))
    )
    risk = kis_nb.risk(at(NOW, [future("short", 2)]), client=client)
    (row, _) = [row for row in _parts(risk, "ko") if "component" in row]
    assert (row["estimated"], row["gap"]) == ("60,195,000", "-805,000")
    assert row["aria"].endswith("KIS 61,000,000 · 추정 60,195,000 · -805,000")


def test_every_account_of_the_demo_is_drawn() -> None:
    """With the embedded broker's quotes: each account's rows, and of the largest the charts in both
    languages, light and dark, without CSS variables, and for a page with live colours.
    """
    looks: tuple[tuple[Lang, Theme], ...] = (("ko", "light"), ("en", "dark"))
    with kis_nb.connect(demo=True) as client:
        for account in client.accounts:
            pulls = client.balances([account], mgna_dvsn=["01", "02"], excc_stat_cd="1")
            risk = kis_nb.risk(pulls, client=client, option_quotes=False)
            for make in ROWS:
                json.dumps(make(risk, Style()), allow_nan=False)
            if account != client.accounts[0]:
                continue
            for draw in KINDS:
                for lang, theme in looks:
                    chart = draw(risk, lang=lang, theme=theme)
                    svg = vl_convert.vegalite_to_svg(json.dumps(chart.to_dict()))
                    assert "DEMO" in svg
                    assert not re.search(r"var\(--|NaN|undefined|Infinity", svg)
                assert "var(--kis-" in json.dumps(adapt_to_page(draw(risk).to_dict()))


def test_specs_hold_no_figures(strangle: kis_nb.Risk) -> None:
    """A page gets each spec once, and then rows alone."""
    for kind in (
        SCENARIOS,
        RISK_CURVE,
        MARGIN_COMPONENTS,
    ):
        spec = kind.spec("en", "us")
        assert not split(spec)[1]
        assert kind.name in json.dumps(spec)
    assert _rows(charts.scenarios(strangle, at="night")) == _map(strangle, "ko", at="night")
    assert HEADLINE[0] in SPOTS
    assert HEADLINE[1] in VOLS


SVG = "{http://www.w3.org/2000/svg}"


def _outside(spec: dict[str, Any], width: int) -> list[str]:
    """The texts of a picture of this width over all that begin, end or reach up beyond it."""
    spec = adapt_to_paper(spec, "sans-serif") | {"width": width}
    root = fromstring(vl_convert.vegalite_to_svg(json.dumps(spec)))  # noqa: S314  # our own
    left, top, wide, high = (float(part) for part in root.attrib["viewBox"].split())
    found: list[str] = []

    def walk(node: Element, x: float, y: float) -> None:
        for by in re.findall(r"translate\(([^)]*)\)", node.get("transform", "")):
            dx, dy = (float(part) for part in re.split(r"[ ,]+", by.strip()))
            x, y = x + dx, y + dy
        text = "".join(node.itertext())
        if node.tag == f"{SVG}text" and text.strip() and "rotate" not in node.get("transform", ""):
            size = float(node.get("font-size", "11px").removesuffix("px"))
            # Narrower than in any font: what it takes at the least.
            least = 0.3 * size * len(text)
            anchor = {"end": 1.0, "middle": 0.5}.get(node.get("text-anchor", ""), 0.0)
            begin = x - anchor * least
            inside = left - 1 <= begin and begin + least <= left + wide + 1
            if not (inside and top <= y - 0.7 * size and y <= top + high):
                found.append(text)
        for child in node:
            walk(child, x, y)

    walk(root, 0.0, 0.0)
    return found


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_text_of_a_picture_is_inside_it(pulled: kis_nb.Risk, lang: Any) -> None:
    """vl-convert lays out once: a head that broke into two lines then would push the title out."""
    made = [draw(pulled, lang=lang).to_dict() for draw in KINDS]
    with kis_nb.connect(demo=True) as client:
        (account,) = [one for one in client.accounts if one.masked.startswith("700")]
        balance = client.balance(account)
    made += [draw(balance, lang=lang).to_dict() for draw in (charts.payoff, charts.pnl)]
    for spec in made:
        for width in (600, 680, 760, 1_000):
            assert _outside(spec, width) == [], (spec["description"], width)


def test_units_and_names_are_those_of_the_frames(strangle: kis_nb.Risk) -> None:
    """Won in titles, the level's unit under its axis, and one word for one thing."""
    dollar = kis_nb.risk(make_balance(book(30)))
    langs: tuple[Lang, ...] = ("ko", "en")
    for place, lang in enumerate(langs):
        word = ("원", "won")[place]
        level, spot, vol = (LABELS[name][place] for name in ("level", "spot", "vol"))
        for draw in KINDS:
            title = draw(strangle, lang=lang).to_dict()["title"]["text"]
            assert title.endswith((f"{word})", f"{word}, CTFN7107R)"))
        points = ("포인트", "points")[place]
        assert _one(_curve(strangle, lang), "axis") == f"{level} ({points})"
        assert _one(_curve(dollar, lang, underlying="USD/KRW"), "axis") == f"{level} ({word})"
        texts = _texts(charts.scenarios(strangle, lang=lang))
        assert vol in texts
        assert any(text.startswith(f"{spot} · ") and points in text for text in texts)
        night = WORDS["moment"]["night"][place]
        assert night in _curve(strangle, lang)[0]["head"]
        assert night in _map(strangle, lang, at="night")[0]["head"]
    ko = charts.risk_curve(strangle).to_dict()["title"]["text"]
    assert ko == "기준가에 따른 평가손익 (추정, 원)"


def test_no_figure_is_cut_by_the_outline(strangle: kis_nb.Risk) -> None:
    """That of the outlined cell is in the first line alone; the first line's figure is bold."""
    chart = charts.scenarios(strangle, lang="en")
    cells = {(row["spot"], row["vol"]): row for row in _cells(_rows(chart))}
    asked = [place for place, row in cells.items() if row.get("asked")]
    assert asked == [HEADLINE]
    short = cells[HEADLINE]["short"]
    still, moved = _texts(chart), _texts(chart, risk_spot=HEADLINE[0], risk_vol=HEADLINE[1])
    assert still.count(short) == moved.count(short) + 1
    assert cells[HEADLINE]["told"] in moved
