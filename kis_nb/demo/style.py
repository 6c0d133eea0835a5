"""How a service writes one field (padding, decimals, sign), and values written in that style.

A report of `kis-nb check --report` holds a pattern for each value, not the value: a character for
each class of characters (9 a digit, A and a letters, H Hangul, _ a blank, ...), with a count when
it repeats.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from kis_nb._schema.night_balance import NIGHT_BALANCE

_RUN = re.compile(r"(.)(?:\((\d{1,5})\))?")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)
_TEXTS = {
    field.name
    for block in (NIGHT_BALANCE.rows, NIGHT_BALANCE.summary)
    for field in block.fields
    if field.digits is None
}
# Marks a text that is sent as a JSON number: no text of the broker's contains it.
BARE = "\0"


def runs(pattern: str) -> list[tuple[str, int]]:
    """A pattern's classes with their counts: ``9(3).9`` gives 9 three times, a point, 9 once."""
    return [(found[1], int(found[2] or 1)) for found in _RUN.finditer(pattern)]


def expand(pattern: str) -> str:
    """The plainest text of this pattern: digits are 0, letters x."""
    plain = {"9": "0", "_": " ", "A": "X", "a": "x", "H": "가", "L": "x", "?": "~"}
    return "".join(plain.get(kind, kind) * count for kind, count in runs(pattern))


@dataclass(frozen=True, slots=True)
class Style:
    """How a service writes one field.

    Attributes:
        kind: a JSON text, number or null.
        blank: the text of a field that was always blank; else None.
        decimals: digits after the point; None when they vary, or it is no number.
        width: the length that it is padded to; None without padding.
        columns: a Hangul character counts as two in `width`.
        align: left, right, or right after zeros.
        plus: numbers above 0 have a sign.
        sample: a text of the recorded pattern, for a field that the broker has no value for.
    """

    kind: Literal["text", "number", "null"] = "text"
    blank: str | None = None
    decimals: int | None = None
    width: int | None = None
    columns: bool = False
    align: Literal["left", "right", "zeros"] = "left"
    plus: bool = False
    sample: str = field(default="", compare=False)

    @classmethod
    def of(cls, patterns: Mapping[str, int], name: str = "") -> Style:
        """The common style of a field's patterns, each with its count.

        A field that the glossary has as text gets no decimals or sign, even when all its characters
        are digits.
        """
        seen = Counter({str(key): int(count) for key, count in patterns.items()})
        if not seen or set(seen) <= {"null", "bool", "list", "object"}:
            return cls(kind="null")
        kind: Literal["text", "number"] = (
            "number" if all(key.startswith("number ") for key in seen) else "text"
        )
        split = [runs(key.removeprefix("number ")) for key in seen if key != "null"]
        full = [one for one in split if any(kind != "_" for kind, _ in one)]
        if not full:
            return cls(kind, blank=expand(seen.most_common(1)[0][0]))
        places = {_decimals(one) for one in full}
        style = cls(
            kind,
            sample=expand(seen.most_common(1)[0][0].removeprefix("number ")).strip(),
            decimals=places.pop() if len(places) == 1 and name not in _TEXTS else None,
            plus=name not in _TEXTS and any(part[0] == "+" for one in full for part in one[:2]),
        )
        if any("_" in (one[0][0], one[-1][0]) for one in full):
            width, columns = _width(full)
            right = any(one[0][0] == "_" for one in full)
            return replace(style, width=width, columns=columns, align="right" if right else "left")
        if any(kind == "0" for one in full for kind, _ in one):
            return replace(style, width=_width(full)[0], align="zeros")
        return style

    def write(self, value: object) -> str | None:
        """A value in this style, digits unchanged but for zeros at the end; None is a JSON null."""
        if self.kind == "null":
            return None
        if self.blank is not None:
            return self.blank
        text = str(value).strip() if value is not None else ""
        if value is None and self.decimals is None:
            text = self.sample
        if self.decimals is not None and (not text or _NUMBER.fullmatch(text)):
            text = _with_decimals(text or "0", self.decimals)
            if self.plus and text.strip("0.") and not text.startswith("-"):
                text = f"+{text}"
        if self.kind == "number":
            return BARE + (text or "0")
        if self.width is not None:
            hangul = sum("가" <= letter <= "힣" for letter in text) if self.columns else 0
            width = self.width - hangul
            pad = {"left": text.ljust, "right": text.rjust, "zeros": text.zfill}[self.align]
            text = pad(width)
        return text


def _decimals(parts: Sequence[tuple[str, int]]) -> int | None:
    """Digits after the point of a number; None when the pattern is not a number's."""
    core = [(kind, count) for kind, count in parts if kind not in "_0-+"]
    kinds = "".join(kind for kind, _ in core)
    if kinds == "9":
        return 0
    return core[2][1] if kinds == "9.9" else None


def _width(split: Iterable[Sequence[tuple[str, int]]]) -> tuple[int, bool]:
    """The common length, and whether it is common only when Hangul counts as two."""
    split = list(split)
    lengths = {sum(count for _, count in one) for one in split}
    wide = {sum(count * (2 if kind == "H" else 1) for kind, count in one) for one in split}
    if len(lengths) > 1 and len(wide) == 1:
        return wide.pop(), True
    return max(lengths), False


def _with_decimals(text: str, decimals: int) -> str:
    """A number with at least so many decimals; zeros at the end beyond them go."""
    whole, _, part = text.partition(".")
    part = part.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{part}" if part else whole
