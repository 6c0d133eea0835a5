"""What moves of level, volatility and time would bring."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from kis_nb._risk.contributions import contributions_frame
from kis_nb._risk.estimates import Estimates
from kis_nb._risk.forwards import is_number
from kis_nb._risk.grid import SPOTS, VOLS
from kis_nb._risk.moments import At, end_of_trading, read_moments
from kis_nb._risk.zeros import zeros
from kis_nb._seoul import KST

_MOMENTS = ("now", "night", "expiry")
_AT = pl.Datetime("us", KST.key)
_SCENARIOS: dict[str, Any] = {
    "spot": pl.Float64,
    "vol": pl.Float64,
    "at": _AT,
    "level": pl.Float64,
    "pnl": pl.Float64,
}
_CURVE: dict[str, Any] = {
    "moment": pl.Enum(_MOMENTS),
    "at": _AT,
    "spot": pl.Float64,
    "level": pl.Float64,
    "pnl": pl.Float64,
    "unrealized": pl.Float64,
}
Steps: TypeAlias = float | Sequence[float]


class WhatIf(Estimates):
    """The scenarios of `Risk`."""

    def scenarios(
        self,
        *,
        spot: Steps | None = None,
        vol: Steps | None = None,
        at: At | Sequence[At] | None = None,
        underlying: str | None = None,
    ) -> pl.DataFrame:
        """What moves of level, volatility and time would bring, every position priced anew.

        Args:
            spot: relative moves of the level, above -1; -10 to 10 % in steps of 0.5 % when left
                out.
            vol: relative changes of each volatility, from -1; -30 to 50 % in steps of 10 % when
                left out.
            at: "now", "night" (the end of this night session), a last trading day (its end of
                trading), a time, or several; now, night and every expiry when left out.
            underlying: which one moves; the main one when left out.

        Returns:
            One row for each moment, volatility and move, in this order: ``spot``, ``vol``, ``at``
            (Datetime, Asia/Seoul), ``level`` (points), ``pnl`` (won, Float64: the change from now).
            Empty when nothing is priced.

        Raises:
            ValueError: an argument is none of these.
        """
        name = self._name(underlying)
        spots, vols = _steps("spot", spot, SPOTS, -1), _steps("vol", vol, VOLS, -1)
        if name is None:
            return pl.DataFrame(schema=_SCENARIOS)
        repricer = self._book.repricer(name)
        moments = read_moments(at, self.as_of, name, self._book.expiries(name))
        pnl: list[float] = []
        for one in moments:
            pnl += repricer.pnl(spots, vols, one)
        count = len(moments)
        columns = {
            "spot": spots * (len(vols) * count),
            "vol": [one for one in vols for _ in spots] * count,
            "at": [one for one in moments for _ in range(len(vols) * len(spots))],
            "level": [repricer.level * (1 + one) for one in spots] * (len(vols) * count),
            "pnl": pnl,
        }
        return pl.DataFrame(columns, schema=_SCENARIOS)

    def curve(
        self,
        *,
        underlying: str | None = None,
        expiry: date | str | None = None,
        vol: float = 0.0,
        spot: Steps | None = None,
    ) -> pl.DataFrame:
        """P&L over the level now, at the end of the night, and at an expiry.

        Args:
            underlying: as of `scenarios`.
            expiry: a last trading day of a position; the nearest when left out.
            vol: a relative change of each volatility.
            spot: as of `scenarios`.

        Returns:
            ``moment`` (Enum now, night, expiry; no expiry where there is none), ``at``, ``spot``,
            ``level``; ``pnl`` (the change from now) and ``unrealized`` (from cost, as
            ``evlu_pfls_amt`` counts it; a position without a cost counts from now), in won,
            Float64. What expires before is settled at the level.

        Raises:
            ValueError: an argument is none of these.
        """
        name = self._name(underlying)
        spots = _steps("spot", spot, SPOTS, -1)
        change = _one_vol(vol)
        if name is None:
            return pl.DataFrame(schema=_CURVE)
        repricer = self._book.repricer(name)
        day = self._expiry(name, expiry)
        moments = {"now": self.as_of, "night": self.night_end}
        if day is not None:
            moments["expiry"] = end_of_trading(name, day)
        rows = []
        for moment, at in moments.items():
            for one, pnl in zip(spots, repricer.pnl(spots, (change,), at), strict=True):
                unrealized = pnl + repricer.base - repricer.cost
                rows.append((moment, at, one, repricer.level * (1 + one), pnl, unrealized))
        return pl.DataFrame(rows, schema=_CURVE, orient="row")

    def _expiry(self, name: str, expiry: date | str | None) -> date | None:
        days = self._book.expiries(name)
        if expiry is None:
            return next(iter(days), None)
        found = next((day for day in days if str(day) == str(expiry)), None)
        if found is None:
            known = ", ".join(map(str, days)) or "none"
            raise ValueError(
                f"expiry takes a day on which a position expires ({known}); got {expiry}"
            )
        return found

    def break_evens(
        self, *, underlying: str | None = None, expiry: date | str | None = None
    ) -> list[float]:
        """The levels at which the P&L from cost is 0 at an expiry.

        Args:
            underlying, expiry: as of `curve`.

        Returns:
            Levels in points between half and one and a half times the level now, in order.

        Raises:
            ValueError: an argument is none of these.
        """
        name = self._name(underlying)
        day = None if name is None else self._expiry(name, expiry)
        if name is None or day is None:
            return []
        repricer = self._book.repricer(name)
        found: list[float] = self._once(
            ("zeros", name, day), lambda: zeros(repricer, end_of_trading(name, day))
        )
        return found

    def contributions(
        self,
        level: float | Decimal,
        *,
        underlying: str | None = None,
        at: At = "now",
        vol: float = 0.0,
    ) -> pl.DataFrame:
        """What each position would gain or lose at a level.

        Args:
            level: in points.
            underlying: as of `scenarios`.
            at: one moment, as of `scenarios`.
            vol: a relative change of each volatility.

        Returns:
            The positions on the underlying that count, the largest loss first: ``pdno``,
            ``prdt_name``, ``side``, ``quantity`` (contracts, short below 0), ``pnl`` (won,
            Float64: the change from now). Empty when nothing is priced.

        Raises:
            ValueError: an argument is none of these.
        """
        name = self._name(underlying)
        if not is_number(level) or level <= 0:
            raise ValueError(f"level is a number of points above 0; got {level!r}")
        change = _one_vol(vol)
        if name is None:
            return contributions_frame(self.balance.positions, None, 0.0, 0.0, self.as_of)
        repricer = self._book.repricer(name)
        if isinstance(at, (list, tuple)):
            raise ValueError("at takes one moment here")  # noqa: TRY004 (as for other values)
        (moment,) = read_moments(at, self.as_of, name, ())
        spot = float(level) / repricer.level - 1
        return contributions_frame(self.balance.positions, repricer, spot, change, moment)


def _one_vol(vol: float) -> float:
    """A change of volatility.

    Raises:
        ValueError: it is no number of at least -1.
    """
    if not is_number(vol):
        raise ValueError(f"vol takes one relative change like 0.2 for 20%; got {vol!r}")
    return _steps("vol", vol, (), -1)[0]


def _steps(name: str, given: Steps | None, default: Sequence[float], least: float) -> list[float]:
    """The steps of a grid as a list.

    Raises:
        ValueError: none, or one that is no number of at least `least` and at most 10.
    """
    if given is None:
        return list(default)
    single = isinstance(given, (int, float, Decimal))
    steps: list[Any] = [given] if single else list(given)  # type: ignore[arg-type]
    for step in steps:
        if not is_number(step) or not least <= step <= 10:
            raise ValueError(f"{name} takes relative changes like -0.03 for -3%; got {step!r}")
        if name == "spot" and step == least:
            raise ValueError("spot takes moves above -1: the level stays above 0")
    if not steps:
        raise ValueError(f"{name} takes one number or several")
    return [float(step) for step in steps]
