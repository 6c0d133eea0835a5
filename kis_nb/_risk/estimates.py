"""The positions of a balance with prices and Greeks, and their totals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any

from kis_nb._choices import check_choice
from kis_nb._risk.book import Book
from kis_nb._risk.forwards import Given, forwards_of, unused
from kis_nb._risk.frames import left_out_frame, positions_frame, totals_frame
from kis_nb._risk.inputs import AskQuotes, Inputs, Lack, What
from kis_nb._risk.legs import legs_of
from kis_nb._risk.moments import night_end

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._frames.balance import Balance


class Estimates:
    """What `Risk` knows of the moment of the balance.

    Args:
        inputs: the balance, and what is asked besides.
        forwards, rate, option_quotes: as of `kis_nb.risk`.
        label: of the account.
    """

    balance: Balance

    def __init__(
        self,
        inputs: Inputs,
        forwards: Given | None,
        rate: float,
        label: str,
        *,
        option_quotes: bool,
    ) -> None:
        self.balance = inputs.balance
        self.account = label
        self.rate = rate
        self._inputs = inputs
        legs = legs_of(self.balance, fetch=inputs.client is not None)
        inputs.ask_futures(legs)
        quoted = inputs.quoted_futures()
        names = {leg.underlying for leg in legs if leg.note is None and leg.underlying}
        found = {
            name: one
            for name in sorted(names)
            if (one := forwards_of(name, legs, quoted, forwards, rate)) is not None
        }
        self._unused = unused(forwards, legs)
        self._lock = RLock()
        self._book = Book(legs, found, self.as_of, rate)
        self.underlyings = self._book.underlyings
        self._made: dict[Any, Any] = {}
        if option_quotes:
            self.ask_option_quotes()

    def ask_margin(self) -> None:
        """Ask for margin by component and margin rates now, so that no figure waits for them.

        Nothing is raised but `Cancelled`: what KIS refuses is in `lacks`.
        """
        self._inputs.margin_detail()
        self._inputs.margin_rates()

    def ask_option_quotes(self, ask: AskQuotes | None = None) -> None:
        """Ask for the quotes of the held options, for KIS's own Greeks; asked once.

        Nothing is raised but `Cancelled`: what KIS refuses is in `lacks`.

        Args:
            ask: what to ask for the quotes of short codes; the client when left out.
        """
        codes = self.balance.positions["shtn_pdno"]
        lines = [line for line in self._book.lines if line.priced is not None and line.leg.option]
        self._inputs.ask_options([(codes[line.leg.row] or "").strip() for line in lines], ask)
        with self._lock:
            self._made.pop("positions", None)

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    @property
    def as_of(self) -> datetime:
        """The moment of the balance, Asia/Seoul."""
        return self.balance.as_of

    @property
    def demo(self) -> bool:
        """Whether the figures are the embedded broker's, so invented."""
        return self.balance.demo

    @property
    def lacks(self) -> tuple[Lack, ...]:
        """What KIS refused so far, so that an estimate does without it."""
        return tuple(self._inputs.lacks)

    @property
    def quotes(self) -> pl.DataFrame | None:
        """The quotes of futures and options that were asked for or given; None without any.

        Returns:
            As of `Client.quotes`.

        Raises:
            Nothing.
        """
        return self._inputs.quotes

    @property
    def apart(self) -> Mapping[What, tuple[datetime, datetime]]:
        """What is more than five seconds from the balance: ``quotes``, ``option quotes``,
        ``maintenance margin``, ``margin detail``; when the first and the last of it came.
        """
        return self._inputs.apart

    @property
    def positions(self) -> pl.DataFrame:
        """Prices and Greeks, a row a position of the balance, in its order.

        Returns:
            ``pdno``, ``prdt_name``, ``underlying``, ``kind``, ``expiry`` (the last trading day),
            ``strike`` (points), ``side``, ``quantity`` (contracts, short below 0), ``multiplier``
            (won a point); ``price`` (points), ``forward`` and ``forward_source`` (Enum given,
            quote, held future, parity, nearest future, nearest
            expiry); ``implied_volatility`` (a year, 0.18 is
            18 %); ``delta`` (for a point of the forward), ``gamma``, ``vega`` (for one volatility
            point) and ``theta`` (for a calendar day), in points for one contract bought;
            ``delta_won`` and so on, the same for the position in won, signed; ``kis_delta``,
            ``kis_gamma``, ``kis_vega``, ``kis_theta``, ``kis_implied_volatility`` (as a fraction),
            KIS's own for options where a quote had them; ``note`` (Enum): why it is not priced, or
            ``below intrinsic`` and ``no time value``, which are priced at their intrinsic value.
            All figures are Float64. Null is not known.

        Raises:
            Nothing.
        """
        return self._positions()[0]

    @property
    def kis_volatility_unit(self) -> str | None:
        """The unit in which KIS's quotes had implied volatilities, measured against ours:
        ``fraction`` or ``per cent``; None when they agree with neither, or there are none.
        """
        unit = self._positions()[1]
        return None if unit is None else "fraction" if unit == 1 else "per cent"

    def _positions(self) -> tuple[pl.DataFrame, float | None]:
        made: tuple[pl.DataFrame, float | None] = self._once(
            "positions",
            lambda: positions_frame(self.balance.positions, self._book, self._inputs.quotes),
        )
        return made

    @property
    def left_out(self) -> pl.DataFrame:
        """The positions that are held and in no total and no scenario.

        Returns:
            ``pdno``, ``prdt_name`` and ``note`` (Enum), which says why; empty when all count.

        Raises:
            Nothing.
        """
        return left_out_frame(self.balance.positions, self._book.left_out)

    @property
    def totals(self) -> pl.DataFrame:
        """Greeks by underlying and expiry.

        Returns:
            ``underlying`` (null for positions whose product is not known), ``expiry`` (null for
            calendar spreads), ``positions`` and ``left_out`` (how many count and how many do not),
            ``forward`` (points), ``delta_contracts`` (as futures of the underlying's largest
            contract), ``delta_won`` (for 1 % of the forward, of the level for spreads),
            ``gamma_won`` (how much that changes for 1 %), ``vega_won`` (for one volatility point),
            ``theta_won`` (for a calendar day). Float64 won; null where nothing counts.

        Raises:
            Nothing.
        """
        made: pl.DataFrame = self._once("totals", lambda: totals_frame(self._book))
        return made

    def level(self, underlying: str | None = None) -> float | None:
        """The reference level of an underlying now, in points: the price of its nearest future.

        Args:
            underlying: the main one when left out.

        Returns:
            None when nothing is priced.

        Raises:
            ValueError: no position on this underlying is priced.
        """
        name = self._name(underlying)
        return None if name is None else self._book.forwards[name].level

    def level_source(self, underlying: str | None = None) -> str | None:
        """From where the reference level comes; arguments and errors as of `level`.

        Returns:
            given, quote, held future or parity.
        """
        name = self._name(underlying)
        return None if name is None else self._book.forwards[name].source

    def expiries(self, underlying: str | None = None) -> list[date]:
        """The last trading days of the positions that count, in order; arguments as of `level`."""
        name = self._name(underlying)
        return [] if name is None else self._book.expiries(name)

    @property
    def night_end(self) -> datetime:
        """When the night session that is open, or else the next one, ends."""
        return night_end(self.as_of)

    def _name(self, underlying: str | None) -> str | None:
        if underlying is None:
            return next(iter(self.underlyings), None)
        check_choice("underlying", underlying, self.underlyings)
        return underlying
