"""The broker: KIS's protocol over loopback HTTP, on a book of invented accounts.

Top floor of `kis_nb.demo`: imports its other modules, `kis_nb._schema` and the standard library.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo.balance import BalanceDesk
from kis_nb.demo.book import Book
from kis_nb.demo.faults import Fault, play
from kis_nb.demo.form import Form, FormedDesk
from kis_nb.demo.master import MASTER_FILES, MasterFiles
from kis_nb.demo.replies import Reply, error, say
from kis_nb.demo.server import Request, Server, loopback
from kis_nb.demo.tokens import Tokens, asked_for, new_app_key, new_app_secret

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from types import TracebackType

_TOKEN_PATH = "/oauth2/tokenP"  # noqa: S105
_METHODS = {NIGHT_BALANCE.path: "GET", _TOKEN_PATH: "POST", **dict.fromkeys(MASTER_FILES, "GET")}
_COMPANY = {
    "personalseckey": "EGW00304",
    "seq_no": "EGW00209",
    "phone_number": "EGW00212",
    "ip_addr": "EGW00207",
}
_CALLS_KEPT = 10_000


@dataclass(slots=True)
class Call:
    """A call that the broker got. Headers and query hold secrets and stay out of its repr.

    `time` is the broker's clock; `at` the monotonic clock, for judging rates; `page` is 0 for all
    but balance calls; `outcome` is ``ok``, an error code, a status or a fault's name or kind.
    """

    path: str
    method: str
    headers: dict[str, str] = field(repr=False)
    query: dict[str, str] = field(repr=False)
    time: float
    at: float
    page: int = 0
    outcome: str = "unanswered"
    status: int | None = None


@dataclass(slots=True)
class _Key:
    """What the gateway keeps for one app key: its tokens, the accounts it is bound to, and when
    its calls, and those that went on to the ledger, of the last second came.
    """

    tokens: Tokens
    accounts: frozenset[str]
    recent: deque[float] = field(default_factory=deque)
    at_ledger: deque[float] = field(default_factory=deque)


class Broker:
    """A KIS gateway on loopback, where each account has an app key of its own.

    A key asks for tokens, and spends its allowance of calls, by itself. With another account than
    its own it is answered ``OPSQ2000`` ``INVALID_CHECK_ACNO``.

    Args:
        book: the accounts; the four demo accounts when left out.
        host, port: a loopback address; port 0 takes a free one.
        app_key, app_secret: of the first account; made afresh for each broker when left out, as
            those of the other accounts always are.
        shared_key: the first account's key sees every account, which no key of the live service
            does: for tests that are about something else.
        clock: epoch seconds; moves prices and tokens.
        monotonic: seconds; counts the calls of a second.
        calls_per_second: per app key, over a sliding window, token calls counted; 0 for no limit.
        ledger_calls_per_second: the ledger's own limit on balance calls, which it refuses with
            ``EGW00215``; 0 for none.
        page_rows: rows on a page.
        latency: seconds that every answer is held back.
        token_seconds: life of a token; `token_interval` seconds between two issues; the same token
            comes back for `token_repeat` seconds; `lock_after` refusals (None: never) lock the key
            out for `lock_seconds`.
        key_seconds: how long a page's key stays good.
        form: a report of `kis-nb check --report`; the figures stay the broker's, and balance calls
            answer as that service was seen to (`kis_nb.demo.form`), rows on a page among them.

    Raises:
        ValueError: the host is not loopback, or `form` is no report.
    """

    def __init__(
        self,
        *,
        book: Book | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        app_key: str | None = None,
        app_secret: str | None = None,
        shared_key: bool = False,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        calls_per_second: int = 20,
        ledger_calls_per_second: int = 0,
        page_rows: int = 20,
        latency: float = 0.0,
        token_seconds: int = 86_400,
        token_interval: float = 60,
        token_repeat: float = 21_600,
        lock_after: int | None = 20,
        lock_seconds: float = 14_400,
        key_seconds: float = 600,
        form: Mapping[str, Any] | None = None,
    ) -> None:
        self.book = Book() if book is None else book
        self.app_key = new_app_key() if app_key is None else app_key
        self.app_secret = new_app_secret() if app_secret is None else app_secret
        self.calls_per_second = calls_per_second
        self.ledger_calls_per_second = ledger_calls_per_second
        self.latency = latency
        self.calls: list[Call] = []
        first = self.app_key, self.app_secret
        pairs = [first, *((new_app_key(), new_app_secret()) for _ in self.accounts[1:])]
        rules = (token_interval, token_repeat, lock_after, lock_seconds)
        self._keys = {
            key: _Key(
                Tokens(key, secret, clock, token_seconds, *rules),
                frozenset(self.accounts if shared_key else self.accounts[at : at + 1]),
            )
            for at, (key, secret) in enumerate(pairs[:1] if shared_key else pairs)
        }
        self._first = self._keys[self.app_key]
        self._host, self._port = loopback(host), port
        self._clock, self._monotonic = clock, monotonic
        shape = None if form is None else Form(form)
        desk = BalanceDesk(self.book, (shape and shape.rows) or page_rows, key_seconds)
        self._desk = desk if shape is None else FormedDesk(desk, shape)
        self._files = MasterFiles(self.book.market)
        self._server: Server | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._over = 0
        self._uids: OrderedDict[str, None] = OrderedDict()
        self._faults: list[list[Any]] = []

    def __repr__(self) -> str:
        where = self._server.address if self._server else "stopped"
        return f"<Broker {where}, {len(self.book.accounts)} accounts>"

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> Self:
        """Listen; nothing happens when it does already."""
        if self._server is None:
            self._stopped.clear()
            self._server = Server(self._host, self._port, self._answer)
        return self

    def stop(self) -> None:
        """Close every connection, let go what hangs, and wait for every thread."""
        server, self._server = self._server, None
        self._stopped.set()
        if server is not None:
            server.stop()

    @property
    def address(self) -> str:
        """``http://127.0.0.1:PORT``.

        Raises:
            RuntimeError: the broker is not started.
        """
        if self._server is None:
            raise RuntimeError("the broker is not started")
        return self._server.address

    @property
    def accounts(self) -> list[str]:
        """``80012345-03`` and the others, the one with most positions first."""
        return self.book.accounts

    @property
    def keys(self) -> tuple[tuple[str, str, str], ...]:
        """Account, app key and app secret of each account, in the order of `accounts`."""
        return tuple(
            (account, key.tokens.app_key, key.tokens.app_secret)
            for account in self.accounts
            for key in self._keys.values()
            if account in key.accounts
        )

    @property
    def tokens(self) -> Tokens:
        """The token desk of the first account's key."""
        return self._first.tokens

    def issue_token(self, seconds: float = 90 * 86_400, *, app_key: str | None = None) -> str:
        """A token got by another way than the token call, as a company's is; of the first
        account's key when none is named.
        """
        return self._keys[app_key or self.app_key].tokens.hand_out(seconds)

    def revoke_tokens(self) -> None:
        """Void every token issued so far, of every key."""
        for key in self._keys.values():
            key.tokens.revoke()

    def fault(self, fault: Fault | None = None, /, **fields: Any) -> Fault:
        """Queue a fault (a `Fault`, or its fields): the first queued that fits a call hits it."""
        fault = Fault(**fields) if fault is None else fault
        with self._lock:
            self._faults.append([fault, fault.after, fault.times])
        return fault

    def replay(self, recorded: Mapping[str, Any], **where: Any) -> Fault:
        """Answer every balance call with a recorded exchange until `clear_faults`."""
        return self.fault(Fault.exchange(recorded, **{"times": None, **where}))

    def clear_faults(self) -> None:
        """Forget every queued fault."""
        with self._lock:
            self._faults.clear()

    # --- one call -------------------------------------------------------------------------------

    def _answer(self, request: Request, sock: socket.socket) -> bool:
        path, _, text = request.target.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True))
        call = Call(path, request.method, request.headers, query, self._clock(), self._monotonic())
        if path == NIGHT_BALANCE.path:
            call.page = self._desk.page_number(request.headers, query)
        with self._lock:
            self.calls.append(call)
            if len(self.calls) > _CALLS_KEPT:
                del self.calls[: _CALLS_KEPT // 2]
        if self.latency:
            self._stopped.wait(self.latency)
        keep = request.headers.get("connection", "").lower() != "close"
        fault = self._meets(call)
        if fault is not None:
            call.outcome = fault.name or fault.kind
            on, said = play(fault, lambda: self._reply(request, call), sock, self._stopped)
            call.status = said.status if said else None
            return on and keep
        reply = self._reply(request, call)
        # Noted before it is sent: whoever has the answer must find the call complete.
        call.outcome, call.status = reply.outcome, reply.status
        sock.sendall(reply.encode(keep=keep, bare=request.method == "HEAD"))
        return keep

    def _meets(self, call: Call) -> Fault | None:
        kind = {_TOKEN_PATH: "token", NIGHT_BALANCE.path: "balance"}.get(call.path)
        if kind is None:
            return None
        with self._lock:
            for place, entry in enumerate(self._faults):
                fault: Fault = entry[0]
                if not fault.fits(kind, call.page):
                    continue
                if entry[1]:
                    entry[1] -= 1
                    continue
                if entry[2] is not None:
                    entry[2] -= 1
                    if entry[2] <= 0:
                        del self._faults[place]
                return fault
        return None

    def _reply(self, request: Request, call: Call) -> Reply:
        method = _METHODS.get(call.path)
        if method is None:
            return say(404, {"rt_cd": "1", "msg_cd": "404", "msg1": "Not Found"}, outcome="404")
        if request.method != method:
            body = {"rt_cd": "1", "msg_cd": "405", "msg1": "Method Not Allowed"}
            return say(405, body, ("Allow", method), outcome="405")
        if call.path == _TOKEN_PATH:
            key = self._key_of(asked_for(request.body))
            with self._lock:
                key.recent.append(call.at)
            return key.tokens.ask(request.body)
        if call.path in MASTER_FILES:
            return self._files.answer(call.path, call.time)
        key = self._key_of(request.headers.get("appkey"))
        return self._refused(key, request.headers, call) or self._desk.answer(
            request.headers, call.query, call.time, key.accounts
        )

    def _key_of(self, app_key: object) -> _Key:
        """What is kept for this app key; an unknown one is refused by the first one's desk."""
        return self._keys.get(app_key, self._first) if isinstance(app_key, str) else self._first

    def _refused(self, key: _Key, headers: dict[str, str], call: Call) -> Reply | None:
        refused = key.tokens.check(headers) or self._too_fast(key, call.at)
        if refused is not None:
            return refused
        if not headers.get("tr_id") or headers["tr_id"] not in NIGHT_BALANCE.tr_ids:
            return error("OPSQ0002")
        if headers.get("custtype") not in {"P", "B"}:
            return error("EGW00208")
        if headers["custtype"] == "B":
            lacking = [code for name, code in _COMPANY.items() if not headers.get(name)]
            if lacking:
                return error(lacking[0])
            if not self._fresh(headers.get("gt_uid", "")):
                return error("EGW00101")
        return None

    def _too_fast(self, key: _Key, now: float) -> Reply | None:
        limits = (
            (key.recent, self.calls_per_second, "EGW00201"),
            (key.at_ledger, self.ledger_calls_per_second, "EGW00215"),
        )
        with self._lock:
            for recent, limit, code in limits:
                while recent and now - recent[0] >= 1:
                    recent.popleft()
                if limit and len(recent) >= limit:
                    # Seen with either status on the live gateway.
                    self._over += 1
                    return error(code, status=500 if self._over % 2 else 200)
                recent.append(now)
        return None

    def _fresh(self, uid: str) -> bool:
        with self._lock:
            if not 0 < len(uid) <= 32 or uid in self._uids:
                return False
            self._uids[uid] = None
            if len(self._uids) > _CALLS_KEPT:
                self._uids.popitem(last=False)
        return True
