"""One page's JSON: whether it has the documented blocks, and unknown values as text."""

from __future__ import annotations

from typing import Any

import orjson

from kis_nb._errors import DecodeError
from kis_nb._schema.endpoint import Block, Endpoint
from kis_nb._wire.page_json import NotJson, PageBody, Raw, parse_exact


def body_of(raw: Raw, number: int) -> PageBody:
    """The page of these bytes; `number` counts from 1 and is for the error.

    Raises:
        DecodeError: they are no JSON.
    """
    try:
        return PageBody(raw)
    except NotJson:
        pass
    raise DecodeError(f"page {number}: the body is not a JSON object", page=number)


def rows_of(page: PageBody, block: Block, number: int) -> list[dict[str, Any]]:
    """A block that is a list of rows. What the list holds is not checked.

    Raises:
        DecodeError: it is missing, or no list.
    """
    body = _object(page, number)
    rows = body.get(block.name)
    if not isinstance(rows, list):
        raise DecodeError(
            f"page {number}: {block.name} {_kind(body, block)}, not a list of rows", page=number
        )
    return rows


def object_of(page: PageBody, block: Block, number: int) -> dict[str, Any]:
    """A block that is one object.

    Raises:
        DecodeError: it is missing, or not one object.
    """
    body = _object(page, number)
    found = body.get(block.name)
    if block.former:
        _refuse_former(found, block, number)
    # Some KIS calls send the object as a list of one.
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise DecodeError(
            f"page {number}: {block.name} {_kind(body, block)}, not one object", page=number
        )
    return found


def optional_object_of(page: PageBody, block: Block, number: int) -> dict[str, Any]:
    """A further block; empty when the page has nothing under its name.

    Raises:
        DecodeError: it is more than one object.
    """
    return object_of(page, block, number) if _object(page, number).get(block.name) else {}


def _refuse_former(found: object, block: Block, number: int) -> None:
    """Raise when a block has the shape of a previous TR.

    Raises:
        DecodeError: as said.
    """
    known = {field.name for field in block.fields}
    for row in found if isinstance(found, list) else [found]:
        if isinstance(row, dict) and row.keys() & block.former and not row.keys() & known:
            former = ", ".join(sorted(row.keys() & block.former))
            raise DecodeError(
                f"page {number}: {block.name} has the shape of the call's previous TR, rows of "
                f"{former} without names, which is not read",
                page=number,
            )


def _object(page: PageBody, number: int) -> dict[str, Any]:
    if not isinstance(page.value, dict):
        raise DecodeError(f"page {number}: the body is not a JSON object", page=number)
    return page.value


def _kind(body: dict[str, Any], block: Block) -> str:
    if block.name not in body:
        return "is missing"
    found = body[block.name]
    kind = {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(
        type(found), "a number"
    )
    return f"is {kind}" + (f" of {len(found)}" if isinstance(found, list) else "")


def parse_digits(page: PageBody) -> Any:
    """The page's JSON with its numbers as sent: `orjson.dumps` writes them digit for digit.

    None when it is nested too deep to be written.
    """
    try:
        value = parse_exact(page.raw, orjson.Fragment)
        orjson.dumps(value)
    except (NotJson, orjson.JSONEncodeError):
        return None
    return value


def stringify_unknown(page: PageBody, endpoint: Endpoint, number: int) -> PageBody:
    """The page with each undocumented value that is no text as text: its JSON, digit for digit.

    Raises:
        DecodeError: a value is nested beyond reason.
    """
    body = parse_digits(page)
    if body is None:
        raise DecodeError(f"page {number}: fields are nested beyond reason", page=number)
    for block in endpoint.blocks:
        known = {field.name for field in block.fields}
        found = body.get(block.name)
        for row in found if isinstance(found, list) else [found]:
            for name in row.keys() - known if isinstance(row, dict) else ():
                if not isinstance(row[name], str | None):
                    row[name] = orjson.dumps(row[name]).decode()
    return PageBody(orjson.dumps(body))
