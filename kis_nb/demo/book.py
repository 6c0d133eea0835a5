"""The accounts of the embedded broker, at any moment."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from kis_nb.demo.account import Account, AccountView
from kis_nb.demo.portfolio import DEMO, Portfolio
from kis_nb.demo.prices import Market
from kis_nb.demo.sessions import is_open, settles_at
from kis_nb.demo.trades import Position

T = TypeVar("T")


class Book:
    """All accounts, at any moment. Thread-safe; the same seed and moment give the same figures.

    Args:
        portfolios: the accounts; the four demo accounts when left out.
        seed: prices follow from it.

    Raises:
        ValueError: an account is named twice.
    """

    _CACHED = 64  # views; a pull needs one
    _PERIODS = 8

    def __init__(self, portfolios: Sequence[Portfolio] = DEMO, *, seed: int = 20) -> None:
        if len({portfolio.account for portfolio in portfolios}) != len(portfolios):
            raise ValueError("an account is named twice")
        self._portfolios = {portfolio.account: portfolio for portfolio in portfolios}
        self._market = Market(seed)
        self._revisions = dict.fromkeys(self._portfolios, 0)
        self._accounts: dict[str, tuple[int, Account]] = {}
        self._views: OrderedDict[object, AccountView] = OrderedDict()
        self._periods: OrderedDict[object, list[tuple[date, Position]]] = OrderedDict()
        self._lock = threading.RLock()

    @classmethod
    def sized(cls, rows: Mapping[str, int], *, seed: int = 1) -> Book:
        """A book with that many positions in each account (``{"80012345-03": 237}``)."""
        return cls([Portfolio(account, count) for account, count in rows.items()], seed=seed)

    @property
    def accounts(self) -> list[str]:
        """Account numbers, the one with most positions first."""
        return sorted(self._portfolios, key=lambda account: -self._portfolios[account].rows)

    def __contains__(self, account: object) -> bool:
        return account in self._portfolios

    def __repr__(self) -> str:
        return f"<Book of {len(self._portfolios)} accounts>"

    def revision(self, account: str) -> int:
        """How often `resize` has changed the account; earlier page keys are invalid."""
        return self._revisions[account]

    def resize(self, account: str, rows: int) -> None:
        """Open or close positions until there are `rows`, also in the middle of a pull."""
        with self._lock:
            self._portfolios[account] = replace(self._portfolios[account], rows=rows)
            self._revisions[account] += 1

    @property
    def market(self) -> Market:
        """The prices."""
        return self._market

    def view(self, account: str, moment: int) -> AccountView:
        """The account at a moment in epoch seconds.

        Raises:
            KeyError: no such account.
        """
        with self._lock:
            return self._cached(
                self._views,
                (account, self._revisions[account], moment),
                lambda: self._account(account).view(moment),
                self._CACHED,
            )

    def unpriced(self, moment: int) -> frozenset[str]:
        """The short codes, in today's scheme, of the contracts that some account holds without a
        price at a moment in epoch seconds, and none with one.
        """
        codes: dict[bool, set[str]] = {True: set(), False: set()}
        if any(portfolio.unpriced for portfolio in self._portfolios.values()):
            for account in self._portfolios:
                for position in self.view(account, moment).positions:
                    codes[position.priced].add(position.instrument.todays_code)
        return frozenset(codes[False] - codes[True])

    def traded(
        self, account: str, start: date, end: date, moment: int
    ) -> list[tuple[date, Position]]:
        """What an account traded on the trading days from `start` to `end`, as known at a moment in
        epoch seconds: each day's positions with trades, in order.

        Raises:
            KeyError: no such account.
        """
        with self._lock:
            # The same of any moment after the last day's end.
            known = min(moment, settles_at(end))
            return self._cached(
                self._periods,
                (account, self._revisions[account], start, end, known),
                lambda: self._add_up(self._account(account), start, end, known),
                self._PERIODS,
            )

    def _add_up(
        self, account: Account, start: date, end: date, moment: int
    ) -> list[tuple[date, Position]]:
        days = (start + timedelta(days=n) for n in range((end - start).days + 1))
        return [
            (day, position)
            for day in days
            if is_open(day)
            for position in account.traded(day, moment)
        ]

    def _account(self, account: str) -> Account:
        revision = self._revisions[account]
        known = self._accounts.get(account)
        if known is None or known[0] != revision:
            known = revision, Account(self._portfolios[account], self._market)
            self._accounts[account] = known
        return known[1]

    def _cached(
        self, store: OrderedDict[object, T], key: object, make: Callable[[], T], limit: int
    ) -> T:
        if key in store:
            store.move_to_end(key)
            return store[key]
        made = store[key] = make()
        if len(store) > limit:
            store.popitem(last=False)
        return made
