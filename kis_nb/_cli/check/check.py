"""The steps of ``kis-nb check`` in their order.

Each step gives a `Result` for people; one that fails stops no other that can still run. How the
gateway answered meanwhile is kept as a report without values (`kis_nb._cli.check.answer_form`).
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from itertools import product
from typing import TYPE_CHECKING, Any

from kis_nb._account import Account, named_labels
from kis_nb._choices import Lang
from kis_nb._cli.check import answer_form, machine, setup
from kis_nb._cli.check.result import Mark, Result, Say, duration
from kis_nb._cli.check.setup import RETRIES, one_line
from kis_nb._client import Client
from kis_nb._codes import Basis, Margin
from kis_nb._connect import connect
from kis_nb._errors import AuthError, KisError, TransportError
from kis_nb._frames.position_products import products_of
from kis_nb._frames.text import count
from kis_nb._wire.auth import TOKEN_PATH
from kis_nb._wire.config import LIVE_URL, Settings
from kis_nb._wire.environment import demo_by_environment
from kis_nb._wire.http import Call, NoReply, Reply, observer
from kis_nb._wire.secrets import Secret
from kis_nb._wire.token_reply import read_token_reply

if TYPE_CHECKING:
    from kis_nb._frames.balance import Balance

# The header Date counts whole seconds, and a response takes a while.
_CLOCK_SECONDS = 2.0


class Check:
    """One run through the set-up.

    Args:
        account: only this one; all configured ones when left out.
        demo: check the embedded broker, and no key of the user's.
        lang: of the texts. What KIS and the errors say stays as it is.
        now: seconds since 1970, by this computer's clock.
    """

    def __init__(
        self,
        account: str | None = None,
        *,
        demo: bool = False,
        lang: Lang = "en",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._asked = Secret.of(account)
        self._demo = demo or demo_by_environment()
        self._say = Say(lang)
        self._now = now
        self._settings: tuple[Settings, ...] = ()
        self._recorder = answer_form.Recorder()
        self._seconds: list[float] = []
        self._token_life: float | None = None
        self._balances: dict[Account, Balance] = {}
        self._accounts: list[Account] = []
        self._described: list[dict[str, Any]] = []
        self._results: list[Result] = []

    def run(self) -> Iterator[Result]:
        """The results, each when its step is done."""
        for result in self._steps():
            self._results.append(result)
            yield result

    def report(self) -> bytes:
        """How the service answered, as JSON without any value of it.

        Raises:
            ConfigError: it would hold a secret. Nothing may be written then.
        """
        keys = [key for one in self._settings for key in (one.app_key, one.app_secret, one.token)]
        own = {*self._recorder.shown, *(key for key in keys if key is not None)}
        host = {one.base_url for one in self._settings}
        described = {
            "kis_nb": machine.version("kis_nb"),
            "python": platform.python_version(),
            "system": platform.system(),
            "demo": self._demo,
            "host": "live" if host == {LIVE_URL} else "demo" if self._demo else "another",
            "keys": len(self._settings),
            "clock_seconds": self._difference(),
            "steps": [{"step": one.step, "mark": one.mark} for one in self._results],
            "accounts": self._described,
        }
        return answer_form.write(described, secrets=own, accounts=self._accounts)

    def _steps(self) -> Iterator[Result]:
        if self._demo:
            yield setup.demo_step(self._say)
        else:
            self._settings, results = setup.settings_steps(self._say)
            yield from results
            yield from setup.key_steps(self._settings, self._say, self._now())
        if self._settings or self._demo:
            yield from self._pull()
            yield self._clock()
        yield from machine.computer(self._say)

    # --- the account, in each view --------------------------------------------------------------

    def _pull(self) -> Iterator[Result]:
        try:
            client = self._client()
        except KisError as error:
            yield Result("accounts", "wrong", one_line(error))
            return
        with client:
            accounts = self._chosen(client)
            if isinstance(accounts, str):
                yield Result("accounts", "wrong", accounts)
                return
            self._accounts = list(accounts)
            labels = named_labels([*client.accounts, *accounts], client.names)
            refused: set[Secret | None] = set()
            for account in accounts:
                yield from self._views(client, account, labels[account], refused)
            yield self._master(client)
        yield from self._products()

    def _client(self) -> Client:
        return connect(demo=True, retries=RETRIES) if self._demo else Client(self._settings)

    def _chosen(self, client: Client) -> Sequence[Account] | str:
        if self._asked is not None:
            found = client.find_account(self._asked.reveal())
            return str(found) if isinstance(found, ValueError) else [found]
        return client.accounts or self._say(
            "none is configured: name one, as in kis-nb check 12345678-03, or set KIS_ACCOUNTS",
            "설정된 계좌가 없습니다. kis-nb check 12345678-03처럼 적거나 KIS_ACCOUNTS를 설정하세요",
        )

    def _views(
        self, client: Client, account: Account, label: str, refused: set[Secret | None]
    ) -> Iterator[Result]:
        """Pull the four views of an account; stops when its key is refused or nobody answers."""
        described: dict[str, Any] = {"product_is_03": account.product == "03", "views": []}
        self._described.append(described)
        owner = next((s.app_key for s in self._settings if account in s.accounts), None)
        if owner in refused:
            text = self._say(
                "not asked: its key was refused, or nobody answers",
                "키가 거절되었거나 응답이 없어 묻지 않았습니다",
            )
            yield Result("account", "wrong", f"{label}: {text}")
            return
        before = ""
        for margin, basis in product(Margin, Basis):
            name = f"{label} {margin.query} {basis.query}"
            found = self._ask(client, (account, margin, basis))
            if isinstance(found, KisError):
                message = one_line(found)
                text = self._say("the same", "위와 같음") if message == before else message
                outcome, before = Result("account", "wrong", f"{name}: {text}"), message
                view: dict[str, Any] = {"outcome": type(found).__name__}
            else:
                outcome, view = self._view(name, *found)
                self._balances[account] = found[0]
            codes = {"mgna_dvsn": margin.value, "excc_stat_cd": basis.value}
            described["views"].append(codes | view | {"calls": self._recorder.take()})
            yield from self._issued()
            yield outcome
            silent = isinstance(found, TransportError) and found.status is None
            if silent or isinstance(found, AuthError):
                refused.add(owner)
                return

    def _ask(
        self, client: Client, view: tuple[Account, Margin, Basis]
    ) -> tuple[Balance, float] | KisError:
        """The balance and the seconds that it took, or the error."""
        account, margin, basis = view
        begin = time.monotonic()
        try:
            with self._watched():
                balance = client.balance(account, mgna_dvsn=margin, excc_stat_cd=basis)
        except KisError as error:
            return error
        return balance, time.monotonic() - begin

    def _view(self, name: str, balance: Balance, seconds: float) -> tuple[Result, dict[str, Any]]:
        counts = dict.fromkeys(("exact", "rounding", "differs"), 0)
        counts["not known"] = 0
        for status in balance.reconcile()["status"]:
            counts[status or "not known"] += 1
        worst = next((w for w in ("differs", "rounding") if counts[w]), "exact")
        off = counts["differs"]
        words = {
            "exact": self._say("exact", "일치"),
            "rounding": self._say("rounding", "원 단위 절사"),
            "differs": self._say(f"{off} not as expected", f"차이 {off}건"),
        }
        word = words[worst]
        rows, pages = balance.positions.height, balance.pages
        text = self._say(
            f"{count(rows, 'row')}, {count(pages, 'page')}, {seconds:.2f} s, sums: {word}",
            f"{rows}행, {pages}쪽, {seconds:.2f}초, 합계 대조: {word}",
        )
        mark: Mark = "note" if worst == "differs" else "ok"
        view = {"outcome": "ok", "rows": rows, "pages": pages, "reconcile": counts}
        return Result("account", mark, f"{name}: {text}"), view

    def _issued(self) -> Iterator[Result]:
        """A result for a token that was just issued."""
        if self._token_life is not None:
            left, self._token_life = duration(self._token_life), None
            text = self._say(f"issued, good for {left}", f"발급됨, {left} 유효")
            yield Result("token", "ok", text)

    def _master(self, client: Client) -> Result:
        """Whether KIS's master files, which need no key, can be fetched."""
        try:
            number = len(client.master.fetch())
        except TransportError as error:
            text = self._say(
                f"{one_line(error)}. Products are then read from codes and names alone",
                f"{one_line(error)}. 상품은 코드와 이름만으로 읽습니다",
            )
            return Result("products", "note", text)
        text = self._say(
            f"the master files can be fetched: {number} products",
            f"종목 마스터 파일 있음: 상품 {number}개",
        )
        return Result("products", "ok", text)

    def _products(self) -> Iterator[Result]:
        if not self._balances:
            return
        rows = [
            one
            for balance in self._balances.values()
            for one in products_of(balance.positions, balance.master)
        ]
        unknown = sum(one.kind is None or one.product is None for one in rows)
        if unknown:
            text = self._say(
                f"{unknown} of {len(rows)} positions are of a product that nothing tells",
                f"{len(rows)}개 포지션 중 {unknown}개는 상품을 알 수 없습니다",
            )
        else:
            text = self._say(
                f"all {len(rows)} positions are known", f"{len(rows)}개 포지션의 상품을 모두 압니다"
            )
        yield Result("products", "note" if unknown else "ok", text)

    # --- this computer --------------------------------------------------------------------------

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Record every response on this thread: form, the gateway's clock, a token's life."""

        def watch(call: Call, reply: Reply | NoReply, seconds: float) -> None:
            self._recorder(call, reply, seconds)
            if isinstance(reply, Reply):
                self._note_date(reply.headers.get("Date", ""))
                if call.path == TOKEN_PATH:
                    now = self._now()
                    token = read_token_reply(reply, now)
                    self._token_life = token.until - now if token.token else None

        before = observer.set(watch)
        try:
            yield
        finally:
            observer.reset(before)

    def _note_date(self, date: str) -> None:
        try:
            gateway = parsedate_to_datetime(date).timestamp()
        except (ValueError, OverflowError):  # no date, or a year beyond any calendar
            return
        # Whole seconds, cut off: half a second later is the most likely.
        self._seconds.append(self._now() - gateway - 0.5)

    def _difference(self) -> float | None:
        """Seconds that this clock is ahead of the gateway's; None when no response had a time."""
        if not self._seconds:
            return None
        # The fastest response is the nearest: a slow one makes this clock look ahead.
        nearest: float = min(self._seconds, key=abs)
        return round(nearest, 1)

    def _clock(self) -> Result:
        ahead = self._difference()
        if ahead is None:
            text = self._say("not known: no response had a time", "응답이 없어 알 수 없습니다")
            return Result("clock", "note", text)
        if abs(ahead) <= _CLOCK_SECONDS:
            text = self._say(
                f"{abs(ahead):.1f} s from the gateway's, which is near enough",
                f"서버 시각과 {abs(ahead):.1f}초 차이로 충분합니다",
            )
            return Result("clock", "ok", text)
        way = self._say("ahead of", "빠릅니다") if ahead > 0 else self._say("behind", "느립니다")
        text = self._say(
            f"{abs(ahead):.0f} s {way} the gateway's: a token's end and the times shown are "
            "reckoned with it. Set the clock by the network (NTP)",
            f"서버보다 {abs(ahead):.0f}초 {way}. 토큰 만료와 표시 시각이 어긋나니 시계를 자동 "
            "동기화(NTP)하세요",
        )
        return Result("clock", "wrong" if abs(ahead) > 60 else "note", text)
