"""The charts' specs, and a chart on the page that is sent a spec only when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kis_nb._choices import Colors, Lang

if TYPE_CHECKING:
    from kis_nb._widgets.chart_view import ChartView
    from kis_nb._widgets.vega_spec import Row
    from kis_nb.charts._chart import ChartKind


@cache
def spec(chart: str, lang: Lang, colors: Colors) -> dict[str, Any]:
    """A chart's Vega-Lite spec, which is the same for all figures.

    Args:
        chart: one of `CHARTS` of `kis_nb._dashboard.chart_data`, `history_data` or `risk_data`.
        lang, colors: of the chart.
    """
    # Its module alone: a page without a tab needs none of that tab's charts.
    kind: ChartKind = getattr(import_module(f"kis_nb.charts._{chart}"), chart.upper())
    # The lines of a chart are in the order of its rows, which another view may change.
    return kind.spec(lang, colors) | {"usermeta": {"fresh": "key"}}


class ChartPanel:
    """One chart on the page.

    Args:
        chart: its name.
        view: the widget that draws it.
    """

    def __init__(self, chart: str, view: ChartView) -> None:
        self.chart = chart
        self.view = view
        self._style: tuple[Lang, Colors] | None = None

    def show(
        self,
        views: Mapping[str, list[Row]],
        shown: str,
        lang: Lang,
        colors: Colors,
    ) -> None:
        """Draw the rows of one view; the page keeps the others, to show them without the kernel.

        Args:
            views: rows by the view's name.
            shown: name of the view to draw.
            lang, colors: of the chart.
        """
        if self._style != (lang, colors):
            rows = {self.chart: views[shown]}
            self.view.draw(spec(self.chart, lang, colors), rows, variant=shown)
            self._style = (lang, colors)
        self.view.offer({name: {self.chart: rows} for name, rows in views.items()}, shown)
