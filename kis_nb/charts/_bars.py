"""The specs of bars that start at zero, with a name on the left and the exact figure on the right.

The P&L, book and four-views charts are all of this kind; only their rows and tooltips differ.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, cast

import altair as alt

from kis_nb._chart_rows import pnl, pnl_product
from kis_nb._chart_rows.labels import SEPARATOR
from kis_nb._chart_rows.style import Style
from kis_nb._frames.report_labels import label
from kis_nb.charts._axes import money_axis, quiet_axis
from kis_nb.charts._chart import UNPICKED, Chart, ChartKind, compose
from kis_nb.charts._heading import heading

Axis: TypeAlias = Literal["money", "none"]
# A glossary field, or a row's own field with its Korean and English title.
Tip: TypeAlias = str | tuple[str, str, str]


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

    figures = quiet_axis(
        style,
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
    labels = quiet_axis(
        style,
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
    below = money_axis(style) if axis == "money" else quiet_axis(style, labels=False, grid=False)
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


PNL = bar_chart("pnl", ("평가손익 · 매매손익", "Profit and loss"), pnl.TIPS)
PNL_BY_PRODUCT = bar_chart(
    "pnl_by_product",
    ("상품별 손익", "P&L by product"),
    tuple((name, label(name, "ko"), label(name, "en")) for name in pnl_product.TIPS),
)
BOOK = bar_chart(
    "book",
    ("보유 현황", "The book"),
    (("legs", "종목 수", "Positions"), "cblc_qty", "evlu_amt"),
)
VIEWS = bar_chart(
    "views",
    ("네 가지 조회 비교", "The four views"),
    ("mgna_tota", "evlu_pfls_amt_smtl", ("explain", "뜻", "Meaning")),
    axis="none",
)
