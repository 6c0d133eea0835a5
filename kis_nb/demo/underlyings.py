"""The demo's underlyings, and the level of each at any moment.

Levels are integers, in millionths of a point (of a won for the US dollar), and a function of seed
and moment alone: two brokers with one seed agree, and a moment can be looked up again.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from kis_nb.demo.sessions import DAY, paced


@dataclass(frozen=True, slots=True, eq=False)
class Underlying:
    """What a contract's price follows: the level that it stays near, and how far it moves.

    `code` and `label` are its names in the master file.
    """

    name: str
    level: int  # millionths
    swing: int  # per cent of the KOSPI 200's
    code: str
    label: str


K200 = Underlying("KOSPI 200", 1_003_000_000, 100, "2001", "KOSPI200")
KQ150 = Underlying("KOSDAQ 150", 1_480_000_000, 140, "3003", "KSQ150")
USD = Underlying("USD/KRW", 1_440_000_000, 35, "USD", "USD")


class Levels:
    """Levels from a seed: value noise in layers, from slow and wide to quick and small.

    Each layer hashes the numbers of the two time steps around the moment and interpolates smoothly
    between them. So any moment costs the same, and the level stays near its centre: within 7 % for
    the KOSPI 200, 10 % for the KOSDAQ 150, 3 % for the dollar. Time is `paced`: it stops between
    sessions, and a second counts for more in busy hours.
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
        self._noise = lru_cache(maxsize=8_192)(self._draw)

    def _level(self, underlying: Underlying, moment: int) -> int:
        """The underlying's level at a moment (epoch seconds), in millionths."""
        time, swing = paced(moment), 0
        for step, size in self._LAYERS:
            index, inside = divmod(time, step)
            at = inside * self._SMOOTH // step
            ease = at * at * (3 * self._SMOOTH - 2 * at) // self._SMOOTH**2
            here, there = (
                self._noise(underlying, step, index),
                self._noise(underlying, step, index + 1),
            )
            swing += (here * (self._SMOOTH - ease) + there * ease) * size // self._SMOOTH
        # `swing` is in millionths of a millionth here; only integers, so no platform rounds it.
        return underlying.level + underlying.level * swing * underlying.swing // (100 * 10**12)

    def _draw(self, underlying: Underlying, step: int, index: int) -> int:
        text = f"{self.seed}|{underlying.name}|{step}|{index}".encode()
        return int.from_bytes(blake2b(text, digest_size=8).digest()) % 2_000_001 - 1_000_000
