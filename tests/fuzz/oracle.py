"""The reference decoder: what a page must become, by Python's own `json`, `decimal` and `re`."""

from __future__ import annotations

import json
import re
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._schema.endpoint import PERSONAL, Block, Field
from kis_nb._schema.night_balance import NIGHT_BALANCE

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

ROWS, SUMMARY = NIGHT_BALANCE.rows, NIGHT_BALANCE.summary
_NUMBER = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]+))?", re.ASCII)


class Number(str):
    """A JSON number's text, as on the wire."""

    __slots__ = ()


def read(page: bytes) -> Any:
    """The JSON with numbers as `Number`; None when it is no JSON."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        return json.loads(page, parse_int=Number, parse_float=Number, parse_constant=Number)
    except (ValueError, RecursionError):
        return None
    finally:
        sys.setrecursionlimit(usual)


def value_of(field: Field, wire: Any) -> Any:
    """What a documented field's column must hold.

    Raises:
        ValueError: it cannot hold this.
    """
    if wire is None:
        return None
    if not isinstance(wire, str) or isinstance(wire, Number):
        raise ValueError(field.name)  # noqa: TRY004  (callers catch one kind of error)
    wire.encode()  # half a surrogate pair is no text: a UnicodeEncodeError is a ValueError
    text = wire.strip(" ")
    if field.name in PERSONAL:
        return text[:3] + "*" * len(text[3:])
    if field.digits is None:
        return text
    if not text:
        return None
    found = _NUMBER.fullmatch(text)
    precision, scale = field.digits
    if found is None or len((found[2] or "").rstrip("0")) > scale:
        raise ValueError(field.name)
    value = Decimal(text)
    if field.dtype == "Int64":
        if not -(2**63) <= value < 2**63:
            raise ValueError(field.name)
        return int(value)
    if abs(value) >= Decimal(10) ** (precision - scale):
        raise ValueError(field.name)
    return value


def blocks(pages: Sequence[bytes]) -> tuple[list[dict[str, Any]], dict[str, Any]] | None:
    """The rows of all pages and the last page's summary; None when the pages have another shape."""
    rows: list[dict[str, Any]] = []
    summary: Any = None
    for page in pages:
        body = read(page)
        if not isinstance(body, dict):
            return None
        part, summary = body.get(ROWS.name), body.get(SUMMARY.name)
        if isinstance(summary, list) and len(summary) == 1:
            summary = summary[0]
        if not isinstance(part, list) or not isinstance(summary, dict):
            return None
        if not all(isinstance(row, dict) for row in part):
            return None
        rows += part
    return rows, summary


def expected(pages: Sequence[bytes]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]] | None:
    """Both frames as rows of documented fields; None when decoding must fail."""
    found = blocks(pages)
    if found is None:
        return None
    rows, summary = found
    try:
        return (
            [{f.name: value_of(f, row.get(f.name)) for f in ROWS.fields} for row in rows],
            [{f.name: value_of(f, summary.get(f.name)) for f in SUMMARY.fields}],
        )
    except ValueError:
        return None


def check(frame: pl.DataFrame, wanted: list[dict[str, Any]], wire: list[dict[str, Any]]) -> None:
    """Assert that every value, documented or unknown, is exactly the wire's."""
    block = ROWS if frame.columns[0] == ROWS.fields[0].name else SUMMARY
    known = [field.name for field in block.fields]
    assert frame.columns[: len(known)] == known
    assert frame.height == len(wanted), f"{frame.height} rows of {len(wanted)}"
    got = frame.select(known).rows(named=True)
    for place, (one, other) in enumerate(zip(got, wanted, strict=True), 1):
        for name, value in other.items():
            same = one[name] == value and type(one[name]) is type(value)
            assert same, f"row {place}: {name} is {one[name]!r}, not {value!r}"
    unknown = dict.fromkeys(name for row in wire for name in row if name not in known)
    assert frame.columns[len(known) :] == list(unknown)
    for name in unknown:
        for text, row in zip(frame[name], wire, strict=True):
            value = row.get(name)
            if name.lower() in PERSONAL:
                assert text is None or set(text[3:]) <= {"*"}
            else:
                check_unknown(text, value)


def check_unknown(text: str | None, wire: Any) -> None:
    """Assert that an unknown field is kept as its text, or as JSON with the same digits."""
    if wire is None or (isinstance(wire, str) and not isinstance(wire, Number)):
        assert text == wire
    else:
        assert text is not None
        assert read(text.encode()) == wire, f"{text!r} is kept of {wire!r}"


def personal(block: Block, rows: list[dict[str, Any]]) -> set[str]:
    """The account numbers (8 digits) in the fields that identify the customer."""
    names = [field.name for field in block.fields if field.name in PERSONAL]
    found = {row.get(name) for row in rows for name in names}
    return {text for text in found if isinstance(text, str) and re.fullmatch("[0-9]{8}", text)}
