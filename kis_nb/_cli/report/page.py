"""An executed notebook as one HTML file that fetches nothing."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Sequence
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from kis_nb._choices import Lang
from kis_nb._cli.report.clean import clean_html, without_controls, without_paths
from kis_nb._seoul import KST

if TYPE_CHECKING:
    from nbformat import NotebookNode

# nbconvert's own order has widgets and scripts first, which show nothing here.
_SHOWN = (
    "text/html",
    "text/markdown",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "text/latex",
    "text/plain",
)
# A warning as Python writes it: file and line, its class and message, and the line of code.
_WARNING = re.compile(r"^\S.*\.py:[0-9]+: (\w*Warning: .*)(\n  .*)?$", re.MULTILINE)
# nbconvert warns of images without a text, which a user of this command cannot change.
_LOG = logging.getLogger("kis_nb.report")
_LOG.disabled = True


def page(
    notebook: NotebookNode,
    *,
    title: str,
    langs: Sequence[Lang],
    code: bool,
    demo: bool,
    folder: Path,
) -> bytes:
    """The HTML of an executed notebook.

    Args:
        notebook: changed here: outputs lose what the page does not show.
        title: the page's title.
        langs: the languages of the line below the page's end.
        code: show the cells' code and tracebacks too.
        demo: whether the figures are invented.
        folder: where the kernel worked. Pictures in it are put into the page; its path is left out
            of what is shown when there is no code.
    """
    import nbconvert
    from traitlets.config import Config

    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output for output in cell.outputs if code or output.output_type != "error"
            ]
            for output in cell.outputs:
                _prepare(output, None if code else folder)
    exporter = nbconvert.HTMLExporter(
        config=Config(NbConvertBase={"display_data_priority": list(_SHOWN)}),
        log=_LOG,
        extra_template_basedirs=[str(Path(__file__).parent / "template")],
        template_name="kis_nb",
        exclude_anchor_links=True,
        exclude_input=not code,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        language_code=langs[0],
        sanitize_html=True,
    )
    exporter.register_filter("clean_html", lambda text: clean_html(text, folder))
    about = {"title": title, "made": _made(langs), "demo": demo}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries, about each other
        text, _ = exporter.from_notebook_node(notebook, resources={"kis_nb": about})
    return without_controls(str(text)).encode()


def _made(langs: Sequence[Lang]) -> str:
    """When and with what the report was made."""
    now = datetime.now(KST)
    words = " · ".join({"en": "made", "ko": "작성"}[lang] for lang in langs)
    return f"{words} {now:%Y-%m-%d %H:%M:%S} KST, kis_nb {metadata.version('kis_nb')}"


def _prepare(output: NotebookNode, folder: Path | None) -> None:
    """Take out of an output what the page cannot show, and paths unless `folder` is None."""
    data = output.get("data", {})
    # A script does not run on the page, which would show nothing in its place.
    if "<script" in data.get("text/html", "").lower() and data.keys() & set(_SHOWN[1:]):
        del data["text/html"]
    # It would be an HTML page in the page, which shows nothing here.
    output.get("metadata", {}).get("text/html", {}).pop("isolated", None)
    if folder is not None and output.get("name") == "stderr":
        output.text = without_paths(_WARNING.sub(r"\1", output.text), folder)
