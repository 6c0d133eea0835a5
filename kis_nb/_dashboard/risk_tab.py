"""The Risk tab: estimates of what the index and volatility would do to the account on display.

Nothing is made, estimated or asked for before the tab is opened. Drawing happens on a thread of its
own and never waits for the network. An estimate is drawn only while it is of the account on
display, and says so when it is of an earlier balance.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard import risk_data, thread_errors
from kis_nb._dashboard.boxes import box
from kis_nb._dashboard.chart_specs import chart_spec
from kis_nb._dashboard.controls import Controls, css_class
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.risk_data import CHARTS, Choice, Panels, blank
from kis_nb._dashboard.risk_estimates import Estimate, Make, make_risk
from kis_nb._dashboard.risk_estimator import RiskEstimator
from kis_nb._dashboard.texts import say
from kis_nb._errors import KisError
from kis_nb._widgets.chart_view import ChartView
from kis_nb._widgets.front_end import page_or_no_comms
from kis_nb._widgets.panels import RiskPanel, RiskTablesPanel

if TYPE_CHECKING:
    import ipywidgets as w

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row


class _Question(NamedTuple):
    estimate: Estimate
    choice: Choice
    lang: Lang
    colors: Colors

    @property
    def underlying(self) -> str | None:
        return risk_data.chosen(self.estimate.risk, self.choice)[0]

    @property
    def key(self) -> str:
        return self.estimate.key(self.underlying, self.lang)


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
        estimator: makes what is shown.
    """

    name = "risk"

    def __init__(
        self, controls: Controls, client: Client | None = None, make: Make = make_risk
    ) -> None:
        self._controls = controls
        self._client = client
        self._changed = threading.Condition(threading.RLock())
        self._closed = False
        self._choice = Choice()
        self._drawn: _Question | None = None
        self._last: tuple[_Question, Panels, dict[str, list[Row]]] | None = None
        # The move that each page asked about last, until it is answered.
        self._moves: dict[str, tuple[float, float]] = {}
        self._drawing = Jobs("kis_nb-risk-drawing")
        self.estimator = RiskEstimator(self._changed, self, self._drawing.run_after, client, make)
        self.head: RiskPanel | None = None
        self.tables: RiskTablesPanel | None = None
        self.charts: dict[str, ChartView] = {}
        self._boxes: dict[str, w.Box] = {}
        self.box = box("risk")
        self.beside: tuple[w.Widget, ...] = ()
        self._saved: Any = None  # the dashboard's `Snapshot`

    def follow(self, dashboard: Any) -> None:
        """Take the dashboard's language and colours from now on, and give way to its pulls."""
        self._saved = getattr(dashboard, "_snapshot", None)
        fetcher = getattr(dashboard, "_fetcher", None)
        if fetcher is not None:
            self.estimator.fetching = lambda: bool(fetcher.refreshing)
        for name in ("language", "colors"):
            self._controls[name].observe(lambda _: self._restyle(), "value")

    @property
    def open(self) -> bool:
        """Whether the tab is the one on show."""
        return bool(self._controls["tab"].value == "risk")

    def turn(self) -> None:
        """Estimate, once the tab is opened; what failed before is tried again."""
        if not self.open:
            self.estimator.leave()
            return
        self._lay_out()
        if self.estimator.renew():
            self._show_faults([])
        self._begin()
        self._draw()

    def take(self, balance: Balance, maintenance: Balance | None, version: object) -> None:
        """Estimate this balance from now on, if the tab is open.

        Args:
            balance, maintenance: as of `kis_nb._dashboard.risk_estimates.Subject`.
            version: another object when more became known of the same balance's products.
        """
        self.estimator.take(balance, maintenance, version)
        self._begin()

    def _begin(self) -> None:
        self.estimator.begin()
        with self._changed:
            if self.open:
                self._say_busy()

    # --- what is done on the page -------------------------------------------------------------

    def _lay_out(self) -> None:
        """Make the widgets, when they are needed for the first time."""
        with self._changed:
            if self.head is not None or self._closed:
                return
            with page_or_no_comms():
                self.head = RiskPanel(self._on_action)
                self.tables = RiskTablesPanel(self._on_action)
                self.charts = {
                    name: ChartView(name=name, _dom_classes=[css_class(name)]) for name in CHARTS
                }
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

    def _on_action(self, what: str, value: Any, page: str) -> None:
        if what in ("underlying", "expiry", "at") and isinstance(value, str):
            with self._changed:
                self._choice = self._choice._replace(**{what: value})
            self._draw()
        elif what == "moved":
            with suppress(TypeError, ValueError):  # no page of ours sends anything else
                # The key of the figures that it was asked at is not needed: the answer has that of
                # those that are shown by then, and a page with others asks again.
                spot, vol, _key = value
                with self._changed:
                    self._moves[page] = float(spot), float(vol)
                self._drawing.run(partial(self._show_losers, page))

    def _restyle(self) -> None:
        if not self._controls.relabelling:
            self._draw()

    @property
    def _lang(self) -> Lang:
        lang: Lang = self._controls["language"].value
        return lang

    # --- what the estimator says --------------------------------------------------------------

    @property
    def wanted(self) -> bool:
        """Whether the tab is on show, so that estimates are of use."""
        return not self._closed and self.head is not None and self.open

    def on_estimate(self) -> None:
        """There is another estimate: draw it."""
        self._drawing.run(self._render)

    def on_progress(self) -> None:
        """Something has begun or ended: say so."""
        self._say_busy()

    def on_failure(self, error: Exception) -> None:
        """The latest balance could not be estimated: say why."""
        self._show_faults([self._fault(error)])

    def _fault(self, error: Exception) -> str:
        if isinstance(error, ImportError) and error.name == "QuantLib":
            return say("risk_no_quantlib", self._lang)
        if not isinstance(error, KisError):
            thread_errors.report(error)
        why = error if isinstance(error, KisError) else type(error).__name__
        return say("risk_not_estimated", self._lang, why=why)

    def _show_faults(self, faults: list[str]) -> None:
        with self._changed:
            if self.head is not None and not self._closed:
                self.head.show({"faults": faults})

    # --- drawing ------------------------------------------------------------------------------

    def _question(self) -> _Question | None:
        held = self.estimator.held
        if held is None:
            return None
        return _Question(held, self._choice, self._lang, self._controls["colors"].value)

    def _draw(self) -> None:
        """Draw the estimate that there is, without waiting for it."""
        if self.open and self.head is not None:
            self._drawing.run(self._render)

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
        from kis_nb._chart_rows.style import Style

        estimate, choice, lang, colors = question
        fault, rows = "", dict[str, "list[Row]"]()
        style, last = Style(lang, colors), self._last
        # The quotes of options change neither grid nor curve.
        same = last is not None and last[0].estimate.risk is estimate.risk
        known = last[1:] if last is not None and same and last[0][1:] == question[1:] else None
        try:
            panels = risk_data.read(estimate.risk, choice, lang, known and known[0])
            # Those of an earlier balance are not taken away.
            first = last is None or last[0].estimate.account != estimate.account
            if estimate.step == 0 and first and self._client is not None:
                # Figures at once; the charts come with the market's forwards, in a moment.
                self._show(question, panels, {}, "")
                return
            rows = risk_data.read_charts(estimate.risk, choice, style, known and known[1])
            self._last = question, panels, rows
            if estimate.step >= 2 or self._client is None:
                rows = rows | risk_data.read_margin(estimate.risk, style)
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
            for name, chart in rows.items():
                spec = chart_spec(name, question.lang, question.colors)
                self.charts[name].draw(spec, {name: chart})
            comes = question.estimate.step < 2 and self._client is not None and not fault
            for name, one in self._boxes.items():
                # The last margin of the account, which says of when it is, stays until then.
                if not (comes and name not in risk_data.GRID_CHARTS):
                    one.layout.display = None if name in rows else "none"
            text = risk_data.words(question.lang)
            head = panels.head | {"words": text, "faults": [fault] if fault else []}
            if head["grid"] is not None:
                head["grid"] = head["grid"] | {"key": question.key}
            self.head.show(head)
            assert self.tables is not None
            self.tables.show(panels.tables | {"words": text})
            # Last: what is drawn is complete for whoever looks without the lock.
            self._drawn = question
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

    def _show_losers(self, page: str) -> None:
        """List the positions that lose at the move that a page asked about last."""
        with self._changed:
            move, question = self._moves.pop(page, None), self._drawn
        # Without figures, and with others by the end of this, the page asks again.
        if move is None or question is None:
            return
        try:
            risk = question.estimate.risk
            found = risk_data.losers(risk, question.choice, *move, question.lang)
            of = {"key": question.key, "underlying": question.underlying, "page": page}
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            self._show_faults([self._fault(error)])
            return
        with self._changed:
            if self.head is not None and question is self._drawn and not self._closed:
                self.head.show({"losers": found | of})

    def _say_busy(self) -> None:
        """Say what is under way, and whether the figures are of another balance; under the lock."""
        if self.head is None or self._closed:
            return
        estimator = self.estimator
        subject = estimator.subject
        if estimator.held is None and self._drawn is not None:
            # Another account's figures are taken away at once.
            self._show_nothing()
        old = self._drawn is not None and self._drawn.estimate.subject is not subject
        if subject is None:
            busy = "waiting"
        elif subject is estimator.ended:
            busy = ""
        else:
            busy = "estimating" if self._drawn is None or old else "quoting"
        self.head.show({"busy": busy, "old": old})
        if self._saved is not None:
            self._saved.changed()

    def close(self) -> None:
        """End estimating and drawing. A call that is under way ends by itself, without effect."""
        with self._changed:
            self._closed = True
        self.estimator.close()
        self._drawing.close()
