"""A proxy and TLS in front of the embedded broker, for failures before a request is sent: name
look-up, connection, proxy, TLS.

The broker itself speaks plain HTTP on loopback, where none of these occurs. A `TlsProxy` is one
loopback server that is both the proxy (it answers CONNECT) and the TLS server in front of the
broker; each connection carries one call, so that every page needs a new one.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self
from unittest import mock
from urllib.parse import urlsplit

import trustme

from kis_nb.demo import Broker
from kis_nb.demo.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator

# No such host: `TlsProxy.open` makes it resolve to the proxy.
NAME = "gateway.test"
# The broker's faults after which the response is whole.
HARMLESS = {"slow", "drip", "chunked", "gzip"}


@dataclass(frozen=True)
class ConnectionFault:
    """A failure of the connection, for the next `times` attempts (None: all) at a call.

    `place` is 0 for the token call, else the page (None: any); `response` is the proxy's.
    """

    step: Literal["look-up", "proxy", "tls"]
    response: bytes = b""
    name: str = ""
    place: int | None = None
    times: int | None = 1


PROXY = "HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Certificates that are not to be trusted: nothing may be sent, and nothing retried.
UNTRUSTED = ("unknown authority", "another host's certificate", "expired certificate")
CONNECTION_FAULTS: dict[str, ConnectionFault] = {
    name: replace(fault, name=name)
    for name, fault in {
        "name not found": ConnectionFault("look-up"),
        "connection refused": ConnectionFault("look-up"),
        "proxy answers 502": ConnectionFault("proxy", PROXY.format("502 Bad Gateway").encode()),
        "proxy answers 407": ConnectionFault(
            "proxy", PROXY.format("407 Password, please").encode()
        ),
        "proxy hangs up": ConnectionFault("proxy"),
        "handshake cut off": ConnectionFault("tls"),
        **dict.fromkeys(UNTRUSTED, ConnectionFault("tls")),
    }.items()
}


class Certificates(NamedTuple):
    """What the TLS server presents, by fault; "" is the valid one."""

    contexts: dict[str, ssl.SSLContext]
    authority: trustme.CA

    @classmethod
    def make(cls) -> Self:
        """New ones."""
        authority, name, past = trustme.CA(), NAME, datetime(2020, 1, 1, tzinfo=UTC)
        shown = {
            "": authority.issue_cert(name),
            "unknown authority": trustme.CA().issue_cert(name),
            "another host's certificate": authority.issue_cert("elsewhere.test"),
            "expired certificate": authority.issue_cert(name, not_before=past, not_after=past),
        }
        contexts = {fault: ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for fault in shown}
        for fault, certificate in shown.items():
            certificate.configure_cert(contexts[fault])
        return cls(contexts, authority)


class TlsProxy(Server):
    """A proxy and TLS server in front of a broker.

    Attributes:
        attempts: for each attempt of the client the fault that it got; "" when it succeeded.
        leaked: what was sent in spite of each certificate that is not to be trusted.
    """

    def __init__(self, broker: Broker) -> None:
        self.attempts: list[str] = []
        self.leaked: SimpleQueue[bytes] = SimpleQueue()
        self._broker = broker
        self._faults: list[ConnectionFault] = []
        self._guard = threading.Lock()
        self._certificates = Certificates.make()
        # Bound and not listening: connections to it are refused.
        self._closed = socket.socket()
        self._closed.bind(("127.0.0.1", 0))
        super().__init__("127.0.0.1", 0, lambda _request, _sock: False)
        self.base_url = f"https://{NAME}:{self.port}"

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Resolve the name to this server, and change nothing else; closed at the end."""
        with (
            mock.patch("socket.getaddrinfo", self._look_up(socket.getaddrinfo)),
            self._certificates.authority.cert_pem.tempfile() as self._trusted,
            self._closed,
        ):
            try:
                yield self
            finally:
                self.stop()

    @contextmanager
    def environment(self, *, through_proxy: bool) -> Iterator[None]:
        """Environment variables with which clients connect here, through the proxy or directly."""
        through = f"http://{NAME}:{self.port}" if through_proxy else ""
        environment = {"https_proxy": through, "all_proxy": "", "no_proxy": ""}
        with mock.patch.dict("os.environ", environment, REQUESTS_CA_BUNDLE=self._trusted):
            yield

    def script(self, fault: ConnectionFault, place: int | None, times: int | None) -> None:
        """Queue a fault; the first in the queue that matches an attempt applies to it."""
        with self._guard:
            self._faults.append(replace(fault, place=place, times=times))

    def clear(self) -> None:
        """Empty the queue and the list of attempts."""
        with self._guard:
            self._faults.clear()
        self.attempts.clear()

    def _place(self) -> int:
        """The page that the client asks for next, by the broker's calls; 0 for the token call."""
        place = 0
        for call in self._broker.calls:
            if call.outcome in {"ok", *HARMLESS}:
                place = max(place, call.page + 1)
            elif call.outcome == "SYDB0050":
                place = 1
        return place

    def _fault_at(self, step: str) -> ConnectionFault | None:
        place = self._place()
        with self._guard:
            for number, fault in enumerate(self._faults):
                if fault.step != step or fault.place not in {None, place} or fault.times == 0:
                    continue
                if fault.times is not None:
                    self._faults[number] = replace(fault, times=fault.times - 1)
                self.attempts.append(fault.name)
                return fault
        return None

    def _look_up(self, real: Any) -> Any:
        def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            fault = self._fault_at("look-up")
            if fault is None:
                return real("127.0.0.1", port, *args, **kwargs)
            if fault.name == "connection refused":
                return real("127.0.0.1", self._closed.getsockname()[1], *args, **kwargs)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        return look_up

    def _serve(self, connection: socket.socket) -> None:
        with ExitStack() as after, suppress(OSError):
            after.callback(self._open.pop, threading.current_thread(), None)
            after.enter_context(connection)
            self._forward(connection)

    def _forward(self, connection: socket.socket) -> None:
        if connection.recv(7, socket.MSG_PEEK) == b"CONNECT":
            _read(connection)
            refusal = self._fault_at("proxy")
            if refusal is not None:
                connection.sendall(refusal.response)
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        fault = self._fault_at("tls")
        if fault is None:
            with self._certificates.contexts[""].wrap_socket(connection, server_side=True) as tls:
                self._relay(tls)
        elif fault.name == "handshake cut off":
            # What is left unread would turn the end into a reset.
            connection.recv(65_536)
        else:
            sent = b""
            context = self._certificates.contexts[fault.name]
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                sent = tls.recv(65_536)
            self.leaked.put(sent)

    def _relay(self, tls: socket.socket) -> None:
        self.attempts.append("")
        # Through a proxy urllib3 leaves Nagle's algorithm on: the token call's body would wait for
        # an acknowledgement that is some 40 ms late.
        if hasattr(socket, "TCP_QUICKACK"):
            tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        address = urlsplit(self._broker.address)
        with socket.create_connection((address.hostname, address.port)) as broker:
            broker.sendall(_close_after(_read(tls)))
            while piece := broker.recv(65_536):
                tls.sendall(_close_after(piece))


def _close_after(data: bytes) -> bytes:
    """The same with ``Connection: close``."""
    return data.replace(b"Connection: keep-alive", b"Connection: close")


def _read(sock: socket.socket) -> bytes:
    """One HTTP request, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(sock)
    head = data.index(b"\r\n\r\n") + 4
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data[:head])
    while len(data) < head + int(length[1] if length else 0):
        data += _some(sock)
    return data


def _some(sock: socket.socket) -> bytes:
    piece = sock.recv(65_536)
    if not piece:
        raise ConnectionError("the client went away")
    return piece
