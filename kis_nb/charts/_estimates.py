"""What the charts of risk share: how estimates are written, what is shown, and the two sliders."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import altair as alt

from kis_nb._choices import check_choice
from kis_nb._frames.product_lines import UNDERLYINGS
from kis_nb._frames.words import UNDERLYINGS as UNDERLYING_WORDS
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._chart import Chart
from kis_nb.charts._heading import add_heading
from kis_nb.charts._style import Style

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

# A page moves these without the kernel; 0 is the market as it is. A row is of the point that is
# chosen where its `spot` and `vol` are within a rounding of them.
SPOT_PARAM, VOL_PARAM = "risk_spot", "risk_vol"
AT_SPOT = f"abs(datum.spot - {SPOT_PARAM}) < 0.0001"
AT_VOL = f"abs(datum.vol - {VOL_PARAM}) < 0.0001"
UNMOVED = f"abs({SPOT_PARAM}) < 0.0001 && abs({VOL_PARAM}) < 0.0001"
LANE = 16

_UNITS = {
    "ko": ((1e12, "조"), (1e8, "억"), (1e4, "만")),
    "en": ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")),
}


def won(value: float) -> str:
    """An estimate rounded to the won, with its sign: ``-1,237,500``."""
    whole = round(value)
    return f"{whole:+,}" if whole else "0"


def short_won(value: float, style: Style) -> str:
    """An estimate in three digits or so: ``-12.4억``, ``+1.24B``."""
    size = abs(value)
    for unit, name in _UNITS[style.lang]:
        if size >= unit:
            part = size / unit
            places = 2 if part < 9.995 else 1 if part < 99.95 else 0
            return f"{'-' if value < 0 else '+'}{part:,.{places}f}{name}"
    return won(value)


def percent(share: float) -> str:
    """A move of spot or volatility with its sign: ``-2.5%``, ``0%``."""
    text = f"{share * 100:+.2f}".rstrip("0").rstrip(".")
    return "0%" if text in ("+0", "-0") else f"{text}%"


def points(level: float) -> str:
    """A level of the underlying in points."""
    return f"{level:,.2f}"


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
    if underlying is None:
        return style.word("보유 포지션 없음", "No open positions")
    held = risk.positions.filter(underlying=underlying)
    name = style.word(*UNDERLYING_WORDS[underlying])
    if not held.height:
        return style.word(f"{name} 포지션 없음", f"No positions on {name}")
    if not held["note"].null_count():
        return style.word(
            f"{name} {held.height:,}종목 모두 평가 불가",
            f"None of {held.height:,} on {name} can be priced",
        )
    if risk.level(underlying) is None:
        return style.word(f"{name} 기준 가격 없음", f"No reference price of {name}")
    return ""


def risk_heading(
    rows: list[Row], risk: Risk, style: Style, underlying: str | None, *parts: str
) -> list[Row]:
    """`add_heading` of a chart of estimates: that it is one, of what, and what is not counted."""
    left = risk.left_out.height
    return add_heading(
        rows,
        risk.balance,
        style,
        style.word("추정", "estimate"),
        style.word(*UNDERLYING_WORDS[underlying]) if underlying else "",
        *parts,
        style.word(f"{left:,}종목 제외", f"{left:,} left out") if left else "",
        account=risk.account,
    )


def when(at: str | date | datetime, found: datetime, style: Style) -> str:
    """The moment that a scenario is of, in words and with its time.

    Args:
        at: as it was asked for.
        found: the moment that it stands for.
        style: of the chart.
    """
    if at == "now":
        return style.word("지금", "now")
    if at == "night":
        return style.word("야간장 마감", "end of the night") + f" {found:%m-%d %H:%M}"
    return f"{found:%Y-%m-%d %H:%M}"


def with_sliders(chart: Chart) -> Chart:
    """The chart with the parameters that a page's sliders move."""
    sliders = [alt.param(name=name, value=0) for name in (SPOT_PARAM, VOL_PARAM)]
    moved: Chart = chart.add_params(*sliders)
    return moved


def lane_text(base: alt.Chart, field: str, lane: float, color: str, **more: Any) -> alt.Chart:
    """A line of text over the plot, at the left and cut to its width; read aloud and on hover."""
    style: dict[str, Any] = {
        "align": "left",
        "baseline": "middle",
        "fontSize": 11,
        "limit": alt.ExprRef("width - 4"),
    }
    return (
        base.transform_filter(f"isValid(datum.{field})")
        .mark_text(color=color, **(style | more))
        .encode(
            x=alt.value(0),
            y=alt.value(LANE * (lane + 0.5)),
            text=f"{field}:N",
            tooltip=f"{field}:N",
            description=alt.Description(f"{field}:N"),
        )
    )


def note_text(base: alt.Chart, style: Style) -> alt.Chart:
    """Why nothing is drawn, in the middle."""
    return (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(100),
            text="note:N",
            description=alt.Description("note:N"),
        )
    )
