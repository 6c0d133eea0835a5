"""One page's JSON: is it the documented shape, and what does the wire say, digit for digit?

Meaning wing, below `_frames`: imports `_errors` and `_fields`.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any, TypeAlias

import orjson

from kis_nb._errors import DecodeError
from kis_nb._schema.endpoint import Block, Endpoint

Body: TypeAlias = bytes | memoryview


def parse(page: Body, number: int) -> dict[str, Any]:
    """A page's body; `number` counts from 1 and is for the error.

    Raises:
        DecodeError: it is no JSON object.
    """
    body: Any = None
    try:
        body = orjson.loads(page)
    except orjson.JSONDecodeError:
        # orjson refuses numbers beyond a double, such as 1e400; which field holds one is found by
        # the type check.
        body = spelt(page)
    if not isinstance(body, dict):
        raise DecodeError(f"page {number}: the body is not a JSON object", page=number)
    return body


def spelt(page: Body) -> Any:
    """The JSON with its numbers as the wire spelt them: a float would already have lost digits.
    None when it is none, is nested beyond reason, or holds half a surrogate pair.
    """
    keep = orjson.Fragment
    with suppress(ValueError, RecursionError, orjson.JSONEncodeError):
        read = json.loads(str(page, "utf-8"), parse_float=keep, parse_int=keep, parse_constant=keep)
        orjson.dumps(read)
        return read
    return None


def rows_of(body: dict[str, Any], block: Block, number: int) -> list[dict[str, Any]]:
    """A block that is a list. What is in it is not looked at.

    Raises:
        DecodeError: it is missing, or no list.
    """
    rows = body.get(block.name)
    if not isinstance(rows, list):
        raise DecodeError(
            f"page {number}: {block.name} {_is(body, block)}, not a list of rows", page=number
        )
    return rows


def object_of(body: dict[str, Any], block: Block, number: int) -> dict[str, Any]:
    """A block that is one object.

    Raises:
        DecodeError: it is missing, or not one object.
    """
    found = body.get(block.name)
    # Siblings of the call have sent the object as a list of one.
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise DecodeError(
            f"page {number}: {block.name} {_is(body, block)}, not one object", page=number
        )
    return found


def _is(body: dict[str, Any], block: Block) -> str:
    if block.name not in body:
        return "is missing"
    found = body[block.name]
    kind = {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(
        type(found), "a number"
    )
    return f"is {kind}" + (f" of {len(found)}" if isinstance(found, list) else "")


def texted(number: int, page: Body, endpoint: Endpoint) -> bytes:
    """The page with unknown fields that are no text as text: the JSON that the wire had, digit for
    digit.

    Raises:
        DecodeError: a field is nested beyond reason.
    """
    body = spelt(page)
    if body is None:
        raise DecodeError(f"page {number}: fields are nested beyond reason", page=number)
    for block in (endpoint.rows, endpoint.summary):
        known = {field.name for field in block.fields}
        found = body.get(block.name)
        for row in found if isinstance(found, list) else [found]:
            for name in row.keys() - known if isinstance(row, dict) else ():
                if not isinstance(row[name], str | None):
                    row[name] = orjson.dumps(row[name]).decode()
    return orjson.dumps(body)
