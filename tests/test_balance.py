"""What a balance means: sides, reconciliation, labels, and how it shows itself."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from kis_nb._account import Account
from kis_nb._cli.export import export
from kis_nb._codes import Basis, Margin, view_title
from kis_nb._errors import KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances
from kis_nb._frames.columns import (
    DROP_ORDER,
    POSITION_COLUMNS,
    PROFIT_COLUMNS,
    SUMMARY_FIGURES,
    TEXT_COLUMNS,
    column_label,
)
from kis_nb._frames.failure import Failure
from kis_nb._frames.text import arrowed, exact, file_name, status_line
from tests.factories import decoded, make_balance, position

if TYPE_CHECKING:
    from collections.abc import Callable

    from kis_nb._client import Client
    from kis_nb.demo import Broker


def balance_of(*rows: dict[str, str], **summary: str) -> Balance:
    body = {"rt_cd": "0", "output1": list(rows), "output2": summary}
    return Balance.from_decoder(
        decoded([json.dumps(body).encode()], account=Account.parse("80012345-03")),
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
    assert "매수" in balance._repr_html_()


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
        (" 02 ", "  Buy  ", "3", "long"),
        (None, " sll ", "3", "short"),
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
    balance = Balance.from_decoder(
        decoded([body], account=Account.parse("80012345-03")),
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


def test_a_position_without_a_price_is_not_checked() -> None:
    """As a sibling call published it: price, value and P&L 0 beside a cost of 170,150,000 won."""
    row = {
        "shtn_pdno": "201T10340",
        "prdt_name": "C 202310 340.0",
        "sll_buy_dvsn_name": "매수",
        "cblc_qty": "2",
        "excc_unpr": "340.30000000",
        "idx_clpr": "0.00000000",
        "pchs_amt": "170150000",
        "evlu_amt": "0",
        "evlu_pfls_amt": "0",
    }
    checks = balance_of(row, {**row, "cblc_qty": "0"}, {**row, "evlu_amt": "5"}).reconcile()
    rows = checks.filter(pl.col("item").str.starts_with("row "))
    assert rows["what"][0] == "evlu_pfls_amt (no price yet)"
    assert rows["expected"].to_list() == [None, 0, 5 - 170_150_000]
    assert rows["status"].to_list() == [None, "exact", "differs"]


def test_a_spread_counts_among_the_futures() -> None:
    """Its P&L is part of futr_evlu_pfls_amt, and does not keep the totals from being checked."""
    spread = {"shtn_pdno": "D0161201", "prdt_name": "SP 2612-2703", "evlu_pfls_amt": "-7"}
    option = {"shtn_pdno": "B01612A48", "prdt_name": "C 202612 1,120.0", "evlu_pfls_amt": "3"}
    checks = balance_of(spread, option, futr_evlu_pfls_amt="-7", opt_evlu_pfls_amt="3").reconcile()
    kinds = checks.filter(pl.col("what").str.contains("evlu_pfls_amt of"))
    assert kinds["status"].to_list() == ["exact", "exact"]


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
    with pytest.raises(ValueError, match="lang takes one of 'ko', 'en'"):
        balance.relabel("fr")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (0, "0"),
        (Decimal(-1234567890123456789), "-1,234,567,890,123,456,789"),
        (Decimal("309.10000000"), "309.10"),
        (Decimal("309.12345678"), "309.12345678"),
        (Decimal("1234.12345678"), "1,234.12345678"),
        (Decimal("0.00000000"), "0.00"),
        (Decimal("1E+3"), "1,000"),
        (-1234, "-1,234"),
    ],
)
def test_exact_figures_have_separators_and_every_digit(value: Any, text: str) -> None:
    """Trailing zeros of a price beyond two say nothing and are left out."""
    assert exact(value) == text


def test_a_status_line_names_the_codes_when_asked() -> None:
    """Without a language it is the same for all readers; with one the codes get their words."""
    balance = make_balance([position(), position()], demo=True)
    plain = status_line(balance)
    assert plain == (
        "800*****-03 · MGNA_DVSN=01 · EXCC_STAT_CD=1 · 2 rows · 1 page · "
        "as of 2026-11-22 23:15:04 KST · DEMO"
    )
    assert "MGNA_DVSN=01 개시 · EXCC_STAT_CD=1 정산" in status_line(balance, "ko")
    assert file_name(balance) == "kis-800xxxxx-03-01-1-20261122-231504-DEMO"


@pytest.mark.parametrize(
    ("value", "text"), [(None, "–"), (0, "0"), (Decimal("7.5"), "▲ +7.50"), (-3, "▼ -3")]
)
def test_profits_and_losses_have_sign_and_arrow(value: Any, text: str) -> None:
    """A gain has a plus, and an arrow says what the colour says."""
    assert arrowed(value) == text


def test_readers_see_columns_that_every_balance_has() -> None:
    """Each column of the lists is in the frames, and has a label in both languages."""
    balance = make_balance()
    assert set(POSITION_COLUMNS) <= set(balance.positions.columns)
    assert set(SUMMARY_FIGURES) <= set(balance.summary.columns)
    assert {*TEXT_COLUMNS, *PROFIT_COLUMNS, *DROP_ORDER} <= set(POSITION_COLUMNS)
    for name in (*POSITION_COLUMNS, *SUMMARY_FIGURES):
        assert name not in {column_label(name, "ko"), column_label(name, "en")}


def test_views_are_named_by_word_and_code() -> None:
    """The word alone would leave open which code goes out, the code alone what it means."""
    assert view_title(Margin.INITIAL, Basis.SETTLEMENT, "ko") == "개시 01 · 정산 1"
    assert view_title(Margin.MAINTENANCE, Basis.PURCHASE, "en") == "Maintenance 02 · Purchase 2"


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
    assert "15행 더" in shown
    assert shown.count("<tr>") == 11


def test_an_empty_balance_shows_itself() -> None:
    """No table, a sentence."""
    assert "no positions" in balance_of()._repr_html_()


def test_the_repr_is_one_line() -> None:
    """Account masked, codes, rows, pages, moment."""
    assert repr(balance_of({})) == (
        "<Balance 800*****-03 · MGNA_DVSN=01 · EXCC_STAT_CD=1 · 1 row · 1 page · "
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


# KIS's answer of today, as it was recorded: 31 keys, four of the old ones absent, two new ones.
_TODAY = [
    *("dnca_cash", "frcr_dncl_amt", "dnca_sbst", "tot_dncl_amt", "tot_ccld_amt", "cash_mgna"),
    *("sbst_mgna", "mgna_tota", "opt_dfpa", "thdt_dfpa", "rnwl_dfpa", "fee", "nxdy_dnca"),
    *("nxdy_dncl_amt", "prsm_dpast", "prsm_dpast_amt", "pprt_ord_psbl_cash", "add_mgna_cash"),
    *("add_mgna_tota", "futr_trad_pfls_amt", "opt_trad_pfls_amt", "futr_evlu_pfls_amt"),
    *("opt_evlu_pfls_amt", "trad_pfls_amt_smtl", "evlu_pfls_amt_smtl", "wdrw_psbl_tot_amt"),
    *("ord_psbl_cash", "ord_psbl_sbst", "ord_psbl_tota", "pchs_amt_smtl", "evlu_amt_smtl"),
]


def test_todays_answer_without_the_old_fields() -> None:
    """31 keys in output2, rows with the side's name alone: every column stays, null if absent."""
    assert len(_TODAY) == 31
    row = {
        "shtn_pdno": "A01612",
        "prdt_name": "F 202612",
        "sll_buy_dvsn_name": "BUY",
        "cblc_qty": "3",
        "idx_clpr": "1112.00000000",
        "pchs_amt": "833625000",
        "evlu_amt": "834000000",
        "evlu_pfls_amt": "375000",
    }
    balance = balance_of(row, **(dict.fromkeys(_TODAY, "0") | {"prsm_dpast_amt": "499831830"}))
    assert balance.summary["prsm_dpast_amt"].to_list() == [499_831_830]
    for name in ("mmga_tot_amt", "mmga_cash_amt", "mtnc_rt", "isfc_amt"):
        assert balance.summary[name].to_list() == [None]
    for name in ("sll_buy_dvsn_cd", "trad_dvsn_name"):
        assert balance.positions[name].to_list() == [None]
    assert balance.positions["side"].to_list() == ["long"]
    checks = balance.reconcile()
    assert checks.filter(item="row 1 F 202612")["status"].to_list() == ["exact"]
    assert "매수" in balance._repr_html_()


# Codes, names and the unpriced position's cost as in a sibling account call's published answer; the
# other figures are ours.
_SIBLING = [
    ("101T09", "F 202309", "1", "335.65000000", "336.20000000", "84050000", "83912500"),
    ("175T10", "미국달러 F 202310", "3", "1320.00000000", "1322.00000000", "39660000", "39600000"),
    ("101T12", "F 202312", "2", "0.00000000", "340.30000000", "170150000", "0"),
    ("201T10340", "C 202310 340.0", "1", "0.00000000", "5.00000000", "1250000", "0"),
]


def _sibling() -> Balance:
    return balance_of(
        *(
            {
                "shtn_pdno": code,
                "prdt_name": name,
                "sll_buy_dvsn_name": "BUY",
                "cblc_qty": quantity,
                "idx_clpr": price,
                "excc_unpr": settled,
                "pchs_amt": cost,
                "evlu_amt": value,
                "evlu_pfls_amt": "0" if value == "0" else str(int(value) - int(cost)),
            }
            for code, name, quantity, price, settled, cost, value in _SIBLING
        )
    )


def test_products_of_an_account_of_the_old_scheme() -> None:
    """Codes of 2023 with names in KIS's spellings are read like today's."""
    frame = _sibling().products()
    assert frame["kind"].to_list() == ["future", "future", "future", "call"]
    assert frame["product"].to_list() == ["KOSPI 200", "USD/KRW", "KOSPI 200", "KOSPI 200"]
    assert [str(day) for day in frame["expiry"]] == [
        *("2023-09-14", "2023-10-16", "2023-12-14", "2023-10-12"),
    ]
    assert frame["strike"].to_list() == [None, None, None, 340]
    assert frame["multiplier"].to_list() == [250_000, 10_000, 250_000, 250_000]


def test_no_price_is_said_and_not_a_difference() -> None:
    """The row's check has nothing to expect, the sums say how many positions they lack."""
    checks = _sibling().reconcile()
    rows = checks.filter(pl.col("item").str.starts_with("row "))
    assert rows["status"].to_list() == ["exact", "exact", None, None]
    assert rows["what"].to_list()[2:] == ["evlu_pfls_amt (no price yet)"] * 2
    sums = checks.filter(pl.col("item").str.contains("2 of them without a price"))
    assert [text.split(" ")[0] for text in sums["what"]] == ["evlu_amt_smtl", "evlu_pfls_amt_smtl"]


def test_a_slice_of_balances_keeps_the_failures() -> None:
    """What could not be pulled is not forgotten by looking at a part."""
    one = balance_of()
    failure = Failure(one.account, one.mgna_dvsn, one.excc_stat_cd, KisError("refused"))
    several = Balances([one, one], [failure])
    assert several[:].failures == (failure,)
    assert len(several[1:]) == 1
    assert several[1:].failures == (failure,)


def test_a_position_without_a_price_shows_none() -> None:
    """In a cell and in a terminal: no P&L of 0, and how many positions the totals lack."""
    rows = [position(), position("B01612955", "C 202612   955.0", price=None)]
    rows[1] |= {"idx_clpr": Decimal(0), "evlu_amt": Decimal(0), "evlu_pfls_amt": Decimal(0)}
    balance = make_balance(rows)
    shown = balance._repr_html_()
    assert shown.count("가격 없음</td>") == 3
    assert "1종목 가격 없음 제외" in shown
    assert "가격 없음" not in make_balance(rows[:1])._repr_html_()
    english = export(balance, "table", blocks=["positions"], lang="en").decode()
    korean = export(balance, "table", blocks=["positions"], lang="ko").decode()
    assert "no price yet (null): 1," in english
    assert "가격 없음(null): 1종목" in korean
    assert english.count("null") == korean.count("null") == 4
    # What is kept in files stays what KIS sent.
    assert b'"evlu_pfls_amt": "0"' in export(balance, "json", blocks=["positions"])
