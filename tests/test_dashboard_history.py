"""The History tab without a browser: what is kept, which answer is shown, and what is said."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import ipywidgets as w
import pytest

import kis_nb
from kis_nb._account import Account
from kis_nb._dashboard import create
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.dashboard import Dashboard
from kis_nb._dashboard.history_data import SPANS, Question, first_day, read
from kis_nb._dashboard.history_tab import HistoryTab
from kis_nb._dashboard.tabs import Tabs
from kis_nb._errors import HistoryError
from kis_nb._widgets.chart_view import Gesture
from tests.factories import make_balance
from tests.histories import FrameStore, World

MONDAY = date(2026, 11, 23)
ONE, TWO = Account("80012345", "03"), Account("70012345", "03")


def _worlds() -> tuple[World, World]:
    return (
        World(date(2026, 11, 16), MONDAY, every=60),
        World(date(2026, 11, 16), MONDAY, every=60, label="700*****-03", account="b" * 16, seed=2),
    )


class Page:
    """A tab with a store in memory, and the dashboard whose account it follows.

    Args:
        store: of the tab.
        demo: whether its client is the embedded broker's; None for a tab without a client.

    Attributes:
        tab, controls, store: as they are named.
    """

    def __init__(self, store: FrameStore, *, demo: bool | None = None) -> None:
        self.store = store
        self.controls = Controls(["one", "two"], "en", "kr", 0)
        clock = SimpleNamespace(time=lambda: 1795529704.0)
        client = None if demo is None else SimpleNamespace(demo=demo, clock=clock)
        self.tab = HistoryTab(store, self.controls, cast("Any", client))
        self._observe: list[Callable[[Any], None]] = []
        dashboard = SimpleNamespace(observe=lambda call, _name: self._observe.append(call))
        self.body = w.Box()
        self.children = Tabs(self.controls, self.tab, None).join(
            dashboard, [w.Box(), w.Box(), self.body]
        )

    def choose(self, account: Account) -> None:
        """The dashboard's account is this one."""
        for call in self._observe:
            call({"new": account})

    def open(self) -> None:
        """Turn to the tab."""
        self.controls["tab"].value = "history"

    @property
    def parts(self) -> dict[str, Any]:
        """What the panel shows."""
        return self.tab.panel.parts

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until something is the case."""
        ends = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < ends, self.parts
            time.sleep(0.01)

    def rest(self) -> None:
        """Wait until what is asked for is drawn."""
        self.wait(lambda: self.parts.get("busy") is False and not self.tab._reading)

    def heads(self) -> set[str]:
        """The account that the heading of each chart names."""
        views = self.tab.charts
        return {view._rows[name][0]["head"][:11] for name, view in views.items()}


@pytest.fixture
def page() -> Iterator[Page]:
    """A page on two accounts."""
    made = Page(FrameStore(*_worlds()))
    yield made
    made.tab.close()


def _value(parts: dict[str, Any], key: str) -> str:
    return next(str(card["value"]) for card in parts["cards"] if card["key"] == key)


# --- what is shown ----------------------------------------------------------------------------


def test_figures_are_exact(page: Page) -> None:
    """The cards are the store's figures to the won, between the moments that the tab names."""
    page.choose(ONE)
    page.controls["history_span"].value = "week"
    page.open()
    page.rest()
    rows = [row for row in _worlds()[0].summary_rows if row["date"] >= date(2026, 11, 17)]
    first, last = rows[0]["krw_equity"], rows[-1]["krw_equity"]
    fees = -5 * 1_000
    assert _value(page.parts, "history_equity") == f"{last:,}"
    pnl = last - first - fees
    assert _value(page.parts, "history_pnl").endswith(f"{pnl:+,}")
    lines = {line["label"]: line["value"] for line in page.parts["cards"][0]["sub"]}
    assert lines == {"fees": "-5,000", "cash flow": "0", "remainder": "0"}
    lowest = min(row["krw_equity"] - 20_000_000 for row in rows)
    assert _value(page.parts, "history_room") == f"{lowest:,}"
    assert page.parts["span"] == "From 2026-11-16 18:00:00 KST to 2026-11-23 15:45:00 KST"
    assert page.parts["newest"] == "Last kept 2026-11-23 15:45:00 KST"


def test_a_brush_chooses_two_moments(page: Page) -> None:
    """Two moments of a drag give the attribution between them, a click from there to the newest,
    and the button goes back to the whole span.
    """
    page.choose(ONE)
    page.open()
    page.rest()
    ids = [
        row["id"]
        for row in page.tab.charts["equity_history"]._rows["equity_history"][1:]
        if "id" in row
    ]
    page.tab._on_gesture("equity_history", Gesture((ids[5], ids[3], ids[4])))
    page.wait(lambda: "21:00:00 KST to" in page.parts["span"])
    page.rest()
    assert page.parts["span"] == "From 2026-11-20 21:00:00 KST to 2026-11-20 23:00:00 KST"
    head = page.tab.charts["attribution"]._rows["attribution"][0]["head_end"]
    assert head == "2026-11-20 21:00:00 – 2026-11-20 23:00:00 KST"
    page.tab._on_gesture("margin_history", Gesture((ids[3],)))
    page.wait(lambda: page.parts["span"].endswith("to 2026-11-23 15:45:00 KST"))
    assert page.parts["whole"] == "Whole span"
    page.tab._on_action("whole", None, "")
    page.wait(lambda: page.parts["span"].startswith("From 2026-11-20 18:00:00 KST"))
    assert page.parts["whole"] == ""


def test_spans_end_with_the_newest() -> None:
    """A night is the newest trading day, a week five of them, and a year 365 days."""
    days = [
        date(2025, 11, 20),
        date(2025, 11, 24),
        *(date(2026, 11, n) for n in (17, 18, 19, 20, 23)),
    ]
    assert [first_day(days, span) for span in SPANS] == [
        MONDAY,
        date(2026, 11, 17),
        date(2025, 11, 24),
    ]
    assert first_day([], "year") is None


def test_without_history_it_says_how_to_begin(page: Page) -> None:
    """An account of which nothing is kept has a sentence in place of charts, in both languages."""
    page.choose(Account("50012345", "03"))
    page.open()
    page.rest()
    assert "kis-nb record" in page.parts["empty"]
    assert page.tab._drawing.layout.display == "none"
    page.controls["language"].value = "ko"
    page.wait(lambda: page.parts["empty"].startswith("이 계좌의 기록이"))


# --- without a mouse ----------------------------------------------------------------------------


def test_two_lists_choose_two_moments(page: Page) -> None:
    """The closings of the days, and of a night each hour's last snapshot, are listed to the second;
    two of them, in any order, give the attribution between exactly these.
    """
    page.choose(ONE)
    page.controls["history_span"].value = "week"
    page.open()
    page.rest()
    listed = page.parts["moments"]
    texts = [one["text"] for one in listed["options"]]
    assert texts[0] == "2026-11-16 18:00:00 KST"
    assert texts[1:] == [f"2026-11-{n} 15:45:00 KST" for n in (17, 18, 19, 20, 23)]
    ids = [one["id"] for one in listed["options"]]
    assert (listed["begin"], listed["end"]) == (ids[0], ids[-1])
    page.tab._on_action("between", [ids[4], ids[2]], "")
    page.wait(lambda: page.parts["moments"]["begin"] == ids[2])
    page.rest()
    assert page.parts["moments"]["end"] == ids[4]
    assert page.parts["span"] == "From 2026-11-18 15:45:00 KST to 2026-11-20 15:45:00 KST"
    worth = {row["as_of"].isoformat(): row["krw_equity"] for row in _worlds()[0].summary_rows}
    change = worth[ids[4]] - worth[ids[2]]
    sent = {line["label"]: line["value"] for line in page.parts["cards"][2]["sub"]}
    assert sent["change"] == (f"{change:+,}" if change else "0")
    page.controls["history_span"].value = "night"
    page.wait(lambda: len(page.parts["moments"]["options"]) == 13)
    nonsense: list[Any] = ["x", ["x", "y"], [1, 2], None, {}]
    for wrong in nonsense:
        page.tab._on_action("between", wrong, "")
    assert page.parts["faults"] == []


# --- filling past days --------------------------------------------------------------------------


@pytest.fixture
def fills(request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on an empty history, with a client: the embedded broker's when the test says so."""
    made = Page(FrameStore(), demo=bool(getattr(request, "param", False)))
    made.store.filling = threading.Event()
    yield made
    made.tab.close()


def test_the_button_fills_the_chosen_account_once(fills: Page) -> None:
    """Nothing is filled unasked; pressed twice, one filling runs. What came of it is said, the
    days are shown at once, and the button is gone.
    """
    fills.choose(ONE)
    fills.open()
    fills.rest()
    assert fills.parts["fill"]["label"] == "Fill the last 30 days from KIS"
    assert fills.store.filled == []
    for _ in range(2):
        fills.tab._on_action("fill", None, "")
    fills.wait(lambda: fills.store.filled)
    said = fills.parts["fill"]
    assert said["busy"]
    assert said["line"].startswith("800*****-03: the last 30 days are being filled")
    fills.store.keep(*_worlds())
    cast("threading.Event", fills.store.filling).set()
    fills.wait(lambda: not fills.parts["fill"]["busy"] and fills.parts["span"])
    assert fills.store.filled == ["800*****-03"]
    assert fills.parts["fill"] == {
        "label": "",
        "busy": False,
        "line": "Trading days filled: 22",
        "failed": False,
    }
    fills.controls["language"].value = "ko"
    fills.wait(lambda: fills.parts["fill"]["line"].startswith("채운 거래일 22"))


def test_a_refused_filling_is_said_and_can_be_tried_again(fills: Page) -> None:
    """What KIS refuses, and what the history cannot take, is one line; the button stays."""
    fills.store.filling = None
    fills.store.fill_row |= {"filled": 0, "failed": 22, "failures": [{"why": "not on paper"}]}
    fills.choose(ONE)
    fills.open()
    fills.rest()
    fills.tab._on_action("fill", None, "")
    fills.wait(lambda: fills.parts["fill"]["failed"])
    assert fills.parts["fill"]["line"].endswith("failed: 22: not on paper")
    assert fills.parts["fill"]["label"]
    fills.store.fill_error = HistoryError("real accounts")
    fills.tab._on_action("fill", None, "")
    fills.wait(lambda: fills.parts["fill"]["line"] == "Not filled: real accounts")
    fills.store.fill_error = None
    fills.store.fill_row |= {"failed": 0, "failures": []}
    fills.tab._on_action("fill", None, "")
    fills.wait(lambda: not fills.parts["fill"]["label"])


def test_the_button_stays_while_another_account_is_read(fills: Page) -> None:
    """Nobody knows yet whether it is offered: it keeps the page's focus, and a press of it fills
    neither account. When the account has enough days, or cannot be read, it goes.
    """
    label = "Fill the last 30 days from KIS"
    fills.store.keep(World(date(2026, 11, 2), MONDAY, every=0, label="700*****-03"))
    fills.store.gates = {"700*****-03": threading.Event(), "600*****-03": threading.Event()}
    fills.choose(ONE)
    assert fills.parts["fill"]["label"] == ""
    fills.open()
    fills.rest()
    assert (fills.parts["fill"]["label"], fills.parts["fill"]["busy"]) == (label, False)
    # There and back before it was read.
    fills.choose(TWO)
    fills.choose(ONE)
    assert fills.parts["fill"]["label"] == label
    fills.rest()
    fills.controls["language"].value = "ko"
    fills.choose(TWO)
    assert fills.parts["fill"]["label"].startswith("지난 30일")
    fills.choose(ONE)
    fills.controls["language"].value = "en"
    fills.rest()
    for other in (TWO, Account("60012345", "03")):
        fills.choose(other)
        assert (fills.parts["fill"]["label"], fills.parts["fill"]["busy"]) == (label, True)
        fills.tab._on_action("fill", None, "")
        fills.store.failing = None if other == TWO else HistoryError("no such folder")
        fills.store.gates[other.masked].set()
        fills.rest()
        assert fills.parts["fill"]["label"] == ""
        fills.store.failing = None
        fills.choose(ONE)
        fills.rest()
        assert (fills.parts["fill"]["label"], fills.parts["fill"]["busy"]) == (label, False)
    assert fills.store.filled == []


def test_closing_cancels_a_filling(fills: Page) -> None:
    """A closed dashboard ends what it was filling."""
    fills.choose(ONE)
    fills.open()
    fills.rest()
    fills.tab._on_action("fill", None, "")
    fills.wait(lambda: fills.store.filled)
    fills.tab.close()
    fills.wait(lambda: fills.tab._fill._running is None)


@pytest.mark.parametrize("fills", [True], indirect=True)
def test_invented_days_are_filled_unasked(fills: Page) -> None:
    """On the embedded broker each account is filled once, when it is looked at, one after the other
    and marked as DEMO; an account with enough days is not.
    """
    fills.store.filled.clear()
    fills.choose(ONE)
    assert fills.store.filled == []
    fills.open()
    fills.wait(lambda: fills.store.filled == ["800*****-03"])
    fills.choose(TWO)
    fills.wait(lambda: fills.parts.get("busy") is False)
    assert fills.parts["fill"]["line"].startswith("DEMO · 800*****-03: the last 30 days")
    cast("threading.Event", fills.store.filling).set()
    fills.wait(lambda: fills.store.filled == ["800*****-03", "700*****-03"])
    fills.wait(lambda: not fills.parts["fill"]["busy"])
    fills.choose(ONE)
    fills.rest()
    fills.store.keep(World(date(2026, 11, 2), MONDAY, every=0, label="500*****-03"))
    fills.choose(Account("50012345", "03"))
    fills.rest()
    assert fills.store.filled == ["800*****-03", "700*****-03"]


# --- which answer -------------------------------------------------------------------------------


def test_a_late_answer_is_dropped(page: Page) -> None:
    """An account is chosen while another is being read: the later one is shown, whichever comes
    last, and nothing of the first is beside it.
    """
    gate = page.store.gates["800*****-03"] = threading.Event()
    page.choose(ONE)
    page.open()
    page.wait(lambda: page.store.asked == ["800*****-03"])
    page.choose(TWO)
    page.wait(lambda: page.parts.get("busy") is False)
    assert page.heads() == {"700*****-03"}
    gate.set()
    page.rest()
    assert page.heads() == {"700*****-03"}
    page.choose(ONE)
    # Another account's figures are taken away at once.
    assert (_value(page.parts, "history_pnl"), page.parts["busy"]) == ("–", True)
    page.rest()
    assert page.heads() == {"800*****-03"}


def test_spans_clicked_fast_end_with_the_last(page: Page) -> None:
    """However fast the spans are clicked through, the last one is shown in the end."""
    page.choose(ONE)
    page.open()
    for span in ("week", "year", "night", "week"):
        page.controls["history_span"].value = span
    page.rest()
    page.wait(lambda: page.parts["span"].startswith("From 2026-11-16 18:00:00 KST"))


def test_a_closed_tab_reads_nothing(page: Page) -> None:
    """While the other tab is open the history is not read."""
    page.choose(ONE)
    page.tab._append(make_balance())
    assert page.store.asked == []
    assert page.body.layout.display is None
    page.open()
    assert page.body.layout.display == "none"
    page.rest()
    assert page.store.asked == ["800*****-03"]


def test_what_came_from_outside_is_seen_at_the_next_look(page: Page) -> None:
    """What somebody else kept meanwhile shows when the tab is opened again, and on Refresh."""
    page.choose(ONE)
    page.open()
    page.rest()
    assert page.parts["newest"] == "Last kept 2026-11-23 15:45:00 KST"
    page.store.keep(World(date(2026, 11, 16), date(2026, 11, 24), every=60))
    page.controls["tab"].value = "now"
    page.open()
    page.wait(lambda: page.parts["newest"] == "Last kept 2026-11-24 15:45:00 KST")
    page.rest()
    page.store.keep(World(date(2026, 11, 16), date(2026, 11, 25), every=60))
    page.controls.refresh.click()
    page.wait(lambda: page.parts["newest"] == "Last kept 2026-11-25 15:45:00 KST")


@pytest.mark.parametrize("kind", ["file", "served", "page"])
def test_invented_accounts_are_kept_for_a_page_alone(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The demo's template, run by papermill or Voila, leaves no history and shows no tab."""
    monkeypatch.setattr(create, "front_end", lambda: kind)
    made = create.dashboard(demo=True, history=tmp_path / "demo-history")
    try:
        assert isinstance(made._tabs.history, HistoryTab) is (kind == "page")
    finally:
        made.close()


# --- what is kept, and what goes wrong ------------------------------------------------------------


def test_every_pull_is_kept() -> None:
    """Each balance that the dashboard pulls is kept, those in the background too."""
    store = FrameStore()
    with kis_nb.connect(demo=True) as client:
        dashboard = Dashboard(client, history=store)
        ends = time.monotonic() + 60
        while len(store.appended) < 4:
            assert time.monotonic() < ends
            time.sleep(0.02)
        views = {(one.mgna_dvsn.value, one.excc_stat_cd.value) for one in store.appended}
        dashboard.close()
    assert views == {("01", "1"), ("01", "2"), ("02", "1"), ("02", "2")}


def test_a_failed_append_is_said_once(page: Page) -> None:
    """A pull that cannot be kept is said in the tab, once; the next one that is kept ends it."""
    page.store.error = HistoryError("the disk is full")
    for _ in range(3):
        page.tab._append(make_balance())
    assert page.parts["faults"] == ["A pull was not kept: the disk is full"]
    page.store.error = None
    page.tab._append(make_balance())
    assert page.parts["faults"] == []


def test_a_failed_reading_is_said(page: Page) -> None:
    """A history that cannot be read is said, with dashes for figures, and is read again later."""
    page.store.failing = HistoryError("a later version")
    page.choose(ONE)
    page.open()
    page.wait(lambda: page.parts.get("faults"))
    assert page.parts["faults"] == ["The history was not read: a later version"]
    assert _value(page.parts, "history_pnl") == "–"
    page.store.failing = None
    page.tab._append(make_balance())
    page.wait(lambda: page.parts["faults"] == [])
    assert page.heads() == {"800*****-03"}


def test_pulls_go_on_when_keeping_fails() -> None:
    """What an append raises never reaches the pull."""
    store = FrameStore()
    store.error = RuntimeError("unforeseen")
    said: list[Any] = []
    hook, threading.excepthook = threading.excepthook, said.append
    try:
        tab = HistoryTab(store, Controls([], "en", "kr", 0))
        made = make_balance()
        source = tab.keeping(cast("Any", SimpleNamespace(balance=lambda *_a, **_k: made)))
        assert source.balance(ONE, mgna_dvsn=made.mgna_dvsn, excc_stat_cd=made.excc_stat_cd) is made
        tab._writer.close(finish=True, wait=True)
        assert tab.panel.parts["faults"] == ["A pull was not kept: RuntimeError"]
    finally:
        threading.excepthook = hook
        tab.close()
    assert said


def test_no_history_no_tab() -> None:
    """Without a history the page is as it was, and the pulls are handed on as they are."""
    tabs = Tabs(Controls([], "en", "kr", 0), None, None)
    children: list[Any] = [1, 2]
    assert tabs.join(None, children) is children
    source: Any = object()
    assert tabs.keeping(source) is source
    tabs.close()


def test_nothing_of_the_account_goes_to_the_page(page: Page) -> None:
    """What is sent names the account by its mask, and neither by number nor by its key."""
    page.choose(ONE)
    page.open()
    page.rest()
    sent = repr([page.parts, [view._rows for view in page.tab.charts.values()]])
    assert "80012345" not in sent
    assert "a" * 16 not in sent


def test_one_reading_is_one_state() -> None:
    """All parts of an answer are of the rows that one reading gave: cards and charts agree."""
    question = Question(ONE, "year", None, "en", "kr")
    content = read(FrameStore(*_worlds()), question)
    last = content.rows["equity_history"][-1]["equity_text"]
    assert _value(content.parts, "history_equity") == last
    assert content.rows["attribution"][-1]["figure"] == last
    assert Decimal(last.replace(",", "")) == _worlds()[0].summary_rows[-1]["krw_equity"]
