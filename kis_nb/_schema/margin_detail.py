"""(야간)선물옵션 증거금 상세: an account's margin by component of KIS's margin formula.

TR ``CTFN7107R``, ``GET /uapi/domestic-futureoption/v1/trading/ngt-margin-detail``; not served for
paper trading. The previous TR, ``JTCE6003R``, answered with rows of ``cash_amt`` and ``tot_amt``
that have no names; it is not called, and its shape is refused. The glossary of the fields is
``margin_detail.csv``.
"""

from __future__ import annotations

from kis_nb._codes import Margin
from kis_nb._schema.endpoint import NO_BLOCK, Endpoint, read_block

_GLOSSARY = "margin_detail.csv"
_FORMER = frozenset({"cash_amt", "sbst_amt", "tot_amt"})
COMPONENTS = read_block(_GLOSSARY, "output1", former=_FORMER)
DEPOSITS = read_block(_GLOSSARY, "output3")

MARGIN_DETAIL = Endpoint(
    path="/uapi/domestic-futureoption/v1/trading/ngt-margin-detail",
    tr_ids=("CTFN7107R",),
    params=("CANO", "ACNT_PRDT_CD", "MGNA_DVSN_CD"),
    codes={"MGNA_DVSN_CD": tuple(code.value for code in Margin)},
    cursors=(),
    rows=NO_BLOCK,
    summary=COMPONENTS,
    others=(read_block(_GLOSSARY, "output2", former=_FORMER), DEPOSITS),
)
