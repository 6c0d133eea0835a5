"""Page bytes to frames: every digit, or a DecimalError that names the place."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kis_nb._account import Account
from kis_nb._errors import DecimalError, DecodeError
from kis_nb._frames.decode import Decoder
from kis_nb._frames.glossary import fields
from kis_nb._schema.night_balance import NIGHT_BALANCE, POSITIONS, SUMMARY
from kis_nb._wire.page_json import PageBody
from tests.factories import decode

if TYPE_CHECKING:
    from collections.abc import Callable

_PRICE = "idx_clpr"
_AMOUNT = "evlu_amt"
_COUNT = "cblc_qty"


def page(*rows: Any, summary: Any = None, **changed: Any) -> bytes:
    body = {"rt_cd": "0", "output1": list(rows), "output2": {} if summary is None else summary}
    return json.dumps({**body, **changed}).encode()


def one(field: str, text: Any) -> Any:
    """What a column makes of one wire value."""
    frame, _ = decode([page({field: text})], NIGHT_BALANCE)
    return frame[field][0]


def allowed(text: str, precision: int, scale: int) -> Decimal | None:
    """The rule of the issue, written down with `decimal`: the value, or None for an error."""
    found = re.fullmatch(r"[+-]?([0-9]+)(?:\.([0-9]+))?", text.strip(" "))
    if found is None or len((found[2] or "").rstrip("0")) > scale:
        return None
    value = Decimal(text.strip(" "))
    return value if abs(value) < Decimal(10) ** (precision - scale) else None


_NUMBERS = st.from_regex(r"\A {0,2}[+-]?0{0,9}[0-9]{1,24}(\.[0-9]{0,10})? {0,2}\Z")
_ANYTHING = st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda t: t.strip(" ") != "")
_ODD = st.text("0123456789.+-eE_, ٣３∞", min_size=1, max_size=14).filter(lambda t: t.strip(" "))


@given(_NUMBERS | _ODD | _ANYTHING)
@example("1e3")
@example("1234.00")
@example("52305.170000000")
@example("0.123456789")
@example("999999999999999.99999999")
@example("-0")
@example("1\n")
@example("1\n2")
@example("00000000000000000000000000000000000000000000000000000000000000007")
@pytest.mark.parametrize(
    ("field", "precision", "scale"),
    [(_PRICE, 23, 8), (_AMOUNT, 19, 0), ("frcr_dncl_amt", 21, 2)],
)
def test_a_number_is_what_decimal_says_or_an_error(
    field: str, precision: int, scale: int, text: str
) -> None:
    """For any text, the column holds decimal.Decimal's own value, or the pull fails."""
    block = "output1" if field in {f.name for f in POSITIONS.fields} else "output2"
    body = page(*([{field: text}] if block == "output1" else []), summary={field: text})
    expected = allowed(text, precision, scale)
    if expected is None:
        with pytest.raises(DecimalError) as caught:
            decode([body], NIGHT_BALANCE)
        assert caught.value.field == field
        assert caught.value.value == text.strip(" ")
    else:
        frames = decode([body], NIGHT_BALANCE)
        assert frames[block == "output2"][field].to_list() == [expected]


@given(st.integers(-(2**63), 2**63 - 1), st.sampled_from(["{}", " {}", "{}  "]))
def test_a_count_is_exact_over_all_of_int64(number: int, padding: str) -> None:
    """Quantities come back as the same int."""
    assert one(_COUNT, padding.format(number)) == number


@pytest.mark.parametrize("text", ["", " ", "                   ", None])
def test_a_blank_number_is_null_and_never_zero(text: str | None) -> None:
    """No value stays no value."""
    assert one(_AMOUNT, text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [(" 12", 12), ("12 ", 12), ("0012", 12), ("+12", 12), ("-0012", -12), (" +0012 ", 12)],
)
def test_padding_leading_zeros_and_a_plus_are_fine(text: str, value: int) -> None:
    """KIS pads, and nothing is lost by reading it."""
    assert one(_AMOUNT, text) == value
    assert one(_COUNT, text) == value


@pytest.mark.parametrize(
    "text",
    [
        "12345678901234567890",
        "- 1",
        "5.",
        ".5",
        "0x1F",
        "1,234",
        "NaN",
        "nan",
        "inf",
        "1e400",
        "1e3",
        "12.3.4",
        "１２",
        "١٢",
        "0.1",
        "--1",
        "1_0",
        ".",
    ],
)
def test_anything_else_is_a_decimal_error(text: str) -> None:
    """What Polars or Python would read kindly is refused all the same."""
    with pytest.raises(DecimalError):
        one(_AMOUNT, text)


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        ("309.100000000000000000001", "309.100000000000000000001"),
        ("1e400", "1e400"),
        ("3", "3"),
        ("12345678901234567890123", "12345678901234567890123"),
        ("true", "true"),
        ('{"a": 1.50}', '{"a":1.50}'),
    ],
)
def test_a_json_number_is_an_error_that_keeps_its_spelling(wire: str, said: str) -> None:
    """A float has lost digits before we see it, so it is refused, and quoted as sent."""
    raw = page({_PRICE: "SWAP"}).replace(b'"SWAP"', wire.encode())
    with pytest.raises(DecimalError) as caught:
        decode([raw], NIGHT_BALANCE)
    assert caught.value.value == said


@pytest.mark.parametrize("pages_before", [0, 1, 30, 31, 32, 63, 130])
@pytest.mark.parametrize("bad", ["1,5", 1.5])
def test_the_error_names_field_value_page_and_row(pages_before: int, bad: Any) -> None:
    """The place is right within a lot of pages and beyond it."""
    good = page(*({_AMOUNT: "1"} for _ in range(20)))
    last = page(*({_AMOUNT: "1"} for _ in range(6)), {_AMOUNT: bad}, {_AMOUNT: "2"})
    with pytest.raises(DecimalError) as caught:
        decode([good] * pages_before + [page(), last, good], NIGHT_BALANCE)
    error = caught.value
    assert (error.field, error.value, error.page, error.row) == (
        _AMOUNT,
        str(bad),
        pages_before + 2,
        7,
    )
    assert f"page {pages_before + 2}" in str(error)
    assert "row 7" in str(error)


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        (_AMOUNT, "1234.00", "1234"),
        (_AMOUNT, "-001234.000000000000", "-1234"),
        (_AMOUNT, "0000000000000000000009999999999999999999.0", "9999999999999999999"),
        (_PRICE, "52305.170000000", "52305.17"),
        (_PRICE, "-52305.170000000", "-52305.17"),
        (_PRICE, "+0.123456780000", "0.12345678"),
        (_PRICE, "-0.000000000", "0"),
        (_COUNT, "12.00", "12"),
    ],
)
def test_zeros_that_say_nothing_may_outnumber_the_places(field: str, text: str, value: str) -> None:
    """A value padded with zeros is read; other figures in its column stay what they are."""
    frame, _ = decode([page({field: "7"}, {field: text}, {field: ""})], NIGHT_BALANCE)
    assert frame[field].to_list() == [7, Decimal(value), None]


@pytest.mark.parametrize(
    ("field", "text"),
    [(_AMOUNT, "1234.010"), (_PRICE, "52305.1700000010"), (_COUNT, "1.50"), (_AMOUNT, "1e3.0")],
)
def test_a_digit_beyond_the_places_stays_an_error(field: str, text: str) -> None:
    """Padding hides no digit: the error quotes what was sent, and its own row."""
    with pytest.raises(DecimalError) as caught:
        decode([page({field: "1.000000000"}, {field: text})], NIGHT_BALANCE)
    assert (caught.value.value, caught.value.row) == (text, 2)


def test_a_bad_figure_of_the_summary_has_no_row() -> None:
    """output2 is one object."""
    with pytest.raises(DecimalError) as caught:
        decode([page(summary={"fee": "0"}), page(summary={"fee": "x"})], NIGHT_BALANCE)
    assert (caught.value.page, caught.value.row) == (2, None)


def test_the_dtypes_are_the_glossarys(exchange: Callable[[str], dict[str, Any]]) -> None:
    """The published example has exactly the documented columns, in glossary order."""
    body = json.dumps(exchange("balance-ok")["body"]).encode()
    rows, summary = decode([body], NIGHT_BALANCE)
    for frame, block in ((rows, POSITIONS), (summary, SUMMARY)):
        assert frame.columns == [field.name for field in block.fields]
        for field in block.fields:
            said = frame.schema[field.name]
            shown = (
                f"Decimal({said.precision},{said.scale})"
                if isinstance(said, pl.Decimal)
                else str(said)
            )
            assert shown == field.dtype, field.name


def test_missing_fields_are_null_columns_and_unknown_ones_are_kept_as_text() -> None:
    """New and missing fields, different from row to row, lose nothing."""
    rows, summary = decode(
        [
            page({_AMOUNT: "1", "new_a": "007"}, {"new_b": " x "}, summary={"new_c": None}),
            page({"new_d": {"k": [1, 2]}, _AMOUNT: "2"}, summary={"new_c": 1.5}),
        ],
        NIGHT_BALANCE,
    )
    assert rows.columns == [f.name for f in POSITIONS.fields] + ["new_a", "new_b", "new_d"]
    assert rows[_AMOUNT].to_list() == [1, None, 2]
    assert rows["new_a"].to_list() == ["007", None, None]
    assert rows["new_b"].to_list() == [None, " x ", None]
    assert rows["new_d"].to_list() == [None, None, '{"k":[1,2]}']
    assert rows["pdno"].null_count() == 3
    assert summary["new_c"].to_list() == ["1.5"]
    assert summary["fee"].to_list() == [None]


def test_fields_in_another_order_and_blanks_are_read_as_ever() -> None:
    """What a row has decides, not where in the row it is."""
    frame, _ = decode(
        [
            page({_AMOUNT: "1", _COUNT: "2", "prdt_name": " F 202612"}),
            page({_COUNT: "3 ", "prdt_name": "", _AMOUNT: None}),
            page({"prdt_name": None, _AMOUNT: "  ", _COUNT: ""}),
        ],
        NIGHT_BALANCE,
    )
    assert frame[_AMOUNT].to_list() == [1, None, None]
    assert frame[_COUNT].to_list() == [2, 3, None]
    assert frame["prdt_name"].to_list() == ["F 202612", "", None]


@pytest.mark.parametrize("text", ["", " ", "5"])
def test_a_line_end_in_a_number_is_an_error_beside_blanks(text: str) -> None:
    """A column is checked as lines, of which a blank is none."""
    rows = [{_AMOUNT: text}, {_AMOUNT: "1\n2"}, {_AMOUNT: "3"}]
    with pytest.raises(DecimalError) as caught:
        decode([page(*rows)], NIGHT_BALANCE)
    assert (caught.value.value, caught.value.row) == ("1\n2", 2)


@pytest.mark.parametrize("value", [0, False, 0.0, [], {}])
@pytest.mark.parametrize("field", [_AMOUNT, _COUNT, "prdt_name"])
def test_what_is_false_in_python_is_not_blank(field: str, value: Any) -> None:
    """Blank is text or null; an empty list or a JSON zero is an error as any number is."""
    with pytest.raises(DecodeError, match=f"page 1, output1 row 2.*{field}") as caught:
        decode([page({field: "1"}, {field: value}, {field: None})], NIGHT_BALANCE)
    assert caught.value.page == 1


def test_no_rows_still_have_every_column() -> None:
    """An empty account gives an empty frame of the same shape."""
    rows, _ = decode([page()], NIGHT_BALANCE)
    assert rows.height == 0
    assert rows.schema[_PRICE] == pl.Decimal(23, 8)


def test_the_summary_may_be_a_list_of_one() -> None:
    """Siblings of the call send output2 so."""
    _, summary = decode([page(summary=[{"fee": "12"}])], NIGHT_BALANCE)
    assert summary["fee"].to_list() == [12]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"output1": None}, "output1 is null"),
        ({"output1": {}}, "output1 is an object"),
        ({"output1": "x"}, "output1 is text"),
        ({"output1": ["x"]}, "output1 row 1 is not an object"),
        ({"output1": [{"cano": "1"}, None]}, "output1 row 2 is not an object"),
        ({"output1": [[]]}, "output1 row 1 is not an object"),
        ({"output1": [[1, 2]]}, "output1 row 1 is not an object"),
        ({"output1": [{"cano": "1"}, ["cano"]]}, "output1 row 2 is not an object"),
        ({"output1": [{}, []]}, "output1 row 2 is not an object"),
        ({"output1": [{"prdt_name": 5}]}, "prdt_name is not text"),
        ({"output2": []}, "output2 is a list of 0"),
        ({"output2": [{}, {}]}, "output2 is a list of 2"),
        ({"output2": "x"}, "output2 is text"),
        ({"output2": None}, "output2 is null"),
        ({"output2": 5}, "output2 is a number"),
    ],
)
def test_a_wrong_shape_is_a_decode_error(changed: dict[str, Any], said: str) -> None:
    """What is not as documented is named, not guessed at."""
    with pytest.raises(DecodeError, match=re.escape(said)) as caught:
        decode([page(), page(**changed)], NIGHT_BALANCE)
    assert caught.value.page == 2


@pytest.mark.parametrize("block", ["output1", "output2"])
def test_a_missing_block_is_a_decode_error(block: str) -> None:
    """A body without a block is not an empty account."""
    body = json.loads(page())
    del body[block]
    with pytest.raises(DecodeError, match=f"{block} is missing"):
        decode([json.dumps(body).encode()], NIGHT_BALANCE)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_a_decode_error(body: bytes) -> None:
    """Whatever the gateway let through."""
    with pytest.raises(DecodeError):
        decode([body], NIGHT_BALANCE)


@pytest.mark.parametrize("depth", [60, 250, 1000, 5000])
def test_rows_of_lists_within_lists_are_refused(depth: int) -> None:
    """Two such rows cannot be compared: Python's stack ends."""
    raw = page("SWAP", "SWAP").replace(b'"SWAP"', b"[" * depth + b"]" * depth)
    with pytest.raises(DecodeError):
        decode([raw], NIGHT_BALANCE)


@pytest.mark.parametrize("field", ["trad_dvsn_name", _AMOUNT, "new"])
@pytest.mark.parametrize("depth", [60, 250, 1000, 5000])
def test_lists_within_lists_are_refused_in_little_memory(field: str, depth: int) -> None:
    """Polars took gigabytes over a page of 6 kB, which ended the kernel (found by the fuzzer)."""
    raw = page({field: "SWAP"}).replace(b'"SWAP"', b"[" * depth + b"0.1" + b"]" * depth)
    if field == "new" and depth < 254:
        rows, _ = decode([raw], NIGHT_BALANCE)
        assert rows["new"][0] == "[" * depth + "0.1" + "]" * depth
    else:
        with pytest.raises(DecodeError):
            decode([raw], NIGHT_BALANCE)


@pytest.mark.parametrize(
    "number", ["0.1000000000000000055511151231257827", "1e400", "123456789012345678901234567890"]
)
def test_an_unknown_number_keeps_its_digits(number: str) -> None:
    """A float would round what the document does not know either (found by the fuzzer)."""
    raw = page({"new": "SWAP", "in": {"a": "SWAP"}}, summary={"new": "SWAP"})
    rows, summary = decode([raw.replace(b'"SWAP"', number.encode())] * 2, NIGHT_BALANCE)
    assert rows["new"].to_list() == [number] * 2
    assert rows["in"].to_list() == [f'{{"a":{number}}}'] * 2
    assert summary["new"].to_list() == [number]


@pytest.mark.parametrize("wire", ["1" + "0" * 400, "-Infinity", '"\\ud800"'])
def test_what_json_allows_and_no_column_holds_is_a_typed_error(wire: str) -> None:
    """A number beyond every integer type, and half a surrogate pair (found by the fuzzer)."""
    for raw in (
        page({_AMOUNT: "SWAP"}),
        page({"prdt_name": "SWAP"}),
        page(summary={"fee": "SWAP"}),
    ):
        with pytest.raises(DecodeError):
            decode([raw.replace(b'"SWAP"', wire.encode())], NIGHT_BALANCE)


def test_the_account_is_masked_in_whatever_block_it_comes() -> None:
    """Where the document does not have it too."""
    rows, summary = decode(
        [page({"CANO": "80012345"}, summary={"cano": "80012345"})], NIGHT_BALANCE
    )
    assert rows["CANO"].to_list() == ["800*****"]
    assert summary["cano"].to_list() == ["800*****"]


@pytest.mark.parametrize(
    ("wire", "shown"),
    [
        ("80012345", "800*****"),
        ("8001234503", "800*****03"),
        ("계좌 80012345-03 확인", "계좌 800*****-03 확인"),
        ("80012346", "80012346"),
        ("1800123450", "1800123450"),
    ],
)
def test_the_account_is_masked_wherever_a_text_repeats_it(wire: str, shown: str) -> None:
    """In a field the document does not know, and in one it does; an amount keeps its digits."""
    rows = {"acct_no": wire, "prdt_name": wire, _AMOUNT: "80012345"}
    positions, summary = decode(
        [page(rows, {}, summary={"memo": wire})], NIGHT_BALANCE, Account.parse("80012345-03")
    )
    assert positions["acct_no"].to_list() == [shown, None]
    assert positions["prdt_name"].to_list() == [shown, None]
    assert summary["memo"].to_list() == [shown]
    assert positions[_AMOUNT].to_list() == [80012345, None]


def test_text_is_trimmed_and_the_account_is_masked() -> None:
    """prdt_name comes padded, and cano never enters a frame whole."""
    rows, _ = decode([page({"cano": "80012345", "prdt_name": " F 202612   "})], NIGHT_BALANCE)
    assert rows["cano"].to_list() == ["800*****"]
    assert rows["prdt_name"].to_list() == ["F 202612"]


def test_an_error_carries_no_frame_that_holds_the_rows() -> None:
    """A traceback that shows locals must not print whole rows."""
    decoder = Decoder(NIGHT_BALANCE)
    decoder.add(PageBody(page({"cano": "80012345", _AMOUNT: "x"})))
    with pytest.raises(DecodeError) as caught:
        decoder.frames()
    trace = caught.tb.tb_next
    while trace is not None:
        assert "80012345" not in repr(trace.tb_frame.f_locals)
        trace = trace.tb_next


def test_fields_is_the_glossary_of_the_shared_document() -> None:
    """A row a field, both languages, with dtype and unit."""
    glossary = fields()
    assert glossary.columns == ["block", "field", "ko", "en", "dtype", "unit", "note"]
    assert glossary.height == len(POSITIONS.fields) + len(SUMMARY.fields) == 53
    assert glossary.filter(field="evlu_pfls_amt").row(0)[2:6] == (
        "평가손익금액",
        "Unrealized P&L",
        "Decimal(19,0)",
        "KRW",
    )
    for lang in ("ko", "en"):
        assert glossary.filter(block="output1")[lang].is_unique().all()
        assert glossary.filter(block="output2")[lang].is_unique().all()
