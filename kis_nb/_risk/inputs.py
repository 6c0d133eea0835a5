"""What the estimates take from KIS besides the balance, and what could not be had."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import polars as pl

from kis_nb._codes import Basis, Margin
from kis_nb._errors import Cancelled, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import last_settlement_day, last_trading_day, trading_date
from kis_nb._frames.moments import same_moment
from kis_nb._frames.products import read_product
from kis_nb._frames.quote_frame import market_of
from kis_nb._risk.forwards import QuotedFuture
from kis_nb._risk.legs import Leg
from kis_nb._risk.moments import end_of_trading

if TYPE_CHECKING:
    from threading import Event

    from kis_nb._client import Client

_T = TypeVar("_T")
# The quotes of these short codes, as of `Client.quotes`.
AskQuotes: TypeAlias = "Callable[[Sequence[str]], pl.DataFrame]"

What: TypeAlias = Literal[
    "quotes", "option quotes", "maintenance margin", "margin detail", "margin rates"
]
LACKS: dict[What, tuple[str, str]] = {
    "quotes": ("선물 시세", "quotes of futures"),
    "option quotes": ("옵션 시세", "quotes of options"),
    "maintenance margin": ("유지증거금", "maintenance margin"),
    "margin detail": ("증거금 상세", "margin by component"),
    "margin rates": ("증거금률", "margin rates"),
}


@dataclass(frozen=True, slots=True)
class Lack:
    """Something that KIS did not give, so that an estimate does without it.

    Attributes:
        what: one of the keys of `LACKS`.
        why: what KIS or the network said, without secrets and account numbers.
    """

    what: What
    why: str


@dataclass
class Inputs:
    """Quotes, views and margin data for one balance, asked for once each. Thread-safe.

    Args:
        balance: the pull that the estimates are of.
        others: more pulls of its account.
        client: what to ask; None asks nothing.
        cancel: stops what is being asked.

    Attributes:
        lacks: what could not be had, in the order asked.
        quotes: of futures and options; None before any was asked for.
    """

    balance: Balance
    others: Sequence[Balance]
    client: Client | None
    cancel: Event | None = None
    quotes: pl.DataFrame | None = None
    lacks: list[Lack] = field(default_factory=list)
    _got: dict[str, Any] = field(default_factory=dict)
    # One for each thing that is asked, so that what is known is not waited for.
    _locks: dict[str, RLock] = field(
        default_factory=lambda: {name: RLock() for name in LACKS}, repr=False
    )

    def _ask(self, what: What, call: Callable[[], _T]) -> _T | None:
        """The answer; None, with the reason noted, when it was refused. Asked once."""
        with self._locks[what]:
            if what not in self._got:
                try:
                    self._got[what] = call()
                except Cancelled:
                    raise
                except KisError as error:
                    self._got[what] = None
                    self.lacks.append(Lack(what, str(error)))
            found: _T | None = self._got[what]
            return found

    def use(self, quotes: pl.DataFrame) -> None:
        """Take these quotes in place of asking for any.

        Raises:
            ValueError: they are no frame of `Client.quotes`.
        """
        _check_quotes(quotes)
        self.quotes = quotes
        self._got |= {"quotes": None, "option quotes": None}

    def ask_futures(self, legs: Iterable[Leg]) -> None:
        """Ask for the quotes of the futures that give the forwards of these legs."""
        client = self.client
        if client is None:
            return
        wanted: dict[str, set[date]] = {}
        for leg in legs:
            if leg.note is not None or leg.underlying is None or leg.kind == "future":
                continue
            days = wanted.setdefault(leg.underlying, set())
            if leg.expiry is not None:
                days.add(leg.expiry)
        if not wanted:
            return
        codes = futures_codes(wanted, self.balance.as_of)
        if codes:
            self._add(self._ask("quotes", lambda: client.quotes(codes, cancel=self.cancel)))

    def ask_options(self, codes: Sequence[str], ask: AskQuotes | None = None) -> None:
        """Ask for the quotes of options, for KIS's own Greeks; what is no short code has none.

        Args:
            codes: their short codes.
            ask: what to ask; the client when left out.
        """
        client = self.client
        codes = [code for code in codes if _is_short_code(code, self.balance.as_of)]
        if client is not None and codes and "option quotes" not in self._got:
            ask = ask or (lambda some: client.quotes(some, cancel=self.cancel))
            self._add(self._ask("option quotes", lambda: ask(codes)))

    def _add(self, frame: pl.DataFrame | None) -> None:
        if frame is not None and self.quotes is not None:
            # Those that were known from before are replaced.
            frame = self.quotes.join(frame, on="shtn_pdno", how="anti").vstack(frame)
        self.quotes = self.quotes if frame is None else frame

    def quoted_futures(self) -> list[QuotedFuture]:
        """The quoted futures that have a price."""
        if self.quotes is None:
            return []
        master = self.client.master if self.client is not None else self.balance.master
        listed = None if master is None else master.cached()
        found = []
        for row in self.quotes.iter_rows(named=True):
            product = read_product(row["shtn_pdno"], row.get("name"), listed)
            if product.kind != "future" or row["price"] is None or product.expiry is None:
                continue
            if end_of_trading(product.underlying or "", product.expiry) > self.balance.as_of:
                found.append(QuotedFuture(product, float(row["price"])))
        return found

    def known_views(self) -> list[Balance]:
        """The pulls of the account so far; of the maintenance margin the latest."""
        pulled: Balance | None = self._got.get("maintenance margin")
        known = [self.balance, *self.others]
        if pulled is None:
            return known
        return [*(one for one in known if one.mgna_dvsn is not Margin.MAINTENANCE), pulled]

    def views(self) -> list[Balance]:
        """The pulls of the account, one with the maintenance margin of the moment of the balance
        among them if it can be had.
        """
        balance = self.balance
        for one in (balance, *self.others):
            if one.mgna_dvsn is Margin.MAINTENANCE and same_moment(one.as_of, balance.as_of):
                return self.known_views()
        client = self.client
        if client is None:
            return self.known_views()
        # On the settlement basis, on which alone equity can be estimated where it is not sent.
        self._ask(
            "maintenance margin",
            lambda: client.balance(
                balance.account,
                mgna_dvsn=Margin.MAINTENANCE,
                excc_stat_cd=Basis.SETTLEMENT,
                cancel=self.cancel,
            ),
        )
        return self.known_views()

    def margin_detail(self) -> Any:
        """CTFN7107R's answer; None without a client, or when it was refused."""
        client, account = self.client, self.balance.account
        if client is None:
            return None
        return self._ask("margin detail", lambda: client.margin_detail(account, cancel=self.cancel))

    def margin_rates(self) -> pl.DataFrame | None:
        """TTTO6032R's answer; None without a client, or when it was refused."""
        client = self.client
        if client is None:
            return None
        at = self.balance.as_of

        def rates() -> pl.DataFrame:
            found = client.margin_rates(trading_date(at), cancel=self.cancel)
            if not found.is_empty():
                return found
            # Those of the coming trading day are not out yet.
            return client.margin_rates(last_settlement_day(at), cancel=self.cancel)

        return self._ask("margin rates", rates)

    @property
    def apart(self) -> dict[What, tuple[datetime, datetime]]:
        """What is of another moment than the balance: when the first and the last of it came."""
        times: dict[What, list[datetime]] = {"quotes": [], "option quotes": []}
        if self.quotes is not None:
            for name, own in (("quotes", False), ("option quotes", True)):
                rows = self.quotes.filter(
                    pl.col("strike").is_not_null() == own, pl.col("price").is_not_null()
                )
                times[name] = rows["as_of"].drop_nulls().to_list()  # type: ignore[index]
        margin = [one for one in self.known_views() if one.mgna_dvsn is Margin.MAINTENANCE]
        if not any(same_moment(one.as_of, self.balance.as_of) for one in margin):
            times["maintenance margin"] = [one.as_of for one in margin]
        detail = self._got.get("margin detail")
        times["margin detail"] = [] if detail is None else [detail.as_of]
        far = {
            name: [at for at in some if not same_moment(at, self.balance.as_of)]
            for name, some in times.items()
        }
        return {name: (min(some), max(some)) for name, some in far.items() if some}


_READ = ("shtn_pdno", "as_of", "price", "strike")


def _check_quotes(quotes: Any) -> None:
    """Check that a frame has what is read of quotes.

    Raises:
        ValueError: a column is missing, or is not of the kind that `Client.quotes` gives.
    """
    said = "quotes takes a frame that Client.quotes gave: " + ", ".join(_READ)
    if not isinstance(quotes, pl.DataFrame) or not set(_READ) <= set(quotes.columns):
        raise ValueError(said)
    kinds = quotes.schema
    exact = all(kinds[name].is_decimal() for name in ("price", "strike"))
    if not exact or getattr(kinds["as_of"], "time_zone", None) is None:
        raise ValueError(f"{said}, with Decimal prices and times that have a zone")


def _is_short_code(code: str, now: datetime) -> bool:
    try:
        market_of(code, now)
    except ValueError:
        return False
    return True


# By underlying: the futures with the four quarterly months, and those with every month.
_FUTURES: dict[str, tuple[str, str | None]] = {
    "KOSPI 200": ("A01", "A05"),
    "KOSDAQ 150": ("A06", None),
}
_QUARTERLY = (3, 6, 9, 12)
_MONTHS_AHEAD = 4


def futures_codes(wanted: Mapping[str, Collection[date]], now: datetime) -> list[str]:
    """The short codes of the futures to quote, by the rules of today's codes (docs/sources.md,
    "Codes and names"), so that no list of products need be fetched.

    Args:
        wanted: the expiries of options, by underlying.
        now: what expired before is not asked for.

    Returns:
        For each underlying the nearest future and the nearest quarterly one, and for each expiry
        the future that expires with it: the quarterly one, or else the mini. One that is not listed
        has a quote without a price.
    """
    codes = []
    for underlying, expiries in wanted.items():
        if underlying not in _FUTURES:
            continue
        months = {(day.year, day.month) for day in expiries}
        ahead = [divmod(now.year * 12 + now.month - 1 + more, 12) for more in range(_MONTHS_AHEAD)]
        nearest = quarter = None
        for year, month in sorted(months | {(year, month + 1) for year, month in ahead}):
            code = _code(underlying, year, month)
            day = last_trading_day(underlying, f"{year}{month:02d}")
            if code is None or day is None or end_of_trading(underlying, day) <= now:
                continue
            nearest = nearest or code
            if month in _QUARTERLY:
                quarter = quarter or code
            # A nearest mini that has no trade yet gives no price; the next quarterly one does.
            if code in (nearest, quarter) or day in expiries:
                codes.append(code)
    return codes


def _code(underlying: str, year: int, month: int) -> str | None:
    quarterly, monthly = _FUTURES[underlying]
    line = quarterly if month in _QUARTERLY else monthly
    return None if line is None else f"{line}{year % 10}{month:02d}"
