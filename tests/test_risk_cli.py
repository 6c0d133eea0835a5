"""`kis-nb risk`: its figures are those of `kis_nb.risk`; what it prints, writes and refuses."""

from __future__ import annotations

import contextlib
import csv
import errno
import functools
import io
import json
import os
import re
import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import kis_nb
from kis_nb._cli import main, text_table
from kis_nb._cli.parser import build_parser
from kis_nb._cli.risk import BLOCKS
from kis_nb._frames.estimate_text import WORDS, float_text
from kis_nb._frames.report_labels import cell_text, label
from kis_nb._risk.margin_call import NOTES as CALL_NOTES
from kis_nb._risk.notes import NOTES, note_label
from kis_nb._seoul import KST
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kis_nb._client import Client
    from kis_nb._risk.risk import Risk
    from tests.conftest import Clock

pytestmark = pytest.mark.usefixtures("own_environment")
TOP = Path(__file__).parents[1]
ACCOUNT = "80012345-03"
SEVERAL = "70045678-03"


@pytest.fixture
def broker(clock: Clock) -> Iterator[Broker]:
    """The demo's broker with prices that stand still, so that two pulls are equal."""
    with Broker(clock=clock, token_interval=0, calls_per_second=0) as running:
        yield running


@pytest.fixture
def still(
    mine: Broker, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> Client:
    """The client that the command line connects with: each account's balance is of one moment,
    however often it is asked for.
    """
    client = client_of(mine)
    monkeypatch.setattr(client, "balance", functools.cache(client.balance))
    monkeypatch.setattr("kis_nb._connect.connect", lambda **_: contextlib.nullcontext(client))
    return client


@pytest.fixture
def truth(still: Client) -> Callable[..., Risk]:
    """The same estimates, without the command line."""

    def estimate(account: str = ACCOUNT, **more: Any) -> Risk:
        return kis_nb.risk(still.balance(account), client=still, **more)

    return estimate


@pytest.fixture
def ran(capsysbinary: pytest.CaptureFixture[bytes]) -> Callable[..., tuple[int, str, str]]:
    """Runs a command: exit code, stdout and stderr."""

    def run(*words: str | Path) -> tuple[int, str, str]:
        code = main.main([str(word) for word in words])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def spelled(value: Any) -> Any:
    """A value of a frame as JSON holds it: text for a figure of KIS's, a number for an estimate."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else value


def rows(frame: pl.DataFrame) -> list[dict[str, Any]]:
    """A frame as JSON holds it."""
    return [{k: spelled(v) for k, v in row.items()} for row in frame.to_dicts()]


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("account", [ACCOUNT, SEVERAL])
def test_json_has_the_figures_of_the_one_liner(
    account: str, ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """Every block, every digit; estimates are numbers, what KIS sent is text."""
    risk = truth(account)
    code, out, err = ran("risk", account, "--format", "json", "--lang", "en")
    assert (code, err) == (0, "")
    held = json.loads(out)
    assert (held["account"], held["demo"], held["estimate"]) == (risk.account, False, True)
    assert held["as_of"] == risk.as_of.isoformat()
    assert held["underlyings"] == list(risk.underlyings)
    assert held["answers"] == list(risk.answers("en"))
    assert held["positions"] == rows(risk.positions)
    assert held["totals"] == rows(risk.totals)
    assert held["left_out"] == rows(risk.left_out)
    assert held["margin_call"] == rows(risk.margin_call())
    assert held["margin_components"] == rows(risk.margin_components())
    assert held["lacks"] == [{"what": one.what, "why": one.why} for one in risk.lacks]
    assert "scenarios" not in held


@pytest.mark.usefixtures("still")
def test_what_is_of_another_moment_is_said(
    ran: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """JSON has the moments and all lines of the table's end; CSV says them on stderr."""
    first = datetime(2026, 11, 22, 21, 4, 5, tzinfo=KST)
    last = datetime(2026, 11, 22, 21, 4, 6, tzinfo=KST)
    monkeypatch.setattr("kis_nb._risk.risk.Risk.apart", {"quotes": (first, last)})
    words = ("risk", ACCOUNT, "--lang", "en")
    held = json.loads(ran(*words, "--format", "json")[1])
    assert held["apart"] == [
        {"what": "quotes", "first": first.isoformat(), "last": last.isoformat()}
    ]
    assert len(held["notes"]) == 2
    assert "21:04:06" in held["notes"][1]
    for block in ("scenarios", "margin-call"):
        assert held["notes"] == ran(*words, "--block", block)[1].splitlines()[-2:]
        _, out, err = ran(*words, "--block", block, "--format", "csv")
        assert err.splitlines() == [f"kis-nb: {note}" for note in held["notes"]]
        assert "21:04:06" not in out


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("lang", ["ko", "en"])
def test_the_answers_come_first(
    lang: Any, ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """Then totals and the margin call, each named an estimate, and what is lacking or left out."""
    risk = truth(option_quotes=False)
    code, out, err = ran("risk", ACCOUNT, "--lang", lang)
    assert (code, err) == (0, "")
    head, answers, totals, call, *rest = out.rstrip("\n").split("\n\n")
    assert head.startswith("800*****-03 · ")
    assert ("추정" if lang == "ko" else "estimates") in head
    assert answers.splitlines() == list(risk.answers(lang))
    estimated = "추정" if lang == "ko" else "estimates"
    assert estimated in totals.splitlines()[0]
    assert estimated in call.splitlines()[0]
    for row, line in zip(risk.totals.to_dicts(), totals.splitlines()[2:], strict=True):
        assert f"{round(row['delta_won']):,}" in line
        assert str(row["expiry"] or "–") in line
    *levels, gap = call.splitlines()
    assert len(levels) == 2 + risk.margin_call().height
    (row,) = (
        risk.margin_components()
        .filter(component="netrisk_brkg_mgna", which="maintenance")
        .to_dicts()
    )
    held = risk.equity().maintenance_margin
    for figure in (row["estimated"], held, row["estimated"] - float(held or 0)):
        assert f"{round(figure or 0):,}" in gap
    assert ("추정" if lang == "ko" else "estimate") in gap
    assert "\n\n".join(rest) == "\n".join(risk.summary_lines(lang))


@pytest.mark.usefixtures("still")
def test_no_more_is_asked_than_is_shown(
    ran: Callable[..., tuple[int, str, str]], mine: Broker
) -> None:
    """KIS's Greeks take a call for each option: only where they are shown."""
    assert ran("risk", ACCOUNT, "--block", "totals")[0] == 0
    few = len(mine.calls)
    assert ran("risk", ACCOUNT, "--block", "positions")[0] == 0
    assert len(mine.calls) - few > few


@pytest.mark.usefixtures("still")
def test_a_scenario_is_that_of_the_grid(
    ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """--spot and --vol are per cent; either alone leaves the other; the whole grid without them."""
    risk = truth()
    chosen = ("risk", ACCOUNT, "--block", "scenarios", "--format", "json")
    for words, move in (
        (("--spot", "-3", "--vol", "20"), (-0.03, 0.2)),
        (("--spot", "2.5"), (0.025, 0.0)),
        (("--vol", "+50"), (0.0, 0.5)),
    ):
        held = json.loads(ran(*chosen, *words)[1])
        assert held["scenarios"] == rows(risk.scenarios(spot=[move[0]], vol=[move[1]]))
    held = json.loads(ran(*chosen)[1])
    assert held["scenarios"] == rows(risk.scenarios())
    _, out, _ = ran("risk", ACCOUNT, "--spot", "-3", "--vol", "20", "--lang", "en")
    pnl = risk.scenarios(spot=[-0.03], vol=[0.2])["pnl"]
    table = next(part for part in out.split("\n\n") if part.startswith("P&L from now"))
    assert [words in table for words in ("(now)", "(end of the night)", "(expiry)")] == [True] * 3
    for line, each in zip(table.splitlines()[2:], pnl, strict=True):
        assert "-3.00%" in line
        assert f"{round(each):,}" in line


@pytest.mark.usefixtures("still")
def test_the_grid_is_a_table_for_each_moment(
    ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """A row for each move of the price, a column for each of the volatility."""
    grid = truth().scenarios()
    _, out, _ = ran("risk", ACCOUNT, "--block", "scenarios", "--lang", "en")
    _head, *tables, _lacks = out.split("\n\n")
    assert len(tables) == grid["at"].n_unique()
    assert all(table.count("\n") >= 41 + 1 for table in tables)
    now = grid.filter(pl.col("at") == grid["at"].first(), pl.col("spot") == grid["spot"].first())
    (line,) = (one for one in tables[0].splitlines() if one.lstrip().startswith("-10.00%"))
    assert line.split()[2:] == [f"{round(pnl):,}" for pnl in now["pnl"]]


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("block", list(BLOCKS))
def test_csv_holds_one_block(
    block: str, ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """With every digit, positions when none is named; a DEMO goes to stderr."""
    risk = truth()
    frames: dict[str, pl.DataFrame] = {
        "answers": pl.DataFrame({"answer": risk.answers("en")}),
        "positions": risk.positions,
        "totals": risk.totals,
        "scenarios": risk.scenarios(),
        "margin-call": risk.margin_call(),
        "margin-components": risk.margin_components(),
    }
    words = ("risk", ACCOUNT, "--format", "csv", "--lang", "en")
    code, out, err = ran(*words, "--block", block)
    assert code == 0
    # Which calls took more than five seconds differs from run to run.
    said = [line for line in err.splitlines() if "Of another moment" not in line]
    lines = [f"kis-nb: {line}" for line in risk.summary_lines("en")]
    assert said == [line for line in lines if "Of another moment" not in line] != []
    assert next(csv.reader(io.StringIO(out))) == frames[block].columns
    assert out == frames[block].write_csv()
    if block == "positions":
        assert ran(*words)[1] == out


@pytest.mark.usefixtures("still")
def test_an_underlying_is_chosen(
    ran: Callable[..., tuple[int, str, str]], truth: Callable[..., Risk]
) -> None:
    """Positions, totals, scenarios and margin call are its own; one that is not there is refused
    without being repeated.
    """
    risk = truth(SEVERAL)
    assert len(risk.underlyings) > 1
    other = risk.underlyings[-1]
    out = ran("risk", SEVERAL, "--underlying", other, "--format", "json", "--spot", "1")[1]
    held = json.loads(out)
    assert {row["underlying"] for row in held["positions"] + held["totals"]} == {other}
    assert held["margin_call"] == rows(risk.margin_call(underlying=other))
    assert held["scenarios"] == rows(risk.scenarios(spot=[0.01], vol=[0.0], underlying=other))
    code, out, err = ran("risk", SEVERAL, "--underlying", "70045678-03")
    assert (code, out) == (2, "")
    assert f"there are: {', '.join(risk.underlyings)}" in err
    same = ran("risk", SEVERAL, "--underlying", "kosdaq150", "--lang", "ko")[1]
    assert same == ran("risk", SEVERAL, "--underlying", "코스닥 150", "--lang", "ko")[1]
    assert "마진콜 수준 (추정): 코스닥150\n" in same
    assert "KOSDAQ" not in same
    assert "70045678" not in err


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_account_numbers_are_masked(
    form: str, ran: Callable[..., tuple[int, str, str]], mine: Broker
) -> None:
    """No format holds the number, nor key or secret."""
    code, out, err = ran("risk", ACCOUNT, "--format", form)
    assert code == 0
    for private in (ACCOUNT, ACCOUNT[:8], mine.app_key, mine.app_secret):
        assert private not in out + err


@pytest.mark.usefixtures("still")
def test_a_file_is_written_as_its_ending_says(
    ran: Callable[..., tuple[int, str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is overwritten without --force, and other endings are refused."""
    monkeypatch.chdir(tmp_path)
    words = ("risk", ACCOUNT, "--block", "totals", "--output")
    for name in ("totals.csv", "totals.json", "totals.TXT"):
        code, out, err = ran(*words, name)
        assert (code, out) == (0, "")
        assert ("left out" in err) == (name == "totals.csv")
    assert json.loads((tmp_path / "totals.json").read_text("utf-8"))["totals"]
    assert (tmp_path / "totals.csv").read_text("utf-8").startswith("underlying,expiry")
    assert (tmp_path / "totals.TXT").read_text("utf-8").startswith("800*****-03")
    assert (tmp_path / "totals.csv").stat().st_mode & 0o077 == 0
    code, _, err = ran(*words, "totals.csv")
    assert code == 1
    assert "is there already" in err
    assert ran(*words, "totals.csv", "--force")[0] == 0
    for name in ("totals", "totals.xlsx", "totals.parquet"):
        code, _, err = ran(*words, name)
        assert code == 2
        assert "names no format: end FILE with .csv, .json, .txt" in err
    assert ran(*words, "totals.csv", "--format", "json")[0] == 2


@pytest.mark.usefixtures("still")
def test_what_kis_refuses_is_said(ran: Callable[..., tuple[int, str, str]], mine: Broker) -> None:
    """Quotes, margin by component and rates refused: exit code 0, what the balance allows, and in
    words what is lacking.
    """
    body = {"rt_cd": "1", "msg_cd": "EGW00206", "msg1": "no market data right"}
    for call in ("quote", "margin", "rates"):
        mine.fault(status=200, body=body, call=call, times=None)
    code, out, _ = ran("risk", ACCOUNT, "--lang", "en")
    assert code == 0
    assert "no market data right" in out
    held = json.loads(ran("risk", ACCOUNT, "--format", "json")[1])
    assert {one["what"] for one in held["lacks"]} >= {"quotes"}
    assert any(row["implied_volatility"] is not None for row in held["positions"])
    assert any("no market data right" in note for note in held["notes"])
    for block in BLOCKS:
        code, out, err = ran("risk", ACCOUNT, "--format", "csv", "--block", block, "--lang", "en")
        assert code == 0
        assert err.startswith("kis-nb: Without quotes of futures: ")
        assert "no market data right" in err.splitlines()[0]
        assert "no market data right" not in out


@pytest.mark.usefixtures("still")
def test_an_account_without_positions(ran: Callable[..., tuple[int, str, str]]) -> None:
    """Each format says that there is nothing, and ends well."""
    empty = next(iter(_empty()))
    for form in ("table", "csv", "json"):
        code, out, err = ran("risk", empty, "--format", form, "--lang", "en")
        assert (code, err) == (0, "")
        assert out
    assert json.loads(ran("risk", empty, "--format", "json")[1])["positions"] == []
    for block in ("scenarios", "margin-call", "totals", "positions"):
        for lang, said in (
            ("en", "No position is priced"),
            ("ko", "가격을 낼 수 있는 포지션이 없습니다"),
        ):
            _, out, _ = ran("risk", empty, "--block", block, "--lang", lang)
            assert out.split("\n\n")[1:] == [said + "\n"]


def _empty() -> list[str]:
    return ["60098765-03"]


def test_demo_needs_no_key_and_says_so(ran: Callable[..., tuple[int, str, str]]) -> None:
    """The largest invented account, marked DEMO in each format."""
    code, out, err = ran("risk", "--demo")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].endswith("· DEMO")
    code, out, err = ran("risk", "--demo", "--format", "csv", "--block", "totals")
    assert (code, err.splitlines()[0]) == (0, "kis-nb: DEMO: these accounts are invented")
    assert json.loads(ran("risk", "--demo", "--block", "totals", "--format", "json")[1])["demo"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--spot", "lower"), "a move is a number of per cent"),
        (("--spot", "-100"), "a move is above -100 per cent and at most 1000"),
        (("--spot", "1000.1"), "a move is above -100 per cent and at most 1000"),
        (("--vol", "-120.5"), "a move is from -100 per cent and at most 1000"),
        (("--vol", "2000"), "a move is from -100 per cent and at most 1000"),
        (("--spot", "2000", "--block", "scenarios"), "a move is above -100 per cent"),
        (("--spot", "1", "--block", "answers"), "--spot and --vol are of scenarios"),
        (("--vol", "1", "--block", "margin-components"), "--spot and --vol are of scenarios"),
        (("--vol", "1", "--format", "csv"), "change nothing in positions"),
        (("--vol", "nan"), "a move is a number of per cent"),
        (("--spot", "1e3"), "a move is a number of per cent"),
        (("--block", "summary"), "invalid choice"),
        (("--format", "parquet"), "invalid choice"),
        (("80099999",), "an account is 8 digits"),
        (("--output", "here"), "--output names no format"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(
    words: tuple[str, ...], said: str, ran: Callable[..., tuple[int, str, str]]
) -> None:
    """With exit code 2 and one line on stderr, which repeats no number."""
    code, out, err = ran("risk", "--demo", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
    assert "80099999" not in err


def test_moves_are_read_as_fractions() -> None:
    """Per cent without the rounding of a division of floats."""
    for text, share in (("-3", -0.03), ("+2.5", 0.025), ("0", 0.0), ("-99.9999", -0.999999)):
        assert build_parser().parse(["risk", "--spot", text]).spot == share
    assert build_parser().parse(["risk", "--vol", "-100"]).vol == -1
    assert build_parser().parse(["risk", "--vol", "1000", "--spot", "1000"]).spot == 10


@pytest.mark.usefixtures("still")
@pytest.mark.parametrize(
    "words", [("--spot", "1000", "--vol", "1000"), ("--spot", "-99.9999", "--vol", "-100")]
)
def test_the_farthest_moves_are_estimated(
    words: tuple[str, ...], ran: Callable[..., tuple[int, str, str]]
) -> None:
    """What the parser takes the library takes, and the figures are numbers."""
    code, out, _ = ran("risk", ACCOUNT, "--block", "scenarios", "--format", "json", *words)
    assert code == 0
    assert all(abs(row["pnl"]) < 1e15 for row in json.loads(out)["scenarios"])


def test_a_move_that_the_library_refuses_is_a_usage_problem(
    ran: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the parser lets through: one line, no traceback."""
    monkeypatch.setattr("kis_nb._cli.risk._FARTHEST", 10**6)
    code, out, err = ran("risk", "--demo", "--spot", "2000", "--block", "scenarios")
    assert (code, out) == (2, "")
    assert err == "kis-nb: spot takes relative changes like -0.03 for -3%; got 20.0\n"


def test_without_a_key_it_says_how_to_try(
    ran: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One line that fits two of a terminal's, with the command that works."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in [name for name in os.environ if name.startswith("KIS_")]:
        monkeypatch.delenv(name)
    for words, tried in (
        (("risk", "--spot", "1"), "kis-nb risk --demo"),
        (("balance",), "kis-nb balance --demo"),
        (("record", "--to", "kept"), "kis-nb record --to PATH --demo"),
    ):
        code, out, err = ran(*words)
        assert (code, out) == (1, "")
        assert err.endswith(f"without a key try {tried}\n")
        assert len(err) < 260


def test_a_file_in_no_folder_is_refused_before_the_pull(
    ran: Callable[..., tuple[int, str, str]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    mine: Broker,
) -> None:
    """The message names FILE, and so does one of the disk."""
    monkeypatch.chdir(tmp_path)
    for command in ("risk", "balance"):
        code, out, err = ran(command, ACCOUNT, "--output", "nodir/x/b.json")
        assert (code, out) == (1, "")
        assert err == "kis-nb: nodir/x/b.json: its folder does not exist\n"
    assert mine.calls == []

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", ".b.json.x1.new")

    monkeypatch.setattr("kis_nb._cli.export.write_whole", full)
    code, out, err = ran("risk", "--demo", "--block", "answers", "--output", "b.json")
    assert (code, out, err) == (1, "", "kis-nb: b.json: No space left on device\n")


def test_without_quantlib_it_says_how_to_install_it(
    ran: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line, exit code 1."""
    monkeypatch.setitem(sys.modules, "QuantLib", None)
    code, out, err = ran("risk", "--demo")
    assert (code, out) == (1, "")
    assert 'kis_nb[risk]"' in err


def test_help_loads_no_quantlib() -> None:
    """Neither help nor another command waits for it."""
    script = (
        "import sys\nfrom kis_nb._cli.main import main\n"
        "try: main(['risk', '--help'])\nexcept SystemExit: pass\n"
        "print(sorted({'QuantLib', 'polars', 'requests'} & sys.modules.keys()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=TOP, capture_output=True, text=True, check=True
    )
    assert run.stdout.splitlines()[-1] == "[]"


# --- texts -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("spot", -0.03, "-3.00%"),
        ("spot", 0.005, "+0.50%"),
        ("spot", 0.0, "0.00%"),
        ("vol", 0.2, "+20%"),
        ("implied_volatility", 0.17321, "17.32%"),
        ("kis_implied_volatility", 0.1732, "17.32%"),
        ("delta", -0.51239, "-0.5124"),
        ("delta", -0.00001, "0.0000"),
        ("delta_contracts", 1234.567, "1,234.57"),
        ("vega_won", -1234567.8, "-1,234,568"),
        ("vega_won", -0.2, "0"),
        ("level", 571.3499999, "571.35"),
        ("equity", 1234567.4, "1,234,567"),
        ("gap", float("inf"), "inf"),
        ("anything", 0.125, "0.125"),
    ],
)
def test_estimates_are_written_with_digits_that_mean_something(
    name: str, value: float, text: str
) -> None:
    """Per cent, points and won, and never a minus before 0."""
    assert float_text(name, value) == text


@pytest.mark.parametrize("lang", ["ko", "en"])
def test_every_note_has_words(lang: Any) -> None:
    """As sentences and tables show it; the column has it in English."""
    assert {*NOTES, *CALL_NOTES} == set(WORDS["note"])
    for note in (*NOTES, *CALL_NOTES):
        assert cell_text("note", note, lang) == note_label(note, lang)
        assert (note_label(note, lang) == note) == (lang == "en")


def test_estimates_in_a_table_have_labels_signs_and_words() -> None:
    """As `kis_nb.table` shows them."""
    assert cell_text("pnl", -1234567.8, "en") == "▼ -1,234,568"
    assert cell_text("pnl", 0.2, "en") == "0"
    assert cell_text("pnl", float("nan"), "en") == "nan"
    assert (label("gap", "ko"), label("gap", "en")) == ("차이 (원)", "Gap, won")
    assert cell_text("side", "below", "ko") == "아래로"
    assert cell_text("side", "long", "en") == "Long"
    assert cell_text("forward_source", "parity", "en") == "put-call parity"
    totals = pl.DataFrame({"left_out": [0], "delta_won": [1.0], "theta_won": [1.0]})
    heads_of: dict[Any, list[str]] = {
        "en": ["Left out", "Delta, won for 1 %", "Theta, won a day"],
        "ko": ["제외", "델타 (원/1%)", "세타 (원/일)"],
    }
    for lang, heads in heads_of.items():
        shown = kis_nb.table(totals, lang=lang)._repr_html_()
        assert re.findall(r"<th [^>]*>(.*?)</th>", shown) == heads
        assert all(head in str(kis_nb.table(totals, lang=lang)) for head in heads)
    assert "Delta, won a point" in str(kis_nb.table(totals.select("delta_won"), lang="en"))
    frame = pl.DataFrame({"pnl": [1.4, -1.6, None]})
    shown = kis_nb.table(frame, lang="en")._repr_html_()
    assert re.findall(r"<td[^>]*>(.*?)</td>", shown) == ["▲ +1", "▼ -2", "–"]
    assert shown.count(";color:") == 2


def test_a_terminal_table_is_straight_in_korean() -> None:
    """Hangul takes two cells."""
    assert text_table.lines(["이름", "a"], [["x", "12"], ["가나다", "3"]], left=[0]) == [
        "이름     a",
        "x       12",
        "가나다   3",
    ]
