"""One balance prepared for display: rows of its charts and content of its panels, each made once.

What a click shows is prepared when its balance arrives; the click only sends it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from kis_nb._choices import Lang
from kis_nb._dashboard import tables
from kis_nb._dashboard.texts import say

if TYPE_CHECKING:
    from kis_nb._dashboard.panel_json import Json
    from kis_nb._frames.balance import Balance
    from kis_nb._widgets.vega_spec import Row

# Values of the controls over the charts, by their names.
Choice: TypeAlias = dict[str, str]
CHARTS = ("pnl", "margin", "views", "book", "payoff")
# Those that compare the views of an account.
COMPARISONS = ("margin", "views")


class ChartData:
    """What charts and panels show of one balance in one language.

    Args:
        balance: the figures.
        previous: the pull of the same view before it, for changes; None when there is none.
        lang: of every text.
    """

    def __init__(self, balance: Balance, previous: Balance | None, lang: Lang) -> None:
        self.balance = balance
        self.previous = previous
        self.lang: Lang = lang
        self._made: dict[tuple[str, ...], Any] = {}
        self._prepared: list[Choice] = []
        self._comparisons: dict[str, tuple[Sequence[Balance], str, list[Row]]] = {}

    def _once(self, key: tuple[str, ...], make: Callable[[], Any]) -> Any:
        # Two threads may make the same thing; both make it right, and one of the two is kept.
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def table(self) -> Json:
        """The content of the positions panel."""
        made: Json = self._once(("table",), lambda: tables.table(self.balance, self.lang))
        return made

    def checks(self) -> Json:
        """The content of the reconciliation panel."""
        made: Json = self._once(("checks",), lambda: tables.checks(self.balance, self.lang))
        return made

    def rows(self, chart: str, choice: Choice) -> list[Row]:
        """The rows of a chart of this balance alone, with its heading.

        Args:
            chart: "pnl", "book" or "payoff".
            choice: what the controls over the charts say.
        """
        from kis_nb._chart_rows import book, payoff, pnl
        from kis_nb._chart_rows.style import Style

        look = Style(self.lang)
        balance: Any = self.balance
        if chart == "pnl":
            by: Any = choice["pnl_by"]
            made = self._once((chart, by), lambda: pnl.rows(balance, look, by=by))
        elif chart == "book":
            kind: Any = choice["book_by"]
            size: Any = choice["book_measure"]
            made = self._once(
                (chart, kind, size), lambda: book.rows(balance, look, by=kind, measure=size)
            )
        elif chart == "payoff":
            on = choice["payoff_on"]
            days, day = self.expiries(on)
            # The day was chosen on another balance, and may be in none of this one's positions.
            if choice.get("payoff_expiry") in days:
                day = choice["payoff_expiry"]
            made = self._once(
                (chart, on, day),
                lambda: payoff.rows(
                    balance, look, underlying=on, expiry=day or None, name_left_out=False
                ),
            )
        else:
            raise ValueError(f"no chart of one balance: {chart!r}")
        rows: list[Row] = made
        return _with_heading(rows, balance, self.lang)

    def expiries(self, underlying: str) -> tuple[dict[str, int], str]:
        """When positions on an underlying expire.

        Returns:
            The number of positions by day, and the day that the payoff shows by default; blank
            without any.
        """
        from kis_nb._chart_rows import legs

        def make() -> tuple[dict[str, int], str]:
            payoff = legs.payoff_at_expiry(self.balance, underlying)
            if payoff.expiry is None:
                return {}, ""
            days = payoff.other_expiries | {payoff.expiry: len(payoff.legs)}
            return {str(day): days[day] for day in sorted(days)}, str(payoff.expiry)

        made: tuple[dict[str, int], str] = self._once(("expiries", underlying), make)
        return made

    def left_out(self) -> str:
        """How many positions the payoff leaves out, by reason; blank without any."""
        from kis_nb._chart_rows.legs import payoff_at_expiry
        from kis_nb._chart_rows.payoff import left_out_line
        from kis_nb._chart_rows.style import Style

        def make() -> str:
            return left_out_line(payoff_at_expiry(self.balance).left_out, Style(self.lang))

        made: str = self._once(("left_out",), make)
        return made

    def comparison(self, chart: str, balances: Sequence[Balance], other_times: str) -> list[Row]:
        """`comparison_rows` with this balance on display; made again only when another view is.

        Args:
            chart: "margin" or "views".
            balances: the views, this one among them.
            other_times: see `comparison_rows`.
        """
        made = self._comparisons.get(chart)
        same = made is not None and made[1] == other_times and len(made[0]) == len(balances)
        if made is not None and same and all(map(operator.is_, made[0], balances)):
            return made[2]
        rows = comparison_rows(chart, balances, self.balance, self.lang, other_times)
        self._comparisons[chart] = balances, other_times, rows
        return rows

    def is_prepared(self, choice: Choice) -> bool:
        """Whether the rows of all charts are made for this choice."""
        return choice in self._prepared

    def prepare_chart(self, chart: str, choice: Choice) -> None:
        """Make the rows of one chart, unless they are of other balances too."""
        if chart not in COMPARISONS:
            self.rows(chart, choice)

    def prepare_charts(self, choice: Choice) -> None:
        """Make the rows of all charts of this balance alone."""
        for chart in CHARTS:
            self.prepare_chart(chart, choice)
        self.left_out()
        if choice not in self._prepared:
            self._prepared.append(choice)

    def prepare(self, choice: Choice) -> None:
        """Make everything now."""
        self.prepare_charts(choice)
        self.table()
        self.checks()


def comparison_rows(
    chart: str, balances: Sequence[Balance], shown: Balance, lang: Lang, other_times: str
) -> list[Row]:
    """The rows of a chart that compares views of one account, with its heading.

    The margin chart has bars for the views of the displayed basis; equity it takes from all of
    them, as the summary cards do.

    Args:
        chart: "margin" or "views".
        balances: the views, `shown` among them.
        shown: the balance on display, whose codes and time are in the heading.
        lang: of the texts.
        other_times: when the others were pulled if that is another time, else blank.
    """
    from kis_nb._chart_rows import margin, views
    from kis_nb._chart_rows.style import Style

    look = Style(lang)
    if chart == "margin":
        same_basis = [one for one in balances if one.excc_stat_cd is shown.excc_stat_cd]
        rows = margin.rows(same_basis, look, of=shown, others=balances)
    else:
        rows = views.rows(balances, look)
    longest = say("other_views", lang, at="00:00:00–00:00:00")
    note = say("other_views", lang, at=other_times) if other_times else ""
    return _with_heading(rows, shown, lang, note, longest)


def _with_heading(
    rows: list[Row], balance: Balance, lang: Lang, note: str = "", longest: str = ""
) -> list[Row]:
    """The rows with a heading that fits half a page; account and day are in the status line.

    Args:
        rows: of a chart.
        balance: whose codes and time the heading states.
        lang: of the heading.
        note: added to the heading.
        longest: the longest note that may come, for which space is kept, so that a later one does
            not move the line break.
    """
    from kis_nb._chart_rows.heading import HEAD_SIZE, head_fields, head_view
    from kis_nb._widgets.text_width import text_width

    title, reserve = head_view(balance, lang)
    reserve += text_width(longest, HEAD_SIZE) - text_width(note, HEAD_SIZE)
    # The charts' own DEMO mark would cover the end of the title when there is only half a page.
    demo = "DEMO" if balance.demo else ""
    when = (f"{balance.as_of:%H:%M:%S %Z}", *rows[0]["own"], note)
    heading = head_fields((demo, title), when, reserve=reserve)
    return [rows[0] | heading | {"demo": ""}, *rows[1:]]
