"""The embedded broker's book: contracts, prices, amounts, sums."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis_nb.demo import Book, Portfolio
from kis_nb.demo.instruments import (
    DAY,
    FUTURES,
    OPTIONS,
    Instrument,
    Market,
    Product,
    kst_date,
    settled_at,
    universe,
)
from kis_nb.demo.ledger import Funds, Marks, Requirement, Sides, ratio, summary
from kis_nb.demo.trades import trade

NOW = 1_795_356_904  # 2026-11-22 23:15:04 in Seoul
BIG, CALLED, EMPTY = "80012345-03", "70045678-03", "60098765-03"
VIEWS = [(maintenance, purchase) for maintenance in (False, True) for purchase in (False, True)]
MULTIPLIERS = {"201": 250_000, "301": 250_000}
MULTIPLIERS |= {"A01": 250_000, "A05": 50_000, "A06": 10_000, "A75": 10_000}
moments = st.integers(1_700_000_000, 2_300_000_000)


def rows_of(book: Book, account: str, moment: int = NOW, **basis: bool) -> list[dict[str, str]]:
    """All rows of an account, on the settlement basis unless told."""
    view = book.view(account, moment)
    return view.rows(0, len(view), **{"purchase": False, "named": True, **basis})


def won(block: dict[str, str], name: str) -> int:
    """A whole amount."""
    return int(block[name])


def hundredths(text: str) -> int:
    """A price that has no more than two decimals."""
    value = Decimal(text) * 100
    assert value == int(value)
    return int(value)


def check(rows: list[dict[str, str]], total: dict[str, str], *, purchase: bool) -> None:
    """Every amount of a row from its prices, and every sum from the rows, exactly."""
    pnl, realized = {True: 0, False: 0}, {True: 0, False: 0}
    for row in rows:
        multiplier, quantity = MULTIPLIERS[row["shtn_pdno"][:3]], int(row["cblc_qty"])
        sign = {"02": 1, "01": -1}[row["sll_buy_dvsn_cd"]]
        value = hundredths(row["idx_clpr"]) * multiplier // 100 * quantity
        price = Decimal(row["ccld_avg_unpr1" if purchase else "excc_unpr"])
        # An average has eight decimals, its cost is the fills' own: they agree to the won.
        assert abs(price * quantity * multiplier - won(row, "pchs_amt")) < 1
        assert won(row, "evlu_amt") == value
        assert won(row, "evlu_pfls_amt") == sign * (value - won(row, "pchs_amt"))
        assert 0 <= int(row["lqd_psbl_qty"]) <= quantity
        assert (row.get("sll_buy_dvsn_name", "?") == "") == (quantity == 0)
        future = row["shtn_pdno"][0] == "A"
        pnl[future] += won(row, "evlu_pfls_amt")
        realized[future] += won(row, "trad_pfls_amt")
    assert won(total, "pchs_amt_smtl") == sum(won(row, "pchs_amt") for row in rows)
    assert won(total, "evlu_amt_smtl") == sum(won(row, "evlu_amt") for row in rows)
    assert (won(total, "futr_evlu_pfls_amt"), won(total, "opt_evlu_pfls_amt")) == (
        pnl[True],
        pnl[False],
    )
    assert (won(total, "futr_trad_pfls_amt"), won(total, "opt_trad_pfls_amt")) == (
        realized[True],
        realized[False],
    )
    assert won(total, "evlu_pfls_amt_smtl") == sum(pnl.values())
    assert won(total, "trad_pfls_amt_smtl") == sum(realized.values())
    deposit = won(total, "dnca_cash") + won(total, "dnca_sbst")
    assert won(total, "tot_dncl_amt") == deposit + int(Decimal(total["frcr_dncl_amt"]))
    assert won(total, "cash_mgna") + won(total, "sbst_mgna") == won(total, "mgna_tota")
    assert won(total, "nxdy_dnca") == (
        won(total, "dnca_cash")
        + won(total, "opt_dfpa")
        + won(total, "thdt_dfpa")
        + won(total, "rnwl_dfpa")
        - won(total, "fee")
    )
    assert won(total, "ord_psbl_tota") == won(total, "ord_psbl_cash") + won(total, "ord_psbl_sbst")
    if won(total, "add_mgna_tota"):
        assert won(total, "ord_psbl_tota") == won(total, "wdrw_psbl_tot_amt") == 0
    elif rows:
        free = won(total, "dnca_cash") - won(total, "cash_mgna")
        assert won(total, "ord_psbl_cash") == max(free, 0)


@pytest.mark.parametrize(("maintenance", "purchase"), VIEWS)
@pytest.mark.parametrize("account", [BIG, CALLED, EMPTY])
def test_amounts_and_sums_are_exact(account: str, maintenance: bool, purchase: bool) -> None:  # noqa: FBT001
    """On every account, under every code, rows follow from prices and sums from rows."""
    book = Book()
    total = book.view(account, NOW).summary(maintenance=maintenance, purchase=purchase)
    check(rows_of(book, account, purchase=purchase), total, purchase=purchase)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), moment=moments, rows=st.integers(0, 60), cover=st.integers(2, 40)
)
def test_sums_are_exact_whatever_the_seed(seed: int, moment: int, rows: int, cover: int) -> None:
    """Any seed, moment, size and cover gives a book that adds up."""
    portfolio = Portfolio(BIG, rows, cover=Fraction(cover, 10), dollars=seed)
    view = Book([portfolio], seed=seed).view(BIG, moment)
    for maintenance, purchase in VIEWS:
        lines = view.rows(0, rows, purchase=purchase, named=True)
        total = view.summary(maintenance=maintenance, purchase=purchase)
        check(lines, total, purchase=purchase)


def test_the_demo_accounts_show_what_there_is_to_show() -> None:
    """All products, both sides, flat and partly closed positions, pending orders, both names."""
    book = Book()
    assert book.accounts == [BIG, CALLED, EMPTY]
    assert len({account[0] for account in book.accounts}) == 3
    big, called = rows_of(book, BIG), rows_of(book, CALLED)
    assert (len(big), len(called), rows_of(book, EMPTY)) == (64, 6, [])
    assert {row["shtn_pdno"][:3] for row in big} == set(MULTIPLIERS)
    assert len({row["shtn_pdno"][3:6] for row in big if row["shtn_pdno"][0] in "23"}) >= 3
    for kind in ("2", "3", "A"):
        sides = {row["sll_buy_dvsn_name"] for row in big if row["shtn_pdno"][0] == kind}
        assert {"매수", "매도"} <= sides
    assert {row["sll_buy_dvsn_name"] for row in called} == {"BUY", "SLL", ""}
    for rows in (big, called):
        flat = [row for row in rows if row["cblc_qty"] == "0"]
        assert flat
        assert all(row["trad_pfls_amt"] != "0" for row in flat)
        assert all(row["pchs_amt"] == row["evlu_amt"] == "0" for row in flat)
        assert any(row["trad_pfls_amt"] != "0" and row["cblc_qty"] != "0" for row in rows)
        assert any(int(row["lqd_psbl_qty"]) < int(row["cblc_qty"]) for row in rows)
    assert any(".5" in row["prdt_name"] for row in big)
    foreign = Decimal(
        book.view(BIG, NOW).summary(maintenance=False, purchase=False)["frcr_dncl_amt"]
    )
    assert foreign != int(foreign)
    assert foreign * 100 == int(foreign * 100)


@settings(max_examples=40, deadline=None)
@given(moment=moments)
def test_the_margin_call_holds_on_every_day(moment: int) -> None:
    """One account is under a call at any time, the large one never, and the two codes agree."""
    book = Book()
    for account, called in ((BIG, False), (CALLED, True)):
        view = book.view(account, moment)
        first = view.summary(maintenance=False, purchase=False)
        second = view.summary(maintenance=True, purchase=False)
        assert won(first, "mgna_tota") > won(second, "mgna_tota") > 0
        assert won(second, "mgna_tota") == won(first, "mmga_tot_amt")
        assert won(second, "cash_mgna") == won(first, "mmga_cash_amt")
        assert first["add_mgna_tota"] == second["add_mgna_tota"] == first["isfc_amt"]
        assert (won(first, "add_mgna_tota") > 0) is called
        assert (won(first, "prsm_dpast") < won(second, "mgna_tota")) is called
        if called:
            missing = won(first, "mgna_tota") - won(first, "prsm_dpast")
            assert won(first, "add_mgna_tota") == missing
            assert 0 < won(first, "add_mgna_cash") <= missing


def test_codes_change_what_they_name_and_nothing_else() -> None:
    """EXCC_STAT_CD moves cost and P&L, MGNA_DVSN the margin figures; marks and deposits stay."""
    view = Book().view(BIG, NOW)

    def figures(*, maintenance: bool, purchase: bool) -> dict[str, str]:
        return view.summary(maintenance=maintenance, purchase=purchase)

    def differ(a: dict[str, str], b: dict[str, str]) -> set[str]:
        return {name for name in a if a[name] != b[name]}

    base = figures(maintenance=False, purchase=False)
    by_basis = differ(base, figures(maintenance=False, purchase=True))
    assert by_basis == {
        "pchs_amt_smtl",
        "evlu_pfls_amt_smtl",
        "futr_evlu_pfls_amt",
        "opt_evlu_pfls_amt",
    }
    by_margin = differ(base, figures(maintenance=True, purchase=False))
    assert {"cash_mgna", "sbst_mgna", "mgna_tota", "ord_psbl_cash"} <= by_margin
    assert not by_margin & (by_basis | {"dnca_cash", "prsm_dpast", "add_mgna_tota"})


def test_the_published_example_is_worked_out() -> None:
    """The published account's deposits and margin give its published output2, figure by figure."""
    funds = Funds(
        cash=10_101_527_360,
        renewal=-16_200_000,
        initial=Requirement(108_922_232, 133_854_708),
    )
    marks = Marks(231_825_000, 230_587_500, Sides(futures=-1_237_500))
    figures = summary(funds, marks, maintenance=False)
    assert figures["nxdy_dnca"] == figures["prsm_dpast"] == "10085327360"
    for name in ("pprt_ord_psbl_cash", "wdrw_psbl_tot_amt", "ord_psbl_cash", "ord_psbl_tota"):
        assert figures[name] == "9858750420"


def test_a_fixed_moment_fixes_every_figure() -> None:
    """Two books of one seed agree at a moment; a second later, or another seed, they do not."""
    assert rows_of(Book(), BIG) == rows_of(Book(), BIG)
    marks = [row["idx_clpr"] for row in rows_of(Book(), BIG)]
    assert marks != [row["idx_clpr"] for row in rows_of(Book(), BIG, NOW + 1)]
    assert marks != [row["idx_clpr"] for row in rows_of(Book(seed=21), BIG)]


def test_a_night_moves_marks_alone() -> None:
    """Between two settlements quantity, cost and settlement stay; only marks and P&L move."""
    book = Book()
    moving = {"idx_clpr", "evlu_amt", "evlu_pfls_amt"}
    now, later = rows_of(book, BIG), rows_of(book, BIG, NOW + 1_800)
    for before, after in zip(now, later, strict=True):
        assert {name for name in before if before[name] != after[name]} <= moving


@pytest.mark.parametrize("size", [0, 1, 19, 20, 21, 45, 237, 1003, 10_000])
def test_a_book_of_any_size(size: int) -> None:
    """That many rows, every contract once, the same again from the same seed."""
    book = Book.sized({BIG: size}, seed=1)
    rows = rows_of(book, BIG)
    assert len(rows) == len(book.view(BIG, NOW)) == size
    assert len({row["pdno"] for row in rows}) == len({row["shtn_pdno"] for row in rows}) == size
    assert rows == rows_of(Book.sized({BIG: size}, seed=1), BIG)


class Rising(Market):
    """100 points up to the last settlement but one, 110 during the day, 120 at its end."""

    def price(self, instrument: Instrument, moment: int) -> int:  # noqa: ARG002
        return 12_000 if moment >= NOW else 11_000 if moment > NOW - DAY else 10_000


@pytest.mark.parametrize("index", range(30))
@pytest.mark.parametrize("kind", ["F", "C", "P"])
def test_the_day_s_flows_follow_from_its_trades(index: int, kind: Any) -> None:
    """Where prices rise, longs gain and shorts lose the same, and each won is counted once."""
    product = FUTURES[0] if kind == "F" else OPTIONS
    contract = Instrument(product, kind, 2026, 12, 0 if kind == "F" else 50_000)
    line = trade(Rising(0), contract, index=index, dice=Random(index), scale=9, now=NOW)
    unrealized = line.sign * (line.cost(purchase=False) - line.cost(purchase=True))
    if line.realized:
        assert (line.realized > 0) == (line.sign > 0)
    if kind == "F":
        assert line.premiums == 0
        assert (line.renewal > 0) == (line.sign > 0)
        # Carried contracts came in at the earlier settlement's price, so nothing else is left.
        assert line.realized + unrealized == line.renewal + line.day
    else:
        assert line.renewal == line.day == 0
        # What was paid, on balance, is the open cost less what was carried in and what was made.
        carried = line.cost(purchase=True) - line.sign * line.realized + line.sign * line.premiums
        assert carried > 0
        assert carried % (10_000 * contract.won) == 0
    short = line.sign < 0
    assert (line.initial > 0) == (line.quantity > 0 and (short or kind == "F"))


def test_too_many_rows_are_refused() -> None:
    """There are only so many contracts: a larger account is an error, not a shorter one."""
    with pytest.raises(ValueError, match="at most"):
        Book.sized({BIG: 20_000}).view(BIG, NOW)
    with pytest.raises(ValueError, match="twice"):
        Book([Portfolio(BIG, 1), Portfolio(BIG, 2)])


def test_a_moment_is_worked_out_once() -> None:
    """Pages of one moment share one view, and views are forgotten in the end."""
    book = Book.sized({BIG: 45})
    assert book.view(BIG, NOW) is book.view(BIG, NOW)
    for second in range(200):
        book.view(BIG, NOW + second)
    assert len(book._views) <= book._KEPT


def test_resizing_changes_the_data() -> None:
    """Opening positions raises the account's revision and shows at the same moment."""
    book = Book.sized({BIG: 3, CALLED: 3})
    assert (len(book.view(BIG, NOW)), book.revision(BIG)) == (3, 0)
    book.resize(BIG, 5)
    assert (len(book.view(BIG, NOW)), book.revision(BIG), book.revision(CALLED)) == (5, 1, 0)


@settings(max_examples=60, deadline=None)
@given(moment=moments)
def test_contracts_are_alive_and_named_by_the_exchange(moment: int) -> None:
    """No contract is past its last day; codes, names and numbers follow the exchange's forms."""
    today = kst_date(moment)
    for contract in universe(today, 80):
        last = contract.product.expiry(contract.year, contract.month)
        assert last > today
        assert last.weekday() == (0 if contract.product.code == "A75" else 3)
        assert (last.day - 1) // 7 == (2 if contract.product.code == "A75" else 1)
        assert contract.expires_at > moment
        if not contract.option:
            assert contract.month % 3 == 0
        month = f"{contract.year}{contract.month:02d}"
        assert month in contract.name
        assert len(contract.isin) == 12
        assert contract.isin.startswith("KR4")
        assert luhn(contract.isin)


def luhn(isin: str) -> bool:
    """Whether the check digit of ISO 6166 holds, counted another way than the book does."""
    digits = [int(d) for d in "".join(str(int(letter, 36)) for letter in isin)][::-1]
    return sum(sum(divmod(d * 2, 10)) if i % 2 else d for i, d in enumerate(digits)) % 10 == 0


@pytest.mark.parametrize(
    ("product", "kind", "year", "month", "strike", "code", "name"),
    [
        (FUTURES[0], "F", 2026, 12, 0, "A01612", "F 202612"),
        (FUTURES[1], "F", 2026, 12, 0, "A05612", "미니F 202612"),
        (FUTURES[2], "F", 2026, 12, 0, "A06612", "코스닥150 F 202612"),
        (FUTURES[3], "F", 2027, 3, 0, "A75703", "미국달러 F 202703"),
        (OPTIONS, "C", 2026, 12, 35_000, "201612350", "C 202612 350.0"),
        (OPTIONS, "P", 2027, 1, 31_250, "301701312", "P 202701 312.5"),
        (OPTIONS, "C", 2025, 9, 35_000, "201W09350", "C 202509 350.0"),
    ],
)
def test_codes_and_names(
    product: Product, kind: Any, year: int, month: int, strike: int, code: str, name: str
) -> None:
    """Short codes and names as the exchange forms them; half strikes lose the half in the code."""
    contract = Instrument(product, kind, year, month, strike)
    assert (contract.short_code, contract.name) == (code, name)


def test_the_published_product_number_checks() -> None:
    """The check digit of the published example comes out: KR4101SC0009."""
    old = Product("101", "F", FUTURES[0].underlying, 250_000, 5, 1, 1, 2, 3)
    contract = Instrument(old, "F", 2022, 12)
    assert (contract.isin, contract.short_code) == ("KR4101SC0009", "101S12")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), moment=moments)
def test_prices_are_on_the_tick_and_hang_together(seed: int, moment: int) -> None:
    """Ticks as the exchange's; options above 0.01, over intrinsic, monotone, in parity."""
    market, today = Market(seed), kst_date(moment)
    ticks = {"A01": 5, "A05": 2, "A06": 10, "A75": 10}
    for contract in universe(today, 300):
        price = market.price(contract, moment)
        tick = ticks.get(contract.product.code, 1 if price < 1_000 else 5)
        assert price % tick == 0
        assert price > 1
    year, month = next(OPTIONS.months(today, 1))
    strikes = range(40_000, 75_000, 250)
    chain = {
        kind: [market.price(Instrument(OPTIONS, kind, year, month, k), moment) for k in strikes]
        for kind in ("C", "P")
    }
    assert all(a >= b for a, b in pairwise(chain["C"]))
    assert all(a <= b for a, b in pairwise(chain["P"]))
    forward = market.forward(Instrument(OPTIONS, "C", year, month, 40_000), moment) // 10_000
    for strike, call, put in zip(strikes, chain["C"], chain["P"], strict=True):
        assert abs(call - put - (forward - strike)) <= 8
        assert call >= forward - strike - 4


@given(moment=moments)
def test_settlement_is_the_last_quarter_to_four(moment: int) -> None:
    """The settlement is set at 15:45 in Seoul, at most a day ago."""
    settled = settled_at(moment)
    assert 0 <= moment - settled < 86_400
    assert time.strftime("%H:%M:%S", time.gmtime(settled + 9 * 3_600)) == "15:45:00"


def test_expiry_follows_the_seoul_date() -> None:
    """At midnight in Seoul on the last trading day the contract gives way to the next."""
    midnight = 1_796_828_400  # 2026-12-10 00:00 in Seoul, the second Thursday
    assert kst_date(midnight) == date(2026, 12, 10)
    names = [rows_of(Book(), CALLED, moment)[2]["prdt_name"] for moment in (midnight - 1, midnight)]
    assert names == ["F 202612", "F 202703"]


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_ratios_have_eight_decimals_rounded_half_away(numerator: int, denominator: int) -> None:
    """A quotient differs from the exact one by half a unit of the eighth decimal at most."""
    text = ratio(numerator, denominator)
    assert len(text.partition(".")[2]) == 8
    assert abs(Fraction(text) - Fraction(numerator, denominator)) <= Fraction(1, 2 * 10**8)
