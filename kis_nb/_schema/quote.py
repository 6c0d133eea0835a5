"""선물옵션 시세: the quote of one future or option, KIS's Greeks and the KOSPI 200 with it.

TR ``FHMIF10000000``, ``GET /uapi/domestic-futureoption/v1/quotations/inquire-price``. It is about
no account, and served for paper trading too. The glossary of its fields is ``quote.csv``.
"""

from __future__ import annotations

from kis_nb._schema.endpoint import NO_BLOCK, NOT_A_NUMBER, Endpoint, read_block

_GLOSSARY = "quote.csv"
QUOTE_BLOCK = read_block(_GLOSSARY, "output1", no_value=NOT_A_NUMBER)
INDEX_BLOCK = read_block(_GLOSSARY, "output3", no_value=NOT_A_NUMBER)

QUOTE = Endpoint(
    path="/uapi/domestic-futureoption/v1/quotations/inquire-price",
    tr_ids=("FHMIF10000000",),
    params=("FID_COND_MRKT_DIV_CODE", "FID_INPUT_ISCD"),
    # Futures and options of an index by day, commodity, rate and currency futures by day, futures
    # and options at night. Single stocks (JF, JO) are not here: they have no night session.
    codes={"FID_COND_MRKT_DIV_CODE": ("F", "O", "CF", "CM", "EU")},
    cursors=(),
    rows=NO_BLOCK,
    summary=QUOTE_BLOCK,
    others=(read_block(_GLOSSARY, "output2", no_value=NOT_A_NUMBER), INDEX_BLOCK),
)
