"""The command ``report``: runs a notebook and writes one file."""

from __future__ import annotations

import argparse
import errno
import importlib.util
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from kis_nb._choices import Lang
from kis_nb._cli import export
from kis_nb._cli.arguments import UsageProblem
from kis_nb._cli.report.incomplete import mark
from kis_nb._cli.report.page import page
from kis_nb._cli.report.parameters import parameters
from kis_nb._cli.report.pdf import find_browser, print_pdf
from kis_nb._cli.report.run import run
from kis_nb._cli.report.source import Source, find_source
from kis_nb._cli.signals import on_termination
from kis_nb._errors import ConfigError
from kis_nb._widgets.korean_font import korean_font
from kis_nb._wire.environment import demo_by_environment

if TYPE_CHECKING:
    from nbformat import NotebookNode

Form: TypeAlias = Literal["html", "pdf", "ipynb"]
_ENDINGS: dict[str, Form] = {".html": "html", ".pdf": "pdf", ".ipynb": "ipynb"}
# Modules, and the distributions that bring them.
_NEEDED = {name: name for name in ("papermill", "nbclient", "nbconvert", "ipykernel")}
_NEEDED["vl_convert"] = "vl-convert-python"
_BOTH: tuple[Lang, ...] = ("ko", "en")


def report(args: argparse.Namespace, lang: Lang) -> int:
    """Run a notebook and write what it shows; print the file's path.

    Args:
        args: the parsed words of the line.
        lang: of the terminal, for a notebook that has a parameter ``lang``.

    Returns:
        0, or 1 when the report is incomplete.

    Raises:
        UsageProblem: the arguments contradict each other or the notebook, or name no account.
        ConfigError: a library or a browser is missing, or the notebook is none.
        FileExistsError: the file exists, and ``--force`` was not given.
        OSError: the notebook cannot be read, or the file not be written.
        KeyboardInterrupt: Ctrl-C, or a termination signal. Neither file nor kernel is left.
    """
    form = _ENDINGS.get(args.output.suffix.lower())
    if form is None:
        raise UsageProblem(f"--output names no format: end FILE with {', '.join(_ENDINGS)}")
    output: Path = args.output.absolute()
    # All that can be refused is refused before the run, which takes a while.
    if output.exists() and not args.force:
        raise FileExistsError(errno.EEXIST, "is there already", str(args.output))
    if output.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(args.output))
    if not output.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(args.output.parent))
    _check_installed()
    # What jsonschema checks the formats "iri" and "iri-reference" with, if it is there. No notebook
    # has them, and to import it takes two seconds.
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    browser = find_browser() if form == "pdf" else ""
    source = find_source(args.template)
    if source.path is not None and output.exists() and output.samefile(source.path):
        raise UsageProblem("--output would replace the notebook that is to be run")
    demo = args.demo or demo_by_environment()
    given = parameters(
        args.parameter, args.accounts, source.defaults, demo=demo, lang=args.lang or lang
    )
    with on_termination(_interrupt):
        return _make(args, form, source, given, browser, output, demo=demo)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    """End by an exception, so that the kernel, the browser and their folders go."""
    raise KeyboardInterrupt


def _make(
    args: argparse.Namespace,
    form: Form,
    source: Source,
    given: Mapping[str, object],
    browser: str,
    output: Path,
    *,
    demo: bool,
) -> int:
    """Run the notebook and write the file; the exit code."""
    done = run(source, given, demo=demo)
    langs = (args.lang,) if args.lang else _BOTH
    incomplete = bool(done.problems)
    notebook = mark(done, langs, source.folder)
    content = (
        _notebook(notebook) if form == "ipynb" else _page(source, notebook, langs, args, demo=demo)
    )
    if form == "pdf":
        if korean_font() is False:
            sys.stderr.write(
                "kis-nb: warning: no Korean font is installed, so Hangul prints as boxes; "
                "sudo apt install fonts-noto-cjk, or fonts-nanum\n"
            )
        content = print_pdf(content, browser, output.parent)
    export.save(output, content, overwrite=args.force)
    if incomplete:
        sys.stderr.write("kis-nb: the report is incomplete; its first lines say what failed\n")
    sys.stdout.write(f"{args.output}\n")
    return 1 if incomplete else 0


def _check_installed() -> None:
    missing = [home for name, home in _NEEDED.items() if importlib.util.find_spec(name) is None]
    if missing:
        raise ConfigError(
            f"kis-nb report needs {', '.join(missing)}; install with: "
            f'{sys.executable} -m pip install "kis_nb[report]"'
        )


def _notebook(notebook: NotebookNode) -> bytes:
    import nbformat

    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)).encode()


def _page(
    source: Source,
    notebook: NotebookNode,
    langs: tuple[Lang, ...],
    args: argparse.Namespace,
    *,
    demo: bool,
) -> bytes:
    return page(
        notebook,
        title=source.title,
        langs=langs,
        code=args.code,
        demo=demo,
        folder=source.folder,
    )
