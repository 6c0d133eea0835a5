"""The dashboard in JupyterLab: controls, figures, states and looks, by role, text and style."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.lab import Lab
from tests.leaks import Search

DEMO = "import kis_nb\nd = kis_nb.dashboard(demo=True)\nd"
# A broker of the test's own, whose clock does not move: two pulls bring the same figures.
BROKER = """
import json
import threading
import kis_nb
from kis_nb.demo import Book
from tests.faults import Broker, Fault
book = Book.sized({rows})
broker = Broker(book=book, clock=lambda: 1795356000.0, calls_per_second=0).start()
keys = [dict(account=account, app_key=app_key, app_secret=app_secret)
        for account, app_key, app_secret in broker.keys]
client = kis_nb.connect(keys=keys, retries={retries}, base_url=broker.address, calls_per_second=500)
"""
SHOW = "d = kis_nb.dashboard(client{more})\nd"


def broker(rows: int = 8, more: str = "", before: str = "", retries: int = 5) -> list[str]:
    """Cells: a broker with an account of so many rows, then the dashboard on it."""
    accounts = {"80012345-03": rows}
    return [BROKER.format(rows=accounts, retries=retries) + before, SHOW.format(more=more)]


def status(page: Page) -> Locator:
    """The status line."""
    return page.locator(".kis-status")


def wait_drawn(page: Page) -> None:
    """Wait until figures and the last of the charts are there."""
    expect(status(page)).to_contain_text("as of")
    for name in ("pnl", "margin", "views", "book", "payoff"):
        expect(page.locator(f".kis-{name} svg")).to_be_visible()


def open_dashboard(lab: Lab, *cells: str, accounts: dict[str, int] | None = None) -> Page:
    """Open a dashboard on a broker of its own and wait until it is drawn.

    Args:
        lab: the window.
        cells: further cells of the notebook, from number 2; they are not run.
        accounts: how many rows each account has.
    """
    setup, show = broker()
    if accounts is not None:
        setup = BROKER.format(rows=accounts, retries=5)
    page = lab.open([setup, show, *cells])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    return page


def not_stale(page: Page) -> None:
    """Wait until what is shown is what is chosen."""
    expect(page.locator(".kis-dashboard")).not_to_have_class(re.compile(r"kis-stale"))


def opacity(target: Locator) -> float:
    """How opaque an element is, after its transitions."""
    return float(
        target.evaluate(
            "async e => { await Promise.all(e.getAnimations().map(a => a.finished));"
            " return getComputedStyle(e).opacity; }"
        )
    )


def printed(lab: Lab, index: int) -> Any:
    """What a cell printed, read as JSON."""
    return json.loads("".join(o["text"] for o in lab.outputs()[index] if "text" in o))


def test_codes_drive_figures_and_charts(lab: Lab) -> None:
    """Both toggles change the status line, the explanation, the head line and the charts."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    line = r"800\*{5}-03 · MGNA_DVSN=01 · EXCC_STAT_CD=1 · 64 rows · 4 pages"
    line += r" · as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d KST · DEMO"
    expect(status(page)).to_have_text(re.compile(f"^{line}$"))
    used = page.locator(".kis-card-margin .kis-value").inner_text()
    page.get_by_role("radio", name="유지 02").check()
    expect(status(page)).to_contain_text("MGNA_DVSN=02 · EXCC_STAT_CD=1")
    expect(page.locator(".kis-card-margin .kis-value")).not_to_have_text(used)
    expect(page.locator(".kis-explain")).to_contain_text("보유 포지션을 유지하는 데 필요한")
    pnl = page.locator(".kis-card-pnl .kis-value").inner_text()
    page.get_by_role("radio", name="본정산 2").check()
    expect(status(page)).to_contain_text("MGNA_DVSN=02 · EXCC_STAT_CD=2")
    expect(page.locator(".kis-card-pnl .kis-value")).not_to_have_text(pnl)
    for chart in ("pnl", "margin"):
        expect(page.locator(f".kis-{chart} svg")).to_contain_text("유지 02 · 본정산 2")
    not_stale(page)


# Every frame while one code is clicked after the other: what a person would see as a flicker.
FLICKERS = """async root => {
    const radios = [...root.querySelectorAll(".kis-mgna-dvsn input, .kis-excc-stat-cd input")];
    const seen = new Set();
    const tall = root.getBoundingClientRect().height;
    let clicks = 0, frames = 0, next = 0;
    while (clicks < 8) {
        await new Promise(requestAnimationFrame);
        // Six frames a click at least: a busy machine has few.
        if (performance.now() > next && frames >= 6 * clicks) {
            radios[clicks++ % 4 ^ 1].click();
            next = performance.now() + 250;
        }
        frames++;
        for (const name of ["pnl", "margin", "views", "book", "payoff"]) {
            const drawn = [...root.querySelectorAll(`.kis-${name} svg.marks`)]
                .filter(svg => svg.checkVisibility({visibilityProperty: true}));
            if (drawn.length !== 1) seen.add(`${drawn.length} of ${name}`);
            else if (drawn[0].querySelectorAll("path").length < 3) seen.add("blank " + name);
        }
        if (!root.querySelector(".kis-positions tbody tr")) seen.add("no table");
        if (Math.abs(root.getBoundingClientRect().height - tall) > 1) seen.add("another height");
    }
    return {seen: [...seen], frames};
}"""


def test_nothing_flickers(lab: Lab) -> None:
    """From click to click no frame has a chart missing or blank, or is of another height."""
    page = lab.open(broker(30))
    lab.run_all()
    expect(page.locator(".kis-views svg")).to_contain_text("유지 02 · 본정산 2")
    wait_drawn(page)
    found = page.locator(".kis-dashboard").evaluate(FLICKERS)
    assert found["seen"] == []
    assert found["frames"] > 16


HUGE = """
def huge(page):
    row = page["output1"][0]
    row["evlu_pfls_amt"] = "-1234567890123456789"
    row["evlu_amt"] = "9223372036854775807"
    page["output2"]["prsm_dpast"] = "9007199254740993001"
    page["output2"]["evlu_pfls_amt_smtl"] = "-8000000000000000001"
    page["output2"]["trad_pfls_amt_smtl"] = "-1000000000000000002"
    page["output2"]["wdrw_psbl_tot_amt"] = ""
broker.fault(Fault(kind="mutate", change=huge, times=None))
"""


def test_figures_equal_the_decimals(lab: Lab) -> None:
    """Every figure of head line and table is the Decimal's, with 19 digits too; null is a dash."""
    cells = broker(8, before=HUGE)
    print_rows = (
        "rows = [{k: None if v is None else str(v) for k, v in row.items()}"
        " for row in d.balance.positions.to_dicts()]\nprint(json.dumps(rows))"
    )
    page = lab.open([*cells, print_rows])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    lab.run_cell(2)
    rows = printed(lab, 2)
    expect(page.locator(".kis-card-pnl .kis-value")).to_contain_text("▼ -9,000,000,000,000,000,003")
    expect(page.locator(".kis-card-equity .kis-value")).to_contain_text("9,007,199,254,740,993,001")
    expect(page.locator(".kis-card-withdrawable .kis-value")).to_have_text("–원")
    table = page.locator(".kis-positions tbody tr")
    expect(table).to_have_count(len(rows))
    heads = page.locator(".kis-positions thead button")
    names = [heads.nth(at).get_attribute("title") for at in range(heads.count())]
    for line, row in zip(table.all(), rows, strict=True):
        for name, text in zip(names, line.locator("td").all_inner_texts(), strict=True):
            if name in ("prdt_name", "shtn_pdno"):
                assert text == row[name].strip()
            elif name != "side":
                digits = re.sub(r"[▲▼+,\s]", "", text)
                assert pl.Series([digits, row[name or ""]]).cast(pl.Decimal(38, 8)).n_unique() == 1
    expect(page.locator(".kis-positions")).to_contain_text("-1,234,567,890,123,456,789")
    expect(page.locator(".kis-pnl svg")).to_contain_text("1,234,567,890,123,456,789")
    # The sum under the table is worked out on the page, and must not lose a digit either.
    total = sum(int(row["evlu_pfls_amt"]) for row in rows)
    expect(page.locator(".kis-positions tfoot")).to_contain_text(f"{total:,}")


def test_language_and_colours_change_live(lab: Lab) -> None:
    """One control changes every word, another every profit's colour; the choice of codes stays."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    page.get_by_role("radio", name="본정산 2").check()
    expect(status(page)).to_contain_text("EXCC_STAT_CD=2")
    down = page.locator(".kis-positions td.kis-down").first
    expect(down).to_have_css("color", "rgb(11, 92, 213)")
    page.get_by_role("combobox", name="언어").select_option("English")
    expect(page.get_by_role("radio", name="Purchase 2")).to_be_checked()
    expect(page.locator(".kis-head")).to_contain_text("Total P&L")
    expect(page.locator(".kis-positions")).to_contain_text("Market value")
    expect(page.locator(".kis-reconcile")).to_contain_text("Reconciliation")
    expect(page.locator(".kis-pnl svg")).to_contain_text("Profit and loss")
    inside = page.locator(".kis-dashboard")
    expect(inside.get_by_role("button", name="Refresh", exact=True)).to_be_visible()
    words = page.locator(".kis-dashboard").inner_text()
    left = set(re.findall("[가-힣]+", words)) - {"한국어"}
    names = page.locator(".kis-dashboard td, .kis-dashboard svg text").all_text_contents()
    assert left <= set(re.findall("[가-힣]+", " ".join(names)))
    page.get_by_role("combobox", name="P&L colours").select_option("▲ green ▼ red")
    expect(down).to_have_css("color", "rgb(200, 16, 46)")
    expect(page.locator(".kis-positions td.kis-up").first).to_have_css("color", "rgb(8, 127, 63)")
    expect(status(page)).to_contain_text("EXCC_STAT_CD=2")


def test_follows_the_theme(lab: Lab) -> None:
    """Dark and light, live: paper and ink are Lab's own, and profit keeps its contrast."""
    page = lab.open([DEMO], theme="dark")
    lab.run_all()
    wait_drawn(page)
    down = page.locator(".kis-positions td.kis-down").first
    expect(down).to_have_css("color", "rgb(110, 168, 255)")
    lab.set_theme("light")
    expect(down).to_have_css("color", "rgb(11, 92, 213)")
    ink = page.evaluate(
        "() => { const p = document.createElement('p'); p.style.color = 'var(--jp-ui-font-color1)';"
        " document.body.append(p); const c = getComputedStyle(p).color; p.remove(); return c; }"
    )
    expect(page.locator(".kis-card-equity .kis-value")).to_have_css("color", ink)


def test_controls_have_roles_and_names(lab: Lab) -> None:
    """Every control is found by its role and name, reached by keyboard, and has its state."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    for name in ("계좌", "자동 새로고침", "언어", "손익 색"):
        expect(page.get_by_role("combobox", name=name)).to_be_enabled()
    margin = page.get_by_role("radiogroup", name="증거금구분 MGNA_DVSN")
    expect(margin.get_by_role("radio", name="개시 01")).to_be_checked()
    expect(page.get_by_role("radiogroup", name="정산상태코드 EXCC_STAT_CD")).to_be_visible()
    expect(page.get_by_role("radiogroup", name="손익 보기")).to_be_visible()
    expect(page.get_by_role("button", name="새로고침", exact=True)).to_be_enabled()
    expect(page.get_by_role("status").filter(has_text="MGNA_DVSN")).to_be_visible()
    expect(page.get_by_role("meter")).to_have_attribute("aria-valuetext", re.compile(r"%$"))
    margin.get_by_role("radio", name="개시 01").focus()
    page.keyboard.press("ArrowRight")
    expect(margin.get_by_role("radio", name="유지 02")).to_be_checked()
    expect(status(page)).to_contain_text("MGNA_DVSN=02")
    # No option's value, label or attribute holds an account in full.
    html = page.locator(".kis-dashboard").evaluate("e => e.outerHTML")
    for cano in ("80012345", "70045678", "50087654", "60098765"):
        assert cano not in html


def test_another_expiry_draws_another_payoff(lab: Lab) -> None:
    """The expiry control is found by its name, and the payoff names the day chosen."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    expiry = page.get_by_role("combobox", name="만기", exact=True)
    payoff = page.locator(".kis-payoff svg")
    first = expiry.input_value().split(" · ")
    expect(payoff).to_contain_text(f"만기 {first[0]} · {first[1]}")
    other = expiry.locator("option").last.get_attribute("value")
    assert other is not None
    expiry.select_option(other)
    day, legs = other.split(" · ")
    expect(payoff).to_contain_text(f"만기 {day} · {legs}")
    expect(payoff).to_contain_text(f"다른 만기: {first[0]} {first[1].removesuffix('종목')}")
    page.get_by_role("radio", name="미국달러").check()
    expect(payoff).to_contain_text("USD/KRW 만기 ")
    expect(expiry).not_to_have_value(other)
    page.get_by_label("언어").select_option("English")
    expect(page.get_by_role("combobox", name="Expiry", exact=True)).to_be_enabled()


def test_the_sum_of_the_table_says_what_it_lacks(lab: Lab) -> None:
    """A position without a price shows no P&L, and the sum of the others says how many it lacks."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    table = page.locator(".kis-positions")
    expect(table.locator("tbody td", has_text="가격 없음").first).to_be_attached()
    foot = table.locator("tfoot td", has_text="2종목 가격 없음 제외").first
    expect(foot).to_have_text(re.compile(r"^[+-]?[0-9,]+2종목 가격 없음 제외$"))


def test_empty_account_looks_designed(lab: Lab) -> None:
    """An account without positions has a sentence in place of each blank chart and table."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    page.locator(".kis-account select").select_option(index=3)
    expect(status(page)).to_contain_text("600*****-03")
    expect(status(page)).to_contain_text("0 rows")
    expect(page.locator(".kis-positions")).to_contain_text("보유 포지션 없음")
    expect(page.locator(".kis-pnl svg")).to_contain_text("보유 포지션 없음")
    expect(page.get_by_role("button", name="CSV 저장")).to_be_disabled()


def test_margin_call_is_a_warning(lab: Lab) -> None:
    """An account under a margin call shows the amount in an alert above everything else."""
    page = lab.open([DEMO])
    lab.run_all()
    wait_drawn(page)
    expect(page.locator(".kis-call")).to_be_hidden()
    page.locator(".kis-account select").select_option(index=1)
    alert = page.get_by_role("alert").filter(has_text="추가증거금")
    expect(alert).to_contain_text("원이 발생했습니다")
    amount = page.locator(".kis-card-additional .kis-value").inner_text().removesuffix("원")
    assert int(amount.replace(",", "")) > 0
    expect(alert).to_contain_text(amount)
    expect(page.locator(".kis-card-excess .kis-value")).to_contain_text("-")


CHART_HEIGHTS = """() => ["pnl", "margin", "views", "book", "payoff"].map(
    name => document.querySelector(`.kis-${name} svg`).getBoundingClientRect().height)"""


def test_five_hundred_positions_stay_quick(lab: Lab) -> None:
    """500 rows are all there; sorting puts them in the order of the exact figures. No chart is
    taller than 700 px.
    """
    page = lab.open(broker(500))
    lab.run_all()
    wait_drawn(page)
    rows = page.locator(".kis-positions tbody tr")
    expect(rows).to_have_count(500)
    page.get_by_role("button", name="평가손익금액").click()
    head = page.locator(".kis-positions th").filter(has_text="평가손익금액")
    expect(head).to_have_attribute("aria-sort", "descending")
    column = page.locator(".kis-positions tbody tr td:nth-child(6)").all_inner_texts()
    figures = [int(re.sub(r"[▲▼+,\s]", "", text)) for text in column]
    assert figures == sorted(figures, reverse=True)
    page.get_by_role("button", name="평가손익금액").click()
    expect(head).to_have_attribute("aria-sort", "ascending")
    page.get_by_role("searchbox", name="종목 찾기").fill("코스닥150")
    expect(rows.first).to_contain_text("코스닥150")
    assert 0 < rows.count() < 500
    assert max(page.evaluate(CHART_HEIGHTS)) <= 700
    page.get_by_role("radio", name="행사가별").check()
    expect(page.locator(".kis-book svg")).to_contain_text("나머지")
    assert max(page.evaluate(CHART_HEIGHTS)) <= 700


def test_missing_settings_are_a_sentence(own_lab: Lab) -> None:
    """Without a key the dashboard shows what is missing and what to do; no traceback."""
    cell = "import os\ndel os.environ['KIS_NB_DEMO']\nimport kis_nb\nkis_nb.dashboard()"
    page = own_lab.open([cell])
    own_lab.run_all()
    error = page.locator(".kis-error")
    expect(error).to_have_attribute("role", "alert")
    expect(error).to_contain_text("접속 설정이 없거나 맞지 않습니다.")
    expect(error).to_contain_text("kis_nb.dashboard(demo=True)")
    expect(page.get_by_role("radio", name="유지 02")).to_be_disabled()
    expect(page.locator(".kis-body")).to_be_hidden()


def test_no_account_is_a_sentence(lab: Lab) -> None:
    """A client without an account shows how to name one."""
    one_key = "app_key=broker.app_key, app_secret=broker.app_secret, accounts=[]"
    bare = BROKER.format(rows={}, retries=5).replace("keys=keys", one_key)
    page = lab.open([bare + "kis_nb.dashboard(client)"])
    lab.run_all()
    expect(page.locator(".kis-error")).to_contain_text("보여 줄 계좌가 없습니다.")


def test_a_refused_key_is_a_sentence(lab: Lab) -> None:
    """A wrong secret ends as one sentence with what to do, without the secret."""
    wrong = BROKER.format(rows={"80012345-03": 3}, retries=5).replace(
        "app_secret=app_secret", "app_secret='x' * 180"
    )
    page = lab.open([wrong + "d = kis_nb.dashboard(client, auto=5)\nd"])
    lab.run_all()
    error = page.locator(".kis-error")
    expect(error).to_contain_text("KIS가 앱키를 받아들이지 않았습니다.")
    expect(page.locator(".kis-note")).to_contain_text("자동 새로고침을 멈췄습니다")
    assert "xxxx" not in error.inner_text()


def test_an_error_keeps_the_last_figures(lab: Lab) -> None:
    """A closed gateway greys the figures, which stay with their age; recovery ends that."""
    close = "broker.fault(Fault(status=503, times=None))"
    page = lab.open([*broker(8, retries=0), close, "broker.clear_faults()"])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    expect(page.locator(".kis-progress")).to_be_hidden()
    before = page.locator(".kis-positions tbody").inner_text()
    lab.run_cell(2)
    page.get_by_role("button", name="새로고침", exact=True).click()
    expect(page.locator(".kis-error")).to_contain_text("KIS 서버에 연결하지 못했습니다.")
    expect(page.locator(".kis-dashboard")).to_have_class(re.compile(r"kis-stale"))
    assert opacity(page.locator(".kis-body")) < 0.6
    assert opacity(page.locator(".kis-cards")) < 0.6
    assert page.locator(".kis-positions tbody").inner_text() == before
    expect(page.locator(".kis-age")).to_have_text(re.compile(r"^\d+(초|분) 전$"))
    lab.run_cell(3)
    page.get_by_role("button", name="새로고침", exact=True).click()
    expect(page.locator(".kis-error")).to_be_hidden()
    not_stale(page)
    assert opacity(page.locator(".kis-body")) == 1


def test_a_slow_pull_shows_pages_and_can_be_cancelled(lab: Lab) -> None:
    """During a pull the old figures are greyed, its pages are counted, and it can be cancelled."""
    # The gateway keeps the third page to itself until the pull has been cancelled.
    hold = "sent, go = [], threading.Event()\n\ndef hold(page):\n    sent.append(1)\n"
    hold += "    if len(sent) > 2: go.wait()\n"
    hold += "broker.fault(Fault(kind='mutate', change=hold, times=None))"
    page = lab.open([*broker(64, before="client.balance()\n"), hold, "go.set()"])
    lab.run_cell(0)
    lab.run_cell(1)
    wait_drawn(page)
    expect(page.locator(".kis-progress")).to_be_hidden()
    lab.run_cell(2)
    page.get_by_role("button", name="새로고침", exact=True).click()
    progress = page.get_by_role("progressbar", name="잔고 불러오기")
    expect(progress).to_have_attribute("aria-valuetext", re.compile(r"^[1-4] / 4페이지$"))
    expect(page.locator(".kis-dashboard")).to_have_class(re.compile(r"kis-stale"))
    page.get_by_role("button", name="취소").click()
    expect(page.locator(".kis-note")).to_contain_text("조회를 취소했습니다")
    expect(progress).to_be_hidden()
    lab.run_cell(3)
    expect(status(page)).to_contain_text("64 rows")


def test_the_last_of_many_clicks_wins(lab: Lab) -> None:
    """200 clicks at random speed end in the view of the last click, and what is shown on the way
    names its own codes.
    """
    page = lab.open(broker(64))
    lab.run_all()
    wait_drawn(page)
    dice = random.Random(7)
    clicks = [(dice.randrange(4), dice.choice([0, 0, 1, 5, 15, 40])) for _ in range(200)]
    page.evaluate(
        """async clicks => {
            const radios = [...document.querySelectorAll(
                '.kis-mgna-dvsn input, .kis-excc-stat-cd input')];
            for (const [at, pause] of clicks) {
                radios[at].click();
                if (pause) await new Promise(done => setTimeout(done, pause));
            }
        }""",
        clicks,
    )
    margin = next(at for at, _ in reversed(clicks) if at < 2)
    basis = next(at for at, _ in reversed(clicks) if at >= 2)
    codes = f"MGNA_DVSN={['01', '02'][margin]} · EXCC_STAT_CD={['1', '2'][basis - 2]}"
    words = f"{['개시 01', '유지 02'][margin]} · {['정산 1', '본정산 2'][basis - 2]}"
    expect(status(page)).to_contain_text(codes)
    not_stale(page)
    for chart in ("pnl", "margin", "book", "payoff"):
        expect(page.locator(f".kis-{chart} svg")).to_contain_text(f"{words} ·")
    expect(page.locator(".kis-mgna-dvsn input").nth(margin)).to_be_checked()
    expect(page.locator(".kis-excc-stat-cd input").nth(basis - 2)).to_be_checked()


def test_rows_and_bars_select_each_other(lab: Lab) -> None:
    """A row selects its bar, a bar its row, and code sees both."""
    page = lab.open([*broker(8), "print(json.dumps(d.selected))"])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    row = page.locator(".kis-positions tbody tr").nth(1)
    name = row.locator("td").first.inner_text()
    row.click()
    expect(row).to_have_attribute("aria-selected", "true")
    bars = page.locator(".kis-pnl svg [aria-roledescription=bar]")
    mine = page.locator(f".kis-pnl svg [aria-roledescription=bar][aria-label^='{name}']").first
    expect(mine).to_have_attribute("opacity", "1")
    others = [bar for bar in bars.all() if name not in str(bar.get_attribute("aria-label"))]
    assert others
    expect(others[0]).not_to_have_attribute("opacity", "1")
    lab.run_cell(2)
    assert len(printed(lab, 2)) == 1
    other = str(others[0].get_attribute("aria-label")).split(":")[0]
    others[0].click(force=True)
    found = page.locator(".kis-positions tr[aria-selected=true]")
    expect(found.locator("td").first).not_to_have_text(name)
    expect(found).to_have_count(1)
    assert other.startswith(found.locator("td").first.inner_text())
    page.get_by_role("button", name="선택 해제").click()
    expect(found).to_have_count(0)


def test_a_brush_filters_the_table(lab: Lab) -> None:
    """Dragging over bars leaves their rows in the table; clearing brings all back."""
    page = lab.open(broker(8))
    lab.run_all()
    wait_drawn(page)
    rows = page.locator(".kis-positions tbody tr")
    expect(rows).to_have_count(8)
    bars = page.locator(".kis-pnl svg [aria-roledescription=bar]")
    first, second = bars.nth(0).bounding_box(), bars.nth(1).bounding_box()
    assert first is not None
    assert second is not None
    page.mouse.move(min(first["x"], second["x"]) - 4, min(first["y"], second["y"]) - 3)
    page.mouse.down()
    page.mouse.move(
        max(first["x"] + first["width"], second["x"] + second["width"]) + 4,
        max(first["y"] + first["height"], second["y"] + second["height"]) + 1,
        steps=6,
    )
    page.mouse.up()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="선택 해제").click()
    expect(rows).to_have_count(8)


def test_exports_hold_every_digit(lab: Lab, tmp_path: Path) -> None:
    """CSV, Excel and PNG come as files, named without the account; the CSV reads back exactly."""
    page = lab.open(broker(8, before=HUGE))
    lab.run_all()
    wait_drawn(page)
    for button, ending in (("CSV 저장", "csv"), ("Excel 저장", "xlsx"), ("차트 PNG", "png")):
        with page.expect_download() as waiting:
            page.get_by_role("button", name=button).click()
        name = waiting.value.suggested_filename
        assert re.fullmatch(rf"kis-800xxxxx-03-01-1-\d{{8}}-\d{{6}}\.{ending}", name)
        waiting.value.save_as(tmp_path / f"file.{ending}")
    frame = pl.read_csv(tmp_path / "file.csv", infer_schema=False)
    assert frame.height == 8
    assert frame["evlu_pfls_amt"][0] == "-1234567890123456789"
    assert frame["cano"][0] == "800*****"
    assert (tmp_path / "file.xlsx").read_bytes()[:2] == b"PK"
    assert (tmp_path / "file.png").read_bytes()[1:4] == b"PNG"
    assert (tmp_path / "file.png").stat().st_size > 20_000


def test_second_view_and_reload_show_the_same(lab: Lab) -> None:
    """Displayed in a second cell, and after a reload of the page, it shows what is chosen."""
    page = lab.open([DEMO, "d"])
    lab.run_cell(0)
    wait_drawn(page)
    page.get_by_role("radio", name="유지 02").check()
    expect(status(page)).to_contain_text("MGNA_DVSN=02")
    lab.run_cell(1)
    for cell in (0, 1):
        expect(lab.output(cell).locator(".kis-status")).to_contain_text("MGNA_DVSN=02")
        expect(lab.output(cell).locator(".kis-pnl svg")).to_contain_text("유지 02")
        expect(lab.output(cell).locator(".kis-positions tbody tr")).to_have_count(64)
    lab.save()
    lab.reload()
    second = lab.output(1)
    second.scroll_into_view_if_needed()
    expect(second.locator(".kis-status")).to_contain_text("MGNA_DVSN=02")
    expect(second.locator(".kis-pnl svg")).to_contain_text("유지 02")
    second.get_by_role("radio", name="개시 01").check()
    expect(second.locator(".kis-status")).to_contain_text("MGNA_DVSN=01")


def test_auto_refresh_goes_on_while_a_cell_runs(lab: Lab, tmp_path: Path) -> None:
    """A busy kernel delays neither auto-refresh nor drawing."""
    seen = tmp_path / "seen"
    busy = f"import os, time\nwhile not os.path.exists({str(seen)!r}): time.sleep(0.1)"
    page = lab.open([DEMO.replace("demo=True)", "demo=True, auto=5)"), busy])
    lab.run_cell(0)
    wait_drawn(page)
    lab.run_cell(1, wait=False)
    lab.wait_busy()
    for _ in range(2):
        expect(status(page)).not_to_have_text(status(page).inner_text())
    seen.touch()
    lab.wait_idle()


@pytest.mark.parametrize("keep", [False, True])
def test_saved_notebook_holds_nothing_private(own_lab: Lab, *, keep: bool) -> None:
    """After a full session, with widget state saved and not: no product number, no account and no
    secret; and no figure but those of the dashboard's head, which stand in the output for it alone.
    """
    secrets = "rows = [*client.balance().positions['pdno']]\n"
    secrets += "token = broker.calls[-1].headers['authorization'].split()[-1]\n"
    secrets += "print(json.dumps([[broker.app_key, broker.app_secret, token], rows]))"
    page = own_lab.open(
        [*broker(8), "d", secrets],
        settings={"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": keep}},
    )
    for cell in (0, 1, 2):
        own_lab.run_cell(cell)
    expect(own_lab.output(2).locator(".kis-payoff svg")).to_be_visible()
    own_lab.run_cell(3)
    own, rows = printed(own_lab, 3)
    own_lab._evaluate("panel.content.model.cells.get(3).outputs.clear();")
    first = own_lab.output(1)
    first.get_by_role("radio", name="유지 02").check()
    first.get_by_role("combobox", name="언어").select_option("English")
    first.locator(".kis-positions tbody tr").first.click()
    first.get_by_role("button", name="Refresh").click()
    expect(first.locator(".kis-status")).to_contain_text("MGNA_DVSN=02")
    figures = first.locator(".kis-positions td.kis-number").all_inner_texts()
    names = first.locator(".kis-positions tbody td:first-child").all_inner_texts()
    saved = own_lab.save()
    # All but the source, in which the test itself names the account.
    held = [cell["outputs"] for cell in saved["cells"]]
    text = json.dumps([saved["metadata"], held], ensure_ascii=False)
    assert ("application/vnd.jupyter.widget-state+json" in text) is keep
    Search(*own).look(text, "the saved notebook")
    assert not [row for row in rows if row in text]
    heads = [
        output["data"].pop("text/html")
        for outputs in held
        for output in outputs
        if "kis-saved" in "".join(output.get("data", {}).get("text/html", ""))
    ]
    assert len(heads) == 2
    text = json.dumps([saved["metadata"], held], ensure_ascii=False)
    long = {f.strip("▲▼ +") for f in figures if len(f) > 8}
    assert long
    for word in [*long, *names]:
        assert word not in text, f"{word[:4]}… is in the saved notebook"
    assert page.locator(".kis-dashboard").count() == 2


def test_close_leaves_nothing(lab: Lab) -> None:
    """A closed dashboard is off the page, with its threads and its channels ended."""
    close = """
from tests.ended import close_and_join
close_and_join(d)
print(json.dumps([one.name for one in threading.enumerate() if "kis_nb" in one.name]))
"""
    page = lab.open([*broker(8, more=", auto=5"), close])
    for cell in (0, 1):
        lab.run_cell(cell)
    wait_drawn(page)
    page.locator(".kis-positions tbody tr").first.click()
    lab.run_cell(2)
    expect(page.locator(".kis-dashboard")).to_have_count(0)
    assert printed(lab, 2) == []


def test_show_draws_without_a_client(lab: Lab) -> None:
    """One balance alone: figures, charts and table, and no control that would need a client."""
    cell = "import kis_nb\nb = kis_nb.connect(demo=True).balance('80012345-03')\nkis_nb.show(b)"
    page = lab.open([cell])
    lab.run_all()
    wait_drawn(page)
    expect(status(page)).to_contain_text("64 rows")
    expect(page.locator(".kis-refresh")).to_have_count(0)
    expect(page.locator(".kis-account")).to_have_count(0)
    page.get_by_role("radio", name="선물·옵션").check()
    expect(page.locator(".kis-pnl svg")).to_contain_text("선물평가손익금액")


def test_code_drives_and_observes(lab: Lab) -> None:
    """Traits set by code change controls and figures; a wrong code changes nothing."""
    drive = "d.mgna_dvsn, d.excc_stat_cd, d.account = '02', '2', '70045678-03'"
    look = (
        "import json\nprint(json.dumps([d.balance.mgna_dvsn, d.balance.excc_stat_cd,"
        " repr(d.account), d.account == '70045678-03', repr(d)]))"
    )
    page = lab.open([DEMO, drive, look])
    lab.run_cell(0)
    wait_drawn(page)
    lab.run_cell(1)
    expect(status(page)).to_contain_text("700*****-03 · MGNA_DVSN=02 · EXCC_STAT_CD=2")
    expect(page.get_by_role("radio", name="유지 02")).to_be_checked()
    expect(page.get_by_role("radio", name="본정산 2")).to_be_checked()
    lab.run_cell(2)
    assert printed(lab, 2) == ["02", "2", "700*****-03", True, "<KisDashboard>"]
