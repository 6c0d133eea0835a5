"""The lines and texts that the risk curve has besides its three curves."""

from __future__ import annotations

from typing import Any

import altair as alt

from kis_nb._chart_rows.estimates import moment_word
from kis_nb._chart_rows.style import Style
from kis_nb.charts._estimates import AT_SPOT, AT_VOL, LANE, SAME_SPOT, SAME_VOL, VOL_PARAM

# The lines, from the front to the back: colour, width, dashes, a sample, and where in the width
# its text of the legend starts.
MOMENTS: dict[str, tuple[str, float, list[int], str, float]] = {
    "now": ("ink", 2.5, [1, 0], "━━", 0),
    "night": ("cash", 1.8, [7, 3], "╍╍", 0.28),
    "expiry": ("foreign", 1.8, [2, 2], "┅┅", 0.68),
}
# Lines over the plot: margin call, its estimate, the three lines, the marks' names. Under it: the
# level now and the chosen one, then break-evens.
TOP, BOTTOM = 4 * LANE + 2, 2 * LANE + 2


def rules(base: alt.Chart, style: Style, x: alt.X) -> list[alt.Chart]:
    """Lines up at the level now, at the chosen one and where a margin call comes."""
    span = {"y": alt.value(TOP), "y2": alt.value(alt.ExprRef(f"height - {BOTTOM}"))}
    at = {"x": x, "tooltip": "name:N", **span}
    now = base.transform_filter("isValid(datum.now_level)")
    held = base.transform_filter("datum.called == 'held'")
    again = base.transform_filter("datum.called == 'again'")
    chosen = base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL}")
    return [
        now.mark_rule(color=style["ink"], strokeDash=[5, 3]).encode(
            **at, description=alt.Description("name:N")
        ),
        held.mark_rule(color=style["alert"], strokeWidth=2).encode(
            **at, description=alt.Description("name:N")
        ),
        again.mark_rule(color=style["alert"], strokeWidth=0.8, strokeDash=[2, 3]).encode(
            **at, description=alt.Description("name:N")
        ),
        chosen.transform_filter(f"!({SAME_SPOT})")
        .mark_rule(color=style["cash"], strokeWidth=1.5, aria=False)
        .encode(x=x, **span),
    ]


def marks(base: alt.Chart, style: Style, x: alt.X) -> list[alt.Chart]:
    """Break-evens, and the texts at the rules: margin calls above, the level under the plot."""
    text: dict[str, Any] = {"fontSize": 11, "fontWeight": "bold", "aria": False}
    here = "scale('x', datum.level)"
    below = "datum.side == 'below'"
    left = f"({below} ? {here} > 70 : {here} > width - 70)"
    calls = (
        base.transform_filter("datum.called == 'held'")
        .mark_text(
            align=alt.ExprRef(f"{left} ? 'right' : 'left'"),
            dx=alt.ExprRef(f"{left} ? -3 : 3"),
            baseline="middle",
            color=style["alert"],
            **text,
        )
        .encode(x=x, y=alt.value(3.5 * LANE), text="mark:N")
    )
    side = f"{here} < 110 ? 'left' : {here} > width - 110 ? 'right' : 'center'"
    moved = f"!({SAME_SPOT})"
    vol_name = style.word("변동성", "volatility")
    vol = f"' · {vol_name} ' + format({VOL_PARAM} * 100, '+.0f') + ' %'"
    vol = f"({SAME_VOL} ? '' : {vol})"
    feet = [
        rows.mark_text(
            align=alt.ExprRef(side), baseline="middle", color=style[color], **text
        ).encode(
            x=x,
            y=alt.value(alt.ExprRef(f"height - {1.5 * LANE}")),
            text=alt.value(alt.ExprRef(f"datum.{field} + {vol}")),
        )
        for rows, field, color in (
            (base.transform_filter(f"isValid(datum.now_level) && !({moved})"), "name", "ink"),
            (
                base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL} && {moved}"),
                "where",
                "cash",
            ),
        )
    ]
    diamond: dict[str, Any] = {
        "shape": "diamond",
        "filled": True,
        "size": 56,
        "opacity": 1,
        "fill": style["foreign"],
    }
    zeros = (
        base.transform_filter(f"isValid(datum.zero) && {SAME_VOL}")
        .mark_point(**diamond)
        .encode(
            x=x,
            y=alt.Y("zero:Q"),
            tooltip="name:N",
            description=alt.Description("name:N"),
        )
    )
    listed = (
        base.transform_filter(f"isValid(datum.zeros) && {SAME_VOL}")
        .mark_text(
            align="left",
            baseline="middle",
            fontSize=11,
            color=style["soft"],
            limit=alt.ExprRef("width - 16"),
        )
        .encode(
            x=alt.value(16),
            y=alt.value(alt.ExprRef(f"height - {LANE / 2}")),
            text="zeros:N",
            tooltip="zeros:N",
            description=alt.Description("zeros:N"),
        )
    )
    sample = (
        base.transform_filter(f"isValid(datum.zeros) && {SAME_VOL}")
        .mark_point(**diamond, aria=False)
        .encode(x=alt.value(8), y=alt.value(alt.ExprRef(f"height - {LANE / 2}")))
    )
    return [zeros, calls, *feet, sample, listed]


def legend(base: alt.Chart, style: Style) -> list[alt.Chart]:
    """A sample of each line with its name and its P&L at the chosen point."""
    at = base.transform_filter(f"isValid(datum.vol) && {AT_SPOT} && {AT_VOL}")
    made: list[alt.Chart] = []
    for name, (color, _width, _dash, sample, share) in MOMENTS.items():
        start = f"4 + width * {share}"
        shown = at.transform_filter(f"isValid(datum.{name})")
        text: dict[str, Any] = {"align": "left", "baseline": "middle", "fontSize": 11}
        lane = alt.value(2.5 * LANE)
        made.append(
            shown.mark_text(color=style[color], fontWeight="bold", aria=False, **text).encode(
                x=alt.value(alt.ExprRef(start)), y=lane, text=alt.value(sample)
            )
        )
        figure = f"(width > 700 ? datum.{name}_won : datum.{name}_short)"
        won = style.word("원", " won")
        text_of = f"'{moment_word(name, style, first=True)} ' + {figure} + '{won}'"
        made.append(
            shown.mark_text(color=style["ink"], **text).encode(
                x=alt.value(alt.ExprRef(f"{start} + 26")),
                y=lane,
                text=alt.value(alt.ExprRef(text_of)),
                description=alt.Description(f"{name}_won:N"),
                tooltip=f"{name}_won:N",
            )
        )
    return made
