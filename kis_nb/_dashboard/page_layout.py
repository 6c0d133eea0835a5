"""What the dashboard's charts and panels show, and how they lie on the page.

Under the face `_dashboard`: imports `_chartview`, `_controls`, `_fields`, `_figures`, `_panel`,
`_picture` and `_words`.
Sends only what differs from what the page has. The caller holds the dashboard's lock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import ipywidgets as w

from kis_nb._codes import Lang, Margin
from kis_nb._dashboard.chart_data import CHARTS, Colors, Easel, Picture, compared
from kis_nb._dashboard.controls import Controls
from kis_nb._dashboard.summary_cards import template
from kis_nb._dashboard.texts import say
from kis_nb._widgets.chart_view import ChartView, Gesture
from kis_nb._widgets.panels import Act, ChecksPanel, HeadPanel, NotePanel, TablePanel

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance


class Screen:
    """The charts and panels.

    Args:
        controls: laid out among them.
        act: hears what is done on the panels.
        picked: hears the gestures on a chart, by its name; not what `select` selects.
        fed: whether there are balances to choose from, so that the choosing controls have a place.

    Attributes:
        head, table, checks, note: the panels.
    """

    def __init__(
        self,
        controls: Controls,
        act: Act,
        picked: Callable[[str, Gesture], None],
        *,
        fed: bool,
    ) -> None:
        self._controls = controls
        self.head = HeadPanel(act)
        self.table = TablePanel(act)
        self.checks = ChecksPanel(act)
        self.note = NotePanel(act)
        self.table.add_class("kis-positions")
        self.checks.add_class("kis-reconcile")
        self._easels = {name: Easel(name, ChartView(name=name)) for name in CHARTS}
        for name, easel in self._easels.items():
            easel.view.add_class(f"kis-{name}")
            easel.view.on_gesture(partial(picked, name))
        self.children = self._lay_out(controls, fed=fed)

    def _lay_out(self, controls: Controls, *, fed: bool) -> list[w.Widget]:
        view = {name: easel.view for name, easel in self._easels.items()}
        choosing = ["account", "mgna_dvsn", "excc_stat_cd"] if fed else []
        bar = [controls[name] for name in choosing]
        bar += [controls.refresh, controls["auto"]] if fed else []
        bar.append(_box("tastes", controls["language"], controls["colors"]))
        switches = _box("switches", controls["book_by"], controls["book_measure"])
        payoff = _box("switches", controls["payoff_on"], controls["payoff_expiry"])
        compare = _box("stack", _box("section", view["margin"]), _box("section", view["views"]))
        beyond = _box(
            "stack",
            _box("section", payoff, view["payoff"], self.note),
            _box("section", self.checks),
        )
        book = _box("columns", _box("section", switches, view["book"]), beyond)
        book.add_class("kis-columns-book")
        body = _box(
            "body",
            _box("columns", _box("section", controls["pnl_by"], view["pnl"]), compare),
            _box("section", self.table),
            book,
        )
        return [_box("controls", *bar), self.head, body]

    def wear(self, lang: Lang, colors: Colors) -> None:
        """Put on what language and colours alone decide."""
        names = self._controls.names(lang) | {"dashboard": say("figures", lang)}
        words = ("age_s", "age_m", "age_h", "demo", "figures", "png")
        self.head.show(
            {
                "lang": lang,
                "colors": colors,
                "names": names,
                "words": {word: template(word, lang) for word in words},
            }
        )

    def draw_charts(
        self,
        picture: Picture,
        near: Mapping[str, Picture],
        choice: dict[str, str],
        moment: Callable[[Balance, Sequence[Balance]], str],
        lang: Lang,
        colors: Colors,
    ) -> None:
        """Draw all charts.

        Args:
            picture: the balance on show.
            near: the views of its account from the same moment, itself among them, each under the
                name by which the page asks for it.
            choice: what the switches over the charts say.
            moment: `Gallery.moment`.
            lang, colors: of all of them.
        """
        shown = picture.balance
        every = [one.balance for one in near.values()]
        sides = [one for one in every if one.excc_stat_cd is shown.excc_stat_cd]
        here = next(name for name, one in near.items() if one is picture)
        for name, easel in self._easels.items():
            if name == "pnl":
                # The chart that a click is watched on turns before the kernel has heard of it.
                held = {view: one.rows(name, choice) for view, one in near.items()}
                easel.show(held[here], lang, colors, here, held)
                continue
            if name in ("margin", "views"):
                # The margin chart shows others only where its own basis lacks the maintenance.
                lacks = all(one.mgna_dvsn is not Margin.MAINTENANCE for one in sides)
                told = every if name == "views" or lacks else sides
                rows = compared(name, every, shown, lang, moment(shown, told))
            else:
                rows = picture.rows(name, choice)
            easel.show(rows, lang, colors)
        self.note.show({"note": picture.left_out()})

    def draw_panels(self, picture: Picture) -> None:
        """Draw table and reconciliation."""
        self.table.show({"table": picture.table()})
        self.checks.show({"checks": picture.checks()})

    def select(self, gesture: Gesture, source: str) -> None:
        """Select these positions everywhere.

        Also where it was done: meanwhile code, or another page, may have selected something else
        there. The page passes over what its own later gestures have overtaken.
        """
        for easel in self._easels.values():
            easel.view.select(gesture)
        ids, page, number = gesture
        # A brush over a chart leaves the table with what it touched.
        only = source in self._easels and len(ids) > 1
        told = {"ids": list(ids), "only": only, "page": page, "number": number}
        self.table.show({"picked": told})


def _box(name: str, *children: w.Widget) -> w.Box:
    box = w.Box(children)
    box.add_class(f"kis-{name}")
    return box
