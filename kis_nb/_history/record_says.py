"""What a recorder says of its state, put into sentences for `Lines`."""

from __future__ import annotations

from datetime import date

from kis_nb._choices import Lang
from kis_nb._codes import View
from kis_nb._history.missed import Missed
from kis_nb._history.record_lines import Lines
from kis_nb._history.record_texts import Texts, clock_text, seconds_text
from kis_nb._history.recording import Recording

# So many gaps are listed at the end; `Recording.missed` has all.
_LISTED = 20


class TokenWait:
    """Learns from a pull that it waits for an access token.

    Attributes:
        waited: whether it ever did.
        seconds: how long it was said to take; 0 when it does not wait.
    """

    def __init__(self) -> None:
        self.waited = False
        self.seconds = 0.0

    def __call__(self, _pages: int) -> None:
        """A page has come, so the wait is over."""
        self.seconds = 0.0

    def waiting(self, _why: str, seconds: float) -> None:
        """The pull waits."""
        self.waited = True
        self.seconds = seconds


class Says:
    """Sentences of one recorder, in one language.

    Args:
        lines: where they go.
        lang: Korean or English.
    """

    def __init__(self, lines: Lines, lang: Lang) -> None:
        self.texts = Texts(lang)
        self._lines = lines
        self._changed = False
        self._waits: dict[View, TokenWait] = {}

    def waits(self, now: float, opens: float) -> None:
        """The session opens later."""
        self._lines.notice(self.texts("waits", opens=clock_text(opens, now)))

    def begins(self, accounts: int, every: float, ends: float, first: float, now: float) -> None:
        """The recording begins."""
        self._lines.notice(
            self.texts(
                "begins",
                accounts=accounts,
                every=seconds_text(every),
                ends=clock_text(ends, now),
                first=clock_text(first, now),
            )
        )

    def longer(self, needed: float, every: float, least: float) -> None:
        """The interval is made longer."""
        self._lines.notice(
            self.texts(
                "longer",
                needed=seconds_text(round(needed, 1)),
                every=seconds_text(every),
                least=seconds_text(least),
            )
        )

    def other_recorder(self) -> None:
        """Another recorder writes to the folder."""
        self._lines.notice(self.texts("other"))

    def not_compacted(self, day: date | None, why: str) -> None:
        """The files of a day, or of an earlier one, were not merged; they are read all the same."""
        self._lines.notice(self.texts("compact", date=day or "–", why=why))

    def changed(self) -> None:
        """Something began or ended that the next progress line must tell."""
        self._changed = True

    def token_wait(self, view: View) -> TokenWait:
        """For a pull that begins."""
        self._waits[view] = TokenWait()
        return self._waits[view]

    def progress(self, now: float, kept: int, missed: Missed, following: float) -> None:
        """How it goes."""
        text = self.texts(
            "progress",
            now=clock_text(now),
            kept=f"{kept:,}",
            missed=f"{missed.count:,}",
            next=clock_text(following),
        )
        current = missed.current
        if current:
            gap = current[-1]
            text += self.texts(
                "missing", label=gap.view[0], first=clock_text(gap.first), why=gap.why
            )
            if len(current) > 1:
                text += self.texts("more", count=len(current) - 1)
        waiting = max((wait.seconds for wait in list(self._waits.values())), default=0)
        if waiting:
            text += self.texts("token", seconds=seconds_text(round(waiting)))
        changed, self._changed = self._changed, False
        self._lines.progress(text, changed=changed)

    def ended(self, recording: Recording) -> None:
        """The last lines: what was kept, and each gap."""
        gaps = recording.missed
        if recording.first is None or recording.last is None:
            head = self.texts("nothing")
        else:
            head = self.texts(
                "ends",
                first=f"{recording.first:%Y-%m-%d %H:%M:%S}",
                last=f"{recording.last:%Y-%m-%d %H:%M:%S} KST",
                kept=f"{recording.snapshots:,}",
            )
        count = int(gaps["pulls"].sum())
        if count:
            head += self.texts("gaps", missed=f"{count:,}")
        elif recording.snapshots:
            head += self.texts("whole")
        self._lines.notice(head)
        for row in gaps.head(_LISTED).iter_rows(named=True):
            self._lines.notice(
                self.texts(
                    "gap",
                    label=row["account_label"],
                    view=f"{row['mgna_dvsn']}-{row['excc_stat_cd']}",
                    first=clock_text(row["first"].timestamp()),
                    last=clock_text(row["last"].timestamp()),
                    count=row["pulls"],
                    why=row["why"],
                )
            )
        if gaps.height > _LISTED:
            self._lines.notice(self.texts("more", count=gaps.height - _LISTED))
        if recording.unmoved:
            self._lines.notice(self.texts("still", labels=", ".join(recording.unmoved)))
