"""`Client`: pulls of whole balances, each account with its own app key."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import TYPE_CHECKING, NoReturn, Self, TypeAlias

from kis_nb import _failure_log
from kis_nb._account import Account, Names, account_labels, find_account
from kis_nb._batch import pull_all
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike, View
from kis_nb._errors import KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.product_frame import listed_frame
from kis_nb._master_files import MasterFiles
from kis_nb._other_calls import OtherCalls
from kis_nb._pull import Fetched, KeyClient
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.http import Http
from kis_nb._wire.secrets import Scrubber, Secret

if TYPE_CHECKING:
    import polars as pl

AccountLike: TypeAlias = str | Account


class Client(OtherCalls):
    """Pulls balances, each account with its own app key. Safe to share between threads; close it,
    or use ``with``. `kis_nb.connect` makes one.

    Its repr, and the objects it returns, hold no secret; it cannot be pickled or copied.

    Args:
        settings: one for each app key, in the order of their accounts.
        endpoint: the night balance, by one of its TR ids.
        clock: for tests.

    Attributes:
        master: KIS's master files, the list of all products.
    """

    def __init__(
        self,
        settings: Settings | Iterable[Settings],
        *,
        endpoint: Endpoint = NIGHT_BALANCE,
        clock: Clock | None = None,
    ) -> None:
        several = (settings,) if isinstance(settings, Settings) else tuple(settings)
        clock = clock or Clock()
        super().__init__(clock)
        self._settings = several
        self.master = MasterFiles.of(several[0], clock)
        secrets = [one for s in several for one in (s.app_key, s.app_secret, s.token) if one]
        self._names: dict[Account, str | None] = {
            account: one.name for one in several for account in one.accounts
        }
        scrubber = Scrubber([*secrets, *several[0].corporate.values()], self._names)
        # An app key that serves two accounts has one token and one rate limit.
        keys: dict[Secret, KeyClient] = {}
        self._keys: dict[Account, KeyClient] = {}
        for one in several:
            if one.app_key not in keys:
                keys[one.app_key] = KeyClient(one, endpoint, scrubber, clock, self.master)
            self._keys |= dict.fromkeys(one.accounts, keys[one.app_key])
        self._first, *more = keys.values()
        self._has_one_key = not more
        self._closers: list[Callable[[], None]] = []
        https = [key.http for key in keys.values()]
        self._finalizer = weakref.finalize(self, _close_all, https, self._closers)

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The configured accounts, in their order, shown masked."""
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
        mgna_dvsn: MarginLike = Margin.INITIAL,
        excc_stat_cd: BasisLike = Basis.SETTLEMENT,
        progress: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Balance:
        """Pull one account: all rows of all pages, or an error that holds what was read.

        Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R`` or ``JTCE6001R``,
        ``GET /uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``; the token from
        ``POST /oauth2/tokenP``.

        Args:
            account: like ``12345678-03``, or the name or masked label of a configured account; may
                be left out when one account is configured.
            mgna_dvsn: ``"01"`` initial (개시) or ``"02"`` maintenance (유지) margin; or 1, 2, or a
                `Margin`.
            excc_stat_cd: ``"1"`` settlement (정산) or ``"2"`` purchase (본정산) price basis; or 1,
                2, or a `Basis`.
            progress: called with the number of pages read, after each page. When it has a method
                ``waiting(why, seconds)``, that is called when an access token must be waited for,
                which can take a minute; else the logger ``kis_nb`` says so.
            cancel: an event that stops the pull when set.

        Returns:
            The balance: ``positions``, one row a position, and ``summary``, one row. Amounts are
            KRW, prices points, quantities contracts; null means that KIS sent no value.

        Raises:
            ValueError: a code or an account that does not fit; no call is made.
            AuthError: the app key, the secret or the token was refused.
            ApiError: KIS refused the call: unknown account, bad parameter, ….
            RateLimitError: too many calls a second, through all retries.
            TransportError: the network or the gateway failed, through all retries.
            DecodeError: a page has not the documented shape; `DecimalError`: a number on it does
                not fit its column exactly. No further page is asked for.
            PaginationError: the page keys lead to no end.
            Cancelled: `cancel` was set.

            All but the first are `KisError`, with what was read in ``partial``.
        """
        chosen = self.find_account(account)
        account = None
        if isinstance(chosen, ValueError):
            raise chosen
        return self._pull((chosen, Margin(mgna_dvsn), Basis(excc_stat_cd)), progress, cancel)

    def balances(
        self,
        accounts: AccountLike | Iterable[AccountLike] | None = None,
        *,
        mgna_dvsn: MarginLike | Sequence[MarginLike] = Margin.INITIAL,
        excc_stat_cd: BasisLike | Sequence[BasisLike] = Basis.SETTLEMENT,
        cancel: threading.Event | None = None,
    ) -> Balances:
        """Pull many accounts with many codes at once, each app key under its own rate limit.

        Source: TR ``CTFN6118R`` or ``JTCE6001R``,
        ``GET /uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``, as for `balance`, once
        for each combination of account and codes.

        Args:
            accounts: one or several, each as `balance`'s ``account``; all configured ones when
                left out.
            mgna_dvsn, excc_stat_cd: one code or several; every combination is pulled.
            cancel: an event that stops the pulls when set.

        Returns:
            The balances in the order asked: by account, then MGNA_DVSN, then EXCC_STAT_CD. A pull
            that failed is in ``failures``, with its error; the others are not affected.

        Raises:
            ValueError: a code or an account that does not fit, or no account; no call is made.
            Cancelled: `cancel` was set.
        """
        # A text is one account, never its characters: papermill's -p passes one as a text.
        named = [accounts] if isinstance(accounts, (str, Account)) else accounts
        chosen = (
            list(self.accounts) if named is None else [self.find_account(text) for text in named]
        )
        named = None
        accounts = None
        for account in chosen:
            if isinstance(account, ValueError):
                raise account
        margins = [Margin(code) for code in several(mgna_dvsn)]
        bases = [Basis(code) for code in several(excc_stat_cd)]
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
            key_of=lambda view: self._key_of(view[0]),
            accounts=self.accounts,
        )

    def _pull(
        self,
        view: View,
        progress: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> Balance:
        try:
            return self._key_of(view[0]).pull(view, progress, cancel)
        except KisError as error:
            _failure_log.note(view, self.label_of(view[0]), error)
            raise

    def fetch(
        self,
        endpoint: Endpoint,
        account: Account | None,
        params: Mapping[str, str],
        *,
        cancel: threading.Event | None = None,
    ) -> Fetched:
        """Make another read-only call: all rows of all pages, or an error.

        Tokens, rate limit, retries, paging, decoding and the masking of texts are those of
        `balance`. Modules of the package use it; `_schema` has the calls.

        Args:
            endpoint: the call, by the TR id that it is sent with.
            account: one that `find_account` gave; None for a call about no account, which goes out
                with the first app key.
            params: the call's own parameters, without account and page keys.
            cancel: an event that stops the call when set.

        Returns:
            Rows, summary and further blocks; None when KIS answered that it has nothing (rt_cd 7
            with ``KIOK0560``, which is also its answer for an account that it does not know, or
            rt_cd 0 without any block).

        Raises:
            KisError: as for `balance`, with the number of good pages in ``pages``; ``partial`` is
                None, since what was read is no balance.
        """
        try:
            key = self._first if account is None else self._key_of(account)
            return key.fetch(endpoint, account, params, cancel)
        except KisError as error:
            label = self.label_of(account) if account else endpoint.tr_id
            _failure_log.note(None, label, error)
            raise

    def label_of(self, account: Account) -> str:
        """The account's masked label, different for each account of this client.

        Args:
            account: any account.

        Returns:
            Such as ``800*****-03``, or ``800*****-03 (2)`` for a second one with the same mask.
            Nothing is raised.
        """
        return account_labels([*self.accounts, account])[account]

    def key_of(self, account: Account) -> Hashable:
        """What the accounts of one app key have in common; no secret.

        Args:
            account: one that `find_account` gave.

        Returns:
            Equal for accounts that share a key, and with it a rate limit. Nothing is raised.
        """
        return id(self._key_of(account))

    def calls_per_second(self, account: Account) -> float:
        """How many calls a second the account's app key may make.

        Args:
            account: one that `find_account` gave.

        Returns:
            Calls a second over all threads and programs; below 1 it is one in so many seconds.
            Nothing is raised.
        """
        return self._key_of(account).calls_per_second

    @property
    def clock(self) -> Clock:
        """The clock that the client takes times from and waits by."""
        return self._clock

    def products(self, *, cancel: threading.Event | None = None) -> pl.DataFrame:
        """Every listed product, as `kis_nb.products`; in the demo, the embedded broker's.

        Source: KIS's master files, ``/common/master/*.zip``; no key is sent.

        Args:
            cancel: an event that stops the fetch when set.

        Returns:
            One row a product; the columns are those of `kis_nb.products`.

        Raises:
            TransportError: the master files are due and did not come.
            Cancelled: `cancel` was set.
        """
        return listed_frame(self.master.fetch(cancel))

    def _key_of(self, account: Account) -> KeyClient:
        """The account's app key; a client's only key also serves accounts that are not listed."""
        return self._first if self._has_one_key else self._keys[account]

    def find_account(self, account: AccountLike | None) -> Account | ValueError:
        """The account that the user means.

        Args:
            account: a number, a name or a masked label; None is the only configured account.

        Returns:
            The account, or an error for the caller to raise once the text, which may be a real
            number with a typing error, is out of its locals. Nothing is raised.
        """
        return find_account(account, self.accounts, self._names, others=self._has_one_key)

    def on_close(self, closer: Callable[[], None]) -> None:
        """Have a function called when the client is closed or garbage-collected.

        Args:
            closer: called once, without arguments. Nothing is raised here.
        """
        self._closers.append(closer)

    def close(self) -> None:
        """Close the connections, and stop the embedded broker of a demo.

        Closing again does nothing. Nothing is raised.
        """
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


def several(codes: str | int | Sequence[str | int]) -> Sequence[str | int]:
    """One code or several, as a sequence."""
    # Whatever is no sequence is one code, which `Margin` and `Basis` read or refuse: a NumPy int.
    single = isinstance(codes, (str, int)) or not hasattr(codes, "__iter__")
    return [codes] if single else codes  # type: ignore[list-item, return-value]


def _close_all(https: Sequence[Http], closers: list[Callable[[], None]]) -> None:
    for http in https:
        http.close()
    while closers:
        closers.pop()()
