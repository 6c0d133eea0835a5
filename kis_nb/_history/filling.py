"""What fills a history by calling KIS: `History.record` and `History.backfill`.

Both load the client, which reading a history does not need.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import TYPE_CHECKING

from kis_nb._account import Account
from kis_nb._choices import Lang, check_choice
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike
from kis_nb._history.protocols import Store

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._client import Client
    from kis_nb._history.record_lines import Lines
    from kis_nb._history.recording import Recording


class Filling:
    """The methods of `History` that call KIS.

    Attributes: none of its own.
    """

    __slots__ = ()

    def record(
        self: Store,
        client: Client,
        every: float = 60,
        *,
        until: time | datetime | str | None = None,
        accounts: Iterable[str | Account] | str | Account | None = None,
        mgna_dvsn: MarginLike | Sequence[MarginLike] = Margin.MAINTENANCE,
        excc_stat_cd: BasisLike | Sequence[BasisLike] = Basis.SETTLEMENT,
        lang: Lang = "en",
        lines: Lines | bool = True,
        stop: threading.Event | None = None,
    ) -> Recording:
        """Keep a night: pull at whole intervals while the night session is open, through errors.

        Source: TR ``CTFN6118R``, as `Client.balance`. Started before 18:00 it waits for the
        opening; on the evening of a holiday there is none. On the evening before some long holidays
        there is none either, which no calendar here knows: KIS is asked all the same, what it
        answers is kept, and it is said at the end when no figure moved. A pull that fails is noted,
        and the next one is made at its time. A moment that has passed is not caught up on.

        Ctrl-C ends the recording: pulls under way are finished and kept, and what was recorded is
        returned. After the session the day's files are merged.

        Args:
            client: whose accounts are recorded; its app keys' rate limits are kept.
            every: seconds between two pulls of one account. When the pulls of one app key do not
                fit, it is made longer, and a line says so.
            until: the end: a time of day in Seoul, ``"06:00"``, or an aware datetime; the end of
                the session when left out. A later time records the day too.
            accounts: one or several, each as `Client.balance`'s ``account``; all of the client's
                when left out.
            mgna_dvsn, excc_stat_cd: one code or several; every combination is pulled.
            lang: of the lines.
            lines: True writes a progress line to stderr; False nothing.
            stop: ends the recording when set, as Ctrl-C does.

        Returns:
            What was kept, and what was missed: from when to when, and why.

        Raises:
            ValueError: a code, an account, a time or an interval that does not fit, or no account;
                nothing was pulled.
            HistoryError: the history keeps other accounts, or cannot be read; nothing was pulled.
        """
        from kis_nb._history.record_start import start_recorder

        check_choice("lang", lang, ("ko", "en"))
        return start_recorder(
            self,
            lambda: self._about.check(demo=client.demo),
            getattr(self._files, "root", None),
            client,
            every,
            until=until,
            accounts=accounts,
            margins=mgna_dvsn,
            bases=excc_stat_cd,
            lang=lang,
            lines=lines,
            stop=stop or threading.Event(),
        )

    def backfill(
        self: Store,
        client: Client,
        start: date | str,
        end: date | str | None = None,
        *,
        accounts: Iterable[str | Account] | str | Account | None = None,
        progress: bool = True,
        cancel: threading.Event | None = None,
    ) -> pl.DataFrame:
        """Fill past trading days that have no closing, from what KIS still knows of them.

        Sources: 선물옵션 잔고정산손익내역, TR ``CTFO6117R``,
        ``GET /uapi/domestic-futureoption/v1/trading/inquire-balance-settlement-pl``, once for each
        day; 선물옵션기간약정수수료일별, TR ``CTFO6119R``,
        ``GET /uapi/domestic-futureoption/v1/trading/inquire-daily-amount-fee``, once for each
        month.

        A day is filled when the history has no snapshot of the account at or after its close
        (15:45): one of which only the night was recorded gets its closing beside the recorded
        snapshots. What was recorded is never replaced. A closing has ``settlement`` as its
        ``source``. Days that are not over (18:00) are left out. Each day is kept as soon as it is
        there, the newest first, so that what was interrupted goes on where it ended. A day that KIS
        has nothing for is asked for once in each call.

        Args:
            client: whose accounts are filled; each app key under its own rate limit, several at
                once.
            start, end: the first and the last day, as a date or ISO text; the last one is today
                when left out.
            accounts: as in `record`.
            progress: whether a progress bar is shown when it takes longer than a second.
            cancel: an event that stops the calls when set.

        Returns:
            A row an account: ``account``, ``account_label``; how many days were ``filled``, were
            ``already_there``, are ``without_data`` at KIS, and ``failed``; ``failures``, a list of
            ``date``, ``call``, ``error`` and ``why``; ``differences``, a list of figures that the
            two calls give differently: ``date``, ``what`` (``fee``, ``trad_pfls_amt``, or a
            product that only CTFO6119R has), ``settlement`` and ``trades`` in won. A refused
            CTFO6119R keeps no day back: the day is kept without its columns. After five days in a
            row that failed, the account's other days count as failed and are not tried.

        Raises:
            ValueError: an account or a day that does not fit, or no account; no call is made.
            HistoryError: the history cannot be read or written. What was kept stays.
            Cancelled: `cancel` was set.
        """
        from kis_nb._history.backfill import backfill
        from kis_nb._history.record_start import chosen_accounts
        from kis_nb._seoul import KST

        first = date.fromisoformat(start) if isinstance(start, str) else start
        last = date.fromisoformat(end) if isinstance(end, str) else end
        chosen = chosen_accounts(client, accounts)
        self._about.check(demo=client.demo)
        return backfill(
            self,
            client,
            first,
            last or datetime.fromtimestamp(client.clock.time(), KST).date(),
            chosen,
            bar=progress,
            cancel=cancel or threading.Event(),
        )
