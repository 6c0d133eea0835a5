"""Calls to the embedded broker about an account, in plain HTTP, and what equity is made of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import requests

from kis_nb._schema.endpoint import Endpoint
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo import Book, Broker
from kis_nb.demo.sessions import kst_date, open_after, opens_at, settled_at, trading_day

ACCOUNTS = ("80012345-03", "70045678-03", "50087654-03", "60098765-03")
SIDES = {"매수": 1, "BUY": 1, "매도": -1, "SLL": -1, "": 0}
# Won a point by the two characters after the kind (docs/sources.md, "Codes and names").
MULTIPLIERS = {"01": 250_000, "05": 50_000, "09": 250_000, "AF": 250_000}
MULTIPLIERS |= {"06": 10_000, "AJ": 10_000, "AK": 10_000, "75": 10_000}


@dataclass
class Answer:
    """What all pages of a call have together.

    Attributes:
        conts: the pages' tr_cont.
        codes: the pages' msg_cd.
    """

    rows: list[dict[str, str]]
    summary: dict[str, str]
    conts: str
    codes: list[str]


def ask(broker: Broker, endpoint: Endpoint, account: str, **params: str) -> Answer:
    """All pages of a call, by its own TR id and the account's own key."""
    key = next(pair for known, *pair in broker.keys if known == account)
    headers = {
        "authorization": f"Bearer {broker.issue_token(app_key=key[0])}",
        "appkey": key[0],
        "appsecret": key[1],
        "tr_id": endpoint.tr_ids[0],
        "custtype": "P",
    }
    query = dict.fromkeys(endpoint.params, "") | params
    query |= {"CANO": account[:8], "ACNT_PRDT_CD": account[-2:]}
    answer = Answer([], {}, "", [])
    with requests.Session() as session:
        session.trust_env = False
        while True:
            url = broker.address + endpoint.path
            page = session.get(url, params=query, headers=headers, timeout=10)
            body: dict[str, Any] = page.json()
            assert body["rt_cd"] == "0", body
            answer.rows += body["output1"]
            answer.summary = body["output2"]
            answer.conts += page.headers["tr_cont"]
            answer.codes.append(body["msg_cd"])
            if page.headers["tr_cont"] in {"D", "E"}:
                return answer
            headers["tr_cont"] = "N"
            query |= {name: body[name.lower()] for name in endpoint.cursors}


@dataclass
class Held:
    """A position as equity counts it: signed contracts, won of one, value, cost, realized P&L."""

    quantity: int
    contract: Decimal
    value: Decimal
    cost: int
    realized: int


class Moment:
    """An account at a moment, read from the balance call's answers with EXCC_STAT_CD 1 and 2."""

    def __init__(
        self,
        moment: int,
        settled: list[dict[str, str]],
        bought: list[dict[str, str]],
        summary: dict[str, str],
    ) -> None:
        self.moment = moment
        self.date = trading_day(moment)
        self.settled_on = kst_date(settled_at(moment))
        self.amounts = {name: int(Decimal(text)) for name, text in summary.items()}
        self.held: dict[str, Held] = {}
        for row, other in zip(settled, bought, strict=True):
            code, price = row["shtn_pdno"], Decimal(row["idx_clpr"])
            if not price and code[0] in "AD14":
                price = Decimal(row["excc_unpr"])  # a future without a price counts at settlement
            sign = SIDES[row["sll_buy_dvsn_name"]]
            contract = price * MULTIPLIERS[code[1:3]]
            quantity = sign * int(row["cblc_qty"])
            self.held[code] = Held(
                quantity,
                contract,
                quantity * contract,
                sign * int(other["pchs_amt"]),
                int(row["trad_pfls_amt"]),
            )

    @classmethod
    def of(cls, book: Book, account: str, moment: int) -> Moment:
        """From the book, without HTTP."""
        view = book.view(account, moment)
        both = (view.rows(0, len(view), purchase=basis, new=True) for basis in (False, True))
        return cls(moment, *both, view.summary(maintenance=False, purchase=False))

    @classmethod
    def asked(cls, broker: Broker, account: str, moment: int) -> Moment:
        """By HTTP, of a broker whose clock is at the moment."""
        one, two = (
            ask(broker, NIGHT_BALANCE, account, MGNA_DVSN="01", EXCC_STAT_CD=basis)
            for basis in "12"
        )
        return cls(moment, one.rows, two.rows, one.summary)

    def __getitem__(self, name: str) -> int:
        return self.amounts[name]

    @property
    def flows(self) -> int:
        """What the trading day's trades came to."""
        return self["opt_dfpa"] + self["thdt_dfpa"] - self["fee"]

    @property
    def deposits(self) -> int:
        """Cash with the last settlement's variation, and securities."""
        return self["dnca_cash"] + self["rnwl_dfpa"] + self["dnca_sbst"]


def closings(start: int, end: int) -> list[int]:
    """The last second of each trading day between two moments, with both."""
    day, last, moments = trading_day(start), trading_day(end), [start]
    while day < last:
        day = open_after(day)
        moments.append(opens_at(day) - 1)
    return [*moments, end]


def attribution(steps: list[Moment]) -> dict[str, int | Decimal]:
    """What changed equity from the first moment to the last: P&L of the positions, fees, cash
    flow, the foreign deposit, and what is left.
    """
    first, last = steps[0], steps[-1]
    pnl = Decimal(0)
    for a, b in pairwise(steps):
        none = Held(0, Decimal(0), Decimal(0), 0, 0)
        for code in a.held.keys() | b.held.keys():
            was, now = a.held.get(code, none), b.held.get(code, none)
            same = a.date == b.date
            pnl += (now.value - now.cost) - (was.value - was.cost)
            pnl += now.realized - (was.realized if same else 0)
    dates: dict[date, Moment] = {step.date: step for step in steps}
    settlements: dict[date, Moment] = {step.settled_on: step for step in steps}
    fees = first["fee"] - sum(step["fee"] for step in dates.values())
    cash = last.deposits - first.deposits
    cash -= sum(step.flows for day, step in dates.items() if day < last.date)
    cash -= sum(step["rnwl_dfpa"] for day, step in settlements.items() if day > first.settled_on)
    foreign = last["frcr_dncl_amt"] - first["frcr_dncl_amt"]
    change = last["prsm_dpast_amt"] - first["prsm_dpast_amt"]
    return {
        "pnl": pnl,
        "fees": fees,
        "cash flow": cash,
        "foreign deposit": foreign,
        "remainder": change - pnl - fees - cash - foreign,
    }
