"""No app key, secret, token or whole account number in anything that people or files get to see.

Every error path is driven with invented credentials; messages, reprs, tracebacks with their locals
(as the standard library, rich and IPython print them), logs at DEBUG on all loggers, and the store
are then searched, for the secrets as they are, percent-encoded, in base64, in hex and split.
"""

from __future__ import annotations

import base64
import contextlib
import copy
import http.client
import logging
import os
import pickle
import re
import threading
import traceback
import warnings
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from IPython.core.ultratb import VerboseTB
from rich.traceback import Traceback

import kis_nb
from kis_nb._wire.secrets import Secret
from tests.faults import NETWORK, WIRE, Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client


def shown(error: BaseException) -> str:
    """All that usual tools print of an error, frames' locals included."""
    # What rich draws, without its frames and colours, which take ten times as long.
    trace = Traceback.extract(
        type(error),
        error,
        error.__traceback__,
        show_locals=True,
        locals_max_string=100_000,
        locals_max_length=1_000,
    )
    values = [
        f"{name} = {node}"
        for stack in trace.stacks
        for frame in stack.frames
        for name, node in (frame.locals or {}).items()
    ]
    plain = traceback.TracebackException.from_exception(error, capture_locals=True)
    # Prints the value of every name and attribute in a frame's source, too.
    verbose = VerboseTB(theme_name="nocolor").text(type(error), error, error.__traceback__)
    said = [str(error), repr(error), repr(vars(error)), *values, verbose]
    return "\n".join([*said, *plain.format()])


ECHO = {
    "rt_cd": "1",
    "msg_cd": "EGW99999",
    "msg1": f"you sent {APP_KEY} {APP_SECRET} CANO=80012345 {quote(APP_SECRET)}",
}


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def first_row(**fields: Any) -> Fault:
    """A page whose first row differs so."""
    return Fault(kind="mutate", change=lambda body: body["output1"][0].update(fields))


def same_key() -> Fault:
    """The key for the second page, again with every page."""
    keys: list[str] = []

    def change(body: dict[str, Any]) -> None:
        keys.append(body["ctx_area_nk200"])
        body["ctx_area_nk200"] = keys[0]

    return Fault(kind="mutate", headers={"tr_cont": "M"}, change=change)


PATHS: dict[str, Fault] = {
    **{name: fault for name, fault in WIRE.items() if fault.call != "token"},
    **{name: NETWORK[name] for name in ("reset", "closed", "cut body", "half JSON")},
    "hang": replace(NETWORK["hang"], name="hang"),
    "echo": Fault(status=200, body=ECHO),
    "echo without a code": Fault(status=500, body={**ECHO, "msg_cd": ""}),
    "echo that is no answer": Fault(status=200, body={"msg1": ECHO["msg1"]}),
    "echo as the code": Fault(status=200, body={**ECHO, "rt_cd": APP_KEY, "msg_cd": APP_SECRET}),
    "too large": Fault(status=200, body=b" " * 17_000_000),
    "bad number": first_row(evlu_amt="1e3"),
    "too many digits": first_row(evlu_amt="1" * 60),
    "no text": first_row(prdt_name={"CANO": "80012345"}),
    "bad shape": Fault(kind="mutate", change=lambda body: {**body, "output2": body["output1"]}),
    "no row": Fault(kind="mutate", change=lambda body: {**body, "output1": [7]}),
    "no rows": Fault(kind="mutate", change=lambda body: {**body, "output1": ECHO}),
    "no key text": Fault(kind="mutate", change=lambda body: body.update(ctx_area_nk200=[ACCOUNT])),
    "no tr_cont": Fault(kind="mutate", headers={"tr_cont": "?"}, change=dict),
    "more after the last": Fault(kind="mutate", headers={"tr_cont": "M"}, change=dict),
    "same key": same_key(),
    "no key": Fault(
        kind="mutate",
        headers={"tr_cont": "M"},
        change=lambda body: body.update(ctx_area_nk200=" " * 200),
    ),
}


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("name", PATHS)
def test_no_error_path_shows_a_secret(
    guarded: Broker,
    client_of: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    name: str,
    page: int,
) -> None:
    """Message, repr, attributes, traceback with locals, logs and files are all clean."""
    caplog.set_level(logging.DEBUG)
    client = client_of(guarded, retries=1, timeout=(1.0, 0.1), cache_dir=tmp_path)
    places = {"more after the last": 3, "same key": None}
    guarded.fault(PATHS[name].at(places.get(name, page), times=None))
    with pytest.raises(kis_nb.KisError) as caught:
        client.balance(ACCOUNT)
    token = client._first.gateway._tokens.get().reveal()
    search = Search(APP_KEY, APP_SECRET, token)
    # From our own code down: the test's frame holds the account it typed.
    error = caught.value.with_traceback(caught.tb.tb_next)
    search.look(shown(error), "the error")
    search.look("\n".join(record.getMessage() for record in caplog.records), "the logs")
    for file in tmp_path.iterdir():
        Search(APP_KEY, APP_SECRET).look(file.name + file.read_text("utf-8"), "the store")


OTHER_CALLS: dict[str, Callable[[Client], object]] = {
    "quote": lambda client: client.quotes(["A01612", "A05612"]),
    "margin": lambda client: client.margin_detail(ACCOUNT),
    "rates": lambda client: client.margin_rates(),
}
OTHER_PATHS = {name: PATHS[name] for name in ("EGW00206", "KIOK0560", "APAC0489", "reset", "echo")}
OTHER_PATHS |= {name: PATHS[name] for name in ("echo as the code", "half JSON", "HTML 200")}
OTHER_PATHS |= {
    "bad number": Fault(kind="mutate", change=lambda body: spoil(body, "1e3")),
    "account as a number": Fault(kind="mutate", change=lambda body: spoil(body, {"a": "80012345"})),
    "former rows": Fault(
        kind="mutate",
        change=lambda body: {**body, "output1": [{"tot_amt": APP_KEY}] * 18, "output": APP_KEY},
    ),
}


def spoil(body: dict[str, Any], value: object) -> None:
    """Put a value into every field of the first block."""
    block: Any = body.get("output1", body.get("output"))
    for row in block if isinstance(block, list) else [block]:
        row.update(dict.fromkeys(row, value))


@pytest.mark.parametrize("name", OTHER_PATHS)
@pytest.mark.parametrize("call", OTHER_CALLS)
def test_no_error_of_another_call_shows_a_secret(
    guarded: Broker,
    client_of: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    call: Any,
    name: str,
) -> None:
    """Quotes, margin by component and margin rates: as the balance's errors."""
    caplog.set_level(logging.DEBUG)
    client = client_of(guarded, retries=1, timeout=(1.0, 5.0), cache_dir=tmp_path)
    guarded.fault(OTHER_PATHS[name].at(None, call=call, times=None))
    if name == "KIOK0560":  # nothing is found, which is no error
        OTHER_CALLS[call](client)
        said = ""
    else:
        with pytest.raises(kis_nb.KisError) as caught:
            OTHER_CALLS[call](client)
        trace: TracebackType | None = caught.tb
        while trace is not None and not trace.tb_frame.f_code.co_filename.startswith(OURS):
            trace = trace.tb_next
        said = shown(caught.value.with_traceback(trace))
    token = client._first.gateway._tokens.get().reveal()
    search = Search(APP_KEY, APP_SECRET, token)
    search.look(said, "the error")
    search.look("\n".join(record.getMessage() for record in caplog.records), "the logs")


@pytest.mark.parametrize("code", ["EGW00103", "EGW00105", "EGW00133"])
def test_no_token_error_shows_a_secret(
    guarded: Broker, client_of: Callable[..., Client], tmp_path: Path, code: str
) -> None:
    """Refusals at the token call."""
    guarded.fault(WIRE[f"{code} at the token call"].at(None, call="token", times=None))
    client = client_of(guarded, retries=1, cache_dir=tmp_path)
    with pytest.raises(kis_nb.AuthError) as caught:
        client.balance(ACCOUNT)
    search = Search(APP_KEY, APP_SECRET)
    search.look(shown(caught.value.with_traceback(caught.tb.tb_next)), "the error")


# What KIS may say where a code or a text is expected: as short as a code, and all that was sent.
SAID = {"a secret": APP_SECRET, "all of it": f"{ECHO['msg1']} {base64_of(APP_KEY)}"}


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (403, ("error_code", "error_description")),
        (500, ("error_code", "msg1")),
        (200, ("msg_cd", "msg1")),
    ],
)
@pytest.mark.parametrize("code", ["", "EGW00133", "EGW00201", *SAID])
def test_what_a_token_call_repeats_is_scrubbed(
    guarded: Broker,
    client_of: Callable[..., Client],
    caplog: pytest.LogCaptureFixture,
    code: str,
    names: tuple[str, str],
    status: int,
) -> None:
    """Message, code, repr and traceback of a refusal whose code and text are what was sent."""
    caplog.set_level(logging.DEBUG)
    body = dict(zip(names, (SAID.get(code, code), SAID["all of it"]), strict=True))
    guarded.fault(status=status, body=body, call="token", times=None)
    with pytest.raises((kis_nb.AuthError, kis_nb.TransportError)) as caught:
        client_of(guarded, retries=1).balance(ACCOUNT)
    search = Search(APP_KEY, APP_SECRET)
    search.look(shown(caught.value.with_traceback(caught.tb.tb_next)), "the error")
    search.look("\n".join(record.getMessage() for record in caplog.records), "the logs")


def connected(broker: Broker, **more: Any) -> Client:
    """As a customer connects: what was given stays in this frame."""
    usual = {"app_key": APP_KEY, "app_secret": APP_SECRET, "accounts": [ACCOUNT]}
    return kis_nb.connect(**{**usual, "base_url": broker.address, "retries": 0, **more})


def pull_cancelled(client: Client, _: Broker) -> None:
    stop = threading.Event()
    client.balance(progress=lambda _: stop.set(), cancel=stop)


def pull_from_nobody(client: Client, broker: Broker) -> None:
    broker.stop()
    client.balance()


def pull_refused_twice(client: Client, broker: Broker) -> None:
    broker.fault(WIRE["EGW00105 at the token call"])
    with contextlib.suppress(kis_nb.AuthError):
        client.balance()
    client.balance()


def pull_of_a_token_that_stays_refused(client: Client, broker: Broker) -> None:
    client.balance()
    token = client._first.gateway._tokens.get().reveal()
    broker.fault(WIRE["EGW00123"].at(None, times=None))
    body = {"access_token": token, "expires_in": 86400}
    broker.fault(status=200, body=body, call="token", times=None)
    client.balance()


def several_cancelled(client: Client, _: Broker) -> None:
    stop = threading.Event()
    stop.set()
    client.balances([ACCOUNT], mgna_dvsn=["01", "02"], cancel=stop)


WAYS: dict[str, Callable[[Client, Broker], object]] = {
    "a pull is cancelled": pull_cancelled,
    "pulls are cancelled": several_cancelled,
    "a refusal is remembered": pull_refused_twice,
    "a token stays refused": pull_of_a_token_that_stays_refused,
    "a token handed in is refused": lambda _, broker: connected(
        broker, token=f"{APP_KEY}{APP_SECRET}"
    ).balance(),
    "the gateway is closed": pull_from_nobody,
    "an account has a digit more": lambda client, _: client.balance(f"{ACCOUNT}1"),
    "a margin's account has a digit more": lambda client, _: client.margin_detail(f"{ACCOUNT}1"),
    "an account of many has a digit more": lambda client, _: client.balances([f"{ACCOUNT}1"]),
    "no account is left": lambda client, _: client.balances([]),
    "a code is an account": lambda client, _: client.balance(mgna_dvsn="8001234503"[:2]),
    "a dashboard's account has a digit more": lambda client, _: kis_nb.dashboard(
        client, account=f"{ACCOUNT}1"
    ),
    "a client is pickled": lambda client, _: pickle.dumps(client),
    "a client is copied": lambda client, _: copy.deepcopy(client),
    "settings are pickled": lambda client, _: pickle.dumps(client._settings),
    "a key is a placeholder": lambda _, broker: connected(broker, app_key=f"앱키 {APP_KEY}"),
    "a token has a blank": lambda _, broker: connected(broker, token=f"x {APP_SECRET}"),
    "a company lacks a field": lambda _, broker: connected(
        broker, custtype="B", corporate={"personalseckey": APP_SECRET}
    ),
    "a company's field has a blank": lambda _, broker: connected(
        broker,
        custtype="B",
        corporate=dict.fromkeys(
            ("personalseckey", "seq_no", "phone_number", "ip_addr"), f"x {APP_SECRET}"
        ),
    ),
    "a person has a company's fields": lambda _, broker: connected(
        broker, corporate={"personalseckey": APP_SECRET}
    ),
    "the host is not this machine": lambda _, broker: connected(broker, base_url="http://kis.test"),
    "the demo is given a key": lambda _, broker: connected(broker, demo=True),
    "retries are below 0": lambda _, broker: connected(broker, retries=-1),
    "an account of several is not one": lambda _, broker: connected(
        broker, accounts=[ACCOUNT, "8001234-503"]
    ),
}


# Frames of the tests', which hold what the test itself typed.
OURS = str(Path(kis_nb.__file__).parent)


@pytest.mark.parametrize("name", WAYS)
def test_no_other_failure_shows_a_secret(
    guarded: Broker, client_of: Callable[..., Client], tmp_path: Path, name: str
) -> None:
    """Refusals before, beside and after the calls to KIS: message and traceback are clean."""
    client = client_of(guarded, retries=0, cache_dir=tmp_path)
    with pytest.raises((kis_nb.KisError, ValueError, TypeError)) as caught:
        WAYS[name](client, guarded)
    trace: TracebackType | None = caught.tb
    while trace is not None and not trace.tb_frame.f_code.co_filename.startswith(OURS):
        trace = trace.tb_next
    assert trace is not None, "raised by the test itself"
    search = Search(APP_KEY, APP_SECRET)
    search.look(shown(caught.value.with_traceback(trace)), "the error")


@pytest.mark.parametrize("call", ["token", "balance"])
@pytest.mark.parametrize("step", ["endheaders", "getresponse"])
def test_an_interrupt_inside_a_call_shows_no_secret(
    guarded: Broker,
    client_of: Callable[..., Client],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    call: str,
) -> None:
    """Ctrl-C lands deep in urllib3, whose frames hold the headers, or the body with the secret."""
    client = client_of(guarded)
    if call == "balance":
        client.balance(ACCOUNT)

    def interrupted(_connection: Any, *_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(http.client.HTTPConnection, step, interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.balance(ACCOUNT)
    monkeypatch.undo()
    token = client._first.gateway._tokens.get().reveal()
    error = caught.value.with_traceback(caught.tb.tb_next)
    Search(APP_KEY, APP_SECRET, token).look(shown(error), "the interrupt")


def test_nothing_made_of_a_client_shows_a_secret(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """Reprs of client, settings, balance and every attribute two levels down."""
    client = client_of(guarded, token=Secret(guarded.issue_token()))
    balance = client.balance(ACCOUNT)
    assert client._settings[0].token is not None
    search = Search(APP_KEY, APP_SECRET, client._settings[0].token.reveal())
    detail, quotes = client.margin_detail(ACCOUNT), client.quotes(["A01612"])
    parts = (client, client._settings, client._first.http, client._first.gateway)
    search.look(repr(quotes), "the quotes")
    for thing in (*parts, balance, detail, client._quotes):
        search.look(repr(thing), type(thing).__name__)
        for name in dir(thing):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                search.look(repr(getattr(thing, name, "")), f"{type(thing).__name__}.{name}")
    search.look(balance._repr_html_(), "the HTML repr")
    search.look(balance.positions.write_csv(), "the frame as CSV")
    search.look(str(balance.positions), "the frame")
    for frame in (detail.components, detail.summary, quotes, client.margin_rates()):
        search.look(frame.write_csv(), "a frame as CSV")


def test_the_example_with_getpass_keeps_what_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code in SECURITY.md, run: neither what it shows nor its namespace tells a secret."""
    text = (Path(__file__).parents[1] / "docs" / "SECURITY.md").read_text("utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    typed = {"app key: ": APP_KEY, "app secret: ": APP_SECRET, "account: ": ACCOUNT}
    monkeypatch.setattr("getpass.getpass", typed.pop)
    for name in [name for name in os.environ if name.startswith("KIS_")]:
        monkeypatch.delenv(name)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102  (our own document)
    assert typed == {}
    client = names["client"]
    assert client._settings[0].app_secret == Secret(APP_SECRET)
    shown = {name: value for name, value in names.items() if name != "__builtins__"}
    Search(APP_KEY, APP_SECRET).look(repr([shown, vars(client)]), "the namespace")


def test_the_search_finds_what_it_looks_for() -> None:
    """A search that could not fail would prove nothing."""
    search = Search(APP_KEY, APP_SECRET)
    leaks = [f"x{APP_SECRET[21:42]}y", "CANO=80012345", "8001-2345", "8001 2345", "8001234503"]
    for secret in (APP_KEY, APP_SECRET, "80012345"):
        digits = secret.encode().hex()
        leaks += [secret, quote(secret), quote(secret, safe=""), digits, digits.upper()]
        for before in range(3):
            text = f"{'ab'[:before]}{secret}, and more".encode()
            leaks += [base64.b64encode(text).decode(), base64.urlsafe_b64encode(text).decode()]
    leaks.append(quote(APP_SECRET).replace("%2B", "%2b"))
    # As mail wraps it, as a terminal does, and cut off.
    leaks.append(base64.encodebytes(f"Basic {APP_KEY}:{APP_SECRET}".encode()).decode())
    leaks.append("\n".join(re.findall(".{1,24}", f"appsecret: {APP_SECRET}")))
    leaks.append(APP_KEY[:20] + "…")
    for leak in leaks:
        for before in range(5):
            with pytest.raises(AssertionError, match="shows in"):
                search.look(f"{' ' * before}{leak}", "a leak")
    search.look(f"800*****-03 {APP_KEY[:6]}… <secret>", "what masks show")
    assert Search.characters > 0
