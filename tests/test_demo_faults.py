"""The embedded broker's scripted faults, and its life: start, stop, connections, threads."""

from __future__ import annotations

import gzip
import socket
import threading
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo.server import Request, Server
from tests.faults import NETWORK, WIRE, Broker, Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Raw

    Maker = Callable[[Broker], Raw]

BIG = "80012345-03"


# --- faults ---------------------------------------------------------------------------------------


def test_faults_hit_the_page_and_number_they_name(raw: Maker, broker: Broker) -> None:
    """Page 2's second and third call fail, all else passes."""
    broker.fault(WIRE["EGW00316"].at(2, times=2))
    broker.fault(Fault(page=3, after=1, status=503, name="late"))
    bare = raw(broker)
    page = bare.get()
    assert [bare.follow(page).status_code for _ in range(3)] == [500, 500, 200]
    page = bare.follow(page)
    assert [bare.follow(page).status_code for _ in range(3)] == [200, 503, 200]
    outcomes = [call.outcome for call in broker.calls]
    assert (outcomes.count("EGW00316"), outcomes.count("late")) == (2, 1)


@pytest.mark.parametrize("name", WIRE)
def test_every_fault_of_the_wire_is_sent(raw: Maker, broker: Broker, name: str) -> None:
    """Each named fault arrives with its status and body once, then all is well."""
    fault = broker.fault(WIRE[name])
    bare = raw(broker)
    ask = bare.ask_token if fault.call == "token" else bare.get
    answer = ask()
    body = fault.body.encode() if isinstance(fault.body, str) else fault.body
    assert (answer.status_code, answer.content) == (fault.status, body)
    assert ask().status_code == 200


def test_the_wire_s_table_is_complete() -> None:
    """Every code of the error table can be scripted."""
    table = """EGW00201 EGW00123 EGW00121 EGW00316 EGW00001 EGW00002 EGW00202 EGW00203 EGW00204
        EGW00300 OPSQ0003 OPSQ1002 SYDB0050 EGW00103 EGW00105 EGW00133 APMP0001 OPSQ2000 OPSQ2001"""
    assert set(table.split()) <= set(WIRE)


@pytest.mark.parametrize("name", NETWORK)
def test_every_fault_of_the_network_is_played(raw: Maker, broker: Broker, name: str) -> None:
    """Each fault breaks, or merely delays, one call; the next is whole."""
    usual: type[Exception] | tuple[type[Exception], ...]
    fails: dict[str, Any] = {
        "reset": requests.ConnectionError,
        "closed": requests.ConnectionError,
        "hang": requests.ReadTimeout,
        "cut body": requests.exceptions.ChunkedEncodingError,
        "half JSON": ValueError,
        "length too short": ValueError,
        "gzip that is none": requests.exceptions.ContentDecodingError,
    }
    broker.fault(NETWORK[name])
    bare = raw(broker)

    def ask() -> str:
        timeout = 0.2 if name == "hang" else 10
        url = broker.address + NIGHT_BALANCE.path
        query = dict.fromkeys(NIGHT_BALANCE.params, "")
        query |= {"CANO": BIG[:8], "ACNT_PRDT_CD": "03", "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}
        answer = requests.get(url, query, headers=bare.headers(), timeout=timeout)
        letter: str = answer.json()["rt_cd"]
        return letter

    if name in fails:
        usual = fails[name]
        with pytest.raises(usual):
            ask()
    else:
        assert ask() == "0"
    assert [call.outcome for call in broker.calls] == [name]


def test_a_page_is_mutated(raw: Maker, broker: Broker) -> None:
    """A normal page is changed on its way, its headers too; the next comes unharmed."""

    def spoil(body: dict[str, Any]) -> None:
        body["output1"][0]["evlu_amt"] = "1,234"

    broker.fault(kind="mutate", change=spoil, headers={"TR_CONT": "M"}, status=201)
    broker.fault(kind="mutate", change=lambda body: {**body, "output2": [body["output2"]]})
    bare = raw(broker)
    first, second, third = bare.get(), bare.get(), bare.get()
    assert (first.status_code, first.headers["tr_cont"]) == (201, "M")
    assert first.json()["output1"][0]["evlu_amt"] == "1,234"
    assert isinstance(second.json()["output2"], list)
    assert isinstance(third.json()["output2"], dict)


def test_bytes_are_sent_as_they_are(raw: Maker, broker: Broker) -> None:
    """Raw bytes with headers of one's own: here a compressed body."""
    packed = gzip.compress(b'{"rt_cd":"9"}')
    broker.fault(body=packed, headers={"Content-Encoding": "gzip"})
    assert raw(broker).get().json() == {"rt_cd": "9"}


# --- life -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.com", ""])  # noqa: S104
def test_only_loopback_is_served(host: str) -> None:
    """Any other address is refused before a socket is made."""
    with pytest.raises(ValueError, match="loopback"):
        Broker(host=host)


@pytest.mark.parametrize("options", [{}, {"host": "localhost"}, {"host": "127.0.0.1"}])
def test_the_socket_is_on_loopback(options: dict[str, Any]) -> None:
    """What the system says that it listens on."""
    with Broker(**options) as broker:
        assert broker._server is not None
        assert broker._server._listener.getsockname()[0] == "127.0.0.1"


def test_stop_leaves_nothing(raw: Maker) -> None:
    """Threads end, hanging calls are let go, and the port closes."""
    before = set(threading.enumerate())
    broker = Broker().start()
    bare = raw(broker)
    bare.get()
    address = urlsplit(broker.address)
    broker.fault(kind="hang", seconds=600)
    failed: list[Exception] = []

    def hang() -> None:
        try:
            bare.get()
        except requests.ConnectionError as error:
            failed.append(error)

    caller = threading.Thread(target=hang)
    caller.start()
    while len(broker.calls) < 2:  # the call is on its way; `stop` comes while it hangs
        caller.join(0.001)
    broker.stop()
    caller.join()
    assert failed
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError), socket.create_connection((address.hostname, address.port), 5):  # noqa: PT011
        pass
    broker.stop()
    with pytest.raises(RuntimeError, match="not started"):
        _ = broker.address


def test_stop_waits_for_the_last_thread() -> None:
    """A call still at work keeps `stop` waiting, so that nothing runs on behind its back."""
    reached, release = threading.Event(), threading.Event()

    def answer(_request: Request, _sock: socket.socket) -> bool:
        reached.set()
        release.wait(10)
        return False

    server = Server("127.0.0.1", 0, answer)
    with socket.create_connection(("127.0.0.1", server.port), 5) as sock:
        sock.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert reached.wait(5)
        stopper = threading.Thread(target=server.stop)
        stopper.start()
        assert sock.recv(1) == b""  # stop has closed the connection, and now waits
        stopper.join(0.05)
        assert stopper.is_alive()
        release.set()
        stopper.join(5)
    assert not stopper.is_alive()


def test_a_broker_starts_again(raw: Maker) -> None:
    """Start twice is one server; after a stop it serves anew, tokens kept."""
    broker = Broker().start()
    assert broker.start().address == broker.address
    broker.stop()
    with broker:
        assert raw(broker).get().status_code == 200


def test_a_client_that_leaves_prints_nothing(
    raw: Maker, broker: Broker, capfd: pytest.CaptureFixture[str]
) -> None:
    """Half requests, nonsense and early hang-ups end quietly, and others are served on."""
    where = urlsplit(broker.address)
    for piece in (
        b"",
        b"GET /",
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n",
    ):
        with socket.create_connection((where.hostname, where.port), 5) as sock:
            sock.sendall(piece)
            if piece.startswith(b"nonsense"):
                assert sock.recv(99).startswith(b"HTTP/1.1 400 ")
    assert raw(broker).get().status_code == 200
    broker.stop()
    assert capfd.readouterr() == ("", "")


def test_a_connection_is_kept_and_closed_as_asked(broker: Broker, raw: Maker) -> None:
    """Many requests on one connection, also sent at once; `Connection: close` ends it."""
    where, bare = urlsplit(broker.address), raw(broker)
    path = bare.get().request.path_url
    lines = "".join(f"{name}: {value}\r\n" for name, value in bare.headers().items())
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n{lines}"
    with socket.create_connection((where.hostname, where.port), 5) as sock:
        sock.sendall(f"{request}\r\n{request}Connection: close\r\n\r\n".encode())
        data = b""
        while piece := sock.recv(65_536):
            data += piece
    assert data.count(b"HTTP/1.1 200 OK") == 2
    assert data.count(b"Connection: close") == 1


def test_many_at_once(broker: Broker, raw: Maker) -> None:
    """Eight threads on one broker get whole pages and no more calls than the second allows."""
    found: list[str] = []

    def ask(bare: Raw) -> None:
        found.extend(bare.get().json()["msg_cd"] for _ in range(5))

    threads = [threading.Thread(target=ask, args=(raw(broker),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert set(found) <= {"KIOK0500", "EGW00201"}
    good = sorted(call.at for call in broker.calls if call.outcome == "ok")
    assert all(later - earlier >= 1 for earlier, later in zip(good, good[20:], strict=False))
