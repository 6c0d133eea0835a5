"""The client that module-level functions share; `kis_nb.balance` and `kis_nb.products`."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kis_nb._client import AccountLike, Client
from kis_nb._codes import Basis, BasisLike, Margin, MarginLike
from kis_nb._connect import connect
from kis_nb._errors import ConfigError
from kis_nb._frames.balance import Balance
from kis_nb._frames.product_frame import listed_frame
from kis_nb._master_files import MasterFiles
from kis_nb._wire.sources import store_dir

if TYPE_CHECKING:
    import polars as pl


class _Default:
    """The client that `kis_nb.balance`, `kis_nb.dashboard` and ``%kis`` share."""

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
    mgna_dvsn: MarginLike = Margin.INITIAL,
    excc_stat_cd: BasisLike = Basis.SETTLEMENT,
) -> Balance:
    """Pull one account on the default client, which the first call makes by `connect()`.

    Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R``,
    ``GET /uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.

    Args:
        account: like ``12345678-03``, or the name or masked label of a configured account; may be
            left out when one account is configured.
        mgna_dvsn: ``"01"`` initial (개시) or ``"02"`` maintenance (유지) margin; or 1, 2, or a
            `Margin`.
        excc_stat_cd: ``"1"`` settlement (정산) or ``"2"`` purchase (본정산) price basis; or 1, 2,
            or a `Basis`.

    Returns:
        The balance: ``positions``, one row a position, and ``summary``, one row. Amounts are KRW,
        prices points, quantities contracts; null means that KIS sent no value.

    Raises:
        ConfigError: as `connect`.
        ValueError: a code or an account that does not fit; no call is made.
        KisError: as `Client.balance`.
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


class _Keyless:
    """The master files of a user without a key, read once."""

    lock = threading.Lock()
    master: MasterFiles | None = None


def products(*, cancel: threading.Event | None = None) -> pl.DataFrame:
    """Every listed product, from KIS's master files; no key is needed.

    The files are fetched once a trading day into the cache folder. With the embedded broker as the
    default client (``KIS_NB_DEMO=1``) they are its own.

    Source: KIS's master files, ``/common/master/*.zip``.

    Args:
        cancel: an event that stops the fetch when set.

    Returns:
        One row a product: ``shtn_pdno``, ``pdno`` (the standard code) and ``prdt_name`` as listed,
        then the columns of `Balance.products`: strikes in points, multipliers in KRW a point, null
        where the files do not tell; ``source`` is ``master`` throughout.

    Raises:
        TransportError: the files are due and did not come.
        Cancelled: `cancel` was set.
    """
    try:
        return default_client().products(cancel=cancel)
    except ConfigError:
        pass
    with _Keyless.lock:
        if _Keyless.master is None:
            _Keyless.master = MasterFiles(folder=store_dir(None))
    return listed_frame(_Keyless.master.fetch(cancel))
