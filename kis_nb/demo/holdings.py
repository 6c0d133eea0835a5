"""What an account holds: contracts, from their first day in it to their last, and their traits.

A trait (side, size, how it is traded) belongs to a contract for its whole life in the account. It
follows from the contract's number. The terms of one strike take the numbers of that strike's slots
in turn, so that on every day each number is some contract's, and an account of a few rows always
has a sold one, a flat one and so on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, Literal

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.listings import Slot, Terms, contract, terms
from kis_nb.demo.products import Kind, Product
from kis_nb.demo.sessions import open_after, open_before

if TYPE_CHECKING:
    from datetime import date

    from kis_nb.demo.portfolio import Portfolio

# How it is traded: carried from the first day to expiry; closed at 18:00 wholly, or in part; bought
# and sold in small lots at night. All but the first are closed and bought anew each day session.
Role = Literal["carried", "flat", "partly", "night"]

# Positions from this one on are carried: a large account costs no more trades than a small one.
_TRADED = 64
_BIGGER = {"05": 4, "75": 4, "06": 3, "AJ": 3, "AK": 3}
_KEPT = 16  # contracts of a column
_PACKED = Struct("<16H")


def role(number: int) -> Role:
    """How the contract with this number is traded."""
    if number >= _TRADED:
        return "carried"
    if number % 11 == 5:
        return "flat"
    if number % 5 == 2:
        return "partly"
    return "night" if number % 7 == 3 else "carried"


@dataclass(frozen=True, slots=True)
class Holding:
    """A contract in an account.

    Attributes:
        instrument: the contract.
        first, last: its first day in the account, and its last trading day.
        key: names it for draws.
        life: draws for its whole life.
        role: how it is traded.
        sign: 1 bought, -1 sold.
        most: the most contracts that it is opened with, 2 or more.
        pending: whether a closing order is pending on a part of it.
        priced: False for a contract that has no price.
    """

    instrument: Instrument
    first: date
    last: date
    key: str
    life: tuple[int, ...]
    role: Role
    sign: int
    most: int
    pending: bool
    priced: bool

    def draws(self, about: object) -> tuple[int, ...]:
        """Numbers below 65,536 that follow from seed, account, contract and `about`."""
        return _draws(f"{self.key}|{about}")


def _draws(text: str) -> tuple[int, ...]:
    return _PACKED.unpack(blake2b(text.encode(), digest_size=_PACKED.size).digest())


def _sign(number: int, draw: int) -> int:
    if number % 3 == 1:
        return -1
    return 1 if number < 9 or draw % 100 < 55 else -1


class _Column:
    """The slots of an account at one kind and strike, and the numbers of their contracts."""

    def __init__(self, slot: Slot) -> None:
        self.product, self.kind, self.strike = slot[:3]
        self.numbers: list[int] = []
        self.known: dict[int, Holding] = {}  # by the term's number

    @property
    def option(self) -> bool:
        return self.strike > 0

    def traded(self, known: Terms) -> set[int]:
        """The ranks whose contracts are not carried."""
        if self.numbers[0] >= _TRADED:
            return set()
        width = len(self.numbers)
        return {
            rank
            for rank in range(width)
            if role(self.numbers[known.listed[rank].number % width]) != "carried"
        }


class Holdings:
    """The contracts of an account on any day. Not thread-safe.

    Args:
        portfolio: the account.
        seed: the book's.
    """

    def __init__(self, portfolio: Portfolio, seed: int) -> None:
        self._portfolio = portfolio
        self._name = f"{seed}|{portfolio.account}"
        slots = portfolio.slots()
        self._columns: dict[tuple[Product, Kind, int], _Column] = {}
        for number, slot in enumerate(slots):
            self._columns.setdefault(slot[:3], _Column(slot)).numbers.append(number)
        self._unpriced = _without_price(slots, portfolio.unpriced)

    def on(self, day: date, *, moving: bool = False) -> Iterator[Holding]:
        """The contracts held on a trading day; with `moving` only those which may change that day
        the cash or what was made: futures, options that are not carried, new and expiring ones.
        """
        before = open_before(day)
        for column in self._columns.values():
            known, width = terms(column.product, day), len(column.numbers)
            ranks: Iterable[int] = range(width)
            if moving and column.option:
                expiring = known.listed[0].last == day
                new = known.made_room(width - 1, width) == before
                ranks = {0} if expiring else set()
                ranks |= {width - 1} if new else set()
                ranks |= column.traded(known)
            for rank in ranks:
                number = known.listed[rank].number
                yield column.known.get(number) or self._hold(column, known, rank)

    def _hold(self, column: _Column, known: Terms, rank: int) -> Holding:
        """Make up the contract at a rank."""
        product, kind, strike = column.product, column.kind, column.strike
        term, width = known.listed[rank], len(column.numbers)
        number = column.numbers[term.number % width]
        key = f"{self._name}|{product.code}{kind}{strike}|{term.number}"
        life = _draws(key)
        size = self._portfolio.scale * _BIGGER.get(product.code, 1) * (2 if column.option else 1)
        priced = number not in self._unpriced
        if len(column.known) > _KEPT:
            column.known.clear()
        made = column.known[term.number] = Holding(
            contract(Slot(product, kind, strike, rank), known.listed, old=self._portfolio.old),
            open_after(known.made_room(rank, width)),
            term.last,
            key,
            life,
            role(number),
            _sign(number, life[0]) if priced else 1,
            max(2 * size - 1, 2),
            number % 9 == 4,
            priced,
        )
        return made


def _without_price(slots: tuple[Slot, ...], count: int) -> frozenset[int]:
    """The numbers of `count` carried contracts that hardly trade: options (which are bought) and
    futures in turn, the latest months first, those of the KOSPI 200's own products last.
    """
    held = [number for number in range(len(slots)) if role(number) == "carried"]
    held.sort(key=lambda n: (slots[n].rank, slots[n].product.code != "01"), reverse=True)
    options = [number for number in held if slots[number].strike]
    futures = [number for number in held if not slots[number].strike]
    pairs = zip(options, futures, strict=False)
    return frozenset([number for pair in pairs for number in pair][:count])
