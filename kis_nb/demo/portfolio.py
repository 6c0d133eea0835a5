"""The demo's accounts as they are described: how many positions, how much cover, which quirks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from kis_nb.demo.listings import Slot, first_slots


@dataclass(frozen=True, slots=True)
class Portfolio:
    """What an invented account is to look like.

    Attributes:
        account: ``80012345-03``.
        rows: positions.
        scale: the usual size of one, in contracts.
        cover: equity as a share of maintenance margin; under 1 there is a margin call.
        substitute: the share of that equity which is in securities.
        dollars: a foreign deposit, in US cents.
        english: the side is sent as BUY and SLL, as for some accounts.
        old: codes and names are spelled as until 2025; the account holds only what had such a code.
        unpriced: positions that have no price yet.
    """

    account: str
    rows: int
    scale: int = 3
    cover: Fraction = Fraction(26, 10)
    substitute: Fraction = Fraction(1, 4)
    dollars: int = 0
    english: bool = False
    old: bool = False
    unpriced: int = 0

    def slots(self) -> tuple[Slot, ...]:
        """The slots whose contracts it holds.

        Raises:
            ValueError: more rows than there are contracts.
        """
        if not self.old:
            return first_slots(self.rows)
        # The published old codes are these products'; three characters hold a strike below 1,000
        # only (docs/sources.md, "Codes and names").
        held = [
            slot
            for slot in first_slots(50 * self.rows + 50)
            if slot.product.code in {"01", "75"} and slot.kind != "S" and slot.strike < 100_000
        ]
        if len(held) < self.rows:
            raise ValueError(f"only so many contracts have an old code: {len(held)}")
        return tuple(held[: self.rows])


DEMO = (
    Portfolio("80012345-03", 64, scale=3, dollars=5_230_517, unpriced=2),
    Portfolio("70045678-03", 6, scale=2, cover=Fraction(6, 10), english=True),
    Portfolio("50087654-03", 5, scale=2, old=True),
    Portfolio("60098765-03", 0),
)
