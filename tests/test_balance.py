"""What a balance means: sides, reconciliation, labels, and how it shows itself."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from kis_nb._balance import Balance, Balances, exact
from kis_nb._fields import Account, Basis, Margin

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb.demo import Broker


def balance_of(*rows: dict[str, str], **summary: str) -> Balance:
    body = {"rt_cd": "0", "output1": list(rows), "output2": summary}
    return Balance.from_pages(
        [json.dumps(body).encode()],
        account=Account.parse("80012345-03"),
        mgna_dvsn=Margin.INITIAL,
        excc_stat_cd=Basis.SETTLEMENT,
        as_of=1_795_356_904,
    )


def test_an_unknown_field_takes_no_name_of_ours() -> None:
    """KIS may add one called like a column, a key or a label of ours (found by the fuzzer)."""
    ours = ("side", "wire_side", "account", "as_of", "종목명", "Side")
    row = dict.fromkeys(ours, "x") | {"cblc_qty": "1", "sll_buy_dvsn_cd": "02"}
    balance = balance_of(row, **dict.fromkeys(ours, "y"))
    assert balance.positions["side"].to_list() == ["long"]
    assert balance.positions["wire_side"].to_list() == ["x"]
    assert balance.positions["wire_wire_side"].to_list() == ["x"]
    assert balance.summary["wire_account"].to_list() == ["y"]
    assert Balances([balance]).positions["account"].to_list() == ["800*****-03"]
    for lang in ("ko", "en"):
        assert balance.relabel(lang).positions.width == balance.positions.width
    assert "long" in balance._repr_html_()


@pytest.mark.parametrize(
    ("code", "name", "quantity", "side"),
    [
        ("02", "매수", "3", "long"),
        ("02", "BUY", "3", "long"),
        ("01", "매도", "3", "short"),
        ("01", "SLL", "3", "short"),
        ("02", None, "3", "long"),
        ("01", "", "3", "short"),
        (None, "매도", "3", "short"),
        ("", "buy", "3", "long"),
        ("02", "", "0", "flat"),
        ("", "", "0", "flat"),
        (None, None, "3", None),
        ("02", "매도", "3", None),
        ("07", "", "3", None),
        ("02", "매수", None, "long"),
    ],
)
def test_the_side_is_what_the_wire_tells(
    code: str | None, name: str | None, quantity: str | None, side: str | None
) -> None:
    """By code or name; flat when nothing is open; null when it does not tell or says two things."""
    row = {"sll_buy_dvsn_cd": code, "sll_buy_dvsn_name": name, "cblc_qty": quantity}
    balance = balance_of({key: text for key, text in row.items() if text is not None})
    assert balance.positions["side"].to_list() == [side]
    assert balance.positions.schema["side"] == pl.Enum(["long", "short", "flat"])


def test_side_stands_between_documented_and_unknown_fields() -> None:
    """Documented columns first, in glossary order."""
    balance = balance_of({"pdno": "x", "zz_new": "1"})
    assert balance.positions.columns[-3:] == ["lqd_psbl_qty", "side", "zz_new"]


def check(balance: Balance, what: str) -> dict[str, Any]:
    rows = balance.reconcile().filter(pl.col("what").str.starts_with(what))
    assert rows.height == 1, what
    return rows.row(0, named=True)


def test_the_published_example_reconciles_but_for_the_known_identity(
    exchange: Callable[[str], dict[str, Any]],
) -> None:
    """ord_psbl_cash is dnca_cash less mgna_tota there, not less cash_mgna as documented."""
    body = json.dumps(exchange("balance-ok")["body"]).encode()
    balance = Balance.from_pages(
        [body],
        account=Account.parse("80012345-03"),
        mgna_dvsn=Margin.INITIAL,
        excc_stat_cd=Basis.SETTLEMENT,
        as_of=0,
    )
    checks = balance.reconcile()
    assert checks.columns == ["what", "item", "expected", "found", "difference", "status"]
    differing = checks.filter(pl.col("status") != "exact")
    assert differing["what"].to_list() == ["ord_psbl_cash = dnca_cash - cash_mgna"]
    assert differing["difference"].to_list() == [Decimal("-133854708.00")]
    equity = checks.filter(pl.col("status").is_null())
    assert set(equity["item"]) == {"equity at this moment"}


@pytest.mark.parametrize(
    ("found", "status"),
    [("100", "exact"), ("101", "rounding"), ("98", "rounding"), ("103", "differs")],
)
def test_a_won_or_two_is_rounding(found: str, status: str) -> None:
    """Sums were seen one won off on a live account."""
    rows = [{"evlu_pfls_amt": "60"}, {"evlu_pfls_amt": "40"}]
    row = check(balance_of(*rows, evlu_pfls_amt_smtl=found), "evlu_pfls_amt_smtl = Σ")
    assert row["status"] == status
    assert row["difference"] == Decimal(found) - 100


def test_rows_are_checked_by_side() -> None:
    """A short gains when its value falls."""
    row = {"pchs_amt": "500", "evlu_amt": "400", "cblc_qty": "1", "evlu_pfls_amt": "100"}
    short = balance_of({**row, "sll_buy_dvsn_cd": "01"})
    long = balance_of({**row, "sll_buy_dvsn_cd": "02"})
    assert check(short, "evlu_pfls_amt = pchs_amt")["status"] == "exact"
    assert check(long, "evlu_pfls_amt = evlu_amt")["difference"] == 200
    untold = balance_of(row)
    assert check(untold, "evlu_pfls_amt against")["status"] is None


def test_what_the_wire_lacks_is_listed_without_a_status() -> None:
    """A missing figure is neither right nor wrong."""
    checks = balance_of({"evlu_amt": "1"}, evlu_amt_smtl="1").reconcile()
    stated = checks.filter(pl.col("status").is_not_null())
    assert stated["what"].to_list() == ["evlu_amt_smtl = Σ evlu_amt"]


def test_a_product_of_unknown_kind_leaves_the_kind_totals_open() -> None:
    """It could belong to either."""
    known = {"shtn_pdno": "A01612", "evlu_pfls_amt": "5"}
    total = {"futr_evlu_pfls_amt": "5"}
    assert check(balance_of(known, **total), "futr_evlu_pfls_amt = Σ")["status"] == "exact"
    unknown = {"shtn_pdno": "Z01612", "evlu_pfls_amt": "0"}
    assert check(balance_of(known, unknown, **total), "futr_evlu_pfls_amt = Σ")["status"] is None


def test_nineteen_digit_amounts_add_up_exactly() -> None:
    """Far beyond what a float can tell apart."""
    big = "9999999999999999999"
    rows = [{"evlu_amt": big} for _ in range(3)]
    row = check(balance_of(*rows, evlu_amt_smtl=big), "evlu_amt_smtl = Σ")
    assert row["expected"] == 3 * Decimal(big)
    assert row["difference"] == -2 * Decimal(big)


def test_every_demo_view_adds_up(broker: Broker, client_of: Callable[..., Client]) -> None:
    """All accounts, all codes: nothing of the embedded broker differs."""
    broker.calls_per_second = 0
    many = client_of(broker, calls_per_second=1000).balances(
        mgna_dvsn=list(Margin), excc_stat_cd=list(Basis)
    )
    assert len(many) == 16
    for balance in many:
        checks = balance.reconcile()
        identity = pl.col("what") == "ord_psbl_cash = dnca_cash - cash_mgna"
        assert checks.filter(pl.col("status") == "differs", ~identity).height == 0


def test_relabel_speaks_both_languages() -> None:
    """Column names change, figures and order do not."""
    balance = balance_of({"evlu_pfls_amt": "5", "zz": "1"}, fee="7")
    korean, english = balance.relabel("ko"), balance.relabel("en")
    assert korean.positions.columns[-6:] == [
        "평가금액",
        "평가손익금액",
        "매매손익금액",
        "청산가능수량",
        "방향",
        "zz",
    ]
    assert english.positions["Unrealized P&L"].to_list() == [5]
    assert english.summary["Fees"].to_list() == [7]
    assert balance.positions.columns[0] == "cano"
    with pytest.raises(ValueError, match="'ko' or 'en'"):
        balance.relabel("fr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (Decimal(-1234567890123456789), "-1,234,567,890,123,456,789"),
        (Decimal("309.10000000"), "309.10"),
        (Decimal("309.12345678"), "309.12345678"),
        (Decimal("0.00000000"), "0.00"),
        (Decimal("1E+3"), "1,000"),
        (-1234, "-1,234"),
    ],
)
def test_exact_figures_have_separators_and_every_digit(value: Any, text: str) -> None:
    """Trailing zeros of a price beyond two say nothing and are left out."""
    assert exact(value) == text


def test_the_html_repr_shows_exact_digits_and_no_account() -> None:
    """Masked, escaped, with separators, and short."""
    rows = [
        {"cano": "80012345", "prdt_name": "<b>F</b>", "evlu_amt": "9999999999999999999"}
        for _ in range(25)
    ]
    shown = balance_of(*rows, prsm_dpast="1234567890123456789")._repr_html_()
    assert "1,234,567,890,123,456,789" in shown
    assert "9,999,999,999,999,999,999" in shown
    assert "800*****-03" in shown
    assert "80012345" not in shown
    assert "<b>F</b>" not in shown
    assert "15 more rows" in shown
    assert shown.count("<tr>") == 11


def test_an_empty_balance_shows_itself() -> None:
    """No table, a sentence."""
    assert "no positions" in balance_of()._repr_html_()


def test_the_repr_is_one_line() -> None:
    """Account masked, codes, rows, pages, moment."""
    assert repr(balance_of({})) == (
        "<Balance 800*****-03 MGNA_DVSN=01 EXCC_STAT_CD=1 1 row, 1 page, "
        "as of 2026-11-22 23:15:04 KST>"
    )


def test_a_balance_survives_pickling() -> None:
    """For process pools and caches."""
    balance = balance_of({"evlu_amt": "5"})
    back = pickle.loads(pickle.dumps(balance))
    assert repr(back) == repr(balance)
    assert back.positions.equals(balance.positions)


def test_balances_are_a_sequence() -> None:
    """Length, index, slice, iteration."""
    many = Balances([balance_of({}), balance_of()])
    assert len(many) == 2
    assert many[1].positions.height == 0
    assert isinstance(many[:1], Balances)
    assert [b.positions.height for b in many] == [1, 0]
    assert many.positions["as_of"].to_list() == [many[0].as_of]


def test_unknown_fields_of_some_pulls_only_are_kept() -> None:
    """At the right, null elsewhere."""
    many = Balances([balance_of({"pdno": "a"}), balance_of({"pdno": "b", "zz": "1"})])
    assert many.positions["zz"].to_list() == [None, "1"]
