"""How things stand, in words: what is shown, how sure it is, what is under way, what went wrong.

Under the face `_dashboard`: imports `_errors`, `_fields`, `_figures`, `_shelf`, `_state` and
`_words`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kis_nb._codes import Lang
from kis_nb._dashboard import summary_cards
from kis_nb._dashboard.balance_cache import View, view_of
from kis_nb._dashboard.fetch_state import State
from kis_nb._dashboard.texts import Trouble, no_account, say, trouble
from kis_nb._errors import ConfigError

if TYPE_CHECKING:
    from kis_nb._dashboard.fetcher import Feed
    from kis_nb._frames.balance import Balance

_SEOUL = ZoneInfo("Asia/Seoul")


@dataclass(frozen=True, slots=True)
class Situation:
    """One moment of the dashboard.

    Attributes:
        wanted: the view that the controls say; None without a client or an account.
        shown: the balance on show.
        state: the feed's; None without one.
        pages: of the wanted view's last pull, 0 when there is none.
        auto: whether auto-refresh is on.
        problem: why there is no client.
        lang: of the words.
    """

    wanted: View | None
    shown: Balance | None
    state: State | None
    pages: int
    auto: bool
    problem: ConfigError | None
    lang: Lang

    @classmethod
    def of(
        cls,
        feed: Feed | None,
        wanted: View,
        shown: Balance | None,
        *,
        auto: bool,
        problem: ConfigError | None,
        lang: Lang,
    ) -> Situation:
        """How things stand with this feed; without one nothing is wanted."""
        if feed is None:
            return cls(None, shown, None, 0, auto, problem, lang)
        known = feed.at_hand(wanted)
        pages = known.pages if known is not None else 0
        return cls(wanted, shown, feed.state, pages, auto, problem, lang)

    @property
    def trouble(self) -> Trouble | None:
        """What went wrong last, if it has not been made good since."""
        if self.problem is not None:
            return trouble(self.problem, self.lang)
        if self.state is None:
            return no_account(self.lang) if self.shown is None else None
        return trouble(self.state.error, self.lang) if self.state.failed else None

    @property
    def other(self) -> bool:
        """What is shown is of another view than the controls say."""
        shown = self.shown
        return shown is not None and self.wanted is not None and self.wanted != view_of(shown)

    @property
    def stale(self) -> bool:
        """What is shown must not be taken for the answer to what the controls say."""
        waited = self.state is not None and self.state.busy and not self.state.quiet
        return self.shown is not None and (self.other or waited or self.trouble is not None)

    def parts(self) -> summary_cards.Json:
        """The head panel's parts that this decides."""
        shown, trouble = self.shown, self.trouble
        return {
            "stale": self.stale,
            "busy": self._busy(),
            "note": self._note(),
            "error": trouble._asdict() if trouble is not None else None,
            "status": summary_cards.status_words(shown) if shown is not None else [self._waiting()],
            "demo": shown is not None and shown.demo,
            "as_of": shown.as_of.timestamp() if shown is not None else None,
            "file": summary_cards.file_name(shown) if shown is not None else "",
            "call": summary_cards.call(shown, self.lang) if shown is not None else None,
        }

    def _waiting(self) -> str:
        if self.wanted is None or self.state is None or not self.state.busy:
            return say("waiting", self.lang)
        _, margin, basis = self.wanted
        return say("pulling", self.lang, margin=margin.value, basis=basis.value)

    def _busy(self) -> summary_cards.Json | None:
        if self.state is None or not self.state.busy:
            return None
        page = self.state.page
        # A pull that goes on past the last one's pages has an end that nobody knows.
        total = self.pages if self.pages >= page else 0
        key = "page_of" if total else "page"
        if self.state.token_in is not None:
            # The page counts down to a moment; a count would stand still there.
            until = round(time.time() + self.state.token_in)
            token = {"text": say("token", self.lang, n="{n}"), "until": until}
        else:
            token = None
        return {
            "token": token,
            "name": say("progress_name", self.lang),
            "text": say(key, self.lang, n=page, total=total),
            "page": page,
            "total": total,
            "cancel": say("cancel", self.lang),
        }

    def _note(self) -> str:
        state, notes = self.state, []
        if state is None:
            return ""
        if self.other and self.shown is not None:
            notes.append(say("stale", self.lang))
        if state.cancelled:
            notes.append(say("cancelled", self.lang))
        if state.stopped and self.auto:
            notes.append(say("auto_stopped", self.lang))
        elif state.retry_in is not None:
            # A moment and not a count, which would stand still on the page.
            at = datetime.now(_SEOUL) + timedelta(seconds=state.retry_in)
            notes.append(say("backoff", self.lang, at=f"{at:%H:%M:%S}"))
        return " · ".join(notes)
