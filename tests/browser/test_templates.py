"""The notebook templates in JupyterLab's launcher, through the jupyterlab-templates extension."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import Lab

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def test_the_launcher_offers_every_template(lab: Lab) -> None:
    """The extra `lab` brings a Template card; behind it are all notebooks of ours."""
    page = lab.open(["1"])
    page.get_by_role("menuitem", name="File", exact=True).click()
    page.get_by_role("menuitem", name="New Launcher").click()
    page.locator(".jp-LauncherCard", has_text="Template").first.click()
    dialog = page.get_by_role("dialog")
    folder, names = dialog.locator("select").first, dialog.locator("select").last
    expect(folder.locator("option", has_text="kis_nb")).to_have_count(1)
    folder.select_option(label="kis_nb")
    for notebook in NOTEBOOKS.glob("*.ipynb"):
        expect(names.locator("option", has_text=notebook.name)).to_have_count(1)
