"""What the embedded broker's customers hold, and its price at any moment.

Lowest floor of `kis_nb.demo`: imports the standard library only.

Prices are integers, in hundredths of a point (hundredths of a won for the US dollar); levels of an
underlying are in millionths. A price is a function of seed and time alone, so a fixed clock fixes
every figure, and yesterday's settlement can be asked for as easily as now.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import islice
from math import isqrt
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["F", "C", "P"]

DAY = 86_400
_KST = 9 * 3_600
_YEAR = 365 * DAY
_CLOSE = 15 * 3_600 + 45 * 60  # the day session's end, when the settlement price is set
_LAST_TRADE = 15 * 3_600 + 20 * 60
_QUARTERS = 4
_MONTHS = 24
_STRIKE_STEP = 250
# Three digits of a strike fit in the short code, so an option's strike stays below 1,000 points.
_STRIKES = range(20_250, 99_750 + 1, _STRIKE_STEP)
# One character for the year, in a cycle of thirty (2025 is W, 2026 is 6 again).
_YEARS = "6789012345ABCDEFGHJKLMNPQRSTVW"


def kst_date(moment: int) -> date:
    """The Korean calendar date of a moment in epoch seconds."""
    return date.fromordinal(date(1970, 1, 1).toordinal() + (moment + _KST) // DAY)


def settled_at(moment: int) -> int:
    """Epoch seconds of the last settlement, 15:45 Korean time; the demo's market has no holiday."""
    return moment - (moment + _KST - _CLOSE) % DAY


@dataclass(frozen=True, slots=True)
class Underlying:
    """What a contract's price follows: a level it stays near, and how much it swings."""

    name: str
    level: int  # millionths
    swing: int  # per cent of the KOSPI 200's


@dataclass(frozen=True, slots=True)
class Product:
    """A line of contracts on the exchange.

    `multiplier` is won per point; `tick` hundredths of a point; `margin` the initial margin in
    ten-thousandths of the contract's value; `fee` millionths of the traded amount; the last trading
    day is the `nth` `weekday` (Monday 0) of the contract month.
    """

    code: str
    name: str
    underlying: Underlying
    multiplier: int
    tick: int
    margin: int
    fee: int
    nth: int
    weekday: int

    def expiry(self, year: int, month: int) -> date:
        """Last trading day of a contract month."""
        first = date(year, month, 1)
        ahead = (self.weekday - first.weekday()) % 7 + 7 * (self.nth - 1)
        return first + timedelta(days=ahead)

    def months(self, today: date, step: int) -> Iterator[tuple[int, int]]:
        """(year, month) of contracts still trading after `today`, `step` months apart."""
        index = today.year * 12 + today.month - 1
        while True:
            year, month = index // 12, index % 12 + 1
            if month % step == 0 and self.expiry(year, month) > today:
                yield year, month
            index += 1


_K200 = Underlying("KOSPI 200", 560_000_000, 100)
_KQ150 = Underlying("KOSDAQ 150", 1_480_000_000, 140)
USD = Underlying("USD/KRW", 1_440_000_000, 35)

FUTURES = (
    Product("A01", "F", _K200, 250_000, 5, 1_200, 30, 2, 3),
    Product("A05", "미니F", _K200, 50_000, 2, 1_200, 30, 2, 3),
    Product("A06", "코스닥150 F", _KQ150, 10_000, 10, 1_500, 30, 2, 3),
    Product("A75", "미국달러 F", USD, 10_000, 10, 450, 20, 3, 0),
)
# Half the futures' rate on the underlying's value; `Instrument.margin` adds the premium.
OPTIONS = Product("01", "", _K200, 250_000, 1, 600, 1_500, 2, 3)


@dataclass(frozen=True)
class Instrument:
    """One contract. `strike` is in hundredths of a point, 0 for a future."""

    product: Product
    kind: Kind
    year: int
    month: int
    strike: int = 0

    @property
    def option(self) -> bool:
        """Whether this is a call or a put."""
        return self.kind != "F"

    @property
    def won(self) -> int:
        """Won that a hundredth of a point is worth on one contract."""
        return self.product.multiplier // 100

    @cached_property
    def expires_at(self) -> int:
        """Epoch seconds of the end of its last trading day."""
        last = self.product.expiry(self.year, self.month)
        days = last.toordinal() - date(1970, 1, 1).toordinal()
        return days * DAY + _LAST_TRADE - _KST

    @property
    def _line(self) -> str:
        return {"F": "", "C": "2", "P": "3"}[self.kind] + self.product.code

    @property
    def _year_letter(self) -> str:
        return _YEARS[(self.year - 2026) % len(_YEARS)]

    @cached_property
    def short_code(self) -> str:
        """``A01612``, ``201612350``; a strike of 572.5 keeps its three digits only."""
        strike = f"{self.strike // 100:03d}" if self.option else ""
        return f"{self._line}{self._year_letter}{self.month:02d}{strike}"

    @cached_property
    def isin(self) -> str:
        """Twelve characters from ``KR4``, the last one the check digit."""
        strike = self.strike // 100
        body = f"KR4{self._line}{self._year_letter}{self.month:X}{strike:03d}"
        return body + _check_digit(body)

    @cached_property
    def name(self) -> str:
        """``F 202612``, ``C 202612 572.5``."""
        if not self.option:
            return f"{self.product.name} {self.year}{self.month:02d}"
        points, rest = divmod(self.strike, 100)
        return f"{self.kind} {self.year}{self.month:02d} {points}.{rest // 10}"

    @property
    def order(self) -> tuple[str, int, int, int]:
        """Sorts an account's list: options by side, month and strike, then futures."""
        return self._line, self.year, self.month, self.strike

    def margin(self, settlement: int, underlying: int, *, short: bool) -> int:
        """Initial margin for one contract, whole won, rounded up.

        A future: its rate of its value. A sold option: its premium and half the future's rate of
        the underlying's value. A bought option: none, its premium was paid. Positions do not offset
        one another.
        """
        if not self.option:
            return -(-settlement * self.won * self.product.margin // 10_000)
        if not short:
            return 0
        base = -(-underlying * self.product.multiplier * self.product.margin // 10**10)
        return settlement * self.won + base


def _check_digit(body: str) -> str:
    # ISO 6166: letters become two digits, then every second digit from the right is doubled.
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return str(-sum(int(d) for text in doubled for d in text) % 10)


def universe(today: date, rows: int) -> list[Instrument]:
    """The `rows` contracts nearest to the market's centre, none expired or expiring `today`.

    Quarterly futures of each product and monthly options on both sides, ring by ring away from the
    middle strike and the near month.

    Raises:
        ValueError: more rows than there are contracts.
    """
    ranked: list[tuple[int, Instrument]] = []
    for line, product in enumerate(FUTURES):
        for quarter, (year, month) in enumerate(islice(product.months(today, 3), _QUARTERS)):
            ranked.append((6 * quarter + (line > 0), Instrument(product, "F", year, month)))
    middle = OPTIONS.underlying.level // 10_000 // _STRIKE_STEP * _STRIKE_STEP
    for ahead, (year, month) in enumerate(islice(OPTIONS.months(today, 1), _MONTHS)):
        for strike in _STRIKES:
            rank = 1 + abs(strike - middle) // _STRIKE_STEP + 4 * ahead
            # n rings of two kinds over the months hold about n * n / 2 options, so these suffice.
            if rank <= 10 + 2 * isqrt(rows):
                ranked.append((rank, Instrument(OPTIONS, "C", year, month, strike)))
                ranked.append((rank, Instrument(OPTIONS, "P", year, month, strike)))
    if rows > len(ranked):
        raise ValueError(f"an account holds {len(ranked)} rows at most; {rows} were asked for")
    ranked.sort(key=lambda pair: pair[0])
    return [instrument for _, instrument in ranked[:rows]]


class Market:
    """Prices from a seed: layers of smooth noise, slow and wide to quick and small.

    Each layer hashes the numbers of the two fixed time steps around the moment and goes smoothly
    from one to the other, so any moment costs the same and the level stays near its home: within
    7 % for the KOSPI 200, 10 % for the KOSDAQ 150, 3 % for the dollar.
    """

    # (seconds a step, greatest swing in millionths)
    _LAYERS = (
        (20 * DAY, 45_000),
        (2 * DAY, 14_000),
        (5 * 3_600, 6_000),
        (2_400, 2_000),
        (240, 700),
        (3, 150),
    )
    _SMOOTH = 1_000_000

    def __init__(self, seed: int) -> None:
        self.seed = seed
        # Many rows share an underlying and a moment. Bounded, since a demo may run for days.
        self.level = lru_cache(maxsize=8_192)(self._level)

    def _level(self, underlying: Underlying, moment: int) -> int:
        """The underlying's level at a moment (epoch seconds), in millionths."""
        swing = 0
        for step, size in self._LAYERS:
            index, inside = divmod(moment, step)
            at = inside * self._SMOOTH // step
            ease = at * at * (3 * self._SMOOTH - 2 * at) // self._SMOOTH**2
            here, there = (
                self._noise(underlying, step, index),
                self._noise(underlying, step, index + 1),
            )
            swing += (here * (self._SMOOTH - ease) + there * ease) * size // self._SMOOTH
        # `swing` is in millionths of a millionth here; only integers, so no platform rounds it.
        return underlying.level + underlying.level * swing * underlying.swing // (100 * 10**12)

    def _noise(self, underlying: Underlying, step: int, index: int) -> int:
        text = f"{self.seed}|{underlying.name}|{step}|{index}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest()) % 2_000_001 - 1_000_000

    def forward(self, instrument: Instrument, moment: int) -> int:
        """The underlying's level carried to the contract's expiry at 2 % a year, in millionths."""
        level = self.level(instrument.product.underlying, moment)
        return level + level * 2 * max(instrument.expires_at - moment, 0) // (100 * _YEAR)

    def price(self, instrument: Instrument, moment: int) -> int:
        """Price in hundredths, on the exchange's tick; never below 0.02."""
        forward = self.forward(instrument, moment)
        if not instrument.option:
            return _on_tick(forward, instrument.product.tick)
        inside = forward - instrument.strike * 10_000
        if instrument.kind == "P":
            inside = -inside
        left = max(instrument.expires_at - moment, 0)
        # Half of (d + sqrt(d^2 + c^2)): never under the intrinsic value, convex in the strike, call
        # less put is exactly the forward less the strike, and c / 2 at the money, where 18 % a year
        # gives 0.4 x 0.18 x forward x sqrt(years).
        spread = forward * forward * 20_736 * left // (10**6 * _YEAR)
        value = (inside + isqrt(inside * inside + spread)) // 2
        return max(_on_tick(value, 5 if value >= 10_000_000 else 1), 2)


def _on_tick(millionths: int, tick: int) -> int:
    size = tick * 10_000
    return (millionths + size // 2) // size * tick
