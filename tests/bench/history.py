"""Questions about a long history on Polars, DuckDB and Spark: time, memory, bytes and growth.

python -m tests.bench.history [--rows 10000000] [--parts 1 10 100] [--engines polars duckdb spark]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.bench import history_store

HEAD = (
    f"{'':<34}{'parts':>6}{'ms':>10}{'/Polars':>9}{'+MB':>8}{'MB read':>9}{'of all':>8}{'rows':>10}"
)


def measure(root: Path, engine: str, parts: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Every question in a process of its own for the engine."""
    command = [sys.executable, "-m", "tests.bench.history_child"]
    with subprocess.Popen(
        [*command, str(root), engine, str(parts), str(rounds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL if engine == "spark" else None,
        text=True,
    ) as child:
        assert child.stdout is not None
        yield from (json.loads(line) for line in child.stdout if line.startswith("{"))
    if child.returncode:
        raise SystemExit(f"{engine} ended with {child.returncode}")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--parts", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--engines", nargs="+", default=["polars", "duckdb", "spark"])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    most = max(arguments.parts)
    print(f"{HEAD}   (least of {arguments.rounds} rounds; files cached)")
    for parts in arguments.parts:
        with TemporaryDirectory(prefix="kis-history-") as name:
            root = Path(name) / "history"
            begin = time.perf_counter()
            rows = arguments.rows * parts // most
            accounts = history_store.write(root, rows, parts)
            spent = time.perf_counter() - begin
            sizes = {
                folder: sum(path.stat().st_size for path in (root / folder).rglob("*.parquet"))
                for folder in ("positions", "summary")
            }
            per_row = sizes["positions"] / (accounts * parts * history_store.MINUTES * 5)
            per_summary = sizes["summary"] / (accounts * parts * history_store.MINUTES)
            print(
                f"{accounts} accounts, {parts} days: positions {sizes['positions'] / 1e6:.0f} MB,"
                f" {per_row:.0f} bytes a row; summary {sizes['summary'] / 1e6:.0f} MB,"
                f" {per_summary:.0f} bytes a row; written in {spent:.0f} s",
                flush=True,
            )
            base: dict[str, float] = {}
            for engine in arguments.engines:
                for found in measure(root, engine, parts, arguments.rounds):
                    title, took = found["question"], found["seconds"]
                    base.setdefault(title, took)
                    print(
                        f"{engine + ': ' + title:<34}{parts:>6}{took * 1000:>10.1f}"
                        f"{took / base[title]:>9.2f}{found['rise'] / 1e6:>8.0f}"
                        f"{found['read'] / 1e6:>9.1f}"
                        f"{found['read'] / sum(sizes.values()):>8.1%}{found['rows']:>10}",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
