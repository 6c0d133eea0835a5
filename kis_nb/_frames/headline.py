"""Several accounts in a few sentences: the first thing that the night report says."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from kis_nb._account import Account
from kis_nb._choices import Lang
from kis_nb._frames.account_frames import latest_excess
from kis_nb._frames.decimal_context import exactly
from kis_nb._frames.failure import Failure
from kis_nb._frames.moments import moments, same_moment
from kis_nb._frames.text import SEPARATOR, arrowed, count, exact

if TYPE_CHECKING:
    import polars as pl

_WON: Mapping[Lang, str] = {"ko": "원", "en": " KRW"}
_Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, repr=False)
class Headline:
    """Sentences about accounts. A cell shows a line for each, ``str()`` gives them as text.

    Attributes:
        lines: the sentences; the first says how many accounts, when, and DEMO in the demo.
    """

    lines: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join(self.lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *rest = (html.escape(line) for line in self.lines)
        sentences = "".join(
            f"<div style='font-size:115%{';font-weight:bold' if line.startswith('⚠') else ''}'>"
            f"{line}</div>"
            for line in rest
        )
        return f"<div style='line-height:1.7'><div>{head}</div>{sentences}</div>"


@exactly
def headline(
    equity: pl.DataFrame,
    statuses: pl.Series,
    failures: Sequence[Failure],
    labels: Mapping[Account, str],
    lang: Lang,
    *,
    demo: bool,
) -> Headline:
    """The sentences of `Balances.headline`.

    Args:
        equity: of `Balances.equity`, the tightest account first.
        statuses: of the checks of `Balances.reconcile`.
        failures: of the pulls.
        labels: of the accounts.
        lang: of the sentences.
        demo: whether the figures are the embedded broker's.
    """
    rows = equity.rows(named=True)
    lines = [_head(rows, lang, demo=demo)]
    if rows:
        lines += [
            _call(rows, lang, all_pulled=not failures),
            _moved(rows, lang),
            _excess(rows, lang),
        ]
        lines.append(_checks(statuses, lang))
    lines += [
        ("⚠ 조회하지 못함: " if lang == "ko" else "⚠ Not pulled: ")
        + f"{labels[one.account]} {one.mgna_dvsn.query} {one.excc_stat_cd.query}. "
        + f"{type(one.error).__name__}: {one.error}"
        for one in failures
    ]
    return Headline(tuple(lines))


def _head(rows: Sequence[_Row], lang: Lang, *, demo: bool) -> str:
    if len(rows) == 1:
        parts = [rows[0]["account"]]
    else:
        parts = [f"{len(rows):,}개 계좌" if lang == "ko" else count(len(rows), "account")]
    if rows:
        parts.append(moments(row["as_of"] for row in rows))
    return SEPARATOR.join([*parts, "DEMO"] if demo else parts)


def _call(rows: Sequence[_Row], lang: Lang, *, all_pulled: bool) -> str:
    """Which accounts have a margin call, and of how many that is not known."""
    called = [row for row in rows if row["margin_call"]]
    unknown = sum(row["margin_call"] is None for row in rows)
    sentences = []
    if called:
        listed = ", ".join(
            f"{row['account']} {exact(row['margin_call'])}{_WON[lang]}" for row in called
        )
        sentences.append(f"⚠ 마진콜: {listed}." if lang == "ko" else f"⚠ Margin call: {listed}.")
    if unknown:
        sentences.append(
            f"마진콜 여부를 알 수 없는 계좌 {unknown:,}개."
            if lang == "ko"
            else f"Not known whether there is a margin call: {count(unknown, 'account')}."
        )
    if not sentences and all_pulled:
        sentences.append("마진콜 없음." if lang == "ko" else "No margin call.")
    elif not sentences:
        sentences.append(
            "조회한 계좌에는 마진콜 없음."
            if lang == "ko"
            else "No margin call in the accounts that were pulled."
        )
    return " ".join(sentences)


def _moved(rows: Sequence[_Row], lang: Lang) -> str:
    """How the equity of all accounts moved since settlement."""
    known = [row for row in rows if None not in (row["reported_equity"], row["current_equity"])]
    if not known:
        return (
            "지금 자산을 알 수 없습니다."
            if lang == "ko"
            else "The equity of this moment is not known."
        )
    start = sum((row["reported_equity"] for row in known), Decimal(0))
    end = sum((row["current_equity"] for row in known), Decimal(0))
    step = arrowed(end - start)
    won = _WON[lang]
    estimated = any(row["source"] == "estimate" for row in known)
    if lang == "ko":
        text = f"정산 이후 자산 {exact(start)}{won} → {exact(end)}{won} ({step}{won}"
        text += ", 추정치)." if estimated else ")."
        lacking = f" 알 수 없는 계좌 {len(rows) - len(known):,}개 제외."
    else:
        text = f"Equity since settlement {exact(start)} → {exact(end)}{won} ({step}{won}"
        text += ", an estimate)." if estimated else ")."
        lacking = f" Without {count(len(rows) - len(known), 'account')} that KIS does not tell."
    return text + lacking if len(known) < len(rows) else text


def _excess(rows: Sequence[_Row], lang: Lang) -> str:
    """The excess margin of the tightest account."""
    row = rows[0]
    excess = latest_excess(row)
    who = ""
    if len(rows) > 1:
        who = (
            f"가장 빠듯한 계좌 {row['account']}: "
            if lang == "ko"
            else f"The tightest account, {row['account']}: "
        )
    start = "여유증거금" if lang == "ko" else "excess margin" if who else "Excess margin"
    if excess is None:
        return f"{who}{start}을 알 수 없습니다." if lang == "ko" else f"{who}{start} is not known."
    won, percent = _WON[lang], row["equity_percent"]
    # Without the equity of this moment both figures are of KIS's equity at settlement.
    settled = row["excess_margin_now"] is None
    basis = "" if not settled else " (정산 기준)" if lang == "ko" else " at settlement"
    text = f"{start}{basis} {exact(excess)}{won}"
    if percent is not None:
        text += (
            f", 자산{basis}이 유지증거금의 {percent:,f}%"
            if lang == "ko"
            else f", equity{basis} {percent:,f}% of the maintenance margin"
        )
    at = row["margin_as_of"]
    if at is not None and not same_moment(row["as_of"], at):
        text += f" (증거금 {at:%H:%M:%S})" if lang == "ko" else f" (margin of {at:%H:%M:%S})"
    return f"{who}{text}."


def _checks(statuses: pl.Series, lang: Lang) -> str:
    differ, rounding = ((statuses == name).sum() or 0 for name in ("differs", "rounding"))
    known = len(statuses) - statuses.null_count()
    if lang == "ko":
        text = f"대조 {known:,}개 중 "
        text += f"{differ:,}개가 어긋납니다" if differ else "어긋난 것 없음"
        return text + (f" (그 밖에 1~2원 차이 {rounding:,}개)." if rounding else ".")
    text = f"Of {known:,} checks " + (f"{differ:,} differ" if differ else "none differs")
    return text + (f" ({rounding:,} more by a won or two)." if rounding else ".")
