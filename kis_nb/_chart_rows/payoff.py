"""Profit and loss at one expiry, as a curve over the level of the underlying on that day.

The curve has the legs that expire on the chosen day; of the others the number is shown, by expiry.
Profit is counted from ``pchs_amt``, so from the settlement price or from the fills, by
EXCC_STAT_CD. The arithmetic is exact: only the points to draw are floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from kis_nb._chart_rows.heading import add_heading
from kis_nb._chart_rows.labels import geometry
from kis_nb._chart_rows.legs import LeftOut, Payoff, payoff_at_expiry
from kis_nb._chart_rows.style import Style
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.text import exact, signed
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_GRID = 120
# Break-evens that get a label, each on its own line over the curve. All get a mark and a tooltip.
LABELS = 3
# Other expiries that such a line lists one by one.
_DAYS = 4


@exactly
def rows(
    balance: Balance,
    style: Style,
    *,
    underlying: str = "KOSPI 200",
    expiry: date | str | None = None,
    name_left_out: bool = True,
) -> list[Row]:
    """The rows of the chart: points of the curve, some marked as strike, break-even or price now.

    Args:
        balance: one pull.
        style: language and colours.
        underlying: see `kis_nb.charts.payoff`.
        expiry: see `kis_nb.charts.payoff`.
        name_left_out: whether a line names the positions that are not counted; the dashboard has
            that line elsewhere.

    Returns:
        Never empty: without positions on the underlying, one row with a note.
    """
    payoff = payoff_at_expiry(balance, underlying, expiry)
    number = len(payoff.legs)
    count = style.word(f"{number}종목", f"{number} leg{'s' if number != 1 else ''}")
    day = style.word(f"만기 {payoff.expiry}", f"expiry {payoff.expiry}") if payoff.expiry else ""
    points: list[Row]
    unlabelled = 0
    if payoff.legs:
        low, high = _range(payoff)
        inner = [strike for strike in payoff.strikes() if low < strike < high]
        zeros = payoff.break_evens([low, *inner, high])
        grid = (low + (high - low) * step / _GRID for step in range(_GRID + 1))
        today = (
            [payoff.underlying_price]
            if payoff.underlying_price is not None and low <= payoff.underlying_price <= high
            else []
        )
        levels = sorted({*(_rounded(level, payoff.tick) for level in grid), *inner, *zeros, *today})
        points = [_point(payoff, level, style) for level in levels]
        middle = (
            payoff.underlying_price if payoff.underlying_price is not None else (low + high) / 2
        )
        labelled = sorted(zeros, key=lambda zero: abs(zero - middle))[:LABELS]
        unlabelled = len(zeros) - len(labelled)
        for point, level in zip(points, levels, strict=True):
            if level in zeros:
                point["mark"] = "zero"
                point["text"] = style.word("손익분기 ", "Break-even ") + break_even_text(level)
                if level in labelled:
                    point["lane"] = 1 + sorted(labelled).index(level)
            elif level in inner:
                point["mark"] = "strike"
            if level == payoff.underlying_price:
                point["today"] = f"{style.word('현재', 'Now')} {exact(level)}"
    else:
        note = style.word(f"{underlying} 포지션 없음", f"No positions on {underlying}")
        points = [{"level": 0.0, "value": 0.0, "up": 0.0, "down": 0.0, "note": note, "aria": note}]
    missing = []
    if unlabelled:
        marks = f"{unlabelled} more break-even{'s' if unlabelled != 1 else ''} without a label"
        missing.append(style.word(f"이름표 없는 손익분기 {unlabelled}개 더", marks))
    if name_left_out:
        missing.append(left_out_line(payoff.left_out, style))
    notes = [" · ".join(filter(None, missing)), _expiries_line(payoff.other_expiries, style)]
    for line, (point, note) in enumerate(zip(points, filter(None, notes), strict=False)):
        point |= {"left": note, "line": line}
    return add_heading(points, balance, style, " ".join(filter(None, (underlying, day))), count)


def break_even_text(level: Decimal) -> str:
    """A break-even: exact when four decimals are enough, else rounded to four with ≈ in front."""
    short = level.quantize(Decimal("0.0001"))
    return exact(short) if short == level else f"≈{exact(short)}"


def left_out_line(left: Iterable[LeftOut], style: Style) -> str:
    """How many positions are left out and why, in one line; blank without any."""
    reasons = Counter(style.word(one.ko, one.en) for one in left)
    if not reasons:
        return ""
    number = reasons.total()
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return style.word(f"{number}종목 제외: ", f"{number} left out: ") + listed


def _expiries_line(days: Mapping[date, int], style: Style) -> str:
    """How many positions expire on other days: the nearest days one by one, the rest as a sum."""
    if not days:
        return ""
    parts = [f"{day} {number}" for day, number in days.items()]
    if len(parts) > _DAYS:
        more, legs = len(parts) - _DAYS + 1, sum([*days.values()][_DAYS - 1 :])
        parts[_DAYS - 1 :] = [style.word(f"이후 {more}일 {legs}", f"{more} later days {legs}")]
    return style.word("다른 만기: ", "Other expiries: ") + ", ".join(parts)


def _range(payoff: Payoff) -> tuple[Decimal, Decimal]:
    """The lowest and the highest level to draw: strikes and price now, and more on both sides.

    With futures alone, a tenth of the price on both sides.
    """
    marks = [
        *payoff.strikes(),
        *([payoff.underlying_price] if payoff.underlying_price is not None else []),
    ]
    if not marks:  # futures alone, and none with a price: what they cost
        marks = [leg.cost / leg.multiplier / leg.contracts for leg in payoff.legs]
    low, high = min(marks), max(marks)
    more = max((high - low) / 4, high / 20 if low != high else high / 10)
    return _rounded(low - more, payoff.tick), _rounded(high + more, payoff.tick)


def _rounded(level: Decimal, tick: Decimal) -> Decimal:
    """The nearest multiple of the price step."""
    return (level / tick).to_integral_value() * tick


def _point(payoff: Payoff, level: Decimal, style: Style) -> Row:
    """The row of one point of the curve."""
    won = payoff.pnl(level).quantize(Decimal(1))
    figure = signed(won)
    return {
        "level": geometry(level),
        "value": geometry(won),
        "up": geometry(max(won, Decimal(0))),
        "down": geometry(min(won, Decimal(0))),
        "index": break_even_text(level),
        "figure": figure,
        "aria": f"{style.word('기초자산', 'Underlying')} {break_even_text(level)}: {figure}",
    }
