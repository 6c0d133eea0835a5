"""How the service answered, without one value of it: `kis-nb check --report`.

A report is JSON that a customer may send to strangers. It holds which keys came in which order, how
figures and texts are written, and how pages follow each other. It holds no figure, no text, no
account, no key, no token and no digest; `write` searches for them and refuses. The embedded broker
can answer in its form (`kis_nb.demo.form`).

How a text is written is described by classes of characters, each with its count: ``9`` digit, ``0``
leading zero of a figure, ``A`` and ``a`` Latin letter, ``H`` Hangul, ``L`` another letter, ``_``
blank, ``?`` anything else; ``^ ! - + . , : / %`` stand for themselves. So ``-1237500`` is
``-9(7)``, ``309.10000000`` is ``9(3).9(8)``, and a key of a next page ``9(8)^9(2)^9(2)^9^_(183)``.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from kis_nb._account import Account
from kis_nb._errors import ConfigError
from kis_nb._schema.endpoint import Block
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb._wire.auth import TOKEN_PATH
from kis_nb._wire.http import Call, NoReply, Reply
from kis_nb._wire.page_json import NotJson, parse_exact
from kis_nb._wire.recovery import read_loose_refusal
from kis_nb._wire.secrets import Secret

VERSION = 1
_KEPT = frozenset("^!-+.,:/%")
# What may appear as it is: names and codes of KIS's own forms. Anything else appears as a pattern,
# since a service that errs may put a number or a key anywhere.
_NAME = re.compile(r"[a-z][a-z_]{0,29}[0-9]{0,3}[a-z_]{0,9}", re.ASCII)
_HEADER = re.compile(r"[A-Za-z]{1,20}([-_][A-Za-z]{1,20}){0,4}", re.ASCII)
_CODE = re.compile(r"[A-Z]{3,5}[0-9]{4,5}|900[0-9]{2}000", re.ASCII)
_CALLS = {NIGHT_BALANCE.path: "balance", TOKEN_PATH: "token"}
_LARGEST = 5_000_000
# A part of a secret of this length is taken for the whole.
_PART = 12


class Number(str):
    """A JSON number as it was written, as distinct from a text."""

    __slots__ = ()


def pattern(text: str, *, figure: bool = False) -> str:
    """The classes of a text's characters with their counts, as described above.

    Args:
        text: as received.
        figure: it is a number, whose leading zeros are padding.
    """
    classes = [_class(letter) for letter in text]
    if figure and (found := re.search(r"[0-9]+", text)):
        padded = len(found[0]) - len(found[0].lstrip("0") or "0")
        classes[found.start() : found.start() + padded] = "0" * padded
    counted = ((kind, len(list(run))) for kind, run in groupby(classes))
    return "".join(kind if count == 1 else f"{kind}({count})" for kind, count in counted)


def _class(letter: str) -> str:
    if letter in _KEPT:
        return letter
    if letter == " ":
        return "_"
    if letter.isascii():
        if letter.isdigit():
            return "9"
        if letter.isalpha():
            return "A" if letter.isupper() else "a"
        return "?"
    if "가" <= letter <= "힣":
        return "H"
    return "L" if letter.isalpha() else "?"


def value_pattern(value: object, *, figure: bool = False) -> str:
    """The pattern of a JSON value, with its type before it unless it is a text."""
    if isinstance(value, Number):
        return f"number {pattern(value, figure=True)}"
    if isinstance(value, str):
        return pattern(value, figure=figure)
    return {type(None): "null", bool: "bool", list: "list"}.get(type(value), "object")


class Recorder:
    """Describes requests and responses as they happen, and keeps nothing else of them.

    Attributes:
        calls: a description of each response since the last `take`.
        shown: secrets that were sent, which a report must not hold.
    """

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.shown: set[Secret] = set()

    def __call__(self, call: Call, reply: Reply | NoReply, seconds: float) -> None:
        """Describe the response to one call."""
        sent = call.headers.get("authorization", "").removeprefix("Bearer ")
        if sent:
            self.shown.add(Secret(sent))
        entry: dict[str, Any] = {
            "call": _CALLS.get(call.path, "another"),
            "ms": round(seconds * 1000),
        }
        if call.headers.get("tr_cont") == "N":
            entry["follow_up"] = True
        self.calls.append(entry | describe(reply, token=entry["call"] == "token"))

    def take(self) -> list[dict[str, Any]]:
        """Return the descriptions so far, and clear them."""
        taken, self.calls = self.calls, []
        return taken


def describe(reply: Reply | NoReply, *, token: bool = False) -> dict[str, Any]:
    """Describe one response: status, names of headers, codes, and the form of its body."""
    if isinstance(reply, NoReply):
        return {"body": "no answer"}
    tr_cont = reply.headers.get("tr_cont")
    described: dict[str, Any] = {
        "status": reply.status,
        "headers": [_safe(name, _HEADER) for name in reply.headers],
        "tr_cont": None if tr_cont is None else _safe(tr_cont, re.compile(r"[A-Z]|\s*")),
    }
    body = _parse(reply.body)
    if not isinstance(body, dict):
        return described | _unread(reply.body, body)
    described["body"] = "JSON"
    described["order"] = [_safe(name, _NAME) for name in body]
    for name in ("rt_cd", "msg_cd", "error_code"):
        if name in body:
            form = re.compile(r"[0-9]") if name == "rt_cd" else _CODE
            described[name] = _safe(body[name], form)
    if token:
        return described
    if "msg1" in body:
        described["msg1"] = value_pattern(body["msg1"])
    described["page_keys"] = {
        name: value_pattern(body[name])
        for name in map(str.lower, NIGHT_BALANCE.cursors)
        if name in body
    }
    for block in (NIGHT_BALANCE.rows, NIGHT_BALANCE.summary):
        if block.name in body:
            described[block.name] = _block(body[block.name], block)
    return described


def _parse(body: bytes) -> Any:
    """The parsed JSON with its numbers as they were written; None when it is no JSON."""
    try:
        return parse_exact(body, Number)
    except NotJson:
        return None


def _unread(body: bytes, parsed: object) -> dict[str, Any]:
    """A response that is no JSON object: what it is, and the error code in it if any."""
    if not body.strip():
        return {"body": "empty"}
    if parsed is not None:
        return {"body": "JSON, no object"}
    kind = {b"<": "HTML", b"{": "no strict JSON"}.get(body.lstrip()[:1], "no JSON")
    # Only a refusal's own code: in a damaged page an amount can look like one.
    refusal = read_loose_refusal(body)
    code = refusal.get("msg_cd") or refusal.get("error_code")
    return {"body": kind} | ({"msg_cd": _safe(code, _CODE)} if code else {})


def _safe(value: object, form: re.Pattern[str]) -> str:
    """The text as it is when it has the form that KIS gives such a text, else its pattern."""
    if isinstance(value, str) and not isinstance(value, Number) and form.fullmatch(value):
        return value
    return value_pattern(value)


def _block(found: object, block: Block) -> dict[str, Any]:
    """The form of a block: its type, its rows, their keys in order, and how each is written."""
    rows: list[Any] = found if isinstance(found, list) else [found]
    kind = "list" if isinstance(found, list) else "object"
    if not all(isinstance(row, dict) for row in rows):
        return {"type": "list of others" if isinstance(found, list) else value_pattern(found)}
    described: dict[str, Any] = {"type": kind, "rows": len(rows)}
    if not rows:
        return described
    fields = {field.name: field for field in block.fields}
    # The first row's order, then what only later rows have.
    order = list(dict.fromkeys(name for row in rows for name in row))
    patterns = {
        _safe(name, _NAME): Counter(
            value_pattern(row[name], figure=name in fields and fields[name].digits is not None)
            for row in rows
            if name in row
        )
        for name in order
    }
    return described | {
        "order": [_safe(name, _NAME) for name in order],
        "orders": len({tuple(row) for row in rows}),
        "in_some_rows": [
            _safe(name, _NAME) for name in order if not all(name in row for row in rows)
        ],
        "absent": [name for name in fields if name not in order],
        "unknown": [_safe(name, _NAME) for name in order if name not in fields],
        "patterns": {name: dict(sorted(counts.items())) for name, counts in patterns.items()},
    }


def write(
    report: Mapping[str, Any], *, secrets: Iterable[Secret], accounts: Iterable[Account]
) -> bytes:
    """The report as a file's content.

    Raises:
        ConfigError: it holds a part of a secret, or an account number. Nothing may be written then;
            it is a defect of this package.
    """
    text = json.dumps({"kis_nb_report": VERSION, **report}, ensure_ascii=False, indent=1) + "\n"
    if _holds(text, secrets, accounts):
        raise ConfigError(
            "the report would have held a key or an account number, so it was not written; "
            "please report this, without the file"
        )
    return text.encode()


def _holds(text: str, secrets: Iterable[Secret], accounts: Iterable[Account]) -> bool:
    parts = (
        part
        for secret in secrets
        for at in range(max(len(secret.reveal()) - _PART, 0) + 1)
        if len(part := secret.reveal()[at : at + _PART]) >= 6
    )
    return any(part in text for part in parts) or any(one.cano in text for one in accounts)


def read(path: Path) -> dict[str, Any]:
    """Read a report that `write` made.

    Raises:
        ConfigError: the file is no report, or one of another version.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(_LARGEST + 1)
    try:
        report = json.loads(content) if len(content) <= _LARGEST else None
    except (ValueError, RecursionError):
        report = None
    if not isinstance(report, dict) or "kis_nb_report" not in report:
        raise ConfigError(f"{path}: no report of kis-nb check --report")
    if report["kis_nb_report"] != VERSION:
        raise ConfigError(
            f"{path}: a report of another version of kis_nb; this one reads {VERSION}"
        )
    return report
