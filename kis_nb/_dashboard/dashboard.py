"""The dashboard: controls that choose, a feed that pulls, a screen that shows. A face.

Whatever thread changes something, drawing happens under one lock and shows one balance; when that
is not of the codes chosen, or no longer sure, the page greys it and names its own codes and age.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import traitlets

from kis_nb._account import Account
from kis_nb._codes import Basis, Lang, Margin
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.balance_cache import View
from kis_nb._dashboard.chart_data import Colors
from kis_nb._dashboard.controls import Controls, check, close_all
from kis_nb._dashboard.displayed_balances import Gallery
from kis_nb._dashboard.fetcher import AUTO_SECONDS, Feed
from kis_nb._dashboard.jobs import Jobs
from kis_nb._dashboard.known_accounts import KnownAccounts
from kis_nb._dashboard.page_layout import Screen
from kis_nb._dashboard.pulls import let_go
from kis_nb._dashboard.selection import Selection
from kis_nb._dashboard.status import Situation
from kis_nb._errors import ConfigError
from kis_nb._widgets.chart_view import Gesture, read_gesture
from kis_nb._wire.secrets import Secret

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance

_CODES = ("account", "mgna_dvsn", "excc_stat_cd")
_SWITCHES = ("pnl_by", "book_by", "book_measure", "payoff_on", "payoff_expiry")


class Dashboard(w.VBox):  # type: ignore[misc]  # ipywidgets is untyped
    """An account at a glance, kept up to date. Made by `dashboard` and `show`.

    Attributes:
        account: the account chosen; set it to a number, a name, a label or an `Account`. It shows
            masked and equals its full text. None when there is none.
        mgna_dvsn, excc_stat_cd: the codes chosen, `Margin` and `Basis`; set them to wire codes.
        balance: the `Balance` on show, None before the first; observe it. While a pull is under way
            it may be of other codes than those chosen, and the page says so.
        selected: ``pdno`` of the selected positions, in charts and table.

    All are traits and none is synced. Observers run on the thread that brought the change.
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
        mgna_dvsn: str | Margin = Margin.INITIAL,
        excc_stat_cd: str | Basis = Basis.SETTLEMENT,
        lang: Lang = "ko",
        colors: Colors = "kr",
        auto: int = 0,
        problem: ConfigError | None = None,
        alone: Balance | None = None,
        closer: Callable[[], None] | None = None,
    ) -> None:
        check("lang", lang, ("ko", "en"))
        check("colors", colors, ("kr", "us"))
        check("auto", auto, AUTO_SECONDS)
        self._known = KnownAccounts(client)
        chosen, account = self._known.find(account), None
        if isinstance(chosen, ValueError):
            raise chosen
        self._lock = threading.RLock()
        self._ready = self._closed = False
        self._lang: Lang = lang
        self._colors: Colors = colors
        self._problem, self._closer = problem, closer
        self._known.add([chosen] if alone is None else [alone.account])
        self._feed = Feed(client, self) if client is not None and chosen is not None else None
        self._gallery = Gallery(self._feed, alone)
        self._jobs = Jobs()
        self._selection = Selection()
        self._controls = Controls(list(self._known.labels.values()), lang, colors, auto)
        self._screen = Screen(self._controls, self._act, self._picked, fed=alone is None)
        super().__init__(self._screen.children, layout=w.Layout(width="100%"))
        self.add_class("kis-dashboard")
        self.account = chosen if alone is None else alone.account
        self.mgna_dvsn = mgna_dvsn if alone is None else alone.mgna_dvsn
        self.excc_stat_cd = excc_stat_cd if alone is None else alone.excc_stat_cd
        self._begin(auto)

    def _begin(self, auto: int) -> None:
        # Altair takes a second to load; it does so while the first pull is under way.
        threading.Thread(target=import_module, args=("kis_nb.charts",), daemon=True).start()
        for name in (*_CODES, "auto", "language", "colors"):
            self._controls[name].observe(self._on_control, "value")
        for name in _SWITCHES:
            self._controls[name].observe(self._on_switch, "value")
        self._controls.refresh.on_click(lambda _: self.refresh())
        self._ready = True
        with self._lock:
            self._screen.wear(self._lang, self._colors)
            if self._feed is not None:
                weakref.finalize(self, let_go, self._feed, self._lock)
                self._feed.every(auto)
                self._feed.want(self._view)
            else:
                self._controls.disable()
            self._draw()
        self._publish()

    def __repr__(self) -> str:
        return "<KisDashboard>"

    # --- what is chosen -----------------------------------------------------------------------

    @traitlets.validate("account")
    def _check_account(self, proposal: Any) -> Account | None:
        if proposal["value"] is None:
            return None
        found = self._known.find(proposal["value"])
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
                if value is not None and value not in self._known.labels:
                    self._known.add([value])
                    self._controls.list_accounts(list(self._known.labels.values()), self._lang)
                value = self._known.place(value)
            self._controls.set(name, value if name == "account" else value.value)
            if self._ready and self._feed is not None and not self._closed:
                self._feed.want(self._view)
                self._draw()
        self._publish()

    def _on_control(self, change: Any) -> None:
        if self._controls.relabelling or self._closed:
            return
        name, value = self._controls.name_of(change["owner"]), change["new"]
        if name == "account":
            self.account = list(self._known.labels)[value]
        elif name in _CODES:
            setattr(self, name, value)
        elif name == "auto" and self._feed is not None:
            self._feed.every(value)
        elif name == "language":
            self._dress(value, self._colors)
        elif name == "colors":
            self._dress(self._lang, value)

    def _on_switch(self, _change: Any) -> None:
        if not self._controls.relabelling:
            with self._lock:
                self._draw_charts()

    def _dress(self, lang: Lang, colors: Colors) -> None:
        """Change language or colours, everywhere at once."""
        with self._lock:
            self._lang, self._colors = lang, colors
            self._controls.relabel(lang)
            self._screen.wear(self._lang, self._colors)
            self._draw()

    def refresh(self) -> None:
        """Pull the account anew, now; nothing without a client."""
        if self._feed is not None:
            self._feed.refresh()

    @property
    def _view(self) -> View:
        return (self.account, self.mgna_dvsn, self.excc_stat_cd)

    # --- what the feed tells, on its threads --------------------------------------------------

    def feed_balance(self, view: View) -> None:
        """A newer balance is at hand: make its picture ready, then draw."""
        with self._lock:
            if self._closed:
                return
            # Figures first: they need no Altair, which may still be loading.
            self._draw_head()
            picture, choice = self._gallery.picture(view, self._lang), self._choice()
        if picture is not None:
            picture.warm(choice)
            self._gallery.complete_products(picture.balance, self._lock, self._draw)
        with self._lock:
            self._draw()
        self._publish()

    def feed_state(self) -> None:
        """A page was read, or a pull began, ended, failed or was cancelled."""
        with self._lock:
            self._draw_head()
            # What could not be renewed has fallen too far back to stand beside it.
            if self._feed is not None and not self._feed.renewing:
                self._draw_charts()

    # --- drawing, under the lock --------------------------------------------------------------

    def _choice(self) -> dict[str, str]:
        return {name: self._controls[name].value for name in _SWITCHES}

    def _draw(self) -> None:
        if self._closed:
            return
        self._draw_head()
        self._draw_charts()
        picture = self._gallery.current(self._view, self._lang)
        if picture is not None:
            self._screen.draw_panels(picture)

    def _draw_charts(self) -> None:
        picture = self._gallery.current(self._view, self._lang)
        if picture is not None and not self._closed:
            near = self._gallery.near(picture.balance, self._lang)
            held = {"/".join(map(str, self._places(one.balance))): one for one in near}
            days = picture.expiries(self._controls["payoff_on"].value)
            self._controls.list_expiries(*days, self._lang)
            at = self._gallery.moment
            self._screen.draw_charts(picture, held, self._choice(), at, self._lang, self._colors)

    def _draw_head(self) -> None:
        if self._closed or not self._ready:
            return
        picture = self._gallery.current(self._view, self._lang)
        shown, lang, feed = self._gallery.shown, self._lang, self._feed
        auto = bool(self._controls["auto"].value)
        now = Situation.of(feed, self._view, shown, auto=auto, problem=self._problem, lang=lang)
        parts = now.parts()
        parts["shown"] = self._places(shown) if shown is not None and feed is not None else None
        parts["explain"] = summary_cards.explain(self.mgna_dvsn, self.excc_stat_cd, lang)
        parts["cards"] = self._gallery.cards(picture, lang)
        self._screen.head.show(parts)

    def _places(self, shown: Balance) -> list[int]:
        """Which option of each control is the one on show."""
        place = self._known.place(shown.account)
        return [place, list(Margin).index(shown.mgna_dvsn), list(Basis).index(shown.excc_stat_cd)]

    def _publish(self) -> None:
        """Let code see what is on show; outside the lock, since observers may do anything."""
        if self._ready and not self._closed:
            self.set_trait("balance", self._gallery.shown)

    # --- what is done on the page -------------------------------------------------------------

    def _act(self, what: str, value: Any, page: str) -> None:
        if what == "cancel" and self._feed is not None:
            self._feed.cancel()
        elif what in ("shown", "hidden") and self._feed is not None:
            (self._feed.shown if what == "shown" else self._feed.hidden)(str(value))
        elif what == "select" and (gesture := read_gesture(value, page)) is not None:
            self._picked("table", gesture)
        elif what in ("csv", "excel") and isinstance(value, list):
            self._jobs.put(lambda: self._save(what, value, page))

    def _picked(self, source: str, gesture: Gesture) -> None:
        # Drawing may hold the lock for long, and the page's next message waits on this thread.
        self._jobs.put(lambda: self._select(gesture, source))

    def _select(self, gesture: Gesture, source: str) -> None:
        with self._lock:
            if not self._closed and self._selection.take(gesture, source):
                self.selected = gesture.ids
            elif not self._closed:
                # Its chart shows it, where it came last.
                self._screen.select(*self._selection.standing)

    @traitlets.observe("selected")
    def _on_selected(self, change: Any) -> None:
        with self._lock:
            if not self._closed:
                self._screen.select(*self._selection.origin(change["new"]))

    def _save(self, what: str, keys: Sequence[str], page: str) -> None:
        """Give the page that asked the rows it shows, in its order, with all columns."""
        from kis_nb._dashboard.downloads import as_csv, as_excel

        balance = self._gallery.shown
        if balance is None:
            return
        saved = (as_csv if what == "csv" else as_excel)(balance, keys, self._lang)
        with self._lock:
            if not self._closed:
                self._screen.table.save_file(*saved, page)

    def close(self) -> None:
        """End fetching, threads and messages, and take the dashboard off the page."""
        if self._closed:
            return
        with self._lock:
            self._closed = True
        # Outside the lock: a thread of the feed may be waiting for it.
        if self._feed is not None:
            self._feed.close()
        self._jobs.close()
        self._controls.close()
        close_all(*self.children, self.layout)
        super().close()
        if self._closer is not None:
            self._closer()


def dashboard(
    client: Client | None = None,
    *,
    account: str | Account | None = None,
    mgna_dvsn: str | Margin = Margin.INITIAL,
    excc_stat_cd: str | Basis = Basis.SETTLEMENT,
    lang: Lang = "ko",
    colors: Colors = "kr",
    auto: int = 0,
    demo: bool | None = None,
) -> Dashboard:
    """The account as a dashboard: make it a cell's last line.

    Args:
        client: from `connect`; left out, the default client, or one made for ``demo``.
        account: the account to begin with, like ``12345678-03``, its name or its masked label;
            the client's first when left out.
        mgna_dvsn, excc_stat_cd: the codes to begin with.
        lang: ``"ko"`` or ``"en"``.
        colors: ``"kr"`` profit red, loss blue; ``"us"`` profit green, loss red.
        auto: seconds of auto-refresh: 0 (off), 5, 15, 30, 60 or 300.
        demo: True shows invented accounts of the embedded broker and needs no key.

    Nothing is raised for what a pull or the configuration gets wrong: the dashboard says it, with
    what to do. Close it with ``.close()`` to end its threads.

    Raises:
        ValueError: an argument is none of these. An account is not repeated in the message.
    """
    from kis_nb._client import connect, default_client

    # Masked in a traceback's locals, should anything go wrong before it is read.
    asked, account = Secret.of(account) if isinstance(account, str) else account, None
    closer, problem, named = None, None, None
    if client is None:
        try:
            client = default_client() if demo is None else connect(demo=demo)
            closer = None if demo is None else client.close
        except ConfigError as error:
            problem = error.with_traceback(None)
    if asked is not None and client is not None:
        named = client.find_account(asked.reveal() if isinstance(asked, Secret) else asked)
    if isinstance(named, ValueError):
        _ = closer and closer()
        raise named
    return Dashboard(
        client,
        account=named,
        mgna_dvsn=mgna_dvsn,
        excc_stat_cd=excc_stat_cd,
        lang=lang,
        colors=colors,
        auto=auto,
        problem=problem,
        closer=closer,
    )


def show(balance: Balance, *, lang: Lang = "ko", colors: Colors = "kr") -> Dashboard:
    """One balance as a dashboard, without a client: nothing is pulled, and nothing can be chosen
    but language, colours and what the charts show.

    Raises:
        ValueError: `lang` or `colors` is none that there is.
    """
    return Dashboard(None, lang=lang, colors=colors, alone=balance)
