"""The dashboard's class: it connects controls, fetcher, selection and page.

Whichever thread changes something, drawing happens under one lock and shows one balance. One that
is not of the codes chosen, or no longer current, is greyed, with its own codes and age.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets

from kis_nb._account import Account
from kis_nb._choices import Colors, Lang, check_preferences
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike, View
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.chart_data import CHARTS, ChartData
from kis_nb._dashboard.chart_variants import ChartVariants
from kis_nb._dashboard.controls import Controls, close_all
from kis_nb._dashboard.displayed_balances import DisplayedBalances
from kis_nb._dashboard.fetcher import Fetcher
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.known_accounts import KnownAccounts
from kis_nb._dashboard.page_layout import PageLayout
from kis_nb._dashboard.saved_head import saved_head_html
from kis_nb._dashboard.selection import Selection
from kis_nb._dashboard.shutdown import detach
from kis_nb._dashboard.snapshot import Snapshot
from kis_nb._dashboard.status import DashboardStatus
from kis_nb._dashboard.tabs import tabs_of
from kis_nb._errors import ConfigError
from kis_nb._widgets.chart_view import Gesture, read_gesture

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._dashboard.early_pull import EarlyPull
    from kis_nb._dashboard.history_data import HistoryStore
    from kis_nb._frames.balance import Balance

_CODES = ("account", "mgna_dvsn", "excc_stat_cd")


class Dashboard(w.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """An account's figures and charts on one page, kept up to date.

    Make one with `dashboard` or `show`. All attributes are traits; none is synced with the page.
    Observers run on the thread that brought the change.

    Args:
        client: what to pull from; None when there is nothing.
        account, mgna_dvsn, excc_stat_cd: what to begin with.
        lang, colors, auto, risk: as of `dashboard`.
        problem: why there is no client, to be shown.
        static: the one balance to show without a client.
        closer: called when the dashboard is closed.
        history: where pulls are kept and read from; None for a page without the History tab.
        early: a first pull that has begun, of the account and codes to begin with.

    Attributes:
        account: the account chosen; set it to a number, a name, a label or an `Account`. It shows
            masked and equals its full text. None when there is none.
        mgna_dvsn, excc_stat_cd: the codes chosen, `Margin` and `Basis`; set them to wire codes.
        balance: the `Balance` on display, None before the first; observe it. While a pull is under
            way it may be of other codes than those chosen, and the page says so. Read-only.
        selected: ``pdno`` of the selected positions, in charts and table.

    Raises:
        ValueError: an argument, or what an attribute is set to, is none of these.
    """

    account = traitlets.Any(allow_none=True, default_value=None)
    mgna_dvsn = traitlets.Any(default_value=Margin.INITIAL)
    excc_stat_cd = traitlets.Any(default_value=Basis.SETTLEMENT)
    balance = traitlets.Any(allow_none=True, default_value=None, read_only=True)
    selected = traitlets.Tuple()

    # ipywidgets closes a widget that goes away, also one whose arguments were refused.
    _closed = True

    def __init__(
        self,
        client: Client | None,
        *,
        account: str | Account | None = None,
        mgna_dvsn: MarginLike = Margin.INITIAL,
        excc_stat_cd: BasisLike = Basis.SETTLEMENT,
        lang: Lang = "ko",
        colors: Colors = "kr",
        auto: int = 0,
        problem: ConfigError | None = None,
        static: Balance | None = None,
        closer: Callable[[], None] | None = None,
        history: HistoryStore | None = None,
        risk: bool = False,
        early: EarlyPull | None = None,
    ) -> None:
        check_preferences(lang, colors, auto)
        self._accounts = KnownAccounts(client)
        chosen, account = self._accounts.find(account), None
        if isinstance(chosen, ValueError):
            raise chosen
        self._lock = threading.RLock()
        self._ready = self._closed = False
        self._lang, self._colors = lang, colors
        self._problem, self._closer, self._early = problem, closer, early
        if static is not None:
            chosen, mgna_dvsn, excc_stat_cd = static.account, static.mgna_dvsn, static.excc_stat_cd
        self._accounts.add([chosen])
        self._controls = Controls(list(self._accounts.labels.values()), lang, colors, auto)
        self._tabs = tabs_of(self._controls, client, history, risk=risk)
        source = None if client is None else self._tabs.keeping(client)
        self._fetcher = None if early is None else early.fetcher
        if early is None and source is not None and chosen is not None:
            self._fetcher = Fetcher(source, self)
        self._displayed = DisplayedBalances(self._fetcher, static)
        # One thread for what pages ask, so that it happens in the order in which they asked.
        self._jobs = Jobs("kis_nb-jobs")
        self._variants = ChartVariants(
            self._displayed, self._accounts.view_name, self._jobs.run, self._redraw_charts
        )
        self._selection = Selection()
        self._snapshot = Snapshot(self._saved_html)
        self._page = PageLayout(
            *(self._controls, self._on_action, self._on_gesture, self._lock, self._jobs.run),
            selectable=static is None,
            saved=self._snapshot.key,
        )
        children = self._tabs.join(self, self._page.children)
        super().__init__(children, layout=w.Layout(width="100%"), _dom_classes=["kis-dashboard"])
        self.account, self.mgna_dvsn, self.excc_stat_cd = chosen, mgna_dvsn, excc_stat_cd
        self._start(auto)

    def _start(self, auto: int) -> None:
        self._controls.on_choice(self._on_control, self._redraw_charts, self.refresh)
        self._ready = True
        with self._lock:
            self._page.apply_style(self._lang, self._colors)
            if self._fetcher is not None:
                weakref.finalize(self, detach, self._fetcher, self._lock)
            if self._early is not None:
                self._early.hand_over(self)
            elif self._fetcher is not None:
                self._fetcher.set_interval(auto)
                self._fetcher.request(self._requested)
            else:
                self._controls.disable()
            # With a fetcher, whose balance may have come already, the rest is drawn on its thread.
            self._draw() if self._fetcher is None else self._draw_head()
        if self._fetcher is None:
            self._publish_balance()

    def __repr__(self) -> str:
        return "<KisDashboard>"

    def _repr_mimebundle_(self, **more: Any) -> Any:
        return self._snapshot.bundle(super()._repr_mimebundle_(**more))

    def _saved_html(self, *, settled: bool = False) -> str | None:
        """The head for saved notebooks; None while a pull is under way, with `settled` any pull."""
        with self._lock:
            if settled:
                if self._fetcher is not None and self._fetcher.refreshing:
                    return None
                self._draw()
            head, table = self._page.head.parts, self._page.table.parts.get("table")
            # Between the two steps of `on_balance` the head is of a newer balance than the table.
            if head["busy"] or self._page.positions_of is not self._displayed.shown:
                return None
            return saved_head_html(head, table, self._lang, self._colors, self._tabs.risk_parts)

    # --- what is chosen -----------------------------------------------------------------------

    @traitlets.validate("account")
    def _check_account(self, proposal: Any) -> Account | None:
        if proposal["value"] is None:
            return None
        found = self._accounts.find(proposal["value"])
        if isinstance(found, ValueError):
            raise found
        return found

    @traitlets.validate("mgna_dvsn")
    def _check_margin(self, proposal: Any) -> Margin:
        return Margin(proposal["value"])

    @traitlets.validate("excc_stat_cd")
    def _check_basis(self, proposal: Any) -> Basis:
        return Basis(proposal["value"])

    @traitlets.observe(*_CODES)
    def _on_choice(self, change: Any) -> None:
        with self._lock:
            name, value = change["name"], change["new"]
            if name == "account":
                if value is not None and value not in self._accounts.labels:
                    self._accounts.add([value])
                    self._controls.list_accounts(list(self._accounts.labels.values()), self._lang)
                value = self._accounts.index(value)
            self._controls.set(name, value if name == "account" else value.value)
            if self._ready and self._fetcher is not None and not self._closed:
                self._fetcher.request(self._requested)
                self._draw()
        self._publish_balance()

    def _on_control(self, change: Any) -> None:
        if self._controls.relabelling or self._closed:
            return
        name, value = self._controls.name_of(change["owner"]), change["new"]
        if name == "account":
            self.account = list(self._accounts.labels)[value]
        elif name in _CODES:
            setattr(self, name, value)
        elif name == "auto" and self._fetcher is not None:
            self._fetcher.set_interval(value)
        elif name == "language":
            self._restyle(value, self._colors)
        elif name == "colors":
            self._restyle(self._lang, value)

    def _restyle(self, lang: Lang, colors: Colors) -> None:
        """Change language or colours, everywhere at once."""
        with self._lock:
            self._lang, self._colors = lang, colors
            self._controls.relabel(lang)
            self._page.apply_style(self._lang, self._colors)
            self._draw()

    def refresh(self) -> None:
        """Pull the account now; does nothing without a client. Nothing is raised."""
        if self._fetcher is not None:
            self._fetcher.refresh()

    @property
    def _requested(self) -> View:
        return (self.account, self.mgna_dvsn, self.excc_stat_cd)

    # --- called by the fetcher, on its threads --------------------------------------------------

    def on_balance(self, view: View) -> None:
        """Called by the fetcher when a newer balance is cached: prepare its content, then draw.
        Nothing is raised.

        Args:
            view: what the balance was pulled for.
        """
        with self._lock:
            if self._closed:
                return
            self._draw_head()
            data = self._displayed.chart_data(view, self._lang)
        if data is not None:
            self._draw_first(data)
            data.prepare(self._controls.chart_choice)
            self._displayed.complete_products(data.balance, self._lock, self._draw)
        with self._lock:
            self._draw()
        self._publish_balance()

    def _draw_first(self, data: ChartData) -> None:
        """Draw the charts of a page without any one by one: the first needs no calendar."""
        for name in CHARTS if self._page.is_blank else ():
            self._page.before(name)
            choice = self._controls.chart_choice
            data.prepare_chart(name, choice)
            with self._lock:
                if self._closed or data is not self._displayed.current(self._requested, self._lang):
                    return
                view = self._accounts.view_name(data.balance)
                rows = {view: self._displayed.chart_rows(name, data, choice)}
                self._page.charts[name].show(rows, view, self._lang, self._colors)

    def on_state(self) -> None:
        """Called by the fetcher when a pull's state changed. Nothing is raised."""
        with self._lock:
            self._draw_head()
            # A view that could not be renewed may have become too old to be compared.
            if self._fetcher is not None and not self._fetcher.refreshing:
                self._draw_charts()

    # --- drawing, under the lock --------------------------------------------------------------

    def _draw(self) -> None:
        if self._closed:
            return
        self._draw_head()
        self._draw_charts()
        data = self._displayed.current(self._requested, self._lang)
        if data is not None:
            self._page.draw_panels(data)
            self._tabs.take(self._displayed, data)

    def _draw_charts(self) -> None:
        data = self._displayed.current(self._requested, self._lang)
        if data is None or self._closed:
            return
        expiries, default = data.expiries(self._controls["payoff_on"].value)
        self._controls.list_expiries(expiries, default, self._lang)
        rows = self._variants.rows(data, self._controls.chart_choice, self._lang)
        shown = self._accounts.view_name(data.balance)
        self._page.draw_charts(rows, shown, data.left_out(), self._lang, self._colors)

    def _redraw_charts(self) -> None:
        with self._lock:
            self._draw_charts()

    def _draw_head(self) -> None:
        if self._closed or not self._ready:
            return
        data = self._displayed.current(self._requested, self._lang)
        shown, lang = self._displayed.shown, self._lang
        status = DashboardStatus.capture(
            self._fetcher,
            self._requested,
            shown,
            auto=bool(self._controls["auto"].value),
            problem=self._problem,
            lang=lang,
        )
        parts = status.parts()
        # Without a fetcher there are no controls to mark.
        marked = shown if self._fetcher is not None else None
        parts["shown"] = None if marked is None else self._accounts.option_indexes(marked)
        parts["explain"] = summary_cards.explain(self.mgna_dvsn, self.excc_stat_cd, lang)
        parts["cards"] = self._displayed.cards(data, lang)
        self._page.head.show(parts)
        self._snapshot.changed()

    def _publish_balance(self) -> None:
        """Set the trait `balance`. Without the lock, since observers may do anything."""
        if self._ready and not self._closed:
            self.set_trait("balance", self._displayed.shown)

    # --- what is done on the page -------------------------------------------------------------

    def _on_action(self, what: str, value: Any, page: str) -> None:
        if what == "cancel" and self._fetcher is not None:
            self._fetcher.cancel()
        elif what == "shown" and self._fetcher is not None:
            self._fetcher.page_shown(str(value))
        elif what == "hidden" and self._fetcher is not None:
            self._fetcher.page_hidden(str(value))
        elif what == "select" and (gesture := read_gesture(value, page)) is not None:
            self._on_gesture("table", gesture)
        elif what in ("csv", "excel") and isinstance(value, list):
            self._jobs.run(lambda: self._save(what, value, page))

    def _on_gesture(self, source: str, gesture: Gesture) -> None:
        # Not on this thread: drawing may hold the lock for long, and the page's next message waits.
        self._jobs.run(lambda: self._select(gesture, source))

    def _select(self, gesture: Gesture, source: str) -> None:
        with self._lock:
            if not self._closed and self._selection.accept(gesture, source):
                self.selected = gesture.ids
            elif not self._closed:
                # The chart where it was made shows it, and must show the newer selection.
                self._page.select(*self._selection.current)

    @traitlets.observe("selected")
    def _on_selected(self, change: Any) -> None:
        with self._lock:
            if not self._closed:
                self._page.select(*self._selection.origin(change["new"]))

    def _save(self, what: str, keys: Sequence[str], page: str) -> None:
        """Send a page a file of the rows that it shows, in its order, with all columns."""
        from kis_nb._dashboard.downloads import as_file

        if (balance := self._displayed.shown) is None:
            return
        saved = as_file(what, balance, keys, self._lang)
        with self._lock:
            if not self._closed:
                self._page.table.save_file(*saved, page)

    def close(self) -> None:
        """End fetching and messages, and remove the dashboard from the page.

        A thread that is in a read of the network ends when the read does, without any effect.
        Nothing is raised, also when it is closed already.
        """
        if self._closed:
            return
        with self._lock:
            self._closed = True
            self._page.close()
        # Without the lock: a thread of the fetcher may be waiting for it.
        if self._fetcher is not None:
            self._fetcher.close()
        self._jobs.close()
        self._tabs.close()
        self._controls.close()
        close_all(*self.children, self.layout)
        super().close()
        if self._closer is not None:
            self._closer()
