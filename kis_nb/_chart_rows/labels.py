"""Lengths and labels of bars: keys with a name and a figure, columns of figures."""

from __future__ import annotations

from decimal import Decimal

# Between the two halves of a bar's key (see `_bars`); no name on the wire holds it.
SEPARATOR = "\u241f"


def geometry(value: Decimal | int) -> float:
    """A length to draw, the only place where a Decimal becomes a float.

    Figures that a reader sees are never made of it; `kis_nb._frames.text.exact` writes those.
    """
    return float(value)


def columns(figures: list[str]) -> list[str]:
    """Pad figures on the left to one width, so that a left-aligned column lines up at the right.

    The labels of an axis can only be aligned on the left. Digits are padded with Unicode's figure
    space, separators with its punctuation space, which are as wide; the zero-width space in front
    keeps Vega from trimming them.
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
