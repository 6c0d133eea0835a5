"""The table of errors, and refusals that are no strict JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kis_nb._wire.recovery import Recovery, meaning_of, read_loose_refusal
from kis_nb.demo.replies import ERRORS, error

# What the client does about each code (docs/sources.md, "Errors").
EXPECTED = {
    Recovery.SLOWER: "EGW00201",
    Recovery.SPACED: "EGW00215",
    Recovery.START_OVER: "SYDB0050",
    Recovery.NEW_TOKEN: "EGW00121 EGW00122 EGW00123",
    Recovery.KEY: "EGW00103 EGW00105 EGW00304 EGW02004 EGW02007",
    Recovery.ACCOUNT: "OPSQ2000 IGW00002 KIOK0560 APAC0071 APAC0134 SKFT2101 APBK1271 APAC0489 "
    "APBK1617 90070000",
    Recovery.REQUEST: "APMP0001 OPSQ2001 OPSQ0002 EGW00310 EGW00356 EGW02006 EGW00213 EGW00205 "
    "EGW00131 EGW00132 EGW00207 EGW00303",
    Recovery.PORTAL: "EGW00003 EGW00004 EGW00206 EGW00550 EGW00551 EGW00552 EGW00553",
    Recovery.AGAIN: "EGW00001 EGW00002 EGW00202 EGW00203 EGW00204 EGW00300 EGW00301 EGW00302 "
    "EGW00316 OPSQ0003 OPSQ0004 OPSQ0005 OPSQ0006 OPSQ0007 OPSQ0008 OPSQ0009 OPSQ0010 OPSQ0011 "
    "OPSQ1002 90020000",
}
CASES = [(code, recovery) for recovery, codes in EXPECTED.items() for code in codes.split()]


@pytest.mark.parametrize(("code", "recovery"), CASES)
def test_every_code_has_its_recovery(code: str, recovery: Recovery) -> None:
    """The client's table agrees with what is known of each code, and the broker can send each."""
    assert meaning_of(code, ERRORS[code][2]).recovery is recovery


@pytest.mark.parametrize("code", [code for code, _ in CASES])
def test_what_a_person_must_do_is_said(code: str) -> None:
    """Wherever asking again does not help, a hint; plain words without the code."""
    meaning = meaning_of(code, "")
    final = {Recovery.KEY, Recovery.ACCOUNT, Recovery.REQUEST, Recovery.PORTAL}
    assert bool(meaning.hint) == (meaning.recovery in final)
    assert code not in meaning.hint


@pytest.mark.parametrize("blanks", ["", " ", "  "])
def test_the_sentence_counts_whatever_the_code(blanks: str) -> None:
    """The same Korean sentence came with unknown codes, with and without a blank."""
    text = f"초당{blanks}거래건수를 초과하였습니다."
    for code in ("EGW00215", "EGW99999", ""):
        assert meaning_of(code, text).recovery is Recovery.SPACED
    assert meaning_of("EGW00201", text).recovery is Recovery.SLOWER
    assert meaning_of("EGW99999", "초당").recovery is Recovery.NOTHING


@pytest.mark.parametrize(
    "body",
    [
        '{rt_cd:"1",msg_cd:"EGW00550",msg1:"신청하지 않은 거래소입니다."}',
        '{ rt_cd : "1" , msg_cd : "EGW00550" , msg1 : "신청하지 않은 거래소입니다." }',
        "{'rt_cd':'1','msg_cd':'EGW00550','msg1':'신청하지 않은 거래소입니다.'}",
        '{rt_cd:1,"msg_cd":"EGW00550",msg1:"신청하지 않은 거래소입니다.",',
        ' \r\n{rt_cd:"1",msg_cd:"EGW00550",msg1:"신청하지 않은 거래소입니다."}',
    ],
)
def test_a_refusal_without_quotes_tells_its_code(body: str) -> None:
    """As overseas futures answered; blanks, other quotes and a lost end are got over."""
    assert read_loose_refusal(body.encode()) == {
        "rt_cd": "1",
        "msg_cd": "EGW00550",
        "msg1": "신청하지 않은 거래소입니다.",
    }


def test_the_escapes_of_a_refusal_without_quotes_are_undone() -> None:
    r"""Many JSON writers spell / as \/; a secret spelt so would pass the scrubber."""
    body = r'{rt_cd:"1",msg_cd:"EGW00304",msg1:"\uc2dc\ud06c\u0032 ab\/c\\d\n\ud83d"}'
    assert read_loose_refusal(body.encode())["msg1"] == "시크2 ab/c\\d ?"


def test_a_token_refusal_without_quotes_tells_its_code() -> None:
    """It has no rt_cd."""
    found = read_loose_refusal(b'{error_code:"EGW00133",error_description:"x"}')
    assert found == {"error_code": "EGW00133", "error_description": "x"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>{rt_cd:",
        b'[{rt_cd:"1",msg_cd:"EGW00550"}]',
        b'{rt_cd:"0",msg_cd:"KIOK0510",msg1:"x"}',
        b'{msg_cd:"KIOK0510",msg1:"x"}',
        b'{rt_cd:"1"}',
        b'{rt_cd:"0",msg_cd:"KIOK0510",rt_cd:"1"}',
        b'{"output1":[],rt_cd:"1",msg_cd:"EGW00550"}',
        b'{rt_cd:"1",msg_cd:"EGW00550",x:"' + b"x" * 5000 + b'"}',
        b'{rt_cd:"1' + b'"{,' * 1000,
    ],
)
def test_what_is_not_surely_a_refusal_is_none(body: bytes) -> None:
    """A success, a page with rows, no code, too long: asked again as before."""
    assert read_loose_refusal(body) == {}


@given(st.binary(max_size=5000))
def test_any_bytes_are_read(body: bytes) -> None:
    """No body makes it fail, and a success never passes for a refusal."""
    found = read_loose_refusal(b"{" + body)
    assert found.get("rt_cd") != "0" or "error_code" in found


@pytest.mark.parametrize("cut", range(1, 120, 7))
def test_a_page_cut_short_is_no_refusal(cut: int) -> None:
    """Wherever a good answer ends too early."""
    page = {"rt_cd": "0", "msg_cd": "KIOK0530", "msg1": "조회되었습니다", "output1": []}
    assert read_loose_refusal(json.dumps(page).encode()[:cut]) == {}


def test_the_ledgers_refusal_has_the_gateways_words() -> None:
    """Told apart by the code alone."""
    assert error("EGW00215").body.replace(b"215", b"201") == error("EGW00201").body
