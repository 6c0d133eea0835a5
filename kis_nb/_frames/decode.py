"""Pages to checked frames, as the pages arrive.

`kis_nb._frames.exact_columns` converts the values; here each error gets its page and row.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate, chain
from typing import Any, NoReturn

import orjson
import polars as pl

from kis_nb._account import Account
from kis_nb._errors import DecimalError, DecodeError
from kis_nb._frames.exact_columns import InexactNumber, UnknownNotText, columns_of
from kis_nb._frames.pages import (
    body_of,
    object_of,
    optional_object_of,
    parse_digits,
    rows_of,
    stringify_unknown,
)
from kis_nb._schema.endpoint import Block, Endpoint, Field
from kis_nb._wire.page_json import PageBody, Raw

# Pages become columns so many at a time: fewer Polars calls than one a page, and no more pages'
# Python objects at once than a core's cache holds; with twice as many it takes a tenth longer.
_BATCH = 32


class Decoder:
    """Turns the pages of one call into frames.

    Every documented column is there, in glossary order, null where the wire has no value; unknown
    fields follow as String. Text is trimmed; account numbers are masked. Errors are raised without
    the frames that hold rows: a traceback that shows locals would print them.

    Args:
        endpoint: which blocks to look for, and their fields.
        account: its number is masked in every text that repeats it; `Endpoint.personal` fields
            always are.

    Attributes:
        pages: how many pages were added since the last `restart`.
    """

    def __init__(self, endpoint: Endpoint, account: Account | None = None) -> None:
        self.account = account
        self._endpoint = endpoint
        self.restart()

    def restart(self) -> None:
        """Forget all pages, as when the data changed between two of them."""
        self.pages = 0
        self._frames: list[pl.DataFrame] = []
        self._batch: list[PageBody] = []
        self._last: PageBody | None = None

    def add(self, body: PageBody) -> None:
        """Take the next page.

        Raises:
            DecimalError: a number that its column cannot hold exactly.
            DecodeError: not the documented shape. What is wrong within a row may be found some
                pages later.
        """
        self.pages += 1
        self._last = body
        fault: DecodeError | None = None
        try:
            for block in self._endpoint.blocks:
                self._rows([body], block, self.pages - 1)
            self._batch.append(body)
            if len(self._batch) >= _BATCH:
                self._flush()
        except DecodeError as error:
            fault = error
        if fault is not None:
            raise _bare(fault)

    def add_all(self, pages: Sequence[Raw]) -> None:
        """Parse and take the pages of these bytes.

        Raises:
            DecodeError: as `add`.
        """
        for raw in pages:
            self.add(body_of(raw, self.pages + 1))

    def frames(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows of all pages, and the one row of the last page's summary. A block that the call
        does not have gives a frame without columns.

        Raises:
            DecodeError: as `add`; also when no page was added.
        """
        if self._last is None:
            raise DecodeError("there is no page to read")
        fault: DecodeError | None = None
        try:
            if self._batch or not self._frames:
                self._flush()
            # Diagonal: an unknown field may come with some pages only.
            several = len(self._frames) > 1
            rows = pl.concat(self._frames, how="diagonal") if several else self._frames[0]
            return rows, self._convert([self._last], self._endpoint.summary, self.pages - 1)
        except DecodeError as error:
            fault = error
        raise _bare(fault)

    def others(self) -> tuple[pl.DataFrame, ...]:
        """The one row of each further block of the last page, in the order of `Endpoint.others`.

        Raises:
            DecodeError: as `add`; also when no page was added.
        """
        if self._last is None:
            raise DecodeError("there is no page to read")
        fault: DecodeError | None = None
        try:
            last, before = [self._last], self.pages - 1
            return tuple(self._convert(last, block, before) for block in self._endpoint.others)
        except DecodeError as error:
            fault = error
        raise _bare(fault)

    def _flush(self) -> None:
        """Turn the pages of this batch into columns."""
        batch, self._batch = self._batch, []
        self._frames.append(self._convert(batch, self._endpoint.rows, self.pages - len(batch)))

    def _convert(self, batch: list[PageBody], block: Block, before: int) -> pl.DataFrame:
        """One block of some pages as columns; `before` is the number of pages before them."""
        if not block.name:
            return pl.DataFrame()
        try:
            return self._columns(batch, block, before)
        except UnknownNotText:
            pass
        numbered = enumerate(batch, before + 1)
        texts = [stringify_unknown(page, self._endpoint, number) for number, page in numbered]
        return self._columns(texts, block, before)

    def _columns(self, batch: list[PageBody], block: Block, before: int) -> pl.DataFrame:
        # One list a page, so that the page and row of a bad value can be named.
        rows = self._rows(batch, block, before)
        fault: InexactNumber | None = None
        try:
            return columns_of(
                list(chain.from_iterable(rows)), block, self._endpoint.personal, self.account
            )
        except InexactNumber as error:
            fault = error
        except TypeError:
            pass
        # Raised out here, where the error does not hold on to the frames with the rows.
        if fault is None:
            self._blame_type(batch, block, before)
        ends = [0, *accumulate(map(len, rows))]
        place = bisect(ends, fault.row)
        row = fault.row - ends[place - 1] + 1
        raise self._not_exact(fault.field, fault.value, block, before + place, row)

    def _rows(self, batch: list[PageBody], block: Block, before: int) -> list[list[dict[str, Any]]]:
        numbered = enumerate(batch, before + 1)
        if block is self._endpoint.summary:
            return [[object_of(page, block, number)] for number, page in numbered]
        if block is not self._endpoint.rows:
            return [[optional_object_of(page, block, number)] for number, page in numbered]
        return [rows_of(page, block, number) for number, page in numbered]

    def _blame_type(self, batch: list[PageBody], block: Block, before: int) -> NoReturn:
        """Name the first row that is no object, or the first documented value that is no text."""
        paged = self._rows(batch, block, before)
        for number, (page, rows) in enumerate(zip(batch, paged, strict=True), before + 1):
            for place, row in enumerate(rows, 1):
                where = self._where(block, number, place)
                if not isinstance(row, dict):
                    raise DecodeError(f"{where} is not an object", page=number)
                for field in block.fields:
                    if isinstance(row.get(field.name), str | None):
                        continue
                    if field.digits is None:
                        raise DecodeError(f"{where}: {field.name} is not text", page=number)
                    value = _spelling(page, block, place, field.name)
                    raise self._not_exact(field, value, block, number, place)
        raise DecodeError(f"{block.name} is not of the documented shape")

    def _not_exact(
        self, field: Field, value: str, block: Block, page: int, place: int
    ) -> DecimalError:
        if self.account is not None:
            value = self.account.hide(value)
        shown = value if len(value) <= 60 else f"{value[:60]}…"
        return DecimalError(
            f"{self._where(block, page, place)}: {field.name} is {shown!r}, which {field.dtype} "
            "cannot hold exactly; nothing was rounded and no frame was made. Please report it with "
            "this line",
            field=field.name,
            value=value,
            page=page,
            row=place if block is self._endpoint.rows else None,
        )

    def _where(self, block: Block, page: int, place: int) -> str:
        row = f" row {place}" if block is self._endpoint.rows else ""
        return f"page {page}, {block.name}{row}"


def _bare(error: DecodeError) -> DecodeError:
    """The error without the frames that it came through, whose locals hold rows."""
    return error.with_traceback(None)


def _spelling(page: PageBody, block: Block, place: int, name: str) -> str:
    """A JSON value as it was sent."""
    body = parse_digits(page)
    if body is None:
        return "nested beyond reason"
    found = body[block.name]
    row = found[place - 1] if isinstance(found, list) else found
    return orjson.dumps(row[name]).decode()
