"""What did not work, in words: at the top of a report, and at each place where it happened."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._cli.report.clean import without_controls, without_paths
from kis_nb._cli.report.run import Problem, Run
from kis_nb._codes import Basis, Margin

if TYPE_CHECKING:
    from nbformat import NotebookNode

# The tag of every cell that is inserted here.
TAG = "kis-nb-report"


def mark(run: Run, langs: Sequence[Lang], folder: Path) -> NotebookNode:
    """The executed notebook with a cell at the top and at each place where something failed.

    Args:
        run: the executed notebook; unchanged when everything worked.
        langs: the languages of the words, one or both.
        folder: where the kernel worked; its path is left out of messages.

    Returns:
        The same notebook.
    """
    words = _Words(langs, run.notebook.cells, folder)
    notes: dict[int, list[str]] = {}
    for index in run.not_run:
        notes[index] = [_box("warning", [words.not_run()])]
    for one in run.problems:
        notes.setdefault(one.cell, []).append(_box("danger", [words.what(one)]))
    cells: list[NotebookNode] = []
    for index, cell in enumerate(run.notebook.cells):
        # Before the cell: what it shows may be long.
        cells += [_cell(text) for text in notes.get(index, [])]
        cells.append(cell)
    if run.problems:
        cells.insert(0, _cell(_box("danger", words.summary(run))))
    run.notebook.cells = cells
    return run.notebook


def _cell(text: str) -> NotebookNode:
    import nbformat

    cell: NotebookNode = nbformat.v4.new_markdown_cell(text, metadata={"tags": [TAG]})
    return cell


def _box(kind: str, paragraphs: Sequence[str]) -> str:
    """HTML that Markdown leaves as it is: a block without a blank line. The classes are those that
    JupyterLab has a style for.
    """
    inside = "\n".join(f"<p>{text}</p>" for text in paragraphs)
    return f'<div class="alert alert-{kind} kis-nb-report">\n{inside}\n</div>'


class _Words:
    """The sentences, as HTML, in one language or both."""

    def __init__(self, langs: Sequence[Lang], cells: Sequence[NotebookNode], folder: Path) -> None:
        self._langs = langs
        self._cells = cells
        self._folder = folder

    def _say(self, en: str, ko: str) -> str:
        return " · ".join({"en": en, "ko": ko}[lang] for lang in self._langs)

    def summary(self, run: Run) -> list[str]:
        """The paragraphs of the box at the top."""
        title = self._say("This report is incomplete.", "이 보고서는 완전하지 않습니다.")
        lines = [f"<b>{title}</b>"]
        lines += [f"{self._place(one.cell)}: {self.what(one)}" for one in run.problems]
        if count := len(run.not_run):
            lines.append(
                self._say(f"cells that were not run: {count}", f"실행되지 않은 셀: {count}개")
            )
        return lines

    def not_run(self) -> str:
        """At a cell that was not run."""
        return self._say("This cell was not run.", "이 셀은 실행되지 않았습니다.")

    def what(self, one: Problem) -> str:
        """What failed, and how."""
        parts: list[str] = []
        if one.ended:
            parts.append(self._say("this cell failed", "이 셀이 오류로 끝났습니다"))
        if one.pull is not None:
            words = [one.pull.account]
            if one.pull.mgna_dvsn:
                words += Margin(one.pull.mgna_dvsn).query, Basis(one.pull.excc_stat_cd).query
            parts.append(html.escape(" ".join(words)))
            parts.append(self._rows(one.pull.rows))
        message = without_paths(without_controls(one.message), self._folder)
        error = html.escape(": ".join(filter(None, (one.error, " ".join(message.split())))))
        return "; ".join([*parts, f"<code>{error}</code>"])

    def _rows(self, rows: int | None) -> str:
        if rows is None:
            return self._say("no row was read", "읽은 행 없음")
        return self._say(f"rows read before the error: {rows}", f"오류 전까지 읽은 행: {rows}개")

    def _place(self, index: int) -> str:
        """A cell's number among the code cells, and the heading above it."""
        before = self._cells[: index + 1]
        number = sum(1 for cell in before if cell.cell_type == "code" and cell.source.strip())
        lines = [
            line.lstrip("#").strip()
            for cell in before
            if cell.cell_type == "markdown"
            for line in cell.source.splitlines()
            if line.startswith("#")
        ]
        heading = f" ({lines[-1]})" if lines else ""
        return html.escape(self._say(f"cell {number}", f"셀 {number}") + heading)
