"""Balance calls by plain requests, without the client: what the client is compared with."""

from __future__ import annotations

from typing import Any

import requests

from kis_nb._schema.night_balance import NIGHT_BALANCE


def call_headers(app_key: str, app_secret: str, token: str) -> dict[str, str]:
    """The five headers that a balance call must send, of a person and with the new TR id."""
    return {
        "authorization": f"Bearer {token}",
        "appkey": app_key,
        "appsecret": app_secret,
        "tr_id": NIGHT_BALANCE.tr_ids[0],
        "custtype": "P",
    }


def first_query(account: str) -> dict[str, str]:
    """The parameters of the first page: initial margin (01), settlement basis (1)."""
    cano, _, product = account.partition("-")
    codes = {"CANO": cano, "ACNT_PRDT_CD": product, "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}
    return dict.fromkeys(NIGHT_BALANCE.params, "") | codes


def bare_pull(
    session: requests.Session, url: str, headers: dict[str, str], account: str
) -> list[dict[str, str]]:
    """The rows of all pages as JSON gives them."""
    query = first_query(account)
    rows: list[dict[str, str]] = []
    follow = {"tr_cont": ""}
    while True:
        answer = session.get(url, params=query, headers=headers | follow, timeout=10)
        body: dict[str, Any] = answer.json()
        rows += body["output1"]
        if answer.headers["tr_cont"] not in {"F", "M"}:
            return rows
        follow = {"tr_cont": "N"}
        query |= {name: body[name.lower()] for name in NIGHT_BALANCE.cursors}
