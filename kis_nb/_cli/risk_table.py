"""The estimates of `kis_nb.risk` for the terminal, as CSV and as JSON."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from kis_nb._choices import Lang
from kis_nb._cli import text_table
from kis_nb._cli.arguments import UsageProblem
from kis_nb._frames.estimate_text import WORDS, float_text, won
from kis_nb._frames.report_labels import cell_text, label, labels
from kis_nb._frames.text import SEPARATOR, moment
from kis_nb._risk.answers import name_of, nothing_answer

if TYPE_CHECKING:
    from kis_nb._frames.words import Words
    from kis_nb._risk.risk import Risk

_TOTALS = (
    *("underlying", "expiry", "positions", "left_out", "forward", "delta_contracts"),
    *("delta_won", "gamma_won", "vega_won", "theta_won"),
)
_POSITIONS = (
    *("prdt_name", "side", "quantity", "price", "forward", "implied_volatility", "delta"),
    *("delta_won", "gamma_won", "vega_won", "theta_won", "kis_delta", "kis_implied_volatility"),
    "note",
)
_CALL = ("side", "margin", "level", "spot", "pnl", "equity", "required", "note")
_ONE_MOVE = ("at", "spot", "vol", "level", "pnl")
_SHOWN = {
    "positions": _POSITIONS,
    "totals": _TOTALS,
    "margin-call": _CALL,
    "margin-components": ("which", "component", "ko", "reported", "estimated", "gap"),
    "scenarios": _ONE_MOVE,
}
_WORDS = {
    *("prdt_name", "side", "note", "margin", "underlying", "expiry", "at"),
    *("which", "component", "ko", "en"),
}
# The re-estimated margin in a row of components, and the line under the levels that rest on it.
_RE_ESTIMATED = "netrisk_brkg_mgna"
# The line over a table: what it is of, and its units.
_ABOUT: dict[str, Words] = {
    "positions": (
        "포지션별 민감도 (추정): 델타와 감마는 1포인트, 베가는 변동성 1%p, 세타는 하루",
        "Greeks by position, estimates: delta, gamma for 1 point, vega 1 vol point, theta a day",
    ),
    "totals": (
        "기초자산과 만기별 민감도 (원, 추정): 델타와 감마는 1%, 베가는 변동성 1%p, 세타는 하루",
        "Sensitivities, won, estimates: delta, gamma for 1 %, vega 1 vol point, theta a day",
    ),
    "margin-components": (
        "증거금 구성 (원): KIS의 값과 추정. 양쪽 모두 0이거나 없는 구성은 뺐습니다",
        "Margin by component, won: KIS's and estimates; without those that are 0 or not known",
    ),
}
# The same, of one underlying.
_ABOUT_ONE: dict[str, Words] = {
    "margin-call": ("마진콜 수준 (추정)", "Levels of a margin call, estimates"),
    "scenarios": ("지금과의 손익 차이 (원, 추정)", "P&L from now, won, estimates"),
}


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
            scenarios and margin call. Components are of the account.
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
        frame = _frame(risk, name, underlying, move, lang)
        drawn = _drawn(name, frame, underlying, risk, lang)
        parts.append("\n".join(drawn))
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
        try:
            return risk.scenarios(spot=spot, vol=vol, underlying=underlying)
        except ValueError as error:  # a move that it does not take
            raise UsageProblem(str(error)) from None
    if block == "margin-components":
        return risk.margin_components()
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
    names = ["answers", "positions", "totals", "margin-call", "margin-components"]
    names += ["scenarios"] if move else []
    for name in names if block is None else [block]:
        frame = _frame(risk, name, underlying, move, lang)
        rows = frame["answer"].to_list() if name == "answers" else frame.to_dicts()
        content[name.replace("-", "_")] = rows
    content["left_out"] = risk.left_out.to_dicts()
    # Last: what KIS refuses is known when it was asked for.
    content["lacks"] = [{"what": lack.what, "why": lack.why} for lack in risk.lacks]
    content["apart"] = [
        {"what": what, "first": first, "last": last} for what, (first, last) in risk.apart.items()
    ]
    content["notes"] = risk.summary_lines(lang)
    return json.dumps(content, ensure_ascii=False, indent=1, default=_text, allow_nan=False) + "\n"


def _text(value: object) -> str:
    if isinstance(value, date):  # and a datetime
        return value.isoformat()
    if isinstance(value, Decimal):  # a figure of KIS's: a JSON number is a float to most readers
        return f"{value:f}"
    raise TypeError(f"no JSON for {type(value).__name__}")


def _head(risk: Risk, lang: Lang) -> str:
    parts = [risk.account, moment(risk.as_of)]
    parts.append("추정 (Black-76)" if lang == "ko" else "estimates (Black-76)")
    return SEPARATOR.join([*parts, "DEMO"] if risk.demo else parts)


def _drawn(
    name: str, frame: pl.DataFrame, underlying: str | None, risk: Risk, lang: Lang
) -> list[str]:
    """The lines of a block: what it is of, and its table."""
    if name == "answers":
        return frame["answer"].to_list()
    if name == "margin-components":
        frame = frame.filter(pl.any_horizontal(pl.col("reported", "estimated").fill_null(0) != 0))
        if frame.is_empty():
            return ["증거금 구성 없음" if lang == "ko" else "No margin by component"]
    if frame.is_empty():
        return [nothing_answer(lang)]
    if name in _ABOUT_ONE:
        of = name_of(underlying or risk.underlyings[0], lang)
        head = f"{_ABOUT_ONE[name][lang == 'en']}: {of}"
    else:
        head = _ABOUT[name][lang == "en"]
    if name == "scenarios" and frame.height > frame["at"].n_unique():
        return [head, *_grid(frame, risk, lang)]
    lines = [head, *_table(name, frame, risk, lang)]
    return [*lines, *_gap(risk, lang)] if name == "margin-call" else lines


def _table(name: str, frame: pl.DataFrame, risk: Risk, lang: Lang) -> list[str]:
    shown = [lang if one == "ko" else one for one in _SHOWN[name]]
    heads = labels(shown, lang)
    if name == "margin-components":
        heads[shown.index(lang)] = "이름" if lang == "ko" else "Name"
    rows = [
        [
            _when(row[one], risk, lang) if one == "at" else cell_text(one, row[one], lang)
            for one in shown
        ]
        for row in frame.iter_rows(named=True)
    ]
    left = [at for at, one in enumerate(shown) if one in _WORDS]
    return text_table.lines(heads, rows, left=left)


def _gap(risk: Risk, lang: Lang) -> list[str]:
    """How far the re-estimated margin is from KIS's now; nothing without a re-estimate."""
    found = risk.margin_components().filter(component=_RE_ESTIMATED, which="maintenance")
    estimated = next(iter(found["estimated"]), None)
    held = risk.equity().maintenance_margin
    if estimated is None or held is None:
        return []
    gap = estimated - float(held)
    return [
        f"재추정 증거금은 지금 {won(estimated)}원, KIS {held:,}원, 차이 {won(gap)}원 (추정)"
        if lang == "ko"
        else f"margin re-estimated now: {won(estimated)} won, KIS's: {held:,} won, "
        f"gap: {won(gap)} won (estimate)"
    ]


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
