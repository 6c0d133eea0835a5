"""What the charts of risk share: how estimates are written, and what is shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from kis_nb._chart_rows.heading import add_heading
from kis_nb._chart_rows.style import Style
from kis_nb._choices import check_choice
from kis_nb._frames.estimate_text import LABELS, WORDS, signed_won
from kis_nb._frames.product_lines import UNDERLYINGS
from kis_nb._frames.words import NO_POSITIONS
from kis_nb._frames.words import UNDERLYINGS as UNDERLYING_WORDS
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._risk.inputs import What
    from kis_nb._risk.risk import Risk

_UNITS = {
    "ko": ((1e12, "조"), (1e8, "억"), (1e4, "만")),
    "en": ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")),
}


def label(name: str, style: Style) -> str:
    """What a column of estimates is called, as everywhere."""
    return style.word(*LABELS[name])


def moment_word(name: str, style: Style, *, first: bool = False) -> str:
    """The name of one of a curve's moments; `first` when it begins a text."""
    word = style.word(*WORDS["moment"][name])
    return word[:1].upper() + word[1:] if first else word


def unit(underlying: str, style: Style) -> str:
    """The unit of an underlying's level."""
    return style.word(*(("원", "won") if underlying == "USD/KRW" else ("포인트", "points")))


def call_note(note: str, style: Style) -> str:
    """Why there is no level of a margin call."""
    from kis_nb._risk.notes import note_label

    return note_label(note, style.lang)


def short_won(value: float, style: Style) -> str:
    """An estimate in three digits or so: ``-12.4억``, ``+1.24B``."""
    size = abs(value)
    for unit, name in _UNITS[style.lang]:
        if size >= unit:
            part = size / unit
            places = 2 if part < 9.995 else 1 if part < 99.95 else 0
            return f"{'-' if value < 0 else '+'}{part:,.{places}f}{name}"
    return signed_won(value)


def shown_underlying(risk: Risk, underlying: str | None) -> str | None:
    """The underlying that a chart shows: the one asked for, else the main one that is held.

    Raises:
        ValueError: an underlying that is not known.
    """
    if underlying is None:
        return next(iter(risk.underlyings), None)
    check_choice("underlying", underlying, UNDERLYINGS)
    return underlying


def lacking(risk: Risk, underlying: str | None, style: Style) -> str:
    """Why there is no estimate on this underlying; blank when there is one."""
    if underlying in risk.underlyings:
        return ""
    if underlying is None:
        number = risk.left_out.height
        name = ""
    else:
        number = risk.positions.filter(pl.col("quantity") != 0, underlying=underlying).height
        name = style.word(*UNDERLYING_WORDS[underlying])
    if number:
        return style.word(
            f"{name} {number:,}종목 모두 계산 불가".strip(),
            " ".join(filter(None, (f"None of {number:,}", name and f"on {name}", "can be priced"))),
        )
    if underlying is None:
        return style.word(*NO_POSITIONS)
    return style.word(f"{name} 포지션 없음", f"No positions on {name}")


def risk_heading(
    rows: list[Row], risk: Risk, style: Style, underlying: str | None, *parts: str
) -> list[Row]:
    """`add_heading` of a chart of estimates: what is of another moment and what is not counted
    first, since a narrow page cuts the end.
    """
    left = risk.left_out.height
    apart = [apart_text(risk, what, style) for what in ("quotes", "maintenance margin")]
    return add_heading(
        rows,
        risk.balance,
        style,
        style.word(*UNDERLYING_WORDS[underlying]) if underlying else "",
        *filter(None, apart),
        style.word(f"{left:,}종목 제외", f"{left:,} left out") if left else "",
        *parts,
        account=risk.account,
    )


_APART: dict[What, tuple[str, str]] = {
    "quotes": ("선도가격", "forwards"),
    "maintenance margin": ("유지증거금", "maintenance margin"),
    "margin detail": ("증거금 상세", "margin by component"),
}


def apart_text(risk: Risk, what: What, style: Style) -> str:
    """When something of another moment than the balance came; blank when it is of that moment."""
    from kis_nb._risk.answers import times_text

    times = risk.apart.get(what)
    if times is None:
        return ""
    name, at = style.word(*_APART[what]), times_text(times, risk.as_of)
    return style.word(f"{name} {at}", f"{name} of {at}")


def when(at: str | date | datetime, found: datetime, style: Style) -> str:
    """The moment that a scenario is of, in words and with its time.

    Args:
        at: as it was asked for.
        found: the moment that it stands for.
        style: of the chart.
    """
    if at == "now":
        return moment_word("now", style)
    if at == "night":
        return f"{moment_word('night', style)} {found:%m-%d %H:%M}"
    return f"{found:%Y-%m-%d %H:%M}"
