"""%kis in a real IPython shell: what a line gives, shows, refuses and keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from IPython.core.completer import provisionalcompleter
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

import kis_nb
from kis_nb import _default_client
from kis_nb._magic import KisMagic
from kis_nb.demo import Broker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNT = "80012345-03"


class Shell:
    """Runs cells; `magic` is what ``%kis`` is registered as."""

    def __init__(self) -> None:
        config = Config(HistoryManager={"enabled": False})
        self.ipython = InteractiveShell(config=config)  # type: ignore[no-untyped-call]
        self.ipython.run_line_magic("load_ext", "kis_nb")

    def __call__(self, source: str) -> Cell:
        return Cell(self.ipython, source)

    @property
    def magic(self) -> KisMagic:
        return self.ipython.magics_manager.magics["line"]["kis"].__self__  # type: ignore[no-any-return]

    def completed(self, line: str) -> set[str]:
        """What Tab offers at the end of a line."""
        with provisionalcompleter():
            return {found.text for found in self.ipython.Completer.completions(line, len(line))}


class Cell:
    """What one cell did: its value, what it printed, and its error."""

    def __init__(self, shell: InteractiveShell, source: str) -> None:
        with capture_output() as captured:
            ran = shell.run_cell(source, store_history=False)  # type: ignore[no-untyped-call]
        self.value: Any = ran.result
        self.error = ran.error_before_exec or ran.error_in_exec
        self.shown: str = captured.stdout + captured.stderr


@pytest.fixture
def cell(
    own_environment: None,  # noqa: ARG001 (set up first)
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[Shell]:
    """Runs a cell in a shell that has the extension, and no credentials."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setattr(_default_client._Default, "client", None)
    shell = Shell()
    yield shell
    shell.ipython.run_line_magic("unload_ext", "kis_nb")
    if _default_client._Default.client is not None:
        _default_client._Default.client.close()


@pytest.fixture
def mine(broker: Broker, monkeypatch: pytest.MonkeyPatch, cell: object) -> Broker:
    """The broker, named in the environment as a customer names KIS, after `cell` cleared it."""
    assert cell
    monkeypatch.setenv("KIS_APP_KEY", broker.app_key)
    monkeypatch.setenv("KIS_APP_SECRET", broker.app_secret)
    monkeypatch.setenv("KIS_ACCOUNTS", ACCOUNT)
    monkeypatch.setenv("KIS_BASE_URL", broker.address)
    return broker


def test_a_name_chooses_an_account(
    cell: Shell, mine: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`%kis 헤지`, with the second account's key in the environment."""
    account, app_key, app_secret = mine.keys[1]
    monkeypatch.setenv("KIS_APP_KEY_2", app_key)
    monkeypatch.setenv("KIS_APP_SECRET_2", app_secret)
    monkeypatch.setenv("KIS_ACCOUNT_NO_2", account)
    monkeypatch.setenv("KIS_NAME_2", "헤지")
    assert cell("%kis 헤지").value.account == account
    assert "which account?" in cell("%kis").shown


def test_gives_the_balance_and_shows_it_once(cell: Shell, mine: Broker) -> None:
    """The line's value is the Balance under the codes asked for, displayed a single time."""
    done = cell(f"%kis {mine.accounts[0]} --mgna-dvsn 02 --excc-stat-cd 2")
    assert isinstance(done.value, kis_nb.Balance)
    assert done.value.account == ACCOUNT
    assert (done.value.mgna_dvsn, done.value.excc_stat_cd) == ("02", "2")
    assert done.value.positions.height == 64
    assert not done.value.demo
    assert done.shown.count("<Balance") == 1


def test_can_be_assigned(cell: Shell, mine: Broker) -> None:
    """`balance = %kis` keeps the value and shows nothing; a semicolon shows nothing either."""
    done = cell("balance = %kis\nbalance.positions.height")
    assert done.value == 64
    assert "<Balance" not in done.shown
    assert cell("%kis --excc-stat-cd 2;").shown == ""
    assert mine.calls


def test_a_typed_number_stays_out_of_outputs(cell: Shell, mine: Broker) -> None:
    """Neither a result nor any error repeats the account number."""
    lines = [
        f"%kis {ACCOUNT}",
        f"%kis {ACCOUNT} {ACCOUNT}",
        f"%kis {ACCOUNT}9",
        f"%kis --mgna-dvsn {ACCOUNT}",
        "%kis 99912345-03",
    ]
    for line in lines:
        shown = cell(line).shown
        assert shown
        assert "80012345" not in shown
        assert "99912345" not in shown
        assert mine.app_key not in shown


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%kis --mgna-dvsn 03 --demo", "choose from"),
        ("%kis 800123-03 --demo", "an account is 8 digits"),
        ("%kis --demo --app-secret Invented0Secret", "never given here"),
        ("%kis 'open", "No closing quotation"),
        ("%kis --nothing", "see %kis?"),
    ],
)
def test_a_line_that_cannot_be_understood(cell: Shell, line: str, said: str) -> None:
    """A usage error: one line, no traceback, no secret."""
    done = cell(line)
    assert isinstance(done.error, UsageError)
    assert done.shown.startswith("UsageError: %kis: ")
    assert done.shown.count("\n") == 1
    assert said in done.shown
    assert "Invented0Secret" not in done.shown


def test_a_failed_pull_is_a_sentence_and_stops(cell: Shell, mine: Broker) -> None:
    """KIS's refusal shows without a traceback, yet stays the typed error that ends a Run All."""
    done = cell(f"%kis 99912345-03\nprint({len(mine.accounts)})")
    assert isinstance(done.error, kis_nb.ApiError)
    assert done.shown.startswith("%kis: ")
    assert "OPSQ2000" in done.shown
    assert "Traceback" not in done.shown
    assert done.shown.count("\n") == 1


def test_without_credentials(cell: Shell) -> None:
    """The ways to give a key are told, the demo among them."""
    done = cell("%kis")
    assert isinstance(done.error, kis_nb.ConfigError)
    assert "KIS_APP_KEY" in done.shown
    assert "Traceback" not in done.shown


def test_demo_keeps_its_broker(cell: Shell) -> None:
    """--demo needs no key, takes the largest account, and goes on with the same client."""
    first, again = cell("%kis --demo").value, cell("%kis --demo --excc-stat-cd 2").value
    assert first.demo
    assert first.positions.height > 20
    assert first.account == again.account
    here = cell.magic._demo
    assert here is not None
    assert cell("%kis 700*****-03 --demo").value.positions.height == 6
    assert cell.magic._demo is here


def test_demo_by_the_environment(cell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """KIS_NB_DEMO=1 does what --demo does, on the default client."""
    monkeypatch.setenv("KIS_NB_DEMO", "1")
    assert cell("%kis").value.demo
    assert _default_client.default_client().demo


def test_dashboard(cell: Shell) -> None:
    """--dashboard gives the Dashboard with the account and codes asked for."""
    done = cell("d = %kis 700*****-03 --demo --mgna-dvsn 02 --dashboard\nd")
    assert isinstance(done.value, kis_nb.Dashboard)
    assert done.value.mgna_dvsn == "02"
    assert "70045678" not in done.shown
    done.value.close()


def test_help(cell: Shell) -> None:
    """`%kis?` explains both codes and shows a line to copy."""
    shown = cell("%kis?").shown
    for word in ("MGNA_DVSN", "EXCC_STAT_CD", "개시", "본정산", "%kis 12345678-03 --mgna-dvsn 02"):
        assert word in shown


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%kis --m", {"--mgna-dvsn"}),
        ("%kis --mgna-dvsn ", {"01", "02"}),
        ("%kis --excc-stat-cd ", {"1", "2"}),
        ("%kis --demo --d", {"--dashboard"}),
    ],
)
def test_completion(cell: Shell, line: str, offered: set[str]) -> None:
    """Tab offers the options not yet there, and the codes after theirs."""
    found = cell.completed(line)
    assert found >= offered
    assert not found & set(line.split())


def test_unload(cell: Shell) -> None:
    """Unloading takes the magic and its completion away and stops the demo's broker."""
    cell("%kis --demo")
    assert cell.magic._demo is not None
    address = cell.magic._demo._settings[0].base_url
    assert requests.get(address, timeout=10).status_code
    cell("%unload_ext kis_nb")
    assert "not found" in cell("%kis --demo").shown
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=10)
    assert "01" not in cell.completed("%kis --mgna-dvsn ")
    cell("%load_ext kis_nb")
    assert cell("%kis --demo").value.demo
