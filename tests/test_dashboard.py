"""The dashboard without a browser: its words and figures, its files, its traits, and its end."""

from __future__ import annotations

import gc
import io
import queue
import re
import threading
import weakref
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import altair as alt
import polars as pl
import pytest
import traitlets

import kis_nb
from kis_nb._account import Account
from kis_nb._choices import AUTO_SECONDS
from kis_nb._codes import Basis, Margin, View
from kis_nb._dashboard import (
    error_texts,
    page_layout,
    summary_cards,
    tables,
    texts,
)
from kis_nb._dashboard import status as status_module
from kis_nb._dashboard.balance_cache import view_of
from kis_nb._dashboard.chart_data import ChartData, comparison_rows
from kis_nb._dashboard.chart_panel import ChartPanel
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.dashboard import Dashboard
from kis_nb._dashboard.displayed_balances import DisplayedBalances
from kis_nb._dashboard.downloads import as_csv, as_excel
from kis_nb._dashboard.early_pull import EarlyPull
from kis_nb._dashboard.fetch_state import FetchState
from kis_nb._dashboard.status import DashboardStatus
from kis_nb._errors import (
    ApiError,
    AuthError,
    ConfigError,
    DecimalError,
    KisError,
    PaginationError,
    RateLimitError,
    TransportError,
)
from kis_nb._frames.balance import Balance
from kis_nb._frames.moments import SAME_MOMENT
from kis_nb._frames.position_products import products_of
from kis_nb._frames.text import status_line
from kis_nb._schema.night_balance import POSITIONS, SUMMARY
from kis_nb.demo import Book
from tests.ended import close_and_join
from tests.factories import book, make_balance, position
from tests.faults import Broker, Fault
from tests.workbooks import cells

PATIENCE = 20.0
HUGE = Decimal(-1234567890123456789)
EQUITY = "equity at this moment"


def balance(*args: Any, **more: Any) -> Balance:
    """A made balance that reconciles nothing."""
    return make_balance(*args, **more)


def card(cards: list[dict[str, Any]], key: str) -> dict[str, Any]:
    return next(one for one in cards if one["key"] == key)


# --- words ------------------------------------------------------------------------------------


def test_every_sentence_is_in_both_languages() -> None:
    """No sentence is missing or the same in the other language's place."""
    for key, (ko, en) in texts._TEXTS.items():
        assert ko, key
        assert en, key
        assert not re.search("[가-힣]", en), key
        assert set(re.findall(r"{(\w+)}", ko)) == set(re.findall(r"{(\w+)}", en)), key


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ConfigError("no app key"), "settings"),
        (AuthError("refused"), "refused the app key"),
        (RateLimitError("too many"), "rate"),
        (TransportError("no answer"), "could not be reached"),
        (ApiError("unknown account"), "refused this enquiry"),
        (DecimalError("1,234"), "not as documented"),
        (PaginationError("stuck"), "did not come whole"),
        (KisError("?"), "failed"),
        (None, "unforeseen"),
    ],
)
def test_each_error_has_its_sentence(error: KisError | None, says: str) -> None:
    """Every kind of error says what happened and what to do, in both languages."""
    for lang in ("ko", "en"):
        told = error_texts.error_text(error, lang)
        assert told.what
        assert told.todo
        assert "Traceback" not in told.detail
    assert says in error_texts.error_text(error, "en").what
    assert re.search("[가-힣]", error_texts.error_text(error, "ko").todo)


# --- figures ----------------------------------------------------------------------------------


def test_status_line_is_as_designed() -> None:
    """One line: account, codes, rows, pages, moment, and DEMO in the demo."""
    made = balance(book(25), demo=True, mgna_dvsn="02")
    assert status_line(made) == (
        "800*****-03 · MGNA_DVSN=02 · EXCC_STAT_CD=1 · 25 rows · 2 pages"
        " · as of 2026-11-22 23:15:04 KST · DEMO"
    )


def test_head_line_is_exact() -> None:
    """Sums of 19-digit amounts keep every digit, and the sign is told by an arrow too."""
    made = balance(
        evlu_pfls_amt_smtl=HUGE,
        trad_pfls_amt_smtl=HUGE,
        prsm_dpast="9007199254740993001",
        mgna_tota="1",
        tot_dncl_amt="3",
    )
    cards = summary_cards.cards(made, None, None, "en")
    assert card(cards, "pnl")["value"] == "▼ -2,469,135,780,246,913,578"
    assert card(cards, "equity")["value"] == "9,007,199,254,740,993,001"
    assert card(cards, "margin")["value"] == "33.3%"


def test_what_the_payoff_leaves_out_is_a_count() -> None:
    """One short line with how many positions, by reason, however many there are."""
    rows = [position(f"X{n:05}", "이름 없는 것") for n in range(30)]
    line = ChartData(balance(rows), None, "en").left_out()
    assert line.startswith("30 left out: ")
    assert "이름 없는 것" not in line
    assert len(line) < 100
    assert ChartData(balance([]), None, "en").left_out() == ""


def test_null_is_a_dash_and_never_a_zero() -> None:
    """A figure that was not sent makes its sum, its percentage and its bar unknown."""
    made = balance(evlu_pfls_amt_smtl=None, trad_pfls_amt_smtl="5", tot_dncl_amt=None)
    cards = summary_cards.cards(made, None, None, "ko")
    assert card(cards, "pnl")["value"] == "–"
    assert card(cards, "margin")["value"] == "–"
    assert "bar" not in card(cards, "margin")


def test_changes_are_against_the_pull_before() -> None:
    """Each figure says what changed since the last pull of the same view, and nothing before it."""
    before = balance(prsm_dpast="1000", trad_pfls_amt_smtl="-10")
    after = balance(prsm_dpast="900", trad_pfls_amt_smtl="20")
    cards = summary_cards.cards(after, before, None, "ko")
    assert card(cards, "equity")["change"]["text"] == "▼ -100"
    assert card(cards, "pnl")["change"]["text"] == "▲ +30"
    assert card(cards, "orderable")["change"]["text"] == "변동 없음"
    assert card(summary_cards.cards(after, None, None, "ko"), "equity")["change"] is None


def test_excess_margin_is_equity_less_maintenance_margin() -> None:
    """The distance to a margin call needs the maintenance margin, and says so without it."""
    made = balance(prsm_dpast="1000", mmga_tot_amt="0")
    upkeep = balance(mgna_dvsn="02", mgna_tota="400")
    excess = card(summary_cards.cards(made, None, upkeep, "en"), "excess")
    assert excess["value"] == "600"
    assert "60.0% of equity" in excess["sub"][0]["label"]
    unknown = card(summary_cards.cards(made, None, None, "en"), "excess")
    assert unknown["value"] == "–"
    assert "02" in unknown["sub"][0]["label"]
    short = balance(mgna_dvsn="02", mgna_tota="1500")
    assert card(summary_cards.cards(made, None, short, "en"), "excess")["warning"]


def test_margin_call_is_a_sentence() -> None:
    """Above zero it is said with its amount; at zero and when not told nothing is said."""
    assert "61,631,084" in str(summary_cards.call(balance(add_mgna_tota="61631084"), "ko"))
    assert summary_cards.call(balance(add_mgna_tota="0"), "ko") is None
    assert summary_cards.call(balance(add_mgna_tota=None), "ko") is None


# --- table, reconciliation --------------------------------------------------------------------


def test_table_sorts_by_exact_figures() -> None:
    """Amounts that a float could not tell apart have ranks in their order; null has none."""
    values = ["9007199254740993", "9007199254740992", "-9007199254740993", None]
    rows = [
        position(f"A{n}", evlu_pfls_amt=None if v is None else Decimal(v))
        for n, v in enumerate(values)
    ]
    made = tables.table(balance(rows), "ko")
    at = [column["key"] for column in made["columns"]].index("evlu_pfls_amt")
    ranks = [row["ranks"][at] for row in made["rows"]]
    assert ranks[3] is None
    assert ranks[2] < ranks[1] < ranks[0]
    assert made["rows"][0]["cells"][at] == "▲ +9,007,199,254,740,993"
    assert made["rows"][3]["cells"][at] == "–"


def test_two_rows_of_one_product_stay_two() -> None:
    """Long and short of one product, and rows without a number, have keys of their own."""
    rows = [position(side="long"), position(side="short"), position(pdno=None)]
    keys = tables.keys(balance(rows).positions)
    assert len(set(keys)) == 3


def test_checks_list_what_differs() -> None:
    """The panel counts every check and lists those with a difference, the largest first."""
    with Broker(book=Book.sized({"80012345-03": 30})) as broker:
        client = _client(broker)
        made = client.balance()
        client.close()
    told = tables.checks(made, "en")
    found = made.reconcile()
    judged = found.filter(pl.col("item") != EQUITY)
    assert sum(n for _, _, n in told["counts"]) == judged.height == found.height - 3
    # How the equities compare is listed always, below what differs.
    assert len(told["rows"]) == judged.filter(pl.col("difference") != 0).height + 3
    assert [row["item"] for row in told["rows"][-3:]] == [EQUITY] * 3
    # In Korean too, where no English word is left beside the fields' names.
    korean = tables.checks(made, "ko")["rows"]
    assert [row["item"] for row in korean[-3:]] == ["지금 자산"] * 3
    said = " ".join(row["what"] for row in korean)
    assert "추정치 prsm_dpast + futr_evlu_pfls_amt ↔ prsm_dpast" in said
    fields = {field.name for field in (*POSITIONS.fields, *SUMMARY.fields)}
    assert set(re.findall(r"[a-z]\w+", said, re.ASCII)) <= fields


# --- files ------------------------------------------------------------------------------------


def test_csv_keeps_order_and_digits() -> None:
    """The rows asked for, in the order asked, all columns, every digit; the account masked."""
    made = balance([position("A1", evlu_amt=HUGE), position("A2"), position("A3")])
    name, kind, content = as_csv(made, ["KR4A3", "KR4A1", "not there"])
    assert name == "kis-800xxxxx-03-01-1-20261122-231504.csv"
    assert kind == "text/csv"
    frame = pl.read_csv(io.BytesIO(content), infer_schema=False)
    assert frame["pdno"].to_list() == ["KR4A3", "KR4A1"]
    assert frame["evlu_amt"][1] == str(HUGE)
    assert frame.columns == made.positions.columns
    assert b"80012345" not in content


def test_excel_of_positions_has_labels() -> None:
    """The workbook is for people: labels of the language, and below the rows account and time."""
    made = balance([position("A1")], demo=True)
    name, _, content = as_excel(made, ["KR4A1"], "ko")
    assert name.endswith("-DEMO.xlsx")
    texts = [text for _, text in cells(content).values()]
    assert "평가손익금액" in texts
    assert status_line(made) in texts


# --- charts -----------------------------------------------------------------------------------


def test_charts_are_headed_by_their_own_codes() -> None:
    """Every chart's rows start with the codes and the moment of the balance on show."""
    one, two = balance(book(6)), balance(book(6), mgna_dvsn="02")
    choice = {
        "pnl_by": "position",
        "book_by": "product",
        "book_measure": "quantity",
        "payoff_on": "KOSPI 200",
    }
    data = ChartData(one, None, "en")
    heads = [data.rows(name, choice)[0]["head"] for name in ("pnl", "book", "payoff")]
    heads += [
        comparison_rows(name, [one, two], one, "en", "")[0]["head"] for name in ("margin", "views")
    ]
    for head in heads:
        assert head.startswith("Initial 01 · Settlement 1 · 23:15:04 KST")


def test_a_chart_is_sent_a_spec_for_a_new_style_only() -> None:
    """Other rows are offered to the chart that is there; another language or colour is a spec."""

    class View:
        def __init__(self) -> None:
            self.calls: list[tuple[Any, ...]] = []

        def draw(self, _spec: object, rows: dict[str, Any], *, variant: str) -> None:
            self.calls.append(("draw", rows["pnl"], variant))

        def offer(self, variants: dict[str, dict[str, Any]], shown: str) -> None:
            self.calls.append(("offer", {n: rows["pnl"] for n, rows in variants.items()}, shown))

    view = View()
    chart = ChartPanel("pnl", cast("Any", view))
    one, two = [{"key": "a"}], [{"key": "b"}]
    chart.show({"1": one, "2": two}, "1", "ko", "kr")
    chart.show({"1": one, "2": two}, "2", "ko", "kr")
    chart.show({"2": two}, "2", "en", "kr")
    assert view.calls == [
        ("draw", one, "1"),
        ("offer", {"1": one, "2": two}, "1"),
        ("offer", {"1": one, "2": two}, "2"),
        ("draw", two, "2"),
        ("offer", {"2": two}, "2"),
    ]


# --- status -----------------------------------------------------------------------------------


def _status(shown: Balance | None, state: FetchState, mgna_dvsn: str = "01") -> DashboardStatus:
    view = (Account.parse("80012345-03"), Margin(mgna_dvsn), Basis.SETTLEMENT)
    return DashboardStatus(view, shown, state, 4, auto=True, problem=None, lang="en")


@pytest.mark.parametrize(
    ("state", "wanted", "stale"),
    [
        (FetchState(), "01", False),
        (FetchState(), "02", True),
        (FetchState(busy=True), "01", True),
        (FetchState(busy=True, quiet=True), "01", False),
        (FetchState(failed=True), "01", True),
    ],
)
def test_what_is_not_sure_is_greyed(state: FetchState, wanted: str, stale: bool) -> None:  # noqa: FBT001
    """Another view's figures, a pull that is waited for and a failure grey what is displayed."""
    assert _status(balance(), state, wanted).stale is stale


def test_a_pull_of_other_codes_is_named() -> None:
    """While the wanted figures are not there, the ones on show say whose they are."""
    parts = _status(balance(), FetchState(busy=True, page=2), "02").parts()
    assert parts["note"] == "Below is an earlier pull"
    assert "MGNA_DVSN=01" in parts["status"]
    assert parts["busy"]["text"] == "page 2 of 4"
    (line,) = _status(None, FetchState(busy=True), "02").parts()["status"]
    assert line.endswith("EXCC_STAT_CD=1")


def test_waiting_for_a_token_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The progress says what is waited for, and until when, for the page to count down to."""
    monkeypatch.setattr(status_module, "time", SimpleNamespace(time=lambda: 1000.0))
    busy = _status(None, FetchState(busy=True, token_in=42.0)).parts()["busy"]
    assert busy["token"] == {"text": "Waiting for a token · {n} s", "until": 1042}
    assert _status(None, FetchState(busy=True)).parts()["busy"]["token"] is None


def test_backing_off_is_said() -> None:
    """After an error auto-refresh says when it tries again, or that it has stopped."""
    note = _status(None, FetchState(failed=True, retry_in=20)).parts()["note"]
    assert re.search(r"next try at \d\d:\d\d:\d\d KST$", note)
    assert "has stopped" in _status(None, FetchState(failed=True, stopped=True)).parts()["note"]


# --- controls, jobs ---------------------------------------------------------------------------


def test_controls_keep_their_choice_in_another_language() -> None:
    """Changing the words changes no value, and no control's repr holds an account."""
    controls = Controls(["800*****-03", "800*****-03 (2)"], "ko", "kr", 15)
    controls.set("mgna_dvsn", "02")
    controls.relabel("en")
    assert controls["mgna_dvsn"].value == "02"
    assert controls["auto"].value == 15
    assert ("Maintenance 02", "02") in controls["mgna_dvsn"].options
    assert controls["account"].value == 0
    assert "80012345" not in repr(controls["account"])
    controls.close()


DAYS = {"2026-12-07": 2, "2026-12-10": 1, "2027-03-11": 9}


def test_the_expiries_held_can_be_chosen() -> None:
    """The expiry control lists days and legs in both languages; it starts at the default."""
    controls = Controls(["a"], "en", "kr", 0)
    expiry = controls["payoff_expiry"]
    assert expiry.options == (("No expiry", ""),)
    controls.list_expiries(DAYS, "2026-12-10", "en")
    assert expiry.options == (
        ("2026-12-07 · 2 legs", "2026-12-07"),
        ("2026-12-10 · 1 leg", "2026-12-10"),
        ("2027-03-11 · 9 legs", "2027-03-11"),
    )
    assert expiry.value == "2026-12-10"
    controls.relabel("ko")
    assert expiry.options[0] == ("2026-12-07 · 2종목", "2026-12-07")
    assert expiry.value == "2026-12-10"
    assert controls.names("ko")["kis-payoff-expiry"] == "만기"
    assert controls.names("en")["kis-payoff-expiry"] == "Expiry"
    controls.close()


def test_a_chosen_expiry_stays_while_it_is_held() -> None:
    """A default gives way to a nearer one; a choice stays until it is no longer held, for good."""
    controls = Controls(["a"], "en", "kr", 0)
    expiry = controls["payoff_expiry"]
    controls.list_expiries({"2026-12-10": 1}, "2026-12-10", "en")
    controls.list_expiries(DAYS, "2026-12-07", "en")
    assert expiry.value == "2026-12-07"
    expiry.value = "2027-03-11"
    controls.list_expiries(DAYS | {"2026-12-14": 1}, "2026-12-07", "en")
    assert expiry.value == "2027-03-11"
    controls.list_expiries({"2026-12-10": 1}, "2026-12-10", "en")
    assert expiry.value == "2026-12-10"
    controls.list_expiries(DAYS, "2026-12-07", "en")
    assert expiry.value == "2026-12-07"
    controls.list_expiries({}, "", "en")
    assert expiry.value == ""
    controls.close()


def test_the_same_expiries_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pull that changes no expiry leaves a list that somebody has open alone."""
    controls = Controls(["a"], "en", "kr", 0)
    controls.list_expiries(DAYS, "2026-12-10", "en")
    sent: list[Any] = []
    monkeypatch.setattr(controls["payoff_expiry"], "_send", lambda *told, **_: sent.append(told))
    controls.list_expiries(dict(DAYS), "2026-12-10", "en")
    assert not sent
    monkeypatch.undo()
    controls.close()


def test_the_payoff_is_drawn_at_the_expiry_chosen() -> None:
    """Another day redraws the payoff; another underlying goes back to the default."""
    dashboard = kis_nb.show(balance(book(12)), lang="en")
    controls = dashboard._controls
    expiry, view = controls["payoff_expiry"], dashboard._page.charts["payoff"].view

    def told() -> str:
        first = view._rows["payoff"][0]
        return f"{first['head']} | {first.get('left', '')}"

    assert [day for _, day in expiry.options] == ["2026-12-10", "2027-01-14"]
    assert expiry.value == "2026-12-10"
    assert "KOSPI 200 expiry 2026-12-10 · 7 legs | Other expiries: 2027-01-14 3" in told()
    expiry.value = "2027-01-14"
    assert "KOSPI 200 expiry 2027-01-14 · 3 legs | Other expiries: 2026-12-10 7" in told()
    controls["payoff_on"].value = "USD/KRW"
    assert expiry.options == (("2026-12-21 · 1 leg", "2026-12-21"),)
    assert "USD/KRW expiry 2026-12-21 · 1 leg" in told()
    controls["payoff_on"].value = "KOSPI 200"
    assert expiry.value == "2026-12-10"
    dashboard.close()


def test_a_balance_without_the_expiry_chosen_shows_the_default() -> None:
    """A payoff prepared for a choice of another balance draws the default expiry."""
    choice = {"payoff_on": "USD/KRW", "payoff_expiry": "2027-01-14"}
    rows = ChartData(balance(book(6)), None, "en").rows("payoff", choice)
    assert "USD/KRW expiry 2026-12-21" in rows[0]["head"]


def test_an_unknown_chart_has_no_rows() -> None:
    """A chart's name that is none of one balance is an error, not the payoff."""
    with pytest.raises(ValueError, match="margin"):
        ChartData(balance(book(6)), None, "en").rows("margin", {})


def test_jobs_run_in_order_until_closed() -> None:
    """What pages ask for is done in its order; a closed dashboard takes nothing."""
    dashboard = kis_nb.show(balance())
    done: list[int] = []
    over = threading.Event()
    for number in range(5):
        dashboard._jobs.run(lambda number=number: done.append(number))  # type: ignore[misc]
    dashboard._jobs.run(over.set)
    assert over.wait(PATIENCE)
    dashboard.close()
    dashboard._jobs.run(lambda: done.append(99))
    assert done == [0, 1, 2, 3, 4]


def test_close_waits_for_no_job() -> None:
    """A dashboard closes while a job hangs, and drops the jobs after it."""
    dashboard = kis_nb.show(balance())
    began, go, ended = threading.Event(), threading.Event(), threading.Event()
    done: list[int] = []

    def hang() -> None:
        began.set()
        go.wait(PATIENCE)
        ended.set()

    dashboard._jobs.run(hang)
    dashboard._jobs.run(lambda: done.append(1))
    assert began.wait(PATIENCE)
    dashboard.close()
    assert not ended.is_set()
    go.set()
    assert ended.wait(PATIENCE)
    dashboard._jobs.close(finish=True, wait=True)
    assert done == []


def test_a_failing_job_ends_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception in a job is reported, and the jobs after it are done."""
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))
    dashboard, over = kis_nb.show(balance()), threading.Event()
    nothing: list[None] = []
    dashboard._jobs.run(nothing.pop)
    dashboard._jobs.run(over.set)
    assert over.wait(PATIENCE)
    dashboard.close()
    assert raised == [IndexError]


def test_auto_refresh_offers_what_the_docstring_names() -> None:
    """The intervals of the control, their labels, and the argument's description agree."""
    controls = Controls(["a"], "en", "kr", 0)
    labels = [label for label, _ in controls["auto"].options]
    assert labels == ["Off", "5 s", "15 s", "30 s", "1 min", "5 min"]
    controls.close()
    described = str(kis_nb.dashboard.__doc__).partition("auto: ")[2].partition(".")[0]
    assert tuple(map(int, re.findall(r"\d+", described))) == AUTO_SECONDS


# --- which balances are compared --------------------------------------------------------------


class Held:
    """A fetcher with an initial and a maintenance balance cached, so many seconds apart."""

    def __init__(self, apart: float, *, renewing: bool = False) -> None:
        self.refreshing = renewing
        self._apart = apart
        self.first = balance(prsm_dpast="1000", mgna_tota="400")
        other = balance(mgna_dvsn="02", mgna_tota="300")
        # The time of day says an hour more: it is not what tells the two apart.
        self.second = replace(other, as_of=other.as_of + timedelta(hours=1))

    def cached(self, view: View) -> Balance | None:
        held = {view_of(one): one for one in (self.first, self.second)}
        return held.get(view)

    def previous(self, _view: View) -> None:
        return None

    def seconds_between(self, one: View, other: View) -> float:
        return 0.0 if one == other else self._apart

    def excess(self) -> tuple[str, str]:
        """The excess margin's figure, and the texts below it."""
        displayed = DisplayedBalances(cast("Any", self), None)
        told = card(displayed.cards(displayed.current(view_of(self.first), "en"), "en"), "excess")
        return told["value"], " ".join(part["label"] for part in told["sub"])

    def beside(self) -> str:
        """The margin chart's head."""
        displayed = DisplayedBalances(cast("Any", self), None)
        data = displayed.chart_data(view_of(self.first), "en")
        assert data is not None
        return str(displayed.chart_rows("margin", data, {})[0]["head"])


def test_maintenance_of_the_same_moment_is_unmarked() -> None:
    """Within some seconds card and chart show it as it is."""
    held = Held(4)
    assert held.excess()[0] == "700"
    assert "as of" not in held.excess()[1]
    assert "as of" not in held.beside()


@pytest.mark.parametrize("renewing", [False, True])
def test_maintenance_of_another_moment_says_when(*, renewing: bool) -> None:
    """Further apart its time stands beside it, on the card and over the chart."""
    held = Held(250 if renewing else 30, renewing=renewing)
    figure, below = held.excess()
    assert figure == "700"
    assert below.startswith("before a margin call · maintenance margin as of 00:15:04 ")
    assert "other views as of 00:15:04" in held.beside()


def test_an_estimate_without_a_mark_is_of_the_same_moment() -> None:
    """What may take another view's estimate of the equity, which says no time, is no further apart
    than what needs none.
    """
    limit = SAME_MOMENT.total_seconds()
    assert "as of" not in Held(limit).excess()[1]
    assert "as of" in Held(limit + 0.1).excess()[1]


@pytest.mark.parametrize("renewing", [False, True])
def test_maintenance_of_long_ago_is_not_shown(*, renewing: bool) -> None:
    """Too far apart it is left out, also while pulls go on for ever."""
    held = Held(301 if renewing else 61, renewing=renewing)
    assert held.excess()[0] == "–"
    assert "as of" not in held.beside()


# --- the whole, on the embedded broker --------------------------------------------------------


def _client(broker: Broker) -> kis_nb.Client:
    keys = [
        {"account": account, "app_key": app_key, "app_secret": app_secret, "name": name}
        for (account, app_key, app_secret), name in zip(
            broker.keys, ("헤지", "Spreads"), strict=False
        )
    ]
    return kis_nb.connect(keys=keys, base_url=broker.address)


class Watch:
    """Waits until a dashboard's balance is as wanted."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._changed = threading.Condition()
        self._dashboard = dashboard
        dashboard.observe(self._hear, "balance")

    def _hear(self, _change: object) -> None:
        with self._changed:
            self._changed.notify_all()

    def until_account(self, account: str) -> Balance:
        """That account's balance."""

        def there() -> bool:
            now = self._dashboard.balance
            return now is not None and now.account == account

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE)
        return cast("Balance", self._dashboard.balance)

    def until(self, mgna_dvsn: str = "01", excc_stat_cd: str = "1") -> Balance:
        def there() -> bool:
            now = self._dashboard.balance
            return now is not None and (now.mgna_dvsn, now.excc_stat_cd) == (
                mgna_dvsn,
                excc_stat_cd,
            )

        with self._changed:
            assert self._changed.wait_for(there, PATIENCE)
        return cast("Balance", self._dashboard.balance)


@pytest.fixture
def small(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Broker, Dashboard]]:
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    with Broker(book=Book.sized({"80012345-03": 5, "70045678-03": 2})) as broker:
        client = _client(broker)
        dashboard = kis_nb.dashboard(client)
        yield broker, dashboard
        dashboard.close()
        client.close()


def _unnamed(page: dict[str, Any]) -> None:
    for row in page["output1"]:
        row["prdt_name"] = ""


def test_the_master_files_come_in_the_background(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What code and name leave open is fetched once, without the first balance waiting for it, and
    drawn when it is there.
    """
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    told: queue.SimpleQueue[str] = queue.SimpleQueue()
    came = threading.Event()
    with Broker(book=Book.sized({"80012345-03": 30})) as broker, _client(broker) as client:
        broker.fault(kind="mutate", change=_unnamed, times=None)
        fetch = client.master.fetch
        monkeypatch.setattr(client.master, "fetch", lambda: came.wait(PATIENCE) and fetch())
        dashboard = kis_nb.dashboard(client)
        show = dashboard._page.note.show

        def hear(parts: dict[str, Any]) -> None:
            told.put(parts["note"])
            show(parts)

        monkeypatch.setattr(dashboard._page.note, "show", hear)
        Watch(dashboard).until()
        first = told.get(timeout=PATIENCE)
        assert first
        came.set()
        while told.get(timeout=PATIENCE) == first:
            pass
        assert {
            product.strike
            for product in products_of(dashboard.balance.positions, dashboard.balance.master)
        } != {None}
        files = [call.path for call in broker.calls if "/common/master/" in call.path]
        assert len(files) == len(set(files)) == 2
        dashboard.close()


def test_the_master_files_hold_no_closed_dashboard(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed dashboard and its balances go while the files are still on their way."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    asked, came = threading.Event(), threading.Event()

    def fetch() -> None:
        asked.set()
        assert came.wait(PATIENCE)

    with Broker(book=Book.sized({"80012345-03": 30})) as broker, _client(broker) as client:
        broker.fault(kind="mutate", change=_unnamed, times=None)
        monkeypatch.setattr(client.master, "fetch", fetch)
        dashboard = kis_nb.dashboard(client)
        assert asked.wait(PATIENCE)
        downloading = client.master._background
        close_and_join(dashboard)
        gone = weakref.ref(dashboard)
        del dashboard
        gc.collect()
        assert gone() is None
        came.set()
        assert downloading is not None
        downloading.join(PATIENCE)
        assert not downloading.is_alive()


def test_the_first_chart_waits_for_no_other(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The P&L chart is drawn while the book's rows, which need the calendar, are still made."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    asked, came = threading.Event(), threading.Event()
    rows = ChartData.rows

    def slow(data: ChartData, chart: str, choice: Any) -> Any:
        if chart == "book":
            asked.set()
            assert came.wait(PATIENCE)
        return rows(data, chart, choice)

    monkeypatch.setattr(ChartData, "rows", slow)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client)
        charts = dashboard._page.charts
        assert asked.wait(PATIENCE)
        assert [name for name in charts if charts[name].is_drawn] == ["pnl", "margin", "views"]
        came.set()
        Watch(dashboard).until()
        assert all(chart.is_drawn for chart in charts.values())
        dashboard.close()


def test_the_first_pull_is_under_way_before_the_widgets(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dashboard asks for nothing a second time, and draws what came before it was there."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    came: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def made(*args: Any, **more: Any) -> None:
        early = more["early"]
        with early.fetcher._condition:
            early.fetcher._condition.notify_all()
        while early.fetcher.cached(early.fetcher._requested) is None:
            threading.Event().wait(0.005)
        came.put(early.fetcher._requested)
        init(*args, **more)

    init = Dashboard.__init__
    monkeypatch.setattr(Dashboard, "__init__", made)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client, mgna_dvsn="02", excc_stat_cd="2")
        assert came.get(timeout=PATIENCE) == (client.accounts[0], Margin.MAINTENANCE, "2")
        assert Watch(dashboard).until("02", "2").positions.height == 5
        assert all(chart.is_drawn for chart in dashboard._page.charts.values())
        asked = [call.query for call in broker.calls if call.page == 1]
        views = [(one["MGNA_DVSN"], one["EXCC_STAT_CD"]) for one in asked]
        assert views.count(("02", "2")) == 1
        dashboard.close()


@pytest.mark.parametrize("ended", ["before the widgets", "while they are made"])
def test_a_key_refused_before_the_dashboard_is_there_stops_auto_refresh(
    ended: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The head says so, and the client is not asked again."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    held, asked = threading.Event(), []

    def refused(*_args: Any, **_more: Any) -> Any:
        asked.append(1)
        assert held.wait(PATIENCE)
        raise AuthError("refused")

    def wait_for_the_end(fetcher: Any) -> None:
        held.set()
        # The refresh loop's thread is left.
        while len(fetcher._threads) > 1:
            threading.Event().wait(0.005)

    def made(*args: Any, **more: Any) -> None:
        if ended == "before the widgets":
            wait_for_the_end(more["early"].fetcher)
        init(*args, **more)

    def handed_over(early: Any, listener: Any) -> None:
        wait_for_the_end(early.fetcher)
        hand_over(early, listener)

    init, hand_over = Dashboard.__init__, EarlyPull.hand_over
    monkeypatch.setattr(Dashboard, "__init__", made)
    monkeypatch.setattr(EarlyPull, "hand_over", handed_over)
    monkeypatch.setattr(kis_nb.Client, "balance", refused)
    with Broker() as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client, auto=5, lang="en")
        head = dashboard._page.head.parts
        assert head["note"] == texts.say("auto_stopped", "en")
        assert not head["busy"]
        assert dashboard._fetcher is not None
        assert dashboard._fetcher._next_start is None
        assert asked == [1]
        dashboard.close()


def test_a_dashboard_that_cannot_be_made_ends_its_first_pull(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its threads end, and no drawing is waited for."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    begun: list[Any] = []

    def refuse(*_args: Any, **more: Any) -> None:
        begun.append(more["early"])
        raise MemoryError

    monkeypatch.setattr(Dashboard, "__init__", refuse)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        with pytest.raises(MemoryError):
            kis_nb.dashboard(client)
        (early,) = begun
        threads = set(early.fetcher._threads)
        for thread in threads:
            thread.join(PATIENCE)
        assert not any(thread.is_alive() for thread in threads)
        assert early.fetcher.request((client.accounts[0], Margin.INITIAL, Basis.PURCHASE)) is None


def test_a_refused_argument_pulls_nothing(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Language, colours, interval and codes are checked before any call goes out."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        wrong: list[dict[str, Any]] = [
            {"lang": "jp"},
            {"colors": "eu"},
            {"auto": 7},
            {"mgna_dvsn": "03"},
            {"excc_stat_cd": "3"},
            {"account": "nobody"},
        ]
        for one in wrong:
            with pytest.raises(ValueError, match=r"takes|not|no |valid"):
                kis_nb.dashboard(client, **one)
        assert broker.calls == []


def _page_of(monkeypatch: pytest.MonkeyPatch, patience: float) -> None:
    """Dashboards are made as in JupyterLab."""
    monkeypatch.setattr(page_layout, "front_end", lambda: "page")
    monkeypatch.setattr(page_layout, "_PATIENCE", patience)


def _is_late(dashboard: Dashboard) -> bool:
    """Whether the page knows of the first charts alone; it never knows of a part of the rest."""
    page = dashboard._page
    lower = [page.table, page.checks, page.note, page.charts["book"].view]
    lower.append(page.charts["payoff"].view)
    (late,) = {widget.comm is None for widget in lower}
    assert len(page._body.children) == (1 if late else 3)
    assert ("kis-book-by" in page.head.parts["names"]) is not late
    return late


def test_the_page_below_comes_when_the_first_chart_is_drawn(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then the kernel makes no rows of it and pulls no other view."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    _page_of(monkeypatch, PATIENCE)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client)
        charts = dashboard._page.charts
        while not charts["views"].is_drawn:
            threading.Event().wait(0.005)
        assert _is_late(dashboard)
        assert sum(call.page == 1 for call in broker.calls) == 1
        assert not charts["book"].is_drawn
        view = charts["pnl"].view
        assert view._tells_drawn
        view._on_message(view, {"type": "drawn"}, [])
        Watch(dashboard).until()
        assert not _is_late(dashboard)
        assert all(chart.is_drawn for chart in charts.values())
        dashboard.close()


def test_the_page_below_comes_without_a_word_from_the_page(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel may be busy with a cell, or nobody looks: after a while it is there too."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    _page_of(monkeypatch, 0.05)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client)
        Watch(dashboard).until()
        assert not _is_late(dashboard)
        dashboard.close()


def test_a_closed_page_gets_nothing_more(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a page reports after the dashboard was closed opens no channel, and closing waits for no
    page.
    """
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    _page_of(monkeypatch, PATIENCE)
    with Broker(book=Book.sized({"80012345-03": 5})) as broker, _client(broker) as client:
        dashboard = kis_nb.dashboard(client)
        while not dashboard._page.charts["views"].is_drawn:
            threading.Event().wait(0.005)
        assert dashboard._fetcher is not None
        (waiting,) = dashboard._fetcher._threads
        dashboard.close()
        assert not waiting.is_alive()
        dashboard._page._complete()
        assert dashboard._page.table.comm is None


def test_widgets_that_stay_share_layout_and_style(small: tuple[Broker, Dashboard]) -> None:
    """Each is a message to the page; only what can be hidden has a layout of its own."""
    _, dashboard = small

    def below(widget: Any) -> Iterator[Any]:
        yield widget
        for child in getattr(widget, "children", ()):
            yield from below(child)

    shown = list(below(dashboard))
    assert len(shown) > 30
    assert len({id(one.layout) for one in shown}) <= 7
    assert len({id(one.style) for one in shown if "style" in one.keys}) == 2


def test_traits_drive_and_observe(small: tuple[Broker, Dashboard]) -> None:
    """Codes set by code bring that view's balance; account and repr stay masked."""
    _, dashboard = small
    watch = Watch(dashboard)
    watch.until()
    dashboard.mgna_dvsn = "02"
    assert watch.until("02").mgna_dvsn is Margin.MAINTENANCE
    dashboard.excc_stat_cd = "2"
    watch.until("02", "2")
    dashboard.account = "700*****-03"
    assert dashboard.account == "70045678-03"
    assert repr(dashboard.account) == "700*****-03"
    assert repr(dashboard) == "<KisDashboard>"


class Pages:
    """Counts what a dashboard sends about its selection, and can be waited on."""

    def __init__(self, dashboard: Dashboard) -> None:
        self.sent: list[str] = []
        self.dashboard = dashboard
        for name, chart in dashboard._page.charts.items():
            self._listen(name, chart.view)
        self._listen("table", dashboard._page.table)

    def _listen(self, name: str, widget: Any) -> None:
        send = widget.send

        def hear(content: Any, buffers: Any = None) -> None:
            if content["type"] == "select" or "picked" in content.get("parts", {}):
                self.sent.append(name)
            send(content, buffers)

        widget.send = hear

    def settle(self) -> None:
        """Wait until the jobs, and those that they start, are done."""
        for _ in range(4):
            done = threading.Event()
            self.dashboard._jobs.run(done.set)
            assert done.wait(PATIENCE)


def test_selections_close_together_end(small: tuple[Broker, Dashboard]) -> None:
    """Two selections in one breath are told once each, and the last one stands everywhere."""
    _, dashboard = small
    Watch(dashboard).until()
    pages = Pages(dashboard)
    dashboard.selected = ("a",)
    dashboard.selected = ("b",)
    pages.settle()
    assert dashboard.selected == ("b",)
    assert len(pages.sent) == 2 * 6
    assert {chart.view.selected for chart in dashboard._page.charts.values()} == {("b",)}


def test_gestures_close_together_end_in_the_last(small: tuple[Broker, Dashboard]) -> None:
    """Gestures on table and chart count in the order of their page, however they arrive, and each
    is told with its number, so that the page can pass over what it has overtaken.
    """
    _, dashboard = small
    Watch(dashboard).until()
    charts = dashboard._page.charts
    pages = Pages(dashboard)
    dashboard._on_action("select", {"ids": ["a"], "number": 1}, "p")
    dashboard._on_action("select", {"ids": ["a", "b"], "number": 3}, "p")
    pages.settle()
    late = {"type": "select", "ids": ["c"], "page": "p", "number": 2}
    charts["pnl"].view._on_message(charts["pnl"].view, late, [])
    pages.settle()
    assert dashboard.selected == ("a", "b")
    assert dashboard._page.table._parts["picked"] == {
        "ids": ["a", "b"],
        "only": False,
        "page": "p",
        "number": 3,
    }
    assert {chart.view.selected for chart in charts.values()} == {("a", "b")}


def test_an_observer_that_fails_stops_nothing(
    small: tuple[Broker, Dashboard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an exception in an observer of `selected` the next gesture is heard."""
    _, dashboard = small
    Watch(dashboard).until()
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))

    def fail(change: Any) -> None:
        if change["new"] == ("a",):
            raise ZeroDivisionError

    dashboard.observe(fail, "selected")
    pages = Pages(dashboard)
    for number, name in enumerate("ab"):
        dashboard._on_action("select", {"ids": [name], "number": number}, "p")
    pages.settle()
    assert raised == [ZeroDivisionError]
    assert dashboard.selected == ("b",)


def test_what_fell_too_far_back_leaves_the_charts(small: tuple[Broker, Dashboard]) -> None:
    """When nothing renews them any more, views of long ago go from the charts, without a new
    balance.
    """
    _, dashboard = small
    fetcher = dashboard._fetcher
    assert fetcher is not None
    # Each pull begins the next before its thread ends: with none left all four are here.
    while threads := [*fetcher._threads]:
        for thread in threads:
            thread.join(PATIENCE)
    view = dashboard._page.charts["views"].view

    def lines() -> int:
        return len({str(row["key"]) for row in view._rows["views"]})

    beside = lines()
    fetcher.seconds_between = lambda one, other: 0.0 if one == other else 100.0  # type: ignore[method-assign]
    dashboard.on_state()
    assert lines() < beside


def test_pages_say_whether_somebody_looks(small: tuple[Broker, Dashboard]) -> None:
    """A page that shows the dashboard, and then takes it away, is heard by what fetches."""
    _, dashboard = small
    fetcher, head = dashboard._fetcher, dashboard._page.head
    assert fetcher is not None

    def say(what: str) -> None:
        head._on_message(head, {"type": "act", "what": what, "value": "view", "page": "p"}, [])

    assert not fetcher._page_views.all_removed
    say("shown")
    assert not fetcher._page_views.all_removed
    say("hidden")
    assert fetcher._page_views.all_removed
    say("shown")
    assert not fetcher._page_views.all_removed


def test_altairs_renderer_is_left_alone() -> None:
    """A dashboard that has drawn its charts has not changed how the user's own are drawn."""
    with alt.renderers.enable("default"):
        made = kis_nb.show(balance(book(4)))
        assert made._page.charts["pnl"].view._rows
        made.close()
        assert alt.renderers.active == "default"


def test_each_account_is_pulled_with_its_own_key(small: tuple[Broker, Dashboard]) -> None:
    """Two accounts with two keys toggle, and none is asked for with the other's."""
    broker, dashboard = small
    watch = Watch(dashboard)
    assert watch.until_account("80012345-03").positions.height == 5
    control = dashboard._controls["account"]
    control.value = 1
    assert watch.until_account("70045678-03").positions.height == 2
    control.value = 0
    watch.until_account("80012345-03")
    keys = {account[:8]: app_key for account, app_key, _ in broker.keys}
    pulls = [call for call in broker.calls if call.page]
    assert {call.query["CANO"] for call in pulls} == keys.keys()
    assert all(call.headers["appkey"] == keys[call.query["CANO"]] for call in pulls)
    assert {call.outcome for call in pulls} == {"ok"}


def test_the_account_control_shows_names(small: tuple[Broker, Dashboard]) -> None:
    """The name before the mask; an account can be chosen by its name, in any case of letters."""
    _, dashboard = small
    labels = [label for label, _ in dashboard._controls["account"].options]
    assert labels == ["헤지 · 800*****-03", "Spreads · 700*****-03"]
    dashboard.account = "spreads"
    assert dashboard.account == "70045678-03"
    dashboard.account = "헤지 · 800*****-03"
    assert dashboard.account == "80012345-03"


def test_an_account_without_a_key_is_refused(small: tuple[Broker, Dashboard]) -> None:
    """A client of several keys never asks for an account with another one's."""
    broker, dashboard = small
    with pytest.raises(ValueError, match=r"no app key is configured for 123\*{5}-03"):
        dashboard.account = "12345678-03"
    with (
        _client(broker) as client,
        pytest.raises(ValueError, match="no app key is configured"),
    ):
        kis_nb.dashboard(client, account="12345678-03")
    with _client(broker) as client:
        second = kis_nb.dashboard(client, account="Spreads")
        assert second.account == "70045678-03"
        second.close()


def test_a_wrong_code_is_refused(small: tuple[Broker, Dashboard]) -> None:
    """What is no code or no account raises, repeats no account, and changes nothing."""
    _, dashboard = small
    with pytest.raises(ValueError, match="MGNA_DVSN takes"):
        dashboard.mgna_dvsn = "03"
    with pytest.raises(ValueError, match="8 digits") as caught:
        dashboard.account = "8001234-503"
    assert "8001234" not in str(caught.value)
    assert dashboard.mgna_dvsn is Margin.INITIAL
    assert dashboard.account == "80012345-03"


def test_synced_state_holds_no_figure(small: tuple[Broker, Dashboard]) -> None:
    """No widget of it keeps a row, an amount or an account in what a notebook may save."""
    _, dashboard = small
    shown = Watch(dashboard).until()
    state = ""

    def walk(widget: Any) -> None:
        nonlocal state
        state += repr({k: v for k, v in widget.get_state().items() if k not in ("_esm", "_css")})
        for child in getattr(widget, "children", ()):
            walk(child)

    walk(dashboard)
    for name in shown.positions["pdno"]:
        assert name not in state
    assert "80012345" not in state
    assert f"{shown.summary['prsm_dpast'][0]}" not in state


def test_close_ends_every_thread(small: tuple[Broker, Dashboard]) -> None:
    """After close no thread of the dashboard lives, and closing twice is fine."""
    _, dashboard = small
    Watch(dashboard).until()
    dashboard.close()
    dashboard.close()
    names = {thread.name for thread in threading.enumerate()}
    assert "kis_nb-fetch" not in names


def test_an_error_is_kept_from_the_caller(small: tuple[Broker, Dashboard]) -> None:
    """A failing refresh raises nothing and leaves the last balance."""
    broker, dashboard = small
    shown = Watch(dashboard).until()
    failed = threading.Event()
    fetcher = dashboard._fetcher
    assert fetcher is not None
    broker.fault(Fault(status=403, body={"error_code": "EGW00103"}, times=None))
    told = dashboard.on_state

    def hear() -> None:
        told()
        if fetcher.state.failed:
            failed.set()

    dashboard.on_state = hear  # type: ignore[method-assign]
    dashboard.refresh()
    assert failed.wait(PATIENCE)
    assert dashboard.balance is shown


def test_arguments_are_checked() -> None:
    """A word that is none of those raises before anything is started."""
    before = set(threading.enumerate())
    for wrong in ({"lang": "de"}, {"colors": "uk"}, {"auto": 7}):
        with pytest.raises(ValueError, match="takes one of"):
            Dashboard(None, **wrong)
    assert set(threading.enumerate()) <= before


def test_missing_settings_make_a_dashboard_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """Without a key there is no exception but a widget that says what to do."""
    for name in ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNTS", "KIS_NB_DEMO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KIS_CONFIG", str(tmp_path / "none.yaml"))
    made = kis_nb.dashboard(demo=False)
    assert made.balance is None
    assert made.account is None
    assert made._page.head._parts["error"]["what"]
    made.close()


def test_show_takes_a_balance_alone() -> None:
    """`show` draws what it is given, and its traits are the balance's own."""
    given = balance(book(4), mgna_dvsn="02", excc_stat_cd="2")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "checks", lambda *_: {})
        made = kis_nb.show(given)
    assert made.balance is given
    assert (made.mgna_dvsn, made.excc_stat_cd) == ("02", "2")
    with pytest.raises(traitlets.TraitError):
        made.balance = None
    made.refresh()
    made.close()
