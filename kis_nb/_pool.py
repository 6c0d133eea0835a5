"""Many pulls at once on a thread pool. On the meeting floor, below `_client`, which uses it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeAlias

from kis_nb._balance import Balance, Balances, Failure
from kis_nb._errors import Cancelled, KisError
from kis_nb._fields import Account, Basis, Margin

View: TypeAlias = tuple[Account, Margin, Basis]

# Enough to keep a 20-a-second allowance busy at 250 ms an answer.
THREADS = 8


def pull_all(
    views: Sequence[View], pull: Callable[[View], Balance], cancel: threading.Event
) -> Balances:
    """Pull every view, several at a time, with a progress bar when it takes longer than a second.

    Args:
        views: what to pull, in the order wanted.
        pull: pulls one; it must stop when `cancel` is set.
        cancel: set here when this thread is interrupted.

    Raises:
        Cancelled: `cancel` was set.
    """
    from tqdm.auto import tqdm  # here because it brings ipywidgets along in a notebook

    pool = ThreadPoolExecutor(min(THREADS, len(views)), "kis_nb")
    pulls: dict[Future[Balance], View] = {pool.submit(pull, view): view for view in views}
    try:
        with tqdm(total=len(views), delay=1, unit="pull", leave=False) as bar:
            waiting = set(pulls)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                bar.update(len(done))
    except BaseException:
        # Ctrl-C reaches this thread alone: the others stop at their next wait or answer.
        cancel.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    balances: list[Balance] = []
    failures: list[Failure] = []
    for made, view in pulls.items():
        error = made.exception()
        if error is None:
            balances.append(made.result())
        elif isinstance(error, Cancelled) or not isinstance(error, KisError):
            raise error
        else:
            failures.append(Failure(*view, error))
    return Balances(balances, failures)
