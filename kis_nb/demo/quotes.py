"""What the broker answers to FHMIF10000000: a contract's quote in one market, and the index.

Prices are the book's, so a quote and a balance of one second agree. What is invented is told in
docs/sources.md, "Quotes".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from kis_nb._schema.quote import INDEX_BLOCK, QUOTE_BLOCK
from kis_nb.demo.contracts import Instrument
from kis_nb.demo.greeks import Option
from kis_nb.demo.listings import listed
from kis_nb.demo.sessions import (
    DAY,
    at_seoul,
    in_day_session,
    kst_date,
    last_traded,
    open_before,
    opens_at,
    settled_at,
    settles_at,
    trading_day,
)
from kis_nb.demo.underlyings import K200, USD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kis_nb.demo.book import Book

_DAY_OPENS = 8 * 3_600 + 45 * 60
_NIGHT_MARKETS = ("CM", "EU")
_SAMPLE = 600  # seconds between the prices that open, high and low are taken from
_FLAT, _UP, _DOWN = "3", "2", "5"
_LIMIT = 8  # per cent
# The index above the KOSPI 200 in `output2`: its code, name, and how many KOSPI 200s it is.
_KOSPI = ("0001", "종합", 7)
_K200 = (K200.code, K200.label, 1)


class Session(NamedTuple):
    """A market's present session, or its last one.

    Attributes:
        start: when it began.
        now: the moment of its last price.
        before: the moment of the close before it.
    """

    start: int
    now: int
    before: int

    @classmethod
    def at(cls, market: str, moment: int) -> Session:
        """The session of a market by its code, at a moment in epoch seconds."""
        by_day = in_day_session(moment)
        if market in _NIGHT_MARKETS:
            day = trading_day(moment)
            now = last_traded(at_seoul(day, _DAY_OPENS) - 1 if by_day else moment)
            return cls(opens_at(day), now, settles_at(open_before(day)))
        now = last_traded(moment) if by_day else settled_at(moment)
        day = kst_date(now)
        return cls(at_seoul(day, _DAY_OPENS), now, settles_at(open_before(day)))


@lru_cache(maxsize=4)
def by_code(day: date) -> Mapping[str, Instrument]:
    """Every contract that trades on a trading day, by its short code in either scheme."""
    every = listed(day)
    # As an account of earlier years spells them (`kis_nb.demo.portfolio`).
    old = (
        replace(each, old=True)
        for each in every
        if each.product.code in {"01", "75"} and each.kind != "S" and each.strike < 100_000
    )
    return MappingProxyType({each.short_code: each for each in (*old, *every)})


class Quote:
    """A contract's quote, or nulls when the market does not have the code.

    Args:
        book: the prices, and which contracts have none.
        market: ``F``, ``O``, ``CF``, ``CM`` or ``EU``.
        code: a short code.
        moment: epoch seconds.
    """

    def __init__(self, book: Book, market: str, code: str, moment: int) -> None:
        self._market = book.market
        self._session = Session.at(market, moment)
        self._moment = moment
        found = by_code(trading_day(moment)).get(code)
        self._instrument = found if found and market in _markets(found) else None
        self._priced = found is None or found.todays_code not in book.unpriced(moment)

    def __len__(self) -> int:
        return 1

    def blocks(self, start: int, stop: int, tr_id: str) -> dict[str, Any]:  # noqa: ARG002
        """`output1` to `output3`."""
        figures = {} if self._instrument is None else self._figures(self._instrument)
        return {
            "output1": {each.name: figures.get(each.name) for each in QUOTE_BLOCK.fields},
            "output2": self._index(*_KOSPI),
            "output3": self._index(*_K200),
        }

    def _index(self, code: str, name: str, times: int) -> dict[str, str]:
        day = Session.at("F", self._moment)
        level, before = (
            times * self._market.level(K200, at) // 10_000 for at in (day.now, day.before)
        )
        figures = {
            "bstp_cls_code": code,
            "hts_kor_isnm": name,
            "bstp_nmix_prpr": _text(level),
            "prdy_vrss_sign": _sign(level - before),
            "bstp_nmix_prdy_vrss": _text(level - before),
            "bstp_nmix_prdy_ctrt": _per_cent(level - before, before),
        }
        return {each.name: figures[each.name] for each in INDEX_BLOCK.fields}

    def _figures(self, instrument: Instrument) -> dict[str, str | None]:
        session = self._session
        before = self._market.price(instrument, session.before)
        fair = self._fair(instrument)
        left = (instrument.last_day - kst_date(self._moment)).days
        figures: dict[str, str | None] = {
            "hts_kor_isnm": instrument.name.ljust(30),
            "futs_prdy_clpr": _text(before),
            "futs_sdpr": _text(before),
            "futs_mxpr": _text(before + abs(before) * _LIMIT // 100),
            "futs_llam": _text(before - abs(before) * _LIMIT // 100),
            "crbr_aply_mxpr": _text(0),
            "crbr_aply_llam": _text(0),
            "hts_thpr": _text(fair),
            "futs_last_tr_date": f"{instrument.last_day:%Y%m%d}",
            "hts_rmnn_dynu": str(max(left, 0)),
            "acpr": _text(instrument.strike),
        }
        if not self._priced:
            return figures | {"futs_prpr": _text(0)}
        prices = [self._market.price(instrument, at) for at in _samples(session)]
        price = prices[-1]
        index = self._market.level(instrument.product.underlying, session.now) // 10_000
        volume, interest = self._traded(instrument)
        return (
            figures
            | {
                "futs_prpr": _text(price),
                "futs_prdy_vrss": _text(price - before),
                "prdy_vrss_sign": _sign(price - before),
                "futs_prdy_ctrt": _per_cent(price - before, before),
                "acml_vol": str(volume),
                "acml_tr_pbmn": str(volume * abs(price) * instrument.won),
                "hts_otst_stpl_qty": str(interest),
                "otst_stpl_qty_icdc": str(interest % 201 - 100),
                "futs_oprc": _text(prices[0]),
                "futs_hgpr": _text(max(prices)),
                "futs_lwpr": _text(min(prices)),
                "basis": _text(fair - index),
                "mrkt_basis": _text(price - index),
                "dprt": _per_cent(price - fair, fair),
                "futs_lstn_medm_hgpr": _text(max(*prices, before)),
                "futs_lstn_medm_lwpr": _text(min(*prices, before)),
            }
            | self._greeks(instrument, price)
        )

    def _traded(self, instrument: Instrument) -> tuple[int, int]:
        """Volume, which grows through the session, and open interest."""
        text = f"{self._market.seed}|{instrument.todays_code}|{self._session.start}"
        digest = blake2b(text.encode(), digest_size=8).digest()
        whole = int.from_bytes(digest[:4]) % 90_000 + 1_000
        return whole * (self._session.now - self._session.start) // DAY, int.from_bytes(
            digest[4:]
        ) % 200_000

    def _option(self, instrument: Instrument) -> Option | None:
        """None for a future, and at the end of trading."""
        left = instrument.expires_at - self._session.now
        if not instrument.option or left <= 0:
            return None
        forward = self._market.forward(instrument, self._session.now)
        return Option(
            instrument.kind == "C", forward / 10**6, instrument.strike / 100, left / (365 * DAY)
        )

    def _fair(self, instrument: Instrument) -> int:
        """A future's carried level; an option's Black-76 value at the historical volatility."""
        option = self._option(instrument)
        if option is None:
            return self._market.price(instrument, self._session.now)
        return round(100 * option.value(_historical(instrument)))

    def _greeks(self, instrument: Instrument, price: int) -> dict[str, str]:
        names = ("delta_val", "gama", "theta", "vega", "rho", "hist_vltl", "hts_ints_vltl")
        if not instrument.option:
            # As in the published example: 1, and 0 for the rest.
            return dict.fromkeys(names, "0.0000") | {"delta_val": "1.0000"}
        figures = dict.fromkeys(names, "nan") | {"hist_vltl": _four(_historical(instrument))}
        option = self._option(instrument)
        volatility = None if option is None else option.volatility(price / 100)
        if option is None or volatility is None:
            return figures
        greeks = option.greeks(volatility) | {"hts_ints_vltl": volatility}
        return figures | {name: _four(value) for name, value in greeks.items()}


def _markets(instrument: Instrument) -> tuple[str, str]:
    """The markets that have a contract, by day and by night."""
    if instrument.option:
        return "O", "EU"
    return ("CF" if instrument.product.underlying is USD else "F"), "CM"


def _samples(session: Session) -> Iterator[int]:
    """Moments of the session so far, the present one last."""
    yield from range(session.start, session.now, _SAMPLE)
    yield session.now


def _historical(instrument: Instrument) -> float:
    """18 % a year for the KOSPI 200, in proportion to its swing for the others."""
    return 0.18 * instrument.product.underlying.swing / 100


def _text(hundredths: int) -> str:
    """``1112.00``, as in KIS's quotations."""
    sign = "-" if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) // 100}.{abs(hundredths) % 100:02d}"


def _per_cent(part: int, whole: int) -> str:
    return _text(round(10_000 * part / whole)) if whole else _text(0)


def _sign(change: int) -> str:
    return _UP if change > 0 else _DOWN if change < 0 else _FLAT


def _four(value: float) -> str:
    text = f"{value:.4f}"
    return text.removeprefix("-") if not float(text) else text
