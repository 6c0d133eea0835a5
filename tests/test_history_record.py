"""Nights recorded from the embedded broker by a scripted clock, with faults, and what is said."""

from __future__ import annotations

import io
import threading
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._errors import HistoryError
from kis_nb._history.record_lines import StreamLines
from kis_nb._history.recorder import interval_for
from kis_nb._history.schedule import Ticks, night_at_or_after, period
from kis_nb._seoul import KST
from tests.factories import make_balance
from tests.faults import WIRE, Broker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kis_nb._client import Client
    from tests.conftest import Clock, Fast

pytestmark = pytest.mark.usefixtures("own_environment")


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
        self.history = kis_nb.history(path / "kept")
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
) -> Any:
    """Monday evening, ten to six."""
    clock.now = kst("2026-11-23 17:50")
    with Broker(clock=clock, calls_per_second=0, token_interval=0, token_repeat=0) as broker:
        yield Night(clock, fast, client_of, broker, tmp_path)


def test_a_night_is_recorded_whole(night: Night) -> None:
    """Waits for 18:00, then a snapshot of each account at every tick to 06:00, in the day's
    partition, merged at the end.
    """
    done = night.record()
    accounts = len(night.client.accounts)
    assert (done.snapshots, done.missed.height, done.every) == (accounts * 73, 0, 600)
    kept = night.kept()
    assert kept.height == accounts * 73
    assert kept["date"].unique().to_list() == [datetime(2026, 11, 24).date()]
    times = kept["as_of"].unique().sort()
    assert times[0] == datetime(2026, 11, 23, 9, tzinfo=UTC)
    assert times[-1] == datetime(2026, 11, 23, 21, tzinfo=UTC)
    assert "opens at 18:00:00" in night.said
    assert "none was missed" in night.said
    assert len(night.history.files("summary")) == 1
