"""`make voila`: the dashboard as a page of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from playwright.sync_api import Browser, expect

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "dashboard.ipynb"
LIMIT = 120


def test_voila_serves_the_dashboard_and_fetches_nothing(browser: Browser) -> None:
    """Drawn, driven by a toggle, and not one request leaves the machine."""
    # Voila prints the port it was given, so it cannot be left to choose one.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Its kernel binds no TCP port, which another could take between choice and bind.
    options = ["--template=kis_nb", "--no-browser", "--KernelManager.transport=ipc"]
    command = ["-m", "voila", *options, f"--port={port}", str(NOTEBOOK)]
    with subprocess.Popen(
        [sys.executable, *command],
        env={**os.environ, "KIS_NB_DEMO": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        watchdog = threading.Timer(LIMIT, server.kill)
        watchdog.start()
        try:
            assert server.stdout is not None
            assert any(f"http://localhost:{port}" in line for line in server.stdout)
            # What it goes on to say must be read, or it stops at a full pipe.
            threading.Thread(target=server.stdout.read, daemon=True).start()
            context = browser.new_context()
            asked: list[str] = []
            context.on("request", lambda request: asked.append(request.url))
            page = context.new_page()
            page.goto(f"http://127.0.0.1:{port}/")
            expect(page.locator(".kis-payoff svg").first).to_be_visible()
            page.get_by_role("radio", name="유지 02").check()
            expect(page.locator(".kis-status")).to_contain_text("MGNA_DVSN=02")
            own = (f"http://127.0.0.1:{port}/", "data:", "blob:")
            assert [address for address in asked if not address.startswith(own)] == []
            context.close()
        finally:
            watchdog.cancel()
            server.terminate()
