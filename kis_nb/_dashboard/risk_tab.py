"""The Risk tab: estimates of what the index and volatility would do to the account on display.

Nothing is made, estimated or asked for before the tab is opened. Estimating happens on threads of
its own. A result is drawn only while it is still of the balance on display, or says that it is not.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import ipywidgets as w

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard import risk_data, thread_errors
from kis_nb._dashboard.boxes import box
from kis_nb._dashboard.chart_panel import spec
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.risk_data import CHARTS, Choice, Panels, blank
from kis_nb._dashboard.risk_estimates import Estimate, Make, OptionQuotes, Subject, make_risk
from kis_nb._dashboard.texts import say
from kis_nb._errors import Cancelled, KisError
from kis_nb._widgets.chart_view import ChartView
from kis_nb._widgets.front_end import page_or_no_comms
from kis_nb._widgets.panels import RiskPanel, RiskTablesPanel

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row

# One that waits for the network must not hold up the next balance's.
_THREADS = 2
# Seconds that a maintenance pull in the background is waited for before one is made.
_PATIENCE = 2.0


class _Question(NamedTuple):
    estimate: Estimate
    choice: Choice
    lang: Lang
    colors: Colors


class RiskTab:
    """The tab of one dashboard. All methods may be called from any thread; nothing is raised.

    Args:
        controls: of the dashboard; its ``tab``, ``language`` and ``colors`` are followed.
        client: what quotes and margin come from; None when there is nothing.
        make: how an estimate is made.

    Attributes:
        name, box, beside: as of `kis_nb._dashboard.tabs.Tab`.
        head, tables: the panels; None before the tab was opened.
        charts: the views, by name; empty before.
    """

    name = "risk"

    def __init__(
        self, controls: Controls, client: Client | None = None, make: Make = make_risk
    ) -> None:
        self._controls = controls
        self._client = client
        self._make = make
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._subject: Subject | None = None
        self._version: object = None
        self._choice = Choice()
        self._estimate: Estimate | None = None
        self._drawn: _Question | None = None
        self._last: tuple[_Question, Panels, dict[str, list[Row]]] | None = None
        # The subject that is being estimated, or was; and the one that this has ended for.
        self._begun: Subject | None = None
        self._ended: Subject | None = None
        self._quotes = OptionQuotes()
        self._quick = Jobs("kis_nb-risk", _THREADS)
        self._slow = Jobs("kis_nb-risk-quotes")
        self.head: RiskPanel | None = None
        self.tables: RiskTablesPanel | None = None
        self.charts: dict[str, ChartView] = {}
        self._boxes: dict[str, w.Box] = {}
        self.box = w.Box()
        self.box.add_class("kis-risk")
        self.beside: tuple[w.Widget, ...] = ()
        self._saved: Any = None  # the dashboard's `Snapshot`

    def follow(self, dashboard: Any) -> None:
        """Take the dashboard's language and colours from now on."""
        self._saved = getattr(dashboard, "_snapshot", None)
        for name in ("language", "colors"):
            self._controls[name].observe(lambda _: self._restyle(), "value")

    @property
    def open(self) -> bool:
        """Whether the tab is the one on show."""
        return bool(self._controls["tab"].value == "risk")

    def turn(self) -> None:
        """Estimate, once the tab is opened."""
        if self.open:
            self._lay_out()
            self._begin()
            self._draw()
        elif self._subject is not None and self._ended is not self._subject:
            self._subject.cancel.set()

    def take(self, balance: Balance, maintenance: Balance | None, version: object) -> None:
        """Estimate this balance from now on, if the tab is open.

        Args:
            balance, maintenance: as of `Subject`.
            version: another object when more became known of the same balance's products.
        """
        with self._changed:
            old = self._subject
            same = old is not None and old.balance is balance and old.maintenance is maintenance
            if same and version is self._version:
                return
            self._version = version
            self._subject = Subject(balance, maintenance)
            # Quotes of the same account's options are of use to its next balance too.
            if old is not None and old.balance.account != balance.account:
                old.cancel.set()
            self._changed.notify_all()
        self._begin()

    # --- what is done on the page -------------------------------------------------------------

    def _lay_out(self) -> None:
        """Make the widgets, when they are needed for the first time."""
        with self._changed:
            if self.head is not None or self._closed:
                return
            with page_or_no_comms():
                self.head = RiskPanel(self._on_action)
                self.tables = RiskTablesPanel(self._on_action)
                self.charts = {name: ChartView(name=name) for name in CHARTS}
                for name, view in self.charts.items():
                    view.add_class(f"kis-{name.replace('_', '-')}")
                self._boxes = {name: box("section", view) for name, view in self.charts.items()}
                curve, heat, margin = self._boxes.values()
                for one in self._boxes.values():
                    one.layout.display = "none"
                self.box.children = [
                    self.head,
                    box("stack", box("columns", curve, heat), self.tables, margin),
                ]
            empty = blank()
            self.head.show(empty.head | {"words": risk_data.words(self._lang), "faults": []})
            self.tables.show(empty.tables | {"words": risk_data.words(self._lang)})
            self._say_busy()

    def _on_action(self, what: str, value: Any, _page: str) -> None:
        if what in ("underlying", "expiry", "at") and isinstance(value, str):
            with self._changed:
                self._choice = self._choice._replace(**{what: value})
            self._draw()
        elif what == "moved":
            with suppress(TypeError, ValueError):  # no page of ours sends anything else
                spot, vol = map(float, value)
                self._quick.run(partial(self._show_losers, spot, vol))

    def _restyle(self) -> None:
        if not self._controls.relabelling:
            self._draw()

    @property
    def _lang(self) -> Lang:
        lang: Lang = self._controls["language"].value
        return lang

    # --- estimating ---------------------------------------------------------------------------

    def _begin(self) -> None:
        """Estimate the subject, unless that is under way or done."""
        with self._changed:
            subject = self._subject
            if self._closed or not self.open or self.head is None:
                return
            if subject is not None and subject is not self._begun:
                self._begun = subject
                self._quick.run(partial(self._run, subject))
            elif subject is not None and subject.cancel.is_set():
                # The tab was turned away from meanwhile.
                self._subject = None
                self.take(subject.balance, subject.maintenance, self._version)
                return
            self._say_busy()

    def _is_wanted(self, subject: Subject) -> bool:
        with self._changed:
            return not self._closed and self.open and subject is self._subject

    def _run(self, subject: Subject) -> None:
        """Estimate with what is known at once, and then with the market's forwards."""
        client, held = self._client, self._estimate
        if (held is None or client is None) and not self._make_one(subject, None, 0):
            return
        if client is None:
            self._end(subject)
            return
        if subject.maintenance is None:
            # It is being pulled in the background, and need not be pulled twice.
            with self._changed:
                self._changed.wait_for(lambda: not self._is_wanted(subject), _PATIENCE)
        if self._make_one(subject, client, 1):
            self._slow.run(partial(self._complete, subject))

    def _make_one(self, subject: Subject, client: Client | None, step: int) -> bool:
        """Estimate and draw; whether that went well and the subject is still wanted."""
        if not self._is_wanted(subject):
            return False
        known = self._quotes.of(subject.balance) if step else None
        try:
            return self._accept(Estimate(subject, self._make(subject, client, known), step))
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            self._fail(subject, error)
            return False

    def _complete(self, subject: Subject) -> None:
        """Add the quotes of options, and the margin's components."""
        with self._changed:
            held = self._estimate
        if held is None or held.subject is not subject or not self._is_wanted(subject):
            return
        try:
            if self._quotes.of(subject.balance) is None:
                held.risk.ask_option_quotes()
                self._quotes.keep(subject.balance, held.risk.quotes)
            held.risk.margin_components()
            # It is a later balance's turn when one came meanwhile.
            if self._accept(held._replace(step=2)):
                self._end(subject)
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            self._fail(subject, error)

    def _accept(self, made: Estimate) -> bool:
        with self._changed:
            if not self._is_wanted(made.subject):
                return False
            self._estimate = made
        self._render()
        return self._is_wanted(made.subject)

    def _end(self, subject: Subject) -> None:
        with self._changed:
            self._ended = subject
            self._say_busy()

    def _fault(self, error: Exception) -> str:
        if isinstance(error, ImportError) and error.name == "QuantLib":
            return say("risk_no_quantlib", self._lang)
        if not isinstance(error, KisError):
            thread_errors.report(error)
        why = error if isinstance(error, KisError) else type(error).__name__
        return say("risk_not_estimated", self._lang, why=why)

    def _fail(self, subject: Subject, error: Exception) -> None:
        """Say that it went wrong, if it is still of interest."""
        if isinstance(error, Cancelled):
            return
        fault = self._fault(error)
        with self._changed:
            if self.head is not None and self._is_wanted(subject):
                self.head.show({"faults": [fault]})
                self._end(subject)

    # --- drawing ------------------------------------------------------------------------------

    def _question(self) -> _Question | None:
        if self._estimate is None:
            return None
        return _Question(self._estimate, self._choice, self._lang, self._controls["colors"].value)

    def _draw(self) -> None:
        """Draw the estimate that there is, without waiting for it."""
        if self.open and self.head is not None:
            self._quick.run(self._render)

    def _render(self) -> None:
        """Draw what is asked for, until that is what is drawn."""
        while True:
            with self._changed:
                question = self._question()
                if self._closed or question is None or question == self._drawn:
                    self._say_busy()
                    return
            self._read(question)

    def _read(self, question: _Question) -> None:
        """Read what a question comes to, and show it if it is still asked."""
        from kis_nb.charts._style import Style

        estimate, choice, lang, colors = question
        fault, rows = "", dict[str, "list[Row]"]()
        style, last = Style(lang, colors), self._last
        # The quotes of options change neither grid nor curve.
        same = last is not None and last[0].estimate.risk is estimate.risk
        known = last[1:] if last is not None and same and last[0][1:] == question[1:] else None
        try:
            panels = risk_data.read(estimate.risk, choice, lang, known and known[0])
            if estimate.step == 0 and self._client is not None:
                # Figures at once; the charts come with the market's forwards, in a moment.
                self._show(question, panels, {}, "")
                for name in risk_data.GRID_CHARTS:
                    spec(name, lang, colors)
                return
            rows = risk_data.read_charts(estimate.risk, choice, style, known and known[1])
            self._last = question, panels, rows
            if estimate.step == 2 or self._client is None:
                rows = rows | risk_data.read_margin(estimate.risk, style)
            for name in rows:
                spec(name, lang, colors)
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            fault = self._fault(error)
            panels, rows = blank(), {}
        self._show(question, panels, rows, fault)

    def _show(
        self, question: _Question, panels: Panels, rows: dict[str, list[Row]], fault: str
    ) -> None:
        """Show panels and charts, unless something else is asked by now."""
        with self._changed:
            if self._closed or self.head is None or question != self._question():
                return
            self._drawn = question
            for name, chart in rows.items():
                self.charts[name].draw(spec(name, question.lang, question.colors), {name: chart})
            for name, one in self._boxes.items():
                one.layout.display = None if name in rows else "none"
            text = risk_data.words(question.lang)
            self.head.show(panels.head | {"words": text, "faults": [fault] if fault else []})
            assert self.tables is not None
            self.tables.show(panels.tables | {"words": text})
            self._say_busy()

    def _show_nothing(self) -> None:
        assert self.head is not None
        assert self.tables is not None
        self._drawn = None
        for one in self._boxes.values():
            one.layout.display = "none"
        empty = blank()
        self.head.show(empty.head)
        self.tables.show(empty.tables)

    def _show_losers(self, spot: float, vol: float) -> None:
        """List the positions that lose at a move, if it is still about what is shown."""
        with self._changed:
            question = self._drawn
        if question is None:
            return
        try:
            found = risk_data.losers(
                question.estimate.risk, question.choice, spot, vol, question.lang
            )
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            with self._changed:
                if self.head is not None and not self._closed:
                    self.head.show({"faults": [self._fault(error)]})
            return
        with self._changed:
            if self.head is not None and question is self._drawn and not self._closed:
                self.head.show({"losers": found})

    def _say_busy(self) -> None:
        """Say what is under way, and whether the figures are of another balance; under the lock."""
        if self.head is None or self._closed:
            return
        subject, held = self._subject, self._estimate
        if held is not None and subject is not None and held.account != subject.balance.account:
            # Another account's figures are taken away at once.
            held = self._estimate = None
            self._show_nothing()
        old = held is not None and held.subject is not subject
        if subject is None:
            busy = "waiting"
        elif subject is self._ended:
            busy = ""
        else:
            busy = "estimating" if held is None or old else "quoting"
        self.head.show({"busy": busy, "old": old})
        if self._saved is not None:
            self._saved.changed()

    def close(self) -> None:
        """End estimating. A call that is under way ends by itself, without any effect."""
        with self._changed:
            self._closed = True
            if self._subject is not None:
                self._subject.cancel.set()
            self._changed.notify_all()
        self._quick.close()
        self._slow.close()
