"""Which balance is displayed, and which others of its account may be compared with it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._codes import Basis, Margin, View
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.balance_cache import view_of
from kis_nb._dashboard.chart_data import COMPARISONS, ChartData, Choice
from kis_nb._dashboard.fetcher import Fetcher
from kis_nb._dashboard.panel_json import Json
from kis_nb._frames.moments import SAME_MOMENT

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row

# Views whose first pages came within `SAME_MOMENT` are of the same moment. Further apart, the page
# states when each was pulled; beyond the first limit (in seconds) they are not compared at all.
# While pulls are under way the second limit holds, so that no chart changes twice.
_COMPARABLE = 60.0
_COMPARABLE_WHILE_REFRESHING = 300.0


class DisplayedBalances:
    """The balances on display, prepared as `ChartData`. The caller holds the dashboard's lock.

    Args:
        fetcher: None when there is nothing to pull from.
        static: the one balance to display then, if any.

    Attributes:
        shown: the balance on display; None before the first.
    """

    def __init__(self, fetcher: Fetcher | None, static: Balance | None) -> None:
        self._fetcher = fetcher
        self._chart_data: dict[View, ChartData] = {}
        self.shown = static

    def chart_data(self, view: View, lang: Lang) -> ChartData | None:
        """A view's cached balance, prepared once; None when there is none."""
        balance = self._fetcher.cached(view) if self._fetcher is not None else self.shown
        return self._prepared(balance, lang) if balance is not None else None

    def cached_data(self, lang: Lang) -> list[ChartData]:
        """`ChartData` of every cached view; without a fetcher of the one balance there is."""
        views = self._fetcher.cached_views() if self._fetcher is not None else []
        balances = [self._fetcher.cached(view) for view in views] if self._fetcher else [self.shown]
        return [self._prepared(one, lang) for one in balances if one is not None]

    def chart_rows(self, chart: str, data: ChartData, choice: Choice) -> list[Row]:
        """The rows of a chart when this view is on display.

        Args:
            chart: its name.
            data: of the view.
            choice: what the controls over the charts say.
        """
        if chart not in COMPARISONS:
            return data.rows(chart, choice)
        shown = data.balance
        balances = self.comparable(shown)
        drawn = balances
        if chart == "margin":
            # It shows other views only where its own basis lacks the maintenance margin.
            same_basis = [one for one in balances if one.excc_stat_cd is shown.excc_stat_cd]
            if any(one.mgna_dvsn is Margin.MAINTENANCE for one in same_basis):
                drawn = same_basis
        return data.comparison(chart, balances, self.other_times(shown, drawn))

    def _prepared(self, balance: Balance, lang: Lang) -> ChartData:
        view = view_of(balance)
        data = self._chart_data.get(view)
        if data is None or data.balance is not balance or data.lang != lang:
            previous = self._fetcher.previous(view) if self._fetcher is not None else None
            data = self._chart_data[view] = ChartData(balance, previous, lang)
        return data

    def complete_products(
        self, balance: Balance, lock: threading.RLock, draw: Callable[[], None]
    ) -> None:
        """Look up in KIS's master files what codes and names leave open, without waiting for it.

        Call it without the lock.

        Args:
            balance: whose products to look up.
            lock: the dashboard's.
            draw: a method, called under the lock when the files have come, to draw everything
                again.
        """
        from kis_nb._frames.position_products import fetch_missing_products

        # The download may outlast the dashboard, and must not keep it and its balances alive.
        clear, redraw = weakref.WeakMethod(self._clear), weakref.WeakMethod(draw)

        def complete() -> None:
            steps = [step for step in (clear(), redraw()) if step is not None]
            # The lock of a dashboard that is gone is never released.
            if steps:
                with lock:
                    for step in steps:
                        step()

        fetch_missing_products(balance.positions, balance.master, complete)

    def _clear(self) -> None:
        """Forget what was prepared: it is made again from the balances."""
        self._chart_data.clear()

    def current(self, requested: View, lang: Lang) -> ChartData | None:
        """The requested view if it is cached, else the one displayed so far; it is then `shown`."""
        data = self.chart_data(requested, lang)
        if data is None and self.shown is not None:
            data = self.chart_data(view_of(self.shown), lang)
        if data is not None:
            self.shown = data.balance
        return data

    def comparable(self, balance: Balance) -> list[Balance]:
        """The cached views of this account from about the same time, in the codes' order.

        `other_times` tells which of them need their time stated.
        """
        fetcher, shown = self._fetcher, view_of(balance)
        if fetcher is None:
            return [balance]
        limit = _COMPARABLE_WHILE_REFRESHING if fetcher.refreshing else _COMPARABLE
        found = []
        for view in [(balance.account, margin, basis) for margin in Margin for basis in Basis]:
            one = balance if view == shown else fetcher.cached(view)
            if one is not None and (view == shown or fetcher.seconds_between(view, shown) <= limit):
                found.append(one)
        return found

    def other_times(self, balance: Balance, others: Sequence[Balance]) -> str:
        """When those of `others` were pulled that are of another moment than `balance`.

        Returns:
            ``23:15:04``, or the first and the last as ``23:15:04–23:15:40``; blank when all are of
            the same moment.
        """
        fetcher, shown = self._fetcher, view_of(balance)
        times = [
            one.as_of
            for one in others
            if fetcher is not None
            and view_of(one) != shown
            and fetcher.seconds_between(view_of(one), shown) > SAME_MOMENT.total_seconds()
        ]
        if not times:
            return ""
        return "–".join(dict.fromkeys(f"{at:%H:%M:%S}" for at in (min(times), max(times))))

    def cards(self, data: ChartData | None, lang: Lang) -> list[Json]:
        """The summary cards; without a balance their labels and dashes."""
        if data is None:
            return summary_cards.blank(lang)
        balance = data.balance
        maintenance = self.maintenance(balance)
        others = self.comparable(balance)
        at = self.other_times(balance, [maintenance] if maintenance is not None else [])
        return summary_cards.cards(balance, data.previous, maintenance, lang, others, at)

    def maintenance(self, balance: Balance) -> Balance | None:
        """A comparable pull with MGNA_DVSN 02, on the same basis if there is one."""
        found = [one for one in self.comparable(balance) if one.mgna_dvsn is Margin.MAINTENANCE]
        found.sort(key=lambda one: one.excc_stat_cd is not balance.excc_stat_cd)
        return next(iter(found), None)
