"""Steps about the settings, the form of each key, and its token.

Texts hold names of what is set, and lengths; never a value.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from kis_nb._cli.check.result import Result, Say, duration
from kis_nb._errors import KisError
from kis_nb._wire.config import Settings
from kis_nb._wire.environment import known_variables
from kis_nb._wire.samples_file import samples_path
from kis_nb._wire.sources import load
from kis_nb._wire.token_store import TokenStore

# Fewer retries than a pull makes: a check reports that calls fail, and does not wait it out.
RETRIES = 2
_KEY_LENGTHS = {"app key": 36, "app secret": 180}


def demo_step(say: Say) -> Result:
    """Says that no key of the user's is checked."""
    text = say(
        "the embedded broker with keys of its own (--demo or KIS_NB_DEMO); yours is not checked",
        "내장 데모 서버를 점검합니다(--demo 또는 KIS_NB_DEMO). 본인의 앱키는 점검하지 않습니다",
    )
    return Result("settings", "note", text)


def settings_steps(say: Say) -> tuple[tuple[Settings, ...], list[Result]]:
    """The settings, none when they are wrong, and the results about them."""
    sources = _sources(say)
    try:
        settings = load(retries=RETRIES)
    except KisError as error:
        return (), [Result("settings", "wrong", f"{one_line(error)} [{sources}]")]
    results = [Result("settings", "ok", sources)]
    if padded := ", ".join(_padded()):
        text = say(
            f"{padded}: blanks or a line's end around the value; kis_nb leaves them out, other "
            "programs send them and get EGW00105 or EGW00304",
            f"{padded}: 값 앞뒤에 공백이나 줄바꿈이 있습니다. kis_nb는 떼고 보내지만, 다른 "
            "프로그램은 그대로 보내 EGW00105·EGW00304가 납니다",
        )
        results.append(Result("settings", "note", text))
    return settings, results


def key_steps(settings: tuple[Settings, ...], say: Say, now: float) -> Iterator[Result]:
    """The form of each key, and the token that is stored for it.

    Args:
        settings: one for each key and its accounts.
        say: chooses the language.
        now: seconds since 1970, by this computer's clock.
    """
    # An app key that serves two accounts is checked once.
    keys = {one.app_key: one for one in settings}
    for number, one in enumerate(keys.values(), 1):
        who = say(f"key {number}: ", f"앱키 {number}: ") if len(keys) > 1 else ""
        yield _key(one, who, say)
        yield _token(one, who, say, now)


def one_line(error: Exception) -> str:
    """An error's message in one line."""
    return " ".join(str(error).split()) or type(error).__name__


def _sources(say: Say) -> str:
    """The names of what is set, and never a value."""
    names = known_variables()
    file = samples_path()
    there = say("is there", "있음") if file.exists() else say("none", "없음")
    environment = ", ".join(names) or say("nothing set", "설정 없음")
    return say(
        f"from the environment ({environment}), then the file {file} ({there})",
        f"환경변수({environment}), 그다음 파일 {file}({there})",
    )


def _padded() -> list[str]:
    """The names of credentials in the environment with blanks or a line's end around them."""
    names = [name for name in os.environ if re.match(r"KIS_APP_(KEY|SECRET)", name)]
    return sorted(name for name in names if os.environ[name] != os.environ[name].strip())


def _key(settings: Settings, who: str, say: Say) -> Result:
    found = {"app key": settings.app_key, "app secret": settings.app_secret}
    lengths = {name: len(secret.reveal()) for name, secret in found.items()}
    wrong = [name for name, length in lengths.items() if length != _KEY_LENGTHS[name]]
    if not wrong:
        text = say("36 and 180 characters, no blank in them", "36자·180자, 중간 공백 없음")
        return Result("key", "ok", who + text)
    counts = ", ".join(f"{name} {lengths[name]} ({_KEY_LENGTHS[name]})" for name in wrong)
    text = say(
        f"characters, and how many KIS gives: {counts}. Cut short, or pasted with something else? "
        "KIS would answer EGW00103, EGW00105 or EGW00304; copy it again from the KIS Developers "
        "page",
        f"글자 수(KIS가 주는 글자 수): {counts}. 잘렸거나 다른 글자가 붙은 것 같습니다. 이대로면 "
        "EGW00103·EGW00105·EGW00304가 납니다. KIS Developers에서 다시 복사하세요",
    )
    return Result("key", "note", who + text)


def _token(settings: Settings, who: str, say: Say, now: float) -> Result:
    if settings.token is not None:
        return Result("token", "ok", who + say("passed, not issued here", "직접 준 토큰"))
    store = TokenStore(settings.cache_dir, settings.base_url, settings.app_key, settings.app_secret)
    held = store.read()
    left = held.until - now if held else 0.0
    if held and held.refused and left > 0:
        text = say(
            f"KIS refused this key or secret minutes ago ({held.refused}); it is not asked again "
            "for 10 minutes, since that can lock the key. Put the key right first",
            f"몇 분 전 KIS가 이 앱키·시크릿을 거절했습니다({held.refused}). 잠길 수 있어 "
            "10분간 다시 묻지 않습니다. 먼저 키를 고치세요",
        )
        return Result("token", "wrong", who + text)
    if held and held.token and left > 60:
        rest = duration(left)
        text = say(f"stored, good for {rest} more", f"저장된 토큰이 {rest} 더 유효합니다")
        return Result("token", "ok", who + text)
    text = say(
        "none stored: the next step asks KIS for one, and KIS sends a message to your phone",
        "저장된 토큰이 없어 다음 단계에서 발급받습니다. KIS가 휴대폰으로 알림을 보냅니다",
    )
    return Result("token", "note", who + text)
