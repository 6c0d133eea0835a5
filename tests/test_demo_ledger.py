"""The embedded broker's accounts from day to day: every won of equity has a cause."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from kis_nb._frames.calendar import is_trading_day, last_trading_day
from kis_nb.demo import Book, Broker, Portfolio
from kis_nb.demo.account import Account
from kis_nb.demo.holdings import Holdings, role
from kis_nb.demo.listings import first_slots, terms
from kis_nb.demo.prices import Market
from kis_nb.demo.products import FUTURES, OPTIONS
from kis_nb.demo.sessions import (
    DAY,
    at_seoul,
    is_open,
    open_after,
    open_before,
    opens_at,
    paced,
    settles_at,
    trading_day,
)
from tests.demo_accounts import ACCOUNTS, Moment, attribution, closings

if TYPE_CHECKING:
    from tests.conftest import Clock

BIG, CALLED = ACCOUNTS[:2]
HOURS = 3_600
# Around which moments causes come together: a month's first day, expiries, holidays, a weekend.
TURNS = {
    "month": opens_at(date(2026, 12, 1)),
    "month after a holiday": opens_at(date(2027, 1, 4)),
    "quarterly expiry": at_seoul(date(2026, 12, 10), 15 * HOURS + 2_700),
    "after the expiry": opens_at(date(2026, 12, 11)),
    "Monday weekly": at_seoul(date(2026, 11, 30), 15 * HOURS + 2_700),
    "Chuseok": at_seoul(date(2026, 9, 24), 12 * HOURS),
    "weekend": at_seoul(date(2026, 11, 29), 3 * HOURS),
}


@pytest.fixture(scope="module")
def book() -> Book:
    """The demo accounts."""
    return Book()


def paid(account: Account, start: int, end: int) -> int:
    """What was paid into an account between two moments, by its own books."""
    day, last, total = trading_day(start), trading_day(end), 0
    while day < last:
        before, day = day, open_after(day)
        was, now = account.cash.opening(before), account.cash.opening(day)
        total += now.cash - was.cash - account.cash.made(before).flows
        total += now.substitute - was.substitute
    return total


def causes(book: Book, account: str, start: int, end: int) -> dict[str, Any]:
    """The attribution, which leaves nothing over; its cash flow is what was paid in."""
    found = attribution([Moment.of(book, account, moment) for moment in closings(start, end)])
    assert found["remainder"] == 0
    assert found["cash flow"] == paid(book._account(account), start, end)
    return found


@pytest.mark.parametrize("account", ACCOUNTS)
def test_every_won_between_two_moments_of_a_year_has_a_cause(book: Book, account: str) -> None:
    """P&L, fees, cash flow and the foreign deposit make up equity's change, to the won."""
    random = Random(account)
    start = opens_at(date(2026, 6, 1))
    for span in (60, 4 * HOURS, DAY, 3 * DAY, 12 * DAY, DAY, 40 * DAY):
        first = start + random.randrange(365 * DAY)
        found = causes(book, account, first, first + random.randrange(span) + 1)
        if account == ACCOUNTS[3]:
            assert not any(found.values())


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("account", ACCOUNTS[:3])
def test_every_won_around_a_turn_has_a_cause(book: Book, account: str, turn: str) -> None:
    """So it is from the second before an expiry, a month's first day or a holiday to the next."""
    at = TURNS[turn]
    for before, after in ((1, 0), (1, 1), (6 * HOURS, 9 * HOURS), (3 * DAY, 2 * DAY)):
        causes(book, account, at - before, at + after)


def test_the_same_by_http(clock: Clock) -> None:
    """The answers of the balance call themselves leave nothing over, within a night and over two
    weeks with a month's first day.
    """
    start = int(clock())  # a Sunday
    with Broker(clock=clock, monotonic=lambda: 0, calls_per_second=0) as broker:
        for account in ACCOUNTS:
            steps = []
            for moment in [
                *closings(start, start + 30 * HOURS),
                *closings(start, start + 12 * DAY),
            ]:
                clock.now = moment
                steps.append(Moment.asked(broker, account, moment))
            steps.sort(key=lambda step: step.moment)
            found = attribution(steps)
            assert found["remainder"] == 0
            assert found["cash flow"] == paid(
                broker.book._account(account), start, steps[-1].moment
            )
            assert (found["pnl"] != 0) is (account != ACCOUNTS[3])


def test_nothing_jumps(book: Book) -> None:
    """Over a settlement and over 18:00 nxdy_dnca and equity change by trades and deposits alone,
    and the variation of the last settlement stays beside the cash through the night.
    """
    day = date(2026, 11, 24)
    for account in ACCOUNTS[:3]:
        before, settled, closing = (
            Moment.of(book, account, settles_at(day) + seconds) for seconds in (-1, 0, 8_099)
        )
        # The futures' P&L since settlement goes into the variation.
        assert settled["prsm_dpast_amt"] == settled["prsm_dpast"] == closing["prsm_dpast_amt"]
        assert before["prsm_dpast_amt"] != before["prsm_dpast"]
        assert settled["dnca_cash"] == before["dnca_cash"] + before["rnwl_dfpa"]
        night, small = (
            Moment.of(book, account, opens_at(open_after(day)) + at) for at in (0, 11 * HOURS)
        )
        assert night["rnwl_dfpa"] == small["rnwl_dfpa"] == closing["rnwl_dfpa"] != 0
        assert night["dnca_cash"] == small["dnca_cash"]
        given = paid(book._account(account), closing.moment, night.moment)
        assert night["dnca_cash"] == closing["dnca_cash"] + closing.flows + given


def test_a_night_has_trades_from_its_first_second(book: Book) -> None:
    """At 18:00 there are fees, premiums, variation and realized P&L, and more trades follow while
    the night lasts.
    """
    opens = opens_at(date(2026, 11, 24))
    first = Moment.of(book, BIG, opens)
    for name in ("fee", "opt_dfpa", "thdt_dfpa", "futr_trad_pfls_amt", "opt_trad_pfls_amt"):
        assert first[name] != 0
    traded = [Moment.of(book, BIG, opens + hour * HOURS)["tot_ccld_amt"] for hour in range(13)]
    assert traded == sorted(traded)
    assert len(set(traded)) > 6
    quantities = [
        {code: held.quantity for code, held in Moment.of(book, BIG, opens + at).held.items()}
        for at in (0, 6 * HOURS, 12 * HOURS)
    ]
    assert quantities[0] != quantities[1] != quantities[2]


def test_no_figure_depends_on_what_was_asked_before() -> None:
    """The same moments in another order, and each of a new book, give the same figures."""
    random = Random(3)
    start = opens_at(date(2026, 12, 1))
    moments = [start + random.randrange(100 * DAY) for _ in range(10)]

    def read(book: Book, moment: int) -> tuple[Any, ...]:
        view = book.view(BIG, moment)
        rows = view.rows(0, len(view), purchase=True, new=False)
        return rows, view.summary(maintenance=True, purchase=True)

    one, two = Book(), Book()
    forwards = {moment: read(one, moment) for moment in moments}
    backwards = {moment: read(two, moment) for moment in reversed(moments)}
    assert forwards == backwards
    for moment in moments[:3]:
        assert read(Book(), moment) == forwards[moment]


def test_deposits_are_made_on_a_month_s_first_day_or_in_whole_ten_thousands() -> None:
    """Within a month cash comes and goes by whole 10,000 won, and seldom; deposits in securities
    change with the month alone.
    """
    for portfolio in Book()._portfolios.values():
        account = Account(portfolio, Market(20))
        day, inside = date(2026, 6, 1), 0
        for _ in range(60):
            before, day = day, open_after(day)
            was, now = account.cash.opening(before), account.cash.opening(day)
            if before.month == day.month:
                assert now.paid is not None
                assert now.paid % 10_000 == 0
                assert now.substitute == was.substitute
                inside += now.paid != 0
            else:
                assert now.paid is None
        assert inside < 60 // 2


def test_the_table_of_closed_days_is_the_calendar_s() -> None:
    """In the years that it covers, the broker's trading days are the client's, day for day."""
    days = [date(2025, 1, 1) + timedelta(days=n) for n in range(4 * 365 + 1)]
    assert days[-1] == date(2028, 12, 31)
    assert [day for day in days if is_open(day) != is_trading_day(day)] == []
    assert open_before(date(2026, 9, 28)) == date(2026, 9, 23)


def test_a_holiday_has_no_session() -> None:
    """On a holiday nothing trades and nothing is settled, and its evening has no night."""
    chuseok = date(2026, 9, 24)  # a Thursday; the Friday is one too
    morning = at_seoul(chuseok, 6 * HOURS)
    monday = at_seoul(date(2026, 9, 28), 8 * HOURS + 2_700)
    assert paced(morning) == paced(monday)
    assert paced(monday + 1) > paced(monday)
    assert trading_day(morning - HOURS) == trading_day(monday) == date(2026, 9, 28)
    account = Book()._account(BIG)
    for holding in account.holdings.on(date(2026, 9, 28)):
        quantity = account.trader.quantity(holding, date(2026, 9, 28))
        for lot in account.trader.trades(holding, date(2026, 9, 28), quantity):
            assert not morning <= lot.at < monday


def test_last_days_are_the_calendar_s() -> None:
    """A holiday moves a contract's last trading day where the client's calendar moves it."""
    names = {"01": "KOSPI 200", "09": "KOSPI 200 weekly Thursday", "AF": "KOSPI 200 weekly Monday"}
    checked = 0
    for product in (FUTURES[0], FUTURES[3], *OPTIONS[:3]):
        for year, month, week in product.terms(date(2025, 1, 1)):
            if year > 2028:
                break
            term = f"{year % 100}{month:02d}W{week}" if week else f"{year}{month:02d}"
            theirs = [
                found
                for name in (names.get(product.code, ""), "US dollar", *names.values())
                if (found := last_trading_day(name, term)) is not None
            ]
            if theirs and product.code in names:
                checked += 1
                assert product.last_day(year, month, week) == last_trading_day(
                    names[product.code], term
                )
    assert checked > 50


@pytest.mark.parametrize("product", [*FUTURES, *OPTIONS], ids=lambda each: each.names[0][1])
def test_terms_are_numbered_one_by_one(product: Any) -> None:
    """Each term's number is one more than the term's before it, whatever holidays move."""
    known = []
    for term in product.terms(date(2024, 6, 1)):
        known.append(product.number(*term))
        if len(known) == 150:
            break
    assert known == list(range(known[0], known[0] + 150))


def test_a_contract_keeps_its_traits_for_life(book: Book) -> None:
    """Side, size and role of a contract stay from its first day to its last, which lies between
    the two terms' expiries; each trait is there on every day.
    """
    account = book._account(BIG)
    seen: dict[str, Any] = {}
    day, count = date(2026, 10, 1), 0
    for _ in range(90):
        holdings = list(Holdings(account.portfolio, 20).on(day))
        assert len(holdings) == 64
        assert {each.role for each in holdings} == {"carried", "flat", "partly", "night"}
        assert sum(not each.priced for each in holdings) == 2
        for each in holdings:
            traits = each.first, each.last, each.role, each.sign, each.most, each.priced
            assert seen.setdefault(each.key, traits) == traits
            assert each.first <= day <= each.last
            count += each.first == day
        day = open_after(day)
    assert count > 100
    assert {role(number) for number in range(200, 20_000)} == {"carried"}
    known = terms(FUTURES[0], date(2026, 12, 11))
    assert open_after(known.made_room(3, 4)) == date(2026, 12, 11)
    assert len(first_slots(64)) == 64


def test_a_large_account_is_as_continuous() -> None:
    """Of 400 positions, too, nothing is left over; it is not looked after within a month."""
    large = Book([Portfolio(BIG, 400, scale=5, dollars=1_234_567, unpriced=4)], seed=7)
    start = at_seoul(date(2026, 12, 7), 20 * HOURS)
    found = causes(large, BIG, start, start + 5 * DAY)
    assert found["cash flow"] == 0
    assert found["foreign deposit"] != 0


def test_the_call_is_there_all_year() -> None:
    """One account is below its maintenance margin at each settlement and each evening, and has
    equity; the large one is never below.
    """
    book = Book()
    day = date(2026, 12, 1)
    while day < date(2027, 12, 1):
        for moment in (opens_at(day), settles_at(day)):
            for account in (BIG, CALLED):
                view = book.view(account, moment)
                total = view.summary(maintenance=True, purchase=False)
                short = int(total["prsm_dpast"]) < int(total["mgna_tota"])
                assert short is (account == CALLED)
                assert (int(total["add_mgna_tota"]) > 0) is short
        day = open_after(open_after(open_after(day)))
