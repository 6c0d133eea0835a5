"""What a dashboard costs before the first click, against a cell with a plain `JupyterChart`.

The first paint in a fresh kernel and page; that of a second one beside it; and the memory of the
kernel that holds one.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import kis_nb
from tests.bench.cells import BARE, OURS, START, one_lab
from tests.bench.timing import line
from tests.browser.lab import Lab
from tests.browser.painting import CHARTS, FIRST_TAB, HEAD, paint

POSITIONS = 60
WIDTH, HEIGHT = 1600, 1400
PLAIN = ".jp-OutputArea svg.marks"
# Altair's import takes several times what is measured.
LOADED = "from kis_nb import charts\n"
FOUR_CHARTS = """
from IPython.display import display
balance = client.balance()
display(*(draw(balance) for draw in (charts.pnl, charts.margin, charts.payoff, charts.book)))
"""
# The cell's request says what Voila's does, which shows widgets alone.
NO_PICTURES = """
import os
os.environ["SERVER_SOFTWARE"] = "voila/0"
get_ipython().parent_header["content"]["allow_stdin"] = False
"""


@dataclass(frozen=True)
class Memory:
    """Memory of a kernel's process, in MB.

    Attributes:
        resident: all that it holds in memory, files that it maps included. Shared or private: the
            libraries' pages are shared by whatever else runs from the same venv at the time, which
            changes PSS and USS from run to run.
        own: what no file backs, and so no other process shares.
    """

    resident: float
    own: float

    @classmethod
    def of(cls, lab: Lab) -> Memory:
        """Now, of the kernel of the notebook on show."""
        pid = lab.kernel_value("__import__('os').getpid()")
        text = Path(f"/proc/{int(pid)}/smaps_rollup").read_text(encoding="utf-8")
        kilobytes = {
            name: int(rest.split()[0])
            for name, _, rest in (each.partition(":") for each in text.splitlines()[1:])
        }
        return cls(kilobytes["Rss"] / 1000, kilobytes["Anonymous"] / 1000)


@dataclass(frozen=True)
class Stand:
    """One cell run twice in a kernel and a page of its own.

    Attributes:
        first: ms to each place of the first output.
        second: ms to the first chart of the second output.
        before, after: the kernel's memory after the start cell, and after the first output stood.
    """

    first: list[float]
    second: float
    before: Memory
    after: Memory


def stand(lab: Lab, cell: str, places: Sequence[str], chart: str, settled: str = "") -> Stand:
    """Run a cell, wait until its output is complete, and run it again below.

    Args:
        cell: the code.
        places: what is timed in the first output.
        chart: what is timed in the second one.
        settled: text on the page when all is there, with work in the background done.
    """
    page = lab.open([START.format(rows=POSITIONS), cell, cell], width=WIDTH, height=HEIGHT)
    lab.run_cell(0)
    check_tree(lab)
    before = Memory.of(lab)
    first = paint(lab, 1, places)
    if settled:
        page.locator(CHARTS["views"]).filter(has_text=settled).first.wait_for()
    lab.wait_idle()
    after = Memory.of(lab)
    (second,) = paint(lab, 2, [chart])
    return Stand(first, second, before, after)


def check_tree(lab: Lab) -> None:
    """Fail when the kernel measures another checkout than this one."""
    assert lab.kernel_value("__import__('kis_nb').__file__").strip("'\"") == kis_nb.__file__


def first_paint(lab: Lab, rounds: int) -> None:
    """The dashboard's cell against a bare chart's cell, alternating."""
    head, chart, *others = FIRST_TAB.values()
    assert (head, chart) == (HEAD, CHARTS["pnl"])
    pairs: list[tuple[Stand, Stand]] = []
    for _ in range(rounds):
        ours = stand(lab, OURS, [head, chart, *others], chart, settled="유지 02 · 본정산 2")
        pairs.append((ours, stand(lab, BARE, [PLAIN], PLAIN)))

    def show(
        title: str,
        mine: Callable[[Stand], float],
        base: Callable[[Stand], float],
        reach: str,
    ) -> None:
        line(
            title,
            statistics.median(mine(ours) for ours, _ in pairs),
            statistics.median(base(bare) for _, bare in pairs),
            statistics.median(mine(ours) / base(bare) for ours, bare in pairs),
            reach,
        )

    def bare_first(bare: Stand) -> float:
        return bare.first[0]

    title = "first paint: the dashboard's {} / JupyterChart"
    show(title.format("head line"), lambda ours: ours.first[0], bare_first, "0.15")
    show(title.format("first chart"), lambda ours: ours.first[1], bare_first, "0.40")
    show(title.format("five charts"), lambda ours: max(ours.first[1:]), bare_first, "")
    show(
        "a second dashboard's first chart / first JupyterChart",
        lambda ours: ours.second,
        bare_first,
        "0.15",
    )
    show("    / a second JupyterChart", lambda ours: ours.second, lambda bare: bare.second, "")
    show(
        "MB of the kernel (RSS) with a dashboard / with JupyterChart",
        lambda ours: ours.after.resident,
        lambda bare: bare.after.resident,
        "1",
    )
    show(
        "    of these, rise over the kernel after the start cell",
        lambda ours: ours.after.resident - ours.before.resident,
        lambda bare: bare.after.resident - bare.before.resident,
        "",
    )
    show(
        "    of these, what no file backs",
        lambda ours: ours.after.own,
        lambda bare: bare.after.own,
        "",
    )


def pictures(lab: Lab, rounds: int) -> None:
    """A cell with four charts, each with its picture, against the same cell without pictures."""
    place = ".jp-OutputArea-child:nth-child({} of :has(.kis-chart)) svg.marks"
    places = [place.format(1), place.format(4)]

    def four(before: str) -> list[float]:
        cells = [START.format(rows=POSITIONS) + LOADED, before + FOUR_CHARTS]
        lab.open(cells, width=WIDTH, height=HEIGHT)
        lab.run_cell(0)
        return paint(lab, 1, places)

    pairs = [(four(""), four(NO_PICTURES)) for _ in range(rounds)]
    for at, what in enumerate(("first", "last")):
        mine, without = (statistics.median(pair[side][at] for pair in pairs) for side in (0, 1))
        ratio = statistics.median(ours[at] / base[at] for ours, base in pairs)
        line(f"first paint: {what} of four charts / without pictures", mine, without, ratio, "1.1")


def main(rounds: int) -> None:
    """All of them."""
    with one_lab() as lab:
        first_paint(lab, max(3, rounds // 4))
        pictures(lab, max(3, rounds // 2))
