"""`connect`, `Client.balance` and `Client.balances` against the embedded broker."""

from __future__ import annotations

import copy
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._errors import (
    ApiError,
    Cancelled,
    ConfigError,
    DecimalError,
    KisError,
    TransportError,
)
from kis_nb._schema.night_balance import POSITIONS, SUMMARY
from kis_nb.demo import Book
from tests.faults import WIRE, Broker, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kis_nb._client import Client
    from tests.conftest import Clock, Raw

ACCOUNT = "80012345-03"
OTHERS = ("70045678-03", "60098765-03")


def same(value: object, text: str) -> bool:
    """Whether a frame's value is the wire's text, exactly."""
    if not text.strip():
        return value in {None, ""}
    if isinstance(value, Decimal | int):
        return Decimal(value) == Decimal(text.strip())
    return value == text.strip()


@pytest.fixture
def frozen(clock: Clock) -> Iterator[Callable[..., Broker]]:
    """Makes brokers whose prices stand still and that refuse no rate."""
    running: list[Broker] = []
    now = clock()

    def make(rows: int = 45, **settings: Any) -> Broker:
        book = Book.sized({ACCOUNT: rows}, seed=7)
        usual: dict[str, Any] = {"book": book, "clock": lambda: now, "calls_per_second": 0}
        running.append(Broker(**{**usual, **settings}).start())
        return running[-1]

    yield make
    for broker in running:
        broker.stop()


@pytest.mark.parametrize("excc_stat_cd", list(Basis))
@pytest.mark.parametrize("mgna_dvsn", list(Margin))
@pytest.mark.parametrize("rows", [0, 1, 19, 20, 21, 45, 237, 1003])
def test_every_row_and_digit_comes_back(
    frozen: Callable[..., Broker],
    client_of: Callable[..., Client],
    raw: Callable[[Broker], Raw],
    rows: int,
    mgna_dvsn: Margin,
    excc_stat_cd: Basis,
) -> None:
    """Row for row and digit for digit what a bare HTTP walk reads, in all four views."""
    broker = frozen(rows)
    walked = raw(broker).walk(MGNA_DVSN=mgna_dvsn.value, EXCC_STAT_CD=excc_stat_cd.value)
    wire = [row for reply in walked for row in reply.json()["output1"]]
    balance = client_of(broker).balance(ACCOUNT, mgna_dvsn=mgna_dvsn, excc_stat_cd=excc_stat_cd)
    assert balance.positions.height == len(wire) == rows
    assert balance.pages == len(walked) == max(1, -(-rows // 20))
    for field in POSITIONS.fields:
        column = balance.positions[field.name]
        for value, row in zip(column, wire, strict=True):
            if field.name == "cano":
                assert value == "800*****"
            else:
                assert same(value, row.get(field.name, "")), (field.name, value, row)
    figures = walked[-1].json()["output2"]
    for field in SUMMARY.fields:
        assert same(balance.summary[field.name][0], figures.get(field.name, "")), field.name


def test_the_views_differ_as_the_codes_say(
    frozen: Callable[..., Broker], client_of: Callable[..., Client]
) -> None:
    """MGNA_DVSN changes the margin and no P&L; EXCC_STAT_CD changes cost and P&L, no margin."""
    client = client_of(frozen(45))
    views = {
        (b.mgna_dvsn, b.excc_stat_cd): b.summary.row(0, named=True)
        for b in client.balances(mgna_dvsn=list(Margin), excc_stat_cd=list(Basis))
    }
    initial, maintenance = (
        views[Margin.INITIAL, Basis.SETTLEMENT],
        views[Margin.MAINTENANCE, Basis.SETTLEMENT],
    )
    assert initial["mgna_tota"] > maintenance["mgna_tota"]
    assert initial["evlu_pfls_amt_smtl"] == maintenance["evlu_pfls_amt_smtl"]
    purchase = views[Margin.INITIAL, Basis.PURCHASE]
    assert purchase["pchs_amt_smtl"] != initial["pchs_amt_smtl"]
    assert purchase["mgna_tota"] == initial["mgna_tota"]


def test_the_published_example(
    frozen: Callable[..., Broker],
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
) -> None:
    """KIS's own example reads as published, P&L −1 237 500."""
    broker = frozen(1)
    broker.replay(exchange("balance-ok"))
    balance = client_of(broker).balance(ACCOUNT)
    assert balance.positions["evlu_pfls_amt"].to_list() == [-1_237_500]
    assert balance.positions["excc_unpr"].to_list() == [Decimal("309.10000000")]
    assert balance.positions["side"].to_list() == ["long"]
    assert balance.positions["sll_buy_dvsn_name"].to_list() == [None]
    assert balance.summary["evlu_pfls_amt_smtl"][0] == -1_237_500
    assert balance.summary["nxdy_dncl_amt"][0] is None


def test_an_empty_account(
    frozen: Callable[..., Broker],
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
) -> None:
    """No rows, a summary with two fields missing."""
    broker = frozen(1)
    broker.replay(exchange("balance-empty"))
    balance = client_of(broker).balance(ACCOUNT)
    assert balance.positions.height == 0
    assert balance.positions.columns == [*(f.name for f in POSITIONS.fields), "side"]
    assert balance.summary["dnca_cash"].to_list() == [0]


def test_a_full_last_page_followed_by_an_empty_one(
    frozen: Callable[..., Broker],
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
) -> None:
    """A gateway that promises more after exactly 20 rows and then sends none loses nothing."""
    broker = frozen(20)

    def promise(body: dict[str, Any]) -> None:
        body["ctx_area_nk200"] = "20".ljust(200)

    broker.fault(Fault(kind="mutate", page=1, headers={"tr_cont": "F"}, change=promise))
    nothing = {**exchange("balance-empty"), "headers": {"tr_cont": "E"}}
    broker.fault(Fault.exchange(nothing))
    balance = client_of(broker).balance(ACCOUNT)
    assert balance.positions.height == 20
    assert balance.pages == 2


def test_a_bad_number_on_a_later_page_keeps_the_pages_before(
    frozen: Callable[..., Broker], client_of: Callable[..., Client]
) -> None:
    """The error names the place and holds what was good."""
    broker = frozen(45)

    def spoil(body: dict[str, Any]) -> None:
        body["output1"][4]["evlu_amt"] = "1e3"

    broker.fault(Fault(kind="mutate", page=3, change=spoil))
    with pytest.raises(DecimalError) as caught:
        client_of(broker).balance(ACCOUNT)
    error = caught.value
    assert (error.field, error.value, error.page, error.row) == ("evlu_amt", "1e3", 3, 5)
    assert error.pages == 2
    assert error.partial is not None
    assert error.partial.positions.height == 40


@pytest.mark.parametrize("bad", ["", "0", "3", "01 ", "initial", 0, 3, -1, True, 1.0, None])
def test_a_wrong_code_is_a_value_error_before_any_call(
    frozen: Callable[..., Broker], client_of: Callable[..., Client], bad: Any
) -> None:
    """Neither parameter is guessed at."""
    broker = frozen(1)
    client = client_of(broker)
    with pytest.raises(ValueError, match="MGNA_DVSN takes '01'"):
        client.balance(mgna_dvsn=bad)
    with pytest.raises(ValueError, match="EXCC_STAT_CD takes '1'"):
        client.balance(excc_stat_cd=bad)
    with pytest.raises(ValueError, match="EXCC_STAT_CD"):
        client.balances(excc_stat_cd=["1", bad])
    with pytest.raises(ValueError, match="MGNA_DVSN takes '01'"):
        client.balances(mgna_dvsn=bad)
    assert broker.calls == []


def test_the_ints_that_papermill_makes_of_codes_are_read(
    frozen: Callable[..., Broker], client_of: Callable[..., Client]
) -> None:
    """``-p mgna_dvsn 02`` passes the int 2; each spelling is the same code, and no other is. One
    account as a text is not read as its characters.
    """
    assert [Margin(code) for code in (1, 2, "01", "02")] == [*Margin, *Margin]
    assert [Basis(code) for code in (1, 2, "1", "2")] == [*Basis, *Basis]
    for code, other in ((Margin, "2"), (Margin, "1"), (Basis, "02"), (Basis, "01")):
        with pytest.raises(ValueError, match=re.escape(repr(other))):
            code(other)
    client = client_of(frozen(1))
    pulled = client.balances(client.accounts[0].masked, mgna_dvsn=2, excc_stat_cd=[2, 1])
    assert [(one.mgna_dvsn, one.excc_stat_cd) for one in pulled] == [("02", "2"), ("02", "1")]


def test_the_account_may_be_left_out_when_there_is_one(
    frozen: Callable[..., Broker], client_of: Callable[..., Client], broker: Broker
) -> None:
    """And only then."""
    assert client_of(frozen(1)).balance().account == ACCOUNT
    with pytest.raises(ValueError, match=r"which account\? There are 4: 800\*\*\*\*\*-03"):
        client_of(broker).balance()
    with pytest.raises(ValueError, match="no account is configured"):
        client_of(broker, accounts=()).balance()


@pytest.mark.parametrize("text", ["8001234-03", "80012345-3", "abc", "", "８００１２３４５-03"])
def test_a_mistyped_account_is_a_value_error_that_does_not_repeat_it(
    frozen: Callable[..., Broker], client_of: Callable[..., Client], text: str
) -> None:
    """It may be a real number with a slip in it."""
    client = client_of(frozen(1))
    for call in (client.balance, lambda account: client.balances([account])):
        with pytest.raises(ValueError, match="8 digits") as caught:
            call(text)
        assert not text or text not in str(caught.value)


def test_a_masked_label_names_a_configured_account(
    broker: Broker, client_of: Callable[..., Client]
) -> None:
    """What frames show can be asked for again."""
    client = client_of(broker)
    assert client.balance("700*****-03").account == OTHERS[0]


def test_a_label_of_a_frame_is_the_clients_own() -> None:
    """Of two accounts with one mask, whichever is pulled: the label of a frame or of a failure
    asks the client for the same account again.
    """
    accounts = ("80012345-03", "80099999-03")
    with Broker(book=Book.sized({accounts[0]: 3, accounts[1]: 7})) as broker:
        keys = [{"account": a, "app_key": key, "app_secret": s} for a, key, s in broker.keys]
        with kis_nb.connect(keys=keys, base_url=broker.address) as client:
            for label in ("800*****-03", "800*****-03 (2)"):
                pulled = client.balances(label)
                assert pulled.equity()["account"].to_list() == [label]
                assert pulled[0].account == client.balance(label).account
                assert pulled.labels == client.balances().labels


def test_balances_come_in_the_order_asked(broker: Broker, client_of: Callable[..., Client]) -> None:
    """By account, then MGNA_DVSN, then EXCC_STAT_CD, with key columns in front."""
    client = client_of(broker, calls_per_second=1000)
    broker.calls_per_second = 0
    accounts = [OTHERS[1], ACCOUNT]
    many = client.balances(accounts, mgna_dvsn=["02", "01"], excc_stat_cd=["1", "2"])
    asked = [(Account.parse(a), m, e) for a in accounts for m in ("02", "01") for e in ("1", "2")]
    assert [(b.account, b.mgna_dvsn, b.excc_stat_cd) for b in many] == asked
    assert many.failures == ()
    keys = ["account", "mgna_dvsn", "excc_stat_cd", "as_of"]
    assert many.positions.columns[:4] == many.summary.columns[:4] == keys
    assert many.summary.height == 8
    assert many.positions.height == sum(b.positions.height for b in many)
    assert many.summary["account"].unique(maintain_order=True).to_list() == [
        "600*****-03",
        "800*****-03",
    ]


def test_accounts_that_share_a_mask_stay_apart(
    clock: Clock, client_of: Callable[..., Client]
) -> None:
    """Two accounts of one customer begin alike, and must not be added up as one."""
    twins = {"80012345-03": 3, "80054321-03": 2}
    with Broker(book=Book.sized(twins, seed=1), clock=clock, calls_per_second=0) as broker:
        many = client_of(broker).balances()
    counts = many.positions.group_by("account", maintain_order=True).len()
    assert counts.rows() == [("800*****-03", 3), ("800*****-03 (2)", 2)]


def test_one_failure_loses_no_other_pull(client_of: Callable[..., Client]) -> None:
    """It is listed with its reason."""
    unknown = "12345678-03"
    with Broker(shared_key=True) as broker:
        many = client_of(broker).balances([ACCOUNT, unknown, OTHERS[0]])
    assert [b.account for b in many] == [ACCOUNT, OTHERS[0]]
    (failure,) = many.failures
    assert failure.account == unknown
    assert isinstance(failure.error, ApiError)
    assert "123*****-03" in repr(many)
    assert "12345678" not in repr(many)


TWENTY = {f"800100{number:02d}-03": 100 for number in range(20)}


def test_each_account_is_called_with_its_own_key(client_of: Callable[..., Client]) -> None:
    """Its key, its secret, its own token, asked for once; nothing of one key is sent by another."""
    with Broker(shared_key=False) as broker:
        keys = {account: pair for account, *pair in broker.keys}
        with client_of(broker) as client:
            many = client.balances(mgna_dvsn=list(Margin))
        assert [b.account for b in many] == [account for account in keys for _ in Margin]
        assert not many.failures
        tokens: dict[str, set[str]] = {account: set() for account in keys}
        for call in (call for call in broker.calls if call.page):
            account = f"{call.query['CANO']}-{call.query['ACNT_PRDT_CD']}"
            assert [call.headers["appkey"], call.headers["appsecret"]] == keys[account]
            tokens[account].add(call.headers["authorization"])
        assert all(len(each) == 1 for each in tokens.values())
        assert len(set.union(*tokens.values())) == len(keys) > 2
        assert sum(not call.page for call in broker.calls) == len(keys)


def test_twenty_keys_pull_side_by_side(tmp_path: Path) -> None:
    """All twenty are at work at once, however long each takes, and no key exceeds its allowance.

    Every token is held back until each key has asked for its own, which ends only if they all do.
    """
    together = threading.Barrier(20)

    class Meeting(Broker):
        def _reply(self, request: Any, call: Any) -> Any:
            if not call.page:
                together.wait(30)
            return super()._reply(request, call)

    with Meeting(book=Book.sized(TWENTY), calls_per_second=18) as broker:
        keys = [
            {"account": account, "app_key": app_key, "app_secret": app_secret}
            for account, app_key, app_secret in broker.keys
        ]
        with kis_nb.connect(
            keys=keys, base_url=broker.address, cache_dir=tmp_path, calls_per_second=18
        ) as client:
            many = client.balances()
        assert [balance.account for balance in many] == list(TWENTY)
        assert {balance.pages for balance in many} == {5}
        assert {call.outcome for call in broker.calls} == {"ok"}
        assert len(broker.calls) == 20 * 6


def test_a_key_that_waits_holds_up_no_other(client_of: Callable[..., Client]) -> None:
    """One key's calls hang; the other accounts' balances come meanwhile."""
    released = threading.Event()
    others = threading.Semaphore(0)

    class Stuck(Broker):
        def _reply(self, request: Any, call: Any) -> Any:
            if call.headers.get("appkey") == self.app_key:
                released.wait(30)
            reply = super()._reply(request, call)
            if call.page and call.headers["appkey"] != self.app_key:
                others.release()
            return reply

    views = len(Margin) * len(Basis)
    with Stuck(book=Book.sized(dict.fromkeys(list(TWENTY)[:3], 5))) as broker:
        client = client_of(broker, cache_dir=None)

        def release() -> None:
            for _ in range(2 * views):
                assert others.acquire(timeout=30)
            released.set()

        watcher = threading.Thread(target=release)
        watcher.start()
        many = client.balances(mgna_dvsn=list(Margin), excc_stat_cd=list(Basis))
        watcher.join()
        assert released.is_set()
        assert len(many) == 3 * views


def test_an_app_key_given_twice_has_one_token(broker: Broker, tmp_path: Path) -> None:
    """KIS refuses its second account, in words that say why, and nothing else is lost."""
    account, app_key, app_secret = broker.keys[0]
    pair = {"app_key": app_key, "app_secret": app_secret}
    keys = [{**pair, "account": account}, {**pair, "account": OTHERS[0]}]
    with kis_nb.connect(keys=keys, base_url=broker.address, cache_dir=tmp_path) as client:
        many = client.balances()
    assert [b.account for b in many] == [account]
    (failure,) = many.failures
    assert failure.account == OTHERS[0]
    assert isinstance(failure.error, ApiError)
    assert failure.error.msg_cd == "OPSQ2000"
    assert sum(not call.page for call in broker.calls) == 1


def test_the_demo_has_a_key_for_each_account() -> None:
    """With names; an account that it does not have is refused at once."""
    with kis_nb.connect(demo=True) as client:
        assert list(client.names.values())[:3] == ["Demo 1", "Demo 2", "Demo 3"]
        assert len({one.app_key for one in client._settings}) == len(client.accounts)
        assert [b.account for b in client.balances()] == list(client.accounts)
        assert client.balance("demo 2").account == client.accounts[1]
    with kis_nb.connect(demo=True, accounts=[OTHERS[0]]) as client:
        assert list(client.accounts) == [OTHERS[0]]
    with pytest.raises(ConfigError, match="has no app key"):
        kis_nb.connect(demo=True, accounts=["12345678-03"])


def test_nothing_pulled_still_has_the_columns(client_of: Callable[..., Client]) -> None:
    """All failed: empty frames of the usual shape."""
    with Broker(shared_key=True) as broker:
        many = client_of(broker).balances(["12345678-03"])
    assert len(many) == 0
    assert many.positions.columns[4:] == [*(f.name for f in POSITIONS.fields), "side"]
    assert many.positions.schema["evlu_amt"] == pl.Decimal(19, 0)


def test_no_account_to_pull_is_a_value_error(
    broker: Broker, client_of: Callable[..., Client]
) -> None:
    """Neither given nor configured."""
    with pytest.raises(ValueError, match="no account to pull"):
        client_of(broker, accounts=()).balances()


def test_cancel_stops_a_pull(
    frozen: Callable[..., Broker], client_of: Callable[..., Client]
) -> None:
    """The event set after the first page is heard before the third."""
    broker = frozen(237)
    cancel = threading.Event()
    with pytest.raises(Cancelled) as caught:
        client_of(broker).balance(progress=lambda _page: cancel.set(), cancel=cancel)
    assert caught.value.pages == 1
    assert caught.value.partial is not None
    assert caught.value.partial.positions.height == 20


def test_ctrl_c_stops_many_pulls_cleanly() -> None:
    """In a process of its own: it ends soon, by KeyboardInterrupt, with no thread left."""
    script = """
import threading, kis_nb
client = kis_nb.connect(demo=True, calls_per_second=1)
before = threading.active_count()
print("ready", flush=True)
try:
    client.balances(mgna_dvsn=["01", "02"], excc_stat_cd=["1", "2"])
except KeyboardInterrupt:
    left = [t.name for t in threading.enumerate() if t.name.startswith("kis_nb_")]
    print("stopped", left, flush=True)
client.close()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.5)  # until the main thread waits inside balances, which no event tells
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert out == "stopped []\n", err
    assert process.returncode == 0, err


def test_two_pulls_of_the_demo_differ_and_say_demo() -> None:
    """Prices move; every figure is marked."""
    with kis_nb.connect(demo=True) as client:
        assert client.demo
        balance = client.balance(client.accounts[0])
        assert balance.demo
        assert "DEMO" in repr(balance)
        assert "DEMO" in repr(client)
        assert "DEMO" in balance._repr_html_()


def test_the_demo_leaves_nothing_behind(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No token file, and no broker after close."""
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path))
    client = kis_nb.connect(demo=True, retries=0)
    client.balance("80012345-03")
    client.close()
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if "kis_nb" in t.name]
    with pytest.raises(TransportError):
        client.balance("80012345-03")


def test_demo_and_credentials_do_not_mix(monkeypatch: pytest.MonkeyPatch) -> None:
    """Real credentials are never replaced by the demo silently."""
    with pytest.raises(ConfigError, match="leave out"):
        kis_nb.connect(demo=True, app_key="k" * 36, app_secret="s" * 180)
    monkeypatch.setenv("KIS_NB_DEMO", "1")
    client = kis_nb.connect(app_key="k" * 36, app_secret="s" * 180)
    assert not client.demo


def test_a_client_is_not_pickled_or_copied(
    broker: Broker, client_of: Callable[..., Client]
) -> None:
    """It holds credentials."""
    client = client_of(broker)
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(client)


def test_errors_survive_a_process_pool(broker: Broker, client_of: Callable[..., Client]) -> None:
    """Pickled and back, with what they carry."""
    broker.fault(WIRE["OPSQ2000"])
    with pytest.raises(ApiError) as caught:
        client_of(broker).balance(ACCOUNT)
    back = pickle.loads(pickle.dumps(caught.value))
    assert (back.msg_cd, str(back)) == ("OPSQ2000", str(caught.value))
    for kind in KisError.__subclasses__():
        assert isinstance(pickle.loads(pickle.dumps(kind("x", pages=2))), kind)


def test_as_of_is_when_the_first_page_came(
    frozen: Callable[..., Broker], client_of: Callable[..., Client]
) -> None:
    """Aware, in Seoul's time."""
    balance = client_of(frozen(1)).balance()
    assert f"{balance.as_of:%Y-%m-%d %H:%M:%S %Z}" == "2026-11-22 23:15:04 KST"


def test_one_line_on_the_default_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """`kis_nb.balance(...)` in a fresh process, as a script would."""
    script = (
        "import kis_nb; b = kis_nb.balance('80012345-03', mgna_dvsn='02');"
        "print(b.positions.height, b.mgna_dvsn, b.demo)"
    )
    monkeypatch.setenv("KIS_NB_DEMO", "1")
    out = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    ).stdout
    rows, code, demo = out.split()
    assert int(rows) >= 60
    assert (code, demo) == ("02", "True")
