"""Balances as Altair charts. Right wing, above `kis_nb._frames.balance`; importing it loads altair.

Each function returns an Altair chart that can be changed, layered, concatenated and saved. Shown as
a cell's result it is drawn by `kis_nb._widgets.chart_view.ChartView`, with nothing fetched from
outside, and follows the page's theme, unless another Altair renderer is enabled. That holds for
what ``.properties()``, ``.copy()``, ``.interactive()`` and ``chart + more`` make of it as well.

Altair's global renderer is left alone. Altair's own default fetches Vega from a CDN; for charts of
your own, and for ours side by side (``|``, ``&``, which make a plain Altair chart), say
``alt.renderers.enable("kis_nb")`` to have them drawn likewise.

``chart.save("x.svg")``, ``.png`` and ``.pdf`` need vl-convert (``pip install vl-convert-python``);
``chart.save("x.html", inline=True)`` too, and makes a page that needs no network.

Common arguments: ``lang`` is ``"ko"`` or ``"en"``; ``colors`` ``"kr"`` (profit red, loss blue) or
``"us"`` (profit green, loss red); ``theme`` ``"lab"`` (follows the page; light when saved),
``"light"`` or ``"dark"`` (fixed; such a chart has a background and cannot be layered). Bars show
exact figures in won; null is named, never drawn as 0; a demo's chart says DEMO.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt

from kis_nb._codes import Lang
from kis_nb.charts import _book, _legs, _margin, _payoff, _pnl, _views
from kis_nb.charts._legs import LeftOut
from kis_nb.charts._look import Chart, Colors, Look, Theme, shown

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

__all__ = ["LeftOut", "book", "left_out", "margin", "payoff", "pnl", "views"]


def pnl(
    balance: Balance,
    *,
    by: _pnl.By = "position",
    top: int = 20,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Profit and loss in won.

    Args:
        balance: one pull.
        by: ``"position"`` (``evlu_pfls_amt`` of each, largest first), ``"kind"`` (futures and
            options, unrealized and realized) or ``"realized"`` (unrealized, realized, their sum).
        top: positions shown on their own; the rest is one bar with its count and its sum.
        lang, colors, theme: see the module.

    Raises:
        ValueError: an argument is none of these.
    """
    look = Look(lang, colors, theme)
    return _pnl.PNL.chart(_pnl.rows(balance, look, by=by, top=top), look)


def margin(
    *balances: Balance, lang: Lang = "ko", colors: Colors = "kr", theme: Theme = "lab"
) -> Chart:
    """How the deposit (cash, foreign currency, substitute securities) covers the margin.

    Args:
        balances: one pull, or two of one account with MGNA_DVSN 01 and 02 to see both side by side.
            The line where the margin call begins is the maintenance margin, so it takes a 02; with
            a 01 alone the line is the initial margin and is named so.
        lang, colors, theme: see the module.

    Raises:
        ValueError: no balance, or balances of several accounts.
    """
    look = Look(lang, colors, theme)
    return _margin.MARGIN.chart(_margin.rows(balances, look), look)


def views(
    *balances: Balance, lang: Lang = "ko", colors: Colors = "kr", theme: Theme = "lab"
) -> Chart:
    """Total margin and unrealized P&L as each given view (MGNA_DVSN × EXCC_STAT_CD) has them.

    Args:
        balances: pulls of one account, commonly all four views.
        lang, colors, theme: see the module.

    Raises:
        ValueError: no balance, or balances of several accounts.
    """
    look = Look(lang, colors, theme)
    return _views.VIEWS.chart(_views.rows(balances, look), look)


def book(
    balance: Balance,
    *,
    by: _book.By = "product",
    measure: _book.Measure = "quantity",
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """What is held: long to the right, short to the left, contracts and market value beside it.

    Args:
        balance: one pull.
        by: ``"product"`` (underlying, kind, expiry, side) or ``"strike"`` (options only).
        measure: what the bars' lengths are, ``"quantity"`` or ``"value"``.
        lang, colors, theme: see the module.

    Raises:
        ValueError: an argument is none of these.
    """
    look = Look(lang, colors, theme)
    return _book.BOOK.chart(_book.rows(balance, look, by=by, measure=measure), look)


def payoff(
    balance: Balance,
    *,
    underlying: str = "KOSPI 200",
    expiry: date | str | None = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Profit and loss at one expiry of the legs that expire then, against the underlying's level.

    Args:
        balance: one pull; cost is on its EXCC_STAT_CD's basis.
        underlying: ``"KOSPI 200"`` (with mini and weeklies), ``"KOSDAQ 150"`` or ``"USD/KRW"``.
        expiry: a last trading day, as a date or as ``"2026-12-10"``; the nearest with options by
            default, else the nearest. Positions of other expiries are counted beside the curve.
        lang, colors, theme: see the module.

    The index today is the price of the nearest future held, since KIS sends no index with a
    balance; without a future there is no such mark. See `left_out` for what is not counted.

    Raises:
        ValueError: an underlying or expiry that is not known; the message lists those that are.
    """
    look = Look(lang, colors, theme)
    return _payoff.PAYOFF.chart(
        _payoff.rows(balance, look, underlying=underlying, expiry=expiry), look
    )


def left_out(balance: Balance) -> tuple[LeftOut, ...]:
    """The positions that `payoff` cannot count, with the reason."""
    return _legs.book(balance).left_out


def _render(
    spec: dict[str, Any], **_options: Any
) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """Altair's renderer "kis_nb": any chart, ours or not, in a `ChartView`."""
    return shown(spec)


# Offered and not enabled: which renderer draws the user's own charts is the user's to say.
alt.renderers.register("kis_nb", _render)
