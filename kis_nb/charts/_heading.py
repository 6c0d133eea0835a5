"""The layers that show the line under a chart's title, and DEMO at the right."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.heading import HEAD_SIZE, SCALE_WIDTH
from kis_nb._chart_rows.style import Style


def heading(data: Any, style: Style) -> list[alt.Chart]:
    """The layers that show the first row's ``head`` and ``demo`` under the title.

    Data and not a subtitle, so that both change in the same moment as the figures.
    """
    base = alt.Chart(data).transform_filter("isValid(datum.head)")
    # The line may start over the names of bars, but not over an axis: there it breaks instead.
    names = f"(datum.before > {SCALE_WIDTH} ? datum.before : 0)"
    two = f"(datum.head_most > {names} + width + datum.after)"
    # A picture is laid out once, with a plot as wide as the whole, and its height stays that of
    # this layout when the plot becomes narrower. So the height must not follow from the width.
    tall = f"({two} || datum.head_most > {_TALL})"
    wide = f"({two} ? datum.head_half : datum.head_width)"
    # Starts where the bars start, and further left, over their names, when it needs the width.
    left = f"-{_SURE} * datum.before"
    place = alt.value(alt.ExprRef(f"max({left}, min(0, width + datum.after - {wide}))"))
    # Cut to the chart: a page fits the plot to its place by making it narrower than the longest
    # line, down to nothing.
    line = base.mark_text(
        align="left",
        baseline="bottom",
        fontSize=HEAD_SIZE,
        color=style["soft"],
        aria=False,
        limit=alt.ExprRef(f"{_SURE} * datum.before + width + datum.after"),
    )
    top = line.encode(
        x=place,
        y=alt.value(-8 - _HEAD_LINE),
        text=alt.value(alt.ExprRef(f"{two} ? datum.head_top : ''")),
    )
    end = line.encode(
        x=place,
        y=alt.value(alt.ExprRef(f"{tall} && !{two} ? {-8 - _HEAD_LINE} : -8")),
        text=alt.value(alt.ExprRef(f"{two} ? datum.head_end : datum.head")),
    )
    # Drawn even when it is empty, since it keeps the title above the head. Its accessible name is
    # then the head: a screen reader would stop at a mark without a name.
    named = alt.value(alt.ExprRef("datum.demo || datum.head"))
    demo = base.mark_text(
        align="right", baseline="bottom", fontSize=12, fontWeight="bold", color=style["alert"]
    ).encode(
        x=alt.value(alt.ExprRef(f"width + {_SURE} * datum.after")),
        y=alt.value(alt.ExprRef(f"{tall} ? {-25 - _HEAD_LINE} : -25")),
        text=alt.Text("demo:N"),
        description=named,
    )
    return [top, end, demo]


_HEAD_LINE = 14
# The part of an estimated width that a text takes in any font. What is placed at the sides stays
# within it: a picture is cut where its first layout ended.
_SURE = 0.7
# A head of this width or more has the height of two lines, however wide the chart is.
_TALL = 480
