"""One deadline for a whole HTTP response, enforced where its bytes are read from the socket.

A socket's timeout starts anew with every piece that arrives, so a response in small enough pieces
would never end: byte by byte in its status line or headers, as "100 Continue" without end, or in
its body. The deadline runs in real time, as the socket's timeout does. Neither requests nor urllib3
has such a deadline.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from functools import cache
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# A whole response may take so many times the socket's timeout.
_TIMEOUTS = 4
# A page is some 10 kB: read in one piece it costs what http.client's own reading costs.
_BUFFER = 32 * 1024


class TooSlow(Exception):
    """The time for a whole response is over.

    Not an error of urllib3 or requests, so that neither takes it for the timeout of a single read;
    both close the connection as for any other exception.
    """


class _Received(io.RawIOBase):
    """The stream of a socket, readable until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        timeout = sock.gettimeout()
        assert timeout is not None  # every request has its timeouts
        self._timeout = timeout
        self._deadline = time.monotonic() + _TIMEOUTS * timeout
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TooSlow
        if left >= self._timeout:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            raise TooSlow from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response with a deadline. A proxy's response to CONNECT has a deadline of its own."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Received(self.fp.detach(), sock), _BUFFER)


class Adapter(HTTPAdapter):
    """Connections whose responses have a deadline, whatever proxy they go through.

    A response that is not whole by then raises `TooSlow`.
    """

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _with_deadline(pool.ConnectionCls)
        return pool


@cache
def _with_deadline(connection: Any) -> Any:
    """The class of connections (plain, TLS, SOCKS) with `_Response` as its response class."""
    if issubclass(connection.response_class, _Response):
        return connection
    return type(connection.__name__, (connection,), {"response_class": _Response})
