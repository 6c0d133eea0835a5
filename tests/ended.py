"""A dashboard closed, with everything that was at work in it ended."""

from __future__ import annotations

from kis_nb._dashboard.dashboard import Dashboard

_LIMIT = 120  # seconds; reached by a hang only


def close_and_join(dashboard: Dashboard) -> None:
    """Close a dashboard and wait for the threads that `close` leaves to end by themselves.

    A thread in the middle of a chart holds the dashboard until the chart is drawn, which takes a
    busy machine longer than `close` waits.
    """
    fetcher = dashboard._fetcher
    threads = set() if fetcher is None else set(fetcher._threads)
    dashboard.close()
    for thread in threads:
        thread.join(_LIMIT)
        assert not thread.is_alive()
    dashboard._jobs.close(finish=True, wait=True)
