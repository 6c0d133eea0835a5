"""Page bytes to checked frames: the only place where text becomes Decimal.

Meaning wing, above the ground: imports `_errors` and `_fields`.

Polars' own cast from text to Decimal rounds surplus decimals and reads ``1e3``. So a pattern first
admits nothing but digits that the column can hold, and only then is cast; what the pattern or the
cast (which refuses too many digits) leaves out is an error, never a null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NoReturn, TypeAlias

import orjson
import polars as pl

from kis_nb._errors import DecimalError, DecodeError
from kis_nb._fields import NIGHT_BALANCE, PERSONAL, Block, Endpoint, Field, mask_cano

Body: TypeAlias = bytes | memoryview

_TEXT = frozenset({str, type(None)})
# Pages are turned into columns in lots, so that only one lot's Python strings are alive at a time.
_LOT = 64


def dtype_of(field: Field) -> pl.DataType:
    """The Polars dtype of a documented field."""
    if field.digits is None:
        return pl.String()
    return pl.Int64() if field.dtype == "Int64" else pl.Decimal(*field.digits)


def decode(pages: Sequence[Body], endpoint: Endpoint) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of all pages, and the one row of the last page's summary.

    Every documented column is there, in glossary order, null where the wire has no value; unknown
    fields follow as String. Text is trimmed; account numbers are masked.

    Args:
        pages: at least one reply body.
        endpoint: says which blocks to look for, and their fields.

    Raises:
        DecimalError: a number that its column cannot hold exactly.
        DecodeError: not the documented shape.
    """
    blame: DecodeError | None = None
    try:
        return _decode(pages, endpoint)
    except _NotText:
        pass
    except DecodeError as error:
        blame = error
    if blame is None:
        try:
            return _decode([_texted(*page, endpoint) for page in enumerate(pages, 1)], endpoint)
        except DecodeError as error:
            blame = error
    # Raised without the frames below and without the pages: a traceback that shows locals would
    # print whole rows, account number included.
    del pages
    raise blame.with_traceback(None)


def _decode(pages: Sequence[Body], endpoint: Endpoint) -> tuple[pl.DataFrame, pl.DataFrame]:
    lots: list[pl.DataFrame] = []
    summary: dict[str, Any] = {}
    for start in range(0, len(pages), _LOT):
        # One list a page, so that a bad row can be told by page and number.
        rows: list[list[dict[str, Any]]] = []
        for number, page in enumerate(pages[start : start + _LOT], start + 1):
            body = _body(page, number)
            rows.append(_rows_of(body, endpoint.rows, number))
            summary = _object_of(body, endpoint.summary, number)
        lots.append(_frame(rows, endpoint.rows, pages, start))
    # Diagonal: an unknown field may come with some pages only.
    frame = pl.concat(lots, how="diagonal") if len(lots) > 1 else lots[0]
    return frame, _one(summary, endpoint.summary, pages)


def _body(page: Body, number: int) -> dict[str, Any]:
    body: Any = None
    try:
        body = orjson.loads(page)
    except orjson.JSONDecodeError:
        # orjson refuses numbers beyond a double, such as 1e400; which field holds one is found by
        # the type check.
        body = _spelt(page)
    if not isinstance(body, dict):
        raise DecodeError(f"page {number}: the body is not a JSON object", page=number)
    return body


def _spelt(page: Body) -> Any:
    """The JSON with its numbers as the wire spelt them: a float would already have lost digits.
    None when it is none, is nested beyond reason, or holds half a surrogate pair.
    """
    keep = orjson.Fragment
    with suppress(ValueError, RecursionError, orjson.JSONEncodeError):
        read = json.loads(str(page, "utf-8"), parse_float=keep, parse_int=keep, parse_constant=keep)
        orjson.dumps(read)
        return read
    return None


def _rows_of(body: dict[str, Any], block: Block, number: int) -> list[dict[str, Any]]:
    rows = body.get(block.name)
    if not isinstance(rows, list):
        raise DecodeError(
            f"page {number}: {block.name} {_is(body, block)}, not a list of rows", page=number
        )
    return rows


def _object_of(body: dict[str, Any], block: Block, number: int) -> dict[str, Any]:
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


def _frame(
    paged: list[list[dict[str, Any]]], block: Block, pages: Sequence[Body], start: int
) -> pl.DataFrame:
    """Checked columns of some pages' rows; `start` is the number of pages before them."""
    try:
        text = _columns(list(chain.from_iterable(paged)), [f.name for f in block.fields])
    except (TypeError, AttributeError):
        _blame_kind(paged, block, pages, start)
    steps = _steps(block)
    checked = text.with_columns(steps.read)
    # As many nulls as before: nothing was blank and nothing was refused.
    if checked.null_count().row(0) != text.null_count().row(0):
        bare = text.select(steps.bare)
        for field in steps.numbers:
            if checked[field.name].null_count() > bare[field.name].null_count():
                _blame_number(paged, field, block, bare[field.name], checked[field.name], start)
    return checked


@dataclass(frozen=True, slots=True)
class _Steps:
    """What is done to a block's text columns, laid out once: building Polars expressions takes
    longer than running them on a page.
    """

    numbers: tuple[Field, ...]
    kinds: dict[str, list[Field]]
    bare: pl.Expr
    read: tuple[pl.Expr, ...]


@cache
def _steps(block: Block) -> _Steps:
    numbers = tuple(field for field in block.fields if field.digits is not None)
    texts = [f.name for f in block.fields if f.digits is None and not f.personal]
    kinds: dict[str, list[Field]] = {}
    for field in block.fields:
        kinds.setdefault(field.dtype, []).append(field)
    numeric = [some for some in kinds.values() if some[0].digits is not None]
    return _Steps(
        numbers,
        kinds,
        pl.col([field.name for field in numbers]).str.strip_chars(" ").replace("", None),
        (
            *(_number(some[0], [field.name for field in some]) for some in numeric),
            *([pl.col(texts).str.strip_chars(" ")] if texts else []),
            *(_masked(field.name) for field in block.fields if field.personal),
        ),
    )


def _one(summary: dict[str, Any], block: Block, pages: Sequence[Body]) -> pl.DataFrame:
    """The last page's object as a frame of one row.

    Fields of one dtype are read as one series and then set side by side: Polars takes far longer to
    set out on 33 columns. The rule is that of rows: the pattern, then the cast.
    """
    columns: dict[str, pl.Series] = {}
    for kind, some in _steps(block).kinds.items():
        texts = [_trimmed(summary.get(field.name)) for field in some]
        try:
            read = _series(kind, texts)
        except TypeError:
            _blame_kind([[summary]], block, pages, len(pages) - 1)
        if (pattern := _pattern(some[0])) is not None:
            fits = [text is None or re.fullmatch(pattern, text) is not None for text in texts]
            read = read.cast(dtype_of(some[0]), strict=False)
            if not all(fits) or read.null_count() > texts.count(None):
                lost = next(
                    n for n, t in enumerate(texts) if t and not (fits[n] and read[n] is not None)
                )
                raise _not_exact(some[lost], texts[lost], block, len(pages), 1)
        columns |= {f.name: read.slice(n, 1).alias(f.name) for n, f in enumerate(some)}
    others = [_unknown(name, [value]) for name, value in summary.items() if name not in columns]
    return _beside([*(columns[field.name] for field in block.fields), *others])


def _trimmed(value: Any) -> Any:
    """Text without its padding, None when nothing is left; anything else as it is."""
    return (value.strip(" ") or None) if isinstance(value, str) else value


def _columns(rows: list[dict[str, Any]], known: list[str]) -> pl.DataFrame:
    """The rows as text columns: documented fields first, null where missing, then the wire's
    unknown ones.

    Raises:
        TypeError, AttributeError: a row is no object, or a documented field is no text.
        _NotText: an unknown field is no text.
    """
    names = tuple(rows[0]) if rows else ()
    try:
        if len(names) < 2 or set(map(len, rows)) != {len(names)}:
            raise KeyError
        columns = dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    except KeyError:
        # The rows' keys differ: slower, and rare.
        names = tuple(dict.fromkeys(chain.from_iterable(row.keys() for row in rows)))
        columns = {name: tuple(row.get(name) for row in rows) for name in names}
    missing = (None,) * len(rows)
    series = [_series(name, columns.pop(name, missing)) for name in known]
    return _beside([*series, *(_unknown(name, some) for name, some in columns.items())])


def _beside(columns: list[pl.Series]) -> pl.DataFrame:
    """A frame of these. A quarter of pl.DataFrame's time, and a field without a name keeps it."""
    return columns[0].to_frame().hstack(columns[1:])


def _series(name: str, values: Sequence[Any]) -> pl.Series:
    """Text as a series.

    Raises:
        TypeError: something is no text. Polars is not asked: over lists within lists it takes all
            the memory there is before it says so.
    """
    if not _TEXT.issuperset(map(type, values)):
        raise TypeError
    return pl.Series(name, values, pl.String)


def _unknown(name: str, values: Sequence[Any]) -> pl.Series:
    """A field that the document does not know here; masked if it is the account number's.

    Raises:
        _NotText: it is no text.
    """
    if not _TEXT.issuperset(map(type, values)):
        raise _NotText
    if name.lower() in PERSONAL:
        values = [value and mask_cano(value) for value in values]
    return pl.Series(name, values, pl.String)


class _NotText(Exception):
    """An unknown field holds a number or a structure, whose digits may have been cut already."""


def _texted(number: int, page: Body, endpoint: Endpoint) -> bytes:
    """The page with such fields as text: the JSON that the wire had, digit for digit."""
    body = _spelt(page)
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


def _pattern(field: Field) -> str | None:
    """What all of a number of this field's dtype looks like; None for text."""
    if field.digits is None:
        return None
    scale = field.digits[1]
    return r"[+-]?[0-9]+" + (rf"(\.[0-9]{{1,{scale}}})?" if scale else "")


def _number(kind: Field, names: list[str]) -> pl.Expr:
    """Text to numbers of one dtype, null where it is anything but digits that the dtype holds."""
    columns = pl.col(names).str.strip_chars(" ")
    return pl.when(columns.str.contains(f"^{_pattern(kind)}$")).then(
        columns.cast(dtype_of(kind), strict=False)
    )


def _masked(name: str) -> pl.Expr:
    # Masked in the frame, not when shown: a frame is shown in too many ways to watch them all.
    column = pl.col(name).str
    return pl.concat_str(column.slice(0, 3), column.slice(3).str.replace_all(r".", "*")).alias(name)


def _blame_kind(
    paged: list[list[dict[str, Any]]], block: Block, pages: Sequence[Body], start: int
) -> NoReturn:
    """Name the first row that is no object, or the first documented value that is no text."""
    for number, rows in enumerate(paged, start + 1):
        for place, row in enumerate(rows, 1):
            where = _where(block, number, place)
            if not isinstance(row, dict):
                raise DecodeError(f"{where} is not an object", page=number)
            for field in block.fields:
                if isinstance(row.get(field.name), str | None):
                    continue
                if field.digits is None:
                    raise DecodeError(f"{where}: {field.name} is not text", page=number)
                value = _spelling(pages[number - 1], block, place, field.name)
                raise _not_exact(field, value, block, number, place)
    raise DecodeError(f"{block.name} is not of the documented shape")


def _spelling(page: Body, block: Block, place: int, name: str) -> str:
    """A JSON value as the wire spelt it."""
    body = _spelt(page)
    if body is None:
        return "nested beyond reason"
    found = body[block.name]
    row = found[place - 1] if isinstance(found, list) else found
    return orjson.dumps(row[name]).decode()


def _blame_number(
    paged: list[list[dict[str, Any]]],
    field: Field,
    block: Block,
    wire: pl.Series,
    checked: pl.Series,
    start: int,
) -> NoReturn:
    """Name the first number of a column that did not get through."""
    index = (checked.is_null() & wire.is_not_null()).arg_max() or 0
    value = wire[index]
    for number, rows in enumerate(paged, start + 1):
        if index < len(rows):
            raise _not_exact(field, value, block, number, index + 1)
        index -= len(rows)
    raise DecodeError(f"{field.name} cannot be read")


def _not_exact(field: Field, value: str, block: Block, page: int, place: int) -> DecimalError:
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    return DecimalError(
        f"{_where(block, page, place)}: {field.name} is {shown!r}, which {field.dtype} cannot "
        "hold exactly; nothing was rounded and no frame was made. Please report it with this line",
        field=field.name,
        value=value,
        page=page,
        row=None if block.name == "output2" else place,
    )


def _where(block: Block, page: int, place: int) -> str:
    return f"page {page}, {block.name} row {place}"


def fields() -> pl.DataFrame:
    """The glossary: a row a documented field.

    Returns:
        Columns ``block`` (``output1`` positions, ``output2`` summary), ``field`` (wire name),
        ``ko``, ``en`` (labels), ``dtype``, ``unit`` ("" for text) and ``note``.
    """
    return pl.DataFrame(
        [
            (block.name, f.name, f.ko, f.en, f.dtype, f.unit, f.note)
            for block in (NIGHT_BALANCE.rows, NIGHT_BALANCE.summary)
            for f in block.fields
        ],
        schema=["block", "field", "ko", "en", "dtype", "unit", "note"],
        orient="row",
    )
