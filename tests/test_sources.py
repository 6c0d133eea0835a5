"""The widgets' JavaScript and CSS as they are sent to a page."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from kis_nb._widgets import sources
from kis_nb._widgets.chart_view import ChartView
from kis_nb._widgets.palette import CHART, DARK, LIGHT, PAGE, css, live
from kis_nb._widgets.panels import HeadPanel
from kis_nb._widgets.sources import script, stylesheet

WIDGETS = (
    "charts/chart.js",
    "panels/checks.js",
    "panels/head.js",
    "panels/history.js",
    "panels/note.js",
    "panels/risk.js",
    "panels/risk_tables.js",
    "panels/table.js",
)
SHEETS = sorted(
    f"{folder}/{file.name}"
    for folder in ("charts", "panels")
    for file in sources.STATIC.joinpath(folder).iterdir()
    if file.name.endswith(".css")
)
_DECLARED = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widgets_modules_become_one(name: str) -> None:
    """The joined module imports nothing, exports its widget, and declares no name twice."""
    text = script(name)
    assert not re.search(r"^import\b", text, re.MULTILINE)
    assert re.findall(r"^export (\w+)", text, re.MULTILINE) == ["default"]
    declared = Counter(_DECLARED.findall(text))
    assert declared["PAGE"] == 1
    assert [one for one, count in declared.items() if count > 1] == []


def test_every_module_belongs_to_a_widget() -> None:
    """No module lies there that no widget needs."""
    joined: dict[str, str] = {}
    for name in WIDGETS:
        sources._modules(name, joined)
    found = {
        f"{folder}/{file.name}"
        for folder in ("charts", "panels", "shared")
        for file in sources.STATIC.joinpath(folder).iterdir()
        if file.name.endswith(".js")
    }
    assert found == joined.keys()


@pytest.mark.parametrize("name", SHEETS)
def test_style_sheets_name_their_colours(name: str) -> None:
    """A style sheet writes no colour of its own, and every variable of ours that it uses is set."""
    own = sources.STATIC.joinpath(*name.split("/")).read_text(encoding="utf-8")
    assert re.findall(r":[^;{]*(#[0-9a-f]{3,8}\b|\brgb|\bhsl)", own) == []
    text = stylesheet(name)
    used = set(re.findall(r"var\((--kis-[\w-]+)", text))
    assert used <= set(re.findall(r"(--kis-[\w-]+):", text))


def test_every_style_sheet_is_sent() -> None:
    """No CSS file lies there that no widget sends."""
    sent = ChartView._css + HeadPanel._css
    assert [name for name in SHEETS if sources._read(name) not in sent] == []


def test_colours_follow_the_page() -> None:
    """Each colour is a variable with its light value and, on a dark page, its dark one; a colour of
    JupyterLab's comes before ours.
    """
    light, dark = css().split("}\n")[:2]
    for name, colour in (CHART | PAGE).items():
        assert re.search(rf"--kis-{name}: .*{re.escape(colour.light)}\)*;", light)
        assert re.search(rf"--kis-{name}: .*{re.escape(colour.dark)}\)*;", dark)
    assert (
        "--kis-paper: var(--jp-layout-color0, var(--vscode-editor-background, #fffffe));" in light
    )
    assert '[data-jp-theme-light="false"]' in dark


def test_a_chart_colour_becomes_its_variable() -> None:
    """No two colours of the charts are the same, so each is known by its value; others stay."""
    assert len(set(LIGHT.values())) == len(LIGHT) == len(DARK)
    assert live(LIGHT["red"]) == f"var(--kis-red, {LIGHT['red']})"
    assert live("#123456") == "#123456"
