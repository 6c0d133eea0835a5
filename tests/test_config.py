"""Where credentials come from, in which order, and what is refused."""

from __future__ import annotations

import copy
import pickle
import re
from typing import TYPE_CHECKING, Any

import pytest

import kis_nb
from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._wire.config import LIVE_URL, Settings
from kis_nb._wire.secrets import Secret
from kis_nb._wire.sources import load

if TYPE_CHECKING:
    from pathlib import Path

KEY, SECRET = "K" * 36, "S" * 180
CORPORATE = {
    "personalseckey": "p" * 20,
    "seq_no": "001",
    "phone_number": "01000000000",
    "ip_addr": "127.0.0.1",
}
pytestmark = pytest.mark.usefixtures("own_environment")


def sample(folder: Path, text: str, name: str = "KIS/config/kis_devlp.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return path


def sole(**given: Any) -> Settings:
    """The settings of the only key."""
    (settings,) = load(**given)
    return settings


def test_nothing_found_names_the_three_ways_and_the_demo() -> None:
    """A newcomer's first error tells what to do."""
    with pytest.raises(ConfigError) as caught:
        kis_nb.connect()
    text = str(caught.value)
    for way in ("app_key=", "KIS_APP_KEY", "kis_devlp.yaml", "connect(demo=True)"):
        assert way in text


def test_arguments_come_before_environment_before_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Each value from the first source that has it."""
    sample(tmp_path, 'my_app: "FILEKEY"\nmy_sec: "FILESEC"\nmy_acct_future: "11111111"\n')
    assert sole().app_key == Secret("FILEKEY")
    assert list(map(str, sole().accounts)) == ["111*****-03"]
    monkeypatch.setenv("KIS_APP_KEY", "ENVKEY")
    monkeypatch.setenv("KIS_APP_SECRET", "ENVSEC")
    monkeypatch.setenv("KIS_ACCOUNTS", "22222222-03, 33333333-03,")
    monkeypatch.setenv("KIS_BASE_URL", "https://example.test:9443/")
    settings = sole()
    assert (settings.app_key, settings.app_secret) == (Secret("ENVKEY"), Secret("ENVSEC"))
    assert settings.accounts == tuple(map(Account.parse, ("22222222-03", "33333333-03")))
    assert settings.base_url == "https://example.test:9443"
    settings = sole(app_key=Secret("A"), app_secret=Secret("B"), base_url="https://x.test")
    assert (settings.app_key, settings.base_url) == (Secret("A"), "https://x.test")


def test_key_and_secret_come_from_one_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One source's key with another's secret would be refused, and could lock the key out."""
    sample(tmp_path, "my_app: FILEKEY\nmy_sec: FILESEC\n")
    monkeypatch.setenv("KIS_APP_KEY", "ENVKEY")
    with pytest.raises(ConfigError, match="environment: the app secret is missing"):
        load()
    with pytest.raises(ConfigError, match="arguments: the app key is missing"):
        load(app_secret=Secret("B"))


@pytest.mark.parametrize(
    ("product", "account"),
    [("03", "80012345-03"), ('"03"', "80012345-03"), ("01", "80012345-03"), ("08", "80012345-08")],
)
def test_the_official_samples_file_is_read(tmp_path: Path, product: str, account: str) -> None:
    """Unquoted numbers keep their zeros; the cash product code means the futures account."""
    sample(
        tmp_path,
        f"""# 홈페이지에서 발급받은 키
my_app: "{KEY}"
my_sec: "{SECRET}"
paper_app: "모의투자용 앱키"
my_htsid: "사용자 HTS ID"
my_acct_stock: "12345678"
my_acct_future: 80012345
my_prod: {product}
prod: "https://openapi.koreainvestment.com:9443"
my_agent: "Mozilla/5.0"
""",
    )
    settings = sole()
    assert settings.accounts == (Account.parse(account),)
    assert settings.base_url == LIVE_URL


def test_kis_config_names_another_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And it must be there."""
    monkeypatch.setenv("KIS_CONFIG", str(sample(tmp_path, "my_app: A\nmy_sec: B\n", "mine.yaml")))
    assert sole().app_key == Secret("A")
    monkeypatch.setenv("KIS_CONFIG", str(tmp_path / "none.yaml"))
    with pytest.raises(ConfigError, match="no such file"):
        load()


@pytest.mark.parametrize(
    "text", ["my_app: [", "\tmy_app: KEYTEXT", "just KEYTEXT", "- KEYTEXT", "a: &x [*x", ""]
)
def test_a_damaged_file_is_named_without_its_text(tmp_path: Path, text: str) -> None:
    """YAML's own error quotes the line, which may hold the secret."""
    path = sample(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load()
    assert str(path) in str(caught.value)
    assert "KEYTEXT" not in str(caught.value)


def test_a_file_that_others_may_read_is_warned_about(tmp_path: Path) -> None:
    """With the command that corrects it."""
    path = sample(tmp_path, "my_app: A\nmy_sec: B\n")
    path.chmod(0o644)
    with pytest.warns(UserWarning, match=re.escape(f"chmod 600 {path}")):
        load()


@pytest.mark.parametrize("prod", ["PSswappedKeyText", "https://[", "https://h:x", "//KEYTEXT"])
def test_a_key_on_the_line_of_the_address_is_not_repeated(tmp_path: Path, prod: str) -> None:
    """Neither in the message nor in a frame's locals (found by the fuzzer)."""
    path = sample(tmp_path, f"my_app: A\nmy_sec: B\nprod: '{prod}'\n")
    with pytest.raises(ConfigError) as caught:
        load()
    assert f"{path} (prod): base_url" in str(caught.value)
    shown, trace = str(caught.value), caught.tb.tb_next
    while trace is not None:
        shown += repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    assert prod not in shown


def test_a_file_without_an_end_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not read into memory."""
    path = sample(tmp_path, "my_app: A\n" + "# much\n" * 100_000)
    for endless in (path, "/dev/zero"):
        monkeypatch.setenv("KIS_CONFIG", str(endless))
        with pytest.raises(ConfigError, match="too large"):
            load()


@pytest.mark.parametrize("key", ["앱키", "two words", "a\nb", "x\r\nEvil: 1"])
def test_a_placeholder_or_a_broken_key_is_refused_before_any_call(key: str) -> None:
    """KIS would only say "bad app key"."""
    with pytest.raises(ConfigError, match="placeholder"):
        kis_nb.connect(app_key=key, app_secret=SECRET)


@pytest.mark.parametrize(
    "url",
    [
        "http://openapi.koreainvestment.com:9443",
        "http://192.168.0.9",
        "openapi.koreainvestment.com",
        "ftp://127.0.0.1",
        "https://",
        "https://user:pass@openapi.koreainvestment.com",
        "http://127.0.0.1.evil.test",
    ],
)
def test_credentials_go_over_https_or_stay_on_this_machine(url: str) -> None:
    """Plain http is for loopback only."""
    with pytest.raises(ConfigError, match="base_url"):
        kis_nb.connect(app_key=KEY, app_secret=SECRET, base_url=url)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"custtype": "X"}, "custtype"),
        ({"custtype": "B"}, "lacks personalseckey, seq_no, phone_number, ip_addr"),
        (
            {"custtype": "B", "corporate": {**CORPORATE, "seq_no": " "}},
            "lacks seq_no",
        ),
        ({"custtype": "B", "corporate": {**CORPORATE, "seqno": "1"}}, "does not know seqno"),
        ({"corporate": CORPORATE}, 'custtype="B"'),
        ({"tr_id": "TTTT0000R"}, "CTFN6118R or JTCE6001R"),
        ({"calls_per_second": 0}, "above 0"),
        ({"calls_per_second": float("nan")}, "above 0"),
        ({"timeout": (0, 1)}, "timeout"),
        ({"calls_per_second": float("inf")}, "above 0"),
        ({"calls_per_second": -1}, "above 0"),
        ({"calls_per_second": True}, "above 0"),
        ({"calls_per_second": "15"}, "calls_per_second takes a number"),
        ({"calls_per_second": 10**400}, "calls_per_second takes a number"),
        ({"calls_per_second": 1e-300}, "calls_per_second takes a number"),
        ({"calls_per_second": 18.5}, "18 calls a second since 2026-04-20, and a new customer 3"),
        ({"calls_per_second": 20, "base_url": "https://gateway.test"}, "18 calls a second"),
        ({"timeout": 10}, "timeout takes two numbers"),
        ({"timeout": None}, "timeout takes two numbers"),
        ({"timeout": (1, 2, 3)}, "timeout takes two numbers"),
        ({"timeout": ("3", "10")}, "timeout takes two numbers"),
        ({"timeout": (True, True)}, "timeout takes two numbers"),
        ({"timeout": (3.05, float("inf"))}, "timeout takes two numbers"),
        ({"timeout": (3.05, float("nan"))}, "timeout takes two numbers"),
        ({"timeout": (3.05, 10**400)}, "timeout takes two numbers"),
        ({"retries": None}, "retries takes a whole number"),
        ({"retries": 1.5}, "retries takes a whole number"),
        ({"retries": True}, "retries takes a whole number"),
        ({"retries": "5"}, "retries takes a whole number"),
        ({"retries": 10**400}, "retries takes a whole number"),
        ({"retries": -1}, "retries"),
        ({"base_url": "https://gateway.test/uapi"}, "and no path"),
        ({"base_url": "https://gateway.test?a=1"}, "and no path"),
        ({"base_url": "https://gateway.test?"}, "and no path"),
        ({"base_url": "https://gateway.test#x"}, "and no path"),
        ({"base_url": 9443}, "base_url takes text"),
        ({"base_url": f"https://{KEY}"}, "base_url holds the app key"),
        ({"mac_address": "맥"}, "mac_address holds characters"),
        ({"token": "two words"}, "token holds characters"),
        ({"base_url": "https://["}, "base_url is no address"),
        ({"accounts": ["80012345-03", "8001234-03"]}, "account 2 of accounts="),
        ({"accounts": "80012345-03"}, "accounts= takes a list of accounts"),
        ({"accounts": b"80012345-03"}, "accounts= takes a list of accounts"),
        ({"accounts": 8001234503}, "accounts= takes a list of accounts"),
        ({"mac_address": 5}, "mac_address must be text"),
        ({"mac_address": b"0123456789ab"}, "mac_address must be text"),
        ({"custtype": "B", "corporate": "x"}, "corporate takes a mapping with personalseckey"),
        ({"custtype": "B", "corporate": [("seq_no", "001")]}, "corporate takes a mapping"),
        ({"custtype": "B", "corporate": {"seq_no": 1}}, "corporate: the field seq_no must be text"),
        ({"custtype": "B", "corporate": {**CORPORATE, SECRET: "x"}}, "does not know another field"),
    ],
)
def test_a_value_that_does_not_fit_is_a_config_error(wrong: dict[str, Any], said: str) -> None:
    """Before any call, and in words."""
    with pytest.raises(ConfigError, match=re.escape(said)):
        kis_nb.connect(app_key=KEY, app_secret=SECRET, **wrong)


@pytest.mark.parametrize("name", ["custtype", "tr_id"])
def test_a_key_or_an_account_on_the_wrong_place_is_not_repeated(name: str) -> None:
    """A short word is, since it helps to see it."""
    given: dict[str, Any] = {"app_key": KEY, "app_secret": SECRET}
    for hidden in (SECRET, "80012345-03"):
        with pytest.raises(ConfigError, match=f"{name} takes") as caught:
            kis_nb.connect(**{**given, name: hidden})
        assert hidden not in str(caught.value)
    with pytest.raises(ConfigError, match="; got 'X'"):
        kis_nb.connect(**{**given, name: "X"})


def test_a_broker_on_this_machine_may_be_called_faster() -> None:
    """KIS's 18 a second are KIS's; a list does for the timeout, and a slash ends an address."""
    for url in ("http://127.0.0.1:1/", "http://localhost:1", "http://[::1]:1"):
        with kis_nb.connect(
            app_key=KEY,
            app_secret=SECRET,
            base_url=url,
            calls_per_second=1_000_000,
            timeout=[1, 2],  # type: ignore[arg-type]
        ) as client:
            assert client._settings[0].timeout == (1, 2)
            assert client._settings[0].base_url == url.rstrip("/")
    with pytest.raises(ConfigError, match="timeout takes two numbers"):
        kis_nb.connect(demo=True, timeout=10)  # type: ignore[arg-type]


def test_a_key_in_the_address_shows_nowhere() -> None:
    """Neither in a message nor in a repr nor in a frame's locals."""
    for url in (f"https://{KEY}", f"https://h.test/{KEY}", f"https://h.test?appkey={KEY}", KEY):
        with pytest.raises(ConfigError, match="base_url") as caught:
            kis_nb.connect(app_key=KEY, app_secret=SECRET, base_url=url)
        shown, trace = str(caught.value), caught.tb.tb_next
        while trace is not None:
            shown += repr(trace.tb_frame.f_locals)
            trace = trace.tb_next
        assert KEY not in shown
    other = "PSanotherKey" + "x" * 24
    settings = Settings(Secret(KEY), Secret(SECRET), base_url=f"https://{other}.test")
    assert other not in repr(settings)


def test_a_complete_company_is_accepted() -> None:
    """All four fields."""
    client = kis_nb.connect(app_key=KEY, app_secret=SECRET, custtype="B", corporate=CORPORATE)
    assert "p" * 20 not in repr(client._settings)


def test_settings_show_no_secret() -> None:
    """Nor does anything made of them."""
    client = kis_nb.connect(app_key=KEY, app_secret=SECRET, accounts=["80012345-03"], token="T" * 9)
    shown = f"{client!r} {client._settings!r}"
    for hidden in (KEY, SECRET, "T" * 9, "80012345"):
        assert hidden not in shown


def test_a_secret_is_not_pickled_or_copied() -> None:
    """Whatever it is in."""
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="not pickled or copied"):
            attempt(Secret(SECRET))


def test_an_error_in_connect_holds_no_secret_in_its_locals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tracebacks of rich and pytest show every frame's locals."""
    monkeypatch.setenv("KIS_ACCOUNTS", "98765432-1")
    for arguments in (
        {"custtype": "X"},
        {"accounts": ["98765432-1"]},
        {"base_url": "http://example.test"},
        {},
    ):
        with pytest.raises(ConfigError) as caught:
            kis_nb.connect(app_key=KEY, app_secret=SECRET, token="T" * 50, **arguments)
        trace = caught.tb.tb_next
        while trace is not None:
            shown = repr(trace.tb_frame.f_locals)
            for hidden in (KEY, SECRET, "T" * 50, "98765432"):
                assert hidden not in shown, trace.tb_frame.f_code.co_name
            trace = trace.tb_next
