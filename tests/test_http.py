"""One exchange: the rate limit, the scrubbing, and what may be logged."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import ssl
import threading
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._client import Client
from kis_nb._config import Secret, Settings
from kis_nb._errors import Cancelled
from kis_nb._fields import Account
from kis_nb._http import Call, Clock, Hidden, Http, NoReply, RateLimit, Reply, Scrubber
from kis_nb.demo import Book, Broker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Fast


class Ticking(Clock):
    """Time that moves by waiting, and by the seconds given between calls."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, cancel: threading.Event | None = None) -> None:
        assert cancel is None
        self.now += seconds


def most_in_a_second(times: list[float], window: float = 1.0) -> int:
    return max(sum(start <= t < start + window - 1e-9 for t in times) for start in times)


@given(
    st.floats(0.2, 25),
    st.lists(st.floats(0, 0.4), min_size=1, max_size=80),
    st.sets(st.integers(0, 79)),
)
def test_no_second_holds_more_calls_than_allowed(
    calls_per_second: float, gaps: list[float], refusals: set[int]
) -> None:
    """Whatever the gaps between the calls, and with refusals in between."""
    clock = Ticking()
    limit = RateLimit(calls_per_second, clock)
    times: list[float] = []
    for number, gap in enumerate(gaps):
        clock.now += gap
        with limit.turn():
            times.append(clock.now)
        if number in refusals:
            limit.slow_down()
    if calls_per_second >= 1:
        assert most_in_a_second(times) <= calls_per_second
    else:
        assert most_in_a_second(times, 1 / calls_per_second) == 1


def test_a_burst_within_the_allowance_waits_for_nothing() -> None:
    """Fifteen calls go out at once, the sixteenth a second later."""
    clock = Ticking()
    limit = RateLimit(15, clock)
    for _ in range(15):
        with limit.turn():
            pass
    assert clock.now == 0
    with limit.turn():
        assert clock.now == pytest.approx(1.0)


def test_a_calls_second_begins_with_its_answer() -> None:
    """However unevenly calls travel, no second at the gateway holds more than allowed."""
    clock = Ticking()
    limit = RateLimit(2, clock)
    arrivals: list[float] = []
    for journey in (0.3, 0.0, 0.0, 0.3, 0.0, 0.0, 0.2):
        with limit.turn():
            clock.now += journey
            arrivals.append(clock.now)
    assert most_in_a_second(arrivals) <= 2


def test_calls_under_way_hold_their_places() -> None:
    """A third of two waits for an answer, whenever that comes."""
    limit = RateLimit(2, Ticking())
    with limit.turn(), limit.turn():
        assert limit._claim() > 0
    assert limit._claim() > 0


def test_a_refusal_halves_the_pace_and_quiet_wins_it_back() -> None:
    """One burst's refusals count once; the full pace returns."""
    clock = Ticking()
    limit = RateLimit(16, clock)
    for _ in range(3):
        limit.slow_down()
    assert paces(limit, clock, 2) == [8, 8]
    clock.now += 100
    for _ in range(60):
        with limit.turn():
            clock.now += 2
    assert paces(limit, clock, 1) == [16]


def paces(limit: RateLimit, clock: Ticking, seconds: int) -> list[int]:
    """Calls let through in each of the next seconds."""
    clock.now += 1.5
    counts: list[int] = []
    for _ in range(seconds):
        start = clock.now
        count = 0
        while limit._claim() == 0:
            count += 1
        limit._under_way = 0
        limit._answered.extend([start] * count)
        counts.append(count)
        clock.now = start + 1.0
    return counts


def test_the_limit_holds_across_threads() -> None:
    """Eight threads on one limit, in real time."""
    clock = Clock()
    limit = RateLimit(40, clock)
    times: list[float] = []
    lock = threading.Lock()

    def call() -> None:
        for _ in range(12):
            with limit.turn(), lock:
                times.append(clock.monotonic())

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(times) == 96
    assert most_in_a_second(sorted(times)) <= 40


def test_a_cancelled_wait_raises() -> None:
    """A pull at the limit can be stopped."""
    cancel = threading.Event()
    limit = RateLimit(0.001, Clock())
    with limit.turn(cancel):
        pass
    threading.Timer(0.01, cancel.set).start()
    with pytest.raises(Cancelled), limit.turn(cancel):
        pytest.fail("a turn was given")
    assert limit._under_way == 0


def test_clients_of_one_key_share_the_limit(
    broker: Broker, client_of: Callable[..., Client]
) -> None:
    """The gateway counts by app key."""
    assert client_of(broker)._http.rate is client_of(broker)._http.rate
    assert client_of(broker)._http.rate is not client_of(broker, calls_per_second=3)._http.rate


def test_scrubbing_finds_every_spelling() -> None:
    """As it is, percent-encoded, in base64, an account with and without its hyphen."""
    secret = "a+b/c=" * 6
    scrub = Scrubber([Secret(secret)], [Account.parse("80012345-03")]).scrub
    for text in (secret, quote(secret, safe=""), base64.b64encode(secret.encode()).decode()):
        assert text not in scrub(f"<{text}>")
    for text in ("8001234503", "80012345-03", "CANO=80012345&", "80012345^03"):
        assert "80012345" not in scrub(text)
    assert scrub("80012345-03") == "800*****-03"
    assert scrub("nothing to hide") == "nothing to hide"


def test_what_holds_headers_does_not_show_them() -> None:
    """A repr, in a log or in a traceback's locals."""
    call = Call("GET", "/p", Hidden({"appkey": "KEY"}), Hidden({"CANO": "80012345"}), b"body")
    shown = f"{call!r} {call.headers!r} {Reply(200, {'a': 'x1'}, b'y2')!r}"
    for hidden in ("KEY", "80012345", "body", "x1", "y2"):
        assert hidden not in shown


def test_debug_logs_hold_no_account(
    broker: Broker, client_of: Callable[..., Client], caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 logs addresses, with the query, at DEBUG."""
    caplog.set_level(logging.DEBUG)
    client_of(broker).balance("80012345-03")
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "inquire-ngt-balance" in text
    assert "CANO=800*****" in text
    assert "80012345" not in text
    assert broker.app_key not in text


def test_netrc_does_not_replace_the_token(
    broker: Broker,
    client_of: Callable[..., Client],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """requests would send its password in place of our authorization header."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert client_of(broker).balance("80012345-03").positions.height >= 60


def test_no_proxy_stands_between_this_machine_and_itself(
    broker: Broker, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would get the credentials in plain text; and the demo would not work behind one."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert client_of(broker).balance("80012345-03").positions.height >= 60


def test_a_redirect_is_not_followed(broker: Broker, fast: Fast) -> None:
    """It would carry the credentials along."""
    broker.fault(
        status=302, headers={"Location": f"{broker.address}/elsewhere"}, call="token", times=1
    )
    http = Http(broker.address, timeout=(1, 5), rate=RateLimit(9, fast), clock=fast)
    reply = http.exchange(Call("POST", "/oauth2/tokenP", Hidden({}), body=b"{}"))
    http.close()
    assert isinstance(reply, Reply)
    assert reply.status == 302
    assert len(broker.calls) == 1


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("https://kis-nb.invalid", "could not be looked up"),
        ("http://127.0.0.1:1", "refused the connection"),
    ],
)
def test_no_answer_is_put_into_words(fast: Fast, address: str, said: str) -> None:
    """Ours, since the libraries' own quote the whole address."""
    http = Http(address, timeout=(1, 5), rate=RateLimit(9, fast), clock=fast)
    reply = http.exchange(Call("GET", "/x", Hidden({}), Hidden({"CANO": "80012345"})))
    http.close()
    assert isinstance(reply, NoReply)
    assert said in reply.why
    assert "80012345" not in reply.why


def test_https_to_a_host_without_a_trusted_certificate_is_refused(fast: Fast) -> None:
    """The handshake's failure is named, nothing is sent, and it is not tried again."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        heard: list[bytes] = []

        def serve() -> None:
            connection, _ = listener.accept()
            with contextlib.suppress(OSError), connection:
                heard.append(context.wrap_socket(connection, server_side=True).recv(1000))

        server = threading.Thread(target=serve)
        server.start()
        port = listener.getsockname()[1]
        http = Http(
            f"https://127.0.0.1:{port}", timeout=(1, 5), rate=RateLimit(9, fast), clock=fast
        )
        reply = http.exchange(Call("GET", "/x", Hidden({"appkey": "KEY"})))
        http.close()
        server.join()
    assert isinstance(reply, NoReply)
    assert "certificate" in reply.why
    assert not reply.again
    assert heard in ([], [b""])


def test_certificates_that_are_not_there_are_named(
    fast: Fast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the environment names and that is gone is no riddle and no traceback."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    http = Http("https://127.0.0.1:1", timeout=(1, 5), rate=RateLimit(9, fast), clock=fast)
    reply = http.exchange(Call("GET", "/x", Hidden({"appkey": "KEY"})))
    http.close()
    assert isinstance(reply, NoReply)
    assert "REQUESTS_CA_BUNDLE" in reply.why
    assert not reply.again


def test_two_programs_on_one_key_both_get_through(clock: Callable[[], float]) -> None:
    """Together they are over the gateway's limit: each slows down, neither fails or starves."""
    book = Book.sized({"80012345-03": 237}, seed=1)
    now = clock()
    with Broker(book=book, clock=lambda: now, calls_per_second=20) as broker:
        token = Secret(broker.issue_token())
        done: list[tuple[int, float]] = []

        def pull(calls_per_second: int) -> None:
            # Different paces make different limiters, as two processes have.
            settings = Settings(
                app_key=Secret(broker.app_key),
                app_secret=Secret(broker.app_secret),
                accounts=(Account.parse("80012345-03"),),
                base_url=broker.address,
                token=token,
                calls_per_second=calls_per_second,
            )
            with Client(settings) as client:
                begin = Clock().monotonic()
                heights = [client.balance().positions.height for _ in range(3)]
                done.append((sum(heights), Clock().monotonic() - begin))

        threads = [threading.Thread(target=pull, args=(pace,)) for pace in (18, 19)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [rows for rows, _ in done] == [711, 711]
    quick, slow = sorted(seconds for _, seconds in done)
    assert slow < 4 * quick
