"""`connect` and `Client`: where bytes and meaning meet.

Imports both wings, and `demo` when asked for it.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, Self, TypeAlias

from kis_nb._account import Account, Names, account_labels, find_account, named_labels
from kis_nb._batch import pull_all
from kis_nb._codes import Basis, Margin, View
from kis_nb._errors import ConfigError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.product_frame import listed_frame
from kis_nb._master_files import MasterFiles
from kis_nb._pull import KeyClient
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings, check_limits, url_problem
from kis_nb._wire.http import Http
from kis_nb._wire.keys import Key, wrap_entries, wrap_fields
from kis_nb._wire.secrets import Scrubber, Secret
from kis_nb._wire.sources import choose, load, read_accounts

if TYPE_CHECKING:
    import polars as pl

AccountLike: TypeAlias = str | Account


def connect(
    *,
    demo: bool | None = None,
    app_key: str | Secret | None = None,
    app_secret: str | Secret | None = None,
    accounts: Iterable[AccountLike] | None = None,
    keys: Iterable[Mapping[str, str | Secret | Account | None]] | None = None,
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
    """A client for one app key, or for several. Makes no call yet.

    What is not given comes from the environment (``KIS_APP_KEY``, ``KIS_APP_SECRET``,
    ``KIS_ACCOUNTS``, ``KIS_BASE_URL``, ``KIS_CUSTTYPE``), then from ``~/KIS/config/kis_devlp.yaml``
    (or the file that ``KIS_CONFIG`` names).

    KIS binds an app key to one account. Further accounts come with their own keys: in `keys`, in
    the environment (``KIS_APP_KEY_2``, ``KIS_APP_SECRET_2``, ``KIS_ACCOUNTS_2`` and, if wished,
    ``KIS_NAME_2``; then ``_3``, …), or in the file as a list ``accounts`` of entries with ``name``,
    ``account``, ``product``, ``app_key`` and ``app_secret``. Each account is called with its own
    key, token and allowance.

    Args:
        demo: True starts an embedded broker with invented accounts and needs no key; the figures
            are marked DEMO. None means what ``KIS_NB_DEMO`` says, unless a key is given here.
        app_key, app_secret: the credentials, from the KIS Developers page.
        accounts: account numbers like ``12345678-03``; asked for when none is named.
        keys: in place of the three above, an entry for each account: a mapping with ``app_key``,
            ``app_secret``, ``account`` and, if wished, ``name`` and ``token``.
        base_url: another host, without a path. https, or plain http to this machine only.
        custtype: "P" (person, the default) or "B" (company).
        corporate: for "B", all of ``personalseckey``, ``seq_no``, ``phone_number``, ``ip_addr``.
        mac_address: sent in the header when given.
        token: an access token got elsewhere, as companies do; none is then issued or stored.
        cache_dir: folder of the token store; else ``KIS_NB_CACHE_DIR``, else the user's cache.
        tr_id: ``CTFN6118R`` (new) or ``JTCE6001R`` (old).
        calls_per_second: upper bound for one app key over all threads; KIS allows 18, and a new
            customer 3.
        timeout: seconds to connect, and to wait for each part of an answer.
        retries: how often one call is asked again after an error that may pass.

    Raises:
        ConfigError: no credentials found, or a value that does not fit.
    """
    if not all(isinstance(one, str | Secret | None) for one in (app_key, app_secret, token)):
        app_key = app_secret = token = None
        raise ConfigError("app_key, app_secret and token must be text")
    # Wrapped before anything else can fail: this frame's locals show in tracebacks.
    app_key, app_secret, token = Secret.of(app_key), Secret.of(app_secret), Secret.of(token)
    named = wrap_fields(corporate or {})
    corporate = None
    read = None if accounts is None else read_accounts(accounts, "accounts=")
    entries = None if keys is None else wrap_entries(keys)
    problem = None if base_url is None else url_problem(base_url)
    address = None if problem or base_url is None else Secret.of(base_url)
    accounts = keys = base_url = None
    if isinstance(read, ConfigError):
        raise read
    if isinstance(entries, ConfigError):
        raise entries
    if isinstance(named, ConfigError):
        raise named
    if problem:
        raise ConfigError(problem)
    if demo is None:
        demo = app_key is None and entries is None and os.getenv("KIS_NB_DEMO", "") not in ("", "0")
    if demo:
        if app_key or app_secret or entries or token or address or named or custtype == "B":
            raise ConfigError(
                "demo=True runs the embedded broker with keys of its own; leave out app_key, "
                "app_secret, keys, token, base_url and the company's fields, or leave out demo=True"
            )
        return _demo_client(read, tr_id, calls_per_second, timeout, retries)
    return Client(
        load(
            app_key=app_key,
            app_secret=app_secret,
            keys=entries,
            accounts=read,
            base_url=address,
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

    check_limits(calls_per_second, timeout, retries)
    broker = Broker()
    keys = tuple(
        Key(Secret(app_key), Secret(app_secret), (Account.parse(account),), f"Demo {place}")
        for place, (account, app_key, app_secret) in enumerate(broker.keys, 1)
    )
    keys = choose(keys, accounts, "accounts=")
    broker.start()
    client = Client(
        Settings(
            app_key=key.app_key,
            app_secret=key.app_secret,
            accounts=key.accounts,
            name=key.name,
            base_url=broker.address,
            tr_id=tr_id,
            calls_per_second=calls_per_second,
            timeout=timeout,
            retries=retries,
            demo=True,
        )
        for key in keys
    )
    client.on_close(broker.stop)
    return client


class Client:
    """Pulls balances, each account with its own app key. Safe to share between threads; close it,
    or use ``with``.

    Its repr, and anything made of it, holds no secret; it is not pickled or copied.
    """

    def __init__(
        self, settings: Settings | Iterable[Settings], *, clock: Clock | None = None
    ) -> None:
        """`settings`: one for each app key, in the order of their accounts."""
        several = (settings,) if isinstance(settings, Settings) else tuple(settings)
        clock = clock or Clock()
        self._settings = several
        self.master = MasterFiles.of(several[0], clock)
        secrets = [one for s in several for one in (s.app_key, s.app_secret, s.token) if one]
        self._names: dict[Account, str | None] = {
            account: one.name for one in several for account in one.accounts
        }
        scrubber = Scrubber([*secrets, *several[0].corporate.values()], self._names)
        # An app key that serves two accounts has one token and one allowance.
        keys: dict[Secret, KeyClient] = {}
        self._keys: dict[Account, KeyClient] = {}
        for one in several:
            if one.app_key not in keys:
                keys[one.app_key] = KeyClient(one, scrubber, clock, self.master)
            self._keys |= dict.fromkeys(one.accounts, keys[one.app_key])
        self._first, *more = keys.values()
        self._sole = not more
        self._closers: list[Callable[[], None]] = []
        https = [key.http for key in keys.values()]
        self._finalizer = weakref.finalize(self, _close_all, https, self._closers)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The configured accounts, shown masked."""
        return tuple(self._names)

    @property
    def names(self) -> Names:
        """What the user calls each configured account; None where no name was given."""
        return MappingProxyType(self._names)

    @property
    def demo(self) -> bool:
        """Whether the figures come from the embedded broker."""
        return self._settings[0].demo

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
            account: like ``12345678-03``, or the name or masked label of a configured account; may
                be left out when one account is configured.
            mgna_dvsn: ``"01"`` initial (개시) or ``"02"`` maintenance (유지) margin.
            excc_stat_cd: ``"1"`` settlement (정산) or ``"2"`` purchase (본정산) price basis.
            progress: called with the number of pages read, after each page. When it has a method
                ``waiting(why, seconds)``, that is called when an access token must be waited for,
                which can take a minute; else the logger ``kis_nb`` says so.
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
        """Pull many accounts in many views at once, each app key under its own rate limit.

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
        return pull_all(
            list(dict.fromkeys(views)),
            lambda view: self._pull(view, None, stop),
            stop,
            lane=lambda view: self._key_of(view[0]),
        )

    def _pull(
        self,
        view: View,
        progress: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> Balance:
        return self._key_of(view[0]).pull(view, progress, cancel)

    def products(self, *, cancel: threading.Event | None = None) -> pl.DataFrame:
        """Every listed product, as `kis_nb.products`; a client of the embedded broker asks that.

        Raises:
            TransportError: the master files are due and did not come.
            Cancelled: `cancel` was set.
        """
        return listed_frame(self.master.fetch(cancel))

    def _key_of(self, account: Account) -> KeyClient:
        """The account's own app key; the only one also calls for accounts that are not listed."""
        return self._first if self._sole else self._keys[account]

    def find_account(self, account: AccountLike | None) -> Account | ValueError:
        """The account meant by a number, a name, a masked label or None (the only one); or what is
        wrong, given back for the caller to raise once the text is out of its locals.
        """
        labels = named_labels(self.accounts, self._names)
        if account is None:
            if len(labels) == 1:
                return self.accounts[0]
            return ValueError(
                f"which account? There are {len(labels)}: {', '.join(labels.values())}"
                if labels
                else "no account is configured: pass one, or set KIS_ACCOUNTS=12345678-03"
            )
        found = find_account(account, self.accounts, self._names)
        if isinstance(found, Account) and not self._sole and found not in self._keys:
            return ValueError(
                f"no app key is configured for {found}; there are keys for "
                f"{', '.join(labels.values())}. KIS gives each account a key of its own: add it "
                "with KIS_APP_KEY_2, KIS_APP_SECRET_2 and KIS_ACCOUNTS_2, or in keys="
            )
        return found

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
        return f"<Client of {self._first.http.host}: {accounts}{demo}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Client holds credentials and is not pickled or copied; connect anew")


def _several(codes: str | Sequence[str]) -> Sequence[str]:
    return [codes] if isinstance(codes, str) else codes


def _close_all(https: Sequence[Http], closers: list[Callable[[], None]]) -> None:
    for http in https:
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
