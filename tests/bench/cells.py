"""The cells that the benchmarks of the page run, and a JupyterLab to run them in."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.lab import PATIENCE_MS, Lab, LabServer, chromium

# The clock stands still, so that prices do.
START = """
import kis_nb
from kis_nb.demo import Book, Broker
broker = Broker(book=Book.sized({{"80012345-03": {rows}}}, seed=1), clock=lambda: 1795356904.0,
                calls_per_second=0).start()
client = kis_nb.connect(app_key=broker.app_key, app_secret=broker.app_secret,
                        accounts=broker.accounts, base_url=broker.address, calls_per_second=500)
"""
OURS = "d = kis_nb.dashboard(client)\nd"
BARE = """
import altair as alt
alt.JupyterChart.enable_offline()
rows = [{"name": f"{n} {i}", "value": float(v)} for i, (n, v) in enumerate(
    client.balance().positions.select("prdt_name", "evlu_pfls_amt").iter_rows())]
alt.JupyterChart(alt.Chart(alt.Data(values=rows), width=700).mark_bar().encode(
    x="value:Q", y=alt.Y("name:N", sort=None)), embed_options={"renderer": "svg"})
"""


@contextmanager
def one_lab(tree: Path | None = None) -> Iterator[Lab]:
    """A JupyterLab server and a window on it, for as long as the block runs; its kernels import
    from another checkout when given.
    """
    expect.set_options(timeout=PATIENCE_MS)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        server = LabServer(Path(folder), tree)
        lab = Lab(server, browser)
        try:
            yield lab
        finally:
            lab.close()
            server.close()
