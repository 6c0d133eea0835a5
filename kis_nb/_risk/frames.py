"""The frames of estimates by position, and by underlying and expiry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from math import log
from statistics import median
from typing import Any

import polars as pl

from kis_nb._frames.product_frame import KIND
from kis_nb._frames.product_lines import PRODUCT_LINES
from kis_nb._frames.sides import SIDE
from kis_nb._risk.book import Book, Line
from kis_nb._risk.forwards import SOURCES
from kis_nb._risk.notes import LEFT_OUT, NOTES

NOTE = pl.Enum(NOTES)
_GREEKS = ("delta", "gamma", "vega", "theta")
_KIS = (*_GREEKS, "implied_volatility")
_POSITIONS: dict[str, Any] = {
    "pdno": pl.String,
    "prdt_name": pl.String,
    "underlying": pl.String,
    "kind": KIND,
    "expiry": pl.Date,
    "strike": pl.Float64,
    "side": SIDE,
    "quantity": pl.Int64,
    "multiplier": pl.Float64,
    "price": pl.Float64,
    "forward": pl.Float64,
    "forward_source": pl.Enum(SOURCES),
    "implied_volatility": pl.Float64,
    **dict.fromkeys(_GREEKS, pl.Float64),
    **{f"{name}_won": pl.Float64 for name in _GREEKS},
    **{f"kis_{name}": pl.Float64 for name in _KIS},
    "note": NOTE,
}
_LEFT_OUT: dict[str, Any] = {"pdno": pl.String, "prdt_name": pl.String, "note": NOTE}
_TOTALS: dict[str, Any] = {
    "underlying": pl.String,
    "expiry": pl.Date,
    "positions": pl.Int64,
    "left_out": pl.Int64,
    "forward": pl.Float64,
    "delta_contracts": pl.Float64,
    **{f"{name}_won": pl.Float64 for name in _GREEKS},
}


def positions_frame(
    positions: pl.DataFrame, book: Book, quotes: pl.DataFrame | None
) -> tuple[pl.DataFrame, float | None]:
    """The frame of `Risk.positions`, which describes its columns, and KIS's unit of volatility.

    Args:
        positions: of the balance.
        book: its held positions, priced.
        quotes: of options, with KIS's Greeks; None without any.
    """
    lines = {line.leg.row: line for line in book.lines}
    quoted = _quoted(quotes)
    unit = _volatility_unit(
        (line.volatility, quoted.get(_code(positions, at), {}).get("implied_volatility"))
        for at, line in lines.items()
    )
    rows = []
    names = ("pdno", "prdt_name", "shtn_pdno", "side", "cblc_qty", "idx_clpr")
    for at, row in enumerate(positions.select(names).iter_rows(named=True)):
        kis = dict(quoted.get((row["shtn_pdno"] or "").strip(), {}))
        sent = kis.pop("implied_volatility", None)
        kis["implied_volatility"] = None if sent is None or unit is None else float(sent) / unit
        rows.append(
            {
                "pdno": row["pdno"],
                "prdt_name": row["prdt_name"],
                "side": row["side"],
                "quantity": 0 if row["cblc_qty"] == 0 else None,
                **(_cells(lines[at]) if at in lines else {}),
                **{f"kis_{name}": _float(kis.get(name)) for name in _KIS},
            }
        )
    return pl.DataFrame(rows, schema=_POSITIONS, orient="row"), unit


def _code(positions: pl.DataFrame, at: int) -> str:
    return (positions["shtn_pdno"][at] or "").strip()


def _float(value: Any) -> float | None:
    return None if value is None else float(value)


def _quoted(quotes: pl.DataFrame | None) -> dict[str, dict[str, Any]]:
    """KIS's Greeks of options by short code; a volatility of 0 is none."""
    if quotes is None or not set(_KIS) <= set(quotes.columns):
        return {}
    rows = quotes.filter(pl.col("strike").is_not_null()).iter_rows(named=True)
    return {
        row["shtn_pdno"]: {name: row[name] for name in _KIS}
        | {"implied_volatility": row["implied_volatility"] or None}
        for row in rows
    }


def _volatility_unit(pairs: Any) -> float | None:
    """What KIS's volatilities must be divided by: 1 for fractions, 100 for per cent; None when
    they agree with neither.

    Sources differ in the unit, so it is measured against the model's own volatilities.
    """
    ratios = [log(float(kis) / own) for own, kis in pairs if own and kis and kis > 0]
    if not ratios:
        return None
    middle = median(ratios)
    # Halfway between the two units, and as far beyond them: a factor of ten.
    unit = 1.0 if middle < log(10) else 100.0
    return unit if abs(middle - log(unit)) < log(10) else None


def _cells(line: Line) -> dict[str, Any]:
    leg, own = line.leg, line.greeks
    known: dict[str, Any] = {
        "underlying": leg.underlying,
        "kind": leg.kind,
        "expiry": leg.expiry,
        "strike": leg.strike if leg.option and leg.product.strike is not None else None,
        "quantity": leg.quantity or None,
        "multiplier": leg.multiplier or None,
        "price": leg.price,
        "note": line.note,
    }
    if line.forward is not None:
        known |= {"forward": line.forward.price, "forward_source": line.forward.source}
    known["implied_volatility"] = line.volatility
    if own is not None:
        known |= {name: getattr(own, name) for name in _GREEKS}
        # Adding 0 turns a zero below 0 into 0.
        known |= {f"{name}_won": getattr(own, name) * leg.won + 0.0 for name in _GREEKS}
    return known


def left_out_frame(positions: pl.DataFrame, lines: Sequence[Line]) -> pl.DataFrame:
    """The frame of `Risk.left_out`."""
    rows = [
        (positions["pdno"][line.leg.row], positions["prdt_name"][line.leg.row], line.note)
        for line in lines
    ]
    return pl.DataFrame(rows, schema=_LEFT_OUT, orient="row")


def totals_frame(book: Book) -> pl.DataFrame:
    """The frame of `Risk.totals`, which describes its columns."""
    groups: dict[tuple[str | None, date | None], list[Line]] = {}
    for line in book.lines:
        groups.setdefault((line.leg.underlying, line.leg.expiry), []).append(line)
    rows = [_total(key, lines, book) for key, lines in groups.items()]
    rows.sort(key=lambda row: _order(row, book.underlyings))
    return pl.DataFrame(rows, schema=_TOTALS, orient="row")


def _order(row: Mapping[str, Any], underlyings: Sequence[str]) -> tuple[Any, ...]:
    name = row["underlying"]
    place = underlyings.index(name) if name in underlyings else len(underlyings)
    return place, name or "", row["expiry"] is None, row["expiry"] or date.min


def _total(
    key: tuple[str | None, date | None], lines: Sequence[Line], book: Book
) -> dict[str, Any]:
    underlying, expiry = key
    counted = [line for line in lines if line.greeks is not None]
    forward = next((one.forward.price for one in counted if one.forward is not None), None)
    row: dict[str, Any] = {
        "underlying": underlying,
        "expiry": expiry,
        "positions": len(counted),
        "left_out": sum(line.note in LEFT_OUT for line in lines),
        "forward": forward,
    }
    if not counted or underlying is None:
        return row
    sums = dict.fromkeys((*_GREEKS, "contracts"), 0.0)
    future = float(PRODUCT_LINES[underlying].multiplier)
    for line in counted:
        assert line.greeks is not None
        assert line.priced is not None
        # A spread moves with the level, whatever its own price is.
        base = book.forwards[underlying].level if line.leg.kind == "spread" else line.priced.forward
        step = base / 100
        delta = line.greeks.delta * line.leg.won
        sums["contracts"] += delta / future
        sums["delta"] += delta * step
        sums["gamma"] += line.greeks.gamma * line.leg.won * step * step
        sums["vega"] += line.greeks.vega * line.leg.won
        sums["theta"] += line.greeks.theta * line.leg.won
    row["delta_contracts"] = sums.pop("contracts")
    return row | {f"{name}_won": sums[name] for name in _GREEKS}
