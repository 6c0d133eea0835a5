"""What the specs of risk share: the parameters that sliders move, and lines of text."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style
from kis_nb.charts import _history_axes as axes
from kis_nb.charts._chart import Chart

# A page moves these without the kernel; 0 is the market as it is. A row is of the point that is
# chosen where its `spot` and `vol` are within a rounding of them.
SPOT_PARAM, VOL_PARAM = "risk_spot", "risk_vol"
AT_SPOT = f"abs(datum.spot - {SPOT_PARAM}) < 0.0001"
AT_VOL = f"abs(datum.vol - {VOL_PARAM}) < 0.0001"
SAME_SPOT, SAME_VOL = f"abs({SPOT_PARAM}) < 0.0001", f"abs({VOL_PARAM}) < 0.0001"
LANE = axes.LANE


def axis_title(base: alt.Chart, style: Style) -> alt.Chart:
    """The title of the x axis, of the first row's ``axis``: a spec knows no unit of the level."""
    made: alt.Chart = (
        base.transform_filter("isValid(datum.axis)")
        .mark_text(baseline="top", fontSize=11, color=style["soft"], aria=False)
        .encode(
            x=alt.value(alt.ExprRef("width / 2")),
            y=alt.value(alt.ExprRef("height + 20")),
            text="axis:N",
        )
    )
    return made


def with_sliders(chart: Chart) -> Chart:
    """The chart with the parameters that a page's sliders move."""
    sliders = [alt.param(name=name, value=0) for name in (SPOT_PARAM, VOL_PARAM)]
    moved: Chart = chart.add_params(*sliders)
    return moved


def line_text(base: alt.Chart, style: Style, field: str, lane: int, **look: Any) -> alt.Chart:
    """A line of text over the plot, in one of its lanes."""
    return axes.lane_text(base, style, field, alt.value(LANE * (lane + 0.5)), **look)
