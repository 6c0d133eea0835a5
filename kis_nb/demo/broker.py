"""The broker: KIS's protocol over loopback HTTP, on a book of invented accounts."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl

from kis_nb.demo.access import Access, AppKey
from kis_nb.demo.book import Book
from kis_nb.demo.form import Form
from kis_nb.demo.master import MASTER_FILES, MasterFiles
from kis_nb.demo.pages import Pages
from kis_nb.demo.questions import NIGHT, QUESTIONS
from kis_nb.demo.recorded_handler import RecordedFormHandler
from kis_nb.demo.replies import Reply, json_reply
from kis_nb.demo.server import Request, Server, loopback
from kis_nb.demo.tokens import Tokens, app_key_in, new_app_key, new_app_secret

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Mapping
    from types import TracebackType

TOKEN_PATH = "/oauth2/tokenP"  # noqa: S105
_TR_IDS = {question.endpoint.path: question.endpoint.tr_ids for question in QUESTIONS}
_METHODS = {TOKEN_PATH: "POST", **dict.fromkeys((*_TR_IDS, *MASTER_FILES), "GET")}
_CALLS_KEPT = 10_000


@dataclass(slots=True)
class Call:
    """A call that the broker got. Headers and query hold secrets and stay out of its repr.

    Attributes:
        time: the broker's clock, in epoch seconds.
        at: the monotonic clock, for judging rates.
        page: the page that a call about an account asks for, from 1; 0 for other calls.
        outcome: ``ok``, an error code or an HTTP status as text.
        status: the HTTP status of the response.
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

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection kept."""
        return self.headers.get("connection", "").lower() != "close"


class Broker:
    """A KIS gateway on loopback, where each account has an app key of its own.

    Each key has its own tokens and its own allowance of calls. Asked for an account that is not the
    key's, it answers ``OPSQ2000`` ``INVALID_CHECK_ACNO``.

    Args:
        host, port: a loopback address; port 0 takes a free one.
        form: a report of `kis-nb check --report`; the figures stay the broker's, and balance calls
            are answered in the form that the report recorded (`kis_nb.demo.form`), rows on a page
            included.

    The rest is for tests and benchmarks, which need other accounts, clocks and limits than those of
    the live service:

    Args:
        book: the accounts; the four demo accounts when left out.
        app_key, app_secret: of the first account; made afresh for each broker when left out, as
            those of the other accounts always are.
        shared_key: the first account's key may ask for every account, which no key of the live
            service may.
        clock: epoch seconds; prices and tokens depend on it.
        monotonic: seconds; calls are counted by it.
        calls_per_second: per app key, over a sliding window, token calls counted; 0 for no limit.
        ledger_calls_per_second: the ledger's own limit on calls about an account, which it refuses
            with ``EGW00215``; 0 for none.
        page_rows: rows on a page.
        latency: seconds that every response is held back.
        token_seconds: life of a token.
        token_interval: seconds that must lie between two token calls.
        token_repeat: seconds for which a token call returns the same token again.
        lock_after: refused token calls (None: never) that lock the key out for `lock_seconds`.
        key_seconds: how long the key of a next page stays valid.

    Raises:
        ValueError: the host is not loopback, or `form` is no report.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        form: Mapping[str, Any] | None = None,
        book: Book | None = None,
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
    ) -> None:
        self.book = Book() if book is None else book
        self.app_key = new_app_key() if app_key is None else app_key
        self.app_secret = new_app_secret() if app_secret is None else app_secret
        self.latency = latency
        self.calls: list[Call] = []
        first = self.app_key, self.app_secret
        pairs = [first, *((new_app_key(), new_app_secret()) for _ in self.accounts[1:])]
        rules = (token_interval, token_repeat, lock_after, lock_seconds)
        keys = {
            key: AppKey(
                Tokens(key, secret, clock, token_seconds, *rules),
                frozenset(self.accounts if shared_key else self.accounts[at : at + 1]),
            )
            for at, (key, secret) in enumerate(pairs[:1] if shared_key else pairs)
        }
        self._access = Access(keys, calls_per_second, ledger_calls_per_second)
        self._host, self._port = loopback(host), port
        self._clock, self._monotonic = clock, monotonic
        recorded = None if form is None else Form(form)
        self._pages: dict[str, Pages | RecordedFormHandler] = {
            question.endpoint.path: Pages(question, self.book, page_rows, key_seconds)
            for question in QUESTIONS
        }
        if recorded is not None:
            nights = Pages(NIGHT, self.book, recorded.rows or page_rows, key_seconds)
            self._pages[NIGHT.endpoint.path] = RecordedFormHandler(nights, recorded)
        self._files = MasterFiles(self.book.market)
        self._server: Server | None = None
        self._stopped = threading.Event()
        self._lock = threading.Lock()

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
        """Listen; does nothing when it listens already."""
        if self._server is None:
            self._stopped.clear()
            self._server = Server(self._host, self._port, self._answer)
        return self

    def stop(self) -> None:
        """Close every connection, end what is held back, and wait for every thread."""
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
            for key in self._access.keys.values()
            if account in key.accounts
        )

    @property
    def calls_per_second(self) -> int:
        """The limit per app key; 0 for none. May be changed while the broker runs."""
        return self._access.calls_per_second

    @calls_per_second.setter
    def calls_per_second(self, limit: int) -> None:
        self._access.calls_per_second = limit

    @property
    def tokens(self) -> Tokens:
        """The tokens of the first account's key."""
        return self._access.first.tokens

    def issue_token(self, seconds: float = 90 * 86_400, *, app_key: str | None = None) -> str:
        """A token got by another way than the token call, as a company's is; of the first
        account's key when none is named.
        """
        return self._access.keys[app_key or self.app_key].tokens.issue(seconds)

    def revoke_tokens(self) -> None:
        """Make every token issued so far invalid, of every key."""
        for key in self._access.keys.values():
            key.tokens.revoke()

    def respond(self, call: Call, answer: Callable[[], Reply], sock: socket.socket) -> bool:
        """Send the response to one call; whether the connection stays open.

        Here for subclasses that send something else: the tests' broker fails on purpose.

        Args:
            call: the call, whose `outcome` and `status` this sets.
            answer: computes the normal response, whatever it changes (tokens, rates) included.
            sock: the connection.
        """
        reply = answer()
        # Set before sending: whoever has the response must find the call complete.
        call.outcome, call.status = reply.outcome, reply.status
        sock.sendall(reply.encode(keep=call.keep_alive, bare=call.method == "HEAD"))
        return call.keep_alive

    def _answer(self, request: Request, sock: socket.socket) -> bool:
        path, _, text = request.target.partition("?")
        query = dict(parse_qsl(text, keep_blank_values=True))
        call = Call(path, request.method, request.headers, query, self._clock(), self._monotonic())
        if path in self._pages and self._pages[path].about_account:
            call.page = self._pages[path].page_number(request.headers, query)
        with self._lock:
            self.calls.append(call)
            if len(self.calls) > _CALLS_KEPT:
                del self.calls[: _CALLS_KEPT // 2]
        if self.latency:
            self._stopped.wait(self.latency)
        return self.respond(call, lambda: self._reply(request, call), sock)

    def _reply(self, request: Request, call: Call) -> Reply:
        method = _METHODS.get(call.path)
        if method is None:
            body = {"rt_cd": "1", "msg_cd": "404", "msg1": "Not Found"}
            return json_reply(404, body, outcome="404")
        if request.method != method:
            body = {"rt_cd": "1", "msg_cd": "405", "msg1": "Method Not Allowed"}
            return json_reply(405, body, ("Allow", method), outcome="405")
        if call.path == TOKEN_PATH:
            key = self._access.key_of(app_key_in(request.body))
            self._access.count(key, call.at)
            return key.tokens.answer(request.body)
        if call.path in MASTER_FILES:
            return self._files.answer(call.path, call.time)
        key = self._access.key_of(request.headers.get("appkey"))
        pages = self._pages[call.path]
        refused = self._access.refuse(
            key, request.headers, call.at, _TR_IDS[call.path], ledger=pages.about_account
        )
        return refused or pages.answer(request.headers, call.query, call.time, key.accounts)
