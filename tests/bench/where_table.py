"""The table "Where the time goes": its rows and columns in both languages, made and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

Lang: TypeAlias = Literal["en", "ko"]
# Seconds by phase of one column, and the whole, measured without any instrument.
Column: TypeAlias = tuple[Mapping[str, float], float]

MARK = "where"
# So far may a column's phases be from its total.
AGREE = 0.08

TITLES: dict[Lang, tuple[str, ...]] = {
    "en": (
        "ms",
        "`kis-nb balance`",
        "the same without a stored token",
        "the same, 60 ms a call",
        "dashboard, cold kernel",
        "click",
    ),
    "ko": (
        "ms",
        "`kis-nb balance`",
        "저장된 토큰이 없을 때",
        "호출마다 60 ms 걸릴 때",
        "새 커널의 대시보드",
        "클릭",
    ),
}
# Phase: (English, Korean), from the start to the screen.
ROWS: dict[str, tuple[str, str]] = {
    "interpreter": ("start and end of the interpreter", "인터프리터 시작과 종료"),
    "import requests": ("import requests", "import requests"),
    "import polars": ("import polars", "import polars"),
    "import widgets": ("import ipywidgets, anywidget", "import ipywidgets, anywidget"),
    "import Altair": ("import altair", "import altair"),
    "import QuantLib": ("import QuantLib", "import QuantLib"),
    "import rest": ("import kis_nb and the rest", "import kis_nb와 나머지"),
    "token": ("the token", "토큰"),
    "wire": ("waiting for KIS's answers", "KIS 응답 대기"),
    "pull": ("sending and checking KIS's calls", "KIS 호출 전송과 확인"),
    "decode": ("decoding", "디코딩"),
    "rows": ("making rows, charts and widgets", "행, 차트, 위젯 만들기"),
    "send": ("writing the output, sending to the page", "출력 쓰기, 화면으로 보내기"),
    "page scripts": (
        "page: loading kis_nb's scripts and Vega",
        "화면: kis_nb 스크립트와 Vega 읽기",
    ),
    "page drawing": ("page: drawing", "화면: 그리기"),
    "page Lab": ("page: JupyterLab", "화면: JupyterLab"),
    "page browser": ("page: the browser's layout and painting", "화면: 브라우저의 배치와 표시"),
    "other": ("other: what is between these", "기타: 위 단계들 사이"),
}
TOTAL = ("**total**, timed by itself", "**전체**, 따로 잰 값")


def table(columns: Sequence[Column], lang: Lang) -> list[str]:
    """The lines of the Markdown table. A row without a whole millisecond anywhere is left out.

    Args:
        columns: in the order of `TITLES`.
        lang: of its words.
    """
    of = ("en", "ko").index(lang)
    titles = TITLES[lang]
    lines = [f"| {' | '.join(titles)} |", "|---|" + "---:|" * len(columns)]
    for phase, label in ROWS.items():
        cells = [spent.get(phase, 0.0) for spent, _ in columns]
        if max(cells) >= 0.001:
            lines.append(_row(label[of], cells))
    lines.append(_row(TOTAL[of], [total for _, total in columns]))
    return lines


def _row(label: str, seconds: Sequence[float]) -> str:
    cells = (f"{1000 * each:,.0f}" if abs(each) >= 0.0005 else "" for each in seconds)
    return f"| {label} | {' | '.join(cells)} |"


def sums(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Of each column of a table in either language: the sum of its phases, and its total."""
    rows = [[each.strip() for each in line.strip().strip("|").split("|")] for line in lines[2:]]
    numbers = [[int(cell.replace(",", "") or 0) for cell in row[1:]] for row in rows]
    return [(sum(column[:-1]), column[-1]) for column in zip(*numbers, strict=True)]
