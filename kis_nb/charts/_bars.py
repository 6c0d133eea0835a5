"""Bars that start at zero, with a name on the left and the exact figure on the right. Right wing.

The P&L, book and four-views charts are all this one design; they differ in their rows alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, cast

import altair as alt

from kis_nb._widgets.vega_spec import Row
from kis_nb.charts._look import (
    SEPARATOR,
    UNPICKED,
    Chart,
    Design,
    Look,
    Number,
    columns,
    exact,
    finished,
    geometry,
    heading,
    tone,
)

Axis: TypeAlias = Literal["money", "none"]
# A glossary field, or a row's own field with its Korean and English title.
Tip: TypeAlias = str | tuple[str, str, str]


def bar(
    name: str,
    value: Number,
    *,
    figure: str | None = None,
    tip: Mapping[str, str] | None = None,
    id: str | None = None,  # noqa: A002  # the word that the page and Vega use
    tone: str | None = None,
    length: float | None = None,
    note: str = "",
) -> Row:
    """One bar as a row, still without its key (see `keyed`).

    Args:
        name: on the left.
        value: decides length and tone unless these are given; null draws no bar.
        figure: on the right; the exact value by default.
        tip: what the tooltip lists, by field name.
        id: what a click picks.
        note: words drawn where the bar would be.
    """
    text = exact(value, sign=True) if figure is None else figure
    drawn = None if value is None else geometry(value)
    return {
        "name": name,
        "figure": text,
        "value": drawn if length is None else length,
        "tone": _tone(value) if tone is None else tone,
        "note": note,
        "id": id,
        "aria": f"{name}: {note or text}",
        **(tip or {}),
    }


_tone = tone


def keyed(rows: list[Row]) -> list[Row]:
    """Give every row its key: name and figure, which two axes show left and right of the bars.

    The axes measure the widest label themselves, so that any name and any figure fits.
    """
    seen: dict[str, int] = {}
    for row, figure in zip(rows, columns([row["figure"] for row in rows]), strict=True):
        # Two positions can share a name; a scale would put them on one line.
        count = seen[row["name"]] = seen.get(row["name"], 0) + 1
        twin = "\u200b" * (count - 1)
        row["key"] = f"{row['name']}{twin}{SEPARATOR}{figure}"
    return rows


def design(
    name: str, title: tuple[str, str], tips: tuple[Tip, ...], axis: Axis = "money"
) -> Design:
    """A chart of bars.

    Args:
        name: of the dataset.
        title: Korean and English.
        tips: what the tooltip lists.
        axis: below the bars: won, plain numbers, or none when lengths are only relative.
    """

    def build(data: Any, look: Look) -> Chart:
        return _build(data, look, tips, axis)

    return Design(name, title, build)


def _build(data: Any, look: Look, tips: tuple[Tip, ...], axis: Axis) -> Chart:
    left = f"split(datum.label, '{SEPARATOR}')[0]"
    right = f"split(datum.label, '{SEPARATOR}')[1]"
    base = alt.Chart(data)

    def lines(axis: alt.Axis) -> alt.Y:
        scale = alt.Scale(paddingInner=0.28, paddingOuter=0.2)
        return alt.Y("key:N", sort=None, axis=axis, scale=scale)

    figures = look.axis(
        orient="right",
        labelExpr=right,
        labelColor=look["ink"],
        labelFontSize=12,
        labelLimit=260,
        labelPadding=8,
        labelOverlap=False,
        title=None,
        grid=False,
    )
    labels = look.axis(
        orient="left",
        labelExpr=left,
        labelColor=look["ink"],
        labelFontSize=12,
        labelLimit=240,
        labelOverlap=False,
        title=None,
        grid=False,
    )
    tooltip = [
        alt.Tooltip(f"{one}:N", title=look.field(one))
        if isinstance(one, str)
        else alt.Tooltip(f"{one[0]}:N", title=look.word(*one[1:]))
        for one in (("name", "항목", "Item"), *tips)
    ]
    # Not None: Vega-Lite fails on a layer where an absent axis meets the implicit one of a datum.
    below = look.money_axis() if axis == "money" else look.axis(labels=False, grid=False)
    x = alt.X("value:Q", title=None, axis=below, scale=alt.Scale(nice=True, zero=True))
    tones = ["up", "down", "flat", "null", "long", "short", "plain"]
    colors = ["up", "down", "grey", "grey", "cash", "foreign", "cash"]
    # Draws nothing. It comes first and holds every row, so that the lines keep the rows' order and
    # a null has its line; and it carries the left axis, since a layer has one axis a channel.
    anchor = base.mark_point(size=1, opacity=0, aria=False).encode(x=alt.datum(0), y=lines(labels))
    bars = base.mark_bar(cursor="pointer", cornerRadiusEnd=2).encode(
        x=x,
        y=lines(figures),
        color=alt.Color(
            "tone:N",
            legend=None,
            scale=alt.Scale(domain=tones, range=[look[name] for name in colors]),
        ),
        opacity=alt.condition(UNPICKED, alt.value(0.25), alt.value(1)),
        tooltip=tooltip,
        description=alt.Description("aria:N"),
    )
    notes = (
        base.transform_filter("datum.note != ''")
        .mark_text(align="left", dx=6, fontSize=11, fontStyle="italic", color=look["soft"])
        .encode(
            x=alt.datum(0),
            y=alt.Y("key:N", sort=None, axis=None),
            text="note:N",
            tooltip=tooltip,
            description=alt.Description("aria:N"),
        )
    )
    zero = base.mark_rule(color=look["soft"], aria=False).encode(x=alt.datum(0))
    chart = finished([anchor, bars, notes, zero, *heading(data, look)], step=24)
    return cast("Chart", chart.resolve_axis(y="independent"))
