"""JupyterLab opened on the dashboard template, with the embedded broker."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from kis_nb._cli.signals import on_termination
from kis_nb._cli.templates import copy_template
from kis_nb._environment import without_credentials
from kis_nb._errors import ConfigError

_NO_LAB = (
    "JupyterLab is not installed for {python}; "
    'install it with: {python} -m pip install "kis_nb[lab]"'
)
# The extension asks whether to fetch Jupyter's news, and fetches them: a demo does neither.
_PAGE_CONFIG = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}


def demo(
    *, port: int | None, browser: bool, folder: Path | None, lab_args: Sequence[str] = ()
) -> int:
    """Run JupyterLab on the dashboard template until it ends.

    The kernel is this very Python, with ``KIS_NB_DEMO=1`` and without the credentials of the
    environment. A termination signal or Ctrl-C ends Lab with its kernels.

    Args:
        port: where Lab listens; None lets it choose.
        browser: open one.
        folder: where to work and to keep the notebook; None works in a folder that is removed.
        lab_args: passed on to JupyterLab.

    Returns:
        JupyterLab's exit code; 0 after a termination signal.

    Raises:
        ConfigError: JupyterLab is not installed.
        OSError: the folder or the notebook cannot be written.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ConfigError(_NO_LAB.format(python=sys.executable))
    with tempfile.TemporaryDirectory(prefix="kis-nb-", ignore_cleanup_errors=True) as made:
        work = folder or Path(made) / "kis-nb-demo"
        work.mkdir(parents=True, exist_ok=True)
        notebook = work / "dashboard.ipynb"
        if not notebook.exists():  # in the user's own folder, the notebook of last time is opened
            copy_template("dashboard", notebook)
        if folder is None:
            sys.stderr.write("kis-nb: the work folder is removed at the end; --dir DIR keeps one\n")
        command = _command(notebook, port=port, browser=browser)
        return _run([*command, *lab_args], _environment(Path(made) / "jupyter"), work)


def _command(notebook: Path, *, port: int | None, browser: bool) -> list[str]:
    # Not as an argument: only the browser that Lab starts would open it, and the address that it
    # prints would lead to the launcher.
    command = [
        *(sys.executable, "-m", "jupyterlab"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={notebook.parent.resolve()}",
        f"--LabApp.default_url=/lab/tree/{notebook.name}",
    ]
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command += ["--no-browser"]
    # Lab refuses to run as root, which most containers do.
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command += ["--allow-root"]
    return command


def _environment(made: Path) -> dict[str, str]:
    """The demo's environment: no credentials, no news, this Python as the kernel.

    Lab reads the folder `made` in addition to the user's own settings, so theme and shortcuts stay.
    """
    from ipykernel.kernelspec import write_kernel_spec  # comes with JupyterLab

    labconfig = made / "config" / "labconfig"
    labconfig.mkdir(parents=True)
    (labconfig / "page_config.json").write_text(json.dumps(_PAGE_CONFIG), encoding="utf-8")
    # A python3 kernel that another environment left in the user's folder may lack kis_nb.
    (made / "data" / "kernels").mkdir(parents=True)
    write_kernel_spec(made / "data" / "kernels" / "python3")
    kept = without_credentials(os.environ, keep_own=True)
    return kept | {
        "KIS_NB_DEMO": "1",
        "JUPYTER_CONFIG_PATH": _prepended(made / "config", kept.get("JUPYTER_CONFIG_PATH")),
        "JUPYTER_PATH": _prepended(made / "data", kept.get("JUPYTER_PATH")),
        "JUPYTERLAB_WORKSPACES_DIR": str(made / "workspaces"),
    }


def _prepended(path: Path, others: str | None) -> str:
    """A search path with `path` in front."""
    return f"{path}{os.pathsep}{others}" if others else str(path)


def _run(command: Sequence[str], environment: Mapping[str, str], work: Path) -> int:
    """Run JupyterLab; returns its exit code, or 0 after a termination signal."""
    running: list[subprocess.Popen[bytes]] = []
    received: list[int] = []

    def end(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        for process in running:
            process.terminate()

    # A session of its own: the terminal's Ctrl-C would make Lab ask whether it is meant.
    with (
        on_termination(end),
        subprocess.Popen(command, env=environment, cwd=work, start_new_session=True) as process,
    ):
        running.append(process)
        if received:  # before there was a process to terminate
            process.terminate()
        while (code := _ended(process)) is None:
            if received:
                # Lab ignores a signal that comes between its last line and its loop.
                process.terminate()
    if received:
        return 0
    return code if code >= 0 else 128 - code


def _ended(process: subprocess.Popen[bytes], seconds: float = 2) -> int | None:
    """The exit code; None when it still runs after so many seconds."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        return None
