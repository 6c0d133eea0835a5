"""The chart class and the kinds of charts: a spec with no data, or with its rows inside."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import altair as alt

from kis_nb._chart_rows.style import Style
from kis_nb._choices import Colors, Lang
from kis_nb._widgets.cell_view import bundle
from kis_nb._widgets.vega_spec import WIDTH, Row
from kis_nb.charts._pending_imports import after_pending_imports


class Chart(alt.LayerChart):
    """An Altair layer chart that a cell draws with `ChartView`, with Altair's renderer left alone.

    Another renderer than Altair's default, once enabled, is used instead.
    """

    def to_dict(self, *args: Any, **more: Any) -> dict[str, Any]:
        """The Vega-Lite spec, once no import of another thread is pending."""
        whole = super().to_dict
        return after_pending_imports(lambda: whole(*args, **more))

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **more)
        return mime_bundle(self.to_dict(context={"pre_transform": False}))


def mime_bundle(spec: dict[str, Any]) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """The MIME bundle of a widget that draws this spec in a cell's output, named by its title."""
    title = spec.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    return bundle(spec, text if isinstance(text, str) else "chart")


@dataclass(frozen=True, slots=True)
class ChartKind:
    """One kind of chart: how it is built, whatever its rows.

    Attributes:
        name: of its dataset.
        title: Korean and English.
        build: makes the chart on a data source.
    """

    name: str
    title: tuple[str, str]
    build: Callable[[Any, Style], Chart]

    def spec(self, lang: Lang = "ko", colors: Colors = "kr") -> dict[str, Any]:
        """The Vega-Lite spec without data; rows go to the dataset called `name`."""
        return deepcopy(_spec(self, Style(lang, colors)))

    def chart(self, rows: list[Row], style: Style) -> Chart:
        """The chart with its rows inside."""
        chart = after_pending_imports(lambda: self.titled(alt.InlineData(values=rows), style))
        # A background cannot be layered or concatenated, so only a theme that was asked for has it.
        return chart if style.theme == "lab" else chart.properties(background=style["paper"])

    def titled(self, data: Any, style: Style) -> Chart:
        """The chart on this data source, under its title."""
        text = style.word(*self.title)
        # frame "group" starts the title where the bars start, over the line of `heading`.
        title = alt.Title(
            text, anchor="start", frame="group", fontSize=14, offset=-11, color=style["ink"]
        )
        return self.build(data, style).properties(title=title, description=text)


@cache
def _spec(kind: ChartKind, style: Style) -> dict[str, Any]:
    """Building a spec takes Altair up to half a second, and it never changes. It is not validated,
    which would double that: the same chart with its rows inside is, in the tests of the charts.
    """
    return after_pending_imports(
        lambda: dict(kind.titled(alt.NamedData(name=kind.name), style).to_dict(validate=False))
    )


def compose(layers: list[alt.Chart], *, step: int | None = None, height: int = 280) -> Chart:
    """The layers as one chart: as wide as the page, no frame, marks that can be picked.

    Args:
        layers: from the back to the front.
        step: height of one row; None takes `height`.
        height: of the whole.
    """
    return (
        Chart(layer=layers)
        .add_params(alt.param(name="picked", value=[]))
        .properties(
            width=WIDTH,
            height=height if step is None else alt.Step(step),
            view=alt.ViewBackground(stroke=None),
        )
    )


# Marks that are not picked are drawn faintly, once any is picked.
UNPICKED = "length(picked) > 0 && indexof(picked, datum.id) < 0"
