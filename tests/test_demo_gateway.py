"""The embedded broker's protocol: tokens, headers, parameters, pages, rate."""

from __future__ import annotations

import http.client
import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from kis_nb._schema.night_balance import NIGHT_BALANCE
from kis_nb.demo import Book, Portfolio
from kis_nb.demo.account import AccountView
from kis_nb.demo.contracts import Instrument
from kis_nb.demo.ledger import Funds, Requirement
from kis_nb.demo.pages import Pages
from kis_nb.demo.prices import Market
from kis_nb.demo.products import FUTURES
from kis_nb.demo.questions import NIGHT
from kis_nb.demo.trades import Position
from tests.faults import Broker

if TYPE_CHECKING:
    from collections.abc import Callable

    # The shared fakes' classes, for the type checker alone.
    from tests.conftest import Clock, Raw

    Maker = Callable[[Broker], Raw]
    Reader = Callable[[str], dict[str, Any]]

BIG = "80012345-03"
COMPANY: dict[str, str | None] = {
    "custtype": "B",
    "personalseckey": "k" * 180,
    "seq_no": "001",
    "phone_number": "01011112222",
    "ip_addr": "10.0.0.1",
}


def same(answer: requests.Response, recorded: dict[str, Any]) -> None:
    """Status, recorded headers and body agree."""
    assert answer.status_code == recorded["status"]
    assert answer.json() == recorded["body"]
    for name, value in recorded["headers"].items():
        assert answer.headers[name] == value


class Published(Book):
    """The account of the published example, at the published prices."""

    def view(self, account: str, moment: int) -> AccountView:
        class Closed(Market):
            def price(self, instrument: Instrument, moment: int) -> int:  # noqa: ARG002
                return 30_745

        contract = Instrument(FUTURES[0], "F", 2022, 12, old=True)
        funds = Funds(
            cash=10_101_527_360,
            renewal=-16_200_000,
            initial=Requirement(108_922_232, 133_854_708),
        )
        position = Position(contract, 1, 3, 3, 30_910, 3 * 32_050)
        return AccountView(Portfolio(account, 0), Closed(0), moment, [position], funds)


# --- the recorded exchanges, each against what the broker really sends ----------------------------


def test_the_published_balance(raw: Maker, exchange: Reader) -> None:
    """The old TR's body is the published one to the last letter; the new TR's differs as told."""
    recorded = exchange("balance-ok")
    with Broker(book=Published()) as broker:
        old = raw(broker).get({"tr_id": "JTCE6001R"})
        new = raw(broker).get()
        bought = raw(broker).get(EXCC_STAT_CD="2").json()["output1"][0]
    assert old.json() == recorded["body"]
    assert list(old.json()) == list(recorded["body"])
    body, published = new.json(), recorded["body"]
    assert body["output1"][0].pop("sll_buy_dvsn_name") == "매수"
    for name in ("sll_buy_dvsn_cd", "trad_dvsn_name"):
        del published["output1"][0][name]
    assert body["output1"] == published["output1"]
    for name in ("mmga_tot_amt", "mmga_cash_amt", "mtnc_rt", "isfc_amt"):
        del published["output2"][name]
    # What the old TR does not send (docs/sources.md, "Responses" and "Equity and profit").
    added = {
        "tot_ccld_amt": "0",
        "nxdy_dncl_amt": "10085327360",
        "prsm_dpast_amt": "10084089860",
    }
    assert body["output2"] == published["output2"] | added
    assert dict(recorded["headers"]).items() <= dict(new.headers).items()
    assert (bought["pchs_amt"], bought["evlu_pfls_amt"]) == ("240375000", "-9787500")


# The 31 keys that the new TR was recorded with (docs/sources.md, "Responses").
DAY_OUTPUT2 = [
    "dnca_cash",
    "frcr_dncl_amt",
    "dnca_sbst",
    "tot_dncl_amt",
    "tot_ccld_amt",
    "cash_mgna",
    "sbst_mgna",
    "mgna_tota",
    "opt_dfpa",
    "thdt_dfpa",
    "rnwl_dfpa",
    "fee",
    "nxdy_dnca",
    "nxdy_dncl_amt",
    "prsm_dpast",
    "prsm_dpast_amt",
    "pprt_ord_psbl_cash",
    "add_mgna_cash",
    "add_mgna_tota",
    "futr_trad_pfls_amt",
    "opt_trad_pfls_amt",
    "futr_evlu_pfls_amt",
    "opt_evlu_pfls_amt",
    "trad_pfls_amt_smtl",
    "evlu_pfls_amt_smtl",
    "wdrw_psbl_tot_amt",
    "ord_psbl_cash",
    "ord_psbl_sbst",
    "ord_psbl_tota",
    "pchs_amt_smtl",
    "evlu_amt_smtl",
]


def test_the_empty_balance(raw: Maker) -> None:
    """An empty account answers as recorded live: 31 keys of zeros, KIOK0530, 80 bytes of msg1."""
    with Broker(book=Book.sized({BIG: 0})) as broker:
        answer = raw(broker).get()
    body = answer.json()
    assert (answer.status_code, answer.headers["tr_cont"]) == (200, "D")
    assert set(body) == {
        *("ctx_area_fk200", "ctx_area_nk200", "msg1", "msg_cd", "output1", "output2", "rt_cd")
    }
    assert (body["rt_cd"], body["msg_cd"], body["output1"]) == ("0", "KIOK0530", [])
    assert body["output2"] == dict.fromkeys(DAY_OUTPUT2, "0")
    assert len(DAY_OUTPUT2) == 31
    assert len(body["msg1"].encode("cp949")) == 80


def test_another_product_code_of_a_customer(raw: Maker, broker: Broker) -> None:
    """Under 01 the customer's account answers rt_cd 7 KIOK0560 with no output at all."""
    answer = raw(broker).get(ACNT_PRDT_CD="01")
    assert answer.status_code == 200
    assert not answer.headers.get("tr_cont", "").strip()
    body = answer.json()
    assert (body["rt_cd"], body["msg_cd"]) == ("7", "KIOK0560")
    assert set(body) == {"rt_cd", "msg_cd", "msg1"}


def test_success_codes_differ_by_page(raw: Maker) -> None:
    """More to come KIOK0500, the last of several KIOK0460, a single one KIOK0510."""
    with Broker(book=Book.sized({BIG: 45}), page_rows=15) as broker:
        codes = [page.json()["msg_cd"] for page in raw(broker).walk()]
        broker.book.resize(BIG, 15)
        codes += [page.json()["msg_cd"] for page in raw(broker).walk()]
    assert codes == ["KIOK0500", "KIOK0500", "KIOK0460", "KIOK0510"]


def test_data_changed(raw: Maker, exchange: Reader) -> None:
    """A position opened between two pages voids the page key."""
    with Broker(book=Book.sized({BIG: 45})) as broker:
        bare = raw(broker)
        page = bare.get()
        broker.book.resize(BIG, 46)
        same(bare.follow(page), exchange("data-changed"))


def test_missing_parameter(raw: Maker, exchange: Reader, broker: Broker) -> None:
    """A parameter left out is named in Korean."""
    same(raw(broker).get(MGNA_DVSN=None), exchange("missing-parameter"))


def test_rate_limited_either_way(raw: Maker, exchange: Reader, clock: Clock) -> None:
    """Over the limit the same body comes with 500 and with 200 in turn; the window slides."""
    with Broker(calls_per_second=3, monotonic=clock) as broker:
        bare = raw(broker)
        for _ in range(3):
            assert bare.get().json()["rt_cd"] == "0"
            clock.advance(0.25)
        same(bare.get(), exchange("rate-limited-500"))
        same(bare.get(), exchange("rate-limited-200"))
        clock.advance(0.25)
        assert bare.get().json()["rt_cd"] == "0"
        same(bare.get(), exchange("rate-limited-500"))
        assert [call.outcome for call in broker.calls].count("EGW00201") == 3


def test_token_calls_count_as_calls(raw: Maker, clock: Clock) -> None:
    """One in the same second leaves one balance call of two."""
    with Broker(calls_per_second=2, monotonic=clock) as broker:
        bare = raw(broker)
        assert bare.ask_token().status_code == 200
        assert [bare.get().json()["msg_cd"] for _ in range(2)] == ["KIOK0500", "EGW00201"]


def test_the_ledger_has_a_limit_of_its_own(raw: Maker, clock: Clock) -> None:
    """Below the gateway's, with its words and another code; refused calls do not reach it."""
    with Broker(ledger_calls_per_second=1, monotonic=clock) as broker:
        bare = raw(broker)
        assert bare.get().json()["rt_cd"] == "0"
        answer = bare.get()
        assert (answer.status_code, answer.json()["msg_cd"]) == (500, "EGW00215")
        assert "초당 거래건수" in answer.json()["msg1"]
        again = bare.get()
        assert (again.status_code, again.json()["msg_cd"]) == (200, "EGW00215")
        clock.advance(1)
        assert bare.get().json()["rt_cd"] == "0"


def test_requery_replayed(raw: Maker, exchange: Reader, broker: Broker) -> None:
    """A recorded exchange is replayed until cleared."""
    broker.replay(exchange("requery"))
    bare = raw(broker)
    for _ in range(3):
        same(bare.get(), exchange("requery"))
    broker.clear_faults()
    assert bare.get().json()["rt_cd"] == "0"


def test_a_dead_token_is_handed_out_again(raw: Maker, clock: Clock) -> None:
    """For six hours after its issue, if its voiding replaces nothing; then another one is."""
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        bare.token = bare.ask_token().json()["access_token"]
        broker.tokens.revoke(replace=False)
        assert bare.get().json()["msg_cd"] == "EGW00121"
        clock.advance(3600)
        assert bare.ask_token().json()["access_token"] == bare.token
        assert bare.get().json()["msg_cd"] == "EGW00121"
        clock.advance(5 * 3600)
        bare.token = bare.ask_token().json()["access_token"]
        assert bare.get().json()["rt_cd"] == "0"


def test_token_exchanges(raw: Maker, exchange: Reader, clock: Clock) -> None:
    """Issue, the minute's wait and a bad key answer as recorded."""
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        same(bare.ask_token(appkey="P" * 36), exchange("token-bad-key"))
        issued, recorded = bare.ask_token(), exchange("token-ok")
        same(bare.ask_token(), exchange("token-too-soon"))
    body = issued.json()
    assert list(body) == list(recorded["body"])
    assert dict(recorded["headers"]).items() <= dict(issued.headers).items()
    assert body["access_token_token_expired"] == "2026-11-23 23:15:04"
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 86_400)
    assert len(body["access_token"]) == 350
    assert body["access_token"].startswith(recorded["body"]["access_token"].split(".")[0])


def test_refused_tokens(raw: Maker, exchange: Reader, clock: Clock) -> None:
    """Expired or of another host EGW00123; revoked, garbled or missing EGW00121 or EGW00205."""
    with Broker(clock=clock) as broker, Broker() as other:
        bare = raw(broker)
        bearer = f"Bearer {other.issue_token()}"
        same(bare.get({"authorization": bearer}), exchange("token-expired"))
        same(bare.get({"authorization": "Bearer nonsense"}), exchange("token-invalid"))
        assert bare.get({"authorization": None}).json()["msg_cd"] == "EGW00205"
        bare.token = broker.issue_token(60)
        assert bare.get().json()["rt_cd"] == "0"
        clock.advance(60)
        same(bare.get(), exchange("token-expired"))
        bare.token = broker.issue_token()
        broker.revoke_tokens()
        same(bare.get(), exchange("token-invalid"))


def test_unknown_account(raw: Maker, exchange: Reader, broker: Broker) -> None:
    """An account that is not the customer's is refused."""
    same(raw(broker).get(CANO="99999999"), exchange("unknown-account"))


# --- tokens ---------------------------------------------------------------------------------------


def test_the_same_token_for_six_hours(raw: Maker, clock: Clock) -> None:
    """Within six hours the same token with the same end; then a new one, the old still good."""
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        first = bare.ask_token().json()
        clock.advance(60)
        again = bare.ask_token().json()
        assert again == {**first, "expires_in": 86_340}
        clock.advance(6 * 3_600 - 60)
        later = bare.ask_token().json()
        assert later["access_token"] != first["access_token"]
        for body in (first, later):
            bare.token = body["access_token"]
            assert bare.get().json()["rt_cd"] == "0"


def test_a_held_token_works_while_a_reissue_is_refused(raw: Maker, clock: Clock) -> None:
    """The minute's limit does not touch the token in hand, and ends after the minute."""
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        bare.token = bare.ask_token().json()["access_token"]
        clock.advance(59)
        assert bare.ask_token().status_code == 403
        assert bare.get().json()["rt_cd"] == "0"
        clock.advance(1)
        assert bare.ask_token().status_code == 200


def test_going_on_asking_locks_the_key_out(raw: Maker, clock: Clock) -> None:
    """After so many refusals the right key is called bad, until the lock ends."""
    with Broker(clock=clock, lock_after=3, lock_seconds=3_600) as broker:
        bare = raw(broker)
        codes = [bare.ask_token().json().get("error_code", "ok") for _ in range(6)]
        assert codes == ["ok", "EGW00133", "EGW00133", "EGW00133", "EGW00103", "EGW00103"]
        clock.advance(3_599)
        assert bare.ask_token().json()["error_code"] == "EGW00103"
        clock.advance(1)
        assert bare.ask_token().status_code == 200


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"appsecret": "s" * 180}, "EGW00105"),
        ({"appkey": ""}, "EGW00103"),
        ({"grant_type": "password"}, "EGW00116"),
    ],
)
def test_refused_token_calls(
    raw: Maker, broker: Broker, changed: dict[str, str], code: str
) -> None:
    """A wrong secret, key or grant is refused with 403 and a body without rt_cd."""
    answer = raw(broker).ask_token(**changed)
    assert (answer.status_code, answer.json()["error_code"]) == (403, code)
    assert "rt_cd" not in answer.json()


def test_a_token_call_without_json_is_refused(raw: Maker, broker: Broker) -> None:
    """A body that is no JSON object is an invalid request."""
    bare = raw(broker)
    for body in (b"", b"[]", b"\xff"):
        answer = bare.session.post(f"{broker.address}/oauth2/tokenP", data=body, timeout=10)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "EGW00101")


def test_credentials_are_made_afresh() -> None:
    """Two brokers differ in key and secret, of KIS's lengths; handed-in ones are kept."""
    one, two = Broker(), Broker()
    assert (len(one.app_key), len(one.app_secret)) == (36, 180)
    assert one.app_key != two.app_key
    assert one.app_secret != two.app_secret
    given_in = Broker(app_key="invented-key", app_secret="invented-secret")
    assert (given_in.app_key, given_in.app_secret) == ("invented-key", "invented-secret")


def with_key(bare: Raw, at: int) -> Raw:
    """The same, calling with the key of another account and a token of that key."""
    _account, key, _secret = bare.broker.keys[at]
    bare.token = bare.broker.issue_token(app_key=key)
    return bare


def test_each_account_has_a_key_of_its_own(broker: Broker) -> None:
    """The largest account first, whose pair is the broker's; no two alike."""
    accounts, keys, secrets = zip(*broker.keys, strict=True)
    assert list(accounts) == broker.accounts
    assert (keys[0], secrets[0]) == (broker.app_key, broker.app_secret)
    assert len(set(keys)) == len(set(secrets)) == len(accounts) == 4


def test_a_key_sees_its_own_account_alone(raw: Maker, broker: Broker) -> None:
    """Another account of the same customer is INVALID_CHECK_ACNO.

    See docs/sources.md, "Keys and accounts".
    """
    for at, (_, key, secret) in enumerate(broker.keys):
        bare = with_key(raw(broker), at)
        pair: dict[str, str | None] = {"appkey": key, "appsecret": secret}
        for number, account in enumerate(broker.accounts):
            query = {"CANO": account[:8], "ACNT_PRDT_CD": account[-2:]}
            body = bare.get(pair, **query).json()
            if number == at:
                assert body["rt_cd"] == "0"
            else:
                assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2000")
                assert "INVALID_CHECK_ACNO" in body["msg1"]
                assert "output1" not in body


def test_a_shared_key_sees_all(raw: Maker) -> None:
    """What tests may ask for that are about something else."""
    with Broker(shared_key=True) as broker:
        assert {(key, secret) for _, key, secret in broker.keys} == {
            (broker.app_key, broker.app_secret)
        }
        for account in broker.accounts:
            query = {"CANO": account[:8], "ACNT_PRDT_CD": account[-2:]}
            assert raw(broker).get(**query).json()["rt_cd"] == "0"


def test_a_token_belongs_to_its_key(raw: Maker, broker: Broker) -> None:
    """Asked for with each key, refused with another's, and each key has its own minute."""
    bare = raw(broker)
    tokens = []
    for _, key, secret in broker.keys:
        answer = bare.ask_token(appkey=key, appsecret=secret)
        assert answer.status_code == 200
        tokens.append(answer.json()["access_token"])
        assert bare.ask_token(appkey=key, appsecret=secret).json()["error_code"] == "EGW00133"
    assert len(set(tokens)) == 4
    _, key, secret = broker.keys[1]
    bare.token = tokens[0]
    refused = bare.get({"appkey": key, "appsecret": secret}).json()["msg_cd"]
    assert refused in {"EGW00121", "EGW00123"}
    broker.revoke_tokens()
    for token, (_, key, secret) in zip(tokens, broker.keys, strict=True):
        bare.token = token
        assert bare.get({"appkey": key, "appsecret": secret}).json()["msg_cd"] == "EGW00121"


def test_a_key_spends_its_own_allowance(raw: Maker, clock: Clock) -> None:
    """One key over its limit takes nothing from another."""
    with Broker(calls_per_second=2, monotonic=clock) as broker:
        for at, (account, key, secret) in enumerate(broker.keys):
            bare = with_key(raw(broker), at)
            query = {"CANO": account[:8], "ACNT_PRDT_CD": account[-2:]}
            pair: dict[str, str | None] = {"appkey": key, "appsecret": secret}
            codes = [bare.get(pair, **query).json()["msg_cd"] for _ in range(3)]
            assert codes[2] == "EGW00201"
            assert "EGW00201" not in codes[:2]


# --- headers and parameters -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"appkey": None}, "EGW00103"),
        ({"appsecret": "s" * 180}, "EGW00105"),
        ({"tr_id": None}, "OPSQ0002"),
        ({"tr_id": "FHKST01010100"}, "OPSQ0002"),
        ({"custtype": None}, "EGW00208"),
        ({"custtype": "X"}, "EGW00208"),
        ({**COMPANY, "gt_uid": "1", "personalseckey": None}, "EGW00304"),
        ({**COMPANY, "gt_uid": "1", "seq_no": None}, "EGW00209"),
        ({**COMPANY, "gt_uid": "1", "phone_number": None}, "EGW00212"),
        ({**COMPANY, "gt_uid": "1", "ip_addr": None}, "EGW00207"),
        (COMPANY, "EGW00101"),
        ({**COMPANY, "gt_uid": "1" * 33}, "EGW00101"),
    ],
)
def test_headers_are_demanded(
    raw: Maker, broker: Broker, changed: dict[str, str | None], code: str
) -> None:
    """A header missing or wrong is refused with its own code."""
    answer = raw(broker).get(changed)
    assert answer.json()["msg_cd"] == code
    assert answer.json()["rt_cd"] != "0"


def test_gt_uid_is_echoed_and_taken_once(raw: Maker, broker: Broker) -> None:
    """A company's gt_uid comes back, and a second request with it is refused."""
    bare = raw(broker)
    first = bare.get({**COMPANY, "gt_uid": "a1"})
    assert (first.json()["rt_cd"], first.headers["gt_uid"]) == ("0", "a1")
    assert bare.get({**COMPANY, "gt_uid": "a1"}).json()["msg_cd"] == "EGW00101"
    assert bare.get({**COMPANY, "gt_uid": "a2"}).json()["rt_cd"] == "0"


@pytest.mark.parametrize("name", NIGHT_BALANCE.params)
def test_all_seven_parameters_are_demanded(raw: Maker, broker: Broker, name: str) -> None:
    """Each parameter left out is APMP0001; those that may be blank may be blank."""
    answer = raw(broker).get(**{name: None})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["rt_cd"], body["msg_cd"]) == ("7", "APMP0001")
    assert re.fullmatch(r"[가-힣]+(200)?은\(는\) 필수입력 항목입니다", body["msg1"])
    blank = raw(broker).get(**{name: ""}).json()
    may = name in {"ACNT_PWD", *NIGHT_BALANCE.cursors}
    assert (blank["rt_cd"] == "0") is may


@pytest.mark.parametrize(
    ("name", "value"), [("MGNA_DVSN", "1"), ("MGNA_DVSN", "03"), ("EXCC_STAT_CD", "01")]
)
def test_bad_values_are_refused(raw: Maker, broker: Broker, name: str, value: str) -> None:
    """A code outside the document's is OPSQ2001."""
    body = raw(broker).get(**{name: value}).json()
    assert (body["rt_cd"], body["msg_cd"]) == ("2", "OPSQ2001")


def test_the_two_trs_send_their_own_fields(raw: Maker, broker: Broker) -> None:
    """New: the day call's rows and sums, in its order. Old: the published example's."""
    new = raw(broker).get().json()
    old = raw(broker).get({"tr_id": "JTCE6001R"}).json()
    rows = [field.name for field in NIGHT_BALANCE.rows.fields]
    assert list(new["output2"]) == DAY_OUTPUT2
    unused = {"mmga_tot_amt", "mmga_cash_amt", "mtnc_rt", "isfc_amt"}
    came = {"tot_ccld_amt", "nxdy_dncl_amt", "prsm_dpast_amt"}
    assert set(old["output2"]) == (set(DAY_OUTPUT2) - came) | unused
    assert {Decimal(old["output2"][name]) for name in unused} == {Decimal(0)}
    for row in new["output1"]:
        assert list(row) == [n for n in rows if n not in {"sll_buy_dvsn_cd", "trad_dvsn_name"}]
    for row in old["output1"]:
        assert list(row) == [name for name in rows if name != "sll_buy_dvsn_name"]


def test_header_names_in_the_case_seen(raw: Maker, broker: Broker) -> None:
    """Content-Type arrives capitalised; tr_id, tr_cont and gt_uid in lower case."""
    where = urlsplit(broker.address)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    path = raw(broker).get().request.path_url
    connection.request("GET", path, headers=raw(broker).headers(gt_uid="x"))
    answer = connection.getresponse()
    names = [name for name, _ in answer.getheaders()]
    assert {"Content-Type", "tr_id", "tr_cont", "gt_uid"} <= set(names)
    answer.read()
    connection.close()


def test_other_paths_and_methods(raw: Maker, broker: Broker) -> None:
    """404 elsewhere, 405 for another method, and the connection goes on."""
    session, address = raw(broker).session, broker.address
    assert session.get(f"{address}/uapi/elsewhere", timeout=10).status_code == 404
    assert session.get(f"{address}/oauth2/tokenP", timeout=10).status_code == 405
    assert session.post(address + NIGHT_BALANCE.path, timeout=10).status_code == 405
    assert session.head(address + NIGHT_BALANCE.path, timeout=10).status_code == 405
    assert raw(broker).get().status_code == 200


# --- pages ----------------------------------------------------------------------------------------


@settings(max_examples=40)
@given(rows=st.integers(0, 130), page_rows=st.integers(1, 40))
def test_every_row_comes_once(rows: int, page_rows: int) -> None:
    """Whatever the sizes: whole pages, then the rest; F, M, E or D; keys of 200 characters."""
    handler = Pages(NIGHT, Book.sized({BIG: rows}), page_rows, 600)
    query = dict.fromkeys(NIGHT_BALANCE.params, "")
    query |= {"CANO": BIG[:8], "ACNT_PRDT_CD": "03", "MGNA_DVSN": "01", "EXCC_STAT_CD": "1"}
    headers = {"tr_id": "CTFN6118R"}
    letters, sizes, seen = "", [], set()
    while letters[-1:] not in {"D", "E"}:
        assert handler.page_number(headers, query) == len(letters) + 1
        reply = handler.answer(headers, query, 1_795_356_904.0 + len(letters))
        body, letters = json.loads(reply.body), letters + dict(reply.headers)["tr_cont"]
        sizes.append(len(body["output1"]))
        seen |= {row["pdno"] for row in body["output1"]}
        keys = (body["ctx_area_fk200"], body["ctx_area_nk200"])
        assert [len(key) for key in keys] == [200, 200]
        assert (not keys[1].strip()) == (letters[-1] in "DE")
        query |= dict(zip(NIGHT_BALANCE.cursors, keys, strict=True))
        headers["tr_cont"] = "N"
    pages = max(-(-rows // page_rows), 1)
    assert letters == ("D" if pages == 1 else "F" + "M" * (pages - 2) + "E")
    assert sizes[:-1] == [page_rows] * (pages - 1)
    assert sum(sizes) == len(seen) == rows


def test_one_walk_sees_one_moment(raw: Maker, clock: Clock) -> None:
    """Prices move between pages, yet a walk's pages are those of its first moment."""
    clock.advance(86_400)  # from Sunday to Monday's night session
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        still = [page.json() for page in bare.walk()]
        page, moved = bare.get(), []
        while True:
            moved.append(page.json())
            if page.headers["tr_cont"] == "E":
                break
            clock.advance(7)
            page = bare.follow(page)
        assert moved == still
        assert bare.get().json()["output1"] != still[0]["output1"]


def test_a_follow_up_without_n_or_key_is_a_first_request(raw: Maker, broker: Broker) -> None:
    """Without `tr_cont: N`, or without a key, page one comes back."""
    bare = raw(broker)
    page = bare.get()
    keys = {name: page.json()[name.lower()] for name in NIGHT_BALANCE.cursors}
    for answer in (
        bare.get(**keys),
        bare.get({"tr_cont": "N"}),
        bare.get({"tr_cont": "N"}, **{**keys, "CTX_AREA_NK200": " " * 200}),
        bare.get({"tr_cont": "N"}, **{**keys, "CTX_AREA_FK200": ""}),
    ):
        assert answer.headers["tr_cont"] == "F"
    trimmed = {name: key.strip() for name, key in keys.items()}
    assert bare.get({"tr_cont": "N"}, **trimmed).headers["tr_cont"] == "M"


def test_wrong_and_old_keys_are_changed_data(raw: Maker, clock: Clock, exchange: Reader) -> None:
    """A key that is garbled, of another search, out of range or too old is SYDB0050."""
    with Broker(clock=clock, key_seconds=60, calls_per_second=0) as broker:
        bare = raw(broker)
        page = bare.get()
        key = page.json()["ctx_area_nk200"].strip()
        moment, revision, start = key.split("^")[:3]
        recorded = exchange("data-changed")
        for wrong in (
            "nonsense",
            f"{moment}^{revision}^{int(start) + 1}^",
            f"{moment}^{revision}^6400^",
            f"{moment}^{int(revision) + 1}^{start}^",
            f"{int(moment) + 1}^{revision}^{start}^",
        ):
            same(bare.follow(page, CTX_AREA_NK200=wrong), recorded)
        same(bare.follow(page, MGNA_DVSN="02"), recorded)
        clock.advance(60)
        assert bare.follow(page).headers["tr_cont"] == "M"
        clock.advance(1)
        same(bare.follow(page), recorded)


# --- what the broker notes ------------------------------------------------------------------------


def test_calls_are_noted(raw: Maker, clock: Clock) -> None:
    """Path, method, page, outcome and time of each call; secrets stay out of the repr."""
    with Broker(clock=clock) as broker:
        bare = raw(broker)
        bare.walk()
        bare.get(CANO="99999999")
        bare.ask_token()
        assert [(call.method, call.page, call.outcome, call.status) for call in broker.calls] == [
            *(("GET", page, "ok", 200) for page in (1, 2, 3, 4)),
            ("GET", 1, "OPSQ2000", 200),
            ("POST", 0, "ok", 200),
        ]
        first = broker.calls[0]
        assert (first.path, first.time) == (NIGHT_BALANCE.path, clock.now)
        assert first.query["CANO"] == BIG[:8]
        assert first.headers["tr_id"] == "CTFN6118R"
        shown = f"{broker!r} {broker.calls!r} {broker.tokens!r} {broker.book!r}"
        for secret in (broker.app_key, broker.app_secret, bare.token, BIG[:8]):
            assert secret not in shown
        broker.calls.clear()
        assert broker.calls == []


def test_noted_calls_do_not_grow_without_bound(raw: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo that runs for days forgets its oldest calls."""
    monkeypatch.setattr("kis_nb.demo.broker._CALLS_KEPT", 10)
    with Broker(calls_per_second=0) as broker:
        bare = raw(broker)
        for _ in range(40):
            bare.get()
        assert 5 <= len(broker.calls) <= 10
