"""CTFN7107R's margin by component, initial and maintenance, with our estimate and the gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kis_nb._chart_rows.bars import bar, keyed
from kis_nb._chart_rows.estimates import apart_text, short_won
from kis_nb._chart_rows.labels import columns
from kis_nb._chart_rows.style import Style
from kis_nb._frames.estimate_text import signed_won
from kis_nb._frames.text import exact
from kis_nb._widgets.vega_spec import Row

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk

_WHICH = {
    "initial": ("개시증거금 01", "Initial margin 01"),
    "maintenance": ("유지증거금 02", "Maintenance margin 02"),
}
_TOTAL = "brkg_mgna"


def rows(risk: Risk, style: Style) -> list[Row]:
    """The rows of the chart: for each margin a line with its name, then one a component.

    Components that are 0 or unknown on both sides are left out, the total never.

    Args:
        risk: estimates of one account.
        style: language and colours.

    Returns:
        Never empty: without margin detail and without an estimate, one row with a note.

    Raises:
        Nothing.
    """
    frame = risk.margin_components()
    bars: list[Row] = []
    for which, words in _WHICH.items():
        shown = [
            one
            for one in frame.filter(which=which).iter_rows(named=True)
            if one["reported"] or one["estimated"] or one["component"] == _TOTAL
        ]
        if not any(one["reported"] is not None or one["estimated"] is not None for one in shown):
            continue
        # The blank note keeps the line: a row that draws nothing has none.
        bars.append(bar(f"■ {style.word(*words)}", None, figure=" ", note=" "))
        bars += [_bar(one, style) for one in shown]
    lacks = next((lack.why for lack in risk.lacks if lack.what == "margin detail"), "")
    lack = style.word("증거금 상세 없음", "No margin detail") + (f": {lacks}" if lacks else "")
    missing = not frame["reported"].count()
    if not bars:
        bars = [bar("", None, figure=" ", note=lack)]
    else:
        _align(bars, style)
    return keyed(
        bars,
        risk.balance,
        style,
        style.word("세로 눈금은 추정", "ticks are estimates"),
        lack if missing and len(bars) > 1 else "",
        apart_text(risk, "margin detail", style),
        account=risk.account,
    )


def _bar(one: dict[str, Any], style: Style) -> Row:
    reported, estimated, gap = one["reported"], one["estimated"], one["gap"]
    tip = {
        "reported": exact(reported),
        "estimated": "–" if estimated is None else signed_won(estimated).lstrip("+"),
        "gap": "–" if gap is None else signed_won(gap),
        "component": one["component"],
    }
    made = bar(
        one[style.lang],
        reported,
        figure=exact(reported),
        tone="plain" if one["component"] == _TOTAL else "flat",
        # The mark of an estimate would stand in the note.
        note=style.word("값이 오지 않음", "no value was sent")
        if reported is None and estimated is None
        else "",
        tip=tip,
    )
    made["parts"] = [
        exact(reported),
        "" if estimated is None else short_won(estimated, style).lstrip("+"),
        "" if gap is None else short_won(gap, style),
    ]
    made["tick"] = estimated
    made["aria"] = f"{one[style.lang]}: " + " · ".join(
        (
            f"KIS {tip['reported']}",
            f"{style.word('추정', 'estimate')} {tip['estimated']}",
            tip["gap"],
        )
    )
    return made


def _align(bars: list[Row], style: Style) -> None:
    """Write the figures of each bar under each other; what is not known is left out."""
    lines = [row for row in bars if "parts" in row]
    aligned = [columns([row["parts"][place] for row in lines]) for place in range(3)]
    words = ("", style.word(" · 추정 ", " · est. "), style.word(" · 차이 ", " · gap "))
    for number, row in enumerate(lines):
        row["figure"] = "".join(
            word + column[number]
            for word, column, part in zip(words, aligned, row.pop("parts"), strict=True)
            if part
        )
    widest = max(len(row["figure"]) for row in lines)
    for row in lines:
        # Of no width: `keyed` would add the missing signs at the left.
        row["figure"] += "\u200b" * (widest - len(row["figure"]))
