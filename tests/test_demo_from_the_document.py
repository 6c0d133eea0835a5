"""A client written from the API document alone walks the embedded broker.

Plain requests and nothing of kis_nb but the broker under test: the names, paths, headers and rules
below are typed from the document, so that a shared mistake cannot hide.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from kis_nb.demo import Book, Broker

if TYPE_CHECKING:
    from collections.abc import Iterator

URL = "/uapi/domestic-futureoption/v1/trading/inquire-ngt-balance"
# The document marks what the new TR uses; sll_buy_dvsn_cd and trad_dvsn_name are the old one's.
OUTPUT1 = [
    "cano",
    "acnt_prdt_cd",
    "pdno",
    "prdt_type_cd",
    "shtn_pdno",
    "prdt_name",
    "sll_buy_dvsn_name",
    "cblc_qty",
    "excc_unpr",
    "ccld_avg_unpr1",
    "idx_clpr",
    "pchs_amt",
    "evlu_amt",
    "evlu_pfls_amt",
    "trad_pfls_amt",
    "lqd_psbl_qty",
]
LENGTHS = {"cano": 8, "acnt_prdt_cd": 2, "pdno": 12, "prdt_type_cd": 3, "shtn_pdno": 12}
LENGTHS |= {"prdt_name": 60, "sll_buy_dvsn_name": 4}


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A session that reads no proxy settings."""
    with requests.Session() as opened:
        opened.trust_env = False
        yield opened


def issue(session: requests.Session, broker: Broker, at: int = 0) -> str:
    """A token for an account's key, asked for as the document tells."""
    _account, app_key, app_secret = broker.keys[at]
    answer = session.post(
        f"{broker.address}/oauth2/tokenP",
        json={
            "grant_type": "client_credentials",
            "appkey": app_key,
            "appsecret": app_secret,
        },
        timeout=10,
    )
    assert answer.status_code == 200
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 86400
    assert len(body["access_token"]) <= 350
    token: str = body["access_token"]
    return token


def pull(
    session: requests.Session, broker: Broker, token: str, account: str, **company: str
) -> tuple[list[dict[str, str]], dict[str, str], list[str]]:
    """Rows, summary and the pages' tr_cont, as the document tells how to get them."""
    keys = {known: pair for known, *pair in broker.keys}
    headers = {
        "content-type": "application/json; charset=utf-8",
        "authorization": f"Bearer {token}",
        "appkey": keys[account][0],
        "appsecret": keys[account][1],
        "tr_id": "CTFN6118R",
        "tr_cont": "",
        "custtype": "P",
        **company,
    }
    params = {
        "CANO": account[:8],
        "ACNT_PRDT_CD": account[-2:],
        "ACNT_PWD": "",
        "MGNA_DVSN": "01",
        "EXCC_STAT_CD": "1",
        "CTX_AREA_FK200": "",
        "CTX_AREA_NK200": "",
    }
    rows: list[dict[str, str]] = []
    conts: list[str] = []
    while True:
        if company:
            headers["gt_uid"] = f"{len(conts):032d}"
        answer = session.get(broker.address + URL, headers=headers, params=params, timeout=10)
        body: dict[str, Any] = answer.json()
        assert answer.status_code == 200
        assert body["rt_cd"] == "0"
        assert len(body["msg1"]) <= 80
        assert answer.headers["tr_id"] == "CTFN6118R"
        assert answer.headers.get("gt_uid") == headers.get("gt_uid")
        rows += body["output1"]
        conts.append(answer.headers["tr_cont"])
        if conts[-1] in {"D", "E"}:
            return rows, body["output2"], conts
        headers["tr_cont"] = "N"
        params["CTX_AREA_FK200"] = body["ctx_area_fk200"]
        params["CTX_AREA_NK200"] = body["ctx_area_nk200"]


def test_the_demo_accounts_are_walked(session: requests.Session, broker: Broker) -> None:
    """All four demo accounts come back whole, typed and within the document's lengths."""
    counts = []
    for at, account in enumerate(broker.accounts):
        token = issue(session, broker, at)
        rows, summary, conts = pull(session, broker, token, account)
        counts.append((len(rows), "".join(conts)))
        for row in rows:
            assert list(row) == OUTPUT1
            assert all(len(row[name]) <= length for name, length in LENGTHS.items())
            assert (row["cano"], row["acnt_prdt_cd"]) == (account[:8], account[-2:])
            assert row["idx_clpr"] == f"{Decimal(row['idx_clpr']):.8f}"
        assert all(len(amount) <= 19 for amount in summary.values())
        total = sum(Decimal(row["evlu_pfls_amt"]) for row in rows)
        assert Decimal(summary["evlu_pfls_amt_smtl"]) == total
    assert counts == [(64, "FMME"), (6, "D"), (5, "D"), (0, "D")]


@pytest.mark.parametrize("size", [0, 1, 19, 20, 21, 40, 45, 237])
def test_accounts_of_any_size_end_properly(session: requests.Session, size: int) -> None:
    """Every row comes once, and the last page says that it is the last."""
    with Broker(book=Book.sized({"80012345-03": size})) as broker:
        rows, _, conts = pull(session, broker, issue(session, broker), "80012345-03")
    pages = max(-(-size // 20), 1)
    assert len({row["pdno"] for row in rows}) == len(rows) == size
    assert "".join(conts) == ("D" if pages == 1 else f"F{'M' * (pages - 2)}E")


def test_a_company_walks_with_its_own_headers(session: requests.Session, broker: Broker) -> None:
    """A company's token, its four headers and a fresh gt_uid per page are taken and echoed."""
    rows, _, _ = pull(
        session,
        broker,
        broker.issue_token(),
        broker.accounts[0],
        custtype="B",
        personalseckey="k" * 180,
        seq_no="001",
        phone_number="01011112222",
        ip_addr="10.0.0.1",
    )
    assert len(rows) == 64
