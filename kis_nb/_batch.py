"""Many pulls at once on a thread pool. On the meeting floor, below `_client`, which uses it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from kis_nb._codes import View
from kis_nb._errors import Cancelled, KisError
from kis_nb._frames.balance import Balance
from kis_nb._frames.balances import Balances, Failure

# Enough to keep one key's allowance of 20 a second busy at 250 ms an answer.
THREADS = 8
# With many keys each has fewer, but never less than two.
_ALL_THREADS = 64


def pull_all(
    views: Sequence[View],
    pull: Callable[[View], Balance],
    cancel: threading.Event,
    *,
    lane: Callable[[View], Hashable] = lambda _: None,
) -> Balances:
    """Pull every view, several at a time, with a progress bar when it takes longer than a second.

    Args:
        views: what to pull, in the order wanted.
        pull: pulls one; it must stop when `cancel` is set.
        cancel: set here when this thread is interrupted.
        lane: what a view is pulled with, its app key. Each has threads of its own, so that one
            that must wait (for its allowance, for a token) holds up no other.

    Raises:
        Cancelled: `cancel` was set.
    """
    from tqdm.auto import tqdm  # here because it brings ipywidgets along in a notebook

    lanes = Counter(map(lane, views))
    threads = max(2, min(THREADS, _ALL_THREADS // len(lanes)))
    pools = {one: ThreadPoolExecutor(min(threads, n), "kis_nb") for one, n in lanes.items()}
    pulls: dict[Future[Balance], View] = {
        pools[lane(view)].submit(pull, view): view for view in views
    }
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
        # Nothing new begins anywhere before the first wait.
        for pool in pools.values():
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in pools.values():
            pool.shutdown(wait=True)
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
