"""The types that describe a KIS call as data: its fields, blocks, parameters and page keys."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files

from kis_nb._choices import Lang


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field of a reply.

    Attributes:
        name: the wire name.
        ko, en: the labels people read.
        dtype: ``String``, ``Int64`` or ``Decimal(precision,scale)``.
        unit: KRW, points, contracts, % or "" for text.
        note: what a reader must know besides the name.
        digits: (precision, scale) of a number, scale 0 for a count; None for text.
    """

    name: str
    ko: str
    en: str
    dtype: str
    unit: str = ""
    note: str = ""
    digits: tuple[int, int] | None = field(init=False)

    def __post_init__(self) -> None:
        sizes = {"String": None, "Int64": (19, 0)}
        if self.dtype not in sizes:
            precision, _, scale = (
                self.dtype.removeprefix("Decimal(").removesuffix(")").partition(",")
            )
            sizes[self.dtype] = int(precision), int(scale)
        object.__setattr__(self, "digits", sizes[self.dtype])

    def label(self, lang: Lang) -> str:
        """The Korean or the English name."""
        return self.ko if lang == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Block:
    """A named part of the reply's body, a list of rows or an object, and its documented fields.

    Attributes:
        name: the key in the body.
        fields: in the document's order.
        no_value: texts, in lower case, that stand for no value in a number, as blank does.
        former: fields of the reply that a previous TR gave under this name. A reply that has them
            and none of `fields` is refused: its rows have no names.
    """

    name: str
    fields: tuple[Field, ...]
    no_value: frozenset[str] = frozenset()
    former: frozenset[str] = frozenset()


# A call has no list of rows, or no summary.
NO_BLOCK = Block("", ())
# What KIS's market data has in place of a Greek that it cannot compute.
NOT_A_NUMBER = frozenset({"nan", "-nan"})

# CANO, the first 8 digits of the account number.
PERSONAL = frozenset({"cano"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One read-only KIS call.

    Attributes:
        path: below the host.
        tr_ids: transaction ids that serve it; the first is sent (`tr_id`).
        params: query parameters in the document's order; all are always sent, blank ones too.
        codes: the values that a parameter takes, by parameter; others take any text.
        cursors: the query parameters that carry the page keys, the key of the next page last; the
            reply names them in lower case. Empty for a call of one page.
        rows: the block that is a list and grows over the pages; `NO_BLOCK` when there is none.
        summary: the block that is one object; a list of one is read as that object. `NO_BLOCK` when
            there is none.
        others: further blocks that are one object each, of the last page. One that is missing or
            empty has no values.
        personal: reply fields, in lower case, that identify the customer: they are masked before
            they enter a frame, in whatever block they come.
    """

    path: str
    tr_ids: tuple[str, ...]
    params: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]
    cursors: tuple[str, ...]
    rows: Block
    summary: Block
    others: tuple[Block, ...] = ()
    personal: frozenset[str] = PERSONAL

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block that the reply has."""
        return tuple(block for block in (self.rows, self.summary, *self.others) if block.name)

    @property
    def tr_id(self) -> str:
        """The transaction id that is sent in the header, and that error messages name."""
        return self.tr_ids[0]

    def with_tr_id(self, tr_id: str) -> Endpoint:
        """The same call by another of its transaction ids.

        Raises:
            ValueError: the call is not served by that one.
        """
        if tr_id not in self.tr_ids:
            raise ValueError(f"{self.path} is served by {' or '.join(self.tr_ids)}")
        others = (one for one in self.tr_ids if one != tr_id)
        return replace(self, tr_ids=(tr_id, *others))


def read_block(
    glossary: str,
    name: str,
    *,
    no_value: frozenset[str] = frozenset(),
    former: frozenset[str] = frozenset(),
) -> Block:
    """A block's fields, in the order of its glossary, a CSV file in this folder.

    Columns of the file: ``block``, ``field``, ``ko``, ``en``, ``dtype``, ``unit``, ``note``.
    """
    lines = (files("kis_nb._schema") / glossary).read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row.pop("block") == name]
    fields = tuple(Field(name=row.pop("field"), **row) for row in rows)
    return Block(name, fields, no_value, former)
