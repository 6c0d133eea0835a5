"""Charts as pictures: what a saved notebook and a report show of them."""

from __future__ import annotations

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, NoReturn
from urllib.parse import unquote
from xml.etree.ElementTree import Element, fromstring

import altair as alt
import pytest

from kis_nb import charts
from kis_nb._widgets import converter, picture
from kis_nb._widgets.compact_svg import compact
from kis_nb._widgets.converter import Converter, NoPicture
from kis_nb._widgets.picture import picture_html
from kis_nb._widgets.vega_spec import adapt_to_paper
from tests.browser.lab import chromium
from tests.factories import book, make_balance, position

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def drawing() -> Iterator[Converter]:
    """The converting process, for the tests of this module."""
    made = Converter()
    yield made
    made.close()


def every_chart(lang: Any = "ko") -> list[Any]:
    """A chart of each kind, of one account."""
    balance = make_balance(book(60))
    return [
        charts.pnl(balance, lang=lang, top=60),
        charts.margin(balance, lang=lang),
        charts.views(balance, lang=lang),
        charts.book(balance, lang=lang),
        charts.payoff(balance, lang=lang),
        charts.index_stress(balance, lang=lang),
        charts.pnl(balance, by="product", lang=lang),
    ]


def foreign_charts() -> list[Any]:
    """Charts that are not ours, with what ours do not have: clips, images, marks over each other,
    gradients, turned labels.
    """
    rows = [{"x": n, "y": n * 37 % 11, "c": "ab"[n % 2]} for n in range(20)]
    base = alt.Chart(alt.InlineData(values=rows))
    axis = alt.Axis(labelAngle=-40)
    same = alt.InlineData(values=[{"x": 1, "y": 1}] * 10 + [{"x": 2, "y": 2}])
    gif = "R0lGODdhAQABAIABAAAAAP///ywAAAAAAQABAAACAkQBADs="
    image = alt.InlineData(values=[{"x": 1, "y": 1, "u": f"data:image/gif;base64,{gif}"}])
    zoomed = alt.X("x:Q", scale=alt.Scale(domain=[5, 10]))
    return [
        base.mark_line(clip=True).encode(x=zoomed, y="y:Q"),
        charts.payoff(make_balance(book(60))).interactive(),
        base.mark_bar().encode(x=alt.X("x:O", axis=axis), y="y:Q", color="c:N"),
        base.mark_rect().encode(x="x:O", y="y:O", color="y:Q"),
        alt.Chart(same).mark_circle(size=3000, opacity=0.1).encode(x="x:Q", y="y:Q"),
        alt.Chart(image).mark_image(width=50, height=50).encode(x="x:Q", y="y:Q", url="u:N"),
    ]


def svg_of(html: str) -> Element:
    """The SVG that an image holds."""
    (source,) = re.findall(r'src="data:image/svg\+xml,([^"]*)"', html)
    return fromstring(unquote(unescape(source)))  # noqa: S314  (ours)


def texts(root: Element) -> list[str]:
    """What is written in a picture, without the marks that pad it."""
    found = (
        "".join(each.itertext()).strip("\u200b\u2007\u2008 ") for each in root.iter(f"{SVG}text")
    )
    return [text for each in found if (text := each.strip("\u200b\u2007\u2008 "))]


# Draws two SVGs over each other on a canvas; tells how many pixels are clearly different.
DIFFERENCE = """async ([whole, compact, left, width, height]) => {
  const pixels = async (svg, at) => {
    const image = new Image();
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
    await image.decode();
    const context = new OffscreenCanvas(width, height).getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.drawImage(image, at, 0);
    return context.getImageData(0, 0, width, height).data;
  };
  const [a, b] = [await pixels(whole, -left), await pixels(compact, 0)];
  let [different, inked] = [0, 0];
  for (let i = 0; i < a.length; i += 4) {
    const gap = Math.max(...[0, 1, 2].map((n) => Math.abs(a[i + n] - b[i + n])));
    if (gap > 100) different += 1;
    if (Math.min(a[i], a[i + 1], a[i + 2]) < 200) inked += 1;
  }
  return [different, inked];
}"""


def test_compact_pictures_look_the_same(drawing: Converter) -> None:
    """In Chromium hardly a pixel differs from what Vega wrote, and the letters take a fraction."""
    with chromium() as browser:
        page = browser.new_page()
        for number, chart in enumerate([*every_chart(), *foreign_charts()]):
            whole = drawing.svg(adapt_to_paper(chart.to_dict(), "sans-serif"))
            small = compact(whole)
            assert len(small.text) < len(whole) * 0.8
            left = float(re.findall(r"viewBox='(\S+) ", small.text)[0])
            size = [int(small.width), int(small.height)]
            different, inked = page.evaluate(DIFFERENCE, [whole, small.text, left, *size])
            assert inked > 300
            assert different < inked / 100, number


def test_every_text_of_vega_is_in_the_picture(drawing: Converter) -> None:
    """None is lost or changed on the way into the image."""
    for lang in ("ko", "en"):
        for chart in every_chart(lang):
            spec = chart.to_dict()
            whole = fromstring(drawing.svg(adapt_to_paper(spec, picture._FONT)))  # noqa: S314
            shown = texts(svg_of(picture_html(spec, "name", drawing)))
            assert sorted(shown) == sorted(texts(whole))
            assert len(shown) > 5


def test_nineteen_digits_are_exact(drawing: Converter) -> None:
    """The figure in the picture is the Decimal's, and so is the one that a screen reader says."""
    amount = Decimal(-1234567890123456789)
    balance = make_balance([position(prdt_name="<F> & 'x' \"y\" 100%#", evlu_pfls_amt=amount)])
    html = picture_html(charts.pnl(balance).to_dict(), "손익", drawing)
    assert "−1,234,567,890,123,456,789" in texts(svg_of(html))
    assert "-1,234,567,890,123,456,789" in unescape(html.partition('"')[2].partition('"')[0])
    assert "<F> & 'x' \"y\" 100%#" in " ".join(texts(svg_of(html)))
    assert "−1,234,567,890,123,456,789" in html  # so that a text search finds it


@pytest.mark.parametrize(("count", "most"), [(60, 60_000), (500, 200_000)])
def test_pictures_are_small(count: int, most: int, drawing: Converter) -> None:
    """With a bar for each of 60 and of 500 positions, as an SVG."""
    chart = charts.pnl(make_balance(book(count)), top=count)
    html = picture_html(chart.to_dict(), "손익", drawing)
    assert "data:image/svg+xml" in html
    assert len(texts(svg_of(html))) > count
    assert len(html.encode()) < most


def test_a_drawing_too_large_for_svg_is_a_png(
    drawing: Converter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where that is smaller, and an SVG where it is not."""
    monkeypatch.setattr(picture, "_LARGEST_SVG", 1000)
    points = [{"x": n % 397, "y": n % 389} for n in range(8000)]
    encoding = {
        "x": {"field": "x", "type": "quantitative"},
        "y": {"field": "y", "type": "quantitative"},
    }
    spec = {"data": {"values": points}, "mark": "circle", "encoding": encoding}
    html = picture_html(spec, "points", drawing)
    (png,) = re.findall(r'src="data:image/png;base64,([^"]*)"', html)
    assert base64.b64decode(png).startswith(b"\x89PNG")
    small = charts.views(make_balance()).to_dict()
    assert "data:image/svg+xml" in picture_html(small, "views", drawing)


def test_no_picture_is_one_line(drawing: Converter) -> None:
    """A spec that Vega cannot draw, and a place without vl-convert, say why; nothing is raised."""
    broken = picture_html({"mark": "<bar", "encoding": 7}, "x", drawing)
    assert "차트 그림을 만들 수 없음 · No picture of the chart: Vega-Lite to SVG" in broken
    assert "Error" in broken  # the reason, which Vega writes into its second line
    assert "<bar" not in broken
    missing = Converter()
    missing.is_installed = lambda: False  # type: ignore[method-assign]
    line = unescape(picture_html({}, "x", missing))
    assert 'pip install "kis_nb[pictures]"' in line
    assert "\n" not in line


def test_the_process_starts_again(drawing: Converter) -> None:
    """One that was killed, between jobs or in one, costs at most that picture."""
    spec = charts.views(make_balance()).to_dict()
    assert "<svg" in drawing.svg(spec)
    process = drawing._process
    assert process is not None
    process.kill()
    process.wait()
    assert "<svg" in drawing.svg(spec)
    process = drawing._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    threading.Timer(0.2, process.kill).start()
    with pytest.raises(NoPicture, match="ended"):
        drawing.svg(spec)
    assert "<svg" in drawing.svg(spec)


def test_a_stuck_process_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time limit, in a line."""
    monkeypatch.setattr(converter, "_LIMIT", 0.01)
    made = Converter()
    with pytest.raises(NoPicture, match="in time"):
        made.svg(charts.views(make_balance()).to_dict())
    made.close()


def test_the_process_has_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the environment that names KIS's keys is handed on, and it ends with its owner."""
    monkeypatch.setenv("KIS_APP_SECRET", "invented")
    started = converter._start()
    if shutil.which("ps") and os.path.exists(f"/proc/{started.pid}/environ"):  # noqa: PTH110
        with open(f"/proc/{started.pid}/environ", "rb") as file:  # noqa: PTH123
            assert b"KIS_" not in file.read()
    started.communicate(timeout=30)  # closes its input
    assert started.returncode == 0


def test_a_scaled_shape_keeps_its_digits() -> None:
    """Coordinates are rounded to a tenth of a pixel, but not where a scale makes pixels of them."""
    shape = "<path fill='red' d='M0.123,0.456L1.234,2' transform='{}(0.04)'/>"
    inner = shape.format("scale") + shape.format("rotate")
    text = compact(f"<svg xmlns='{SVG[1:-1]}' width='9' height='9'>{inner}</svg>").text
    assert "M0.123,0.456L1.234,2' transform='scale(0.04)'" in text
    assert "M0.1,0.5L1.2,2" in text


def test_nothing_is_fetched(drawing: Converter) -> None:
    """A chart of the user's whose data is elsewhere gets no picture: a kernel fetches nothing."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        spec = {"data": {"url": f"http://127.0.0.1:{server.server_port}/rows.json"}, "mark": "bar"}
        html = picture_html(spec, "x", drawing)
        server.shutdown()
    assert asked == []
    assert picture.NO_PICTURE in html


def test_a_reader_with_a_wide_font_sees_whole_names() -> None:
    """The picture is widened to what its names and figures can take in another font."""
    text = (
        "<text fill='#000' transform='translate({},9)' font-size='10px' text-anchor='{}'>{}</text>"
    )
    inner = text.format(20, "end", "가" * 10) + text.format(90, "start", "1,234")
    svg = f"<g fill='none' transform='translate(10,0)'>{inner}</g>"
    small = compact(f"<svg xmlns='{SVG[1:-1]}' width='100' height='20'>{svg}</svg>")
    # Ten Korean letters of 9.8 pixels before 30, and five figures of 5.8 after 100.
    assert "viewBox='-68 0 197 20'" in small.text
    assert small.width == 197


def test_a_picture_is_of_its_own_chart_after_an_interrupt(drawing: Converter) -> None:
    """The answer that was still to come is never taken for that of a later chart."""
    first, second = (charts.views(make_balance(), lang=lang).to_dict() for lang in ("ko", "en"))
    drawing.svg(first)

    def interrupt(_number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        for seconds in (0.001, 0.01, 0.03):
            signal.setitimer(signal.ITIMER_REAL, seconds)
            with suppress(KeyboardInterrupt):
                drawing.svg(first)
                signal.pause()
            assert "The four views" in drawing.svg(second)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_name_from_the_wire_costs_no_picture(drawing: Converter) -> None:
    """Characters that XML has no place for are replaced; vl-convert would abort at them."""
    balance = make_balance([position(prdt_name="F\x1b[31m\x00 20\uffff2612")])
    html = picture_html(charts.pnl(balance).to_dict(), "x", drawing)
    assert any("F\ufffd[31m\ufffd 20" in text for text in texts(svg_of(html)))


def test_the_kernel_does_without_the_converter() -> None:
    """vl-convert is imported by the converting process alone, also when a picture is made."""
    code = (
        "import sys; from kis_nb._widgets.picture import picture_html;"
        "html = picture_html({'data': {'values': []}, 'mark': 'bar'}, 'x');"
        "print('<img' in html, 'vl_convert' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True", "False"]
