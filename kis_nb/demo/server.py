"""HTTP/1.1 over a loopback socket: requests in, bytes out, threads that end with `stop`.

Our own because the standard library's server is slow at parsing headers (a client's overhead is
measured against this one), hides the socket that the tests' faults need, and gives no handle on its
threads, none of which may outlive `stop`.
"""

from __future__ import annotations

import ipaddress
import socket
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LIMIT = 65_536  # bytes of a request's head, and of its body


@dataclass(slots=True)
class Request:
    """One HTTP request. Header names are in lower case; secrets stay out of its repr."""

    method: str
    target: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)


class BadRequestError(ValueError):
    """The bytes are no HTTP request that this server accepts."""


def loopback(host: str) -> str:
    """The address to bind for `host`.

    Raises:
        ValueError: it is not this machine's loopback.
    """
    if host == "localhost":
        return "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        address = None
    if address is None or not address.is_loopback:
        raise ValueError(f"the embedded broker listens on loopback only, not on {host!r}")
    return host


class Server:
    """Calls `answer(request, socket)` on a thread per connection until `stop`.

    `answer` sends the response and returns whether the connection stays open.

    Raises:
        ValueError: `host` is not loopback.
        OSError: the port is taken.
    """

    def __init__(
        self, host: str, port: int, answer: Callable[[Request, socket.socket], bool]
    ) -> None:
        host = loopback(host)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{self.port}"
        self._answer = answer
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, name="kis-demo", daemon=True)
        self._acceptor.start()

    def stop(self) -> None:
        """Close every connection and wait for every thread."""
        self._stopped.set()
        # Closing a socket does not wake a thread in accept() on every system; a connection does.
        family, address = self._listener.family, self._listener.getsockname()
        with socket.socket(family) as waker:
            waker.settimeout(1)
            waker.connect_ex(address)
        self._acceptor.join()
        self._listener.close()
        with self._lock:
            threads = dict(self._open)
        for connection in threads.values():
            _shut(connection)
        for thread in threads:
            thread.join()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                # The client hung up before it was accepted, or this process has no descriptor left.
                self._stopped.wait(0.01)
                continue
            if self._stopped.is_set():
                connection.close()
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._serve, args=(connection,), name="kis-demo-call", daemon=True
            )
            with self._lock:
                self._open[thread] = connection
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        rest = b""
        try:
            while not self._stopped.is_set():
                found = _read(connection, rest)
                if found is None:
                    return
                request, rest = found
                if not self._answer(request, connection):
                    return
        except BadRequestError:
            _refuse(connection)
        except OSError:
            return  # the client went away; nobody reads an answer
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)
            connection.close()


def _shut(connection: socket.socket) -> None:
    """Wake the thread that reads from it; it then closes the connection."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already gone


def _refuse(connection: socket.socket) -> None:
    """Send 400; the connection is closed after it."""
    try:
        connection.sendall(
            b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
    except OSError:
        return


def _read(connection: socket.socket, data: bytes) -> tuple[Request, bytes] | None:
    """The next request and the bytes after it; None when the client has closed.

    Raises:
        BadRequestError: the bytes are no plain HTTP/1 request, or longer than 64 KiB.
        OSError: the connection broke.
    """
    while (end := data.find(b"\r\n\r\n")) < 0:
        if len(data) > _LIMIT:
            raise BadRequestError("head too long")
        piece = connection.recv(_LIMIT)
        if not piece:
            return None
        data += piece
    lines = data[:end].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequestError("no HTTP/1 request line")
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise BadRequestError("no header line")
        headers[name.lower()] = value.strip(" \t")
    if parts[2] == "HTTP/1.0":
        headers.setdefault("connection", "close")
    length = headers.get("content-length", "0")
    if not length.isdecimal() or int(length) > _LIMIT or "transfer-encoding" in headers:
        raise BadRequestError("no plain body")
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    stop = end + 4 + int(length)
    while len(data) < stop:
        piece = connection.recv(_LIMIT)
        if not piece:
            return None
        data += piece
    return Request(parts[0], parts[1], headers, data[end + 4 : stop]), data[stop:]
