"""Several app keys, each with its account: the ways to give them, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import kis_nb
from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.secrets import Secret
from kis_nb._wire.sources import load
from tests.leaks import Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kis_nb._wire.config import Settings

KEYS = ("PSinvented1" + "a" * 25, "PSinvented2" + "b" * 25, "PSinvented3" + "c" * 25)
SECRETS = ("s1" * 90, "s2" * 90, "s3" * 90)
ACCOUNTS = ("80012345-03", "70045678-03", "60098765-03")
# Whatever these tests give, none of it may show.
SEARCH = Search(*KEYS, *SECRETS, accounts=ACCOUNTS)
pytestmark = pytest.mark.usefixtures("own_environment")


def entry(at: int, **changed: Any) -> dict[str, Any]:
    """A right entry of ``keys=``; None takes a field away."""
    usual = {"app_key": KEYS[at], "app_secret": SECRETS[at], "account": ACCOUNTS[at]}
    return {name: value for name, value in {**usual, **changed}.items() if value is not None}


def told(settings: tuple[Settings, ...]) -> list[tuple[str, str, list[str], str | None]]:
    """What each key has, unmasked."""
    return [
        (
            one.app_key.reveal(),
            one.app_secret.reveal(),
            [f"{account.cano}-{account.product}" for account in one.accounts],
            one.name,
        )
        for one in settings
    ]


def rows(*names: str | None) -> list[tuple[str, str, list[str], str | None]]:
    """As `told`, of the first keys with these names."""
    return [(KEYS[at], SECRETS[at], [ACCOUNTS[at]], name) for at, name in enumerate(names)]


def refused(work: Any) -> str:
    """The message of the ConfigError, which shows nothing private, nor does any frame's locals."""
    with pytest.raises(ConfigError) as caught:
        work()
    SEARCH.look(str(caught.value), "the message")
    trace = caught.tb.tb_next
    while trace is not None:
        if trace.tb_frame.f_code.co_filename != __file__:
            SEARCH.look(repr(trace.tb_frame.f_locals), trace.tb_frame.f_code.co_name)
        trace = trace.tb_next
    return str(caught.value)


def connected(**given: Any) -> Iterator[kis_nb.Client]:
    """A client; no call is made."""
    with kis_nb.connect(**given) as client:
        yield client


# --- keys= -------------------------------------------------------------------------------------


def test_each_entry_is_a_key_with_its_account() -> None:
    """In the order given, with names, and shown masked."""
    keys = [entry(0, name="hedge"), entry(1), entry(2, name="헤지 3")]
    (client,) = connected(keys=keys)
    assert told(client._settings) == rows("hedge", None, "헤지 3")
    assert list(client.accounts) == list(ACCOUNTS)
    assert list(client.names.values()) == ["hedge", None, "헤지 3"]
    SEARCH.look(f"{client!r} {client._settings!r} {client.names!r} {vars(client)!r}", "a repr")
    assert repr(client).startswith("<Client of openapi.koreainvestment.com:9443: 800*****-03, 700")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"account": ACCOUNTS[0]}, "keys= takes a list"),
        ("PSkey", "keys= takes a list"),
        (7, "keys= takes a list"),
        ([], "keys= has no entry"),
        ([KEYS[0]], "entry 1 of keys= is no mapping"),
        ([entry(0), entry(1, app_key=None)], "entry 2 of keys=: app_key is missing"),
        ([entry(0), entry(1, app_secret=" ")], "entry 2 of keys=: app_secret is missing"),
        ([entry(0, account=None)], "entry 1 of keys=: account is missing"),
        ([entry(0, account="8001234-503")], "entry 1 of keys=: an account is 8 digits"),
        ([entry(0, account=80012345)], "the field account must be text"),
        ([entry(0, product="01")], "account and product name different product codes"),
        ([entry(0, appkey="x")], "has the field appkey, which it does not know; it takes name"),
        ([{KEYS[0]: SECRETS[0]}], "has a field, which it does not know"),
        ([entry(0), entry(1, account=ACCOUNTS[0])], "are both for 800*****-03"),
        ([entry(0), entry(1, app_key=KEYS[0])], "twice, with different app secrets"),
        ([entry(0, name=KEYS[1]), entry(1)], "the name looks like a key"),
        ([entry(0, name="x " * 21)], "longer than 40 characters"),
        ([entry(0, app_key="앱키")], "placeholder"),
    ],
)
def test_an_entry_that_does_not_fit_is_named(keys: Any, said: str) -> None:
    """By its place and field, never by a value."""
    assert said in refused(lambda: kis_nb.connect(keys=keys))


@pytest.mark.parametrize(
    "beside",
    [
        {"app_key": KEYS[0]},
        {"app_secret": SECRETS[0]},
        {"accounts": [ACCOUNTS[0]]},
        {"token": "t" * 30},
        {"demo": True},
    ],
)
def test_keys_stand_alone(beside: dict[str, Any]) -> None:
    """Neither another key, nor accounts, nor the demo beside them."""
    assert "leave out" in refused(lambda: kis_nb.connect(keys=[entry(0)], **beside))


def test_keys_come_before_the_demo_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As an app key does: real credentials are never replaced silently."""
    monkeypatch.setenv("KIS_NB_DEMO", "1")
    (client,) = connected(keys=[entry(0)])
    assert not client.demo


def test_a_name_masks_numbers_and_keeps_to_a_line() -> None:
    """It shows in the dashboard and in errors."""
    (client,) = connected(keys=[entry(0, name=f" my\n{ACCOUNTS[0]} and 12345678\x00 ")])
    assert list(client.names.values()) == ["my 800*****-03 and 123*****"]


def test_an_entry_may_bring_a_token() -> None:
    """As a company's does; a token beside several keys would belong to none."""
    (client,) = connected(keys=[entry(0, token="t" * 40), entry(1)])
    assert [one.token for one in client._settings] == [Secret("t" * 40), None]


# --- the environment ---------------------------------------------------------------------------


def put(patch: pytest.MonkeyPatch, *ends: str, **more: str) -> None:
    """The variables of the first accounts, with these endings, and others."""
    for at, end in enumerate(ends):
        patch.setenv(f"KIS_APP_KEY{end}", KEYS[at])
        patch.setenv(f"KIS_APP_SECRET{end}", SECRETS[at])
        patch.setenv(f"KIS_ACCOUNTS{end}", ACCOUNTS[at])
    for name, value in more.items():
        patch.setenv(name, value)


def test_the_environment_numbers_further_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first has no number; KIS_ACCOUNT_NO serves as well, and a name is optional."""
    put(monkeypatch, "", "_2", "_3", KIS_NAME_2="hedge", KIS_ACCOUNTS_3="  ")
    monkeypatch.setenv("KIS_ACCOUNT_NO_3", ACCOUNTS[2])
    assert told(load()) == rows(None, "hedge", None)


def test_one_key_of_the_environment_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """With all its accounts; a variable for other programs is not looked at."""
    put(monkeypatch, "", KIS_ACCOUNTS=",".join(ACCOUNTS), KIS_ACCOUNT_NO="12345678")
    assert told(load()) == [(KEYS[0], SECRETS[0], list(ACCOUNTS), None)]


@pytest.mark.parametrize(
    ("ends", "more", "without", "said"),
    [
        (("", "_2", "_4"), {}, "", "the environment lacks KIS_APP_KEY_3 (KIS_ACCOUNTS_4 is set)"),
        (("", "_2"), {}, "KIS_APP_SECRET_2", "the environment lacks KIS_APP_SECRET_2"),
        (("", "_2"), {}, "KIS_APP_KEY_2", "the environment lacks KIS_APP_KEY_2"),
        (("", "_2"), {}, "KIS_ACCOUNTS_2", "lacks KIS_ACCOUNTS_2 (or KIS_ACCOUNT_NO_2)"),
        (("", "_2"), {}, "KIS_ACCOUNTS", "lacks KIS_ACCOUNTS (or KIS_ACCOUNT_NO)"),
        (("", "_2"), {}, "KIS_APP_KEY", "the environment lacks KIS_APP_KEY ("),
        (("",), {"KIS_ACCOUNTS_2": ACCOUNTS[1]}, "", "the environment lacks KIS_APP_KEY_2"),
        (("_1", "_2"), {}, "", "KIS_ACCOUNTS_1: the first account's variables have no number"),
        (("", "_02"), {}, "", "KIS_ACCOUNTS_02: the first account's"),
        (("", "_99999999999999999999"), {}, "", "the environment lacks KIS_APP_KEY_2"),
        (("", "_2"), {"KIS_ACCOUNTS_2": ACCOUNTS[0]}, "", "are both for 800*****-03"),
        (("", "_2"), {"KIS_ACCOUNTS_2": "8001234-503"}, "", "account 1 of KIS_ACCOUNTS_2"),
    ],
)
def test_the_environment_is_whole_or_refused(
    monkeypatch: pytest.MonkeyPatch,
    ends: tuple[str, ...],
    more: dict[str, str],
    without: str,
    said: str,
) -> None:
    """The variable is named; the second account never gets the first one's key."""
    put(monkeypatch, *ends, **more)
    if without:
        monkeypatch.delenv(without)
    assert said in refused(load)


def test_accounts_choose_among_several_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order asked; one that has no key is refused."""
    put(monkeypatch, "", "_2", "_3")
    (client,) = connected(accounts=[ACCOUNTS[2], ACCOUNTS[0]])
    assert told(client._settings) == [rows(None, None, None)[at] for at in (2, 0)]
    said = refused(lambda: kis_nb.connect(accounts=[ACCOUNTS[0], "12345678-03"]))
    assert "account 2 of accounts= (123*****-03) has no app key; there are keys for 800" in said


def test_an_argument_s_key_leaves_the_environment_s_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first source that has a key gives all."""
    put(monkeypatch, "", "_2")
    monkeypatch.delenv("KIS_ACCOUNTS")
    (client,) = connected(app_key=KEYS[2], app_secret=SECRETS[2], accounts=[ACCOUNTS[2]])
    assert told(client._settings) == [rows(None, None, None)[2]]


# --- the file ----------------------------------------------------------------------------------


def write(folder: Path, text: str) -> Path:
    """The samples' file."""
    path = folder / "KIS" / "config" / "kis_devlp.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


LISTED = f"""\
my_app: "{KEYS[0]}"
my_sec: "{SECRETS[0]}"
my_acct_future: 12345678
accounts:
  - account: {ACCOUNTS[0][:8]}
  - name: 헤지
    account: {ACCOUNTS[1]}
    app_key: {KEYS[1]}
    app_secret: {SECRETS[1]}
  - account: {ACCOUNTS[2][:8]}
    product: 03
    app_key: {KEYS[2]}
    app_secret: {SECRETS[2]}
"""


def test_the_file_lists_accounts(tmp_path: Path) -> None:
    """An entry without a key has the file's own; the product is 03 unless told."""
    write(tmp_path, LISTED)
    assert told(load()) == rows(None, "헤지", None)


def test_a_list_needs_no_key_of_the_file_s_own(tmp_path: Path) -> None:
    """When each entry has one."""
    listed = LISTED[LISTED.index("accounts:") :]
    write(tmp_path, listed.replace(f"  - account: {ACCOUNTS[0][:8]}\n", ""))
    assert told(load()) == rows(None, "헤지", None)[1:]


def test_kis_accounts_chooses_from_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And names no account that has no key."""
    write(tmp_path, LISTED)
    monkeypatch.setenv("KIS_ACCOUNTS", ACCOUNTS[1])
    assert told(load()) == rows(None, "헤지")[1:]
    monkeypatch.setenv("KIS_ACCOUNTS", "12345678-03")
    assert "account 1 of KIS_ACCOUNTS (123*****-03) has no app key" in refused(load)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f'my_app: "{KEYS[0]}"', "", "entry 1 of {} (accounts): app_key is missing"),
        (f"    app_secret: {SECRETS[1]}\n", "", "entry 2 of {} (accounts): app_secret is missing"),
        (ACCOUNTS[1], "7004567-03", "entry 2 of {} (accounts): an account is 8 digits"),
        ("product: 03", "my_prod: 03", "entry 3 of {} (accounts) has the field my_prod"),
        ("accounts:\n", "accounts: x\nrest:\n", "accounts: is no list of entries"),
        ("product: 03", f"token: {'t' * 40}", "has the field token"),
    ],
)
def test_a_list_that_does_not_fit_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    """By the file, the entry and the field."""
    assert old in LISTED
    path = write(tmp_path, LISTED.replace(old, new))
    assert said.format(path) in refused(load)


# --- finding an account ------------------------------------------------------------------------


def test_an_account_is_found_by_number_name_and_label() -> None:
    """Whatever is no account is refused with the names and labels, not repeated."""
    (client,) = connected(keys=[entry(0, name="Hedge"), entry(1, name="헤지 북"), entry(2)])
    for text in ("hedge", " HEDGE ", "Hedge · 800*****-03", "800*****-03", ACCOUNTS[0]):
        assert client.find_account(text) == ACCOUNTS[0], text
    assert client.find_account("헤지  북") == ACCOUNTS[1]
    wrong = client.find_account("hedges")
    assert isinstance(wrong, ValueError)
    assert "Hedge · 800*****-03, 헤지 북 · 700*****-03, 600*****-03" in str(wrong)
    assert "hedges" not in str(wrong)
    assert "which account? There are 3: Hedge · 800" in str(client.find_account(None))
    assert isinstance(client.find_account(""), ValueError)


def test_a_name_of_two_accounts_chooses_neither(monkeypatch: pytest.MonkeyPatch) -> None:
    """One key's name may cover several accounts."""
    put(monkeypatch, "", KIS_ACCOUNTS=",".join(ACCOUNTS[:2]), KIS_NAME="desk")
    (client,) = connected()
    assert "2 accounts have that name" in str(client.find_account("desk"))


def test_several_keys_refuse_an_account_without_one() -> None:
    """No call is made; one key alone still calls for any account, as ever."""
    (client,) = connected(keys=[entry(0), entry(1)])
    for pull in (client.balance, lambda account: client.balances([account])):
        with pytest.raises(ValueError, match="no app key is configured for 123") as caught:
            pull("12345678-03")
        assert "keys for 800*****-03, 700*****-03" in str(caught.value)
        SEARCH.look(str(caught.value), "the message")
    (client,) = connected(app_key=KEYS[0], app_secret=SECRETS[0])
    assert client.find_account("12345678-03") == Account.parse("12345678-03")


def test_keys_that_break_while_they_are_read_show_nothing() -> None:
    """What the caller's own iterable raises is told by its name alone, without frames that hold
    keys.
    """

    def broken() -> Iterator[dict[str, Any]]:
        yield entry(0)
        raise RuntimeError(SECRETS[0])

    assert "could not be read to its end" in refused(lambda: kis_nb.connect(keys=broken()))
