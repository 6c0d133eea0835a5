"""A chart of bars that start at zero, with a name on the left and the exact figure on the right.

The P&L, book and four-views charts are all of this kind; only their rows and tooltips differ.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

import altair as alt

from kis_nb._frames.text import Figure, signed
from kis_nb._frames.text import tone as tone_of
from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._chart import UNPICKED, Chart, ChartKind, compose
from kis_nb.charts._heading import add_heading, heading
from kis_nb.charts._labels import SEPARATOR, columns, geometry
from kis_nb.charts._style import Style

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

Axis: TypeAlias = Literal["money", "none"]
# A glossary field, or a row's own field with its Korean and English title.
Tip: TypeAlias = str | tuple[str, str, str]


def bar(
    name: str,
    value: Figure,
    *,
    figure: str | None = None,
    tip: Mapping[str, str] | None = None,
    id: str | None = None,  # noqa: A002  # the word that the page and Vega use
    tone: str | None = None,
    length: float | None = None,
    note: str = "",
) -> Row:
    """One bar as a row of the chart's data, without its key (see `keyed`).

    Args:
        name: the text on the left.
        value: gives length and tone unless these are given; null draws no bar.
        figure: the text on the right; the exact value with its sign by default.
        tip: texts for the tooltip, by field name.
        id: the id that a click selects.
        tone: a colour's name, see `_build`.
        length: of the bar, when it is not the value.
        note: a text drawn in place of the bar.
    """
    text = signed(value) if figure is None else figure
    drawn = None if value is None else geometry(value)
    return {
        "name": name,
        "figure": text,
        "value": drawn if length is None else length,
        "tone": (tone_of(value) or "null") if tone is None else tone,
        "note": note,
        "id": id,
        "aria": f"{name}: {note or text}",
        **(tip or {}),
    }


def keyed(
    rows: list[Row], balance: Balance, style: Style, *parts: str, account: str = ""
) -> list[Row]:
    """Give every row its key, made of name and figure, and the first one the heading.

    Two axes show the two halves of the keys left and right of the bars. An axis measures its widest
    label itself, so that any name and any figure fits.

    Args:
        rows: from `bar`.
        balance, style, *parts, account: of the heading, see `add_heading`.
    """
    seen: dict[str, int] = {}
    names, figures = [], columns([row["figure"] for row in rows])
    for row, figure in zip(rows, figures, strict=True):
        # Two positions can have one name; with one key they would be drawn on one line.
        count = seen[row["name"]] = seen.get(row["name"], 0) + 1
        names.append(row["name"] + "\u200b" * (count - 1))
        row["key"] = f"{names[-1]}{SEPARATOR}{figure}"
    return add_heading(rows, balance, style, *parts, account=account, names=names, figures=figures)


def bar_chart(
    name: str, title: tuple[str, str], tips: tuple[Tip, ...], axis: Axis = "money"
) -> ChartKind:
    """A kind of chart with bars.

    Args:
        name: of the dataset.
        title: Korean and English.
        tips: the fields that the tooltip lists.
        axis: the axis below the bars: ``"money"`` for won, ``"none"`` when only the proportions of
            the bars mean anything.
    """

    def build(data: Any, style: Style) -> Chart:
        return _build(data, style, tips, axis)

    return ChartKind(name, title, build)


def _build(data: Any, style: Style, tips: tuple[Tip, ...], axis: Axis) -> Chart:
    left = f"split(datum.label, '{SEPARATOR}')[0]"
    right = f"split(datum.label, '{SEPARATOR}')[1]"
    base = alt.Chart(data)

    def lines(axis: alt.Axis) -> alt.Y:
        scale = alt.Scale(paddingInner=0.28, paddingOuter=0.2)
        return alt.Y("key:N", sort=None, axis=axis, scale=scale)

    figures = style.axis(
        orient="right",
        labelExpr=right,
        labelColor=style["ink"],
        labelFontSize=12,
        labelLimit=320,
        labelPadding=8,
        labelOverlap=False,
        title=None,
        grid=False,
    )
    labels = style.axis(
        orient="left",
        labelExpr=left,
        labelColor=style["ink"],
        labelFontSize=12,
        labelLimit=240,
        labelOverlap=False,
        title=None,
        grid=False,
    )
    tooltip = [
        alt.Tooltip(f"{one}:N", title=style.field(one))
        if isinstance(one, str)
        else alt.Tooltip(f"{one[0]}:N", title=style.word(*one[1:]))
        for one in (("name", "항목", "Item"), *tips)
    ]
    # Not None: Vega-Lite fails on a layer where an absent axis meets the implicit one of a datum.
    below = style.money_axis() if axis == "money" else style.axis(labels=False, grid=False)
    # Not stacked: each line has one bar, and Vega-Lite puts every stacked one into a clipped group.
    scale = alt.Scale(nice=True, zero=True)
    x = alt.X("value:Q", title=None, axis=below, scale=scale, stack=None)
    tones = ["up", "down", "flat", "null", "long", "short", "plain"]
    colors = ["up", "down", "grey", "grey", "cash", "foreign", "cash"]
    # Draws nothing. It comes first and has every row, so that the lines keep the rows' order and a
    # null has its line. It also has the left axis, since a layer has one axis a channel.
    anchor = base.mark_point(size=1, opacity=0, aria=False).encode(x=alt.datum(0), y=lines(labels))
    bars = base.mark_bar(cursor="pointer", cornerRadiusEnd=2).encode(
        x=x,
        y=lines(figures),
        color=alt.Color(
            "tone:N",
            legend=None,
            scale=alt.Scale(domain=tones, range=[style[name] for name in colors]),
        ),
        opacity=alt.condition(UNPICKED, alt.value(0.25), alt.value(1)),
        tooltip=tooltip,
        description=alt.Description("aria:N"),
    )
    notes = (
        base.transform_filter("datum.note != ''")
        .mark_text(align="left", dx=6, fontSize=11, fontStyle="italic", color=style["soft"])
        .encode(
            x=alt.datum(0),
            y=alt.Y("key:N", sort=None, axis=None),
            text="note:N",
            tooltip=tooltip,
            description=alt.Description("aria:N"),
        )
    )
    # Of the first row alone: every row would draw it anew.
    zero = base.transform_filter("isValid(datum.head)")
    zero = zero.mark_rule(color=style["soft"], aria=False).encode(x=alt.datum(0))
    chart = compose([anchor, bars, notes, zero, *heading(data, style)], step=24)
    return cast("Chart", chart.resolve_axis(y="independent"))
