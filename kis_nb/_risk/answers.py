"""The three answers, what is lacking, and what is left out, in sentences.

One-liner, command line and dashboard take them from here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kis_nb._choices import Lang
from kis_nb._frames.estimate_text import level_text, move_text, signed_won
from kis_nb._frames.moments import moments
from kis_nb._frames.words import UNDERLYINGS
from kis_nb._risk.grid import HEADLINE
from kis_nb._risk.inputs import LACKS, Lack, What
from kis_nb._risk.notes import note_label


def name_of(underlying: str, lang: Lang) -> str:
    """An underlying's name in a language."""
    return _say(lang, *UNDERLYINGS.get(underlying, (underlying, underlying)))


def _say(lang: Lang, ko: str, en: str) -> str:
    return ko if lang == "ko" else en


def times_text(times: tuple[datetime, datetime], as_of: datetime) -> str:
    """The first and the last time; without the date when it is the balance's."""
    if any(at.date() != as_of.date() for at in times):
        return moments(times)
    return "–".join(dict.fromkeys(f"{at:%H:%M:%S}" for at in times))


_APART: dict[What, tuple[str, str]] = {
    "quotes": ("선도가격", "forwards"),
    "option quotes": ("KIS 그릭스", "KIS's Greeks"),
    "maintenance margin": ("유지증거금", "maintenance margin"),
    "margin detail": ("증거금 상세", "margin by component"),
}


def nothing_answer(lang: Lang) -> str:
    """That there is nothing to estimate."""
    return _say(lang, "가격을 낼 수 있는 포지션이 없습니다", "No position is priced")


def loss_answer(underlying: str, pnl: Mapping[float, float], lang: Lang) -> str:
    """What the headline's moves would bring.

    Args:
        underlying: which one moves.
        pnl: by relative move; the volatility's change is that of the headline.
        lang: of the sentence.
    """
    name, vol = name_of(underlying, lang), move_text(HEADLINE[1])
    ko = " · ".join(f"{move_text(spot)}면 {signed_won(one)}원" for spot, one in pnl.items())
    en = " · ".join(f"{move_text(spot)} {signed_won(one)} won" for spot, one in pnl.items())
    return _say(
        lang,
        f"{name} 추정 손익: {ko} (변동성 {vol})",
        f"{name}, estimated P&L: {en} (volatility {vol})",
    )


def call_answer(
    underlying: str, rows: Sequence[Mapping[str, Any]], lang: Lang, *, settled: bool
) -> str:
    """At which levels the margin call comes.

    Args:
        underlying: which one moves.
        rows: those of `margin_call` that are meant.
        lang: of the sentence.
        settled: whether equity is that of the last settlement.
    """
    found = [row for row in rows if row["note"] is None]
    underlying = name_of(underlying, lang)
    head = _say(lang, f"마진콜 추정 ({underlying}): ", f"Margin call, estimated ({underlying}): ")
    if not found:
        return head + note_label(rows[0]["note"], lang)
    sides = {"below": ("하락 시", "below"), "above": ("상승 시", "above")}
    parts = [
        f"{_say(lang, *sides[row['side']])} {level_text(row['level'])} ({move_text(row['spot'])})"
        for row in found
    ]
    end = _say(lang, " · 정산 시점 자산 기준", " · on equity at the last settlement")
    return head + ", ".join(parts) + (end if settled else "")


def cause_answer(
    at_call: Mapping[str, Any] | None, level: float, worst: Mapping[str, Any] | None, lang: Lang
) -> str:
    """Which position loses most there.

    Args:
        at_call: the row of the margin call's level that is meant; None when there is none, and
            `level` is that of the first answer.
        level: where.
        worst: the row of `Risk.contributions` with the largest loss; None when nothing loses.
        lang: of the sentence.
    """
    where = level_text(level)
    place = (
        _say(lang, f"마진콜 수준 {where}에서", f"at the margin-call level {where}")
        if at_call is not None
        else _say(
            lang,
            f"{where}, 변동성 {move_text(HEADLINE[1])}에서",
            f"at {where} with volatility {move_text(HEADLINE[1])}",
        )
    )
    if worst is None:
        return _say(lang, f"{place} 손실 포지션 없음", f"No position loses {place}")
    name, size = (worst["prdt_name"] or worst["pdno"] or "?").strip(), signed_won(worst["pnl"])
    name = " ".join(name.split())
    side = {"long": ("매수", "long"), "short": ("매도", "short")}[worst["side"]]
    held = f"{_say(lang, *side)} {abs(worst['quantity']):,}"
    return _say(
        lang,
        f"{place} 최대 손실: {name} {held}, 추정 {size}원",
        f"Largest loss {place}: {name}, {held}: estimated {size} won",
    )


def summary_lines(
    *,
    lacks: Sequence[Lack],
    notes: Sequence[str],
    intrinsic: int,
    apart: Mapping[What, tuple[datetime, datetime]],
    as_of: datetime,
    unused: Sequence[str],
    lang: Lang,
) -> list[str]:
    """What the estimates do without, a line each; empty when nothing is missing.

    Args:
        lacks: what KIS did not give.
        notes: of the positions that no scenario counts.
        intrinsic: how many are priced at their intrinsic value.
        apart: as of `Risk.apart`.
        as_of: of the balance.
        unused: given forwards for expiries that no position has.
        lang: of the lines.
    """
    lines = [
        _say(
            lang,
            f"{LACKS[one.what][0]} 없음: {one.why}",
            f"Without {LACKS[one.what][1]}: {one.why}",
        )
        for one in lacks
    ]
    if notes:
        counts = Counter(note_label(note, lang) for note in notes).most_common()
        listed = ", ".join(f"{name} {number:,}" for name, number in counts)
        number = len(notes)
        lines.append(_say(lang, f"{number:,}종목 제외: {listed}", f"{number:,} left out: {listed}"))
    if intrinsic:
        lines.append(
            _say(
                lang,
                f"{intrinsic:,}종목은 시간가치가 없어 내재가치로 계산",
                f"{intrinsic:,} without time value, priced at their intrinsic value",
            )
        )
    if apart:
        listed = ", ".join(
            f"{_say(lang, *_APART[what])} {times_text(times, as_of)}"
            for what, times in apart.items()
        )
        own = times_text((as_of, as_of), as_of)
        lines.append(
            _say(
                lang,
                f"잔고({own})와 다른 시각: {listed}",
                f"Of another moment than the balance ({own}): {listed}",
            )
        )
    if unused:
        listed = ", ".join(unused)
        lines.append(
            _say(
                lang,
                f"쓰이지 않은 선도가격 (만기 포지션 없음): {listed}",
                f"Forwards not used, since no position expires then: {listed}",
            )
        )
    return lines
