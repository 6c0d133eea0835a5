"""One app key's pulls: its gateway, its access token and its rate limit."""

from __future__ import annotations

import threading
from collections.abc import Callable

from kis_nb._batch import THREADS
from kis_nb._codes import View
from kis_nb._errors import DecodeError, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.completeness import check_complete
from kis_nb._frames.decode import Decoder
from kis_nb._master_files import MasterFiles
from kis_nb._schema.endpoint import Endpoint
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

    The rate limit is shared by all that call with the key, in this client and in others.

    Args:
        settings: of the key.
        endpoint: the night balance, by one of its TR ids.
        scrubber: removes secrets and account numbers from KIS's texts.
        clock: for waits and times.
        master: the master files, which balances look products up in.
    """

    def __init__(
        self,
        settings: Settings,
        endpoint: Endpoint,
        scrubber: Scrubber,
        clock: Clock,
        master: MasterFiles,
    ) -> None:
        self._settings = settings
        self._endpoint = endpoint
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
        """All pages of one account, MGNA_DVSN and EXCC_STAT_CD; arguments and errors are those of
        `Client.balance`.
        """
        account, margin, basis = view
        self._scrubber.learn_account(account)
        params = {
            "CANO": account.cano,
            "ACNT_PRDT_CD": account.product,
            "MGNA_DVSN": margin.value,
            "EXCC_STAT_CD": basis.value,
        }
        walk = Walk(self.gateway, self._endpoint, params, self._clock)
        # Not kept as a local: the walk may raise, and a traceback's locals would show the account.
        del params
        decoder = Decoder(self._endpoint, account)
        try:
            walk.run(decoder, progress=progress, cancel=cancel)
            balance = self._balance(decoder, walk, view)
            if walk.doubtful:
                check_complete(balance.positions, balance.summary, balance.pages)
        except KisError as error:
            bad = error.page if isinstance(error, DecodeError) and error.page else None
            good = len(walk.bodies) if bad is None else bad - 1
            error.pages = good
            if good and error.partial is None:
                error.partial = self._partial(walk, good, view)
            raise
        return balance

    def _partial(self, walk: Walk, pages: int, view: View) -> Balance | None:
        """The pages before an error; None when they cannot be read either."""
        decoder = Decoder(self._endpoint, view[0])
        try:
            decoder.add_all(walk.bodies[:pages])
            return self._balance(decoder, walk, view)
        except DecodeError:
            return None

    def _balance(self, decoder: Decoder, walk: Walk, view: View) -> Balance:
        account, margin, basis = view
        return Balance.from_decoder(
            decoder,
            account=account,
            mgna_dvsn=margin,
            excc_stat_cd=basis,
            as_of=walk.as_of,
            demo=self._settings.demo,
            master=self._master,
        )
