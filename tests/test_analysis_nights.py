"""What is recorded and backfilled of the embedded broker, explained to the won."""

from __future__ import annotations

import io
from datetime import date, datetime
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

import kis_nb
from kis_nb import analysis
from kis_nb._history.record_lines import StreamLines
from kis_nb._seoul import KST
from tests.demo_accounts import ACCOUNTS, Moment, attribution, closings
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kis_nb._client import Client
    from tests.conftest import Clock, Fast

OF_POSITIONS = ("price", "quantity", "realized")


def test_a_recorded_night_among_filled_days_is_explained(
    clock: Clock,
    fast: Fast,
    client_of: Callable[..., Client],
    own_environment: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    """Over a quarterly expiry, in all four views, each item is what the raw balances add up to."""
    clock.now = datetime(2026, 12, 9, 17, 50, tzinfo=KST).timestamp()
    labels = {f"{each[:3]}*****{each[-3:]}": each for each in ACCOUNTS}
    history = kis_nb.history(tmp_path / "kept")
    with Broker(
        clock=clock, monotonic=lambda: 0, calls_per_second=0, token_interval=0, token_repeat=0
    ) as broker:
        client = client_of(broker)
        views = {"mgna_dvsn": ["01", "02"], "excc_stat_cd": ["1", "2"]}
        lines = StreamLines(io.StringIO(), fast)
        history.record(client, 6 * 3_600, lines=lines, **views)  # type: ignore[arg-type]
        clock.now = datetime(2026, 12, 11, 19, tzinfo=KST).timestamp()
        history.backfill(client, date(2026, 12, 9), date(2026, 12, 11), progress=False)
        positions, summary = history.positions().collect(), history.summary().collect()
        moments = summary.filter(pl.col("account_label") == next(iter(labels)))["as_of"].sort()
        chosen = [moments[at] for at in (0, 1, 4, -3, -1)]
        told = summary.sort("as_of")
        for span in combinations(chosen, 2):
            found = analysis.collect(analysis.attribution(positions, summary, *span))
            assert found["amount"].null_count() == 0
            for (label,), mine in found.group_by("account_label"):
                own = told.filter(pl.col("account_label") == label)["as_of"]
                ends = [int(own.filter(own <= moment)[-1].timestamp()) for moment in span]
                raw = [Moment.of(broker.book, labels[str(label)], each) for each in closings(*ends)]
                want = attribution(raw)
                have = dict.fromkeys(want, Decimal(0))
                for item, amount in mine.select("item", "amount").rows():
                    name = "pnl" if item in OF_POSITIONS else item
                    if name in have:
                        have[name] += amount
                if "foreign deposit" not in mine["item"].to_list():
                    del want["foreign deposit"], have["foreign deposit"]
                assert have == want
                assert have["remainder"] == 0
