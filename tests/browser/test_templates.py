"""The notebook templates in JupyterLab: offered by its launcher, through the jupyterlab-templates
extension, and run and saved there.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

from tests.browser.lab import Lab, LabServer
from tests.leaks import noted, watch_kernels

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_launcher_offers_every_template(own_lab: Lab) -> None:
    """The extra `lab` brings a Template card; behind it are all notebooks of ours."""
    page = own_lab.open(["1"])
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name="New Launcher").click()
    page.locator(".jp-LauncherCard", has_text="Template").first.click()
    dialog = page.get_by_role("dialog")
    folder, names = dialog.locator("select").first, dialog.locator("select").last
    expect(folder.locator("option", has_text="kis_nb")).to_have_count(1)
    folder.select_option(label="kis_nb")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        expect(names.locator("option", has_text=notebook.name)).to_have_count(1)


@pytest.fixture
def watched(lab_server: LabServer) -> Iterator[None]:
    """Every kernel of the test notes what must not come out."""
    startup = watch_kernels(lab_server.root.parent / "ipython")
    yield
    startup.unlink()


@pytest.mark.usefixtures("watched")
def test_saved_templates_hold_no_secret(own_lab: Lab) -> None:
    """All of them, run in one kernel and saved with the widgets' state: neither key, secret, token
    nor account number, however it is spelt.
    """
    books = [nbformat.read(path, as_version=4) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    code = [cell.source for book in books for cell in book.cells if cell.cell_type == "code"]
    own_lab.open(code, settings={"@jupyter-widgets/jupyterlab-manager:plugin": {"saveState": True}})
    own_lab.run_all()
    own_lab.save()
    text = own_lab.path.read_text("utf-8")
    # Each chart and each part of the dashboard has its state there.
    assert text.count('"_anywidget_id"') > 10
    assert text.count("jupyter.widget-view+json") >= 5
    noted(own_lab.path.parent).look(text, "the saved notebook")
