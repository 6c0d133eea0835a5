"""Balances as Altair charts.

Each function returns an Altair chart that can be changed, layered, concatenated and saved. As the
result of a cell it is drawn by `kis_nb._widgets.chart_view.ChartView`, with nothing fetched from
outside, and follows the page's theme, unless another Altair renderer is enabled. The same holds for
what ``.properties()``, ``.copy()``, ``.interactive()`` and ``chart + more`` make of it.

Altair's global renderer is left as it is; Altair's own default fetches Vega from a CDN. For charts
of your own, and for ours in one row or column (``|``, ``&``, which make a plain Altair chart), call
``alt.renderers.enable("kis_nb")`` to have them drawn without it.

``chart.save("x.svg")``, ``.png`` and ``.pdf`` need vl-convert (``pip install vl-convert-python``).
So does ``chart.save("x.html", inline=True)``, which makes a page that needs no network.

Bars show exact figures in won. Null is named, never drawn as 0. A demo's chart says DEMO.
Importing this module loads altair.

May import `kis_nb.analysis`, `_risk`, `_frames`, `_widgets`, `_codes`, `_choices` and `_seoul`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from kis_nb._widgets.front_end import front_end
from kis_nb._widgets.picture import CONVERTER

if front_end() == "file":
    # Where each chart waits for its picture, the process that draws them starts beside Altair.
    CONVERTER.warm_up()

import altair as alt

from kis_nb._chart_rows.book import By as BookBy
from kis_nb._chart_rows.book import Measure
from kis_nb._chart_rows.book import rows as book_rows
from kis_nb._chart_rows.index_stress import rows as index_stress_rows
from kis_nb._chart_rows.legs import LeftOut, payoff_at_expiry
from kis_nb._chart_rows.margin import rows as margin_rows
from kis_nb._chart_rows.payoff import rows as payoff_rows
from kis_nb._chart_rows.pnl import rows as pnl_rows
from kis_nb._chart_rows.pnl_product import only_one
from kis_nb._chart_rows.pnl_product import rows as pnl_product_rows
from kis_nb._chart_rows.style import Style
from kis_nb._chart_rows.views import rows as views_rows
from kis_nb._choices import Colors, Lang, Theme, check_choice
from kis_nb._frames.balances import Balances
from kis_nb._frames.index_stress import MOVES, Move
from kis_nb.charts._bars import BOOK, PNL, PNL_BY_PRODUCT, VIEWS
from kis_nb.charts._chart import Chart, mime_bundle
from kis_nb.charts._history import attribution, equity, margin_history
from kis_nb.charts._index_stress import INDEX_STRESS
from kis_nb.charts._margin import MARGIN
from kis_nb.charts._payoff import PAYOFF
from kis_nb.charts._risk import margin_components, risk_curve, scenarios

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

__all__ = [
    "LeftOut",
    "attribution",
    "book",
    "equity",
    "index_stress",
    "left_out",
    "margin",
    "margin_components",
    "margin_history",
    "payoff",
    "pnl",
    "risk_curve",
    "scenarios",
    "views",
]


PnlBy: TypeAlias = Literal["position", "product", "kind", "realized"]


def pnl(
    balance: Balance | Balances,
    *,
    by: PnlBy = "position",
    top: int = 20,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Profit and loss in won.

    Args:
        balance: one pull. By product also a `Balances` of several accounts, each position counted
            once: of pulls on both bases, those on the settlement basis.
        by: ``"position"`` (``evlu_pfls_amt`` of each position, largest first), ``"product"``
            (unrealized and realized P&L together, as `Balances.pnl` has it), ``"kind"`` (futures
            and options, unrealized and realized) or ``"realized"`` (unrealized, realized, and their
            sum).
        top: how many positions or products get a bar of their own; the others are one bar with
            their count and their sum.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with one bar a position or sum. A position without a price or without a P&L has a
        note in place of its bar, and so has an account without positions.

    Raises:
        ValueError: an argument is none of these, `top` is below 1, or there is no balance, or
            several where one is shown.
    """
    style = Style(lang, colors, theme)
    check_choice("by", by, get_args(PnlBy))
    if by == "product":
        return PNL_BY_PRODUCT.chart(pnl_product_rows(balance, style, top=top), style)
    one, account = only_one(balance, f"pnl by {by}")
    return PNL.chart(pnl_rows(one, style, by=by, top=top, account=account), style)


def margin(
    *balances: Balance | Balances, lang: Lang = "ko", colors: Colors = "kr", theme: Theme = "lab"
) -> Chart:
    """How the deposit covers the margin, and how far equity is from a margin call, in won.

    Args:
        balances: one pull, or two of one account with MGNA_DVSN 01 and 02 to see both margins; or
            what `Balances.of` gives, whose label of the account is then shown. The margin call
            begins at the maintenance margin, which only a pull with 02 has. With 01 alone, the line
            drawn is the initial margin and is named so.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with a bar for the deposit (cash, foreign currency, substitute securities), one for
        each pull's margin (with its time, when that is another moment), and one or two for the
        equity and its excess over the maintenance margin (``prsm_dpast``; ``prsm_dpast_amt`` or an
        estimate of it). A figure that KIS did not send is shown as ``–``.

    Raises:
        ValueError: no balance, balances of several accounts, or another argument is none of these.
    """
    style = Style(lang, colors, theme)
    pulls: list[Balance] = []
    account = ""
    for given in balances:
        if isinstance(given, Balances):
            pulls += given
            account = account or next((given.labels[one.account] for one in given), "")
        else:
            pulls.append(given)
    return MARGIN.chart(margin_rows(pulls, style, account=account), style)


def views(
    *balances: Balance, lang: Lang = "ko", colors: Colors = "kr", theme: Theme = "lab"
) -> Chart:
    """Total margin and unrealized P&L in each view (MGNA_DVSN × EXCC_STAT_CD), in won.

    Args:
        balances: pulls of one account, usually all four views.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with two bars a view: ``mgna_tota`` and ``evlu_pfls_amt_smtl``. The bars of each
        field are relative to its largest one. Null has a note in place of its bar.

    Raises:
        ValueError: no balance, balances of several accounts, or another argument is none of these.
    """
    style = Style(lang, colors, theme)
    return VIEWS.chart(views_rows(balances, style), style)


def book(
    balance: Balance,
    *,
    by: BookBy = "product",
    measure: Measure = "quantity",
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """What is held: long to the right, short to the left, with contracts and market value.

    Args:
        balance: one pull.
        by: ``"product"`` (product, kind, expiry, side) or ``"strike"`` (options only).
        measure: what the bars' lengths are: ``"quantity"`` (contracts) or ``"value"`` (won).
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with one bar a group of positions, at most 25. A sum over a null is null, and has a
        note in place of its bar.

    Raises:
        ValueError: an argument is none of these.
    """
    style = Style(lang, colors, theme)
    return BOOK.chart(book_rows(balance, style, by=by, measure=measure), style)


def payoff(
    balance: Balance,
    *,
    underlying: str = "KOSPI 200",
    expiry: date | str | None = None,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """Profit and loss at one expiry of the positions that expire then, over the underlying's level.

    The price now is that of the nearest future held, since KIS sends no index with a balance;
    without a future it is not marked.

    Args:
        balance: one pull; the cost is on the basis of its EXCC_STAT_CD.
        underlying: ``"KOSPI 200"`` (with mini and weeklies), ``"KOSDAQ 150"`` or ``"USD/KRW"``.
        expiry: a last trading day, as a date or as ``"2026-12-10"``; by default the nearest with
            options, else the nearest. The chart says how many positions have other expiries.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with the level in points on the x axis, profit and loss in won on the y axis, and
        marks at strikes and break-evens. `left_out` lists the positions that it cannot count.

    Raises:
        ValueError: an underlying or expiry that is not known (the message lists those that are), or
            another argument is none of these.
    """
    style = Style(lang, colors, theme)
    return PAYOFF.chart(payoff_rows(balance, style, underlying=underlying, expiry=expiry), style)


def index_stress(
    balances: Balance | Balances,
    *,
    account: str | None = None,
    moves: Iterable[Move] = MOVES,
    lang: Lang = "ko",
    colors: Colors = "kr",
    theme: Theme = "lab",
) -> Chart:
    """What a move of the KOSPI 200 would leave of one account's excess margin, in won.

    Args:
        balances: pulls of one account or several; with MGNA_DVSN 02 among them, which has the
            maintenance margin. `Balances.index_stress` says how positions move.
        account: the masked label of the account to show; the tightest of `Balances.equity` when
            left out.
        moves: of the index, in per cent.
        lang: ``"ko"`` for Korean labels, ``"en"`` for English ones.
        colors: ``"kr"`` (profit red, loss blue) or ``"us"`` (profit green, loss red).
        theme: ``"lab"`` follows the page and is light when saved; ``"light"`` and ``"dark"`` are
            fixed, and such a chart has a background and cannot be layered.

    Returns:
        A chart with the move on the x axis and two lines: time value kept, and worst. Below the
        line at 0 there is a margin call. An account whose excess margin is not known has a note.

    Raises:
        ValueError: no balance, no such account, no move, or another argument is none of these.
    """
    style = Style(lang, colors, theme)
    made = index_stress_rows(balances, style, account=account, moves=moves)
    return INDEX_STRESS.chart(made, style)


def left_out(balance: Balance) -> tuple[LeftOut, ...]:
    """The positions that `payoff` cannot count, on any underlying.

    Args:
        balance: one pull.

    Returns:
        A `LeftOut` for each, with the reason, in the order of ``balance.positions``; empty when all
        can be counted.

    Raises:
        Nothing.
    """
    return payoff_at_expiry(balance).left_out


def _render(
    spec: dict[str, Any], **_options: Any
) -> dict[str, Any] | tuple[dict[str, Any], dict[str, Any]]:
    """Altair's renderer "kis_nb": draws any chart, ours or not, with a `ChartView`."""
    return mime_bundle(spec)


# Registered but not enabled: which renderer draws the user's own charts is the user's choice.
alt.renderers.register("kis_nb", _render)
