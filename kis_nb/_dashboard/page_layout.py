"""The dashboard's charts and panels: their layout on the page, and their content."""

from __future__ import annotations

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
from kis_nb._widgets.panels import Act, ChecksPanel, HeadPanel, NotePanel, TablePanel

if TYPE_CHECKING:
    import ipywidgets as w

    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row


class PageLayout:
    """The charts and panels. The caller holds the dashboard's lock.

    Only what differs from what the page shows is sent.

    Args:
        controls: laid out among them.
        on_action: called with what is done on a panel.
        on_gesture: called with a chart's name and each gesture made on it.
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
        *,
        selectable: bool,
        saved: str,
    ) -> None:
        self._controls = controls
        self.positions_of: Balance | None = None
        shared: dict[str, Any] = {"layout": controls.layout}
        self.head = HeadPanel(on_action, _saved=saved, **shared)
        self.table = TablePanel(on_action, _dom_classes=["kis-positions"], **shared)
        self.checks = ChecksPanel(on_action, _dom_classes=["kis-reconcile"], **shared)
        self.note = NotePanel(on_action, **shared)
        self.charts = {
            name: ChartPanel(name, ChartView(name=name, _dom_classes=[f"kis-{name}"], **shared))
            for name in CHARTS
        }
        for name, chart in self.charts.items():
            chart.view.on_gesture(partial(on_gesture, name))
        self.children = self._arrange(controls, selectable=selectable)

    def _arrange(self, controls: Controls, *, selectable: bool) -> list[w.Widget]:
        view = {name: chart.view for name, chart in self.charts.items()}
        part = partial(box, layout=controls.layout)
        names = ["account", "mgna_dvsn", "excc_stat_cd"] if selectable else []
        bar = [controls[name] for name in names]
        bar += [controls.refresh, controls["auto"]] if selectable else []
        preferences = (controls["language"], controls["colors"])
        bar.append(box("preferences", *preferences, layout=controls.layout))
        switches = part("switches", controls["book_by"], controls["book_measure"])
        payoff = part("switches", controls["payoff_on"], controls["payoff_expiry"])
        comparisons = part("stack", part("section", view["margin"]), part("section", view["views"]))
        right = part(
            "stack",
            part("section", payoff, view["payoff"], self.note),
            part("section", self.checks),
        )
        # A tab beside this one hides it, and it alone.
        body = box(
            "body",
            part("columns", part("section", controls["pnl_by"], view["pnl"]), comparisons),
            part("section", self.table),
            part("columns columns-book", part("section", switches, view["book"]), right),
        )
        return [part("controls", *bar), self.head, body]

    @property
    def is_blank(self) -> bool:
        """Whether no chart has been drawn yet."""
        return not any(chart.is_drawn for chart in self.charts.values())

    def apply_style(self, lang: Lang, colors: Colors) -> None:
        """Send what depends on language and colours alone."""
        names = self._controls.names(lang) | {"dashboard": say("figures", lang)}
        keys = ("age_s", "age_m", "age_h", "demo", "figures", "png")
        self.head.show(
            {
                "lang": lang,
                "colors": colors,
                "names": names,
                "words": {key: template(key, lang) for key in keys},
            }
        )

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
