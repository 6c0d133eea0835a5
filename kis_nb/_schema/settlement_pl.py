"""선물옵션 잔고정산손익내역: an account on one past trading day.

TR ``CTFO6117R``, ``GET /uapi/domestic-futureoption/v1/trading/inquire-balance-settlement-pl``; not
served for paper trading. The glossary of its fields is ``settlement_pl.csv``.
"""

from __future__ import annotations

from kis_nb._schema.endpoint import Endpoint, read_block

_GLOSSARY = "settlement_pl.csv"
POSITIONS = read_block(_GLOSSARY, "output1")
SUMMARY = read_block(_GLOSSARY, "output2")

SETTLEMENT_PL = Endpoint(
    path="/uapi/domestic-futureoption/v1/trading/inquire-balance-settlement-pl",
    tr_ids=("CTFO6117R",),
    params=("CANO", "ACNT_PRDT_CD", "INQR_DT", "CTX_AREA_FK200", "CTX_AREA_NK200"),
    codes={},
    cursors=("CTX_AREA_FK200", "CTX_AREA_NK200"),
    rows=POSITIONS,
    summary=SUMMARY,
)
