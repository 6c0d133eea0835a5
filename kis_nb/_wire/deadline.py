"""One deadline for a whole answer, kept where its bytes come in.

Bytes wing, below `_http`: imports nothing of ours.

A socket's timeout begins anew with every piece that comes, so an answer in small enough pieces
would never end: byte by byte in its status line or headers, as "100 Continue" without end, or in
its body. The deadline runs in real time, as the socket's timeout does.
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

# An answer may take as many of the socket's timeouts as this.
_WHOLE_ANSWER = 4
# A page is some 10 kB: read in one piece it costs what http.client's own reading costs.
_PIECE = 32 * 1024


class TooSlow(Exception):
    """The time for a whole answer is up.

    None of urllib3's or requests' errors, so that neither takes it for a single read's timeout;
    both close the connection over it as over any other.
    """


class _Received(io.RawIOBase):
    """What a socket receives until the deadline."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        patience = sock.gettimeout()
        assert patience is not None  # every request has its timeouts
        self._patience = patience
        self._end = time.monotonic() + _WHOLE_ANSWER * patience
        self._raw = raw
        self._sock = sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TooSlow
        if left >= self._patience:
            return self._raw.readinto(buffer)
        self._sock.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            raise TooSlow from None

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Answer(http.client.HTTPResponse):
    """An answer with a deadline; a proxy's to CONNECT is one too, and has its own."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Received(self.fp.detach(), sock), _PIECE)


class Adapter(HTTPAdapter):
    """Connections whose answers have a deadline, whatever proxy they go through.

    An answer that is not whole by then raises `TooSlow`.
    """

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _timed(pool.ConnectionCls)
        return pool


@cache
def _timed(connection: Any) -> Any:
    """A class of connections (plain, TLS, SOCKS) that reads its answers by `_Answer`."""
    if issubclass(connection.response_class, _Answer):
        return connection
    return type(connection.__name__, (connection,), {"response_class": _Answer})
