"""A KIS call that kis_nb does not have goes through gateway, paging and decoder as data alone."""

from __future__ import annotations

import json
import logging
import threading
from dataclasses import dataclass, field, replace
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import polars as pl
import pytest

from kis_nb._account import Account
from kis_nb._errors import ApiError, DecimalError, DecodeError
from kis_nb._frames.decode import Decoder
from kis_nb._schema.endpoint import Block, Endpoint, Field
from kis_nb._wire.auth import Tokens
from kis_nb._wire.clock import Clock
from kis_nb._wire.config import Settings
from kis_nb._wire.gateway import Gateway
from kis_nb._wire.http import Http
from kis_nb._wire.paging import Walk
from kis_nb._wire.rate_limit import RateLimit
from kis_nb._wire.secrets import Scrubber, Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = Account.parse("80012345-03")
TOKEN = "invented-token"
# Invented from top to bottom: path, TR ids, page keys, blocks and fields.
DAILY_FEES = Endpoint(
    path="/uapi/invented/v1/trading/daily-fees",
    tr_ids=("INVT0001R", "INVT0002R"),
    params=("CANO", "ACNT_PRDT_CD", "INQR_DT", "CTX_AREA_FK100", "CTX_AREA_NK100"),
    codes={},
    cursors=("CTX_AREA_FK100", "CTX_AREA_NK100"),
    rows=Block(
        "fee_list",
        (
            Field("trad_dt", "매매일자", "Date", "String"),
            Field("fee_amt", "수수료", "Fee", "Decimal(19,2)", "KRW"),
            Field("ord_cnt", "주문건수", "Orders", "Int64"),
        ),
    ),
    summary=Block("fee_total", (Field("fee_smtl", "수수료합계", "Total", "Decimal(19,2)", "KRW"),)),
    personal=frozenset({"cano", "custno"}),
)


@dataclass
class Service:
    """A server of the invented call.

    Attributes:
        address: where it listens.
        pages: the reply of each page, by the key that asks for it; "" is the first.
        requests: headers and parameters of each request.
    """

    address: str = ""
    pages: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[dict[str, str], dict[str, str]]] = field(default_factory=list)

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        query = {
            name: texts[0]
            for name, texts in parse_qs(address.query, keep_blank_values=True).items()
        }
        headers = {name.lower(): value for name, value in handler.headers.items()}
        assert address.path == DAILY_FEES.path
        self.requests.append((headers, query))
        page = self.pages[query["CTX_AREA_NK100"].strip()]
        body = json.dumps(page).encode()
        handler.send_response(200)
        if "tr_cont" in page:
            handler.send_header("tr_cont", page["tr_cont"])
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


@pytest.fixture
def service() -> Iterator[Service]:
    """The invented call on loopback, with three pages of rows."""
    served = Service()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            served.serve(self)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    keys = ("", "second", "third")
    for number, (key, following) in enumerate(zip(keys, (*keys[1:], ""), strict=True), 1):
        served.pages[key] = {
            "rt_cd": "0",
            "tr_cont": "M" if following else "D",
            "ctx_area_fk100": f"{ACCOUNT.cano}^03".ljust(100),
            "ctx_area_nk100": following.ljust(100),
            "fee_list": [
                {"trad_dt": f"2026112{number}", "fee_amt": f"{number}.10 ", "ord_cnt": f"0{row}"}
                for row in range(2)
            ],
            "fee_total": [{"fee_smtl": f"{number}00.05", "custno": "12345678"}],
        }
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        served.address = f"http://127.0.0.1:{server.server_address[1]}"
        yield served
        server.shutdown()


@pytest.fixture
def gateway(service: Service) -> Iterator[Callable[..., Gateway]]:
    """Makes a gateway to the service."""
    settings = Settings(
        app_key=Secret("invented-key"),
        app_secret=Secret("invented-secret"),
        token=Secret(TOKEN),
        base_url=service.address,
    )
    scrubber = Scrubber([settings.app_key, settings.app_secret], [ACCOUNT])
    clock = Clock()
    http = Http(service.address, timeout=(5, 5), rate=RateLimit(1000, clock), clock=clock)
    yield lambda: Gateway(settings, http, Tokens(settings, http, scrubber), scrubber)
    http.close()


def pull(gateway: Gateway, endpoint: Endpoint = DAILY_FEES) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All pages of the call, as the client pulls a balance."""
    params = {"CANO": ACCOUNT.cano, "ACNT_PRDT_CD": ACCOUNT.product, "INQR_DT": "20261123"}
    decoder = Decoder(endpoint, ACCOUNT)
    Walk(gateway, endpoint, params, Clock()).run(decoder)
    return decoder.frames()


def test_an_invented_call_comes_back_whole(gateway: Callable[..., Gateway]) -> None:
    """All rows of all pages in the call's own columns; the summary is a list of one."""
    rows, summary = pull(gateway())
    assert rows.schema == {
        "trad_dt": pl.String(),
        "fee_amt": pl.Decimal(19, 2),
        "ord_cnt": pl.Int64(),
    }
    assert rows["trad_dt"].to_list() == [f"2026112{number}" for number in (1, 1, 2, 2, 3, 3)]
    assert rows["fee_amt"].to_list() == [Decimal(f"{n}.10") for n in (1, 1, 2, 2, 3, 3)]
    assert rows["ord_cnt"].to_list() == [0, 1] * 3
    assert summary.to_dicts() == [{"fee_smtl": Decimal("300.05"), "custno": "123*****"}]


def test_every_request_is_the_calls_own(service: Service, gateway: Callable[..., Gateway]) -> None:
    """Its TR id, its parameters, and its page keys as they came."""
    pull(gateway())
    assert [headers["tr_id"] for headers, _ in service.requests] == ["INVT0001R"] * 3
    assert [headers["tr_cont"] for headers, _ in service.requests] == ["", "N", "N"]
    assert {headers["authorization"] for headers, _ in service.requests} == {f"Bearer {TOKEN}"}
    sent = [query for _, query in service.requests]
    assert all(tuple(query) == DAILY_FEES.params for query in sent)
    assert [query["CTX_AREA_NK100"] for query in sent] == [
        "",
        "second".ljust(100),
        "third".ljust(100),
    ]
    assert [query["CTX_AREA_FK100"] for query in sent[1:]] == ["80012345^03".ljust(100)] * 2


def test_another_tr_id_of_the_call_can_be_chosen(
    service: Service, gateway: Callable[..., Gateway]
) -> None:
    """One of its own; another call's is refused before anything is sent."""
    pull(gateway(), DAILY_FEES.with_tr_id("INVT0002R"))
    assert {headers["tr_id"] for headers, _ in service.requests} == {"INVT0002R"}
    with pytest.raises(ValueError, match="INVT0001R or INVT0002R"):
        DAILY_FEES.with_tr_id("CTFN6118R")


def test_a_refusal_names_the_calls_tr_id(service: Service, gateway: Callable[..., Gateway]) -> None:
    """In the message and in the error's attribute."""
    service.pages["second"] = {"rt_cd": "1", "msg_cd": "APMP0001", "msg1": "no 80012345"}
    with pytest.raises(ApiError, match=r"INVT0001R: .*no 800\*\*\*\*\*") as caught:
        pull(gateway())
    assert (caught.value.tr_id, caught.value.pages) == ("INVT0001R", 1)


@pytest.mark.parametrize(("block", "page", "row"), [("fee_list", 2, 2), ("fee_total", 3, None)])
def test_a_bad_figure_is_named_by_the_calls_own_names(
    service: Service,
    gateway: Callable[..., Gateway],
    block: str,
    page: int,
    row: int | None,
) -> None:
    """Block, field, page and row; the summary is one object and has no row."""
    name = "fee_amt" if block == "fee_list" else "fee_smtl"
    reply = service.pages[["", "second", "third"][page - 1]]
    reply[block][-1][name] = 1.5
    with pytest.raises(DecimalError, match=block) as caught:
        pull(gateway())
    error = caught.value
    assert (error.field, error.value, error.page, error.row) == (name, "1.5", page, row)


def test_a_block_of_another_call_does_not_do(
    service: Service, gateway: Callable[..., Gateway]
) -> None:
    """The night balance's blocks mean nothing here."""
    service.pages[""]["output1"] = service.pages[""].pop("fee_list")
    with pytest.raises(DecodeError, match="page 1: fee_list is missing"):
        pull(gateway())
    assert len(service.requests) == 1


def test_a_call_without_page_keys_is_one_page(
    service: Service, gateway: Callable[..., Gateway]
) -> None:
    """As many of KIS's calls are."""
    params = DAILY_FEES.params[:3]
    service.pages[""]["tr_cont"] = ""
    original = service.serve

    def serve(handler: BaseHTTPRequestHandler) -> None:
        handler.path += "&CTX_AREA_NK100="
        original(handler)

    service.serve = serve  # type: ignore[method-assign]
    rows, _ = pull(gateway(), replace(DAILY_FEES, params=params, cursors=()))
    assert rows.height == 2
    assert len(service.requests) == 1


def test_no_log_holds_the_account(
    gateway: Callable[..., Gateway], caplog: pytest.LogCaptureFixture
) -> None:
    """urllib3 logs each address at DEBUG; the page keys repeat the account number."""
    with caplog.at_level(logging.DEBUG):
        pull(gateway())
    assert "CTX_AREA_FK100=800*****" in caplog.text
    assert ACCOUNT.cano not in caplog.text
