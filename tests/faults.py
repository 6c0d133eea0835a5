"""The embedded broker with scripted faults: a response replaced, changed, broken or withheld.

A `Fault` is data: which call it applies to and what happens to the response. `WIRE` and `NETWORK`
name every error of the gateway and every failure of the network between, for the campaign to go
through. Failures of the network need the bare socket (a reset, a response cut short, bytes that
trickle in), which is why this is not an ordinary HTTP mock.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb import demo
from kis_nb._schema.margin_detail import MARGIN_DETAIL
from kis_nb._schema.margin_rate import MARGIN_RATE
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._schema.quote import QUOTE
from kis_nb.demo.broker import TOKEN_PATH
from kis_nb.demo.replies import ERRORS, Reply, dump, error, token_error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kis_nb.demo import Call

CallKind: TypeAlias = Literal["balance", "token", "quote", "margin", "rates", "any"]
Kind: TypeAlias = Literal[
    "answer",  # `status`, `headers` and `body` in place of the normal response
    "mutate",  # the normal response through `change`, with `status` and `headers` if given
    "slow",  # the normal response after `seconds`
    "drip",  # the normal response in small pieces over `seconds`
    "trickle",  # the normal response, its status line and headers byte by byte over `seconds`
    "gzip",  # the normal response compressed
    "chunked",  # the normal response in chunks, without a length
    "half",  # half of the body, with the length of that half
    "cut",  # half of the body, with the length of the whole, then closed
    "short",  # the whole body, with half its length
    "close",  # no response, the connection closed
    "reset",  # no response, the connection reset
    "hang",  # no response for `seconds` (or until the broker stops), then closed
]

_PIECES = 20
_KINDS = {
    TOKEN_PATH: "token",
    NIGHT_BALANCE.path: "balance",
    QUOTE.path: "quote",
    MARGIN_DETAIL.path: "margin",
    MARGIN_RATE.path: "rates",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One scripted fault.

    `call` and `page` (from 1; None any) select the calls; the first `after` matching calls are
    answered normally, the next `times` (None: until cleared) get the fault. `change` gets the
    normal body as a dict and returns the body to send, or None after changing it in place.
    """

    kind: Kind = "answer"
    call: CallKind = "balance"
    page: int | None = None
    times: int | None = 1
    after: int = 0
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | str | Mapping[str, Any] = b""
    seconds: float = 0.0
    change: Callable[[dict[str, Any]], dict[str, Any] | None] | None = None
    name: str = ""

    @classmethod
    def exchange(cls, recorded: Mapping[str, Any], **where: Any) -> Fault:
        """The fault that replays a recorded exchange: `status`, `headers`, `body`."""
        return cls(
            status=recorded["status"],
            headers=recorded["headers"],
            body=recorded["body"],
            **where,
        )

    def at(self, page: int | None, *, call: CallKind = "balance", times: int | None = 1) -> Fault:
        """The same fault for other calls."""
        return replace(self, page=page, call=call, times=times)

    def matches(self, call: str, page: int) -> bool:
        """Whether it applies to this call (page 0 for the token call)."""
        return self.call in {call, "any"} and self.page in {None, page}

    def reply(self, normal: Callable[[], Reply]) -> Reply:
        """The response that is sent, where one is: given, or the normal one changed."""
        extra = tuple(self.headers.items())
        if self.kind == "answer":
            body = self.body
            if isinstance(body, str):
                body = body.encode()
            content = body if isinstance(body, bytes) else dump(body)
            return Reply(self.status or 200, extra, content)
        reply = normal()
        if self.status is not None:
            reply = replace(reply, status=self.status)
        named = {name.lower() for name in self.headers}
        kept = tuple(pair for pair in reply.headers if pair[0].lower() not in named)
        reply = replace(reply, headers=(*kept, *extra))
        if self.kind == "mutate" and self.change is not None:
            page = json.loads(reply.body)
            changed = self.change(page)
            reply = replace(reply, body=dump(page if changed is None else changed))
        elif self.kind == "half":
            reply = replace(reply, body=reply.body[: len(reply.body) // 2])
        elif self.kind == "gzip":
            headers = (*reply.headers, ("Content-Encoding", "gzip"))
            reply = replace(reply, headers=headers, body=gzip.compress(reply.body))
        return reply


@dataclass(slots=True)
class _Queued:
    """A fault with the calls that still pass before it, and how often it still applies."""

    fault: Fault
    passing: int
    times: int | None


class Broker(demo.Broker):
    """The embedded broker, whose responses a test can replace. Takes the same arguments."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._faults: list[_Queued] = []

    def fault(self, fault: Fault | None = None, /, **fields: Any) -> Fault:
        """Queue a fault (a `Fault`, or its fields); the first in the queue that matches a call
        applies to it.
        """
        fault = Fault(**fields) if fault is None else fault
        with self._lock:
            self._faults.append(_Queued(fault, fault.after, fault.times))
        return fault

    def replay(self, recorded: Mapping[str, Any], **where: Any) -> Fault:
        """Answer every balance call with a recorded exchange until `clear_faults`."""
        return self.fault(Fault.exchange(recorded, **{"times": None, **where}))

    def clear_faults(self) -> None:
        """Empty the queue."""
        with self._lock:
            self._faults.clear()

    def respond(self, call: Call, answer: Callable[[], Reply], sock: socket.socket) -> bool:
        """Answer with the fault that applies, else normally."""
        fault = self._fault_for(call)
        if fault is None:
            return super().respond(call, answer, sock)
        call.outcome = fault.name or fault.kind
        goes_on, sent = self._play(fault, answer, sock)
        call.status = sent.status if sent else None
        return goes_on and call.keep_alive

    def _fault_for(self, call: Call) -> Fault | None:
        kind = _KINDS.get(call.path)
        if kind is None:
            return None
        with self._lock:
            for place, queued in enumerate(self._faults):
                if not queued.fault.matches(kind, call.page):
                    continue
                if queued.passing:
                    queued.passing -= 1
                    continue
                if queued.times is not None:
                    queued.times -= 1
                    if queued.times <= 0:
                        del self._faults[place]
                return queued.fault
        return None

    def _play(
        self, fault: Fault, normal: Callable[[], Reply], sock: socket.socket
    ) -> tuple[bool, Reply | None]:
        """Do what the fault describes: whether the connection goes on, and the response sent."""
        if fault.kind == "reset":
            # Lingering for 0 seconds makes close() send RST in place of FIN.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False, None
        if fault.kind == "close":
            return False, None
        if fault.kind == "hang":
            self._stopped.wait(fault.seconds)
            return False, None
        reply = fault.reply(normal)
        half = len(reply.body) // 2
        if fault.kind == "slow":
            self._stopped.wait(fault.seconds)
        if fault.kind in {"drip", "trickle"}:
            pieces = _pieces(reply.encode(), whole=fault.kind == "drip")
            for piece in pieces:
                sock.sendall(piece)
                if self._stopped.wait(fault.seconds / len(pieces)):
                    return False, reply
        elif fault.kind == "cut":
            sock.sendall(replace(reply, body=reply.body[:half]).encode(length=len(reply.body)))
            return False, reply
        elif fault.kind == "short":
            sock.sendall(reply.encode(length=half))
        elif fault.kind == "chunked":
            sock.sendall(_chunked(reply))
        else:
            sock.sendall(reply.encode())
        return True, reply


def _pieces(data: bytes, *, whole: bool) -> list[bytes]:
    """A response in some twenty pieces, or with `whole` False byte by byte up to the body."""
    if whole:
        size = max(len(data) // _PIECES, 1)
        return [data[start : start + size] for start in range(0, len(data), size)]
    head = data.index(b"\r\n\r\n")
    return [*(data[at : at + 1] for at in range(head)), data[head:]]


def _chunked(reply: Reply) -> bytes:
    """A response in two chunks, without Content-Length."""
    half = len(reply.body) // 2
    head = reply.encode(bare=True).replace(
        f"Content-Length: {len(reply.body)}".encode(), b"Transfer-Encoding: chunked"
    )
    chunks = (reply.body[:half], reply.body[half:], b"")
    return head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks)


def _of(reply: Reply) -> Fault:
    """The fault that sends this response."""
    return Fault(
        status=reply.status, headers=dict(reply.headers), body=reply.body, name=reply.outcome
    )


_HTML = "<html><head><title>점검 안내</title></head><body>Service Unavailable</body></html>"
_HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}


def _wire() -> dict[str, Fault]:
    found = {code: _of(error(code)) for code in ERRORS}
    for code in ("EGW00201", "EGW00215", "OPSQ0003"):
        found[f"{code} as 200"] = _of(error(code, status=200))
    # As overseas futures answer: keys without quotes.
    loose = '{rt_cd:"1",msg_cd:"%s",msg1:"%s"}'
    for code in ("EGW00201", "EGW00550"):
        found[f"{code} without quotes"] = Fault(status=500, body=loose % (code, ERRORS[code][2]))
    found |= {
        f"{code} at the token call": replace(_of(token_error(code)), call="token")
        for code in ("EGW00103", "EGW00105", "EGW00133")
    }
    for status in (502, 503, 504):
        found[f"HTML {status}"] = Fault(status=status, headers=_HTML_TYPE, body=_HTML)
    found["HTML 200"] = Fault(status=200, headers=_HTML_TYPE, body=_HTML)
    found["empty 200"] = Fault(status=200)
    found["empty 500"] = Fault(status=500)
    found["redirect"] = Fault(status=302, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    return {name: replace(fault, name=name) for name, fault in found.items()}


# Every error of the gateway, and of what stands in front of it.
WIRE: dict[str, Fault] = _wire()

# Every failure of the network between. Those that take time take as long as the test makes them.
NETWORK: dict[str, Fault] = {
    name: replace(fault, name=name)
    for name, fault in {
        "reset": Fault(kind="reset"),
        "closed": Fault(kind="close"),
        "hang": Fault(kind="hang", seconds=600),
        "slow": Fault(kind="slow", seconds=0.05),
        "drip": Fault(kind="drip", seconds=0.1),
        "drip head": Fault(kind="trickle", seconds=0.1),
        "cut body": Fault(kind="cut"),
        "half JSON": Fault(kind="half"),
        "length too short": Fault(kind="short"),
        "chunked": Fault(kind="chunked"),
        "gzip": Fault(kind="gzip"),
        "gzip that is none": Fault(kind="mutate", headers={"Content-Encoding": "gzip"}),
    }.items()
}
