"""The exchange's trading days and last trading days, against a second calendar."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
import QuantLib

from kis_nb._frames.calendar import is_trading_day, last_opening, last_trading_day
from kis_nb._seoul import KST


def _differ(year: int) -> set[str]:
    """The days of a year that are a trading day here and none in QuantLib, or the reverse."""
    theirs = QuantLib.SouthKorea(QuantLib.SouthKorea.KRX)
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(366))
    return {
        f"{day} {'open' if is_trading_day(day) else 'closed'}"
        for day in days
        if day.year == year
        and is_trading_day(day) != theirs.isBusinessDay(QuantLib.Date(day.day, day.month, day.year))
    }


@pytest.mark.parametrize(
    ("year", "differ"),
    [
        *((year, set()) for year in range(2018, 2025)),
        # Presidential election: announced two months before, and not in QuantLib.
        (2025, {"2025-06-03 closed"}),
        # Local elections; Constitution Day, a holiday again by the law of 2026.
        (2026, {"2026-06-03 closed", "2026-07-17 closed"}),
        # Substitutes for 1 May (Saturday) and for Constitution Day (Saturday).
        (2027, {"2027-05-03 closed", "2027-07-19 closed"}),
    ],
)
def test_two_calendars_agree_but_for_these_days(year: int, differ: set[str]) -> None:
    """`holidays` with our two closings is QuantLib's KRX, and has the days that QuantLib lacks."""
    assert _differ(year) == differ


@pytest.mark.parametrize(
    ("product", "term", "day"),
    [
        ("KOSPI 200", "202612", "2026-12-10"),
        ("KOSPI 200 mini", "202611", "2026-11-12"),
        ("KOSDAQ 150", "202703", "2027-03-11"),
        # Hangul Day 2025 is the second Thursday after a week of Chuseok: six days back.
        ("KOSPI 200", "202510", "2025-10-02"),
        ("USD/KRW", "202612", "2026-12-21"),
        # Korean New Year's eve is the third Monday of February 2026.
        ("USD/KRW", "202602", "2026-02-13"),
        # Chuseok's eve is the fourth Thursday of September 2026.
        ("KOSPI 200 weekly Thu", "2609W4", "2026-09-23"),
        ("KOSPI 200 weekly Thu", "2611W4", "2026-11-26"),
        ("KOSPI 200 weekly Thu", "2611W2", None),
        ("KOSPI 200 weekly Thu", "2611W5", None),
        ("KOSPI 200 weekly Thu", "2612W5", "2026-12-30"),
        ("KOSPI 200 weekly Mon", "2611W4", "2026-11-23"),
        ("KOSPI 200 weekly Mon", "2611W2", "2026-11-09"),
        # A Monday weekly goes to the day after: the substitute for Buddha's birthday, 2026.
        ("KOSPI 200 weekly Mon", "2605W4", "2026-05-26"),
        ("KOSDAQ 150 weekly Mon", "2605W4", "2026-05-26"),
        ("KOSPI 200 weekly Mon", "2611W0", None),
        ("KOSPI 200", "2611W4", None),
        ("KOSPI 200 weekly Mon", "202611", None),
    ],
)
def test_last_trading_day(product: str, term: str, day: str | None) -> None:
    """The rules of the exchange, with holidays moved past."""
    found = last_trading_day(product, term)
    assert (None if found is None else found.isoformat()) == day


def test_every_term_is_reckoned() -> None:
    """No year that a name can tell is too far for the calendar."""
    for year in range(2000, 2100):
        assert last_trading_day("KOSPI 200", f"{year}12") is not None


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        ("2026-11-23T08:44:59", "2026-11-20T08:45:00"),
        ("2026-11-23T08:45:00", "2026-11-23T08:45:00"),
        ("2026-11-22T23:15:04", "2026-11-20T08:45:00"),
        ("2027-01-01T12:00:00", "2026-12-30T08:45:00"),
    ],
)
def test_last_opening(moment: str, opening: str) -> None:
    """The day session that has opened last, weekends and holidays skipped."""
    found = last_opening(datetime.fromisoformat(moment).replace(tzinfo=KST).timestamp())
    assert datetime.fromtimestamp(found, KST).replace(tzinfo=None).isoformat() == opening
