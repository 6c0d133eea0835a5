"""Where the time goes of a cold `kis-nb balance`, of a first dashboard and of a click.

Each is timed by itself, and as often, alternately, with `tests.bench.probe` in the Python process
and Chromium's profiler on the page. The broker is in a process of its own. What it does to answer
counts as waiting for KIS's answers.
"""

from __future__ import annotations

import ast
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page

from tests.bench import clicks
from tests.bench.cells import one_lab
from tests.bench.first import HEIGHT, WIDTH, check_tree
from tests.bench.page_profile import profiled
from tests.bench.probe import Segment
from tests.bench.pulls import BrokerProcess, broker_process
from tests.bench.timeline import split
from tests.bench.where_table import AGREE, MARK, Column, Lang, table
from tests.browser.lab import Lab
from tests.browser.painting import CHARTS, begun, paint
from tests.marked_tables import write

ACCOUNT = "80012345-03"
POSITIONS = 60
FAR_SECONDS = 0.06
TREE = Path(__file__).parents[2]
# Python imports a module of this name at its start.
SITE = """
import atexit, json, os, sys, time
from tests.bench import probe
kept = probe.start()
if "KIS_BENCH_END" in os.environ:
    kept.watch_output()
    def end():
        found = {"began": kept.began, "ended": time.monotonic(), "segments": kept.segments,
                 "calls": kept.calls}
        with open(os.environ["KIS_BENCH_END"], "w") as file:
            json.dump(found, file)
    atexit.register(end)
"""
SETTINGS = """
import os
os.environ.update({settings!r})
"""
PROBE = """
from tests.bench import probe
kept = probe.start()
kept.watch_cells(get_ipython())
"""
DASHBOARD = "import kis_nb\nd = kis_nb.dashboard()\nd"
ALL_VIEWS = "유지 02 · 본정산 2"


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each phase."""
    phases = dict.fromkeys(phase for run in runs for phase in run)
    return {phase: statistics.median(run.get(phase, 0.0) for run in runs) for phase in phases}


def column(
    title: str,
    plain: Callable[[], float],
    probed: Callable[[], tuple[dict[str, float], float]],
    rounds: int,
) -> Column:
    """One column, from alternate runs; prints how well the two agree.

    Args:
        title: for what is printed.
        plain: runs it without instruments; gives the seconds it took.
        probed: runs it with them; gives the seconds by phase and in all.
        rounds: how many of each.
    """
    plain()
    alone, runs = [], []
    for _ in range(rounds):
        alone.append(plain())
        phases, whole = probed()
        runs.append(phases | {"other": whole - sum(phases.values())})
    spent, total = medians(runs), statistics.median(alone)
    print(
        f"    {title}: {total * 1000:.0f} ms; with instruments the phases add up to "
        f"{sum(spent.values()) * 1000:.0f} ms",
        flush=True,
    )
    return spent, total


# --- a command ------------------------------------------------------------------------------


@contextmanager
def keys_of(at: BrokerProcess) -> Iterator[dict[str, str]]:
    """The environment variables of a user of this broker, with an empty folder for tokens."""
    with TemporaryDirectory() as folder:
        yield {
            "KIS_APP_KEY": at.app_key,
            "KIS_APP_SECRET": at.app_secret,
            "KIS_ACCOUNTS": ACCOUNT,
            "KIS_BASE_URL": at.address,
            "KIS_NB_CACHE_DIR": folder,
            "KIS_NB_DEMO": "",
            "HOME": folder,
        }


def run_command(keys: Mapping[str, str], extra: Mapping[str, str], *, forget: bool) -> float:
    """Seconds of one `kis-nb balance`, from the fork to its end; `forget` takes its token away."""
    if forget:
        for path in Path(keys["KIS_NB_CACHE_DIR"]).glob("token-*"):
            path.unlink()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("KIS_")} | {
        "PYTHONPATH": str(TREE),
        **keys,
        **extra,
    }
    script = Path(sys.executable).with_name("kis-nb")
    begin = time.monotonic()
    done = subprocess.run(
        [sys.executable, script, "balance"], env=environment, check=True, capture_output=True
    )
    seconds = time.monotonic() - begin
    assert len(done.stdout.splitlines()) > POSITIONS
    return seconds


def command(title: str, at: BrokerProcess, rounds: int, *, forget: bool = False) -> Column:
    """A column about `kis-nb balance`."""
    with keys_of(at) as keys, TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        end = Path(folder) / "end.json"
        probe = {"PYTHONPATH": f"{folder}:{TREE}", "KIS_BENCH_END": str(end)}

        def probed() -> tuple[dict[str, float], float]:
            begin = time.monotonic()
            run_command(keys, probe, forget=forget)
            over = time.monotonic()
            found = json.loads(end.read_text(encoding="utf-8"))
            segments: list[Segment] = [
                *found["segments"],
                (begin, found["began"], "interpreter", 0),
                (found["ended"], over, "interpreter", 0),
            ]
            return split(segments, begin, over), over - begin

        def plain() -> float:
            return run_command(keys, {}, forget=forget)

        return column(title, plain, probed, rounds)


def calls_of_a_command(at: BrokerProcess) -> int:
    """How many calls a `kis-nb balance` with a stored token makes."""
    with keys_of(at) as keys, TemporaryDirectory() as folder:
        (Path(folder) / "sitecustomize.py").write_text(SITE, encoding="utf-8")
        end = Path(folder) / "end.json"
        for _ in range(2):
            probe = {"PYTHONPATH": f"{folder}:{TREE}", "KIS_BENCH_END": str(end)}
            run_command(keys, probe, forget=False)
        return len(json.loads(end.read_text(encoding="utf-8"))["calls"])


# --- the page -------------------------------------------------------------------------------


def first_dashboard(lab: Lab, at: BrokerProcess, rounds: int) -> tuple[Column, int]:
    """A dashboard in a cold kernel, to its first chart; and the calls of all its four views."""
    counts: list[int] = []
    chart = CHARTS["pnl"]
    with keys_of(at) as keys:

        def opened(start: str) -> Page:
            cells = [SETTINGS.format(settings=keys) + start, DASHBOARD]
            page = lab.open(cells, width=WIDTH, height=HEIGHT)
            lab.run_cell(0)
            return page

        def plain() -> float:
            opened("")
            (ms,) = paint(lab, 1, [chart])
            check_tree(lab)
            return ms / 1000

        def probed() -> tuple[dict[str, float], float]:
            page = opened(PROBE)
            with profiled(page) as profile:
                (ms,) = paint(lab, 1, [chart])
                begin = profile.moment(begun(page))
            end = begin + ms / 1000
            page.locator(CHARTS["views"]).filter(has_text=ALL_VIEWS).first.wait_for()
            lab.wait_idle()
            # As a text, since IPython shortens long lists.
            asked = "__import__('json').dumps([kept.segments, kept.calls])"
            segments, calls = json.loads(ast.literal_eval(lab.kernel_value(asked)))
            counts.append(len(calls))
            return split([*segments, *profile.segments], begin, end), ms / 1000

        found = column("dashboard", plain, probed, rounds)
    return found, round(statistics.median(counts))


def click(lab: Lab, at: BrokerProcess, count: int) -> Column:
    """A click on a code, to the repainted first chart. The page holds the rows, so that no click
    waits for the kernel.
    """
    radio, texts = ".kis-excc-stat-cd input", ("정산 1", "본정산 2")
    with keys_of(at) as keys:
        cells = [SETTINGS.format(settings=keys), DASHBOARD]
        page = lab.open(cells, width=WIDTH, height=HEIGHT)
        lab.run_all()
        page.locator(CHARTS["views"]).filter(has_text=ALL_VIEWS).first.wait_for()
        number = 0

        def one() -> float:
            nonlocal number
            number += 1
            place = number % 2
            asked = [[radio, place], ".kis-pnl svg", texts[place]]
            ms: float = page.evaluate(clicks.MEASURE, asked)
            return ms / 1000

        def plain() -> float:
            page.wait_for_timeout(800)
            return one()

        def probed() -> tuple[dict[str, float], float]:
            page.wait_for_timeout(800)
            with profiled(page) as profile:
                seconds = one()
                begin = profile.moment(begun(page))
            return split(profile.segments, begin, begin + seconds), seconds

        for _ in range(4):
            plain()
        return column("click", plain, probed, count)


# --- the table ------------------------------------------------------------------------------

NOTES: dict[Lang, str] = {
    "en": (
        "On a real wire add a round trip for each call: a pull of {positions} positions makes "
        "{pull} calls one after another, and the dashboard's first chart waits for no other; its "
        "four views take {views}."
    ),
    "ko": (
        "실제 회선에서는 호출마다 왕복 시간이 더해집니다. 종목 {positions}개의 조회는 차례로 "
        "{pull}번 호출하며, 대시보드의 첫 차트는 이 호출만 기다립니다. 네 가지 조회를 모두 "
        "마치는 데에는 {views}번이 듭니다."
    ),
}


def main(rounds: int, files: Sequence[Path] = ()) -> None:
    """Print the table, and write it into these guides."""
    rows, settings = {ACCOUNT: POSITIONS}, {"calls_per_second": 0}
    # A token is asked for again and again.
    tokens = {"token_interval": 0.0, "lock_after": None}
    with (
        broker_process(rows, [], **settings, **tokens) as near,
        broker_process(rows, [], **settings, **tokens, latency=FAR_SECONDS) as far,
        one_lab() as lab,
    ):
        pull = calls_of_a_command(near)
        columns = [
            command("kis-nb balance", near, rounds),
            command("without a token", near, rounds, forget=True),
            command("60 ms a call", far, rounds),
        ]
        dashboard, views = first_dashboard(lab, near, max(3, rounds // 3))
        columns += [dashboard, click(lab, near, rounds)]
    calls = {"positions": POSITIONS, "pull": pull, "views": views}
    found: dict[Lang, list[str]] = {
        lang: [*table(columns, lang), "", note.format(**calls)] for lang, note in NOTES.items()
    }
    print("\n".join(found["en"]), flush=True)
    apart = [abs(sum(spent.values()) / total - 1) for spent, total in columns]
    if files and max(apart) > AGREE:
        raise SystemExit("phases and totals do not agree: the machine had other work; try again")
    for path in files:
        write(path, MARK, found["ko" if ".ko" in path.suffixes else "en"])
