"""A report of how the service answered: what it tells, what it never tells, and the embedded broker
that answers in its form.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._account import Account
from kis_nb._cli.check import answer_form
from kis_nb._errors import ConfigError, KisError
from kis_nb._schema.night_balance import SUMMARY
from kis_nb._wire.http import Call, NoReply, Reply, observer
from kis_nb._wire.secrets import Secret
from kis_nb.demo import Book
from kis_nb.demo.form import Form
from kis_nb.demo.style import Style, expand
from tests.faults import Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb._frames.balance import Balance
    from tests.conftest import Clock

    Exchange = Callable[[str], dict[str, Any]]

# The 31 keys that the new TR was recorded to send in output2; the figures are invented.
SENT = """
dnca_cash frcr_dncl_amt dnca_sbst tot_dncl_amt tot_ccld_amt cash_mgna sbst_mgna mgna_tota
opt_dfpa thdt_dfpa rnwl_dfpa fee nxdy_dnca nxdy_dncl_amt prsm_dpast prsm_dpast_amt
pprt_ord_psbl_cash add_mgna_cash add_mgna_tota futr_trad_pfls_amt opt_trad_pfls_amt
futr_evlu_pfls_amt opt_evlu_pfls_amt trad_pfls_amt_smtl evlu_pfls_amt_smtl
wdrw_psbl_tot_amt ord_psbl_cash ord_psbl_sbst ord_psbl_tota pchs_amt_smtl evlu_amt_smtl
""".split()  # noqa: SIM905 - thirty-one lines would say no more
UNSENT = {"mmga_tot_amt", "mmga_cash_amt", "mtnc_rt", "isfc_amt"}


def today(*, rows: int = 0, key: str = "", letter: str = "D", at: int = 0) -> dict[str, Any]:
    """An exchange of today's service that no broker of ours made: 31 keys in output2, rows without
    side code and trade type, names and quantities padded, prices with two decimals.
    """
    row = {
        "cano": "80012345",
        "acnt_prdt_cd": "03",
        "pdno": "KR4A01610000",
        "prdt_type_cd": "301",
        "shtn_pdno": "A01612".ljust(12),
        "prdt_name": "F 202612".ljust(60),
        "sll_buy_dvsn_name": "매수",
        "cblc_qty": "        3",
        "excc_unpr": "1042.35",
        "ccld_avg_unpr1": "1040.05000000",
        "idx_clpr": "1043.10",
        "pchs_amt": "781762500",
        "evlu_amt": "782325000",
        "evlu_pfls_amt": "562500",
        "trad_pfls_amt": "",
        "lqd_psbl_qty": "3",
        "new_code": "X1",
    }
    return {
        "status": 200,
        "headers": {
            "Content-Type": "application/json; charset=utf-8",
            "tr_id": "CTFN6118R",
            "tr_cont": letter,
            "gt_uid": "0123456789abcdef",
        },
        "body": {
            "ctx_area_fk200": " " * 200,
            "ctx_area_nk200": key.ljust(100),
            "output1": [row | {"pchs_amt": str(781762500 + at + n)} for n in range(rows)],
            "output2": [dict.fromkeys(SENT, "0") | {"dnca_cash": "0000500000000"}],
            "rt_cd": "0",
            "msg_cd": "KIOK0500" if key.strip(" !^") else "KIOK0460",
            "msg1": "조회되었습니다".ljust(80),
        },
    }


def exchanges() -> list[dict[str, Any]]:
    """Three pages of 7, 7 and 2 rows; a key of separators only on the last."""
    return [
        today(rows=7, key="8!2!2!1!", letter="M"),
        today(rows=7, key="15!2!2!1!", letter="M", at=7),
        today(rows=2, key=" !^ !^", letter="E", at=14),
    ]


@pytest.fixture
def report_of(client_of: Callable[..., Client]) -> Callable[..., dict[str, Any]]:
    """Pulls one view of a broker, fine or not, and describes what came."""

    def pull(broker: Broker, margin: str = "01", basis: str = "1") -> dict[str, Any]:
        recorder = answer_form.Recorder()
        before = observer.set(recorder)
        client = client_of(broker, retries=0)
        outcome = "ok"
        try:
            client.balance(client.accounts[0], mgna_dvsn=margin, excc_stat_cd=basis)
        except KisError as error:
            outcome = type(error).__name__
        finally:
            observer.reset(before)
        codes = {"mgna_dvsn": margin, "excc_stat_cd": basis, "outcome": outcome}
        told = {"accounts": [{"views": [{**codes, "calls": recorder.take()}]}]}
        secrets = [Secret(broker.app_key), Secret(broker.app_secret), *recorder.shown]
        text = answer_form.write(told, secrets=secrets, accounts=client.accounts)
        return dict(json.loads(text))

    return pull


def replayed(broker: Broker, several: list[dict[str, Any]]) -> None:
    """Have the broker give these answers, one after the other."""
    for one in several:
        broker.fault(Fault.exchange(one, times=1))


def calls(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The balance calls of a report with one view."""
    (account,) = report["accounts"]
    (view,) = account["views"]
    return [one for one in view["calls"] if one["call"] == "balance"]


def shape(report: dict[str, Any]) -> list[dict[str, Any]]:
    """What a form fixes of each call: all but times, rows, and how large the figures are."""
    shapes = []
    for one in calls(report):
        kept = {k: v for k, v in one.items() if k not in {"ms", "output1", "output2", "msg1"}}
        for block in ("output1", "output2"):
            told = one[block]
            kept[block] = {k: told[k] for k in ("type", "order", "in_some_rows", "absent")}
            kept[block]["unknown"] = told["unknown"]
            kept |= {f"{block}.{k}": Style.of(v, k) for k, v in told["patterns"].items()}
        kept["msg1"] = Style.of({one["msg1"]: 1})
        kept["page_keys"] = {k: len(expand(v)) for k, v in one["page_keys"].items()}
        shapes.append(kept)
    return shapes


def same_shape(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Assert so, part by part."""
    for ours, theirs in zip(shape(one), shape(other), strict=True):
        assert ours.keys() == theirs.keys()
        for part in ours:
            assert ours[part] == theirs[part], part


# --- patterns ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("-1237500", "-9(7)"),
        ("309.10000000", "9(3).9(8)"),
        ("0", "9"),
        ("0.00000000", "9.9(8)"),
        ("0000500000000", "0(4)9(9)"),
        ("-007", "-0(2)9"),
        ("+5", "+9"),
        ("", ""),
        ("     ", "_(5)"),
        ("   12 ", "_(3)9(2)_"),
    ],
)
def test_the_pattern_of_a_figure(text: str, told: str) -> None:
    """Sign, digits, decimals and padding, and no digit of it."""
    assert answer_form.pattern(text, figure=True) == told


def test_the_pattern_of_a_text() -> None:
    """Letters, Hangul, digits, blanks and separators by their classes; zeros are digits."""
    assert answer_form.pattern("미니F 202612") == "H(2)A_9(6)"
    assert answer_form.pattern("01") == "9(2)"
    assert answer_form.pattern("80012345^03^01^1^   ") == "9(8)^9(2)^9(2)^9^_(3)"
    assert answer_form.pattern("a_b\n(漢)") == "a?a?(2)L?"


def test_other_types_are_told() -> None:
    """A number that is no text, null and nested values say what they are."""
    assert answer_form.value_pattern(answer_form.Number("12.50")) == "number 9(2).9(2)"
    told = [answer_form.value_pattern(value) for value in (None, True, [1], {"a": 1})]
    assert told == ["null", "bool", "list", "object"]


# --- what a report tells -----------------------------------------------------------------------


def test_todays_answer_is_told(report_of: Callable[..., dict[str, Any]]) -> None:
    """31 keys, what is absent, what is unknown, padding, letters, page keys, and codes."""
    with Broker(token_interval=0) as broker:
        replayed(broker, exchanges())
        first, second, last = calls(report_of(broker))
    assert first["output2"]["order"] == SENT
    assert set(first["output2"]["absent"]) == UNSENT
    assert first["output2"]["type"] == "list"
    assert set(first["output1"]["absent"]) == {"sll_buy_dvsn_cd", "trad_dvsn_name"}
    assert first["output1"]["unknown"] == ["new_code"]
    patterns = first["output1"]["patterns"]
    assert patterns["cblc_qty"] == {"_(8)9": 7}
    assert patterns["excc_unpr"] == {"9(4).9(2)": 7}
    assert patterns["trad_pfls_amt"] == {"": 7}
    assert patterns["prdt_name"] == {"A_9(6)_(52)": 7}
    assert first["output2"]["patterns"]["dnca_cash"] == {"0(4)9(9)": 1}
    assert [one["tr_cont"] for one in (first, second, last)] == ["M", "M", "E"]
    assert [one["output1"]["rows"] for one in (first, second, last)] == [7, 7, 2]
    assert [one.get("follow_up", False) for one in (first, second, last)] == [False, True, True]
    assert second["page_keys"]["ctx_area_nk200"] == "9(2)!9!9!9!_(91)"
    assert last["page_keys"] == {"ctx_area_fk200": "_(200)", "ctx_area_nk200": "_!^_!^_(94)"}
    assert (first["status"], first["rt_cd"], first["msg_cd"]) == (200, "0", "KIOK0500")
    assert last["msg1"] == "H(7)_(73)"
    assert "gt_uid" in first["headers"]


def test_a_report_holds_no_value(
    exchange: Exchange, report_of: Callable[..., dict[str, Any]]
) -> None:
    """No figure, name, code or number of the published exchange is in its report."""
    recorded = exchange("balance-ok")
    with Broker(token_interval=0) as broker:
        broker.replay(recorded)
        text = json.dumps(report_of(broker), ensure_ascii=False)
    body = recorded["body"]
    values = {*body["output1"][0].values(), *body["output2"].values(), body["msg1"].strip()}
    long = {value for value in values if len(value) >= 4}
    assert len(long) > 15
    for value in long:
        assert value not in text


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", {"body": "empty"}),
        (b"<html>80012345</html>", {"body": "HTML"}),
        (b"[1]", {"body": "JSON, no object"}),
        (b"sorry", {"body": "no JSON"}),
        (b'{rt_cd:"1",msg_cd:"EGW00550"}', {"body": "no strict JSON", "msg_cd": "EGW00550"}),
    ],
)
def test_what_is_no_answer_of_kis(body: bytes, told: dict[str, str]) -> None:
    """Other bodies are named, with the code that is in them all the same."""
    usual = {"status": 502, "headers": [], "tr_cont": None}
    assert answer_form.describe(Reply(502, {}, body)) == usual | told
    assert answer_form.describe(NoReply("no answer within 10 s")) == {"body": "no answer"}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(today(rows=1)["body"], ensure_ascii=False).encode("cp949"),
        json.dumps(today(rows=1)["body"]).encode()[:-20],
        b'{rt_cd:"1",msg1:"no account ACNO80012345"}',
        '{rt_cd:"1",msg_cd:"80012000",msg1:"계좌 80012000"}'.encode(),
    ],
)
def test_no_figure_of_a_damaged_answer_is_taken_for_its_code(body: bytes) -> None:
    """An amount such as 782325000 ends as some codes do, and an account may follow a word."""
    body = body.replace(b"782325000", b"782350000")
    told = answer_form.describe(Reply(200, {}, body))
    assert told["body"] == "no strict JSON"
    assert told.get("msg_cd", "9(8)") == "9(8)"


def test_private_texts_anywhere_are_told_by_pattern() -> None:
    """A service that errs may put a number or a key into names, codes and headers."""
    search = Search(APP_KEY, APP_SECRET)
    row = {"80012345": "1", APP_KEY: APP_SECRET, "x" * 30 + "80012345": "2"}
    body = {
        "rt_cd": APP_KEY,
        "msg_cd": "8001234503",
        "error_code": APP_SECRET,
        "msg1": APP_KEY,
        "80012345": 1,
        APP_SECRET: "x",
        "ctx_area_fk200": "80012345^03",
        "ctx_area_nk200": 5,
        "output1": [row, row],
        "output2": row,
    }
    headers = {"80012345": "", APP_KEY: APP_SECRET, "tr_cont": ACCOUNT}
    call = Call("GET", "/elsewhere", {"authorization": f"Bearer {APP_SECRET}"})
    recorder = answer_form.Recorder()
    recorder(call, Reply(200, headers, json.dumps(body).encode()), 0.1)
    assert recorder.shown == {Secret(APP_SECRET)}
    told = answer_form.describe(Reply(200, headers, json.dumps(body).encode()))
    text = json.dumps([told, recorder.take()])
    assert len(text) > 1000
    search.look(text, "the report")


def test_a_report_that_would_hold_a_secret_is_not_written() -> None:
    """The last look before the file: a part of a key, or an account number, stops it."""
    secret, account = Secret(APP_SECRET), Account.parse(ACCOUNT)
    for held in (APP_SECRET[40:60], ACCOUNT[:8]):
        with pytest.raises(ConfigError, match="not written") as raised:
            answer_form.write({"x": held}, secrets=[secret], accounts=[account])
        assert held not in str(raised.value)
    assert answer_form.write({"x": "9(8)"}, secrets=[secret], accounts=[account])


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"kis_nb_report": 99}'])
def test_other_files_are_no_reports(content: str, tmp_path: Path) -> None:
    """What `check --report` did not write is refused with the file's name."""
    file = tmp_path / "x.json"
    file.write_text(content, "utf-8")
    with pytest.raises(ConfigError, match="report"):
        answer_form.read(file)
    with pytest.raises(ValueError, match="version 1"):
        Form({"kis_nb_report": 99})
    with pytest.raises(ValueError, match="damaged"):
        Form({"kis_nb_report": 1, "accounts": [{"views": 1}]})


# --- the broker in a report's form -------------------------------------------------------------


def pulled(client: Client, margin: str = "01", basis: str = "1") -> Balance:
    """The largest account in one view."""
    return client.balance(client.accounts[0], mgna_dvsn=margin, excc_stat_cd=basis)


def nulls(balance: Balance) -> set[str]:
    """The columns that hold nothing."""
    frames = (balance.positions, balance.summary)
    return {name for frame in frames for name in frame.columns if frame[name].is_null().all()}


def test_the_broker_answers_in_todays_form(
    clock: Clock,
    report_of: Callable[..., dict[str, Any]],
    client_of: Callable[..., Client],
) -> None:
    """Its own figures under the recorded keys, with the recorded padding, pages and letters; the
    report of that has the same form.
    """
    with Broker(token_interval=0, clock=clock) as broker:
        replayed(broker, exchanges())
        theirs = pulled(client_of(broker))
        replayed(broker, exchanges())
        report = report_of(broker)
        figures = {row["shtn_pdno"] for row in theirs.positions.to_dicts()}
    assert {code.strip() for code in figures} == {"A01612"}
    book = Book.sized({ACCOUNT: 16}, seed=1)
    with Broker(book=book, token_interval=0, clock=clock) as plain:
        usual = pulled(client_of(plain))
    with Broker(book=book, token_interval=0, clock=clock, form=report) as formed:
        ours = pulled(client_of(formed))
        again = report_of(formed)
        row = calls(again)[0]["output1"]
    assert (ours.pages, ours.positions.height) == (3, 16)
    assert nulls(ours) == nulls(theirs)
    assert {"trad_pfls_amt", "sll_buy_dvsn_cd", *UNSENT} <= nulls(ours)
    # The figures are the broker's own, digit for digit.
    for name in ("cblc_qty", "idx_clpr", "evlu_amt", "evlu_pfls_amt"):
        assert ours.positions[name].equals(usual.positions[name])
    assert ours.summary["dnca_cash"].equals(usual.summary["dnca_cash"])
    assert {len(expand(told)) for told in row["patterns"]["cblc_qty"]} == {9}
    same_shape(again, report)


def test_the_letter_of_a_last_page_comes_back_on_more_pages(
    clock: Clock, report_of: Callable[..., dict[str, Any]], client_of: Callable[..., Client]
) -> None:
    """F on a last page, as one project saw it; the broker's account has more pages than that."""
    recorded = today(rows=1, letter="F")
    recorded["body"]["output2"][0] |= {"pchs_amt_smtl": "781762500", "evlu_amt_smtl": "782325000"}
    recorded["body"]["output2"][0]["evlu_pfls_amt_smtl"] = "562500"
    with Broker(token_interval=0, clock=clock) as broker:
        broker.replay(recorded)
        report = report_of(broker)
    book = Book.sized({ACCOUNT: 45}, seed=1)
    with Broker(book=book, token_interval=0, clock=clock, form=report) as formed:
        assert pulled(client_of(formed)).positions.height == 45
        letters = [one["tr_cont"] for one in calls(report_of(formed))]
    assert len(letters) > 1
    assert letters[-1] == "F"


@pytest.mark.parametrize("name", ["balance-ok", "balance-empty"])
def test_a_published_exchange_comes_back_as_its_form(
    name: str,
    exchange: Exchange,
    clock: Clock,
    report_of: Callable[..., dict[str, Any]],
    client_of: Callable[..., Client],
) -> None:
    """The document's example, made by no broker of ours: the same columns are null, and the report
    of the answer in its form has that form.
    """
    recorded = exchange(name)
    rows = len(recorded["body"]["output1"])
    with Broker(token_interval=0, clock=clock) as broker:
        broker.replay(recorded)
        theirs = pulled(client_of(broker))
        report = report_of(broker)
    book = Book.sized({ACCOUNT: rows}, seed=1)
    with Broker(book=book, token_interval=0, clock=clock, form=report) as formed:
        ours = pulled(client_of(formed))
        again = report_of(formed)
    assert nulls(ours) == nulls(theirs)
    assert {f.name for f in SUMMARY.fields} - set(recorded["body"]["output2"]) <= nulls(ours)
    if rows:
        same_shape(again, report)
    else:
        assert calls(again)[0]["output2"]["order"] == calls(report)[0]["output2"]["order"]


def test_more_rows_on_a_page_than_usual(
    clock: Clock,
    report_of: Callable[..., dict[str, Any]],
    client_of: Callable[..., Client],
) -> None:
    """Nothing relies on 20 rows: a service that sends 31 on a page is answered in kind."""
    with Broker(token_interval=0, clock=clock) as broker:
        replayed(broker, [today(rows=31)])
        report = report_of(broker)
    book = Book.sized({ACCOUNT: 45}, seed=1)
    with Broker(book=book, token_interval=0, clock=clock, form=report) as formed:
        balance = pulled(client_of(formed))
    assert (balance.pages, balance.positions.height) == (2, 45)


def test_a_refused_view_is_refused(
    clock: Clock,
    report_of: Callable[..., dict[str, Any]],
    client_of: Callable[..., Client],
) -> None:
    """rt_cd 7 with KIOK0560 and no blocks, as recorded live of a wrong product code."""
    refusal = {
        "status": 200,
        "headers": {"Content-Type": "application/json; charset=utf-8", "tr_cont": ""},
        "body": {"rt_cd": "7", "msg_cd": "KIOK0560", "msg1": "조회할 내용이 없습니다".ljust(80)},
    }
    with Broker(token_interval=0, clock=clock) as broker:
        broker.replay(refusal)
        report = report_of(broker)
    assert report["accounts"][0]["views"][0]["outcome"] == "ApiError"
    with Broker(token_interval=0, clock=clock, form=report) as formed:
        with pytest.raises(KisError, match="KIOK0560"):
            pulled(client_of(formed))
        (again,) = calls(report_of(formed))
    (told,) = calls(report)
    for name in ("status", "order", "rt_cd", "msg_cd", "tr_cont"):
        assert again[name] == told[name]
    assert "output1" not in again


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, '{rt_cd:"1",msg_cd:"EGW00551",msg1:"x"}', "no strict JSON"),
        (500, '{"rt_cd":"1","msg_cd":', "no strict JSON"),
        (502, "<html>80012345</html>", "HTML"),
        (503, "", "empty"),
        (503, "sorry", "no JSON"),
        (200, "[1]", "JSON, no object"),
    ],
)
def test_an_answer_that_is_no_json_object_comes_back_as_one(
    report_of: Callable[..., dict[str, Any]], status: int, body: str, kind: str
) -> None:
    """Maintenance pages and refusals without quotes are part of a service's form."""
    with Broker(token_interval=0) as broker:
        broker.fault(Fault(status=status, body=body))
        report = report_of(broker)
    with Broker(token_interval=0, form=report) as formed:
        again = report_of(formed)
    (one,), (other,) = calls(report), calls(again)
    assert one["body"] == kind
    for name in ("status", "body", "msg_cd"):
        assert other.get(name) == one.get(name)
    outcomes = [told["accounts"][0]["views"][0]["outcome"] for told in (report, again)]
    assert outcomes[0] == outcomes[1]


def test_numbers_that_are_no_texts_keep_their_digits(
    clock: Clock, report_of: Callable[..., dict[str, Any]]
) -> None:
    """A service that sends JSON numbers is told so and answered in kind."""
    recorded = today(rows=2)
    text = json.dumps(recorded["body"]).replace('"1042.35"', "1042.35").replace('"3"', "3")
    recorded["body"] = text
    with Broker(token_interval=0, clock=clock) as broker:
        broker.replay(recorded)
        report = report_of(broker)
    assert calls(report)[0]["output1"]["patterns"]["excc_unpr"] == {"number 9(4).9(2)": 2}
    book = Book.sized({ACCOUNT: 2}, seed=1)
    with Broker(book=book, token_interval=0, clock=clock, form=report) as formed:
        again = report_of(formed)
    styles = shape(again)[0]
    assert styles["output1.excc_unpr"] == Style("number", decimals=2)
    assert styles["output1.lqd_psbl_qty"] == Style("number", decimals=0)
