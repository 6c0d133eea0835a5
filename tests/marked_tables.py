"""Tables in the guides that a program writes, between two marks."""

from __future__ import annotations

from pathlib import Path


def between(text: str, mark: str) -> tuple[str, str, str]:
    """A text in three: up to the end of a mark, between it and its closing mark, the rest."""
    begin, end = f"<!-- {mark} -->\n", f"<!-- /{mark} -->\n"
    before, _, rest = text.partition(begin)
    table, _, after = rest.partition(end)
    return before + begin, table, end + after


def write(path: Path, mark: str, lines: list[str]) -> None:
    """Put a table between a file's marks."""
    before, _, after = between(path.read_text(encoding="utf-8"), mark)
    path.write_text("".join([before, *(f"{line}\n" for line in lines), after]), "utf-8")
