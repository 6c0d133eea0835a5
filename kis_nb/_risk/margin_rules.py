"""Margin re-estimated from KIS's rates, beside what CTFN7107R says of each component.

For each underlying, by the formula of 증거금 상세 (docs/sources.md): the largest loss of the book
under moves of the price as far as the rate (선물옵션가격변동증거금), plus the net value of the sold
options (옵션가격증거금). Spread, delivery and minimum margins follow from rules that are not
published with the rates and are not estimated.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, TypeAlias

import polars as pl

from kis_nb._risk.book import Book

Which: TypeAlias = Literal["initial", "maintenance"]
WHICH: tuple[Which, ...] = ("initial", "maintenance")
_RATES: dict[Which, str] = {"initial": "brkg_mgna_rt", "maintenance": "tr_mgna_rt"}
# Moves of the price in equal steps up to the rate, on both sides.
_STEPS = 15
_NAMES = {
    "KOSPI200": "KOSPI 200",
    "코스피200": "KOSPI 200",
    "KSQ150": "KOSDAQ 150",
    "KOSDAQ150": "KOSDAQ 150",
    "코스닥150": "KOSDAQ 150",
    "USD": "USD/KRW",
    "미국달러": "USD/KRW",
    "2001": "KOSPI 200",
    "3003": "KOSDAQ 150",
}
SCHEMA: dict[str, Any] = {
    "component": pl.String,
    "ko": pl.String,
    "en": pl.String,
    "which": pl.Enum(WHICH),
    "estimated": pl.Float64,
    "reported": pl.Decimal(38, 0),
    "gap": pl.Float64,
}
PRICE_CHANGE, OPTION_PRICE, NET_RISK = "fuop_pric_altr_mgna", "opt_pric_mgna", "netrisk_brkg_mgna"
_LABELS = {
    PRICE_CHANGE: ("선물옵션가격변동증거금", "Price change margin"),
    OPTION_PRICE: ("옵션가격증거금", "Option price margin"),
    NET_RISK: ("순위험위탁증거금", "Net risk margin"),
}


class Estimate(NamedTuple):
    """Components in won, over all underlyings.

    Attributes:
        price_change: price-change margin.
        option_price: option price margin; below 0 where bought options are worth more.
        total: net-risk margin, the sum of both, of no underlying below 0.
    """

    price_change: float
    option_price: float
    total: float


class MarginRules:
    """The re-estimate of margin at any level.

    Args:
        book: the positions, priced.
        rates: the margin rate of each underlying as a fraction, initial and maintenance.
        now: the moment of the balance.
    """

    def __init__(
        self, book: Book, rates: Mapping[str, Mapping[Which, float]], now: datetime
    ) -> None:
        self._book, self._rates, self._now = book, rates, now

    @property
    def missing(self) -> list[str]:
        """Underlyings of the book without a rate."""
        return [name for name in self._book.underlyings if name not in self._rates]

    def estimate(self, which: Which, underlying: str = "", spot: float = 0.0) -> Estimate:
        """The margin when one underlying has moved.

        Args:
            which: initial or maintenance.
            underlying: what moves; the others stay.
            spot: its relative move.
        """
        change = value = total = 0.0
        for name in self._book.underlyings:
            if name not in self._rates:
                continue
            moved = spot if name == underlying else 0.0
            rate = self._rates[name][which]
            repricer = self._book.repricer(name)
            places = [
                (1 + moved) * (1 + rate * step / _STEPS) - 1 for step in range(-_STEPS, _STEPS + 1)
            ]
            pnl = repricer.pnl(places, (0.0,), self._now)
            loss = max(pnl[_STEPS] - min(pnl), 0.0)
            worth = repricer.values(moved, 0.0, self._now)
            options = zip(repricer.legs, worth, strict=True)
            # Bought options reduce what the sold ones of the same underlying need.
            owed = -sum(won for one, won in options if one.type is not None)
            change, value = change + loss, value + owed
            total += max(loss + owed, 0.0)
        return Estimate(change, value, total)


def read_rates(rates: pl.DataFrame | None) -> dict[str, dict[Which, float]]:
    """TTTO6032R's rates as fractions, by underlying.

    The unit is not documented; the margin of a contract over its value tells it. An underlying
    whose unit cannot be told has none.
    """
    found: dict[str, dict[Which, float]] = {}
    # Of two contracts on one underlying the larger one's, which comes last.
    rows = [] if rates is None else rates.sort("tr_mtpl_idx", nulls_last=False).to_dicts()
    for row in rows:
        name = _underlying(row)
        value = _product(row["bast_pric"], row["tr_mtpl_idx"])
        margin, initial = row["ctrt_per_futr_mgna"], row["brkg_mgna_rt"]
        if name is None or not value or not margin or not initial:
            continue
        share = float(margin / value)
        unit = min((1.0, 100.0), key=lambda one: abs(float(initial) / one - share))
        if not share / 2 < float(initial) / unit < share * 2:
            continue
        own = {which: _fraction(row[field], unit) for which, field in _RATES.items()}
        if all(rate is not None and 0 < rate < 1 for rate in own.values()):
            found[name] = {which: rate for which, rate in own.items() if rate is not None}
    return found


def _underlying(row: Mapping[str, Any]) -> str | None:
    for text in (row["bast_id"], row["bast_name"]):
        known = _NAMES.get("".join((text or "").split()).upper())
        if known is not None:
            return known
    return None


def _product(*parts: Decimal | None) -> Decimal | None:
    result = Decimal(1)
    for part in parts:
        if part is None:
            return None
        result *= part
    return result


def _fraction(rate: Decimal | None, unit: float) -> float | None:
    return None if rate is None else float(rate) / unit


def components_frame(rules: MarginRules | None, detail: Any) -> pl.DataFrame:
    """The frame of `Risk.margin_components`, which describes its columns.

    Args:
        rules: None without rates.
        detail: CTFN7107R's answer; None without it.
    """
    estimates = (
        {} if rules is None or rules.missing else {which: rules.estimate(which) for which in WHICH}
    )
    reported = [] if detail is None else list(detail.components.iter_rows(named=True))
    names: dict[str, tuple[str, str]] = {
        row["component"]: (row["ko"], row["en"]) for row in reported
    } or dict(_LABELS)
    amounts = {row["component"]: row for row in reported}
    rows = []
    for which in WHICH:
        own = _own(estimates.get(which))
        for name, (ko, en) in names.items():
            sent, made = amounts.get(name, {}).get(which), own.get(name)
            gap = None if sent is None or made is None else made - float(sent)
            rows.append((name, ko, en, which, made, sent, gap))
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _own(estimate: Estimate | None) -> dict[str, float]:
    if estimate is None:
        return {}
    return {
        PRICE_CHANGE: estimate.price_change,
        OPTION_PRICE: estimate.option_price,
        NET_RISK: estimate.total,
    }
