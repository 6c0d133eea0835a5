"""The master files that the broker serves: their form, and that they hold every contract."""

from __future__ import annotations

import io
import zipfile
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
import requests

from kis_nb._frames.products import read_product
from kis_nb.demo import Book, Broker
from kis_nb.demo.contracts import Instrument
from kis_nb.demo.listings import listed
from kis_nb.demo.sessions import trading_day

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conftest import Clock, Raw

    Maker = Callable[[Broker], Raw]

INDEX = "fo_idx_code_mts.mst"
COMMODITY = "fo_com_code.mst"
# What a name begins with, by the file's kind (docs/sources.md, "Codes and names").
BEGINS = {
    "1": "F ",
    "2": "SP ",
    "3": "코스닥150F ",
    "5": "C ",
    "6": "P ",
    "B": "미니F ",
    "D": "미니C ",
    "E": "미니P ",
    "J": "코스닥150C ",
    "K": "코스닥150P ",
    "L": "위클리C ",
    "M": "위클리P ",
    "N": "위클리M C ",
    "O": "위클리M P ",
    "P": "코스닥위클리C ",
    "Q": "코스닥위클리P ",
    "R": "코스닥위클리M C ",
    "S": "코스닥위클리M P ",
}


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that reads no proxy settings."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def fetched(session: requests.Session, broker: Broker, name: str) -> list[str]:
    """The file's lines, asked for without key, token or any other header of KIS's."""
    answer = session.get(f"{broker.address}/common/master/{name}.zip", timeout=10)
    assert answer.status_code == 200
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert packed.namelist() == [name]
        return packed.read(name).decode("cp949").splitlines()


def test_the_index_file(session: requests.Session, clock: Clock) -> None:
    """Nine columns; names, strikes and ranks as in docs/sources.md, "Master files"."""
    with Broker(clock=clock) as broker:
        lines = fetched(session, broker, INDEX)
    assert "1|A01612|KR4A016C0004|F 202612| |00000.00|1|2001|KOSPI200" in lines
    rows = [line.split("|") for line in lines]
    assert {len(row) for row in rows} == {9}
    assert {row[0] for row in rows} == set(BEGINS)
    ranks = Counter(row[6] for row in rows if row[0] == "1")
    assert ranks == {"1": 1, "2": 1, "3": 1, "4": 1}
    for kind, code, number, name, atm, strike, rank, underlying, label in rows:
        assert name.startswith(BEGINS[kind])
        assert number.startswith(f"KR4{code[:3]}")
        assert (underlying, label) in {("2001", "KOSPI200"), ("3003", "KSQ150")}
        if code[0] in "BC":
            assert code[0] == ("B" if kind in "5DJLNPR" else "C")
            assert atm in {"1", "2", "3"}
            assert rank == " "
            assert Decimal(name[-7:].strip().replace(",", "")) == Decimal(strike) > 0
            assert len(strike) == 8
            if Decimal(strike) < 1_000:
                assert code[-3:] == str(int(Decimal(strike)))
        else:
            assert (atm, strike) == (" ", "00000.00")
    both = [Decimal(row[5]) for row in rows if row[1].startswith("B01612")]
    assert min(both) < 1_000 < max(both)


def test_the_commodity_file(session: requests.Session, clock: Clock) -> None:
    """Fixed width: read by characters as the samples do, and by bytes, it tells the same."""
    with Broker(clock=clock) as broker:
        lines = fetched(session, broker, COMMODITY)
    first = lines[0]
    assert (first[2:11].strip(), first[11:23], first[23:55].strip()) == (
        "A75612",
        "KR4A756C0008",
        "미국달러 F 202612",
    )
    for rank, line in enumerate(lines, 1):
        by_byte = line.encode("cp949")[23:55].decode("cp949").strip()
        assert by_byte == line[23:55].strip()
        assert by_byte.startswith("미국달러 F 20")
        tail = line[55:].lstrip()
        assert (tail[8:9], tail[9:12]) == (str(rank % 10), "USD")


@pytest.mark.parametrize("days", [0, 40])
def test_every_position_is_in_the_files(session: requests.Session, clock: Clock, days: int) -> None:
    """Whatever an account of today's codes holds is listed, with its name and number."""
    clock.advance(days * 86_400)
    with Broker(book=Book.sized({"80012345-03": 700}), clock=clock) as broker:
        told = {
            (row[1], row[2], row[3])
            for row in (line.split("|") for line in fetched(session, broker, INDEX))
        } | {
            (line[2:11].strip(), line[11:23], line[23:55].strip())
            for line in fetched(session, broker, COMMODITY)
        }
        view = broker.book.view("80012345-03", int(clock()))
        rows = view.rows(0, len(view), purchase=False, new=True)
    held = {(row["shtn_pdno"], row["pdno"], row["prdt_name"]) for row in rows}
    assert len(held) == 700
    assert held <= told
    assert len(told) == len(listed(trading_day(int(clock()))))


def test_files_cost_no_call_and_no_key(session: requests.Session, raw: Maker, clock: Clock) -> None:
    """Fetching them takes nothing from a key's calls a second; the same bytes come all day."""
    with Broker(clock=clock, monotonic=clock, calls_per_second=1) as broker:
        url = f"{broker.address}/common/master/{INDEX}.zip"
        one, two = (session.get(url, timeout=10).content for _ in range(2))
        assert one == two
        assert raw(broker).get().json()["rt_cd"] == "0"
        assert session.post(url, timeout=10).status_code == 405
        clock.advance(2 * 86_400)
        assert session.get(url, timeout=10).content != one


def test_old_codes_are_not_listed(clock: Clock) -> None:
    """The file knows a contract by today's codes alone."""
    assert not any(contract.old for contract in listed(trading_day(int(clock()))))
    assert isinstance(listed(trading_day(int(clock())))[0], Instrument)


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2027, 2, 5), date(2031, 7, 1)])
def test_the_client_reads_what_the_broker_lists(day: date) -> None:
    """Kind, underlying, multiplier, strike and month of every contract, from code and name alone.

    The two were written independently, from docs/sources.md. A last trading day may differ
    where a holiday moves it in a year whose holidays the demo does not know.
    """
    kinds = {"F": "future", "C": "call", "P": "put", "S": "spread"}
    for contract in listed(day):
        read = read_product(contract.short_code, contract.name)
        assert read.kind == kinds[contract.kind]
        assert read.underlying == contract.product.underlying.name
        assert read.multiplier == contract.product.multiplier
        assert (None if read.strike is None else read.strike * 100) == (contract.strike or None)
        if contract.kind != "S":
            assert read.expiry is not None
            assert abs((read.expiry - contract.last_day).days) <= 5
