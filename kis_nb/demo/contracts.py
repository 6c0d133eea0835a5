"""The demo's contracts: products, codes, names, last trading days, and which are listed on a day.

Imports `kis_nb.demo.market` and the standard library only. Codes and names are those of the live
master files (products.md); multipliers, ticks and last trading days its table "Contract facts".
The demo has no holidays: a last trading day stays where the weekday rule puts it, so where a
holiday moves it on the exchange, the exchange's date (and a calendar's) is another.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property, lru_cache
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING, Literal

from kis_nb.demo.market import K200, KQ150, USD, Underlying, at_seoul

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["F", "C", "P", "S"]  # future, call, put, calendar spread

_INDEX_ENDS = 15 * 3_600 + 20 * 60
_DOLLAR_ENDS = 11 * 3_600 + 30 * 60
_MONDAY, _THURSDAY = 0, 3
# From here up a code holds a serial, no strike.
_SERIALS_FROM = 100_000
# One character for the year until 2025, in a cycle of thirty (2025 is W, 2026 is 6 again).
_YEARS = "6789012345ABCDEFGHJKLMNPQRSTVW"
_LETTERS = "ABCDEFGHJKLMNPQRSTVW"
_NEW = {"F": "A", "C": "B", "P": "C", "S": "D"}
_OLD = {"F": "1", "C": "2", "P": "3", "S": "4"}


@dataclass(frozen=True, slots=True)
class Product:
    """A line of contracts on the exchange.

    `names` is what a contract's name begins with, and `groups` the master file's kind, each by the
    contract's kind. `multiplier` is won per point; `ticks` (below, from which price, above), in
    hundredths of a point; `margin` the initial margin in ten-thousandths of the contract's value
    (of the underlying's for options and spreads); `fee` millionths of the traded amount. The last
    trading day is the `nth` `weekday` of the contract month, trading ends `ends` seconds after
    midnight; `nth` 0 is a weekly series, named by the week of its own last day. `step` is the
    months between contracts and `listed` how many are traded at once; `strikes` is in hundredths.
    """

    code: str
    names: tuple[tuple[Kind, str], ...]
    groups: tuple[tuple[Kind, str], ...]
    underlying: Underlying
    multiplier: int
    ticks: tuple[int, int, int]
    margin: int
    fee: int
    nth: int
    weekday: int
    listed: int
    step: int = 1
    ends: int = _INDEX_ENDS
    strikes: range = range(0)

    def last_day(self, year: int, month: int, week: int = 0) -> date:
        """Last trading day of a contract month, or of its week (1 is the month's first)."""
        first = date(year, month, 1)
        ahead = (self.weekday - first.weekday()) % 7 + 7 * ((week or self.nth) - 1)
        return first + timedelta(days=ahead)

    def terms(self, today: date) -> Iterator[tuple[int, int, int]]:
        """(year, month, week) of contracts that trade on `today` or later, the nearest first."""
        index = today.year * 12 + today.month - 1
        while True:
            year, month = index // 12, index % 12 + 1
            weeks = range(1, 6) if not self.nth else [0] if month % self.step == 0 else []
            for week in weeks:
                last = self.last_day(year, month, week)
                # The second Thursday is the monthly option's; a fifth week may be next month's.
                monthly = self.weekday == _THURSDAY and week == 2
                if last >= today and last.month == month and not monthly:
                    yield year, month, week
            index += 1


def _futures(
    code: str,
    name: str,
    group: str,
    underlying: Underlying,
    multiplier: int,
    *,
    tick: int,
    margin: int,
    fee: int = 30,
    step: int = 3,
    listed: int = 4,
) -> Product:
    dollar = underlying is USD
    nth, weekday, ends = (3, _MONDAY, _DOLLAR_ENDS) if dollar else (2, _THURSDAY, _INDEX_ENDS)
    named: tuple[tuple[Kind, str], ...] = (("F", name),)
    grouped: tuple[tuple[Kind, str], ...] = (("F", group),)
    return Product(
        code, named, grouped, underlying, multiplier, (tick, 0, tick), margin, fee, nth, weekday,
        listed, step, ends,
    )  # fmt: skip


def _options(
    code: str,
    names: tuple[str, str],
    groups: str,
    underlying: Underlying,
    multiplier: int,
    ticks: tuple[int, int, int],
    strikes: range,
    *,
    listed: int,
    weekly: int | None = None,
) -> Product:
    # Half the futures' rate on the underlying's value; `Instrument.margin` adds the premium.
    margin = 600 if underlying is K200 else 750
    nth, weekday = (2, _THURSDAY) if weekly is None else (0, weekly)
    named: tuple[tuple[Kind, str], ...] = (("C", names[0]), ("P", names[1]))
    grouped: tuple[tuple[Kind, str], ...] = (("C", groups[0]), ("P", groups[1]))
    return Product(
        code, named, grouped, underlying, multiplier, ticks, margin, 1_500, nth, weekday, listed,
        strikes=strikes,
    )  # fmt: skip


_SMALL = (1, 1_000, 5)  # 0.01 below 10 points, else 0.05
_KOSDAQ = (10, 5_000, 50)
# 2.5 points apart as on the exchange for the KOSPI 200; 10 for the KOSDAQ 150 is ours.
_MONTHLY = range(60_000, 140_000 + 1, 250)
_NEAR = range(85_000, 115_000 + 1, 250)
_KOSDAQ_STRIKES = range(110_000, 186_000 + 1, 1_000)

FUTURES = (
    _futures("01", "F", "1", K200, 250_000, tick=5, margin=1_200),
    _futures("05", "미니F", "B", K200, 50_000, tick=2, margin=1_200, step=1, listed=6),
    _futures("06", "코스닥150F", "3", KQ150, 10_000, tick=10, margin=1_500),
    _futures("75", "미국달러 F", "1", USD, 10_000, tick=10, margin=450, fee=20, step=1, listed=12),
)
OPTIONS = (
    _options("01", ("C", "P"), "56", K200, 250_000, _SMALL, _MONTHLY, listed=11),
    _options(
        "09", ("위클리C", "위클리P"), "LM", K200, 250_000, _SMALL, _NEAR,
        listed=4, weekly=_THURSDAY,
    ),
    _options(
        "AF", ("위클리M C", "위클리M P"), "NO", K200, 250_000, _SMALL, _NEAR,
        listed=4, weekly=_MONDAY,
    ),
    _options("05", ("미니C", "미니P"), "DE", K200, 50_000, _SMALL, _NEAR, listed=6),
    _options(
        "06", ("코스닥150C", "코스닥150P"), "JK", KQ150, 10_000, _KOSDAQ, _KOSDAQ_STRIKES,
        listed=6,
    ),
    _options(
        "AJ", ("코스닥위클리C", "코스닥위클리P"), "PQ", KQ150, 10_000, _KOSDAQ, _KOSDAQ_STRIKES,
        listed=4, weekly=_THURSDAY,
    ),
    _options(
        "AK", ("코스닥위클리M C", "코스닥위클리M P"), "RS", KQ150, 10_000, _KOSDAQ,
        _KOSDAQ_STRIKES, listed=4, weekly=_MONDAY,
    ),
)  # fmt: skip
# Two months of the KOSPI 200 future, the far one bought and the near one sold. The tick is ours.
SPREADS = Product(
    "01", (("S", "SP"),), (("S", "2"),), K200, 250_000, (5, 0, 5), 150, 30, 2, _THURSDAY, 3, 3
)


@dataclass(frozen=True)
class Instrument:
    """One contract.

    `strike` is in hundredths of a point, 0 for a future; `week` is 0 but for a weekly option;
    `far` is a spread's later month. `old` spells code and name as until 2025.
    """

    product: Product
    kind: Kind
    year: int
    month: int
    strike: int = 0
    week: int = 0
    far: tuple[int, int] | None = None
    rank: int = field(default=0, compare=False)  # of a future: 1 is the nearest month
    old: bool = False

    @property
    def option(self) -> bool:
        """Whether this is a call or a put."""
        return self.kind in {"C", "P"}

    @property
    def won(self) -> int:
        """Won that a hundredth of a point is worth on one contract."""
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
    def _line(self) -> str:
        return (_OLD if self.old else _NEW)[self.kind] + self.product.code

    def _year(self, year: int) -> str:
        return _YEARS[(year - 2026) % len(_YEARS)] if self.old else str(year % 10)

    @cached_property
    def _three(self) -> str:
        """An option's three characters: whole points of the strike, from 1,000 a serial."""
        if self.strike < _SERIALS_FROM or self.old:
            return f"{self.strike // 100:03d}"
        series = f"{self.product.code}|{self.year}|{self.month}|{self.week}"
        return _serials(series, self.product.strikes)[self.strike]

    @cached_property
    def short_code(self) -> str:
        """``A01612``, ``B01612955`` (955.0 and 957.5 alike), ``B09FEWA49``, ``D0161201``."""
        if self.week:
            return f"{self._line}{_week_letters(self.last_day)}W{self._three}"
        code = f"{self._line}{self._year(self.year)}{self.month:02d}"
        if self.option:
            return code + self._three
        return f"{code}{self.rank:02d}" if self.kind == "S" else code

    @cached_property
    def isin(self) -> str:
        """Twelve characters from ``KR4``, the last one the check digit."""
        term = _week_letters(self.last_day) if self.week else self._month(self.year, self.month)
        # How a spread's later month is written here is ours: no example is at hand.
        last = self._month(*self.far) + "S" if self.far else self._three if self.option else "000"
        body = f"KR4{self._line}{term}{last}"
        return body + _check_digit(body)

    def _month(self, year: int, month: int) -> str:
        return f"{self._year(year)}{month:X}"

    @cached_property
    def name(self) -> str:
        """``F 202612``, ``C 202610 1,120.0``, ``위클리M C 2608W2   962.5``, ``SP 2612-2703``.

        Spelt as in the master file; with `old` as in the published answer of a sibling call,
        ``C 202310 340.0``.
        """
        begins = dict(self.product.names)[self.kind]
        if self.far:
            years = (
                f"{self.year % 100:02d}{self.month:02d}-{self.far[0] % 100:02d}{self.far[1]:02d}"
            )
            return f"{begins} {years}"
        month = f"{self.year}{self.month:02d}"
        term = f"{month[2:]}W{self.week}" if self.week else month
        if not self.option:
            return f"{begins} {term}"
        points, rest = divmod(self.strike, 100)
        strike = f"{points:,}.{rest // 10}"
        return f"{begins} {term} {strike if self.old else strike.rjust(7)}"

    @property
    def order(self) -> tuple[str, int, int, int, int]:
        """Sorts an account's list: by kind and product, month and strike."""
        return self._line, self.year, self.month, self.week, self.strike or self.rank

    def margin(self, settlement: int, underlying: int, *, short: bool) -> int:
        """Initial margin for one contract, whole won, rounded up.

        A future: its rate of its value. A spread: its rate of the underlying's value. A sold
        option: its premium and half the future's rate of the underlying's value. A bought option:
        none, its premium was paid. Positions do not offset one another.
        """
        if self.kind == "F":
            return -(-settlement * self.won * self.product.margin // 10_000)
        base = -(-underlying * self.product.multiplier * self.product.margin // 10**10)
        if self.kind == "S":
            return base
        return settlement * self.won + base if short else 0


@lru_cache(maxsize=256)
def _serials(series: str, strikes: range) -> dict[int, str]:
    """Codes of a series' strikes from 1,000 up, in an order that tells nothing of the strike."""
    high = [strike for strike in strikes if strike >= _SERIALS_FROM]
    high.sort(key=lambda strike: blake2b(f"{series}|{strike}".encode(), digest_size=8).digest())
    return {strike: f"{_LETTERS[n // 100]}{n % 100:02d}" for n, strike in enumerate(high)}


def _week_letters(last: date) -> str:
    """Two letters for a weekly series, in no order; the same ones come again after 7 years.

    The live codes (``FE`` for 2609W4, ``BR`` for 2608W2) follow no rule that products.md tells.
    """
    number = last.toordinal() // 7 * 137 % len(_LETTERS) ** 2
    return _LETTERS[number // len(_LETTERS)] + _LETTERS[number % len(_LETTERS)]


def _check_digit(body: str) -> str:
    # ISO 6166: letters become two digits, then every second digit from the right is doubled.
    digits = "".join(str(int(character, 36)) for character in body)
    doubled = (str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(digits)))
    return str(-sum(int(d) for text in doubled for d in text) % 10)


# How far from the market's centre a contract stands: at its product's middle strike and near month,
# then for each strike away and each term later.
_PLACES = {
    "01": (1, 1, 4),
    "09": (2, 3, 5),
    "AF": (2, 3, 5),
    "05": (2, 4, 7),
    "06": (3, 4, 8),
    "AJ": (4, 5, 9),
    "AK": (4, 5, 9),
}


def _ranked(today: date, limit: int) -> Iterator[tuple[int, Instrument]]:
    """Contracts traded on `today` with their place, those beyond `limit` left out."""
    for line, product in enumerate((*FUTURES, SPREADS)):
        months = list(islice(product.terms(today), product.listed + 1))
        for rank, (year, month, _) in enumerate(months[: product.listed], 1):
            if product is SPREADS:
                far = months[rank][:2]
                made = Instrument(product, "S", year, month, far=far, rank=rank)
                yield 2 + 6 * (rank - 1), made
            else:
                made = Instrument(product, "F", year, month, rank=rank)
                yield 6 * (rank - 1) + (line > 0), made
    for product in OPTIONS:
        near, apart, later = _PLACES[product.code]
        centre = product.underlying.level // 10_000
        middle = min(product.strikes, key=lambda strike: abs(strike - centre))
        for ahead, (year, month, week) in enumerate(islice(product.terms(today), product.listed)):
            for strike in product.strikes:
                away = abs(strike - middle) // product.strikes.step
                place = near + apart * away + later * ahead
                if place <= limit:
                    yield place, Instrument(product, "C", year, month, strike, week)
                    yield place, Instrument(product, "P", year, month, strike, week)


@lru_cache(maxsize=4)
def listed(today: date) -> tuple[Instrument, ...]:
    """Every contract traded on a trading day."""
    return tuple(contract for _, contract in _ranked(today, 10**9))


def universe(today: date, rows: int) -> list[Instrument]:
    """The `rows` contracts nearest to the market's centre that trade on `today`.

    Every product's near months and middle strikes first, then ring by ring away from them.

    Raises:
        ValueError: more rows than there are contracts.
    """
    limit, ranked = 8, list(_ranked(today, 8))
    while len(ranked) < rows and limit < 10_000:
        limit *= 4
        ranked = list(_ranked(today, limit))
    if rows > len(ranked):
        raise ValueError(f"an account holds {len(ranked)} rows at most; {rows} were asked for")
    ranked.sort(key=lambda pair: pair[0])
    return [instrument for _, instrument in ranked[:rows]]
