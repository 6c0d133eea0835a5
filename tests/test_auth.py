"""The token and its store: issued once, shared, never leaked, never asked for in a loop."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import stat
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import filelock
import pytest

import kis_nb
from kis_nb import _files
from kis_nb._errors import AuthError, Cancelled, TransportError
from kis_nb._wire import token_store
from kis_nb._wire.secrets import Secret
from kis_nb._wire.token_store import StoredToken, TokenStore
from kis_nb.demo import Book
from tests.faults import WIRE, Broker, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from kis_nb._client import Client
    from tests.conftest import Clock, Fast

ACCOUNT = "80012345-03"


@pytest.fixture
def small(clock: Clock) -> Iterator[Broker]:
    """One row, the real token rules, on a clock that moves only while the client waits."""
    with Broker(book=Book.sized({ACCOUNT: 1}, seed=1), clock=clock) as running:
        yield running


def issued(broker: Broker) -> int:
    return sum(call.path == "/oauth2/tokenP" for call in broker.calls)


def stored(folder: Path) -> Path:
    (found,) = folder.glob("token-*.json")
    return found


def test_a_stored_token_serves_the_next_client(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """Two clients, one token call."""
    for _ in range(2):
        client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 1


def test_a_stored_token_serves_where_nothing_can_be_written(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No lock is needed to read, and no warning is due."""

    def refused(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    client_of(small, cache_dir=tmp_path).balance()
    monkeypatch.setattr(filelock.FileLock, "acquire", refused)
    client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 1


def test_the_store_tells_nothing_and_is_the_owners(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """Neither key, secret, account nor host in its name or text; mode 0600 in a folder of 0700."""
    folder = tmp_path / "cache"
    client_of(small, cache_dir=folder).balance()
    file = stored(folder)
    content = file.name + file.read_text("utf-8")
    host = small.address.removeprefix("http://")
    for hidden in (small.app_key, small.app_secret, "80012345", host):
        assert hidden not in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for other in folder.iterdir():
        assert stat.S_IMODE(other.stat().st_mode) == 0o600, other


def test_host_and_app_key_each_have_their_file(
    client_of: Callable[..., Client], tmp_path: Path, clock: Clock
) -> None:
    """A token belongs to one host and one app key."""
    book = Book.sized({ACCOUNT: 1}, seed=1)
    with Broker(book=book, clock=clock) as one, Broker(book=book, clock=clock) as other:
        client_of(one, cache_dir=tmp_path).balance()
        client_of(other, cache_dir=tmp_path).balance()
    assert len(list(tmp_path.glob("token-*.json"))) == 2


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b"{", b"[]", b"null", b'{"token": 5}', b"\xff\x00", b'{"for": "x"}'),
        b"[" * 200_000,
    ],
)
def test_a_damaged_or_foreign_file_is_replaced(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock, content: bytes
) -> None:
    """Whatever lies there, a new token is issued over it."""
    client_of(small, cache_dir=tmp_path).balance()
    stored(tmp_path).write_bytes(content)
    clock.advance(61)
    client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 2
    assert json.loads(stored(tmp_path).read_text("utf-8"))["token"]


@pytest.mark.parametrize(
    "entry",
    [
        {"until": 10**400},
        {"until": float("nan")},
        {"until": None},
        {"token": "", "refused": "EGW99999"},
        {"token": "", "refused": ["EGW00103"]},
        {"token": ["x"]},
        {"token": 0},
    ],
)
def test_an_entry_that_we_do_not_write_counts_as_none(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock, entry: Any
) -> None:
    """As of another version, or edited by hand: a new token is issued over it."""
    client_of(small, cache_dir=tmp_path).balance()
    clock.advance(61)
    old = json.loads(stored(tmp_path).read_text("utf-8"))
    mine = {**old, "until": clock() + 300, **entry}
    stored(tmp_path).write_text(json.dumps(mine), "utf-8")
    client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 2
    assert json.loads(stored(tmp_path).read_text("utf-8"))["token"]


def test_a_token_near_its_end_is_not_used(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock
) -> None:
    """A pull of many pages must not see it expire."""
    client = client_of(small, cache_dir=tmp_path)
    client.balance()
    clock.advance(86_400 - 30)
    client.balance()
    assert issued(small) == 2


def test_eight_processes_cost_one_token_call(tmp_path: Path) -> None:
    """Started at once on an empty store, over a broker that would refuse a second issue."""
    context = multiprocessing.get_context("spawn")
    with Broker(book=Book.sized({ACCOUNT: 45}, seed=1), latency=0.02) as broker:
        start = context.Event()
        heights = context.SimpleQueue()
        processes = [
            context.Process(
                target=_pull,
                args=(broker.address, broker.app_key, broker.app_secret, tmp_path, start, heights),
            )
            for _ in range(8)
        ]
        for process in processes:
            process.start()
        start.set()
        for process in processes:
            process.join(60)
        assert [process.exitcode for process in processes] == [0] * 8
        assert [heights.get() for _ in processes] == [45] * 8
        assert issued(broker) == 1


def _pull(
    address: str, app_key: str, app_secret: str, folder: Path, start: Any, heights: Any
) -> None:
    start.wait(60)
    with kis_nb.connect(
        app_key=app_key,
        app_secret=app_secret,
        base_url=address,
        cache_dir=folder,
        calls_per_second=2,
    ) as client:
        try:
            heights.put(client.balance(ACCOUNT).positions.height)
        except AuthError as error:
            heights.put(str(error))


def test_many_threads_cost_one_token_call(small: Broker, client_of: Callable[..., Client]) -> None:
    """Without a store, too."""
    client = client_of(small)
    threads = [threading.Thread(target=client.balance) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert issued(small) == 1


@pytest.mark.parametrize("code", ["EGW00103", "EGW00105"])
def test_refused_credentials_are_asked_once_and_remembered(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock, code: str
) -> None:
    """Not by this client, not by another, for ten minutes; then once more."""
    small.fault(WIRE[f"{code} at the token call"].at(None, call="token", times=None))
    for _ in range(3):
        for client in (client_of(small, cache_dir=tmp_path), client_of(small, cache_dir=tmp_path)):
            with pytest.raises(AuthError, match=code):
                client.balance()
    clock.advance(595)
    with pytest.raises(AuthError, match=f"{code}.* not asked again"):
        client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 1
    clock.advance(6)
    with pytest.raises(AuthError):
        client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 2


def test_processes_with_a_wrong_secret_ask_once(tmp_path: Path) -> None:
    """Several at once, on a gateway that locks the key out after some."""
    context = multiprocessing.get_context("spawn")
    with Broker(book=Book.sized({ACCOUNT: 1}, seed=1)) as broker:
        start, said = context.Event(), context.SimpleQueue()
        wrong = (broker.address, broker.app_key, "w" * 180, tmp_path, start, said)
        processes = [context.Process(target=_pull, args=wrong) for _ in range(3)]
        for process in processes:
            process.start()
        start.set()
        for process in processes:
            process.join(60)
        assert ["EGW00105" in said.get() for _ in processes] == [True] * 3
        assert issued(broker) == 1


def test_a_corrected_secret_is_tried_at_once(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """What was remembered belongs to the wrong secret."""
    with pytest.raises(AuthError):
        client_of(small, cache_dir=tmp_path, app_secret=Secret("w" * 180)).balance()
    assert client_of(small, cache_dir=tmp_path).balance().positions.height == 1


def test_asked_too_soon_waits_and_takes_the_token_that_arrives(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, fast: Fast
) -> None:
    """Another program of the user had a token issued, and stores it while we wait."""
    other = small.issue_token()
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token", times=None))
    client = client_of(small, cache_dir=tmp_path)
    store = TokenStore(tmp_path, small.address, Secret(small.app_key), Secret(small.app_secret))
    sleep = fast.sleep

    def arrive(seconds: float, cancel: threading.Event | None = None) -> None:
        sleep(seconds, cancel)
        if len(fast.waits) == 5:
            store.write(StoredToken(Secret(other), fast.time() + 3600))

    fast.sleep = arrive  # type: ignore[method-assign]
    assert client.balance().positions.height == 1
    assert issued(small) == 1
    assert len(fast.waits) == 5


def test_asked_too_soon_asks_again_after_the_minute(
    small: Broker,
    client_of: Callable[..., Client],
    fast: Fast,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nobody stored one: the minute over, it is our turn; and it is said at once, by default to
    everyone.
    """
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token"))
    assert client_of(small).balance(progress=lambda _: None).positions.height == 1
    assert issued(small) == 2
    assert 60 <= sum(fast.waits) <= 62
    assert [(record.name, record.levelname) for record in caplog.records] == [("kis_nb", "WARNING")]
    (said,) = caplog.messages
    assert said == (
        "waiting up to 61 s for an access token: KIS issues one access token a minute for an app "
        "key, and another program has just asked for one"
    )


class Progress:
    """Pages read, and waits told of, in order."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def __call__(self, pages: int) -> None:
        self.told.append(pages)

    def waiting(self, why: str, seconds: float) -> None:
        self.told.append((why, round(seconds)))


def test_progress_is_told_of_the_wait_before_it(
    small: Broker, client_of: Callable[..., Client], fast: Fast, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asked to know is told; nothing else is printed then."""
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token"))
    progress = Progress()
    waited = fast.sleep

    def sleep(seconds: float, cancel: threading.Event | None = None) -> None:
        assert len(progress.told) == 1
        waited(seconds, cancel)

    fast.sleep = sleep  # type: ignore[method-assign]
    client_of(small).balance(progress=progress)
    (why, seconds), page = progress.told
    assert (seconds, page) == (61, 1)
    assert "another program has just asked" in why
    assert not [record for record in caplog.records if record.levelname == "WARNING"]


def test_a_pull_behind_one_that_waits_is_told_too(
    small: Broker, client_of: Callable[..., Client], fast: Fast
) -> None:
    """Two threads, one token: both hear what they wait for, and the second can be cancelled."""
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token", times=None))
    client = client_of(small)
    first, second = Progress(), Progress()
    cancels = threading.Event(), threading.Event()
    entered, told = threading.Event(), threading.Event()

    def hold(seconds: float, cancel: threading.Event | None = None) -> None:
        assert seconds > 0
        entered.set()
        assert cancel is not None
        assert cancel.wait(60)
        raise Cancelled

    def tell(why: str, seconds: float) -> None:
        second.told.append((why, seconds))
        told.set()

    fast.sleep = hold  # type: ignore[method-assign]
    second.waiting = tell  # type: ignore[method-assign]

    def pull(progress: Progress, cancel: threading.Event) -> None:
        with pytest.raises(Cancelled):
            client.balance(progress=progress, cancel=cancel)

    with ThreadPoolExecutor(2) as pool:
        ahead = pool.submit(pull, first, cancels[0])
        assert entered.wait(60)
        behind = pool.submit(pull, second, cancels[1])
        assert told.wait(60)
        cancels[1].set()
        behind.result(60)
        cancels[0].set()
        ahead.result(60)
    assert [why for why, _ in first.told] == [why for why, _ in second.told]


def test_a_wait_for_another_process_is_told(
    small: Broker,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds the lock of the store, and may wait out a minute itself.

    When nobody is told, the lock is never released: its timeout then ends the test.
    """
    monkeypatch.setattr(token_store, "_LOCK_TIMEOUT", 10.0)
    monkeypatch.setattr(_files, "_NOTIFY_AFTER", 0.0)
    store = TokenStore(tmp_path, small.address, Secret(small.app_key), Secret(small.app_secret))
    progress = Progress()
    held = store.lock()

    def tell(why: str, seconds: float) -> None:
        progress.told.append((why, seconds))
        held.__exit__(None, None, None)

    progress.waiting = tell  # type: ignore[method-assign]
    with held:
        client_of(small, cache_dir=tmp_path).balance(progress=progress)
    (why, seconds), page = progress.told
    assert (seconds, page) == (61, 1)
    assert "another program on this computer" in why


def test_asked_too_soon_is_not_asked_anew_by_every_pull(
    small: Broker, client_of: Callable[..., Client], fast: Fast
) -> None:
    """Cancelled while it waits and begun again, as a dashboard's clicks do: no more calls than
    minutes, since twenty refusals lock the key out.
    """
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token", times=None))
    client = client_of(small)
    sleep = fast.sleep
    stops: list[threading.Event] = []

    def cancelled(seconds: float, cancel: threading.Event | None = None) -> None:
        stops[-1].set()
        sleep(seconds, cancel)

    fast.sleep = cancelled  # type: ignore[method-assign]
    begin = fast.time()
    for _ in range(50):
        stops.append(threading.Event())
        with pytest.raises(Cancelled):
            client.balance(cancel=stops[-1])
        fast._clock.advance(2)
    assert issued(small) <= (fast.time() - begin) / 60 + 1


def test_asked_too_soon_for_ever_is_an_error(
    small: Broker, client_of: Callable[..., Client], fast: Fast
) -> None:
    """Two minutes, three calls, then it is said, with what is known of it."""
    small.fault(WIRE["EGW00133 at the token call"].at(None, call="token", times=None))
    with pytest.raises(AuthError, match=r"EGW00133.*has lasted up to nine"):
        client_of(small).balance()
    assert issued(small) <= 3
    assert sum(fast.waits) <= 130


def test_a_token_handed_in_is_used_and_never_renewed(
    small: Broker, client_of: Callable[..., Client]
) -> None:
    """Companies bring their own."""
    client = client_of(small, token=Secret(small.issue_token()))
    assert client.balance().positions.height == 1
    small.revoke_tokens()
    with pytest.raises(AuthError, match="token that was passed"):
        client.balance()
    assert issued(small) == 0


def test_a_token_given_back_dead_is_not_asked_for_until_it_can_be_another(
    small: Broker, client_of: Callable[..., Client], clock: Clock, tmp_path: Path
) -> None:
    """Within six hours of an issue KIS gives the same token back, refused or not: said with both
    times, asked once, by this client and by the next, and over when the six hours are.
    """
    client = client_of(small, cache_dir=tmp_path)
    client.balance()  # at 23:15:04 in Seoul
    clock.advance(120)
    small.tokens.revoke(replace=False)
    said = r"same one again.*issued about 23:15, so another can be had from 05:15 \(Korean time\)"
    for again in (client, client, client_of(small, cache_dir=tmp_path)):
        with pytest.raises(AuthError, match=said):
            again.balance()
        clock.advance(600)
    assert issued(small) == 2
    clock.advance(6 * 3600)
    assert client.balance().positions.height == 1
    assert issued(small) == 3


def test_a_token_given_back_past_its_end_is_asked_for_again_after_ten_minutes(
    small: Broker, client_of: Callable[..., Client], clock: Clock
) -> None:
    """Once the end of a token given back lay 20 minutes back: when it was issued is not known."""
    client = client_of(small)
    client.balance()
    clock.advance(120)
    small.revoke_tokens()
    old = small.calls[-1].headers["authorization"].removeprefix("Bearer ")
    body = {
        "access_token": old,
        "access_token_token_expired": "2026-11-22 22:57:04",
        "token_type": "Bearer",
        "expires_in": 86400,
    }
    small.fault(Fault(call="token", body=body, times=None))
    for _ in range(3):
        with pytest.raises(AuthError, match="KIS is asked again after 23:27"):
            client.balance()
    assert issued(small) == 2
    clock.advance(601)
    with pytest.raises(AuthError, match="KIS is asked again after 23:37"):
        client.balance()
    assert issued(small) == 3


def test_a_token_that_comes_to_life_again_is_used(
    small: Broker, client_of: Callable[..., Client], clock: Clock
) -> None:
    """The refusal was the gateway's trouble: no token call is needed to find out."""
    client = client_of(small)
    client.balance()
    clock.advance(120)
    small.fault(WIRE["EGW00123"].at(1, times=1))
    with pytest.raises(AuthError, match="same one again"):
        client.balance()
    assert client.balance().positions.height == 1
    assert issued(small) == 2


@pytest.mark.parametrize("name", ["EGW00215", "EGW00206", "EGW00304"])
def test_the_table_of_errors_serves_the_token_call_too(
    small: Broker, client_of: Callable[..., Client], fast: Fast, name: str
) -> None:
    """The ledger's limit is waited out; what no retry changes is raised after one call."""
    small.fault(WIRE[name].at(None, call="token"))
    if name == "EGW00215":
        begin = fast.time()
        assert client_of(small).balance().positions.height == 1
        # A pause, then two calls 1.05 s apart.
        assert fast.time() - begin >= 2 * 1.05
        return
    hint = {"EGW00206": "apply for it", "EGW00304": "a new token does not change"}[name]
    with pytest.raises(AuthError, match=rf"no token: HTTP 500 {name}.*{hint}"):
        client_of(small).balance()
    assert issued(small) == 1


def test_a_refused_key_without_quotes_is_asked_once(
    small: Broker, client_of: Callable[..., Client]
) -> None:
    """A token refusal that is no strict JSON is a refusal all the same."""
    body = '{error_code:"EGW00103",error_description:"x"}'
    small.fault(Fault(call="token", status=403, body=body, times=None))
    with pytest.raises(AuthError, match="EGW00103"):
        client_of(small).balance()
    assert issued(small) == 1


@pytest.mark.parametrize("name", ["HTML 503", "empty 500", "EGW00201", "EGW00002"])
def test_trouble_at_the_token_call_is_got_over(
    small: Broker, client_of: Callable[..., Client], name: str
) -> None:
    """Asked again, and not counted against the credentials."""
    small.fault(WIRE[name].at(None, call="token", times=2))
    assert client_of(small).balance().positions.height == 1
    small.revoke_tokens()


@pytest.mark.parametrize("token", ["토큰", "two words", "a\nb", "\ud800", 7, ["x"], ""])
def test_a_token_that_cannot_be_sent_is_none(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, token: Any
) -> None:
    """Neither from KIS nor from the store; the next one is asked for (found by the fuzzer)."""
    client_of(small, cache_dir=tmp_path).balance()
    entry = json.loads(stored(tmp_path).read_text("utf-8"))
    stored(tmp_path).write_text(json.dumps({**entry, "token": token}), "utf-8")
    body = json.dumps({"access_token": token, "expires_in": 86400})
    small.fault(Fault(status=200, body=body, call="token", times=1))
    small.revoke_tokens()
    client = client_of(small, cache_dir=tmp_path)
    assert client.balance().positions.height == 1
    assert client._first.gateway._tokens.get().reveal() != token


def test_trouble_at_the_token_call_that_stays_is_named(
    small: Broker, client_of: Callable[..., Client]
) -> None:
    """A TransportError: the credentials were not refused."""
    small.fault(WIRE["HTML 503"].at(None, call="token", times=None))
    with pytest.raises(TransportError, match="not refused"):
        client_of(small, retries=2).balance()
    assert issued(small) == 3


@pytest.mark.parametrize("where", ["file in the way", "nowhere", "read-only"])
def test_a_store_that_cannot_be_used_warns_once_and_works_on(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, where: str
) -> None:
    """The token then lives in this process."""
    (tmp_path / "file").write_text("")
    folders = {
        "file in the way": str(tmp_path / "file" / "x"),
        "nowhere": "/proc/none/kis_nb",
        "read-only": "/sys",  # to root, too
    }
    client = client_of(small, cache_dir=type(tmp_path)(folders[where]))
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        client.balance()
    client.balance()
    assert len(caught) == 1
    assert issued(small) == 1


@pytest.mark.parametrize("step", ["fsync", "write", "mkstemp", "lock", "no locks"])
def test_a_full_disk_warns_once_and_works_on(
    small: Broker,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    """Wherever it shows first, and on a disk without locks; no part of a file stays behind."""

    def full(*_: Any, **__: Any) -> None:
        if step == "no locks":
            raise NotImplementedError("FileSystem does not appear to support flock")
        raise OSError(28, "No space left on device")

    match step:
        case "fsync":
            monkeypatch.setattr(os, "fsync", full)
        case "write":
            monkeypatch.setattr(os, "fdopen", full)
        case "mkstemp":
            monkeypatch.setattr(tempfile, "mkstemp", full)
        case _:
            monkeypatch.setattr(filelock.FileLock, "acquire", full)
    client = client_of(small, cache_dir=tmp_path)
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        client.balance()
    client.balance()
    assert len(caught) == 1
    assert issued(small) == 1
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".lock"])


def test_a_folder_that_goes_away_is_made_again(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock
) -> None:
    """Caches are swept while kernels live."""
    client = client_of(small, cache_dir=tmp_path / "cache")
    client.balance()
    shutil.rmtree(tmp_path / "cache")
    small.revoke_tokens()
    clock.advance(61)
    client.balance()
    assert stored(tmp_path / "cache").exists()


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk: readers see the old token whole, and no half file stays behind."""
    store = TokenStore(tmp_path, "h", Secret("k"), Secret("s"))
    store.write(StoredToken(Secret("old"), 1e12))
    before = sorted(path.name for path in tmp_path.iterdir())

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.warns(UserWarning, match="No space left"):
        store.write(StoredToken(Secret("new"), 1e12))
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    fresh = TokenStore(tmp_path, "h", Secret("k"), Secret("s")).read()
    assert fresh is not None
    assert fresh.token == Secret("old")


def test_a_killed_writer_leaves_nothing_that_stays(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """Its half file is swept away by the next writer, its lock by the kernel."""
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(
        target=_hold, args=(tmp_path, small.address, small.app_key, small.app_secret, ready)
    )
    holder.start()
    assert ready.wait(60)
    holder.kill()
    holder.join()
    assert len(list(tmp_path.glob("*.new"))) == 1
    assert client_of(small, cache_dir=tmp_path).balance().positions.height == 1
    assert list(tmp_path.glob("*.new")) == []


def _hold(folder: Path, host: str, app_key: str, app_secret: str, ready: Any) -> None:
    store = TokenStore(folder, host, Secret(app_key), Secret(app_secret))
    with store.lock():
        assert store._path is not None
        (folder / f".{store._path.name}.x1.new").write_text('{"token": "ha')
        ready.set()
        threading.Event().wait()


def test_a_pull_that_waits_for_another_process_can_be_cancelled(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """The other may wait out a minute, or hang."""
    store = TokenStore(tmp_path, small.address, Secret(small.app_key), Secret(small.app_secret))
    stop = threading.Event()
    ended: list[BaseException] = []

    def pull() -> None:
        try:
            client_of(small, cache_dir=tmp_path).balance(cancel=stop)
        except Cancelled as error:
            ended.append(error)

    waiting = threading.Thread(target=pull)
    with store.lock():
        waiting.start()
        stop.set()
        waiting.join(10)
        assert not waiting.is_alive()
    assert len(ended) == 1
    assert issued(small) == 0


def test_a_process_that_is_stuck_does_not_stop_the_others(
    small: Broker,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After longer than an issue may take they go on alone, and say so."""
    monkeypatch.setattr(token_store, "_LOCK_TIMEOUT", 0.3)
    store = TokenStore(tmp_path, small.address, Secret(small.app_key), Secret(small.app_secret))
    with (
        store.lock(),
        # A thread of its own, as filelock takes two locks of one thread for a mistake.
        ThreadPoolExecutor(1) as pool,
        pytest.warns(UserWarning, match="cannot be used"),
    ):
        pulled = pool.submit(client_of(small, cache_dir=tmp_path).balance).result(30)
    assert pulled.positions.height == 1


def test_a_token_revoked_elsewhere_is_replaced_by_the_one_that_came_after(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock
) -> None:
    """Another process was quicker: its stored token is taken, and none is issued."""
    first = client_of(small, cache_dir=tmp_path)
    first.balance()
    small.revoke_tokens()
    clock.advance(61)
    client_of(small, cache_dir=tmp_path).balance()
    assert issued(small) == 2
    first.balance()
    assert issued(small) == 2


def set_ahead(fast: Fast, seconds: float) -> None:
    """This machine's clock, not the broker's."""
    right = fast.time
    fast.time = lambda: right() + seconds  # type: ignore[method-assign]


@pytest.mark.parametrize("jump", [-400 * 86_400, -7200, 7200, 400 * 86_400])
def test_a_clock_that_jumps_costs_one_issue_at_most(
    guarded: Broker, client_of: Callable[..., Client], tmp_path: Path, fast: Fast, jump: int
) -> None:
    """This machine's clock is set by hours or a year between two pulls; KIS's goes on."""
    ours = client_of(guarded, cache_dir=tmp_path)
    ours.balance()
    set_ahead(fast, jump)
    for client in (ours, client_of(guarded, cache_dir=tmp_path)):
        for _ in range(2):
            assert client.balance().positions.height == 45
    assert issued(guarded) <= 2


@pytest.mark.parametrize("ahead", [-400, -1, -0.4, 0.4, 0.9999, 1, 2, 400])
def test_a_clock_that_is_wrong_by_days_costs_one_issue(
    guarded: Broker, client_of: Callable[..., Client], tmp_path: Path, fast: Fast, ahead: float
) -> None:
    """The end of a token's life is Korean time, which seems over to a clock that is ahead: each
    page would then cost a token call, and a phone message.
    """
    set_ahead(fast, ahead * 86_400)
    for _ in range(2):
        client = client_of(guarded, cache_dir=tmp_path)
        for _ in range(2):
            assert client.balance().positions.height == 45
    assert issued(guarded) == 1


def test_a_refusal_noted_before_the_clock_was_set_back_is_forgotten(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path, clock: Clock
) -> None:
    """Else it would hold for as long as the clock was ahead."""
    small.fault(WIRE["EGW00103 at the token call"].at(None, call="token"))
    with pytest.raises(AuthError):
        client_of(small, cache_dir=tmp_path).balance()
    clock.advance(-86_400)
    assert client_of(small, cache_dir=tmp_path).balance().positions.height == 1


def test_a_cache_folder_that_is_missing_is_made(
    small: Broker, client_of: Callable[..., Client], tmp_path: Path
) -> None:
    """Deep, and private."""
    folder = tmp_path / "a" / "b"
    client_of(small, cache_dir=folder).balance()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
