"""The embedded broker's book: contracts, prices, amounts, sums."""

from __future__ import annotations

import re
import time
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kis_nb.demo import Book, Portfolio
from kis_nb.demo.closed_days import CLOSED_DAYS
from kis_nb.demo.contracts import Instrument, check_digit
from kis_nb.demo.ledger import Funds, Marks, Requirement, Sides, ratio, summary
from kis_nb.demo.listings import first_contracts, listed
from kis_nb.demo.prices import Market
from kis_nb.demo.products import FUTURES, OPTIONS, SPREADS
from kis_nb.demo.sessions import (
    DAY,
    kst_date,
    last_traded,
    open_before,
    opens_at,
    paced,
    settled_at,
    settles_at,
    trading_day,
)
from kis_nb.demo.trades import Carried
from kis_nb.demo.underlyings import K200

NOW = 1_795_443_304  # Monday, 2026-11-23 23:15:04 in Seoul
SUNDAY = NOW - DAY
CLOSE = NOW + 16 * 3_600 + 1_796  # Tuesday 15:45
BIG, CALLED, OLD, EMPTY = "80012345-03", "70045678-03", "50087654-03", "60098765-03"
VIEWS = [(maintenance, purchase) for maintenance in (False, True) for purchase in (False, True)]
# Won a point by the two characters after the kind (docs/sources.md, "Codes and names").
MULTIPLIERS = {"01": 250_000, "05": 50_000, "09": 250_000, "AF": 250_000}
MULTIPLIERS |= {"06": 10_000, "AJ": 10_000, "AK": 10_000, "75": 10_000}
moments = st.integers(1_700_000_000, 2_300_000_000)


def rows_of(book: Book, account: str, moment: int = NOW, **basis: bool) -> list[dict[str, str]]:
    """All rows of an account, on the settlement basis unless told."""
    view = book.view(account, moment)
    return view.rows(0, len(view), **{"purchase": False, "new": False, **basis})


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
    options = 0
    for row in rows:
        multiplier, quantity = MULTIPLIERS[row["shtn_pdno"][1:3]], int(row["cblc_qty"])
        sign = {"02": 1, "01": -1}[row["sll_buy_dvsn_cd"]]
        value = hundredths(row["idx_clpr"]) * multiplier // 100 * quantity
        price = Decimal(row["ccld_avg_unpr1" if purchase else "excc_unpr"])
        # An average has eight decimals, its cost is the fills' own: they agree to the won.
        assert abs(price * quantity * multiplier - won(row, "pchs_amt")) < 1
        assert won(row, "evlu_amt") == value
        unpriced = hundredths(row["idx_clpr"]) == 0
        profit = 0 if unpriced else sign * (value - won(row, "pchs_amt"))
        assert won(row, "evlu_pfls_amt") == profit
        assert 0 <= int(row["lqd_psbl_qty"]) <= quantity
        future = row["shtn_pdno"][0] in "AD14"
        options += 0 if future else sign * value
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
    deposits = won(total, "dnca_sbst") + int(Decimal(total["frcr_dncl_amt"]))
    assert won(total, "nxdy_dncl_amt") == won(total, "nxdy_dnca") + deposits
    # As in responses of the day balance (docs/sources.md, "Equity and profit").
    assert won(total, "prsm_dpast") == won(total, "nxdy_dncl_amt") + options
    if not purchase:
        assert won(total, "prsm_dpast_amt") == won(total, "prsm_dpast") + pnl[True]
    assert won(total, "ord_psbl_tota") == won(total, "ord_psbl_cash") + won(total, "ord_psbl_sbst")
    if won(total, "add_mgna_tota"):
        assert won(total, "ord_psbl_tota") == won(total, "wdrw_psbl_tot_amt") == 0
    elif rows:
        free = won(total, "dnca_cash") - won(total, "cash_mgna")
        assert won(total, "ord_psbl_cash") == max(free, 0)


@pytest.mark.parametrize(("maintenance", "purchase"), VIEWS)
@pytest.mark.parametrize("account", [BIG, CALLED, OLD, EMPTY])
def test_amounts_and_sums_are_exact(account: str, maintenance: bool, purchase: bool) -> None:  # noqa: FBT001
    """On every account, under every code, rows follow from prices and sums from rows."""
    book = Book()
    total = book.view(account, NOW).summary(maintenance=maintenance, purchase=purchase)
    check(rows_of(book, account, purchase=purchase), total, purchase=purchase)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6), moment=moments, rows=st.integers(0, 60), cover=st.integers(2, 40)
)
def test_sums_are_exact_whatever_the_seed(seed: int, moment: int, rows: int, cover: int) -> None:
    """Any seed, moment, size and cover gives a book that adds up."""
    portfolio = Portfolio(BIG, rows, cover=Fraction(cover, 10), dollars=seed, unpriced=seed % 3)
    view = Book([portfolio], seed=seed).view(BIG, moment)
    for maintenance, purchase in VIEWS:
        lines = view.rows(0, rows, purchase=purchase, new=False)
        total = view.summary(maintenance=maintenance, purchase=purchase)
        check(lines, total, purchase=purchase)


def test_the_demo_accounts_show_what_there_is_to_show() -> None:
    """All products, both sides, flat and partly closed positions, pending orders, both names."""
    book = Book()
    assert book.accounts == [BIG, CALLED, OLD, EMPTY]
    assert len({account[0] for account in book.accounts}) == 4
    big, called = rows_of(book, BIG, new=True), rows_of(book, CALLED, new=True)
    assert (len(big), len(called), rows_of(book, EMPTY)) == (64, 6, [])
    options = {
        f"{kind}{code}" for kind in "BC" for code in ("01", "09", "AF", "05", "06", "AJ", "AK")
    }
    futures = {"A01", "A05", "A06", "A75", "D01"}
    assert {row["shtn_pdno"][:3] for row in big} == options | futures
    for kind in "ABC":
        sides = {row["sll_buy_dvsn_name"] for row in big if row["shtn_pdno"][0] == kind}
        assert {"매수", "매도"} <= sides
    assert {row["sll_buy_dvsn_name"] for row in called} == {"BUY", "SLL", ""}
    for row in (*big, *called):
        assert (row["sll_buy_dvsn_name"] == "") == (row["cblc_qty"] == "0")
    strikes = {
        Decimal(row["prdt_name"].split()[-1].replace(",", ""))
        for row in big
        if row["shtn_pdno"][:3] == "B01"
    }
    assert min(strikes) < 1_000 < max(strikes)
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


@settings(max_examples=60)
@given(moment=moments)
def test_the_margin_call_holds_on_every_day(moment: int) -> None:
    """One account is under a call at any time, the large one never, and the two codes agree."""
    book = Book()
    for account, called in ((BIG, False), (CALLED, True)):
        view = book.view(account, moment)
        first = view.summary(maintenance=False, purchase=False)
        second = view.summary(maintenance=True, purchase=False)
        assert won(first, "mgna_tota") > won(second, "mgna_tota") > 0
        assert first["add_mgna_tota"] == second["add_mgna_tota"]
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
    """Where nothing is traded at night, quantity, cost and settlement stay; only marks and P&L
    move.
    """
    book = Book()
    moving = {"idx_clpr", "evlu_amt", "evlu_pfls_amt"}
    now, later = rows_of(book, BIG), rows_of(book, BIG, NOW + 1_800)
    first, then = (book.view(BIG, moment).positions for moment in (NOW, NOW + 1_800))
    still = 0
    for before, after, one, two in zip(now, later, first, then, strict=True):
        if one.activity == two.activity:
            still += 1
            assert {name for name in before if before[name] != after[name]} <= moving
    assert still > 50


@pytest.mark.parametrize("size", [0, 1, 19, 20, 21, 45, 237, 1003, 10_000])
def test_a_book_of_any_size(size: int) -> None:
    """That many rows, every contract once, the same again from the same seed."""
    book = Book.sized({BIG: size}, seed=1)
    rows = rows_of(book, BIG)
    assert len(rows) == len(book.view(BIG, NOW)) == size
    assert len({row["pdno"] for row in rows}) == len({row["shtn_pdno"] for row in rows}) == size
    assert rows == rows_of(Book.sized({BIG: size}, seed=1), BIG)


@pytest.mark.parametrize("day", [date(2026, 11, 24), date(2026, 12, 10), date(2026, 9, 28)])
def test_the_day_s_flows_follow_from_its_trades(day: date) -> None:
    """Each won of a day is counted once: what the trades and the settlement brought in cash is what
    was made, realized or not.
    """
    account = Book()._account(BIG)
    settled, before = settles_at(day), settles_at(open_before(day))
    moved = 0
    for holding in account.holdings.on(day):
        carried = account.trader.carried(holding, day)
        lots = account.trader.trades(holding, day, carried.quantity)
        start = account.trader.position(holding, carried, (), before)
        end = account.trader.position(holding, carried, lots, settled)
        realized, won = end.activity.realized, end.instrument.won
        moved += bool(end.activity.traded)
        assert end.quantity == start.quantity + end.activity.opened - end.activity.closed
        if end.instrument.option:
            assert end.variation == 0
            paid = end.sign * (end.cost(purchase=True) - start.cost(purchase=True))
            assert end.premiums == realized - paid
        else:
            assert end.premiums == 0
            renewal = end.sign * carried.quantity * (end.settlement - start.settlement) * won
            unrealized = [
                each.sign * (each.cost(purchase=False) - each.cost(purchase=True))
                for each in (start, end)
            ]
            assert end.variation + renewal == realized + unrealized[1] - unrealized[0]
        short = end.sign < 0
        margined = end.quantity > 0 or (holding.last == day and lots[-1].free)
        assert (end.initial > 0) == (margined and (short or not end.instrument.option))
        if holding.last == day:
            assert (end.quantity, end.filled) == (0, 0)
        if holding.first == day:
            assert carried == Carried()
    assert moved > 10


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
    assert len(book._views) <= book._CACHED


def test_resizing_changes_the_data() -> None:
    """Opening positions raises the account's revision and shows at the same moment."""
    book = Book.sized({BIG: 3, CALLED: 3})
    assert (len(book.view(BIG, NOW)), book.revision(BIG)) == (3, 0)
    book.resize(BIG, 5)
    assert (len(book.view(BIG, NOW)), book.revision(BIG), book.revision(CALLED)) == (5, 1, 0)


def test_a_position_without_a_price_counts_for_nothing() -> None:
    """As published: price, value and P&L 0, the cost in the cost; one account has two."""
    view = Book().view(BIG, NOW)
    for purchase in (False, True):
        rows = view.rows(0, len(view), purchase=purchase, new=True)
        dead = [row for row in rows if row["idx_clpr"] == "0.00000000"]
        assert len(dead) == 2
        assert {row["shtn_pdno"][0] in "AD" for row in dead} == {True, False}
        for row in dead:
            assert row["evlu_amt"] == row["evlu_pfls_amt"] == "0"
            assert won(row, "pchs_amt") > 0
            assert int(row["cblc_qty"]) > 0
        total = view.summary(maintenance=False, purchase=purchase)
        assert won(total, "pchs_amt_smtl") == sum(won(row, "pchs_amt") for row in rows)
    for account in (CALLED, OLD):
        assert all(Decimal(row["idx_clpr"]) for row in rows_of(Book(), account))


@settings(max_examples=30)
@given(moment=moments)
def test_codes_of_the_old_scheme(moment: int) -> None:
    """One account's contracts are spelt as until 2025, and trade today under their new codes."""
    today = trading_day(moment)
    trading = {contract.name.replace("  ", " ").replace("  ", " ") for contract in listed(today)}
    rows = rows_of(Book(), OLD, moment)
    assert len(rows) == 5
    for row in rows:
        code, name = row["shtn_pdno"], row["prdt_name"]
        assert re.fullmatch(r"(1(01|75)|[23]01)[0-9A-HJ-NPR-TV-W](0[1-9]|1[0-2])([0-9]{3})?", code)
        assert name in trading
        if code[0] in "23":
            strike = Decimal(name.split()[-1])
            assert int(strike) == int(code[6:]) < 1_000
        assert luhn(row["pdno"])
        assert row["pdno"][3:6] == code[:3]


@settings(max_examples=60)
@given(moment=moments)
def test_contracts_are_alive_and_named_by_the_exchange(moment: int) -> None:
    """No contract is past its last day; codes, names and numbers follow the exchange's forms."""
    today = trading_day(moment)
    for contract in first_contracts(today, 300):
        last, product = contract.last_day, contract.product
        assert last >= today
        assert contract.expires_at > settles_at(open_before(today))
        monday = product.code in {"75", "AF", "AK"}
        weekly = product.code in {"09", "AF", "AJ", "AK"}
        # A holiday moves the last day, but not the name.
        rule = product.rule_day(contract.year, contract.month, contract.week)
        assert last == rule or rule in CLOSED_DAYS
        last = rule
        assert last.weekday() == (0 if monday else 3)
        week = (last.day - 1) // 7 + 1
        if weekly:
            assert monday or week != 2
            assert f" {last:%y%m}W{week} " in contract.name
        else:
            assert week == (3 if product.code == "75" else 2)
            assert contract.kind == "S" or f" {last:%Y%m}" in contract.name
        if contract.kind == "F" and product.code in {"01", "06"}:
            assert contract.month % 3 == 0
        assert len(contract.isin) == 12
        assert contract.isin.startswith("KR4" + contract.short_code[:3])
        assert luhn(contract.isin)


@settings(max_examples=10)
@given(moment=moments)
def test_every_listed_contract_has_codes_of_its_own(moment: int) -> None:
    """No two contracts of a day share a short code or a standard code; some 12,000 are listed."""
    contracts = listed(trading_day(moment))
    assert len(contracts) > 10_000
    assert len({contract.short_code for contract in contracts}) == len(contracts)
    assert len({contract.isin for contract in contracts}) == len(contracts)


def test_from_1000_up_the_code_holds_no_strike() -> None:
    """Below, three digits of whole points; above, a serial that no strike can be read from and
    that another series gives to another strike.
    """
    contracts = [c for c in listed(date(2026, 11, 24)) if c.product is OPTIONS[0] and c.kind == "C"]
    serials: dict[str, set[int]] = {}
    for contract in contracts:
        tail = contract.short_code[6:]
        if contract.strike < 100_000:
            assert tail == str(contract.strike // 100)
        else:
            assert re.fullmatch("[A-Z][0-9]{2}", tail)
            serials.setdefault(tail, set()).add(contract.strike)
    assert all(len(strikes) > 5 for strikes in serials.values())
    december = [c for c in contracts if c.month == 12 and c.strike >= 100_000]
    in_order = sorted(december, key=lambda c: c.short_code)
    assert in_order != december
    assert in_order != december[::-1]


def luhn(isin: str) -> bool:
    """Whether the check digit of ISO 6166 holds, counted another way than the book does."""
    digits = [int(d) for d in "".join(str(int(letter, 36)) for letter in isin)][::-1]
    return sum(sum(divmod(d * 2, 10)) if i % 2 else d for i, d in enumerate(digits)) % 10 == 0


THURSDAY, MONDAY, MINI, KOSDAQ = OPTIONS[1], OPTIONS[2], OPTIONS[3], OPTIONS[4]


@pytest.mark.parametrize(
    ("contract", "code", "name"),
    [
        # Lines of the master file, but for serials and week letters, for which no rule is known.
        (Instrument(FUTURES[0], "F", 2026, 12), "A01612", "F 202612"),
        (Instrument(FUTURES[1], "F", 2026, 10), "A05610", "미니F 202610"),
        (Instrument(FUTURES[2], "F", 2026, 12), "A06612", "코스닥150F 202612"),
        (Instrument(FUTURES[3], "F", 2026, 5), "A75605", "미국달러 F 202605"),
        (Instrument(OPTIONS[0], "C", 2026, 10, 74_500), "B01610745", "C 202610   745.0"),
        (Instrument(OPTIONS[0], "C", 2026, 12, 95_500), "B01612955", "C 202612   955.0"),
        (Instrument(OPTIONS[0], "P", 2026, 10, 112_000), "C01610...", "P 202610 1,120.0"),
        (Instrument(MINI, "C", 2026, 10, 97_250), "B05610972", "미니C 202610   972.5"),
        (Instrument(THURSDAY, "C", 2026, 9, 112_000, 4), "B09..W...", "위클리C 2609W4 1,120.0"),
        (Instrument(MONDAY, "C", 2026, 8, 96_250, 2), "BAF..W962", "위클리M C 2608W2   962.5"),
        (Instrument(MONDAY, "P", 2026, 11, 100_000, 4), "CAF..W...", "위클리M P 2611W4 1,000.0"),
        (Instrument(KOSDAQ, "P", 2026, 12, 148_000), "C06612...", "코스닥150P 202612 1,480.0"),
        (Instrument(SPREADS, "S", 2026, 12, far=(2027, 3), rank=1), "D0161201", "SP 2612-2703"),
        # The published answer of a sibling call.
        (Instrument(FUTURES[0], "F", 2023, 12, old=True), "101T12", "F 202312"),
        (Instrument(FUTURES[3], "F", 2023, 10, old=True), "175T10", "미국달러 F 202310"),
        (Instrument(OPTIONS[0], "C", 2023, 10, 34_000, old=True), "201T10340", "C 202310 340.0"),
        (Instrument(FUTURES[0], "F", 2022, 12, old=True), "101S12", "F 202212"),
        (Instrument(OPTIONS[0], "C", 2025, 9, 35_000, old=True), "201W09350", "C 202509 350.0"),
    ],
)
def test_codes_and_names(contract: Instrument, code: str, name: str) -> None:
    """Short codes and names as the master file and the published answers have them."""
    assert re.fullmatch(code, contract.short_code)
    assert contract.name == name


@pytest.mark.parametrize(
    "number",
    # Of the master file (docs/sources.md, "Master files") and of the published balance.
    [
        "KR4A016C0004",
        "KR4B016A7454",
        "KR4C016AA486",
        "KR4B09FEA490",
        "KR4BAFBR9622",
        "KR4101SC0009",
    ],
)
def test_published_product_numbers_check(number: str) -> None:
    """The check digits of published standard codes come out."""
    assert check_digit(number[:-1]) == number[-1]


def test_standard_codes() -> None:
    """Future and low option as in the master file; the published old one."""
    assert Instrument(FUTURES[0], "F", 2026, 12).isin == "KR4A016C0004"
    assert Instrument(OPTIONS[0], "C", 2026, 10, 74_500).isin == "KR4B016A7454"
    assert Instrument(FUTURES[0], "F", 2022, 12, old=True).isin == "KR4101SC0009"


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), moment=moments)
def test_prices_are_on_the_tick_and_hang_together(seed: int, moment: int) -> None:
    """Ticks as the exchange's; options above 0.01, over intrinsic, monotone, in parity."""
    market, today = Market(seed), trading_day(moment)
    ticks = {"A01": 5, "A05": 2, "A06": 10, "A75": 10, "D01": 5}
    for contract in first_contracts(today, 300):
        price = market.price(contract, moment)
        kosdaq = contract.product.code in {"06", "AJ", "AK"}
        small, turn, large = (10, 5_000, 50) if kosdaq else (1, 1_000, 5)
        tick = ticks.get(contract.short_code[:3], small if price < turn else large)
        assert price % tick == 0
        assert price > 1
    monthly = OPTIONS[0]
    year, month, _ = next(monthly.terms(today))
    strikes = monthly.strikes
    chain = {
        kind: [market.price(Instrument(monthly, kind, year, month, k), moment) for k in strikes]
        for kind in ("C", "P")
    }
    assert all(a >= b for a, b in pairwise(chain["C"]))
    assert all(a <= b for a, b in pairwise(chain["P"]))
    forward = market.forward(Instrument(monthly, "C", year, month, 60_000), moment) // 10_000
    for strike, call, put in zip(strikes, chain["C"], chain["P"], strict=True):
        assert abs(call - put - (forward - strike)) <= 8
        assert call >= forward - strike - 4


@given(moment=moments)
def test_settlement_is_the_last_quarter_to_four(moment: int) -> None:
    """The settlement is set at 15:45 in Seoul on the exchange's days; a trading day has one, and
    begins at 18:00 on the one before.
    """
    settled = settled_at(moment)
    seoul = time.gmtime(settled + 9 * 3_600)
    assert time.strftime("%H:%M:%S", seoul) == "15:45:00"
    assert seoul.tm_wday < 5
    assert kst_date(settled) not in CLOSED_DAYS
    following = [settled + n * DAY for n in range(1, (moment - settled) // DAY + 1)]
    assert all(kst_date(at).weekday() > 4 or kst_date(at) in CLOSED_DAYS for at in following)
    assert settled_at(settled) == settled
    day = trading_day(moment)
    assert day.weekday() < 5
    assert day not in CLOSED_DAYS
    assert opens_at(day) <= moment < settles_at(day) + 8_100
    assert time.strftime("%T", time.gmtime(opens_at(day) + 9 * 3_600)) == "18:00:00"
    assert kst_date(opens_at(day)) == open_before(day)


def in_session(moment: int) -> bool:
    """Whether a session is on, computed another way than the demo's.

    The hours are in docs/sources.md, "Trading hours".
    """
    seoul = time.gmtime(moment + 9 * 3_600)
    at = seoul.tm_hour * 100 + seoul.tm_min
    if kst_date(moment - (at < 600) * DAY) in CLOSED_DAYS:
        return False
    if seoul.tm_wday < 5 and (845 <= at < 1545 or at >= 1800):
        return True
    return at < 600 and 1 <= seoul.tm_wday <= 5


@settings(max_examples=200)
@given(moment=moments, later=st.integers(1, 3 * 3_600))
def test_the_market_stands_still_between_sessions(moment: int, later: int) -> None:
    """While no session is on, time stands still at the last one's end; in one, it goes on."""
    lived = paced(moment + later) - paced(moment)
    assert 0 <= lived <= 3 * later
    assert (last_traded(moment) == moment) or not in_session(moment)
    if in_session(moment):
        assert paced(moment + 1) > paced(moment)
    else:
        last = last_traded(moment)
        assert last <= moment
        assert paced(last) == paced(moment)
        assert in_session(last - 1)
        assert not any(in_session(at) for at in range(last, moment, 900))
        contract, market = Instrument(FUTURES[0], "F", 2042, 12), Market(3)
        assert market.price(contract, moment) == market.price(contract, last)


def test_busy_hours_move_more() -> None:
    """Over 60 trading days, half an hour from the opening moves the index more than at three."""
    market = Market(5)
    nights = [NOW + week * 7 * DAY + day * DAY for week in range(15) for day in range(4)]

    def moved(night: int, seconds: int) -> int:
        start = night - 83_704 + seconds  # NOW is 23:15:04
        return abs(market.level(K200, start + 1_800) - market.level(K200, start))

    small = sum(moved(night, (24 + 3) * 3_600) for night in nights)
    opening = sum(moved(night, (24 + 8) * 3_600 + 2_700) for night in nights)
    assert 5 * opening > 6 * small > 0


def test_expired_contracts_give_way_at_the_day_s_end() -> None:
    """A contract trades on its last day, is settled at its close, and is gone at 18:00."""
    close = 1_796_885_100  # 2026-12-10 15:45 in Seoul, the second Thursday
    assert time.strftime("%F %H:%M", time.gmtime(close + 9 * 3_600)) == "2026-12-10 15:45"
    moments = (close - 1, close, close + 8_099, close + 8_100)
    rows = [rows_of(Book(), CALLED, moment)[0] for moment in moments]
    names = [row["prdt_name"] for row in rows]
    assert names == ["F 202612", "F 202612", "F 202612", "F 202703"]
    assert [row["cblc_qty"] == "0" for row in rows] == [False, True, True, False]
    assert rows[1]["trad_pfls_amt"] != "0"
    lists = [{contract.name for contract in listed(trading_day(at))} for at in moments[::3]]
    assert "F 202612" in lists[0] - lists[1]


@given(st.integers(-(10**15), 10**15), st.integers(1, 10**9))
def test_ratios_have_eight_decimals_rounded_half_away(numerator: int, denominator: int) -> None:
    """A quotient differs from the exact one by half a unit of the eighth decimal at most."""
    text = ratio(numerator, denominator)
    assert len(text.partition(".")[2]) == 8
    assert abs(Fraction(text) - Fraction(numerator, denominator)) <= Fraction(1, 2 * 10**8)
