"""The History tab: keeps what the dashboard pulls, and shows what was kept.

Reading and writing happen on threads of its own. An answer is drawn only if it is still what the
tab is asked for, so that a slow one never lands beside another account or span.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from kis_nb._dashboard import thread_errors
from kis_nb._dashboard.boxes import box
from kis_nb._dashboard.chart_specs import chart_spec
from kis_nb._dashboard.controls import Controls, css_class
from kis_nb._dashboard.history_data import (
    CHARTS,
    Content,
    HistoryStore,
    Question,
    Span,
    blank,
    read,
)
from kis_nb._dashboard.history_fill import HistoryFill
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.texts import say
from kis_nb._errors import KisError
from kis_nb._widgets.chart_view import ChartView, Gesture
from kis_nb._widgets.panels import HistoryPanel

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._dashboard.fetch_protocols import BalanceSource
    from kis_nb._frames.balance import Balance

# A read that hangs must not hold up the next account's.
_READERS = 3


class HistoryTab:
    """The tab of one dashboard. All methods may be called from any thread; nothing is raised.

    Args:
        store: the history.
        controls: of the dashboard; its ``history_span``, ``language`` and ``colors`` are observed.
        client: what past days are filled from; None when there is nothing.

    Attributes:
        name, box, beside: as of `kis_nb._dashboard.tabs.Tab`.
        charts: the views, by name.
        panel: sentences and cards.
    """

    name = "history"

    def __init__(
        self, store: HistoryStore, controls: Controls, client: Client | None = None
    ) -> None:
        self._store = store
        self._controls = controls
        self._lock = threading.RLock()
        self._closed = False
        self._account: Any = None
        self._chosen: tuple[datetime, datetime] | None = None
        # The questions that are being read, and whether to read them again afterwards.
        self._reading: dict[Question, bool] = {}
        self._drawn: Question | None = None
        # How many trading days of the account on show are kept; None before they were read.
        self._days: int | None = None
        # Whether nothing of the account has been drawn since it was chosen.
        self._unread = True
        self._faults = {"append": "", "read": ""}
        self._fill = HistoryFill(store, client, self._say_filling, self._on_filled)
        self._readers = Jobs("kis_nb-history", _READERS)
        self._writer = Jobs("kis_nb-history-append")
        self.panel = HistoryPanel(self._on_action)
        self.charts = {
            name: ChartView(name=name, _dom_classes=[css_class(name)]) for name in CHARTS
        }
        for name, view in self.charts.items():
            view.on_gesture(partial(self._on_gesture, name))
        equity, margin, attribution = (box("section", view) for view in self.charts.values())
        self._drawing = box("stack", box("columns", equity, margin), attribution)
        self.box = box("history", self.panel, self._drawing)
        self.beside = (controls["history_span"],)

    def follow(self, dashboard: Any) -> None:
        """Show the history of the dashboard's ``account`` from now on."""
        dashboard.observe(lambda change: self._on_account(change["new"]), "account")
        for name in ("history_span", "language", "colors"):
            self._controls[name].observe(self._on_control, "value")
        # What came from outside is seen too, also when the pull fails.
        self._controls.refresh.on_click(lambda _: self._ask())

    def keeping(self, client: BalanceSource) -> BalanceSource:
        """The source of balances, each of which is kept."""
        return _Keeping(client, self.append)

    def append(self, balance: Balance) -> None:
        """Keep a balance, without waiting for it."""
        self._writer.run(partial(self._append, balance))

    def _append(self, balance: Balance) -> None:
        fault = ""
        try:
            self._store.append(balance)
        except KisError as error:
            fault = say("history_not_kept", self._lang, why=error)
        except Exception as error:  # noqa: BLE001  (whatever a store does wrong, the pull goes on)
            thread_errors.report(error)
            fault = say("history_not_kept", self._lang, why=type(error).__name__)
        self._say("append", fault)
        if not fault and self.open:
            self._ask()

    @property
    def open(self) -> bool:
        """Whether the tab is the one on show."""
        return bool(self._controls["tab"].value == "history")

    @property
    def _lang(self) -> Any:
        return self._controls["language"].value

    def _question(self) -> Question | None:
        if self._account is None:
            return None
        span: Span = self._controls["history_span"].value
        return Question(
            self._account, span, self._chosen, self._lang, self._controls["colors"].value
        )

    # --- what is done on the page -------------------------------------------------------------

    def turn(self) -> None:
        """Read, once the tab is opened."""
        self._ask()

    def _on_account(self, account: Any) -> None:
        with self._lock:
            self._account, self._chosen, self._days = account, None, None
            self._unread = True
        self._say_filling()
        self._ask()

    def _on_control(self, change: Any) -> None:
        if self._controls.relabelling:
            return
        if change["owner"] is self._controls["history_span"]:
            with self._lock:
                self._chosen = None
        self._ask()

    def _on_action(self, what: str, value: Any, _page: str) -> None:
        if what == "whole":
            self._choose(None, "")
        elif what == "between":
            self._between(value, "")
        elif what == "fill" and not self._unread:
            self._fill.begin(self._account)

    def _on_gesture(self, chart: str, gesture: Gesture) -> None:
        self._between(gesture.ids, chart)

    def _between(self, ids: Sequence[str], chart: str) -> None:
        with suppress(ValueError, TypeError):  # no page of ours sends anything else
            times = sorted(map(datetime.fromisoformat, ids))
            if not times:
                self._choose(None, chart)
            elif len(times) == 1:
                # From there until now.
                self._choose((times[0], datetime.max.replace(tzinfo=times[0].tzinfo)), chart)
            else:
                self._choose((times[0], times[-1]), chart)

    def _choose(self, chosen: tuple[datetime, datetime] | None, chart: str) -> None:
        with self._lock:
            self._chosen = chosen
        for name, view in self.charts.items():
            if name != chart:
                view.selected = ()
        self._ask()

    # --- reading and drawing ------------------------------------------------------------------

    def _ask(self) -> None:
        """Read what is asked for now; again, once it is read, when it is being read already."""
        with self._lock:
            question = self._question()
            if question is None or self._closed or not self.open:
                return
            if question != self._drawn:
                self._grey(question)
            if question in self._reading:
                self._reading[question] = True
                return
            self._reading[question] = False
        self._readers.run(partial(self._read, question))

    def _grey(self, question: Question) -> None:
        """What is on the page is of another question; another account's figures are taken away."""
        other = self._drawn is None or self._drawn.account != question.account
        parts = blank(question.lang) if other else {}
        self.panel.show(parts | {"busy": True, "words": self._words()})

    def _read(self, question: Question) -> None:
        while self._read_once(question):
            pass

    def _read_once(self, question: Question) -> bool:
        """Read and draw; true when something was stored meanwhile."""
        fault, content = "", None
        try:
            if self._is_asked(question):
                content = read(self._store, question)
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            if not isinstance(error, KisError):
                thread_errors.report(error)
            why = error if isinstance(error, KisError) else type(error).__name__
            fault = say("history_not_read", question.lang, why=why)
            content = Content(blank(question.lang))
        with self._lock:
            asked = self._is_asked(question)
            if asked and content is not None:
                self._drawn = question
                self._draw(content, question)
                self._say("read", fault)
            again = asked and self._reading[question]
            if again:
                self._reading[question] = False
            else:
                del self._reading[question]
        if asked and content is not None and content.days is not None:
            self._fill.begin_demo(question.account, content.days)
        return again

    def _is_asked(self, question: Question) -> bool:
        """Whether this is what the tab is asked for now, so that its answer may be drawn."""
        with self._lock:
            return not self._closed and question == self._question()

    def _draw(self, content: Content, question: Question) -> None:
        for name, rows in content.rows.items():
            spec = chart_spec(name, question.lang, question.colors)
            self.charts[name].draw(spec, {name: rows})
        if question.chosen is None:
            for view in self.charts.values():
                if view.selected:
                    view.selected = ()
        self._drawing.layout.display = None if content.rows else "none"
        self._days, self._unread = content.days, False
        self.panel.show(content.parts | {"busy": False, "words": self._words()})
        self._say_filling()

    def _say_filling(self) -> None:
        with self._lock:
            if not self._closed:
                fill = self._fill.part(self._account, self._days, self._lang, reading=self._unread)
                self.panel.show({"fill": fill})

    def _on_filled(self) -> None:
        self._say_filling()
        self._ask()

    def _words(self) -> dict[str, str]:
        keys = ("history", "history_loading", "history_begin", "history_end")
        return {key: say(key, self._lang) for key in keys}

    def _say(self, what: str, fault: str) -> None:
        """Say what went wrong, once, until it goes well again."""
        with self._lock:
            if not self._closed:
                self._faults[what] = fault
                self.panel.show({"faults": [text for text in self._faults.values() if text]})

    def close(self) -> None:
        """End reading and filling. What was pulled before is still written."""
        with self._lock:
            self._closed = True
        self._fill.close()
        self._readers.close()
        self._writer.close(finish=True)


class _Keeping:
    """A source of balances, each of which is handed on as it arrives.

    Args:
        client: the source.
        keep: called with each balance.
    """

    def __init__(self, client: BalanceSource, keep: Callable[[Balance], None]) -> None:
        self._client = client
        self._keep = keep

    def balance(self, *which: Any, **how: Any) -> Balance:
        """As `Client.balance`."""
        balance = self._client.balance(*which, **how)
        self._keep(balance)
        return balance
