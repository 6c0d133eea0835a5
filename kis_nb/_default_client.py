"""One line without a client of one's own: `kis_nb.balance` and `kis_nb.products`.

Above `_client`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from kis_nb._client import AccountLike, default_client
from kis_nb._codes import Basis, Margin
from kis_nb._errors import ConfigError
from kis_nb._frames.balance import Balance
from kis_nb._frames.product_frame import listed_frame
from kis_nb._master_files import MasterFiles
from kis_nb._wire.sources import store_dir

if TYPE_CHECKING:
    import polars as pl


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


class _Keyless:
    """The master files of someone who has no key, read once."""

    lock = threading.Lock()
    master: MasterFiles | None = None


def products(*, cancel: threading.Event | None = None) -> pl.DataFrame:
    """Every listed product, from KIS's master files; no key is needed.

    The files are fetched once a trading day into the cache folder. With the embedded broker as the
    default client (``KIS_NB_DEMO=1``) they are its own.

    Returns:
        ``shtn_pdno``, ``pdno`` (the standard code) and ``prdt_name`` as listed, then the columns of
        `Balance.products`; ``source`` is ``master`` throughout.

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
