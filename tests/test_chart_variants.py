"""Which views' rows the page is given to keep, and when the others are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from kis_nb._dashboard.chart_data import CHARTS, ChartData
from kis_nb._dashboard.chart_variants import ChartVariants
from tests.factories import book, make_balance

CHOICE = {
    "pnl_by": "position",
    "book_by": "product",
    "book_measure": "quantity",
    "payoff_on": "KOSPI 200",
}


class Displayed:
    """An account's initial margin on both bases, as `DisplayedBalances` has them."""

    def __init__(self) -> None:
        self.first, self.second = (
            ChartData(make_balance(book(3), excc_stat_cd=code), None, "en") for code in "12"
        )

    def cached_data(self, _lang: str) -> list[ChartData]:
        return [self.first, self.second]

    def chart_rows(self, chart: str, data: ChartData, choice: dict[str, str]) -> list[Any]:
        if chart in ("margin", "views"):
            balances = [self.first.balance, self.second.balance]
            return data.comparison(chart, balances, "")
        return data.rows(chart, choice)


class Later:
    """Keeps jobs until they are run."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], None]] = []
        self.redrawn = 0

    def redraw(self) -> None:
        self.redrawn += 1

    def run(self) -> None:
        jobs, self.jobs = self.jobs, []
        for job in jobs:
            job()


def _variants(displayed: Displayed, later: Later) -> ChartVariants:
    return ChartVariants(
        cast("Any", displayed),
        lambda balance: balance.excc_stat_cd.value,
        later.jobs.append,
        later.redraw,
    )


def test_every_chart_has_the_rows_of_every_prepared_view() -> None:
    """The view on display is prepared at once and another one later, with one job; then all charts
    have rows of both, each headed with its own codes.
    """
    displayed, later = Displayed(), Later()
    variants = _variants(displayed, later)
    for _ in range(2):
        rows = variants.rows(displayed.first, CHOICE, "en")
        assert {chart: list(views) for chart, views in rows.items()} == {
            chart: ["1"] for chart in CHARTS
        }
    assert len(later.jobs) == 1
    later.run()
    assert later.redrawn == 1
    rows = variants.rows(displayed.first, CHOICE, "en")
    assert later.jobs == []
    for views in rows.values():
        assert views["1"][0]["head"].startswith("Initial 01 · Settlement 1")
        assert views["2"][0]["head"].startswith("Initial 01 · Purchase 2")


def test_another_choice_is_prepared_anew() -> None:
    """Rows of the choice before are not offered, and those made for it are still there after it."""
    displayed, later = Displayed(), Later()
    variants = _variants(displayed, later)
    displayed.second.prepare_charts(CHOICE)
    assert list(variants.rows(displayed.first, CHOICE, "en")["book"]) == ["1", "2"]
    other = CHOICE | {"book_by": "strike"}
    assert list(variants.rows(displayed.first, other, "en")["book"]) == ["1"]
    assert list(variants.rows(displayed.first, CHOICE, "en")["book"]) == ["1", "2"]


def test_a_comparison_is_made_once() -> None:
    """The rows of the charts that compare views are the same objects until a view is another."""
    displayed = Displayed()
    first = displayed.chart_rows("views", displayed.first, CHOICE)
    assert displayed.chart_rows("views", displayed.first, CHOICE) is first
    balances = [displayed.first.balance, make_balance(book(3), excc_stat_cd="2")]
    again = displayed.first.comparison("views", balances, "")
    assert again is not first
    assert displayed.first.comparison("views", balances, "23:15:04") is not again
