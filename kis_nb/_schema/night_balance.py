"""(야간)선물옵션 잔고현황 [국내선물-010]: the balance of a night futures and options account.

TR ``CTFN6118R`` (new) and ``JTCE6001R`` (old),
``GET /uapi/domestic-futureoption/v1/trading/inquire-ngt-balance``. The glossary of its fields is
``night_balance.csv``.
"""

from __future__ import annotations

from kis_nb._codes import Basis, Margin
from kis_nb._schema.endpoint import Endpoint, read_block

_GLOSSARY = "night_balance.csv"
POSITIONS = read_block(_GLOSSARY, "output1")
SUMMARY = read_block(_GLOSSARY, "output2")

NIGHT_BALANCE = Endpoint(
    path="/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance",
    tr_ids=("CTFN6118R", "JTCE6001R"),
    params=(
        "CANO",
        "ACNT_PRDT_CD",
        "ACNT_PWD",
        "MGNA_DVSN",
        "EXCC_STAT_CD",
        "CTX_AREA_FK200",
        "CTX_AREA_NK200",
    ),
    codes={
        "MGNA_DVSN": tuple(code.value for code in Margin),
        "EXCC_STAT_CD": tuple(code.value for code in Basis),
    },
    cursors=("CTX_AREA_FK200", "CTX_AREA_NK200"),
    rows=POSITIONS,
    summary=SUMMARY,
)
