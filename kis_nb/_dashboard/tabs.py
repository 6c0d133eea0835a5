"""The tabs of a dashboard: which one is on show. Controls and head stay on all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from kis_nb._dashboard.boxes import box
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.history_tab import HistoryTab
from kis_nb._dashboard.risk_tab import RiskTab

if TYPE_CHECKING:
    import ipywidgets as w

    from kis_nb._client import Client
    from kis_nb._dashboard.displayed_balances import DisplayedBalances
    from kis_nb._dashboard.fetch_protocols import BalanceSource
    from kis_nb._dashboard.history_data import HistoryStore


class Tab(Protocol):
    """What a tab beside the first one has.

    Attributes:
        name: its value of the control ``tab``.
        box: what it shows.
        beside: controls that stand beside the tabs while it is on show.
    """

    name: str
    box: w.Box
    beside: tuple[w.Widget, ...]

    def follow(self, dashboard: Any, /) -> None: ...
    def turn(self) -> None: ...
    def close(self) -> None: ...


def tabs_of(
    controls: Controls, client: Client | None, history: HistoryStore | None, *, risk: bool
) -> Tabs:
    """The tabs of a dashboard.

    Args:
        controls, client: as of `HistoryTab` and `RiskTab`.
        history: of the History tab; None for a page without it.
        risk: whether there is a Risk tab.
    """
    kept = None if history is None else HistoryTab(history, controls, client)
    return Tabs(controls, kept, RiskTab(controls, client) if risk else None)


class Tabs:
    """Shows one tab at a time. Without any beside the first, the page is as it would be alone.

    Args:
        controls: of the dashboard; its ``tab`` is observed.
        history, risk: the tabs that there are.

    Attributes:
        history, risk: the same.
    """

    def __init__(
        self, controls: Controls, history: HistoryTab | None, risk: RiskTab | None
    ) -> None:
        self._controls = controls
        self.history, self.risk = history, risk
        self._tabs: list[Tab] = [tab for tab in (risk, history) if tab is not None]
        self._now: Sequence[w.Widget] = ()
        if self._tabs:
            controls.offer_tabs([tab.name for tab in self._tabs])

    def keeping(self, client: BalanceSource) -> BalanceSource:
        """The source of balances, each of which the History tab keeps."""
        return client if self.history is None else self.history.keeping(client)

    def join(self, dashboard: Any, children: list[w.Widget]) -> list[w.Widget]:
        """The widgets of the page with the tabs among them.

        Args:
            dashboard: handed to each tab's ``follow``.
            children: the controls, the head, and then what the first tab shows.
        """
        if not self._tabs:
            return children
        controls, *self._now = children
        beside = [one for tab in self._tabs for one in tab.beside]
        self._bar = box("tabs", self._controls["tab"], *beside)
        for tab in self._tabs:
            tab.follow(dashboard)
        self._controls["tab"].observe(lambda _: self._turn(), "value")
        self._turn()
        return [controls, self._bar, *self._now, *(tab.box for tab in self._tabs)]

    def take(self, displayed: DisplayedBalances, version: object) -> None:
        """Hand on what the dashboard shows now. The caller holds the dashboard's lock.

        Args:
            displayed: the balances on display.
            version: another object whenever what is shown of the same balance was made anew.
        """
        if self.risk is not None and (shown := displayed.shown) is not None:
            self.risk.take(shown, displayed.maintenance(shown), version)

    @property
    def risk_parts(self) -> tuple[Any, Any] | None:
        """What the Risk tab's panels show, for saved notebooks; None before it was opened."""
        tab = self.risk
        if tab is None or tab.head is None or tab.tables is None:
            return None
        return tab.head.parts, tab.tables.parts

    def _turn(self) -> None:
        """Show the tab that is chosen; status and alarms of the pulls stay on all."""
        chosen = self._controls["tab"].value
        # Not the head's own class: a panel's view takes those of its beginning alone.
        change = self._bar.remove_class if chosen == "now" else self._bar.add_class
        change("kis-tabs-other")
        _head, *rest = self._now
        for widget in rest:
            widget.layout.display = None if chosen == "now" else "none"
        for tab in self._tabs:
            # Before it is shown: it may have to say that its figures are old.
            tab.turn()
            for widget in (tab.box, *tab.beside):
                widget.layout.display = None if chosen == tab.name else "none"

    def close(self) -> None:
        """End what the tabs do on threads of their own."""
        for tab in self._tabs:
            tab.close()
