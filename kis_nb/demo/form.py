"""The form of a service's responses, read from a report of `kis-nb check --report`.

A report holds no figure, only the form: which keys each block had and in which order, how each
field was padded and with how many decimals, rows on a page, tr_cont, the pattern of the page keys,
codes. With it the broker answers as that service did (`kis_nb.demo.recorded_handler`), so that what
a live service does differently becomes a test.

What a report leaves open is the broker's: a field without a figure of the broker's is 0, written in
the recorded form (or some text of that form); a field that only some rows had is in every other
row; a field that was blank in some rows only is as the broker has it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from kis_nb.demo.style import Style

VERSION = 1
# Where in a pull a page stands.
Place: TypeAlias = Literal["only", "first", "middle", "last"]
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
# Where to look for a page's form, in this order: a report may lack some places.
_NEAREST: dict[Place, tuple[Place, ...]] = {
    "only": ("only", "last", "first", "middle"),
    "first": ("first", "middle", "only", "last"),
    "middle": ("middle", "first", "last", "only"),
    "last": ("last", "only", "middle", "first"),
}


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """The form of `output1` or `output2`.

    Attributes:
        order: its keys.
        optional: those that only some rows had.
        styles: how each key's value is written.
        is_list: whether the block was a list.
    """

    order: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()
    styles: Mapping[str, Style] = field(default_factory=dict)
    is_list: bool = True

    @classmethod
    def of(cls, recorded: Sequence[Mapping[str, Any]]) -> RecordedBlock:
        """The form that a block had on several pages."""
        order = dict.fromkeys(name for one in recorded for name in one.get("order", ()))
        patterns: dict[str, Counter[str]] = {name: Counter() for name in order}
        for one in recorded:
            for name, counts in one.get("patterns", {}).items():
                patterns.setdefault(name, Counter()).update(counts)
        return cls(
            tuple(name for name in order if _NAME.fullmatch(name)),
            frozenset(name for one in recorded for name in one.get("in_some_rows", ())),
            {name: Style.of(counts, name) for name, counts in patterns.items()},
            any(one.get("type") == "list" for one in recorded),
        )

    def write(self, row: Mapping[str, Any], number: int) -> dict[str, str | None]:
        """A row of the broker's in this form; `number` counts the rows from 0."""
        return {
            name: self.styles[name].write(row.get(name))
            for name in self.order
            if not (name in self.optional and number % 2)
        }


class RecordedView:
    """The form of the responses under one pair of MGNA_DVSN and EXCC_STAT_CD.

    Args:
        calls: the report's calls of this view, in order.

    Attributes:
        pages: by place, the recorded page; empty when the view was never answered.
        refused: the recorded error of a view that was never answered.
        rows: rows on its fullest page.
        rows_block, summary: the form of `output1` and `output2`.
    """

    def __init__(self, calls: Sequence[Mapping[str, Any]]) -> None:
        balance = [one for one in calls if one.get("call") == "balance"]
        good = [one for one in balance if one.get("rt_cd") == "0" and "output2" in one]
        starts = [at for at, one in enumerate(good) if not one.get("follow_up")]
        pull = good[starts[-1] :] if starts else good
        places: list[Place] = ["first", *["middle"] * (len(pull) - 2), "last"]  # type: ignore[list-item]
        if len(pull) == 1:
            places = ["only"]
        # Of several middle pages the first.
        self.pages = dict(reversed(list(zip(places, pull, strict=False))))
        self.refused = None if good or not balance else balance[-1]
        counts = [one["output1"].get("rows", 0) for one in pull if "output1" in one]
        self.rows = max(counts, default=0)
        self.rows_block = RecordedBlock.of(_blocks(pull, "output1"))
        self.summary = RecordedBlock.of(_blocks(pull, "output2"))

    @property
    def size(self) -> tuple[int, int]:
        """Pages and rows: of two views the larger one shows more."""
        return len(self.pages), self.rows

    def nearest(self, place: Place) -> Mapping[str, Any]:
        """The page at this place, or the recorded page most like it."""
        return next(self.pages[other] for other in _NEAREST[place] if other in self.pages)


def _blocks(pages: Sequence[Mapping[str, Any]], name: str) -> list[Mapping[str, Any]]:
    return [page[name] for page in pages if "order" in page.get(name, {})]


class Form:
    """The form of a service's responses.

    Args:
        report: what `kis-nb check --report` wrote, parsed.

    Attributes:
        rows: rows on a page; None when the report had one page only, of no more than 20.

    Raises:
        ValueError: it is no such report, or of another version.
    """

    def __init__(self, report: Mapping[str, Any]) -> None:
        if report.get("kis_nb_report") != VERSION:
            raise ValueError(f"form takes a report of kis-nb check --report, version {VERSION}")
        self._views: dict[tuple[str, str], RecordedView] = {}
        try:
            for account in report["accounts"]:
                for recorded in account["views"]:
                    view = RecordedView(recorded["calls"])
                    codes = recorded["mgna_dvsn"], recorded["excc_stat_cd"]
                    known = self._views.get(codes)
                    if known is None or view.size > known.size:
                        self._views[codes] = view
        except (KeyError, TypeError, AttributeError, IndexError) as error:
            raise ValueError("form: the report is damaged") from error
        answered = [view for view in self._views.values() if view.pages]
        self._largest = max(answered, key=lambda view: view.size, default=None)
        full = [view.rows for view in answered if len(view.pages) > 1]
        most = max((view.rows for view in answered), default=0)
        self.rows = max(full, default=most if most > 20 else 0) or None

    def view(self, query: Mapping[str, str]) -> RecordedView | None:
        """The form of the view that a query asks for, else of the largest one."""
        codes = query.get("MGNA_DVSN", ""), query.get("EXCC_STAT_CD", "")
        return self._views.get(codes, self._largest)
