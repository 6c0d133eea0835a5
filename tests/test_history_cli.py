"""`kis-nb record` and `kis-nb history`: what they print, and what they exit with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._cli import main
from kis_nb._cli.history_table import day_rows
from kis_nb._seoul import KST
from kis_nb.demo import Book
from tests.factories import environment, make_balance
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("own_environment")
TOP = Path(__file__).parents[1]
COMMAND = (sys.executable, "-c", "import sys; from kis_nb._cli.main import main; sys.exit(main())")
# Reached by a hang only.
LIMIT = 120


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    """A night of two accounts with its closing, and one snapshot of the day before."""
    history = kis_nb.history(tmp_path / "kept")
    for text, equity, margin in (
        ("2026-11-20 14:00", 90, 20),
        ("2026-11-23 18:00", 100, 20),
        ("2026-11-23 23:00", 80, 25),
        ("2026-11-24 06:00", 95, 30),
        ("2026-11-24 15:45", 110, 10),
    ):
        for account in ("80012345-03", "70045678-03"):
            balance = make_balance(
                [], account=account, mgna_dvsn="02", mgna_tota=margin, prsm_dpast_amt=equity
            )
            moment = datetime.fromisoformat(text).replace(tzinfo=KST)
            object.__setattr__(balance, "as_of", moment)
            history.append(balance)
    return tmp_path / "kept"


def ran(capsysbinary: Any, *words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    code = main.main(list(words))
    out, err = capsysbinary.readouterr()
    return code, out.decode(), err.decode()


def test_a_line_for_each_account_and_day(kept: Path, capsysbinary: Any) -> None:
    """Snapshots, first and last equity, the night's P&L, and the lowest room."""
    code, out, err = ran(capsysbinary, "history", str(kept), "--lang", "en")
    assert (code, err) == (0, "")
    head, *lines = [line.split() for line in out.splitlines()]
    assert head[:3] == ["Trading", "day", "Account"]
    night = ["4", "snapshot", "100", "110", "-5", "55"]
    assert lines == [
        ["2026-11-20", "700*****-03", "1", "snapshot", "90", "90", "–", "70"],
        ["2026-11-24", "700*****-03", *night],
        ["2026-11-20", "800*****-03", "1", "snapshot", "90", "90", "–", "70"],
        ["2026-11-24", "800*****-03", *night],
    ]


def test_every_form_has_the_same_figures(kept: Path, capsysbinary: Any) -> None:
    """CSV and JSON have every digit; days and accounts are chosen."""
    chosen = ("history", str(kept), "--account", "800*****-03", "--since", "2026-11-21")
    _, csv, _ = ran(capsysbinary, *chosen, "--format", "csv")
    _, text, _ = ran(capsysbinary, *chosen, "--format", "json", "--until", "2026-11-24")
    (row,) = json.loads(text)
    assert csv.splitlines()[1].split(",")[-4:] == ["100", "110", "55", "-5"]
    assert [row[name] for name in ("first_equity", "last_equity", "lowest_room", "night_pnl")] == [
        *("100", "110", "55", "-5")
    ]
    assert (row["date"], row["snapshots"], row["demo"]) == ("2026-11-24", 4, False)
    _, out, _ = ran(capsysbinary, *chosen, "--lang", "ko")
    assert out.startswith("거래일")


def test_nothing_kept_is_said(tmp_path: Path, capsysbinary: Any) -> None:
    """A folder that is not there is an empty history."""
    code, out, _ = ran(capsysbinary, "history", str(tmp_path / "none"), "--lang", "en")
    assert (code, out) == (0, "nothing is kept here\n")
    assert ran(capsysbinary, "history", str(tmp_path / "none"), "--lang", "ko")[1] == (
        "보관된 것이 없습니다.\n"
    )


def test_the_foreign_deposit_counts_where_all_rows_have_it() -> None:
    """Else the equity would jump by it between a recorded night and a filled day."""
    rows = pl.LazyFrame(
        {
            "date": [datetime(2026, 11, 24).date()] * 3,  # noqa: DTZ001
            "account": ["a", "a", "b"],
            "account_label": ["a", "a", "b"],
            "demo": [True] * 3,
            "source": ["snapshot", "settlement", "snapshot"],
            "as_of": [datetime(2026, 11, 23, hour, tzinfo=KST) for hour in (18, 19, 18)],
            "maintenance_margin": [1, 1, None],
            "krw_equity": [10, 20, 30],
            "foreign_deposit": [5, None, 5],
        }
    )
    found = day_rows(rows)
    assert found.select("first_equity", "last_equity", "lowest_room", "source").rows() == [
        (10, 20, 9, "snapshot+settlement"),
        (35, 35, None, "snapshot"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ("record",),
        ("record", "--to", "kept", "--every", "0"),
        ("record", "--to", "kept", "--every", "1.5"),
        ("record", "--to", "kept", "--until", "6"),
        ("record", "--to", "kept", "--until", "24:00"),
        ("record", "--to", "kept", "--mgna-dvsn", "03"),
        ("record", "80099999", "--to", "kept", "--demo"),
        ("history",),
        ("history", "kept", "--since", "yesterday"),
        ("history", "kept", "--fill-from", "2026-11-31"),
        ("history", "kept", "--format", "xlsx"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(
    words: tuple[str, ...],
    capsysbinary: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With exit code 2 and one line on stderr, which repeats no number; nothing is written."""
    monkeypatch.chdir(tmp_path)
    code, out, err = ran(capsysbinary, *words)
    assert (code, out, err.count("\n")) == (2, "", 1 + err.count("DEMO"))
    assert "80099999" not in err
    assert not (tmp_path / "kept").exists()


def test_a_history_that_cannot_be_read_is_an_error(kept: Path, capsysbinary: Any) -> None:
    """Exit code 1, and the reason; the account is not found."""
    code, _, err = ran(capsysbinary, "history", str(kept), "--account", "999*****-03")
    assert code == 1
    assert "have this label" in err


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Broker]:
    """A broker of one small account, named in the environment as KIS is."""
    book = Book.sized({"80012345-03": 3})
    with Broker(book=book, token_interval=0, calls_per_second=0) as broker:
        for name, value in environment(broker).items():
            monkeypatch.setenv(name, value)
        yield broker


def test_days_are_filled_and_told(served: Broker, tmp_path: Path, capsysbinary: Any) -> None:
    """How many, and a second time none."""
    words = ("history", str(tmp_path / "kept"), "--lang", "en", "--until", "2026-11-06")
    code, out, err = ran(capsysbinary, *words, "--fill-from", "2026-11-02")
    assert (code, len(out.splitlines())) == (0, 6)
    assert "800*****-03: filled 5 day(s), 0 already there, 0 without data, 0 failed" in err
    assert out.count("settlement") == 5
    count = len(served.calls)
    assert (
        "filled 0 day(s), 5 already there"
        in ran(capsysbinary, *words, "--fill-from", "2026-11-02")[2]
    )
    assert len(served.calls) == count


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_signal_ends_a_recorder_well(served: Broker, tmp_path: Path, name: str) -> None:
    """Exit code 0, a last line, and what was pulled is kept; in the night and while it waits."""
    words = ("record", "--to", "kept", "--every", "1", "--lang", "en")
    with subprocess.Popen(
        [*COMMAND, *words],
        env=os.environ | {"PYTHONPATH": str(TOP)},
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(LIMIT, process.kill)
        watchdog.start()
        assert process.stdout is not None
        first = process.stdout.readline()
        assert "waiting until then" in first or "recording 1 account(s)" in first
        process.send_signal(getattr(signal, name))
        out, err = process.communicate()
        watchdog.cancel()
    assert (process.returncode, err) == (0, "")
    assert "nothing was kept" in out or "kept " in out
    balance_calls = [call for call in served.calls if "inquire-ngt-balance" in call.path]
    found = kis_nb.history(tmp_path / "kept").summary().collect()
    assert found.height == len(balance_calls)
