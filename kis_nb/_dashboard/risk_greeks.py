"""The Greeks on the Risk tab: cards, totals by expiry, and a row a position."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.tables import keys
from kis_nb._dashboard.texts import say
from kis_nb._frames.columns import side_label
from kis_nb._frames.estimate_text import LABELS, WORDS
from kis_nb._frames.text import arrowed, exact, moment, tone
from kis_nb._frames.words import UNDERLYINGS

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._choices import Lang
    from kis_nb._risk.risk import Risk

_GREEKS = ("delta", "gamma", "vega", "theta")


def won(value: float | None) -> str:
    """An estimate in won: ``▼ -1,237,500``; null is ``–``."""
    return arrowed(None if value is None else round(value))


def greek_cards(risk: Risk, underlying: str | None, lang: Lang) -> list[Json]:
    """The Greeks of the chosen underlying, over all its expiries."""
    totals = risk.totals.filter(underlying=underlying) if underlying is not None else None
    cards = []
    for greek in _GREEKS:
        value = None if totals is None else _sum(totals[f"{greek}_won"])
        card: Json = {
            "key": f"risk_{greek}",
            "label": say(f"risk_{greek}", lang),
            "value": won(value),
            "unit": say(f"risk_{greek}_unit", lang),
            "tone": "" if value is None else tone(round(value)),
        }
        if greek == "delta":
            contracts = None if totals is None else _sum(totals["delta_contracts"])
            card["sub"] = [
                {"label": say("risk_contracts", lang), "value": _digits(contracts, 2, sign=True)}
            ]
        cards.append(card)
    return cards


def totals_table(risk: Risk, lang: Lang) -> Json:
    heads = [
        _cell(say(f"risk_{name}", lang))
        for name in ("underlying", "expiry", "count", "left_out", "forward", "contracts")
    ]
    heads += [_cell(say(f"risk_{one}", lang), say(f"risk_{one}_unit", lang)) for one in _GREEKS]
    rows = []
    # Expiries without anything priced, as those that are past, come last.
    for row in sorted(risk.totals.iter_rows(named=True), key=lambda row: not row["positions"]):
        name = UNDERLYINGS.get(row["underlying"])
        shown = row["underlying"] or "–" if name is None else name[lang != "ko"]
        expiry = row["expiry"]
        rows.append(
            [
                _cell(shown),
                _cell("–" if expiry is None else str(expiry)),
                _cell(exact(row["positions"])),
                _cell(exact(row["left_out"])),
                _cell(_digits(row["forward"], 2)),
                _cell(_digits(row["delta_contracts"], 2, sign=True)),
                *(_cell(won(row[f"{one}_won"])) for one in _GREEKS),
            ]
        )
    return {"heads": heads, "texts": 2, "rows": rows}


# Columns of the positions: the text's key, and whether figures are in it.
_COLUMNS = (
    *(("name", False), ("side", False), ("quantity", True), ("price", True)),
    *(("forward", True), ("volatility", True)),
    *((one, True) for one in _GREEKS),
    *((f"{one}_won", True) for one in _GREEKS),
    ("note", False),
)


def positions_table(risk: Risk, lang: Lang) -> Json:
    """The Greeks of each position; KIS's own are small beside them."""
    from kis_nb._risk.notes import note_label

    frame = risk.positions
    rows = []
    for key, row in zip(keys(frame), frame.iter_rows(named=True), strict=True):
        source = row["forward_source"]
        beside = {
            "forward": WORDS["forward_source"][source][lang != "ko"] if source else "",
            "volatility": _kis(row["kis_implied_volatility"], 4, percent=True),
        } | {one: _kis(row[f"kis_{one}"], 4) for one in _GREEKS}
        ranks: list[Any] = [
            *(row["prdt_name"] or "", row["side"] or "", row["quantity"], row["price"]),
            *(row["forward"], row["implied_volatility"]),
            *(row[one] for one in _GREEKS),
            *(row[f"{one}_won"] for one in _GREEKS),
            row["note"] or "",
        ]
        texts = [
            (row["prdt_name"] or row["pdno"] or "–").strip(),
            side_label(row["side"], lang) or "–",
            exact(row["quantity"]),
            _digits(row["price"], 2),
            _digits(row["forward"], 2),
            _digits(row["implied_volatility"], 2, percent=True),
            *(_digits(row[one]) for one in _GREEKS),
            *(won(row[f"{one}_won"]) for one in _GREEKS),
            note_label(row["note"], lang) if row["note"] else "",
        ]
        cells = [
            _cell(text, beside.get(name, ""))
            for (name, _), text in zip(_COLUMNS, texts, strict=True)
        ]
        rows.append({"key": key, "cells": cells, "ranks": [_rank(one) for one in ranks]})
    columns = [
        {"key": name, "label": label, "unit": unit, "number": number}
        for (name, number) in _COLUMNS
        for label, unit in [_column_head(name, lang)]
    ]
    return {"columns": columns, "rows": rows}


def _column_head(name: str, lang: Lang) -> tuple[str, str]:
    """A column's name, and its unit where two columns differ by it alone."""
    if name.endswith("_won"):
        return LABELS[name][lang != "ko"], say(f"risk_{name}_unit", lang)
    return say(f"risk_{name}", lang), ""


def kis_moment(risk: Risk, lang: Lang) -> str:
    """When KIS's own Greeks are of, which need not be the balance's moment; blank without any."""
    import polars as pl

    quotes = risk.quotes
    if quotes is None or "as_of" not in quotes.columns:
        return ""
    times = quotes.filter(pl.col("strike").is_not_null())["as_of"]
    latest: Any = times.max()
    return "" if latest is None else say("risk_kis_of", lang, at=moment(latest))


def _cell(text: str, small: str = "") -> list[str]:
    return [text, small] if small else [text]


def _rank(value: Any) -> Any:
    """What a column is sorted by on the page: a number, a text, or null."""
    return value if value is None or isinstance(value, (int, float, str)) else float(value)


def _kis(value: Any, decimals: int, *, percent: bool = False) -> str:
    if value is None:
        return ""
    text = _digits(float(value), 2 if percent else decimals, percent=percent)
    return f"KIS {text}"


def _digits(
    value: float | None, decimals: int = 4, *, sign: bool = False, percent: bool = False
) -> str:
    """An estimate with this many decimals; null is ``–``."""
    if value is None:
        return "–"
    shown = round(float(value) * (100 if percent else 1), decimals) or 0.0
    text = f"{shown:{'+' if sign and shown else ''},.{decimals}f}"
    return f"{text}%" if percent else text


def _sum(values: pl.Series) -> float | None:
    """The sum of what is known; None when nothing is."""
    known: Iterable[Any] = values.drop_nulls().to_list()
    known = list(known)
    return float(sum(known)) if known else None
