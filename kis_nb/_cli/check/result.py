"""The result of a step of ``kis-nb check``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from kis_nb._choices import Lang

Mark: TypeAlias = Literal["ok", "note", "wrong"]


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one step.

    Attributes:
        step: the step's name, the same in every language; for the report.
        mark: "ok", "note" (for information; nothing is broken) or "wrong".
        text: what is right, or what to do. May be shown: it holds no secret and no account number.
    """

    step: str
    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Chooses between an English and a Korean text.

    Attributes:
        lang: which one.
    """

    lang: Lang

    def __call__(self, en: str, ko: str) -> str:
        return ko if self.lang == "ko" else en


def duration(seconds: float) -> str:
    """Seconds as text: ``23 h 59 min``, ``12 min``."""
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60:02d} min"
