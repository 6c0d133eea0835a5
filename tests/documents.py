"""Reading the Markdown pages of the repository: prose, code and headings."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parents[1]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code(page: Path) -> list[str]:
    """The texts between single backticks, outside fenced blocks."""
    return re.findall(r"`([^`\n]+)`", prose(page))


def headings(page: Path) -> list[str]:
    """The headings with their marks (``## Errors``), in order."""
    return re.findall(r"^#+ +.*?(?= *$)", prose(page), re.MULTILINE)
