"""`fields`: the glossary of the night balance as a frame."""

from __future__ import annotations

import polars as pl

from kis_nb._schema.night_balance import NIGHT_BALANCE


def fields() -> pl.DataFrame:
    """The glossary of the night balance: what each field of KIS's reply is called and means.

    Source: (야간)선물옵션 잔고현황, TR ``CTFN6118R``,
    ``/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``.

    Returns:
        One row a documented field, in the order of the frames' columns; all columns String, none
        null: ``block`` (``output1`` positions, ``output2`` summary), ``field`` (wire name), ``ko``,
        ``en`` (labels), ``dtype`` (of the frame's column), ``unit`` (KRW, points, contracts, %; ""
        for text) and ``note`` (what the name does not say, or ""). Nothing is raised.
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
