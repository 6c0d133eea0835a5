"""One HTTP exchange: the rate limit before it, its timeouts, and the size of what comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

import requests
import urllib3

from kis_nb._wire.clock import Clock
from kis_nb._wire.deadline import Adapter, TooSlow
from kis_nb._wire.redact import shown_host
from kis_nb._wire.secrets import Hidden, Scrubber

if TYPE_CHECKING:
    from kis_nb._wire.rate_limit import RateLimit

# KIS pages are some 10 kB. A body so much larger is a fault or an attack, and is not read to its
# end: parsed and made into columns, it can take a hundred times its size in memory.
MAX_BODY = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """A request to send. Its repr shows method and path, no header and no parameter."""

    method: Literal["GET", "POST"]
    path: str
    headers: Mapping[str, str] = field(repr=False)
    query: Mapping[str, str] = field(default_factory=lambda: Hidden({}), repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole HTTP response of any status, body decompressed."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NoReply:
    """No whole response came.

    Attributes:
        why: the reason, as part of a sentence, without addresses or secrets.
        again: whether a retry may help.
    """

    why: str
    again: bool = True


# Called with each call of this thread, its outcome, and the seconds that it took: `kis-nb check`
# records them, whatever clients and keys take part.
Observer: TypeAlias = Callable[[Call, Reply | NoReply, float], None]
observer: ContextVar[Observer | None] = ContextVar("observer", default=None)


class Http:
    """Sends calls to one host. Safe to share between threads.

    Args:
        base_url: scheme, host and port.
        timeout: seconds to connect, and to wait for each part of a response.
        rate: waited for before each call.
        clock: for the waits.
        connections: how many are kept open.
        session: for tests.
        scrubber: masks secrets in `host`.

    Attributes:
        host: host and port for people to read: a key pasted into `base_url` is masked in it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout: tuple[float, float],
        rate: RateLimit,
        clock: Clock,
        connections: int = 8,
        session: requests.Session | None = None,
        scrubber: Scrubber | None = None,
    ) -> None:
        self.base_url = base_url
        host = shown_host(base_url)
        self.host = host if scrubber is None else scrubber.scrub(host)
        self.clock = clock
        self.rate = rate
        self._timeout = timeout
        self._session = session or requests.Session()
        # Proxies and certificates of the environment are looked up once, here; requests would do it
        # for every call. With trust_env off it also leaves ~/.netrc alone, whose password would
        # take the place of our token.
        found = self._session.merge_environment_settings(base_url, {}, None, None, None)
        # Plain http goes to this machine only, and through no proxy, which would be another one.
        self._session.proxies = found["proxies"] if base_url.startswith("https:") else {}
        self._session.verify = found["verify"]
        self._session.trust_env = False
        adapter = Adapter(pool_maxsize=connections)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def exchange(self, call: Call, cancel: threading.Event | None = None) -> Reply | NoReply:
        """Wait for the rate limit, send, and read the whole response.

        Returns:
            The response, or why there is none; network errors are not raised.

        Raises:
            Cancelled: `cancel` was set while waiting.
        """
        try:
            with self.rate.slot(cancel):
                begin = self.clock.monotonic()
                reply = self._send(call)
        except KeyboardInterrupt:
            pass
        except TooSlow:
            return NoReply("the answer came too slowly to wait for")
        except (OSError, urllib3.exceptions.HTTPError, UnicodeError) as error:
            return self._explain(error)
        else:
            if (observe := observer.get()) is not None:
                observe(call, reply, self.clock.monotonic() - begin)
            return reply
        # A new one: the interrupted frames hold the headers, and a traceback that shows locals
        # would print them.
        raise KeyboardInterrupt

    def _send(self, call: Call) -> Reply | NoReply:
        with self._session.request(
            call.method,
            self.base_url + call.path,
            params=call.query,
            headers=call.headers,
            data=call.body,
            timeout=self._timeout,
            # A redirect would carry the credentials to another address.
            allow_redirects=False,
            stream=True,
        ) as response:
            parts: list[bytes] = []
            size = 0
            while part := response.raw.read(65536, decode_content=True):
                parts.append(part)
                size += len(part)
                if size > MAX_BODY:
                    return NoReply(f"the answer was larger than {MAX_BODY >> 20} MiB", again=False)
            return Reply(response.status_code, response.headers, b"".join(parts))

    def _explain(self, error: Exception) -> NoReply:
        """What went wrong. The libraries' own texts are not used: they quote the whole address."""
        connect, read = self._timeout
        # A handshake that is cut off, as by a gateway that restarts, says nothing of certificates.
        if isinstance(error, requests.exceptions.SSLError) and "EOF occurred" not in str(error):
            return NoReply(f"the TLS certificate of {self.host} could not be verified", again=False)
        if isinstance(error, requests.exceptions.ProxyError):
            return NoReply("the proxy refused the connection")
        if isinstance(error, requests.ConnectTimeout):
            return NoReply(f"no connection to {self.host} within {connect:g} s")
        if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
            return NoReply(f"no answer within {read:g} s")
        if isinstance(error, requests.ConnectionError):
            causes = str(error)
            if "NameResolution" in causes or "getaddrinfo" in causes:
                return NoReply(f"the name {self.host} could not be looked up")
            if "refused" in causes:
                return NoReply(f"{self.host} refused the connection")
            return NoReply(f"the connection to {self.host} was lost")
        if isinstance(error, requests.exceptions.InvalidHeader | ValueError):
            return NoReply("the request could not be built from these settings", again=False)
        if not isinstance(error, requests.RequestException | urllib3.exceptions.HTTPError):
            return NoReply(
                "the file of certificates that the environment names (REQUESTS_CA_BUNDLE or "
                "CURL_CA_BUNDLE) could not be read",
                again=False,
            )
        return NoReply("the answer was cut off or damaged on the way")

    def close(self) -> None:
        """Close the connections, and leave the app key's rate limit to its other clients."""
        self._session.close()
        self.rate.close()
