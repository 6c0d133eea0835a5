"""The public charts of `kis_nb.risk`: scenarios, the curve over the underlying, margin parts."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from kis_nb._chart_rows.margin_components import rows as margin_components_rows
from kis_nb._chart_rows.risk_curve import rows as risk_curve_rows
from kis_nb._chart_rows.scenarios import rows as scenarios_rows
from kis_nb._chart_rows.style import Style
from kis_nb._choices import Colors, Lang, Theme
from kis_nb.charts._chart import Chart
from kis_nb.charts._margin_components import MARGIN_COMPONENTS
from kis_nb.charts._risk_curve import RISK_CURVE
from kis_nb.charts._scenarios import SCENARIOS

if TYPE_CHECKING:
    from kis_nb._risk.risk import Risk


def scenarios(
    risk: Risk,
    *,
    underlying: str | None = None,
    at: str | date | datetime = "now",
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Profit and loss over moves of the underlying and of volatility, as a heat map: an estimate.

    Every cell is a full revaluation, as `Risk.scenarios` has it. A line bounds the cells with a
    margin call, with the margin held as it is.

    Args:
        risk: from `kis_nb.risk`.
        underlying: ``"KOSPI 200"``, ``"KOSDAQ 150"`` or ``"USD/KRW"``; by default the main one that
            is held. A chart is of one.
        at: ``"now"``, ``"night"`` (the end of this night), a day (the end of its trading) or a
            time.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with the move of the underlying on the x axis and that of volatility, in per cent of
        itself, on the y axis; P&L is the change from now, in won. The parameters ``risk_spot`` and
        ``risk_vol`` outline a cell. Where nothing can be priced there is a note.

    Raises:
        ValueError: an underlying that is not known, an `at` that is no moment or several, or
            another argument is none of these.
    """
    style = Style(lang, colors, theme)
    made = scenarios_rows(risk, style, underlying=underlying, at=at)
    return SCENARIOS.chart(made, style)


def risk_curve(
    risk: Risk,
    *,
    underlying: str | None = None,
    expiry: date | str | None = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Unrealized P&L over the underlying's level, now, at the night's end and at an expiry.

    An estimate. Marked are the level now, the levels at which a margin call comes and the
    break-evens at the expiry. The margin call is that with the margin held as it is; where the
    margin is estimated anew too, the line is thin.

    Args:
        risk: from `kis_nb.risk`.
        underlying: ``"KOSPI 200"``, ``"KOSDAQ 150"`` or ``"USD/KRW"``; by default the main one that
            is held. A chart is of one.
        expiry: a last trading day, as a date or as ``"2026-12-10"``; by default that of
            `Risk.curve`.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with the level in points on the x axis and P&L in won on the y axis. The parameter
        ``risk_vol`` chooses among the curves, ``risk_spot`` marks a level. Where nothing can be
        priced there is a note.

    Raises:
        ValueError: an underlying or expiry that is not known, or another argument is none of these.
    """
    style = Style(lang, colors, theme)
    made = risk_curve_rows(risk, style, underlying=underlying, expiry=expiry)
    return RISK_CURVE.chart(made, style)


def margin_components(
    risk: Risk,
    *,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Margin by component as KIS states it, with our estimate and the gap beside, in won.

    Args:
        risk: from `kis_nb.risk`; what KIS states is of CTFN7107R.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with a bar a component, first of the initial, then of the maintenance margin, and a
        mark at the estimate. At the right are KIS's exact figure, the estimate and the gap, which
        is the estimate less KIS's. Components that are 0 are left out. Without margin detail there
        is a note that says why.

    Raises:
        ValueError: an argument is none of these.
    """
    style = Style(lang, colors, theme)
    return MARGIN_COMPONENTS.chart(margin_components_rows(risk, style), style)
