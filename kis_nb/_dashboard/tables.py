"""A balance's positions and reconciliation as JSON for their panels, every digit exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._choices import Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.texts import say, template
from kis_nb._frames.columns import (
    POSITION_COLUMNS,
    PROFIT_COLUMNS,
    SIDES,
    TEXT_COLUMNS,
    column_label,
    side_label,
)
from kis_nb._frames.prices import OF_PRICE, is_unpriced
from kis_nb._frames.text import arrowed, exact, signed, tone

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._frames.balance import Balance


def keys(frame: pl.DataFrame) -> list[str]:
    """A key for each row: ``pdno``, with ``#2`` and so on where rows share it or it is blank."""
    seen: dict[str, int] = {}
    made = []
    for value in frame.get_column("pdno"):
        name = value or ""
        count = seen[name] = seen.get(name, 0) + 1
        made.append(name if count == 1 and name else f"{name}#{count}")
    return made


def table(balance: Balance, lang: Lang) -> Json:
    """The positions: cells as text, and for each column the rows' ranks to sort by.

    Ranks come from the Decimals, since the page could not compare 19 digits as numbers.
    """
    import polars as pl

    frame = balance.positions
    ranks = frame.select(pl.col(POSITION_COLUMNS).cast(pl.String).str.to_lowercase().rank("dense"))
    numeric = [name for name in POSITION_COLUMNS if name not in TEXT_COLUMNS]
    ranks = ranks.with_columns(frame.select(pl.col(numeric).rank("dense")))
    sides = [(side, side_label(side, lang)) for side in SIDES]
    words = dict(sides)
    rows = []
    for key, row, rank in zip(
        keys(frame),
        frame.select("pdno", *POSITION_COLUMNS).iter_rows(named=True),
        ranks.iter_rows(),
        strict=True,
    ):
        cells = {name: _cell(name, row[name], words) for name in POSITION_COLUMNS}
        unpriced = is_unpriced(row)
        if unpriced:
            cells |= dict.fromkeys(OF_PRICE, say("no_price", lang))
        searched = [cells[name] for name in TEXT_COLUMNS]
        rows.append(
            {
                "key": key,
                "id": row["pdno"] or key,
                "side": row["side"] or "",
                "cells": list(cells.values()),
                "tones": [
                    tone(row[name])
                    if name in PROFIT_COLUMNS and not (unpriced and name in OF_PRICE)
                    else ""
                    for name in POSITION_COLUMNS
                ],
                "ranks": rank,
                "unpriced": unpriced,
                "amounts": {name: _decimal_text(row[name]) for name in PROFIT_COLUMNS},
                "search": " ".join((*searched, row["pdno"] or "")).lower(),
            }
        )
    labels = {"filter": "filter", "positions": "positions", "csv": "csv", "excel": "excel"}
    labels |= {
        name: name
        for name in (
            *("count", "picked", "clear", "no_match", "no_positions", "sum_shown"),
            "without_price",
        )
    }
    return {
        "columns": [
            {
                "key": name,
                "label": column_label(name, lang),
                "number": name not in TEXT_COLUMNS,
                "sum": name in PROFIT_COLUMNS,
                "of_price": name in OF_PRICE,
            }
            for name in POSITION_COLUMNS
        ],
        "rows": rows,
        "words": {name: template(key, lang) for name, key in labels.items()}
        | {"side": column_label("side", lang), "sides": [("", say("side_all", lang)), *sides]},
    }


def _decimal_text(value: Decimal | None) -> str | None:
    """A figure as the page adds it up: all digits, no separators."""
    return None if value is None else f"{value:f}"


def _cell(name: str, value: Any, sides: dict[str, str]) -> str:
    if name == "side":
        return sides.get(value, "–")
    if name in TEXT_COLUMNS:
        return (value or "–").strip()
    return arrowed(value) if name in PROFIT_COLUMNS else exact(value)


# Checks that do not add up are listed up to here; a book that differs differs in most rows.
_LISTED = 50


def checks(balance: Balance, lang: Lang) -> Json:
    """The reconciliation: how many checks ended how, and those that differ."""
    import polars as pl

    from kis_nb._frames.equity_estimate import estimate_equity
    from kis_nb._frames.reconcile import checks as reconciled

    positions, summary = balance.positions, balance.summary
    estimate = estimate_equity(positions, summary, balance.excc_stat_cd)
    compared = reconciled(positions, summary, estimate, lang)
    # Listed always, since they are not judged: known or not, the list keeps its length.
    equity = compared.filter(~pl.col("judged"))
    found = compared.filter("judged")
    counts = {
        key: found.filter(found["status"] == key).height for key in ("exact", "rounding", "differs")
    }
    counts["unknown"] = found["status"].null_count()
    known = found.height - counts["unknown"]
    bad = counts["differs"]
    off = found.filter(pl.col("difference") != 0).sort(pl.col("difference").abs(), descending=True)
    listed = pl.concat([off.head(_LISTED), equity])
    verdict = (
        say("not_exact", lang, n=f"{known:,}", bad=f"{bad:,}")
        if bad
        else say("all_exact", lang, n=f"{known:,}")
    )
    return {
        "title": say("reconcile", lang),
        "verdict": verdict,
        "bad": bad > 0,
        "counts": [(key, say(key, lang), n) for key, n in counts.items()],
        "heads": [say(key, lang) for key in ("check", "expected", "found", "difference")],
        "rows": [
            {
                "what": row["what"],
                "item": row["item"],
                "figures": [
                    exact(_without_zeros(row["expected"])),
                    exact(_without_zeros(row["found"])),
                    signed(_without_zeros(row["difference"])),
                ],
            }
            for row in listed.iter_rows(named=True)
        ],
        "more": say("more_checks", lang, n=f"{off.height - _LISTED:,}")
        if off.height > _LISTED
        else "",
    }


def _without_zeros(value: Decimal | None) -> Decimal | None:
    """The amount without decimals when it is whole: only a foreign currency's may have some."""
    if value is None:
        return None
    whole = value.to_integral_value()
    return whole if whole == value else value
