"""Arguments that take one of a few values: those about language and style, and one check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias, get_args

# Of labels and texts.
Lang: TypeAlias = Literal["ko", "en"]
# Profit red and loss blue, as in Korea; or profit green and loss red, as in the US.
Colors: TypeAlias = Literal["kr", "us"]
# As the page where it is shown, or always light or dark.
Theme: TypeAlias = Literal["lab", "light", "dark"]
# Seconds of the dashboard's auto-refresh that can be chosen; 0 is off.
AUTO_SECONDS = (0, 5, 15, 30, 60, 300)


def check_choice(name: str, value: object, choices: Collection[object]) -> None:
    """Check an argument that takes one of a few values.

    Args:
        name: of the argument, for the message.
        value: what the caller passed.
        choices: what it takes.

    Raises:
        ValueError: the value is none of the choices.
    """
    if value not in choices:
        raise ValueError(f"{name} takes one of {', '.join(map(repr, choices))}; got {value!r}")


def check_preferences(lang: object, colors: object, auto: object) -> None:
    """Check the dashboard's language, colours and auto-refresh.

    Raises:
        ValueError: one of them is none of its choices.
    """
    check_choice("lang", lang, get_args(Lang))
    check_choice("colors", colors, get_args(Colors))
    check_choice("auto", auto, AUTO_SECONDS)
