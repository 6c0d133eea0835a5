"""One app key's pulls: its gateway, its access token and its rate limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kis_nb._account import Account
from kis_nb._batch import THREADS
from kis_nb._codes import View
from kis_nb._errors import ApiError, DecodeError, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.columns import rename_clashing
from kis_nb._frames.completeness import check_complete
from kis_nb._frames.decode import Decoder
from kis_nb._master_files import MasterFiles
from kis_nb._schema.endpoint import Endpoint
from kis_nb._wire.auth import Tokens
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.gateway import Gateway
from kis_nb._wire.http import Http
from kis_nb._wire.page_json import PageBody
from kis_nb._wire.paging import Walk
from kis_nb._wire.rate_limit import shared_rate_limit
from kis_nb._wire.secrets import Scrubber

if TYPE_CHECKING:
    import polars as pl

# rt_cd and msg_cd of "nothing is found", as other account calls than the night balance answer for
# a day without data, and for an account that does not exist.
_NOTHING = ("7", "KIOK0560")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a call answered.

    Attributes:
        rows: the rows of all pages, as `Decoder` makes them; None when KIS answered that it has
            nothing: refused with ``KIOK0560``, or with nothing in any block.
        summary: the one row of the last page's summary; None when `rows` is.
        as_of: when the first page arrived, in seconds since 1970.
        pages: how many pages there were; 0 when KIS refused with ``KIOK0560``.
        others: the one row of each of the call's further blocks; empty when `rows` is None.
    """

    rows: pl.DataFrame | None
    summary: pl.DataFrame | None
    as_of: float
    pages: int
    others: tuple[pl.DataFrame, ...] = ()


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

    @property
    def calls_per_second(self) -> float:
        """How many calls a second this client makes at most."""
        return self.http.rate.calls_per_second

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
        codes = {"MGNA_DVSN": margin.value, "EXCC_STAT_CD": basis.value}
        decoder = Decoder(self._endpoint, account)
        walk = self._walk(self._endpoint, account, codes)
        try:
            walk.run(decoder, progress=progress, cancel=cancel)
            balance = self._balance(decoder, walk, view)
            if walk.doubtful:
                check_complete(balance.positions, balance.summary, balance.pages)
        except KisError as error:
            good = _count_good(error, walk)
            if good and error.partial is None:
                error.partial = self._partial(walk, good, view)
            raise
        return balance

    def fetch(
        self,
        endpoint: Endpoint,
        account: Account | None,
        params: Mapping[str, str],
        cancel: threading.Event | None,
    ) -> Fetched:
        """All pages of any call; arguments and errors are those of `Client.fetch`."""
        reader = _Reader(endpoint, account)
        walk = self._walk(endpoint, account, params)
        try:
            walk.run(reader, cancel=cancel)
            return reader.fetched(walk.as_of)
        except ApiError as error:
            # Only at the first page: behind rows it is no answer to the question.
            if _count_good(error, walk) or (error.rt_cd, error.msg_cd) != _NOTHING:
                raise
            return Fetched(None, None, self._clock.time(), 0)
        except KisError as error:
            _count_good(error, walk)
            raise

    def _walk(self, endpoint: Endpoint, account: Account | None, more: Mapping[str, str]) -> Walk:
        """The walk through a call's pages, with the account's number among its parameters.

        They are made here, where nothing raises: a traceback's locals would show the account.
        """
        params = dict(more)
        if account is not None:
            self._scrubber.learn_account(account)
            params |= {"CANO": account.cano, "ACNT_PRDT_CD": account.product}
        return Walk(self.gateway, endpoint, params, self._clock)

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


class _Reader:
    """A `Decoder` that also takes an answer without any block, which says that nothing is there."""

    def __init__(self, endpoint: Endpoint, account: Account | None) -> None:
        self._endpoint = endpoint
        self._decoder = Decoder(endpoint, account)
        self._nothing = False

    def restart(self) -> None:
        self._decoder.restart()
        self._nothing = False

    def add(self, body: PageBody) -> None:
        blocks = self._endpoint.blocks
        if not self._decoder.pages and not any(body.value.get(each.name) for each in blocks):
            self._nothing = True
        else:
            self._decoder.add(body)

    def fetched(self, as_of: float) -> Fetched:
        if self._nothing:
            return Fetched(None, None, as_of, 1)
        rows, summary = map(rename_clashing, self._decoder.frames())
        return Fetched(rows, summary, as_of, self._decoder.pages, self._decoder.others())


def _count_good(error: KisError, walk: Walk) -> int:
    """How many pages before the error were good; the error is given the number."""
    bad = error.page if isinstance(error, DecodeError) and error.page else None
    error.pages = len(walk.bodies) if bad is None else bad - 1
    return error.pages
