"""선물옵션 증거금률: margin rate, multiplier and margin a contract of each underlying.

TR ``TTTO6032R``, ``GET /uapi/domestic-futureoption/v1/quotations/margin-rate``. It is about no
account; not served for paper trading. The glossary of its fields is ``margin_rate.csv``.
"""

from __future__ import annotations

from kis_nb._schema.endpoint import NO_BLOCK, Endpoint, read_block

RATES = read_block("margin_rate.csv", "output")

MARGIN_RATE = Endpoint(
    path="/uapi/domestic-futureoption/v1/quotations/margin-rate",
    tr_ids=("TTTO6032R",),
    params=("BASS_DT", "BAST_ID", "CTX_AREA_NK200"),
    codes={},
    cursors=("CTX_AREA_NK200",),
    rows=RATES,
    summary=NO_BLOCK,
)
