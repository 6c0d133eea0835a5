"""The two functions that make a dashboard: `dashboard` and `show`."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kis_nb._account import Account
from kis_nb._choices import Colors, Lang, check_preferences
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike
from kis_nb._errors import ConfigError
from kis_nb._widgets.front_end import front_end, page_or_no_comms
from kis_nb._wire.secrets import Secret

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._dashboard.dashboard import Dashboard
    from kis_nb._frames.balance import Balance
    from kis_nb._history.history import History


def dashboard(
    client: Client | None = None,
    *,
    account: str | Account | None = None,
    mgna_dvsn: MarginLike = Margin.INITIAL,
    excc_stat_cd: BasisLike = Basis.SETTLEMENT,
    lang: Lang = "ko",
    colors: Colors = "kr",
    auto: int = 0,
    demo: bool | None = None,
    history: str | os.PathLike[str] | History | None = None,
    risk: bool | None = None,
) -> Dashboard:
    """Open an account as a dashboard: make it a cell's last line.

    What a pull or the configuration gets wrong raises nothing: the dashboard shows it, with what to
    do.

    Args:
        client: from `connect`; left out, the default client, or one made for `demo`.
        account: the account to begin with, like ``12345678-03``, its name or its masked label;
            the client's first when left out.
        mgna_dvsn, excc_stat_cd: the codes to begin with.
        lang: ``"ko"`` or ``"en"``.
        colors: ``"kr"`` profit red, loss blue; ``"us"`` profit green, loss red.
        auto: seconds of auto-refresh: 0 (off), 5, 15, 30, 60 or 300.
        demo: True shows invented accounts of the embedded broker and needs no key; False never
            does; None leaves it to ``KIS_NB_DEMO``.
        history: a folder, a URL or what `kis_nb.history` gave. Every pull is kept there, and the
            page has a History tab: equity, margin and why equity changed, of a night, five trading
            days or a year. None keeps nothing, and there is no tab. Invented accounts are not kept
            where a notebook runs without JupyterLab (papermill, Voila).
        risk: whether the page has a Risk tab: what the index and volatility would do to the
            account, estimated. It asks for quotes once it is opened. None: where QuantLib is
            installed, which the extra ``kis_nb[risk]`` brings.

    Returns:
        The dashboard, whose first pull is under way. ``.close()`` ends its threads.

    Raises:
        ValueError: an argument is none of these. An account is not repeated in the message.
        HistoryError: an object store without the extra that it needs.
    """
    from kis_nb._connect import connect
    from kis_nb._dashboard.early_pull import EarlyPull
    from kis_nb._default_client import default_client

    # Masked in a traceback's locals, should anything go wrong before it is read.
    asked, account = Secret.of(account) if isinstance(account, str) else account, None
    check_preferences(lang, colors, auto)
    margin, basis = Margin(mgna_dvsn), Basis(excc_stat_cd)
    closer, problem, named = None, None, None
    store: History | None = None
    if history is not None:
        from kis_nb._history.history import History
        from kis_nb._history.history import history as open_history

        store = history if isinstance(history, History) else open_history(history)
    if client is None:
        try:
            client = default_client() if demo is None else connect(demo=demo)
            closer = None if demo is None else client.close
        except ConfigError as error:
            problem = error.with_traceback(None)
    if client is not None and client.demo and front_end() in ("file", "served"):
        store = None
    if asked is not None and client is not None:
        named = client.find_account(asked.reveal() if isinstance(asked, Secret) else asked)
    if isinstance(named, ValueError):
        if closer is not None:
            closer()
        raise named
    first = next(iter(client.accounts), None) if client is not None and named is None else named
    early: EarlyPull | None = None
    # With a history each pull is kept, which the dashboard sees to.
    if client is not None and first is not None and store is None:
        early = EarlyPull(client, (first, margin, basis), auto)
    try:
        # While the pull is under way: it loads ipywidgets.
        from kis_nb._dashboard.dashboard import Dashboard

        with page_or_no_comms():
            return Dashboard(
                client,
                account=named,
                mgna_dvsn=margin,
                excc_stat_cd=basis,
                lang=lang,
                colors=colors,
                auto=auto,
                problem=problem,
                closer=closer,
                history=store,
                risk=_has_quantlib() if risk is None else risk,
                early=early,
            )
    except BaseException:
        if early is not None:
            early.abandon()
        if closer is not None:
            closer()
        raise


def show(
    balance: Balance, *, lang: Lang = "ko", colors: Colors = "kr", risk: bool | None = None
) -> Dashboard:
    """Show one balance as a dashboard, without a client: nothing is pulled.

    Args:
        balance: the figures, from `balance` or a client.
        lang: ``"ko"`` or ``"en"``.
        colors: ``"kr"`` profit red, loss blue; ``"us"`` profit green, loss red.
        risk: as of `dashboard`.

    Returns:
        A dashboard on which nothing can be chosen but language, colours and what the charts show.

    Raises:
        ValueError: `lang` or `colors` is none of these.
    """
    from kis_nb._dashboard.dashboard import Dashboard

    with page_or_no_comms():
        return Dashboard(
            None,
            lang=lang,
            colors=colors,
            static=balance,
            risk=_has_quantlib() if risk is None else risk,
        )


def _has_quantlib() -> bool:
    """Whether QuantLib is installed; it is not imported."""
    return find_spec("QuantLib") is not None
