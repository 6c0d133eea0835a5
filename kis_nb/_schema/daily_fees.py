"""선물옵션기간약정수수료일별: amounts traded, fees and realized P&L by trading day and product.

TR ``CTFO6119R``, ``GET /uapi/domestic-futureoption/v1/trading/inquire-daily-amount-fee``; not
served for paper trading. The glossary of its fields is ``daily_fees.csv``.
"""

from __future__ import annotations

from kis_nb._schema.endpoint import Endpoint, read_block

_GLOSSARY = "daily_fees.csv"
ROWS = read_block(_GLOSSARY, "output1")
SUMMARY = read_block(_GLOSSARY, "output2")

DAILY_FEES = Endpoint(
    path="/uapi/domestic-futureoption/v1/trading/inquire-daily-amount-fee",
    tr_ids=("CTFO6119R",),
    params=(
        "CANO",
        "ACNT_PRDT_CD",
        "INQR_STRT_DAY",
        "INQR_END_DAY",
        "CTX_AREA_FK200",
        "CTX_AREA_NK200",
    ),
    codes={},
    cursors=("CTX_AREA_FK200", "CTX_AREA_NK200"),
    rows=ROWS,
    summary=SUMMARY,
)
