"""`MarginDetail`: an account's margin by component, initial and maintenance."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from kis_nb._codes import Margin
from kis_nb._frames.exact_columns import null_row
from kis_nb._schema.margin_detail import COMPONENTS, DEPOSITS

if TYPE_CHECKING:
    from kis_nb._account import Account

_WON = pl.Decimal(19, 0)


@dataclass(frozen=True, slots=True)
class MarginDetail:
    """An account's margin by component, as KIS has it (TR ``CTFN7107R``).

    Attributes:
        account: shown masked.
        as_of: when the initial margin arrived, Asia/Seoul; the maintenance margin came right after.
        demo: whether the figures come from the embedded broker.
        components: a row a component, in the document's order: ``component`` (the wire name),
            ``ko``, ``en``, ``initial`` and ``maintenance`` (``output1``), ``initial_output2`` and
            ``maintenance_output2``, all KRW. What tells ``output2`` from ``output1`` is not
            documented; the part in cash is likely. Null where KIS sent nothing.
        summary: two rows, ``mgna_dvsn_cd`` 01 and 02, with the fields of ``output3`` by their wire
            names: deposits, what can be withdrawn and ordered with, margin, additional margin.
    """

    account: Account
    as_of: datetime
    demo: bool
    components: pl.DataFrame = field(repr=False)
    summary: pl.DataFrame = field(repr=False)


# `output1`, `output2` and `output3` of one code of MGNA_DVSN_CD, a row each.
Blocks = tuple[pl.DataFrame | None, pl.DataFrame | None, pl.DataFrame | None]


def component_frame(initial: Blocks, maintenance: Blocks) -> pl.DataFrame:
    """`MarginDetail.components` of two replies."""
    named = [(each.name, each.ko, each.en) for each in COMPONENTS.fields]
    frame = pl.DataFrame(named, schema=["component", "ko", "en"], orient="row")
    return frame.with_columns(
        _values("initial", initial[0]),
        _values("maintenance", maintenance[0]),
        _values("initial_output2", initial[1]),
        _values("maintenance_output2", maintenance[1]),
    )


def _values(name: str, row: pl.DataFrame | None) -> pl.Series:
    values = [None if row is None else row[each.name][0] for each in COMPONENTS.fields]
    return pl.Series(name, values, _WON)


def deposit_frame(initial: Blocks, maintenance: Blocks) -> pl.DataFrame:
    """`MarginDetail.summary` of two replies."""
    rows = [
        (null_row(DEPOSITS) if blocks[2] is None else blocks[2]).select(
            pl.lit(margin.value).alias("mgna_dvsn_cd"), pl.exclude("mgna_dvsn_cd")
        )
        for margin, blocks in ((Margin.INITIAL, initial), (Margin.MAINTENANCE, maintenance))
    ]
    # Diagonal: an unknown field may come with one of the two only.
    return pl.concat(rows, how="diagonal")
