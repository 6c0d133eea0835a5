"""How the charts look, what they say, and how they spell figures. Right wing.

The only place where a Decimal becomes a float (`geometry`), and it does so for lengths alone: every
figure a reader can see or hear is spelled from the Decimal (`exact`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import altair as alt

from kis_nb._codes import Basis, Lang, Margin
from kis_nb._frames.balance import exact as digits
from kis_nb._schema.night_balance import POSITIONS, SUMMARY
from kis_nb._widgets.cell_view import bundle
from kis_nb._widgets.palette import DARK, LIGHT
from kis_nb._widgets.vega_spec import WIDTH, Row

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

Colors: TypeAlias = Literal["kr", "us"]
Theme: TypeAlias = Literal["lab", "light", "dark"]
Number: TypeAlias = Decimal | int | None
_R = TypeVar("_R")

# What Altair and narwhals look up in sys.modules and then read attributes of.
# Each is imported by a name that can be read here, and only where it is in sys.modules already.
_LOOKED_UP: dict[str, Callable[[], Any]] = {
    "numpy": lambda: import_module("numpy"),
    "pandas": lambda: import_module("pandas"),
    "polars": lambda: import_module("polars"),
    "pyarrow": lambda: import_module("pyarrow"),
}


def settled(make: Callable[[], _R]) -> _R:
    """What `make` returns, with no module half imported by another thread in its way.

    Altair takes NumPy and data frame libraries out of ``sys.modules`` and reads their attributes,
    which are missing while another thread, a cell's or Polars', is importing them. An import of a
    module that is being imported waits on that module's lock until it is whole.
    """
    while True:
        seen = {name for name in _LOOKED_UP if name in sys.modules}
        for name in seen:
            with suppress(ImportError):  # what failed to import is looked up no more
                _LOOKED_UP[name]()
        try:
            return make()
        except AttributeError:
            # Another import began meanwhile: wait for that one too. Else it is a real error.
            if {name for name in _LOOKED_UP if name in sys.modules} <= seen:
                raise


class Chart(alt.LayerChart):
    """An Altair layer chart that a cell draws with `ChartView`, with Altair's renderer left alone.

    Another renderer than Altair's default, once enabled, is used instead.
    """

    def to_dict(self, *args: Any, **more: Any) -> dict[str, Any]:
        """As Altair's."""
        whole = super().to_dict
        return settled(lambda: whole(*args, **more))

    def _repr_mimebundle_(self, *args: Any, **more: Any) -> Any:
        if alt.renderers.active != "default":
            return super()._repr_mimebundle_(*args, **more)
        return shown(self.to_dict(context={"pre_transform": False}))


def shown(spec: dict[str, Any]) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """The MIME bundle of the widget that draws this spec in a cell's output."""
    title = spec.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    return bundle(spec, _NAMES.get(str(text), "chart"))


# A chart's name by its title in either language.
_NAMES: dict[str, str] = {}

# Between the two halves of a bar's key (see `_bars`); no name on the wire holds it.
SEPARATOR = "\u241f"

_FIELDS = {field.name: field for field in (*POSITIONS.fields, *SUMMARY.fields)}


@dataclass(frozen=True, slots=True)
class Look:
    """Language, P&L colours and theme of one chart.

    Attributes:
        lang: Korean or English labels.
        colors: ``kr`` profit red, loss blue; ``us`` profit green, loss red.
        theme: ``lab`` follows the page where it is shown and is light when saved; ``light`` and
            ``dark`` stay what they are, with a background of their own.
    """

    lang: Lang = "ko"
    colors: Colors = "kr"
    theme: Theme = "lab"

    def __post_init__(self) -> None:
        for value, known in (
            (self.lang, ("ko", "en")),
            (self.colors, ("kr", "us")),
            (self.theme, ("lab", "light", "dark")),
        ):
            if value not in known:
                raise ValueError(f"expected one of {', '.join(known)}; got {value!r}")

    def __getitem__(self, name: str) -> str:
        """A colour: a name of the theme's, or ``up`` and ``down`` for profit and loss."""
        if name in ("up", "down"):
            up, down = ("red", "blue") if self.colors == "kr" else ("green", "red")
            name = up if name == "up" else down
        if self.theme == "dark":
            return DARK[name]
        # The page replaces the lower-case spelling by a live colour; a fixed theme must stay.
        return LIGHT[name].upper() if self.theme == "light" else LIGHT[name]

    def word(self, ko: str, en: str) -> str:
        """The word in this look's language."""
        return ko if self.lang == "ko" else en

    def field(self, name: str) -> str:
        """A field's label from the glossary."""
        return _FIELDS[name].label(self.lang)

    def side(self, side: str | None) -> str:
        """A position's side in words; blank when the wire does not tell."""
        words = {"long": ("매수", "Long"), "short": ("매도", "Short"), "flat": ("청산", "Flat")}
        return self.word(*words[side]) if side in words else ""

    def axis(self, **more: Any) -> alt.Axis:
        """A quiet axis. Colours stand here because a chart with a config cannot be layered."""
        look: dict[str, Any] = {
            "labelColor": self["soft"],
            "titleColor": self["soft"],
            "titleFontWeight": "normal",
            "gridColor": self["line"],
            "domain": False,
            "ticks": False,
            "labelFontSize": 11,
        }
        return alt.Axis(**(look | more))

    def money_axis(self, **more: Any) -> alt.Axis:
        """An axis of won, in 억 and 만 or in M and B; only round figures stand on it."""
        steps = self.word("1e12조 1e8억 1e4만", "1e12T 1e9B 1e6M 1e3k").split()
        label = "format(datum.value, ',')"
        for step in reversed(steps):
            size, unit = step[:-1], step[-1]
            short = f"format(datum.value / {size}, ',.4~r') + '{unit}'"
            label = f"abs(datum.value) >= {size} ? {short} : {label}"
        count = alt.ExprRef("max(2, min(7, floor(width / 110)))")
        return self.axis(**({"labelExpr": label, "tickCount": count} | more))


@dataclass(frozen=True, slots=True)
class Design:
    """One kind of chart: how it is built, whatever its rows.

    Attributes:
        name: of its dataset, and of the view that draws it.
        title: Korean and English.
        build: makes the chart on a data source.
    """

    name: str
    title: tuple[str, str]
    build: Callable[[Any, Look], Chart]

    def __post_init__(self) -> None:
        _NAMES.update(dict.fromkeys(self.title, self.name))

    def spec(self, lang: Lang = "ko", colors: Colors = "kr") -> dict[str, Any]:
        """The Vega-Lite spec without data; rows go to the dataset called `name`."""
        return deepcopy(_spec(self, Look(lang, colors)))

    def chart(self, rows: list[Row], look: Look) -> Chart:
        """The chart with its rows inside."""
        chart = settled(lambda: self.titled(alt.InlineData(values=rows), look))
        # A background cannot be layered or concatenated, so only a theme that was asked for has it.
        return chart if look.theme == "lab" else chart.properties(background=look["paper"])

    def titled(self, data: Any, look: Look) -> Chart:
        """The chart on this data source, under its title."""
        text = look.word(*self.title)
        # frame "group" starts the title where the bars start, over the line of `heading`.
        title = alt.Title(
            text, anchor="start", frame="group", fontSize=14, offset=-11, color=look["ink"]
        )
        return self.build(data, look).properties(title=title, description=text)


@cache
def _spec(design: Design, look: Look) -> dict[str, Any]:
    """Building and validating a spec takes Altair tens of milliseconds, and it never changes."""
    return settled(lambda: dict(design.titled(alt.NamedData(name=design.name), look).to_dict()))


def exact(value: Number, *, sign: bool = False) -> str:
    """All digits with separators: ``-1,237,500``, ``309.10``; null is ``–``."""
    text = digits(value)
    return f"+{text}" if sign and value is not None and value > 0 else text


def geometry(value: Decimal | int) -> float:
    """A length to draw. Not a figure: `exact` spells those."""
    return float(value)


def tone(value: Number) -> str:
    """``up``, ``down`` or ``flat``; ``null`` without a value."""
    if value is None:
        return "null"
    return "up" if value > 0 else "down" if value < 0 else "flat"


def columns(figures: list[str]) -> list[str]:
    """Pad figures on the left to one width, so that a left-aligned column lines up at the right.

    Axis labels of one column can only start together. Digits and separators are filled with the
    spaces that Unicode made as wide as they are; the zero-width space in front keeps Vega from
    trimming them.
    """
    signed = any(text[:1] in "+-" for text in figures)
    bodies = [text.lstrip("+-") for text in figures]
    widest = max(bodies, key=len, default="")
    fill = "".join("\u2008" if sign in ",." else "\u2007" for sign in widest)
    padded: list[str] = []
    for text, body in zip(figures, bodies, strict=True):
        # The real minus is as wide as the plus; the hyphen is not.
        sign = text[: len(text) - len(body)].replace("-", "−") or ("\u2007" if signed else "")
        padded.append("\u200b" + fill[: len(widest) - len(body)] + sign + body)
    return padded


def text_width(text: str, size: float) -> float:
    """About how many pixels a text takes in a font of this size; rather too many than too few.

    Python has no font to measure with, and Vega measures no text in an expression.
    """
    korean = sum("\u3131" <= sign <= "\ud7a3" for sign in text)
    return (0.58 * len(text) + 0.4 * korean) * size


def head_fields(who: Iterable[str], when: Iterable[str], *, room: float = 0) -> Row:
    """The fields of a first row that `heading` draws as the line over the chart.

    Args:
        who: what stands in the first line where the chart is too narrow for one.
        when: what stands in the second one then.
        room: pixels to keep free for a longer text, so that one that comes later breaks no line.
    """
    lines = [" · ".join(filter(None, part)) for part in (who, when)]
    whole = " · ".join(filter(None, lines))
    return {
        "head": whole,
        "head_top": lines[0],
        "head_end": lines[1],
        "head_width": text_width(whole, HEAD_SIZE),
        "head_most": text_width(whole, HEAD_SIZE) + room,
        "head_half": max(text_width(line, HEAD_SIZE) for line in lines),
    }


def codes(balance: Balance, lang: Lang) -> tuple[list[str], float]:
    """The two codes of a balance in words, and how much wider those of its other views can be."""
    said = [f"{one.label(lang)} {one.value}" for one in (balance.mgna_dvsn, balance.excc_stat_cd)]
    widest = [
        max(text_width(f"{one.label(lang)} {one.value}", HEAD_SIZE) for one in kind)
        for kind in (Margin, Basis)
    ]
    return said, sum(widest) - sum(text_width(one, HEAD_SIZE) for one in said)


def heading(data: Any, look: Look) -> list[alt.Chart]:
    """The layers that show, under the title, the first row's ``head`` and ``demo``.

    They are data and not a subtitle, so that they change with the figures, not after them.
    """
    base = alt.Chart(data).transform_filter("isValid(datum.head)")
    two = "datum.head_most > datum.before + width + datum.after"
    wide = f"({two} ? datum.head_half : datum.head_width)"
    # Starts where the bars start, and further left, over their names, when it needs the room.
    place = alt.value(alt.ExprRef(f"max(-datum.before, min(0, width + datum.after - {wide}))"))
    line = base.mark_text(
        align="left", baseline="bottom", fontSize=HEAD_SIZE, color=look["soft"], aria=False
    )
    top = line.encode(
        x=place,
        y=alt.value(-8 - _HEAD_LINE),
        text=alt.value(alt.ExprRef(f"{two} ? datum.head_top : ''")),
    )
    end = line.encode(
        x=place,
        y=alt.value(-8),
        text=alt.value(alt.ExprRef(f"{two} ? datum.head_end : datum.head")),
    )
    # Also drawn where it is empty: it is what keeps the title above the head. Its name is then the
    # head, since a mark that has none is a hole for a screen reader.
    named = alt.value(alt.ExprRef("datum.demo || datum.head"))
    demo = base.mark_text(
        align="right", baseline="bottom", fontSize=12, fontWeight="bold", color=look["alert"]
    ).encode(
        x=alt.value("width"),
        y=alt.value(alt.ExprRef(f"{two} ? {-25 - _HEAD_LINE} : -25")),
        text=alt.Text("demo:N"),
        description=named,
    )
    return [top, end, demo]


# Font size of the head, and the distance of its lines.
HEAD_SIZE = 11
_HEAD_LINE = 14
# What an axis of won takes before the plot, and the most that a bar's name and its figure take.
_SCALE_WIDTH = 38.0
_NAME_WIDTH, _FIGURE_WIDTH = 240, 260


def first(rows: list[Row], balance: Balance, look: Look, *parts: str) -> list[Row]:
    """Put what `heading` shows into the first row: account, view, moment, and these parts.

    The field ``own`` holds the parts, ``before`` and ``after`` how many pixels names and figures
    take at the sides of the plot.
    """
    said, room = codes(balance, look.lang)
    moment = f"{balance.as_of:%Y-%m-%d %H:%M:%S} KST"
    before, after = _SCALE_WIDTH, 0.0
    if "key" in rows[0]:
        names, figures = zip(*(row["key"].split(SEPARATOR) for row in rows), strict=True)
        before = min(_NAME_WIDTH, max(text_width(name, 12) for name in names))
        after = min(_FIGURE_WIDTH, max(text_width(figure, 12) for figure in figures))
    rows[0] |= head_fields((balance.account.masked, *said), (moment, *parts), room=room)
    rows[0] |= {
        "demo": "DEMO" if balance.demo else "",
        "own": list(filter(None, parts)),
        "before": before,
        "after": after,
    }
    return rows


def finished(layers: list[alt.Chart], *, step: int | None = None, height: int = 280) -> Chart:
    """The layers as one chart: the page's width, no frame, marks that can be picked.

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


# Marks that are not among the picked ones step back; with none picked all stand.
UNPICKED = "length(picked) > 0 && indexof(picked, datum.id) < 0"
