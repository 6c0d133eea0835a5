"""The History tab's button that fills the last 30 days from KIS, and what it says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from kis_nb._account import Account
from kis_nb._choices import Lang
from kis_nb._dashboard import thread_errors
from kis_nb._dashboard.texts import say
from kis_nb._errors import Cancelled, KisError
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from kis_nb._client import Client
    from kis_nb._dashboard.history_data import HistoryStore
    from kis_nb._dashboard.panel_json import Json

_DAYS = 30
# With fewer trading days than this the history has little of an account.
_LITTLE = 10


class HistoryFill:
    """Fills one account at a time, on a thread of its own, within its app key's rate limit.

    All methods may be called from any thread; nothing is raised.

    Args:
        store: what is filled.
        client: what to call; None when there is nothing.
        changed: called when it begins.
        ended: called when it has ended, with or without success.
    """

    def __init__(
        self,
        store: HistoryStore,
        client: Client | None,
        changed: Callable[[], None],
        ended: Callable[[], None],
    ) -> None:
        self._store = store
        self._client = client
        self._changed = changed
        self._ended = ended
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._running: Account | None = None
        self._offered = False
        # What the last one of each account came to: whether all went well, and the text.
        self._results: dict[Account, tuple[bool, Callable[[Lang], str]]] = {}

    def part(self, account: Account | None, days: int | None, lang: Lang, *, reading: bool) -> Json:
        """The panel's part: label of the button, blank without one, and a line.

        Args:
            account: whose history is shown.
            days: how many trading days of it are kept; None when nobody knows.
            lang: of the texts.
            reading: whether it is not known yet whether there is a button. The one of before then
                stays, since the focus would leave one that is hidden, and does nothing.
        """
        with self._lock:
            running = self._running
            well, text = self._results.get(account, (False, None)) if account else (True, None)
        demo = "DEMO · " if self._client is not None and self._client.demo else ""
        line = "" if text is None else demo + text(lang)
        if running is not None:
            line = demo + say("history_filling", lang, account=running.masked, n=_DAYS)
        if not reading:
            self._offered = self._offers(account, days) and not well
        return {
            "label": say("history_fill", lang, n=_DAYS) if self._offered else "",
            "busy": running is not None or reading,
            "line": line,
            "failed": running is None and text is not None and not well,
        }

    def _offers(self, account: Account | None, days: int | None) -> bool:
        known = self._client is not None and account is not None and days is not None
        return known and days < _LITTLE  # type: ignore[operator]  # known

    def begin_demo(self, account: Account, days: int) -> None:
        """Fill invented days without being asked, once for each account."""
        demo = self._client is not None and self._client.demo
        if demo and self._offers(account, days) and account not in self._results:
            self.begin(account)

    def begin(self, account: Account | None) -> None:
        """Fill an account's last days; nothing while another one is being filled."""
        with self._lock:
            if self._client is None or account is None or self._cancel.is_set():
                return
            if self._running is not None:
                return
            self._running = account
        # A daemon: closing a dashboard does not wait for a call that is under way.
        threading.Thread(
            target=self._fill, args=(account, self._client), name="kis_nb-history-fill", daemon=True
        ).start()
        self._changed()

    def _fill(self, account: Account, client: Client) -> None:
        result: tuple[bool, Callable[[Lang], str]]
        try:
            today = datetime.fromtimestamp(client.clock.time(), KST).date()
            start = today - timedelta(days=_DAYS)
            filled = self._store.backfill(
                client, start, accounts=account, progress=False, cancel=self._cancel
            )
            result = _result(filled.to_dicts()[0])
        except Cancelled:
            result = (False, lambda lang: say("history_fill_cancelled", lang))
        except Exception as error:  # noqa: BLE001  (it is said on the page)
            if not isinstance(error, KisError):
                thread_errors.report(error)
            why = str(error) if isinstance(error, KisError) else type(error).__name__
            result = (False, lambda lang: say("history_not_filled", lang, why=why))
        with self._lock:
            self._running = None
            self._results[account] = result
        if not self._cancel.is_set():
            self._ended()

    def close(self) -> None:
        """Cancel what is under way; what was filled stays."""
        self._cancel.set()


def _result(row: dict[str, Any]) -> tuple[bool, Callable[[Lang], str]]:
    """What a filling came to, from its row of `History.backfill`'s frame."""
    why = row["failures"][0]["why"] if row["failures"] else ""

    def text(lang: Lang) -> str:
        parts = [say("history_filled", lang, filled=row["filled"])]
        for key, n in (("there", row["already_there"]), ("without", row["without_data"])):
            if n:
                parts.append(say(f"history_fill_{key}", lang, n=n))
        if row["failed"]:
            parts.append(say("history_fill_failed", lang, n=row["failed"], why=why))
        elif why:
            # A call that kept no day back: the days are there without its columns.
            parts.append(why)
        return " · ".join(parts)

    return not row["failed"], text
