"""One balance made ready to be drawn: charts' rows and panels' content, each worked out once.

Under the face `_dashboard`: imports `_balance`, `charts`, `_figures`, `_fields`, `_tables` and
`_words`. What a click needs is worked out when its balance arrives; the click only sends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb._codes import Lang
from kis_nb._dashboard import summary_cards, tables
from kis_nb._dashboard.texts import say

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.chart_view import ChartView
    from kis_nb._widgets.vega_spec import Row

Colors: TypeAlias = Literal["kr", "us"]
Choice: TypeAlias = dict[str, str]
CHARTS = ("pnl", "margin", "views", "book", "payoff")


class Picture:
    """What one balance looks like in one language.

    Args:
        balance: the figures.
        before: the pull of the same view before it, for changes.
        lang: of everything.
    """

    def __init__(self, balance: Balance, before: Balance | None, lang: Lang) -> None:
        self.balance = balance
        self.before = before
        self.lang: Lang = lang
        self._made: dict[tuple[str, ...], Any] = {}

    def _once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        # Two threads may make the same thing; both get it right, and one of them is kept.
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def table(self) -> summary_cards.Json:
        """For the positions panel."""
        made: summary_cards.Json = self._once(
            ("table",), lambda: tables.table(self.balance, self.lang)
        )
        return made

    def checks(self) -> summary_cards.Json:
        """For the reconciliation panel."""
        made: summary_cards.Json = self._once(
            ("checks",), lambda: tables.checks(self.balance, self.lang)
        )
        return made

    def rows(self, chart: str, choice: Choice) -> list[Row]:
        """For a chart of this balance alone: pnl, book or payoff."""
        from kis_nb.charts import _book, _payoff, _pnl
        from kis_nb.charts._look import Look

        look = Look(self.lang)
        balance: Any = self.balance
        if chart == "pnl":
            by: Any = choice["pnl_by"]
            made = self._once((chart, by), lambda: _pnl.rows(balance, look, by=by))
        elif chart == "book":
            kind: Any = choice["book_by"]
            size: Any = choice["book_measure"]
            made = self._once(
                (chart, kind, size), lambda: _book.rows(balance, look, by=kind, measure=size)
            )
        else:
            on = choice["payoff_on"]
            held, day = self.expiries(on)
            # What was chosen on another balance need not be held in this one.
            if choice.get("payoff_expiry") in held:
                day = choice["payoff_expiry"]
            made = self._once(
                (chart, on, day),
                lambda: _payoff.rows(
                    balance, look, underlying=on, expiry=day or None, name_left_out=False
                ),
            )
        rows: list[Row] = made
        return _headed(rows, balance, self.lang)

    def expiries(self, underlying: str) -> tuple[dict[str, int], str]:
        """The days on which positions on this underlying expire, with how many on each, and the one
        that the payoff shows unasked; blank without any.
        """
        from kis_nb.charts import _legs

        def make() -> tuple[dict[str, int], str]:
            whole = _legs.book(self.balance, underlying)
            if whole.expiry is None:
                return {}, ""
            days = whole.others | {whole.expiry: len(whole.legs)}
            return {str(day): days[day] for day in sorted(days)}, str(whole.expiry)

        made: tuple[dict[str, int], str] = self._once(("expiries", underlying), make)
        return made

    def left_out(self) -> str:
        """How many positions the payoff cannot count, with the reasons; blank without any."""
        from kis_nb.charts import left_out
        from kis_nb.charts._look import Look
        from kis_nb.charts._payoff import summed

        made: str = self._once(
            ("left_out",), lambda: summed(left_out(self.balance), Look(self.lang))
        )
        return made

    def warm(self, choice: Choice) -> None:
        """Work everything out now."""
        for chart in ("pnl", "book", "payoff"):
            self.rows(chart, choice)
        self.left_out()
        self.table()
        self.checks()


def compared(
    chart: str, balances: Sequence[Balance], shown: Balance, lang: Lang, apart: str
) -> list[Row]:
    """Rows of a chart that sets views of one account side by side (margin or views), headed as
    what the one on show says, and with when the others were pulled if that is another time.

    The margin chart has bars for the views of the basis on show; equity it takes from all of them,
    as the cards do.
    """
    from kis_nb.charts import _margin, _views
    from kis_nb.charts._look import Look

    look = Look(lang)
    if chart == "margin":
        basis = shown.excc_stat_cd
        sides = [one for one in balances if one.excc_stat_cd is basis]
        rows = _margin.rows(sides, look, of=shown, others=balances)
    else:
        rows = _views.rows(balances, look)
    said, most = (say("other_views", lang, at=at) for at in (apart, "00:00:00–00:00:00"))
    return _headed(rows, shown, lang, said if apart else "", most)


def _headed(
    rows: list[Row], balance: Balance, lang: Lang, note: str = "", longest: str = ""
) -> list[Row]:
    """The rows under a head that fits half a page: account and day stand in the status line.

    `note` is added to the head; room is kept for the longest that it can be, so that none that
    comes later breaks the line.
    """
    from kis_nb.charts._look import HEAD_SIZE, codes, head_fields, text_width

    said, room = codes(balance, lang)
    room += text_width(longest, HEAD_SIZE) - text_width(note, HEAD_SIZE)
    # The charts' own mark would stand over the title's end when there is only half a page.
    demo = "DEMO" if balance.demo else ""
    when = (f"{balance.as_of:%H:%M:%S} KST", *rows[0]["own"], note)
    return [rows[0] | head_fields((demo, *said), when, room=room) | {"demo": ""}, *rows[1:]]


@cache
def spec(chart: str, lang: Lang, colors: Colors) -> dict[str, Any]:
    """A chart's Vega-Lite spec, which no figure changes."""
    from kis_nb.charts import _book, _margin, _payoff, _pnl, _views

    designs = {
        "pnl": _pnl.PNL,
        "margin": _margin.MARGIN,
        "views": _views.VIEWS,
        "book": _book.BOOK,
        "payoff": _payoff.PAYOFF,
    }
    # The lines of a chart stand in the order of its rows, which another view may change.
    return designs[chart].spec(lang, colors) | {"usermeta": {"fresh": "key"}}


class Easel:
    """A chart's view and what hangs on it: sends a spec only when it is another."""

    def __init__(self, chart: str, view: ChartView) -> None:
        self.chart = chart
        self.view = view
        self._look: tuple[Lang, Colors] | None = None

    def show(
        self,
        rows: list[Row],
        lang: Lang,
        colors: Colors,
        name: str = "",
        others: Mapping[str, list[Row]] | None = None,
    ) -> None:
        """Draw these rows in this language and these colours; the page holds `others` ready."""
        if self._look != (lang, colors):
            self.view.draw(spec(self.chart, lang, colors), {self.chart: rows}, variant=name)
            self._look = (lang, colors)
        variants = {name: rows, **(others or {})}
        self.view.offer({key: {self.chart: some} for key, some in variants.items()}, name)
