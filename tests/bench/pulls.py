"""Pulls over loopback HTTP, against a bare requests loop that only parses JSON."""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import requests

import kis_nb
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo import Book, Broker
from tests.bare_http import bare_pull, call_headers
from tests.bench.timing import compare, line, milliseconds

SIZES = {"80012345-03": 20, "80012346-03": 237}
GROWING = {"80012347-03": 100, "80012348-03": 1_000, "80012349-03": 10_000}
TWENTY = {f"800100{number:02d}-03": 100 for number in range(20)}
# No limit: neither side may wait for its rate where its work is timed.
UNLIMITED = 1_000_000


@dataclass(frozen=True)
class BrokerProcess:
    """A broker in another process, so that its work does not count as the client's."""

    address: str
    keys: tuple[tuple[str, str, str], ...]
    token: str

    @property
    def app_key(self) -> str:
        return self.keys[0][1]

    @property
    def app_secret(self) -> str:
        return self.keys[0][2]

    def client(self, accounts: dict[str, int], **settings: Any) -> kis_nb.Client:
        usual = {"calls_per_second": UNLIMITED, "token": self.token}
        return kis_nb.connect(
            app_key=self.app_key,
            app_secret=self.app_secret,
            accounts=list(accounts),
            base_url=self.address,
            **{**usual, **settings},
        )

    def headers(self) -> dict[str, str]:
        return call_headers(self.app_key, self.app_secret, self.token)


def serve(pipe: Connection, accounts: dict[str, int], settings: dict[str, Any]) -> None:
    """Run a broker until a message arrives; then send the count of its calls, and of those that it
    refused for their rate.
    """
    with Broker(book=Book.sized(accounts), **settings) as broker:
        pipe.send((broker.address, broker.keys, broker.issue_token()))
        pipe.recv()
        pipe.send((len(broker.calls), sum(call.outcome == "EGW00201" for call in broker.calls)))


@contextmanager
def broker_process(
    accounts: dict[str, int], counts: list[Any], **settings: Any
) -> Iterator[BrokerProcess]:
    """Start one; when it has ended, `counts` gets its calls and the refused ones."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=serve, args=(theirs, accounts, settings), daemon=True)
    process.start()
    try:
        yield BrokerProcess(*ours.recv())
    finally:
        ours.send("stop")
        counts.append(ours.recv())
        process.join()


def single(rounds: int) -> None:
    """One account at a time."""
    everything = SIZES | GROWING
    with (
        broker_process(everything, [], calls_per_second=0, shared_key=True) as at,
        requests.Session() as session,
    ):
        client = at.client(everything)
        url = at.address + NIGHT_BALANCE.path
        headers = at.headers()
        for account, reach in (("80012345-03", "1.5"), ("80012346-03", "1.2")):
            rows = SIZES[account]
            # A figure is worth nothing if the two did not read the same.
            assert client.balance(account).positions.height == rows
            assert len(bare_pull(session, url, headers, account)) == rows
            compare(
                f"pull of {rows} rows / bare requests loop",
                partial(client.balance, account),
                partial(bare_pull, session, url, headers, account),
                reach=reach,
                rounds=3 * rounds,
            )
        for (small, few), (large, many) in pairwise(GROWING.items()):
            assert client.balance(large).positions.height == many
            compare(
                f"pull of {many:,} rows / of {few:,} rows",
                partial(client.balance, large),
                partial(client.balance, small),
                reach="10",
                rounds=rounds // 2,
            )
        cold(at, rounds)
        client.close()


COLD = """
import requests, polars, json, os
base, key, secret, token = os.environ["AT"].split()
session = requests.Session()
query = dict.fromkeys({params!r}, "")
query |= {{"CANO": "80012345", "ACNT_PRDT_CD": "03", "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}}
headers = {{"authorization": "Bearer " + token, "appkey": key, "appsecret": secret,
           "tr_id": "CTFN6118R", "custtype": "P", "tr_cont": ""}}
body = session.get(base + {path!r}, params=query, headers=headers, timeout=10).json()
assert polars.DataFrame(body["output1"]).height == 20
"""


def cold(at: BrokerProcess, rounds: int) -> None:
    """A process that imports, pulls once and ends, with the token already stored."""
    with TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "AT": f"{at.address} {at.app_key} {at.app_secret} {at.token}",
            "KIS_APP_KEY": at.app_key,
            "KIS_APP_SECRET": at.app_secret,
            "KIS_BASE_URL": at.address,
            "KIS_NB_CACHE_DIR": folder,
            "HOME": folder,
        }
        ours = "import kis_nb; assert kis_nb.balance('80012345-03').positions.height == 20"
        bare = COLD.format(params=NIGHT_BALANCE.params, path=NIGHT_BALANCE.path)

        def run(code: str) -> None:
            subprocess.run([sys.executable, "-c", code], env=environment, check=True)

        compare(
            "cold process: import kis_nb, balance() / requests and polars",
            lambda: run(ours),
            lambda: run(bare),
            reach="1.2",
            rounds=rounds,
        )
        assert list(Path(folder).glob("token-*.json"))


def many() -> None:
    """20 accounts × 5 pages at 50 ms, the gateway's limit 20 a second, ours 18."""
    counts: list[Any] = []
    with broker_process(TWENTY, counts, calls_per_second=20, latency=0.05, shared_key=True) as at:
        client = at.client(TWENTY, calls_per_second=18)
        begin = time.perf_counter()
        balances = client.balances()
        seconds = time.perf_counter() - begin
        assert len(balances) == 20
        client.close()
    ((calls, refused),) = counts
    least = (calls - 18) / 18
    line(
        "20 accounts × 5 pages at 18 a second / (calls - 18) / 18 s",
        seconds * 1000,
        least * 1000,
        seconds / least,
        "1.1",
    )
    print(f"    {calls} calls, {refused} refused for their rate (reach 0)")


def a_key_each(rounds: int) -> None:
    """20 accounts × 5 pages at 50 ms, an app key each, against one of them alone."""
    counts: list[Any] = []
    with (
        broker_process(TWENTY, counts, calls_per_second=18, latency=0.05) as at,
        TemporaryDirectory() as folder,
    ):
        keys = [
            {"account": account, "app_key": app_key, "app_secret": app_secret}
            for account, app_key, app_secret in at.keys
        ]
        client = kis_nb.connect(
            keys=keys, base_url=at.address, cache_dir=folder, calls_per_second=18
        )
        ratios, spent = [], []
        # The first round fetches the tokens; between rounds every key's second passes.
        for _ in range(rounds + 1):
            time.sleep(1.1)
            all_of_them = milliseconds(client.balances)
            time.sleep(1.1)
            alone = milliseconds(partial(client.balance, client.accounts[-1]))
            ratios.append(all_of_them / alone)
            spent.append((all_of_them, alone))
        client.close()
    ((calls, refused),) = counts
    ratio = statistics.median(ratios[1:])
    mine, base = (statistics.median(column) for column in zip(*spent[1:], strict=True))
    line("20 accounts × 5 pages, a key each / one such account", mine, base, ratio, "1.5")
    print(f"    {calls} calls, {refused} refused for their rate (reach 0)")


def main(rounds: int) -> None:
    """All of them."""
    single(rounds)
    many()
    a_key_each(rounds // 3)
