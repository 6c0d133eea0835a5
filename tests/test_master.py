"""KIS's master files: read, fetched, stored, refused."""

from __future__ import annotations

import io
import logging
import pickle
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import kis_nb
from kis_nb._client import Client
from kis_nb._errors import Cancelled, TransportError
from kis_nb._frames.master_format import COMMODITY_FILE, INDEX_FILE, read_zip
from kis_nb._master_files import MasterFiles
from kis_nb._wire.config import Settings
from kis_nb._wire.secrets import Secret
from tests.conftest import Clock, Fast
from tests.factories import make_balance, position

# Lines of the real file (docs/sources.md, "Master files"); where the standard code was not
# published, one of ours.
INDEX = """1|A01612|KR4A016C0004|F 202612| |00000.00|1|2001|KOSPI200
5|B01610745|KR4B016A7454|C 202610   745.0|2|00745.00| |2001|KOSPI200
6|C01610A48|KR4C016AA486|P 202610 1,120.0|2|01120.00| |2001|KOSPI200
L|B09FEWA49|KR4B09FEA490|위클리C 2609W4 1,120.0|3|01120.00| |2001|KOSPI200
N|BAFBRW962|KR4BAFBR9622|위클리M C 2608W2   962.5|2|00962.50| |2001|KOSPI200
B|A05610|KR4A056A0000|미니F 202610| |00000.00|1|2001|KOSPI200
3|A06612|KR4A066C0009|코스닥150F 202612| |00000.00|1|3003|KSQ150
2|D0161201|KR4D01612012|SP 2612-2703| |00000.00| |2001|KOSPI200
7|A04612|KR4A046C0001|변동성F 202612| |00000.00|1|2901|VKOSPI
"""
COMMODITY = (
    f"{'1'}{'1'}{'A75612':<9}{'KR4A756C0008':<12}".encode()
    + "미국달러 F 202612".encode("cp949").ljust(32)
    + b"1USD       \n"
)


def zipped(name: str, content: bytes) -> bytes:
    """The file as KIS serves it."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return stream.getvalue()


class Host:
    """Serves files below /common/master/ and keeps what it was asked."""

    def __init__(self) -> None:
        self.files = {
            f"{INDEX_FILE}.zip": zipped(INDEX_FILE, INDEX.encode("cp949")),
            f"{COMMODITY_FILE}.zip": zipped(COMMODITY_FILE, COMMODITY),
        }
        self.asked: list[str] = []
        self.headers: list[str] = []
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                folder, _, name = self.path.rpartition("/")
                host.asked.append(name)
                host.headers.append(str(self.headers))
                body = host.files.get(name) if folder == "/common/master" else None
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def host() -> Iterator[Host]:
    """A host of master files on loopback."""
    running = Host()
    thread = threading.Thread(target=running.server.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.server.shutdown()
    running.server.server_close()
    thread.join()


@pytest.fixture
def master(host: Host, tmp_path: Path, fast: Fast) -> Callable[[], MasterFiles]:
    """Makes the handle that a client of that host has, as another process would."""
    return lambda: MasterFiles(host.address, tmp_path / "cache", clock=fast)


def test_reads_the_index_file() -> None:
    """Codes, names and strikes of KIS's own lines; a line of another shape is passed over."""
    lines = read_zip(INDEX_FILE, zipped(INDEX_FILE, f"{INDEX}x|y\n".encode("cp949")))
    assert lines is not None
    assert len(lines) == 9
    put = lines["C01610A48"]
    assert (put.kind, put.product, put.strike) == ("put", "KOSPI 200", Decimal(1120))
    assert (put.pdno, put.prdt_name) == ("KR4C016AA486", "P 202610 1,120.0")
    assert lines["A01612"].strike is None
    assert (lines["A04612"].product, lines["A04612"].underlying) == (None, "VKOSPI")


def test_reads_the_commodity_file() -> None:
    """Fixed columns, cut as bytes: Korean letters are two of them."""
    lines = read_zip(COMMODITY_FILE, zipped(COMMODITY_FILE, COMMODITY))
    assert lines is not None
    dollar = lines["A75612"]
    assert (dollar.pdno, dollar.prdt_name) == ("KR4A756C0008", "미국달러 F 202612")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        zipped(INDEX_FILE, INDEX.encode("cp949"))[:-40],
        zipped("another.mst", INDEX.encode("cp949")),
        zipped(INDEX_FILE, b""),
        zipped(INDEX_FILE, b"<html>closed</html>"),
        # A bomb: 17 MB of lines in some 50 kB.
        zipped(INDEX_FILE, INDEX.splitlines(keepends=True)[0].encode() * 300_000),
    ],
)
def test_a_damaged_file_is_none(content: bytes) -> None:
    """Cut, foreign, empty or far too large: as if it were not there."""
    assert read_zip(INDEX_FILE, content) is None


def test_fetched_once_a_trading_day_by_all_processes(
    host: Host, master: Callable[[], MasterFiles], clock: Clock
) -> None:
    """The stored files serve until the next day session opens; a weekend brings no new ones."""
    assert len(master().fetch()) == 10
    assert len(host.asked) == 2
    # Sunday night; until Monday 08:45.
    clock.advance(9 * 3600)
    other = master()
    assert other.fetch()["A75612"].prdt_name == "미국달러 F 202612"
    assert len(host.asked) == 2
    assert f"{other.fetched_at}" == "2026-11-22 23:15:04+09:00"
    clock.advance(3600)
    other.fetch()
    assert len(host.asked) == 4
    assert not any("appkey" in text or "uthorization" in text for text in host.headers)


def test_only_the_owner_reads_the_store(master: Callable[[], MasterFiles], tmp_path: Path) -> None:
    """Two files for one host, readable by the owner, nothing half-written beside them."""
    master().fetch()
    stored = sorted((tmp_path / "cache").glob("*master-*"))
    assert [path.name.rpartition("-")[2] for path in stored] == [
        f"{COMMODITY_FILE}.zip",
        f"{INDEX_FILE}.zip",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in stored} == {0o600}


def test_a_damaged_store_is_fetched_anew(
    host: Host, master: Callable[[], MasterFiles], tmp_path: Path
) -> None:
    """What somebody wrote over is as good as nothing; without the network it stays nothing."""
    master().fetch()
    for path in (tmp_path / "cache").glob("master-*"):
        path.write_bytes(b"x" * 3_000_000)
    assert len(master().cached()) == 0
    assert len(host.asked) == 2
    assert len(master().fetch()) == 10


def test_what_does_not_come_is_a_typed_error(
    host: Host, master: Callable[[], MasterFiles], clock: Clock
) -> None:
    """The error names file, host and the age of what stays in use; what was stored still serves."""
    good = host.files[f"{INDEX_FILE}.zip"]
    host.files[f"{INDEX_FILE}.zip"] = b"no zip"
    with pytest.raises(TransportError, match=r"no fo_idx_code_mts\.mst\.zip .* is damaged$"):
        master().fetch()
    host.files[f"{INDEX_FILE}.zip"] = good + b"\0" * 3_000_000
    with pytest.raises(TransportError, match="larger than 2 MiB"):
        master().fetch()
    host.files[f"{INDEX_FILE}.zip"] = good
    late = master().fetch()
    clock.advance(86_400)
    del host.files[f"{INDEX_FILE}.zip"]
    with pytest.raises(TransportError, match=r"HTTP 404; the one of 2026-11-22 23:15 KST stays"):
        late.fetch()
    assert len(late) == 10


def test_two_at_once_fetch_once(host: Host, master: Callable[[], MasterFiles]) -> None:
    """Handles of two processes fetch at the same moment: one asks, the other finds the files."""
    several = [master(), master()]
    threads = [threading.Thread(target=one.fetch) for one in several]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(one) for one in several] == [10, 10]
    assert len(host.asked) == 2


def test_cancelled_before_it_asks(host: Host, master: Callable[[], MasterFiles]) -> None:
    """A fetch that is called off asks nothing."""
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        master().fetch(cancel)
    assert host.asked == []


def test_cancelled_while_another_thread_fetches(
    host: Host, master: Callable[[], MasterFiles]
) -> None:
    """A fetch that waits for another thread's ends when it is cancelled."""
    files, cancel = master(), threading.Event()
    cancel.set()
    with files._fetching, pytest.raises(Cancelled):
        files.fetch(cancel)
    assert host.asked == []


def test_in_the_background_one_at_a_time(host: Host, master: Callable[[], MasterFiles]) -> None:
    """A daemon thread fetches and says so; a second one is not begun, nor one that is not due."""
    files = master()
    told: list[BaseException | None] = []
    with files._fetching:
        first = files.fetch_in_background(told.append)
        assert first is not None
        assert first.daemon
        assert files.fetch_in_background(told.append) is None
        assert len(files) == 0
    first.join()
    again = files.fetch_in_background(told.append)
    assert again is not None
    again.join()
    assert told == [None, None]
    assert len(host.asked) == 2


def test_a_failure_in_the_background_is_told(
    host: Host, master: Callable[[], MasterFiles], caplog: pytest.LogCaptureFixture
) -> None:
    """The error is handed over and logged in one line; for ten minutes nobody asks again."""
    host.files.clear()
    files = master()
    told: list[BaseException | None] = []
    thread = files.fetch_in_background(told.append)
    assert thread is not None
    thread.join()
    assert [type(error) for error in told] == [TransportError]
    (record,) = caplog.records
    assert "\n" not in record.getMessage()
    files.complete()
    assert len(host.asked) == 1


def test_another_process_reads_the_store(master: Callable[[], MasterFiles]) -> None:
    """A pickled handle finds the same files."""
    master().fetch()
    copy = pickle.loads(pickle.dumps(master()))
    assert copy.cached()["A01612"].prdt_name == "F 202612"


def test_real_clients_ask_kis_itself() -> None:
    """Only a gateway on this machine is taken to have master files of its own."""
    assert MasterFiles("http://localhost:1").origin == "http://localhost:1"
    assert MasterFiles("https://127.0.0.1:1").origin == "https://127.0.0.1:1"
    for url in ("", "https://openapi.koreainvestment.com:9443", "https://localhost.example.com"):
        assert MasterFiles(url).origin == "https://new.real.download.dws.co.kr"


@pytest.fixture
def client(host: Host, tmp_path: Path, fast: Fast) -> Iterator[Client]:
    """A client whose gateway is the host of the files."""
    settings = Settings(
        app_key=Secret("k" * 36),
        app_secret=Secret("s" * 180),
        accounts=(),
        base_url=host.address,
        cache_dir=tmp_path / "cache",
    )
    with Client(settings, clock=fast) as made:
        yield made


def test_every_listed_product(client: Client, host: Host) -> None:
    """A row a line of the files, told as far as they tell; a typed error when they do not come."""
    frame = client.products()
    assert frame.columns == [
        *("shtn_pdno", "pdno", "prdt_name", "kind", "product", "underlying", "expiry", "strike"),
        *("multiplier", "source"),
    ]
    assert frame.height == 10
    assert frame["source"].unique().to_list() == ["master"]
    put = frame.filter(shtn_pdno="C01610A48").row(0)
    assert [str(cell) for cell in put] == [
        *("C01610A48", "KR4C016AA486", "P 202610 1,120.0", "put", "KOSPI 200", "KOSPI 200"),
        *("2026-10-08", "1120.0000", "250000", "master"),
    ]
    volatility = frame.filter(shtn_pdno="A04612").row(0)
    assert volatility[3:6] == ("future", None, "VKOSPI")
    host.files.clear()
    client.master._files[0].content = None
    for path in client.master._folder.iterdir() if client.master._folder else ():
        path.unlink()
    with pytest.raises(TransportError):
        client.products()


def test_a_balance_fills_in_from_the_files(client: Client, host: Host) -> None:
    """What code and name leave open is looked up; what they tell needs no file and no fetch."""
    told = [position("A01612", "F 202612")]
    balance = make_balance(told, master=client.master)
    assert balance.products()["source"].to_list() == ["name"]
    assert host.asked == []
    held = [*told, position("C01610A48", None), position("B09FEWA49", "?"), position("A01603", "")]
    frame = make_balance(held, master=client.master).products()
    assert frame.columns == [
        *("shtn_pdno", "kind", "product", "underlying", "expiry", "strike", "multiplier"),
        "source",
    ]
    assert frame["kind"].to_list() == ["future", "put", "call", "future"]
    assert frame["source"].to_list() == ["name", "master", "master", "code"]
    assert [str(day) for day in frame["expiry"]][1:3] == ["2026-10-08", "2026-09-23"]
    assert frame["strike"].to_list()[1:3] == [Decimal(1120), Decimal(1120)]


def test_without_the_files_it_stays_null(
    client: Client, host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    """A host that has none costs a log line, and nothing is raised or guessed."""
    host.files.clear()
    balance = make_balance([position("C01610A48", None)], master=client.master)
    with caplog.at_level(logging.WARNING, "kis_nb"):
        frame = balance.products()
    assert frame["strike"].to_list() == [None]
    assert frame["source"].to_list() == ["code"]
    assert len(caplog.records) == 1


def test_no_key_is_needed(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`kis_nb.products()` without any configuration asks KIS's own host, and only for the files."""
    from kis_nb import _default_client, _master_files

    for name in ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_NB_DEMO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("KIS_CONFIG", str(tmp_path / "none.yaml"))
    monkeypatch.setenv("KIS_NB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(_default_client._Default, "client", None)
    monkeypatch.setattr(_default_client._Keyless, "master", None)
    monkeypatch.setattr(_master_files, "_HOST", host.address)
    assert kis_nb.products().height == 10
