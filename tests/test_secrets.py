"""No app key, secret, token or whole account number in anything that people or files get to see.

Every error path is driven with invented credentials; messages, reprs, tracebacks with their locals
(as the standard library, rich and IPython print them), logs at DEBUG on all loggers, and the store
are then searched, for the secrets as they are, percent-encoded, in base64, in hex and split.
"""

from __future__ import annotations

import base64
import http.client
import io
import logging
import os
import re
import traceback
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from IPython.core.ultratb import VerboseTB
from rich.console import Console
from rich.traceback import Traceback

import kis_nb
from kis_nb._config import Secret
from kis_nb.demo import NETWORK, WIRE, Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client


def shown(error: BaseException) -> str:
    """All that usual tools print of an error, frames' locals included."""
    out = io.StringIO()
    trace = Traceback.from_exception(
        type(error), error, error.__traceback__, show_locals=True, locals_max_string=100_000
    )
    Console(file=out, width=400).print(trace)
    plain = traceback.TracebackException.from_exception(error, capture_locals=True)
    # Prints the value of every name and attribute in a frame's source, too.
    verbose = VerboseTB(theme_name="nocolor").text(type(error), error, error.__traceback__)
    said = [str(error), repr(error), repr(vars(error)), out.getvalue(), verbose]
    return "\n".join([*said, *plain.format()])


ECHO = {
    "rt_cd": "1",
    "msg_cd": "EGW99999",
    "msg1": f"you sent {APP_KEY} {APP_SECRET} CANO=80012345 {quote(APP_SECRET)}",
}
PATHS: dict[str, Fault] = {
    **{name: fault for name, fault in WIRE.items() if fault.call != "token"},
    **{name: NETWORK[name] for name in ("reset", "closed", "cut body", "half JSON")},
    "hang": replace(NETWORK["hang"], name="hang"),
    "echo": Fault(status=200, body=ECHO),
    "bad number": Fault(
        kind="mutate", change=lambda body: body["output1"][0].update(evlu_amt="1e3")
    ),
    "bad shape": Fault(kind="mutate", change=lambda body: {**body, "output2": body["output1"]}),
    "stuck key": Fault(kind="mutate", headers={"tr_cont": "M"}, change=dict),
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
    if name == "stuck key":
        guarded.fault(PATHS[name].at(3, times=None))
    else:
        guarded.fault(PATHS[name].at(page, times=None))
    with pytest.raises(kis_nb.KisError) as caught:
        client.balance(ACCOUNT)
    token = client._gateway._tokens.get().reveal()
    search = Search(APP_KEY, APP_SECRET, token)
    # From our own code down: the test's frame holds the account it typed.
    error = caught.value.with_traceback(caught.tb.tb_next)
    search.look(shown(error), "the error")
    search.look("\n".join(record.getMessage() for record in caplog.records), "the logs")
    for file in tmp_path.iterdir():
        Search(APP_KEY, APP_SECRET).look(file.name + file.read_text("utf-8"), "the store")


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


@pytest.mark.parametrize("step", ["endheaders", "getresponse"])
def test_an_interrupt_inside_a_call_shows_no_secret(
    guarded: Broker, client_of: Callable[..., Client], monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Ctrl-C lands deep in urllib3, whose frames hold the headers."""
    client = client_of(guarded)
    client.balance(ACCOUNT)

    def interrupted(_connection: Any, **_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(http.client.HTTPConnection, step, interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        client.balance(ACCOUNT)
    token = client._gateway._tokens.get().reveal()
    error = caught.value.with_traceback(caught.tb.tb_next)
    Search(APP_KEY, APP_SECRET, token).look(shown(error), "the interrupt")


def test_nothing_made_of_a_client_shows_a_secret(
    guarded: Broker, client_of: Callable[..., Client]
) -> None:
    """Reprs of client, settings, balance and every attribute two levels down."""
    client = client_of(guarded, token=Secret(guarded.issue_token()))
    balance = client.balance(ACCOUNT)
    assert client._settings.token is not None
    search = Search(APP_KEY, APP_SECRET, client._settings.token.reveal())
    for thing in (client, client._settings, client._http, client._gateway, balance):
        search.look(repr(thing), type(thing).__name__)
        for name in dir(thing):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                search.look(repr(getattr(thing, name, "")), f"{type(thing).__name__}.{name}")
    search.look(balance._repr_html_(), "the HTML repr")
    search.look(balance.positions.write_csv(), "the frame as CSV")
    search.look(str(balance.positions), "the frame")


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
    assert client._settings.app_secret == Secret(APP_SECRET)
    shown = {name: value for name, value in names.items() if name != "__builtins__"}
    Search(APP_KEY, APP_SECRET).look(repr([shown, vars(client)]), "the namespace")


def test_the_search_finds_what_it_looks_for() -> None:
    """A search that could not fail would prove nothing."""
    search = Search(APP_KEY, APP_SECRET)
    wrapped = base64.b64encode(f'{{"a": "{APP_SECRET}"}}'.encode()).decode()
    parts = (f"x{APP_SECRET[20:36]}y", "CANO=80012345", "8001-2345", "x" + APP_KEY.encode().hex())
    for leak in (APP_KEY, quote(APP_SECRET, safe=""), wrapped, *parts):
        with pytest.raises(AssertionError, match="shows in"):
            search.look(leak, "a leak")
    assert Search.characters > 0
