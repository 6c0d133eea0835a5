"""What the columns of estimates (`kis_nb.risk`) are called, and how their floats are written.

A float is an estimate. It is written with as many digits as mean something: won without decimals,
a relative change in per cent, a Greek with four decimals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from kis_nb._frames.text import exact, signed
from kis_nb._frames.words import Words

LABELS: Mapping[str, Words] = {
    "quantity": ("수량", "Quantity"),
    "forward": ("선도가격", "Forward"),
    "forward_source": ("선도가격 출처", "Forward from"),
    "implied_volatility": ("내재변동성", "Implied volatility"),
    "delta": ("델타", "Delta"),
    "gamma": ("감마", "Gamma"),
    "vega": ("베가", "Vega"),
    "theta": ("세타", "Theta"),
    "delta_won": ("델타 (원/1포인트)", "Delta, won a point"),
    "gamma_won": ("감마 (원/1포인트)", "Gamma, won a point"),
    "vega_won": ("베가 (원/1%p)", "Vega, won a vol point"),
    "theta_won": ("세타 (원/일)", "Theta, won a day"),
    "kis_delta": ("KIS 델타", "KIS's delta"),
    "kis_gamma": ("KIS 감마", "KIS's gamma"),
    "kis_vega": ("KIS 베가", "KIS's vega"),
    "kis_theta": ("KIS 세타", "KIS's theta"),
    "kis_implied_volatility": ("KIS 내재변동성", "KIS's implied volatility"),
    "note": ("비고", "Note"),
    "spot": ("기준가 변동", "Price move"),
    "vol": ("변동성 변화율", "Volatility move"),
    "at": ("시점", "At"),
    "moment": ("시점", "When"),
    "level": ("기준가", "Level"),
    "pnl": ("손익 (원, 추정)", "P&L, won, estimate"),
    "margin": ("증거금", "Margin"),
    "equity": ("자산 (원)", "Equity, won"),
    "required": ("유지증거금 (원)", "Maintenance margin, won"),
    "component": ("구성", "Component"),
    "ko": ("이름", "Korean"),
    "en": ("영문", "English"),
    "which": ("구분", "Which"),
    "estimated": ("추정 (원)", "Estimate, won"),
    "reported": ("KIS (원)", "KIS, won"),
    "gap": ("차이 (원)", "Gap, won"),
}
# In the frame of totals, whose first two are for 1 %: a position's are for a point.
TOTALS: Mapping[str, Words] = {
    "delta_contracts": ("델타 (선물 계약)", "Delta, contracts"),
    "delta_won": ("델타 (원/1%)", "Delta, won for 1 %"),
    "gamma_won": ("감마 (원/1%)", "Gamma, won for 1 %"),
}
WORDS: Mapping[str, Mapping[str, Words]] = {
    "side": {"below": ("아래로", "Below"), "above": ("위로", "Above")},
    "margin": {
        "held": ("지금 그대로", "as it is now"),
        "re-estimated": ("재추정", "re-estimated"),
    },
    "which": {"initial": ("개시", "initial"), "maintenance": ("유지", "maintenance")},
    "moment": {
        "now": ("지금", "now"),
        "night": ("야간장 끝", "end of the night"),
        "expiry": ("만기", "expiry"),
    },
    # Why a position has no estimate, or how it was priced instead; why a margin call has no level.
    "note": {
        "no price": ("가격 없음", "no price"),
        "unknown product": ("종목 불명", "unknown product"),
        "side not known": ("매매 불명", "side not known"),
        "past expiry": ("만기 지남", "past expiry"),
        "no forward": ("선도가격 없음", "no forward"),
        "above its upper bound": ("이론 상한 초과", "above its upper bound"),
        "volatility not found": ("변동성 산출 불가", "volatility not found"),
        "below intrinsic": ("내재가치 미만", "below intrinsic"),
        "no time value": ("시간가치 없음", "no time value"),
        "equity not known": ("자산을 알 수 없음", "equity not known"),
        "margin not known": ("유지증거금을 알 수 없음", "margin not known"),
        "rates not known": ("증거금률을 알 수 없음", "rates not known"),
        "already below": ("이미 유지증거금 미만", "already below"),
        "no level within 50%": ("±50% 안에 없음", "no level within 50%"),
    },
    "forward_source": {
        "given": ("직접 지정", "given"),
        "quote": ("시세", "quote"),
        "held future": ("보유 선물", "held future"),
        "parity": ("풋콜 패리티", "put-call parity"),
        "nearest future": ("최근월 선물", "nearest future"),
        "nearest expiry": ("가장 가까운 만기", "nearest expiry"),
    },
}
SIGNED = frozenset({"pnl"})
_WON = frozenset({"equity", "required", "estimated", "gap"})
_PERCENT = {"spot": 2, "vol": 0, "implied_volatility": 2, "kis_implied_volatility": 2}
_MOVES = frozenset({"spot", "vol"})
_POINTS = frozenset({"level", "forward", "delta_contracts"})
_GREEKS = frozenset(
    f"{who}{greek}" for who in ("", "kis_") for greek in ("delta", "gamma", "vega", "theta")
)


def float_text(name: str, value: float) -> str:
    """One estimate of a column, with the digits that mean something; never ``-0``."""
    if not math.isfinite(value):
        return str(value)
    if name in _PERCENT:
        share = round(100 * value, _PERCENT[name]) + 0.0
        sign = "+" if name in _MOVES and share else ""
        return f"{share:{sign},.{_PERCENT[name]}f}%"
    if name in _WON or name.endswith("_won"):
        return won(value)
    digits = 2 if name in _POINTS else 4 if name in _GREEKS else None
    return f"{value:,}" if digits is None else f"{round(value, digits) + 0.0:,.{digits}f}"


def won(value: float) -> str:
    """An estimated amount in whole won."""
    return f"{round(value):,}"


def signed_won(value: float | None) -> str:
    """An estimated amount in whole won, with its sign: ``-12,345,678``; null is ``–``."""
    return signed(None if value is None else round(value))


def level_text(level: float | None) -> str:
    """A level with two decimals: ``1,003.25``; null is ``–``."""
    return exact(None if level is None else Decimal(f"{level:.2f}"))


def move_text(move: float) -> str:
    """A relative move in per cent: ``-3%``, ``+0.5%``, ``+4.37%``."""
    number = Decimal(f"{move * 100:.2f}")
    text = f"{number:+f}".rstrip("0").rstrip(".")
    return f"{'0' if not number else text}%"
