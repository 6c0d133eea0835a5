"""What the Risk tab shows of one `Risk`: read at once, so that all figures are of one estimate.

Estimates are floats and written to the won, or to a few digits; what the balance says is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from kis_nb._choices import Lang
from kis_nb._dashboard.panel_json import Json
from kis_nb._dashboard.risk_greeks import (
    greek_cards,
    kis_moment,
    positions_table,
    totals_table,
    won,
)
from kis_nb._dashboard.texts import say, template
from kis_nb._frames.columns import side_label
from kis_nb._frames.moments import same_moment
from kis_nb._frames.text import exact, moment
from kis_nb._frames.words import UNDERLYINGS

if TYPE_CHECKING:
    from kis_nb._chart_rows.style import Style
    from kis_nb._risk.risk import Risk
    from kis_nb._widgets.vega_spec import Row

GRID_CHARTS = ("risk_curve", "scenarios")
CHARTS = (*GRID_CHARTS, "margin_components")
# Moments that the figures and the heat map can be of, besides the expiry chosen.
_NOW, _NIGHT, _EXPIRY = "now", "night", "expiry"
# Positions that are listed for a move.
_LISTED = 5
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
        *("underlying", "expiry", "at", "spot", "vol", "reset"),
        *("excess_margin", "excess_margin_unknown", "won"),
        *("worst", "none_lose", "greeks", "totals", "positions", "positions_how"),
        *("estimating", "quoting", "waiting", "gone"),
    )
    found = {key: template(f"risk_{key}", lang) for key in keys}
    return found | {"risk": say("risk", lang), "find": say("filter", lang)}


def blank() -> Panels:
    """The parts while nothing is known."""
    head: Json = {"of": "", "answers": [], "lacks": [], "remarks": [], "empty": ""}
    return Panels(head | {"choices": None, "grid": None, "losers": None}, _NO_TABLES)


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
    lines = list(risk.summary_lines(lang))
    # What was refused and which positions are left out come first; the others change no figure.
    lacking = len(risk.lacks) + bool(risk.left_out.height)
    answers = risk.answers(lang, underlying=underlying) if held else ()
    head: Json = {
        "of": f"{demo}{risk.account} · {say('risk_of', lang, at=moment(risk.as_of))}",
        "answers": [line for line in answers if line],
        "lacks": lines[:lacking],
        "remarks": lines[lacking:],
        "choices": choices,
        "grid": grid,
        "empty": "" if held else say("risk_empty", lang),
    }
    if not held:
        return Panels(head, _NO_TABLES)
    tables: Json = {
        "cards": greek_cards(risk, underlying, lang),
        "totals": totals_table(risk, lang),
        "positions": positions_table(risk, lang),
        "kis": kis_moment(risk, lang),
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
    from kis_nb._chart_rows import risk_curve, scenarios

    underlying, expiry = chosen(risk, choice)
    if underlying is None:
        return {}
    if known:
        return {name: known[name] for name in GRID_CHARTS}
    at: Any = choice.at if choice.at in (_NOW, _NIGHT) else expiry or _NOW
    return {
        "risk_curve": risk_curve.rows(risk, style, underlying=underlying, expiry=expiry),
        "scenarios": scenarios.rows(risk, style, underlying=underlying, at=at),
    }


def read_margin(risk: Risk, style: Style) -> dict[str, list[Row]]:
    """The rows of the margin by component, by the chart's name; this may take calls.

    Empty for an account without positions, whose margin is nothing but zeros.
    """
    from kis_nb._chart_rows import margin_components

    if not risk.positions.height:
        return {}
    return {"margin_components": margin_components.rows(risk, style)}


def chosen(risk: Risk, choice: Choice) -> tuple[str | None, date | None]:
    """The underlying and expiry that a choice comes to; None where there is none."""
    underlyings = risk.underlyings
    if not underlyings:
        return None, None
    underlying = choice.underlying if choice.underlying in underlyings else underlyings[0]
    days = {str(day): day for day in risk.expiries(underlying)}
    return underlying, days.get(choice.expiry, next(iter(days.values()), None))


def losers(risk: Risk, choice: Choice, spot: float, vol: float, lang: Lang) -> Json:
    """Which positions make the loss at a move, the worst first, and at which move of what.

    Args:
        risk, choice: as of `read`.
        spot, vol: the move of the level and of volatility, relative.
        lang: of the texts.
    """
    underlying, _ = chosen(risk, choice)
    level = None if underlying is None else risk.level(underlying)
    if level is None:
        return {"spot": spot, "vol": vol, "underlying": underlying, "rows": []}
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
    return {"spot": spot, "vol": vol, "underlying": underlying, "rows": rows}


def _grid(risk: Risk, underlying: str, expiry: date | None, lang: Lang) -> Json:
    """The P&L of every move at each moment, which the page looks figures up in."""
    from kis_nb._risk.grid import HEADLINE, SPOTS, VOLS

    spot, vol = HEADLINE
    margin, notes = _excess_margin(risk, lang)
    return {
        "spots": list(SPOTS),
        "vols": list(VOLS),
        # Where the sliders begin: at the move of the first answer.
        "begin": {"spot": spot, "vol": vol},
        "level": risk.level(underlying),
        "excess_margin": margin,
        "excess_margin_notes": notes,
        "moments": [
            {
                "key": key,
                "label": template("risk_pnl", lang).format(moment=label),
                "pnl": _pnl(risk, underlying, at, SPOTS, VOLS),
            }
            for key, label, at in _moments(risk, underlying, expiry, lang)
        ],
    }


def _excess_margin(risk: Risk, lang: Lang) -> tuple[float | None, list[str]]:
    """What is left before a margin call, and what is of another moment than the balance in it."""
    own = risk.equity()
    settled = own.current_equity is None
    equity = own.reported_equity if settled else own.current_equity
    required, made = own.maintenance_margin, own.maintenance_as_of
    if equity is None or required is None:
        return None, []
    notes = [say("risk_settled", lang)] if settled else []
    if made is not None and not same_moment(made, risk.as_of):
        notes.append(say("risk_margin_of", lang, at=moment(made)))
    return float(equity) - float(required), notes


def _moments(
    risk: Risk, underlying: str, expiry: date | None, lang: Lang
) -> list[tuple[str, str, Any]]:
    """Key, name and `Risk.scenarios`' value of each moment, the earliest first."""
    from kis_nb._risk.moments import end_of_trading

    night = say("risk_night", lang, at=f"{risk.night_end:%m-%d %H:%M}")
    made: list[tuple[str, str, Any]] = [
        (_NOW, say("risk_now", lang), _NOW),
        (_NIGHT, night, _NIGHT),
    ]
    if expiry is not None:
        last = (_EXPIRY, say("risk_at_expiry", lang, day=expiry), expiry)
        first = end_of_trading(underlying, expiry) < risk.night_end
        made.insert(1 if first else 2, last)
    return made


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
        {"id": key, "text": text} for key, text, _ in _moments(risk, underlying, expiry, lang)
    ]
    return {
        "underlying": {"chosen": underlying, "options": names},
        "expiry": {"chosen": "" if expiry is None else str(expiry), "options": days},
        "at": {
            "chosen": at if any(one["id"] == at for one in moments) else _NOW,
            "options": moments,
        },
    }
