"""The Risk tab without a browser: when it estimates, which result is shown, and what is said."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any, cast

import ipywidgets as w
import polars as pl
import pytest

import kis_nb
from kis_nb._dashboard import create, risk_data, risk_greeks
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.risk_data import Choice
from kis_nb._dashboard.risk_estimates import KeptQuotes, Subject, make_risk
from kis_nb._dashboard.risk_tab import RiskTab
from kis_nb._dashboard.tabs import Tabs
from kis_nb._errors import ApiError
from kis_nb._frames.balance import Balance
from kis_nb._risk.grid import HEADLINE, SPOTS, VOLS
from kis_nb._risk.moments import end_of_trading
from kis_nb._seoul import KST
from kis_nb.demo import Book
from tests.factories import make_balance
from tests.faults import Broker

ONE, TWO, EMPTY = "80012345-03", "70012345-03", "60012345-03"
ROWS = {ONE: 40, TWO: 12, EMPTY: 0}


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A client of a broker with three accounts."""
    with Broker(book=Book.sized(ROWS, seed=3), calls_per_second=0) as broker:
        keys = [
            {"account": account, "app_key": app_key, "app_secret": app_secret}
            for account, app_key, app_secret in broker.keys
        ]
        made = kis_nb.connect(
            keys=cast("Any", keys), retries=0, base_url=broker.address, calls_per_second=500
        )
        yield made
        made.close()


@pytest.fixture(scope="module")
def pulls(client: Any) -> dict[str, tuple[Balance, Balance]]:
    """Of each account a pull of both margins."""
    return {
        account: (client.balance(account), client.balance(account, mgna_dvsn="02"))
        for account in ROWS
    }


class Page:
    """A tab, and the dashboard that hands it balances.

    Args:
        client: of the tab; None for a tab without one.

    Attributes:
        tab, controls: as they are named.
        made: the account and the client of each estimate that was asked for.
        gates: an estimate of an account waits for its event.
        error: what estimating raises; None to estimate.
    """

    def __init__(self, client: Any) -> None:
        self.controls = Controls(["one", "two"], "en", "kr", 0)
        self.made: list[tuple[str, Any]] = []
        self.gates: dict[str, threading.Event] = {}
        self.error: Exception | None = None
        self.tab = RiskTab(self.controls, client, self._make)
        self.body = w.Box()
        self.tabs = Tabs(self.controls, None, self.tab)
        self.children = self.tabs.join(SimpleNamespace(), [w.Box(), w.Box(), self.body])

    def _make(self, subject: Subject, client: Any, quotes: Any) -> Any:
        account = str(subject.balance.account)
        self.made.append((account, client))
        if account in self.gates:
            assert self.gates[account].wait(60)
        if self.error is not None:
            raise self.error
        return make_risk(subject, client, quotes)

    def open(self) -> None:
        """Turn to the tab."""
        self.controls["tab"].value = "risk"

    @property
    def head(self) -> dict[str, Any]:
        """What the upper panel shows."""
        assert self.tab.head is not None
        return self.tab.head.parts

    @property
    def tables(self) -> dict[str, Any]:
        """What the lower panel shows."""
        assert self.tab.tables is not None
        return self.tab.tables.parts

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something is the case."""
        ends = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < ends, self.tab.head and self.head
            time.sleep(0.01)

    def rest(self) -> None:
        """Wait until all is drawn."""
        self.wait(self._rests)

    def _rests(self) -> bool:
        with self.tab._changed:
            drawn, work = self.tab._drawn, self.tab.estimator
            ended = work.ended is work.subject
            return ended and drawn is not None and drawn == self.tab._question()


@pytest.fixture
def page(client: Any) -> Iterator[Page]:
    """A page with a client."""
    made = Page(client)
    yield made
    made.tab.close()


@pytest.fixture
def still() -> Iterator[Page]:
    """A page without a client."""
    made = Page(None)
    yield made
    made.tab.close()


Pulls = dict[str, tuple[Balance, Balance]]


# --- what it costs when it is not opened --------------------------------------------------------


COSTS = """
import sys, time
import kis_nb
from kis_nb._client import Client
def refuse(*_more, **_named):
    raise SystemExit("a call that nobody asked for")
Client.quotes = Client.margin_detail = Client.margin_rates = refuse
board = kis_nb.dashboard(demo=True)
ends = time.monotonic() + 60
while board.balance is None or board._fetcher.refreshing:
    assert time.monotonic() < ends
    time.sleep(0.02)
tab = board._tabs.risk
assert tab is not None and tab.head is None and not tab.charts
assert not {"QuantLib", "kis_nb._risk.risk"} & set(sys.modules)
board.close()
print("nothing")
"""


def test_a_tab_that_is_not_opened_costs_nothing() -> None:
    """Until the tab is opened nothing is asked for, nothing is made, and QuantLib is not loaded."""
    done = subprocess.run(
        [sys.executable, "-c", COSTS], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout.strip() == "nothing", done.stderr


def test_the_tab_is_there_with_quantlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """By default the tab is there where QuantLib is; the argument decides otherwise."""
    shown = []
    for installed, risk in ((True, None), (False, None), (True, False), (False, True)):
        monkeypatch.setattr(create, "_has_quantlib", lambda installed=installed: installed)
        board = create.show(make_balance(), risk=risk)
        shown.append([value for _, value in board._controls["tab"].options])
        board.close()
    assert shown == [["now", "risk"], ["now"], ["now"], ["now", "risk"]]


def test_tabs_show_one_at_a_time(still: Page, pulls: Pulls) -> None:
    """The body leaves for the tab, and comes back."""
    still.tab.take(*pulls[ONE], None)

    def shown() -> list[bool]:
        return [one.layout.display != "none" for one in (still.tab.box, still.body)]

    assert shown() == [False, True]
    still.open()
    assert shown() == [True, False]
    still.controls["tab"].value = "now"
    assert shown() == [False, True]


# --- what is shown ------------------------------------------------------------------------------


def test_figures_are_those_of_the_one_liner(page: Page, client: Any, pulls: Pulls) -> None:
    """Answers, grid and Greeks are what `kis_nb.risk` says of the same balance."""
    balance, maintenance = pulls[ONE]
    page.tab.take(balance, maintenance, None)
    page.open()
    page.rest()
    own = make_risk(Subject(balance, maintenance), client, None)
    assert page.head["answers"] == [line for line in own.answers("en") if line]
    assert (
        page.head["of"] == f"{own.account} · Estimates on the balance of {balance.as_of:%F %T} KST"
    )
    grid = page.head["grid"]
    assert (grid["spots"], grid["vols"]) == (list(SPOTS), list(VOLS))
    name = own.underlyings[0]
    moments: list[Any] = ["now", "night", own.expiries(name)[0]]
    # The earliest first.
    moments[1:] = sorted(
        moments[1:], key=lambda at: own.night_end if at == "night" else end_of_trading(name, at)
    )
    for shown, at in zip(grid["moments"], moments, strict=True):
        frame = own.scenarios(underlying=name, at=at)
        assert shown["pnl"] == [round(pnl) for pnl in frame["pnl"]]
    zero = grid["vols"].index(0) * len(grid["spots"]) + grid["spots"].index(0)
    assert grid["moments"][0]["pnl"][zero] == 0
    (call, *_) = (
        own.margin_call(underlying=name).filter(margin="held").drop_nulls("level").to_dicts()
    )
    # At the level of the margin call nothing is left.
    assert grid["excess_margin"] + call["pnl"] == pytest.approx(0, abs=1)
    assert grid["excess_margin_notes"] == []
    assert (grid["begin"]["spot"], grid["begin"]["vol"]) == HEADLINE
    delta: Any = own.totals.filter(underlying=name)["delta_won"].sum()
    assert page.tables["cards"][0]["value"] == risk_greeks.won(delta)
    assert len(page.tables["positions"]["rows"]) == balance.positions.height
    assert all(view._rows for view in page.tab.charts.values())


def test_quotes_of_options_come_after_the_first_drawing(
    page: Page, client: Any, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first estimate needs no call; KIS's own Greeks and the margin fill in later."""
    gate, asked = threading.Event(), []
    call = client.quotes

    def quotes(codes: Any, **more: Any) -> Any:
        asked.append(codes)
        assert gate.wait(60)
        return call(codes, **more)

    monkeypatch.setattr(client, "quotes", quotes)
    page.tab.take(*pulls[ONE], None)
    page.open()
    page.wait(lambda: page.head["busy"] == "quoting")
    assert page.made[0][1] is None
    assert page.tables["kis"] == ""
    assert not page.tab.charts["margin_components"]._rows
    assert page.head["grid"] is not None
    gate.set()
    page.rest()
    assert page.head["busy"] == ""
    assert page.tables["kis"].startswith("KIS's own as of ")
    small = [cell for row in page.tables["positions"]["rows"] for cell in row["cells"] if cell[1:]]
    assert any(cell[1].startswith("KIS ") for cell in small)
    assert page.tab.charts["margin_components"]._rows
    # The next balance of the account does not ask for each option again.
    count = len(asked)
    page.tab.take(*pulls[ONE], "more products")
    page.rest()
    assert [len(codes) for codes in asked[count:]] == [len(asked[0])]
    assert page.tables["kis"]


def test_choices_are_of_what_is_held(still: Page, pulls: Pulls) -> None:
    """Another underlying, expiry and moment are shown; what is not held leaves the first."""
    still.tab.take(*pulls[ONE], None)
    still.open()
    still.rest()
    choices = still.head["choices"]
    names = [one["id"] for one in choices["underlying"]["options"]]
    assert len(names) > 1
    still.tab._on_action("underlying", names[1], "")
    still.wait(lambda: still.head["choices"]["underlying"]["chosen"] == names[1])
    day = still.head["choices"]["expiry"]["options"][-1]["id"]
    still.tab._on_action("expiry", day, "")
    still.tab._on_action("at", "expiry", "")
    still.rest()
    assert still.head["choices"]["expiry"]["chosen"] == day
    assert still.head["choices"]["at"]["chosen"] == "expiry"
    assert day in str(still.tab.charts["scenarios"]._rows["scenarios"][0])
    for what, value in (("underlying", "gold"), ("expiry", "x"), ("at", "y")):
        still.tab._on_action(what, value, "")
    still.rest()
    assert still.head["choices"]["underlying"]["chosen"] == names[0]
    nonsense: list[Any] = [None, "x", [1], ["a", "b"], {}]
    for wrong in nonsense:
        still.tab._on_action("moved", wrong, "")
        still.tab._on_action("expiry", wrong, "")
    assert still.head["faults"] == []


def test_losers_add_up_to_the_worst_of_the_move(still: Page, pulls: Pulls) -> None:
    """When a slider is let go the positions that lose most there are listed, the worst first."""
    still.tab.take(*pulls[ONE], None)
    still.open()
    still.rest()
    still.tab._on_action("moved", [0.05, 0.2, still.head["grid"]["key"]], "")
    still.wait(lambda: still.head["losers"])
    own = make_risk(Subject(*pulls[ONE]), None, None)
    level = own.level()
    assert level is not None
    frame = own.contributions(level * 1.05, vol=0.2)
    found = still.head["losers"]
    assert (found["spot"], found["vol"], found["underlying"]) == (0.05, 0.2, own.underlyings[0])
    assert [row[2] for row in found["rows"]] == [
        risk_greeks.won(pnl) for pnl in frame["pnl"].head(5) if pnl < 0
    ]


def test_each_page_has_the_answer_to_its_last_move(
    still: Page, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Moves that come while the tab draws are answered after it, of each page the last one, and
    with the key of the figures that are shown by then.
    """
    still.tab.take(*pulls[ONE], None)
    still.open()
    still.rest()
    said: list[Any] = []
    head = still.tab.head
    assert head is not None
    show = head.show

    def listen(parts: Any) -> None:
        said.append(parts)
        show(parts)

    monkeypatch.setattr(head, "show", listen)
    gate, drawing = threading.Event(), still.tab._drawing

    def hold() -> None:
        assert gate.wait(60)

    drawing.run(hold)
    key = still.head["grid"]["key"]
    other = still.head["choices"]["underlying"]["options"][1]["id"]
    still.tab._on_action("underlying", other, "a")
    for page, spot in (("a", 0.01), ("b", 0.02), ("a", 0.03)):
        still.tab._on_action("moved", [spot, 0, key], page)
    gate.set()
    still.wait(lambda: sum("losers" in parts for parts in said) == 2)
    answers = [parts["losers"] for parts in said if "losers" in parts]
    assert [(one["page"], one["spot"]) for one in answers] == [("a", 0.03), ("b", 0.02)]
    assert still.head["grid"]["key"] != key
    assert {one["key"] for one in answers} == {still.head["grid"]["key"]}
    assert {one["underlying"] for one in answers} == {other}
    drawing.close(wait=True)
    assert sum("losers" in parts for parts in said) == 2


def test_drawing_waits_for_no_call(
    page: Page, client: Any, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While margin by component is asked for, and hangs, another underlying is drawn at once."""
    gate, asked = threading.Event(), threading.Event()

    def hang(*_more: Any, **_named: Any) -> Any:
        asked.set()
        assert gate.wait(60)
        raise ApiError("refused", rt_cd="1", msg_cd="EGW00123", msg1="no")

    monkeypatch.setattr(client, "margin_detail", hang)
    page.tab.take(*pulls[ONE], None)
    page.open()
    assert asked.wait(60)
    # All that is asked for from here on would be for a drawing.
    for name in ("quotes", "balance", "margin_rates"):
        monkeypatch.setattr(client, name, hang)
    page.wait(lambda: page.head["choices"])
    other = page.head["choices"]["underlying"]["options"][1]["id"]
    page.tab._on_action("underlying", other, "")
    page.wait(lambda: page.head["choices"]["underlying"]["chosen"] == other)
    page.wait(lambda: page.tab.charts["risk_curve"]._rows)
    gate.set()
    page.rest()


def test_a_tab_that_is_shown_says_first_that_it_is_old(page: Page, pulls: Pulls) -> None:
    """Figures of before the tab was left are marked as old by the time that they are on show."""
    page.tab.take(*pulls[TWO], None)
    page.open()
    page.rest()
    page.controls["tab"].value = "now"
    page.tab.take(*pulls[TWO], "more products")
    gate = page.gates[TWO] = threading.Event()
    seen: list[bool] = []
    page.tab.box.layout.observe(lambda _: seen.append(page.head["old"]), "display")
    page.open()
    assert seen == [True]
    gate.set()
    page.rest()


def test_it_gives_way_to_the_pulls_of_its_dashboard(page: Page) -> None:
    """Quotes wait while the dashboard's fetcher pulls."""
    fetcher = SimpleNamespace(refreshing=True)
    page.tab.follow(SimpleNamespace(_fetcher=fetcher))
    assert page.tab.estimator.fetching()
    fetcher.refreshing = False
    assert not page.tab.estimator.fetching()


def test_language_and_colours_change_without_an_estimate(still: Page, pulls: Pulls) -> None:
    """Another language is drawn from the estimate that there is."""
    still.tab.take(*pulls[ONE], None)
    still.open()
    still.rest()
    still.controls["language"].value = "ko"
    still.wait(lambda: "잔고 기준 추정" in still.head["of"])
    still.rest()
    still.controls["colors"].value = "us"
    still.rest()
    assert len(still.made) == 1


def test_without_positions_it_says_so(page: Page, pulls: Pulls) -> None:
    """An empty account has a sentence in place of figures, and no sliders."""
    page.tab.take(*pulls[EMPTY], None)
    page.open()
    page.rest()
    assert page.head["empty"] == "There is no position to estimate"
    assert page.head["grid"] is None
    assert page.head["faults"] == []
    assert page.tab._boxes["risk_curve"].layout.display == "none"
    # A margin of nothing but zeros is no chart either.
    assert page.tab._boxes["margin_components"].layout.display == "none"


def test_a_balance_alone_has_the_tab(pulls: Pulls) -> None:
    """`show` estimates without a client, and asks nobody."""
    board = kis_nb.show(pulls[TWO][0], lang="en", risk=True)
    tab = board._tabs.risk
    assert tab is not None
    board._controls["tab"].value = "risk"
    ends = time.monotonic() + 60
    while tab._drawn is None:
        assert time.monotonic() < ends
        time.sleep(0.01)
    assert tab.head is not None
    assert tab.head.parts["answers"]
    board.close()


# --- which result -------------------------------------------------------------------------------


def test_a_late_estimate_of_another_account_is_dropped(page: Page, pulls: Pulls) -> None:
    """While one account is estimated another is displayed: its figures come, and never the first's;
    until then there are none.
    """
    gate = page.gates[ONE] = threading.Event()
    page.tab.take(*pulls[ONE], None)
    page.open()
    page.wait(lambda: page.made)
    first = page.tab.estimator.subject
    page.tab.take(*pulls[TWO], None)
    assert first is not None
    assert first.cancel.is_set()
    page.rest()
    assert "700*****-03" in page.head["of"]
    gate.set()
    page.rest()
    assert "700*****-03" in page.head["of"]
    held = page.gates[TWO] = threading.Event()
    page.gates.pop(ONE)
    page.tab.take(*pulls[ONE], None)
    # The other account's figures are taken away at once.
    assert page.head["grid"] is None
    assert (page.head["busy"], page.head["old"]) == ("estimating", False)
    page.rest()
    assert "800*****-03" in page.head["of"]
    held.set()


def test_figures_of_an_earlier_balance_say_so(page: Page, pulls: Pulls) -> None:
    """A newer balance of the account: what is on the page is marked as old until it is renewed."""
    page.tab.take(*pulls[TWO], None)
    page.open()
    page.rest()
    gate = page.gates[TWO] = threading.Event()
    page.tab.take(*pulls[TWO], "more products")
    assert (page.head["old"], page.head["busy"]) == (True, "estimating")
    assert page.head["grid"] is not None
    gate.set()
    page.rest()
    assert (page.head["old"], page.head["busy"]) == (False, "")


def test_a_maintenance_pull_on_its_way_is_not_made_twice(page: Page, pulls: Pulls) -> None:
    """The tab waits for the background's pull of the maintenance margin."""
    balance, maintenance = pulls[TWO]
    page.tab.take(balance, None, None)
    page.open()
    page.wait(lambda: page.tab._drawn is not None)
    page.tab.take(balance, maintenance, None)
    page.rest()
    # Once without a call for the first figures, then once with the market.
    assert [one is None for _, one in page.made] == [True, False]


def test_turning_away_ends_the_calls(page: Page, pulls: Pulls) -> None:
    """Who leaves the tab while it estimates stops its calls; coming back begins anew."""
    gate = page.gates[TWO] = threading.Event()
    page.tab.take(*pulls[TWO], None)
    page.open()
    page.wait(lambda: page.made)
    subject = page.tab.estimator.subject
    page.controls["tab"].value = "now"
    assert subject is not None
    assert subject.cancel.is_set()
    gate.set()
    page.open()
    page.rest()
    assert page.head["faults"] == []
    assert "700*****-03" in page.head["of"]


def test_a_closed_tab_estimates_nothing(page: Page, pulls: Pulls) -> None:
    """After closing nothing happens any more, whatever comes."""
    page.open()
    page.tab.close()
    page.tab.take(*pulls[TWO], None)
    page.tab._render()
    assert page.made == []


# --- what goes wrong ----------------------------------------------------------------------------


def test_refused_quotes_are_named(
    page: Page, client: Any, pulls: Pulls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to market data the tab shows what the balance allows, and what it lacks."""

    def refuse(*_more: Any, **_named: Any) -> Any:
        raise ApiError("no market data", rt_cd="1", msg_cd="EGW00123", msg1="no right")

    for name in ("quotes", "margin_detail", "margin_rates"):
        monkeypatch.setattr(client, name, refuse)
    page.tab.take(*pulls[ONE], None)
    page.open()
    page.rest()
    assert page.head["grid"] is not None
    assert page.head["faults"] == []
    lacks = " ".join(page.head["lacks"])
    assert "quotes of futures" in lacks
    assert "quotes of options" in lacks


def test_without_quantlib_it_says_how_to_get_it(still: Page, pulls: Pulls) -> None:
    """A tab without QuantLib names the extra."""
    still.error = ImportError("no QuantLib", name="QuantLib")
    still.tab.take(*pulls[ONE], None)
    still.open()
    still.wait(lambda: still.head["faults"])
    assert still.head["faults"] == ["Estimates need QuantLib: pip install 'kis_nb[risk]'"]
    assert still.head["busy"] == ""


def test_an_unforeseen_error_is_said_and_reported(still: Page, pulls: Pulls) -> None:
    """Whatever an estimate raises is a sentence by its type, and the next balance is estimated."""
    said: list[Any] = []
    hook, threading.excepthook = threading.excepthook, said.append
    try:
        still.error = RuntimeError("80012345")
        still.tab.take(*pulls[ONE], None)
        still.open()
        still.wait(lambda: still.head["faults"])
    finally:
        threading.excepthook = hook
    assert still.head["faults"] == ["Not estimated: RuntimeError"]
    assert said
    still.error = None
    # It is tried again by whoever returns to the tab.
    still.controls["tab"].value = "now"
    still.open()
    assert still.head["faults"] == []
    still.rest()
    assert "800*****-03" in still.head["of"]
    still.tab.take(*pulls[TWO], None)
    still.rest()
    assert still.head["faults"] == []


def test_nothing_of_the_account_goes_to_the_page(page: Page, pulls: Pulls) -> None:
    """What is sent names the account by its mask alone."""
    page.tab.take(*pulls[ONE], None)
    page.open()
    page.rest()
    sent = repr([page.head, page.tables, [view._rows for view in page.tab.charts.values()]])
    assert "80012345" not in sent
    assert "800*****-03" in sent


def test_old_quotes_are_not_used(client: Any, pulls: Pulls) -> None:
    """Quotes are reused for their account, each while it is young; newer ones replace them."""
    balance = pulls[ONE][0]
    one, two = [code.strip() for code in balance.positions["shtn_pdno"][:2]]
    kept = KeptQuotes()
    assert kept.of(balance) is None
    frame = client.quotes([one, two]).with_columns(as_of=pl.lit(balance.as_of))
    kept.keep(balance, frame.clear())
    assert kept.of(balance) is None
    kept.keep(balance, frame)
    found = kept.of(balance)
    assert found is not None
    assert found["shtn_pdno"].to_list() == [one, two]
    assert kept.due(balance, [one, "x", two, "x"]) == ["x"]
    assert kept.of(pulls[TWO][0]) is None
    kept.keep(balance, frame.head(1).with_columns(as_of=pl.col("as_of").dt.offset_by("-1m")))
    found = kept.of(balance)
    assert found is not None
    assert found["shtn_pdno"].to_list() == [two]
    assert kept.due(balance, [one, two]) == [one]


def test_a_choice_of_nothing_is_nothing(pulls: Pulls) -> None:
    """Where nothing is held there is no underlying to choose, and nobody loses."""
    own = make_risk(Subject(*pulls[EMPTY]), None, None)
    assert risk_data.chosen(own, Choice("KOSPI 200", "2026-12-10", "now")) == (None, None)
    assert risk_data.losers(own, Choice(), -0.03, 0.0, "en")["rows"] == []


def test_units_and_names_say_what_a_figure_is(pulls: Pulls) -> None:
    """Change from now is no P&L since purchase; a delta for a point is none for a per cent."""
    own = make_risk(Subject(*pulls[ONE]), None, None)
    for lang, change, cent, point, won in (
        ("ko", "현재 대비 손익", "1%당 원", "1포인트당 원", "원"),
        ("en", "change from now", "won for 1%", "won for 1 point", "won"),
    ):
        made = risk_data.read(own, Choice(), cast("Any", lang))
        labels = [one["label"] for one in made.head["grid"]["moments"]]
        assert all(change in label for label in labels)
        assert risk_data.words(cast("Any", lang))["won"] == won
        heads = dict(cell for cell in made.tables["totals"]["heads"] if len(cell) > 1)
        assert cent in heads.values()
        units = {one["key"]: one["unit"] for one in made.tables["positions"]["columns"]}
        assert units["delta_won"] == point
        assert units["delta"] == ""
        cards = {card["key"]: card["unit"] for card in made.tables["cards"]}
        assert cards["risk_delta"] == cent
        shown = repr([made.head, made.tables, risk_data.words(cast("Any", lang))])
        assert not [
            word for word in ("KRW for", "지수", "호가", "밤 끝", "열지도") if word in shown
        ]


def test_what_is_lacking_is_told_from_what_is_of_another_moment(pulls: Pulls) -> None:
    """Only what is refused or left out is a lack; a margin of another time is a remark, and the
    card that it is in says it too.
    """
    balance, maintenance = pulls[ONE]
    late = replace(maintenance, as_of=maintenance.as_of - timedelta(minutes=7))
    own = make_risk(Subject(balance, late), None, None)
    made = risk_data.read(own, Choice(), "en").head
    assert len(made["lacks"]) == len(own.lacks) + bool(own.left_out.height)
    assert made["lacks"] + made["remarks"] == own.summary_lines("en")
    assert any("another moment" in line for line in made["remarks"])
    assert not any("another moment" in line for line in made["lacks"])
    (note,) = made["grid"]["excess_margin_notes"]
    assert note == f"maintenance margin as of {late.as_of:%F %T} KST"
    unknown = risk_data.read(make_risk(Subject(balance, None), None, None), Choice(), "en").head
    assert unknown["grid"]["excess_margin"] is None
    assert unknown["grid"]["excess_margin_notes"] == []


def test_equity_of_the_last_settlement_is_said(pulls: Pulls) -> None:
    """Where the equity of this moment is not known the card says which one it counts from."""
    balance, maintenance = pulls[ONE]

    def settled(one: Balance) -> Balance:
        return replace(one, summary=one.summary.with_columns(prsm_dpast_amt=None))

    own = make_risk(Subject(settled(balance), settled(maintenance)), None, None)
    notes = risk_data.read(own, Choice(), "ko").head["grid"]["excess_margin_notes"]
    assert ("정산 시점 자산 기준" in notes) == (own.equity().current_equity is None)


def test_an_expiry_before_the_nights_end_comes_before_it() -> None:
    """Moments are in the order of time, in the figures and in the list."""
    night = datetime(2026, 12, 11, 6, tzinfo=KST)
    fake = SimpleNamespace(night_end=night)
    keys = [
        [key for key, *_ in risk_data._moments(cast("Any", fake), "KOSPI 200", day, "en")]
        for day in (date(2026, 12, 10), date(2026, 12, 11), None)
    ]
    assert keys == [["now", "expiry", "night"], ["now", "night", "expiry"], ["now", "night"]]


def test_expiries_without_anything_priced_come_last(pulls: Pulls) -> None:
    """A row of nothing, as of an expiry that is past, is below the others."""
    own = make_risk(Subject(*pulls[ONE]), None, None)
    totals = own.totals
    gone = totals.head(1).with_columns(positions=pl.lit(0, pl.Int64), forward=pl.lit(None))
    fake = SimpleNamespace(totals=pl.concat([gone, totals.tail(-1)], how="vertical_relaxed"))
    counts = [row[2][0] for row in risk_greeks.totals_table(cast("Any", fake), "en")["rows"]]
    assert counts[-1] == "0"
    assert "0" not in counts[:-1]


def test_the_opened_tab_is_in_the_saved_head(pulls: Pulls, monkeypatch: pytest.MonkeyPatch) -> None:
    """A saved notebook has the answers, what is lacking and the totals, as the page says them; and
    nothing of a tab that was never opened.
    """
    renewed: list[int] = []
    board = kis_nb.show(pulls[TWO][0], lang="en", risk=True)
    monkeypatch.setattr(board._snapshot, "changed", lambda: renewed.append(1))
    tab = board._tabs.risk
    assert tab is not None
    before = board._saved_html()
    assert before is not None
    assert "The night's risk" not in unescape(before)
    board._controls["tab"].value = "risk"
    ends = time.monotonic() + 60
    assert tab.head is not None
    assert tab.tables is not None
    while not tab.head.parts["answers"] or not tab.tables.parts["totals"]:
        assert time.monotonic() < ends
        time.sleep(0.01)
    html = board._saved_html()
    assert html is not None
    saved = unescape(html)
    head, tables = tab.head.parts, tab.tables.parts
    assert head["answers"]
    for text in (*head["answers"], *head["lacks"], *head["remarks"], head["of"]):
        assert text in saved
    for row in tables["totals"]["rows"]:
        assert all(cell[0] in saved for cell in row)
    assert "The night's risk (estimated)" in saved
    assert "70012345" not in saved
    assert renewed
    board.close()
