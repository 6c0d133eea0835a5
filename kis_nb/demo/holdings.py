"""What an account holds: contracts, from their first day in it to their last, and their traits.

A trait (side, size, how it is traded) belongs to a contract for its whole life in the account. It
follows from the contract's number. The terms of one strike take the numbers of that strike's slots
in turn, so that on every day each number is some contract's, and an account of a few rows always
has a sold one, a flat one and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from struct import Struct
from typing import TYPE_CHECKING, Literal

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.listings import Slot, contract, terms
from kis_nb.demo.sessions import open_after, open_before

if TYPE_CHECKING:
    from datetime import date

    from kis_nb.demo.portfolio import Portfolio

# How it is traded: carried from the first day to expiry; closed at 18:00 wholly, or in part; bought
# and sold in small lots at night. All but the first are closed and bought anew each day session.
Role = Literal["carried", "flat", "partly", "night"]

# Positions from this one on are carried: a large account costs no more trades than a small one.
_TRADED = 200
_BIGGER = {"05": 4, "75": 4, "06": 3, "AJ": 3, "AK": 3}
_DRAWS = 16
_PACKED = Struct(f"<{_DRAWS}H")


def role(number: int) -> Role:
    """How the contract with this number is traded."""
    if number >= _TRADED:
        return "carried"
    if number % 11 == 5:
        return "flat"
    if number % 5 == 2:
        return "partly"
    return "night" if number % 7 == 3 else "carried"


@dataclass(frozen=True)
class Holding:
    """A contract in an account.

    Attributes:
        instrument: the contract.
        number: which its traits follow from.
        first, last: its first day in the account, and its last trading day.
        scale: the usual number of contracts.
        key: names it for draws.
        priced: False for a contract that has no price.
    """

    instrument: Instrument
    number: int
    first: date
    last: date
    scale: int
    key: str
    priced: bool

    def draws(self, about: object) -> tuple[int, ...]:
        """Numbers below 65,536 that follow from seed, account, contract and `about`."""
        digest = blake2b(f"{self.key}|{about}".encode(), digest_size=2 * _DRAWS).digest()
        return _PACKED.unpack(digest)

    @cached_property
    def life(self) -> tuple[int, ...]:
        """Draws for the whole life."""
        return self.draws("")

    @property
    def role(self) -> Role:
        """How it is traded."""
        return role(self.number)

    @property
    def sign(self) -> int:
        """1 bought, -1 sold."""
        if not self.priced:
            return 1
        if self.number % 3 == 1:
            return -1
        return 1 if self.number < 9 or self.life[0] % 100 < 55 else -1

    @property
    def most(self) -> int:
        """The most contracts that it is opened with, 2 or more."""
        size = self.scale * _BIGGER.get(self.instrument.product.code, 1)
        return max(2 * size * (2 if self.instrument.option else 1) - 1, 2)

    @property
    def pending(self) -> bool:
        """Whether a closing order is pending on a part of it."""
        return self.number % 9 == 4


class Holdings:
    """The contracts of an account on any day.

    Args:
        portfolio: the account.
        seed: the book's.
    """

    def __init__(self, portfolio: Portfolio, seed: int) -> None:
        self._portfolio = portfolio
        self._name = f"{seed}|{portfolio.account}"
        slots = portfolio.slots()
        self._columns: dict[tuple[str, str], list[tuple[Slot, list[int]]]] = {}
        columns: dict[tuple[str, str, int], list[int]] = {}
        for number, slot in enumerate(slots):
            column = columns.setdefault((slot.product.code, slot.kind, slot.strike), [])
            if not column:
                lines = self._columns.setdefault((slot.product.code, slot.kind), [])
                lines.append((slot, column))
            column.append(number)
        self._unpriced = _without_price(slots, portfolio.unpriced)

    def on(self, day: date, *, moving: bool = False) -> Iterator[Holding]:
        """The contracts held on a trading day; with `moving` only those which may change that day
        the cash or what was made: futures, options traded at night and day, new and expiring ones.
        """
        before = open_before(day)
        for column in self._columns.values():
            product, kind = column[0][0].product, column[0][0].kind
            known = terms(product, day)
            option = kind in {"C", "P"}
            for slot, numbers in column:
                width = len(numbers)
                for rank in range(width):
                    term = known.listed[rank]
                    number = numbers[term.number % width]
                    if (
                        moving
                        and option
                        and term.last != day
                        and role(number) == "carried"
                        and known.made_room(rank, width) != before
                    ):
                        continue
                    yield Holding(
                        contract(slot._replace(rank=rank), known.listed, old=self._portfolio.old),
                        number,
                        open_after(known.made_room(rank, width)),
                        term.last,
                        self._portfolio.scale,
                        f"{self._name}|{product.code}{kind}{slot.strike}|{term.number}",
                        number not in self._unpriced,
                    )


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
