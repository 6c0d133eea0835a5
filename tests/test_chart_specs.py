"""The specs of the dashboard's charts: shipped as Altair makes them, and found without Altair."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from kis_nb._choices import Colors, Lang
from kis_nb._dashboard import chart_data, history_data, risk_data
from kis_nb._dashboard.chart_specs import SPECS, chart_spec
from kis_nb.charts._kinds import spec_texts

CHARTS = {*chart_data.CHARTS, *history_data.CHARTS, *risk_data.CHARTS}


def test_the_shipped_specs_are_those_that_altair_makes() -> None:
    """A changed chart shows on the dashboard too, and nobody edits the files."""
    shipped = {
        file.name.removesuffix(".json"): file.read_text(encoding="utf-8")
        for file in SPECS.iterdir()
        if file.name.endswith(".json")
    }
    made = spec_texts()
    assert shipped.keys() == made.keys()
    changed = sorted(chart for chart in made if shipped[chart] != made[chart])
    assert not changed, f"run `python .ci/build_static.py`: other specs than shipped of {changed}"


def test_each_chart_of_the_dashboard_has_its_spec() -> None:
    """In every language and colours, on a dataset of the chart's name and without any row."""
    assert spec_texts().keys() == CHARTS
    for chart in CHARTS:
        for lang in get_args(Lang):
            for colors in get_args(Colors):
                spec = chart_spec(chart, lang, colors)
                assert spec["usermeta"] == {"fresh": "key"}
                assert "datasets" not in spec
                named = json.dumps(spec).count('"data": ')
                assert named == json.dumps(spec).count(f'"data": {{"name": "{chart}"}}') > 0


def test_a_checkout_that_was_never_built_says_so() -> None:
    """With the file that is missing, and what to do."""
    with pytest.raises(FileNotFoundError, match=r"specs/none\.json is missing.*pip install -e"):
        chart_spec("none", "ko", "kr")
