"""Fixtures for tests in a real JupyterLab in a real Chromium. Neither is ever skipped."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.lab import PATIENCE_MS, Lab, LabServer, chromium

_HERE = Path(__file__).parent
_PASSED = pytest.StashKey[bool]()
# Playwright's five seconds are for pages without a kernel behind them.
expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the browser tests last.

    Playwright's sync API keeps an event loop running in the main thread for as long as its
    session lives, and whatever calls ``asyncio.run`` after that fails.
    """
    items.sort(key=lambda item: _HERE in item.path.parents)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium without a window, which cannot resolve any name and so reaches loopback only."""
    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def lab_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabServer]:
    """One JupyterLab for all browser tests."""
    server = LabServer(tmp_path_factory.mktemp("lab"))
    yield server
    server.close()


@pytest.fixture(scope="session")
def shared_lab(lab_server: LabServer, browser: Browser) -> Iterator[Lab]:
    """The window on JupyterLab that most tests share, one after the other."""
    lab = Lab(lab_server, browser, reuse=True)
    yield lab
    lab.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note which tests passed, for the fixture `lab`."""
    report = yield
    if call.when == "call":
        item.stash[_PASSED] = report.passed
    return report


@pytest.fixture
def lab(shared_lab: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    """A window on JupyterLab; a request elsewhere or an error on the page fails the test.

    Window and kernel have served other tests, of which each passed.
    """
    yield shared_lab
    passed = request.node.stash.get(_PASSED, False)
    try:
        shared_lab.guard.check()
    except AssertionError:
        passed = False
        raise
    finally:
        if not passed:
            shared_lab.close()


@pytest.fixture
def own_lab(lab_server: LabServer, browser: Browser) -> Iterator[Lab]:
    """As `lab`, with a window and a kernel that no other test has."""
    lab = Lab(lab_server, browser)
    yield lab
    lab.close()
    lab.guard.check()
