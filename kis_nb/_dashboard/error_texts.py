"""What the dashboard says about errors: what happened and what to do, in Korean and English."""

from __future__ import annotations

from typing import NamedTuple

from kis_nb._choices import Lang
from kis_nb._errors import (
    ApiError,
    AuthError,
    ConfigError,
    DecodeError,
    KisError,
    PaginationError,
    RateLimitError,
    TransportError,
)


class ErrorText(NamedTuple):
    """An error for people.

    Attributes:
        what: what happened.
        todo: what to do about it.
        detail: the exception's own message, which holds no secret; blank without one.
    """

    what: str
    todo: str
    detail: str


_RETRY = (
    "잠시 뒤 새로고침을 누르십시오. 계속되면 네트워크와 KIS 점검 공지를 확인하십시오.",
    "Press Refresh in a moment. If it goes on, check the network and KIS's notices.",
)
# The first match counts, so subclasses come before their base classes.
_ERRORS: tuple[tuple[type[Exception], tuple[str, str], tuple[str, str]], ...] = (
    (
        ConfigError,
        ("접속 설정이 없거나 맞지 않습니다.", "The settings to connect are missing or do not fit."),
        (
            (
                "KIS_APP_KEY, KIS_APP_SECRET, KIS_ACCOUNTS 환경변수나 "
                "~/KIS/config/kis_devlp.yaml을 채우십시오. "
                "키 없이 보려면 kis_nb.dashboard(demo=True)를 실행하십시오."
            ),
            (
                "Set KIS_APP_KEY, KIS_APP_SECRET and KIS_ACCOUNTS, or fill in "
                "~/KIS/config/kis_devlp.yaml. Without a key: kis_nb.dashboard(demo=True)."
            ),
        ),
    ),
    (
        AuthError,
        ("KIS가 앱키를 받아들이지 않았습니다.", "KIS refused the app key, secret or token."),
        (
            (
                "앱키와 시크릿이 맞는지, 기한이 남았는지 KIS Developers에서 확인한 뒤 다시 "
                "연결하십시오."
            ),
            (
                "Check on KIS Developers that key and secret are right and still valid, then "
                "connect anew."
            ),
        ),
    ),
    (
        RateLimitError,
        ("호출이 너무 잦아 KIS가 거절했습니다.", "KIS refused the calls for their rate."),
        (
            (
                "다른 프로그램이 같은 앱키를 쓰는지 확인하고, connect(calls_per_second=…)를 "
                "낮추십시오."
            ),
            "See whether another program uses the key, or lower connect(calls_per_second=…).",
        ),
    ),
    (
        TransportError,
        ("KIS 서버에 연결하지 못했습니다.", "The KIS gateway could not be reached."),
        _RETRY,
    ),
    (
        ApiError,
        ("KIS가 이 조회를 거절했습니다.", "KIS refused this enquiry."),
        (
            "계좌번호와 이용 신청 여부를 확인하십시오. 아래가 KIS의 답입니다.",
            "Check the account number and that it may use the service. KIS's answer is below.",
        ),
    ),
    (
        DecodeError,
        (
            "KIS의 응답이 문서와 달라 숫자를 보여 주지 않습니다.",
            "The answer is not as documented, so no figure of it is shown.",
        ),
        (
            "다시 조회해 보고, 계속되면 아래 내용을 kis_nb에 알려 주십시오.",
            "Refresh once; if it goes on, report the message below to kis_nb.",
        ),
    ),
    (
        PaginationError,
        (
            "잔고가 끝까지 오지 않아 보여 주지 않습니다.",
            "The balance did not come whole, so it is not shown.",
        ),
        _RETRY,
    ),
    (KisError, ("조회하지 못했습니다.", "The pull failed."), _RETRY),
)
_UNEXPECTED = (
    ("예상하지 못한 오류로 조회가 끊겼습니다.", "An unforeseen error ended the pull."),
    (
        "새로고침을 누르고, 계속되면 kis_nb에 알려 주십시오.",
        "Press Refresh; if it goes on, report it to kis_nb.",
    ),
)
_NO_ACCOUNT = (
    ("보여 줄 계좌가 없습니다.", "There is no account to show."),
    (
        "KIS_ACCOUNTS=12345678-03 환경변수를 두거나 kis_nb.dashboard(account=…)로 넘기십시오.",
        "Set KIS_ACCOUNTS=12345678-03, or pass kis_nb.dashboard(account=…).",
    ),
)


def error_text(error: Exception | None, lang: Lang) -> ErrorText:
    """An error's sentences; None stands for an exception that is no `KisError`."""
    at = 0 if lang == "ko" else 1
    if error is None:
        return ErrorText(_UNEXPECTED[0][at], _UNEXPECTED[1][at], "")
    for kind, what, todo in _ERRORS:
        if isinstance(error, kind):
            return ErrorText(what[at], todo[at], f"{type(error).__name__}: {error}")
    return ErrorText(_UNEXPECTED[0][at], _UNEXPECTED[1][at], "")


def no_account_text(lang: Lang) -> ErrorText:
    """The sentences for a client without an account."""
    at = 0 if lang == "ko" else 1
    return ErrorText(_NO_ACCOUNT[0][at], _NO_ACCOUNT[1][at], "")
