"""A chart as a picture in HTML, as a saved notebook and a report hold it.

The picture is an image with a ``data:`` URL, since JupyterLab shows no SVG of a notebook that it
does not trust, and removes everything but images and text from its HTML. The SVG stands in it as
text, so that its figures can be searched for. Its letters are drawn with the reader's fonts; only
those of a PNG need fonts on the machine that makes it.
"""

from __future__ import annotations

import html
from collections.abc import Iterable
from typing import Any
from xml.etree.ElementTree import ParseError

from kis_nb._widgets.compact_svg import Svg, compact
from kis_nb._widgets.converter import Converter, NoPicture
from kis_nb._widgets.korean_font import korean_font
from kis_nb._widgets.vega_spec import adapt_to_paper

# All of one width for Latin letters and figures, so that what was measured here fits elsewhere.
_FONT = (
    "Arial, Liberation Sans, Helvetica, Apple SD Gothic Neo, Malgun Gothic, NanumGothic, "
    "Noto Sans CJK KR, sans-serif"
)
# A larger SVG is a PNG when that is smaller, as a drawing of tens of thousands of marks is.
_LARGEST_SVG = 200_000
_SCALE = 1.5
# What an image's text says to a screen reader: the title, and this many figures.
_SPOKEN = 25

# The class of a line in a picture's place.
NO_PICTURE = "kis-no-picture"
NOT_INSTALLED = (
    "저장되는 차트 그림에는 vl-convert-python이 필요합니다 · No picture of the chart is saved: "
    'pip install "kis_nb[pictures]"'
)
_NO_FONT = (
    "그림을 만든 컴퓨터에 한글 글꼴이 없습니다 · Korean letters are missing: the computer that "
    "drew this has no Korean font"
)
CONVERTER = Converter()


def picture_html(spec: dict[str, Any], name: str, converter: Converter = CONVERTER) -> str:
    """The chart as an image; a line that says why when there can be none. Nothing is raised.

    Args:
        spec: a Vega-Lite spec with its data.
        name: the chart's title.
        converter: makes the picture.
    """
    if not converter.is_installed():
        return _line(NOT_INSTALLED)
    try:
        svg = compact(converter.svg(adapt_to_paper(spec, _FONT)))
        url, kind = _svg_url(svg.text), "svg+xml"
        if len(url.encode()) > _LARGEST_SVG:
            png = f"data:image/png;base64,{converter.png(svg.text, _SCALE)}"
            url, kind = min((url, kind), (png, "png"), key=lambda one: len(one[0].encode()))
    except (NoPicture, ParseError) as error:
        return _line(f"차트 그림을 만들 수 없음 · No picture of the chart: {error}")
    lacks_letters = kind == "png" and korean_font() is False
    return _image(url, svg, name) + (_line(_NO_FONT) if lacks_letters else "")


def _image(url: str, svg: Svg, name: str) -> str:
    spoken = _spoken(name, svg.labels)
    # Of `html.escape`'s five characters an apostrophe needs no escape, and an SVG is full of them.
    source = url.replace("&", "&amp;").replace('"', "%22")
    return (
        f'<img alt="{html.escape(spoken)}" width="{svg.width:g}" '
        f'style="max-width:100%;height:auto" src="{source}">'
    )


def _spoken(name: str, labels: Iterable[str]) -> str:
    known = list(labels)
    more = f"; … {len(known) - _SPOKEN:,}" if len(known) > _SPOKEN else ""
    return ". ".join(filter(None, (name, "; ".join(known[:_SPOKEN]) + more)))


def _svg_url(text: str) -> str:
    for sign in "%#<>\n":
        text = text.replace(sign, f"%{ord(sign):02X}")
    return f"data:image/svg+xml,{text}"


def _line(text: str) -> str:
    return f'<p class="{NO_PICTURE}">{html.escape(text)}</p>'
