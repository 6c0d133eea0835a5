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
from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo import Book
from tests.faults import NETWORK, WIRE, Broker, Fault

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
    "EGW00201 without quotes": RateLimitError,
    "EGW00215": RateLimitError,
    "EGW00215 as 200": RateLimitError,
    "EGW00316": TransportError,
    "EGW00001": TransportError,
    "EGW00002": TransportError,
    "EGW00202": TransportError,
    "EGW00203": TransportError,
    "EGW00204": TransportError,
    "EGW00300": TransportError,
    "EGW00301": TransportError,
    "EGW00302": TransportError,
    "OPSQ0003": TransportError,
    "OPSQ0003 as 200": TransportError,
    **{f"OPSQ{number:04}": TransportError for number in range(4, 12)},
    "OPSQ1002": TransportError,
    "90020000": TransportError,
    "HTML 200": TransportError,
    "HTML 502": TransportError,
    "HTML 503": TransportError,
    "HTML 504": TransportError,
    "empty 200": TransportError,
    "empty 500": TransportError,
    "redirect": TransportError,
    "SYDB0050": PaginationError,
    "EGW00121": AuthError,
    "EGW00122": AuthError,
    "EGW00123": AuthError,
}
FINAL: dict[str, type[KisError]] = {
    "EGW00103": AuthError,
    "EGW00105": AuthError,
    "EGW00304": AuthError,
    "EGW02004": AuthError,
    "EGW02007": AuthError,
    **dict.fromkeys(
        (
            *("KIOK0560", "APAC0071", "APAC0134", "SKFT2101", "APBK1271", "APAC0489", "APBK1617"),
            *("IGW00002", "90070000", "APBK1631", "OPSQ0002", "EGW00310", "EGW00356", "EGW00205"),
            *("EGW00213", "EGW02006", "EGW00206", "EGW00003", "EGW00004", "EGW00207", "EGW00303"),
            *("EGW00131", "EGW00132", "EGW00550", "EGW00551", "EGW00552", "EGW00553"),
            "EGW00550 without quotes",
        ),
        ApiError,
    ),
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
        # Of the newer table.
        *("EGW00215", "KIOK0560", "APAC0071", "APAC0134", "SKFT2101", "APBK1271", "APAC0489"),
        *("APBK1617", "IGW00002", "EGW02004", "EGW02007", "EGW02006", "EGW00213", "EGW00205"),
        *("OPSQ0002", "EGW00310", "EGW00356", "EGW00304", "EGW00122", "EGW00206", "EGW00003"),
        *("EGW00004", "EGW00207", "EGW00303", "EGW00131", "EGW00132", "EGW00301", "EGW00302"),
        *(f"OPSQ{number:04}" for number in range(4, 12)),
        *("90020000", "90070000", "EGW00550", "EGW00551", "EGW00552", "EGW00553", "APBK1631"),
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
    assert len(calls) == (2 if PASSING[name] is AuthError else 4)


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
    assert name.removesuffix(" without quotes") in str(caught.value)
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


# Exchanges as others recorded them: HTTP status, body, and what the message must say.
LIVE: dict[str, tuple[int, str, type[KisError], str]] = {
    "product 01 of another kind of account": (
        200,
        '{"rt_cd":"7","msg_cd":"KIOK0560","msg1":"조회할 내용이 없습니다' + " " * 50 + '"}',
        ApiError,
        "account number, and that its product is 03",
    ),
    "no such account": (
        200,
        '{"rt_cd":"7","msg_cd":"APAC0071","msg1":" "}',
        ApiError,
        "no such account .* product is 03",
    ),
    "another account's key": (
        200,
        '{"rt_cd":"2","msg_cd":"OPSQ2000","msg1":"ERROR : INPUT INVALID_CHECK_ACNO"}',
        ApiError,
        r"belongs to one account.*connect\(keys=\[.*KIS_APP_SECRET_2 and KIS_ACC.*accounts: in ",
    ),
    "another account's key at the ledger": (
        500,
        '{"rt_cd":"1","msg_cd":"IGW00002","msg1":"x"}',
        ApiError,
        "another account's: an app key belongs to one account",
    ),
    "a paper key": (
        500,
        '{"rt_cd":"1","msg_cd":"EGW02004","msg1":"x"}',
        AuthError,
        "for paper trading",
    ),
    "a secret cut short": (
        500,
        '{"rt_cd":"1","msg_cd":"EGW00304","msg1":"x"}',
        AuthError,
        "a new token does not change",
    ),
    "keys without quotes": (
        500,
        '{rt_cd:"1",msg_cd:"EGW00550",msg1:"x"}',
        ApiError,
        r"EGW00550 \(HTTP 500\): x \[rt_cd 1\].*apply for it",
    ),
}


@pytest.mark.parametrize("name", LIVE)
def test_a_refusal_says_what_to_do(
    still: Broker, client_of: Callable[..., Client], name: str
) -> None:
    """At once, with one balance call and one token: neither is asked for again."""
    status, body, kind, said = LIVE[name]
    still.fault(Fault(status=status, body=body, times=None))
    with pytest.raises(kind, match=said) as caught:
        client_of(still).balance(ACCOUNT)
    assert type(caught.value) is kind
    assert caught.value.partial is None
    assert [call.path[-6:] for call in still.calls] == ["tokenP", "alance"]


def test_the_code_of_nothing_found_is_success_when_rt_cd_says_so(
    still: Broker, client_of: Callable[..., Client], exchange: Callable[[str], dict[str, Any]]
) -> None:
    """KIOK0560 with rt_cd 0 is an empty account."""
    empty = exchange("balance-empty")
    still.replay({**empty, "body": {**empty["body"], "msg_cd": "KIOK0560"}})
    assert client_of(still).balance(ACCOUNT).positions.height == 0


@pytest.mark.parametrize(
    "body",
    [
        '{"rt_cd":"1","msg_cd":"EGW00215","msg1":"초당 거래건수를 초과하였습니다."}',
        '{"rt_cd":"1","msg_cd":"ZZZ00001","msg1":"원장 초당  거래건수를 초과하였습니다."}',
        '{"rt_cd":"1","msg_cd":"","msg1":"초당거래건수를 초과하였습니다."}',
        '{rt_cd:"1",msg_cd:"EGW00215",msg1:"초당 거래건수를 초과하였습니다."}',
    ],
)
@pytest.mark.parametrize("status", [200, 500])
def test_the_ledgers_limit_spaces_the_calls(
    still: Broker, client_of: Callable[..., Client], fast: Fast, body: str, status: int
) -> None:
    """Whatever the code and the status: at least 1.05 s between the calls after it, and all rows
    come.
    """
    still.fault(Fault(status=status, body=body, page=1))
    client = client_of(still)
    begin = fast.time()
    assert client.balance(ACCOUNT).positions.height == 45
    # Three more calls follow the refusal.
    assert 3 * 1.05 <= fast.time() - begin <= 3 * 1.05 + 0.6
    # It recovers: another pull half a minute later waits for nothing.
    for _ in range(6):
        fast._clock.advance(10)
        client.balance(ACCOUNT)
    fast._clock.advance(10)
    fast.waits.clear()
    client.balance(ACCOUNT)
    assert fast.waits == []


def test_a_ledger_that_takes_one_call_a_second_is_read_whole(
    clock: Clock, fast: Fast, client_of: Callable[..., Client]
) -> None:
    """Five pages at 15 calls a second: refused once, then in time until the pace rises again."""
    with Broker(
        book=Book.sized({ACCOUNT: 95}, seed=1),
        clock=clock,
        monotonic=clock,
        ledger_calls_per_second=1,
    ) as broker:
        begin = fast.time()
        assert client_of(broker).balance(ACCOUNT).positions.height == 95
        refused = [call.outcome for call in broker.calls].count("EGW00215")
    assert refused == 1
    assert fast.time() - begin < 7


def test_token_calls_are_counted_in_the_allowance(
    still: Broker, client_of: Callable[..., Client], fast: Fast
) -> None:
    """One call a second: the token call and three pages take three seconds."""
    begin = fast.time()
    client_of(still, calls_per_second=1).balance(ACCOUNT)
    assert len(still.calls) == 4
    assert fast.time() - begin == pytest.approx(3, abs=0.01)


@pytest.mark.parametrize("missing", [0, 5])
@pytest.mark.parametrize("key", ["", " !^ !^ !^"])
def test_f_with_a_blank_key_is_the_end_when_the_rows_add_up(
    still: Broker, client_of: Callable[..., Client], missing: int, key: str
) -> None:
    """A third page that promises a fourth, with all rows and with some left out."""

    def change(body: dict[str, Any]) -> None:
        body["ctx_area_nk200"] = key.ljust(200)
        del body["output1"][5 - missing :]

    still.fault(Fault(kind="mutate", page=3, headers={"tr_cont": "F"}, change=change))
    client = client_of(still)
    if not missing:
        assert client.balance(ACCOUNT).positions.height == 45
        return
    with pytest.raises(PaginationError, match="do not add up") as caught:
        client.balance(ACCOUNT)
    assert caught.value.pages == 3
    assert caught.value.partial is not None
    assert caught.value.partial.positions.height == 40


@pytest.mark.parametrize("total", ["0", "1"])
def test_an_empty_account_that_promises_more_is_judged_by_its_totals(
    still: Broker,
    client_of: Callable[..., Client],
    exchange: Callable[[str], dict[str, Any]],
    total: str,
) -> None:
    """Totals of 0 fit no rows; a total without a row does not."""
    empty = exchange("balance-empty")
    sums = {**empty["body"]["output2"], "pchs_amt_smtl": total + "00"}
    still.replay(
        {
            **empty,
            "headers": {**empty["headers"], "tr_cont": "F"},
            "body": {**empty["body"], "output2": sums},
        }
    )
    if total == "0":
        assert client_of(still).balance(ACCOUNT).positions.height == 0
    else:
        with pytest.raises(PaginationError, match="do not add up"):
            client_of(still).balance(ACCOUNT)


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
    still.fault(Fault(status=200, body=body, headers={"tr_cont": "M"}, times=None))
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
    from kis_nb._wire.secrets import Secret

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
    balance = client_of(still, endpoint=NIGHT_BALANCE.with_tr_id(tr_id)).balance(ACCOUNT)
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
    still.fault(NETWORK[kind].at(None, times=3))
    assert client_of(still).balance(ACCOUNT).positions.height == 45
    assert len(still.calls) == 4


def test_a_hang_ends_at_the_timeout(still: Broker, client_of: Callable[..., Client]) -> None:
    """Silence is an error, in words."""
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
