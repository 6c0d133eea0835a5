"""What a recorder says, in Korean and in English."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from kis_nb._choices import Lang
from kis_nb._seoul import KST

_TEXTS: Mapping[str, tuple[str, str]] = {
    "waits": (
        "야간장은 {opens}에 열립니다. 그때까지 기다립니다.",
        "the night session opens at {opens}; waiting until then",
    ),
    "begins": (
        "{accounts}개 계좌를 {every}초마다 {ends}까지 기록합니다. 첫 조회: {first}",
        (
            "recording {accounts} account(s) every {every} s until {ends}; the first pull is at "
            "{first}"
        ),
    ),
    "longer": (
        (
            "한 앱키의 조회에 {needed}초가 걸려 {every}초마다 기록할 수 없습니다. 들어맞는 "
            "가장 짧은 간격인 {least}초로 늘립니다."
        ),
        (
            "the pulls of one app key take {needed} s, which does not fit in {every} s; going on "
            "every {least} s, the least interval that fits"
        ),
    ),
    "other": (
        "다른 기록기가 이 폴더에 쓰고 있습니다. 잃거나 두 번 세는 것은 없습니다.",
        "another recorder is writing to this folder; nothing is lost or counted twice",
    ),
    "progress": (
        "{now}  기록 {kept}건 · 누락 {missed}건 · 다음 {next}",
        "{now}  kept {kept} · missed {missed} · next {next}",
    ),
    "missing": (
        " · {label} {first}부터 누락: {why}",
        " · {label} missing since {first}: {why}",
    ),
    "more": (" 외 {count}건", " and {count} more"),
    "token": (" · 토큰을 기다리는 중({seconds}초)", " · waiting {seconds} s for a token"),
    "ends": (
        "{first}부터 {last}까지 {kept}건을 기록했습니다.",
        "kept {kept} snapshot(s) from {first} to {last}",
    ),
    "nothing": ("기록한 것이 없습니다.", "nothing was kept"),
    "whole": (" 누락은 없습니다.", "; none was missed"),
    "gaps": (" 누락 {missed}건:", "; {missed} missed:"),
    "gap": (
        "  {label} {view}  {first} – {last}  {count}건: {why}",
        "  {label} {view}  {first} – {last}  {count} pull(s): {why}",
    ),
    "still": (
        (
            "{labels}: 기록하는 동안 값이 한 번도 바뀌지 않았습니다. 긴 연휴 전에는 야간장이 "
            "열리지 않기도 합니다."
        ),
        (
            "{labels}: no figure moved in all that time; on the evening before some long holidays "
            "there is no night session"
        ),
    ),
    "busy": ("앞선 조회가 아직 끝나지 않음", "the pull before was still under way"),
    "late": (
        "제때 조회하지 못함(컴퓨터가 멈췄거나 시계가 바뀜)",
        "the moment had passed: the computer slept, or its clock was set",
    ),
    "disk": ("저장하지 못함: {why}", "not written: {why}"),
    "compact": ("{date}의 파일을 합치지 못했습니다: {why}", "files of {date} not merged: {why}"),
}


class Texts:
    """The sentences in one language."""

    def __init__(self, lang: Lang) -> None:
        self._place = 0 if lang == "ko" else 1

    def __call__(self, name: str, /, **values: object) -> str:
        """A sentence with its values."""
        return _TEXTS[name][self._place].format(**values)


def clock_text(moment: float, today: float | None = None) -> str:
    """A moment in Seoul as ``23:15:04``, after its date when that is not today's."""
    time = datetime.fromtimestamp(moment, KST)
    same = today is None or datetime.fromtimestamp(today, KST).date() == time.date()
    return f"{time:%H:%M:%S}" if same else f"{time:%Y-%m-%d %H:%M:%S}"


def seconds_text(seconds: float) -> str:
    """Seconds without a useless fraction."""
    return f"{seconds:g}"
