"""Sphinx configuration of the site that `make docs` builds (see `site/build.py`).

The source folder is the top of the repository, so that the relative links between README.md,
CONTRIBUTING.md, docs/ and notebooks/ lead to the same place on the site as in a checkout.
"""

from __future__ import annotations

import re
from importlib.metadata import version as version_of
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.addnodes import pending_xref

from kis_nb._widgets import sources

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

TOP = Path(__file__).parents[1]

project = "kis_nb"
author = "the kis_nb authors"
release = version = version_of("kis_nb")
language = "en"  # what the theme's own buttons say; pages named *.ko.md are marked as Korean
root_doc = "README"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = ["README*.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "notebooks/*"]
# Folders that the search for pages need not walk through.
exclude_patterns = [".*", "build", "dist", "kis_nb", "tests", "**/.ipynb_checkpoints"]

# The side bar: (title, pages in their order). A page that is not listed is added to the last one.
NAVIGATION = (
    ("English", ["README", "docs/guide", "docs/history", "docs/risk"]),
    ("한국어", ["README.ko", "docs/guide.ko", "docs/history.ko", "docs/risk.ko"]),
    (
        "Templates · 템플릿",
        [
            "notebooks/quickstart",
            "notebooks/night_report",
            "notebooks/dashboard",
            "notebooks/four_views",
            "notebooks/history",
            "notebooks/margin_monitor",
            "notebooks/risk",
            "notebooks/research",
        ],
    ),
    ("Reference", ["docs/api", "docs/scale", "docs/SECURITY", "CHANGELOG"]),
    ("Development", ["docs/architecture", "CONTRIBUTING"]),
)
# Where a page's own title would not do there.
TITLES = {"README": "Overview", "README.ko": "소개"}

# --- reading: MyST and the notebooks ----------------------------------------------------------

myst_enable_extensions = ["html_image"]
myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_timeout = 120
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_merge_streams = True
# The default fetches two scripts from a CDN for widgets, which do nothing without a kernel.
nb_ipywidgets_js: dict[str, dict[str, str]] = {}

# --- reading: docstrings ------------------------------------------------------------------------

default_role = "py:obj"  # `Balance` in a docstring is a link where there is such a name
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpicky = True
nitpick_ignore_regex = [
    # Docstrings also name arguments, columns and private functions, which have no entry.
    (r"py:obj", r".*"),
    # Other projects' types, and the private names by which annotations call ours: resolving them
    # would take the other projects' indexes, from the network.
    (r"py:.*", r"(?!kis_nb\.((charts|analysis)\.)?[A-Za-z]\w*$).*"),
]

# --- writing --------------------------------------------------------------------------------------

html_theme = "furo"
html_title = "kis_nb"
html_static_path = ["site/static"]
templates_path = ["site/templates"]
html_css_files = ["site.css"]
html_favicon = "site/static/icon.svg"
html_additional_pages = {"index": "redirect.html"}
html_copy_source = False
html_show_copyright = False
html_show_sourcelink = False
html_domain_indices = False


def entry(page: str) -> str:
    """A page as a line of a table of contents."""
    place = "self" if page == root_doc else f"/{page}"
    return f"{TITLES[page]} <{place}>" if page in TITLES else place


def add_navigation(app: Sphinx, docname: str, source: list[str]) -> None:
    """Append the side bar's tables of contents to the first page, which GitHub shows as well."""
    if docname != root_doc:
        return
    found = app.env.found_docs
    listed = {page for _title, pages in NAVIGATION for page in pages}
    for number, (title, pages) in enumerate(NAVIGATION):
        last = number == len(NAVIGATION) - 1
        shown = [page for page in pages if page in found] + sorted(found - listed) * last
        entries = "\n".join(entry(page) for page in shown)
        source[0] += f"\n\n```{{toctree}}\n:hidden:\n:caption: {title}\n\n{entries}\n```\n"


def split_attributes(
    _app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]
) -> None:
    """Give each of several attributes that one line describes an entry of its own.

    Runs after Napoleon, which does the same for arguments only.
    """
    lines[:] = [
        line.replace(found[1], name) if found else line
        for line in lines
        for found in [re.match(r":ivar (\w+(?:, \w+)+):", line)]
        for name in (found[1].split(", ") if found else [""])
    ]


def spread_notebooks(_app: Sphinx, _env: object, docnames: list[str]) -> None:
    """Have both halves of the pages, which two processes read, hold about as many templates."""
    docnames[:] = docnames[::2] + docnames[1::2]


def unlink_folders(app: Sphinx, doctree: nodes.document) -> None:
    """Show a link to a folder of the repository as text: the site has no page for it."""
    here = Path(app.env.doc2path(app.env.docname)).parent
    for node in list(doctree.findall(pending_xref)):
        if node["reftype"] == "myst" and (here / node["reftarget"]).is_dir():
            node.replace_self(node.children)


def set_language(
    app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Mark a Korean page as such, and link each page to itself in the other language."""
    korean = pagename.endswith(".ko")
    if korean:
        context["language"] = "ko"
    other = pagename.removesuffix(".ko") if korean else f"{pagename}.ko"
    if other in app.env.found_docs:
        word, code = ("English", "en") if korean else ("한국어", "ko")
        context["body"] = (
            f'<p class="site-language"><a href="{context["pathto"](other)}" lang="{code}"'
            f' hreflang="{code}">{word}</a></p>{context["body"]}'
        )


DEMO = (
    '<p class="site-note">DEMO: 이 페이지의 숫자는 모두 내장 브로커의 가상 계좌입니다. '
    "<em>All figures on this page are those of the embedded broker's invented accounts.</em></p>"
)


def mark_demo(
    _app: Sphinx, pagename: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Say over each executed template that its figures are the demo's: frames do not say it."""
    if pagename.startswith("notebooks/"):
        context["body"] = DEMO + context["body"]


def write_chart_files(app: Sphinx, error: Exception | None) -> None:
    """Put what draws the charts into ``_static``: Vega, `site/charts.js` and the charts' style.

    Scripts are classic ones, because a browser loads no module from a file that was opened from
    disk. Tooltip and colours are the package's own.
    """
    if error is not None:
        return
    folder = Path(app.outdir) / "_static"
    module = (files("kis_nb") / "_widgets" / "static" / "vega.js").read_text("utf-8")
    found = re.search(r"export\s*\{\s*([\w$]+) as vegaEmbed\s*\};?\s*$", module)
    if found is None:
        raise ValueError("vega.js does not end in the one export of vegaEmbed")
    script = f"(() => {{{module[: found.start()]}globalThis.vegaEmbed = {found[1]};}})();\n"
    (folder / "vega.js").write_text(script, "utf-8")
    charts = (TOP / "docs" / "site" / "charts.js").read_text("utf-8")
    charts = re.sub(r"^import .*$", "", charts, flags=re.MULTILINE)
    joined = f'(() => {{\n"use strict";\n{sources.script("charts/tooltip.js")}\n{charts}}})();\n'
    (folder / "charts.js").write_text(joined, "utf-8")
    (folder / "charts.css").write_text(sources.stylesheet("charts/chart.css"), "utf-8")


def add_chart_scripts(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    """Load what draws charts on the pages that have one, and on no other."""
    if "site-chart" in context.get("body", ""):
        # Not by add_js_file and add_css_file, which want the files to be there already.
        vega, charts, style = (
            context["pathto"](f"_static/{name}", 1)
            for name in ("vega.js", "charts.js", "charts.css")
        )
        context["metatags"] = (
            f'{context.get("metatags", "")}<link rel="stylesheet" href="{style}">'
            f'<script defer src="{vega}"></script><script defer src="{charts}"></script>'
        )


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-docstring", split_attributes, priority=600)
    app.connect("env-before-read-docs", spread_notebooks)
    app.connect("doctree-read", unlink_folders)
    app.connect("html-page-context", set_language)
    app.connect("html-page-context", mark_demo)
    app.connect("html-page-context", add_chart_scripts)
    app.connect("build-finished", write_chart_files)
