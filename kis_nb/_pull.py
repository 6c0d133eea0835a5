"""One app key's pulls: its gateway, its token and its allowance.

Below `_client`, where bytes and meaning meet: `KeyClient` knows how they arrive and what they mean.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from kis_nb._batch import THREADS
from kis_nb._codes import View
from kis_nb._errors import DecodeError, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.completeness import check_complete
from kis_nb._master_files import MasterFiles
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.auth import Tokens
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.gateway import Gateway
from kis_nb._wire.http import Http
from kis_nb._wire.paging import Walk
from kis_nb._wire.rate_limit import shared_rate_limit
from kis_nb._wire.secrets import Scrubber


class KeyClient:
    """Pulls accounts with one app key. Safe to share between threads.

    The allowance is shared by all that call with the key, in this client and in others.
    """

    def __init__(
        self, settings: Settings, scrubber: Scrubber, clock: Clock, master: MasterFiles
    ) -> None:
        self._settings = settings
        self._master = master
        self._scrubber = scrubber
        self._clock = clock
        self.http = Http(
            settings.base_url,
            timeout=settings.timeout,
            rate=shared_rate_limit(
                settings.base_url, settings.app_key, settings.calls_per_second, clock
            ),
            clock=clock,
            connections=THREADS,
            scrubber=scrubber,
        )
        self.gateway = Gateway(settings, self.http, Tokens(settings, self.http, scrubber), scrubber)

    def pull(
        self,
        view: View,
        progress: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> Balance:
        """One account in one view, whole; errors as `Client.balance`."""
        account, margin, basis = view
        self._scrubber.learn_account(account)
        params = {
            "CANO": account.cano,
            "ACNT_PRDT_CD": account.product,
            "MGNA_DVSN": margin.value,
            "EXCC_STAT_CD": basis.value,
        }
        walk = Walk(self.gateway, NIGHT_BALANCE, params, self._clock)
        # Not kept as a local: the walk may raise, and a traceback's locals would show the account.
        del params
        try:
            walk.run(progress=progress, cancel=cancel)
            return self._whole(walk, view)
        except KisError as error:
            bad = error.page if isinstance(error, DecodeError) and error.page else None
            good = len(walk.pages) if bad is None else bad - 1
            error.pages = good
            if good and error.partial is None:
                error.partial = self._partial(walk, good, view)
            raise

    def _whole(self, walk: Walk, view: View) -> Balance:
        balance = self._balance(walk, len(walk.pages), view)
        if walk.doubtful:
            check_complete(balance.positions, balance.summary, len(walk.pages))
        return balance

    def _partial(self, walk: Walk, pages: int, view: View) -> Balance | None:
        """The pages before an error; None when they cannot be read either."""
        try:
            return self._balance(walk, pages, view)
        except DecodeError:
            return None

    def _balance(self, walk: Walk, pages: int, view: View) -> Balance:
        account, margin, basis = view
        return Balance.from_pages(
            # Views, because the repr of bytes in a traceback's locals would print the rows.
            [memoryview(page.body) for page in walk.pages[:pages]],
            account=account,
            mgna_dvsn=margin,
            excc_stat_cd=basis,
            as_of=walk.as_of,
            demo=self._settings.demo,
            master=self._master,
        )
