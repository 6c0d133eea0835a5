"""The questions on one engine, in a process of its own: seconds, peak memory and bytes read.

Bytes read are what the process (for Spark its Java too) got from read calls; Polars is told not to
map files into memory, where no call would be counted.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["POLARS_FORCE_ASYNC"] = "1"

import kis_nb
from kis_nb import analysis
from tests.bench import history_store

MONTH = 21
COLUMNS = ("date", "as_of", "shtn_pdno", "quantity", "contract_value", "open_value", "open_cost")


def session(name: str) -> Any:
    """The engine's connection; None for Polars."""
    if name == "polars":
        return None
    if name == "duckdb":
        import duckdb

        return duckdb.connect(config={"threads": 2})
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    for key in ("spark.driver.host", "spark.driver.bindAddress"):
        builder = builder.config(key, "127.0.0.1")
    builder = builder.config("spark.sql.shuffle.partitions", "2").config("spark.log.level", "OFF")
    builder = builder.config("spark.ui.showConsoleProgress", "false")
    return builder.config("spark.driver.memory", "3g").getOrCreate()


def questions(root: str, engine: Any, parts: int) -> dict[str, Callable[[], Any]]:
    """Each question, asked anew at each call."""
    history = kis_nb.history(root)
    all_days = history_store.days(parts)
    month: dict[str, Any] = {"start": all_days[-min(MONTH, parts)], "end": all_days[-1]}
    one: dict[str, Any] = {"account": history_store.account(1), **month}

    def both(**where: Any) -> tuple[Any, Any]:
        return history.positions(engine, **where), history.summary(engine, **where)

    def rows() -> Any:
        found = history.positions(engine, **one)
        if engine is not None and hasattr(found, "project"):
            return found.project(", ".join(COLUMNS))
        return found.select(*COLUMNS)

    return {
        "one account's month": rows,
        "equity of all": lambda: analysis.equity(history.summary(engine)),
        "least room a night": lambda: analysis.lowest_room(history.summary(engine)),
        "attribution, one, a month": lambda: analysis.attribution(*both(**one)),
        "attribution, all, a month": lambda: analysis.attribution(*both(**month)),
        "exposure now": lambda: analysis.exposure(*both(start=all_days[-1])),
        "returns of all": lambda: analysis.returns(history.summary(engine)),
    }


def processes() -> Iterator[int]:
    """This one and those below it."""
    waiting = [os.getpid()]
    while waiting:
        one = waiting.pop()
        yield one
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            waiting += map(int, children.read_text().split())


def figure(file: str, name: str) -> int:
    """The sum of a figure of /proc over the processes."""
    found = 0
    for one in processes():
        for line in Path(f"/proc/{one}/{file}").read_text().splitlines():
            if line.startswith(name):
                found += int(line.split()[1])
    return found


def main() -> None:
    """Print one line of JSON a question."""
    root, name, parts, rounds = sys.argv[1:]
    engine = session(name)
    for question, ask in questions(root, engine, int(parts)).items():
        analysis.collect(ask())
        gc.collect()
        for one in processes():
            Path(f"/proc/{one}/clear_refs").write_text("5")
        times: list[float] = []
        height = 0
        before, read = figure("status", "VmRSS"), figure("io", "rchar")
        for _ in range(int(rounds)):
            begin = time.perf_counter()
            height = analysis.collect(ask()).height
            times.append(time.perf_counter() - begin)
        said = {
            "question": question,
            "seconds": min(times),
            "rise": max(figure("status", "VmHWM") - before, 0) * 1024,
            "read": (figure("io", "rchar") - read) // int(rounds),
            "rows": height,
        }
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
