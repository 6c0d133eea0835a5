"""Rows of a page's JSON to checked columns: where a figure of a reply becomes Decimal.

Polars' own cast from text to Decimal rounds surplus decimals and reads ``1e3``. So a text is taken
only when a pattern admits it and the column can hold its digits; anything else is an error, never a
null.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import polars as pl

from kis_nb._account import Account, mask_cano
from kis_nb._errors import DecodeError
from kis_nb._schema.endpoint import Block, Field

_TEXT = frozenset({str, type(None)})


def dtype_of(field: Field) -> pl.DataType:
    """The Polars dtype of a documented field."""
    if field.digits is None:
        return pl.String()
    return pl.Int64() if field.dtype == "Int64" else pl.Decimal(*field.digits)


class InexactNumber(Exception):
    """A number that its column cannot hold exactly; `row` counts from 0."""

    def __init__(self, field: Field, row: int, value: str) -> None:
        self.field, self.row, self.value = field, row, value


@dataclass(frozen=True, slots=True)
class _SameDtype:
    """A block's fields of one dtype.

    Attributes:
        fields: in glossary order.
        dtype: their Polars dtype.
        null: one null of that dtype.
        one: the pattern of one number; None for text.
        lines: the pattern of any count of them, a number a line; None for text.
    """

    fields: tuple[Field, ...]
    dtype: pl.DataType
    null: pl.Series
    one: re.Pattern[str] | None
    lines: re.Pattern[str] | None


@cache
def _by_dtype(block: Block) -> tuple[_SameDtype, ...]:
    groups: dict[str, list[Field]] = {}
    for field in block.fields:
        groups.setdefault(field.dtype, []).append(field)
    found: list[_SameDtype] = []
    for some in groups.values():
        one = lines = None
        if some[0].digits is not None:
            scale = some[0].digits[1]
            # Possessive quantifiers: without backtracking a long column is read in linear time.
            number = "[+-]?+[0-9]++" + (rf"(?:\.[0-9]{{1,{scale}}}+)?+" if scale else "")
            one, lines = re.compile(number), re.compile(rf"(?:{number}(?:\n{number})*+)?+")
        dtype = dtype_of(some[0])
        found.append(_SameDtype(tuple(some), dtype, pl.Series("", [None], dtype), one, lines))
    return tuple(found)


def columns_of(
    rows: list[dict[str, Any]], block: Block, personal: frozenset[str], account: Account | None
) -> pl.DataFrame:
    """The rows as columns: documented fields in glossary order, null where missing, then unknown
    ones as String.

    Fields of one dtype are read as one series, which is then sliced: on a page or two, one Polars
    call a field takes several times as long.

    Args:
        rows: JSON objects.
        block: which fields are documented.
        personal: fields in lower case, documented or not, whose values are masked.
        account: the account whose number is masked in every text that repeats it.

    Raises:
        InexactNumber: a number that its column cannot hold.
        TypeError: a row is no object, or a documented field is no text.
        UnknownNotText: an unknown field is no text.
    """
    wire = _columns(rows, personal)
    height = len(rows)
    columns: dict[str, pl.Series] = {}
    for same in _by_dtype(block):
        sent = [field for field in same.fields if field.name in wire]
        values = [*chain.from_iterable(wire.pop(field.name) for field in sent)]
        if same.one is None:
            read = _texts(values, account)
        else:
            read = _numbers(same, sent, _without(block.no_value, values))
        for number, field in enumerate(sent):
            columns[field.name] = read.slice(number * height, height).alias(field.name)
        for field in same.fields:
            if field.name not in columns:
                columns[field.name] = same.null.new_from_index(0, height).alias(field.name)
    others = [_unknown(name, values, account) for name, values in wire.items()]
    return hstack_columns([*(columns[field.name] for field in block.fields), *others])


def null_row(block: Block) -> pl.DataFrame:
    """One row of a block's columns in which nothing has a value."""
    return columns_of([{}], block, frozenset(), None)


def _columns(rows: list[dict[str, Any]], personal: frozenset[str]) -> dict[str, Sequence[Any]]:
    """The rows' values by field, personal ones masked.

    Raises:
        TypeError: a row is no object.
    """
    names = tuple(rows[0]) if rows else ()
    columns: dict[str, Sequence[Any]]
    # The rows one after the other, as they lie in memory: asking each for each field takes more
    # than twice as long. dict.values refuses other rows, which may be nested too deep to compare.
    values = [*chain.from_iterable(map(dict.values, rows))]
    # No row has a field twice, so that these are equal only if each row has the first one's fields.
    if [*chain.from_iterable(rows)] == [*names] * len(rows):
        columns = {name: values[place :: len(names)] for place, name in enumerate(names)}
    else:
        # The rows' fields or their order differ: slower, and rare.
        names = tuple(dict.fromkeys(chain.from_iterable(row.keys() for row in rows)))
        columns = {name: [row.get(name) for row in rows] for name in names}
    # Masked in the frame, not when shown: a frame can be shown in too many ways to mask in each.
    for name in names:
        if name.lower() in personal and _are_text(columns[name]):
            masks = {value: value and mask_cano(value.strip(" ")) for value in set(columns[name])}
            columns[name] = [masks[value] for value in columns[name]]
    return columns


def _are_text(values: Sequence[Any]) -> bool:
    """Text or null. Polars is not asked: over lists within lists it takes gigabytes before it
    refuses them.
    """
    return _TEXT.issuperset(map(type, values))


def _join(values: Sequence[str | None]) -> str:
    """The values, one a line; nulls are left out.

    Raises:
        TypeError: something is neither text nor null.
    """
    try:
        return "\n".join(values)  # type: ignore[arg-type]  # refuses what is no text
    except TypeError:
        if not _are_text(values):
            raise
    return "\n".join(filter(None, values))


def _lines(values: Sequence[str | None]) -> tuple[Sequence[str | None], str]:
    """The values without padding, and all of them joined, one a line.

    Raises:
        TypeError: something is neither text nor null.
    """
    lines = _join(values)
    framed = f"\n{lines}\n" if " " in lines else ""
    if "\n " in framed or " \n" in framed:
        values = [value and value.strip(" ") for value in values]
        lines = _join(values)
    return values, lines


def _texts(values: Sequence[str | None], account: Account | None) -> pl.Series:
    """Text as a series, trimmed, the account's number masked wherever a text repeats it."""
    values, lines = _lines(values)
    return pl.Series("", _hide(values, lines, account), pl.String)


def _hide(
    values: Sequence[str | None], lines: str, account: Account | None
) -> Sequence[str | None]:
    if account is None or account.cano not in lines:
        return values
    return [value and account.hide(value) for value in values]


def _without(no_value: frozenset[str], values: Sequence[Any]) -> Sequence[Any]:
    """The values, with null in place of the texts that stand for no value."""
    if not no_value:
        return values
    return [
        None if isinstance(value, str) and value.strip(" ").lower() in no_value else value
        for value in values
    ]


def _numbers(same: _SameDtype, sent: list[Field], values: Sequence[str | None]) -> pl.Series:
    """Numbers of these fields as a series of their dtype; blank is null.

    Raises:
        InexactNumber: one is anything but digits that the dtype holds.
    """
    assert same.one is not None
    assert same.lines is not None
    values, lines = _lines(values)
    read = pl.Series("", values, pl.String).cast(same.dtype, strict=False)
    if read.null_count():
        lines = "\n".join(filter(None, values))
    # As many lines as were read: nothing but blanks became null, and no number holds a line end.
    read_count = read.len() - read.null_count()
    if lines.count("\n") + bool(lines) == read_count and same.lines.fullmatch(lines):
        return read
    # Slower, and rare: with insignificant zeros a number may exceed the column's places.
    bare = [value and _strip_zeros(value) for value in values]
    read = pl.Series("", bare, pl.String).cast(same.dtype, strict=False)
    height = len(values) // len(sent)
    for place, (value, digits) in enumerate(zip(values, bare, strict=True)):
        if value and digits and not (same.one.fullmatch(digits) and read[place] is not None):
            raise InexactNumber(sent[place // height], place % height, value)
    if read.len() - read.null_count() == len(values) - values.count(None) - values.count(""):
        return read
    raise DecodeError("numbers were lost on the way into their columns; please report this")


_PADDED = re.compile(r"[+-]?[0-9]++(?:\.[0-9]++)?+", re.ASCII)


def _strip_zeros(value: str) -> str:
    """A number without leading zeros and without trailing zeros of its decimals; anything else as
    it is.
    """
    if not _PADDED.fullmatch(value):
        return value
    whole, _, decimals = value.partition(".")
    sign = whole[0] if whole[0] in "+-" else ""
    decimals = decimals.rstrip("0")
    return sign + (whole[len(sign) :].lstrip("0") or "0") + (f".{decimals}" if decimals else "")


def hstack_columns(columns: list[pl.Series]) -> pl.DataFrame:
    """A frame of these columns: a quarter of pl.DataFrame's time, and it accepts an empty name."""
    return columns[0].to_frame().hstack(columns[1:])


def _unknown(name: str, values: Sequence[Any], account: Account | None) -> pl.Series:
    """A field that is not documented, as it came.

    Raises:
        UnknownNotText: it is no text.
    """
    if not _are_text(values):
        raise UnknownNotText
    return pl.Series(name, _hide(values, _join(values), account), pl.String)


class UnknownNotText(Exception):
    """An unknown field holds a JSON number or a structure; parsing may have cut digits of it."""
