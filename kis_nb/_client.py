"""`connect` and `Client`: where bytes and meaning meet.

Imports both wings, and `demo` when asked for it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import NoReturn, Self, TypeAlias

from kis_nb._auth import Tokens
from kis_nb._balance import Balance, Balances
from kis_nb._config import Secret, Settings, load, read_accounts
from kis_nb._errors import ConfigError, DecodeError, KisError
from kis_nb._fields import NIGHT_BALANCE, Account, Basis, Margin, account_labels
from kis_nb._gateway import Gateway
from kis_nb._http import Clock, Http, Scrubber
from kis_nb._paging import Walk
from kis_nb._pool import THREADS, View, pull_all
from kis_nb._rate_limit import shared_rate_limit

AccountLike: TypeAlias = str | Account


def connect(
    *,
    demo: bool | None = None,
    app_key: str | Secret | None = None,
    app_secret: str | Secret | None = None,
    accounts: Iterable[AccountLike] | None = None,
    base_url: str | None = None,
    custtype: str | None = None,
    corporate: Mapping[str, str] | None = None,
    mac_address: str | None = None,
    token: str | Secret | None = None,
    cache_dir: str | os.PathLike[str] | None = None,
    tr_id: str = NIGHT_BALANCE.tr_ids[0],
    calls_per_second: float = 15,
    timeout: tuple[float, float] = (3.05, 10),
    retries: int = 5,
) -> Client:
    """A client for one app key. Makes no call yet.

    What is not given comes from the environment (``KIS_APP_KEY``, ``KIS_APP_SECRET``,
    ``KIS_ACCOUNTS``, ``KIS_BASE_URL``, ``KIS_CUSTTYPE``), then from ``~/KIS/config/kis_devlp.yaml``
    (or the file that ``KIS_CONFIG`` names).

    Args:
        demo: True starts an embedded broker with invented accounts and needs no key; the figures
            are marked DEMO. None means what ``KIS_NB_DEMO`` says, unless a key is given here.
        app_key, app_secret: the credentials, from the KIS Developers page.
        accounts: account numbers like ``12345678-03``; asked for when none is named.
        base_url: another host. https, or plain http to this machine only.
        custtype: "P" (person, the default) or "B" (company).
        corporate: for "B", all of ``personalseckey``, ``seq_no``, ``phone_number``, ``ip_addr``.
        mac_address: sent in the header when given.
        token: an access token got elsewhere, as companies do; none is then issued or stored.
        cache_dir: folder of the token store; else ``KIS_NB_CACHE_DIR``, else the user's cache.
        tr_id: ``CTFN6118R`` (new) or ``JTCE6001R`` (old).
        calls_per_second: upper bound over all threads; new KIS customers are allowed 1 to 3.
        timeout: seconds to connect, and to wait for each part of an answer.
        retries: how often one call is asked again after an error that may pass.

    Raises:
        ConfigError: no credentials found, or a value that does not fit.
    """
    # Wrapped before anything can fail: this frame's locals show in tracebacks.
    app_key, app_secret, token = Secret.of(app_key), Secret.of(app_secret), Secret.of(token)
    wrapped = {key: Secret.of(value) for key, value in (corporate or {}).items()}
    corporate = None
    read = None if accounts is None else read_accounts(accounts, "accounts=")
    accounts = None
    if isinstance(read, ConfigError):
        raise read
    named = {key: value for key, value in wrapped.items() if value is not None}
    if demo is None:
        demo = app_key is None and os.getenv("KIS_NB_DEMO", "") not in ("", "0")
    if demo:
        if app_key or app_secret or token or base_url or named or custtype == "B":
            raise ConfigError(
                "demo=True runs the embedded broker with a key of its own; leave out app_key, "
                "app_secret, token, base_url and the company's fields, or leave out demo=True"
            )
        return _demo_client(read, tr_id, calls_per_second, timeout, retries)
    return Client(
        load(
            app_key=app_key,
            app_secret=app_secret,
            accounts=read,
            base_url=base_url,
            custtype=custtype,
            corporate=named,
            mac_address=mac_address,
            token=token,
            cache_dir=cache_dir,
            tr_id=tr_id,
            calls_per_second=calls_per_second,
            timeout=timeout,
            retries=retries,
        )
    )


def _demo_client(
    accounts: tuple[Account, ...] | None,
    tr_id: str,
    calls_per_second: float,
    timeout: tuple[float, float],
    retries: int,
) -> Client:
    """A client of a broker that lives and dies with it."""
    from kis_nb.demo import Broker  # here because most clients are not demos

    broker = Broker().start()
    client = Client(
        Settings(
            app_key=Secret(broker.app_key),
            app_secret=Secret(broker.app_secret),
            accounts=accounts or tuple(Account.parse(text) for text in broker.accounts),
            base_url=broker.address,
            tr_id=tr_id,
            calls_per_second=calls_per_second,
            timeout=timeout,
            retries=retries,
            demo=True,
        )
    )
    client.on_close(broker.stop)
    return client


class Client:
    """Pulls balances for one app key. Safe to share between threads; close it, or use ``with``.

    Its repr, and anything made of it, holds no secret; it is not pickled or copied.
    """

    def __init__(self, settings: Settings, *, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock = clock or Clock()
        scrubber = Scrubber(
            [settings.app_key, settings.app_secret, *settings.corporate.values()],
            settings.accounts,
        )
        if settings.token is not None:
            scrubber.learn(settings.token)
        self._scrubber = scrubber
        self._http = Http(
            settings.base_url,
            timeout=settings.timeout,
            rate=shared_rate_limit(
                settings.base_url, settings.app_key, settings.calls_per_second, self._clock
            ),
            clock=self._clock,
            connections=THREADS,
        )
        self._gateway = Gateway(
            settings, self._http, Tokens(settings, self._http, scrubber), scrubber
        )
        self._closers: list[Callable[[], None]] = []
        self._finalizer = weakref.finalize(self, _close_all, self._http, self._closers)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The configured accounts, shown masked."""
        return self._settings.accounts

    @property
    def demo(self) -> bool:
        """Whether the figures come from the embedded broker."""
        return self._settings.demo

    def balance(
        self,
        account: AccountLike | None = None,
        *,
        mgna_dvsn: str | Margin = Margin.INITIAL,
        excc_stat_cd: str | Basis = Basis.SETTLEMENT,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Balance:
        """Pull one account whole: all rows of all pages, or an error that holds what was read.

        Args:
            account: like ``12345678-03``, or the masked label of a configured account; may be left
                out when one account is configured.
            mgna_dvsn: ``"01"`` initial (개시) or ``"02"`` maintenance (유지) margin.
            excc_stat_cd: ``"1"`` settlement (정산) or ``"2"`` purchase (본정산) price basis.
            progress: called with the number of pages read, after each page.
            cancel: an event that stops the pull when set.

        Raises:
            ValueError: a code or an account that does not fit; no call is made.
            AuthError, ApiError, RateLimitError, TransportError, DecodeError, DecimalError,
            PaginationError, Cancelled: see each; all are `KisError`, with what was read in
            ``partial``.
        """
        chosen = self.find_account(account)
        account = None
        if isinstance(chosen, ValueError):
            raise chosen
        return self._pull((chosen, Margin(mgna_dvsn), Basis(excc_stat_cd)), progress, cancel)

    def balances(
        self,
        accounts: Iterable[AccountLike] | None = None,
        *,
        mgna_dvsn: str | Margin | Sequence[str | Margin] = Margin.INITIAL,
        excc_stat_cd: str | Basis | Sequence[str | Basis] = Basis.SETTLEMENT,
        cancel: threading.Event | None = None,
    ) -> Balances:
        """Pull many accounts in many views at once, under the one rate limit of the app key.

        Args:
            accounts: all configured ones when left out.
            mgna_dvsn, excc_stat_cd: one code or several; every combination is pulled.
            cancel: an event that stops the pulls when set.

        Returns:
            The balances in the order asked: by account, then MGNA_DVSN, then EXCC_STAT_CD. What
            could not be pulled is in ``failures`` and takes nothing else with it.

        Raises:
            ValueError: a code or an account that does not fit, or no account; no call is made.
            Cancelled: `cancel` was set.
        """
        chosen = (
            list(self.accounts)
            if accounts is None
            else [self.find_account(text) for text in accounts]
        )
        accounts = None
        for account in chosen:
            if isinstance(account, ValueError):
                raise account
        margins = [Margin(code) for code in _several(mgna_dvsn)]
        bases = [Basis(code) for code in _several(excc_stat_cd)]
        views = [
            (account, margin, basis)
            for account, margin, basis in product(dict.fromkeys(chosen), margins, bases)
            if isinstance(account, Account)
        ]
        if not views:
            raise ValueError("no account to pull: pass accounts, or set KIS_ACCOUNTS")
        stop = cancel or threading.Event()
        return pull_all(list(dict.fromkeys(views)), lambda view: self._pull(view, None, stop), stop)

    def _pull(
        self,
        view: View,
        progress: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> Balance:
        account, margin, basis = view
        self._scrubber.learn_account(account)
        params = {
            "CANO": account.cano,
            "ACNT_PRDT_CD": account.product,
            "MGNA_DVSN": margin.value,
            "EXCC_STAT_CD": basis.value,
        }
        walk = Walk(self._gateway, NIGHT_BALANCE, params, self._clock)
        # Not kept as a local: the walk may raise, and a traceback's locals would show the account.
        del params
        try:
            walk.run(progress=progress, cancel=cancel)
            return self._balance(walk, len(walk.pages), view)
        except KisError as error:
            bad = error.page if isinstance(error, DecodeError) and error.page else None
            good = len(walk.pages) if bad is None else bad - 1
            error.pages = good
            if good and error.partial is None:
                error.partial = self._partial(walk, good, view)
            raise

    def _partial(self, walk: Walk, pages: int, view: View) -> Balance | None:
        """The pages before an error; None when they cannot be read either."""
        try:
            return self._balance(walk, pages, view)
        except DecodeError:
            return None

    def _balance(self, walk: Walk, pages: int, view: View) -> Balance:
        account, margin, basis = view
        return Balance.from_pages(
            # Views, because the repr of bytes in a traceback's locals would print the rows.
            [memoryview(page.body) for page in walk.pages[:pages]],
            account=account,
            mgna_dvsn=margin,
            excc_stat_cd=basis,
            as_of=walk.as_of,
            demo=self.demo,
        )

    def find_account(self, account: AccountLike | None) -> Account | ValueError:
        """The account meant by a number, a masked label or None (the only one); or what is wrong,
        given back for the caller to raise once the text is out of its locals.
        """
        labels = account_labels(self.accounts)
        if account is None:
            if len(labels) == 1:
                return self.accounts[0]
            return ValueError(
                f"which account? There are {len(labels)}: {', '.join(labels.values())}"
                if labels
                else "no account is configured: pass one, or set KIS_ACCOUNTS=12345678-03"
            )
        by_label = {label: known for known, label in labels.items()}
        if isinstance(account, str) and account in by_label:
            return by_label[account]
        return Account.read(account)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Run this too when the client is closed or goes away."""
        self._closers.append(closer)

    def close(self) -> None:
        """Close the connections, and the embedded broker of a demo. Closing twice is fine."""
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        accounts = ", ".join(account_labels(self.accounts).values()) or "no account"
        demo = " DEMO" if self.demo else ""
        return f"<Client of {self._http.host}: {accounts}{demo}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client holds credentials and is not pickled or copied; connect anew")


def _several(codes: str | Sequence[str]) -> Sequence[str]:
    return [codes] if isinstance(codes, str) else codes


def _close_all(http: Http, closers: list[Callable[[], None]]) -> None:
    http.close()
    while closers:
        closers.pop()()


class _Default:
    """The one client that `kis_nb.balance` and its like share."""

    lock = threading.Lock()
    client: Client | None = None


def default_client() -> Client:
    """The client of `kis_nb.balance`, `kis_nb.dashboard` and ``%kis``: `connect()`, once.

    Raises:
        ConfigError: as `connect`.
    """
    with _Default.lock:
        if _Default.client is None:
            _Default.client = connect()
        return _Default.client


def balance(
    account: AccountLike | None = None,
    *,
    mgna_dvsn: str | Margin = Margin.INITIAL,
    excc_stat_cd: str | Basis = Basis.SETTLEMENT,
) -> Balance:
    """Pull one account on the default client, which is made by `connect` at the first call.

    Args and errors are those of `Client.balance` and `connect`.
    """
    try:
        client = default_client()
    except ConfigError:
        account = None
        raise
    chosen, account = client.find_account(account), None
    if isinstance(chosen, ValueError):
        raise chosen
    return client.balance(chosen, mgna_dvsn=mgna_dvsn, excc_stat_cd=excc_stat_cd)
