"""The charts' rows of every cached view, which the page keeps to show them at a click by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._dashboard.chart_data import CHARTS, ChartData, Choice
from kis_nb._dashboard.displayed_balances import DisplayedBalances

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row


class ChartVariants:
    """Collects the rows that are prepared, and prepares the others in the background.

    A click on a view is shown by the page in about 60 ms with rows that it holds; waiting for the
    kernel takes 200 ms and more, and longer with a JupyterHub far away.

    Args:
        displayed: the balances. Its lock is held by whoever calls `rows`.
        view_name: the name by which the page asks for a balance's view.
        run_later: runs a job on another thread.
        redraw: called on that thread, without the lock, when another view has been prepared.
    """

    def __init__(
        self,
        displayed: DisplayedBalances,
        view_name: Callable[[Balance], str],
        run_later: Callable[[Callable[[], None]], None],
        redraw: Callable[[], None],
    ) -> None:
        self._displayed = displayed
        self._view_name = view_name
        self._run_later = run_later
        self._redraw = redraw
        self._preparing = False

    def rows(self, shown: ChartData, choice: Choice, lang: Lang) -> dict[str, dict[str, list[Row]]]:
        """Rows by view name, by chart: those of `shown`, and of all views that are prepared.

        Balances are prepared when they arrive. Another language or choice makes the rows of all of
        them outdated: those of the view on display are made at once, the others one by one later.
        """
        shown.prepare_charts(choice)
        views = self._displayed.cached_data(lang)
        missing = [one for one in views if not one.is_prepared(choice)]
        if missing and not self._preparing:
            self._preparing = True
            self._run_later(lambda: self._prepare(missing[0], choice))
        return {
            chart: {
                self._view_name(one.balance): self._displayed.chart_rows(chart, one, choice)
                for one in views
                if one.is_prepared(choice)
            }
            for chart in CHARTS
        }

    def _prepare(self, data: ChartData, choice: Choice) -> None:
        try:
            data.prepare_charts(choice)
        finally:
            self._preparing = False
        self._redraw()
