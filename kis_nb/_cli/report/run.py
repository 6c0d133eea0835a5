"""A notebook run by papermill in a kernel of its own, and how each cell and each pull ended."""

from __future__ import annotations

import html
import logging
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kis_nb import _failure_log
from kis_nb._cli.report.source import Source
from kis_nb._environment import without_credentials
from kis_nb._errors import ConfigError
from kis_nb._failure_log import FailedPull
from kis_nb._widgets.picture import NO_PICTURE

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager
    from nbformat import NotebookNode
    from traitlets.config import Config

# What papermill tags the cells with that it inserts after an error.
_INSERTED = "papermill-error-cell-tag"
# The line that stands in a cell's HTML in place of a chart's picture, and says why.
_NO_PICTURE = re.compile(f'<p class="{NO_PICTURE}">(.*?)</p>', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a report is incomplete.

    Attributes:
        cell: the index of the cell that failed, or in which a pull or a chart's picture did.
        error: the name of the error's class; blank when there is no picture of a chart.
        message: the error's message.
        pull: the pull that failed; None when the cell failed otherwise.
        ended: whether the cell failed; it did not when it caught the error.
    """

    cell: int
    error: str
    message: str
    pull: FailedPull | None = None
    ended: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """An executed notebook.

    Attributes:
        notebook: with its outputs, without what papermill inserts after an error.
        problems: in the order of the cells.
        not_run: the indices of the code cells that were not run because something failed.
    """

    notebook: NotebookNode
    problems: list[Problem]
    not_run: list[int]


def run(source: Source, parameters: Mapping[str, object], *, demo: bool) -> Run:
    """Run a notebook from top to bottom, or to the first error.

    The kernel is this very Python. In the demo it has ``KIS_NB_DEMO=1`` and no credentials of the
    environment. It has ended when this function has, however that was.

    Args:
        source: the notebook.
        parameters: what to set; each is one of its parameters.
        demo: whether to use the embedded broker.

    Raises:
        ConfigError: the kernel could not be started.
    """
    import nbformat

    with (
        tempfile.TemporaryDirectory(prefix="kis-nb-", ignore_cleanup_errors=True) as made,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # of the libraries, about themselves
        folder = Path(made)
        log = folder / "failures"
        log.touch(mode=0o600)
        given, written = folder / "given.ipynb", folder / "written.ipynb"
        nbformat.write(source.notebook, given)
        cells = _Cells(log)
        with _environment(folder / "jupyter", log, demo=demo):
            ended = _execute(given, written, source.folder, parameters, cells)
        return _result(nbformat.read(written, as_version=4), cells, ended)


@dataclass(slots=True)
class _Cells:
    """What is known of the cells as they run; its methods are hooks of nbclient.

    Attributes:
        log: the file in which the kernel's pulls note how they failed.
        running: the index of the last code cell that was started; None before the first.
        done: the indices of those that ended, with or without an error.
        pulls: the failed pulls, each with the index of the cell in which it was noted. A pull of a
            dashboard that fails after the last cell is not among them: nothing shows it.
    """

    log: Path
    total: int = 0
    number: int = 0
    running: int | None = None
    done: set[int] = field(default_factory=set)
    pulls: list[tuple[int, FailedPull]] = field(default_factory=list)

    def notebook_starts(self, notebook: NotebookNode) -> None:
        """Count the cells."""
        self.total = sum(map(_is_run, notebook.cells))

    def cell_starts(self, cell: NotebookNode, cell_index: int) -> None:
        """Say on stderr which cell is run."""
        if _is_run(cell):
            self.running = cell_index
            self.number += 1
            _progress(f"cell {self.number} of {self.total}")

    def cell_ends(self, cell: NotebookNode, cell_index: int, **_reply: object) -> None:
        """Note that a cell ended, and the pulls that failed in it."""
        assert cell.cell_type == "code"
        self.done.add(cell_index)
        self.note_pulls(cell_index)

    def note_pulls(self, cell_index: int) -> None:
        """Take the pulls that failed since the last time as those of this cell."""
        failed = _failure_log.read(self.log)
        self.pulls += [(cell_index, one) for one in failed[len(self.pulls) :]]


def _is_run(cell: NotebookNode) -> bool:
    """Whether nbclient runs a cell."""
    tags = cell.metadata.get("tags", [])
    return bool(cell.cell_type == "code" and cell.source.strip() and "skip-execution" not in tags)


def _progress(text: str) -> None:
    """A line on stderr; on a terminal in place of the one before."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[Kkis-nb: {text}")
        sys.stderr.flush()
    else:
        sys.stderr.write(f"kis-nb: {text}\n")


def _execute(
    given: Path, written: Path, folder: Path, parameters: Mapping[str, object], cells: _Cells
) -> str:
    """Run a notebook file into another. Returns what happened to the kernel, blank if nothing."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    logger = logging.getLogger("papermill")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    started: list[AsyncKernelManager] = []
    try:
        papermill.execute_notebook(
            given,
            written,
            parameters=dict(parameters) or None,
            kernel_name="python3",
            language="python",
            progress_bar=False,
            log_output=False,
            cwd=folder,
            config=_connection(given.parent),
            kernel_manager_class=_quiet_kernel_manager(started),
            iopub_timeout=60,  # seconds to wait for a cell's last outputs: 4 by default
            on_notebook_start=cells.notebook_starts,
            on_cell_start=cells.cell_starts,
            on_cell_executed=cells.cell_ends,
        )
    except papermill.PapermillExecutionError:
        pass  # the notebook was written, and says so
    except RecursionError:
        raise ConfigError("the notebook is nested too deeply to be run") from None
    except (RuntimeError, TimeoutError) as error:
        if cells.running is None:
            raise ConfigError(f"the kernel could not be started: {sys.executable}") from None
        cells.note_pulls(cells.running)
        died = isinstance(error, DeadKernelError)
        return "the kernel died" if died else "the kernel stopped answering"
    finally:
        logger.setLevel(level)
        for manager in started:
            # nbclient leaves a kernel running when it is interrupted while the kernel starts.
            process = getattr(manager.provisioner, "process", None)
            if process is not None:
                process.kill()
                process.wait()
            manager.context.destroy(linger=0)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
    return ""


def _quiet_kernel_manager(started: list[AsyncKernelManager]) -> type[AsyncKernelManager]:
    """Starts a kernel whose process writes nothing to our stdout and stderr. What its cells write
    comes by messages; what is left is the kernel's own, such as the traceback of an interrupt.

    Args:
        started: is given each manager that starts a kernel.
    """
    from jupyter_client.manager import AsyncKernelManager

    class QuietKernelManager(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
            started.append(self)
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            await super().start_kernel(**options, **quiet)

    return QuietKernelManager


def _connection(made: Path) -> Config:
    """How the kernel is reached: by sockets in a folder that is this user's alone, where there are
    such sockets. Over TCP other users of the machine could connect.
    """
    from traitlets.config import Config

    if sys.platform == "win32":
        return Config()
    # The name is given because a socket's path may have a hundred characters only.
    return Config(KernelManager={"transport": "ipc", "connection_file": str(made / "k.json")})


@contextmanager
def _environment(made: Path, log: Path, *, demo: bool) -> Iterator[None]:
    """The kernel's environment, which it has from this process.

    Args:
        made: a folder for Jupyter's files, which is made.
        log: where failed pulls are noted.
        demo: whether to leave out credentials and use the embedded broker.
    """
    from ipykernel.kernelspec import write_kernel_spec

    # A python3 kernel that another environment left in the user's folder may lack kis_nb.
    (made / "kernels").mkdir(parents=True)
    write_kernel_spec(made / "kernels" / "python3")
    before = dict(os.environ)
    others = before.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = f"{made}{os.pathsep}{others}" if others else str(made)
    os.environ[_failure_log.VARIABLE] = str(log)
    if demo:
        for name in before.keys() - without_credentials(before, keep_own=True).keys():
            del os.environ[name]
        os.environ["KIS_NB_DEMO"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _result(notebook: NotebookNode, cells: _Cells, ended: str) -> Run:
    """The run, with all that failed in it."""
    notebook.cells = [c for c in notebook.cells if _INSERTED not in c.metadata.get("tags", [])]
    for name in ("input_path", "output_path"):  # in a folder that is removed
        notebook.metadata.get("papermill", {}).pop(name, None)
    problems = [
        Problem(index, one.error, one.message, one, ended=False) for index, one in cells.pulls
    ]
    exited = False
    for index, cell in enumerate(notebook.cells):
        missing: dict[str, None] = {}  # each reason once
        for output in cell.get("outputs", []):
            if output.output_type == "error" and _is_exit(output):
                exited = True
            elif output.output_type == "error":
                _add(problems, Problem(index, output.ename, output.evalue))
            shown = output.get("data", {}).get("text/html", "")
            missing |= dict.fromkeys(map(html.unescape, _NO_PICTURE.findall(shown)))
        problems += [Problem(index, "", reason, ended=False) for reason in missing]
    if ended:
        assert cells.running is not None
        problems.append(Problem(cells.running, "DeadKernelError", ended))
    begun = {*cells.done, cells.running}
    not_run = [
        index
        for index, cell in enumerate(notebook.cells)
        if _is_run(cell) and index not in begun and not exited
    ]
    return Run(notebook, sorted(problems, key=lambda one: one.cell), not_run)


def _is_exit(output: Any) -> bool:
    """Whether a cell ended the notebook on purpose, by ``sys.exit()``."""
    return bool(output.ename == "SystemExit" and output.evalue in ("", "0", "None"))


def _add(problems: list[Problem], failed: Problem) -> None:
    """Add a cell's error, unless it is that of a pull in the same cell, which says more."""
    for place, one in enumerate(problems):
        if (one.cell, one.error, one.message) == (failed.cell, failed.error, failed.message):
            problems[place] = Problem(one.cell, one.error, one.message, one.pull)
            return
    problems.append(failed)
