"""What the estimates take from KIS besides the balance, and what could not be had."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from kis_nb._codes import Margin
from kis_nb._errors import Cancelled, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.calendar import last_trading_day
from kis_nb._frames.products import read_product
from kis_nb._frames.quote_frame import market_of
from kis_nb._risk.forwards import QuotedFuture
from kis_nb._risk.legs import Leg
from kis_nb._risk.moments import end_of_trading

if TYPE_CHECKING:
    from threading import Event

    import polars as pl

    from kis_nb._client import Client

_T = TypeVar("_T")

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
    """Quotes, views and margin data for one balance, asked for once each. Not thread-safe.

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

    def _ask(self, what: What, call: Callable[[], _T]) -> _T | None:
        """The answer; None, with the reason noted, when it was refused. Asked once."""
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
        """Take these quotes in place of asking for any."""
        self.quotes = quotes
        self._got |= {"quotes": None, "option quotes": None}

    def ask_futures(self, legs: Iterable[Leg]) -> None:
        """Ask for the quotes of the futures that give the forwards of these legs."""
        client = self.client
        if client is None:
            return
        wanted: dict[str, set[date]] = {}
        for leg in legs:
            if leg.note is None and leg.option and leg.underlying and leg.expiry:
                wanted.setdefault(leg.underlying, set()).add(leg.expiry)
        if not wanted:
            return
        codes = futures_codes(wanted, self.balance.as_of)
        if codes:
            self._add(self._ask("quotes", lambda: client.quotes(codes, cancel=self.cancel)))

    def ask_options(self, codes: Sequence[str]) -> None:
        """Ask for the quotes of options, for KIS's own Greeks; what is no short code has none."""
        client = self.client
        codes = [code for code in codes if _is_short_code(code, self.balance.as_of)]
        if client is not None and codes and "option quotes" not in self._got:
            made = self._ask("option quotes", lambda: client.quotes(codes, cancel=self.cancel))
            self._add(made)

    def _add(self, frame: pl.DataFrame | None) -> None:
        if frame is not None:
            self.quotes = frame if self.quotes is None else self.quotes.vstack(frame)

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

    def views(self) -> list[Balance]:
        """The pulls of the account, one with the maintenance margin among them if it can be had."""
        known = [self.balance, *self.others]
        if any(one.mgna_dvsn is Margin.MAINTENANCE for one in known) or self.client is None:
            return known
        client, balance = self.client, self.balance
        pulled = self._ask(
            "maintenance margin",
            lambda: client.balance(
                balance.account,
                mgna_dvsn=Margin.MAINTENANCE,
                excc_stat_cd=balance.excc_stat_cd,
                cancel=self.cancel,
            ),
        )
        return known if pulled is None else [*known, pulled]

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
        return self._ask("margin rates", lambda: client.margin_rates(cancel=self.cancel))


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
        For each underlying the nearest future, and for each expiry the future that expires with
        it: the quarterly one, or else the mini. One that is not listed has a quote without a price.
    """
    codes = []
    for underlying, expiries in wanted.items():
        if underlying not in _FUTURES:
            continue
        months = {(day.year, day.month) for day in expiries}
        ahead = [divmod(now.year * 12 + now.month - 1 + more, 12) for more in range(_MONTHS_AHEAD)]
        nearest = None
        for year, month in sorted(months | {(year, month + 1) for year, month in ahead}):
            code = _code(underlying, year, month)
            day = last_trading_day(underlying, f"{year}{month:02d}")
            if code is None or day is None or end_of_trading(underlying, day) <= now:
                continue
            nearest = nearest or code
            if code == nearest or day in expiries:
                codes.append(code)
    return codes


def _code(underlying: str, year: int, month: int) -> str | None:
    quarterly, monthly = _FUTURES[underlying]
    line = quarterly if month in _QUARTERLY else monthly
    return None if line is None else f"{line}{year % 10}{month:02d}"
