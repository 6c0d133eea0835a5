"""The types that describe a KIS call as data: its fields, blocks, parameters and page keys."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files

from kis_nb._codes import Lang


@dataclass(frozen=True, slots=True)
class Field:
    """One documented field of a reply.

    Attributes:
        name: the wire name.
        ko, en: the labels people read.
        dtype: ``String``, ``Int64`` or ``Decimal(precision,scale)``.
        unit: KRW, points, contracts, % or "" for text.
        note: what the name does not tell.
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
    """A named part of the reply's body: a list of rows, or one object."""

    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One read-only KIS call.

    Attributes:
        path: below the host.
        tr_ids: transaction ids that serve it, the current one first.
        params: query parameters in the document's order; all are always sent, blank ones too.
        codes: the values that a parameter takes, by parameter; others take any text.
        cursors: the query parameters that carry the page keys; the reply names them in lower case.
        rows: the block that is a list and grows over the pages.
        summary: the block that is one object.
    """

    path: str
    tr_ids: tuple[str, ...]
    params: tuple[str, ...]
    codes: Mapping[str, tuple[str, ...]]
    cursors: tuple[str, ...]
    rows: Block
    summary: Block


# Identifies the customer, so it is masked before it enters a frame, in whatever block it comes.
PERSONAL = {"cano"}


def read_block(glossary: str, name: str) -> Block:
    """A block's fields, in the order of its glossary, a CSV file in this folder.

    Columns of the file: ``block``, ``field``, ``ko``, ``en``, ``dtype``, ``unit``, ``note``.
    """
    lines = (files("kis_nb._schema") / glossary).read_text(encoding="utf-8").splitlines()
    rows = [row for row in csv.DictReader(lines) if row.pop("block") == name]
    return Block(name, tuple(Field(name=row.pop("field"), **row) for row in rows))
