"""Nights recorded from the embedded broker by a scripted clock, with faults, and what is said."""

from __future__ import annotations

import io
import socket
import threading
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._errors import HistoryError
from kis_nb._files import process_lock
from kis_nb._history.record_lines import StreamLines
from kis_nb._history.recorder import interval_for
from kis_nb._history.schedule import Ticks, night_at_or_after, period
from kis_nb._seoul import KST
from kis_nb.demo import Book
from tests.factories import make_balance
from tests.faults import WIRE, Broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kis_nb._client import Client
    from tests.conftest import Clock, Fast

pytestmark = pytest.mark.usefixtures("own_environment")

ACCOUNT, OTHER = "80012345-03", "70045678-03"


def kst(text: str) -> float:
    """Seoul time as seconds since 1970."""
    return datetime.fromisoformat(text).replace(tzinfo=KST).timestamp()


class Night:
    """A broker and a client on one scripted clock, a history, and what the recorder says."""

    def __init__(
        self, clock: Clock, fast: Fast, client_of: Callable[..., Client], broker: Broker, path: Path
    ) -> None:
        self.clock = clock
        self.fast = fast
        self.broker = broker
        self.client = client_of(broker)
        self.client_of = client_of
        self.path = path / "kept"
        self.history = kis_nb.history(self.path)
        self.out = io.StringIO()

    def record(self, every: float = 600, **more: Any) -> Any:
        """Record on this clock."""
        more = {"lines": StreamLines(self.out, self.fast), **more}
        return self.history.record(self.client, every, **more)

    def at(self, text: str, do: Callable[[], Any]) -> None:
        """Have something done once the clock has come to a time."""
        when, advance = kst(text), self.clock.advance
        done: list[bool] = []

        def advanced(seconds: float) -> None:
            if not done and self.clock.now + seconds >= when:
                done.append(True)
                do()
            advance(seconds)

        self.clock.advance = advanced  # type: ignore[method-assign]

    @property
    def said(self) -> str:
        return self.out.getvalue()

    def kept(self) -> pl.DataFrame:
        frame: pl.DataFrame = self.history.summary().sort("as_of").collect()
        return frame


@pytest.fixture
def night(
    clock: Clock, fast: Fast, client_of: Callable[..., Client], tmp_path: Path
) -> Iterator[Night]:
    """Monday evening, ten to six; two accounts with a key each, which move as the market does."""
    clock.now = kst("2026-11-23 17:50")
    with Broker(
        book=Book.sized({ACCOUNT: 4, OTHER: 2}),
        clock=clock,
        calls_per_second=0,
        token_interval=0,
        token_repeat=0,
    ) as broker:
        yield Night(clock, fast, client_of, broker, tmp_path)


def test_a_night_is_recorded_whole(night: Night) -> None:
    """Waits for 18:00, then a snapshot of each account at every tick to 06:00, in the day's
    partition, merged at the end.
    """
    done = night.record()
    assert (done.snapshots, done.missed.height, done.every) == (2 * 73, 0, 600)
    assert done.unmoved == ()
    kept = night.kept()
    assert kept.height == 2 * 73
    assert set(kept["date"]) == {date(2026, 11, 24)}
    assert set(kept["mgna_dvsn"]) == {"02"}
    times = sorted(set(kept["as_of"]))
    assert times[0] == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert times[-1] == datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert times == [times[0] + timedelta(minutes=10) * n for n in range(73)]
    assert len(night.history.files("summary")) == 1
    first, *_, last = night.said.splitlines()
    assert "the night session opens at 18:00:00" in first
    assert "kept 146 snapshot(s)" in last
    assert "none was missed" in last


def test_every_view_is_kept_when_asked_for(night: Night) -> None:
    """Both margins and both bases of one account."""
    both = {"mgna_dvsn": ("01", "02"), "excc_stat_cd": (1, 2)}
    done = night.record(3600, accounts=ACCOUNT, **both)
    views = night.kept().group_by("mgna_dvsn", "excc_stat_cd").len()
    assert done.snapshots == 4 * 13
    assert sorted(views.rows()) == [(m, e, 13) for m in ("01", "02") for e in ("1", "2")]


def test_a_night_with_faults_is_kept_and_says_what_it_missed(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rate refusals, 500s, a token that is refused, and no DNS: every other tick is there, and each
    gap has its times and its reason.
    """
    for text, name in (("20:05", "EGW00201"), ("22:05", "HTML 503")):
        fault = replace(WIRE[name], times=None)
        night.at(f"2026-11-23 {text}", lambda fault=fault: night.broker.fault(fault))  # type: ignore[misc]
        night.at(
            (datetime.fromisoformat(f"2026-11-23 {text}") + timedelta(minutes=20)).isoformat(),
            night.broker.clear_faults,
        )
    night.at("2026-11-24 00:05", night.broker.revoke_tokens)
    look_up = socket.getaddrinfo

    def no_dns() -> None:
        # Open connections need no look-up.
        night.broker.fault(kind="close", times=2)

        def fail(*_: Any, **__: Any) -> Any:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(socket, "getaddrinfo", fail)

    night.at("2026-11-24 02:05", no_dns)
    night.at("2026-11-24 02:25", lambda: monkeypatch.setattr(socket, "getaddrinfo", look_up))
    done = night.record()
    gaps = done.missed.sort("first", "account_label").with_columns(
        pl.col("first", "last").dt.convert_time_zone("Asia/Seoul").dt.strftime("%H:%M")
    )
    assert gaps.select("first", "last", "pulls").unique(maintain_order=True).rows() == [
        ("20:10", "20:20", 2),
        ("22:10", "22:20", 2),
        ("02:10", "02:20", 2),
    ]
    assert gaps.height == 6
    for why, expected in zip(
        gaps["why"], ["EGW00201"] * 2 + ["503"] * 2 + ["127.0.0.1"] * 2, strict=True
    ):
        assert expected in why
    assert done.snapshots == 2 * 73 - 12
    assert night.kept().height == done.snapshots
    assert "; 12 missed:" in night.said
    assert "00*****-03 missing since 20:10:00: CTFN6118R: KIS answered EGW00201" in night.said
    assert ACCOUNT[:8] not in night.said


def test_a_suspended_computer_causes_no_burst(night: Night) -> None:
    """The clock is three hours on all at once: one pull at the next tick, and the gap is named."""
    night.at("2026-11-23 20:05", lambda: setattr(night.clock, "now", kst("2026-11-23 22:54")))
    done = night.record()
    times = sorted(set(night.kept()["as_of"]))
    steps = [after - before for before, after in pairwise(times)]
    assert max(steps) == timedelta(hours=3, minutes=10)
    assert sorted(set(steps))[:-1] == [timedelta(minutes=10)]
    (gap, _) = done.missed.rows(named=True)
    assert gap["pulls"] == 18
    assert "the computer slept" in gap["why"]


def test_a_clock_that_is_set_back_causes_no_silence(night: Night) -> None:
    """An hour back: the ticks of that hour come again, none twice at one moment."""
    back: list[float] = []
    night.fast.monotonic = lambda: night.clock.now + sum(back)  # type: ignore[method-assign]

    def set_back() -> None:
        back.append(3600)
        night.clock.now -= 3600

    night.at("2026-11-23 22:05", set_back)
    done = night.record()
    assert done.snapshots == 2 * (73 + 6)
    assert done.missed.is_empty()


def test_ticks_are_at_whole_intervals() -> None:
    """From Seoul's midnight; one within half an interval of the last pull is left out."""
    start = kst("2026-11-23 18:00:31")
    ticks = Ticks(60, start)
    assert ticks.at_or_before(start) == start - 31
    assert ticks.after(start) == start + 29
    assert ticks.after(start + 29) == start + 89
    assert ticks.after(start + 28.9, since=0.2) == start + 89
    assert ticks.after(start + 28.9, since=59) == start + 29


@pytest.mark.parametrize(
    ("now", "opens", "ends"),
    [
        ("2026-11-23 17:50", "2026-11-23 18:00", "2026-11-24 06:00"),  # Monday
        ("2026-11-24 05:59", "2026-11-23 18:00", "2026-11-24 06:00"),
        ("2026-11-24 06:00", "2026-11-24 18:00", "2026-11-25 06:00"),
        ("2026-11-28 03:00", "2026-11-27 18:00", "2026-11-28 06:00"),  # Friday's night
        ("2026-11-28 12:00", "2026-11-30 18:00", "2026-12-01 06:00"),  # Saturday
        ("2026-12-24 20:00", "2026-12-24 18:00", "2026-12-25 06:00"),  # before Christmas
        ("2026-12-25 20:00", "2026-12-28 18:00", "2026-12-29 06:00"),  # on Christmas
        ("2026-12-30 19:00", "2026-12-30 18:00", "2026-12-31 06:00"),
        ("2026-12-31 19:00", "2027-01-04 18:00", "2027-01-05 06:00"),  # closed at the year's end
    ],
)
def test_nights_follow_the_exchanges_calendar(now: str, opens: str, ends: str) -> None:
    """None on the evening of a day without a day session, holidays included."""
    found = night_at_or_after(kst(now))
    assert (found.opens, found.ends) == (kst(opens), kst(ends))


@pytest.mark.parametrize(
    ("now", "until", "opens", "ends"),
    [
        ("2026-11-23 17:50", "06:00", "2026-11-23 18:00", "2026-11-24 06:00"),
        ("2026-11-23 17:50", "15:45", "2026-11-23 18:00", "2026-11-24 15:45"),
        ("2026-11-23 17:50", "23:00", "2026-11-23 18:00", "2026-11-23 23:00"),
        ("2026-11-24 02:00", "05:00", "2026-11-23 18:00", "2026-11-24 05:00"),
        ("2026-11-24 02:00", "01:00", "2026-11-23 18:00", "2026-11-25 01:00"),
        ("2026-11-23 10:00", "15:45", "2026-11-23 10:00", "2026-11-23 15:45"),
        ("2026-11-28 10:00", "15:45", "2026-11-30 18:00", "2026-12-01 15:45"),
    ],
)
def test_until_is_the_next_such_time(now: str, until: str, opens: str, ends: str) -> None:
    """After the opening; before the session on a trading day it is that day's own time."""
    found = period(kst(now), time.fromisoformat(until))
    assert (found.opens, found.ends) == (kst(opens), kst(ends))


def test_until_that_is_over_is_refused(night: Night) -> None:
    """As is one without a time zone, an interval of nothing, and an account that is none."""
    over = datetime.fromtimestamp(night.clock.now - 1, KST)
    several: tuple[dict[str, Any], ...] = (
        {"until": over},
        {"until": over.replace(tzinfo=None)},
        {"every": 0},
        {"accounts": "99912345-03"},
        {"accounts": []},
        {"mgna_dvsn": "03"},
        {"lang": "fr"},
    )
    for wrong in several:
        with pytest.raises(ValueError, match=r"."):
            night.record(**wrong)
    assert not night.broker.calls


def test_what_does_not_fit_is_said_and_made_longer(night: Night) -> None:
    """45 rows are three pages: one call in four seconds makes twelve of them, and every 10 s is too
    often.
    """
    night.broker.book.resize(ACCOUNT, 45)
    night.client = night.client_of(night.broker, calls_per_second=0.25)
    done = night.record(10, accounts=ACCOUNT, until="18:10")
    assert done.every == 15
    assert "do not fit" in night.said or "does not fit in 10 s; going on every 15 s" in night.said
    assert done.missed["pulls"].sum() <= 1


@pytest.mark.parametrize(("seconds", "least"), [(61, 65), (65, 65), (0.2, 5)])
def test_the_least_interval_is_a_multiple_of_five(seconds: float, least: float) -> None:
    """Rounded up."""
    assert interval_for(seconds) == least


def test_a_token_that_must_be_waited_for_holds_up_its_own_account_alone(night: Night) -> None:
    """The token call is refused for minutes: the other account's ticks are all there."""
    night.broker.fault(replace(WIRE["EGW00103 at the token call"], times=1))
    done = night.record(1800)
    kept = night.kept().group_by("account_label").len()
    assert sorted(kept["len"]) == [24, 25]
    (gap,) = done.missed.rows(named=True)
    assert "EGW00103" in gap["why"]
    assert gap["pulls"] == 1


def test_a_full_disk_costs_snapshots_and_not_the_night(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be written is missed, by its reason; the next ones are kept."""
    append, count = night.history.append, iter(range(1000))

    def full(balance: Any) -> int:
        if next(count) in range(4, 8):
            raise HistoryError("the history at kept: No space left on device")
        return append(balance)

    monkeypatch.setattr(night.history, "append", full)
    done = night.record(1800)
    assert done.snapshots == 2 * 25 - 4
    assert set(done.missed["why"]) == {"not written: the history at kept: No space left on device"}


def test_a_fault_of_ours_costs_one_snapshot(night: Night, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its kind is told, and not its text, which may hold anything."""
    append, count = night.history.append, iter(range(1000))

    def broken(balance: Any) -> int:
        if next(count) == 3:
            raise ZeroDivisionError("800 12345")
        return append(balance)

    monkeypatch.setattr(night.history, "append", broken)
    done = night.record(1800)
    assert done.snapshots == 2 * 25 - 1
    assert done.missed["why"].to_list() == ["ZeroDivisionError"]


def test_a_stop_keeps_what_was_recorded(night: Night) -> None:
    """The summary is told, in Korean here."""
    stop = threading.Event()
    night.at("2026-11-23 20:05", stop.set)
    done = night.record(1800, stop=stop, lang="ko")
    assert done.snapshots == 2 * 5
    assert night.kept().height == done.snapshots
    assert "10건을 기록했습니다. 누락은 없습니다." in night.said


def test_a_night_that_was_stopped_is_merged_before_the_next(night: Night) -> None:
    """A recorder that waits for its session merges the days that are over."""
    earlier = [night.client.balance(ACCOUNT), night.client.balance(OTHER)]
    old = [replace(one, as_of=one.as_of - timedelta(days=400)) for one in earlier]
    night.history.append(old)
    stop = threading.Event()
    night.at("2026-11-23 17:55", stop.set)
    night.record(stop=stop)
    assert [path.name[:6] for path in night.path.glob("summary/*/*.parquet")] == ["merged"]


def test_ctrl_c_keeps_what_was_recorded(night: Night) -> None:
    """And gives it back, as an end does."""

    def press() -> None:
        raise KeyboardInterrupt

    night.at("2026-11-23 20:05", press)
    assert night.record(1800).snapshots == 2 * 5


def test_figures_that_never_move_are_told(night: Night) -> None:
    """On the evening before a long holiday KIS answers, and nothing moves."""
    body: dict[str, dict[str, Any]] = {}

    def freeze(page: dict[str, Any]) -> dict[str, Any]:
        return body.setdefault(page["output1"][0]["cano"], page)

    night.broker.fault(kind="mutate", times=None, change=freeze)
    done = night.record(1800)
    assert done.snapshots == 2 * 25
    assert len(done.unmoved) == 2
    assert "no figure moved" in night.said


def test_a_second_recorder_is_told_and_harmless(night: Night) -> None:
    """It records all the same; the first one is seen by a lock that it holds."""
    with process_lock(night.path / ".recorder.lock", timeout=0):
        night.record(until="18:30")
    assert night.said.count("another recorder is writing") == 1
    night.clock.now = kst("2026-11-24 17:50")
    night.record(until="18:30")
    assert night.said.count("another recorder is writing") == 1
    kept = night.kept()
    assert kept["snapshot"].n_unique() == kept.height


def test_the_accounts_of_a_demo_do_not_mix_with_real_ones(night: Night) -> None:
    """Refused before anything is pulled."""
    night.history.append(make_balance(demo=True))
    with pytest.raises(HistoryError, match="embedded broker"):
        night.record()
    assert not night.broker.calls


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_has_one_line_that_is_rewritten(night: Night) -> None:
    """In a pipe it is a line a quarter of an hour, and one for each change."""
    screen = Terminal()
    night.record(60, until="19:00", lines=StreamLines(screen, night.fast), accounts=OTHER)
    assert screen.getvalue().count("\n") == 3
    assert screen.getvalue().count("\r") >= 60
    night.clock.now = kst("2026-11-24 17:59")
    night.record(60, until="19:00", accounts=OTHER)
    assert len(night.said.splitlines()) == 3 + 4
    night.clock.now = kst("2026-11-25 17:59")
    night.out = io.StringIO()
    night.record(1800, until="19:00", lines=False)
    assert night.said == ""


def test_a_pipe_that_was_closed_does_not_end_the_night(night: Night) -> None:
    """Nobody reads the lines any more; the snapshots are what it is about."""
    lines = StreamLines(night.out, night.fast)
    night.out.close()
    assert night.record(3600, lines=lines).snapshots == 2 * 13
