"""A real JupyterLab, and its page driven by Playwright.

`LabServer` is the server, one for all browser tests. `Guard` watches a browser context and holds it
to the promise that nothing is fetched from outside and nothing breaks. `Lab` opens notebooks and
drives them, and waits for states, never for times.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias, cast
from urllib.parse import quote, urlsplit

import nbformat
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    WebError,
    WebSocket,
    sync_playwright,
)
from playwright.sync_api import TimeoutError as PlaywrightTimeout

Theme: TypeAlias = Literal["light", "dark"]
THEMES: dict[Theme, str] = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

# A kernel's start on a busy two-core machine takes most of this; nothing waits for it in vain.
PATIENCE_MS = 60_000

# What JupyterLab itself writes as an error on a page where nothing is wrong: (pattern of the
# whole text, reason). Nothing of ours may be added here.
TOLERATED: tuple[tuple[str, str], ...] = ()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium without a window, which cannot resolve any name and so reaches loopback only."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    assert found, "this needs Chromium: run `make browser`, or install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=[
                "--no-sandbox",  # a container has no user namespaces for it
                "--disable-gpu",
                "--disable-dev-shm-usage",  # a container's /dev/shm holds 64 MB
                "--disable-background-networking",
                "--disable-component-update",
                "--no-first-run",
                "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
            ],
        )
        yield browser
        browser.close()


class LabServer:
    """A JupyterLab server on loopback with an empty configuration, in a folder of its own.

    Args:
        folder: the folder.
        tree: the checkout that cells import from; this one when left out.

    Attributes:
        root: the folder that the server shows.
        origin: ``127.0.0.1:port``.
        token: the access token.
    """

    def __init__(self, folder: Path, tree: Path | None = None) -> None:
        self.root = folder / "root"
        self.root.mkdir()
        self._tree = tree or Path(__file__).parents[2]
        self._settings = folder / "settings"
        # Short, since a Unix socket's path may have 107 bytes: the kernels' sockets are here.
        self._runtime = TemporaryDirectory(prefix="kis-")
        self.token = secrets.token_hex(24)
        self._log: list[str] = []
        self._port = 0
        self._started = threading.Event()
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "jupyterlab",
                "--no-browser",
                "--allow-root",
                "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port=0",
                f"--ServerApp.root_dir={self.root}",
                "--ServerApp.terminals_enabled=False",
                # A TCP port is chosen free and bound seconds later by the kernel: whoever takes it
                # meanwhile leaves the page connecting for ever.
                "--KernelManager.transport=ipc",
                # Commands and kernel states are asked from the application, not guessed from looks.
                "--LabApp.expose_app_in_browser=True",
                "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                "--LabApp.extension_manager=readonly",
            ],
            env=self._environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._started.wait(PATIENCE_MS / 1000)
        if not self._port:
            self.close()
            raise RuntimeError("JupyterLab did not start:\n" + "".join(self._log))

    def _environment(self, folder: Path) -> dict[str, str]:
        # The developer's own keys, settings and kernels must not reach a test.
        own = {k: v for k, v in os.environ.items() if not k.startswith(("KIS_", "JUPYTER"))}
        return own | {
            "PYTHONPATH": str(self._tree),  # cells use `tests.faults`
            "HOME": str(folder),
            "IPYTHONDIR": str(folder / "ipython"),
            "JUPYTER_CONFIG_DIR": str(folder / "config"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "JUPYTER_RUNTIME_DIR": self._runtime.name,
            "JUPYTER_TOKEN": self.token,
            "JUPYTERLAB_SETTINGS_DIR": str(self._settings),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
            "KIS_NB_CACHE_DIR": str(folder / "cache"),
            "KIS_NB_DEMO": "1",
        }

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._log.append(line)
            found = re.search(r"http://127\.0\.0\.1:(\d+)/lab", line)
            if found and not self._port:
                self._port = int(found[1])
                self._started.set()
        self._started.set()

    @property
    def origin(self) -> str:
        return f"127.0.0.1:{self._port}"

    def url(self, path: str) -> str:
        return f"http://{self.origin}/{path}?token={self.token}"

    def configure(self, settings: Mapping[str, Mapping[str, Any]]) -> None:
        """Make these the user settings, by plugin, and drop all others."""
        shutil.rmtree(self._settings, ignore_errors=True)
        for plugin, values in settings.items():
            folder, name = plugin.split(":")
            file = self._settings / folder / f"{name}.jupyterlab-settings"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(values), encoding="utf-8")

    def log_tail(self) -> str:
        """The last 60 lines that the server and its kernels wrote, without the token."""
        return "".join(self._log[-60:]).replace(self.token, "…")

    def end_kernel(self, path: str) -> None:
        """End the kernel of a notebook."""
        for session in self._api("GET", "api/sessions"):
            if session["path"] == path:
                self._api("DELETE", f"api/sessions/{session['id']}")

    def _api(self, method: str, path: str) -> Any:
        request = urllib.request.Request(self.url(path), method=method)
        with urllib.request.urlopen(request, timeout=PATIENCE_MS / 1000) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        assert self._process.stderr is not None
        self._process.stderr.close()
        self._runtime.cleanup()


class Guard:
    """Records what the pages of a context ask for and what goes wrong in them."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self._origin = origin
        self.requests: list[str] = []
        self.errors: list[str] = []
        context.on("request", self._on_request)
        context.on("weberror", self._on_web_error)
        context.on("console", self._on_console)
        context.on("page", lambda page: page.on("websocket", self._on_websocket))

    def _on_request(self, request: Request) -> None:
        self.requests.append(request.url)

    def _on_websocket(self, socket: WebSocket) -> None:
        self.requests.append(socket.url)

    def _on_web_error(self, error: WebError) -> None:
        self.errors.append(f"page error: {error.error.stack or error.error}")

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not _tolerated(message.text):
            self.errors.append(f"console error: {message.text} ({message.location['url']})")

    @property
    def outside(self) -> list[str]:
        """Requests that left the Lab server."""
        return [
            url
            for url in self.requests
            if urlsplit(url).scheme not in {"data", "blob", "about"}
            and urlsplit(url).netloc != self._origin
        ]

    def forget(self) -> None:
        """Drop what was recorded."""
        self.requests.clear()
        self.errors.clear()

    def check(self) -> None:
        """Raise AssertionError when something was asked elsewhere or something broke."""
        assert not self.outside, "asked another host:\n" + "\n".join(self.outside)
        assert not self.errors, "errors on the page:\n" + "\n".join(self.errors)


def _tolerated(text: str) -> bool:
    return any(re.fullmatch(pattern, text, re.DOTALL) for pattern, _ in TOLERATED)


class Lab:
    """One browser window on the server, with one notebook in it.

    Args:
        server, browser: what to open the window on, and with.
        reuse: show later notebooks in the window and the kernel of the first, where they need no
            settings and no script of their own. To start both takes several times what most tests
            do with them. The kernel is emptied in between, but has imported what it had.

    Attributes:
        page: Playwright's page, for whatever this class does not do.
        guard: what the page asked for and what went wrong.
        path: the open notebook on disk.
    """

    def __init__(self, server: LabServer, browser: Browser, *, reuse: bool = False) -> None:
        self._server = server
        self._browser = browser
        self._reuse = reuse
        self._context: BrowserContext | None = None
        self._page: Page | None = None
        self._guard: Guard | None = None
        self._path: Path | None = None

    @property
    def page(self) -> Page:
        assert self._page is not None, "open a notebook first"
        return self._page

    @property
    def guard(self) -> Guard:
        assert self._guard is not None, "open a notebook first"
        return self._guard

    @property
    def path(self) -> Path:
        assert self._path is not None, "open a notebook first"
        return self._path

    def open(
        self,
        cells: Sequence[str],
        *,
        width: int = 1400,
        height: int = 1000,
        theme: Theme = "light",
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        script: str = "",
    ) -> Page:
        """Show a new notebook, not run, in Lab, and wait until its kernel is ready.

        Args:
            cells: the notebook's code cells.
            width, height: the window's size in CSS pixels.
            theme: Lab's theme; `set_theme` changes it live.
            settings: user settings of Lab by plugin, e.g.
                ``{"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}``.
            script: JavaScript that runs in the page before anything else does.
        """
        if self._context is not None and self._reuse and not settings and not script:
            self._show(cells, width, height, theme)
        else:
            self.close()
            self._start(cells, width, height, theme, settings or {}, script)
        return self.page

    def _show(self, cells: Sequence[str], width: int, height: int, theme: Theme) -> None:
        """Empty the kernel and show other cells in the same notebook, window and kernel."""
        self.page.mouse.move(0, 0)
        self.page.set_viewport_size({"width": width, "height": height})
        self._evaluate(
            "const kernel = panel.sessionContext.session.kernel;"
            "const reply = await kernel.requestExecute({code: arg, store_history: false}).done;"
            "if (reply.content.status !== 'ok') throw new Error(reply.content.evalue);",
            _EMPTY_KERNEL,
        )
        for path in self.path.parent.iterdir():
            if path.is_file():
                path.unlink()
        _write(self.path, cells)
        self._evaluate("await panel.context.revert();")
        self._wait_until("panel.content.widgets.length === arg", len(cells))
        self.set_theme(theme)
        self.wait_idle()
        self.guard.forget()

    def _start(
        self,
        cells: Sequence[str],
        width: int,
        height: int,
        theme: Theme,
        settings: Mapping[str, Mapping[str, Any]],
        script: str,
    ) -> None:
        """Open a window, and in it a notebook with a kernel."""
        name = secrets.token_hex(4)
        folder = self._server.root / name
        folder.mkdir()
        self._path = folder / "cells.ipynb"
        _write(self._path, cells)
        always: dict[str, Mapping[str, Any]] = {
            "@jupyterlab/apputils-extension:notification": {
                "fetchNews": "false",
                "checkForUpdates": False,
            },
            "@jupyterlab/apputils-extension:themes": {"theme": THEMES[theme]},
        }
        self._server.configure(always | dict(settings))
        self._context = self._browser.new_context(
            viewport={"width": width, "height": height}, locale="en-US", timezone_id="Asia/Seoul"
        )
        self._context.set_default_timeout(PATIENCE_MS)
        self._guard = Guard(self._context, self._server.origin)
        self._page = self._context.new_page()
        if script:
            self._page.add_init_script(script)
        self._page.goto(self._server.url(f"lab/workspaces/{name}/tree/{quote(self._place)}"))
        self._wait_for_theme(theme)
        self.wait_idle()

    def reload(self) -> None:
        """Load the page again, as F5 does; the kernel goes on. Wait for the first widget, if any.

        On a busy machine up to one load in seven ends with "model not found" in place of every
        widget, said by JupyterLab's widget manager before it calls their code, while it holds all
        their models. People load the page once more then, and so does this.
        """
        for _ in range(5):
            self.page.reload()
            self.wait_idle()
            if "widget-view+json" not in json.dumps(self.outputs()):
                return
            # Ours, or the error, which gets this class.
            shown = ".jp-OutputArea :is(.jupyter-widgets, .kis-dashboard, .kis-chart-frame)"
            self.page.wait_for_selector(shown, state="attached")
            if not self.page.get_by_text("Error displaying widget: model not found").count():
                return
            errors = self.guard.errors
            errors[:] = [each for each in errors if "Error: widget model not found" not in each]
        raise AssertionError("widget model not found, five times")

    @property
    def _place(self) -> str:
        return self.path.relative_to(self._server.root).as_posix()

    def _evaluate(self, script: str, argument: object = None) -> Any:
        """Run `script` in the page with ``app``, ``panel`` (the notebook's) and ``arg`` set."""
        return self.page.evaluate("async " + _WITH_PANEL % script, [self._place, argument])

    def _wait_until(self, condition: str, argument: object = None, first: str = "") -> Any:
        """Wait until an expression, after the statements `first`, is true; give back its value."""
        return self.page.wait_for_function(
            _WITH_PANEL % f"{first} return {condition};", arg=[self._place, argument]
        ).json_value()

    def wait_idle(self) -> None:
        """Wait until the kernel is connected and has nothing to do.

        Raises:
            AssertionError: it did not in time; with what the page and the server say of it.
        """
        try:
            self._wait_until(
                "panel?.sessionContext?.isReady"
                " && panel.sessionContext.session?.kernel?.connectionStatus === 'connected'"
                " && panel.sessionContext.session.kernel.status === 'idle'"
            )
        except PlaywrightTimeout as error:
            state = self._evaluate(
                "const kernel = panel?.sessionContext?.session?.kernel;"
                "return [panel?.sessionContext?.isReady, kernel?.connectionStatus, kernel?.status];"
            )
            raise AssertionError(
                f"ready, connection, status: {state}\n{self._server.log_tail()}"
            ) from error

    def wait_busy(self) -> None:
        """Wait until a cell is at work, after `run_cell` with ``wait=False``.

        The prompt is read: the kernel's own status becomes idle when any other request, one for its
        comms say, ends meanwhile.
        """
        self._wait_until(
            "panel.content.widgets.some(cell =>"
            " cell.node.querySelector('.jp-InputPrompt')?.textContent.includes('*'))"
        )

    def run_all(self) -> None:
        """Run every cell and wait for the end; AssertionError with the traceback if one fails."""
        self._run("notebook:run-all-cells")
        self._finish()

    def run_cell(self, index: int, *, wait: bool = True) -> None:
        """Run one cell (from 0) and wait for its end, unless `wait` is False."""
        self._evaluate("panel.content.deselectAll(); panel.content.activeCellIndex = arg;", index)
        self._run("notebook:run-cell")
        if wait:
            self._finish()

    def _run(self, command: str) -> None:
        # The command's promise ends with the last cell: kept aside, so that the page's own clicks
        # are not held up meanwhile and so that the wait has Playwright's time limit.
        self._evaluate(
            "window.kisRun = 'running';"
            "app.commands.execute(arg).then("
            "  () => { window.kisRun = 'done'; }, e => { window.kisRun = String(e); });",
            command,
        )

    def _finish(self) -> None:
        # The limit is for one cell: eight templates in one notebook take most of a minute.
        end, numbers = "running", None
        while end == "running":
            end, numbers = self._wait_until(
                "window.kisRun !== 'running' || numbers !== arg ? [window.kisRun, numbers] : null",
                numbers,
                "const cells = Array.from(panel.content.model.cells);"
                "const numbers = cells.map(cell => cell.executionCount).join();",
            )
        assert end == "done", end
        self.wait_idle()
        for index, outputs in enumerate(self.outputs()):
            for output in outputs:
                if output["output_type"] == "error":
                    raise AssertionError(f"cell {index}:\n" + "\n".join(output["traceback"]))

    def outputs(self) -> list[list[dict[str, Any]]]:
        """The outputs of each cell as the notebook's model holds them, in nbformat's shape."""
        found = self._evaluate(
            "return Array.from(panel.content.model.cells).map(c => c.outputs?.toJSON() ?? []);"
        )
        return cast("list[list[dict[str, Any]]]", found)

    def run_hidden(self, code: str) -> None:
        """Run code in the kernel that no cell shows; AssertionError if it fails."""
        found = self._evaluate(
            "const kernel = panel.sessionContext.session.kernel;"
            "const reply = await kernel.requestExecute({code: arg, store_history: false}).done;"
            "return reply.content;",
            code,
        )
        assert found["status"] == "ok", "\n".join(found["traceback"])
        self.wait_idle()

    def kernel_value(self, expression: str) -> str:
        """The repr of a Python expression in the kernel, asked without running a cell."""
        found = self._evaluate(
            "const kernel = panel.sessionContext.session.kernel;"
            "const asked = {code: '', silent: true, user_expressions: {value: arg}};"
            "const reply = await kernel.requestExecute(asked).done;"
            "return reply.content.user_expressions.value;",
            expression,
        )
        assert found["status"] == "ok", found["evalue"]
        return cast("str", found["data"]["text/plain"])

    def cell(self, index: int) -> Locator:
        """The cell with this number (from 0), prompt and outputs included."""
        return self.page.locator(f".jp-Notebook-cell[data-windowed-list-index='{index}']")

    def output(self, index: int) -> Locator:
        """The output area of a cell: its outputs, and their prompts."""
        return self.cell(index).locator(".jp-Cell-outputArea")

    def save(self) -> dict[str, Any]:
        """Save as Ctrl-S does and give back the notebook as it lies on disk.

        A dashboard renews its saved output some time after a pull. One that does so during the save
        leaves the notebook changed, and people save once more then.
        """
        saving = "await app.commands.execute('docmanager:save'); return panel.context.model.dirty;"
        for _ in range(5):
            if not self._evaluate(saving):
                break
        else:
            raise AssertionError("the notebook changes during each save")
        return cast("dict[str, Any]", nbformat.read(self.path, as_version=4))

    def set_theme(self, theme: Theme) -> None:
        """Change the theme live, as the Settings menu does."""
        self._evaluate(
            "app.commands.execute('apputils:change-theme', {theme: arg});", THEMES[theme]
        )
        self._wait_for_theme(theme)

    def _wait_for_theme(self, theme: Theme) -> None:
        # The style sheet arrives after the attribute changes; then the variable is set.
        self.page.wait_for_function(
            "([name, light]) => document.body.dataset.jpThemeName === name"
            " && document.body.dataset.jpThemeLight === light"
            " && getComputedStyle(document.body).getPropertyValue('--jp-layout-color0') !== ''",
            arg=[THEMES[theme], str(theme == "light").lower()],
        )

    def screenshot(self, path: Path, target: Locator | None = None) -> None:
        """Save a PNG of the window, or of one element."""
        path.parent.mkdir(parents=True, exist_ok=True)
        (target or self.page).screenshot(path=path, animations="disabled")

    def close(self) -> None:
        """Close the window and end its kernel."""
        if self._context is not None:
            self._context.close()
            self._context = self._page = None
            self._server.end_kernel(self._place)


# Brokers and clients of the cells before are ended, and their names are forgotten.
_EMPTY_KERNEL = """
import ipywidgets
ipywidgets.Widget.close_all()
for _kept in list(globals().values()):
    if type(_kept).__name__ in ("Broker", "Client"):
        _kept.__exit__(None, None, None)
del _kept
get_ipython().reset(new_session=False)
"""
_WITH_PANEL = """([place, arg]) => {
    const app = window.jupyterapp;
    const panel = app && Array.from(app.shell.widgets('main'))
        .find(w => w.content?.activeCell !== undefined && w.context?.path === place);
    %s
}"""


def _write(path: Path, cells: Sequence[str]) -> None:
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    code: dict[str, Any] = {
        "cell_type": "code",
        "metadata": {},
        "outputs": [],
        "execution_count": None,
    }
    book = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel},
        "cells": [code | {"id": f"cell-{n}", "source": text} for n, text in enumerate(cells)],
    }
    path.write_text(json.dumps(book), encoding="utf-8")
