"""What the book is worth at one expiry, over the underlying's level there. Right wing.

Only legs that expire on the chosen day are in the curve; the others are counted by their expiry.
Profit is counted from ``pchs_amt``, so from the settlement price or from the fills, as EXCC_STAT_CD
says. All of it is Decimal arithmetic; only the drawn points are floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import altair as alt

from kis_nb._frames.decimal_context import exactly
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._legs import Book, LeftOut, book
from kis_nb.charts._look import Chart, Design, Look, exact, finished, first, geometry, heading

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

_GRID = 120
# Break-evens with a label, each on a line of its own over the curve; all have mark and tooltip.
_LABELS = 3
_LANE = 15
_TOP = (_LABELS + 1) * _LANE + 6
# Room below the curve for two lines of notes.
_NOTE = 14
_BOTTOM = 2 * _NOTE + 6
# Other expiries that are named in such a line.
_DAYS = 4


@exactly
def rows(
    balance: Balance,
    look: Look,
    *,
    underlying: str = "KOSPI 200",
    expiry: date | str | None = None,
    name_left_out: bool = True,
) -> list[Row]:
    """Points of the payoff line, its corners, break-evens and today's level. Never empty.

    `name_left_out` False leaves out the line about positions that are not counted, for a page that
    says it elsewhere.
    """
    whole = book(balance, underlying, expiry)
    number = len(whole.legs)
    count = look.word(f"{number}종목", f"{number} leg{'s' if number != 1 else ''}")
    day = look.word(f"만기 {whole.expiry}", f"expiry {whole.expiry}") if whole.expiry else ""
    points: list[Row]
    unlabelled = 0
    if whole.legs:
        low, high = _range(whole)
        inner = [corner for corner in whole.corners() if low < corner < high]
        zeros = whole.break_evens([low, *inner, high])
        grid = (low + (high - low) * step / _GRID for step in range(_GRID + 1))
        today = [whole.today] if whole.today is not None and low <= whole.today <= high else []
        levels = sorted({*(_stepped(level, whole.tick) for level in grid), *inner, *zeros, *today})
        points = [_point(whole, level, look) for level in levels]
        middle = whole.today if whole.today is not None else (low + high) / 2
        told = sorted(zeros, key=lambda zero: abs(zero - middle))[:_LABELS]
        unlabelled = len(zeros) - len(told)
        for point, level in zip(points, levels, strict=True):
            if level in zeros:
                point["mark"] = "zero"
                point["text"] = look.word("손익분기 ", "Break-even ") + spelled(level)
                if level in told:
                    point["lane"] = 1 + sorted(told).index(level)
            elif level in inner:
                point["mark"] = "strike"
            if level == whole.today:
                point["today"] = f"{look.word('현재', 'Now')} {exact(level)}"
    else:
        note = look.word(f"{underlying} 포지션 없음", f"No positions on {underlying}")
        points = [{"level": 0.0, "value": 0.0, "up": 0.0, "down": 0.0, "note": note, "aria": note}]
    missing = []
    if unlabelled:
        marks = f"{unlabelled} more break-even{'s' if unlabelled != 1 else ''} without a label"
        missing.append(look.word(f"이름표 없는 손익분기 {unlabelled}개 더", marks))
    if name_left_out:
        missing.append(summed(whole.left_out, look))
    notes = [" · ".join(filter(None, missing)), _others(whole.others, look)]
    for line, (point, note) in enumerate(zip(points, filter(None, notes), strict=False)):
        point |= {"left": note, "line": line}
    return first(points, balance, look, " ".join(filter(None, (underlying, day))), count)


def spelled(level: Decimal) -> str:
    """A break-even: exact where four decimals hold it, else to four with ≈ before it."""
    short = level.quantize(Decimal("0.0001"))
    return exact(short) if short == level else f"≈{exact(short)}"


def summed(left: Iterable[LeftOut], look: Look) -> str:
    """What is left out, in a line: how many, and for what reasons. Blank without any."""
    reasons = Counter(look.word(one.ko, one.en) for one in left)
    if not reasons:
        return ""
    number = reasons.total()
    listed = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
    return look.word(f"{number}종목 제외: ", f"{number} left out: ") + listed


def _others(days: Mapping[date, int], look: Look) -> str:
    """How many positions expire on other days: the nearest days by name, the rest as a sum."""
    if not days:
        return ""
    said = [f"{day} {number}" for day, number in days.items()]
    if len(said) > _DAYS:
        more, legs = len(said) - _DAYS + 1, sum([*days.values()][_DAYS - 1 :])
        said[_DAYS - 1 :] = [look.word(f"이후 {more}일 {legs}", f"{more} later days {legs}")]
    return look.word("다른 만기: ", "Other expiries: ") + ", ".join(said)


def _range(whole: Book) -> tuple[Decimal, Decimal]:
    """Strikes and today with a margin; a book of futures alone shows a tenth to either side."""
    marks = [*whole.corners(), *([whole.today] if whole.today is not None else [])]
    if not marks:  # futures alone, and none with a price: what they cost
        marks = [leg.cost / leg.point / leg.contracts for leg in whole.legs]
    low, high = min(marks), max(marks)
    margin = max((high - low) / 4, high / 20 if low != high else high / 10)
    return _stepped(low - margin, whole.tick), _stepped(high + margin, whole.tick)


def _stepped(level: Decimal, tick: Decimal) -> Decimal:
    return (level / tick).to_integral_value() * tick


def _point(whole: Book, level: Decimal, look: Look) -> Row:
    won = whole.value(level).quantize(Decimal(1))
    figure = exact(won, sign=True)
    return {
        "level": geometry(level),
        "value": geometry(won),
        "up": geometry(max(won, Decimal(0))),
        "down": geometry(min(won, Decimal(0))),
        "index": spelled(level),
        "figure": figure,
        "aria": f"{look.word('기초자산', 'Underlying')} {spelled(level)}: {figure}",
    }


def _build(data: Any, look: Look) -> Chart:
    base = alt.Chart(data)
    x = alt.X(
        "level:Q",
        title=look.word("만기 때 기초자산", "Underlying at expiry"),
        axis=look.axis(
            grid=False, format=",~f", tickCount=alt.ExprRef("max(3, floor(width / 90))")
        ),
        scale=alt.Scale(zero=False, nice=False),
    )
    # Labels stand over the curve and the line of what is left out under it, so neither crosses it.
    scale = alt.Scale(nice=True, range=[alt.ExprRef(f"height - {_BOTTOM}"), _TOP])
    y = alt.Y("value:Q", title=None, axis=look.money_axis(tickCount=6), scale=scale)
    tooltip = [
        alt.Tooltip("index:N", title=look.word("만기 때 기초자산", "Underlying at expiry")),
        alt.Tooltip("figure:N", title=look.word("만기 손익", "P&L at expiry")),
        alt.Tooltip("text:N", title=" "),
        alt.Tooltip("today:N", title=" "),
    ]
    areas = [
        base.mark_area(opacity=0.18, color=look[side], aria=False).encode(
            x=x, y=alt.Y(f"{side}:Q"), y2=alt.datum(0)
        )
        for side in ("up", "down")
    ]
    line = base.mark_line(color=look["ink"], strokeWidth=2, aria=False).encode(x=x, y=y)
    zero = base.mark_rule(color=look["soft"], aria=False).encode(y=alt.datum(0))
    now = base.transform_filter("isValid(datum.today)")
    today = now.mark_rule(color=look["alert"], strokeDash=[5, 3], strokeWidth=1.5).encode(
        x=x,
        y=alt.value(_TOP),
        y2=alt.value(alt.ExprRef(f"height - {_BOTTOM}")),
        description=alt.Description("today:N"),
        tooltip=tooltip,
    )
    right = "scale('x', datum.level) > width / 2"
    beside: dict[str, Any] = {
        "align": alt.ExprRef(f"{right} ? 'right' : 'left'"),
        "baseline": "top",
        "fontSize": 11,
        "color": look["ink"],
        "aria": False,
    }
    today_text = now.mark_text(fontWeight="bold", **beside).encode(
        x=x, y=alt.value(2), text="today:N"
    )
    marked = base.transform_filter("isValid(datum.mark)")
    corners = marked.mark_point(filled=True, size=46, opacity=1, fill=look["ink"]).encode(
        x=x,
        y=y,
        shape=alt.Shape(
            "mark:N",
            legend=None,
            scale=alt.Scale(domain=["strike", "zero"], range=["circle", "diamond"]),
        ),
        tooltip=tooltip,
        description=alt.Description("aria:N"),
    )
    zeros = (
        base.transform_filter("isValid(datum.lane)")
        .mark_text(**beside)
        .encode(x=x, y=alt.value(alt.ExprRef(f"2 + {_LANE} * datum.lane")), text="text:N")
    )
    # Broad rules nobody sees: the figure of the place under the mouse.
    hover = base.mark_rule(strokeWidth=9, opacity=0.001, color=look["ink"], aria=False).encode(
        x=x, tooltip=tooltip
    )
    notes = (
        base.transform_filter("isValid(datum.note)")
        .mark_text(fontSize=12, fontStyle="italic", color=look["soft"])
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(100),
            text="note:N",
            description=alt.Description("aria:N"),
        )
    )
    # Inside and cut to the width: outside it would push the plot together to make room.
    left = (
        base.transform_filter("isValid(datum.left)")
        .mark_text(
            align="left",
            baseline="bottom",
            fontSize=11,
            color=look["soft"],
            limit=alt.ExprRef("width - 12"),
        )
        .encode(
            x=alt.value(6),
            y=alt.value(alt.ExprRef(f"height - {_NOTE} * datum.line")),
            text="left:N",
            tooltip="left:N",
            description=alt.Description("left:N"),
        )
    )
    front = [today, hover, corners, zeros, today_text, notes, left]
    return finished([*areas, zero, line, *front, *heading(data, look)], height=340)


PAYOFF = Design("payoff", ("만기 손익 곡선", "Payoff at expiry"), _build)
