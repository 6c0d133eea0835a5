"""Pictures of charts that live on a page, made one after the other once the page has drawn them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from kis_nb._widgets.picture import CONVERTER

# A chart that no page has drawn by then is out of sight, and its picture is made all the same.
_PATIENCE = 4.0
# While charts are still coming or being drawn, the processor is theirs.
_QUIET = 1.0
# The converting process takes 200 MB of memory, so it is ended when nothing is asked of it.
_IDLE = 30.0


@dataclass(eq=False)
class Job:
    """A picture to be made.

    Attributes:
        run: makes and publishes it; nothing may be raised.
        due: when, on the monotonic clock.
    """

    run: Callable[[], None]
    due: float = field(default_factory=lambda: time.monotonic() + _PATIENCE)


class PictureQueue:
    """Runs jobs on a thread of its own, each when it is due. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._jobs: list[Job] = []
        self._quiet_at = 0.0
        self._running = False

    def add(self, job: Job) -> None:
        """Have the job run when it is due."""
        with self._changed:
            self._quiet_at = time.monotonic() + _QUIET
            self._jobs.append(job)
            if not self._running:
                self._running = True
                # A daemon: an interpreter that ends does not wait for pictures.
                threading.Thread(target=self._work, name="kis_nb-pictures", daemon=True).start()
            self._changed.notify()

    def hasten(self, job: Job) -> None:
        """Have the job run soon, since its chart has been drawn; nothing when it has run."""
        with self._changed:
            self._quiet_at = time.monotonic() + _QUIET
            job.due = 0.0
            self._changed.notify()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            try:
                job.run()
            except Exception:  # noqa: BLE001  (the pictures of other charts go on)
                failed = (*sys.exc_info(), threading.current_thread())
                threading.excepthook(threading.ExceptHookArgs(failed))
        CONVERTER.close()

    def _next(self) -> Job | None:
        """The next job, once it is due; None when there was none for a while."""
        ends = time.monotonic() + _IDLE
        with self._changed:
            while True:
                now = time.monotonic()
                job = min(self._jobs, key=lambda one: one.due, default=None)
                starts = ends if job is None else max(job.due, self._quiet_at)
                if job is not None and starts <= now:
                    self._jobs.remove(job)
                    return job
                if job is None and now >= ends:
                    self._running = False
                    return None
                self._changed.wait(starts - now)


QUEUE = PictureQueue()
