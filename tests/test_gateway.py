"""Every error of the gateway's table, at the first and at a later page, over real HTTP."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._errors import (
    ApiError,
    AuthError,
    DecodeError,
    KisError,
    PaginationError,
    RateLimitError,
    TransportError,
)
from kis_nb.demo import WIRE, Book, Broker, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kis_nb._client import Client
    from tests.conftest import Clock, Fast, Raw

ACCOUNT = "80012345-03"
# What a pull makes of each error: what it becomes when it never stops, and, for those that pass,
# that one of them is got over.
PASSING: dict[str, type[KisError]] = {
    "EGW00201": RateLimitError,
    "EGW00201 as 200": RateLimitError,
    "EGW00316": TransportError,
    "EGW00001": TransportError,
    "EGW00002": TransportError,
    "EGW00202": TransportError,
    "EGW00203": TransportError,
    "EGW00204": TransportError,
    "EGW00300": TransportError,
    "OPSQ0003": TransportError,
    "OPSQ1002": TransportError,
    "HTML 200": TransportError,
    "HTML 502": TransportError,
    "HTML 503": TransportError,
    "HTML 504": TransportError,
    "empty 200": TransportError,
    "empty 500": TransportError,
    "redirect": TransportError,
    "SYDB0050": PaginationError,
    "EGW00121": AuthError,
    "EGW00123": AuthError,
}
FINAL: dict[str, type[KisError]] = {
    "EGW00103": AuthError,
    "EGW00105": AuthError,
    "APMP0001": ApiError,
    "OPSQ2000": ApiError,
    "OPSQ2001": ApiError,
}


@pytest.fixture
def still(clock: Clock) -> Iterator[Broker]:
    """45 rows on 3 pages, prices that stand still, no rate limit, a token whenever asked for."""
    book = Book.sized({ACCOUNT: 45}, seed=1)
    now = clock()
    with Broker(
        book=book, clock=lambda: now, calls_per_second=0, token_interval=0, token_repeat=0
    ) as running:
        yield running


def test_the_table_is_whole() -> None:
    """Every wire fault that the broker knows for the document's codes is covered here."""
    documented = {
        *("EGW00201", "EGW00123", "EGW00121", "EGW00316", "EGW00001", "EGW00002", "EGW00202"),
        *("EGW00203", "EGW00204", "EGW00300", "OPSQ0003", "OPSQ1002", "SYDB0050", "EGW00103"),
        *("EGW00105", "APMP0001", "OPSQ2000", "OPSQ2001"),
    }
    assert documented <= PASSING.keys() | FINAL.keys()
    assert PASSING.keys() | FINAL.keys() <= WIRE.keys()


@pytest.mark.parametrize("page", [1, 2, 3])
@pytest.mark.parametrize("name", PASSING)
def test_an_error_that_passes_is_got_over(
    still: Broker,
    client_of: Callable[..., Client],
    raw: Callable[[Broker], Raw],
    name: str,
    page: int,
) -> None:
    """Asked again, the same page goes on and every row is there once."""
    expected = [row for reply in raw(still).walk() for row in reply.json()["output1"]]
    still.fault(WIRE[name].at(page))
    balance = client_of(still).balance(ACCOUNT)
    assert balance.positions["pdno"].to_list() == [row["pdno"] for row in expected]
    assert [str(x) for x in balance.positions["evlu_amt"]] == [row["evlu_amt"] for row in expected]
    assert balance.pages == 3
    restarted = name == "SYDB0050"
    pages = [call.page for call in still.calls if call.path.endswith("balance")][3:]
    assert pages == ([*range(1, page + 1), 1, 2, 3] if restarted else sorted([1, 2, 3, page]))


@pytest.mark.parametrize("page", [1, 3])
@pytest.mark.parametrize("name", PASSING)
def test_an_error_that_stays_is_raised_with_what_was_read(
    still: Broker, client_of: Callable[..., Client], name: str, page: int
) -> None:
    """After the retries comes the table's own error, holding the pages before it."""
    still.fault(WIRE[name].at(page, times=None))
    with pytest.raises(PASSING[name]) as caught:
        client_of(still, retries=3).balance(ACCOUNT)
    error = caught.value
    assert error.pages == page - 1
    if page == 1:
        assert error.partial is None
    else:
        assert error.partial is not None
        assert error.partial.positions.height == 40
    calls = [call for call in still.calls if call.outcome == name]
    assert len(calls) == {"EGW00121": 2, "EGW00123": 2}.get(name, 4)


@pytest.mark.parametrize("page", [1, 2])
@pytest.mark.parametrize("name", FINAL)
def test_an_error_that_helps_nothing_is_raised_at_once(
    still: Broker, client_of: Callable[..., Client], name: str, page: int
) -> None:
    """One call, its own error, the reply's words in it."""
    still.fault(WIRE[name].at(page, times=None))
    with pytest.raises(FINAL[name]) as caught:
        client_of(still).balance(ACCOUNT)
    assert sum(call.outcome == name for call in still.calls) == 1
    assert name in str(caught.value)
    assert caught.value.pages == page - 1


def test_an_api_error_holds_the_reply(still: Broker, client_of: Callable[..., Client]) -> None:
    """rt_cd, msg_cd, msg1 and tr_id, as KIS said them."""
    still.fault(WIRE["OPSQ2000"])
    with pytest.raises(ApiError) as caught:
        client_of(still).balance(ACCOUNT)
    error = caught.value
    assert (error.rt_cd, error.msg_cd, error.msg1, error.tr_id) == (
        "2",
        "OPSQ2000",
        "ERROR : INPUT INVALID_CHECK_ACNO",
        "CTFN6118R",
    )


def test_an_unknown_code_is_an_api_error(still: Broker, client_of: Callable[..., Client]) -> None:
    """What the table does not know is not asked again."""
    still.fault(Fault(status=500, body={"rt_cd": "1", "msg_cd": "ZZZ9", "msg1": "?"}, times=None))
    with pytest.raises(ApiError, match="ZZZ9"):
        client_of(still).balance(ACCOUNT)


@pytest.mark.parametrize("body", [{}, {"a": 1}, b"[]", b"5"])
def test_json_that_is_no_kis_answer_is_a_decode_error(
    still: Broker, client_of: Callable[..., Client], body: Any
) -> None:
    """No rt_cd and no code: nothing to go by."""
    still.fault(Fault(status=200, body=body))
    with pytest.raises(DecodeError, match="no KIS answer"):
        client_of(still).balance(ACCOUNT)


def test_json_without_a_code_under_500_is_asked_again(
    still: Broker, client_of: Callable[..., Client]
) -> None:
    """A proxy's own JSON error page is trouble on the way."""
    still.fault(Fault(status=503, body={"message": "upstream"}))
    assert client_of(still).balance(ACCOUNT).positions.height == 45


def test_success_under_status_500_counts(still: Broker, client_of: Callable[..., Client]) -> None:
    """The body is read first."""
    still.fault(Fault(kind="mutate", status=500, page=1))
    assert client_of(still).balance(ACCOUNT).positions.height == 45


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (b'{"rt_cd": "1", "msg_cd": "OPSQ2000", "msg1": %s}' % (b"[" * 900 + b"]" * 900), ApiError),
        (b'{"rt_cd": %s}' % (b"[" * 900 + b"]" * 900), DecodeError),
        (
            b'{"rt_cd": "0", "ctx_area_nk200": "\\ud800", "output1": [], "output2": {}}',
            TransportError,
        ),
    ],
)
def test_an_answer_that_nobody_sends_ends_in_a_typed_error(
    still: Broker, client_of: Callable[..., Client], body: bytes, end: type[KisError]
) -> None:
    """Texts nested as deep as the stack, and a key that cannot be sent back (by the fuzzer)."""
    still.fault(Fault(status=200, body=body, headers={"tr_cont": "M"}))
    with pytest.raises(end):
        client_of(still).balance()


def test_the_waits_grow(still: Broker, client_of: Callable[..., Client], fast: Fast) -> None:
    """Each wait is longer than the one before, by jittered doubling."""
    still.fault(WIRE["EGW00316"].at(1, times=5))
    client_of(still, retries=5).balance(ACCOUNT)
    assert len(fast.waits) == 5
    for wait, base in zip(fast.waits, (0.5, 1, 2, 4, 8), strict=True):
        assert base <= wait <= 1.5 * base


def test_an_expired_token_is_renewed_once_and_the_page_goes_on(
    still: Broker, client_of: Callable[..., Client]
) -> None:
    """A token revoked between pages costs one token call and no page."""
    client = client_of(still)
    client.balance(ACCOUNT)
    seen: list[int] = []

    def revoke(pages: int) -> None:
        seen.append(pages)
        if seen == [1]:
            still.revoke_tokens()

    assert client.balance(ACCOUNT, progress=revoke).positions.height == 45
    assert seen == [1, 2, 3]
    assert sum(call.path == "/oauth2/tokenP" for call in still.calls) == 2


def test_error_texts_are_scrubbed(still: Broker, client_of: Callable[..., Client]) -> None:
    """A reply that repeats what was sent does not carry it on."""
    said = f"bad key {still.app_key} {still.app_secret} 8001234503 80012345^03"
    still.fault(Fault(status=200, body={"rt_cd": "1", "msg_cd": "X1", "msg1": said}))
    with pytest.raises(ApiError) as caught:
        client_of(still).balance(ACCOUNT)
    text = f"{caught.value} {caught.value.msg1}"
    assert still.app_key not in text
    assert still.app_secret not in text
    assert "80012345" not in text
    assert "800*****" in text


def test_a_company_sends_its_fields_and_a_fresh_uid(
    still: Broker, client_of: Callable[..., Client]
) -> None:
    """custtype B: the four fields on every call, gt_uid different on each."""
    from kis_nb._config import Secret

    corporate = {
        "personalseckey": Secret("p" * 30),
        "seq_no": Secret("001"),
        "phone_number": Secret("01000000000"),
        "ip_addr": Secret("127.0.0.1"),
    }
    client = client_of(still, custtype="B", corporate=corporate, token=Secret(still.issue_token()))
    assert client.balance(ACCOUNT).positions.height == 45
    calls = [call for call in still.calls if call.path.endswith("balance")]
    assert len({call.headers["gt_uid"] for call in calls}) == 3
    assert all(len(call.headers["gt_uid"]) == 32 for call in calls)
    for call in calls:
        assert {key: call.headers[key] for key in corporate} == {
            key: value.reveal() for key, value in corporate.items()
        }


def test_the_request_is_the_documents(still: Broker, client_of: Callable[..., Client]) -> None:
    """All seven parameters, blank ones too, and every header the document asks of a person."""
    client_of(still, mac_address="aabbccddeeff").balance(ACCOUNT, mgna_dvsn="02", excc_stat_cd="2")
    first, second, third = (call for call in still.calls if call.path.endswith("balance"))
    assert first.query == {
        "CANO": "80012345",
        "ACNT_PRDT_CD": "03",
        "ACNT_PWD": "",
        "MGNA_DVSN": "02",
        "EXCC_STAT_CD": "2",
        "CTX_AREA_FK200": "",
        "CTX_AREA_NK200": "",
    }
    assert first.headers["content-type"] == "application/json; charset=utf-8"
    assert first.headers["appkey"] == still.app_key
    assert first.headers["appsecret"] == still.app_secret
    assert first.headers["authorization"].startswith("Bearer ")
    assert first.headers["custtype"] == "P"
    assert first.headers["mac_address"] == "aabbccddeeff"
    assert "gt_uid" not in first.headers
    assert [call.headers["tr_cont"] for call in (first, second, third)] == ["", "N", "N"]
    assert len(second.query["CTX_AREA_NK200"]) == len(second.query["CTX_AREA_FK200"]) == 200


@pytest.mark.parametrize("tr_id", ["CTFN6118R", "JTCE6001R"])
def test_either_tr_id_works(still: Broker, client_of: Callable[..., Client], tr_id: str) -> None:
    """New and old; both tell the side."""
    balance = client_of(still, tr_id=tr_id).balance(ACCOUNT)
    assert balance.positions.height == 45
    assert {call.headers["tr_id"] for call in still.calls if "tr_id" in call.headers} == {tr_id}
    assert balance.positions["side"].null_count() == 0


@pytest.mark.parametrize(
    "kind", ["reset", "closed", "cut body", "half JSON", "length too short", "gzip that is none"]
)
@pytest.mark.parametrize("page", [1, 3])
def test_what_the_network_does_is_got_over_or_named(
    still: Broker, client_of: Callable[..., Client], kind: str, page: int
) -> None:
    """Once: asked again. For ever: TransportError, with what was read."""
    from kis_nb.demo import NETWORK

    client = client_of(still, retries=2)
    still.fault(NETWORK[kind].at(page))
    assert client.balance(ACCOUNT).positions.height == 45
    still.fault(NETWORK[kind].at(page, times=None))
    with pytest.raises(TransportError) as caught:
        client.balance(ACCOUNT)
    assert caught.value.pages == page - 1


@pytest.mark.parametrize("kind", ["chunked", "gzip", "drip", "slow"])
def test_what_the_network_may_do_changes_nothing(
    still: Broker, client_of: Callable[..., Client], kind: str
) -> None:
    """Chunks, compression and slowness are no errors."""
    from kis_nb.demo import NETWORK

    still.fault(NETWORK[kind].at(None, times=3))
    assert client_of(still).balance(ACCOUNT).positions.height == 45
    assert len(still.calls) == 4


def test_a_hang_ends_at_the_timeout(still: Broker, client_of: Callable[..., Client]) -> None:
    """Silence is an error, in words."""
    from kis_nb.demo import NETWORK

    still.fault(replace(NETWORK["hang"], times=None))
    with pytest.raises(TransportError, match="no answer within"):
        client_of(still, timeout=(1.0, 0.05), retries=1).balance(ACCOUNT)


def test_an_endless_body_is_refused(still: Broker, client_of: Callable[..., Client]) -> None:
    """A page of 50 MB is not swallowed, and not asked for again."""
    still.fault(Fault(status=200, body=b'{"rt_cd": "0", "x": "' + b"x" * 50_000_000 + b'"}'))
    with pytest.raises(TransportError, match="larger than 4 MiB"):
        client_of(still).balance(ACCOUNT)


def test_a_closed_gateway_is_named(client_of: Callable[..., Client]) -> None:
    """Nothing listens there."""
    broker = Broker().start()
    client = client_of(broker, retries=1)
    broker.stop()
    with pytest.raises(TransportError, match="refused the connection"):
        client.balance(ACCOUNT)
