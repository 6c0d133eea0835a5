"""What a client asks besides balances: quotes, margin by component, margin rates."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

from kis_nb._account import Account
from kis_nb._codes import Margin
from kis_nb._frames.calendar import trading_date
from kis_nb._frames.exact_columns import null_row
from kis_nb._frames.margin_detail import Blocks, MarginDetail, component_frame, deposit_frame
from kis_nb._frames.quote_frame import market_of, quote_frame, stack_quotes
from kis_nb._pull import Fetched
from kis_nb._quotes import Key, QuoteCache
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.margin_detail import MARGIN_DETAIL
from kis_nb._schema.margin_rate import MARGIN_RATE, RATES
from kis_nb._schema.quote import QUOTE
from kis_nb._seoul import KST
from kis_nb._wire.clock import Clock

if TYPE_CHECKING:
    import polars as pl


class OtherCalls(ABC):
    """The calls of a `Client` that are no balance.

    Args:
        clock: for the session, the trading day and the quotes' age.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._quotes = QuoteCache(clock)

    @property
    @abstractmethod
    def demo(self) -> bool:
        """Whether the figures come from the embedded broker."""

    @abstractmethod
    def fetch(
        self,
        endpoint: Endpoint,
        account: Account | None,
        params: Mapping[str, str],
        *,
        cancel: threading.Event | None = None,
    ) -> Fetched:
        """Make a read-only call."""

    @abstractmethod
    def find_account(self, account: str | Account | None) -> Account | ValueError:
        """The account that the user means."""

    def quotes(
        self,
        codes: str | Iterable[str],
        *,
        max_age: float = 5.0,
        cancel: threading.Event | None = None,
    ) -> pl.DataFrame:
        """Quotes of futures and options: price, strike, last trading day, KIS's Greeks and implied
        volatility, and the KOSPI 200. One call a code, several at a time, within the allowance of
        the client's first app key.

        By night, from 18:00 to the next opening of the day session, the night market is asked
        (``CM``, ``EU``), else the day's (``F``, ``O``, and ``CF`` for the dollar future).

        Source: 선물옵션 시세, TR ``FHMIF10000000``,
        ``GET /uapi/domestic-futureoption/v1/quotations/inquire-price``.

        Args:
            codes: short codes such as ``A01612`` and ``B01612955``; a text is one code.
            max_age: a quote that the client got less than so many seconds ago is used again, in
                whatever thread it was asked for; 0 asks anew.
            cancel: an event that stops the calls when set.

        Returns:
            A row a code, in the order asked, repeated codes repeated: ``shtn_pdno`` (as asked),
            ``market``, ``as_of`` (when the quote arrived, Asia/Seoul), ``name``, ``price`` and
            ``strike`` (points), ``last_trading_day`` (Date), ``days_left``, ``delta``, ``gamma``,
            ``theta``, ``vega``, ``rho``, ``implied_volatility``, ``historical_volatility``,
            ``theoretical_price``, ``previous_close``, ``open``, ``high``, ``low``, ``volume``,
            ``open_interest`` (contracts), ``index_name``, ``index`` (the KOSPI 200, for every
            product). Prices and Greeks are Decimal(23,8), counts Int64. Null where KIS sent nothing
            or ``nan``, and for a price or strike of 0; a code that KIS does not know in that market
            has no price. Volatilities and Greeks are in the unit that was sent, which KIS does not
            document.

        Raises:
            ValueError: no short code, or an age below 0; no call is made.
            KisError: as for `balance`; what came before is kept for its `max_age`.
        """
        asked = [codes] if isinstance(codes, str) else list(codes)
        if not max_age >= 0:  # also NaN
            raise ValueError("max_age takes seconds, 0 or more")
        now = datetime.fromtimestamp(self._clock.time(), KST)
        keys = [market_of(code, now) for code in asked]
        found = self._quotes.get(list(dict.fromkeys(keys)), self._quote, max_age, cancel)
        return stack_quotes(asked, [found[key] for key in keys])

    def _quote(self, key: Key, cancel: threading.Event) -> pl.DataFrame:
        market, code = key
        params = {"FID_COND_MRKT_DIV_CODE": market, "FID_INPUT_ISCD": code}
        fetched = self.fetch(QUOTE, None, params, cancel=cancel)
        index = fetched.others[1] if fetched.others else None
        return quote_frame(fetched.summary, index, market, fetched.as_of)

    def margin_detail(
        self, account: str | Account | None = None, *, cancel: threading.Event | None = None
    ) -> MarginDetail:
        """An account's margin by component of KIS's margin formula, initial and maintenance: two
        calls.

        Source: (야간)선물옵션 증거금 상세, TR ``CTFN7107R``,
        ``GET /uapi/domestic-futureoption/v1/trading/ngt-margin-detail``; not served for paper
        trading.

        Args:
            account: as for `balance`.
            cancel: an event that stops the calls when set.

        Returns:
            ``components``, a row a component with ``initial`` and ``maintenance`` (KRW, exact), and
            ``summary``, the deposits; see `MarginDetail`. Null where KIS sent nothing.

        Raises:
            ValueError: an account that does not fit; no call is made.
            DecodeError: also for a reply in the shape of the previous TR, whose rows have no names.
            KisError: as for `balance`.
        """
        chosen = self.find_account(account)
        account = None
        if isinstance(chosen, ValueError):
            raise chosen
        initial, as_of = self._margin(chosen, Margin.INITIAL, cancel)
        maintenance, _ = self._margin(chosen, Margin.MAINTENANCE, cancel)
        return MarginDetail(
            account=chosen,
            as_of=datetime.fromtimestamp(as_of, KST),
            demo=self.demo,
            components=component_frame(initial, maintenance),
            summary=deposit_frame(initial, maintenance),
        )

    def _margin(
        self, account: Account, margin: Margin, cancel: threading.Event | None
    ) -> tuple[Blocks, float]:
        params = {"MGNA_DVSN_CD": margin.value}
        fetched = self.fetch(MARGIN_DETAIL, account, params, cancel=cancel)
        cash, deposits = fetched.others or (None, None)
        return (fetched.summary, cash, deposits), fetched.as_of

    def margin_rates(
        self, day: date | str | None = None, *, cancel: threading.Event | None = None
    ) -> pl.DataFrame:
        """Margin rate, multiplier and margin a contract of each underlying: all rows of all pages.

        Source: 선물옵션 증거금률, TR ``TTTO6032R``,
        ``GET /uapi/domestic-futureoption/v1/quotations/margin-rate``; not served for paper trading.

        Args:
            day: whose rates, a date or a text like ``2026-11-27``; today's trading day when left
                out. KIS has them from 2023-05-24 on.
            cancel: an event that stops the call when set.

        Returns:
            A row an underlying: ``bast_id``, ``bast_name``, ``brkg_mgna_rt`` and ``tr_mgna_rt``
            (in a unit that KIS does not document), ``bast_pric``, ``tr_mtpl_idx`` (the
            multiplier), ``ctrt_per_futr_mgna`` (KRW), then what KIS sends besides, as text. No row
            when KIS has none of that day.

        Raises:
            ValueError: no date; no call is made.
            KisError: as for `balance`.
        """
        if day is None:
            day = trading_date(datetime.fromtimestamp(self._clock.time(), KST))
        elif isinstance(day, str):
            day = date.fromisoformat(day)
        fetched = self.fetch(MARGIN_RATE, None, {"BASS_DT": f"{day:%Y%m%d}"}, cancel=cancel)
        return null_row(RATES).clear() if fetched.rows is None else fetched.rows
