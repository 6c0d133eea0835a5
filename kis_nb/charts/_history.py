"""The public charts of what `kis_nb.history` keeps: equity, margin, and why equity changed."""

from __future__ import annotations

from typing import Any

from kis_nb._chart_rows.attribution import read
from kis_nb._chart_rows.attribution import rows as attribution_rows
from kis_nb._chart_rows.equity_history import rows as equity_history_rows
from kis_nb._chart_rows.equity_history import series as equity_series
from kis_nb._chart_rows.history_series import When
from kis_nb._chart_rows.margin_history import rows as margin_history_rows
from kis_nb._chart_rows.margin_history import series as margin_series
from kis_nb._chart_rows.style import Style
from kis_nb._choices import Colors, Lang, Theme
from kis_nb.charts._attribution import ATTRIBUTION
from kis_nb.charts._chart import Chart
from kis_nb.charts._equity_history import EQUITY_HISTORY
from kis_nb.charts._margin_history import MARGIN_HISTORY


def equity(
    history: Any,
    *,
    account: str | None = None,
    start: When = None,
    end: When = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Equity through time, and below it the drawdown from its highest point, in won.

    Closed hours take almost no width: a weekend is neither a slope nor a blank. Moments more than
    15 minutes apart are not joined; a dotted line holds the last one's figure until the next.

    Args:
        history: from `kis_nb.history`, or a native frame of its summary rows (Polars, DuckDB,
            PySpark). Long spans are reduced in that engine to what the pixels show, with the first,
            last, least and largest of each part.
        account: the account's masked label, or its number where `history` is a history; may be left
            out where there is one alone.
        start, end: moments or trading days, also as ISO text; a time without a zone is Seoul's. A
            day begins at 18:00 of the evening before it.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with nights shaded, settlements as diamonds, and exact figures where the mouse is.
        Without history it says so. Drawdown counts from the first moment shown, and
        cash paid out is in it as a loss is.

    Raises:
        ValueError: there are several accounts and none was chosen, or the one chosen is not there
            (the message lists the labels), or another argument is none of these.
    """
    style = Style(lang, colors, theme)
    made = equity_series(history, account, start, end)
    return EQUITY_HISTORY.chart(equity_history_rows(made, style), style)


def margin_history(
    history: Any,
    *,
    account: str | None = None,
    start: When = None,
    end: When = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Equity above the maintenance margin through time: the room before a margin call, in won.

    Time is shown as in `equity`. Only moments whose maintenance margin KIS sent are drawn (pulls
    with MGNA_DVSN 02, and settlements); the initial margin is a dashed line where it is known.

    Args:
        history: as of `equity`.
        account: as of `equity`.
        start, end: as of `equity`.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with the room between two lines and its least marked, with its time. Without a
        maintenance margin it says so.

    Raises:
        ValueError: as of `equity`.
    """
    style = Style(lang, colors, theme)
    made = margin_series(history, account, start, end)
    return MARGIN_HISTORY.chart(margin_history_rows(made, style), style)


def attribution(
    history: Any,
    *,
    account: str | None = None,
    start: When = None,
    end: When = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Why equity changed between two moments: a waterfall in won that adds up.

    Args:
        history: from `kis_nb.history`; or ``(positions, summary)``, native frames of it; or what
            `kis_nb.analysis.attribution` made, which has no times for the heading.
        account: as of `equity`.
        start, end: as of `equity`. They are moved to the account's last snapshots at or before
            them, which the heading names; of a day, to the last one before it begins, and to its
            own last one. Left out, the account's first and its last. A ready frame has its own.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with a line for the equity at both ends and for each change between them: of each
        product what prices, changed quantities and closed positions brought, then fees, cash flow,
        the foreign deposit if it is known, and the remainder, which is shown when it is 0 too.

    Raises:
        ValueError: as of `equity`.
    """
    style = Style(lang, colors, theme)
    made = read(history, account, start, end)
    return ATTRIBUTION.chart(attribution_rows(made, style), style)
