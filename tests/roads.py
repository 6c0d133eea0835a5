"""A network path to the embedded broker on which everything before a request can fail: the look-up
of a name, the connection, a proxy, and TLS.

The broker itself speaks plain HTTP on loopback, without any of these. A `Road` is one loopback
server that is both the proxy (it answers CONNECT) and the TLS server in front of the broker. Each
connection carries one call, so that every page is asked for on a new one.
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

# No such name: only `Road.open` makes it lead somewhere.
NAME = "gateway.test"
# The broker's faults that an answer gets through unharmed.
HARMLESS = {"slow", "drip", "chunked", "gzip"}


@dataclass(frozen=True)
class Bump:
    """A fault of the network, for the next `times` attempts (None: all) at a place.

    `place` is 0 for the token call, else the page (None: any); `says` is the proxy's answer.
    """

    step: Literal["look-up", "proxy", "tls"]
    says: bytes = b""
    name: str = ""
    place: int | None = None
    times: int | None = 1


PROXY = "HTTP/1.1 {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
# Certificates that must not be trusted: nothing may be sent, and nothing retried.
DISTRUST = ("unknown authority", "another host's certificate", "expired certificate")
BUMPS: dict[str, Bump] = {
    name: replace(bump, name=name)
    for name, bump in {
        "name not found": Bump("look-up"),
        "connection refused": Bump("look-up"),
        "proxy answers 502": Bump("proxy", PROXY.format("502 Bad Gateway").encode()),
        "proxy answers 407": Bump("proxy", PROXY.format("407 Password, please").encode()),
        "proxy hangs up": Bump("proxy"),
        "handshake cut off": Bump("tls"),
        **dict.fromkeys(DISTRUST, Bump("tls")),
    }.items()
}


class Certificates(NamedTuple):
    """The certificates of the TLS server, by fault; "" is the valid one."""

    contexts: dict[str, ssl.SSLContext]
    authority: trustme.CA

    @classmethod
    def make(cls) -> Self:
        """New ones, with an authority of their own."""
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


class Road(Server):
    """A network path to a broker.

    Attributes:
        met: for each attempt of the client the fault that it met, "" when it reached the broker.
        heard: what was sent to each server with an untrusted certificate.
    """

    def __init__(self, broker: Broker) -> None:
        self.met: list[str] = []
        self.heard: SimpleQueue[bytes] = SimpleQueue()
        self._broker = broker
        self._bumps: list[Bump] = []
        self._guard = threading.Lock()
        self._certificates = Certificates.make()
        # Bound, and never listening: connections to it are refused.
        self._deaf = socket.socket()
        self._deaf.bind(("127.0.0.1", 0))
        super().__init__("127.0.0.1", 0, lambda _request, _sock: False)
        self.base_url = f"https://{NAME}:{self.port}"

    @contextmanager
    def open(self) -> Iterator[Self]:
        """Make `NAME` resolve to this server, and no other name; closed at the end."""
        with (
            mock.patch("socket.getaddrinfo", self._look_up(socket.getaddrinfo)),
            self._certificates.authority.cert_pem.tempfile() as self._trusted,
            self._deaf,
        ):
            try:
                yield self
            finally:
                self.stop()

    @contextmanager
    def way(self, *, proxy: bool) -> Iterator[None]:
        """Set the environment so that clients go through this path, by its proxy or directly."""
        through = f"http://{NAME}:{self.port}" if proxy else ""
        environment = {"https_proxy": through, "all_proxy": "", "no_proxy": ""}
        with mock.patch.dict("os.environ", environment, REQUESTS_CA_BUNDLE=self._trusted):
            yield

    def bump(self, bump: Bump, place: int | None, times: int | None) -> None:
        """Script a fault. An attempt meets the first scripted one that fits it."""
        with self._guard:
            self._bumps.append(replace(bump, place=place, times=times))

    def clear(self) -> None:
        """Forget the faults and the attempts."""
        with self._guard:
            self._bumps.clear()
        self.met.clear()

    def _place(self) -> int:
        """The page that is asked for next, by the calls that the broker has answered."""
        place = 0
        for call in self._broker.calls:
            if call.outcome in {"ok", *HARMLESS}:
                place = max(place, call.page + 1)
            elif call.outcome == "SYDB0050":
                place = 1
        return place

    def _meets(self, step: str) -> Bump | None:
        place = self._place()
        with self._guard:
            for number, bump in enumerate(self._bumps):
                if bump.step != step or bump.place not in {None, place} or bump.times == 0:
                    continue
                if bump.times is not None:
                    self._bumps[number] = replace(bump, times=bump.times - 1)
                self.met.append(bump.name)
                return bump
        return None

    def _look_up(self, real: Any) -> Any:
        def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            if host != NAME:
                return real(host, port, *args, **kwargs)
            bump = self._meets("look-up")
            if bump is None:
                return real("127.0.0.1", port, *args, **kwargs)
            if bump.name == "connection refused":
                return real("127.0.0.1", self._deaf.getsockname()[1], *args, **kwargs)
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        return look_up

    def _serve(self, connection: socket.socket) -> None:
        with ExitStack() as after, suppress(OSError):
            after.callback(self._open.pop, threading.current_thread(), None)
            after.enter_context(connection)
            self._carry(connection)

    def _carry(self, connection: socket.socket) -> None:
        if connection.recv(7, socket.MSG_PEEK) == b"CONNECT":
            _read(connection)
            refusal = self._meets("proxy")
            if refusal is not None:
                connection.sendall(refusal.says)
                return
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        bump = self._meets("tls")
        if bump is None:
            with self._certificates.contexts[""].wrap_socket(connection, server_side=True) as tls:
                self._relay(tls)
        elif bump.name == "handshake cut off":
            # What is left unread would turn the end into a reset.
            connection.recv(65_536)
        else:
            sent = b""
            context = self._certificates.contexts[bump.name]
            with suppress(OSError), context.wrap_socket(connection, server_side=True) as tls:
                sent = tls.recv(65_536)
            self.heard.put(sent)

    def _relay(self, tls: socket.socket) -> None:
        self.met.append("")
        # Through a proxy urllib3 leaves Nagle's algorithm on: the token call's body would wait for
        # an acknowledgement that is some 40 ms late.
        if hasattr(socket, "TCP_QUICKACK"):
            tls.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        address = urlsplit(self._broker.address)
        with socket.create_connection((address.hostname, address.port)) as broker:
            broker.sendall(_for_once(_read(tls)))
            while piece := broker.recv(65_536):
                tls.sendall(_for_once(piece))


def _for_once(data: bytes) -> bytes:
    """The same, on a connection that serves one call."""
    return data.replace(b"Connection: keep-alive", b"Connection: close")


def _read(sock: socket.socket) -> bytes:
    """One request."""
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
