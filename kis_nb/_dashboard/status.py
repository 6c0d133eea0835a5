"""The dashboard's status in words: what is displayed, whether it is current, what is under way and
what went wrong.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._codes import View
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.balance_cache import view_of
from kis_nb._dashboard.error_texts import ErrorText, error_text, no_account_text
from kis_nb._dashboard.fetch_state import FetchState
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.texts import say, template
from kis_nb._errors import ConfigError
from kis_nb._frames.text import file_name, status_words
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from kis_nb._dashboard.fetcher import Fetcher
    from kis_nb._frames.balance import Balance


@dataclass(frozen=True, slots=True)
class DashboardStatus:
    """The dashboard's state at one moment.

    Attributes:
        requested: the view that the controls say; None without a client or an account.
        shown: the balance on display; None before the first.
        state: the fetcher's; None without one.
        pages: of the requested view's last pull; 0 when there is none.
        auto: whether auto-refresh is on.
        problem: why there is no client; None when there is one.
        lang: of the texts.
    """

    requested: View | None
    shown: Balance | None
    state: FetchState | None
    pages: int
    auto: bool
    problem: ConfigError | None
    lang: Lang

    @classmethod
    def capture(
        cls,
        fetcher: Fetcher | None,
        requested: View,
        shown: Balance | None,
        *,
        auto: bool,
        problem: ConfigError | None,
        lang: Lang,
    ) -> DashboardStatus:
        """The status now; the arguments are as of the attributes."""
        if fetcher is None:
            return cls(None, shown, None, 0, auto, problem, lang)
        cached = fetcher.cached(requested)
        pages = cached.pages if cached is not None else 0
        return cls(requested, shown, fetcher.state, pages, auto, problem, lang)

    @property
    def error(self) -> ErrorText | None:
        """What went wrong last; None once a pull has succeeded since."""
        if self.problem is not None:
            return error_text(self.problem, self.lang)
        if self.state is None:
            return no_account_text(self.lang) if self.shown is None else None
        return error_text(self.state.error, self.lang) if self.state.failed else None

    @property
    def shows_other_view(self) -> bool:
        """What is displayed is of another view than the controls say."""
        shown, requested = self.shown, self.requested
        return shown is not None and requested is not None and requested != view_of(shown)

    @property
    def stale(self) -> bool:
        """What is displayed must not be taken for what the controls say, and is greyed."""
        waited = self.state is not None and self.state.busy and not self.state.quiet
        return self.shown is not None and (
            self.shows_other_view or waited or self.error is not None
        )

    def parts(self) -> Json:
        """The parts of the head panel that depend on the status, by name."""
        shown, error = self.shown, self.error
        return {
            "stale": self.stale,
            "busy": self._busy(),
            "note": self._note(),
            "error": error._asdict() if error is not None else None,
            "status": status_words(shown) if shown is not None else [self._waiting()],
            "demo": shown is not None and shown.demo,
            "as_of": shown.as_of.timestamp() if shown is not None else None,
            "file": file_name(shown) if shown is not None else "",
            "call": summary_cards.call(shown, self.lang) if shown is not None else None,
        }

    def _waiting(self) -> str:
        if self.requested is None or self.state is None or not self.state.busy:
            return say("waiting", self.lang)
        _, margin, basis = self.requested
        return say("pulling", self.lang, margin=margin.value, basis=basis.value)

    def _busy(self) -> Json | None:
        if self.state is None or not self.state.busy:
            return None
        page = self.state.page
        # When a pull goes on past the last one's pages, nobody knows how many there will be.
        total = self.pages if self.pages >= page else 0
        token = None
        if self.state.token_in is not None:
            # A moment, to which the page counts down; a number of seconds would stand still there.
            until = round(time.time() + self.state.token_in)
            token = {"text": template("token", self.lang), "until": until}
        return {
            "token": token,
            "name": say("progress_name", self.lang),
            "text": say("page_of" if total else "page", self.lang, n=page, total=total),
            "page": page,
            "total": total,
            "cancel": say("cancel", self.lang),
        }

    def _note(self) -> str:
        state, notes = self.state, []
        if state is None:
            return ""
        if self.shows_other_view:
            notes.append(say("stale", self.lang))
        if state.cancelled:
            notes.append(say("cancelled", self.lang))
        if state.stopped and self.auto:
            notes.append(say("auto_stopped", self.lang))
        elif state.retry_in is not None:
            # A time of day, since a number of seconds would stand still on the page.
            at = datetime.now(KST) + timedelta(seconds=state.retry_in)
            notes.append(say("backoff", self.lang, at=f"{at:%H:%M:%S %Z}"))
        return " · ".join(notes)
