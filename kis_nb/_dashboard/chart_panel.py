"""The charts' specs, and a chart on the page that is sent a spec only when it changes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from kis_nb._choices import Colors, Lang

if TYPE_CHECKING:
    from kis_nb._widgets.chart_view import ChartView
    from kis_nb._widgets.vega_spec import Row


@cache
def spec(chart: str, lang: Lang, colors: Colors) -> dict[str, Any]:
    """A chart's Vega-Lite spec, which is the same for all figures.

    Args:
        chart: one of `CHARTS` of `kis_nb._dashboard.chart_data` or of `history_data`.
        lang, colors: of the chart.
    """
    from kis_nb.charts import (
        _attribution,
        _book,
        _equity_history,
        _margin,
        _margin_history,
        _payoff,
        _pnl,
        _views,
    )

    designs = {
        "pnl": _pnl.PNL,
        "margin": _margin.MARGIN,
        "views": _views.VIEWS,
        "book": _book.BOOK,
        "payoff": _payoff.PAYOFF,
        "equity_history": _equity_history.EQUITY_HISTORY,
        "margin_history": _margin_history.MARGIN_HISTORY,
        "attribution": _attribution.ATTRIBUTION,
    }
    # The lines of a chart are in the order of its rows, which another view may change.
    return designs[chart].spec(lang, colors) | {"usermeta": {"fresh": "key"}}


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
