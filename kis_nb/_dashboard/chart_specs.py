"""The Vega-Lite specs of the dashboard's charts, made by Altair when the package is built.

Altair takes a second to load, and the specs never change: `.ci/build_static.py` writes them to
``specs/``, a file a chart with a spec for each language and colours. Do not edit those files.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from kis_nb._choices import Colors, Lang

SPECS = files("kis_nb") / "_dashboard" / "specs"


@cache
def chart_spec(chart: str, lang: Lang, colors: Colors) -> dict[str, Any]:
    """A chart's spec, which is the same for all figures and holds none. Do not change it.

    Args:
        chart: one of `CHARTS` of `kis_nb._dashboard.chart_data`, `history_data` or `risk_data`.
        lang, colors: of the chart.

    Raises:
        FileNotFoundError: this is a checkout that was never built.
    """
    try:
        text = (SPECS / f"{chart}.json").read_text(encoding="utf-8")
    except FileNotFoundError as missing:
        raise FileNotFoundError(
            f"kis_nb/_dashboard/specs/{chart}.json is missing: it is made when the package is "
            "built. In a checkout run `pip install -e .` once"
        ) from missing
    spec: dict[str, Any] = json.loads(text)[lang][colors]
    return spec
