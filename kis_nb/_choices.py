"""Arguments that take one of a few values: those about language and style, and one check."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, TypeAlias

# Of labels and texts.
Lang: TypeAlias = Literal["ko", "en"]
# Profit red and loss blue, as in Korea; or profit green and loss red, as in the US.
Colors: TypeAlias = Literal["kr", "us"]
# As the page where it is shown, or always light or dark.
Theme: TypeAlias = Literal["lab", "light", "dark"]


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
