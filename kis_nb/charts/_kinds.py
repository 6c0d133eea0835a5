"""The charts of the dashboard, and the files of specs that it draws them from without Altair."""

from __future__ import annotations

import json
from typing import get_args

from kis_nb._choices import Colors, Lang
from kis_nb.charts._attribution import ATTRIBUTION
from kis_nb.charts._bars import BOOK, PNL, VIEWS
from kis_nb.charts._chart import ChartKind
from kis_nb.charts._equity_history import EQUITY_HISTORY
from kis_nb.charts._margin import MARGIN
from kis_nb.charts._margin_components import MARGIN_COMPONENTS
from kis_nb.charts._margin_history import MARGIN_HISTORY
from kis_nb.charts._payoff import PAYOFF
from kis_nb.charts._risk_curve import RISK_CURVE
from kis_nb.charts._scenarios import SCENARIOS

DASHBOARD: dict[str, ChartKind] = {
    kind.name: kind
    for kind in (
        *(PNL, MARGIN, VIEWS, BOOK, PAYOFF),
        *(EQUITY_HISTORY, MARGIN_HISTORY, ATTRIBUTION),
        *(RISK_CURVE, SCENARIOS, MARGIN_COMPONENTS),
    )
}


def spec_texts() -> dict[str, str]:
    """The files that `kis_nb._dashboard.chart_specs` reads, by the chart's name.

    Each is a JSON object: the chart's spec by language, then by colours.
    """
    texts: dict[str, str] = {}
    for name, kind in DASHBOARD.items():
        # The lines of a chart are in the order of its rows, which another view may change.
        fresh = {"usermeta": {"fresh": "key"}}
        specs = {
            lang: {colors: kind.spec(lang, colors) | fresh for colors in get_args(Colors)}
            for lang in get_args(Lang)
        }
        texts[name] = json.dumps(specs, ensure_ascii=False, separators=(",", ":")) + "\n"
    return texts
