"""Times against baselines taken in the same run, in turns, so that a busy machine slows both.

    python bench [ROUNDS]

Figures are medians in milliseconds; the ratio is the median of the ratios of neighbours. The broker
runs in a process of its own, so that it does not take the client's time.
"""

from __future__ import annotations

import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from multiprocessing.connection import Connection
from typing import Any

import requests

import kis_nb
from kis_nb._fields import NIGHT_BALANCE
from kis_nb.demo import Book, Broker

ACCOUNTS = {"80012345-03": 20, "80012346-03": 237}
# Neither side may wait for its rate: what is timed is the work.
UNHURRIED = 100_000


def serve(pipe: Connection) -> None:
    """A broker without a rate limit, until the other end says so."""
    with Broker(book=Book.sized(ACCOUNTS), calls_per_second=0) as broker:
        pipe.send((broker.address, broker.app_key, broker.app_secret, broker.issue_token()))
        pipe.recv()


def bare_walk(
    session: requests.Session, url: str, headers: dict[str, str], account: str
) -> list[dict[str, str]]:
    """The rows of all pages as JSON gives them, with nothing looked at twice."""
    cano, product = account.split("-")
    query = dict.fromkeys(NIGHT_BALANCE.params, "")
    query |= {"CANO": cano, "ACNT_PRDT_CD": product, "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}
    rows: list[dict[str, str]] = []
    follow = {"tr_cont": ""}
    while True:
        answer = session.get(url, params=query, headers=headers | follow, timeout=10)
        body: dict[str, Any] = answer.json()
        rows += body["output1"]
        if answer.headers["tr_cont"] not in {"F", "M"}:
            return rows
        follow = {"tr_cont": "N"}
        query |= {name: body[name.lower()] for name in NIGHT_BALANCE.cursors}


def start(code: str) -> None:
    """A fresh interpreter that runs a line."""
    subprocess.run([sys.executable, "-c", code], check=True)


def clock(work: Callable[[], object]) -> float:
    """Milliseconds that ``work`` takes."""
    begin = time.perf_counter()
    work()
    return (time.perf_counter() - begin) * 1000


def compare(
    title: str, ours: Callable[[], object], bare: Callable[[], object], rounds: int
) -> None:
    """Print one line of the table."""
    for warm_up in (bare, ours):
        warm_up()
    pairs = [(clock(ours), clock(bare)) for _ in range(rounds)]
    mine, base = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(one / other for one, other in pairs)
    print(f"{title:<44}{mine:>9.1f}{base:>10.1f}{ratio:>9.2f} ×")


def main(rounds: int) -> None:
    """Print the table."""
    ours, theirs = multiprocessing.Pipe()
    broker = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    broker.start()
    address, app_key, app_secret, token = ours.recv()
    print(f"{'':<44}{'kis_nb':>9}{'baseline':>10}{'ratio':>11}   (ms, {rounds} rounds)")
    compare(
        "import kis_nb / a bare interpreter",
        lambda: start("import kis_nb"),
        lambda: start("pass"),
        rounds,
    )
    with (
        requests.Session() as session,
        closing(
            kis_nb.connect(
                app_key=app_key,
                app_secret=app_secret,
                accounts=list(ACCOUNTS),
                base_url=address,
                # One for both: a second one would not be issued within a minute.
                token=token,
                calls_per_second=UNHURRIED,
            )
        ) as client,
    ):
        headers = {
            "authorization": f"Bearer {token}",
            "appkey": app_key,
            "appsecret": app_secret,
            "tr_id": NIGHT_BALANCE.tr_ids[0],
            "custtype": "P",
        }
        url = address + NIGHT_BALANCE.path
        for account, rows in ACCOUNTS.items():
            # A figure is worth nothing if the two did not read the same.
            assert client.balance(account).positions.height == rows
            assert len(bare_walk(session, url, headers, account)) == rows
            compare(
                f"pull of {rows} rows / requests and json alone",
                lambda account=account: client.balance(account),  # type: ignore[misc]
                lambda account=account: bare_walk(session, url, headers, account),  # type: ignore[misc]
                rounds,
            )
    ours.send("stop")
    broker.join()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 21)
