"""Page bytes to checked frames: the only place where text becomes Decimal.

Meaning wing, above `_pages`.

Polars' own cast from text to Decimal rounds surplus decimals and reads ``1e3``. So nothing is kept
but what a pattern admits, digits that the column can hold; what the pattern or the cast (which
refuses too many digits) leaves out is an error, never a null.
"""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, chain
from operator import itemgetter
from typing import Any, NoReturn

import orjson
import polars as pl

from kis_nb._account import Account, mask_cano
from kis_nb._errors import DecimalError, DecodeError
from kis_nb._frames.pages import Body, object_of, parse, rows_of, spelt, texted
from kis_nb._schema.endpoint import PERSONAL, Block, Endpoint, Field
from kis_nb._schema.night_balance import NIGHT_BALANCE

_TEXT = frozenset({str, type(None)})
# Pages are turned into columns in lots, so that only one lot's Python strings are alive at a time.
_LOT = 64


def dtype_of(field: Field) -> pl.DataType:
    """The Polars dtype of a documented field."""
    if field.digits is None:
        return pl.String()
    return pl.Int64() if field.dtype == "Int64" else pl.Decimal(*field.digits)


def decode(
    pages: Sequence[Body], endpoint: Endpoint, account: Account | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of all pages, and the one row of the last page's summary.

    Every documented column is there, in glossary order, null where the wire has no value; unknown
    fields follow as String. Text is trimmed; account numbers are masked.

    Args:
        pages: at least one reply body.
        endpoint: says which blocks to look for, and their fields.
        account: whose number is masked in every text that repeats it; ``cano`` always is.

    Raises:
        DecimalError: a number that its column cannot hold exactly.
        DecodeError: not the documented shape.
    """
    blame: DecodeError | None = None
    try:
        return _decode(pages, endpoint, account)
    except _NotText:
        pass
    except DecodeError as error:
        blame = error
    if blame is None:
        try:
            retold = [texted(*page, endpoint) for page in enumerate(pages, 1)]
            return _decode(retold, endpoint, account)
        except DecodeError as error:
            blame = error
    # Raised without the frames below and without the pages: a traceback that shows locals would
    # print whole rows, account number included.
    del pages
    raise blame.with_traceback(None)


def _decode(
    pages: Sequence[Body], endpoint: Endpoint, account: Account | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    lots: list[pl.DataFrame] = []
    summary: dict[str, Any] = {}
    for start in range(0, len(pages), _LOT):
        # One list a page, so that a bad row can be told by page and number.
        rows: list[list[dict[str, Any]]] = []
        for number, page in enumerate(pages[start : start + _LOT], start + 1):
            body = parse(page, number)
            rows.append(rows_of(body, endpoint.rows, number))
            summary = object_of(body, endpoint.summary, number)
        lots.append(_frame(rows, endpoint.rows, pages, start, account))
    # Diagonal: an unknown field may come with some pages only.
    frame = pl.concat(lots, how="diagonal") if len(lots) > 1 else lots[0]
    return frame, _frame([[summary]], endpoint.summary, pages, len(pages) - 1, account)


def _frame(
    paged: list[list[dict[str, Any]]],
    block: Block,
    pages: Sequence[Body],
    start: int,
    account: Account | None,
) -> pl.DataFrame:
    """Checked columns of some pages' rows; `start` is the number of pages before them."""
    fault: _Inexact | None = None
    try:
        return _checked(list(chain.from_iterable(paged)), block, account)
    except _Inexact as error:
        fault = error
    except (TypeError, AttributeError):
        pass
    # Raised out here, where the error does not hold on to the frames with the rows.
    if fault is None:
        _blame_kind(paged, block, pages, start)
    ends = [0, *accumulate(map(len, paged))]
    page = bisect(ends, fault.row)
    row = fault.row - ends[page - 1] + 1
    raise _not_exact(fault.field, fault.value, block, start + page, row)


class _Inexact(Exception):
    """A number that its column cannot hold."""

    def __init__(self, field: Field, row: int, value: str) -> None:
        self.field, self.row, self.value = field, row, value


@dataclass(frozen=True, slots=True)
class _Kind:
    """A block's fields of one dtype. Numbers have a pattern: of one, and of one a line."""

    fields: tuple[Field, ...]
    dtype: pl.DataType
    one: re.Pattern[str] | None
    lines: re.Pattern[str] | None


@cache
def _kinds(block: Block) -> tuple[_Kind, ...]:
    kinds: dict[str, list[Field]] = {}
    for field in block.fields:
        kinds.setdefault(field.dtype, []).append(field)
    found: list[_Kind] = []
    for some in kinds.values():
        one = lines = None
        if some[0].digits is not None:
            scale = some[0].digits[1]
            # Possessive throughout, or a long column would be gone through again and again.
            number = "[+-]?[0-9]++" + (rf"(?:\.[0-9]{{1,{scale}}}+)?+" if scale else "")
            one, lines = re.compile(number), re.compile(rf"{number}(?:\n{number})*+")
        found.append(_Kind(tuple(some), dtype_of(some[0]), one, lines))
    return tuple(found)


def _checked(rows: list[dict[str, Any]], block: Block, account: Account | None) -> pl.DataFrame:
    """The rows as columns: documented fields first, null where missing, then the wire's unknown
    ones.

    Fields of one dtype are read as one series, which is then cut apart: on a page or two, going to
    Polars field by field takes several times as long.

    Raises:
        _Inexact: a number that its column cannot hold.
        TypeError, AttributeError: a row is no object, or a documented field is no text.
        _NotText: an unknown field is no text.
    """
    wire = _columns(rows)
    height = len(rows)
    missing = (None,) * height
    columns: dict[str, pl.Series] = {}
    for kind in _kinds(block):
        values = [*chain.from_iterable(wire.pop(f.name, missing) for f in kind.fields)]
        read = _texts(values, account) if kind.one is None else _numbers(kind, values)
        for number, field in enumerate(kind.fields):
            columns[field.name] = read.slice(number * height, height).alias(field.name)
    others = [_unknown(name, values, account) for name, values in wire.items()]
    return _beside([*(columns[field.name] for field in block.fields), *others])


def _columns(rows: list[dict[str, Any]]) -> dict[str, Sequence[Any]]:
    """The rows' values by name, personal ones masked.

    Raises:
        TypeError, AttributeError: a row is no object.
    """
    names = tuple(rows[0]) if rows else ()
    columns: dict[str, Sequence[Any]]
    try:
        if len(names) < 2 or set(map(len, rows)) != {len(names)}:
            raise KeyError
        columns = dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))
    except LookupError:
        # The rows' keys differ: slower, and rare.
        names = tuple(dict.fromkeys(chain.from_iterable(row.keys() for row in rows)))
        columns = {name: tuple(row.get(name) for row in rows) for name in names}
    # Masked in the frame, not when shown: a frame is shown in too many ways to watch them all.
    for name in names:
        if name.lower() in PERSONAL and _are_text(columns[name]):
            masks = {value: value and mask_cano(value.strip(" ")) for value in set(columns[name])}
            columns[name] = [masks[value] for value in columns[name]]
    return columns


def _are_text(values: Sequence[Any]) -> bool:
    """Text or null. Polars is not asked: over lists within lists it takes all the memory there is
    before it says that they are none.
    """
    return _TEXT.issuperset(map(type, values))


def _lines(values: Sequence[str | None]) -> tuple[Sequence[str | None], str]:
    """The values without padding, and those that hold something, one a line.

    Raises:
        TypeError: something is no text.
    """
    if not _are_text(values):
        raise TypeError
    lines = "\n".join(filter(None, values))
    if " " in lines:
        values = [value and value.strip(" ") for value in values]
        lines = "\n".join(filter(None, values))
    return values, lines


def _texts(values: Sequence[str | None], account: Account | None) -> pl.Series:
    """Text as a series, trimmed, the account's number masked wherever it stands."""
    values, lines = _lines(values)
    return pl.Series("", _hide(values, lines, account), pl.String)


def _hide(
    values: Sequence[str | None], lines: str, account: Account | None
) -> Sequence[str | None]:
    if account is None or account.cano not in lines:
        return values
    return [value and account.hide(value) for value in values]


def _numbers(kind: _Kind, values: Sequence[str | None]) -> pl.Series:
    """Numbers as a series of their dtype; blank is null.

    Raises:
        _Inexact: one is anything but digits that the dtype holds.
    """
    assert kind.one is not None
    assert kind.lines is not None
    values, lines = _lines(values)
    read = pl.Series("", values, pl.String).cast(kind.dtype, strict=False)
    filled = len(values) - values.count(None) - values.count("")
    # The lines are counted, because a number could hold a line end.
    if read.len() - read.null_count() == filled and (
        not filled or (lines.count("\n") == filled - 1 and kind.lines.fullmatch(lines))
    ):
        return read
    # Slower, and rare: zeros that say nothing may be more than the column has places.
    bare = [value and _bare(value) for value in values]
    read = pl.Series("", bare, pl.String).cast(kind.dtype, strict=False)
    height = len(values) // len(kind.fields)
    for place, (value, digits) in enumerate(zip(values, bare, strict=True)):
        if value and digits and not (kind.one.fullmatch(digits) and read[place] is not None):
            raise _Inexact(kind.fields[place // height], place % height, value)
    if read.len() - read.null_count() == filled:
        return read
    raise DecodeError("numbers were lost on the way into their columns")


_PADDED = re.compile(r"[+-]?[0-9]++(?:\.[0-9]++)?+", re.ASCII)


def _bare(value: str) -> str:
    """A number without the zeros in front of it and behind its decimals, which hold no digit of
    it; anything else as it is.
    """
    if not _PADDED.fullmatch(value):
        return value
    whole, _, decimals = value.partition(".")
    sign = whole[0] if whole[0] in "+-" else ""
    decimals = decimals.rstrip("0")
    return sign + (whole[len(sign) :].lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def _beside(columns: list[pl.Series]) -> pl.DataFrame:
    """A frame of these. A quarter of pl.DataFrame's time, and a field without a name keeps it."""
    return columns[0].to_frame().hstack(columns[1:])


def _unknown(name: str, values: Sequence[Any], account: Account | None) -> pl.Series:
    """A field that the document does not know here, as it came.

    Raises:
        _NotText: it is no text.
    """
    if not _are_text(values):
        raise _NotText
    lines = "\n".join(filter(None, values))
    return pl.Series(name, _hide(values, lines, account), pl.String)


class _NotText(Exception):
    """An unknown field holds a number or a structure, whose digits may have been cut already."""


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
    body = spelt(page)
    if body is None:
        return "nested beyond reason"
    found = body[block.name]
    row = found[place - 1] if isinstance(found, list) else found
    return orjson.dumps(row[name]).decode()


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
    """The glossary of the night balance: what each field of KIS's reply is called and means.

    Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R``,
    ``/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.

    Args:
        None.

    Returns:
        One row a documented field, in the order of the frames' columns; all columns String, none
        null: ``block`` (``output1`` positions, ``output2`` summary), ``field`` (wire name), ``ko``,
        ``en`` (labels), ``dtype`` (of the frame's column), ``unit`` (KRW, points, contracts, %; ""
        for text) and ``note`` (what the name does not say, or "").

    Raises:
        Nothing.
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
