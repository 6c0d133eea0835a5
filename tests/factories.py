"""Balances for tests that are about what a balance means, not about how it arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import polars as pl

from kis_nb._account import Account
from kis_nb._codes import Basis, Margin
from kis_nb._frames.balance import Balance
from kis_nb._frames.decode import Decoder
from kis_nb._frames.exact_columns import dtype_of
from kis_nb._frames.position_products import MasterHandle
from kis_nb._frames.sides import SIDE
from kis_nb._schema.endpoint import Block, Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE, POSITIONS, SUMMARY
from kis_nb._seoul import KST
from kis_nb._wire.page_json import Raw
from kis_nb.demo import Broker


def environment(broker: Broker) -> dict[str, str]:
    """The variables that name a broker's address, keys and accounts, as a customer names KIS's."""
    named = {"KIS_BASE_URL": broker.address}
    keys: dict[tuple[str, str], list[str]] = {}
    for account, *pair in broker.keys:
        keys.setdefault((pair[0], pair[1]), []).append(account)
    for number, ((app_key, app_secret), accounts) in enumerate(keys.items(), 1):
        end = "" if number == 1 else f"_{number}"
        named[f"KIS_APP_KEY{end}"] = app_key
        named[f"KIS_APP_SECRET{end}"] = app_secret
        named[f"KIS_ACCOUNTS{end}"] = ",".join(accounts)
    return named


def decode(
    pages: Sequence[Raw], endpoint: Endpoint, account: Account | None = None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of all pages, and the one row of the last page's summary, by a `Decoder`."""
    return decoded(pages, endpoint, account).frames()


def decoded(
    pages: Sequence[Raw], endpoint: Endpoint = NIGHT_BALANCE, account: Account | None = None
) -> Decoder:
    """A decoder that was given these pages."""
    decoder = Decoder(endpoint, account)
    decoder.add_all(pages)
    return decoder


def _schema(block: Block) -> dict[str, pl.DataType]:
    return {field.name: dtype_of(field) for field in block.fields}


def position(
    code: str = "A01612",
    name: str | None = "F 202612",
    side: str | None = "long",
    qty: int | None = 3,
    price: str | None = "307.45",
    cost: str | None = "309.10",
    multiplier: int = 250_000,
    **more: Any,
) -> dict[str, Any]:
    """A row whose amounts are worked out from prices; a None price leaves its amounts null."""
    value = None if price is None else Decimal(price) * (qty or 0) * multiplier
    paid = None if cost is None else Decimal(cost) * (qty or 0) * multiplier
    pnl = None if value is None or paid is None else value - paid
    if pnl is not None and side == "short":
        pnl = -pnl
    return {
        "cano": "800*****",
        "acnt_prdt_cd": "03",
        "pdno": f"KR4{code}",
        "prdt_type_cd": "301",
        "shtn_pdno": code,
        "prdt_name": name,
        "sll_buy_dvsn_cd": {"long": "02", "short": "01"}.get(side or ""),
        "cblc_qty": qty,
        "excc_unpr": None if cost is None else Decimal(cost),
        "ccld_avg_unpr1": None if cost is None else Decimal(cost),
        "idx_clpr": None if price is None else Decimal(price),
        "pchs_amt": paid,
        "evlu_amt": value,
        "evlu_pfls_amt": pnl,
        "trad_pfls_amt": Decimal(0),
        "lqd_psbl_qty": qty,
        "side": side,
    } | more


def make_balance(
    rows: list[dict[str, Any]] | None = None,
    *,
    mgna_dvsn: str = "01",
    excc_stat_cd: str = "1",
    demo: bool = False,
    account: str = "80012345-03",
    master: MasterHandle | None = None,
    **summary: str | int | Decimal | None,
) -> Balance:
    """A balance of these rows; unnamed summary fields are 0."""
    held = rows if rows is not None else [position()]
    schema = _schema(POSITIONS) | {"side": SIDE}
    frame = pl.DataFrame(
        [{name: row.get(name) for name in schema} for row in held], schema=schema, orient="row"
    )
    sums: dict[str, Decimal | None] = {field.name: Decimal(0) for field in SUMMARY.fields}
    for name, value in summary.items():
        assert name in sums, name
        sums[name] = None if value is None else Decimal(value)
    return Balance(
        account=Account.parse(account),
        mgna_dvsn=Margin(mgna_dvsn),
        excc_stat_cd=Basis(excc_stat_cd),
        as_of=datetime(2026, 11, 22, 23, 15, 4, tzinfo=KST),
        pages=max(1, -(-len(held) // 20)),
        positions=frame,
        summary=pl.DataFrame([sums], schema=_schema(SUMMARY)),
        demo=demo,
        _master=master,
    )


def book(count: int) -> list[dict[str, Any]]:
    """``count`` different positions: futures of three underlyings and options around 570."""
    fixed = [
        position("A0161C", "F 202612", "long", 5, "571.35", "568.20"),
        position("A0561C", "미니 F 202612", "short", 12, "571.35", "573.90", 50_000),
        position("A0661C", "코스닥150 F 202612", "short", 7, "1411.30", "1402.10", 10_000),
        position("A7561C", "미국달러 F 202612", "long", 20, "1461.20", "1458.70", 10_000),
    ]
    options = []
    for number in range(max(count - len(fixed), 0)):
        strike = Decimal(540) + Decimal("2.5") * (number // 2 % 27)
        call = number % 2 == 0
        price = Decimal("1.05") + Decimal(number * 37 % 113) / 10
        options.append(
            position(
                f"{'B' if call else 'C'}01W{number // 54:02d}{int(strike):03d}",
                f"{'C' if call else 'P'} {202612 if number % 3 else 202701} {strike}",
                "long" if number % 5 < 2 else "short",
                1 + number % 9,
                str(price),
                str(price + Decimal(number * 29 % 61 - 30) / 40),
            )
        )
    return [*fixed, *options][:count]
