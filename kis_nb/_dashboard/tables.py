"""A balance's positions and reconciliation as plain JSON for their panels, every digit exact."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._codes import Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.summary_cards import template
from kis_nb._dashboard.texts import say
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
    """A different key for each row, the product's number where that is enough."""
    seen: dict[str, int] = {}
    made = []
    for value in frame.get_column("pdno"):
        name = value or ""
        count = seen[name] = seen.get(name, 0) + 1
        made.append(name if count == 1 and name else f"{name}#{count}")
    return made


def table(balance: Balance, lang: Lang) -> Json:
    """The positions: cells as text, and for each column the rows' ranks to sort by.

    Ranks are worked out here, from the Decimals: the page could not compare 19 digits as numbers.
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
        text = [_cell(name, row[name], words) for name in POSITION_COLUMNS]
        unpriced = is_unpriced(row)
        if unpriced:
            blank = say("no_price", lang)
            text = [
                blank if name in OF_PRICE else cell
                for name, cell in zip(POSITION_COLUMNS, text, strict=True)
            ]
        rows.append(
            {
                "key": key,
                "id": row["pdno"] or key,
                "side": row["side"] or "",
                "cells": text,
                "tones": [
                    tone(row[name])
                    if name in PROFIT_COLUMNS and not (unpriced and name in OF_PRICE)
                    else ""
                    for name in POSITION_COLUMNS
                ],
                "ranks": rank,
                "unpriced": unpriced,
                "amounts": {name: _decimal_text(row[name]) for name in PROFIT_COLUMNS},
                "search": " ".join((*text[:3], row["pdno"] or "")).lower(),
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

    from kis_nb._frames.reconcile import EQUITY

    compared = balance.reconcile()
    # Listed always, since they are not judged: known or not, the list keeps its length.
    equity = compared.filter(item=EQUITY)
    found = compared.filter(pl.col("item") != EQUITY)
    counts = {
        key: found.filter(found["status"] == key).height for key in ("exact", "rounding", "differs")
    }
    counts["unknown"] = found["status"].null_count()
    told = found.height - counts["unknown"]
    bad = counts["differs"]
    off = found.filter(pl.col("difference") != 0).sort(pl.col("difference").abs(), descending=True)
    listed = pl.concat([off.head(_LISTED), equity])
    verdict = (
        say("not_exact", lang, n=f"{told:,}", bad=f"{bad:,}")
        if bad
        else say("all_exact", lang, n=f"{told:,}")
    )
    return {
        "title": say("reconcile", lang),
        "verdict": verdict,
        "bad": bad > 0,
        "counts": [(key, say(key, lang), n) for key, n in counts.items()],
        "heads": [say(key, lang) for key in ("check", "expected", "found", "difference")],
        "rows": [
            _said(row, lang)
            | {
                "figures": [_won(row[name]) for name in ("expected", "found")]
                + [signed(_shortened(row["difference"]))],
            }
            for row in listed.iter_rows(named=True)
        ],
        "more": say("more_checks", lang, n=f"{off.height - _LISTED:,}")
        if off.height > _LISTED
        else "",
    }


# What `Balance.reconcile` says in words, beside the fields' names.
_KOREAN = {
    "equity at this moment": "지금 자산",
    "estimate ": "추정치 ",
    " against ": " ↔ ",
    " and ": ", ",
    "all rows": "전체 행",
    " of them without a price": "행 가격 없음",
    "of futures": "(선물)",
    "of options": "(옵션)",
    "futures": "선물",
    "options": "옵션",
    "(short)": "(매도)",
    "(long)": "(매수)",
    "(nothing open)": "(청산)",
    "(side not told)": "(매매 불명)",
    "(no price yet)": "(가격 없음)",
}


def _said(row: dict[str, Any], lang: Lang) -> dict[str, str]:
    """What a check is of, in words; a product's name stays as KIS spells it."""
    what, item = row["what"], row["item"]
    if lang == "ko":
        for english, korean in _KOREAN.items():
            what = what.replace(english, korean)
            item = item if item.startswith("row ") else item.replace(english, korean)
        item = item.replace("row ", "행 ", 1) if item.startswith("row ") else item
    return {"what": what, "item": item}


def _won(value: Decimal | None) -> str:
    return exact(_shortened(value))


def _shortened(value: Decimal | None) -> Decimal | int | None:
    """A figure without its decimals when they are 0: only one check needs those of its column."""
    whole = value is not None and value == value.to_integral_value()
    return int(value) if value is not None and whole else value
