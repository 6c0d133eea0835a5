"""The fuzzed functions: each takes bytes, asserts what must hold, returns the kind of result."""

from __future__ import annotations

import copy
import json
import math
import os
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._errors import ConfigError, DecodeError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.auth import Tokens
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.gateway import Gateway, Page
from kis_nb._wire.http import Http, Reply
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Scrubber, Secret
from kis_nb._wire.sources import load
from kis_nb._wire.token_reply import read_token_reply
from tests.factories import decode, decoded
from tests.fuzz import oracle

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

EXCHANGE = Path(__file__).parents[1] / "exchanges" / "balance-ok.json"
EXAMPLE: dict[str, Any] = json.loads(EXCHANGE.read_text("utf-8"))["body"]
ACCOUNT = Account.parse("80012345-03")


class Choices:
    """Bytes read as a sequence of choices; after their end every choice is 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def more(self) -> bool:
        """Whether bytes are left."""
        return self._at < len(self._data)

    def below(self, count: int) -> int:
        """A number from 0 to `count` - 1."""
        size = 1 if count <= 256 else 4
        part = self._data[self._at : self._at + size]
        self._at += size
        return int.from_bytes(part, "little") % count

    def of(self, things: Any) -> Any:
        """One of these."""
        return things[self.below(len(things))]

    def text(self, letters: str, most: int) -> str:
        """A text of these letters."""
        return "".join(self.of(letters) for _ in range(self.below(most + 1)))


# --- pages ------------------------------------------------------------------------------------


def judge(pages: list[bytes]) -> str:
    """Decode pages and compare with the reference: the same values, or an error where the reference
    has none.
    """
    wanted = oracle.expected(pages)
    refused = ""
    frames: Sequence[pl.DataFrame] = ()
    try:
        frames = decode(pages, NIGHT_BALANCE)
    except DecodeError as error:
        refused = str(error)
    if refused:
        # The reference may read JSON nested deeper than the stack, or half a surrogate pair in an
        # unknown field; refusing those is right too.
        assert wanted is None or is_odd(pages), f"refused: {refused}"
        return "refused"
    assert wanted is not None, "read, although no column can hold it"
    found = oracle.blocks(pages)
    assert found is not None
    rows, summary = found
    oracle.check(frames[0], wanted[0], rows)
    oracle.check(frames[1], wanted[1], [summary])
    check_display(pages, oracle.personal(NIGHT_BALANCE.rows, rows), rows)
    return "read"


def is_odd(pages: list[bytes]) -> bool:
    """Whether a text is no valid Unicode, or the nesting deeper than any service sends."""
    depth = max(page.count(b"[") + page.count(b"{") for page in pages)
    try:
        for page in pages:
            json.dumps(oracle.read(page), ensure_ascii=False).encode()
    except (UnicodeEncodeError, RecursionError):
        return True
    return depth > 200


def check_display(pages: list[bytes], numbers: set[str], rows: list[dict[str, Any]]) -> None:
    """Check that a balance of these pages reconciles, relabels and shows, the account masked."""
    balance = Balance.from_decoder(
        decoded(pages, account=ACCOUNT),
        account=ACCOUNT,
        mgna_dvsn=Margin.INITIAL,
        excc_stat_cd=Basis.SETTLEMENT,
        as_of=1_795_356_904.0,
        demo=False,
    )
    assert balance.positions.height == len(rows)
    balance.reconcile()
    balance.relabel("ko")
    assert Balances([balance, balance]).positions.height == 2 * len(rows)
    shown = f"{balance!r} {balance._repr_html_()}"
    # Another field may hold the same digits: that is no leak of this one.
    others = {json.dumps(v) for row in rows for k, v in row.items() if k != "cano"}
    for number in numbers:
        assert number not in shown or any(number in other for other in others)


def page_bytes(data: bytes) -> str:
    """One page of any bytes."""
    return judge([data])


NUMBERS = (
    *("0", "-0", "00012", "+7", " 12 ", "", " ", "1e3", "NaN", "-", ".5", "5.", "1,234", "１２"),
    *("9" * 19, "9" * 20, "-" + "9" * 19, "9" * 15 + "." + "9" * 8, "0." + "9" * 9, "0.10"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775808", "0" * 40 + "7"),
    *("170141183460469231731687303715884105727", "1" + "0" * 38, "\x00", "1\n", "1\u00a0"),
)


class Raw(str):
    """JSON text that is inserted unchanged."""

    __slots__ = ()


VALUES: tuple[Any, ...] = (
    *(None, True, 0, 7, -1, 0.1, 1.0, 1e300, 2**64, 10**30, 10**400, [], {}, [[]], {"a": 1}),
    *("80012345", "매수", "02", "\ud800", "\u0000", "a" * 300, "</script>", "\U0001f600"),
    *map(Raw, ("0.1000000000000000055", "1e400", "7.0e0", "-0", "NaN", "-Infinity", "123.4500")),
    *map(Raw, ('{"k":[1.50,1e-400]}', '"\\ud800"', '"\\u0000"', "01", "+1", '{"a":1,"a":2}')),
)
NAMES = (
    *(field.name for field in (*NIGHT_BALANCE.rows.fields, *NIGHT_BALANCE.summary.fields)),
    *(
        "side",
        "wire_side",
        "방향",
        "종목명",
        "as_of",
        "account",
        "mgna_dvsn",
        "",
        "literal",
        "new_field",
        "CANO",
        "\ud800",
        "열",
    ),
)


def nested(choices: Choices) -> Raw:
    """A list or object nested up to a thousand deep."""
    inner, depth = to_json(choices.of(VALUES)), choices.of((1, 5, 100, 250, 990, 1100))
    before, after = choices.of((("[", "]"), ('{"a":', "}")))
    return Raw(before * depth + inner + after * depth)


def value(choices: Choices) -> Any:
    """A value for any field."""
    match choices.below(6):
        case 0:
            # A copy: a page is changed further, and would change what the next one is given.
            return copy.deepcopy(choices.of(VALUES))
        case 1:
            return nested(choices)
        case 2:
            return choices.text("0123456789", 40)
        case 3:
            return choices.text("0123456789.+-eE_, x٣３", 14)
        case _:
            return choices.of(NUMBERS)


def mutate(body: dict[str, Any], choices: Choices) -> None:
    """One change to a page that still looks like one."""
    rows: Any = body.get("output1")
    summary: Any = body.get("output2")
    kind = choices.below(10)
    if kind == 0:
        body[choices.of(("output1", "output2", "rt_cd", "new"))] = value(choices)
    elif kind == 1:
        body.pop(choices.of(("output1", "output2", "rt_cd")), None)
    elif kind == 2 and isinstance(summary, dict):
        body["output2"] = [summary] * choices.below(3)
    elif kind in (3, 4) and isinstance(summary, dict):
        summary[choices.of(NAMES)] = value(choices)
    elif isinstance(rows, list) and rows:
        row = choices.of(rows)
        if kind == 5 and len(rows) < 100:
            rows.extend(copy.deepcopy(rows[: choices.below(30)]))
        elif kind == 6:
            rows[choices.below(len(rows))] = value(choices)
        elif isinstance(row, dict) and kind == 7:
            row.pop(choices.of(NAMES), None)
        elif isinstance(row, dict):
            row[choices.of(NAMES)] = value(choices)


def to_json(thing: Any) -> str:
    """JSON, with each `Raw` inserted unchanged."""
    if isinstance(thing, Raw):
        return thing
    if isinstance(thing, list):
        return f"[{','.join(map(to_json, thing))}]"
    if isinstance(thing, dict):
        return f"{{{','.join(f'{json.dumps(k)}:{to_json(v)}' for k, v in thing.items())}}}"
    return json.dumps(thing)


def loosely(thing: dict[str, Any]) -> str:
    """Like some errors of KIS: the keys without quotes, which is no JSON."""
    return f"{{{','.join(f'{name}:{to_json(value)}' for name, value in thing.items())}}}"


def page_fields(data: bytes) -> str:
    """The published example on one to three pages: fields, values, types and nesting changed."""
    choices = Choices(data)
    bodies = [copy.deepcopy(EXAMPLE) for _ in range(1 + choices.below(3))]
    while choices.more():
        mutate(choices.of(bodies), choices)
    return judge([to_json(body).encode() for body in bodies])


# --- other answers ----------------------------------------------------------------------------


ANSWERS: tuple[dict[str, Any], ...] = tuple(
    json.loads(path.read_text("utf-8"))["body"] for path in sorted(EXCHANGE.parent.glob("*.json"))
)
CODES = (
    *("0", "1", "", "EGW00201", "EGW00123", "EGW00133", "SYDB0050", "APMP0001", "x" * 400),
    *("EGW00215", "KIOK0560", "EGW00304", "EGW00206", "초당 거래건수"),
)
FIELDS = (
    *("rt_cd", "msg_cd", "msg1", "error_code", "error_description", "ctx_area_fk200"),
    *("ctx_area_nk200", "access_token", "expires_in", "access_token_token_expired", "token_type"),
)
TIMES = ("2026-11-22 23:15:04", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-11-22T00+23:59")
_SETTINGS = Settings(app_key=Secret("PSkey"), app_secret=Secret("secret"))
_CLOCK = Clock()
_HTTP = Http(_SETTINGS.base_url, timeout=(1, 1), rate=RateLimit(1, _CLOCK), clock=_CLOCK)
_SCRUBBER = Scrubber([_SETTINGS.app_key])
_GATEWAY = Gateway(_SETTINGS, _HTTP, Tokens(_SETTINGS, _HTTP, _SCRUBBER), _SCRUBBER)


def answered(data: bytes) -> str:
    """A response to a balance or token call: a page, or a typed error."""
    choices = Choices(data)
    answer: dict[str, Any] = dict(choices.of(ANSWERS))
    status = choices.of((200, 400, 403, 500, 502))
    header = choices.of(({}, {"tr_cont": "M"}, {"tr_cont": "D "}, {"tr_cont": "?"}))
    while choices.more():
        name = choices.of(FIELDS)
        answer[name] = choices.of((value(choices), choices.of(CODES), choices.of(TIMES)))
    text = choices.of((to_json, loosely))(answer)
    reply = Reply(status, header, text.encode())
    token = read_token_reply(reply, 1_795_356_904.0)
    assert token.token is None or math.isfinite(token.until)
    assert max(len(token.code), len(token.text)) < 10_000
    outcome = _GATEWAY._judge(reply, NIGHT_BALANCE)
    if isinstance(outcome, Page):
        with suppress(RecursionError):  # Python's reader goes less deep than orjson
            assert json.loads(text)
        return "page"
    assert len(str(outcome[1])) < 2_000
    return type(outcome[1]).__name__


# --- the configuration file -------------------------------------------------------------------

KEY = "PSinvented0app0key0for0fuzzing0only0"
SECRET = "inventedSecret+/=" + "z9Y8x7W6" * 20
NUMBER = "80012345"
LINES = (
    *(f'my_app: "{KEY}"', f'my_sec: "{SECRET}"', f"my_acct_future: {NUMBER}", "my_prod: 03"),
    *('prod: "https://example.test:9443"', "my_prod: '01'", f"prod: https://{KEY}:{SECRET}@x"),
    *(f"my_app: {SECRET}", f"my_acct_future: {NUMBER}1", f"prod: {KEY}", f"my_sec: [{SECRET}]"),
    f"accounts:\n- account: {NUMBER}\n- {{account: {NUMBER}, app_key: {KEY}}}",
    f"accounts:\n- {{name: {NUMBER}, account: {NUMBER}-03, app_key: {KEY}, app_secret: {SECRET}}}",
    f"accounts: [{{{KEY}: {SECRET}, account: {NUMBER}}}]",
    *(f"accounts: {NUMBER}", f"accounts: [{KEY}]", f"prod: https://{KEY}"),
    *("prod: 'https://['", "prod: http://127.0.0.1:1", f"? [{SECRET}]\n: {KEY}", f"{KEY}"),
    *(f"my_app: &a {KEY}", "my_sec: *a", f"my_sec: !!python/name:{KEY}", f"my_sec: !{SECRET} x"),
    *(f"my_app: | \n  {KEY}", f'my_sec: "{SECRET}', f"- {KEY}", "[" * 40, "{a: " * 400, "---"),
    *(
        f"%TAG {KEY}",
        f"my_sec: @{SECRET}",
        f"\tmy_app: {KEY}",
        f"*{KEY}",
        "<<: *x",
        "\x00",
        "\ufeff",
    ),
)


def configured(text: bytes) -> str:
    """Load a configuration file: settings, or a ConfigError that contains none of its secrets."""
    # A folder for each file: fuzzers and test workers leave without running exit handlers.
    with tempfile.TemporaryDirectory(prefix="kis-nb-fuzz-") as folder:
        return _configured(Path(folder) / "kis_devlp.yaml", text)


def _configured(path: Path, text: bytes) -> str:
    """The same with the file at `path`."""
    path.write_bytes(text)
    path.chmod(0o600)
    error: ConfigError | None = None
    own = {name: value for name, value in os.environ.items() if not name.startswith("KIS_")}
    own["KIS_CONFIG"] = str(path)
    with patch.dict(os.environ, own, clear=True), warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            shown = repr(load())
        except ConfigError as caught:
            error = caught
            shown = (
                f"{caught} {caught!r} {vars(caught)} {caught.__cause__!r} {caught.__context__!r}"
            )
    trace = error.__traceback__.tb_next if error and error.__traceback__ else None
    while trace is not None:
        shown += repr(trace.tb_frame.f_locals)
        trace = trace.tb_next
    for hidden in (KEY, SECRET, NUMBER):
        assert hidden not in shown, f"{hidden[:6]}… shows"
    return "settings" if error is None else "refused"


def config_bytes(data: bytes) -> str:
    """A file of any bytes."""
    return configured(data)


def config_lines(data: bytes) -> str:
    """Lines as people write them, in any order, cut, indented and damaged."""
    choices = Choices(data)
    lines = list(LINES[: choices.of((0, 4, 5))])
    while choices.more():
        line = choices.of(LINES)
        match choices.below(8):
            case 0:
                line = line[: choices.below(len(line) + 1)]
            case 1:
                line = "  " + line
            case 2:
                line += choices.text("'\"[]{}:,&*!|>%@`#\n\t\x00\x85é", 4)
            case _:
                pass
        lines.insert(choices.below(len(lines) + 1), line)
    text = choices.of(("\n", "\r\n", "\n\n")).join(lines)
    return configured(text.encode("utf-8", "surrogatepass"))


TARGETS = {
    "a page of any bytes": page_bytes,
    "the published page, mutated": page_fields,
    "KIS's other answers, mutated": answered,
    "a configuration file of any bytes": config_bytes,
    "configuration lines, mutated": config_lines,
}
SEEDS = {
    "a page of any bytes": [
        json.dumps(EXAMPLE).encode(),
        b'{"output1":[],"output2":{}}',
        b'{"output1":[{"cblc_qty":1e400}],"output2":{}}',
    ],
    "the published page, mutated": [b"", b"\x00\x08" + bytes(range(8, 40))],
    "KIS's other answers, mutated": [b"\x00\x00\x01", b"\x05\x01\x00\x02\x01"],
    "a configuration file of any bytes": ["\n".join(LINES[:5]).encode()],
    "configuration lines, mutated": [bytes(range(24))],
}
