"""The style of a chart: language, colours and theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from kis_nb._choices import Colors, Lang, Theme, check_choice
from kis_nb._frames.columns import column_label, side_label
from kis_nb._widgets.palette import DARK, LIGHT, PROFIT_AND_LOSS


@dataclass(frozen=True, slots=True)
class Style:
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
        check_choice("lang", self.lang, get_args(Lang))
        check_choice("colors", self.colors, get_args(Colors))
        check_choice("theme", self.theme, get_args(Theme))

    def __getitem__(self, name: str) -> str:
        """A colour: a name of the theme's, or ``up`` and ``down`` for profit and loss."""
        if name in ("up", "down"):
            up, down = PROFIT_AND_LOSS[self.colors]
            name = up if name == "up" else down
        if self.theme == "dark":
            return DARK[name]
        # The page replaces the lower-case spelling by a live colour; a fixed theme must stay.
        return LIGHT[name].upper() if self.theme == "light" else LIGHT[name]

    def word(self, ko: str, en: str) -> str:
        """The Korean or the English word, by the chart's language."""
        return ko if self.lang == "ko" else en

    def field(self, name: str) -> str:
        """A field's label from the glossary."""
        return column_label(name, self.lang)

    def side(self, side: str | None) -> str:
        """A position's side in words; blank for null."""
        return side_label(side, self.lang)
