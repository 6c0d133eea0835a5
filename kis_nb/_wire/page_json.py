"""The JSON of KIS's replies: parsed once, by one function, for the gateway and the decoder."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias

import orjson

# A memoryview where a traceback may print locals: its repr shows no content.
Raw: TypeAlias = bytes | memoryview


class NotJson(ValueError):
    """The bytes are no JSON, are nested beyond reason, or hold half a surrogate pair."""


def parse(raw: Raw) -> Any:
    """The JSON. A number may have lost digits: KIS sends figures as text, and where one comes as a
    JSON number, `parse_exact` keeps its digits.

    Raises:
        NotJson: it is none.
    """
    # Raised below and not within: the libraries' errors hold the whole text.
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(raw)
    with suppress(ValueError, RecursionError):
        # orjson refuses numbers beyond a double, such as 1e400. The decoder names their field.
        value = json.loads(bytes(raw))
        json.dumps(value, ensure_ascii=False).encode()  # refuses half a surrogate pair
        return value
    raise NotJson


def parse_exact(raw: Raw, number: Callable[[str], object]) -> Any:
    """The JSON with each number made by `number` from its spelling, since a float loses digits.

    Slower than `parse`; for faulty pages and for reports.

    Raises:
        NotJson: it is none.
    """
    with suppress(ValueError, RecursionError):
        return json.loads(bytes(raw), parse_float=number, parse_int=number, parse_constant=number)
    raise NotJson


def text_of(value: object) -> str:
    """A reply's code or message as text; "" for anything nested, which could be deeper than the
    stack.
    """
    return str(value) if isinstance(value, str | int | float) else ""


class PageBody:
    """One page: its bytes, and what they parse to. Its repr shows neither.

    The gateway parses a page to see whether it is good; the decoder takes the same object, and goes
    back to the bytes only to spell a faulty number as it was sent.

    Args:
        raw: the reply's body.

    Attributes:
        raw: the same.
        value: the parsed JSON.

    Raises:
        NotJson: it is none.
    """

    # No dataclass: rich prints the fields of one in a traceback's locals, whatever its repr says.
    __slots__ = ("raw", "value")

    def __init__(self, raw: Raw) -> None:
        self.raw = memoryview(raw)
        self.value: Any = parse(raw)

    def __repr__(self) -> str:
        return f"<page of {len(self.raw)} bytes>"
