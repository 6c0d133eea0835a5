"""Scripted faults: an answer of the gateway replaced, spoilt or withheld, as data.

Above `kis_nb.demo.replies`, which it imports beside the standard library.

A `Fault` says which call it meets and what happens there; `WIRE` and `NETWORK` name every fault of
the gateway and of the network between, for a campaign to go through.
"""

from __future__ import annotations

import gzip
import json
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from kis_nb.demo.replies import ERRORS, Reply, dump, error, token_error

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping

Call: TypeAlias = Literal["balance", "token", "any"]
Kind: TypeAlias = Literal[
    "answer",  # `status`, `headers` and `body` in place of the normal answer
    "mutate",  # the normal answer through `change`, with `status` and `headers` if given
    "slow",  # the normal answer after `seconds`
    "drip",  # the normal answer in small pieces over `seconds`
    "trickle",  # the normal answer, its status line and headers byte by byte over `seconds`
    "gzip",  # the normal answer compressed
    "chunked",  # the normal answer in chunks, without a length
    "half",  # half of the body, its length declared truly
    "cut",  # the whole length declared, half sent, then closed
    "short",  # the whole body sent, half its length declared
    "close",  # no answer, the connection closed
    "reset",  # no answer, the connection reset
    "hang",  # no answer for `seconds` (or until the broker stops), then closed
]

_PIECES = 20


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One scripted fault.

    `call` and `page` (from 1; None any) say where it happens; the first `after` calls that fit pass
    unharmed, the next `times` (None: until cleared) are hit. `change` gets the normal body as a
    dict and returns the body to send, or None after changing it in place.
    """

    kind: Kind = "answer"
    call: Call = "balance"
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

    def at(self, page: int | None, *, call: Call = "balance", times: int | None = 1) -> Fault:
        """The same fault elsewhere."""
        return replace(self, page=page, call=call, times=times)

    def fits(self, call: str, page: int) -> bool:
        """Whether it is meant for this call (page 0 for the token call)."""
        return self.call in {call, "any"} and self.page in {None, page}


def play(
    fault: Fault, normal: Callable[[], Reply], sock: socket.socket, stopped: threading.Event
) -> tuple[bool, Reply | None]:
    """Do what the fault says on the socket: whether the connection goes on, and what was said."""
    if fault.kind == "reset":
        # Lingering for 0 seconds makes close() send RST in place of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False, None
    if fault.kind == "close":
        return False, None
    if fault.kind == "hang":
        stopped.wait(fault.seconds)
        return False, None
    reply = _spoilt(fault, normal)
    half = len(reply.body) // 2
    if fault.kind == "slow":
        stopped.wait(fault.seconds)
    if fault.kind in {"drip", "trickle"}:
        pieces = _pieces(reply.encode(), whole=fault.kind == "drip")
        for piece in pieces:
            sock.sendall(piece)
            if stopped.wait(fault.seconds / len(pieces)):
                return False, reply
    elif fault.kind == "cut":
        sock.sendall(replace(reply, body=reply.body[:half]).encode(length=len(reply.body)))
        return False, reply
    elif fault.kind == "short":
        sock.sendall(reply.encode(length=half))
    elif fault.kind == "chunked":
        head = reply.encode(bare=True).replace(
            f"Content-Length: {len(reply.body)}".encode(), b"Transfer-Encoding: chunked"
        )
        chunks = (reply.body[:half], reply.body[half:], b"")
        sock.sendall(head + b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks))
    else:
        sock.sendall(reply.encode())
    return True, reply


def _pieces(data: bytes, *, whole: bool) -> list[bytes]:
    if whole:
        size = max(len(data) // _PIECES, 1)
        return [data[start : start + size] for start in range(0, len(data), size)]
    head = data.index(b"\r\n\r\n")
    return [*(data[at : at + 1] for at in range(head)), data[head:]]


def _spoilt(fault: Fault, normal: Callable[[], Reply]) -> Reply:
    extra = tuple(fault.headers.items())
    if fault.kind == "answer":
        body = fault.body
        if isinstance(body, str):
            body = body.encode()
        return Reply(fault.status or 200, extra, body if isinstance(body, bytes) else dump(body))
    reply = normal()
    if fault.status is not None:
        reply = replace(reply, status=fault.status)
    named = {name.lower() for name in fault.headers}
    kept = tuple(pair for pair in reply.headers if pair[0].lower() not in named)
    reply = replace(reply, headers=(*kept, *extra))
    if fault.kind == "mutate" and fault.change is not None:
        page = json.loads(reply.body)
        changed = fault.change(page)
        reply = replace(reply, body=dump(page if changed is None else changed))
    elif fault.kind == "half":
        reply = replace(reply, body=reply.body[: len(reply.body) // 2])
    elif fault.kind == "gzip":
        headers = (*reply.headers, ("Content-Encoding", "gzip"))
        reply = replace(reply, headers=headers, body=gzip.compress(reply.body))
    return reply


def _says(reply: Reply, name: str = "") -> Fault:
    return Fault(
        status=reply.status,
        headers=dict(reply.headers),
        body=reply.body,
        name=name or reply.outcome,
    )


_HTML = "<html><head><title>점검 안내</title></head><body>Service Unavailable</body></html>"
_HTML_TYPE = {"Content-Type": "text/html; charset=utf-8"}


def _wire() -> dict[str, Fault]:
    found = {code: _says(error(code)) for code in ERRORS}
    for code in ("EGW00201", "EGW00215", "OPSQ0003"):
        found[f"{code} as 200"] = _says(error(code, status=200))
    # As overseas futures answer: keys without quotes.
    loose = '{rt_cd:"1",msg_cd:"%s",msg1:"%s"}'
    for code in ("EGW00201", "EGW00550"):
        found[f"{code} without quotes"] = Fault(status=500, body=loose % (code, ERRORS[code][2]))
    found |= {
        f"{code} at the token call": replace(_says(token_error(code)), call="token")
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

# Every fault of the way between. Those that take time wait as long as the test makes them.
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
