"""Bytes to checked frames: 500 pages, 10,000 rows."""

from __future__ import annotations

import json
import multiprocessing
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
import requests

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo import Book, Broker
from tests.bare_http import call_headers, first_query
from tests.bench.timing import compare, line, milliseconds
from tests.factories import decode


def pages(count: int) -> list[bytes]:
    """Bodies as the embedded broker sends them, 20 rows each."""
    account = "80012345-03"
    with Broker(book=Book.sized({account: 100}), calls_per_second=0) as broker:
        headers = call_headers(broker.app_key, broker.app_secret, broker.issue_token())
        query = first_query(account)
        url = broker.address + NIGHT_BALANCE.path
        body = requests.get(url, params=query, headers=headers, timeout=10).json()
    made: list[bytes] = []
    for number in range(count):
        for row in body["output1"]:
            # No two are equal, as in a real account; equal texts would be stored once.
            row["evlu_amt"] = str(int(row["evlu_amt"]) + number)
        made.append(json.dumps(body, ensure_ascii=False).encode())
    return made


def concatenate(bodies: list[bytes]) -> Any:
    """As the official sample does: two pandas frames a page, concatenated onto the last."""
    rows = summaries = None
    for body in bodies:
        page = json.loads(body)
        one, two = pd.DataFrame(page["output1"]), pd.DataFrame(page["output2"], index=[0])
        rows = one if rows is None else pd.concat([rows, one], ignore_index=True)
        summaries = two if summaries is None else pd.concat([summaries, two], ignore_index=True)
    return rows, summaries


def peak(count: int, pipe: Connection) -> None:
    """Send the frames' size and the peak memory of decoding them; run in a process of its own."""
    bodies = pages(count)
    decode(bodies[:40], NIGHT_BALANCE)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = status("VmRSS")
    rows, summary = decode(bodies, NIGHT_BALANCE)
    pipe.send((rows.estimated_size() + summary.estimated_size(), status("VmHWM") - before))


def status(name: str) -> int:
    """A figure of /proc/self/status, in bytes."""
    for entry in Path("/proc/self/status").read_text().splitlines():
        if entry.startswith(name):
            return int(entry.split()[1]) * 1024
    raise KeyError(name)


def main(rounds: int) -> None:
    """All of them."""
    bodies = pages(500)
    assert decode(bodies, NIGHT_BALANCE)[0].height == 10_000
    compare(
        "500 pages to frames / orjson.loads of the same bytes",
        lambda: decode(bodies, NIGHT_BALANCE),
        lambda: [orjson.loads(body) for body in bodies],
        reach="1.8",
        rounds=rounds,
    )
    decoded = min(milliseconds(lambda: decode(bodies, NIGHT_BALANCE)) for _ in range(5))
    slow = milliseconds(lambda: concatenate(bodies))
    line(
        "a pandas frame a page, concatenated / 500 pages to frames",
        slow,
        decoded,
        slow / decoded,
        "≥ 100",
    )
    parsed = min(milliseconds(lambda: [orjson.loads(body) for body in bodies]) for _ in range(5))
    print(
        f"    parsing the JSON alone, with no frame made of it, would be {slow / parsed:.0f} times"
    )
    for small, large in ((5, 50), (50, 500)):
        compare(
            f"{large * 20:,} rows to frames / {small * 20:,} rows",
            partial(decode, bodies[:large], NIGHT_BALANCE),
            partial(decode, bodies[:small], NIGHT_BALANCE),
            reach="10",
            rounds=rounds,
        )
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=peak, args=(500, theirs))
    process.start()
    size, rise = ours.recv()
    process.join()
    line(
        "peak memory of 10,000 rows / the frames' own size (MB)",
        rise / 1e6,
        size / 1e6,
        rise / size,
        "6",
    )
