"""The harness drives a real JupyterLab, and its guards bite."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.lab import Guard, Lab, LabServer

BUTTON = """
import ipywidgets
import kis_nb

label = ipywidgets.Label("not yet")
button = ipywidgets.Button(description="press")

def pressed(_):
    label.value = f"pressed in {kis_nb.__name__}"

button.on_click(pressed)
ipywidgets.VBox([button, label])
"""


def test_button_is_pressed(lab: Lab) -> None:
    """A click on a widget reaches the kernel, and the kernel's answer reaches the page."""
    lab.open([BUTTON])
    lab.run_all()
    expect(lab.output(0)).to_contain_text("not yet")
    lab.page.get_by_role("button", name="press").click()
    expect(lab.output(0)).to_contain_text("pressed in kis_nb")


def test_theme_follows_live(lab: Lab, tmp_path: Path) -> None:
    """A notebook starts in the theme and size asked for and changes its theme without a reload."""
    page = lab.open(["1"], theme="dark", width=800, height=600)
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    lab.screenshot(tmp_path / "dark.png")
    lab.set_theme("light")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
    lab.screenshot(tmp_path / "light.png")
    dark, light = (tmp_path / "dark.png").read_bytes(), (tmp_path / "light.png").read_bytes()
    # Width and height are at the same place in every PNG.
    assert dark[16:24] == light[16:24] == struct.pack(">II", 800, 600)
    assert dark != light


def test_saved_notebook_is_read_back(lab: Lab) -> None:
    """What `save` gives back is the file on disk, and a reloaded page shows it."""
    lab.open(["40 + 2"])
    lab.run_all()
    book = lab.save()
    assert book["cells"][0]["outputs"][0]["data"]["text/plain"] == "42"
    lab.reload()
    expect(lab.output(0)).to_contain_text("42")


def test_settings_reach_lab(own_lab: Lab) -> None:
    """Widget state is saved when the user's setting is on, and is not by default."""
    own_lab.open([BUTTON])
    own_lab.run_all()
    assert "widgets" not in own_lab.save()["metadata"]
    own_lab.open(
        [BUTTON], settings={"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}}
    )
    own_lab.run_all()
    assert "widgets" in own_lab.save()["metadata"]


def test_the_next_notebook_finds_an_empty_kernel(lab: Lab) -> None:
    """In the shared window no name, widget or file of the notebook before is left."""
    page = lab.open([BUTTON, "import os\nopen('kept.txt', 'w').close()\nprint(os.getpid())"])
    lab.run_all()
    expect(page.get_by_role("button", name="press")).to_be_visible()
    process = lab.outputs()[1][0]["text"]
    look = "import os\nfrom ipywidgets.widgets.widget import _instances\n"
    look += "print('button' in globals(), len(_instances), os.path.exists('kept.txt'))"
    lab.open([look, "print(os.getpid())"])
    assert page.get_by_role("button", name="press").count() == 0
    lab.run_all()
    assert lab.outputs()[0][0]["text"] == "False 0 False\n"
    assert lab.outputs()[1][0]["text"] == process


def test_busy_cell_is_watched(lab: Lab) -> None:
    """A test can go on while a cell runs, and wait for its end."""
    wait = "while not Path('go').exists(): time.sleep(0.05)"
    lab.open([f"import time\nfrom pathlib import Path\n{wait}\nprint('gone')"])
    lab.run_cell(0, wait=False)
    lab.wait_busy()
    assert lab.outputs() == [[]]
    lab.path.with_name("go").touch()
    expect(lab.output(0)).to_contain_text("gone")
    lab.wait_idle()


def test_failing_cell_fails_the_run(lab: Lab) -> None:
    """A cell that raises ends `run_all` with its traceback."""
    lab.open(["1 / 0"])
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        lab.run_all()


@pytest.fixture
def guarded(lab_server: LabServer, browser: Browser) -> Iterator[tuple[Page, Guard]]:
    """A small page of the Lab server and its guard, which nobody asks but the test."""
    context = browser.new_context()
    guard = Guard(context, lab_server.origin)
    page = context.new_page()
    # Not an answer of the API: its security policy would stop the requests before they are made.
    page.goto(f"http://{lab_server.origin}/login")
    guard.check()
    yield page, guard
    context.close()


def test_request_elsewhere_is_caught(guarded: tuple[Page, Guard]) -> None:
    """A page that asks another host fails its test, and the browser does not get there."""
    page, guard = guarded
    page.evaluate("fetch('http://example.invalid/x').catch(() => null)")
    with pytest.raises(AssertionError, match=r"asked another host:\nhttp://example\.invalid/x"):
        guard.check()


def test_other_port_is_another_host(guarded: tuple[Page, Guard]) -> None:
    """The embedded broker's own port is for the kernel, not for the page."""
    page, guard = guarded
    page.evaluate("fetch('http://127.0.0.1:9/x').catch(() => null)")
    with pytest.raises(AssertionError, match=r"127\.0\.0\.1:9/x"):
        guard.check()


def test_socket_elsewhere_is_caught(guarded: tuple[Page, Guard]) -> None:
    """A web socket to another host counts as a request to it."""
    page, guard = guarded
    page.evaluate(
        "new Promise(r => { new WebSocket('ws://example.invalid/s').onclose = r; }).then(() => 0)"
    )
    with pytest.raises(AssertionError, match=r"ws://example\.invalid"):
        guard.check()


def test_page_error_is_caught(guarded: tuple[Page, Guard]) -> None:
    """An uncaught exception on the page fails its test."""
    page, guard = guarded
    with page.expect_event("pageerror"):
        page.evaluate("setTimeout(() => { throw new Error('broken on purpose'); })")
    with pytest.raises(AssertionError, match=r"page error: .*broken on purpose"):
        guard.check()


def test_console_error_is_caught(guarded: tuple[Page, Guard]) -> None:
    """A line at console.error fails its test."""
    page, guard = guarded
    with page.expect_event("console"):
        page.evaluate("console.error('logged on purpose')")
    with pytest.raises(AssertionError, match="console error: logged on purpose"):
        guard.check()
