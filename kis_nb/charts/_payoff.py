"""What the book is worth at one expiry, over the underlying's level there. Right wing.

Only legs that expire on the chosen day are in the curve; the others are counted by their expiry.
Profit is counted from ``pchs_amt``, so from the settlement price or from the fills, as EXCC_STAT_CD
says. All of it is Decimal arithmetic; only the drawn points are floats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import altair as alt

from kis_nb._chartview import Row
from kis_nb._exact import exactly
from kis_nb._products import UNDERLYINGS, Product, multiplier, products_of
from kis_nb.charts._look import Chart, Design, Look, exact, finished, first, geometry, heading

if TYPE_CHECKING:
    from kis_nb._balance import Balance

# Price steps of the futures, which the drawn points stand on; by product, else by underlying.
_TICKS = {
    "KOSPI 200": Decimal("0.05"),
    "KOSPI 200 mini": Decimal("0.02"),
    "KOSDAQ 150": Decimal("0.1"),
    "USD/KRW": Decimal("0.1"),
}
_GRID = 120
# Break-evens with a label, each on a line of its own over the curve; all have mark and tooltip.
_LABELS = 3
_LANE = 15
_TOP = (_LABELS + 1) * _LANE + 6


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A position that the payoff does not count.

    Attributes:
        pdno, name: which.
        ko, en: why, in a few words.
    """

    pdno: str
    name: str
    ko: str
    en: str


@dataclass(frozen=True, slots=True)
class Leg:
    """A position that the payoff counts: signed contracts, won a point, signed cost in won."""

    instrument: Product
    contracts: int
    point: Decimal
    cost: Decimal
    price: Decimal

    def value(self, level: Decimal) -> Decimal:
        """Profit or loss in won with the underlying at `level`."""
        strike = self.instrument.strike or Decimal(0)
        if self.instrument.kind == "future":
            worth = level
        elif self.instrument.kind == "call":
            worth = max(level - strike, Decimal(0))
        else:
            worth = max(strike - level, Decimal(0))
        return worth * self.point * self.contracts - self.cost


@dataclass(frozen=True, slots=True)
class Book:
    """The legs on one underlying, and what was left out.

    Attributes:
        underlying: as `kis_nb._products` names it.
        expiry: the last trading day of the legs; None without any.
        legs: what counts.
        others: how many positions on the underlying expire on each other day.
        left_out: positions that cannot be counted, on any underlying.
        today: price of the nearest future on the underlying that is held; None without one. KIS
            sends no index with a balance.
    """

    underlying: str
    expiry: date | None
    legs: tuple[Leg, ...]
    others: dict[date, int]
    left_out: tuple[LeftOut, ...]
    today: Decimal | None

    @property
    def tick(self) -> Decimal:
        """The price step of the underlying's future; of the mini's where all legs are minis."""
        products = {leg.instrument.product for leg in self.legs}
        lone = products.pop() if len(products) == 1 else None
        return _TICKS.get(lone or "", _TICKS[self.underlying])

    def value(self, level: Decimal) -> Decimal:
        """Profit or loss of all legs in won with the underlying at `level`."""
        return sum((leg.value(level) for leg in self.legs), Decimal(0))

    def corners(self) -> list[Decimal]:
        """The strikes: between two of them the payoff is a straight line."""
        return sorted({leg.instrument.strike for leg in self.legs if leg.instrument.strike})

    def break_evens(self, levels: list[Decimal]) -> list[Decimal]:
        """Where the payoff crosses zero between the lowest and the highest of these levels."""
        found = {level for level in levels if self.value(level) == 0}
        for low, high in pairwise(levels):
            at_low, at_high = self.value(low), self.value(high)
            if at_low * at_high < 0:
                found.add(low + (high - low) * at_low / (at_low - at_high))
        return sorted(found)


@exactly
def book(balance: Balance, underlying: str = "KOSPI 200", expiry: date | str | None = None) -> Book:
    """Sort the balance's positions into legs on this underlying and day, and what is left.

    Raises:
        ValueError: an underlying that is not known, or an expiry on which nothing expires; both
            list what is known.
    """
    if underlying not in UNDERLYINGS:
        known = ", ".join(map(repr, UNDERLYINGS))
        raise ValueError(f"underlying takes one of {known}; got {underlying!r}")
    legs: list[Leg] = []
    left: list[LeftOut] = []
    for row, product in zip(
        balance.positions.iter_rows(named=True), products_of(balance), strict=True
    ):
        if row["cblc_qty"] == 0:
            continue
        point = multiplier(row, balance.excc_stat_cd)
        if reason := _objection(row, product, point):
            name = (row["prdt_name"] or row["shtn_pdno"] or row["pdno"] or "?").strip()
            left.append(LeftOut(row["pdno"] or "", name, *reason))
        elif product.underlying == underlying:
            assert point is not None
            sign = 1 if row["side"] == "long" else -1
            legs.append(
                Leg(product, sign * row["cblc_qty"], point, sign * row["pchs_amt"], row["idx_clpr"])
            )
    futures = [leg for leg in legs if leg.instrument.kind == "future" and leg.price]
    nearest = min(futures, key=_when, default=None)
    chosen = _chosen(legs, expiry)
    days = Counter(_when(leg) for leg in legs)
    return Book(
        underlying,
        chosen,
        tuple(leg for leg in legs if leg.instrument.expiry == chosen),
        {day: days[day] for day in sorted(days) if day != chosen},
        tuple(left),
        None if nearest is None else nearest.price,
    )


def _when(leg: Leg) -> date:
    assert leg.instrument.expiry is not None  # a position without one is left out
    return leg.instrument.expiry


def _chosen(legs: Sequence[Leg], expiry: date | str | None) -> date | None:
    """The day asked for; else the nearest with options, else the nearest."""
    days = sorted({_when(leg) for leg in legs})
    if expiry is None:
        with_options = sorted({_when(leg) for leg in legs if leg.instrument.option})
        return next(iter(with_options or days), None)
    asked = next((day for day in days if str(day) == str(expiry)), None)
    if asked is None:
        known = ", ".join(map(str, days)) or "none, since nothing is held"
        raise ValueError(f"expiry takes a day on which a position expires ({known}); got {expiry}")
    return asked


def _objection(
    row: dict[str, Any], product: Product, point: Decimal | None
) -> tuple[str, str] | None:
    if product.kind is None:
        return "종류 불명", "kind not known"
    if product.kind == "spread":
        return "스프레드", "a spread"
    if product.underlying is None:
        return "기초자산 불명", "underlying not known"
    if product.option and product.strike is None:
        return "행사가 불명", "strike not known"
    if product.expiry is None:
        return "만기 불명", "expiry not known"
    if row["side"] not in ("long", "short"):
        return "매매 불명", "side not known"
    if point is None:
        return "승수 불명", "multiplier not known"
    if row["pchs_amt"] is None:
        return "매입금액 없음", "no cost was sent"
    return None


@exactly
def rows(
    balance: Balance,
    look: Look,
    *,
    underlying: str = "KOSPI 200",
    expiry: date | str | None = None,
) -> list[Row]:
    """Points of the payoff line, its corners, break-evens and today's level. Never empty."""
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
    notes = [summed(whole.left_out, look)]
    if unlabelled:
        marks = f"{unlabelled} more break-even{'s' if unlabelled != 1 else ''} without a label"
        notes.insert(0, look.word(f"이름표 없는 손익분기 {unlabelled}개 더", marks))
    if whole.others:
        others = ", ".join(f"{day} {number}" for day, number in whole.others.items())
        notes.insert(0, look.word("다른 만기: ", "Other expiries: ") + others)
    points[0]["left"] = " · ".join(filter(None, notes))
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
    scale = alt.Scale(nice=True, range=[alt.ExprRef("height - 20"), _TOP])
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
        y2=alt.value(alt.ExprRef("height - 20")),
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
            y=alt.value("height"),
            text="left:N",
            tooltip="left:N",
            description=alt.Description("left:N"),
        )
    )
    front = [today, hover, corners, zeros, today_text, notes, left]
    return finished([*areas, zero, line, *front, *heading(data, look)], height=340)


PAYOFF = Design("payoff", ("만기 손익 곡선", "Payoff at expiry"), _build)
