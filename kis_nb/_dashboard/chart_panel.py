"""A chart on the page that is sent a spec only when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard.chart_specs import chart_spec

if TYPE_CHECKING:
    from kis_nb._widgets.chart_view import ChartView
    from kis_nb._widgets.vega_spec import Row


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

    @property
    def is_drawn(self) -> bool:
        """Whether it was ever sent a spec."""
        return self._style is not None

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
            self.view.draw(chart_spec(self.chart, lang, colors), rows, variant=shown)
            self._style = (lang, colors)
        self.view.offer({name: {self.chart: rows} for name, rows in views.items()}, shown)
