"""The estimates of `kis_nb.risk` for the terminal, as CSV and as JSON."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._choices import Lang
from kis_nb._cli import text_table
from kis_nb._frames.estimate_text import WORDS, float_text, won
from kis_nb._frames.report_labels import cell_text, label
from kis_nb._frames.text import SEPARATOR, moment

if TYPE_CHECKING:
    from kis_nb._frames.words import Words
    from kis_nb._risk.risk import Risk

# What the columns of totals are for: a position's are for a point, these are not.
_TOTALS: dict[str, Words] = {
    "underlying": ("기초자산", "Underlying"),
    "expiry": ("만기", "Expiry"),
    "positions": ("종목 수", "Positions"),
    "left_out": ("제외", "Left out"),
    "forward": ("선도가격", "Forward"),
    "delta_contracts": ("델타 (선물 계약)", "Delta, contracts"),
    "delta_won": ("델타 (1%)", "Delta for 1 %"),
    "gamma_won": ("감마 (1%)", "Gamma for 1 %"),
    "vega_won": ("베가 (1%p)", "Vega a vol point"),
    "theta_won": ("세타 (하루)", "Theta a day"),
}
_POSITIONS = (
    *("prdt_name", "side", "quantity", "price", "forward", "implied_volatility", "delta"),
    *("delta_won", "gamma_won", "vega_won", "theta_won", "kis_delta", "kis_implied_volatility"),
    "note",
)
_CALL = ("side", "margin", "level", "spot", "pnl", "equity", "required", "note")
_ONE_MOVE = ("at", "spot", "vol", "level", "pnl")
_SHOWN = {
    "positions": _POSITIONS,
    "totals": tuple(_TOTALS),
    "margin-call": _CALL,
    "scenarios": _ONE_MOVE,
}
_WORDS = {"prdt_name", "side", "note", "margin", "underlying", "expiry", "at"}


def exported(
    risk: Risk,
    form: str,
    *,
    block: str | None,
    underlying: str | None,
    move: tuple[float, float] | None,
    lang: Lang,
) -> str:
    """Estimates in a format.

    Args:
        risk: the estimates.
        form: "table" for people, "csv" of one block, or "json".
        block: one of `kis_nb._cli.risk.BLOCKS`; None is answers, totals and margin call in a table,
            and all of them in JSON, scenarios only with a `move`.
        underlying: one of `Risk.underlyings`; None is all in positions and totals, the first in
            scenarios and margin call.
        move: of price and volatility, in place of the grid.
        lang: of labels and sentences.
    """
    if form == "csv":
        return _frame(risk, block or "positions", underlying, move, lang).write_csv()
    if form == "json":
        return _json(risk, block, underlying, move, lang)
    parts = [_head(risk, lang)]
    blocks = ["answers", "totals", "margin-call", *(["scenarios"] if move else [])]
    if not risk.underlyings:  # the answers say that nothing is priced
        blocks = ["answers"]
    for name in blocks if block is None else [block]:
        drawn = _drawn(name, _frame(risk, name, underlying, move, lang), risk, lang)
        about = _about(name, underlying or next(iter(risk.underlyings), ""), lang)
        parts.append("\n".join([about, *drawn] if about else drawn))
    parts.append("\n".join(risk.summary_lines(lang)))
    return "\n\n".join(filter(None, parts)) + "\n"


def _frame(
    risk: Risk, block: str, underlying: str | None, move: tuple[float, float] | None, lang: Lang
) -> pl.DataFrame:
    """A block's frame."""
    if block == "answers":
        return pl.DataFrame({"answer": _answers(risk, underlying, lang)})
    if block == "margin-call":
        return risk.margin_call(underlying=underlying)
    if block == "scenarios":
        spot, vol = (None, None) if move is None else ([move[0]], [move[1]])
        return risk.scenarios(spot=spot, vol=vol, underlying=underlying)
    frame = risk.positions if block == "positions" else risk.totals
    return frame if underlying is None else frame.filter(pl.col("underlying") == underlying)


def _answers(risk: Risk, underlying: str | None, lang: Lang) -> list[str]:
    return [sentence for sentence in risk.answers(lang, underlying=underlying) if sentence]


def _json(
    risk: Risk,
    block: str | None,
    underlying: str | None,
    move: tuple[float, float] | None,
    lang: Lang,
) -> str:
    content: dict[str, Any] = {
        "account": risk.account,
        "as_of": risk.as_of,
        "demo": risk.demo,
        "estimate": True,
        "rate": risk.rate,
        "underlyings": list(risk.underlyings),
    }
    names = ["answers", "positions", "totals", "margin-call", *(["scenarios"] if move else [])]
    for name in names if block is None else [block]:
        frame = _frame(risk, name, underlying, move, lang)
        rows = frame["answer"].to_list() if name == "answers" else frame.to_dicts()
        content[name.replace("-", "_")] = rows
    content["left_out"] = risk.left_out.to_dicts()
    # Last: what KIS refuses is known when it was asked for.
    content["lacks"] = [{"what": lack.what, "why": lack.why} for lack in risk.lacks]
    return json.dumps(content, ensure_ascii=False, indent=1, default=_text, allow_nan=False) + "\n"


def _text(value: object) -> str:
    if isinstance(value, date):  # and a datetime
        return value.isoformat()
    raise TypeError(f"no JSON for {type(value).__name__}")


def _head(risk: Risk, lang: Lang) -> str:
    parts = [risk.account, moment(risk.as_of)]
    parts.append("추정 (Black-76)" if lang == "ko" else "estimates (Black-76)")
    return SEPARATOR.join([*parts, "DEMO"] if risk.demo else parts)


def _about(name: str, underlying: str, lang: Lang) -> str:
    """The line over a table: what it is of, and its units."""
    korean = lang == "ko"
    if name == "totals":
        return "민감도 (원, 추정)" if korean else "Sensitivities, won, estimates"
    if name == "margin-call":
        said = f"마진콜 수준 (추정): {underlying}"
        return said if korean else f"Levels of a margin call, estimates: {underlying}"
    if name == "scenarios":
        said = f"지금과의 손익 차이 (원, 추정): {underlying}"
        return said if korean else f"P&L from now, won, estimates: {underlying}"
    return ""


def _drawn(name: str, frame: pl.DataFrame, risk: Risk, lang: Lang) -> list[str]:
    if name == "answers":
        return frame["answer"].to_list()
    if frame.is_empty():
        return ["없음" if lang == "ko" else "none"]
    if name == "scenarios" and frame.height > frame["at"].n_unique():
        return _grid(frame, risk, lang)
    shown = _SHOWN[name]
    heads = [_TOTALS[one][lang == "en"] if name == "totals" else label(one, lang) for one in shown]
    rows = [
        [
            _when(row[one], risk, lang) if one == "at" else cell_text(one, row[one], lang)
            for one in shown
        ]
        for row in frame.iter_rows(named=True)
    ]
    left = [at for at, one in enumerate(shown) if one in _WORDS]
    return text_table.lines(heads, rows, left=left)


def _grid(frame: pl.DataFrame, risk: Risk, lang: Lang) -> list[str]:
    """A table for each moment: a row for each move of the price, a column for each volatility."""
    lines: list[str] = []
    corner = f"{label('spot', lang)} \\ {label('vol', lang)}"
    for (at,), rows in frame.group_by("at", maintain_order=True):
        vols = rows["vol"].unique(maintain_order=True).to_list()
        head = [corner, label("level", lang), *(float_text("vol", vol) for vol in vols)]
        cells = [
            [
                float_text("spot", spot),
                float_text("level", each["level"][0]),
                *(won(pnl) for pnl in each["pnl"]),
            ]
            for (spot,), each in rows.group_by("spot", maintain_order=True)
        ]
        lines += [*([""] if lines else []), _when(at, risk, lang)]
        lines += text_table.lines(head, cells)
    return lines


def _when(at: Any, risk: Risk, lang: Lang) -> str:
    """A moment of the default scenarios, and which one it is."""
    which = "now" if at == risk.as_of else "night" if at == risk.night_end else "expiry"
    return f"{cell_text('at', at, lang)} ({WORDS['moment'][which][lang == 'en']})"
