"""A page of HTML printed as PDF by a Chromium that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kis_nb._environment import without_credentials
from kis_nb._errors import ConfigError

_COMMANDS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "microsoft-edge-stable",
    "msedge",
    "brave-browser",
)
# Where macOS and Windows have them, outside the search path.
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "C:/Program Files/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Google/Chrome/Application/chrome.exe",
    "C:/Program Files (x86)/Microsoft/Edge/Application/msedge.exe",
    "C:/Program Files/Microsoft/Edge/Application/msedge.exe",
)
# Seconds; a report takes two to five.
_TIMEOUT = 120


def find_browser() -> str:
    """The program that prints.

    Raises:
        ConfigError: none is installed.
    """
    found = next(filter(None, map(shutil.which, _COMMANDS)), None)
    found = found or next((place for place in _PLACES if Path(place).is_file()), None)
    if found is None:
        raise ConfigError(
            "a .pdf is printed by Chromium, Chrome or Edge, and none of them was found; install "
            "one, or write .html and print that"
        )
    return found


def print_pdf(page: bytes, browser: str, near: Path) -> bytes:
    """Print a page, A4 as its style sheet says, without any network.

    Args:
        page: the HTML.
        browser: from `find_browser`.
        near: the folder of the report, where a browser from a snap can read files.

    Returns:
        The PDF.

    Raises:
        ConfigError: the browser did not print.
    """
    place = near if _is_snap(browser) else None
    with tempfile.TemporaryDirectory(
        prefix="kis-nb-", dir=place, ignore_cleanup_errors=True
    ) as made:
        source, target = Path(made, "report.html"), Path(made, "report.pdf")
        source.write_bytes(page)
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",  # a container's /dev/shm holds 64 MB
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-extensions",
            "--no-first-run",
            "--no-default-browser-check",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={Path(made, 'profile')}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
        ]
        # Chromium refuses to run as root with its sandbox, and most containers run as root.
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")
        try:
            subprocess.run(
                [*command, source.resolve().as_uri()],
                env=without_credentials(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=_TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ConfigError(f"{browser} did not print: {type(error).__name__}") from None
        printed = target.read_bytes() if target.is_file() else b""
    if not printed.startswith(b"%PDF-"):
        raise ConfigError(f"{browser} did not print; write .html and print that")
    return printed


def _is_snap(browser: str) -> bool:
    """Whether the program sees neither /tmp nor hidden folders, as those from a snap."""
    return sys.platform == "linux" and (
        "/snap/" in browser
        or os.path.realpath(browser).endswith("/snap")
        # Ubuntu's is a script that starts the snap.
        or (browser.endswith("chromium-browser") and Path("/snap/bin/chromium").exists())
    )
