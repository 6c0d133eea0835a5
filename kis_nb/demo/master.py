"""KIS's master files, zipped, of the demo's contracts; they need no key.

The formats are in docs/sources.md, "Master files"; the official samples read the second file
by the same positions. A contract is listed from 18:00 before its first trading day to 18:00 of its
last one, and under today's codes only.
"""

from __future__ import annotations

import io
import threading
import zipfile
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from kis_nb.demo.contracts import Instrument
from kis_nb.demo.listings import listed
from kis_nb.demo.replies import Reply
from kis_nb.demo.sessions import open_before, settles_at, trading_day
from kis_nb.demo.underlyings import USD

if TYPE_CHECKING:
    from datetime import date

    from kis_nb.demo.prices import Market

_FOLDER = "/common/master/"
_INDEX, _COMMODITY = "fo_idx_code_mts.mst", "fo_com_code.mst"
MASTER_FILES = frozenset(f"{_FOLDER}{name}.zip" for name in (_INDEX, _COMMODITY))
_KEPT = 4


class MasterFiles:
    """Both files, made once per trading day. Thread-safe."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._made: OrderedDict[tuple[str, date], bytes] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, path: str, now: float) -> Reply:
        """The zip at one of the paths of `MASTER_FILES`, as of `now` (epoch seconds)."""
        key = path, trading_day(int(now))
        with self._lock:
            if key not in self._made:
                name = path.removeprefix(_FOLDER).removesuffix(".zip")
                self._made[key] = self._zip(name, key[1])
                if len(self._made) > _KEPT:
                    self._made.popitem(last=False)
            body = self._made[key]
        return Reply(200, (("Content-Type", "application/zip"),), body)

    def _zip(self, name: str, day: date) -> bytes:
        if name == _INDEX:
            lines = _index_lines(listed(day), self._market, settles_at(open_before(day)))
        else:
            lines = _commodity_lines(listed(day))
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
            entry = zipfile.ZipInfo(name, (max(day.year, 1980), day.month, day.day, 6, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, "".join(f"{line}\n" for line in lines).encode("cp949"))
        return packed.getvalue()


def _index_lines(contracts: Iterable[Instrument], market: Market, settled: int) -> Iterator[str]:
    """Nine columns with ``|`` between: kind, codes, name, ATM class, strike, rank, underlying."""
    for contract in contracts:
        underlying = contract.product.underlying
        if underlying is USD:
            continue
        yield "|".join(
            (
                dict(contract.product.groups)[contract.kind],
                contract.short_code,
                contract.isin,
                contract.name,
                _atm(contract, market.level(underlying, settled)) if contract.option else " ",
                f"{contract.strike // 100:05d}.{contract.strike % 100:02d}",
                str(contract.rank) if contract.kind == "F" else " ",
                underlying.code,
                underlying.label,
            )
        )


def _atm(contract: Instrument, level: int) -> str:
    """1 at the money, 2 in, 3 out of the money: as in the published lines, at an index of 1,000."""
    away = contract.strike - level // 10_000
    if 2 * abs(away) <= contract.product.strikes.step:
        return "1"
    return "2" if (away < 0) == (contract.kind == "C") else "3"


def _commodity_lines(contracts: Iterable[Instrument]) -> Iterator[str]:
    """Group, kind, short code from position 2, standard code from 11, name from 23, tail from 55.

    Group and kind are invented, since no line of the live file is known. Nor is it whether the
    positions count characters or bytes; the blanks before the tail make both readings work. Within
    the tail, without its blanks, the rank is at position 8, the underlying's code at 9 and its name
    at 12.
    """
    for contract in contracts:
        underlying = contract.product.underlying
        if underlying is not USD:
            continue
        blanks = 32 - len(contract.name.encode("cp949")) + 16
        yield (
            f"1{dict(contract.product.groups)[contract.kind]}"
            f"{contract.short_code:<9}{contract.isin:<12}{contract.name}{'':{blanks}}"
            f"00000.00{contract.rank % 10}{underlying.code:<3}{underlying.label}"
        )
