"""The dashboard's charts and panels: their layout on the page, and their content."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard.boxes import box
from kis_nb._dashboard.chart_data import CHARTS, ChartData
from kis_nb._dashboard.chart_panel import ChartPanel
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.texts import say, template
from kis_nb._widgets.chart_view import ChartView, Gesture
from kis_nb._widgets.front_end import front_end
from kis_nb._widgets.panels import Act, ChecksPanel, HeadPanel, NotePanel, TablePanel

if TYPE_CHECKING:
    import ipywidgets as w

    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row


# What is below the first charts. A page is told of it once the first of those is drawn, so that
# head line and first chart do not wait for it.
_LOWER = ("book", "payoff")
_LOWER_CONTROLS = ("book_by", "book_measure", "payoff_on", "payoff_expiry")
# Seconds that the kernel leaves the machine to a page that draws its first chart.
_PATIENCE = 2.0


class PageLayout:
    """The charts and panels. The caller holds the dashboard's lock.

    Only what differs from what the page shows is sent.

    Args:
        controls: laid out among them.
        on_action: called with what is done on a panel.
        on_gesture: called with a chart's name and each gesture made on it.
        lock: the dashboard's.
        run: runs a job on another thread.
        selectable: whether there are balances to choose from, and so controls to choose them.
        saved: key of the output that is saved for the dashboard.

    Attributes:
        charts: by name.
        head, table, checks, note: the panels.
        children: the widgets of the page, from top to bottom.
        positions_of: the balance whose positions the table shows; None before the first.
    """

    def __init__(
        self,
        controls: Controls,
        on_action: Act,
        on_gesture: Callable[[str, Gesture], None],
        lock: threading.RLock,
        run: Callable[[Callable[[], None]], None],
        *,
        selectable: bool,
        saved: str,
    ) -> None:
        self._controls = controls
        self._lock = lock
        self._lang: Lang = "ko"
        self.positions_of: Balance | None = None
        self._closed = False
        # Elsewhere nobody says when a chart has been drawn.
        self._whole = front_end() != "page"
        shared: dict[str, Any] = {"layout": controls.layout}
        late = shared | {"later": not self._whole}
        self.head = HeadPanel(on_action, _saved=saved, **shared)
        self.charts = {
            name: ChartPanel(
                name,
                ChartView(
                    name=name,
                    _dom_classes=[f"kis-{name}"],
                    **(late if name in _LOWER else shared),
                ),
            )
            for name in CHARTS
        }
        self.table = TablePanel(on_action, _dom_classes=["kis-positions"], **late)
        self.checks = ChecksPanel(on_action, _dom_classes=["kis-reconcile"], **late)
        self.note = NotePanel(on_action, **late)
        for name, chart in self.charts.items():
            chart.view.on_gesture(partial(on_gesture, name))
        self._box = partial(box, layout=controls.layout)
        # A tab beside this one hides it, and it alone.
        self._body = box("body", self._upper(), *(self._lower() if self._whole else []))
        # Set once a page has drawn the first chart, and where no page says so.
        self._drawn = threading.Event()
        if self._whole:
            self._drawn.set()
        else:
            self.charts["pnl"].view.on_drawn(partial(self._on_drawn, run))
        self.children = [self._bar(selectable=selectable), self.head, self._body]

    def _bar(self, *, selectable: bool) -> w.Box:
        controls = self._controls
        names = ["account", "mgna_dvsn", "excc_stat_cd"] if selectable else []
        bar = [controls[name] for name in names]
        bar += [controls.refresh, controls["auto"]] if selectable else []
        bar.append(self._box("preferences", controls["language"], controls["colors"]))
        return self._box("controls", *bar)

    def _upper(self) -> w.Box:
        section = partial(self._box, "section")
        pnl, margin, views = (self.charts[name].view for name in ("pnl", "margin", "views"))
        return self._box(
            "columns",
            section(self._controls["pnl_by"], pnl),
            self._box("stack", section(margin), section(views)),
        )

    def _lower(self) -> list[w.Box]:
        controls, section = self._controls, partial(self._box, "section")
        switches = self._box("switches", controls["book_by"], controls["book_measure"])
        payoff = self._box("switches", controls["payoff_on"], controls["payoff_expiry"])
        right = self._box(
            "stack",
            section(payoff, self.charts["payoff"].view, self.note),
            section(self.checks),
        )
        return [
            section(self.table),
            self._box("columns columns-book", section(switches, self.charts["book"].view), right),
        ]

    def _on_drawn(self, run: Callable[[Callable[[], None]], None]) -> None:
        self._drawn.set()
        run(self._complete)

    def before(self, chart: str) -> None:
        """Called without the lock before the rows of a first balance's chart are made.

        Before what is below the first charts it waits until a page has drawn the first one, two
        seconds at most: on the same machine the page draws faster while the kernel does nothing.
        """
        if chart == _LOWER[0]:
            self._drawn.wait(_PATIENCE)
            self._complete()

    def _complete(self) -> None:
        """Tell the page of what is below the first charts, once."""
        with self._lock:
            if self._whole or self._closed:
                return
            self._drawn.set()
            self._whole = True
            lower = (self.charts[name].view for name in _LOWER)
            for widget in (*lower, self.table, self.checks, self.note):
                widget.open_now()
            self._body.children = (*self._body.children, *self._lower())
            self.head.show({"names": self._names()})

    def close(self) -> None:
        """The page gets no more widgets, and is waited for no longer."""
        self._closed = True
        self._drawn.set()

    @property
    def is_blank(self) -> bool:
        """Whether no chart has been drawn yet."""
        return not any(chart.is_drawn for chart in self.charts.values())

    def apply_style(self, lang: Lang, colors: Colors) -> None:
        """Send what depends on language and colours alone."""
        self._lang = lang
        keys = ("age_s", "age_m", "age_h", "demo", "figures", "png")
        self.head.show(
            {
                "lang": lang,
                "colors": colors,
                "names": self._names(),
                "words": {key: template(key, lang) for key in keys},
            }
        )

    def _names(self) -> dict[str, str]:
        """Accessible names of the dashboard and of the controls that the page has."""
        names = self._controls.names(self._lang, () if self._whole else _LOWER_CONTROLS)
        return names | {"dashboard": say("figures", self._lang)}

    def draw_charts(
        self,
        rows: Mapping[str, Mapping[str, list[Row]]],
        shown: str,
        note: str,
        lang: Lang,
        colors: Colors,
    ) -> None:
        """Draw all charts.

        Args:
            rows: rows by the view's name, by the chart's name.
            shown: name of the view to draw; a click on another one is shown by the page.
            note: a sentence under the payoff.
            lang, colors: of all charts.
        """
        for name, chart in self.charts.items():
            chart.show(rows[name], shown, lang, colors)
        self.note.show({"note": note})

    def draw_panels(self, data: ChartData) -> None:
        """Draw table and reconciliation."""
        self.positions_of = data.balance
        self.table.show({"table": data.table()})
        self.checks.show({"checks": data.checks()})

    def select(self, gesture: Gesture, source: str) -> None:
        """Select a gesture's positions in every chart and in the table.

        Also where the gesture was made: code, or another page, may have selected something else
        there since. The page ignores what its own later gestures have overtaken.

        Args:
            gesture: the positions, and the page and number of the gesture.
            source: where it was made: a chart's name, "table" or "code".
        """
        for chart in self.charts.values():
            chart.view.select(gesture)
        ids, page, number = gesture
        # A brush over a chart leaves only the rows that it touched in the table.
        only = source in self.charts and len(ids) > 1
        self.table.show(
            {"picked": {"ids": list(ids), "only": only, "page": page, "number": number}}
        )
