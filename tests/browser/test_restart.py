"""The kernel restarted under a dashboard that is pulling, in a real JupyterLab."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from playwright.sync_api import expect

from tests.browser.lab import PATIENCE_MS, Lab, LabServer
from tests.faults import Broker, Fault
from tests.leaks import ACCOUNT, APP_KEY, APP_SECRET, Search


def test_a_restart_in_mid_pull_leaves_nothing(
    own_lab: Lab, lab_server: LabServer, guarded: Broker, tmp_path: Path
) -> None:
    """Auto-refresh is on and KIS holds a page back: the old process ends and pulls no more, leaves
    no part of a file and no word in the server's log; the cell run again draws, on the token of
    before, and the page has no error.
    """
    show = f"""
import os
import kis_nb
client = kis_nb.connect(app_key={APP_KEY!r}, app_secret={APP_SECRET!r}, accounts=[{ACCOUNT!r}],
                        base_url={guarded.address!r}, cache_dir={str(tmp_path)!r})
d = kis_nb.dashboard(client, auto=5)
d._fetcher.set_interval(0.1)
print(os.getpid())
d
"""
    before = len(lab_server._log)
    page = own_lab.open([show])
    own_lab.run_all()
    pid = int(own_lab.outputs()[0][0]["text"])
    expect(page.locator(".kis-payoff svg")).to_be_visible()
    held, go = threading.Event(), threading.Event()

    def hold(_body: dict[str, Any]) -> None:
        held.set()
        go.wait(PATIENCE_MS / 1000)

    guarded.fault(Fault(kind="mutate", page=2, change=hold))
    assert held.wait(PATIENCE_MS / 1000)
    page.get_by_role("button", name="Restart the kernel").first.click()
    with page.expect_response("**/restart?*"):
        page.get_by_role("dialog").get_by_role("button", name="Confirm").click()
    asked = len(guarded.calls)
    own_lab.wait_idle()
    assert not Path(f"/proc/{pid}").exists()
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".lock"}
    assert len(guarded.calls) == asked
    go.set()
    own_lab.run_all()
    expect(page.locator(".kis-payoff svg")).to_be_visible()
    expect(page.locator(".kis-dashboard")).to_have_count(1)
    printed, _saved, _shown = own_lab.outputs()[0]
    assert int(printed["text"]) != pid
    assert sum(call.path.endswith("tokenP") for call in guarded.calls) == 1
    # The server's own errors are there too, and kernels write into the same log.
    log = "".join(lab_server._log[before:])
    assert "Exception in thread" not in log
    assert "Fatal Python error" not in log
    Search(APP_KEY, APP_SECRET).look(log, "the server's log")
