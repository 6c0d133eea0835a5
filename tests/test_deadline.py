"""The deadline of a whole answer, against senders that never pause long enough for a timeout."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from kis_nb._wire.clock import Clock
from kis_nb._wire.http import Call, Http, NoReply
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Hidden
from kis_nb.demo.server import Request, Server
from tests.faults import NETWORK, Broker
from tests.tls_proxy import TlsProxy

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

# A busy machine may hold up the sender, or us, for tenths of a second: then it is a timeout.
PATIENCE = 0.5
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GET = Call("GET", "/x", Hidden({}))
TOO_SLOW = NoReply("the answer came too slowly to wait for", again=True)


class Dripping(Server):
    """Begins each answer, goes on with piece after piece, and falls silent after some seconds."""

    def __init__(self, begin: bytes, piece: bytes, silent_after: float) -> None:
        self.said = (begin, piece, silent_after)
        super().__init__("127.0.0.1", 0, self.drip)

    def drip(self, _request: Request, sock: socket.socket) -> bool:
        begin, piece, silent_after = self.said
        sock.sendall(begin)
        end = time.monotonic() + silent_after
        while time.monotonic() < end:
            sock.sendall(piece)
            time.sleep(0.005)
        return sock.recv(1) != b""  # until the client goes away


def ask(address: str, timeout: tuple[float, float], call: Call = GET) -> tuple[NoReply, float]:
    """Why no answer came, and the seconds until that was known."""
    clock = Clock()
    http = Http(address, timeout=timeout, rate=RateLimit(9, clock), clock=clock)
    begin = time.monotonic()
    reply = http.exchange(call)
    http.close()
    assert isinstance(reply, NoReply)
    return reply, time.monotonic() - begin


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        pytest.param(b"", b"H", id="status line"),
        pytest.param(OK + b"X: ", b"x", id="header"),
        pytest.param(b"", b"HTTP/1.1 100 Continue\r\n\r\n", id="continue"),
        pytest.param(OK + b"Content-Length: 9999\r\n\r\n", b"x", id="body"),
        pytest.param(CHUNKED, b"1\r\nx\r\n", id="chunks"),
        pytest.param(CHUNKED + b"0\r\n", b"X: x\r\n", id="trailers"),
    ],
)
def test_an_answer_that_trickles_in_ends_at_the_deadline(begin: bytes, piece: bytes) -> None:
    """Whichever of its parts has no end."""
    server = Dripping(begin, piece, 3.0)
    reply, seconds = ask(server.address, (1, PATIENCE))
    server.stop()
    assert reply == TOO_SLOW
    assert seconds >= 4 * PATIENCE


def test_a_silence_does_not_put_the_deadline_off() -> None:
    """What is left until then is less than the time to read, and is all that is waited."""
    server = Dripping(b"", b"H", 3.5 * PATIENCE)
    reply, _ = ask(server.address, (1, PATIENCE))
    server.stop()
    assert reply == TOO_SLOW


@pytest.fixture
def tls_proxy() -> Iterator[TlsProxy]:
    broker = Broker()
    with TlsProxy(broker).open() as opened, broker:
        broker.fault(replace(NETWORK["drip head"], seconds=3, times=None, call="any"))
        yield opened


@pytest.mark.parametrize("proxy", [False, True])
def test_tls_and_proxies_put_no_deadline_off(tls_proxy: TlsProxy, *, proxy: bool) -> None:
    """Each kind of connection reads its answers with it."""
    call = Call("POST", "/oauth2/tokenP", Hidden({}))
    with tls_proxy.environment(through_proxy=proxy):
        reply, _ = ask(tls_proxy.base_url, (1, PATIENCE), call)
    assert reply == TOO_SLOW
    assert tls_proxy.attempts == [""]


def test_a_proxys_own_answer_has_a_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted in the time to connect."""
    server = Dripping(OK, b"X: x\r\n", 3.0)
    monkeypatch.setenv("https_proxy", server.address)
    monkeypatch.setenv("no_proxy", "")
    reply, _ = ask("https://gateway.test", (PATIENCE, 60))
    server.stop()
    assert reply == TOO_SLOW
