"""`connect`: a client from arguments, the environment or a file, or of the embedded broker."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from kis_nb._account import Account
from kis_nb._client import AccountLike, Client
from kis_nb._errors import ConfigError
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.config import (
    CALLS_PER_SECOND,
    RETRIES,
    TIMEOUT,
    Settings,
    check_limits,
    got_word,
    url_problem,
)
from kis_nb._wire.environment import demo_by_environment
from kis_nb._wire.keys import Key, read_accounts, wrap_entries, wrap_fields
from kis_nb._wire.secrets import Secret
from kis_nb._wire.sources import choose, load


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
    calls_per_second: float = CALLS_PER_SECOND,
    timeout: tuple[float, float] = TIMEOUT,
    retries: int = RETRIES,
) -> Client:
    """A client for one app key, or for several. No call is made yet.

    What is not given comes from the environment (``KIS_APP_KEY``, ``KIS_APP_SECRET``,
    ``KIS_ACCOUNTS``, ``KIS_BASE_URL``, ``KIS_CUSTTYPE``), then from ``~/KIS/config/kis_devlp.yaml``
    (or the file that ``KIS_CONFIG`` names).

    KIS binds an app key to one account. Further accounts come with their own keys: in `keys`, in
    the environment (``KIS_APP_KEY_2``, ``KIS_APP_SECRET_2``, ``KIS_ACCOUNTS_2`` and, if wished,
    ``KIS_NAME_2``; then ``_3``, …), or in the file as a list ``accounts`` of entries with ``name``,
    ``account``, ``product``, ``app_key`` and ``app_secret``. Each account is called with its own
    key, token and rate limit.

    Args:
        demo: True starts an embedded broker with invented accounts and needs no key; the figures
            are marked DEMO. None: as ``KIS_NB_DEMO`` says, unless a key is given here.
        app_key, app_secret: the credentials, from the KIS Developers page.
        accounts: account numbers like ``12345678-03``, which `Client.balances` pulls when none is
            named.
        keys: in place of the three above, an entry for each account: a mapping with ``app_key``,
            ``app_secret``, ``account`` and, if wished, ``name`` and ``token``.
        base_url: another host, without a path. https, or plain http to this machine only.
        custtype: "P" (person, the default) or "B" (company).
        corporate: for "B", all of ``personalseckey``, ``seq_no``, ``phone_number``, ``ip_addr``.
        mac_address: sent in the header when given.
        token: an access token got elsewhere, as companies do; none is then issued or stored.
        cache_dir: folder of the token store; else ``KIS_NB_CACHE_DIR``, else the user's cache.
        tr_id: of the night balance: ``CTFN6118R`` (new) or ``JTCE6001R`` (old).
        calls_per_second: upper bound for one app key over all threads; KIS allows 18, and a new
            customer 3.
        timeout: seconds to connect, and to wait for each part of a response.
        retries: how often one call is repeated after an error that may pass.

    Returns:
        The client; close it, or use ``with``.

    Raises:
        ConfigError: no credentials found, or a value that does not fit. No secret is repeated.
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
    if tr_id not in NIGHT_BALANCE.tr_ids:
        raise ConfigError(f"tr_id takes {' or '.join(NIGHT_BALANCE.tr_ids)}{got_word(tr_id)}")
    endpoint = NIGHT_BALANCE.with_tr_id(tr_id)
    if demo is None:
        demo = app_key is None and entries is None and demo_by_environment()
    if demo:
        if app_key or app_secret or entries or token or address or named or custtype == "B":
            raise ConfigError(
                "demo=True runs the embedded broker with keys of its own; leave out app_key, "
                "app_secret, keys, token, base_url and the company's fields, or leave out demo=True"
            )
        return _demo_client(read, endpoint, calls_per_second, timeout, retries)
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
            calls_per_second=calls_per_second,
            timeout=timeout,
            retries=retries,
        ),
        endpoint=endpoint,
    )


def _demo_client(
    accounts: tuple[Account, ...] | None,
    endpoint: Endpoint,
    calls_per_second: float,
    timeout: tuple[float, float],
    retries: int,
) -> Client:
    """A client of an embedded broker that is stopped when the client is closed."""
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
        (
            Settings(
                app_key=key.app_key,
                app_secret=key.app_secret,
                accounts=key.accounts,
                name=key.name,
                base_url=broker.address,
                calls_per_second=calls_per_second,
                timeout=timeout,
                retries=retries,
                demo=True,
            )
            for key in keys
        ),
        endpoint=endpoint,
    )
    client.on_close(broker.stop)
    return client
