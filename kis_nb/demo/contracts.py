"""One contract: its codes, its name, its last trading day, its margin.

Codes and names are spelled as in the live master files (docs/sources.md, "Codes and names").
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from hashlib import blake2b

from kis_nb.demo.products import Kind, Product
from kis_nb.demo.sessions import at_seoul

# From here up (hundredths of a point) a code holds a serial in place of the strike.
_SERIALS_FROM = 100_000
# One character for the year until 2025, in a cycle of thirty (2025 is W, 2026 is 6 again).
_YEARS = "6789012345ABCDEFGHJKLMNPQRSTVW"
_LETTERS = "ABCDEFGHJKLMNPQRSTVW"
_NEW = {"F": "A", "C": "B", "P": "C", "S": "D"}
_OLD = {"F": "1", "C": "2", "P": "3", "S": "4"}


@dataclass(frozen=True)
class Instrument:
    """One contract.

    Attributes:
        product, kind, year, month: its product, kind and contract month.
        strike: hundredths of a point; 0 for futures and spreads.
        week: of a weekly option, from 1; else 0.
        far: a spread's later year and month.
        rank: of a future or spread: 1 is the nearest month.
        old: code and name are spelled as until 2025.
    """

    product: Product
    kind: Kind
    year: int
    month: int
    strike: int = 0
    week: int = 0
    far: tuple[int, int] | None = None
    rank: int = field(default=0, compare=False)
    old: bool = False

    @property
    def option(self) -> bool:
        """Whether this is a call or a put."""
        return self.kind in {"C", "P"}

    @property
    def won(self) -> int:
        """Won per hundredth of a point."""
        return self.product.multiplier // 100

    @cached_property
    def last_day(self) -> date:
        """Last trading day; of a spread, its near month's."""
        return self.product.last_day(self.year, self.month, self.week)

    @cached_property
    def expires_at(self) -> int:
        """Epoch seconds of the end of its last trading day."""
        return at_seoul(self.last_day, self.product.ends)

    @cached_property
    def far_expires_at(self) -> int:
        """Epoch seconds of the end of a spread's later month; of the contract for the others."""
        if self.far is None:
            return self.expires_at
        return at_seoul(self.product.last_day(*self.far), self.product.ends)

    @property
    def _week_letters(self) -> str:
        """Two letters for a weekly series, in no order; the same ones return after 7 years.

        The live codes (``FE`` for 2609W4, ``BR`` for 2608W2) follow no published rule.
        """
        weeks = self.product.rule_day(self.year, self.month, self.week).toordinal() // 7
        number = weeks * 137 % len(_LETTERS) ** 2
        return _LETTERS[number // len(_LETTERS)] + _LETTERS[number % len(_LETTERS)]

    @property
    def _line(self) -> str:
        return (_OLD if self.old else _NEW)[self.kind] + self.product.code

    def _year(self, year: int) -> str:
        return _YEARS[(year - 2026) % len(_YEARS)] if self.old else str(year % 10)

    @cached_property
    def _strike_code(self) -> str:
        """The strike in an option's code: whole points in three digits, from 1,000 a serial."""
        if self.strike < _SERIALS_FROM or self.old:
            return f"{self.strike // 100:03d}"
        series = f"{self.product.code}|{self.year}|{self.month}|{self.week}"
        return _serials(series, self.product.strikes)[self.strike]

    @cached_property
    def short_code(self) -> str:
        """``A01612``, ``B01612955`` (955.0 and 957.5 alike), ``B09FEWA49``, ``D0161201``."""
        if self.week:
            return f"{self._line}{self._week_letters}W{self._strike_code}"
        code = f"{self._line}{self._year(self.year)}{self.month:02d}"
        if self.option:
            return code + self._strike_code
        return f"{code}01" if self.kind == "S" else code

    @cached_property
    def todays_code(self) -> str:
        """The short code as it is spelled today."""
        return replace(self, old=False).short_code if self.old else self.short_code

    @cached_property
    def isin(self) -> str:
        """Twelve characters from ``KR4``, the last one the check digit."""
        term = self._week_letters if self.week else self._month(self.year, self.month)
        # How a spread's later month is written is invented: there is no example.
        last = (
            self._month(*self.far) + "S"
            if self.far
            else self._strike_code
            if self.option
            else "000"
        )
        body = f"KR4{self._line}{term}{last}"
        return body + check_digit(body)

    def _month(self, year: int, month: int) -> str:
        return f"{self._year(year)}{month:X}"

    @cached_property
    def name(self) -> str:
        """``F 202612``, ``C 202610 1,120.0``, ``위클리M C 2608W2   962.5``, ``SP 2612-2703``.

        With `old` as in the published response of a related call, ``C 202310 340.0``.
        """
        prefix = dict(self.product.names)[self.kind]
        if self.far:
            years = (
                f"{self.year % 100:02d}{self.month:02d}-{self.far[0] % 100:02d}{self.far[1]:02d}"
            )
            return f"{prefix} {years}"
        month = f"{self.year}{self.month:02d}"
        term = f"{month[2:]}W{self.week}" if self.week else month
        if not self.option:
            return f"{prefix} {term}"
        points, rest = divmod(self.strike, 100)
        strike = f"{points:,}.{rest // 10}"
        return f"{prefix} {term} {strike if self.old else strike.rjust(7)}"

    @property
    def order(self) -> tuple[str, int, int, int, int]:
        """Sort key of an account's list: kind and product, month, strike."""
        return self._line, self.year, self.month, self.week, self.strike or self.rank

    def margin(self, settlement: int, underlying: int, *, short: bool) -> int:
        """Initial margin for one contract, whole won, rounded up.

        A future: its rate times its value. A spread: its rate times the underlying's value. A sold
        option: its premium and half the future's rate times the underlying's value. A bought
        option: none, since its premium was paid. Positions do not offset one another.

        Args:
            settlement: the contract's settlement price, in hundredths of a point.
            underlying: the underlying's level, in millionths of a point.
            short: whether it was sold; counts for options only.
        """
        if self.kind == "F":
            return -(-settlement * self.won * self.product.margin // 10_000)
        base = -(-underlying * self.product.multiplier * self.product.margin // 10**10)
        if self.kind == "S":
            return base
        return settlement * self.won + base if short else 0


@lru_cache(maxsize=256)
def _serials(series: str, strikes: range) -> dict[int, str]:
    """Codes of a series' strikes from 1,000 points up, in an order unrelated to the strike."""
    high = [strike for strike in strikes if strike >= _SERIALS_FROM]
    high.sort(key=lambda strike: blake2b(f"{series}|{strike}".encode(), digest_size=8).digest())
    return {strike: f"{_LETTERS[n // 100]}{n % 100:02d}" for n, strike in enumerate(high)}


def check_digit(body: str) -> str:
    """The last digit of an ISIN with these eleven characters before it."""
    # ISO 6166: letters become two digits, then every second digit from the right is doubled.
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return str(-sum(int(d) for text in doubled for d in text) % 10)
