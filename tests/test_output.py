"""`kis-nb balance --output`: what a file's ending promises is what is in it; and how wide a
terminal is that does not tell.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from kis_nb._cli import export, main
from tests.workbooks import rows

if TYPE_CHECKING:
    from kis_nb.demo import Broker

TOP = Path(__file__).parents[1]
LIMIT = 120  # reached by a hang only
pytestmark = pytest.mark.usefixtures("mine")


@pytest.fixture
def broker(guarded: Broker) -> Broker:
    """The broker with one account."""
    return guarded


@pytest.mark.parametrize("ending", [".xlsx", ".XLSX", ".csv", ".CSV", ".Json", ".PARQUET", ".txt"])
def test_the_ending_is_kept_in_any_case_of_letters(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each file is of the kind that its name says, with all 45 rows; only its owner may read it."""
    file = tmp_path / f"p{ending}"
    assert main.main(["balance", "--output", str(file)]) == 0, capsys.readouterr().err
    content = file.read_bytes()
    match ending.lower():
        case ".xlsx":
            count = len([row for row in rows(content) if len(row) > 2]) - 1
        case ".csv":
            count = len(list(csv.reader(io.StringIO(content.decode())))) - 1
        case ".json":
            count = len(json.loads(content)["positions"])
        case ".parquet":
            count = pl.read_parquet(io.BytesIO(content)).height
        case _:
            assert "┌" in content.decode()
            count = int(re.findall(r"(\d+) rows", content.decode())[0])
    assert count == 45
    assert file.stat().st_mode & 0o077 == 0


def test_a_workbook_holds_every_digit(tmp_path: Path) -> None:
    """The amounts are those of the CSV, digit for digit, and the account is masked."""
    for ending in ("xlsx", "csv"):
        assert main.main(["balance", "--output", str(tmp_path / f"p.{ending}")]) == 0
    frame = pl.read_csv(tmp_path / "p.csv", infer_schema=False)
    place = frame.columns.index("evlu_amt")
    amounts = [Decimal(text) for text in frame["evlu_amt"]]
    text = (tmp_path / "p.xlsx").read_bytes()
    table = [row for row in rows(text) if len(row) > 2]
    assert "Market value" in table[0][place] or "평가금액" in table[0][place]
    in_rows = [{Decimal(c) for c in row if re.fullmatch(r"-?[0-9.]+", c)} for row in table[1:]]
    assert all(amount in row for amount, row in zip(amounts, in_rows, strict=True))
    with zipfile.ZipFile(io.BytesIO(text)) as file:
        assert all("80012345" not in file.read(name).decode() for name in file.namelist())


@pytest.mark.parametrize("name", ["p.xls", "p", "p.docx", "p.csv.gz"])
def test_another_ending_is_refused(
    name: str, mine: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No call is made, no file is left, and the line lists the endings that there are."""
    assert main.main(["balance", "--output", str(tmp_path / name)]) == 2
    said = capsys.readouterr().err
    assert all(ending in said for ending in export.ENDINGS)
    assert not (tmp_path / name).exists()
    assert not mine.calls


def test_format_and_ending_must_agree(
    mine: Broker, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A contradiction is refused; a name without a known ending takes what --format says."""
    file = tmp_path / "p.xlsx"
    assert main.main(["balance", "--format", "csv", "--output", str(file)]) == 2
    assert "--format csv" in capsys.readouterr().err
    assert not mine.calls
    assert main.main(["balance", "--format", "xlsx", "--output", str(file)]) == 0
    other = tmp_path / "p.dat"
    assert main.main(["balance", "--format", "json", "--output", str(other)]) == 0
    assert json.loads(other.read_bytes())["pages"] == 3


def terminal(columns: int, *words: str, **environment: str) -> str:
    """What a command shows on a terminal of this many columns."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {k: v for k, v in os.environ.items() if k not in {"COLUMNS", "LINES"}}
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from kis_nb._cli.main import main; sys.exit(main())",
            *words,
        ],
        env=kept | {"PYTHONPATH": str(TOP), "PYTHONUTF8": "1"} | environment,
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not part:
                break
            shown += part
        _, error = process.communicate(timeout=LIMIT)
    os.close(ours)
    assert process.returncode == 0, error
    return shown.decode()


@pytest.mark.parametrize(
    ("columns", "environment", "names"),
    [(0, {}, True), (0, {"COLUMNS": "200"}, True), (200, {}, True), (40, {}, False)],
)
def test_a_terminal_that_tells_no_width_keeps_the_names(
    columns: int, environment: dict[str, str], names: Any
) -> None:
    """0 columns, as some consoles report, leave nothing out; COLUMNS goes before."""
    shown = terminal(columns, "balance", "--block", "positions", "--lang", "en", **environment)
    assert ("Product name" in shown) is names
    widest = max(len(line.rstrip("\r")) for line in shown.split("\n") if line.startswith("┌"))
    told = int(environment.get("COLUMNS", columns))
    assert widest <= (max(told, 80) if told else 200)
    assert ("left out" in shown) is not names
