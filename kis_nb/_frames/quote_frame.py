"""Quotes as frames: the market that a code is asked for in, and the reply's fields as columns."""

from __future__ import annotations

from datetime import datetime, time

import polars as pl

from kis_nb._errors import DecodeError
from kis_nb._frames.calendar import is_trading_day
from kis_nb._frames.exact_columns import null_row
from kis_nb._frames.products import short_code
from kis_nb._schema.quote import INDEX_BLOCK, QUOTE_BLOCK
from kis_nb._seoul import KST

_PRICE = pl.Decimal(23, 8)
# Our column, and the field of `output1` that it has.
_COLUMNS = {
    "name": "hts_kor_isnm",
    "price": "futs_prpr",
    "strike": "acpr",
    "last_trading_day": "futs_last_tr_date",
    "days_left": "hts_rmnn_dynu",
    "delta": "delta_val",
    "gamma": "gama",
    "theta": "theta",
    "vega": "vega",
    "rho": "rho",
    "implied_volatility": "hts_ints_vltl",
    "historical_volatility": "hist_vltl",
    "theoretical_price": "hts_thpr",
    "previous_close": "futs_prdy_clpr",
    "open": "futs_oprc",
    "high": "futs_hgpr",
    "low": "futs_lwpr",
    "volume": "acml_vol",
    "open_interest": "hts_otst_stpl_qty",
}
_OTHER_DTYPES = {
    "name": pl.String(),
    "last_trading_day": pl.Date(),
    "days_left": pl.Int64(),
    "volume": pl.Int64(),
    "open_interest": pl.Int64(),
}
QUOTE_SCHEMA = pl.Schema(
    {
        "shtn_pdno": pl.String(),
        "market": pl.String(),
        "as_of": pl.Datetime("us", "Asia/Seoul"),
        **{name: _OTHER_DTYPES.get(name, _PRICE) for name in _COLUMNS},
        "index_name": pl.String(),
        "index": _PRICE,
    }
)
# A price of 0 is no price, and only an option has a strike.
_ZERO_IS_NULL = ("price", "strike")
_OPENS, _CLOSES = time(8, 45), time(18)
# KIS quotes the dollar future among the commodity, rate and currency futures. The others of these
# have no product of ours (docs/sources.md, "Quotes").
_COMMODITIES = ("75",)


def market_of(code: str, moment: datetime) -> tuple[str, str]:
    """The market to ask for a code in, and the code as KIS's quotes know it.

    By night, from 18:00 to the next opening of a day session, ``CM`` for a future or a spread and
    ``EU`` for an option; by day ``F`` and ``O``, and ``CF`` for the dollar future.

    Args:
        code: a short code of either scheme; blanks around it and small letters do not matter.
        moment: aware.

    Raises:
        ValueError: it is no short code of a future, an option or a spread.
    """
    sent = short_code(code)
    if len(sent) < 6 or not (sent.isascii() and sent.isalnum()) or sent[0] not in "ABCD1234":
        raise ValueError(
            "codes takes short codes of futures and options, such as A01612 or B01612955"
        )
    option = sent[0] in "BC23"
    now = moment.astimezone(KST)
    if not (is_trading_day(now.date()) and _OPENS <= now.time() < _CLOSES):
        return ("EU" if option else "CM"), sent
    if option:
        return "O", sent
    return ("CF" if sent[1:3] in _COMMODITIES else "F"), sent


def quote_frame(
    quote: pl.DataFrame | None, index: pl.DataFrame | None, market: str, as_of: float
) -> pl.DataFrame:
    """One quote as a row of `QUOTE_SCHEMA`, whose ``shtn_pdno`` is null.

    Args:
        quote, index: the one row of ``output1`` and of ``output3``; None when there is none.
        market: the code of the market that was asked.
        as_of: when the reply arrived, in epoch seconds.

    Raises:
        DecodeError: the last trading day is no date.
    """
    quote = null_row(QUOTE_BLOCK) if quote is None else quote
    index = null_row(INDEX_BLOCK) if index is None else index
    made = quote.select(
        shtn_pdno=pl.lit(None, pl.String()),
        market=pl.lit(market),
        as_of=pl.lit(datetime.fromtimestamp(as_of, KST)).cast(QUOTE_SCHEMA["as_of"]),
        **{name: _column(name, wire) for name, wire in _COLUMNS.items()},
    )
    if made["last_trading_day"].has_nulls() and (
        (text := quote["futs_last_tr_date"][0] or "").strip("0 ")
    ):
        raise DecodeError(f"page 1, output1: futs_last_tr_date is {text[:20]!r}, which is no date")
    about = index.select(_text("hts_kor_isnm").alias("index_name"), index="bstp_nmix_prpr")
    return made.hstack(about.get_columns()).cast(QUOTE_SCHEMA)


def _column(name: str, wire: str) -> pl.Expr:
    column = pl.col(wire)
    if name == "last_trading_day":
        return column.str.to_date("%Y%m%d", strict=False)
    if name == "name":
        return _text(wire)
    return pl.when(column != 0).then(column) if name in _ZERO_IS_NULL else column


def _text(wire: str) -> pl.Expr:
    """A text; null when it is blank."""
    return pl.when(pl.col(wire) != "").then(pl.col(wire))


def stack_quotes(codes: list[str], quotes: list[pl.DataFrame]) -> pl.DataFrame:
    """The quotes below each other, each with the code that was asked for."""
    if not quotes:
        return pl.DataFrame(schema=QUOTE_SCHEMA)
    asked = pl.Series("shtn_pdno", codes, pl.String)
    return pl.concat(quotes).with_columns(asked).select(list(QUOTE_SCHEMA))
