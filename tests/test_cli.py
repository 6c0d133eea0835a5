"""The command line, against a broker on loopback: what it prints, keeps, refuses and exits with."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import polars as pl
import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from kis_nb._cli import arguments, export, lab, main
from kis_nb._connect import connect
from kis_nb._environment import without_credentials
from kis_nb._frames.prices import OF_PRICE, is_unpriced
from kis_nb._frames.text import exact
from kis_nb.demo import Book, Portfolio
from tests.factories import environment
from tests.faults import WIRE, Broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from tests.conftest import Clock

TOP = Path(__file__).parents[1]
# Reached by a hang only.
LIMIT = 120
COMMAND = (sys.executable, "-c", "import sys; from kis_nb._cli.main import main; sys.exit(main())")
ACCOUNT = "80012345-03"
SEVERAL = "70045678-03"
pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def broker(clock: Clock) -> Iterator[Broker]:
    """The demo's broker with prices that stand still, so that two pulls are equal."""
    with Broker(clock=clock, token_interval=0) as running:
        yield running


@pytest.fixture
def truth(broker: Broker, client_of: Callable[..., Client]) -> Callable[..., Balance]:
    """The same balance, pulled without the command line."""

    def pull(account: str = ACCOUNT, **codes: Any) -> Balance:
        return client_of(broker).balance(account, **codes)

    return pull


class Ran:
    """What one command did."""

    def __init__(self, code: int, captured: Any) -> None:
        self.code = code
        self.raw: bytes = captured.out
        self.out: str = captured.out.decode("utf-8", "replace")
        self.err: str = captured.err.decode("utf-8", "replace")

    @property
    def complaint(self) -> str:
        """The one line on stderr, nothing on stdout."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("kis-nb: ")
        return self.err


@pytest.fixture
def kis(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., Ran]:
    """Runs a command in this process."""

    def run(*words: str | Path) -> Ran:
        code = main.main([str(word) for word in words])
        return Ran(code, capsysbinary.readouterr())

    return run


@contextmanager
def started(*words: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A command in a process of its own, killed when the test has not ended it."""
    process = subprocess.Popen(
        [*COMMAND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(TOP)},
        **options,
    )
    hang = threading.Timer(LIMIT, process.kill)
    hang.start()
    try:
        yield process
    finally:
        # Told, not killed: `demo` has a child to end, which would hold the pipes open.
        process.terminate()
        process.communicate()
        hang.cancel()


def lines_until(stream: IO[str], pattern: str) -> re.Match[str]:
    """Read a stream until a line holds the pattern."""
    read: list[str] = []
    for line in stream:
        read.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f"no {pattern!r} in {''.join(read)}")


# --- help, and lines that cannot be understood -----------------------------------------------


@pytest.mark.parametrize("command", ["demo", "serve", "balance", "risk", "new"])
def test_each_command_helps_with_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help of a command ends with 0 and shows lines to copy."""
    with pytest.raises(SystemExit) as left:
        main.main([command, "--help"])
    assert left.value.code == 0
    assert f"  kis-nb {command}" in capsys.readouterr().out


def test_help_loads_nothing_heavy() -> None:
    """Help is there at once: neither polars nor requests nor any of Jupyter is loaded."""
    code = (
        "import sys\nfrom kis_nb._cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'polars', 'requests', 'altair', 'ipywidgets', 'IPython', 'jupyterlab'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what to do: demo, serve, balance, risk, report, record, history, new or check"),
        (["balence"], "invalid choice: 'balence'"),
        (["balance", "--mgna-dvsn", "03"], "invalid choice: '03'"),
        (["serve", "--port", "70000"], "a port is a number from 0 to 65535"),
        (["new"], "name a template"),
        (["balance", "800123-03", "--demo"], "an account is 8 digits"),
    ],
)
def test_a_line_that_cannot_be_understood(
    words: list[str], said: str, kis: Callable[..., Ran]
) -> None:
    """Exit code 2 and one line that says what does not fit."""
    ran = kis(*words)
    assert ran.code == 2
    assert said in ran.complaint


@pytest.mark.parametrize(
    ("words", "private"),
    [
        (["balance", "--app-key=PSinvented0Key1"], "invented"),
        (["balance", "--app-secret", "Invented/Secret+1="], "Invented"),
        (["--token", "eyJinvented", "balance"], "invented"),
        ([ACCOUNT], "80012345"),
        (["balance", ACCOUNT, "90012345-03"], "90012345"),
        (["balance", "8001234503-1", "--demo"], "8001234503"),
        (["balance", "--mgna-dvsn", ACCOUNT], "80012345"),
        (["serve", "--port", ACCOUNT], "80012345"),
        (["new", ACCOUNT], "80012345"),
    ],
)
def test_what_is_private_is_not_repeated(
    words: list[str], private: str, kis: Callable[..., Ran]
) -> None:
    """A secret or an account number in the wrong place is refused without being shown."""
    ran = kis(*words)
    assert ran.code != 0
    assert private not in ran.complaint


def test_secrets_are_pointed_elsewhere(kis: Callable[..., Ran]) -> None:
    """Whoever tries to pass a key is told where keys belong."""
    assert "environment" in kis("balance", "--app-key", "x").complaint


def test_version(kis: Callable[..., Ran]) -> None:
    """--version prints the installed version."""
    ran = kis("--version")
    assert re.fullmatch(r"kis-nb \d+\.\d+\.\d+\S*\n", ran.out)
    assert ran.code == 0


# --- balance ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("mine")
def test_table_has_every_row_and_digit(
    kis: Callable[..., Ran], truth: Callable[..., Balance]
) -> None:
    """The table shows each position and each figure of the summary, exact, with separators."""
    balance = truth()
    ran = kis("balance", ACCOUNT)
    assert ran.code == 0
    head, *table = ran.out.splitlines()
    for word in ("800*****-03", "MGNA_DVSN=01", "EXCC_STAT_CD=1", "64 rows", "4 pages", "KST"):
        assert word in head
    cells = {tuple(cell.strip() for cell in line.strip("│ ").split("┆")) for line in table}
    for row in balance.positions.to_dicts():
        (shown,) = [cell for cell in cells if cell[1:2] == (row["shtn_pdno"],)]
        assert shown[0] == row["prdt_name"]
        digits = [None if text == "null" else Decimal(text.replace(",", "")) for text in shown[3:]]
        # Without a price there is no figure of it to show.
        told = row | (dict.fromkeys(OF_PRICE) if is_unpriced(row) else {})
        assert digits == [
            *(told["cblc_qty"], told["evlu_pfls_amt"], told["trad_pfls_amt"], told["evlu_amt"]),
            *(told["pchs_amt"], told["idx_clpr"], told["excc_unpr"], told["ccld_avg_unpr1"]),
        ]
    for name, value in balance.summary.row(0, named=True).items():
        (shown,) = [cell for cell in cells if cell[0] == name]
        assert shown[2] == exact(value)
    assert any(re.search(r"\d{1,3}(,\d{3}){2,}", cell[2]) for cell in cells if len(cell) == 4)


def display_width(text: str) -> int:
    """Columns of a terminal: Hangul takes two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


@pytest.mark.usefixtures("mine")
def test_table_is_straight_in_korean(kis: Callable[..., Ran]) -> None:
    """Full-width letters in headings and names do not bend the table's edges."""
    tables = kis("balance", SEVERAL, "--lang", "ko").out.split("┌")[1:]
    assert len(tables) == 2
    for table in tables:
        widths = {display_width(line) for line in f"┌{table}".splitlines()}
        assert len(widths) == 1
    assert "평가손익금액" in tables[0]
    assert "코스닥150F" in tables[0]


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("variables", "word"), [({}, "Short code"), ({"LANG": "ko_KR.UTF-8"}, "단축상품번호")]
)
def test_language_follows_the_terminal(
    variables: dict[str, str],
    word: str,
    kis: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Labels are Korean in a Korean locale and English elsewhere."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert word in kis("balance", SEVERAL).out


def test_a_narrow_terminal_names_what_is_left_out(truth: Callable[..., Balance]) -> None:
    """Columns give way until the table fits, code and P&L last, and the line below names them."""
    shown = export.table(truth(SEVERAL), ["positions"], "en", 80).splitlines()
    assert max(map(display_width, shown[1:-1])) <= 80
    assert "Unrealized P&L" in shown[2]
    assert shown[-1].startswith("left out for this width: pchs_amt")


@pytest.mark.parametrize(("margin", "basis"), [("01", "1"), ("01", "2"), ("02", "1"), ("02", "2")])
@pytest.mark.usefixtures("mine")
def test_json_is_exact(
    margin: str, basis: str, kis: Callable[..., Ran], truth: Callable[..., Balance]
) -> None:
    """Both blocks in one object, every figure as its Decimal's text, under the codes asked for."""
    codes = {"mgna_dvsn": margin, "excc_stat_cd": basis}
    balance = truth(**codes)
    ran = kis(
        *("balance", ACCOUNT, "--mgna-dvsn", margin, "--excc-stat-cd", basis, "--format", "json")
    )
    held = json.loads(ran.out, parse_float=pytest.fail)
    assert {name: held[name] for name in codes} == codes
    assert (held["account"], held["pages"], held["demo"]) == ("800*****-03", 4, False)
    assert held["as_of"].endswith("+09:00")

    def spelled(row: dict[str, Any]) -> dict[str, Any]:
        return {k: f"{v:f}" if isinstance(v, Decimal) else v for k, v in row.items()}

    assert held["positions"] == [spelled(row) for row in balance.positions.to_dicts()]
    assert held["summary"] == spelled(balance.summary.row(0, named=True))


def written(value: object) -> str:
    """A value as a CSV cell: a Decimal in plain digits, never as 0E-8."""
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("block", ["positions", "summary"])
def test_csv_is_exact(block: str, kis: Callable[..., Ran], truth: Callable[..., Balance]) -> None:
    """Each cell is the Decimal's own text; null is empty."""
    frame: pl.DataFrame = getattr(truth(), block)
    rows = list(
        csv.reader(io.StringIO(kis("balance", ACCOUNT, "--block", block, "--format", "csv").out))
    )
    assert rows[0] == frame.columns
    assert rows[1:] == [[written(v) for v in row] for row in frame.iter_rows()]


@pytest.mark.usefixtures("mine")
def test_parquet_is_exact(
    kis: Callable[..., Ran], truth: Callable[..., Balance], tmp_path: Path
) -> None:
    """Read back, the frame is the same, dtypes too, and the file tells whose and when."""
    file = tmp_path / "held.parquet"
    assert kis("balance", ACCOUNT, "--output", file).code == 0
    balance = truth()
    assert pl.read_parquet(file).equals(balance.positions, null_equal=True)
    assert pl.read_parquet(file).schema == balance.positions.schema
    about = pl.read_parquet_metadata(file)
    assert about["kis_nb.account"] == "800*****-03"
    assert about["kis_nb.as_of"].startswith("2026-")
    piped = kis("balance", ACCOUNT, "--format", "parquet").raw
    assert pl.read_parquet(io.BytesIO(piped)).equals(balance.positions, null_equal=True)


def test_nineteen_digits_survive_every_format(
    clock: Clock, client_of: Callable[..., Client]
) -> None:
    """An amount that no float holds comes out of each format digit for digit."""
    with Broker(clock=clock, token_interval=0) as broker:
        balance = client_of(broker).balance(SEVERAL)
    huge = Decimal(-1234567890123456789)
    odd = Decimal("123456789012345.12345678")
    changed = balance.positions.with_columns(
        evlu_pfls_amt=pl.lit(huge, pl.Decimal(19, 0)), idx_clpr=pl.lit(odd, pl.Decimal(23, 8))
    )
    balance = replace(balance, positions=changed)
    table = export.export(balance, "table").decode()
    assert table.count("-1,234,567,890,123,456,789 ") == changed.height
    assert table.count("123,456,789,012,345.12345678") == changed.height
    for form in ("csv", "json"):
        text = export.export(balance, form).decode()
        assert text.count(str(huge)) == changed.height
        assert text.count(str(odd)) == changed.height
    file = pl.read_parquet(io.BytesIO(export.export(balance, "parquet")))
    assert file["evlu_pfls_amt"].to_list() == [huge] * changed.height


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("form", ["table", "csv", "json", "parquet"])
def test_account_numbers_are_masked(form: str, kis: Callable[..., Ran], mine: Broker) -> None:
    """No format holds the number, nor key or secret."""
    ran = kis("balance", ACCOUNT, "--format", form)
    assert ran.code == 0
    for private in (ACCOUNT, ACCOUNT[:8], mine.app_key, mine.app_secret):
        assert private.encode() not in ran.raw
        assert private not in ran.err


def test_a_name_names_an_account(
    mine: Broker, kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`kis-nb balance hedge`, the name given beside the second account's key."""
    monkeypatch.setenv("KIS_NAME_2", "hedge")
    ran = kis("balance", "hedge")
    assert ran.code == 0, ran.err
    assert "700*****-03" in ran.out
    assert {call.query["CANO"] for call in mine.calls if call.page} == {SEVERAL[:8]}
    ran = kis("balance", "hedgehog")
    assert ran.code == 2
    assert "hedge · 700*****-03" in ran.complaint


def test_a_masked_label_names_an_account(mine: Broker, kis: Callable[..., Ran]) -> None:
    """The number itself need not be typed."""
    assert mine.accounts[1] == SEVERAL
    assert "6 rows" in kis("balance", "700*****-03").out


@pytest.mark.usefixtures("mine")
def test_which_account_is_asked(kis: Callable[..., Ran]) -> None:
    """With several accounts and none named, the labels to choose from are told."""
    ran = kis("balance")
    assert ran.code == 2
    assert "700*****-03" in ran.complaint


@pytest.mark.parametrize("how", ["option", "environment"])
def test_demo_needs_no_key_and_says_so(
    how: str, kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """--demo and KIS_NB_DEMO=1 show the largest invented account, marked DEMO."""
    if how == "environment":
        monkeypatch.setenv("KIS_NB_DEMO", "1")
    ran = kis("balance", *(["--demo"] if how == "option" else []))
    assert ran.out.splitlines()[0].endswith("DEMO")
    assert "64 rows" in ran.out
    demo = ["--demo"] if how == "option" else []
    assert json.loads(kis("balance", *demo, "--format", "json").out)["demo"] is True
    assert kis("balance", *demo, "--format", "csv").err.startswith("kis-nb: DEMO")


# --- balance into a file ---------------------------------------------------------------------


@pytest.mark.usefixtures("mine")
def test_output_tells_its_format_and_is_private(kis: Callable[..., Ran], tmp_path: Path) -> None:
    """The ending names the format, only the owner may read the file, and stdout stays empty."""
    file = tmp_path / "held.json"
    ran = kis("balance", ACCOUNT, "--output", file)
    assert (ran.code, ran.out) == (0, "")
    assert json.loads(file.read_text("utf-8"))["account"] == "800*****-03"
    assert file.stat().st_mode & 0o077 == 0


def test_output_is_not_overwritten(mine: Broker, kis: Callable[..., Ran], tmp_path: Path) -> None:
    """A file that is there stays, without a call being made, unless --force is given."""
    file = tmp_path / "held.csv"
    file.write_text("mine")
    ran = kis("balance", ACCOUNT, "--output", file)
    assert ran.code == 1
    assert "is there already" in ran.complaint
    assert (file.read_text(), mine.calls) == ("mine", [])
    assert kis("balance", ACCOUNT, "--output", file, "--force").code == 0
    assert file.read_text("utf-8").startswith("cano,")


def test_a_failed_pull_leaves_no_file(
    mine: Broker, kis: Callable[..., Ran], tmp_path: Path
) -> None:
    """An account that KIS refuses leaves nothing behind, and --force takes nothing away."""
    file = tmp_path / "held.csv"
    file.write_text("mine")
    mine.fault(WIRE["OPSQ2000"])
    ran = kis("balance", ACCOUNT, "--output", file, "--force")
    assert ran.code == 1
    assert "OPSQ2000" in ran.complaint
    assert "99912345" not in ran.err
    assert file.read_text() == "mine"
    assert [path.name for path in tmp_path.glob("*held*")] == ["held.csv"]


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fails half-way leaves the old file and no scrap of the new one."""
    file = tmp_path / "held.csv"
    file.write_text("mine")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        export.save(file, b"new", overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["held.csv"]
    assert file.read_text() == "mine"


def test_a_pipe_or_device_is_not_replaced(tmp_path: Path) -> None:
    """--force renames over plain files only."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError, match="no plain file"):
        export.save(pipe, b"new", overwrite=True)
    assert pipe.is_fifo()


# --- failures --------------------------------------------------------------------------------


def test_no_credentials(kis: Callable[..., Ran]) -> None:
    """One line with the ways to give a key, and the demo; exit code 1."""
    ran = kis("balance", ACCOUNT)
    assert ran.code == 1
    assert "KIS_APP_KEY" in ran.complaint
    assert "kis-nb balance --demo" in ran.complaint


def test_a_refused_key(
    mine: Broker, kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What KIS refuses is one line without key, secret or account; exit code 1."""
    monkeypatch.setenv("KIS_APP_SECRET", "Invented0Secret")
    ran = kis("balance", ACCOUNT)
    assert ran.code == 1
    for private in (ACCOUNT[:8], mine.app_key, "Invented0Secret"):
        assert private not in ran.complaint


def test_warnings_are_one_line(
    kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, broker: Broker
) -> None:
    """A config file that others may read is pulled with, and warned about in one line."""
    file = tmp_path / "kis_devlp.yaml"
    file.write_text(
        f"my_app: {broker.app_key}\nmy_sec: {broker.app_secret}\n"
        f"my_acct_future: '{ACCOUNT[:8]}'\nmy_prod: '03'\nprod: {broker.address}\n"
    )
    file.chmod(0o644)
    monkeypatch.setenv("KIS_CONFIG", str(file))
    ran = kis("balance", "--format", "csv")
    assert ran.code == 0, ran.err
    assert ran.err.startswith("kis-nb: warning: ")
    assert "chmod 600" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.usefixtures("mine")
def test_a_reader_that_goes_away() -> None:
    """`kis-nb balance | head -1` ends with 141 as such pipes do, and says nothing."""
    out, into = os.pipe()
    os.close(out)
    run = subprocess.run(
        [*COMMAND, "balance", ACCOUNT],
        cwd=TOP,
        stdout=into,
        stderr=subprocess.PIPE,
        check=False,
        timeout=LIMIT,
    )
    os.close(into)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.mark.usefixtures("mine")
def test_a_full_disk_on_stdout() -> None:
    """Output that cannot be written is a failure, not a silent loss."""
    with Path("/dev/full").open("wb") as full:
        run = subprocess.run(
            [*COMMAND, "balance", ACCOUNT],
            cwd=TOP,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=LIMIT,
        )
    assert run.returncode == 1
    assert run.stderr.startswith(b"kis-nb: No space left")


@pytest.mark.usefixtures("mine")
def test_parquet_is_not_for_a_terminal() -> None:
    """On a terminal parquet is refused before anything is pulled, with what to do."""
    import pty

    ours, theirs = pty.openpty()
    try:
        run = subprocess.run(
            [*COMMAND, "balance", ACCOUNT, "--format", "parquet"],
            cwd=TOP,
            stdout=theirs,
            stderr=subprocess.PIPE,
            check=False,
            timeout=LIMIT,
        )
    finally:
        os.close(ours)
        os.close(theirs)
    assert run.returncode == 2
    assert b"--output FILE" in run.stderr


# --- serve -----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_serve_prints_serves_and_ends(ending: signal.Signals) -> None:
    """The lines that the design names, a gateway behind them, and a clean end on either signal."""
    with started("serve") as process:
        assert process.stdout is not None
        told: list[tuple[str, str]] = []
        accounts = Broker().accounts
        while len(told) < 1 + 3 * len(accounts):
            name, colon, value = process.stdout.readline().rstrip("\n").partition(": ")
            assert colon, (told, name)
            told.append((name, value))
        triple = ["app_key", "app_secret", "account"]
        assert [name for name, _ in told] == ["address", *triple * len(accounts)]
        values = dict(told[:4])
        assert len({value for _, value in told}) == len(told)
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", values["address"])
        assert values["account"] == ACCOUNT
        token = requests.post(
            f"{values['address']}/oauth2/tokenP",
            json={
                "grant_type": "client_credentials",
                "appkey": values["app_key"],
                "appsecret": values["app_secret"],
            },
            timeout=LIMIT,
        )
        assert token.json()["token_type"] == "Bearer"
        keys = [dict(told[at : at + 3]) for at in range(1, len(told), 3)]
        assert [entry["account"] for entry in keys] == accounts
        # Asked for again, KIS would make the client wait for a minute.
        keys[0]["token"] = token.json()["access_token"]
        with connect(keys=keys, base_url=values["address"]) as client:
            assert [balance.account for balance in client.balances()] == [
                entry["account"] for entry in keys
            ]
        process.send_signal(ending)
        out, err = process.communicate(timeout=LIMIT)
        assert (process.returncode, out, err) == (0, "", "")


def test_serve_lists_the_largest_account_first() -> None:
    """The order is by rows, so that the first line's account has several pages."""
    with connect(demo=True) as client:
        rows = [client.balance(account).positions.height for account in client.accounts]
    with Broker() as broker:
        assert list(client.accounts) == list(broker.accounts)
    assert rows == sorted(rows, reverse=True)
    assert rows[0] > 20


def test_serve_on_a_port_in_use(broker: Broker, kis: Callable[..., Ran]) -> None:
    """One line and exit code 1."""
    ran = kis("serve", "--port", broker.address.rpartition(":")[2])
    assert ran.code == 1
    assert "in use" in ran.complaint


# --- new -------------------------------------------------------------------------------------


def test_new_lists_the_templates(kis: Callable[..., Ran]) -> None:
    """Every template with its title, and the error of an unknown name lists them too."""
    names = {path.stem for path in (TOP / "notebooks").glob("*.ipynb")}
    listed = kis("new", "--list").out.splitlines()
    assert {line.split()[0] for line in listed} == names
    assert all(len(line.split()) > 1 for line in listed)
    ran = kis("new", "nothing")
    assert ran.code == 1
    assert all(name in ran.complaint for name in names)


@pytest.mark.parametrize(
    ("path", "lands"),
    [
        (None, "research.ipynb"),
        ("folder", "folder/research.ipynb"),
        ("today", "today.ipynb"),
        ("today.ipynb", "today.ipynb"),
        ("folder/v1.2", "folder/v1.2.ipynb"),
    ],
)
def test_new_copies_a_template(
    path: str | None,
    lands: str,
    kis: Callable[..., Ran],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The copy is the template byte for byte, where the path says, and its path is printed."""
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    ran = kis("new", "research", *([path] if path else []))
    assert (ran.code, ran.out) == (0, f"{lands}\n")
    assert Path(lands).read_bytes() == (TOP / "notebooks" / "research.ipynb").read_bytes()


def test_new_never_overwrites(kis: Callable[..., Ran], tmp_path: Path) -> None:
    """A file that is there stays as it is."""
    file = tmp_path / "mine.ipynb"
    file.write_text("mine")
    ran = kis("new", "dashboard", file)
    assert ran.code == 1
    assert "is there already; nothing was written" in ran.complaint
    assert file.read_text() == "mine"


# --- demo ------------------------------------------------------------------------------------


def test_demo_without_jupyterlab(kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without JupyterLab one line says how to install it, for this very Python."""
    monkeypatch.setitem(sys.modules, "jupyterlab", None)
    ran = kis("demo")
    assert ran.code == 1
    assert f'{sys.executable} -m pip install "kis_nb[lab]"' in ran.complaint


def test_demo_serves_the_dashboard_and_cleans_up(
    mine: Broker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dashboard on this Python, no credential near it; SIGINT ends all and leaves nothing."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    # Lab prints its address a moment before it listens.
    adapter = HTTPAdapter(max_retries=Retry(connect=20, backoff_factor=0.05))
    with (
        requests.Session() as session,
        started("demo", "--no-browser", "--", "--ServerApp.port=0") as process,
    ):
        session.mount("http://", adapter)
        assert process.stderr is not None
        url, token = lines_until(
            process.stderr, r"(http://127\.0\.0\.1:\d+)/lab/tree/dashboard\.ipynb\?token=(\w+)"
        ).groups()
        (folder,) = scratch.glob("kis-nb-*")

        def get(path: str) -> requests.Response:
            headers = {"Authorization": f"token {token}"}
            return session.get(f"{url}{path}", headers=headers, timeout=LIMIT)

        assert get("/api/contents/dashboard.ipynb").json()["content"]["cells"]
        kernel = get("/api/kernelspecs").json()["kernelspecs"]["python3"]["spec"]
        assert kernel["argv"][0] == sys.executable
        assert "@jupyterlab/apputils-extension:announcements" in get("/lab").text
        (lab,) = children(process.pid)
        environment = Path(f"/proc/{lab}/environ").read_bytes()
        assert b"KIS_NB_DEMO=1" in environment
        assert mine.app_key.encode() not in environment
        assert mine.app_secret.encode() not in environment
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=LIMIT)
        assert process.returncode == 0
        assert not folder.exists()


def children(pid: int) -> list[int]:
    """Process ids of a process's children."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(text) for text in found]


def test_demo_keeps_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --dir the notebook stays, and one that is there is opened as it is."""
    seen: list[str] = []

    def run(command: list[str], _environment: dict[str, str], work: Path) -> int:
        seen.append((work / "dashboard.ipynb").read_text("utf-8"))
        assert "--no-browser" in command
        assert f"--ServerApp.root_dir={tmp_path / 'mine'}" in command
        return 3

    monkeypatch.setattr(lab, "_run", run)
    folder = str(tmp_path / "mine")
    assert main.main(["demo", "--dir", folder, "--no-browser"]) == 3
    (tmp_path / "mine" / "dashboard.ipynb").write_text("my own", "utf-8")
    assert main.main(["demo", "--dir", folder, "--no-browser"]) == 3
    assert seen[0].startswith("{")
    assert seen[1] == "my own"


def test_what_a_parser_says_is_scrubbed() -> None:
    """Escaped or joined to its option, what could be private leaves an argparse message."""
    parser = arguments.Parser(prog="x")
    parser.add_argument("--code", choices=["01"])
    for words in (["--code=800\\12345"], ["--code", "it's 80012345"], ["80012345=80012345"]):
        with pytest.raises(arguments.UsageProblem) as problem:
            parser.parse(words)
        assert "12345" not in str(problem.value)


def test_an_empty_account_is_a_result(
    clock: Clock, kis: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No position is a table without rows and a CSV with its heading alone, not an error."""
    with Broker(clock=clock, token_interval=0, book=Book((Portfolio("60098765-03", 0),))) as broker:
        for name, value in environment(broker).items():
            monkeypatch.setenv(name, value)
        ran = kis("balance")
        assert ran.code == 0
        assert "0 rows" in ran.out
        assert kis("balance", "--format", "csv").out.count("\n") == 1
        assert json.loads(kis("balance", "--format", "json").out)["positions"] == []


def test_credentials_are_taken_out_of_an_environment() -> None:
    """Whatever the case of letters, which Windows does not tell apart; settings when they are not
    asked for.
    """
    given = {"KIS_APP_KEY": "a", "kis_app_secret": "b", "KIS_NB_DEMO": "1", "PATH": "/", "KISS": ""}
    assert without_credentials(given) == {"PATH": "/", "KISS": ""}
    kept = without_credentials(given, keep_own=True)
    assert kept == {"KIS_NB_DEMO": "1", "PATH": "/", "KISS": ""}
