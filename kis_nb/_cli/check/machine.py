"""Steps about this computer: JupyterLab, the widgets' parts, charts as pictures, a Korean font."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata
from importlib.resources import files

from kis_nb._cli.check.result import Result, Say
from kis_nb._widgets.korean_font import korean_font


def version(name: str) -> str | None:
    """The installed version of a distribution; None when there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def has_bundle() -> bool:
    """Whether the charts' JavaScript, which the build makes, is installed."""
    return (files("kis_nb") / "_widgets" / "static" / "vega.js").is_file()


def computer(say: Say) -> Iterator[Result]:
    """The steps that need no key."""
    if lab := version("jupyterlab"):
        yield Result("lab", "ok", f"JupyterLab {lab}")
    else:
        text = say(
            'JupyterLab is not here: pip install "kis_nb[lab]" (fine when it runs elsewhere)',
            '이 환경에 JupyterLab이 없습니다: pip install "kis_nb[lab]" (다른 곳에서 쓰면 괜찮음)',
        )
        yield Result("lab", "note", text)
    parts = {name: version(name) for name in ("ipywidgets", "anywidget")}
    versions = ", ".join(f"{name} {found or '-'}" for name, found in parts.items())
    if all(parts.values()) and has_bundle():
        text = say("the charts' JavaScript is there", "차트용 JavaScript 있음")
        yield Result("widgets", "ok", f"{versions}; {text}")
    else:
        text = say(
            "incomplete: reinstall kis_nb (in a checkout: make); charts would not draw",
            "불완전합니다. kis_nb를 다시 설치하세요(저장소에서는 make). 차트가 그려지지 않습니다",
        )
        yield Result("widgets", "wrong", f"{versions}; {text}")
    yield picture_step(say)
    yield font_step(say)


def picture_step(say: Say) -> Result:
    """Whether charts are saved as pictures."""
    if found := version("vl-convert-python"):
        text = say("notebooks are saved with their charts", "차트가 노트북에 그림으로 저장됨")
        return Result("pictures", "ok", f"vl-convert-python {found}; {text}")
    text = say(
        'saved notebooks and reports have no charts without it: pip install "kis_nb[pictures]"',
        '없으면 저장한 노트북과 보고서에 차트가 남지 않습니다: pip install "kis_nb[pictures]"',
    )
    return Result("pictures", "note", f"vl-convert-python: {text}")


def font_step(say: Say) -> Result:
    """Whether Hangul can be drawn."""
    font = korean_font()
    if font:
        return Result("font", "ok", say("a Korean font is here", "한글 글꼴 있음"))
    found = say("none found", "없음") if font is False else say("not known", "알 수 없음")
    text = say(
        f"Korean font: {found} on this computer. Charts draw in the browser's: if Hangul shows "
        "as boxes there, install one (sudo apt install fonts-noto-cjk, or fonts-nanum)",
        f"한글 글꼴: {found}. 차트는 브라우저의 글꼴로 그려집니다. 한글이 네모로 보이면 "
        "설치하세요(sudo apt install fonts-noto-cjk 또는 fonts-nanum)",
    )
    return Result("font", "note", text)
