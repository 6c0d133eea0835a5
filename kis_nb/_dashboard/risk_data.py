"""What the Risk tab shows of one `Risk`: read at once, so that all figures are of one estimate.

Estimates are floats and written to the won, or to a few digits; what the balance says is exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from kis_nb._choices import Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.tables import keys
from kis_nb._dashboard.texts import say, template
from kis_nb._frames.columns import side_label
from kis_nb._frames.text import exact, moment, tone
from kis_nb._frames.words import UNDERLYINGS

if TYPE_CHECKING:
    import polars as pl

    from kis_nb._risk.risk import Risk
    from kis_nb._widgets.vega_spec import Row
    from kis_nb.charts._style import Style

GRID_CHARTS = ("risk_curve", "scenarios")
CHARTS = (*GRID_CHARTS, "margin_components")
# Moments that the figures and the heat map can be of, besides the expiry chosen.
_NOW, _NIGHT, _EXPIRY = "now", "night", "expiry"
# Positions that are listed for a move.
_LISTED = 5
_GREEKS = ("delta", "gamma", "vega", "theta")
_NO_TABLES: Json = {"cards": [], "totals": None, "positions": None, "kis": ""}


class Choice(NamedTuple):
    """What is chosen on the page; blank or unknown for the first one that there is.

    Attributes:
        underlying: whose curve and grid.
        expiry: of the curve, like ``2026-12-10``.
        at: moment of the heat map: "now", "night" or "expiry".
    """

    underlying: str = ""
    expiry: str = ""
    at: str = _NOW


class Panels(NamedTuple):
    """What a `Risk` comes to in texts and tables.

    Attributes:
        head: parts of the panel with answers and sliders.
        tables: parts of the panel with the Greeks.
    """

    head: Json
    tables: Json


def words(lang: Lang) -> dict[str, str]:
    """The texts that the panels need whatever the figures are."""
    keys = (
        *("underlying", "expiry", "at", "spot", "vol", "reset", "level", "room", "room_unknown"),
        *("worst", "none_lose", "vol_of_itself", "greeks", "totals", "positions", "positions_how"),
        *("estimating", "quoting", "waiting"),
    )
    found = {key: template(f"risk_{key}", lang) for key in keys}
    return found | {"risk": say("risk", lang), "won": say("won", lang), "find": say("filter", lang)}


def blank() -> Panels:
    """The parts while nothing is known."""
    head: Json = {"of": "", "answers": [], "lacks": [], "choices": None, "grid": None, "empty": ""}
    return Panels(head | {"losers": None}, _NO_TABLES)


def read(risk: Risk, choice: Choice, lang: Lang, known: Panels | None = None) -> Panels:
    """What the tab's panels show of an estimate.

    Args:
        risk: the estimate.
        choice: what is chosen.
        lang: of the texts.
        known: the same of before the quotes of options came, which do not change its grid.
    """
    underlying, expiry = chosen(risk, choice)
    choices = grid = None
    if underlying is not None:
        grid = known.head["grid"] if known else _grid(risk, underlying, expiry, lang)
        choices = _choices(risk, underlying, expiry, choice.at, lang)
    demo = "DEMO · " if risk.demo else ""
    held = risk.positions.height > 0
    answers = risk.answers(lang, underlying=underlying) if held else ()
    head: Json = {
        "of": f"{demo}{risk.account} · {say('risk_of', lang, at=moment(risk.as_of))}",
        "answers": [line for line in answers if line],
        "lacks": list(risk.summary_lines(lang)),
        "choices": choices,
        "grid": grid,
        "empty": "" if held else say("risk_empty", lang),
    }
    if not held:
        return Panels(head, _NO_TABLES)
    tables: Json = {
        "cards": _cards(risk, underlying, lang),
        "totals": _totals(risk, lang),
        "positions": _positions(risk, lang),
        "kis": _kis_moment(risk, lang),
    }
    return Panels(head, tables)


def read_charts(
    risk: Risk, choice: Choice, style: Style, known: Mapping[str, list[Row]] | None = None
) -> dict[str, list[Row]]:
    """The rows of curve and heat map, by name; empty when there is nothing to draw.

    Args:
        risk, choice: as of `read`.
        style: of the charts.
        known: the same of before the quotes of options came, which do not change them.
    """
    from kis_nb.charts import _risk_curve, _scenarios

    underlying, expiry = chosen(risk, choice)
    if underlying is None:
        return {}
    if known:
        return {name: known[name] for name in GRID_CHARTS}
    at: Any = choice.at if choice.at in (_NOW, _NIGHT) else expiry or _NOW
    return {
        "risk_curve": _risk_curve.rows(risk, style, underlying=underlying, expiry=expiry),
        "scenarios": _scenarios.rows(risk, style, underlying=underlying, at=at),
    }


def read_margin(risk: Risk, style: Style) -> dict[str, list[Row]]:
    """The rows of the margin by component, by the chart's name; this may take calls."""
    from kis_nb.charts import _margin_components

    return {"margin_components": _margin_components.rows(risk, style)}


def chosen(risk: Risk, choice: Choice) -> tuple[str | None, date | None]:
    """The underlying and expiry that a choice comes to; None where there is none."""
    underlyings = risk.underlyings
    if not underlyings:
        return None, None
    underlying = choice.underlying if choice.underlying in underlyings else underlyings[0]
    days = {str(day): day for day in risk.expiries(underlying)}
    return underlying, days.get(choice.expiry, next(iter(days.values()), None))


def losers(risk: Risk, choice: Choice, spot: float, vol: float, lang: Lang) -> Json:
    """Which positions make the loss at a move, the worst first.

    Args:
        risk, choice: as of `read`.
        spot, vol: the move of the level and of volatility, relative.
        lang: of the texts.
    """
    underlying, _ = chosen(risk, choice)
    level = None if underlying is None else risk.level(underlying)
    if level is None:
        return {"spot": spot, "vol": vol, "rows": []}
    at = level * (1 + spot)
    frame = risk.contributions(at, underlying=underlying, vol=vol)
    worst = [row for row in frame.head(_LISTED).iter_rows(named=True) if row["pnl"] < 0]
    rows = [
        [
            (row["prdt_name"] or row["pdno"] or "–").strip(),
            f"{side_label(row['side'], lang)} {exact(row['quantity'])}",
            won(row["pnl"]),
        ]
        for row in worst
    ]
    return {"spot": spot, "vol": vol, "rows": rows}


def won(value: float | None) -> str:
    """An estimate in won: ``▼ -1,237,500``; null is ``–``."""
    if value is None:
        return "–"
    whole = round(value)
    arrow = {"up": "▲ ", "down": "▼ "}.get(tone(whole), "")
    return f"{arrow}{whole:+,}" if whole else "0"


def _grid(risk: Risk, underlying: str, expiry: date | None, lang: Lang) -> Json:
    """The P&L of every move at each moment, which the page looks figures up in."""
    from kis_nb._risk.grid import SPOTS, VOLS

    moments: list[tuple[str, str, Any]] = [
        (_NOW, say("risk_now", lang), _NOW),
        (_NIGHT, say("risk_night", lang, at=f"{risk.night_end:%m-%d %H:%M}"), _NIGHT),
    ]
    if expiry is not None:
        moments.append((_EXPIRY, say("risk_at_expiry", lang, day=expiry), expiry))
    own = risk.equity()
    equity = own.reported_equity if own.current_equity is None else own.current_equity
    required = own.maintenance_margin
    return {
        "spots": list(SPOTS),
        "vols": list(VOLS),
        "level": risk.level(underlying),
        "room": None if equity is None or required is None else float(equity) - float(required),
        "moments": [
            {
                "key": key,
                "label": template("risk_pnl", lang).format(moment=label),
                "pnl": _pnl(risk, underlying, at, SPOTS, VOLS),
            }
            for key, label, at in moments
        ],
    }


def _pnl(
    risk: Risk, underlying: str, at: Any, spots: Sequence[float], vols: Sequence[float]
) -> list[float | None]:
    """The P&L at one moment: a volatility after the other, each over all spots, to the won."""
    frame = risk.scenarios(underlying=underlying, at=at)
    by = {
        (round(spot, 4), round(vol, 4)): pnl
        for spot, vol, pnl in frame.select("spot", "vol", "pnl").iter_rows()
    }
    found = [by.get((round(spot, 4), round(vol, 4))) for vol in vols for spot in spots]
    return [None if pnl is None else round(pnl) for pnl in found]


def _choices(risk: Risk, underlying: str, expiry: date | None, at: str, lang: Lang) -> Json:
    names = [
        {"id": one, "text": UNDERLYINGS[one][lang != "ko"] if one in UNDERLYINGS else one}
        for one in risk.underlyings
    ]
    days = [{"id": str(day), "text": str(day)} for day in risk.expiries(underlying)]
    moments = [
        {"id": _NOW, "text": say("risk_now", lang)},
        {
            "id": _NIGHT,
            "text": say("risk_night", lang, at=f"{risk.night_end:%m-%d %H:%M}"),
        },
    ]
    if expiry is not None:
        moments.append({"id": _EXPIRY, "text": say("risk_at_expiry", lang, day=expiry)})
    return {
        "underlying": {"chosen": underlying, "options": names},
        "expiry": {"chosen": "" if expiry is None else str(expiry), "options": days},
        "at": {
            "chosen": at if any(one["id"] == at for one in moments) else _NOW,
            "options": moments,
        },
    }


def _cards(risk: Risk, underlying: str | None, lang: Lang) -> list[Json]:
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


def _totals(risk: Risk, lang: Lang) -> Json:
    heads = [
        _cell(say(f"risk_{name}", lang))
        for name in ("underlying", "expiry", "count", "left_out", "forward", "contracts")
    ]
    heads += [_cell(say(f"risk_{one}", lang), say(f"risk_{one}_unit", lang)) for one in _GREEKS]
    rows = []
    for row in risk.totals.iter_rows(named=True):
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


def _positions(risk: Risk, lang: Lang) -> Json:
    """The Greeks of each position; KIS's own are small beside them."""
    from kis_nb._risk.notes import note_label

    frame = risk.positions
    rows = []
    for key, row in zip(keys(frame), frame.iter_rows(named=True), strict=True):
        source = row["forward_source"]
        beside = {
            "forward": say(f"risk_from_{source.replace(' ', '_')}", lang) if source else "",
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
        {"key": name, "label": say(f"risk_{name}", lang), "number": number}
        for name, number in _COLUMNS
    ]
    return {"columns": columns, "rows": rows}


def _kis_moment(risk: Risk, lang: Lang) -> str:
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
