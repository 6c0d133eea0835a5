"""One exchange: the rate limit, the scrubbing, and what may be logged."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import ssl
import threading
from collections import UserDict
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._account import Account
from kis_nb._client import Client
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.http import Call, Http, NoReply, Reply
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Hidden, Scrubber, Secret
from kis_nb.demo import Book
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Fast


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


@given(
    st.binary(min_size=20, max_size=200),
    st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/=", min_size=36),
    st.binary(max_size=30),
    st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
def test_a_secret_in_base64_is_found_wherever_it_begins(
    before: bytes, secret: str, after: bytes, encode: Callable[[bytes], bytes]
) -> None:
    """At any of the three offsets, in both alphabets: at most a few letters at its ends are left,
    which hold bits of what stands beside it.
    """
    scrubber = Scrubber([Secret(secret)])
    for offset in range(3):
        lead = before + b"x" * offset
        text = encode(lead + secret.encode() + after).decode()
        scrubbed = scrubber.scrub(text)
        assert "<secret>" in scrubbed
        begin = -(-8 * len(lead) // 6)
        end = 8 * (len(lead) + len(secret)) // 6
        assert len(scrubbed.replace("<secret>", "")) <= len(text) - (end - begin)


@pytest.mark.parametrize("end", ["\n", "\r\n", " "])
@pytest.mark.parametrize("width", [64, 76])
def test_a_secret_in_base64_is_found_across_its_lines(width: int, end: str) -> None:
    """Base64 is often broken into lines; messages have blanks for their ends."""
    secret = "".join(f"{n:03d}+" for n in range(45))
    for before in ("", "a", "ab", "Basic "):
        data = base64.b64encode((before + secret).encode()).decode()
        lines = [data[at : at + width] for at in range(0, len(data), width)]
        said = Scrubber([Secret(secret)]).scrub(f"refused: {end.join(lines)}")
        assert len(said) < 40
        assert said.startswith("refused: ")


def test_basic_authorization_is_scrubbed() -> None:
    """As a proxy or a gateway repeats it: key and secret in one piece of base64."""
    key, secret = "PSinvented0app0key0for0tests0only000", "inventedSecret+/=" * 6
    said = base64.b64encode(f"{key}:{secret}".encode()).decode()
    assert Scrubber([Secret(key), Secret(secret)]).scrub(f"Basic {said}!").count("<secret>") == 2


def test_two_threads_that_learn_lose_nothing() -> None:
    """One learns while another is in the middle of it: both entries are masked from then on."""
    scrubber = Scrubber([])
    inside, other_done = threading.Event(), threading.Event()

    class Held(UserDict[str, str]):
        """Stands still while it is copied for the first time."""

        def keys(self) -> Any:
            if not inside.is_set():
                inside.set()
                # Over at once when nothing keeps the other thread out; else it must wait for us.
                other_done.wait(0.3)
            return super().keys()

    def other() -> None:
        assert inside.wait(10)
        scrubber.learn(Secret("second-secret"))
        other_done.set()

    scrubber.__dict__["_masks"] = Held({"zeroth-secret": "<secret>"})
    thread = threading.Thread(target=other)
    thread.start()
    scrubber.learn(Secret("first-secret"))
    thread.join()
    assert inside.is_set()
    assert scrubber.scrub("zeroth-secret first-secret second-secret") == " ".join(["<secret>"] * 3)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://PSinvented0app0key0for0tests0only000", "<secret>"),
        ("https://PSinvented0app0key0for0tests0only000:9443", "<secret>:9443"),
        ("https://inventedSecret+abcdefghijkl=", "<secret>"),
        ("https://psinvented0app0key0for0tests0only000.example.com", "<secret>.example.com"),
        ("https://openapi.koreainvestment.com:9443", "openapi.koreainvestment.com:9443"),
        ("http://127.0.0.1:8765", "127.0.0.1:8765"),
        ("http://[::1]:8765", "[::1]:8765"),
        ("https://internal-app-1234567890.ap-northeast-2.elb.amazonaws.com", None),
    ],
)
def test_a_key_pasted_into_base_url_is_not_shown(
    fast: Fast, caplog: pytest.LogCaptureFixture, url: str, shown: str | None
) -> None:
    """Not by us, and not in urllib3's log of connections; a host's own name is."""
    host = urlsplit(url).netloc
    http = Http(url, timeout=(1, 1), rate=RateLimit(9, fast), clock=fast)
    assert http.host == (shown or host)
    caplog.set_level(logging.DEBUG)
    log = logging.getLogger("urllib3.connectionpool")
    log.debug("Starting new HTTPS connection (1): %s:%s", *host.rpartition(":")[::2])
    if "<secret>" in http.host:
        assert host.partition(":")[0].lower() not in caplog.text.lower()
    http.close()


def test_a_known_secret_that_is_short_is_masked_in_the_host(fast: Fast) -> None:
    """By the scrubber, which knows it."""
    http = Http(
        "https://short-key:9443",
        timeout=(1, 1),
        rate=RateLimit(9, fast),
        clock=fast,
        scrubber=Scrubber([Secret("short-key")]),
    )
    assert http.host == "<secret>:9443"
    http.close()


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
