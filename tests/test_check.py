"""`kis-nb check`: each step says what is right or what to do, and none stops the others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._cli import main
from kis_nb._cli.check import machine
from kis_nb._cli.check.check import Check
from kis_nb._widgets import korean_font
from kis_nb.demo import Book
from tests.faults import Broker
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from kis_nb._cli.check.result import Result
    from kis_nb._client import Client

SECRET_180 = (APP_SECRET + "x" * 180)[:180]
OTHER = "70045678-03"
VIEWS = 4
pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.fixture
def broker() -> Iterator[Broker]:
    """One account of 25 rows, with a key as long as KIS's."""
    with Broker(
        book=Book.sized({ACCOUNT: 25}, seed=1),
        calls_per_second=0,
        app_key=APP_KEY,
        app_secret=SECRET_180,
        token_interval=0,
    ) as running:
        yield running


def told(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    """Set these in the environment."""
    for name, value in variables.items():
        monkeypatch.setenv(f"KIS_{name}", value)


def steps(check: Check) -> dict[str, list[Result]]:
    """The results by step; none of them holds anything private."""
    found: dict[str, list[Result]] = {}
    search = Search(APP_KEY, SECRET_180, accounts=(ACCOUNT, OTHER))
    for result in check.run():
        search.look(result.text, result.step)
        found.setdefault(result.step, []).append(result)
    return found


def marks(found: Mapping[str, list[Result]]) -> dict[str, set[str]]:
    """What each step came to."""
    return {step: {one.mark for one in results} for step, results in found.items()}


@pytest.mark.usefixtures("mine")
def test_all_is_right() -> None:
    """Settings, key, token, four views, products, clock and computer, in this order."""
    check = Check()
    found = steps(check)
    assert list(found) == [
        *("settings", "key", "token", "account", "products", "clock"),
        *("lab", "widgets", "pictures", "font"),
    ]
    assert "wrong" not in set().union(*marks(found).values())
    (settings,) = found["settings"]
    for name in ("KIS_APP_KEY", "KIS_APP_SECRET", "KIS_ACCOUNTS", "KIS_BASE_URL", "none"):
        assert name in settings.text
    assert "36 and 180" in found["key"][0].text
    before, after = found["token"]
    assert before.mark == "note"
    assert "phone" in before.text
    assert after.text == "issued, good for 24 h 00 min"
    views = {tuple(re.findall(r"=(\d+)", one.text)) for one in found["account"]}
    assert len(views) == len(found["account"]) == VIEWS
    for one in found["account"]:
        assert "25 rows, 2 pages" in one.text
        assert "800*****-03" in one.text
        assert "sums: " in one.text
    files, positions = found["products"]
    assert re.search(r"master files can be fetched: \d{3,}", files.text)
    assert "25 positions" in positions.text


@pytest.mark.usefixtures("mine")
def test_a_stored_token_is_told_and_used(mine: Broker) -> None:
    """The second run finds the token in the store, says how long it lasts, and asks for none."""
    steps(Check())
    found = steps(Check(lang="ko"))
    (token,) = found["token"]
    assert token.mark == "ok"
    assert re.search(r"2[34] h \d\d min", token.text)
    assert "유효" in token.text
    assert sum(call.method == "POST" for call in mine.calls) == 1


def test_without_any_configuration() -> None:
    """It says what to do, asks nobody, and still looks at the computer."""
    found = steps(Check())
    (settings,) = found["settings"]
    assert settings.mark == "wrong"
    assert "KIS_APP_KEY" in settings.text
    assert "demo" in settings.text
    assert list(found) == ["settings", "lab", "widgets", "pictures", "font"]


@pytest.mark.parametrize(
    ("name", "value", "step", "mark", "says"),
    [
        ("APP_SECRET", SECRET_180[:179], "key", "note", "179 (180)"),
        ("APP_KEY", "앱키를 입력하세요", "settings", "wrong", "placeholder"),
        ("APP_KEY", f"{APP_KEY[:20]} {APP_KEY[20:]}", "settings", "wrong", "blanks"),
        ("APP_SECRET", f"{SECRET_180}\n", "settings", "note", "EGW00105"),
        ("ACCOUNTS", "1234", "settings", "wrong", "8 digits"),
        ("ACCOUNTS", "", "accounts", "wrong", "KIS_ACCOUNTS"),
        ("APP_SECRET", "", "settings", "wrong", "missing"),
    ],
)
def test_the_settings_form(
    name: str,
    value: str,
    step: str,
    mark: str,
    says: str,
    mine: Broker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is wrong with a key, a secret or an account is said where it is found; a line's end
    after a pasted secret is forgiven and told.
    """
    told(monkeypatch, **{name: value})
    found = steps(Check())
    said = [one for one in found[step] if says in one.text]
    assert [one.mark for one in said] == [mark]
    if mark == "wrong":
        assert not mine.calls
    if value.endswith("\n"):
        assert {one.mark for one in found["account"]} == {"ok"}


def test_a_refused_key_is_not_asked_with_again(
    mine: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One token call, then none: neither for other views, nor in the next run."""
    told(monkeypatch, APP_SECRET=SECRET_180[::-1], ACCOUNTS=f"{ACCOUNT},{OTHER}")
    found = steps(Check())
    assert [one.mark for one in found["account"]] == ["wrong", "wrong"]
    assert "EGW00105" in found["account"][0].text
    assert "not asked" in found["account"][1].text
    assert sum(call.path.startswith("/oauth2") for call in mine.calls) == 1
    assert not [call for call in mine.calls if call.page]
    again = steps(Check())
    assert again["token"][0].mark == "wrong"
    assert "10 minutes" in again["token"][0].text
    assert sum(call.path.startswith("/oauth2") for call in mine.calls) == 1
    assert not [call for call in mine.calls if call.page]


def test_a_view_that_fails_stops_no_other(mine: Broker) -> None:
    """A refusal in the first view is told with its code; the other three are pulled."""
    mine.fault(
        status=200,
        headers={"Content-Type": "application/json"},
        body={"rt_cd": "7", "msg_cd": "KIOK0560", "msg1": "조회할 내용이 없습니다 80012345"},
    )
    found = steps(Check())
    assert [one.mark for one in found["account"]] == ["wrong", "ok", "ok", "ok"]
    assert "KIOK0560" in found["account"][0].text
    assert [one.mark for one in found["products"]] == ["ok", "ok"]


def test_nobody_answers(mine: Broker) -> None:
    """A host that refuses connections is told once for the key; the computer is looked at."""
    mine.stop()
    found = steps(Check())
    (account,) = found["account"]
    assert account.mark == "wrong"
    assert "refused the connection" in account.text
    assert "not known" in found["clock"][0].text
    assert "font" in found


@pytest.mark.parametrize(
    ("ahead", "mark", "says"),
    [(0.0, "ok", "near enough"), (30.0, "note", "ahead"), (-3600.0, "wrong", "behind")],
)
@pytest.mark.usefixtures("mine")
def test_the_clock_is_held_against_the_gateways(ahead: float, mark: str, says: str) -> None:
    """The header Date tells how far this computer's clock is off."""
    import time

    check = Check(now=lambda: time.time() + ahead)
    (clock,) = steps(check)["clock"]
    assert clock.mark == mark
    assert says in clock.text
    difference = json.loads(check.report())["clock_seconds"]
    assert abs(difference - ahead) < 2


@pytest.mark.parametrize("date", ["", "soon", "Tue, 24 Nov 99999999999 18:40:00 GMT"])
def test_a_date_that_is_none_tells_no_time(date: str) -> None:
    """Whatever a proxy writes there, the check goes on."""
    check = Check()
    check._note_date(date)
    assert check._difference() is None


def test_several_keys(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has its form and its token told, each account is asked with its own, and a key that
    is refused takes nothing from the other.
    """
    with Broker(book=Book.sized({ACCOUNT: 25, OTHER: 3}, seed=1), token_interval=0) as two:
        (first, key, secret), (second, other, _) = two.keys
        told(
            monkeypatch,
            BASE_URL=two.address,
            APP_KEY=key,
            APP_SECRET=secret,
            ACCOUNTS=first,
            NAME="hedge",
            APP_KEY_2=other,
            APP_SECRET_2=SECRET_180,
            ACCOUNTS_2=second,
        )
        found = steps(Check())
    assert broker is not two
    assert [one.text.partition(":")[0] for one in found["key"]] == ["key 1", "key 2"]
    assert [one.mark for one in found["account"]] == [*["ok"] * VIEWS, "wrong"]
    assert "hedge" in found["account"][0].text
    assert "EGW00105" in found["account"][-1].text


@pytest.mark.usefixtures("mine")
def test_one_account_by_name() -> None:
    """ACCOUNT chooses one; what is none is told without being repeated."""
    assert len(steps(Check(ACCOUNT))["account"]) == VIEWS
    found = steps(Check("1234567"))
    (wrong,) = found["accounts"]
    assert wrong.mark == "wrong"
    assert "1234567" not in wrong.text.replace("12345678-03", "")


def test_what_the_computer_lacks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No JupyterLab, no widgets, no converter, no font: each is told with what to install."""
    monkeypatch.setattr(machine, "version", lambda _name: None)
    lister = tmp_path / "fc-list"
    lister.write_text("#!/bin/sh\nexit 0\n")
    lister.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(korean_font, "_SYSTEM_FONTS", ())
    found = steps(Check())
    assert "kis_nb[lab]" in found["lab"][0].text
    assert found["widgets"][0].mark == "wrong"
    assert "kis_nb[pictures]" in found["pictures"][0].text
    assert "fonts-noto-cjk" in found["font"][0].text
    lister.unlink()
    assert steps(Check(lang="ko"))["font"][0].mark == "note"


def run(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str]:
    """A command's exit code and what it printed."""
    code = main.main(["check", *map(str, words)])
    return code, capsys.readouterr().out


@pytest.mark.usefixtures("mine")
def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One line a step, its mark first; exit code 0; a report for its owner only, which is not
    overwritten, and of which nothing names the customer.
    """
    file = tmp_path / "report.json"
    code, out = run(capsys, "--report", file)
    assert code == 0
    assert all(re.match(r"[✓!] [a-z]+ +\S", line) for line in out.splitlines())
    assert file.stat().st_mode & 0o077 == 0
    report = json.loads(file.read_text("utf-8"))
    Search(APP_KEY, SECRET_180).look(file.read_text("utf-8"), "the report")
    assert "800**" not in file.read_text("utf-8")
    (account,) = report["accounts"]
    assert [view["outcome"] for view in account["views"]] == ["ok"] * VIEWS
    assert [view["pages"] for view in account["views"]] == [2] * VIEWS
    assert report["host"] == "another"
    assert run(capsys, "--report", file)[0] == 1
    assert run(capsys, "--report", file, "--force", "--lang", "ko")[0] == 0


def test_the_command_fails_when_something_is_wrong(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Exit code 1 and a cross; the report is written all the same, and Korean is spoken."""
    file = tmp_path / "report.json"
    code, out = run(capsys, "--report", file, "--lang", "ko")
    assert code == 1
    assert out.startswith("✗ settings")
    assert "환경변수" in out
    assert json.loads(file.read_bytes())["accounts"] == []


def test_the_demo(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """--demo and KIS_NB_DEMO check the embedded broker's accounts, and say so."""
    code, out = run(capsys, "--demo")
    assert code == 0
    assert out.startswith("! settings")
    with Broker() as broker:
        assert out.count("MGNA_DVSN=") == len(broker.accounts) * VIEWS
    told(monkeypatch, NB_DEMO="1")
    assert run(capsys)[1].startswith("! settings")


def test_a_demos_report_is_a_form(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, client_of: Callable[..., Client]
) -> None:
    """What the demo reports, a broker takes as its form: it answers as it does without."""
    file = tmp_path / "report.json"
    assert run(capsys, "--demo", "--report", file)[0] == 0
    form: dict[str, Any] = json.loads(file.read_bytes())
    pulled = []
    for shape in (None, form):
        with Broker(
            book=Book.sized({ACCOUNT: 64}, seed=1), form=shape, clock=lambda: 1_795_356_904.0
        ) as broker:
            pulled.append(client_of(broker).balance(ACCOUNT))
    assert pulled[0].pages == pulled[1].pages == 4
    assert pulled[0].positions.equals(pulled[1].positions, null_equal=True)
    assert pulled[0].summary.equals(pulled[1].summary, null_equal=True)


def test_the_report_of_a_replayed_exchange(
    mine: Broker, exchange: Callable[[str], dict[str, Any]]
) -> None:
    """Of an answer that no broker of ours made: what is absent, and how figures are written."""
    mine.replay(exchange("balance-ok"))
    check = Check()
    found = steps(check)
    assert "1 row, 1 page" in found["account"][0].text
    report = json.loads(check.report())
    calls = report["accounts"][0]["views"][0]["calls"]
    assert [one["call"] for one in calls] == ["token", "balance"]
    assert "sll_buy_dvsn_name" in calls[1]["output1"]["absent"]
    assert calls[1]["output1"]["patterns"]["evlu_pfls_amt"] == {"-9(7)": 1}
    assert calls[1]["output1"]["patterns"]["idx_clpr"] == {"9(3).9(8)": 1}
