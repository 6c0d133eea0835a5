"""Shared fakes: a broker on loopback, a clock that moves when told, bare HTTP without a client."""

from __future__ import annotations

import json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import requests
from slipcover import Slipcover  # type: ignore[import-untyped]

from kis_nb._account import Account
from kis_nb._client import Client
from kis_nb._errors import Cancelled
from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.clock import Clock as WireClock
from kis_nb._wire.config import Settings
from kis_nb._wire.secrets import Secret
from kis_nb.demo import Book
from tests.bare_http import call_headers, first_query
from tests.factories import environment
from tests.faults import Broker
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search
from tests.spark import local_spark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pyspark.sql import SparkSession

# Coverage must never take out the probes of lines that have run: for that slipcover walks the
# frames of all threads, in whichever thread it happens, which keeps their locals alive and raises
# RuntimeError in the product's threads when a dictionary changes. Its setting `threshold` does not
# reach the workers of pytest-xdist; from Python 3.12 on nothing is walked.
if hasattr(Slipcover, "deinstrument_seen"):
    Slipcover.deinstrument_seen = lambda _: None

# No test depends on the machine's speed: Hypothesis's 200 ms an example do, and so does its check
# of how fast examples are made.
hypothesis.settings.register_profile(
    "kis_nb", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("kis_nb")


class Clock:
    """Epoch seconds that stand still between `advance`s: 2026-11-22 23:15:04 in Seoul at first."""

    def __init__(self) -> None:
        self.now = 1_795_356_904.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Raw:
    """Bare HTTP against a broker, with a token that cost no token call."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.session = requests.Session()
        self.session.trust_env = False
        self.token = broker.issue_token()

    def headers(self, **changed: str | None) -> dict[str, str]:
        """The five demanded headers, some changed or (None) left out."""
        usual = call_headers(self.broker.app_key, self.broker.app_secret, self.token)
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def get(
        self, headers: dict[str, str | None] | None = None, /, **query: str | None
    ) -> requests.Response:
        """One balance call; `query` changes or (None) leaves out parameters."""
        usual = first_query(self.broker.accounts[0])
        return self.session.get(
            self.broker.address + NIGHT_BALANCE.path,
            params={name: value for name, value in {**usual, **query}.items() if value is not None},
            headers=self.headers(**(headers or {})),
            timeout=10,
            allow_redirects=False,
        )

    def follow(self, page: requests.Response, **query: str | None) -> requests.Response:
        """The page after `page`."""
        body = page.json()
        keys = {name: body[name.lower()] for name in NIGHT_BALANCE.cursors}
        return self.get({"tr_cont": "N"}, **{**keys, **query})

    def walk(self, **query: str | None) -> list[requests.Response]:
        """All pages."""
        pages = [self.get(**query)]
        while pages[-1].headers["tr_cont"] in {"F", "M"}:
            pages.append(self.follow(pages[-1], **query))
        return pages

    def ask_token(self, **changed: str) -> requests.Response:
        """One token call."""
        usual = {
            "grant_type": "client_credentials",
            "appkey": self.broker.app_key,
            "appsecret": self.broker.app_secret,
        }
        url = f"{self.broker.address}/oauth2/tokenP"
        return self.session.post(url, json={**usual, **changed}, timeout=10)


def pytest_configure() -> None:
    """Let Ctrl-C interrupt the tests and what they start, also in a background job."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of pytest-xdist tells how much it has searched."""
    if (told := getattr(session.config, "workeroutput", None)) is not None:
        told["searched"] = Search.characters


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add up what the workers tell; one that broke down tells nothing."""
    Search.characters += getattr(node, "workeroutput", {}).get("searched", 0)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How much the secrets suite has searched."""
    if Search.characters:
        said = f"secrets suite: {Search.characters:,} characters searched"
        terminalreporter.write_line(said)


@pytest.fixture
def own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, configuration, cache or language of whoever runs the tests."""
    for name in list(os.environ):
        if name.startswith(("KIS_", "LC_", "LANG")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path / "cache"))


@pytest.fixture
def mine(
    own_environment: None,  # noqa: ARG001 (set up first)
    broker: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> Broker:
    """The broker, named in the environment as a customer names KIS."""
    for name, value in environment(broker).items():
        monkeypatch.setenv(name, value)
    return broker


@pytest.fixture
def clock() -> Clock:
    """Moves when told."""
    return Clock()


@pytest.fixture
def broker() -> Iterator[Broker]:
    """The demo broker as a newcomer gets it."""
    with Broker() as running:
        yield running


@pytest.fixture
def guarded(clock: Clock) -> Iterator[Broker]:
    """45 rows; the client's credentials are known to the tests."""
    with Broker(
        book=Book.sized({ACCOUNT: 45}, seed=1),
        clock=clock,
        calls_per_second=0,
        app_key=APP_KEY,
        app_secret=APP_SECRET,
        token_interval=0,
        token_repeat=0,
    ) as running:
        yield running


@pytest.fixture
def raw() -> Iterator[Callable[[Broker], Raw]]:
    """Makes a `Raw` for a broker, and closes it after the test."""
    made: list[Raw] = []

    def make(broker: Broker) -> Raw:
        made.append(Raw(broker))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


@pytest.fixture
def exchange() -> Callable[[str], dict[str, Any]]:
    """Reads a recorded exchange (status, headers, body) by its name."""
    folder = Path(__file__).parent / "exchanges"

    def read(name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text("utf-8"))
        return found

    return read


class Fast(WireClock):
    """The client's clock: waiting costs no time and moves the broker's clock along."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self.waits: list[float] = []

    def time(self) -> float:
        return self._clock.now

    def monotonic(self) -> float:
        return self._clock.now

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        if cancel is not None and cancel.is_set():
            raise Cancelled("the pull was cancelled")
        with self._lock:
            self.waits.append(seconds)
            self._clock.advance(seconds)


@pytest.fixture
def fast(clock: Clock) -> Fast:
    return Fast(clock)


@pytest.fixture
def client_of(fast: Fast) -> Iterator[Callable[..., Client]]:
    """Makes clients for a broker, with waits that cost no time, and closes them after the test."""
    made: list[Client] = []

    def make(broker: Broker, endpoint: Endpoint = NIGHT_BALANCE, **settings: Any) -> Client:
        keys: dict[tuple[str, str], list[str]] = {}
        for account, app_key, app_secret in broker.keys:
            keys.setdefault((app_key, app_secret), []).append(account)
        each: list[Settings] = []
        for (app_key, app_secret), accounts in keys.items():
            usual: dict[str, Any] = {
                "app_key": Secret(app_key),
                "app_secret": Secret(app_secret),
                "accounts": tuple(map(Account.parse, accounts)),
                "base_url": broker.address,
            }
            each.append(Settings(**{**usual, **settings}))
        # Accounts or a token that a test gives are for the first key.
        alone = settings.keys() & {"app_key", "accounts", "token"}
        made.append(Client(each[:1] if alone else each, endpoint=endpoint, clock=fast))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One Spark session for all the tests of a worker: each takes seconds to start."""
    with local_spark() as session:
        yield session
