"""Start-up of the kernels that execute the templates for the site; IPython runs it before a cell.

A static page has no kernel behind it, so outputs that need one are replaced: charts by their
Vega-Lite specs, which the page draws (`charts.js`), and the dashboard by a picture. The
templates themselves are executed as they are.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable
from typing import Any

import altair as alt
import comm
from IPython import get_ipython

import kis_nb.charts

# Where a chart keeps its other variants: Vega-Lite ignores what `usermeta` holds.
VARIANTS = "site"
LANGUAGES = ("ko", "en")
THEMES = ("light", "dark")

DASHBOARD = """\
![{alt}](/docs/dashboard.png)

이 자리에는 대시보드가 열립니다. 커널이 있어야 움직이므로 여기서는 그림으로 보입니다.
JupyterLab에서는 `make demo`나 `kis-nb demo`로 직접 써 볼 수 있습니다.\\
*The dashboard opens here. It needs a kernel, so this page shows a picture of it. In JupyterLab,
`make demo` or `kis-nb demo` opens the real one.*
"""


def with_variants(draw: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function of `kis_nb.charts` draw its chart for each language and theme of the page."""

    @functools.wraps(draw)
    def drawn(*balances: Any, **options: Any) -> Any:
        chart = draw(*balances, **options)
        variants = {
            f"{lang}-{theme}": draw(*balances, **{"lang": lang, "theme": theme} | options).to_dict()
            for lang in LANGUAGES
            if options.get("lang", lang) == lang
            for theme in THEMES
        }
        return chart.properties(usermeta={VARIANTS: variants})

    return drawn


def render(spec: dict[str, Any], **_options: Any) -> dict[str, Any]:
    """Altair's renderer for the site: the specs as JSON, for `charts.js` to draw."""
    variants = (spec.get("usermeta") or {}).get(VARIANTS) or {"": spec}
    # A script element ends at the first "</script", also inside a string.
    text = json.dumps(variants, ensure_ascii=False).replace("<", "\\u003c")
    title = next(iter(variants.values())).get("title")
    name = title.get("text") if isinstance(title, dict) else title
    return {
        "text/plain": f"<chart: {name}>",
        "text/html": (
            f'<div class="site-chart"><script type="application/json">{text}</script>'
            "<noscript>차트는 JavaScript로 그립니다. The chart is drawn with JavaScript.</noscript>"
            "</div>"
        ),
    }


def show_picture(_dashboard: Any, **_options: Any) -> dict[str, Any]:
    """A dashboard as an output: its picture, as Markdown."""
    return {"text/markdown": DASHBOARD.format(alt="대시보드 · The dashboard (DEMO)")}


for _name in kis_nb.charts.__all__:
    _draw = getattr(kis_nb.charts, _name)
    # `left_out` draws nothing.
    if inspect.isfunction(_draw) and _name != "left_out":
        setattr(kis_nb.charts, _name, with_variants(_draw))
# Under the name that a template may enable by itself.
alt.renderers.register("kis_nb", render)
alt.renderers.enable("kis_nb")

_formatter = get_ipython().display_formatter.mimebundle_formatter
_formatter.for_type(kis_nb.Dashboard, show_picture)
# Without a channel to a page a widget stores no state in the executed notebook.
comm.create_comm = comm.DummyComm
